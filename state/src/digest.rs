//! A sum over entries that notices a lost or changed one, whatever the order they are added in.

/// The sum of a set of entries: how many there are, and their hashes added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Digest {
    pub(crate) entries: u64,
    pub(crate) sum: u64,
}

impl Digest {
    pub(crate) fn add(&mut self, key: &[u8], value: &[u8]) {
        self.entries = self.entries.wrapping_add(1);
        self.sum = self.sum.wrapping_add(hash(key, value));
    }

    pub(crate) fn remove(&mut self, key: &[u8], value: &[u8]) {
        self.entries = self.entries.wrapping_sub(1);
        self.sum = self.sum.wrapping_sub(hash(key, value));
    }
}

/// FNV-1a with 64 bits over the key, its length and the value. It guards against accidents, not against people.
fn hash(key: &[u8], value: &[u8]) -> u64 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    let len = (key.len() as u64).to_le_bytes();
    key.iter().chain(&len).chain(value).fold(OFFSET, |h, b| (h ^ u64::from(*b)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_does_not_count_and_everything_else_does() {
        let of = |entries: &[(&[u8], &[u8])]| {
            let mut digest = Digest::default();
            for (k, v) in entries {
                digest.add(k, v);
            }
            digest
        };
        let both = of(&[(b"a", b"1"), (b"b", b"2")]);
        assert_eq!(both, of(&[(b"b", b"2"), (b"a", b"1")]));
        assert_ne!(both, of(&[(b"a", b"2"), (b"b", b"1")]));
        assert_ne!(of(&[(b"ab", b"c")]), of(&[(b"a", b"bc")]));
        let mut one = both;
        one.remove(b"b", b"2");
        assert_eq!(one, of(&[(b"a", b"1")]));
    }
}
