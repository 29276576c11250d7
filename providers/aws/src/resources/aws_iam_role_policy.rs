//! `aws_iam_role_policy`: an inline policy of a role.

use std::{collections::BTreeSet, sync::LazyLock};

use async_trait::async_trait;
use sgp_contract::{
    Applied, Client, Context, CreateRequest, DeleteRequest, Found, ImportRequest, ReadOutcome, ReadRequest, ReadScope,
    ResourceType, UpdateRequest,
};
use sgp_model::{Attribute, Diagnostic, Diagnostics, Schema, Value, schema::Semantics, state::Intent};

use crate::{
    adoption::by_content,
    client::AwsClient,
    errors::{ApiError, Call, Leaving, applied},
    iam::{self, Checks},
    iam_listing, naming,
    policy_document::{keep_spelling, same_policy},
    values::{self, ObjectBuilder},
};

/// The type.
pub struct IamRolePolicy;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new("aws_iam_role_policy", "An inline policy of an IAM role.")
        .attr("id", Attribute::string().computed().doc("The role's name and the policy's, with a colon between."))
        .attr(
            "name",
            Attribute::string()
                .optional_computed()
                .force_new()
                .doc("The name, up to 128 characters; made out of `name_prefix` otherwise."),
        )
        .attr(
            "name_prefix",
            Attribute::string()
                .optional_computed()
                .force_new()
                .doc("What a made name begins with, up to 102 characters."),
        )
        .attr("policy", Attribute::string().required().semantics(Semantics::IamPolicy).doc("The document (JSON)."))
        .attr("role", Attribute::string().required().force_new().doc("The name of the role."))
        .iam_actions(&[
            "iam:DeleteRolePolicy",
            "iam:GetAccountAuthorizationDetails",
            "iam:GetRolePolicy",
            "iam:PutRolePolicy",
        ])
        .example(
            r#"resource "aws_iam_role_policy" "read_bucket" {
  name = "read-bucket"
  role = aws_iam_role.backend.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "s3:GetObject"
      Resource = "arn:aws:s3:::example/*"
    }]
  })
}
"#,
        )
});

#[async_trait]
impl ResourceType for IamRolePolicy {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn endpoint(&self) -> &'static str {
        "iam"
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        Checks::of(config)
            .conflict("name", "name_prefix")
            .text("name", |t| iam::is_name(t, 128), "have 1 to 128 letters, digits or +=,.@_-")
            .text("name_prefix", |t| iam::is_name(t, 102), "have 1 to 102 letters, digits or +=,.@_-")
            .text("role", |t| iam::is_name(t, 64), "be the name of a role, not its ARN")
            .json("policy")
            .done()
    }

    fn prepare(&self, planned: Value, token: &str) -> Value {
        naming::prepare(planned, token, "terraform-")
    }

    async fn read(&self, client: &dyn Client, scope: &ReadScope, requests: &[ReadRequest]) -> Vec<ReadOutcome> {
        let wanted: BTreeSet<_> = requests.iter().map(|r| key_of(&r.prior)).collect();
        let found = iam_listing::inline_policies(AwsClient::of(client), scope, &wanted).await;
        let answer = |request: &ReadRequest| {
            let document = found.get(&key_of(&request.prior)).cloned().unwrap_or(Ok(None));
            iam::outcome(request, document.map(|document| document.map(|document| object(&request.prior, &document))))
        };
        requests.iter().map(answer).collect()
    }

    async fn create(&self, client: &dyn Client, cx: &Context, request: CreateRequest<'_>) -> Applied {
        let put = put(AwsClient::of(client), cx, request.planned).await;
        applied(put.map(|()| Some(written(request.planned))).map_err(Into::into))
    }

    async fn update(&self, client: &dyn Client, cx: &Context, request: UpdateRequest<'_>) -> Applied {
        let put = put(AwsClient::of(client), cx, request.planned).await;
        applied(put.map(|()| Some(written(request.planned))).leaving(request.prior))
    }

    async fn delete(&self, client: &dyn Client, _cx: &Context, request: DeleteRequest<'_>) -> Applied {
        let (role, name) = key_of(request.prior);
        let call = AwsClient::of(client).iam.delete_role_policy().role_name(role).policy_name(name);
        let result = iam::unless_gone(call.send().await.call("iam:DeleteRolePolicy"));
        applied(result.map(|()| None).leaving(request.prior))
    }

    fn import(&self, request: &ImportRequest<'_>) -> Result<Value, Diagnostic> {
        let (role, name) = naming::two_names(request.id, "an inline policy", "ROLE:POLICY")?;
        Ok(values::identity([("id", request.id), ("role", role), ("name", name)]))
    }

    async fn find(&self, client: &dyn Client, intent: &Intent) -> Result<Found, Diagnostic> {
        let (role, name) = key_of(&intent.attributes);
        let Some(document) = iam_listing::inline_policy(AwsClient::of(client), &role, &name).await? else {
            return Ok(Found::Nothing);
        };
        let as_planned = same_policy(&document, &values::string(&intent.attributes, "policy"));
        let object = intent.attributes.with_attr("id", format!("{role}:{name}").into());
        Ok(by_content(intent, &format!("The inline policy {name:?} of the role {role:?}"), as_planned, object))
    }
}

/// Role and name.
fn key_of(object: &Value) -> (String, String) {
    (values::string(object, "role"), values::string(object, "name"))
}

fn object(prior: &Value, document: &str) -> Value {
    let (role, name) = key_of(prior);
    let object = ObjectBuilder::carrying(&SCHEMA, prior)
        .set("id", format!("{role}:{name}"))
        .set("policy", keep_spelling(values::str_opt(prior, "policy"), document));
    naming::with_prefix(object, "name_prefix", prior, Some(&name)).build()
}

/// The planned object after it was put.
fn written(planned: &Value) -> Value {
    let (role, name) = key_of(planned);
    ObjectBuilder::carrying(&SCHEMA, planned)
        .set("id", format!("{role}:{name}"))
        .set("name_prefix", values::string(planned, "name_prefix"))
        .build()
}

async fn put(client: &AwsClient, cx: &Context, planned: &Value) -> Result<(), ApiError> {
    let (role, name) = key_of(planned);
    let document = values::string(planned, "policy");
    let call = || async {
        let request = client.iam.put_role_policy().role_name(&role).policy_name(&name).policy_document(&document);
        request.send().await.call("iam:PutRolePolicy").map(drop)
    };
    iam::with_new_objects(cx, call).await
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_import_id_names_role_and_policy() {
        let import = |id| IamRolePolicy.import(&ImportRequest { id, config: &Value::dynamic_null() });
        assert_eq!(key_of(&import("backend:read-bucket").unwrap()), ("backend".into(), "read-bucket".into()));
        for id in ["backend", ":x", "x:"] {
            assert!(import(id).is_err(), "{id}");
        }
    }
}
