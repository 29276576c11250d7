//! Everything that is simulated, as data.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ec2::Ec2;
use crate::eks::Eks;
use crate::iam::Iam;
use crate::ids::Ids;
use crate::kubernetes::Kubernetes;
use crate::settings::Settings;
use crate::store::table::{Durable, Table};

/// One account in one region with its clusters.
///
/// There is one lock around it ([`crate::Sandbox::with`]); whoever holds it sees all services and clusters in one consistent
/// state, and what it changes is committed or undone as a whole.
#[derive(Debug)]
pub struct World {
    /// What the sandbox was started with.
    pub settings: Settings,
    /// The time of this transaction.
    pub now: Timestamp,
    /// Where ids come from.
    pub ids: Ids,
    /// EC2's objects.
    pub ec2: Ec2,
    /// IAM's and STS's objects.
    pub iam: Iam,
    /// EKS's objects.
    pub eks: Eks,
    /// The clusters' own objects.
    pub kubernetes: Kubernetes,
    /// What calls with a client token made.
    pub tokens: Table<crate::aws::idempotency::Remembered>,
    /// What will happen, by the time at which it does.
    timers: Table<Timer>,
    counters: Table<u64>,
}

/// Something that happens later: a status that settles, an interface whose cool-down ends.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Timer {
    /// For [`crate::ec2::on_timer`].
    Ec2(crate::ec2::Due),
    /// For [`crate::eks::on_timer`].
    Eks(crate::eks::Due),
    /// For [`crate::kubernetes::on_timer`].
    Kubernetes(crate::kubernetes::Due),
}

/// The counter that holds the clock's offset in milliseconds.
const CLOCK_OFFSET: &str = "clock-offset";

impl World {
    /// A world with nothing in it but what every new account has (a default VPC, AWS's managed policies).
    pub fn new(settings: Settings, now: Timestamp) -> Self {
        let mut world = Self::empty(settings, now);
        world.furnish();
        world
    }

    /// A world to be loaded from disk.
    pub(crate) fn empty(settings: Settings, now: Timestamp) -> Self {
        Self {
            ids: Ids::new(settings.seed),
            now,
            ec2: Ec2::default(),
            iam: Iam::default(),
            eks: Eks::default(),
            kubernetes: Kubernetes::default(),
            tokens: Table::new("tokens"),
            timers: Table::new("timers"),
            counters: Table::new("counters"),
            settings,
        }
    }

    /// Makes what every new account has.
    pub(crate) fn furnish(&mut self) {
        crate::iam::furnish(self);
        crate::ec2::furnish(self);
    }

    /// Lets `timer` go off at `at`, or in the next transaction when that is past.
    pub fn schedule(&mut self, at: Timestamp, timer: Timer) {
        let number = self.count("timer");
        // Milliseconds with leading zeros: the ids sort as the times do.
        let due = u64::try_from(at.as_millisecond()).unwrap_or(0);
        self.timers.insert(format!("{due:016}-{number:012}"), timer);
    }

    /// Lets `timer` go off after a while.
    pub fn schedule_in(&mut self, after: std::time::Duration, timer: Timer) {
        let at = self.now.checked_add(after).unwrap_or(Timestamp::MAX);
        self.schedule(at, timer);
    }

    /// When the next timer goes off.
    pub fn next_timer(&self) -> Option<Timestamp> {
        let (id, _) = self.timers.iter().next()?;
        Timestamp::from_millisecond(id.split('-').next()?.parse().ok()?).ok()
    }

    /// Lets go off what is due at [`World::now`], in order.
    pub fn advance(&mut self) {
        while self.next_timer().is_some_and(|at| at <= self.now) {
            let Some(id) = self.timers.iter().next().map(|(id, _)| id.to_owned()) else { return };
            match self.timers.remove(&id) {
                Some(Timer::Ec2(due)) => crate::ec2::on_timer(self, due),
                Some(Timer::Eks(due)) => crate::eks::on_timer(self, due),
                Some(Timer::Kubernetes(due)) => crate::kubernetes::on_timer(self, due),
                None => return,
            }
        }
    }

    /// The next number of a row that begins with 1 and goes on after a restart.
    pub fn count(&mut self, counter: &str) -> u64 {
        let next = self.counters.get(counter).copied().unwrap_or(0) + 1;
        self.counters.insert(counter, next);
        next
    }

    /// How far ahead of the system (or of where it was stopped) the clock was set.
    pub(crate) fn clock_offset(&self) -> std::time::Duration {
        std::time::Duration::from_millis(self.counters.get(CLOCK_OFFSET).copied().unwrap_or(0))
    }

    /// Remembers how far ahead the clock is, so that time does not go back when the sandbox starts again.
    pub(crate) fn set_clock_offset(&mut self, offset: std::time::Duration) {
        self.counters.insert(CLOCK_OFFSET, u64::try_from(offset.as_millis()).unwrap_or(u64::MAX));
    }

    /// All tables, for the disk.
    pub(crate) fn tables(&mut self) -> Vec<&mut dyn Durable> {
        let mut tables: Vec<&mut dyn Durable> = vec![&mut self.timers, &mut self.counters, &mut self.tokens];
        tables.extend(self.ec2.tables());
        tables.extend(self.iam.tables());
        tables.extend(self.eks.tables());
        tables.extend(self.kubernetes.tables());
        tables
    }

    /// Takes up where the disk's world stopped.
    pub(crate) fn loaded(&mut self) {
        self.ids.drawn = self.counters.get("ids").copied().unwrap_or(0);
        self.kubernetes.loaded();
    }

    /// The last of a transaction, before it is written.
    pub(crate) fn close(&mut self) {
        if self.settings.seed.is_some() && self.counters.get("ids") != Some(&self.ids.drawn) {
            self.counters.insert("ids", self.ids.drawn);
        }
        self.kubernetes.publish();
    }

    /// Undoes a transaction.
    pub(crate) fn revert(&mut self) {
        for table in self.tables() {
            table.revert();
        }
        self.kubernetes.withdraw();
    }

    /// Removes everything, and makes what a new account has.
    pub fn reset(&mut self) {
        let offset = self.clock_offset();
        for table in self.tables() {
            table.clear();
        }
        self.kubernetes.forget();
        // Time goes on.
        self.set_clock_offset(offset);
        self.furnish();
    }
}
