//! Reading many objects with few calls: chunks of ids, and what became of each id.

use std::{collections::HashMap, hash::Hash};

use futures::{StreamExt, stream};
use sgp_contract::{ReadOutcome, ReadRequest};
use sgp_model::{Diagnostic, Value};

use crate::errors::ApiError;

/// EC2 takes at most so many values in all filters of a call.
pub const FILTER_VALUES: usize = 200;

/// So many pages are asked for at the same time.
const AT_ONCE: usize = 4;

/// What a bulk read found, by id.
#[derive(Debug)]
pub struct Found<K, T> {
    items: HashMap<K, T>,
    failed: HashMap<K, ApiError>,
}

/// Reads in chunks of `size` keys; a chunk that fails, fails for its keys only. The same key twice is asked for once.
pub async fn read<K, T, Answer>(
    keys: impl IntoIterator<Item = K>,
    size: usize,
    fetch: impl Fn(Vec<K>) -> Answer,
    key_of: impl Fn(&T) -> Option<K>,
) -> Found<K, T>
where
    K: Eq + Hash + Ord + Clone,
    Answer: Future<Output = Result<Vec<T>, ApiError>>,
{
    let mut found = Found { items: HashMap::new(), failed: HashMap::new() };
    for (chunk, answer) in pages(keys, size, fetch).await {
        match answer {
            Ok(items) => found.items.extend(items.into_iter().filter_map(|item| Some((key_of(&item)?, item)))),
            Err(error) => found.failed.extend(chunk.into_iter().map(|k| (k, error.clone()))),
        }
    }
    found
}

/// Reads what lies in parents: `pairs` are wanted keys with their parents, `fetch` answers everything in a chunk of parents.
pub async fn read_within<K, T, Answer>(
    pairs: Vec<(K, K)>,
    size: usize,
    fetch: impl Fn(Vec<K>) -> Answer,
    key_of: impl Fn(&T) -> Option<K>,
) -> Found<K, T>
where
    K: Eq + Hash + Ord + Clone,
    Answer: Future<Output = Result<Vec<T>, ApiError>>,
{
    let mut items = HashMap::new();
    let mut closed: HashMap<K, ApiError> = HashMap::new();
    for (chunk, answer) in pages(pairs.iter().map(|(_, parent)| parent.clone()), size, fetch).await {
        match answer {
            Ok(found) => items.extend(found.into_iter().filter_map(|item| Some((key_of(&item)?, item)))),
            Err(error) => closed.extend(chunk.into_iter().map(|parent| (parent, error.clone()))),
        }
    }
    let failed = pairs.into_iter().filter_map(|(key, parent)| Some((key, closed.get(&parent)?.clone()))).collect();
    Found { items, failed }
}

/// Chunks of distinct keys with what was answered for each, a few at the same time.
async fn pages<K, T, Answer>(
    keys: impl IntoIterator<Item = K>,
    size: usize,
    fetch: impl Fn(Vec<K>) -> Answer,
) -> Vec<(Vec<K>, Result<Vec<T>, ApiError>)>
where
    K: Ord + Clone,
    Answer: Future<Output = Result<Vec<T>, ApiError>>,
{
    let mut keys: Vec<K> = keys.into_iter().collect();
    keys.sort();
    keys.dedup();
    let chunks: Vec<Vec<K>> = keys.chunks(size.max(1)).map(<[K]>::to_vec).collect();
    let calls: Vec<Answer> = chunks.iter().map(|chunk| fetch(chunk.clone())).collect();
    let answers: Vec<_> = stream::iter(calls).buffered(AT_ONCE).collect().await;
    chunks.into_iter().zip(answers).collect()
}

impl<K: Eq + Hash, T> Found<K, T> {
    /// The object of a key; `None` when it is not there.
    ///
    /// # Errors
    /// When it could not be read.
    pub fn get<Q>(&self, key: &Q) -> Result<Option<&T>, ApiError>
    where
        K: std::borrow::Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        match self.failed.get(key) {
            Some(error) => Err(error.clone()),
            None => Ok(self.items.get(key)),
        }
    }
}

/// The outcome of one request out of what was looked up for it.
pub fn outcome(request: &ReadRequest, looked_up: Result<Option<Value>, ApiError>) -> ReadOutcome {
    match looked_up {
        Ok(Some(object)) => ReadOutcome::Present(object),
        Ok(None) => ReadOutcome::Gone,
        Err(error) => ReadOutcome::Failed(Diagnostic::from(error).on(&request.addr)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Mutex;

    use super::*;
    use crate::errors::tests::service_error;

    #[tokio::test]
    async fn chunks_fail_alone_and_nothing_is_callstwice() {
        let asked = Mutex::new(Vec::new());
        let calls = &asked;
        let fetch = |chunk: Vec<u32>| async move {
            calls.lock().unwrap().push(chunk.len());
            if chunk.contains(&5) {
                Err(service_error("ec2:X", "Boom"))
            } else {
                Ok(chunk.into_iter().filter(|k| *k != 2).collect())
            }
        };
        let found = read([1, 2, 3, 1, 4, 5, 6, 7], 3, fetch, |item| Some(*item)).await;
        assert_eq!(*asked.lock().unwrap(), [3, 3, 1]);
        assert_eq!(found.get(&1).unwrap(), Some(&1));
        assert_eq!(found.get(&2).unwrap(), None);
        assert_eq!(found.get(&4).unwrap_err().code(), "Boom");
        assert_eq!(found.get(&7).unwrap(), Some(&7));
    }

    #[tokio::test]
    async fn parents_are_callsfor_their_children() {
        let fetch = |parents: Vec<u32>| async move {
            if parents.contains(&30) {
                Err(service_error("ec2:X", "Boom"))
            } else {
                Ok(parents.iter().flat_map(|p| [p + 1, p + 2]).collect())
            }
        };
        let found = read_within(vec![(11, 10), (12, 10), (13, 10), (31, 30)], 1, fetch, |item| Some(*item)).await;
        assert_eq!(found.get(&11).unwrap(), Some(&11));
        assert_eq!(found.get(&13).unwrap(), None);
        assert_eq!(found.get(&31).unwrap_err().code(), "Boom");
    }
}
