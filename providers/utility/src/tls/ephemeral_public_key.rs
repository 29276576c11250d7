//! `ephemeral "tls_public_key"`.

use std::sync::LazyLock;

use async_trait::async_trait;
use sgp_model::{Diagnostics, Schema, Value};

use super::public_key_data;
use crate::in_run::Passing;

pub(crate) struct EphemeralPublicKey;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let schema = Schema::new("tls_public_key", "The public key of a private one that is there for a run only.");
    public_key_data::attributes(schema)
        .example("ephemeral \"tls_public_key\" \"web\" {\n  private_key_pem = ephemeral.tls_private_key.web.private_key_pem\n}\n")
});

#[async_trait]
impl Passing for EphemeralPublicKey {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    async fn make(&self, config: &Value) -> Result<Value, Diagnostics> {
        public_key_data::answer(config)
    }
}
