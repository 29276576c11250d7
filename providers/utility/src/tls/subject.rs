//! Whom a certificate is about.

use std::net::IpAddr;

use pkcs8::{
    ObjectIdentifier,
    der::{
        Any, Encode, Tag,
        asn1::{Ia5String, OctetString, PrintableStringRef, SetOfVec},
    },
};
use sgp_model::{Attribute, Block, Diagnostics, NestedBlock, Schema, Value};
use x509_cert::{
    attr::AttributeTypeAndValue,
    ext::pkix::{SubjectAltName, name::GeneralName},
    name::{Name, RdnSequence, RelativeDistinguishedName},
};

use super::key::Problem;
use crate::attrs::{text, wrong};

/// The parts of a name in the order in which they stand in a certificate.
const PARTS: [(&str, &str); 10] = [
    ("country", "2.5.4.6"),
    ("organization", "2.5.4.10"),
    ("organizational_unit", "2.5.4.11"),
    ("locality", "2.5.4.7"),
    ("province", "2.5.4.8"),
    ("street_address", "2.5.4.9"),
    ("postal_code", "2.5.4.17"),
    ("common_name", "2.5.4.3"),
    ("serial_number", "2.5.4.5"),
    (EMAIL, "1.2.840.113549.1.9.1"),
];
const EMAIL: &str = "email_address";

/// Adds the block `subject` and other names.
pub(super) fn arguments(schema: Schema) -> Schema {
    let part = |doc| Attribute::string().force_new().doc(doc);
    let names = |doc| Attribute::strings().force_new().doc(doc);
    let block = Block::default()
        .attr("common_name", part("The name (CN)."))
        .attr("organization", part("The organization (O)."))
        .attr("organizational_unit", part("The unit of it (OU)."))
        .attr("street_address", names("The lines of the address (STREET)."))
        .attr("locality", part("The town (L)."))
        .attr("province", part("The province (ST)."))
        .attr("country", part("The country (C), two letters."))
        .attr("postal_code", part("The postal code (POSTALCODE)."))
        .attr("serial_number", part("The serial number of the subject (SERIALNUMBER)."))
        .attr(EMAIL, part("The address for mail."));
    schema
        .block("subject", NestedBlock::list_of_one(block).force_new().doc("Whom the certificate is about."))
        .attr("dns_names", names("Names of servers that it is for."))
        .attr("ip_addresses", names("Addresses of servers that it is for."))
        .attr("uris", names("URIs that it is for."))
}

/// Says what is wrong with other names.
pub(super) fn validate(config: &Value) -> Diagnostics {
    let mut problems = Diagnostics::new();
    for address in config.get("ip_addresses").map(Value::str_elements).unwrap_or_default() {
        if address.parse::<IpAddr>().is_err() {
            problems.push(wrong("ip_addresses", format!("{address:?} is no IP address.")));
        }
    }
    problems
}

fn unfit(error: impl std::fmt::Display) -> Problem {
    format!("a name cannot be written ({error})")
}

/// The name that the block says; empty without it.
pub(super) fn name(object: &Value) -> Result<Name, Problem> {
    let block = object.get("subject").and_then(Value::elements).and_then(|blocks| blocks.first().copied().cloned());
    let Some(block) = block.filter(|block| !block.is_null()) else { return Ok(RdnSequence::default()) };
    let mut name = RdnSequence::default();
    for (part, oid) in PARTS {
        let said = match block.get(part).and_then(Value::elements) {
            Some(lines) => lines.into_iter().filter_map(Value::as_str).collect(),
            None => text(&block, part).into_iter().collect::<Vec<_>>(),
        };
        if said.is_empty() {
            continue;
        }
        let mut values = SetOfVec::new();
        for value in said {
            let oid = ObjectIdentifier::new_unwrap(oid);
            values.insert(AttributeTypeAndValue { oid, value: written(part, value)? }).map_err(unfit)?;
        }
        name.0.push(RelativeDistinguishedName(values));
    }
    Ok(name)
}

/// A text as Go writes it: printable where it can be.
fn written(part: &str, value: &str) -> Result<Any, Problem> {
    let tag = match part {
        EMAIL => Tag::Ia5String,
        _ if PrintableStringRef::new(value).is_ok() => Tag::PrintableString,
        _ => Tag::Utf8String,
    };
    Any::new(tag, value.as_bytes()).map_err(unfit)
}

/// The other names; `None` when nothing is said.
pub(super) fn other_names(object: &Value) -> Result<Option<SubjectAltName>, Problem> {
    let said = |name: &str| object.get(name).map(Value::str_elements).unwrap_or_default();
    let mut names = Vec::new();
    for name in said("dns_names") {
        names.push(GeneralName::DnsName(Ia5String::new(name).map_err(unfit)?));
    }
    for address in said("ip_addresses") {
        let bytes = match address.parse::<IpAddr>().map_err(|_| format!("{address:?} is no IP address"))? {
            IpAddr::V4(ip) => ip.octets().to_vec(),
            IpAddr::V6(ip) => ip.octets().to_vec(),
        };
        names.push(GeneralName::IpAddress(OctetString::new(bytes).map_err(unfit)?));
    }
    for uri in said("uris") {
        names.push(GeneralName::UniformResourceIdentifier(Ia5String::new(uri).map_err(unfit)?));
    }
    Ok((!names.is_empty()).then_some(SubjectAltName(names)))
}

/// DER of anything.
pub(super) fn der(value: &impl Encode) -> Result<Vec<u8>, Problem> {
    value.to_der().map_err(unfit)
}
