//! SSH keys: made, and in the forms that EC2 tells them in.
//!
//! Source: RFC 4253 6.6 and RFC 8709 (public keys), OpenSSH's PROTOCOL.key (private keys), RFC 8017 A.1 (RSA in DER).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{KeyPair, PKCS_ED25519, PKCS_RSA_SHA256, PublicKeyData, RsaKeySize};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// A new key.
pub(super) struct Made {
    /// A line in OpenSSH's form.
    pub public: String,
    /// PEM.
    pub private: String,
    /// As EC2 tells that of a key that it made.
    pub fingerprint: String,
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
/// `AlgorithmIdentifier` of rsaEncryption (1.2.840.113549.1.1.1) with NULL parameters.
const RSA_ENCRYPTION: [u8; 15] =
    [SEQUENCE, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

/// A key of 2,048 bits; its fingerprint is the SHA-1 of the private key.
///
/// # Errors
/// The key cannot be made.
pub(super) fn rsa() -> Result<Made, rcgen::Error> {
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?;
    let whole = key.serialize_der();
    // PKCS #8 is a SEQUENCE of a version, the algorithm and the key of PKCS #1 as an OCTET STRING.
    let inner = body(&whole, SEQUENCE).map(|(inside, _)| inside);
    let rest = inner.and_then(|it| body(it, INTEGER)).and_then(|(_, rest)| body(rest, SEQUENCE)).map(|(_, rest)| rest);
    let private = rest.and_then(|rest| body(rest, OCTET_STRING)).map_or(whole.as_slice(), |(key, _)| key);
    let public = key.der_bytes();
    let numbers = body(public, SEQUENCE).map(|(inside, _)| inside);
    let modulus = numbers.and_then(|it| body(it, INTEGER));
    let exponent = modulus.and_then(|(_, rest)| body(rest, INTEGER));
    let (modulus, exponent) = (modulus.map_or(&[][..], |it| it.0), exponent.map_or(&[][..], |it| it.0));
    let blob = joined(&[b"ssh-rsa", exponent, modulus]);
    Ok(Made {
        public: format!("ssh-rsa {}", STANDARD.encode(blob)),
        private: pem("RSA PRIVATE KEY", private),
        fingerprint: colons(&Sha1::digest(&whole)),
    })
}

/// An Ed25519 key; its fingerprint is the SHA-256 of the public key.
///
/// # Errors
/// The key cannot be made.
pub(super) fn ed25519() -> Result<Made, rcgen::Error> {
    let key = KeyPair::generate_for(&PKCS_ED25519)?;
    let public = key.der_bytes();
    let whole = key.serialize_der();
    // The seed is the OCTET STRING inside that of PKCS #8 (RFC 8410).
    let inner = body(&whole, SEQUENCE).map(|(inside, _)| inside);
    let rest = inner.and_then(|it| body(it, INTEGER)).and_then(|(_, rest)| body(rest, SEQUENCE)).map(|(_, rest)| rest);
    let seed = rest.and_then(|rest| body(rest, OCTET_STRING)).and_then(|(seed, _)| body(seed, OCTET_STRING));
    let seed = seed.map_or(&[][..], |it| it.0);
    let blob = joined(&[b"ssh-ed25519", public]);
    Ok(Made {
        public: format!("ssh-ed25519 {}", STANDARD.encode(&blob)),
        private: pem("OPENSSH PRIVATE KEY", &openssh(&blob, public, seed)),
        fingerprint: STANDARD.encode(Sha256::digest(&blob)),
    })
}

/// A private key of OpenSSH without a passphrase.
fn openssh(blob: &[u8], public: &[u8], seed: &[u8]) -> Vec<u8> {
    // The check number may be any, but twice the same.
    let mut secret = [[0x73_u8, 0x67, 0x70, 0x21]; 2].concat();
    secret.extend(joined(&[b"ssh-ed25519", public, &[seed, public].concat(), b""]));
    let missing = (8 - secret.len() % 8) % 8;
    secret.extend((1..=8_u8).take(missing));
    let mut all = b"openssh-key-v1\0".to_vec();
    all.extend(joined(&[b"none", b"none", b""]));
    all.extend(1_u32.to_be_bytes());
    all.extend(joined(&[blob, &secret]));
    all
}

/// Fields with their lengths before them, as SSH writes them.
fn joined(fields: &[&[u8]]) -> Vec<u8> {
    let with_length = |field: &&[u8]| {
        let length = u32::try_from(field.len()).unwrap_or(u32::MAX);
        [&length.to_be_bytes()[..], field].concat()
    };
    fields.iter().flat_map(with_length).collect()
}

/// The fields of what SSH wrote; none when it ends in the midst of one.
pub(super) fn fields(mut bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (field, after) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        fields.push(field);
        bytes = after;
    }
    Some(fields)
}

/// `SubjectPublicKeyInfo` of an RSA key.
pub(super) fn rsa_public_info(exponent: &[u8], modulus: &[u8]) -> Vec<u8> {
    let numbers = [der(INTEGER, modulus), der(INTEGER, exponent)].concat();
    let key = [&[0][..], &der(SEQUENCE, &numbers)].concat();
    der(SEQUENCE, &[&RSA_ENCRYPTION[..], &der(BIT_STRING, &key)].concat())
}

/// A digest in pairs of digits.
pub(super) fn colons(digest: &[u8]) -> String {
    let pairs: Vec<String> = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    pairs.join(":")
}

fn der(tag: u8, body: &[u8]) -> Vec<u8> {
    let bytes = body.len().to_be_bytes();
    let significant: Vec<u8> = bytes.into_iter().skip_while(|byte| *byte == 0).collect();
    let mut all = vec![tag];
    match significant.as_slice() {
        [] => all.push(0),
        [length] if *length < 0x80 => all.push(*length),
        long => {
            all.push(0x80 | u8::try_from(long.len()).unwrap_or(0x7f));
            all.extend(long);
        }
    }
    all.extend(body);
    all
}

/// The inside of an element of this tag, and what follows it.
fn body(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..0x80 => (usize::from(*first), rest),
        _ => {
            let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (length.iter().try_fold(0_usize, |sum, byte| sum.checked_mul(256)?.checked_add(usize::from(*byte)))?, rest)
        }
    };
    if *found == tag { rest.split_at_checked(length) } else { None }
}

fn pem(label: &str, bytes: &[u8]) -> String {
    let text = STANDARD.encode(bytes);
    let lines: Vec<&str> = text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn der_is_read_as_it_is_written() {
        for length in [0, 1, 127, 128, 255, 256, 70_000] {
            let inside = vec![7; length];
            let mut whole = der(OCTET_STRING, &inside);
            whole.push(9);
            assert_eq!(body(&whole, OCTET_STRING), Some((inside.as_slice(), &[9][..])), "{length}");
            assert_eq!(body(&whole, SEQUENCE), None);
            assert_eq!(body(&whole[..whole.len().min(length)], OCTET_STRING), None, "{length}");
        }
    }

    #[test]
    fn an_openssh_key_holds_its_public_half() {
        let made = ed25519().unwrap();
        let public = STANDARD.decode(made.public.split(' ').nth(1).unwrap()).unwrap();
        let inside: String = made.private.lines().filter(|line| !line.starts_with('-')).collect();
        let inside = STANDARD.decode(inside).unwrap();
        assert!(inside.windows(public.len()).any(|part| part == public));
        assert_eq!(fields(&public).unwrap()[0], b"ssh-ed25519");
    }
}
