//! A running sandbox: the world, its disk, its clock and its listeners.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{Notify, watch};

use crate::clock::Clock;
use crate::faults::{Engine, Faults};
use crate::kubernetes::backing::Proxy;
use crate::server;
use crate::server::calls::Calls;
use crate::settings::Settings;
use crate::store::disk::Disk;
use crate::store::past::{Moment, Past};
use crate::world::World;

/// Why a sandbox does not start, or stops.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The port is taken, or loopback is missing.
    #[error("cannot listen on 127.0.0.1:{port}: {source}")]
    Listen {
        /// The port that was asked for.
        port: u16,
        /// What the system said.
        source: std::io::Error,
    },
    /// The folder cannot be used.
    #[error("cannot use the folder: {0}")]
    Disk(#[from] sled::Error),
    /// The folder holds what this version cannot read.
    #[error("cannot read the folder's content: {0}")]
    Content(String),
    /// A certificate cannot be made.
    #[error("cannot make a certificate: {0}")]
    Certificate(String),
    /// The real API server cannot be asked.
    #[error("{0}")]
    Backing(String),
}

/// A running sandbox. It ends when the last clone is dropped and the runtime goes.
#[derive(Clone, Debug)]
pub struct Sandbox {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    world: Mutex<World>,
    clock: Clock,
    disk: Option<Disk>,
    address: SocketAddr,
    /// Rung after each commit and when time was moved.
    changed: Notify,
    clusters: server::clusters::Listeners,
    backing: Option<Proxy>,
    faults: Engine,
    calls: Calls,
    /// How many transactions changed something.
    commits: AtomicU64,
    /// So many of them are on disk.
    durable: AtomicU64,
    /// Held by whoever writes to disk.
    flushing: tokio::sync::Mutex<()>,
    /// Why the folder cannot be written, once it cannot.
    failure: OnceLock<String>,
    past: Mutex<Past>,
    started: Instant,
    is_stopped: watch::Sender<bool>,
}

tokio::task_local! {
    /// Set while a call is served that reads an older state: what it does in [`Sandbox::with`] sees that state and changes nothing.
    pub(crate) static READING: Moment;
}

/// So many rounds the controllers get to come to rest.
const ROUNDS: usize = 1_000;

/// So often time is looked at when nobody calls.
const TICK: Duration = Duration::from_millis(20);

impl Sandbox {
    /// Opens the folder, listens, and serves until the process ends.
    ///
    /// # Errors
    /// The port is taken, the folder cannot be used, or it holds what this version cannot read.
    pub async fn start(settings: Settings) -> Result<Self, Error> {
        let clock = if settings.stopped_clock {
            Clock::stopped(Timestamp::from_second(1_767_225_600).expect("2026 is a year"))
        } else {
            Clock::running(Duration::ZERO)
        };
        let faults = settings.faults.clone();
        let backing = settings.backing.as_ref().map(Proxy::new).transpose()?;
        let failed = |source| Error::Listen { port: settings.port, source };
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", settings.port)).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let disk = settings.folder.as_deref().map(Disk::open).transpose()?;
        let world = open(settings, &clock, disk.as_ref())?;
        clock.advance(world.clock_offset());
        let inner = Inner {
            world: Mutex::new(world),
            clock,
            disk,
            address,
            changed: Notify::new(),
            clusters: server::clusters::Listeners::default(),
            backing,
            faults: Engine::default(),
            calls: Calls::default(),
            commits: AtomicU64::new(0),
            durable: AtomicU64::new(0),
            flushing: tokio::sync::Mutex::default(),
            failure: OnceLock::new(),
            past: Mutex::default(),
            started: Instant::now(),
            is_stopped: watch::channel(false).0,
        };
        let sandbox = Self { inner: Arc::new(inner) };
        sandbox.set_faults(faults);
        sandbox.with(|_| Ok::<_, Error>(())).await?;
        server::serve(listener, sandbox.clone());
        tokio::spawn(tick(sandbox.clone()));
        Ok(sandbox)
    }

    /// The AWS endpoint's address.
    pub fn address(&self) -> SocketAddr {
        self.inner.address
    }

    /// The world's clock. After moving it, [`Sandbox::with`] lets go off what is due.
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// How long it has been running.
    pub fn uptime(&self) -> Duration {
        self.inner.started.elapsed()
    }

    /// A kubeconfig for all clusters or for one, as their administrator; `None` when there is no such cluster.
    pub async fn kubeconfig(&self, cluster: Option<&str>) -> Option<String> {
        let of = |world: &mut World| Ok::<_, Error>(server::control::kubeconfig::of(world, cluster));
        self.with(of).await.ok().flatten()
    }

    /// Asks whoever runs it to end it; see [`Sandbox::stopped`].
    pub fn stop(&self) {
        self.inner.is_stopped.send_replace(true);
    }

    /// Returns once somebody asked for the end: [`Sandbox::stop`], or `stop` at its own endpoint.
    pub async fn stopped(&self) {
        let _ = self.inner.is_stopped.subscribe().wait_for(|is_stopped| *is_stopped).await;
    }

    /// Replaces the rules by which calls fail.
    pub fn set_faults(&self, faults: Faults) {
        self.past().keep(faults.need_the_past());
        self.inner.faults.set(faults);
    }

    pub(crate) fn faults(&self) -> &Engine {
        &self.inner.faults
    }

    /// The real API server behind the clusters, when there is one.
    pub(crate) fn backing(&self) -> Option<&Proxy> {
        self.inner.backing.as_ref()
    }

    pub(crate) fn calls(&self) -> &Calls {
        &self.inner.calls
    }

    fn past(&self) -> MutexGuard<'_, Past> {
        self.inner.past.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves time forward, stopping at each thing that is due on the way, so that what follows from it happens in its own time too.
    pub async fn advance(&self, by: Duration) {
        let mut left = by;
        while left > Duration::ZERO {
            let until_next = self.settle().await.map(|next| next.duration_since(self.clock().now()));
            let step = until_next.map_or(left, |until| Duration::try_from(until).unwrap_or_default().min(left));
            self.clock().advance(step);
            left = left.saturating_sub(step);
        }
        self.settle().await;
    }

    /// Lets the controllers work until nothing changes any more; answers when the next thing is due.
    async fn settle(&self) -> Option<Timestamp> {
        for _ in 0..ROUNDS {
            let before = self.inner.commits.load(Ordering::Relaxed);
            let offset = self.clock().offset();
            let next = self
                .with(|world| {
                    if world.clock_offset() != offset {
                        world.set_clock_offset(offset);
                    }
                    crate::kubernetes::controllers::work(world);
                    let due = [world.next_timer(), crate::kubernetes::controllers::next_due(world)];
                    Ok::<_, Error>(due.into_iter().flatten().min())
                })
                .await;
            if self.inner.commits.load(Ordering::Relaxed) == before {
                return next.ok().flatten();
            }
        }
        tracing::warn!("the controllers did not come to rest in {ROUNDS} rounds");
        None
    }

    /// Runs one transaction: what is due happens first, then `work`; what it changed is on disk when this returns, and so is what
    /// others changed before and `work` saw. An error of `work` undoes all of it.
    ///
    /// # Errors
    /// Those of `work`.
    pub async fn with<R, E>(&self, work: impl FnOnce(&mut World) -> Result<R, E>) -> Result<R, E> {
        let (answer, seen) = self.transact(work);
        self.endure(seen).await;
        answer
    }

    /// Looks at what was last committed; it is on disk when this returns. Nothing that is due happens.
    pub(crate) async fn read<R>(&self, look: impl FnOnce(&World) -> R) -> R {
        let (answer, seen) = {
            let world = self.lock();
            (look(&world), self.inner.commits.load(Ordering::Relaxed))
        };
        self.endure(seen).await;
        answer
    }

    /// Returns when the first `seen` commits are on disk. Whoever was told of one that a crash then takes back would believe in
    /// an object, or wait for a revision, that never was.
    async fn endure(&self, seen: u64) {
        let is_done = || self.inner.durable.load(Ordering::Acquire) >= seen;
        if is_done() {
            return;
        }
        // One at a time, each for all that wait: see `Disk::flush`.
        let _turn = self.inner.flushing.lock().await;
        if is_done() {
            return;
        }
        let committed = self.inner.commits.load(Ordering::Acquire);
        if let Some(disk) = &self.inner.disk
            && let Err(error) = disk.flush().await
        {
            self.fail(&error);
        }
        self.inner.durable.fetch_max(committed, Ordering::Release);
        self.inner.changed.notify_waiters();
    }

    /// Ends when something is on disk that was not when this was called.
    pub(crate) fn changed(&self) -> tokio::sync::futures::Notified<'_> {
        self.inner.changed.notified()
    }

    /// The part of [`Sandbox::with`] that holds the lock; with how many commits there were at its end.
    fn transact<R, E>(&self, work: impl FnOnce(&mut World) -> Result<R, E>) -> (Result<R, E>, u64) {
        let mut world = self.lock();
        world.now = self.inner.clock.now();
        world.advance();
        // What was due has happened, whatever becomes of the call.
        self.commit(&mut world);
        if let Ok(moment) = READING.try_with(|moment| *moment) {
            self.past().restore(&mut world.tables(), moment);
            let answer = work(&mut world);
            world.revert();
            return (answer, self.inner.commits.load(Ordering::Relaxed));
        }
        let answer = work(&mut world);
        match &answer {
            Ok(_) => self.commit(&mut world),
            Err(_) => world.revert(),
        }
        self.inner.clusters.follow(self, &mut world);
        (answer, self.inner.commits.load(Ordering::Relaxed))
    }

    fn commit(&self, world: &mut World) {
        world.close();
        let (at, call) = (world.now, self.inner.calls.count());
        let mut tables = world.tables();
        self.past().note(&tables, at, call);
        let is_changed = match &self.inner.disk {
            Some(disk) => disk.commit(&mut tables).unwrap_or_else(|error| {
                self.fail(&error);
                true
            }),
            None => tables.into_iter().map(|table| table.drain().len()).sum::<usize>() > 0,
        };
        if is_changed {
            self.inner.commits.fetch_add(1, Ordering::Release);
        }
    }

    /// From now on what is in memory is more than what is on disk: every call is refused, until a new start reads the folder.
    fn fail(&self, error: &sled::Error) {
        if self.inner.failure.set(format!("the sandbox cannot write its folder: {error}")).is_ok() {
            tracing::error!("cannot write the sandbox's folder: {error}");
        }
    }

    /// Why every call is refused, when it is.
    pub(crate) fn failure(&self) -> Option<&str> {
        self.inner.failure.get().map(String::as_str)
    }

    fn lock(&self) -> MutexGuard<'_, World> {
        self.inner.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn open(settings: Settings, clock: &Clock, disk: Option<&Disk>) -> Result<World, Error> {
    let Some(disk) = disk else { return Ok(World::new(settings, clock.now())) };
    let mut world = World::empty(settings, clock.now());
    disk.load(&mut world.tables()).map_err(Error::Content)?;
    world.loaded();
    if world.iam.is_empty() {
        world.furnish();
    }
    Ok(world)
}

/// Lets time pass and the controllers work.
async fn tick(sandbox: Sandbox) {
    let mut has_more = false;
    loop {
        if !has_more {
            let _ = tokio::time::timeout(TICK, sandbox.inner.changed.notified()).await;
        }
        let work = |world: &mut World| Ok::<_, Error>(crate::kubernetes::controllers::work(world));
        has_more = sandbox.with(work).await.unwrap_or(false);
        // Requests come in between.
        tokio::task::yield_now().await;
    }
}
