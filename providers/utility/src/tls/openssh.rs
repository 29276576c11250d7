//! Keys as OpenSSH writes them (PROTOCOL.key of its sources, RFC 4253 and 5656).

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};
use dashu_int::UBig;
use md5::Md5;
use pkcs1::der::{Decode, Encode, asn1::UintRef};
use sha2::{Digest, Sha256};

use super::key::{Key, Problem, written};
use crate::{dice, digests};

const MAGIC: &[u8] = b"openssh-key-v1\0";

/// The forms of one key.
#[derive(Default)]
pub(super) struct Forms {
    /// The private key in PEM.
    pub(super) private: String,
    /// A line of `authorized_keys`, with its end.
    pub(super) public: String,
    /// `aa:bb:...`.
    pub(super) md5: String,
    /// `SHA256:...`.
    pub(super) sha256: String,
}

/// The forms of a key; all of them are empty for a key on a curve that OpenSSH does not have.
pub(super) fn forms(key: &Key) -> Result<Forms, Problem> {
    let Some(Wire { kind, public, private }) = wire(key)? else { return Ok(Forms::default()) };
    let md5: Vec<String> = Md5::digest(&public).iter().map(|byte| digests::hex(&[*byte])).collect();
    Ok(Forms {
        private: written("OPENSSH PRIVATE KEY", &container(&public, &private))?,
        public: format!("{kind} {}\n", STANDARD.encode(&public)),
        md5: md5.join(":"),
        sha256: format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(&public))),
    })
}

/// Both keys as fields.
struct Wire {
    kind: String,
    public: Vec<u8>,
    private: Vec<u8>,
}

fn wire(key: &Key) -> Result<Option<Wire>, Problem> {
    let (kind, public, private) = match key {
        Key::Rsa(der) => {
            let key = pkcs1::RsaPrivateKey::from_der(der).map_err(|e| e.to_string())?;
            let numbers = |all: &[UintRef<'_>]| all.iter().flat_map(|n| number(n.as_bytes())).collect::<Vec<u8>>();
            let public = numbers(&[key.public_exponent, key.modulus]);
            let private =
                [key.modulus, key.public_exponent, key.private_exponent, key.coefficient, key.prime1, key.prime2];
            ("ssh-rsa".to_owned(), public, numbers(&private))
        }
        Key::Ecdsa { curve, scalar, point } => {
            let Some(name) = curve.ssh_name() else { return Ok(None) };
            let public = [field(name.as_bytes()), field(point)].concat();
            let private = [public.clone(), number(scalar)].concat();
            (format!("ecdsa-sha2-{name}"), public, private)
        }
        Key::Ed25519 { seed, public } => {
            let private = [field(public), field(&[&seed[..], &public[..]].concat())].concat();
            ("ssh-ed25519".to_owned(), field(public), private)
        }
    };
    let [public, private] = [public, private].map(|fields| [field(kind.as_bytes()), fields].concat());
    Ok(Some(Wire { kind, public, private }))
}

/// A file with one key, not encrypted and without a comment.
fn container(public: &[u8], private: &[u8]) -> Vec<u8> {
    // Twice the same number: whoever decrypts sees by it that the passphrase is right.
    let check: [u8; 4] = dice::array();
    let mut secret = [&check[..], &check[..], private, &field(b"")[..]].concat();
    secret.extend((1..8).take((8 - secret.len() % 8) % 8));
    let one = 1_u32.to_be_bytes().to_vec();
    [MAGIC.to_vec(), field(b"none"), field(b"none"), field(b""), one, field(public), field(&secret)].concat()
}

/// A field with its length before it.
fn field(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes();
    [&length[..], bytes].concat()
}

/// A positive number: without leading zeros, but for one where the first bit would mean a sign.
fn number(bytes: &[u8]) -> Vec<u8> {
    let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    let bare = &bytes[start..];
    let sign: &[u8] = if bare.first().is_some_and(|byte| byte & 0x80 != 0) { &[0] } else { &[] };
    field(&[sign, bare].concat())
}

/// What a file of OpenSSH holds.
pub(super) enum Pair {
    /// As PKCS #1 has it.
    Rsa(Vec<u8>),
    /// The name of the curve, and the number.
    Ecdsa {
        /// `nistp256`.
        curve: String,
        /// Big-endian.
        scalar: Vec<u8>,
    },
    /// The seed.
    Ed25519([u8; 32]),
}

/// Reads a private key, whatever the length of its lines: OpenSSH's have 70 characters, Terraform's 64.
pub(super) fn read(text: &str) -> Result<Pair, Problem> {
    let (_, rest) =
        text.split_once("-----BEGIN OPENSSH PRIVATE KEY-----").ok_or("it does not begin as a key of OpenSSH")?;
    let (body, _) =
        rest.split_once("-----END OPENSSH PRIVATE KEY-----").ok_or("it does not end as a key of OpenSSH")?;
    let body: String = body.split_whitespace().collect();
    let bytes = STANDARD.decode(body).map_err(|e| format!("it is no private key that can be read ({e})"))?;
    let mut file = Fields(bytes.strip_prefix(MAGIC).ok_or("it is no private key that can be read")?);
    let (cipher, _derivation, _options) = (file.next()?, file.next()?, file.next()?);
    if cipher != b"none" {
        return Err("it is encrypted with a passphrase".into());
    }
    if file.word()? != 1 {
        return Err("there are several keys in it".into());
    }
    let _public = file.next()?;
    let mut secret = Fields(file.next()?);
    if secret.word()? != secret.word()? {
        return Err("it is damaged".into());
    }
    let kind = String::from_utf8_lossy(secret.next()?).into_owned();
    match kind.as_str() {
        "ssh-rsa" => rsa(&mut secret),
        "ssh-ed25519" => {
            let (_public, both) = (secret.next()?, secret.next()?);
            let seed = both.get(..32).and_then(|seed| seed.try_into().ok());
            Ok(Pair::Ed25519(seed.ok_or("it is damaged")?))
        }
        _ if kind.starts_with("ecdsa-sha2-nistp") => {
            let (curve, _point, scalar) = (secret.next()?, secret.next()?, secret.next()?);
            Ok(Pair::Ecdsa { curve: String::from_utf8_lossy(curve).into_owned(), scalar: scalar.to_vec() })
        }
        other => Err(format!("its algorithm {other:?} is none of RSA, ECDSA and ED25519")),
    }
}

/// OpenSSH keeps two numbers less than PKCS #1: those that follow from the others.
fn rsa(secret: &mut Fields<'_>) -> Result<Pair, Problem> {
    let mut numbers = Vec::new();
    for _ in 0..6 {
        numbers.push(UBig::from_be_bytes(secret.next()?));
    }
    let [modulus, exponent, d, q_inverse, p, q] = &numbers[..] else { return Err("it is damaged".into()) };
    if *p <= UBig::ONE || *q <= UBig::ONE {
        return Err("it is damaged".into());
    }
    let (d_p, d_q) = (d % (p - UBig::ONE), d % (q - UBig::ONE));
    let bytes = [modulus, exponent, d, p, q, &d_p, &d_q, q_inverse].map(|number| number.to_be_bytes());
    let mut numbers = Vec::new();
    for number in &bytes {
        numbers.push(UintRef::new(number).map_err(|e| e.to_string())?);
    }
    let key = pkcs1::RsaPrivateKey {
        modulus: numbers[0],
        public_exponent: numbers[1],
        private_exponent: numbers[2],
        prime1: numbers[3],
        prime2: numbers[4],
        exponent1: numbers[5],
        exponent2: numbers[6],
        coefficient: numbers[7],
        other_prime_infos: None,
    };
    Ok(Pair::Rsa(key.to_der().map_err(|e| e.to_string())?))
}

/// Fields one after the other.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Problem> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or("it ends too early")?;
        self.0 = rest;
        Ok(taken)
    }

    fn word(&mut self) -> Result<usize, Problem> {
        let bytes = self.take(4)?.try_into().map_err(|_| "it ends too early")?;
        Ok(u32::from_be_bytes(bytes) as usize)
    }

    fn next(&mut self) -> Result<&'a [u8], Problem> {
        let length = self.word()?;
        self.take(length)
    }
}
