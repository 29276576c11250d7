//! `tls_locally_signed_cert`.

use std::sync::LazyLock;

use async_trait::async_trait;
use pkcs8::der::{Decode, DecodePem, oid::AssociatedOid};
use sgp_contract::{Context, PlanRequest, PlanResponse};
use sgp_model::{Attribute, Diagnostic, Diagnostics, Schema, Value};
use x509_cert::{
    Certificate,
    ext::pkix::{SubjectAltName, SubjectKeyIdentifier},
    request::{CertReq, ExtensionReq},
};

use super::{
    issue::{self, Issuer, Subject},
    key::Problem,
    key_argument::AUTHORITY,
};
use crate::{
    attrs::{self, text, wrong},
    in_state::Logical,
};

pub(crate) struct TlsLocallySignedCert;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let schema = Schema::new("tls_locally_signed_cert", "A certificate that the key of an authority signs here.");
    AUTHORITY
        .add_to(issue::arguments(schema))
        .attr("cert_request_pem", Attribute::string().required().force_new().doc("The request (CSR) in PEM."))
        .attr("ca_cert_pem", Attribute::string().required().force_new().doc("The authority's certificate in PEM."))
        .attr("ca_key_algorithm", Attribute::string().computed().doc("The algorithm of the authority's key."))
        .example(
            r#"resource "tls_locally_signed_cert" "web" {
  cert_request_pem      = tls_cert_request.web.cert_request_pem
  ca_private_key_pem    = tls_private_key.ca.private_key_pem
  ca_cert_pem           = tls_self_signed_cert.ca.cert_pem
  validity_period_hours = 720
  allowed_uses          = ["digital_signature", "key_encipherment", "server_auth"]
}
"#,
        )
});

/// What a request asks for.
fn requested(pem: &str) -> Result<Subject, Problem> {
    let request = CertReq::from_pem(pem.trim()).map_err(|e| format!("it is no request in PEM ({e})"))?;
    let extensions =
        request.info.attributes.iter().filter(|a| a.oid == ExtensionReq::OID).flat_map(|a| a.values.iter());
    let mut other_names = None;
    for value in extensions {
        let wanted: ExtensionReq = value.decode_as().map_err(|e| e.to_string())?;
        for extension in wanted.0.iter().filter(|extension| extension.extn_id == SubjectAltName::OID) {
            other_names = Some(SubjectAltName::from_der(extension.extn_value.as_bytes()).map_err(|e| e.to_string())?);
        }
    }
    Ok(Subject { name: request.info.subject, other_names, key: request.info.public_key })
}

/// The subject key identifier of a certificate.
fn key_id(certificate: &Certificate) -> Option<Vec<u8>> {
    let extensions = certificate.tbs_certificate.extensions.iter().flatten();
    let found = extensions.into_iter().find(|extension| extension.extn_id == SubjectKeyIdentifier::OID)?;
    let id = SubjectKeyIdentifier::from_der(found.extn_value.as_bytes()).ok()?;
    Some(id.0.as_bytes().to_vec())
}

#[async_trait]
impl Logical for TlsLocallySignedCert {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        let mut problems = AUTHORITY.validate(config);
        problems.extend(issue::validate(config));
        problems
    }

    async fn make(&self, cx: &Context, planned: &Value) -> Result<Value, Diagnostic> {
        let of = |name: &'static str| text(planned, name).unwrap_or_default();
        let (key, said_by) = AUTHORITY.key(planned)?;
        let ca = Certificate::from_pem(of("ca_cert_pem").trim())
            .map_err(|e| wrong("ca_cert_pem", format!("`ca_cert_pem` is no certificate in PEM ({e}).")))?;
        if ca.tbs_certificate.subject_public_key_info != key.public().map_err(issue::failed)? {
            let detail = format!("`ca_cert_pem` is the certificate of another key than `{said_by}`.");
            return Err(wrong(said_by, detail));
        }
        let about = requested(of("cert_request_pem"))
            .map_err(|problem| wrong("cert_request_pem", format!("`cert_request_pem`: {problem}.")))?;
        issue::nameless(planned, &about.name)?;
        let issuer = Issuer { key: &key, name: ca.tbs_certificate.subject.clone(), key_id: key_id(&ca) };
        let told = issue::issue(planned, cx.clock.now(), &about, &issuer).map_err(issue::failed)?;
        Ok(attrs::with(planned, told.into_iter().chain([("ca_key_algorithm", key.algorithm().into())])))
    }

    fn plan(&self, request: &PlanRequest<'_>) -> PlanResponse {
        issue::plan(request)
    }

    fn at(&self, now: i64, recorded: &Value) -> Option<Value> {
        Some(issue::at(now, recorded))
    }
}
