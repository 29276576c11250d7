//! Rows by id, with an index, that know what changed since the last commit.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// What a row must be able to do.
pub trait Row: Clone + Serialize + DeserializeOwned + Send + 'static {}
impl<T: Clone + Serialize + DeserializeOwned + Send + 'static> Row for T {}

/// Rows by id, in the order of the ids.
///
/// Changes belong to a transaction: [`Durable::drain`] ends it and answers what to write, [`Durable::revert`] undoes it.
#[derive(Debug)]
pub struct Table<T> {
    name: &'static str,
    rows: BTreeMap<String, T>,
    keys_of: fn(&T) -> Vec<String>,
    ids_by_key: BTreeMap<String, BTreeSet<String>>,
    /// What the rows of this transaction were before it.
    before: BTreeMap<String, Option<T>>,
    version: u64,
}

impl<T: Row> Table<T> {
    /// An empty table; the name is its own on disk.
    pub fn new(name: &'static str) -> Self {
        Self::indexed(name, |_| Vec::new())
    }

    /// An empty table that finds rows by keys too, such as `subnet-id=subnet-1`; see [`Table::with`].
    pub fn indexed(name: &'static str, keys_of: fn(&T) -> Vec<String>) -> Self {
        Self { name, rows: BTreeMap::new(), keys_of, ids_by_key: BTreeMap::new(), before: BTreeMap::new(), version: 0 }
    }

    /// The row of this id.
    pub fn get(&self, id: &str) -> Option<&T> {
        self.rows.get(id)
    }

    /// Whether there is one.
    pub fn contains(&self, id: &str) -> bool {
        self.rows.contains_key(id)
    }

    /// A number that rises with each change, to see whether there was one. It begins anew with the process.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// All rows, by id.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.rows.iter().map(|(id, row)| (id.as_str(), row))
    }

    /// All rows without their ids.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.rows.values()
    }

    /// The row of this id, with the id as it is kept.
    pub fn entry(&self, id: &str) -> Option<(&str, &T)> {
        self.rows.get_key_value(id).map(|(id, row)| (id.as_str(), row))
    }

    /// The rows whose id comes after `id`, by id.
    pub fn after(&self, id: &str) -> impl Iterator<Item = (&str, &T)> + use<'_, T> {
        let rows = self.rows.range::<str, _>((Bound::Excluded(id), Bound::Unbounded));
        rows.map(|(id, row)| (id.as_str(), row))
    }

    /// The rows from `id` on, by id.
    pub fn from(&self, id: &str) -> impl Iterator<Item = (&str, &T)> + use<'_, T> {
        let rows = self.rows.range::<str, _>((Bound::Included(id), Bound::Unbounded));
        rows.map(|(id, row)| (id.as_str(), row))
    }

    /// The rows whose id begins with `prefix`, by id.
    pub fn starting_with(&self, prefix: String) -> impl Iterator<Item = (&str, &T)> + use<'_, T> {
        let from = self.rows.range::<str, _>((Bound::Included(prefix.as_str()), Bound::Unbounded));
        from.take_while(move |(id, _)| id.starts_with(&prefix)).map(|(id, row)| (id.as_str(), row))
    }

    /// The rows that have this key, by id. Costs as many look-ups as there are answers.
    pub fn with<'a>(&'a self, key: &str) -> impl Iterator<Item = (&'a str, &'a T)> + use<'a, T> {
        let ids = self.ids_by_key.get(key).into_iter().flatten();
        ids.filter_map(|id| self.rows.get_key_value(id).map(|(id, row)| (id.as_str(), row)))
    }

    /// The rows that have this key and an id after `after`, by id.
    pub fn with_after<'a>(&'a self, key: &str, after: &str) -> impl Iterator<Item = (&'a str, &'a T)> + use<'a, T> {
        let range = (Bound::Excluded(after), Bound::Unbounded);
        let ids = self.ids_by_key.get(key).map(|ids| ids.range::<str, _>(range)).into_iter().flatten();
        ids.filter_map(|id| self.rows.get_key_value(id).map(|(id, row)| (id.as_str(), row)))
    }

    /// How many rows have this key.
    pub fn count(&self, key: &str) -> usize {
        self.ids_by_key.get(key).map_or(0, BTreeSet::len)
    }

    /// Adds or replaces a row.
    pub fn insert(&mut self, id: impl Into<String>, row: T) {
        let id = id.into();
        let old = self.set(&id, Some(row));
        self.before.entry(id).or_insert(old);
    }

    /// Removes a row and answers it.
    pub fn remove(&mut self, id: &str) -> Option<T> {
        let old = self.set(id, None)?;
        self.before.entry(id.to_owned()).or_insert_with(|| Some(old.clone()));
        Some(old)
    }

    /// Changes a row in place; `None` when there is none.
    pub fn update<R>(&mut self, id: &str, change: impl FnOnce(&mut T) -> R) -> Option<R> {
        let mut row = self.rows.get(id)?.clone();
        let answer = change(&mut row);
        self.insert(id, row);
        Some(answer)
    }

    /// Sets a row past the transaction, and answers what was there.
    fn set(&mut self, id: &str, row: Option<T>) -> Option<T> {
        self.version += 1;
        match row {
            Some(row) => {
                let keys = (self.keys_of)(&row);
                let old = self.rows.insert(id.to_owned(), row);
                self.forget_keys(id, old.as_ref());
                for key in keys {
                    self.ids_by_key.entry(key).or_default().insert(id.to_owned());
                }
                old
            }
            None => {
                let old = self.rows.remove(id);
                self.forget_keys(id, old.as_ref());
                old
            }
        }
    }

    fn forget_keys(&mut self, id: &str, old: Option<&T>) {
        for key in old.map(|row| (self.keys_of)(row)).unwrap_or_default() {
            if let Some(ids) = self.ids_by_key.get_mut(&key) {
                ids.remove(id);
                if ids.is_empty() {
                    self.ids_by_key.remove(&key);
                }
            }
        }
    }
}

/// One row to write: `None` removes it.
pub type Written = (String, Option<Vec<u8>>);

/// A table as the disk sees it.
pub trait Durable {
    /// The table's name on disk.
    fn name(&self) -> &'static str;
    /// Ends the transaction and answers the rows it changed.
    fn drain(&mut self) -> Vec<Written>;
    /// Undoes the transaction.
    fn revert(&mut self);
    /// Takes a row from disk.
    fn load(&mut self, id: &str, bytes: &[u8]) -> serde_json::Result<()>;
    /// Removes all rows, in this transaction.
    fn clear(&mut self);
    /// How many rows there are.
    fn rows(&self) -> usize;
    /// The rows that this transaction changed, as they were before it.
    fn before(&self) -> Vec<Written>;
    /// Sets a row to what [`Durable::before`] told, in this transaction.
    fn set_back(&mut self, id: &str, bytes: Option<&[u8]>);
}

impl<T: Row> Durable for Table<T> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn drain(&mut self) -> Vec<Written> {
        let changed = std::mem::take(&mut self.before);
        changed.into_keys().map(|id| (self.rows.get(&id).map(bytes), id)).map(|(bytes, id)| (id, bytes)).collect()
    }

    fn revert(&mut self) {
        for (id, row) in std::mem::take(&mut self.before) {
            self.set(&id, row);
        }
    }

    fn load(&mut self, id: &str, bytes: &[u8]) -> serde_json::Result<()> {
        let row = serde_json::from_slice(bytes)?;
        self.set(id, Some(row));
        Ok(())
    }

    fn clear(&mut self) {
        for id in self.rows.keys().cloned().collect::<Vec<_>>() {
            self.remove(&id);
        }
    }

    fn rows(&self) -> usize {
        self.rows.len()
    }

    fn before(&self) -> Vec<Written> {
        self.before.iter().map(|(id, row)| (id.clone(), row.as_ref().map(bytes))).collect()
    }

    fn set_back(&mut self, id: &str, bytes: Option<&[u8]>) {
        match bytes.and_then(|bytes| serde_json::from_slice(bytes).ok()) {
            Some(row) => self.insert(id, row),
            None => drop(self.remove(id)),
        }
    }
}

fn bytes<T: Row>(row: &T) -> Vec<u8> {
    serde_json::to_vec(row).expect("rows are plain data with text for keys")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table<String> {
        Table::indexed("words", |word| vec![format!("length={}", word.len())])
    }

    fn ids(table: &Table<String>, key: &str) -> Vec<String> {
        table.with(key).map(|(id, _)| id.to_owned()).collect()
    }

    #[test]
    fn the_index_follows_changes() {
        let mut t = table();
        t.insert("a", "one".to_owned());
        t.insert("b", "two".to_owned());
        t.update("a", |word| word.push('!'));
        assert_eq!((ids(&t, "length=3"), ids(&t, "length=4")), (vec!["b".to_owned()], vec!["a".to_owned()]));
        t.remove("b");
        assert!(ids(&t, "length=3").is_empty());
    }

    #[test]
    fn a_transaction_is_written_or_undone() {
        let mut t = table();
        t.insert("a", "one".to_owned());
        assert_eq!(t.drain(), [("a".to_owned(), Some(b"\"one\"".to_vec()))]);
        t.remove("a");
        t.insert("b", "two".to_owned());
        t.revert();
        assert_eq!((t.get("a").map(String::as_str), t.get("b")), (Some("one"), None));
        assert_eq!(ids(&t, "length=3"), ["a"]);
        assert!(t.drain().is_empty());
        t.remove("a");
        assert_eq!(t.drain(), [("a".to_owned(), None)]);
    }
}
