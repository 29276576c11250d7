//! Private keys: made, read and written in every form that the types here take and give.

use aws_lc_rs::{
    agreement,
    encoding::{AsDer, Pkcs8V1Der},
    rand::SystemRandom,
    rsa::{KeyPair as NewRsaKey, KeySize},
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair,
        EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
    },
};
use pkcs8::{
    AlgorithmIdentifierRef, ObjectIdentifier, PrivateKeyInfo,
    der::{
        Decode, Encode,
        asn1::{AnyRef, BitString, Null, OctetStringRef},
        pem::{self, LineEnding},
    },
    spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned},
};
use sec1::{EcParameters, EcPrivateKey};

use super::{
    openssh::{self, Pair},
    other_keys,
};
use crate::dice;

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// Sizes of RSA keys that can be made here, in bits.
pub(super) const RSA_BITS: std::ops::RangeInclusive<i64> = 1024..=8192;

/// A curve of NIST.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Curve {
    /// secp224r1.
    P224,
    /// secp256r1.
    P256,
    /// secp384r1.
    P384,
    /// secp521r1.
    P521,
}

/// Every curve, by the name that arguments have for it.
pub(super) const CURVES: [(&str, Curve); 4] =
    [("P224", Curve::P224), ("P256", Curve::P256), ("P384", Curve::P384), ("P521", Curve::P521)];

impl Curve {
    fn oid(self) -> ObjectIdentifier {
        ObjectIdentifier::new_unwrap(match self {
            Self::P224 => "1.3.132.0.33",
            Self::P256 => "1.2.840.10045.3.1.7",
            Self::P384 => "1.3.132.0.34",
            Self::P521 => "1.3.132.0.35",
        })
    }

    /// Its name in keys of OpenSSH, which has no P224 (RFC 5656).
    pub(super) fn ssh_name(self) -> Option<&'static str> {
        match self {
            Self::P224 => None,
            Self::P256 => Some("nistp256"),
            Self::P384 => Some("nistp384"),
            Self::P521 => Some("nistp521"),
        }
    }

    /// Bytes of a coordinate.
    fn size(self) -> usize {
        match self {
            Self::P224 => 28,
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    /// How AWS-LC does signatures and the exchange of secrets on it; it has no P224.
    fn algorithms(self) -> Option<(&'static EcdsaSigningAlgorithm, &'static agreement::Algorithm)> {
        match self {
            Self::P224 => None,
            Self::P256 => Some((&ECDSA_P256_SHA256_ASN1_SIGNING, &agreement::ECDH_P256)),
            Self::P384 => Some((&ECDSA_P384_SHA384_ASN1_SIGNING, &agreement::ECDH_P384)),
            Self::P521 => Some((&ECDSA_P521_SHA512_ASN1_SIGNING, &agreement::ECDH_P521)),
        }
    }
}

/// A private key with its public one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// As PKCS #1 has it.
    Rsa(Vec<u8>),
    /// The scalar, and the point as SEC 1 has it, uncompressed.
    Ecdsa {
        /// On this curve.
        curve: Curve,
        /// Big-endian, padded.
        scalar: Vec<u8>,
        /// 4, then both coordinates.
        point: Vec<u8>,
    },
    /// The seed, and the public key.
    Ed25519 {
        /// What the private key is made of.
        seed: [u8; 32],
        /// The public key.
        public: [u8; 32],
    },
}

/// Why a key cannot be made or read, as the end of a sentence.
pub(super) type Problem = String;

fn unfit(error: impl std::fmt::Display) -> Problem {
    format!("it is no private key that can be read ({error})")
}

/// Making and reading.
impl Key {
    /// A new RSA key of so many bits; see [`RSA_BITS`].
    pub(super) fn rsa(bits: i64) -> Result<Self, Problem> {
        let size = match bits {
            2048 => KeySize::Rsa2048,
            3072 => KeySize::Rsa3072,
            4096 => KeySize::Rsa4096,
            8192 => KeySize::Rsa8192,
            _ => {
                let bits = usize::try_from(bits).ok().filter(|_| RSA_BITS.contains(&bits));
                return other_keys::rsa(bits.ok_or("such a size is not made")?).map(Self::Rsa);
            }
        };
        let made = NewRsaKey::generate(size).map_err(|e| e.to_string())?;
        let der: Pkcs8V1Der<'_> = made.as_der().map_err(|e| e.to_string())?;
        Self::from_pkcs8(der.as_ref())
    }

    /// A new key on a curve.
    pub(super) fn ecdsa(curve: Curve) -> Result<Self, Problem> {
        loop {
            let mut scalar = dice::bytes(curve.size());
            if curve == Curve::P521 {
                // Of 66 bytes 521 bits count.
                scalar[0] &= 1;
            }
            // A number beyond the order of the curve, which hardly ever comes, is no key.
            if let Ok(key) = Self::on_curve(curve, scalar) {
                return Ok(key);
            }
        }
    }

    /// A new Ed25519 key.
    pub(super) fn ed25519() -> Result<Self, Problem> {
        Self::from_seed(dice::array())
    }

    fn on_curve(curve: Curve, scalar: Vec<u8>) -> Result<Self, Problem> {
        let point = match curve.algorithms() {
            Some((_, exchange)) => {
                let key = agreement::PrivateKey::from_private_key(exchange, &scalar).map_err(unfit)?;
                key.compute_public_key().map_err(unfit)?.as_ref().to_vec()
            }
            None => other_keys::p224_point(&scalar).map_err(unfit)?,
        };
        Ok(Self::Ecdsa { curve, scalar, point })
    }

    fn from_seed(seed: [u8; 32]) -> Result<Self, Problem> {
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(unfit)?;
        let public = pair.public_key().as_ref().try_into().map_err(unfit)?;
        Ok(Self::Ed25519 { seed, public })
    }

    /// Reads PEM: PKCS #1, SEC 1 or PKCS #8.
    pub(super) fn from_pem(text: &str) -> Result<Self, Problem> {
        // What stands before is a comment, as `openssl ecparam` writes one.
        let private = text.find("PRIVATE KEY-----").and_then(|at| text[..at].rfind("-----BEGIN "));
        let start = private.ok_or("there is no private key in PEM in it")?;
        let mut block: Vec<&str> = Vec::new();
        for line in text[start..].lines().map(str::trim).filter(|line| !line.is_empty()) {
            block.push(line);
            if line.starts_with("-----END ") {
                break;
            }
        }
        let block = format!("{}\n", block.join("\n"));
        let (label, der) = pem::decode_vec(block.as_bytes()).map_err(unfit)?;
        match label {
            "RSA PRIVATE KEY" => Self::from_pkcs1(&der),
            "EC PRIVATE KEY" => Self::from_sec1(&der, None),
            "PRIVATE KEY" => Self::from_pkcs8(&der),
            "OPENSSH PRIVATE KEY" => Self::from_openssh(text),
            other => Err(format!("a key of the kind {other:?} cannot be read")),
        }
    }

    fn from_pkcs1(der: &[u8]) -> Result<Self, Problem> {
        pkcs1::RsaPrivateKey::from_der(der).map_err(unfit)?;
        Ok(Self::Rsa(der.to_vec()))
    }

    fn from_sec1(der: &[u8], curve: Option<ObjectIdentifier>) -> Result<Self, Problem> {
        let key = EcPrivateKey::from_der(der).map_err(unfit)?;
        let named = key.parameters.and_then(|parameters| parameters.named_curve()).or(curve);
        let curve = CURVES.iter().find(|(_, curve)| Some(curve.oid()) == named).map(|(_, curve)| *curve);
        let curve = curve.ok_or("its curve is none of P224, P256, P384 and P521")?;
        Self::on_curve(curve, padded(key.private_key, curve.size())?)
    }

    fn from_pkcs8(der: &[u8]) -> Result<Self, Problem> {
        let key = PrivateKeyInfo::from_der(der).map_err(unfit)?;
        match key.algorithm.oid {
            RSA => Self::from_pkcs1(key.private_key),
            EC => Self::from_sec1(key.private_key, key.algorithm.parameters_oid().ok()),
            ED25519 => {
                let seed = OctetStringRef::from_der(key.private_key).map_err(unfit)?;
                Self::from_seed(seed.as_bytes().try_into().map_err(unfit)?)
            }
            other => Err(format!("its algorithm {other} is none of RSA, ECDSA and ED25519")),
        }
    }

    /// Reads what `ssh-keygen` writes.
    pub(super) fn from_openssh(text: &str) -> Result<Self, Problem> {
        match openssh::read(text)? {
            Pair::Rsa(der) => Ok(Self::Rsa(der)),
            Pair::Ecdsa { curve, scalar } => {
                let curve = CURVES.iter().find(|(_, known)| known.ssh_name() == Some(&*curve)).map(|(_, curve)| *curve);
                let curve = curve.ok_or("its curve is none of P256, P384 and P521")?;
                Self::on_curve(curve, padded(&scalar, curve.size())?)
            }
            Pair::Ed25519(seed) => Self::from_seed(seed),
        }
    }
}

/// A number of so many bytes, with zeros before it.
fn padded(number: &[u8], size: usize) -> Result<Vec<u8>, Problem> {
    let start = number.iter().position(|byte| *byte != 0).unwrap_or(number.len());
    let bare = &number[start..];
    let zeros = size.checked_sub(bare.len()).ok_or_else(|| unfit("its number is too long"))?;
    Ok([&vec![0; zeros][..], bare].concat())
}

/// Writing.
impl Key {
    /// `RSA`, `ECDSA` or `ED25519`.
    pub(super) fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "RSA",
            Self::Ecdsa { .. } => "ECDSA",
            Self::Ed25519 { .. } => "ED25519",
        }
    }

    /// PEM in the form of the algorithm: PKCS #1 for RSA, SEC 1 for ECDSA, PKCS #8 for ED25519.
    pub(super) fn pem(&self) -> Result<String, Problem> {
        match self {
            Self::Rsa(der) => written("RSA PRIVATE KEY", der),
            Self::Ecdsa { curve, .. } => written("EC PRIVATE KEY", &self.sec1(Some(*curve))?),
            Self::Ed25519 { .. } => self.pkcs8_pem(),
        }
    }

    /// PEM in PKCS #8.
    pub(super) fn pkcs8_pem(&self) -> Result<String, Problem> {
        let inner = match self {
            Self::Rsa(der) => der.clone(),
            Self::Ecdsa { .. } => self.sec1(None)?,
            Self::Ed25519 { seed, .. } => OctetStringRef::new(seed).and_then(|seed| seed.to_der()).map_err(unfit)?,
        };
        let curve = self.curve_oid();
        let algorithm = AlgorithmIdentifierRef { oid: self.oid(), parameters: self.parameters(curve.as_ref()) };
        let der = PrivateKeyInfo::new(algorithm, &inner).to_der().map_err(unfit)?;
        written("PRIVATE KEY", &der)
    }

    /// The public key with its algorithm, in DER.
    pub(super) fn public(&self) -> Result<SubjectPublicKeyInfoOwned, Problem> {
        let curve = self.curve_oid();
        let parameters = self.parameters(curve.as_ref()).map(Into::into);
        let algorithm = AlgorithmIdentifierOwned { oid: self.oid(), parameters };
        let subject_public_key = BitString::from_bytes(&self.public_bytes()?).map_err(unfit)?;
        Ok(SubjectPublicKeyInfoOwned { algorithm, subject_public_key })
    }

    /// The public key alone: PKCS #1, an uncompressed point, or 32 bytes.
    pub(super) fn public_bytes(&self) -> Result<Vec<u8>, Problem> {
        match self {
            Self::Rsa(der) => {
                let key = pkcs1::RsaPrivateKey::from_der(der).map_err(unfit)?;
                key.public_key().to_der().map_err(unfit)
            }
            Self::Ecdsa { point, .. } => Ok(point.clone()),
            Self::Ed25519 { public, .. } => Ok(public.to_vec()),
        }
    }

    fn oid(&self) -> ObjectIdentifier {
        match self {
            Self::Rsa(_) => RSA,
            Self::Ecdsa { .. } => EC,
            Self::Ed25519 { .. } => ED25519,
        }
    }

    fn curve_oid(&self) -> Option<ObjectIdentifier> {
        match self {
            Self::Ecdsa { curve, .. } => Some(curve.oid()),
            _ => None,
        }
    }

    fn parameters<'a>(&self, curve: Option<&'a ObjectIdentifier>) -> Option<AnyRef<'a>> {
        match self {
            Self::Rsa(_) => Some(Null.into()),
            Self::Ecdsa { .. } => curve.map(Into::into),
            Self::Ed25519 { .. } => None,
        }
    }

    fn sec1(&self, named: Option<Curve>) -> Result<Vec<u8>, Problem> {
        let Self::Ecdsa { scalar, point, .. } = self else { return Err("it is on no curve".into()) };
        let parameters = named.map(|curve| EcParameters::NamedCurve(curve.oid()));
        EcPrivateKey { private_key: scalar, parameters, public_key: Some(point) }.to_der().map_err(unfit)
    }

    /// What [`Self::sign`] does, as certificates name it.
    pub(super) fn signs_with(&self) -> AlgorithmIdentifierOwned {
        let (oid, parameters) = match self {
            Self::Rsa(_) => ("1.2.840.113549.1.1.11", Some(AnyRef::from(Null).into())),
            Self::Ecdsa { curve: Curve::P224 | Curve::P256, .. } => ("1.2.840.10045.4.3.2", None),
            Self::Ecdsa { curve: Curve::P384, .. } => ("1.2.840.10045.4.3.3", None),
            Self::Ecdsa { curve: Curve::P521, .. } => ("1.2.840.10045.4.3.4", None),
            Self::Ed25519 { .. } => ("1.3.101.112", None),
        };
        AlgorithmIdentifierOwned { oid: ObjectIdentifier::new_unwrap(oid), parameters }
    }

    /// Signs a message.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Problem> {
        let failed = |e: &dyn std::fmt::Display| format!("it cannot sign ({e})");
        match self {
            Self::Rsa(der) => {
                // It signs with no key below 2048 bits.
                let Ok(pair) = RsaKeyPair::from_der(der) else {
                    return other_keys::sign_with_rsa(der, message).map_err(|e| failed(&e));
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).map_err(|e| failed(&e))?;
                Ok(signature)
            }
            Self::Ecdsa { curve, scalar, point } => {
                let Some((algorithm, _)) = curve.algorithms() else {
                    return other_keys::sign_on_p224(scalar, message).map_err(|e| failed(&e));
                };
                let pair = EcdsaKeyPair::from_private_key_and_public_key(algorithm, scalar, point);
                let pair = pair.map_err(|e| failed(&e))?;
                Ok(pair.sign(&SystemRandom::new(), message).map_err(|e| failed(&e))?.as_ref().to_vec())
            }
            Self::Ed25519 { seed, public } => {
                let pair = Ed25519KeyPair::from_seed_and_public_key(seed, public).map_err(|e| failed(&e))?;
                Ok(pair.sign(message).as_ref().to_vec())
            }
        }
    }
}

/// DER as PEM, with lines of 64 characters.
pub(super) fn written(label: &'static str, der: &[u8]) -> Result<String, Problem> {
    pem::encode_string(label, LineEnding::LF, der).map_err(|e| e.to_string())
}
