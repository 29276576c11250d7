//! `aws_iam_role_policy_attachment`: a managed policy on a role.

use std::sync::LazyLock;

use async_trait::async_trait;
use sgp_contract::{
    Applied, Client, Context, CreateRequest, DeleteRequest, Found, ImportRequest, ReadOutcome, ReadRequest, ReadScope,
    ResourceType, UpdateRequest,
};
use sgp_model::{Attribute, Diagnostic, Diagnostics, Schema, Value, state::Intent};

use crate::{
    adoption::by_content,
    client::AwsClient,
    errors::{ApiError, Call, Leaving, applied},
    iam::{self, Checks},
    iam_listing,
    values::{self, ObjectBuilder},
};

/// The type.
pub struct IamRolePolicyAttachment;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new("aws_iam_role_policy_attachment", "A managed policy attached to an IAM role.")
        .attr("id", Attribute::string().computed().doc("The role's name and the policy's ARN, with a slash between."))
        .attr(
            "policy_arn",
            Attribute::string().required().force_new().doc("The ARN of the policy, AWS's or the account's own."),
        )
        .attr("role", Attribute::string().required().force_new().doc("The name of the role."))
        .iam_actions(&[
            "iam:AttachRolePolicy",
            "iam:DetachRolePolicy",
            "iam:GetAccountAuthorizationDetails",
            "iam:ListAttachedRolePolicies",
        ])
        .example(
            r#"resource "aws_iam_role_policy_attachment" "cluster" {
  role       = aws_iam_role.cluster.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"
}
"#,
        )
});

#[async_trait]
impl ResourceType for IamRolePolicyAttachment {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn endpoint(&self) -> &'static str {
        "iam"
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        Checks::of(config)
            .text("role", |t| iam::is_name(t, 64), "be the name of a role, not its ARN")
            .text("policy_arn", |t| t.starts_with("arn:"), "be the ARN of a policy")
            .done()
    }

    async fn read(&self, client: &dyn Client, scope: &ReadScope, requests: &[ReadRequest]) -> Vec<ReadOutcome> {
        let keys: Vec<_> = requests.iter().map(|r| key_of(&r.prior)).collect();
        let found = iam_listing::attached_policies(AwsClient::of(client), scope, &keys).await;
        let answer = |(request, (role, arn)): (&ReadRequest, &(String, String))| {
            let attached = found.get(role).cloned().unwrap_or(Ok(None));
            let is_there = attached.map(|arns| arns.is_some_and(|arns| arns.contains(arn)));
            iam::outcome(request, is_there.map(|is_there| is_there.then(|| object(&request.prior))))
        };
        requests.iter().zip(&keys).map(answer).collect()
    }

    async fn create(&self, client: &dyn Client, cx: &Context, request: CreateRequest<'_>) -> Applied {
        let attached = attach(AwsClient::of(client), cx, request.planned).await;
        applied(attached.map(|()| Some(object(request.planned))).map_err(Into::into))
    }

    async fn update(&self, _client: &dyn Client, _cx: &Context, request: UpdateRequest<'_>) -> Applied {
        // Every argument forces a replacement; only what is recorded can differ.
        Applied::done(object(request.planned))
    }

    async fn delete(&self, client: &dyn Client, _cx: &Context, request: DeleteRequest<'_>) -> Applied {
        let (role, arn) = key_of(request.prior);
        let call = AwsClient::of(client).iam.detach_role_policy().role_name(role).policy_arn(arn);
        let result = iam::unless_gone(call.send().await.call("iam:DetachRolePolicy"));
        applied(result.map(|()| None).leaving(request.prior))
    }

    fn import(&self, request: &ImportRequest<'_>) -> Result<Value, Diagnostic> {
        match request.id.split_once('/') {
            Some((role, arn)) if !role.is_empty() && arn.starts_with("arn:") => {
                Ok(values::identity([("id", request.id), ("role", role), ("policy_arn", arn)]))
            }
            _ => Err(Diagnostic::error(
                "Invalid import id",
                format!(
                    "{:?} does not name an attachment. Give ROLE/POLICY_ARN, the role's name and the policy's ARN.",
                    request.id
                ),
            )),
        }
    }

    async fn find(&self, client: &dyn Client, intent: &Intent) -> Result<Found, Diagnostic> {
        let (role, arn) = key_of(&intent.attributes);
        let attached = iam_listing::attached_to(AwsClient::of(client), &role).await?.unwrap_or_default();
        if !attached.contains(&arn) {
            return Ok(Found::Nothing);
        }
        // An attachment is nothing but its role and policy, so one that is there is the planned one.
        Ok(by_content(intent, "The attachment", true, object(&intent.attributes)))
    }
}

/// Role and policy ARN.
fn key_of(object: &Value) -> (String, String) {
    (values::string(object, "role"), values::string(object, "policy_arn"))
}

fn object(known: &Value) -> Value {
    let (role, arn) = key_of(known);
    let id = values::text(known, "id").unwrap_or_else(|| format!("{role}/{arn}"));
    ObjectBuilder::carrying(&SCHEMA, known).set("id", id).build()
}

async fn attach(client: &AwsClient, cx: &Context, planned: &Value) -> Result<(), ApiError> {
    let (role, arn) = key_of(planned);
    let call = || async {
        let request = client.iam.attach_role_policy().role_name(&role).policy_arn(&arn);
        request.send().await.call("iam:AttachRolePolicy").map(drop)
    };
    // A policy of AWS's own is there or is misspelt; a role or policy of the account may have been created moments ago.
    let misspelt = |e: &ApiError| arn.contains("::aws:policy/") && e.message.contains(&arn);
    match call().await {
        Err(error) if iam::is_gone(&error) && misspelt(&error) => Err(error),
        Err(_) => iam::with_new_objects(cx, call).await,
        Ok(()) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_import_id_names_role_and_policy() {
        let import = |id| IamRolePolicyAttachment.import(&ImportRequest { id, config: &Value::dynamic_null() });
        let object = import("node/arn:aws:iam::aws:policy/service-role/X").unwrap();
        assert_eq!(key_of(&object), ("node".into(), "arn:aws:iam::aws:policy/service-role/X".into()));
        for id in ["node", "node/policy", "/arn:aws:iam::aws:policy/X"] {
            assert!(import(id).is_err(), "{id}");
        }
    }
}
