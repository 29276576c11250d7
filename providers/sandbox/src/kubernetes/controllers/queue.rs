//! What a cluster's controllers have to do: things to look at now, and later.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::time::Duration;

use jiff::Timestamp;

use super::Name;

/// One thing for one controller to look at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Item {
    /// Whose it is.
    pub controller: Name,
    /// Empty for objects of the whole cluster.
    pub namespace: String,
    /// The object's name, or what the controller makes of it.
    pub name: String,
}

impl Item {
    /// An item from its parts.
    pub fn new(controller: Name, namespace: &str, name: &str) -> Self {
        Self { controller, namespace: namespace.to_owned(), name: name.to_owned() }
    }
}

/// First in, first out; nothing is in it twice.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    ready: VecDeque<Item>,
    is_ready: HashSet<Item>,
    later: BTreeMap<(Timestamp, u64), Item>,
    due: HashMap<Item, (Timestamp, u64)>,
    failures: HashMap<Item, u32>,
    count: u64,
}

/// Retries begin with this, and double.
const FIRST_BACKOFF: Duration = Duration::from_millis(500);
/// No retry waits longer.
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);

impl Queue {
    /// Now.
    pub fn add(&mut self, item: Item) {
        if self.is_ready.insert(item.clone()) {
            self.ready.push_back(item);
        }
    }

    /// Not before `at`; an earlier time that was set stays.
    pub fn add_at(&mut self, item: Item, at: Timestamp) {
        if let Some(set) = self.due.get(&item) {
            if set.0 <= at {
                return;
            }
            self.later.remove(set);
        }
        self.count += 1;
        self.due.insert(item.clone(), (at, self.count));
        self.later.insert((at, self.count), item);
    }

    /// Again after a failure: later each time, until [`Queue::succeeded`].
    pub fn add_after_failure(&mut self, item: Item, now: Timestamp) {
        let failures = self.failures.entry(item.clone()).or_insert(0);
        *failures += 1;
        let wait = FIRST_BACKOFF.saturating_mul(1 << (*failures - 1).min(10)).min(LONGEST_BACKOFF);
        self.add_at(item, now.checked_add(wait).unwrap_or(Timestamp::MAX));
    }

    /// Forgets an item's failures.
    pub fn succeeded(&mut self, item: &Item) {
        self.failures.remove(item);
    }

    /// The next thing to look at.
    pub fn next(&mut self, now: Timestamp) -> Option<Item> {
        while let Some(entry) = self.later.first_entry()
            && entry.key().0 <= now
        {
            let item = entry.remove();
            self.due.remove(&item);
            self.add(item);
        }
        let item = self.ready.pop_front()?;
        self.is_ready.remove(&item);
        Some(item)
    }

    /// When the next thing is due that is for later.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.later.first_key_value().map(|((at, _), _)| *at)
    }

    /// Whether there is something to do now.
    pub fn is_due(&self, now: Timestamp) -> bool {
        !self.ready.is_empty() || self.later.first_key_value().is_some_and(|((at, _), _)| *at <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_come_once_in_order_and_in_time() {
        let mut queue = Queue::default();
        let at = |second| Timestamp::from_second(second).unwrap();
        let item = |name: &str| Item::new(Name::Kubelet, "", name);
        queue.add(item("a"));
        queue.add(item("b"));
        queue.add(item("a"));
        queue.add_at(item("c"), at(5));
        queue.add_at(item("c"), at(9));
        let mut names = Vec::new();
        while let Some(item) = queue.next(at(4)) {
            names.push(item.name);
        }
        assert_eq!(names, ["a", "b"]);
        assert!(!queue.is_due(at(4)) && queue.is_due(at(5)));
        assert_eq!(queue.next(at(5)).map(|item| item.name).as_deref(), Some("c"));
        assert_eq!(queue.next(at(10)), None);
        queue.add_after_failure(item("d"), at(10));
        queue.next(at(11));
        queue.add_after_failure(item("d"), at(11));
        assert!(!queue.is_due(at(11)) && queue.is_due(at(12)));
    }
}
