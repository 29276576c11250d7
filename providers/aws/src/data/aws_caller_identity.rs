//! `data.aws_caller_identity`.

use std::sync::LazyLock;

use async_trait::async_trait;
use sgp_contract::{Client, DataRequest, DataSource, ReadScope};
use sgp_model::{Attribute, Diagnostics, Schema, Value};

use crate::client::AwsClient;

/// Who calls AWS.
#[derive(Debug)]
pub struct AwsCallerIdentity;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new("aws_caller_identity", "The account and the identity that the credentials belong to.")
        .attr("account_id", Attribute::string().computed().doc("The account's id, 12 digits."))
        .attr("arn", Attribute::string().computed().doc("The ARN of the user or role session."))
        .attr("user_id", Attribute::string().computed().doc("The unique id of the user or role session."))
        .attr("id", Attribute::string().computed().doc("The account's id."))
        .iam_actions(&["sts:GetCallerIdentity"])
        .example("data \"aws_caller_identity\" \"current\" {}\n")
});

#[async_trait]
impl DataSource for AwsCallerIdentity {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    async fn read(
        &self,
        client: &dyn Client,
        _: &ReadScope,
        requests: &[DataRequest<'_>],
    ) -> Vec<Result<Value, Diagnostics>> {
        let answer = AwsClient::of(client).identity().await.map(|who| {
            Value::object([
                ("account_id", Value::from(who.account_id.as_str())),
                ("arn", who.arn.as_str().into()),
                ("user_id", who.user_id.as_str().into()),
                ("id", who.account_id.as_str().into()),
            ])
        });
        requests.iter().map(|_| answer.clone().map_err(Diagnostics::from)).collect()
    }
}
