//! `rsadecrypt`: PKCS #1 v1.5 with a private key that the caller has anyway, so that how long it takes tells nobody anything.
//!
//! Keys come as PEM: PKCS #1 (`RSA PRIVATE KEY`), PKCS #8 (`PRIVATE KEY`) or OpenSSH's own (`OPENSSH PRIVATE KEY`), without a
//! passphrase.

use dashu_int::{UBig, fast_div::ConstDivisor};
use sgp_model::Value;

use super::{
    encoding::from_base64,
    spec::{Args, Function, Outcome, Ty, arg_error, error, param},
};

pub(super) const TABLE: &[Function] = &[Function {
    name: "rsadecrypt",
    params: &[param("ciphertext", Ty::String), param("privatekey", Ty::String)],
    rest: None,
    returns: Ty::String,
    run: decrypt,
}];

fn decrypt(a: &Args) -> Outcome {
    let cipher_text = from_base64(a.str(0))
        .ok_or_else(|| arg_error(0, "failed to decode the input: cipher text must be base64-encoded"))?;
    let key = Key::from_pem(a.str(1)).map_err(|reason| arg_error(1, reason))?;
    let plain = key.open(&cipher_text).ok_or_else(|| error("failed to decrypt: the text was not made for this key"))?;
    let plain = String::from_utf8(plain);
    plain.map(Value::from).map_err(|_| error("the decrypted text is not valid UTF-8"))
}

/// The parts of a private key that decryption needs.
struct Key {
    modulus: UBig,
    exponent: UBig,
}

/// Beyond any key in use; more would only keep the processor busy.
const BITS_MAX: usize = 16_384;

impl Key {
    fn from_pem(text: &str) -> Result<Self, String> {
        let (label, der) = pem(text).ok_or("the key is not PEM: a block -----BEGIN RSA PRIVATE KEY----- is needed")?;
        let malformed = || format!("the {label} cannot be read");
        let key = match label {
            "RSA PRIVATE KEY" | "PRIVATE KEY" if text.contains("Proc-Type: 4,ENCRYPTED") => {
                return Err("the key is protected by a passphrase, and none can be given".into());
            }
            "RSA PRIVATE KEY" => pkcs1(&der),
            "PRIVATE KEY" => pkcs8(&der),
            "OPENSSH PRIVATE KEY" => openssh(&der)?,
            other => return Err(format!("a private key of RSA is needed, this is: {other}")),
        };
        let key = key.ok_or_else(malformed)?;
        let (bytes, too_large) = (key.size(), key.modulus > (UBig::ONE << BITS_MAX));
        if bytes < 11 || too_large { Err(malformed()) } else { Ok(key) }
    }

    /// The size of the modulus in bytes.
    fn size(&self) -> usize {
        self.modulus.to_be_bytes().len()
    }

    /// The message, when padding and size are right.
    fn open(&self, cipher_text: &[u8]) -> Option<Vec<u8>> {
        let cipher = UBig::from_be_bytes(cipher_text);
        if cipher >= self.modulus {
            return None;
        }
        let ring = ConstDivisor::new(self.modulus.clone());
        let message = ring.reduce(cipher).pow(&self.exponent).residue();
        let digits = message.to_be_bytes();
        // The first byte of the block is zero, so the number begins with the second.
        if digits.len() + 1 != self.size() || digits.first() != Some(&2) {
            return None;
        }
        let end = digits.iter().skip(1).position(|b| *b == 0)?;
        (end >= 8).then(|| digits[end + 2..].to_vec())
    }
}

/// The label and the bytes of the first block.
fn pem(text: &str) -> Option<(&str, Vec<u8>)> {
    let (_, rest) = text.split_once("-----BEGIN ")?;
    let (label, rest) = rest.split_once("-----")?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
    // Headers such as `Proc-Type` end with an empty line.
    let body = body.trim_start();
    let body = if body.lines().next().is_some_and(|l| l.contains(": ")) { body.split_once("\n\n")?.1 } else { body };
    let packed: String = body.chars().filter(|c| !c.is_whitespace()).collect();
    Some((label, from_base64(&packed)?))
}

const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const SEQUENCE: u8 = 0x30;

/// The content of an element of DER with this tag, and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = if *first < 0x80 {
        (usize::from(*first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        let (digits, rest) = rest.split_at_checked(count).filter(|_| (1..=4).contains(&count))?;
        (digits.iter().fold(0, |n, b| n << 8 | usize::from(*b)), rest)
    };
    (*found == tag).then(|| rest.split_at_checked(length)).flatten()
}

/// Version, modulus, public exponent, private exponent, and what would only make it faster.
fn pkcs1(der: &[u8]) -> Option<Key> {
    let (body, _) = element(der, SEQUENCE)?;
    let (_, rest) = element(body, INTEGER)?;
    let (modulus, rest) = element(rest, INTEGER)?;
    let (_, rest) = element(rest, INTEGER)?;
    let (exponent, _) = element(rest, INTEGER)?;
    Some(Key { modulus: UBig::from_be_bytes(modulus), exponent: UBig::from_be_bytes(exponent) })
}

/// Version, algorithm, and the key itself as bytes.
fn pkcs8(der: &[u8]) -> Option<Key> {
    /// 1.2.840.113549.1.1.1
    const RSA: [u8; 11] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
    let (body, _) = element(der, SEQUENCE)?;
    let (_, rest) = element(body, INTEGER)?;
    let (algorithm, rest) = element(rest, SEQUENCE)?;
    let (key, _) = element(rest, OCTETS).filter(|_| algorithm.starts_with(&RSA))?;
    pkcs1(key)
}

/// A text or number of OpenSSH's format: its length in four bytes, then the bytes.
fn field<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let (found, after) = after.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    *rest = after;
    Some(found)
}

fn openssh(blob: &[u8]) -> Result<Option<Key>, String> {
    let Some(mut rest) = blob.strip_prefix(b"openssh-key-v1\0") else { return Ok(None) };
    let rest = &mut rest;
    if field(rest) != Some(b"none") {
        return Err("the key is protected by a passphrase, and none can be given".into());
    }
    Ok(openssh_key(rest))
}

fn openssh_key(rest: &mut &[u8]) -> Option<Key> {
    // Key derivation and its options, the number of keys, the public key.
    field(rest)?;
    field(rest)?;
    *rest = rest.get(4..)?;
    field(rest)?;
    let mut private = field(rest)?.get(8..)?;
    let private = &mut private;
    if field(private)? != b"ssh-rsa" {
        return None;
    }
    let modulus = UBig::from_be_bytes(field(private)?);
    field(private)?;
    let exponent = UBig::from_be_bytes(field(private)?);
    Some(Key { modulus, exponent })
}
