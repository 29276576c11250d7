//! Keys of the store: one ordered space, a first byte for each kind of entry.
//!
//! Addresses are written so that the order of the bytes is the order of [`RecordKey`]: a scan answers instances in the
//! order of a [`sgp_model::State`], and everything of a module or resource lies together.

use std::sync::Arc;

use sgp_model::{
    DeposedKey, InstanceAddr, InstanceKey, Mode, ModulePath, ResourceAddr, address::ModuleInstance, state::RecordKey,
};

use crate::wire::Malformed;

/// The head: serial, lineage, sums. One entry.
pub(crate) const HEAD: &[u8] = b"m";
/// What became of the conditions of the configuration. One entry, beside the state: in no history and no sum.
pub(crate) const CHECKS: &[u8] = b"k";
/// Checkpoints of open intents, by journal number.
pub(crate) const CHECKPOINT: u8 = b'c';
/// When and by what each serial was made.
pub(crate) const HISTORY: u8 = b'h';
/// Instances, by address.
pub(crate) const INSTANCE: u8 = b'i';
/// Open intents, by journal number.
pub(crate) const INTENT: u8 = b'j';
/// Outputs, by name.
pub(crate) const OUTPUT: u8 = b'o';
/// What an entry was before a serial first touched it, by serial and key.
pub(crate) const UNDO: u8 = b'u';

/// Why an address that stands for many instances is not written.
pub(crate) const NEVER_OPEN: &str = "objects are recorded under the keys that they have";

/// The key of an entry that has a number: journal, history.
pub(crate) fn numbered(kind: u8, n: u64) -> Vec<u8> {
    let mut key = Vec::with_capacity(9);
    key.push(kind);
    key.extend_from_slice(&n.to_be_bytes());
    key
}

/// The number in a key made by [`numbered`] or [`undo`].
pub(crate) fn number_of(key: &[u8]) -> Result<u64, Malformed> {
    let digits = key.get(1..9).and_then(|d| d.try_into().ok()).ok_or_else(|| Malformed::new("a key is too short"))?;
    Ok(u64::from_be_bytes(digits))
}

/// The key under which the previous content of `key` is kept for a serial.
pub(crate) fn undo(serial: u64, key: &[u8]) -> Vec<u8> {
    let mut out = numbered(UNDO, serial);
    out.extend_from_slice(key);
    out
}

/// The key of an output.
pub(crate) fn output(name: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(1 + name.len());
    key.push(OUTPUT);
    key.extend_from_slice(name.as_bytes());
    key
}

/// The name of an output.
pub(crate) fn output_name(key: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(key.get(1..).unwrap_or_default()).map_err(|_| Malformed::new("an output's name is not UTF-8"))
}

/// The key of an instance.
pub(crate) fn instance(key: &RecordKey) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    out.push(INSTANCE);
    let resource = &key.addr.resource;
    for step in resource.module.0.iter() {
        out.push(1);
        text(&mut out, &step.name);
        instance_key(&mut out, step.key.as_ref());
    }
    out.push(0);
    out.push(match resource.mode {
        Mode::Managed => 0,
        Mode::Data => 1,
        // Never recorded; a number of its own all the same.
        Mode::Ephemeral => 2,
    });
    text(&mut out, &resource.type_name);
    text(&mut out, &resource.name);
    instance_key(&mut out, key.addr.key.as_ref());
    if let Some(deposed) = &key.deposed {
        text(&mut out, &deposed.0);
    }
    out
}

/// Ends with 0 1; a 0 inside becomes 0 255, so that no text is the beginning of another one's bytes.
fn text(out: &mut Vec<u8>, text: &str) {
    for b in text.bytes() {
        out.push(b);
        if b == 0 {
            out.push(0xff);
        }
    }
    out.extend_from_slice(&[0, 1]);
}

fn instance_key(out: &mut Vec<u8>, key: Option<&InstanceKey>) {
    match key {
        None => out.push(0),
        Some(InstanceKey::Int(n)) => {
            out.push(1);
            out.extend_from_slice(&n.to_be_bytes());
        }
        Some(InstanceKey::Str(s)) => {
            out.push(2);
            text(out, s);
        }
        Some(InstanceKey::Any {}) => unreachable!("{NEVER_OPEN}"),
    }
}

/// The address in a key made by [`instance`].
pub(crate) fn instance_of(key: &[u8]) -> Result<RecordKey, Malformed> {
    let mut cursor = Cursor(key.get(1..).unwrap_or_default());
    let mut modules = Vec::new();
    while cursor.choice(1)? == 1 {
        modules.push(ModuleInstance { name: cursor.text()?, key: cursor.instance_key()? });
    }
    let mode = if cursor.choice(1)? == 0 { Mode::Managed } else { Mode::Data };
    let resource =
        ResourceAddr { module: ModulePath(modules.into()), mode, type_name: cursor.text()?, name: cursor.text()? };
    let addr = InstanceAddr { resource, key: cursor.instance_key()? };
    let deposed = if cursor.0.is_empty() { None } else { Some(DeposedKey(cursor.text()?)) };
    if cursor.0.is_empty() { Ok(RecordKey { addr, deposed }) } else { Err(Malformed::new("a key is too long")) }
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], Malformed> {
        let (head, rest) = self.0.split_at_checked(n).ok_or_else(|| Malformed::new("a key ends too early"))?;
        self.0 = rest;
        Ok(head)
    }

    /// A byte that is at most `max`.
    fn choice(&mut self, max: u8) -> Result<u8, Malformed> {
        let b = self.take(1)?[0];
        if b <= max { Ok(b) } else { Err(Malformed::new("a key holds something unknown")) }
    }

    fn text(&mut self) -> Result<Arc<str>, Malformed> {
        let mut bytes = Vec::new();
        loop {
            match self.take(1)?[0] {
                0 => match self.take(1)?[0] {
                    0xff => bytes.push(0),
                    1 => break,
                    _ => return Err(Malformed::new("a key holds something unknown")),
                },
                b => bytes.push(b),
            }
        }
        String::from_utf8(bytes).map(Arc::from).map_err(|_| Malformed::new("an address is not UTF-8"))
    }

    fn instance_key(&mut self) -> Result<Option<InstanceKey>, Malformed> {
        Ok(match self.choice(2)? {
            0 => None,
            1 => {
                let digits = self.take(8)?.try_into().expect("eight bytes were taken");
                Some(InstanceKey::Int(u64::from_be_bytes(digits)))
            }
            _ => Some(InstanceKey::Str(self.text()?)),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;
    use crate::testing::record_key;

    proptest! {
        #[test]
        fn keys_come_back(key in record_key()) {
            prop_assert_eq!(instance_of(&instance(&key)).unwrap(), key);
        }

        #[test]
        fn bytes_sort_as_addresses_do(a in record_key(), b in record_key()) {
            prop_assert_eq!(instance(&a).cmp(&instance(&b)), a.cmp(&b));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = instance_of(&bytes);
            let _ = number_of(&bytes);
        }
    }
}
