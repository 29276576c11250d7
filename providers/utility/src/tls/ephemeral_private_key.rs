//! `ephemeral "tls_private_key"`.

use std::sync::LazyLock;

use async_trait::async_trait;
use sgp_model::{Diagnostics, Schema, Value};

use super::private_key;
use crate::in_run::Passing;

pub(crate) struct EphemeralPrivateKey;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let schema = Schema::new(
        "tls_private_key",
        "A private key and its public one, others in each run. They are written nowhere: hand the private one to a write-only argument.",
    );
    private_key::arguments(private_key::public(schema), |argument| argument)
        .example("ephemeral \"tls_private_key\" \"web\" {\n  algorithm   = \"ECDSA\"\n  ecdsa_curve = \"P256\"\n}\n")
});

#[async_trait]
impl Passing for EphemeralPrivateKey {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        private_key::validate(config)
    }

    async fn make(&self, config: &Value) -> Result<Value, Diagnostics> {
        Ok(private_key::make(config).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{attrs::text, testing::opened, tls::key::Key};

    #[tokio::test]
    async fn every_form_is_the_same_key() {
        let arguments = [("algorithm", Value::from("ECDSA")), ("ecdsa_curve", "P384".into())];
        let object = opened(EphemeralPrivateKey, &arguments).await.expect("it can be made");
        let told = |name: &str| text(&object, name).unwrap_or_default().to_owned();
        let key = Key::from_pem(&told("private_key_pem")).expect("PEM");
        assert_eq!(Key::from_openssh(&told("private_key_openssh")).expect("OpenSSH"), key);
        assert!(told("public_key_openssh").starts_with("ecdsa-sha2-nistp384 "));
        assert_eq!(object.get("id"), None, "what is not kept has no id");
    }

    #[tokio::test]
    async fn arguments_are_judged() {
        let problems =
            opened(EphemeralPrivateKey, &[("algorithm", "DSA".into())]).await.expect_err("no such algorithm");
        assert!(problems.iter().any(|d| d.detail.contains("must be RSA")), "{problems:?}");
    }
}
