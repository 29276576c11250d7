//! `aws_eks_fargate_profile`.

use std::{collections::HashMap, sync::LazyLock};

use async_trait::async_trait;
use aws_sdk_eks::types::{FargateProfile, FargateProfileSelector, FargateProfileStatus};
use sgp_contract::{
    Applied, Client, CommonGround, Context, CreateRequest, DeleteRequest, Found, ImportRequest, PlanRequest,
    PlanResponse, ReadOutcome, ReadRequest, ReadScope, ResourceType, UpdateRequest,
};
use sgp_model::{AttrPath, Attribute, Block, Diagnostic, Diagnostics, NestedBlock, Schema, Type, Value, state::Intent};

use crate::{
    adoption::{CLOCK_SKEW_SECS, by_age},
    attempts::Attempts,
    client::AwsClient,
    ec2::network_order,
    eks::{self, Issue, status_with, told},
    errors::{ApiError, Call, Failure, Leaving, applied},
    iam::{self, Checks},
    naming,
    tags::{self, TagChange},
    values::{self, ObjectBuilder},
    wait::{self, Pace, Poll},
};

/// The type.
pub struct EksFargateProfile;

/// EKS takes so many selectors, and so many labels in each.
const SELECTORS: usize = 5;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let selector = Block::default()
        .attr("labels", Attribute::string_map().optional().doc("Labels that a pod must have, all of them."))
        .attr("namespace", Attribute::string().required().doc("The namespace of the pods; `*` and `?` are wildcards."));
    let schema = Schema::new(
        "aws_eks_fargate_profile",
        "Which pods run on Fargate. Pods that are there already when it is made are not moved.",
    )
    .attr("arn", Attribute::string().computed().doc("The ARN."))
    .attr("cluster_name", Attribute::string().required().force_new().doc("The cluster's name."))
    .attr("fargate_profile_name", Attribute::string().required().force_new().doc("The name, unique in the cluster."))
    .attr("id", Attribute::string().computed().doc("The cluster's name and the profile's, with a colon between."))
    .attr(
        "pod_execution_role_arn",
        Attribute::string().required().force_new().doc(
            "The ARN of the role with which Fargate fetches images and joins the cluster; it trusts \
             eks-fargate-pods.amazonaws.com. The pods' own permissions are another role's.",
        ),
    )
    .attr("status", Attribute::string().computed().doc("`ACTIVE` once pods can run."))
    .attr(
        "subnet_ids",
        Attribute::string_set()
            .optional_computed()
            .force_new()
            .doc("Private subnets for the pods: without a route to an internet gateway. The cluster's when absent."),
    )
    .block(
        "selector",
        NestedBlock::set(selector)
            .required()
            .max(SELECTORS)
            .force_new()
            .doc("Pods that match one selector run on Fargate."),
    )
    .timeouts(&[("create", 600), ("delete", 600)])
    .unsupported(&["region"])
    .iam_actions(&[
        "eks:CreateFargateProfile",
        "eks:DeleteFargateProfile",
        "eks:DescribeFargateProfile",
        "eks:TagResource",
        "eks:UntagResource",
        "iam:CreateServiceLinkedRole",
        "iam:GetRole",
        "iam:PassRole",
    ])
    .lives_in("cluster_name")
    .example(
        r#"resource "aws_eks_fargate_profile" "payments" {
  cluster_name           = aws_eks_cluster.example.name
  fargate_profile_name   = "payments"
  pod_execution_role_arn = aws_iam_role.fargate.arn
  subnet_ids             = ["subnet-0123456789abcdef0", "subnet-0fedcba9876543210"]

  selector {
    namespace = "payments"
  }
}
"#,
    );
    tags::attributes(schema)
});

#[async_trait]
impl ResourceType for EksFargateProfile {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn endpoint(&self) -> &'static str {
        "eks"
    }

    /// Pods come up with it, and fetch their images over the network.
    fn created_after_on(&self) -> &'static [CommonGround] {
        network_order::IN_A_VPC
    }

    fn plan(&self, request: &PlanRequest<'_>) -> PlanResponse {
        tags::plan(&SCHEMA, request)
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        let is_name = |t: &str| {
            (1..=100).contains(&t.len())
                && !t.starts_with("eks-")
                && t.starts_with(|c: char| c.is_ascii_alphanumeric())
                && t.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
        };
        let mut found = Checks::of(config)
            .text("fargate_profile_name", is_name, "have up to 100 letters, digits, - and _, and not begin with eks-")
            .text("pod_execution_role_arn", |t| t.starts_with("arn:"), "be the ARN of a role")
            .done();
        let many = |selector: &&Value| values::str_map(selector, "labels").len() > SELECTORS;
        if values::blocks(config, "selector").iter().any(many) {
            let detail =
                format!("EKS takes at most {SELECTORS} labels in a selector. Use another selector, or fewer labels.");
            found.push(Diagnostic::error("Too many labels", detail).attribute(AttrPath::attr("selector")));
        }
        found
    }

    async fn read(&self, client: &dyn Client, _scope: &ReadScope, requests: &[ReadRequest]) -> Vec<ReadOutcome> {
        let client = AwsClient::of(client);
        let priors = requests.iter().map(|r| r.prior.clone()).collect();
        let objects = iam::each(priors, |prior| async move {
            let (cluster, name) = key_of(&prior);
            let found = describe(client, &cluster, &name).await?;
            Ok(found.map(|found| object(client, &prior, &found)))
        });
        requests.iter().zip(objects.await).map(|(request, object)| iam::outcome(request, object)).collect()
    }

    async fn create(&self, client: &dyn Client, cx: &Context, request: CreateRequest<'_>) -> Applied {
        applied(create(AwsClient::of(client), cx, request.planned).await.map(Some))
    }

    /// Only tags can change.
    async fn update(&self, client: &dyn Client, _cx: &Context, request: UpdateRequest<'_>) -> Applied {
        let (client, prior, planned) = (AwsClient::of(client), request.prior, request.planned);
        let change = TagChange::planned(client, prior, planned);
        let changed = eks::update_tags(client, &values::string(prior, "arn"), &change).await;
        let filled = || {
            tags::fill(ObjectBuilder::carrying(&SCHEMA, planned), client, planned, &tags::wanted(client, planned))
                .build()
        };
        applied(changed.map(|()| Some(filled())).leaving(prior))
    }

    async fn delete(&self, client: &dyn Client, cx: &Context, request: DeleteRequest<'_>) -> Applied {
        let result = delete(AwsClient::of(client), cx, request.prior).await;
        applied(result.map(|()| None).leaving(request.prior))
    }

    fn import(&self, request: &ImportRequest<'_>) -> Result<Value, Diagnostic> {
        let (cluster, name) = naming::two_names(request.id, "a Fargate profile", "CLUSTER:PROFILE")?;
        Ok(values::identity([("id", request.id), ("cluster_name", cluster), ("fargate_profile_name", name)]))
    }

    async fn find(&self, client: &dyn Client, intent: &Intent) -> Result<Found, Diagnostic> {
        let (cluster, name) = key_of(&intent.attributes);
        let Some(found) = describe(AwsClient::of(client), &cluster, &name).await? else { return Ok(Found::Nothing) };
        let object = intent.attributes.with_attr("id", format!("{cluster}:{name}").into());
        Ok(by_age(intent, &format!("The Fargate profile {name:?} of cluster {cluster:?}"), found.created_at(), object))
    }

    async fn settle(&self, client: &dyn Client, cx: &Context, _planned: &Value, object: Value) -> Applied {
        let client = AwsClient::of(client);
        let (cluster, name) = key_of(&object);
        let active = active(client, cx, &cluster, &name).await.leaving(&object);
        applied(active.map(|found| Some(self::object(client, &object, &found))))
    }
}

/// Cluster and name.
fn key_of(object: &Value) -> (String, String) {
    (values::string(object, "cluster_name"), values::string(object, "fargate_profile_name"))
}

async fn describe(client: &AwsClient, cluster: &str, name: &str) -> Result<Option<FargateProfile>, ApiError> {
    let request = client.eks.describe_fargate_profile().cluster_name(cluster).fargate_profile_name(name);
    match request.send().await.call("eks:DescribeFargateProfile") {
        Ok(answer) => Ok(answer.fargate_profile),
        Err(error) if eks::is_gone(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The profile as EKS has it.
fn object(client: &AwsClient, prior: &Value, found: &FargateProfile) -> Value {
    let (cluster, name) = (found.cluster_name().unwrap_or_default(), found.fargate_profile_name().unwrap_or_default());
    let block = &SCHEMA.block.blocks["selector"].block;
    let selectors = found.selectors().iter().map(|it| {
        ObjectBuilder::of_block(block)
            .set("namespace", values::opt_str(it.namespace()))
            .set("labels", labels(it, prior))
            .build()
    });
    let object = ObjectBuilder::carrying(&SCHEMA, prior)
        .set("arn", values::opt_str(found.fargate_profile_arn()))
        .set("cluster_name", cluster)
        .set("fargate_profile_name", name)
        .set("id", format!("{cluster}:{name}"))
        .set("pod_execution_role_arn", values::opt_str(found.pod_execution_role_arn()))
        .set("selector", Value::set(block.ty(), selectors))
        .set("status", values::word(found.status()))
        .set("subnet_ids", values::string_set(found.subnets().iter().map(String::as_str)));
    tags::fill(object, client, prior, &eks::from_tags(found.tags())).build()
}

/// The labels of a selector: without any, as they were recorded (null or none).
fn labels(selector: &FargateProfileSelector, prior: &Value) -> Value {
    let none = Value::null(Type::map(Type::String));
    match selector.labels().filter(|it| !it.is_empty()) {
        Some(labels) => values::string_map(labels.iter().map(|(k, v)| (k.as_str(), v.as_str()))),
        None => {
            let same = |it: &&&Value| values::str_opt(it, "namespace") == selector.namespace();
            let recorded = values::blocks(prior, "selector");
            let mut recorded = recorded.iter().filter(same).filter_map(|it| it.get("labels"));
            recorded.find(|it| it.as_fields().is_some_and(|f| f.is_empty())).cloned().unwrap_or(none)
        }
    }
}

async fn create(client: &AwsClient, cx: &Context, planned: &Value) -> Result<Value, Failure> {
    let (cluster, name) = key_of(planned);
    let started = cx.clock.now();
    let attempts = Attempts::default();
    // EKS makes and removes the profiles of a cluster one at a time.
    let answer = eks::with_new_roles(cx, || async {
        let request = client
            .eks
            .create_fargate_profile()
            .cluster_name(&cluster)
            .fargate_profile_name(&name)
            .pod_execution_role_arn(values::string(planned, "pod_execution_role_arn"))
            .set_subnets(values::strs_opt(planned, "subnet_ids"))
            .set_selectors(Some(selector_requests(planned)))
            .set_tags(eks::to_tags(&tags::wanted(client, planned)))
            .client_request_token(&cx.token);
        request.customize().interceptor(attempts.clone()).send().await.call("eks:CreateFargateProfile")
    });
    let made = match answer.await {
        Ok(answer) => answer.fargate_profile,
        Err(error) if eks::is_taken(&error) && attempts.repeated() => {
            let fresh = |it: &FargateProfile| it.created_at().is_some_and(|d| d.secs() >= started - CLOCK_SKEW_SECS);
            Some(describe(client, &cluster, &name).await?.filter(fresh).ok_or(error)?)
        }
        Err(error) => return Err(error.into()),
    };
    let made = made.ok_or_else(|| Diagnostic::error("eks:CreateFargateProfile failed", "AWS answered no profile."))?;
    let begun = object(client, planned, &made);
    eks::checkpoint(cx, &begun).await?;
    let active = active(client, cx, &cluster, &name).await.leaving(&begun)?;
    Ok(object(client, planned, &active))
}

fn selector_requests(planned: &Value) -> Vec<FargateProfileSelector> {
    let request = |block: &Value| {
        let labels: HashMap<_, _> = values::str_map(block, "labels").into_iter().collect();
        FargateProfileSelector::builder()
            .namespace(values::string(block, "namespace"))
            .set_labels((!labels.is_empty()).then_some(labels))
            .build()
    };
    values::blocks(planned, "selector").into_iter().map(request).collect()
}

/// Waits until the profile is ACTIVE.
async fn active(client: &AwsClient, cx: &Context, cluster: &str, name: &str) -> Result<FargateProfile, Diagnostic> {
    let look = || async {
        let Some(found) = describe(client, cluster, name).await? else {
            return Ok(Poll::Pending("not visible yet".into()));
        };
        Ok(match found.status() {
            Some(FargateProfileStatus::Active) => Poll::Ready(found),
            Some(FargateProfileStatus::CreateFailed | FargateProfileStatus::Deleting) => {
                Poll::Broken(broken(cluster, name, &found))
            }
            _ => Poll::Pending(shown(&found)),
        })
    };
    wait::until(cx, &format!("Fargate profile \"{cluster}:{name}\" to become ACTIVE"), Pace::SLOW, look).await
}

fn issues(found: &FargateProfile) -> impl Iterator<Item = Issue<'_>> {
    found.health().map(|h| h.issues()).unwrap_or_default().iter().map(|issue| Issue {
        code: issue.code().map_or("", |c| c.as_str()),
        message: issue.message().unwrap_or_default(),
        resources: issue.resource_ids(),
    })
}

fn shown(found: &FargateProfile) -> String {
    status_with(found.status().map_or("CREATING", |s| s.as_str()), issues(found).map(|i| i.to_string()))
}

fn broken(cluster: &str, name: &str, found: &FargateProfile) -> Diagnostic {
    let status = found.status().map_or("", |s| s.as_str());
    let what = format!("The Fargate profile \"{cluster}:{name}\" is {status}");
    Diagnostic::error("EKS Fargate profile failed", told(&what, issues(found)))
}

async fn delete(client: &AwsClient, cx: &Context, prior: &Value) -> Result<(), Failure> {
    let (cluster, name) = key_of(prior);
    let start = || async {
        let request = client.eks.delete_fargate_profile().cluster_name(&cluster).fargate_profile_name(&name);
        match request.send().await.call("eks:DeleteFargateProfile") {
            Err(error) if eks::is_gone(&error) => Ok(Poll::Ready(false)),
            Err(error) if eks::is_busy(&error) => Ok(Poll::Pending("another profile is being made or removed".into())),
            answer => answer.map(|_| Poll::Ready(true)),
        }
    };
    let what = format!("Fargate profile \"{cluster}:{name}\"");
    if !wait::until(cx, &format!("{what} to be free for its deletion"), Pace::SLOW, start).await? {
        return Ok(());
    }
    let look = || async {
        let Some(found) = describe(client, &cluster, &name).await? else { return Ok(Poll::Ready(())) };
        Ok(match found.status() {
            Some(FargateProfileStatus::DeleteFailed) => Poll::Broken(broken(&cluster, &name, &found)),
            _ => Poll::Pending(shown(&found)),
        })
    };
    Ok(wait::until(cx, &format!("{what} to be deleted"), Pace::SLOW, look).await?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn selector(namespace: &str, labels: Value) -> Value {
        let block = &SCHEMA.block.blocks["selector"].block;
        ObjectBuilder::of_block(block).set("namespace", namespace).set("labels", labels).build()
    }

    fn profile(selectors: &[Value]) -> Value {
        let block = &SCHEMA.block.blocks["selector"].block;
        ObjectBuilder::new(&SCHEMA)
            .set("cluster_name", "c")
            .set("fargate_profile_name", "p")
            .set("pod_execution_role_arn", "arn:r")
            .set("selector", Value::set(block.ty(), selectors.iter().cloned()))
            .build()
    }

    #[tokio::test]
    async fn a_described_profile_is_wholly_known_and_as_it_was_said() {
        let client = crate::client::tests::offline(&[]).await;
        let none = Value::null(Type::map(Type::String));
        let said = [
            selector("a", values::string_map::<&str, &str>([])),
            selector("b", none),
            selector("c", values::string_map([("app", "x")])),
        ];
        let found = FargateProfile::builder()
            .cluster_name("c")
            .fargate_profile_name("p")
            .pod_execution_role_arn("arn:r")
            .selectors(FargateProfileSelector::builder().namespace("a").build())
            .selectors(FargateProfileSelector::builder().namespace("b").build())
            .selectors(FargateProfileSelector::builder().namespace("c").labels("app", "x").build())
            .status(FargateProfileStatus::Active);
        let planned = profile(&said);
        let object = object(&client, &planned, &found.build());
        assert!(object.is_wholly_known() && object.ty() == SCHEMA.ty());
        assert_eq!(object.get("selector"), planned.get("selector"));
    }

    #[test]
    fn arguments_are_checked() {
        let said = |name: &str, labels: usize| {
            let labels = values::string_map((0..labels).map(|n| (format!("k{n}"), "v")));
            let config = profile(&[selector("a", labels)]).with_attr("fargate_profile_name", name.into());
            EksFargateProfile.validate(&config).into_iter().map(|d| d.summary).collect::<Vec<_>>()
        };
        assert!(said("payments", 5).is_empty());
        assert_eq!(said("eks-payments", 5), ["Invalid argument"]);
        assert_eq!(said("payments", 6), ["Too many labels"]);
    }

    #[test]
    fn an_import_id_names_cluster_and_profile() {
        let import = |id| EksFargateProfile.import(&ImportRequest { id, config: &Value::dynamic_null() });
        assert_eq!(key_of(&import("c:p").unwrap()), ("c".into(), "p".into()));
        assert!(import("c").is_err() && import(":p").is_err());
    }
}
