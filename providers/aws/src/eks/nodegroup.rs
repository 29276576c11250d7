//! A node group between EKS and the model: schema parts and the object that DescribeNodegroup answers.

use std::collections::BTreeMap;

use aws_sdk_eks::types::{
    LaunchTemplateSpecification, NodeRepairConfig, NodeRepairConfigOverrides, Nodegroup, NodegroupScalingConfig,
    NodegroupUpdateConfig, RemoteAccessConfig, Taint, TaintEffect, UpdateLabelsPayload, UpdateTaintsPayload,
};
use sgp_model::{Attribute, Block, NestedBlock, Schema, Type, Value};

use crate::{
    client::AwsClient,
    eks::{self, Issue, one, set_or_null},
    errors::{ApiError, Call},
    iam::text_like,
    naming, tags,
    values::{self, ObjectBuilder},
};

/// The type of `resources`.
pub fn resources_type() -> Type {
    Type::list(resources_element())
}

fn resources_element() -> Type {
    Type::object([
        ("autoscaling_groups", Type::list(Type::object([("name", Type::String)]))),
        ("remote_access_security_group_id", Type::String),
    ])
}

/// `scaling_config`.
pub fn scaling_config() -> NestedBlock {
    let block = Block::default()
        .attr("desired_size", Attribute::number().required().doc("How many nodes there shall be now."))
        .attr("max_size", Attribute::number().required().doc("How many nodes there may be, 1 or more."))
        .attr("min_size", Attribute::number().required().doc("How many nodes there must be, 0 or more."));
    NestedBlock::list_of_one(block).required().doc("How many nodes.")
}

/// `update_config`.
pub fn update_config() -> NestedBlock {
    let block = Block::default()
        .attr(
            "max_unavailable",
            Attribute::number().optional().doc("How many nodes may be out at the same time, 1 to 100."),
        )
        .attr(
            "max_unavailable_percentage",
            Attribute::number().optional().doc("The same in per cent of the nodes, 1 to 100."),
        )
        .attr(
            "update_strategy",
            Attribute::string().optional_computed().doc("`DEFAULT` (new nodes first) or `MINIMAL` (old nodes first)."),
        );
    NestedBlock::list_of_one(block).computed().doc("How many nodes a version update replaces at the same time.")
}

/// `launch_template`.
pub fn launch_template() -> NestedBlock {
    let block = Block::default()
        .attr("id", Attribute::string().optional_computed().force_new().doc("The id; goes without `name`."))
        .attr("name", Attribute::string().optional_computed().force_new().doc("The name; goes without `id`."))
        .attr(
            "version",
            Attribute::string()
                .required()
                .doc("The version's number; `aws_launch_template.NAME.latest_version` follows changes."),
        );
    NestedBlock::list_of_one(block).doc("The launch template of the nodes.")
}

/// `remote_access`.
pub fn remote_access() -> NestedBlock {
    let block = Block::default()
        .attr("ec2_ssh_key", Attribute::string().optional().force_new().doc("The name of an EC2 key pair."))
        .attr(
            "source_security_group_ids",
            Attribute::string_set()
                .optional()
                .force_new()
                .doc("From which security groups SSH is open; from everywhere when none is named."),
        );
    NestedBlock::list_of_one(block).force_new().doc("SSH on the nodes.")
}

/// `node_repair_config`.
pub fn node_repair_config() -> NestedBlock {
    let number = |doc| Attribute::number().optional().doc(doc);
    let block = Block::default()
        .attr("enabled", Attribute::bool().optional().doc("Whether EKS replaces nodes that it finds unhealthy."))
        .attr("max_parallel_nodes_repaired_count", number("How many nodes are repaired at the same time."))
        .attr("max_parallel_nodes_repaired_percentage", number("The same in per cent of the unhealthy nodes."))
        .attr("max_unhealthy_node_threshold_count", number("With more unhealthy nodes nothing is repaired."))
        .attr("max_unhealthy_node_threshold_percentage", number("The same in per cent of all nodes."))
        .block("node_repair_config_overrides", repair_overrides());
    NestedBlock::list_of_one(block).computed().doc("Automatic repair of nodes.")
}

fn repair_overrides() -> NestedBlock {
    let text = |doc| Attribute::string().required().doc(doc);
    let block = Block::default()
        .attr("min_repair_wait_time_mins", Attribute::number().required().doc("How many minutes to wait before."))
        .attr(
            "node_monitoring_condition",
            text("The condition that the monitoring agent reports: `NetworkingReady` ..."),
        )
        .attr("node_unhealthy_reason", text("The reason that it gives: `InterfaceNotUp` ..."))
        .attr("repair_action", text("`Replace`, `Reboot` or `NoAction`."));
    NestedBlock::list(block).doc("What is done otherwise for one condition and reason.")
}

/// `taint`.
pub fn taint() -> NestedBlock {
    let block = Block::default()
        .attr("effect", Attribute::string().required().doc("`NO_SCHEDULE`, `NO_EXECUTE` or `PREFER_NO_SCHEDULE`."))
        .attr("key", Attribute::string().required().doc("The key, up to 63 characters."))
        .attr("value", Attribute::string().optional().doc("The value, up to 63 characters."));
    NestedBlock::set(block).max(50).doc("A Kubernetes taint of every node.")
}

/// DescribeNodegroup; `None` when there is no such node group or cluster.
///
/// # Errors
/// What DescribeNodegroup answers.
pub async fn describe(client: &AwsClient, cluster: &str, name: &str) -> Result<Option<Nodegroup>, ApiError> {
    let request = client.eks.describe_nodegroup().cluster_name(cluster).nodegroup_name(name);
    match request.send().await.call("eks:DescribeNodegroup") {
        Ok(answer) => Ok(answer.nodegroup),
        Err(error) if eks::is_gone(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What EKS says is wrong with a node group.
pub fn issues(group: &Nodegroup) -> impl Iterator<Item = Issue<'_>> {
    group.health().map(|h| h.issues()).unwrap_or_default().iter().map(|issue| Issue {
        code: issue.code().map_or("", |c| c.as_str()),
        message: issue.message().unwrap_or_default(),
        resources: issue.resource_ids(),
    })
}

/// The node group as EKS has it. What EKS does not tell stays as `prior` has it.
pub fn object(schema: &Schema, client: &AwsClient, prior: &Value, group: &Nodegroup) -> Value {
    let (cluster, name) = (group.cluster_name().unwrap_or_default(), group.nodegroup_name().unwrap_or_default());
    let text = |answered: Option<&str>, attribute: &str| match answered {
        Some(text) => Value::from(text),
        None => values::opt_str(values::str_opt(prior, attribute)),
    };
    let disk = group.disk_size().map(i64::from).or_else(|| values::i64_opt(prior, "disk_size"));
    let builder = ObjectBuilder::carrying(schema, prior)
        .set("ami_type", text(group.ami_type().map(|t| t.as_str()), "ami_type"))
        .set("arn", values::opt_str(group.nodegroup_arn()))
        .set("capacity_type", text(group.capacity_type().map(|t| t.as_str()), "capacity_type"))
        .set("cluster_name", cluster)
        .set("disk_size", values::opt_int(disk))
        .set("id", format!("{cluster}:{name}"))
        .set("instance_types", Value::strings(group.instance_types().iter().map(String::as_str)))
        .set("labels", labels(prior, group))
        .set("launch_template", template(schema, prior, group))
        .set("node_group_name", name)
        .set("node_repair_config", repair(schema, prior, group))
        .set("node_role_arn", values::opt_str(group.node_role()))
        .set("release_version", text(group.release_version(), "release_version"))
        .set("remote_access", remote(schema, prior, group))
        .set("resources", resources(group))
        .set("scaling_config", scaling(schema, prior, group))
        .set("status", values::opt_str(group.status().map(|s| s.as_str())))
        .set("subnet_ids", values::string_set(group.subnets().iter().map(String::as_str)))
        .set("taint", taints(schema, prior, group))
        .set("update_config", rollout(schema, prior, group))
        .set("version", text(group.version(), "version"));
    let builder = naming::with_prefix(builder, "node_group_name_prefix", prior, group.nodegroup_name());
    tags::fill(builder, client, prior, &eks::from_tags(group.tags())).build()
}

fn inner<'a>(schema: &'a Schema, name: &str) -> &'a Block {
    &schema.block.blocks[name].block
}

fn labels(prior: &Value, group: &Nodegroup) -> Value {
    let labels = values::string_map(group.labels().into_iter().flatten().map(|(k, v)| (k.as_str(), v.as_str())));
    let is_empty = group.labels().is_none_or(|l| l.is_empty());
    if is_empty && !values::is_set(prior, "labels") { Value::null(labels.ty()) } else { labels }
}

fn template(schema: &Schema, prior: &Value, group: &Nodegroup) -> Value {
    let block = inner(schema, "launch_template");
    let recorded = values::block(prior, "launch_template");
    let (id, name, version) = match (group.launch_template(), recorded) {
        (Some(template), _) => (template.id(), template.name(), template.version()),
        (None, Some(r)) => (values::str_opt(r, "id"), values::str_opt(r, "name"), values::str_opt(r, "version")),
        (None, None) => return Value::list(block.ty(), Vec::new()),
    };
    // An endpoint may leave out what was asked for; it is the same template all the same.
    let or_recorded = |text: Option<&str>, attribute| {
        values::opt_str(text.or_else(|| recorded.and_then(|r| values::str_opt(r, attribute))))
    };
    let object = ObjectBuilder::of_block(block)
        .set("id", or_recorded(id, "id"))
        .set("name", or_recorded(name, "name"))
        .set("version", or_recorded(version, "version"));
    one(block, object.build())
}

fn repair(schema: &Schema, prior: &Value, group: &Nodegroup) -> Value {
    let block = inner(schema, "node_repair_config");
    let Some(repair) = group.node_repair_config() else { return recorded(block, prior, "node_repair_config") };
    let object = ObjectBuilder::of_block(block)
        .set("enabled", values::opt_bool(repair.enabled()))
        .set("max_parallel_nodes_repaired_count", values::opt_int(repair.max_parallel_nodes_repaired_count()))
        .set("max_parallel_nodes_repaired_percentage", values::opt_int(repair.max_parallel_nodes_repaired_percentage()))
        .set("max_unhealthy_node_threshold_count", values::opt_int(repair.max_unhealthy_node_threshold_count()))
        .set(
            "max_unhealthy_node_threshold_percentage",
            values::opt_int(repair.max_unhealthy_node_threshold_percentage()),
        )
        .set("node_repair_config_overrides", overrides(block, repair));
    one(block, object.build())
}

fn overrides(block: &Block, repair: &NodeRepairConfig) -> Value {
    let inner = &block.blocks["node_repair_config_overrides"].block;
    let objects = repair.node_repair_config_overrides().iter().map(|o| {
        ObjectBuilder::of_block(inner)
            .set("min_repair_wait_time_mins", values::opt_int(o.min_repair_wait_time_mins()))
            .set("node_monitoring_condition", values::opt_str(o.node_monitoring_condition()))
            .set("node_unhealthy_reason", values::opt_str(o.node_unhealthy_reason()))
            .set("repair_action", values::word(o.repair_action()))
            .build()
    });
    Value::list(inner.ty(), objects.collect())
}

fn remote(schema: &Schema, prior: &Value, group: &Nodegroup) -> Value {
    let block = inner(schema, "remote_access");
    let Some(access) = group.remote_access() else { return recorded(block, prior, "remote_access") };
    let recorded = values::block(prior, "remote_access").and_then(|r| r.get("source_security_group_ids"));
    let groups = access.source_security_groups().iter().map(String::as_str);
    let object = ObjectBuilder::of_block(block)
        .set("ec2_ssh_key", values::opt_str(access.ec2_ssh_key()))
        .set("source_security_group_ids", set_or_null(groups, recorded));
    one(block, object.build())
}

fn resources(group: &Nodegroup) -> Value {
    let made = group.resources();
    let element = Type::object([("name", Type::String)]);
    let groups = made.map(|r| r.auto_scaling_groups()).unwrap_or_default();
    let groups = groups.iter().map(|g| Value::object([("name", values::opt_str(g.name()))])).collect();
    let object = Value::object([
        ("autoscaling_groups", Value::list(element, groups)),
        ("remote_access_security_group_id", values::opt_str(made.and_then(|r| r.remote_access_security_group()))),
    ]);
    Value::list(resources_element(), vec![object])
}

fn scaling(schema: &Schema, prior: &Value, group: &Nodegroup) -> Value {
    let block = inner(schema, "scaling_config");
    let Some(scaling) = group.scaling_config() else { return recorded(block, prior, "scaling_config") };
    let object = ObjectBuilder::of_block(block)
        .set("desired_size", values::opt_int(scaling.desired_size()))
        .set("max_size", values::opt_int(scaling.max_size()))
        .set("min_size", values::opt_int(scaling.min_size()));
    one(block, object.build())
}

fn taints(schema: &Schema, prior: &Value, group: &Nodegroup) -> Value {
    let block = inner(schema, "taint");
    let recorded = values::blocks(prior, "taint");
    let objects = group.taints().iter().map(|taint| {
        let is_it = |r: &&&Value| {
            values::str_opt(r, "key") == taint.key()
                && values::str_opt(r, "effect") == taint.effect().map(|e| e.as_str())
        };
        let value = recorded.iter().find(is_it).and_then(|r| r.get("value"));
        ObjectBuilder::of_block(block)
            .set("effect", values::opt_str(taint.effect().map(|e| e.as_str())))
            .set("key", values::opt_str(taint.key()))
            .set("value", text_like(taint.value(), value))
            .build()
    });
    Value::set(block.ty(), objects)
}

fn rollout(schema: &Schema, prior: &Value, group: &Nodegroup) -> Value {
    let block = inner(schema, "update_config");
    let Some(update) = group.update_config() else { return recorded(block, prior, "update_config") };
    let strategy = update.update_strategy().map(|s| s.as_str());
    let recorded = values::block(prior, "update_config").and_then(|r| values::str_opt(r, "update_strategy"));
    let object = ObjectBuilder::of_block(block)
        .set("max_unavailable", values::opt_int(update.max_unavailable()))
        .set("max_unavailable_percentage", values::opt_int(update.max_unavailable_percentage()))
        .set("update_strategy", values::opt_str(strategy.or(recorded)));
    one(block, object.build())
}

/// The recorded block with unknown parts left out.
fn recorded(block: &Block, prior: &Value, name: &str) -> Value {
    match values::block(prior, name) {
        Some(recorded) => {
            let known = |name: &&str| recorded.get(name).is_some_and(Value::is_wholly_known);
            let object = block
                .names()
                .filter(known)
                .fold(ObjectBuilder::of_block(block), |object, name| object.set_opt(name, recorded.get(name).cloned()));
            one(block, object.build())
        }
        None => Value::list(block.ty(), Vec::new()),
    }
}

/// `scaling_config` as the API takes it.
pub fn scaling_request(planned: &Value) -> Option<NodegroupScalingConfig> {
    let block = values::block(planned, "scaling_config")?;
    let config = NodegroupScalingConfig::builder()
        .set_desired_size(values::i32_opt(block, "desired_size"))
        .set_max_size(values::i32_opt(block, "max_size"))
        .set_min_size(values::i32_opt(block, "min_size"));
    Some(config.build())
}

/// `update_config` as the API takes it.
pub fn update_request(planned: &Value) -> Option<NodegroupUpdateConfig> {
    let block = values::block(planned, "update_config")?;
    let config = NodegroupUpdateConfig::builder()
        .set_max_unavailable(values::i32_opt(block, "max_unavailable"))
        .set_max_unavailable_percentage(values::i32_opt(block, "max_unavailable_percentage"))
        .set_update_strategy(values::str_opt(block, "update_strategy").map(Into::into));
    Some(config.build())
}

/// `node_repair_config` as the API takes it.
pub fn repair_request(planned: &Value) -> Option<NodeRepairConfig> {
    let block = values::block(planned, "node_repair_config")?;
    let config = NodeRepairConfig::builder()
        .set_enabled(values::bool_opt(block, "enabled"))
        .set_max_parallel_nodes_repaired_count(values::i32_opt(block, "max_parallel_nodes_repaired_count"))
        .set_max_parallel_nodes_repaired_percentage(values::i32_opt(block, "max_parallel_nodes_repaired_percentage"))
        .set_max_unhealthy_node_threshold_count(values::i32_opt(block, "max_unhealthy_node_threshold_count"))
        .set_max_unhealthy_node_threshold_percentage(values::i32_opt(block, "max_unhealthy_node_threshold_percentage"))
        .set_node_repair_config_overrides(Some(
            values::blocks(block, "node_repair_config_overrides").into_iter().map(to_override).collect(),
        ));
    Some(config.build())
}

fn to_override(block: &Value) -> NodeRepairConfigOverrides {
    NodeRepairConfigOverrides::builder()
        .set_min_repair_wait_time_mins(values::i32_opt(block, "min_repair_wait_time_mins"))
        .set_node_monitoring_condition(values::text(block, "node_monitoring_condition"))
        .set_node_unhealthy_reason(values::text(block, "node_unhealthy_reason"))
        .set_repair_action(values::str_opt(block, "repair_action").map(Into::into))
        .build()
}

/// `launch_template` as the API takes it: by id, or else by name.
pub fn template_request(planned: &Value) -> Option<LaunchTemplateSpecification> {
    let block = values::block(planned, "launch_template")?;
    let (id, name) = (values::text(block, "id"), values::text(block, "name"));
    let template = LaunchTemplateSpecification::builder()
        .set_name(name.filter(|_| id.is_none()))
        .set_id(id)
        .set_version(values::text(block, "version"));
    Some(template.build())
}

/// `remote_access` as the API takes it.
pub fn remote_request(planned: &Value) -> Option<RemoteAccessConfig> {
    let block = values::block(planned, "remote_access")?;
    let config = RemoteAccessConfig::builder()
        .set_ec2_ssh_key(values::text(block, "ec2_ssh_key"))
        .set_source_security_groups(values::strs_opt(block, "source_security_group_ids"));
    Some(config.build())
}

/// `taint` blocks as the API takes them; `None` without any.
pub fn taint_request(planned: &Value) -> Option<Vec<Taint>> {
    let taints: Vec<_> = values::blocks(planned, "taint").into_iter().map(to_taint).collect();
    (!taints.is_empty()).then_some(taints)
}

fn to_taint(block: &Value) -> Taint {
    Taint::builder()
        .key(values::string(block, "key"))
        .set_value(values::text(block, "value"))
        .effect(TaintEffect::from(values::string(block, "effect").as_str()))
        .build()
}

/// Which labels to set and which to remove; `None` when nothing changes.
pub fn label_changes(prior: &Value, planned: &Value) -> Option<UpdateLabelsPayload> {
    let (old, new) = (values::str_map(prior, "labels"), values::str_map(planned, "labels"));
    let set: BTreeMap<_, _> = new.iter().filter(|(k, v)| old.get(*k) != Some(v)).collect();
    let removed: Vec<String> = old.into_keys().filter(|k| !new.contains_key(k)).collect();
    if set.is_empty() && removed.is_empty() {
        return None;
    }
    let set =
        set.into_iter().fold(UpdateLabelsPayload::builder(), |payload, (k, v)| payload.add_or_update_labels(k, v));
    Some(removed.into_iter().fold(set, |payload, key| payload.remove_labels(key)).build())
}

/// Which taints to set and which to remove, a taint being named by key and effect; `None` when nothing changes.
pub fn taint_changes(prior: &Value, planned: &Value) -> Option<UpdateTaintsPayload> {
    let by_name = |object| {
        let taints = values::blocks(object, "taint").into_iter().map(to_taint);
        taints
            .map(|t| ((t.key.clone(), t.effect.as_ref().map(|e| e.as_str().to_owned())), t))
            .collect::<BTreeMap<_, _>>()
    };
    let (old, new) = (by_name(prior), by_name(planned));
    let set: Vec<_> =
        new.iter().filter(|(name, taint)| old.get(*name) != Some(taint)).map(|(_, t)| t.clone()).collect();
    let removed: Vec<_> = old.into_iter().filter(|(name, _)| !new.contains_key(name)).map(|(_, t)| t).collect();
    if set.is_empty() && removed.is_empty() {
        return None;
    }
    let payload =
        set.into_iter().fold(UpdateTaintsPayload::builder(), |payload, taint| payload.add_or_update_taints(taint));
    Some(removed.into_iter().fold(payload, |payload, taint| payload.remove_taints(taint)).build())
}
