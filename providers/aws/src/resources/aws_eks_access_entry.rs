//! `aws_eks_access_entry`.

use std::sync::LazyLock;

use async_trait::async_trait;
use aws_sdk_eks::types::AccessEntry;
use sgp_contract::{
    Applied, Client, Context, CreateRequest, DeleteRequest, Found, ImportRequest, PlanRequest, PlanResponse,
    ReadOutcome, ReadRequest, ReadScope, ResourceType, UpdateRequest,
};
use sgp_model::{AttrPath, Attribute, Diagnostic, Diagnostics, Schema, Value, state::Intent};

use crate::{
    adoption::{CLOCK_SKEW_SECS, by_age, rfc3339},
    attempts::Attempts,
    client::AwsClient,
    eks::{
        self,
        access::{self, Principal},
    },
    errors::{ApiError, Call, Failure, Leaving, applied},
    iam::{self, Checks},
    tags::{self, TagChange},
    values::{self, ObjectBuilder, changed},
};

/// The type.
pub struct EksAccessEntry;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let schema = Schema::new("aws_eks_access_entry", "Lets an IAM principal into a cluster.")
        .attr("access_entry_arn", Attribute::string().computed().doc("The entry's ARN."))
        .attr("cluster_name", Attribute::string().required().force_new().doc("The cluster's name."))
        .attr("created_at", Attribute::string().computed().doc("When it was created, RFC 3339."))
        .attr("id", Attribute::string().computed().doc("The cluster's name and the principal's ARN, with a colon between."))
        .attr(
            "kubernetes_groups",
            Attribute::string_set().optional_computed().doc("Groups of Kubernetes that role bindings name; none of them begins with `system:`."),
        )
        .attr("modified_at", Attribute::string().computed().follows(&["*"]).doc("When it last changed, RFC 3339."))
        .attr(
            "principal_arn",
            Attribute::string().required().force_new().doc("The ARN of the user or role, its path included; sessions of a role are let in by the role's."),
        )
        .attr(
            "type",
            Attribute::string().default("STANDARD").force_new().doc(
                "`STANDARD` for people and programs; `EC2_LINUX`, `EC2_WINDOWS`, `FARGATE_LINUX`, `EC2` and `HYBRID_LINUX` for nodes.",
            ),
        )
        .attr(
            "user_name",
            Attribute::string().optional_computed().doc("The user's name in Kubernetes; made of the ARN when absent."),
        )
        .timeouts(&[("create", 1200), ("delete", 2400)])
        .unsupported(&["region"])
        .iam_actions(&[
            "eks:CreateAccessEntry",
            "eks:DeleteAccessEntry",
            "eks:DescribeAccessEntry",
            "eks:TagResource",
            "eks:UntagResource",
            "eks:UpdateAccessEntry",
        ])
        .lives_in("cluster_name")
        .example(
            r#"resource "aws_eks_access_entry" "developers" {
  cluster_name      = aws_eks_cluster.example.name
  principal_arn     = aws_iam_role.developers.arn
  kubernetes_groups = ["developers"]
}
"#,
        );
    tags::attributes(schema)
});

#[async_trait]
impl ResourceType for EksAccessEntry {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn endpoint(&self) -> &'static str {
        "eks"
    }

    fn plan(&self, request: &PlanRequest<'_>) -> PlanResponse {
        tags::plan(&SCHEMA, request)
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        let mut found = Checks::of(config)
            .text(
                "principal_arn",
                |t| t.starts_with("arn:") && !t.contains(":assumed-role/"),
                "be the ARN of a user or role",
            )
            .text("type", |t| !t.is_empty(), "be a type such as STANDARD")
            .done();
        for group in values::strs(config, "kubernetes_groups").iter().filter(|g| g.starts_with("system:")) {
            let detail = format!(
                "EKS does not take the group {group:?}: names that begin with system: are Kubernetes' own. For an administrator associate \
                 AmazonEKSClusterAdminPolicy (`aws_eks_access_policy_association`)."
            );
            found.push(Diagnostic::error("Invalid argument", detail).attribute(AttrPath::attr("kubernetes_groups")));
        }
        found
    }

    async fn read(&self, client: &dyn Client, _scope: &ReadScope, requests: &[ReadRequest]) -> Vec<ReadOutcome> {
        let client = AwsClient::of(client);
        let priors = requests.iter().map(|r| r.prior.clone()).collect();
        let objects = iam::each(priors, |prior| async move {
            let found = describe(client, &Principal::of(&prior)).await?;
            Ok(found.map(|found| object(client, &prior, &found)))
        });
        requests.iter().zip(objects.await).map(|(request, object)| iam::outcome(request, object)).collect()
    }

    async fn create(&self, client: &dyn Client, cx: &Context, request: CreateRequest<'_>) -> Applied {
        applied(create(AwsClient::of(client), cx, request.planned).await.map(Some))
    }

    async fn update(&self, client: &dyn Client, _cx: &Context, request: UpdateRequest<'_>) -> Applied {
        applied(update(AwsClient::of(client), request.prior, request.planned).await.leaving(request.prior).map(Some))
    }

    async fn delete(&self, client: &dyn Client, _cx: &Context, request: DeleteRequest<'_>) -> Applied {
        let Principal { cluster, arn } = Principal::of(request.prior);
        let call = AwsClient::of(client).eks.delete_access_entry().cluster_name(cluster).principal_arn(arn);
        let gone = match call.send().await.call("eks:DeleteAccessEntry") {
            Err(error) if !eks::is_gone(&error) => Err(error),
            _ => Ok(None),
        };
        applied(gone.leaving(request.prior))
    }

    fn import(&self, request: &ImportRequest<'_>) -> Result<Value, Diagnostic> {
        match request.id.split_once(':') {
            Some((cluster, arn)) if !cluster.is_empty() && arn.starts_with("arn:") => {
                Ok(values::identity([("id", request.id), ("cluster_name", cluster), ("principal_arn", arn)]))
            }
            _ => Err(Diagnostic::error(
                "Invalid import id",
                format!("{:?} does not name an access entry. Give CLUSTER:PRINCIPAL_ARN.", request.id),
            )),
        }
    }

    async fn find(&self, client: &dyn Client, intent: &Intent) -> Result<Found, Diagnostic> {
        let principal = Principal::of(&intent.attributes);
        let Some(found) = describe(AwsClient::of(client), &principal).await? else { return Ok(Found::Nothing) };
        let object = intent.attributes.with_attr("id", principal.to_string().into());
        Ok(by_age(intent, &format!("The access entry {:?}", principal.to_string()), found.created_at(), object))
    }
}

async fn describe(client: &AwsClient, principal: &Principal) -> Result<Option<AccessEntry>, ApiError> {
    let call = client.eks.describe_access_entry().cluster_name(&principal.cluster).principal_arn(&principal.arn);
    match call.send().await.call("eks:DescribeAccessEntry") {
        Ok(answer) => Ok(answer.access_entry),
        Err(error) if eks::is_gone(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The entry as EKS has it.
fn object(client: &AwsClient, prior: &Value, entry: &AccessEntry) -> Value {
    let (cluster, arn) = (entry.cluster_name().unwrap_or_default(), entry.principal_arn().unwrap_or_default());
    let object = ObjectBuilder::carrying(&SCHEMA, prior)
        .set("access_entry_arn", values::opt_str(entry.access_entry_arn()))
        .set("cluster_name", cluster)
        .set("created_at", values::opt_str(entry.created_at().map(rfc3339).as_deref()))
        .set("id", format!("{cluster}:{arn}"))
        .set("kubernetes_groups", values::string_set(entry.kubernetes_groups().iter().map(String::as_str)))
        .set("modified_at", values::opt_str(entry.modified_at().map(rfc3339).as_deref()))
        .set("principal_arn", arn)
        .set("type", values::opt_str(entry.r#type()))
        .set("user_name", values::opt_str(entry.username()));
    tags::fill(object, client, prior, &eks::from_tags(entry.tags())).build()
}

async fn create(client: &AwsClient, cx: &Context, planned: &Value) -> Result<Value, Failure> {
    let principal = Principal::of(planned);
    let started = cx.clock.now();
    let attempts = Attempts::default();
    let answer = access::with_new_principals(cx, || async {
        let request = client
            .eks
            .create_access_entry()
            .cluster_name(&principal.cluster)
            .principal_arn(&principal.arn)
            .set_kubernetes_groups(values::strs_opt(planned, "kubernetes_groups"))
            .set_type(values::text(planned, "type"))
            .set_username(values::text(planned, "user_name"))
            .set_tags(eks::to_tags(&tags::wanted(client, planned)))
            .client_request_token(&cx.token);
        request.customize().interceptor(attempts.clone()).send().await.call("eks:CreateAccessEntry")
    });
    let made = match answer.await {
        Ok(answer) => answer.access_entry,
        Err(error) if error.is(&["ResourceInUseException"]) => {
            let fresh = |it: &AccessEntry| it.created_at().is_some_and(|d| d.secs() >= started - CLOCK_SKEW_SECS);
            let found = describe(client, &principal).await?;
            let ours = found.clone().filter(|it| attempts.repeated() && fresh(it));
            Some(ours.ok_or_else(|| taken(&principal, found.as_ref()))?)
        }
        Err(error) => return Err(error.into()),
    };
    let made =
        made.ok_or_else(|| Diagnostic::error("eks:CreateAccessEntry failed", "AWS answered no access entry."))?;
    Ok(object(client, planned, &made))
}

/// EKS makes entries by itself: for the roles of node groups and Fargate profiles, and for who created the cluster.
fn taken(principal: &Principal, found: Option<&AccessEntry>) -> Diagnostic {
    let kind = found.and_then(AccessEntry::r#type).unwrap_or("unknown");
    Diagnostic::error(
        "Access entry already exists",
        format!(
            "The cluster {:?} has an access entry for {} already, of type {kind}. EKS makes one for who creates a cluster, and for the roles \
             of managed node groups and Fargate profiles. Import it (`sgp import ADDRESS {principal}`), or remove the block.",
            principal.cluster, principal.arn
        ),
    )
    .attribute(AttrPath::attr("principal_arn"))
}

async fn update(client: &AwsClient, prior: &Value, planned: &Value) -> Result<Value, Failure> {
    let principal = Principal::of(prior);
    if changed(prior, planned, "kubernetes_groups") || changed(prior, planned, "user_name") {
        let call = client.eks.update_access_entry().cluster_name(&principal.cluster).principal_arn(&principal.arn);
        let call = call
            .set_kubernetes_groups(Some(values::strs(planned, "kubernetes_groups")))
            .set_username(values::text(planned, "user_name").filter(|_| changed(prior, planned, "user_name")));
        call.send().await.call("eks:UpdateAccessEntry")?;
    }
    let change = TagChange::planned(client, prior, planned);
    eks::update_tags(client, &values::string(prior, "access_entry_arn"), &change).await?;
    let found = describe(client, &principal).await?;
    let gone = || Diagnostic::error("Access entry is gone", format!("{principal} went away while it was updated."));
    Ok(object(client, planned, &found.ok_or_else(gone)?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[tokio::test]
    async fn a_described_entry_is_wholly_known() {
        let client = crate::client::tests::offline(&[]).await;
        let entry = AccessEntry::builder().cluster_name("c").principal_arn("arn:aws:iam::1:role/a").r#type("STANDARD");
        let object = object(&client, &SCHEMA.block.empty(), &entry.build());
        assert!(object.is_wholly_known() && object.ty() == SCHEMA.ty());
        assert_eq!(values::str_opt(&object, "id"), Some("c:arn:aws:iam::1:role/a"));
    }

    #[test]
    fn groups_of_the_system_are_refused() {
        let said = |group: &str| {
            let config = SCHEMA.block.empty().with_attr("kubernetes_groups", values::string_set([group]));
            EksAccessEntry.validate(&config).has_errors()
        };
        assert!(said("system:masters") && !said("developers"));
    }

    #[test]
    fn an_import_id_names_cluster_and_principal() {
        let import = |id| EksAccessEntry.import(&ImportRequest { id, config: &Value::dynamic_null() });
        let principal = Principal::of(&import("c:arn:aws:iam::1:role/a").unwrap());
        assert_eq!((principal.cluster.as_str(), principal.arn.as_str()), ("c", "arn:aws:iam::1:role/a"));
        assert!(import("c").is_err() && import("c:role").is_err());
    }
}
