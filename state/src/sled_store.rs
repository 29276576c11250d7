//! The store of the command line: sled on disk, behind a thread of its own.

use std::{
    path::{Path, PathBuf},
    sync::mpsc,
    thread::{self, JoinHandle},
    time::Duration,
};

use async_trait::async_trait;
use sgp_contract::{LockHolder, StateStore, StoreError, Write, store::OpenIntent};
use sgp_model::State;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::{
    STACK_BYTES,
    batch::Encoded,
    database::Database,
    head::{Marker, io, read_marker, refuse_foreign},
    history::SerialSummary,
    lock::{Access, Lock},
    quiet::guarded,
};

/// State in an embedded database under a folder, normally `.sgp/`.
///
/// A writer holds the lock until it is dropped. A reader takes the lock for an instant, remembers the state and lets go;
/// where there is no state it answers an empty one and leaves the folder alone.
///
/// Concurrent [`StateStore::write`] calls share disk flushes: while one is under way the next batches queue, and all that
/// queue are flushed together.
#[derive(Debug)]
pub struct SledStore {
    backing: Backing,
}

#[derive(Debug)]
enum Backing {
    Writer(Writer),
    Snapshot(Snapshot),
}

#[derive(Debug)]
struct Writer {
    /// `None` only while the store is being dropped.
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    /// Freed after the thread ended.
    lock: Lock,
}

#[derive(Debug)]
struct Snapshot {
    dir: PathBuf,
    operation: String,
    timeout: Duration,
    state: State,
    open_intents: Vec<OpenIntent>,
}

type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// What the thread is asked.
#[derive(Debug)]
enum Job {
    Write(Vec<Encoded>, Reply<()>),
    Load(Reply<State>),
    OpenIntents(Reply<Vec<OpenIntent>>),
    Replace(Box<State>, bool, Reply<()>),
    History(Reply<Vec<SerialSummary>>),
    StateAt(u64, Reply<Option<State>>),
}

impl SledStore {
    /// Opens the state in `dir`, waiting at most `lock_timeout` for another process. `operation` is the command that is
    /// being run, for whoever meets the lock and for the history. Blocks.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process has it, [`StoreError::Damaged`] and [`StoreError::TooNew`] when it cannot
    /// be read, [`StoreError::Io`] when the disk refuses.
    pub fn open(dir: &Path, operation: &str, access: Access, lock_timeout: Duration) -> Result<Self, StoreError> {
        let backing = match access {
            Access::Write => Backing::Writer(Writer::open(dir, operation, lock_timeout)?),
            Access::Read => Backing::Snapshot(Snapshot::take(dir, operation, lock_timeout)?),
        };
        Ok(Self { backing })
    }

    /// The process that held the lock before and died without giving it back; `None` after an orderly end.
    pub fn recovered_from(&self) -> Option<LockHolder> {
        match &self.backing {
            Backing::Writer(writer) => writer.lock.recovered_from.clone(),
            Backing::Snapshot(_) => None,
        }
    }

    /// The last serials, newest first: when and by what each was made, and what it changed.
    ///
    /// # Errors
    /// The store's.
    pub async fn history(&self) -> Result<Vec<SerialSummary>, StoreError> {
        match &self.backing {
            Backing::Writer(writer) => writer.ask(Job::History).await,
            Backing::Snapshot(snapshot) => snapshot.look(|db| db.history(), Vec::new()),
        }
    }

    /// The state as it was at the end of a serial; `None` when that serial is not kept any more.
    ///
    /// # Errors
    /// The store's.
    pub async fn state_at(&self, serial: u64) -> Result<Option<State>, StoreError> {
        match &self.backing {
            Backing::Writer(writer) => writer.ask(|reply| Job::StateAt(serial, reply)).await,
            Backing::Snapshot(snapshot) => snapshot.look(move |db| db.state_at(serial), None),
        }
    }
}

#[async_trait]
impl StateStore for SledStore {
    async fn load(&self) -> Result<State, StoreError> {
        match &self.backing {
            Backing::Writer(writer) => writer.ask(Job::Load).await,
            Backing::Snapshot(snapshot) => Ok(snapshot.state.clone()),
        }
    }

    async fn write(&self, batch: Vec<Write>) -> Result<(), StoreError> {
        let writer = self.writer()?;
        let batch = batch.iter().map(Encoded::new).collect::<Result<_, _>>()?;
        writer.ask(|reply| Job::Write(batch, reply)).await
    }

    async fn open_intents(&self) -> Result<Vec<OpenIntent>, StoreError> {
        match &self.backing {
            Backing::Writer(writer) => writer.ask(Job::OpenIntents).await,
            Backing::Snapshot(snapshot) => Ok(snapshot.open_intents.clone()),
        }
    }

    async fn replace(&self, state: State, force: bool) -> Result<(), StoreError> {
        self.writer()?.ask(|reply| Job::Replace(Box::new(state), force, reply)).await
    }

    fn fresh_id(&self) -> String {
        Uuid::new_v4().to_string()
    }
}

impl SledStore {
    fn writer(&self) -> Result<&Writer, StoreError> {
        match &self.backing {
            Backing::Writer(writer) => Ok(writer),
            Backing::Snapshot(_) => Err(StoreError::Conflict("the state was opened for reading only".into())),
        }
    }
}

impl Writer {
    fn open(dir: &Path, operation: &str, timeout: Duration) -> Result<Self, StoreError> {
        create_dir(dir)?;
        let lock = Lock::acquire(dir, Access::Write, operation, timeout)?;
        let (jobs, queue) = mpsc::channel();
        let (ready, opened) = mpsc::channel();
        let thread = {
            let (dir, operation) = (dir.to_owned(), operation.to_owned());
            spawn(move || match guarded(|| Database::open(&dir, &operation, Uuid::new_v4().to_string())) {
                Ok(database) => {
                    let _ = ready.send(Ok(()));
                    serve(database, &queue);
                }
                Err(e) => {
                    let _ = ready.send(Err(e));
                }
            })?
        };
        opened.recv().unwrap_or_else(|_| Err(thread_ended()))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread), lock })
    }

    async fn ask<T>(&self, job: impl FnOnce(Reply<T>) -> Job) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let jobs = self.jobs.as_ref().expect("jobs are there until the store is dropped");
        jobs.send(job(reply)).map_err(|_| thread_ended())?;
        answer.await.unwrap_or_else(|_| Err(thread_ended()))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // The thread answers what is queued, closes the database and ends; only then may the lock go.
        self.jobs.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Snapshot {
    fn take(dir: &Path, operation: &str, timeout: Duration) -> Result<Self, StoreError> {
        let mut snapshot = Self {
            dir: dir.to_owned(),
            operation: operation.into(),
            timeout,
            state: State::default(),
            open_intents: Vec::new(),
        };
        let read = |db: &mut Database| Ok((db.load()?, db.open_intents()?));
        (snapshot.state, snapshot.open_intents) = snapshot.look(read, (State::default(), Vec::new()))?;
        Ok(snapshot)
    }

    /// Opens the database for one look; `nothing` is the answer where there is none.
    fn look<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut Database) -> Result<T, StoreError> + Send + 'static,
        nothing: T,
    ) -> Result<T, StoreError> {
        match read_marker(&self.dir)? {
            Marker::Ready => {}
            Marker::Absent => return refuse_foreign(&self.dir).map(|()| nothing),
            Marker::Unfinished => return Ok(nothing),
        }
        let _lock = Lock::acquire(&self.dir, Access::Read, &self.operation, self.timeout)?;
        let (dir, operation) = (self.dir.clone(), self.operation.clone());
        let (send, answer) = mpsc::channel();
        let thread = spawn(move || {
            let result = guarded(|| {
                let mut database = Database::open(&dir, &operation, String::new())?;
                read(&mut database)
            });
            let _ = send.send(result);
        })?;
        let result = answer.recv().unwrap_or_else(|_| Err(thread_ended()));
        let _ = thread.join();
        result
    }
}

/// How many jobs are taken at once, so that what they hold stays small.
const GROUP_MAX: usize = 1_000;

/// Answers jobs until the store is dropped. Writes that are queued together are stored together, with one flush.
fn serve(mut database: Database, queue: &mpsc::Receiver<Job>) {
    let mut broken = Broken(None);
    while let Ok(first) = queue.recv() {
        let mut group = Group::default();
        for job in std::iter::once(first).chain(queue.try_iter().take(GROUP_MAX)) {
            if let Job::Write(batch, reply) = job {
                group.batches.push(batch);
                group.replies.push(reply);
                continue;
            }
            std::mem::take(&mut group).store(&mut database, &mut broken);
            match job {
                Job::Write(..) => unreachable!("writes were taken above"),
                Job::Load(reply) => answer(reply, broken.run(|| database.load())),
                Job::OpenIntents(reply) => answer(reply, broken.run(|| database.open_intents())),
                Job::Replace(state, force, reply) => answer(
                    reply,
                    broken.run(|| {
                        database.replace(&state, force)?;
                        database.flush()
                    }),
                ),
                Job::History(reply) => answer(reply, broken.run(|| database.history())),
                Job::StateAt(serial, reply) => answer(reply, broken.run(|| database.state_at(serial))),
            }
        }
        group.store(&mut database, &mut broken);
    }
    // Closing a database that could not write may panic, too.
    let _ = guarded(move || {
        drop(database);
        Ok(())
    });
}

/// Writes that share a flush.
#[derive(Default)]
struct Group {
    batches: Vec<Vec<Encoded>>,
    replies: Vec<Reply<()>>,
}

impl Group {
    fn store(self, database: &mut Database, broken: &mut Broken) {
        if self.replies.is_empty() {
            return;
        }
        let stored = broken.run(|| {
            let results = database.apply(self.batches)?;
            database.flush()?;
            Ok(results)
        });
        match stored {
            Ok(results) => self.replies.into_iter().zip(results).for_each(|(reply, result)| answer(reply, result)),
            Err(e) => self.replies.into_iter().for_each(|reply| answer(reply, Err(copy(&e)))),
        }
    }
}

/// The failure after which nothing can be trusted: memory may be ahead of the disk.
struct Broken(Option<StoreError>);

impl Broken {
    fn run<T>(&mut self, job: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        if let Some(e) = &self.0 {
            return Err(copy(e));
        }
        let result = guarded(job);
        if let Err(e @ (StoreError::Io { .. } | StoreError::Damaged(_))) = &result {
            self.0 = Some(copy(e));
        }
        result
    }
}

fn copy(error: &StoreError) -> StoreError {
    match error {
        StoreError::Locked(holder) => StoreError::Locked(holder.clone()),
        StoreError::Damaged(text) => StoreError::Damaged(text.clone()),
        StoreError::TooNew { found, known } => StoreError::TooNew { found: *found, known: *known },
        StoreError::Conflict(text) => StoreError::Conflict(text.clone()),
        StoreError::Io { what, cause } => StoreError::Io { what: what.clone(), cause: cause.clone() },
    }
}

/// A caller that went away needs no answer.
fn answer<T>(reply: Reply<T>, result: Result<T, StoreError>) {
    let _ = reply.send(result);
}

fn spawn(run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StoreError> {
    thread::Builder::new()
        .name("sgp-state".into())
        .stack_size(STACK_BYTES)
        .spawn(run)
        .map_err(|e| io("cannot start a thread for the state", &e))
}

fn thread_ended() -> StoreError {
    StoreError::Io { what: "cannot use the state".into(), cause: "its thread has ended".into() }
}

/// The folder, for its owner only: state holds secrets.
fn create_dir(dir: &Path) -> Result<(), StoreError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir).map_err(|e| io(format!("cannot create {}", dir.display()), &e))
}

#[cfg(test)]
mod tests;
