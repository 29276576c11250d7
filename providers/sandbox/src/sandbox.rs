//! A running sandbox: the world, its disk, its clock and its listeners.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;

use crate::clock::Clock;
use crate::server;
use crate::settings::Settings;
use crate::store::disk::Disk;
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
}

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
        let failed = |source| Error::Listen { port: settings.port, source };
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", settings.port)).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let disk = settings.folder.as_deref().map(Disk::open).transpose()?;
        let world = open(settings, &clock, disk.as_ref())?;
        let inner = Inner {
            world: Mutex::new(world),
            clock,
            disk,
            address,
            changed: Notify::new(),
            clusters: server::clusters::Listeners::default(),
        };
        let sandbox = Self { inner: Arc::new(inner) };
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

    /// Runs one transaction: what is due happens first, then `work`; what it changed is on disk when this returns. An error of
    /// `work` undoes all of it.
    ///
    /// # Errors
    /// Those of `work`.
    pub async fn with<R, E>(&self, work: impl FnOnce(&mut World) -> Result<R, E>) -> Result<R, E> {
        let (answer, is_changed) = self.transact(work);
        if is_changed {
            if let Some(disk) = &self.inner.disk
                && let Err(error) = disk.flush().await
            {
                fail(&error);
            }
            self.inner.changed.notify_waiters();
        }
        answer
    }

    /// Looks at what was last committed. Nothing that is due happens.
    pub(crate) fn read<R>(&self, look: impl FnOnce(&World) -> R) -> R {
        look(&self.lock())
    }

    /// Ends when something is committed after this call.
    pub(crate) fn changed(&self) -> tokio::sync::futures::Notified<'_> {
        self.inner.changed.notified()
    }

    /// The part of [`Sandbox::with`] that holds the lock.
    fn transact<R, E>(&self, work: impl FnOnce(&mut World) -> Result<R, E>) -> (Result<R, E>, bool) {
        let mut world = self.lock();
        world.now = self.inner.clock.now();
        world.advance();
        // What was due has happened, whatever becomes of the call.
        let advanced = self.commit(&mut world);
        let answer = work(&mut world);
        let changed = match &answer {
            Ok(_) => self.commit(&mut world),
            Err(_) => {
                world.revert();
                false
            }
        };
        self.inner.clusters.follow(self, &mut world);
        (answer, advanced || changed)
    }

    fn commit(&self, world: &mut World) -> bool {
        world.close();
        match &self.inner.disk {
            Some(disk) => disk.commit(&mut world.tables()).unwrap_or_else(|error| fail(&error)),
            None => world.tables().into_iter().map(|table| table.drain().len()).sum::<usize>() > 0,
        }
    }

    fn lock(&self) -> MutexGuard<'_, World> {
        self.inner.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A world that cannot be written must not answer as if it were: the process ends.
fn fail(error: &sled::Error) -> ! {
    tracing::error!("cannot write the sandbox's folder: {error}");
    std::process::exit(1)
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
    loop {
        let _ = tokio::time::timeout(TICK, sandbox.inner.changed.notified()).await;
        let work = |world: &mut World| {
            crate::kubernetes::controllers::work(world);
            Ok::<_, Error>(())
        };
        let _ = sandbox.with(work).await;
    }
}
