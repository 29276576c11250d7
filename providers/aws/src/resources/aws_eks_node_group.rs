//! `aws_eks_node_group`.

use std::sync::LazyLock;

use async_trait::async_trait;
use aws_sdk_eks::types::{AmiTypes, CapacityTypes, Nodegroup, NodegroupStatus};
use sgp_contract::{
    Applied, Client, CommonGround, Context, CreateRequest, DeleteRequest, Found, ImportRequest, PlanRequest,
    PlanResponse, ReadOutcome, ReadRequest, ReadScope, ResourceType, UpdateRequest,
};
use sgp_model::{AttrPath, Attribute, Diagnostic, Diagnostics, PathStep, Schema, Type, Value, state::Intent};

use crate::{
    adoption::{CLOCK_SKEW_SECS, by_age},
    attempts::Attempts,
    client::AwsClient,
    ec2::network_order,
    eks::{
        self, Target,
        nodegroup::{self, describe, issues},
        status_with, told,
    },
    errors::{Call, Failure, Leaving, applied},
    iam::{self, Checks},
    naming,
    tags::{self, TagChange},
    values::{self, changed},
    wait::{self, Pace, Poll},
};

/// The type.
pub struct EksNodeGroup;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let computed = |attribute: Attribute| attribute.optional_computed().force_new();
    let schema = Schema::new("aws_eks_node_group", "A managed node group: an Auto Scaling group of EC2 nodes that EKS runs.")
        .attr("ami_type", computed(Attribute::string()).doc("The kind of image: `AL2023_x86_64_STANDARD`, `BOTTLEROCKET_ARM_64`, `CUSTOM` ..."))
        .attr("arn", Attribute::string().computed().doc("The ARN."))
        .attr("capacity_type", computed(Attribute::string()).doc("`ON_DEMAND`, `SPOT` or `CAPACITY_BLOCK`."))
        .attr("cluster_name", Attribute::string().required().force_new().doc("The cluster's name."))
        .attr("disk_size", computed(Attribute::number()).doc("The size of the root volume in GiB, 20 by default; goes without a launch template."))
        .attr("force_update_version", Attribute::bool().optional().doc("Whether an update goes on although pods cannot be drained."))
        .attr("id", Attribute::string().computed().doc("The cluster's name and the node group's, with a colon between."))
        .attr(
            "instance_types",
            computed(Attribute::strings()).doc("Instance types, the preferred ones first. Pods with security groups need types that can trunk; no t type can."),
        )
        .attr("labels", Attribute::string_map().optional().doc("Kubernetes labels of the nodes."))
        .attr("node_group_name", computed(Attribute::string()).doc("The name, up to 63 characters; made out of `node_group_name_prefix` otherwise."))
        .attr("node_group_name_prefix", computed(Attribute::string()).doc("What a made name begins with, up to 37 characters."))
        .attr("node_role_arn", Attribute::string().required().force_new().doc("The ARN of the nodes' role."))
        .attr(
            "release_version",
            Attribute::string().optional_computed().follows(&["version"]).doc("The version of the image: `1.36.0-20260801`; the latest otherwise."),
        )
        .attr("resources", Attribute::of(nodegroup::resources_type()).computed().doc("The Auto Scaling groups and the security group for SSH."))
        .attr("status", Attribute::string().computed().doc("`ACTIVE`, `CREATING`, `UPDATING`, `DELETING`, `DEGRADED`, `CREATE_FAILED`, `DELETE_FAILED`."))
        .attr("subnet_ids", Attribute::string_set().required().force_new().doc("The subnets of the nodes."))
        .attr("version", Attribute::string().optional_computed().doc("The Kubernetes version; the cluster's at creation otherwise."))
        .block("launch_template", nodegroup::launch_template())
        .block("node_repair_config", nodegroup::node_repair_config())
        .block("remote_access", nodegroup::remote_access())
        .block("scaling_config", nodegroup::scaling_config())
        .block("taint", nodegroup::taint())
        .block("update_config", nodegroup::update_config())
        .timeouts(&[("create", 3600), ("update", 3600), ("delete", 3600)])
        .unsupported(&["region", "warm_pool_config"])
        .iam_actions(&[
            "ec2:DescribeLaunchTemplateVersions",
            "ec2:DescribeSubnets",
            "ec2:RunInstances",
            "eks:CreateNodegroup",
            "eks:DeleteNodegroup",
            "eks:DescribeNodegroup",
            "eks:DescribeUpdate",
            "eks:TagResource",
            "eks:UntagResource",
            "eks:UpdateNodegroupConfig",
            "eks:UpdateNodegroupVersion",
            "iam:CreateServiceLinkedRole",
            "iam:GetRole",
            "iam:PassRole",
        ])
        .lives_in("cluster_name")
        .example(
            r#"resource "aws_eks_node_group" "example" {
  cluster_name    = aws_eks_cluster.example.name
  node_group_name = "example"
  node_role_arn   = aws_iam_role.node.arn
  subnet_ids      = data.aws_subnets.private.ids
  instance_types  = ["m5.large"]
  scaling_config {
    desired_size = 2
    max_size     = 3
    min_size     = 1
  }
}
"#,
        );
    tags::attributes(schema)
});

#[async_trait]
impl ResourceType for EksNodeGroup {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn endpoint(&self) -> &'static str {
        "eks"
    }

    /// Nodes that join before pod ENI is on may fill every interface slot, and start without it.
    fn created_after(&self) -> &'static [&'static str] {
        &["sgp_pod_eni"]
    }

    /// Nodes that come up before their network is there do not join, and the group fails.
    fn created_after_on(&self) -> &'static [CommonGround] {
        network_order::IN_A_VPC
    }

    fn plan(&self, request: &PlanRequest<'_>) -> PlanResponse {
        let mut response = tags::plan(&SCHEMA, request);
        if !request.prior.is_null() {
            let planned = response.planned.take().unwrap_or_else(|| request.proposed.clone());
            response.planned = Some(judge(request.prior, request.config, planned, &mut response.requires_replace));
        }
        response
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        validate(config)
    }

    fn prepare(&self, planned: Value, token: &str) -> Value {
        if values::text(&planned, "node_group_name").is_some() {
            return planned;
        }
        let prefix = values::text(&planned, "node_group_name_prefix").unwrap_or_else(|| "terraform-".into());
        let name = format!("{prefix}{}", naming::suffix(token));
        planned.with_attr("node_group_name", name.into()).with_attr("node_group_name_prefix", prefix.into())
    }

    async fn read(&self, client: &dyn Client, _scope: &ReadScope, requests: &[ReadRequest]) -> Vec<ReadOutcome> {
        let client = AwsClient::of(client);
        let priors = requests.iter().map(|r| r.prior.clone()).collect();
        let objects = iam::each(priors, |prior| async move {
            let (cluster, name) = key_of(&prior);
            Ok(describe(client, &cluster, &name).await?.map(|found| nodegroup::object(&SCHEMA, client, &prior, &found)))
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
        let (cluster, name) = key_of(request.prior);
        let result = delete(AwsClient::of(client), cx, &cluster, &name).await;
        applied(result.map(|()| None).leaving(request.prior))
    }

    fn import(&self, request: &ImportRequest<'_>) -> Result<Value, Diagnostic> {
        let (cluster, name) = naming::two_names(request.id, "a node group", "CLUSTER:NODEGROUP")?;
        Ok(values::identity([("id", request.id), ("cluster_name", cluster), ("node_group_name", name)]))
    }

    async fn find(&self, client: &dyn Client, intent: &Intent) -> Result<Found, Diagnostic> {
        let (cluster, name) = key_of(&intent.attributes);
        let Some(found) = describe(AwsClient::of(client), &cluster, &name).await? else { return Ok(Found::Nothing) };
        let object = intent.attributes.with_attr("id", format!("{cluster}:{name}").into());
        Ok(by_age(intent, &format!("The node group {name:?} of cluster {cluster:?}"), found.created_at(), object))
    }

    async fn settle(&self, client: &dyn Client, cx: &Context, _planned: &Value, object: Value) -> Applied {
        let client = AwsClient::of(client);
        let (cluster, name) = key_of(&object);
        let active = active(client, cx, &cluster, &name).await.leaving(&object);
        applied(active.map(|found| Some(nodegroup::object(&SCHEMA, client, &object, &found))))
    }
}

/// Cluster and name.
fn key_of(object: &Value) -> (String, String) {
    (values::string(object, "cluster_name"), values::string(object, "node_group_name"))
}

/// Which launch template changes replace the group; and the half of a template's name that nobody said is no change.
fn judge(prior: &Value, config: &Value, planned: Value, replace: &mut Vec<AttrPath>) -> Value {
    let (old, new) = (values::block(prior, "launch_template"), values::block(config, "launch_template"));
    match (old, new) {
        (Some(_), None) | (None, Some(_)) => replace.push(AttrPath::attr("launch_template")),
        (Some(old), Some(new)) => {
            for name in ["id", "name"] {
                let path =
                    || AttrPath::attr("launch_template").with(PathStep::Index(0)).with(PathStep::Attr(name.into()));
                let said = new.get(name).is_some_and(|v| !v.is_null());
                if said && values::is_set(old, name) && changed(old, new, name) {
                    replace.push(path());
                }
            }
        }
        (None, None) => {}
    }
    // An image that nobody fixed is found out anew when the launch template, which may carry another image, moves on.
    let moved = matches!((old, new), (Some(old), Some(new)) if changed(old, new, "version"));
    if moved && !values::is_set(config, "release_version") {
        return planned.with_attr("release_version", Value::unknown(Type::String));
    }
    planned
}

fn validate(config: &Value) -> Diagnostics {
    let mut checks = Checks::of(config)
        .conflict("node_group_name", "node_group_name_prefix")
        .text(
            "node_group_name",
            |t| is_name(t, 63),
            "begin with a letter or digit and have at most 63 letters, digits, `-` and `_`",
        )
        .text(
            "node_group_name_prefix",
            |t| is_name(t, 37),
            "begin with a letter or digit and have at most 37 letters, digits, `-` and `_`",
        )
        .text("node_role_arn", |t| t.starts_with("arn:"), "be the ARN of a role")
        .text("capacity_type", |t| CapacityTypes::values().contains(&t), "be ON_DEMAND, SPOT or CAPACITY_BLOCK")
        .range("disk_size", 1, 16384);
    if let Some(scaling) = values::block(config, "scaling_config") {
        let [min, desired, max] = ["min_size", "desired_size", "max_size"].map(|name| values::i64_opt(scaling, name));
        if let (Some(min), Some(desired), Some(max)) = (min, desired, max)
            && !(0 <= min && min <= desired && desired <= max && max >= 1)
        {
            let detail = format!(
                "min_size {min}, desired_size {desired} and max_size {max} must rise in this order, from 0 at least to 1 at least."
            );
            checks.wrong("scaling_config", detail);
        }
    }
    if let Some(update) = values::block(config, "update_config")
        && values::is_set(update, "max_unavailable")
        && values::is_set(update, "max_unavailable_percentage")
    {
        checks.wrong(
            "update_config",
            "`max_unavailable` and `max_unavailable_percentage` exclude each other. Set one of them.",
        );
    }
    for taint in values::blocks(config, "taint") {
        let effect = values::str_opt(taint, "effect").unwrap_or("NO_SCHEDULE");
        if !["NO_SCHEDULE", "NO_EXECUTE", "PREFER_NO_SCHEDULE"].contains(&effect) {
            checks.wrong(
                "taint",
                format!("`effect` is {effect:?}; it must be NO_SCHEDULE, NO_EXECUTE or PREFER_NO_SCHEDULE."),
            );
        }
    }
    if let Some(template) = values::block(config, "launch_template") {
        if values::is_set(template, "id") && values::is_set(template, "name") {
            checks.wrong("launch_template", "`id` and `name` exclude each other. Set one of them.");
        }
        for other in ["disk_size", "remote_access"] {
            if values::is_set(config, other) && (other == "disk_size" || values::block(config, other).is_some()) {
                checks.wrong(
                    other,
                    format!("EKS refuses `{other}` beside `launch_template`. Say it in the launch template."),
                );
            }
        }
    }
    let mut problems = checks.done();
    problems.extend(moving_version(config));
    problems
}

/// EKS turns `$Latest` into a number, so it differs from the configuration for ever.
fn moving_version(config: &Value) -> Option<Diagnostic> {
    let template = values::block(config, "launch_template")?;
    let version = values::str_opt(template, "version").filter(|v| v.starts_with('$'))?;
    let detail = format!(
        "EKS records the number that {version} stands for, so every plan shows a change. Use `latest_version` or \
         `default_version` of the `aws_launch_template`."
    );
    Some(
        Diagnostic::warning("Launch template version is not a number", detail)
            .attribute(AttrPath::attr("launch_template")),
    )
}

fn is_name(text: &str, longest: usize) -> bool {
    text.len() <= longest
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

async fn create(client: &AwsClient, cx: &Context, planned: &Value) -> Result<Value, Failure> {
    let (cluster, name) = key_of(planned);
    let started = cx.clock.now();
    let attempts = Attempts::default();
    let answer = eks::with_new_roles(cx, || async {
        let request = create_request(client, planned).client_request_token(&cx.token);
        request.customize().interceptor(attempts.clone()).send().await.call("eks:CreateNodegroup")
    });
    let made = match answer.await {
        Ok(answer) => answer.nodegroup,
        Err(error) if eks::is_taken(&error) && attempts.repeated() => {
            // An attempt before the one that was refused may have made it.
            let fresh = |g: &Nodegroup| g.created_at().is_some_and(|d| d.secs() >= started - CLOCK_SKEW_SECS);
            Some(describe(client, &cluster, &name).await?.filter(fresh).ok_or(error)?)
        }
        Err(error) => return Err(error.into()),
    };
    let made = made.ok_or_else(|| Diagnostic::error("eks:CreateNodegroup failed", "AWS answered no node group."))?;
    let planned =
        &planned.with_attr("node_group_name_prefix", values::string(planned, "node_group_name_prefix").into());
    let begun = nodegroup::object(&SCHEMA, client, planned, &made);
    eks::checkpoint(cx, &begun).await?;
    let active = active(client, cx, &cluster, &name).await.leaving(&begun)?;
    Ok(nodegroup::object(&SCHEMA, client, planned, &active))
}

fn create_request(
    client: &AwsClient,
    planned: &Value,
) -> aws_sdk_eks::operation::create_nodegroup::builders::CreateNodegroupFluentBuilder {
    let (cluster, name) = key_of(planned);
    client
        .eks
        .create_nodegroup()
        .cluster_name(cluster)
        .nodegroup_name(name)
        .node_role(values::string(planned, "node_role_arn"))
        .set_subnets(Some(values::strs(planned, "subnet_ids")))
        .set_scaling_config(nodegroup::scaling_request(planned))
        .set_update_config(nodegroup::update_request(planned))
        .set_node_repair_config(nodegroup::repair_request(planned))
        .set_launch_template(nodegroup::template_request(planned))
        .set_remote_access(nodegroup::remote_request(planned))
        .set_taints(nodegroup::taint_request(planned))
        .set_labels(eks::to_tags(&values::str_map(planned, "labels")))
        .set_ami_type(values::str_opt(planned, "ami_type").map(AmiTypes::from))
        .set_capacity_type(values::str_opt(planned, "capacity_type").map(CapacityTypes::from))
        .set_disk_size(values::i32_opt(planned, "disk_size"))
        .set_instance_types(values::strs_opt(planned, "instance_types"))
        .set_version(values::text(planned, "version"))
        .set_release_version(values::text(planned, "release_version"))
        .set_tags(eks::to_tags(&tags::wanted(client, planned)))
}

/// Waits until the node group is ACTIVE.
async fn active(client: &AwsClient, cx: &Context, cluster: &str, name: &str) -> Result<Nodegroup, Diagnostic> {
    let look = || async {
        let Some(found) = describe(client, cluster, name).await? else {
            return Ok(Poll::Pending("not visible yet".into()));
        };
        Ok(match found.status() {
            Some(NodegroupStatus::Active) => Poll::Ready(found),
            Some(
                status @ (NodegroupStatus::CreateFailed
                | NodegroupStatus::Degraded
                | NodegroupStatus::Deleting
                | NodegroupStatus::DeleteFailed),
            ) => Poll::Broken(broken(cluster, name, status.as_str(), &found)),
            status => Poll::Pending(status_with(
                status.map_or("CREATING", |s| s.as_str()),
                issues(&found).map(|i| i.to_string()),
            )),
        })
    };
    wait::until(cx, &format!("node group \"{cluster}:{name}\" to become ACTIVE"), Pace::SLOW, look).await
}

fn broken(cluster: &str, name: &str, status: &str, found: &Nodegroup) -> Diagnostic {
    Diagnostic::error(
        "EKS node group failed",
        told(&format!("The node group \"{cluster}:{name}\" is {status}"), issues(found)),
    )
}

async fn update(client: &AwsClient, cx: &Context, prior: &Value, planned: &Value) -> Result<Value, Failure> {
    let (cluster, name) = key_of(prior);
    // What was done before a failure is read back, so that the next plan starts from the truth.
    match change(client, cx, prior, planned).await {
        Ok(()) => {
            let found = describe(client, &cluster, &name).await.leaving(prior)?;
            let detail = format!("The node group \"{cluster}:{name}\" went away while it was updated.");
            let found = found.ok_or_else(|| Diagnostic::error("EKS node group is gone", detail))?;
            Ok(nodegroup::object(&SCHEMA, client, planned, &found))
        }
        Err(failure) => {
            let now = describe(client, &cluster, &name).await.ok().flatten();
            let now = now.map(|found| nodegroup::object(&SCHEMA, client, prior, &found));
            Err(Failure { object: Some(now.unwrap_or_else(|| prior.clone())), ..failure })
        }
    }
}

async fn change(client: &AwsClient, cx: &Context, prior: &Value, planned: &Value) -> Result<(), Failure> {
    let (cluster, name) = key_of(prior);
    let target = Target { cluster: &cluster, nodegroup: Some(&name), addon: None };
    if values::any_changed(prior, planned, &["version", "release_version"]) || template_moved(prior, planned) {
        let start = || async {
            let request = version_request(client, prior, planned).client_request_token(format!("{}-version", cx.token));
            request.send().await.call("eks:UpdateNodegroupVersion").map(|answer| answer.update)
        };
        eks::update(client, cx, target, start).await?;
    }
    let labels = nodegroup::label_changes(prior, planned);
    let taints = nodegroup::taint_changes(prior, planned);
    let differs = |name| changed(prior, planned, name);
    if labels.is_some()
        || taints.is_some()
        || ["scaling_config", "update_config", "node_repair_config"].into_iter().any(differs)
    {
        let start = || async {
            let request = client
                .eks
                .update_nodegroup_config()
                .cluster_name(&cluster)
                .nodegroup_name(&name)
                .set_labels(labels.clone())
                .set_taints(taints.clone())
                .set_scaling_config(nodegroup::scaling_request(planned).filter(|_| differs("scaling_config")))
                .set_update_config(nodegroup::update_request(planned).filter(|_| differs("update_config")))
                .set_node_repair_config(nodegroup::repair_request(planned).filter(|_| differs("node_repair_config")))
                .client_request_token(format!("{}-config", cx.token));
            request.send().await.call("eks:UpdateNodegroupConfig").map(|answer| answer.update)
        };
        eks::update(client, cx, target, start).await?;
    }
    let arn = values::string(prior, "arn");
    Ok(eks::update_tags(client, &arn, &TagChange::planned(client, prior, planned)).await?)
}

fn template_moved(prior: &Value, planned: &Value) -> bool {
    match (values::block(prior, "launch_template"), values::block(planned, "launch_template")) {
        (Some(old), Some(new)) => changed(old, new, "version"),
        _ => false,
    }
}

/// Only versions that change are sent: naming the same one again may be refused for a custom image. A launch template goes along
/// always: EKS wants the group's template named with every version of it.
fn version_request(
    client: &AwsClient,
    prior: &Value,
    planned: &Value,
) -> aws_sdk_eks::operation::update_nodegroup_version::builders::UpdateNodegroupVersionFluentBuilder {
    let (cluster, name) = key_of(prior);
    let when_changed = |attribute| values::text(planned, attribute).filter(|_| changed(prior, planned, attribute));
    client
        .eks
        .update_nodegroup_version()
        .cluster_name(cluster)
        .nodegroup_name(name)
        .set_version(when_changed("version"))
        .set_release_version(when_changed("release_version"))
        .set_launch_template(nodegroup::template_request(planned))
        .force(values::flag(planned, "force_update_version"))
}

async fn delete(client: &AwsClient, cx: &Context, cluster: &str, name: &str) -> Result<(), Failure> {
    let start = || async {
        let request = client.eks.delete_nodegroup().cluster_name(cluster).nodegroup_name(name);
        match request.send().await.call("eks:DeleteNodegroup") {
            Err(error) if eks::is_gone(&error) => Ok(Poll::Ready(false)),
            Err(error) if eks::is_busy(&error) => Ok(Poll::Pending("an update is still running".into())),
            answer => answer.map(|_| Poll::Ready(true)),
        }
    };
    let what = format!("node group \"{cluster}:{name}\"");
    if !wait::until(cx, &format!("{what} to be free for its deletion"), Pace::SLOW, start).await? {
        return Ok(());
    }
    let look = || async {
        let Some(found) = describe(client, cluster, name).await? else { return Ok(Poll::Ready(())) };
        Ok(match found.status() {
            Some(status @ NodegroupStatus::DeleteFailed) => {
                Poll::Broken(broken(cluster, name, status.as_str(), &found))
            }
            status => Poll::Pending(status_with(
                status.map_or("DELETING", |s| s.as_str()),
                issues(&found).map(|i| i.to_string()),
            )),
        })
    };
    Ok(wait::until(cx, &format!("{what} to be deleted"), Pace::SLOW, look).await?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::values::ObjectBuilder;

    fn block(name: &str, fields: &[(&'static str, Value)]) -> Value {
        let block = &SCHEMA.block.blocks[name].block;
        let object = fields.iter().fold(ObjectBuilder::of_block(block), |b, (k, v)| b.set(k, v.clone())).build();
        if name == "taint" { object } else { eks::one(block, object) }
    }

    fn sizes(min: i64, desired: i64, max: i64) -> Value {
        block(
            "scaling_config",
            &[("min_size", Value::int(min)), ("desired_size", Value::int(desired)), ("max_size", Value::int(max))],
        )
    }

    fn template(fields: &[(&'static str, &str)]) -> (&'static str, Value) {
        let fields: Vec<_> = fields.iter().map(|(k, v)| (*k, Value::from(*v))).collect();
        ("launch_template", block("launch_template", &fields))
    }

    fn group(fields: &[(&'static str, Value)]) -> Value {
        let base = ObjectBuilder::new(&SCHEMA)
            .set("cluster_name", "c")
            .set("node_group_name", "n")
            .set("scaling_config", sizes(1, 1, 2));
        fields.iter().fold(base, |b, (k, v)| b.set(k, v.clone())).build()
    }

    fn taints(taints: &[(&str, &str, &str)]) -> (&'static str, Value) {
        let of = |(key, value, effect): &(&str, &str, &str)| {
            block(
                "taint",
                &[("key", (*key).into()), ("value", values::non_empty(Some(value))), ("effect", (*effect).into())],
            )
        };
        ("taint", Value::set(SCHEMA.block.blocks["taint"].block.ty(), taints.iter().map(of)))
    }

    #[test]
    fn a_launch_template_replaces_when_it_is_another_one() {
        let replaced = |prior: &[(&'static str, Value)], config: &[(&'static str, Value)]| {
            let (prior, config) = (group(prior), group(config));
            let mut paths = Vec::new();
            let planned = judge(&prior, &config, config.clone(), &mut paths);
            let open = planned.get("release_version").is_some_and(|v| !v.is_known());
            (paths.iter().map(ToString::to_string).collect::<Vec<_>>(), open)
        };
        let none = || Vec::<String>::new();
        let recorded = template(&[("id", "lt-1"), ("name", "web"), ("version", "1")]);
        let prior = [recorded.clone()];
        assert_eq!(replaced(&prior, &[template(&[("id", "lt-1"), ("version", "1")])]), (none(), false));
        assert_eq!(replaced(&prior, &[template(&[("name", "web"), ("version", "2")])]), (none(), true));
        assert_eq!(replaced(&prior, &[template(&[("id", "lt-2"), ("version", "1")])]).0, ["launch_template[0].id"]);
        assert_eq!(replaced(&prior, &[]).0, ["launch_template"]);
        assert_eq!(replaced(&[], &prior).0, ["launch_template"]);
    }

    #[tokio::test]
    async fn a_version_update_names_the_launch_template() {
        let client = crate::client::tests::offline(&[]).await;
        let at = |version: &str| {
            group(&[("version", version.into()), template(&[("id", "lt-1"), ("name", "web"), ("version", "3")])])
        };
        let sent = version_request(&client, &at("1.34"), &at("1.35"));
        let named = sent.get_launch_template().as_ref().unwrap();
        assert_eq!((named.id(), named.name(), named.version()), (Some("lt-1"), None, Some("3")));
        assert_eq!(sent.get_version().as_deref(), Some("1.35"));
        assert_eq!(version_request(&client, &at("1.34"), &at("1.34")).get_version(), &None);
    }

    #[test]
    fn labels_and_taints_are_changed_one_by_one() {
        let labels = |pairs: &[(&str, &str)]| ("labels", values::string_map(pairs.to_vec()));
        let old = group(&[
            labels(&[("a", "1"), ("b", "2"), ("c", "3")]),
            taints(&[("k", "v", "NO_SCHEDULE"), ("x", "", "NO_EXECUTE")]),
        ]);
        let new = group(&[
            labels(&[("a", "1"), ("b", "x"), ("d", "4")]),
            taints(&[("k", "w", "NO_SCHEDULE"), ("k", "w", "NO_EXECUTE")]),
        ]);
        let changes = nodegroup::label_changes(&old, &new).unwrap();
        let set = changes.add_or_update_labels().unwrap();
        assert_eq!((set.len(), set["b"].as_str(), set["d"].as_str()), (2, "x", "4"));
        assert_eq!(changes.remove_labels(), ["c"]);
        let changes = nodegroup::taint_changes(&old, &new).unwrap();
        assert_eq!(changes.add_or_update_taints().len(), 2);
        assert_eq!(changes.remove_taints().iter().map(|t| t.key().unwrap()).collect::<Vec<_>>(), ["x"]);
        assert!(nodegroup::label_changes(&old, &old).is_none() && nodegroup::taint_changes(&old, &old).is_none());
    }

    #[test]
    fn arguments_are_checked() {
        let said = |fields: &[(&'static str, Value)]| {
            EksNodeGroup.validate(&group(fields)).into_iter().map(|d| d.detail).collect::<Vec<_>>()
        };
        assert!(said(&[]).is_empty());
        assert_eq!(said(&[("scaling_config", sizes(2, 1, 3))]).len(), 1);
        assert_eq!(said(&[("scaling_config", sizes(0, 0, 0))]).len(), 1);
        assert_eq!(
            said(&[taints(&[("a", "", "NoSchedule")])]),
            ["`effect` is \"NoSchedule\"; it must be NO_SCHEDULE, NO_EXECUTE or PREFER_NO_SCHEDULE."]
        );
        let with_disk = [template(&[("id", "lt-1"), ("version", "1")]), ("disk_size", Value::int(30))];
        assert_eq!(
            said(&with_disk),
            ["EKS refuses `disk_size` beside `launch_template`. Say it in the launch template."]
        );
        let moving = EksNodeGroup.validate(&group(&[template(&[("id", "lt-1"), ("version", "$Latest")])]));
        assert_eq!(moving.0[0].summary, "Launch template version is not a number");
        assert!(!moving.has_errors());
    }

    #[test]
    fn a_name_is_fixed_before_it_is_created() {
        let open =
            group(&[("node_group_name", Value::unknown(Type::String)), ("node_group_name_prefix", "web-".into())]);
        let named = EksNodeGroup.prepare(open, "0b0e1a44-3a5e-4c27-9d5f-7a1c2b3d4e5f");
        assert_eq!(values::str_opt(&named, "node_group_name"), Some("web-0b0e1a443a5e4c279d5f7a1c2b"));
    }

    #[tokio::test]
    async fn a_described_group_is_wholly_known() {
        let client = crate::client::tests::offline(&[]).await;
        let planned = group(&[
            ("release_version", Value::unknown(Type::String)),
            ("update_config", Value::unknown(SCHEMA.block.blocks["update_config"].ty())),
            ("resources", Value::unknown(nodegroup::resources_type())),
        ]);
        let found = Nodegroup::builder()
            .cluster_name("c")
            .nodegroup_name("n")
            .nodegroup_arn("arn:n")
            .status(NodegroupStatus::Active);
        let object = nodegroup::object(&SCHEMA, &client, &planned, &found.build());
        assert!(object.is_wholly_known(), "{object:?}");
        assert_eq!(object.ty(), SCHEMA.ty());
        assert_eq!(values::str_opt(&object, "id"), Some("c:n"));
    }

    #[test]
    fn an_import_id_names_cluster_and_group() {
        let import = |id| EksNodeGroup.import(&ImportRequest { id, config: &Value::dynamic_null() });
        assert_eq!(key_of(&import("c:n").unwrap()), ("c".into(), "n".into()));
        assert!(import("n").is_err());
    }
}
