//! Certificates: what the two types that issue them share.

use std::time::Duration;

use pkcs8::{
    ObjectIdentifier,
    der::{
        DateTime, EncodePem,
        asn1::{BitString, GeneralizedTime, OctetString, UtcTime},
        flagset::FlagSet,
        oid::AssociatedOid,
        pem::LineEnding,
    },
};
use sgp_contract::{PlanRequest, PlanResponse};
use sgp_model::{AttrPath, Attribute, Diagnostic, Diagnostics, Schema, Value};
use sha1::{Digest, Sha1};
use x509_cert::{
    Certificate, TbsCertificate, Version,
    ext::{
        Extension,
        pkix::{
            AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAltName, SubjectKeyIdentifier,
        },
    },
    name::Name,
    serial_number::SerialNumber,
    spki::SubjectPublicKeyInfoOwned,
    time::{Time, Validity},
};

use super::{
    key::{Key, Problem},
    subject::der,
    uses,
};
use crate::{
    attrs::{self, flag, int, text, wrong},
    dice,
    moment::{Moment, Way},
};

/// Adds the arguments and what is told of a certificate.
pub(super) fn arguments(schema: Schema) -> Schema {
    let option = |doc| Attribute::bool().default(false).force_new().doc(doc);
    let told = |doc| Attribute::string().computed().doc(doc);
    schema
        .version(1)
        .attr("allowed_uses", Attribute::strings().required().force_new().doc("What it may be used for: `digital_signature`, `key_encipherment`, `cert_signing`, `server_auth`, `client_auth` and more."))
        .attr("validity_period_hours", Attribute::number().required().force_new().doc("How many hours it is valid."))
        .attr("early_renewal_hours", Attribute::number().default(Value::int(0)).doc("How many hours before its end a run makes another one."))
        .attr("is_ca_certificate", option("Whether it is that of an authority."))
        .attr("max_path_length", Attribute::number().default(Value::int(-1)).force_new().doc("How many authorities may stand between it and a certificate at the end; below zero any number. Only for an authority."))
        .attr("set_subject_key_id", option("Whether the digest of its public key is in it; in that of an authority it always is."))
        .attr("id", told("Its serial number in decimal digits."))
        .attr("cert_pem", told("It, in PEM."))
        .attr("ready_for_renewal", Attribute::bool().computed().default(false).doc("Whether its time, less `early_renewal_hours`, is over; the plan then makes another one."))
        .attr("validity_start_time", told("The time from which it is valid."))
        .attr("validity_end_time", told("The time until which it is valid."))
}

/// Says what is wrong with the arguments.
pub(super) fn validate(config: &Value) -> Diagnostics {
    let mut problems = attrs::whole_numbers(
        config,
        &[("validity_period_hours", 0), ("early_renewal_hours", 0), ("max_path_length", -1)],
    );
    if int(config, "max_path_length").is_some_and(|length| length > 255) {
        problems.push(wrong("max_path_length", "`max_path_length` must be at most 255."));
    }
    for name in config.get("allowed_uses").map(Value::str_elements).unwrap_or_default() {
        if uses::key_use(name).is_none() && uses::extended_use(name).is_none() {
            let detail = format!("{name:?} is no use of a certificate. There are: {}.", uses::names().join(", "));
            problems.push(wrong("allowed_uses", detail));
        }
    }
    problems
}

/// A certificate is ready for another one once its time is over.
pub(super) fn at(now: i64, recorded: &Value) -> Value {
    let end = text(recorded, "validity_end_time").and_then(Moment::parse);
    let early = int(recorded, "early_renewal_hours").unwrap_or(0).saturating_mul(3600);
    let is_over = end.is_some_and(|end| end.unix().saturating_sub(early) <= now);
    if is_over { recorded.with_attr(READY, true.into()) } else { recorded.clone() }
}

/// One whose time is over is replaced: nobody sets `ready_for_renewal`, so that the schema alone does not say so.
pub(super) fn plan(request: &PlanRequest<'_>) -> PlanResponse {
    let is_over = attrs::flag(request.prior, READY) == Some(true);
    let requires_replace = is_over.then(|| AttrPath::attr(READY)).into_iter().collect();
    PlanResponse { requires_replace, ..PlanResponse::default() }
}

const READY: &str = "ready_for_renewal";

/// Who signs.
pub(super) struct Issuer<'a> {
    /// With this key.
    pub(super) key: &'a Key,
    /// Under this name.
    pub(super) name: Name,
    /// The digest of the key that is in its certificate, where there is one.
    pub(super) key_id: Option<Vec<u8>>,
}

/// What is signed.
pub(super) struct Subject {
    /// Its name.
    pub(super) name: Name,
    /// Its other names.
    pub(super) other_names: Option<SubjectAltName>,
    /// Its public key.
    pub(super) key: SubjectPublicKeyInfoOwned,
}

/// Issues a certificate as the arguments say; answers what is told of it. Without an issuer the subject signs itself.
pub(super) fn issue(
    planned: &Value,
    now: i64,
    subject: &Subject,
    issuer: &Issuer<'_>,
) -> Result<Vec<(&'static str, Value)>, Problem> {
    let start = Moment::at(now).ok_or("the clock of this machine is wrong")?;
    let hours = int(planned, "validity_period_hours").unwrap_or_default();
    let end = start.after(Way::Seconds(hours.saturating_mul(3600))).ok_or("it would be valid for too long")?;
    let serial = serial();
    let tbs = TbsCertificate {
        version: Version::V3,
        serial_number: SerialNumber::new(&serial).map_err(|e| e.to_string())?,
        signature: issuer.key.signs_with(),
        issuer: issuer.name.clone(),
        validity: Validity { not_before: time(start.unix())?, not_after: time(end.unix())? },
        subject: subject.name.clone(),
        subject_public_key_info: subject.key.clone(),
        issuer_unique_id: None,
        subject_unique_id: None,
        extensions: Some(extensions(planned, subject, issuer)?),
    };
    let signature = BitString::from_bytes(&issuer.key.sign(&der(&tbs)?)?).map_err(|e| e.to_string())?;
    let certificate = Certificate { signature_algorithm: issuer.key.signs_with(), tbs_certificate: tbs, signature };
    let pem = certificate.to_pem(LineEnding::LF).map_err(|e| e.to_string())?;
    Ok(vec![
        ("id", dashu_int::UBig::from_be_bytes(&serial).to_string().into()),
        ("cert_pem", pem.into()),
        ("ready_for_renewal", false.into()),
        ("validity_start_time", start.to_string().into()),
        ("validity_end_time", end.to_string().into()),
    ])
}

/// 16 random bytes, as a positive number in DER: without a sign and without leading zeros.
fn serial() -> Vec<u8> {
    let mut serial = dice::bytes(16);
    serial[0] = serial[0] & 0x7f | 0x40;
    serial
}

fn time(unix: i64) -> Result<Time, Problem> {
    let since = Duration::from_secs(u64::try_from(unix).map_err(|_| "the clock of this machine is wrong")?);
    // Two digits of a year stand for those until 2049 (RFC 5280, 4.1.2.5).
    match UtcTime::from_unix_duration(since) {
        Ok(time) => Ok(Time::UtcTime(time)),
        Err(_) => {
            let date = DateTime::from_unix_duration(since).map_err(|e| e.to_string())?;
            Ok(Time::GeneralTime(GeneralizedTime::from_date_time(date)))
        }
    }
}

fn extension<T: AssociatedOid + pkcs8::der::Encode>(critical: bool, value: &T) -> Result<Extension, Problem> {
    let extn_value = OctetString::new(der(value)?).map_err(|e| e.to_string())?;
    Ok(Extension { extn_id: T::OID, critical, extn_value })
}

/// In the order in which Go's library writes them.
fn extensions(planned: &Value, subject: &Subject, issuer: &Issuer<'_>) -> Result<Vec<Extension>, Problem> {
    let mut all = Vec::new();
    let allowed = planned.get("allowed_uses").map(Value::str_elements).unwrap_or_default();
    let key_uses: Vec<_> = allowed.iter().filter_map(|name| uses::key_use(name)).collect();
    if !key_uses.is_empty() {
        let flags = key_uses.into_iter().fold(FlagSet::default(), |flags, usage| flags | usage);
        all.push(extension(true, &KeyUsage(flags))?);
    }
    let extended: Vec<ObjectIdentifier> = allowed.iter().filter_map(|name| uses::extended_use(name)).collect();
    if !extended.is_empty() {
        all.push(extension(false, &ExtendedKeyUsage(extended))?);
    }
    let is_ca = flag(planned, "is_ca_certificate") == Some(true);
    let path_len_constraint = int(planned, "max_path_length").filter(|_| is_ca).and_then(|n| u8::try_from(n).ok());
    all.push(extension(true, &BasicConstraints { ca: is_ca, path_len_constraint })?);
    let octets = |bytes: Vec<u8>| OctetString::new(bytes).map_err(|e| e.to_string());
    if is_ca || flag(planned, "set_subject_key_id") == Some(true) {
        all.push(extension(false, &SubjectKeyIdentifier(octets(key_id(&subject.key))?))?);
    }
    if let Some(id) = authority(planned, subject, issuer, is_ca)? {
        let identifier =
            AuthorityKeyIdentifier { key_identifier: Some(octets(id)?), ..AuthorityKeyIdentifier::default() };
        all.push(extension(false, &identifier)?);
    }
    if let Some(names) = &subject.other_names {
        all.push(extension(subject.name.is_empty(), names)?);
    }
    Ok(all)
}

/// The digest of the issuer's key, where it stands in the certificate.
fn authority(planned: &Value, subject: &Subject, issuer: &Issuer<'_>, is_ca: bool) -> Result<Option<Vec<u8>>, Problem> {
    if issuer.name != subject.name && issuer.key_id.is_some() {
        return Ok(issuer.key_id.clone());
    }
    if flag(planned, "set_authority_key_id") != Some(true) {
        return Ok(None);
    }
    let is_own = issuer.key.public()? == subject.key;
    let own_is_set = is_ca || flag(planned, "set_subject_key_id") == Some(true);
    let own = (is_own && own_is_set).then(|| key_id(&subject.key));
    let found = issuer.key_id.clone().or(own);
    found.map(Some).ok_or_else(|| {
        "the authority's certificate has no subject key identifier, which `set_authority_key_id` needs".into()
    })
}

/// The SHA-1 of a public key. Of Ed25519's it is that of an octet string in DER, as Terraform's provider makes it.
fn key_id(key: &SubjectPublicKeyInfoOwned) -> Vec<u8> {
    let bytes = key.subject_public_key.raw_bytes();
    let is_ed25519 = key.algorithm.oid == ObjectIdentifier::new_unwrap("1.3.101.112");
    let prefix: &[u8] = if is_ed25519 { &[4, 32] } else { &[] };
    Sha1::digest([prefix, bytes].concat()).to_vec()
}

/// The error about a certificate that was not issued.
pub(super) fn failed(problem: Problem) -> Diagnostic {
    Diagnostic::error("Certificate cannot be issued", format!("{problem}."))
}

/// The error about an authority without a name (RFC 5280, 4.1.2.6).
pub(super) fn nameless(planned: &Value, name: &Name) -> Result<(), Diagnostic> {
    if flag(planned, "is_ca_certificate") != Some(true) || !name.is_empty() {
        return Ok(());
    }
    let detail = "The certificate of an authority must have a subject with at least one name in it.";
    Err(Diagnostic::error("Invalid subject", detail).attribute(AttrPath::attr("subject")))
}
