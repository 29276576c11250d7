//! `tls_cert_request`.

use std::sync::LazyLock;

use async_trait::async_trait;
use pkcs8::der::{
    Any, Decode, EncodePem,
    asn1::{BitString, OctetString, SetOfVec},
    oid::AssociatedOid,
    pem::LineEnding,
};
use sgp_contract::Context;
use sgp_model::{Attribute, Diagnostic, Diagnostics, Schema, Value};
use x509_cert::{
    attr::Attribute as RequestAttribute,
    ext::{Extension, pkix::SubjectAltName},
    request::{CertReq, CertReqInfo, ExtensionReq, Version},
};

use super::{
    issue,
    key::{Key, Problem},
    key_argument::OWN,
    subject::{self, der},
};
use crate::{attrs, digests, in_state::Logical};

pub(crate) struct TlsCertRequest;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let schema = Schema::new("tls_cert_request", "A request for a certificate (CSR), for an authority to sign.");
    OWN.add_to(subject::arguments(schema))
        .version(1)
        .attr("id", Attribute::string().computed().doc("The SHA-1 of the request in hexadecimal digits."))
        .attr("cert_request_pem", Attribute::string().computed().doc("The request in PEM."))
        .attr("key_algorithm", Attribute::string().computed().doc("The algorithm of the key."))
        .example(
            r#"resource "tls_cert_request" "web" {
  private_key_pem = tls_private_key.web.private_key_pem
  dns_names       = ["web.example.com"]

  subject {
    common_name = "web.example.com"
  }
}
"#,
        )
});

/// The request in PEM.
fn request(planned: &Value, key: &Key) -> Result<String, Problem> {
    let mut attributes = SetOfVec::new();
    if let Some(names) = subject::other_names(planned)? {
        let extn_value = OctetString::new(der(&names)?).map_err(|e| e.to_string())?;
        let extension = Extension { extn_id: SubjectAltName::OID, critical: false, extn_value };
        let wanted = Any::from_der(&der(&ExtensionReq(vec![extension]))?).map_err(|e| e.to_string())?;
        let mut values = SetOfVec::new();
        values.insert(wanted).map_err(|e| e.to_string())?;
        attributes.insert(RequestAttribute { oid: ExtensionReq::OID, values }).map_err(|e| e.to_string())?;
    }
    let info =
        CertReqInfo { version: Version::V1, subject: subject::name(planned)?, public_key: key.public()?, attributes };
    let signature = BitString::from_bytes(&key.sign(&der(&info)?)?).map_err(|e| e.to_string())?;
    let request = CertReq { info, algorithm: key.signs_with(), signature };
    request.to_pem(LineEnding::LF).map_err(|e| e.to_string())
}

#[async_trait]
impl Logical for TlsCertRequest {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        let mut problems = OWN.validate(config);
        problems.extend(subject::validate(config));
        problems
    }

    async fn make(&self, _cx: &Context, planned: &Value) -> Result<Value, Diagnostic> {
        let (key, _) = OWN.key(planned)?;
        let pem = request(planned, &key).map_err(issue::failed)?;
        let fields = [
            ("id", digests::sha1(pem.as_bytes()).into()),
            ("key_algorithm", key.algorithm().into()),
            ("cert_request_pem", Value::from(pem)),
        ];
        Ok(attrs::with(planned, fields))
    }
}
