//! `aws_eks_addon`.

use std::sync::LazyLock;

use async_trait::async_trait;
use aws_sdk_eks::types::{Addon, ResolveConflicts};
use sgp_contract::{
    Applied, Claim, ClaimRequest, Client, Context, CreateRequest, DeleteRequest, Found, ImportRequest, PlanRequest,
    PlanResponse, ReadOutcome, ReadRequest, ReadScope, ResourceType, UpdateRequest,
};
use sgp_model::{
    Attribute, Block, Diagnostic, Diagnostics, NestedBlock, Schema, Value, schema::Semantics, state::Intent,
};

use crate::{
    adoption::{CLOCK_SKEW_SECS, by_age},
    attempts::Attempts,
    client::AwsClient,
    eks::{
        self, Target,
        addon::{self, association_requests, describe},
    },
    errors::{ApiError, Call, Failure, Leaving, applied},
    iam::{self, Checks},
    naming,
    tags::{self, TagChange},
    values::{self, changed},
    wait::{self, Pace, Poll},
};

/// The type.
pub struct EksAddon;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let association = Block::default()
        .attr("role_arn", Attribute::string().required().doc("The ARN of the role."))
        .attr("service_account", Attribute::string().required().doc("The add-on's service account: `aws-node`."));
    let schema = Schema::new(
        "aws_eks_addon",
        "An EKS managed add-on. `sgp_pod_eni` manages vpc-cni for pods with security groups.",
    )
    .attr("addon_name", Attribute::string().required().force_new().doc("The name: `coredns`, `vpc-cni` ..."))
    .attr(
        "addon_version",
        Attribute::string()
            .optional_computed()
            .doc("The version, `v1.23.1-eksbuild.1`; the default for the cluster's version otherwise."),
    )
    .attr("arn", Attribute::string().computed().doc("The ARN."))
    .attr("cluster_name", Attribute::string().required().force_new().doc("The cluster's name."))
    .attr(
        "configuration_values",
        Attribute::string()
            .optional_computed()
            .semantics(Semantics::Json)
            .doc("The configuration (JSON) by the schema of the add-on's version."),
    )
    .attr("created_at", Attribute::string().computed().doc("When it was created, RFC 3339."))
    .attr("id", Attribute::string().computed().doc("The cluster's name and the add-on's, with a colon between."))
    .attr("modified_at", Attribute::string().computed().follows(&["*"]).doc("When it last changed, RFC 3339."))
    .attr(
        "preserve",
        Attribute::bool().optional().doc("Whether deleting the add-on leaves its objects in the cluster."),
    )
    .attr(
        "resolve_conflicts_on_create",
        Attribute::string().optional().doc("`NONE` or `OVERWRITE` what is in the cluster already."),
    )
    .attr(
        "resolve_conflicts_on_update",
        Attribute::string().optional().doc("`NONE`, `OVERWRITE` or `PRESERVE` what was changed in the cluster."),
    )
    .attr(
        "service_account_role_arn",
        Attribute::string().optional().doc("The ARN of the role of the add-on's service account (IRSA)."),
    )
    .block(
        "namespace_config",
        NestedBlock::list_of_one(Block::default().attr(
            "namespace",
            Attribute::string().required().force_new().doc("The namespace that the add-on is installed in."),
        ))
        .force_new()
        .computed()
        .doc("Where the add-on is installed, for add-ons that leave the choice."),
    )
    .block(
        "pod_identity_association",
        NestedBlock::set(association).doc("A role for a service account of the add-on (EKS Pod Identity)."),
    )
    .timeouts(&[("create", 1200), ("update", 1200), ("delete", 2400)])
    .unsupported(&["region", "resolve_conflicts"])
    .iam_actions(&[
        "eks:CreateAddon",
        "eks:CreatePodIdentityAssociation",
        "eks:DeleteAddon",
        "eks:DescribeAddon",
        "eks:DescribePodIdentityAssociation",
        "eks:DescribeUpdate",
        "eks:TagResource",
        "eks:UntagResource",
        "eks:UpdateAddon",
        "iam:GetRole",
        "iam:PassRole",
    ])
    .lives_in("cluster_name")
    .example(
        r#"resource "aws_eks_addon" "coredns" {
  cluster_name = aws_eks_cluster.example.name
  addon_name   = "coredns"
}
"#,
    );
    tags::attributes(schema)
});

#[async_trait]
impl ResourceType for EksAddon {
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
        Checks::of(config)
            .text("addon_name", |t| !t.is_empty(), "be the name of an add-on")
            .text("resolve_conflicts_on_create", |t| ["NONE", "OVERWRITE"].contains(&t), "be NONE or OVERWRITE")
            .text(
                "resolve_conflicts_on_update",
                |t| ["NONE", "OVERWRITE", "PRESERVE"].contains(&t),
                "be NONE, OVERWRITE or PRESERVE",
            )
            .text("service_account_role_arn", |t| t.is_empty() || t.starts_with("arn:"), "be the ARN of a role")
            .done()
    }

    async fn read(&self, client: &dyn Client, _scope: &ReadScope, requests: &[ReadRequest]) -> Vec<ReadOutcome> {
        let client = AwsClient::of(client);
        let priors = requests.iter().map(|r| r.prior.clone()).collect();
        let objects = iam::each(priors, |prior| async move {
            let (cluster, name) = key_of(&prior);
            match describe(client, &cluster, &name).await? {
                Some(found) => object(client, &prior, &found).await.map(Some),
                None => Ok(None),
            }
        });
        requests.iter().zip(objects.await).map(|(request, object)| iam::outcome(request, object)).collect()
    }

    async fn create(&self, client: &dyn Client, cx: &Context, request: CreateRequest<'_>) -> Applied {
        applied(create(AwsClient::of(client), cx, request.planned).await.map(Some))
    }

    async fn update(&self, client: &dyn Client, cx: &Context, request: UpdateRequest<'_>) -> Applied {
        applied(update(AwsClient::of(client), cx, request.prior, request.planned).await.map(Some))
    }

    async fn delete(&self, client: &dyn Client, cx: &Context, request: DeleteRequest<'_>) -> Applied {
        let result = delete(AwsClient::of(client), cx, request.prior).await;
        applied(result.map(|()| None).leaving(request.prior))
    }

    fn import(&self, request: &ImportRequest<'_>) -> Result<Value, Diagnostic> {
        let (cluster, name) = naming::two_names(request.id, "an add-on", "CLUSTER:ADDON")?;
        Ok(values::identity([("id", request.id), ("cluster_name", cluster), ("addon_name", name)]))
    }

    fn claims(&self, request: &ClaimRequest<'_>) -> Option<Claim> {
        let (object, provider) = (request.object, request.provider);
        let (cluster, name) = (values::str_opt(object, "cluster_name")?, values::str_opt(object, "addon_name")?);
        // Another block may stand for another region, with another cluster of that name.
        let is_default = provider.module.is_root() && provider.alias.is_none();
        let thing = || format!("the add-on {name} of the cluster {cluster:?}");
        is_default.then(|| Claim { thing: thing(), advice: "", is_part: false })
    }

    async fn find(&self, client: &dyn Client, intent: &Intent) -> Result<Found, Diagnostic> {
        let (cluster, name) = key_of(&intent.attributes);
        let Some(found) = describe(AwsClient::of(client), &cluster, &name).await? else { return Ok(Found::Nothing) };
        let object = intent.attributes.with_attr("id", format!("{cluster}:{name}").into());
        Ok(by_age(intent, &format!("The add-on {name:?} of cluster {cluster:?}"), found.created_at(), object))
    }

    async fn settle(&self, client: &dyn Client, cx: &Context, _planned: &Value, object: Value) -> Applied {
        let client = AwsClient::of(client);
        let (cluster, name) = key_of(&object);
        let settled = async {
            let active = addon::active(client, cx, &cluster, &name).await.leaving(&object)?;
            self::object(client, &object, &active).await.leaving(&object)
        };
        applied(settled.await.map(Some))
    }
}

/// Cluster and name.
fn key_of(object: &Value) -> (String, String) {
    (values::string(object, "cluster_name"), values::string(object, "addon_name"))
}

async fn object(client: &AwsClient, prior: &Value, found: &Addon) -> Result<Value, ApiError> {
    let associations = addon::associations(client, found.cluster_name().unwrap_or_default(), found).await?;
    Ok(addon::object(&SCHEMA, client, prior, found, &associations))
}

async fn create(client: &AwsClient, cx: &Context, planned: &Value) -> Result<Value, Failure> {
    let (cluster, name) = key_of(planned);
    let started = cx.clock.now();
    let attempts = Attempts::default();
    let associations = association_requests(planned);
    let answer = eks::with_new_roles(cx, || async {
        let request = client
            .eks
            .create_addon()
            .cluster_name(&cluster)
            .addon_name(&name)
            .set_addon_version(values::text(planned, "addon_version"))
            .set_configuration_values(values::text(planned, "configuration_values"))
            .set_resolve_conflicts(values::str_opt(planned, "resolve_conflicts_on_create").map(ResolveConflicts::from))
            .set_service_account_role_arn(values::text(planned, "service_account_role_arn"))
            .set_pod_identity_associations((!associations.is_empty()).then(|| associations.clone()))
            .set_namespace_config(addon::namespace_request(planned))
            .set_tags(eks::to_tags(&tags::wanted(client, planned)))
            .client_request_token(&cx.token);
        request.customize().interceptor(attempts.clone()).send().await.call("eks:CreateAddon")
    });
    let made = match answer.await {
        Ok(answer) => answer.addon,
        Err(error) if eks::is_taken(&error) && attempts.repeated() => {
            // An attempt before the one that was refused may have made it.
            let fresh = |a: &Addon| a.created_at().is_some_and(|d| d.secs() >= started - CLOCK_SKEW_SECS);
            Some(describe(client, &cluster, &name).await?.filter(fresh).ok_or(error)?)
        }
        Err(error) => return Err(error.into()),
    };
    let made = made.ok_or_else(|| Diagnostic::error("eks:CreateAddon failed", "AWS answered no add-on."))?;
    let begun = addon::object(&SCHEMA, client, planned, &made, &[]);
    eks::checkpoint(cx, &begun).await?;
    let active = addon::active(client, cx, &cluster, &name).await.leaving(&begun)?;
    object(client, planned, &active).await.leaving(&begun)
}

async fn update(client: &AwsClient, cx: &Context, prior: &Value, planned: &Value) -> Result<Value, Failure> {
    let (cluster, name) = key_of(prior);
    let result = change(client, cx, prior, planned).await;
    let basis = if result.is_ok() { planned } else { prior };
    // What was done before a failure is read back, so that the next plan starts from the truth.
    let now = match describe(client, &cluster, &name).await {
        Ok(Some(found)) => object(client, basis, &found).await,
        Ok(None) => {
            return Err(Diagnostic::error(
                "EKS add-on is gone",
                format!("The add-on \"{cluster}:{name}\" went away while it was updated."),
            )
            .into());
        }
        Err(error) => Err(error),
    };
    match result {
        Ok(()) => now.leaving(prior),
        Err(failure) => Err(Failure { object: Some(now.unwrap_or_else(|_| prior.clone())), ..failure }),
    }
}

async fn change(client: &AwsClient, cx: &Context, prior: &Value, planned: &Value) -> Result<(), Failure> {
    let (cluster, name) = key_of(prior);
    let target = Target { cluster: &cluster, nodegroup: None, addon: Some(&name) };
    let associations = association_requests(planned);
    let differs = |attribute| changed(prior, planned, attribute);
    if ["addon_version", "configuration_values", "pod_identity_association", "service_account_role_arn"]
        .into_iter()
        .any(differs)
    {
        let call = || async {
            // The configuration goes along always: an update without it can put it back to what the version comes with.
            let request = client
                .eks
                .update_addon()
                .cluster_name(&cluster)
                .addon_name(&name)
                .set_addon_version(values::text(planned, "addon_version").filter(|_| differs("addon_version")))
                .set_configuration_values(values::text(planned, "configuration_values"))
                .set_resolve_conflicts(
                    values::str_opt(planned, "resolve_conflicts_on_update").map(ResolveConflicts::from),
                )
                .set_service_account_role_arn(role_request(prior, planned))
                .set_pod_identity_associations(differs("pod_identity_association").then(|| associations.clone()))
                .client_request_token(format!("{}-update", cx.token));
            request.send().await.call("eks:UpdateAddon").map(|answer| answer.update)
        };
        eks::update(client, cx, target, || eks::with_new_roles(cx, call)).await?;
        addon::active(client, cx, &cluster, &name).await?;
    }
    let arn = values::string(prior, "arn");
    Ok(eks::update_tags(client, &arn, &TagChange::planned(client, prior, planned)).await?)
}

/// The role goes along when it is set; an empty text takes it away.
fn role_request(prior: &Value, planned: &Value) -> Option<String> {
    let (old, new) =
        (values::text(prior, "service_account_role_arn"), values::text(planned, "service_account_role_arn"));
    new.or_else(|| old.map(|_| String::new()))
}

async fn delete(client: &AwsClient, cx: &Context, prior: &Value) -> Result<(), Failure> {
    let (cluster, name) = key_of(prior);
    let start = || async {
        let request = client
            .eks
            .delete_addon()
            .cluster_name(&cluster)
            .addon_name(&name)
            .preserve(values::flag(prior, "preserve"));
        match request.send().await.call("eks:DeleteAddon") {
            Err(error) if eks::is_gone(&error) => Ok(Poll::Ready(false)),
            Err(error) if eks::is_busy(&error) => Ok(Poll::Pending("an update is still running".into())),
            answer => answer.map(|_| Poll::Ready(true)),
        }
    };
    let what = format!("add-on \"{cluster}:{name}\" to be free for its deletion");
    if wait::until(cx, &what, Pace::SLOW, start).await? {
        addon::gone(client, cx, &cluster, &name).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use sgp_model::Type;

    use super::*;
    use crate::values::ObjectBuilder;

    #[tokio::test]
    async fn a_described_addon_is_wholly_known() {
        let client = crate::client::tests::offline(&[]).await;
        let planned = ObjectBuilder::new(&SCHEMA)
            .set("cluster_name", "c")
            .set("addon_name", "vpc-cni")
            .set("configuration_values", r#"{ "env": {} }"#)
            .set("addon_version", Value::unknown(Type::String))
            .build();
        let found = Addon::builder()
            .cluster_name("c")
            .addon_name("vpc-cni")
            .addon_version("v1")
            .configuration_values(r#"{"env":{}}"#);
        let bound = [addon::Association { service_account: "aws-node".into(), role_arn: "arn:r".into() }];
        let object = addon::object(&SCHEMA, &client, &planned, &found.build(), &bound);
        assert!(object.is_wholly_known());
        assert_eq!(object.ty(), SCHEMA.ty());
        assert_eq!(values::str_opt(&object, "configuration_values"), Some(r#"{ "env": {} }"#));
        assert_eq!(association_requests(&object)[0].service_account(), "aws-node");
    }

    #[test]
    fn a_role_is_kept_set_or_taken_away() {
        let of = |arn: Option<&str>| Value::object([("service_account_role_arn", values::opt_str(arn))]);
        for (old, new, sent) in [
            (None, None, None),
            (None, Some("arn:b"), Some("arn:b")),
            (Some("arn:a"), Some("arn:a"), Some("arn:a")),
            (Some("arn:a"), None, Some("")),
        ] {
            assert_eq!(role_request(&of(old), &of(new)).as_deref(), sent, "{old:?} {new:?}");
        }
    }

    #[test]
    fn an_import_id_names_cluster_and_addon() {
        let import = |id| EksAddon.import(&ImportRequest { id, config: &Value::dynamic_null() });
        assert_eq!(key_of(&import("c:vpc-cni").unwrap()), ("c".into(), "vpc-cni".into()));
        assert!(import("vpc-cni").is_err());
    }
}
