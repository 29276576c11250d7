//! `data.aws_eks_cluster_auth`.

use std::{sync::LazyLock, time::SystemTime};

use async_trait::async_trait;
use sgp_contract::{Client, DataRequest, DataSource, ReadScope};
use sgp_model::{Attribute, Diagnostic, Diagnostics, Schema, Value};

use crate::{client::AwsClient, eks_access::presign, values};

/// A token for a cluster's API server. Calls nobody: the token is a presigned URL.
#[derive(Debug)]
pub struct EksClusterAuth;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new(
        "aws_eks_cluster_auth",
        "A token for a cluster's API server, good for a quarter of an hour. With `cluster_name` in resources or in `provider \"kubernetes\"` none is needed: sgp signs tokens as they are used.",
    )
    .attr("id", Attribute::string().computed().doc("The cluster's name."))
    .attr("name", Attribute::string().required().doc("The cluster's name."))
    .attr("token", Attribute::string().computed().sensitive().doc("The token."))
    .example("data \"aws_eks_cluster_auth\" \"example\" {\n  name = \"example\"\n}\n")
});

#[async_trait]
impl DataSource for EksClusterAuth {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    async fn read(
        &self,
        client: &dyn Client,
        _: &ReadScope,
        requests: &[DataRequest<'_>],
    ) -> Vec<Result<Value, Diagnostics>> {
        let client = AwsClient::of(client);
        let mut answers = Vec::with_capacity(requests.len());
        for request in requests {
            let name = values::string(request.config, "name");
            let signed = presign(client, &name, SystemTime::now()).await;
            let object = |token: String| {
                Value::object([("id", name.as_str().into()), ("name", name.as_str().into()), ("token", token.into())])
            };
            let failed = |problem: Diagnostic| Diagnostics::from(problem.on(request.addr));
            answers.push(signed.map(|signed| object(signed.token)).map_err(failed));
        }
        answers
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use sgp_model::address::parse_instance;

    use super::*;

    #[tokio::test]
    async fn a_token_for_each_cluster() {
        let client = crate::client::tests::offline(&[]).await;
        let addr = parse_instance("data.aws_eks_cluster_auth.x").unwrap();
        let configs = ["a", "b"].map(|name| Value::object([("name", name.into())]));
        let requests: Vec<_> = configs.iter().map(|config| DataRequest { addr: &addr, config }).collect();
        let answers = EksClusterAuth.read(&client, &ReadScope::default(), &requests).await;
        let tokens: Vec<String> = answers.into_iter().map(|answer| values::string(&answer.unwrap(), "token")).collect();
        assert!(tokens.iter().all(|token| token.starts_with("k8s-aws-v1.")), "{tokens:?}");
        assert_ne!(tokens[0], tokens[1], "the cluster's name is signed");
        assert!(SCHEMA.block.attributes["token"].sensitive);
    }
}
