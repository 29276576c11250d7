//! Batches of writes: as bytes, and as changes of a draft.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Display,
};

use sgp_contract::{StoreError, Write};
use sgp_model::{
    InstanceRecord,
    checks::CheckResult,
    state::{OutputRecord, RecordKey},
};

use crate::{codec, draft::Draft, key, wire::Malformed};

/// A write whose values are bytes already; made where the caller runs, so that the store's thread only stores.
#[derive(Debug)]
pub(crate) enum Encoded {
    Put(Vec<u8>, Vec<u8>),
    Remove(Vec<u8>),
    Outputs(BTreeMap<Vec<u8>, Vec<u8>>),
    Checks(Vec<u8>),
    Begin { token: String, intent: Vec<u8> },
    Checkpoint { token: String, attributes: Vec<u8> },
    End { token: String },
    BumpSerial,
}

impl Encoded {
    /// Encodes a write.
    ///
    /// # Errors
    /// A value that is nested too deeply to be read again.
    pub(crate) fn new(write: &Write) -> Result<Self, StoreError> {
        Ok(match write {
            Write::Put(key, record) => {
                let (key, record) = encode_put(key, record)?;
                Self::Put(key, record)
            }
            Write::Remove(key) => Self::Remove(key::instance(key)),
            Write::Outputs(outputs) => {
                Self::Outputs(encode_outputs(outputs.iter().map(|(name, output)| (name, output)))?)
            }
            Write::Checks(checks) => Self::Checks(encode_checks(checks)?),
            Write::Begin(intent) => Self::Begin {
                token: intent.token.clone(),
                intent: codec::encode_intent(intent).map_err(|e| refused(&intent.key.addr, &e))?,
            },
            Write::Checkpoint { token, attributes } => Self::Checkpoint {
                token: token.clone(),
                attributes: codec::encode_value(attributes).map_err(|e| refused(&"a checkpoint", &e))?,
            },
            Write::End { token } => Self::End { token: token.clone() },
            Write::BumpSerial => Self::BumpSerial,
        })
    }
}

fn refused(what: &dyn Display, why: &Malformed) -> StoreError {
    StoreError::Conflict(format!("{what} cannot be stored: {why}"))
}

/// The key and the bytes of a record.
pub(crate) fn encode_put(key: &RecordKey, record: &InstanceRecord) -> Result<(Vec<u8>, Vec<u8>), StoreError> {
    let bytes = codec::encode_record(record).map_err(|e| refused(&key.addr, &e))?;
    Ok((key::instance(key), bytes))
}

/// The keys and the bytes of outputs.
pub(crate) fn encode_outputs<'a>(
    outputs: impl IntoIterator<Item = (&'a String, &'a OutputRecord)>,
) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, StoreError> {
    let encode = |(name, output): (&String, &OutputRecord)| {
        let bytes = codec::encode_output(output).map_err(|e| refused(&format_args!("output.{name}"), &e))?;
        Ok((key::output(name), bytes))
    };
    outputs.into_iter().map(encode).collect()
}

/// The bytes of check results.
pub(crate) fn encode_checks(checks: &[CheckResult]) -> Result<Vec<u8>, StoreError> {
    codec::encode_checks(checks).map_err(|e| refused(&"what became of the conditions", &e))
}

/// Which intents are open, with what a draft changes about it.
pub(crate) struct Journal<'a> {
    open: &'a HashMap<String, u64>,
    /// `None` is closed.
    changed: HashMap<String, Option<u64>>,
}

impl<'a> Journal<'a> {
    pub(crate) fn new(open: &'a HashMap<String, u64>) -> Self {
        Self { open, changed: HashMap::new() }
    }

    /// Tokens that were begun, with their number, or ended.
    pub(crate) fn into_changed(self) -> HashMap<String, Option<u64>> {
        self.changed
    }

    fn number(&self, token: &str) -> Option<u64> {
        self.changed.get(token).copied().unwrap_or_else(|| self.open.get(token).copied())
    }

    /// Refuses a batch before any of it is drafted.
    pub(crate) fn check(&self, batch: &[Encoded]) -> Result<(), StoreError> {
        let begins = |wanted: &str| batch.iter().any(|w| matches!(w, Encoded::Begin { token, .. } if token == wanted));
        for write in batch {
            if let Encoded::Checkpoint { token, .. } = write
                && self.number(token).is_none()
                && !begins(token)
            {
                return Err(StoreError::Conflict(format!(
                    "nothing with token {token} was begun, so nothing can be kept for it"
                )));
            }
        }
        Ok(())
    }
}

/// Drafts a batch that was checked.
pub(crate) fn draft_batch(
    draft: &mut Draft<'_>,
    journal: &mut Journal<'_>,
    origin: &[u8],
    batch: Vec<Encoded>,
) -> Result<(), StoreError> {
    // The records of a batch belong to its serial, wherever in the batch it is raised.
    if batch.iter().any(|write| matches!(write, Encoded::BumpSerial)) {
        draft.begin_serial(draft.head.serial + 1, origin.to_vec())?;
    }
    for write in batch {
        match write {
            Encoded::Put(key, record) => draft.put(key, record)?,
            Encoded::Remove(key) => draft.remove(key)?,
            Encoded::Outputs(outputs) => set_outputs(draft, outputs)?,
            Encoded::Checks(checks) => draft.put_beside(key::CHECKS.to_vec(), checks),
            Encoded::Begin { token, intent } => {
                let number = draft.head.next_intent;
                draft.head.next_intent += 1;
                draft.put(key::numbered(key::INTENT, number), intent)?;
                journal.changed.insert(token, Some(number));
            }
            Encoded::Checkpoint { token, attributes } => {
                if let Some(number) = journal.number(&token) {
                    draft.put(key::numbered(key::CHECKPOINT, number), attributes)?;
                }
            }
            Encoded::End { token } => {
                if let Some(number) = journal.number(&token) {
                    draft.remove(key::numbered(key::INTENT, number))?;
                    draft.remove(key::numbered(key::CHECKPOINT, number))?;
                    journal.changed.insert(token, None);
                }
            }
            Encoded::BumpSerial => {}
        }
    }
    Ok(())
}

/// Makes these the only outputs.
pub(crate) fn set_outputs(draft: &mut Draft<'_>, outputs: BTreeMap<Vec<u8>, Vec<u8>>) -> Result<(), StoreError> {
    for key in draft.keys_of(key::OUTPUT)? {
        if !outputs.contains_key(&key) {
            draft.remove(key)?;
        }
    }
    outputs.into_iter().try_for_each(|(key, output)| draft.put(key, output))
}
