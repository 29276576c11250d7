//! `aws_eks_pod_identity_association`.

use std::sync::LazyLock;

use async_trait::async_trait;
use aws_sdk_eks::types::PodIdentityAssociation;
use sgp_contract::{
    Applied, Client, Context, CreateRequest, DeleteRequest, Found, ImportRequest, PlanRequest, PlanResponse,
    ReadOutcome, ReadRequest, ReadScope, ResourceType, UpdateRequest,
};
use sgp_model::{AttrPath, Attribute, Diagnostic, Diagnostics, Schema, Value, schema::Semantics, state::Intent};

use crate::{
    adoption::{CLOCK_SKEW_SECS, by_age},
    attempts::Attempts,
    client::AwsClient,
    eks,
    errors::{ApiError, Call, Failure, Leaving, applied},
    iam::{self, Checks, text_like},
    tags::{self, TagChange},
    values::{self, ObjectBuilder, any_changed, changed},
};

/// The type.
pub struct EksPodIdentityAssociation;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let schema = Schema::new(
        "aws_eks_pod_identity_association",
        "A role for a service account (EKS Pod Identity). Pods with groups of their own reach its agent in standard mode only.",
    )
    .attr("association_arn", Attribute::string().computed().doc("The ARN."))
    .attr("association_id", Attribute::string().computed().doc("The id: `a-...`."))
    .attr("cluster_name", Attribute::string().required().force_new().doc("The cluster's name."))
    .attr(
        "disable_session_tags",
        Attribute::bool()
            .optional_computed()
            .doc("Whether sessions go without the tags for cluster, namespace and service account."),
    )
    .attr(
        "external_id",
        Attribute::string().computed().doc("What the trust policy of the target role must ask for as `sts:ExternalId`."),
    )
    .attr("id", Attribute::string().computed().doc("The id: `a-...`."))
    .attr("namespace", Attribute::string().required().force_new().doc("The namespace of the service account."))
    .attr(
        "policy",
        Attribute::string()
            .optional()
            .semantics(Semantics::IamPolicy)
            .doc("A policy (JSON) that limits what the role may do in these pods; needs `disable_session_tags`."),
    )
    .attr(
        "role_arn",
        Attribute::string().required().doc("The ARN of the role; it trusts pods.eks.amazonaws.com with sts:AssumeRole and sts:TagSession."),
    )
    .attr("service_account", Attribute::string().required().force_new().doc("The service account's name."))
    .attr(
        "target_role_arn",
        Attribute::string().optional().doc("The ARN of a role, of another account too, that the role assumes for the pods."),
    )
    .unsupported(&["region"])
    .iam_actions(&[
        "eks:CreatePodIdentityAssociation",
        "eks:DeletePodIdentityAssociation",
        "eks:DescribePodIdentityAssociation",
        "eks:ListPodIdentityAssociations",
        "eks:TagResource",
        "eks:UntagResource",
        "eks:UpdatePodIdentityAssociation",
        "iam:GetRole",
        "iam:PassRole",
    ])
    .lives_in("cluster_name")
    .example(
        r#"resource "aws_eks_pod_identity_association" "backend" {
  cluster_name    = aws_eks_cluster.example.name
  namespace       = "app"
  service_account = "backend"
  role_arn        = aws_iam_role.backend.arn
}
"#,
    );
    tags::attributes(schema)
});

#[async_trait]
impl ResourceType for EksPodIdentityAssociation {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn endpoint(&self) -> &'static str {
        "eks"
    }

    fn plan(&self, request: &PlanRequest<'_>) -> PlanResponse {
        let mut response = tags::plan(&SCHEMA, request);
        // EKS gives another id to another target.
        let planned = response.planned.take().unwrap_or_else(|| request.proposed.clone());
        let moves = !request.prior.is_null() && changed(request.prior, &planned, "target_role_arn");
        let open = || planned.with_attr("external_id", Value::unknown(sgp_model::Type::String));
        response.planned = Some(if moves { open() } else { planned });
        response
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        let mut found = Checks::of(config)
            .text("role_arn", |t| t.starts_with("arn:"), "be the ARN of a role")
            .text("target_role_arn", |t| t.starts_with("arn:"), "be the ARN of a role")
            .json("policy")
            .done();
        if values::is_set(config, "policy") && values::bool_opt(config, "disable_session_tags") == Some(false) {
            let detail = "EKS takes a `policy` only where `disable_session_tags` is true.";
            found.push(Diagnostic::error("Invalid argument", detail).attribute(AttrPath::attr("disable_session_tags")));
        }
        found
    }

    async fn read(&self, client: &dyn Client, _scope: &ReadScope, requests: &[ReadRequest]) -> Vec<ReadOutcome> {
        let client = AwsClient::of(client);
        let priors = requests.iter().map(|r| r.prior.clone()).collect();
        let objects = iam::each(priors, |prior| async move {
            let (cluster, id) = (values::string(&prior, "cluster_name"), id_of(&prior));
            let found = describe(client, &cluster, &id).await?;
            Ok(found.map(|found| object(client, &prior, &found)))
        });
        requests.iter().zip(objects.await).map(|(request, object)| iam::outcome(request, object)).collect()
    }

    async fn create(&self, client: &dyn Client, cx: &Context, request: CreateRequest<'_>) -> Applied {
        applied(create(AwsClient::of(client), cx, request.planned).await.map(Some))
    }

    async fn update(&self, client: &dyn Client, cx: &Context, request: UpdateRequest<'_>) -> Applied {
        let (prior, planned) = (request.prior, request.planned);
        applied(update(AwsClient::of(client), cx, prior, planned).await.leaving(prior).map(Some))
    }

    async fn delete(&self, client: &dyn Client, _cx: &Context, request: DeleteRequest<'_>) -> Applied {
        let cluster = values::string(request.prior, "cluster_name");
        let call = AwsClient::of(client).eks.delete_pod_identity_association().cluster_name(cluster);
        let gone = match call.association_id(id_of(request.prior)).send().await.call("eks:DeletePodIdentityAssociation")
        {
            Err(error) if !eks::is_gone(&error) => Err(error),
            _ => Ok(None),
        };
        applied(gone.leaving(request.prior))
    }

    fn import(&self, request: &ImportRequest<'_>) -> Result<Value, Diagnostic> {
        match request.id.split_once(',') {
            Some((cluster, id)) if !cluster.is_empty() && id.starts_with("a-") => {
                Ok(values::identity([("id", id), ("association_id", id), ("cluster_name", cluster)]))
            }
            _ => Err(Diagnostic::error(
                "Invalid import id",
                format!(
                    "{:?} does not name an association. Give CLUSTER,ASSOCIATION_ID, as \"main,a-1234567890\".",
                    request.id
                ),
            )),
        }
    }

    /// A service account has at most one.
    async fn find(&self, client: &dyn Client, intent: &Intent) -> Result<Found, Diagnostic> {
        let client = AwsClient::of(client);
        let Some(found) = of_account(client, &intent.attributes).await? else { return Ok(Found::Nothing) };
        let id = found.association_id().unwrap_or_default();
        let object = intent.attributes.with_attr("id", id.into()).with_attr("association_id", id.into());
        let what = format!("The pod identity association of {}", account(&intent.attributes));
        Ok(by_age(intent, &what, found.created_at(), object))
    }
}

fn id_of(object: &Value) -> String {
    values::string(object, "association_id")
}

/// `namespace/service_account`.
fn account(object: &Value) -> String {
    format!("{}/{}", values::string(object, "namespace"), values::string(object, "service_account"))
}

async fn describe(client: &AwsClient, cluster: &str, id: &str) -> Result<Option<PodIdentityAssociation>, ApiError> {
    let call = client.eks.describe_pod_identity_association().cluster_name(cluster).association_id(id);
    match call.send().await.call("eks:DescribePodIdentityAssociation") {
        Ok(answer) => Ok(answer.association),
        Err(error) if eks::is_gone(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The association of the planned service account.
async fn of_account(client: &AwsClient, planned: &Value) -> Result<Option<PodIdentityAssociation>, ApiError> {
    let cluster = values::string(planned, "cluster_name");
    let call = client
        .eks
        .list_pod_identity_associations()
        .cluster_name(&cluster)
        .namespace(values::string(planned, "namespace"))
        .service_account(values::string(planned, "service_account"));
    let listed = match call.send().await.call("eks:ListPodIdentityAssociations") {
        Err(error) if eks::is_gone(&error) => return Ok(None),
        answer => answer?,
    };
    let same = listed.associations().iter().find(|it| {
        it.namespace() == values::str_opt(planned, "namespace")
            && it.service_account() == values::str_opt(planned, "service_account")
    });
    match same.and_then(|it| it.association_id()) {
        Some(id) => describe(client, &cluster, id).await,
        None => Ok(None),
    }
}

/// The association as EKS has it.
fn object(client: &AwsClient, prior: &Value, found: &PodIdentityAssociation) -> Value {
    let policy = values::str_opt(prior, "policy").filter(|said| found.policy().is_some_and(|it| same_policy(said, it)));
    let object = ObjectBuilder::carrying(&SCHEMA, prior)
        .set("association_arn", values::opt_str(found.association_arn()))
        .set("association_id", values::opt_str(found.association_id()))
        .set("cluster_name", values::opt_str(found.cluster_name()))
        .set("disable_session_tags", found.disable_session_tags().unwrap_or_default())
        .set("external_id", values::non_empty(found.external_id()))
        .set("id", values::opt_str(found.association_id()))
        .set("namespace", values::opt_str(found.namespace()))
        .set("policy", values::non_empty(policy.or(found.policy())))
        .set("role_arn", values::opt_str(found.role_arn()))
        .set("service_account", values::opt_str(found.service_account()))
        .set("target_role_arn", text_like(found.target_role_arn(), prior.get("target_role_arn")));
    tags::fill(object, client, prior, &eks::from_tags(found.tags())).build()
}

fn same_policy(a: &str, b: &str) -> bool {
    let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    a == b || matches!((parse(a), parse(b)), (Some(a), Some(b)) if a == b)
}

async fn create(client: &AwsClient, cx: &Context, planned: &Value) -> Result<Value, Failure> {
    let started = cx.clock.now();
    let attempts = Attempts::default();
    let answer = eks::with_new_roles(cx, || async {
        let request = client
            .eks
            .create_pod_identity_association()
            .cluster_name(values::string(planned, "cluster_name"))
            .namespace(values::string(planned, "namespace"))
            .service_account(values::string(planned, "service_account"))
            .role_arn(values::string(planned, "role_arn"))
            .set_disable_session_tags(values::bool_opt(planned, "disable_session_tags"))
            .set_policy(values::text(planned, "policy"))
            .set_target_role_arn(values::text(planned, "target_role_arn"))
            .set_tags(eks::to_tags(&tags::wanted(client, planned)))
            .client_request_token(&cx.token);
        request.customize().interceptor(attempts.clone()).send().await.call("eks:CreatePodIdentityAssociation")
    });
    let made = match answer.await {
        Ok(answer) => answer.association,
        Err(error) if error.is(&["ResourceInUseException"]) => {
            let fresh =
                |it: &PodIdentityAssociation| it.created_at().is_some_and(|d| d.secs() >= started - CLOCK_SKEW_SECS);
            let found = of_account(client, planned).await?;
            let ours = found.clone().filter(|it| attempts.repeated() && fresh(it));
            Some(ours.ok_or_else(|| taken(planned, found.as_ref()))?)
        }
        Err(error) => return Err(error.into()),
    };
    let nothing = || Diagnostic::error("eks:CreatePodIdentityAssociation failed", "AWS answered no association.");
    Ok(object(client, planned, &made.ok_or_else(nothing)?))
}

fn taken(planned: &Value, found: Option<&PodIdentityAssociation>) -> Diagnostic {
    let cluster = values::string(planned, "cluster_name");
    let id = found.and_then(PodIdentityAssociation::association_id).unwrap_or("a-...");
    let by =
        found.and_then(PodIdentityAssociation::owner_arn).map(|by| format!(", which {by} owns")).unwrap_or_default();
    Diagnostic::error(
        "Service account has a role already",
        format!(
            "The service account {} of the cluster {cluster:?} has a pod identity association already ({id}{by}), and it can have one \
             only. Import it (`sgp import ADDRESS {cluster},{id}`), or remove the block.",
            account(planned)
        ),
    )
    .attribute(AttrPath::attr("service_account"))
}

async fn update(client: &AwsClient, cx: &Context, prior: &Value, planned: &Value) -> Result<Value, Failure> {
    let (cluster, id) = (values::string(prior, "cluster_name"), id_of(prior));
    if any_changed(prior, planned, &["disable_session_tags", "policy", "role_arn", "target_role_arn"]) {
        eks::with_new_roles(cx, || async {
            let request = client
                .eks
                .update_pod_identity_association()
                .cluster_name(&cluster)
                .association_id(&id)
                .role_arn(values::string(planned, "role_arn"))
                .set_disable_session_tags(values::bool_opt(planned, "disable_session_tags"))
                .set_policy(cleared(prior, planned, "policy"))
                .set_target_role_arn(cleared(prior, planned, "target_role_arn"))
                .client_request_token(format!("{}-update", cx.token));
            request.send().await.call("eks:UpdatePodIdentityAssociation")
        })
        .await?;
    }
    let change = TagChange::planned(client, prior, planned);
    eks::update_tags(client, &values::string(prior, "association_arn"), &change).await?;
    let gone =
        || Diagnostic::error("Pod identity association is gone", format!("{id} went away while it was updated."));
    Ok(object(client, planned, &describe(client, &cluster, &id).await?.ok_or_else(gone)?))
}

/// A text as an update takes it: an empty one takes away what there was.
fn cleared(prior: &Value, planned: &Value, name: &str) -> Option<String> {
    values::text(planned, name).or_else(|| values::text(prior, name).map(|_| String::new()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[tokio::test]
    async fn a_described_association_is_wholly_known() {
        let client = crate::client::tests::offline(&[]).await;
        let found = PodIdentityAssociation::builder()
            .cluster_name("c")
            .namespace("app")
            .service_account("backend")
            .role_arn("arn:r")
            .association_id("a-1")
            .policy(r#"{"a":1}"#);
        let planned = SCHEMA.block.empty().with_attr("policy", r#"{ "a": 1 }"#.into());
        let object = object(&client, &planned, &found.build());
        assert!(object.is_wholly_known() && object.ty() == SCHEMA.ty());
        assert_eq!(values::str_opt(&object, "id"), Some("a-1"));
        assert_eq!(values::str_opt(&object, "policy"), Some(r#"{ "a": 1 }"#));
    }

    #[test]
    fn what_is_taken_away_is_sent_empty() {
        let of = |arn: Option<&str>| Value::object([("target_role_arn", values::opt_str(arn))]);
        for (old, new, sent) in
            [(None, None, None), (None, Some("arn:b"), Some("arn:b")), (Some("arn:a"), None, Some(""))]
        {
            assert_eq!(cleared(&of(old), &of(new), "target_role_arn").as_deref(), sent, "{old:?} {new:?}");
        }
    }

    #[test]
    fn an_import_id_names_cluster_and_association() {
        let import = |id| EksPodIdentityAssociation.import(&ImportRequest { id, config: &Value::dynamic_null() });
        assert_eq!(id_of(&import("c,a-1").unwrap()), "a-1");
        assert!(import("c:a-1").is_err() && import("c,b-1").is_err());
    }
}
