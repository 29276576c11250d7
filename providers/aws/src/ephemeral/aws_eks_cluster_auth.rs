//! `ephemeral.aws_eks_cluster_auth`.

use std::{sync::LazyLock, time::SystemTime};

use async_trait::async_trait;
use sgp_contract::{Client, EphemeralType, OpenRequest, Opened};
use sgp_model::{Attribute, Diagnostic, Diagnostics, Schema, Value};

use crate::{client::AwsClient, eks_access::presign, values};

/// A token for a cluster's API server that no state and no plan holds. Calls nobody: the token is a presigned URL.
#[derive(Debug)]
pub struct EksClusterAuth;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new(
        "aws_eks_cluster_auth",
        "A token for a cluster's API server, good for a quarter of an hour, that is written down nowhere. With `cluster_name` in resources or in `provider \"kubernetes\"` none is needed: sgp signs tokens as they are used.",
    )
    .attr("name", Attribute::string().required().doc("The cluster's name."))
    .attr("token", Attribute::string().computed().sensitive().doc("The token."))
    .example("ephemeral \"aws_eks_cluster_auth\" \"example\" {\n  name = \"example\"\n}\n")
});

#[async_trait]
impl EphemeralType for EksClusterAuth {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    async fn open(&self, client: &dyn Client, request: &OpenRequest<'_>) -> Result<Opened, Diagnostics> {
        let name = values::string(request.config, "name");
        let failed = |problem: Diagnostic| Diagnostics::from(problem.on(request.addr));
        let signed = presign(AwsClient::of(client), &name, SystemTime::now()).await.map_err(failed)?;
        Ok(Opened::lasting(Value::object([("name", name.as_str().into()), ("token", signed.token.into())])))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use sgp_model::address::parse_instance;

    use super::*;

    #[tokio::test]
    async fn the_token_is_signed_for_the_cluster_and_never_shown() {
        let client = crate::client::tests::offline(&[]).await;
        let addr = parse_instance("ephemeral.aws_eks_cluster_auth.x").unwrap();
        let mut tokens = Vec::new();
        for name in ["a", "b"] {
            let config = Value::object([("name", name.into())]);
            let opened = EksClusterAuth.open(&client, &OpenRequest { addr: &addr, config: &config }).await.unwrap();
            assert_eq!(values::string(&opened.result, "name"), name);
            tokens.push(values::string(&opened.result, "token"));
        }
        assert!(tokens.iter().all(|token| token.starts_with("k8s-aws-v1.")), "{tokens:?}");
        assert_ne!(tokens[0], tokens[1], "the cluster's name is signed");
        assert!(SCHEMA.block.attributes["token"].sensitive);
    }
}
