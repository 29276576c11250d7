//! A certificate as `tls_certificate` tells of it: in the words of Go's library.

use dashu_int::UBig;
use pkcs8::{
    ObjectIdentifier,
    der::{Decode, Encode, Tag, Tagged, oid::AssociatedOid},
};
use sgp_model::{Type, Value};
use x509_cert::{Certificate, ext::pkix::BasicConstraints, name::Name};

use super::key::{Problem, written};
use crate::{digests, moment::Moment};

/// The type of one certificate.
pub(super) fn ty() -> Type {
    Type::object([
        ("cert_pem", Type::String),
        ("is_ca", Type::Bool),
        ("issuer", Type::String),
        ("max_path_length", Type::Number),
        ("not_after", Type::String),
        ("not_before", Type::String),
        ("public_key_algorithm", Type::String),
        ("serial_number", Type::String),
        ("sha1_fingerprint", Type::String),
        ("signature_algorithm", Type::String),
        ("subject", Type::String),
        ("version", Type::Number),
    ])
}

/// What is told of a certificate in DER.
pub(super) fn told(der: &[u8]) -> Result<Value, Problem> {
    let certificate = Certificate::from_der(der).map_err(|e| format!("a certificate cannot be read ({e})"))?;
    let tbs = &certificate.tbs_certificate;
    let constraints = tbs.extensions.iter().flatten().find(|e| e.extn_id == BasicConstraints::OID);
    let constraints = constraints.and_then(|e| BasicConstraints::from_der(e.extn_value.as_bytes()).ok());
    let path_length = constraints.as_ref().map_or(0, |c| c.path_len_constraint.map_or(-1, i64::from));
    let moment = |time: &x509_cert::time::Time| {
        let unix = i64::try_from(time.to_unix_duration().as_secs()).ok();
        Value::from(unix.and_then(Moment::at).map(|m| m.to_string()))
    };
    Ok(Value::object([
        ("cert_pem", written("CERTIFICATE", der)?.into()),
        ("is_ca", constraints.is_some_and(|c| c.ca).into()),
        ("issuer", name(&tbs.issuer).into()),
        ("max_path_length", Value::int(path_length)),
        ("not_after", moment(&tbs.validity.not_after)),
        ("not_before", moment(&tbs.validity.not_before)),
        ("public_key_algorithm", key_algorithm(&tbs.subject_public_key_info.algorithm.oid).into()),
        ("serial_number", UBig::from_be_bytes(tbs.serial_number.as_bytes()).to_string().into()),
        ("sha1_fingerprint", digests::sha1(der).into()),
        ("signature_algorithm", signature_algorithm(&certificate).into()),
        ("subject", name(&tbs.subject).into()),
        ("version", Value::int(tbs.version as i64 + 1)),
    ]))
}

fn key_algorithm(oid: &ObjectIdentifier) -> &'static str {
    match oid.to_string().as_str() {
        "1.2.840.113549.1.1.1" => "RSA",
        "1.2.840.10040.4.1" => "DSA",
        "1.2.840.10045.2.1" => "ECDSA",
        "1.3.101.112" => "Ed25519",
        // Go's word for a number that it has no name for.
        _ => "0",
    }
}

fn signature_algorithm(certificate: &Certificate) -> &'static str {
    let algorithm = &certificate.signature_algorithm;
    match algorithm.oid.to_string().as_str() {
        "1.2.840.113549.1.1.4" => "MD5-RSA",
        "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" => "SHA1-RSA",
        "1.2.840.113549.1.1.11" => "SHA256-RSA",
        "1.2.840.113549.1.1.12" => "SHA384-RSA",
        "1.2.840.113549.1.1.13" => "SHA512-RSA",
        "1.2.840.113549.1.1.10" => {
            // The digest is the first parameter.
            let parameters = algorithm.parameters.as_ref().and_then(|any| any.to_der().ok()).unwrap_or_default();
            let has = |oid: &str| {
                let oid = ObjectIdentifier::new_unwrap(oid);
                parameters.windows(oid.as_bytes().len()).any(|bytes| bytes == oid.as_bytes())
            };
            match () {
                () if has("2.16.840.1.101.3.4.2.3") => "SHA512-RSAPSS",
                () if has("2.16.840.1.101.3.4.2.2") => "SHA384-RSAPSS",
                () if has("2.16.840.1.101.3.4.2.1") => "SHA256-RSAPSS",
                () => "0",
            }
        }
        "1.2.840.10045.4.1" => "ECDSA-SHA1",
        "1.2.840.10045.4.3.2" => "ECDSA-SHA256",
        "1.2.840.10045.4.3.3" => "ECDSA-SHA384",
        "1.2.840.10045.4.3.4" => "ECDSA-SHA512",
        "1.3.101.112" => "Ed25519",
        _ => "0",
    }
}

/// The parts that Go's library sorts, in the order in which it shows them, with their letters.
const SHOWN: [(&str, &str); 9] = [
    ("2.5.4.5", "SERIALNUMBER"),
    ("2.5.4.3", "CN"),
    ("2.5.4.17", "POSTALCODE"),
    ("2.5.4.9", "STREET"),
    ("2.5.4.8", "ST"),
    ("2.5.4.7", "L"),
    ("2.5.4.11", "OU"),
    ("2.5.4.10", "O"),
    ("2.5.4.6", "C"),
];

/// A name, roughly as RFC 2253 writes it, whatever the order in the certificate.
pub(super) fn name(name: &Name) -> String {
    let all: Vec<_> = name.0.iter().flat_map(|part| part.0.iter()).collect();
    let mut shown = Vec::new();
    for (oid, letters) in SHOWN {
        let values = all.iter().filter(|value| value.oid.to_string() == oid).map(|value| text(&value.value));
        let mut values: Vec<String> = values.collect();
        // Of a name and a serial number only the last one counts.
        if ["CN", "SERIALNUMBER"].contains(&letters) && values.len() > 1 {
            values.drain(..values.len() - 1);
        }
        if !values.is_empty() {
            shown
                .push(values.iter().map(|value| format!("{letters}={}", escaped(value))).collect::<Vec<_>>().join("+"));
        }
    }
    let others = all.iter().rev().filter(|value| SHOWN.iter().all(|(oid, _)| value.oid.to_string() != *oid));
    shown.extend(others.map(|value| {
        let der = value.value.to_der().unwrap_or_default();
        format!("{}=#{}", value.oid, digests::hex(&der))
    }));
    shown.join(",")
}

fn text(value: &pkcs8::der::Any) -> String {
    let bytes = value.value();
    if value.tag() == Tag::BmpString {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
        return String::from_utf16_lossy(&units);
    }
    String::from_utf8_lossy(bytes).into_owned()
}

fn escaped(value: &str) -> String {
    let last = value.chars().count().saturating_sub(1);
    let must = |at: usize, c: char| match c {
        ',' | '+' | '"' | '\\' | '<' | '>' | ';' => true,
        '#' => at == 0,
        ' ' => at == 0 || at == last,
        _ => false,
    };
    value.chars().enumerate().flat_map(|(at, c)| must(at, c).then_some('\\').into_iter().chain([c])).collect()
}
