//! `data "tls_public_key"`.

use std::sync::LazyLock;

use async_trait::async_trait;
use sgp_contract::{Client, DataRequest, DataSource, ReadScope};
use sgp_model::{Attribute, Diagnostics, Schema, Value};

use super::{key::Key, private_key};
use crate::attrs::{self, text, wrong};

pub(crate) struct TlsPublicKey;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    attributes(Schema::new("tls_public_key", "The public key of a private one. Needs no call."))
        .example("data \"tls_public_key\" \"bastion\" {\n  private_key_openssh = var.bastion_key\n}\n")
});

/// Adds the arguments and what is told of a key.
pub(super) fn attributes(schema: Schema) -> Schema {
    private_key::public(schema)
        .attr("id", private_key::id())
        .attr(
            "private_key_pem",
            Attribute::string()
                .sensitive()
                .doc("The private key in PEM: PKCS #1, SEC 1 or PKCS #8. This or `private_key_openssh` must be set."),
        )
        .attr(
            "private_key_openssh",
            Attribute::string().sensitive().doc("The private key as OpenSSH has it, without a passphrase."),
        )
        .attr("algorithm", Attribute::string().computed().doc("`RSA`, `ECDSA` or `ED25519`."))
}

/// What is told of the key that is said.
pub(super) fn answer(config: &Value) -> Result<Value, Diagnostics> {
    let problems = attrs::exclusive(config, &["private_key_pem", "private_key_openssh"], true);
    if problems.has_errors() {
        return Err(problems);
    }
    let (name, key) = match text(config, "private_key_pem") {
        Some(pem) => ("private_key_pem", Key::from_pem(pem)),
        None => ("private_key_openssh", Key::from_openssh(text(config, "private_key_openssh").unwrap_or_default())),
    };
    let key = key.map_err(|problem| wrong(name, format!("`{name}`: {problem}.")))?;
    let public = private_key::told(&key)?.into_iter().filter(|(name, _)| !name.starts_with("private_"));
    Ok(attrs::with(config, public.collect::<Vec<_>>()))
}

#[async_trait]
impl DataSource for TlsPublicKey {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn is_pure(&self) -> bool {
        true
    }

    fn compute(&self, request: &DataRequest<'_>) -> Result<Value, Diagnostics> {
        answer(request.config)
    }

    async fn read(
        &self,
        _client: &dyn Client,
        _scope: &ReadScope,
        requests: &[DataRequest<'_>],
    ) -> Vec<Result<Value, Diagnostics>> {
        requests.iter().map(|request| answer(request.config)).collect()
    }
}

/// [`answer`] for tests, of one argument.
#[cfg(test)]
pub(super) fn of(name: &'static str, key: &str) -> Result<Value, Diagnostics> {
    answer(&attrs::object(&SCHEMA.block, [(name, key.into())]))
}
