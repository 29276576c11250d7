//! What the rows were, for as long as somebody wants to read an older state.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;

use super::table::Durable;

/// So many changed rows are kept; further back nothing is known, and the oldest known state is read instead.
const KEPT: usize = 100_000;

/// The changes of the last while, kept only while it is switched on.
#[derive(Debug, Default)]
pub(crate) struct Past {
    is_kept: bool,
    changes: VecDeque<Change>,
}

#[derive(Debug)]
struct Change {
    at: Timestamp,
    /// The number of the last call that had arrived.
    call: u64,
    table: &'static str,
    id: String,
    before: Option<Vec<u8>>,
}

/// The moment that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// The state at this time.
    Time(Timestamp),
    /// The state before this call arrived.
    Call(u64),
}

impl Past {
    /// Switches it on or off; off forgets everything.
    pub fn keep(&mut self, is_kept: bool) {
        self.is_kept = is_kept;
        if !is_kept {
            self.changes.clear();
        }
    }

    /// Notes what the open transaction is about to change; before it is drained.
    pub fn note(&mut self, tables: &[&mut dyn Durable], at: Timestamp, call: u64) {
        if !self.is_kept {
            return;
        }
        for table in tables {
            let name = table.name();
            let changes = table.before().into_iter();
            self.changes.extend(changes.map(|(id, before)| Change { at, call, table: name, id, before }));
        }
        while self.changes.len() > KEPT {
            self.changes.pop_front();
        }
    }

    /// Sets the tables to what they were, in the open transaction, which the caller reverts.
    pub fn restore(&self, tables: &mut [&mut dyn Durable], moment: Moment) {
        let places: BTreeMap<_, _> = tables.iter().enumerate().map(|(at, table)| (table.name(), at)).collect();
        let is_later = |change: &&Change| match moment {
            Moment::Time(time) => change.at > time,
            Moment::Call(call) => change.call >= call,
        };
        for change in self.changes.iter().rev().take_while(is_later) {
            if let Some(table) = places.get(change.table).and_then(|at| tables.get_mut(*at)) {
                table.set_back(&change.id, change.before.as_deref());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::table::Table;

    fn time(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn an_older_state_is_read_and_left_again() {
        let (mut table, mut past) = (Table::<String>::new("words"), Past::default());
        past.keep(true);
        for (second, call, word) in [(10, 1, "one"), (20, 5, "two"), (30, 6, "three")] {
            table.insert("a", word.to_owned());
            past.note(&[&mut table], time(second), call);
            table.drain();
        }
        for (moment, expected) in [
            (Moment::Time(time(30)), Some("three")),
            (Moment::Time(time(29)), Some("two")),
            (Moment::Time(time(9)), None),
            (Moment::Call(7), Some("three")),
            (Moment::Call(6), Some("two")),
            (Moment::Call(2), Some("one")),
            (Moment::Call(1), None),
        ] {
            past.restore(&mut [&mut table], moment);
            assert_eq!(table.get("a").map(String::as_str), expected, "{moment:?}");
            table.revert();
            assert_eq!(table.get("a").map(String::as_str), Some("three"));
        }
        past.keep(false);
        past.restore(&mut [&mut table], Moment::Call(0));
        assert_eq!(table.get("a").map(String::as_str), Some("three"));
    }
}
