//! Randomness: the operating system's for what must not be guessed, and a reproducible one for types that take a `seed`.

use rand::rand_core::UnwrapErr;
use rand::{
    CryptoRng, Rng, SeedableRng,
    rngs::{ChaCha12Rng, SysRng},
};
use sha2::{Digest, Sha256};

/// The operating system's generator. It fails on a machine without one, on which nothing of this could be made.
pub(crate) fn system() -> impl CryptoRng {
    UnwrapErr(SysRng)
}

/// The generator for a seed: the same one gives the same numbers on every machine. Without a seed it is [`system`].
pub(crate) fn seeded(seed: Option<&str>) -> Box<dyn Rng + Send> {
    match seed {
        Some(seed) => Box::new(ChaCha12Rng::from_seed(Sha256::digest(seed.as_bytes()).into())),
        None => Box::new(UnwrapErr(SysRng)),
    }
}

/// So many random bytes.
pub(crate) fn bytes(count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    system().fill_bytes(&mut bytes);
    bytes
}

/// An array of random bytes.
pub(crate) fn array<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    system().fill_bytes(&mut bytes);
    bytes
}
