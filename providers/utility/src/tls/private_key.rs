//! `tls_private_key`.

use std::sync::LazyLock;

use async_trait::async_trait;
use sgp_contract::Context;
use sgp_model::{Attribute, Diagnostic, Diagnostics, Schema, Value};

use super::{
    key::{CURVES, Key, RSA_BITS, written},
    openssh,
};
use crate::{
    attrs::{self, int, text, wrong},
    digests,
    in_state::Logical,
};

pub(crate) struct TlsPrivateKey;

/// The curve when nothing is said, as Terraform's type has it; it is recorded with keys of other algorithms, too.
const UNSAID: &str = "P224";

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let schema =
        public(Schema::new("tls_private_key", "A private key and its public one. It is in the state in clear."));
    arguments(schema, Attribute::force_new)
        .version(1)
        .attr("id", id())
        .example("resource \"tls_private_key\" \"ca\" {\n  algorithm   = \"ECDSA\"\n  ecdsa_curve = \"P384\"\n}\n")
});

/// Adds what is said of a key that is made, and the key; `each` is done to every argument.
pub(super) fn arguments(schema: Schema, each: fn(Attribute) -> Attribute) -> Schema {
    let secret = |doc| Attribute::string().computed().sensitive().doc(doc);
    schema
        .attr("algorithm", each(Attribute::string().required().doc("`RSA`, `ECDSA` or `ED25519`.")))
        .attr(
            "rsa_bits",
            each(Attribute::number().default(Value::int(2048)).doc("How long an RSA key is: 1024 to 8192 bits.")),
        )
        .attr(
            "ecdsa_curve",
            each(
                Attribute::string()
                    .default(UNSAID)
                    .doc("The curve of an ECDSA key: `P224`, which OpenSSH does not have, `P256`, `P384` or `P521`."),
            ),
        )
        .attr(
            "private_key_pem",
            secret("The private key in PEM: PKCS #1 for RSA, SEC 1 for ECDSA, PKCS #8 for ED25519."),
        )
        .attr("private_key_pem_pkcs8", secret("The private key in PEM, in PKCS #8."))
        .attr("private_key_openssh", secret("The private key as OpenSSH has it."))
}

/// What `id` is where there is one.
pub(super) fn id() -> Attribute {
    Attribute::string().computed().doc("The SHA-1 of the public key in hexadecimal digits.")
}

/// Adds what is told of a public key.
pub(super) fn public(schema: Schema) -> Schema {
    let told = |doc| Attribute::string().computed().doc(doc);
    schema
        .attr("public_key_pem", told("The public key in PEM."))
        .attr("public_key_openssh", told("The public key as a line of `authorized_keys`."))
        .attr("public_key_fingerprint_md5", told("The fingerprint that OpenSSH showed of old: `aa:bb:...`."))
        .attr("public_key_fingerprint_sha256", told("The fingerprint that OpenSSH shows: `SHA256:...`."))
}

/// Everything that is told of a key: names and texts, the secret ones too.
pub(super) fn told(key: &Key) -> Result<Vec<(&'static str, Value)>, Diagnostic> {
    use pkcs8::der::Encode;
    let failed = |problem| Diagnostic::error("Key cannot be written", format!("{problem}."));
    let public = key.public().map_err(failed)?.to_der().map_err(|e| failed(e.to_string()))?;
    let forms = openssh::forms(key).map_err(failed)?;
    Ok(vec![
        ("id", digests::sha1(&public).into()),
        ("algorithm", key.algorithm().into()),
        ("public_key_pem", written("PUBLIC KEY", &public).map_err(failed)?.into()),
        ("public_key_openssh", forms.public.into()),
        ("public_key_fingerprint_md5", forms.md5.into()),
        ("public_key_fingerprint_sha256", forms.sha256.into()),
        ("private_key_pem", key.pem().map_err(failed)?.into()),
        ("private_key_pem_pkcs8", key.pkcs8_pem().map_err(failed)?.into()),
        ("private_key_openssh", forms.private.into()),
    ])
}

fn made(planned: &Value) -> Result<Key, Diagnostic> {
    let algorithm = text(planned, "algorithm").unwrap_or_default();
    let key = match algorithm {
        "RSA" => Key::rsa(int(planned, "rsa_bits").unwrap_or(2048)),
        "ECDSA" => {
            let name = text(planned, "ecdsa_curve").unwrap_or(UNSAID);
            let curve = CURVES.iter().find(|(known, _)| *known == name).map(|(_, curve)| *curve);
            curve.ok_or_else(|| format!("sgp makes none on the curve {name}")).and_then(Key::ecdsa)
        }
        "ED25519" => Key::ed25519(),
        other => Err(format!("there is no algorithm {other:?}")),
    };
    key.map_err(|problem| Diagnostic::error("Key cannot be made", format!("No {algorithm} key was made: {problem}.")))
}

/// Says what is wrong with the arguments.
pub(super) fn validate(config: &Value) -> Diagnostics {
    let mut problems = Diagnostics::new();
    let algorithm = text(config, "algorithm");
    if let Some(other) = algorithm.filter(|name| !["RSA", "ECDSA", "ED25519"].contains(name)) {
        problems.push(wrong("algorithm", format!("`algorithm` must be RSA, ECDSA or ED25519, not {other:?}.")));
    }
    let is_curve = |name: &&str| CURVES.iter().any(|(known, _)| known == name);
    if let Some(other) = text(config, "ecdsa_curve").filter(|name| !is_curve(name)) {
        problems.push(wrong("ecdsa_curve", format!("`ecdsa_curve` must be P224, P256, P384 or P521, not {other:?}.")));
    }
    if let Some(bits) = int(config, "rsa_bits").filter(|bits| algorithm == Some("RSA") && !RSA_BITS.contains(bits)) {
        problems.push(wrong(
            "rsa_bits",
            format!("`rsa_bits` must be 1024 to 8192, not {bits}: sgp makes RSA keys of these sizes only."),
        ));
    }
    problems
}

/// Makes a key as the arguments say, and tells of it what the object has attributes for.
pub(super) async fn make(planned: &Value) -> Result<Value, Diagnostic> {
    let wanted = planned.clone();
    // Primes take their time.
    let made = tokio::task::spawn_blocking(move || made(&wanted).and_then(|key| told(&key))).await;
    let told = made.unwrap_or_else(|e| Err(Diagnostic::error("Key cannot be made", format!("{e}."))))?;
    Ok(attrs::with(planned, told.into_iter().filter(|(name, _)| planned.get(name).is_some())))
}

#[async_trait]
impl Logical for TlsPrivateKey {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        validate(config)
    }

    async fn make(&self, _cx: &Context, planned: &Value) -> Result<Value, Diagnostic> {
        make(planned).await
    }

    /// Version 1 brought `private_key_pem_pkcs8` and fingerprints.
    fn upgrade(&self, _from: u64, attributes: Value) -> Result<Value, Diagnostic> {
        let Some(pem) = text(&attributes, "private_key_pem") else { return Ok(attributes) };
        let key = Key::from_pem(pem)
            .map_err(|problem| Diagnostic::error("Recorded key cannot be read", format!("{problem}.")))?;
        let missing = told(&key)?.into_iter().filter(|(name, _)| !attrs::is_set(&attributes, name));
        Ok(attrs::with(&attributes, missing.collect::<Vec<_>>()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[tokio::test]
    async fn what_is_told_of_each_algorithm() {
        for (algorithm, curve, head, public) in [
            ("RSA", "P224", "-----BEGIN RSA PRIVATE KEY-----\n", "ssh-rsa "),
            ("ECDSA", "P256", "-----BEGIN EC PRIVATE KEY-----\n", "ecdsa-sha2-nistp256 "),
            ("ECDSA", "P384", "-----BEGIN EC PRIVATE KEY-----\n", "ecdsa-sha2-nistp384 "),
            ("ECDSA", "P521", "-----BEGIN EC PRIVATE KEY-----\n", "ecdsa-sha2-nistp521 "),
            ("ED25519", "P224", "-----BEGIN PRIVATE KEY-----\n", "ssh-ed25519 "),
        ] {
            let arguments = [("algorithm", Value::from(algorithm)), ("ecdsa_curve", curve.into())];
            let object = testing::made(&TlsPrivateKey, &arguments).await;
            let told = |name: &str| text(&object, name).unwrap_or("(null)").to_owned();
            assert!(told("private_key_pem").starts_with(head), "{algorithm} {curve}");
            assert!(told("private_key_pem_pkcs8").starts_with("-----BEGIN PRIVATE KEY-----\n"), "{algorithm} {curve}");
            assert!(told("public_key_pem").starts_with("-----BEGIN PUBLIC KEY-----\n"), "{algorithm} {curve}");
            assert!(told("public_key_openssh").starts_with(public) && told("public_key_openssh").ends_with('\n'));
            assert!(told("private_key_openssh").starts_with("-----BEGIN OPENSSH PRIVATE KEY-----\n"));
            assert_eq!(told("public_key_fingerprint_md5").len(), 47);
            assert_eq!(told("public_key_fingerprint_sha256").len(), 50);
            assert_eq!(told("id").len(), 40);
            // Each form is the same key.
            let key = Key::from_pem(&told("private_key_pem")).expect("PEM");
            assert_eq!(Key::from_pem(&told("private_key_pem_pkcs8")).expect("PKCS #8"), key);
            assert_eq!(Key::from_openssh(&told("private_key_openssh")).expect("OpenSSH"), key);
            let old = object.with_attr("private_key_pem_pkcs8", Value::null(sgp_model::Type::String));
            assert_eq!(
                TlsPrivateKey.upgrade(0, old.clone()).expect("it can be read").get("private_key_pem_pkcs8"),
                object.get("private_key_pem_pkcs8")
            );
        }
    }

    #[tokio::test]
    async fn a_curve_that_openssh_does_not_have() {
        let arguments = [("algorithm", "ECDSA".into()), ("ecdsa_curve", UNSAID.into())];
        let object = testing::made(&TlsPrivateKey, &arguments).await;
        let told = |name: &str| text(&object, name).unwrap_or("(null)").to_owned();
        for name in ["key_openssh", "key_fingerprint_md5", "key_fingerprint_sha256"] {
            assert_eq!(told(&format!("public_{name}")), "", "{name}");
        }
        assert_eq!(told("private_key_openssh"), "");
        let key = Key::from_pem(&told("private_key_pem")).expect("PEM");
        assert_eq!(Key::from_pem(&told("private_key_pem_pkcs8")).expect("PKCS #8"), key);
    }

    #[tokio::test]
    async fn rsa_keys_are_as_long_as_is_said() {
        for bits in [1024, 1025, 1500, 2048, 2050] {
            let arguments = [("algorithm", Value::from("RSA")), ("rsa_bits", Value::int(bits))];
            let object = testing::made(&TlsPrivateKey, &arguments).await;
            let pem = text(&object, "private_key_pem").unwrap_or_default();
            let (_, der) = pkcs8::der::pem::decode_vec(pem.as_bytes()).expect("PEM");
            let key = <pkcs1::RsaPrivateKey<'_> as pkcs8::der::Decode>::from_der(&der).expect("PKCS #1");
            let modulus = dashu_int::UBig::from_be_bytes(key.modulus.as_bytes());
            assert_eq!(i64::try_from(modulus.in_radix(2).to_string().len()), Ok(bits));
            let key = Key::from_pem(pem).expect("its own form");
            assert!(key.sign(b"message").is_ok(), "{bits}");
            assert!(text(&object, "public_key_openssh").is_some_and(|it| it.starts_with("ssh-rsa ")), "{bits}");
        }
    }

    #[test]
    fn arguments_are_judged() {
        for (fields, expected) in [
            (vec![("algorithm", Value::from("RSA"))], ""),
            (vec![("algorithm", Value::from("rsa"))], "must be RSA, ECDSA or ED25519"),
            (vec![("algorithm", "ECDSA".into()), ("ecdsa_curve", "P512".into())], "must be P224"),
            (vec![("algorithm", Value::from("ECDSA"))], ""),
            (vec![("algorithm", "ECDSA".into()), ("ecdsa_curve", Value::unknown(sgp_model::Type::String))], ""),
            (vec![("algorithm", "RSA".into()), ("rsa_bits", Value::int(1023))], "of these sizes only"),
            (vec![("algorithm", "RSA".into()), ("rsa_bits", Value::int(8193))], "of these sizes only"),
            (vec![("algorithm", "RSA".into()), ("rsa_bits", Value::int(1024))], ""),
            (vec![("algorithm", "ED25519".into()), ("rsa_bits", Value::int(1024))], ""),
        ] {
            let found = TlsPrivateKey.validate(&attrs::object(&SCHEMA.block, fields.clone()));
            let said = found.iter().map(|d| d.detail.as_str()).collect::<String>();
            assert!(if expected.is_empty() { said.is_empty() } else { said.contains(expected) }, "{fields:?}: {said}");
        }
    }
}
