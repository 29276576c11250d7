//! Ids, keys and addresses: random, or following from a seed.

use sha2::{Digest, Sha256};

/// A source of ids.
#[derive(Clone, Debug)]
pub struct Ids {
    seed: Option<u64>,
    /// How many were drawn; durable, so that a seeded world goes on after a restart where it stopped.
    pub(crate) drawn: u64,
}

impl Ids {
    pub(crate) fn new(seed: Option<u64>) -> Self {
        Self { seed, drawn: 0 }
    }

    /// 32 bytes.
    pub fn bytes(&mut self) -> [u8; 32] {
        self.drawn += 1;
        let mut bytes = [0; 32];
        match self.seed {
            Some(seed) => {
                let mut hash = Sha256::new();
                hash.update(seed.to_be_bytes());
                hash.update(self.drawn.to_be_bytes());
                bytes.copy_from_slice(&hash.finalize());
            }
            None => getrandom::fill(&mut bytes).expect("the operating system gives random bytes"),
        }
        bytes
    }

    /// `digits` lower-case hexadecimal digits, at most 64.
    pub fn hex(&mut self, digits: usize) -> String {
        let mut text: String = self.bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        text.truncate(digits);
        text
    }

    /// An EC2 id of today's long form, `sg-0123456789abcdef0`. The first digit is 0, as at AWS.
    pub fn ec2(&mut self, prefix: &str) -> String {
        format!("{prefix}-0{}", self.hex(16))
    }

    /// `length` upper-case letters and digits, as in IAM's ids and access keys.
    pub fn base32(&mut self, prefix: &str, length: usize) -> String {
        const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let bytes = self.bytes();
        let letters = bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
        prefix.chars().chain(letters.take(length)).collect()
    }

    /// A version 4 UUID.
    pub fn uuid(&mut self) -> String {
        let mut b = self.bytes();
        b[6] = (b[6] & 0x0f) | 0x40;
        b[8] = (b[8] & 0x3f) | 0x80;
        let hex: String = b[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }

    /// A locally administered MAC address as EC2 gives them, `02:ab:...`.
    pub fn mac(&mut self) -> String {
        let b = self.bytes();
        format!("02:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", b[0], b[1], b[2], b[3], b[4])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_ids_again() {
        let draw = |seed| {
            let mut ids = Ids::new(seed);
            (ids.ec2("sg"), ids.uuid(), ids.base32("AROA", 17), ids.mac())
        };
        assert_eq!(draw(Some(7)), draw(Some(7)));
        assert_ne!(draw(Some(7)), draw(Some(8)));
        assert_ne!(draw(None), draw(None));
        let (group, uuid, role, _) = draw(Some(7));
        assert_eq!((group.len(), uuid.len(), role.len()), (20, 36, 21));
    }
}
