//! `tls_self_signed_cert`.

use std::sync::LazyLock;

use async_trait::async_trait;
use sgp_contract::{Context, PlanRequest, PlanResponse};
use sgp_model::{Attribute, Diagnostic, Diagnostics, Schema, Value};

use super::{
    issue::{self, Issuer, Subject},
    key_argument::OWN,
    subject,
};
use crate::{attrs, in_state::Logical};

pub(crate) struct TlsSelfSignedCert;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let schema = Schema::new("tls_self_signed_cert", "A certificate that its own key signs.");
    OWN.add_to(subject::arguments(issue::arguments(schema)))
        .attr(
            "set_authority_key_id",
            Attribute::bool()
                .default(false)
                .force_new()
                .doc("Whether the digest of the key that signs is in it, which is its own."),
        )
        .attr("key_algorithm", Attribute::string().computed().doc("The algorithm of the key."))
        .example(
            r#"resource "tls_self_signed_cert" "ca" {
  private_key_pem       = tls_private_key.ca.private_key_pem
  is_ca_certificate     = true
  validity_period_hours = 8760
  allowed_uses          = ["cert_signing", "crl_signing"]

  subject {
    common_name  = "Example CA"
    organization = "Example"
  }
}
"#,
        )
});

#[async_trait]
impl Logical for TlsSelfSignedCert {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        let mut problems = OWN.validate(config);
        problems.extend(issue::validate(config));
        problems.extend(subject::validate(config));
        problems
    }

    async fn make(&self, cx: &Context, planned: &Value) -> Result<Value, Diagnostic> {
        let (key, _) = OWN.key(planned)?;
        let name = subject::name(planned).map_err(issue::failed)?;
        issue::nameless(planned, &name)?;
        let other_names = subject::other_names(planned).map_err(issue::failed)?;
        let about = Subject { name: name.clone(), other_names, key: key.public().map_err(issue::failed)? };
        let issuer = Issuer { key: &key, name, key_id: None };
        let told = issue::issue(planned, cx.clock.now(), &about, &issuer).map_err(issue::failed)?;
        Ok(attrs::with(planned, told.into_iter().chain([("key_algorithm", key.algorithm().into())])))
    }

    fn plan(&self, request: &PlanRequest<'_>) -> PlanResponse {
        issue::plan(request)
    }

    fn at(&self, now: i64, recorded: &Value) -> Option<Value> {
        Some(issue::at(now, recorded))
    }
}
