//! Keys that AWS-LC, which makes and uses all others, does not have: RSA keys of other sizes, and the curve P-224.

use p224::ecdsa::{Signature, SigningKey, signature::hazmat::PrehashSigner};
use p224::elliptic_curve::sec1::ToEncodedPoint;
use rsa::{Pkcs1v15Sign, PrivateKey, pkcs1::DecodeRsaPrivateKey, pkcs1::EncodeRsaPrivateKey};
use sha2::{Digest, Sha256};

use super::key::Problem;
use crate::dice;

/// Makes an RSA key; answers it as PKCS #1 has it.
pub(super) fn rsa(bits: usize) -> Result<Vec<u8>, Problem> {
    let key = PrivateKey::new(&mut dice::system(), bits).map_err(|e| e.to_string())?;
    Ok(key.to_pkcs1_der().map_err(|e| e.to_string())?.as_bytes().to_vec())
}

/// Signs a message with an RSA key: PKCS #1 v1.5 over its SHA-256.
pub(super) fn sign_with_rsa(der: &[u8], message: &[u8]) -> Result<Vec<u8>, Problem> {
    let key = PrivateKey::from_pkcs1_der(der).map_err(|e| e.to_string())?;
    let digest = Sha256::digest(message);
    let padding = Pkcs1v15Sign::new::<rsa::sha2::Sha256>();
    key.sign_with_rng(&mut dice::system(), padding, &digest).map_err(|e| e.to_string())
}

/// The point of a number on P-224, as SEC 1 has it, uncompressed.
pub(super) fn p224_point(scalar: &[u8]) -> Result<Vec<u8>, Problem> {
    let key = p224::SecretKey::from_slice(scalar).map_err(|e| e.to_string())?;
    Ok(key.public_key().to_encoded_point(false).as_bytes().to_vec())
}

/// Signs a message on P-224: ECDSA over its SHA-256, in DER.
pub(super) fn sign_on_p224(scalar: &[u8], message: &[u8]) -> Result<Vec<u8>, Problem> {
    let key = SigningKey::from_slice(scalar).map_err(|e| e.to_string())?;
    let signature: Signature = key.sign_prehash(&Sha256::digest(message)).map_err(|e| e.to_string())?;
    Ok(signature.to_der().as_bytes().to_vec())
}
