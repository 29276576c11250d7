//! `aws_eks_access_policy_association`.

use std::sync::LazyLock;

use async_trait::async_trait;
use aws_sdk_eks::types::{AccessScope, AccessScopeType, AssociatedAccessPolicy};
use sgp_contract::{
    Applied, Client, Context, CreateRequest, DeleteRequest, Found, ImportRequest, PlanRequest, PlanResponse,
    ReadOutcome, ReadRequest, ReadScope, ResourceType, UpdateRequest,
};
use sgp_model::{AttrPath, Attribute, Block, Diagnostic, Diagnostics, NestedBlock, Schema, Value, state::Intent};

use crate::{
    adoption::{by_content, rfc3339},
    client::AwsClient,
    eks::{
        self,
        access::{self, Principal},
    },
    errors::{Call, Failure, Leaving, applied},
    iam::{self, Checks},
    unsaid,
    values::{self, ObjectBuilder},
};

/// The type.
pub struct EksAccessPolicyAssociation;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let scope = Block::default()
        .attr(
            "namespaces",
            Attribute::string_set()
                .optional()
                .doc("The namespaces, with type `namespace`; `*` at the end is a wildcard."),
        )
        .attr("type", Attribute::string().required().doc("`cluster` or `namespace`."));
    Schema::new("aws_eks_access_policy_association", "An EKS access policy of a principal that has an access entry.")
        .attr("associated_at", Attribute::string().computed().doc("When it was associated, RFC 3339."))
        .attr("cluster_name", Attribute::string().required().force_new().doc("The cluster's name."))
        .attr(
            "id",
            Attribute::string()
                .computed()
                .doc("The cluster's name, the principal's ARN and the policy's, with `#` between."),
        )
        .attr("modified_at", Attribute::string().computed().doc("When it last changed, RFC 3339."))
        .attr(
            "policy_arn",
            Attribute::string()
                .required()
                .force_new()
                .doc("The access policy's ARN: `arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy`."),
        )
        .attr(
            "principal_arn",
            Attribute::string().required().force_new().doc("The ARN of the principal, as its access entry has it."),
        )
        .block("access_scope", NestedBlock::list_of_one(scope).required().force_new().doc("Where the policy holds."))
        .timeouts(&[("create", 1200), ("delete", 2400)])
        .unsupported(&["region"])
        .iam_actions(&["eks:AssociateAccessPolicy", "eks:DisassociateAccessPolicy", "eks:ListAssociatedAccessPolicies"])
        .lives_in("cluster_name")
        .example(
            r#"resource "aws_eks_access_policy_association" "developers" {
  cluster_name  = aws_eks_cluster.example.name
  principal_arn = aws_eks_access_entry.developers.principal_arn
  policy_arn    = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"

  access_scope {
    type       = "namespace"
    namespaces = ["app"]
  }
}
"#,
        )
});

#[async_trait]
impl ResourceType for EksAccessPolicyAssociation {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn endpoint(&self) -> &'static str {
        "eks"
    }

    fn plan(&self, request: &PlanRequest<'_>) -> PlanResponse {
        let planned = unsaid::keep(&SCHEMA, request, request.proposed.clone());
        PlanResponse { planned: Some(planned), ..PlanResponse::default() }
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        let mut found = Checks::of(config)
            .text("policy_arn", |t| t.contains(":cluster-access-policy/"), "be the ARN of an EKS access policy")
            .text("principal_arn", |t| t.starts_with("arn:"), "be an ARN")
            .done();
        let mut wrong = |detail: &str| {
            found.push(Diagnostic::error("Invalid argument", detail).attribute(AttrPath::attr("access_scope")));
        };
        for scope in values::blocks(config, "access_scope") {
            let open = scope.get("namespaces").is_some_and(|it| !it.is_known());
            let some = open || values::strs_opt(scope, "namespaces").is_some();
            match values::str_opt(scope, "type") {
                Some("cluster") if some && !open => {
                    wrong("With type cluster the policy holds everywhere: leave `namespaces` out.");
                }
                Some("namespace") if !some => wrong("With type namespace at least one of `namespaces` is needed."),
                Some("cluster" | "namespace") | None => {}
                Some(other) => wrong(&format!("`type` is {other:?}; it must be cluster or namespace.")),
            }
        }
        found
    }

    /// One listing for each principal, however many policies it has.
    async fn read(&self, client: &dyn Client, _scope: &ReadScope, requests: &[ReadRequest]) -> Vec<ReadOutcome> {
        let client = AwsClient::of(client);
        let mut principals: Vec<Principal> = requests.iter().map(|r| Principal::of(&r.prior)).collect();
        principals.sort();
        principals.dedup();
        let listed = iam::each(principals.clone(), |it| async move { access::policies(client, &it).await }).await;
        let read = |r: &ReadRequest| {
            let at = principals.binary_search(&Principal::of(&r.prior)).expect("every principal is in the list");
            let policies = listed[at].as_ref().map_err(Clone::clone)?;
            Ok(of_arn(policies, &r.prior).map(|policy| object(&r.prior, policy)))
        };
        requests.iter().map(|r| iam::outcome(r, read(r))).collect()
    }

    async fn create(&self, client: &dyn Client, cx: &Context, request: CreateRequest<'_>) -> Applied {
        applied(create(AwsClient::of(client), cx, request.planned).await.map(Some))
    }

    /// Every argument replaces it.
    async fn update(&self, _client: &dyn Client, _cx: &Context, request: UpdateRequest<'_>) -> Applied {
        Applied::done(ObjectBuilder::carrying(&SCHEMA, request.planned).build())
    }

    async fn delete(&self, client: &dyn Client, _cx: &Context, request: DeleteRequest<'_>) -> Applied {
        let principal = Principal::of(request.prior);
        let call = AwsClient::of(client).eks.disassociate_access_policy().cluster_name(principal.cluster);
        let call = call.principal_arn(principal.arn).policy_arn(values::string(request.prior, "policy_arn"));
        let gone = match call.send().await.call("eks:DisassociateAccessPolicy") {
            Err(error) if !eks::is_gone(&error) => Err(error),
            _ => Ok(None),
        };
        applied(gone.leaving(request.prior))
    }

    fn import(&self, request: &ImportRequest<'_>) -> Result<Value, Diagnostic> {
        let parts: Vec<&str> = request.id.split('#').collect();
        match parts[..] {
            [cluster, principal, policy] if !parts.iter().any(|part| part.is_empty()) => Ok(values::identity([
                ("id", request.id),
                ("cluster_name", cluster),
                ("principal_arn", principal),
                ("policy_arn", policy),
            ])),
            _ => Err(Diagnostic::error(
                "Invalid import id",
                format!("{:?} does not name an association. Give CLUSTER#PRINCIPAL_ARN#POLICY_ARN.", request.id),
            )),
        }
    }

    async fn find(&self, client: &dyn Client, intent: &Intent) -> Result<Found, Diagnostic> {
        let planned = &intent.attributes;
        let policies = access::policies(AwsClient::of(client), &Principal::of(planned)).await?;
        let Some(found) = of_arn(&policies, planned) else { return Ok(Found::Nothing) };
        let as_planned = scope_of(planned) == found.access_scope().cloned().map(sorted);
        let what = format!("The policy {} of {}", values::string(planned, "policy_arn"), Principal::of(planned));
        Ok(by_content(intent, &what, as_planned, object(planned, found)))
    }
}

fn of_arn<'a>(policies: &'a [AssociatedAccessPolicy], object: &Value) -> Option<&'a AssociatedAccessPolicy> {
    policies.iter().find(|policy| policy.policy_arn() == values::str_opt(object, "policy_arn"))
}

/// The association as EKS has it.
fn object(prior: &Value, policy: &AssociatedAccessPolicy) -> Value {
    let principal = Principal::of(prior);
    let arn = policy.policy_arn().unwrap_or_default();
    let block = &SCHEMA.block.blocks["access_scope"].block;
    let recorded = values::block(prior, "access_scope").and_then(|it| it.get("namespaces"));
    let scope = policy.access_scope().map(|scope| {
        let namespaces = scope.namespaces().iter().map(String::as_str);
        let built = ObjectBuilder::of_block(block)
            .set("type", values::word(scope.r#type()))
            .set("namespaces", eks::set_or_null(namespaces, recorded));
        built.build()
    });
    ObjectBuilder::carrying(&SCHEMA, prior)
        .set("access_scope", Value::list(block.ty(), scope.into_iter().collect()))
        .set("associated_at", values::opt_str(policy.associated_at().map(rfc3339).as_deref()))
        .set("id", format!("{}#{}#{arn}", principal.cluster, principal.arn))
        .set("modified_at", values::opt_str(policy.modified_at().map(rfc3339).as_deref()))
        .set("policy_arn", arn)
        .build()
}

/// The scope that is asked for.
fn scope_of(planned: &Value) -> Option<AccessScope> {
    let block = values::block(planned, "access_scope")?;
    let scope = AccessScope::builder()
        .r#type(AccessScopeType::from(values::str_opt(block, "type")?))
        .set_namespaces(values::strs_opt(block, "namespaces"));
    Some(sorted(scope.build()))
}

fn sorted(mut scope: AccessScope) -> AccessScope {
    scope.namespaces = scope.namespaces.filter(|it| !it.is_empty());
    if let Some(namespaces) = &mut scope.namespaces {
        namespaces.sort();
    }
    scope
}

async fn create(client: &AwsClient, cx: &Context, planned: &Value) -> Result<Value, Failure> {
    let principal = Principal::of(planned);
    let policy = values::string(planned, "policy_arn");
    let exists = access::policies(client, &principal).await?;
    // EKS would change its scope, and whoever made it would not know.
    if of_arn(&exists, planned).is_some() {
        return Err(taken(&principal, &policy).into());
    }
    let answer = access::with_new_principals(cx, || async {
        let call = client.eks.associate_access_policy().cluster_name(&principal.cluster).principal_arn(&principal.arn);
        let call = call.policy_arn(&policy).set_access_scope(scope_of(planned));
        call.send().await.call("eks:AssociateAccessPolicy")
    });
    let made = answer.await?.associated_access_policy;
    let made =
        made.ok_or_else(|| Diagnostic::error("eks:AssociateAccessPolicy failed", "AWS answered no association."))?;
    Ok(object(planned, &made))
}

fn taken(principal: &Principal, policy: &str) -> Diagnostic {
    Diagnostic::error(
        "Access policy already associated",
        format!(
            "{} has the policy {policy} in the cluster {:?} already. Import it (`sgp import ADDRESS '{}#{}#{policy}'`), or remove the block.",
            principal.arn, principal.cluster, principal.cluster, principal.arn
        ),
    )
    .attribute(AttrPath::attr("policy_arn"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use sgp_model::Type;

    use super::*;

    fn planned(kind: &str, namespaces: Value) -> Value {
        let block = &SCHEMA.block.blocks["access_scope"].block;
        let scope = ObjectBuilder::of_block(block).set("type", kind).set("namespaces", namespaces).build();
        ObjectBuilder::new(&SCHEMA).set("access_scope", eks::one(block, scope)).build()
    }

    #[test]
    fn a_scope_names_namespaces_or_none() {
        let none = || Value::null(Type::set(Type::String));
        for (kind, namespaces, wrong) in [
            ("cluster", none(), false),
            ("cluster", values::string_set(["a"]), true),
            ("namespace", values::string_set(["a"]), false),
            ("namespace", none(), true),
            ("namespace", Value::unknown(Type::set(Type::String)), false),
            ("world", none(), true),
        ] {
            let said = EksAccessPolicyAssociation.validate(&planned(kind, namespaces.clone()));
            assert_eq!(said.has_errors(), wrong, "{kind} {namespaces:?}");
        }
    }

    #[test]
    fn an_association_is_wholly_known() {
        let prior = EksAccessPolicyAssociation
            .import(&ImportRequest { id: "c#arn:r#arn:p", config: &Value::dynamic_null() })
            .unwrap();
        let scope = AccessScope::builder().r#type(AccessScopeType::Namespace).namespaces("b").namespaces("a").build();
        let found = AssociatedAccessPolicy::builder().policy_arn("arn:p").access_scope(scope.clone()).build();
        let object = object(&prior, &found);
        assert!(object.is_wholly_known() && object.ty() == SCHEMA.ty());
        assert_eq!(values::str_opt(&object, "id"), Some("c#arn:r#arn:p"));
        assert_eq!(scope_of(&object), Some(sorted(scope)));
        assert!(
            EksAccessPolicyAssociation.import(&ImportRequest { id: "c#d", config: &Value::dynamic_null() }).is_err()
        );
    }
}
