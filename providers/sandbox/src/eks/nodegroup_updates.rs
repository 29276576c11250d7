//! UpdateNodegroupConfig and UpdateNodegroupVersion.
//!
//! Sources: these operations; EKS User Guide, "Understand each phase of node updates".

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::catalog;
use super::model::{Cluster, LaunchTemplate, Nodegroup, Scaling, Status, Taint, key};
use super::nodegroup_create::{check_template, labels, node_repair, release_of, scaling, taints, update_config};
use super::nodes;
use super::request::{cluster_of, in_use, invalid, nodegroup, refused, told};
use super::updates::{self, Effect, New, Target};
use crate::aws::{Answer, ApiError, Call, Operation, Params};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "UpdateNodegroupConfig", run: update_config_of },
    Operation { name: "UpdateNodegroupVersion", run: update_version_of },
];

/// What becomes different.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Change {
    /// Sizes, labels, taints, the way of updates and repairs; those that are there.
    Config {
        /// Fewest, most and wanted nodes.
        scaling: Option<Scaling>,
        /// All labels.
        labels: Option<BTreeMap<String, String>>,
        /// All taints.
        taints: Option<Vec<Taint>>,
        /// `updateConfig`.
        update_config: Option<Value>,
        /// `nodeRepairConfig`.
        node_repair: Option<Value>,
    },
    /// Nodes of another version, release or launch template version; they are replaced a few at a time.
    Version {
        /// The Kubernetes version.
        version: String,
        /// The release of the image.
        release_version: String,
        /// The launch template.
        launch_template: Option<LaunchTemplate>,
    },
}

impl Change {
    /// Whether nodes are replaced for it.
    pub(super) fn rolls(&self) -> bool {
        matches!(self, Self::Version { .. })
    }
}

/// The change is done.
pub(super) fn apply(world: &mut World, cluster: &str, name: &str, change: &Change) {
    let id = key(cluster, name);
    world.eks.nodegroups.update(&id, |row| set(row, change));
    nodes::scale(world, &id);
}

fn set(row: &mut Nodegroup, change: &Change) {
    match change.clone() {
        Change::Config { scaling, labels, taints, update_config, node_repair } => {
            row.scaling = scaling.unwrap_or(row.scaling);
            if let Some(labels) = labels {
                row.labels = labels;
            }
            if let Some(taints) = taints {
                row.taints = taints;
            }
            if let Some(config) = update_config {
                row.update_config = config;
            }
            if let Some(config) = node_repair {
                row.node_repair = config;
            }
        }
        Change::Version { version, release_version, launch_template } => {
            (row.version, row.release_version) = (version, release_version);
            row.launch_template = launch_template;
        }
    }
}

/// One step of replacing nodes: as many new ones as may be unavailable, or, when they are there, the end of as many old ones.
pub(super) fn roll(world: &mut World, cluster: &str, name: &str, change: &Change) -> Step {
    let id = key(cluster, name);
    let Some(mut wanted) = world.eks.nodegroups.get(&id).cloned() else { return Step::Done };
    set(&mut wanted, change);
    match nodes::manage_template(world, &wanted) {
        Ok(template) => {
            wanted.managed_template = Some(template.clone());
            world.eks.nodegroups.update(&id, |row| row.managed_template = Some(template));
        }
        Err(error) => return Step::Failed(error.message),
    }
    let Some(row) = world.eks.nodegroups.get(&id) else { return Step::Done };
    let template_version = wanted.launch_template.as_ref().map(|it| it.version.clone());
    let is_old = |node: &super::model::Node| {
        (&node.version, &node.release_version) != (&wanted.version, &wanted.release_version)
            || node.template_version != template_version
    };
    let old: Vec<String> = row.nodes.iter().filter(|node| is_old(node)).map(|node| node.instance_id.clone()).collect();
    if old.is_empty() {
        return Step::Done;
    }
    let desired = row.scaling.desired as usize;
    let surplus = row.nodes.len().saturating_sub(desired);
    if surplus > 0 {
        nodes::terminate(world, &id, &old[..surplus.min(old.len())]);
    } else {
        let batch = batch(row).min(old.len());
        nodes::launch(world, &id, &wanted, batch);
    }
    let issues = world.eks.nodegroups.get(&id).and_then(|row| row.issues.first());
    match issues.and_then(|issue| issue["message"].as_str()) {
        Some(message) => Step::Failed(message.to_owned()),
        None => Step::Going,
    }
}

/// How far the replacement of nodes is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// There are old nodes.
    Going,
    /// All are new.
    Done,
    /// New nodes cannot be had: why.
    Failed(String),
}

/// How many nodes may be replaced at once.
fn batch(row: &Nodegroup) -> usize {
    let count = row.update_config["maxUnavailable"].as_u64();
    let share = row.update_config["maxUnavailablePercentage"].as_u64();
    let count = count.or_else(|| share.map(|share| u64::from(row.scaling.desired) * share / 100)).unwrap_or(1);
    usize::try_from(count).unwrap_or(1).max(1)
}

fn of_call(world: &World, call: &Call) -> Result<(Cluster, Nodegroup), ApiError> {
    let cluster = cluster_of(world, call)?;
    let row = nodegroup(world, &cluster.name, &call.required("nodegroupName")?)?;
    Ok((cluster.clone(), row.clone()))
}

fn check_idle(world: &World, row: &Nodegroup) -> Result<(), ApiError> {
    let target = Target::Nodegroup(row.cluster.clone(), row.name.clone());
    if updates::running(world, &target).is_some() || row.status == Status::Updating {
        return Err(in_use("Nodegroup cannot be updated as it is currently not in Active State"));
    }
    match row.status {
        Status::Active | Status::Degraded => Ok(()),
        _ => Err(refused("Nodegroup cannot be updated as it is currently not in Active State")),
    }
}

fn update_config_of(world: &mut World, call: &Call) -> Answer {
    told(call, || {
        if let Some(update) = updates::started_before(world, call)? {
            return Ok(update);
        }
        let (_, row) = of_call(world, call)?;
        let (change, params) = config_change(call, &row)?;
        check_idle(world, &row)?;
        let target = Target::Nodegroup(row.cluster, row.name);
        let effect = Effect::Nodegroup(Box::new(change));
        updates::start(world, call, New { target, kind: "ConfigUpdate", params, effect })
    })
}

fn config_change(call: &Call, row: &Nodegroup) -> Result<(Change, Vec<(&'static str, String)>), ApiError> {
    let mut params = Vec::new();
    if call.structure("warmPoolConfig").is_some_and(|config| config.boolean("enabled") != Ok(Some(false))) {
        return Err(invalid("warmPoolConfig is not simulated by this sandbox"));
    }
    let new_scaling = call.has("scalingConfig").then(|| scaling(call, Some(row.scaling))).transpose()?;
    if let (Some(_), Some(sent)) = (&new_scaling, call.structure("scalingConfig")) {
        for (name, member) in [("MinSize", "minSize"), ("MaxSize", "maxSize"), ("DesiredSize", "desiredSize")] {
            params.extend(sent.text(member).map(|value| (name, value)));
        }
    }
    let new_labels = call.structure("labels").map(|sent| changed_labels(&sent, row, &mut params)).transpose()?;
    let new_taints = call.structure("taints").map(|sent| changed_taints(&sent, row, &mut params)).transpose()?;
    let new_config = call.has("updateConfig").then(|| update_config(call, Some(&row.update_config))).transpose()?;
    if let Some(config) = &new_config {
        let names = [
            ("MaxUnavailable", "maxUnavailable"),
            ("MaxUnavailablePercentage", "maxUnavailablePercentage"),
            ("UpdateStrategy", "updateStrategy"),
        ];
        let sent = call.structure("updateConfig");
        let sent = |member: &str| sent.as_ref().is_some_and(|it| it.has(member));
        for (name, member) in names.into_iter().filter(|(_, member)| sent(member)) {
            let value = &config[member];
            params.push((name, value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
        }
    }
    let new_repair = call.has("nodeRepairConfig").then(|| node_repair(call, Some(&row.node_repair))).transpose()?;
    if let Some(config) = &new_repair {
        params.push(("NodeRepairEnabled", config["enabled"].to_string()));
    }
    let is_empty = new_scaling.is_none() && new_labels.is_none() && new_taints.is_none();
    if is_empty && new_config.is_none() && new_repair.is_none() {
        return Err(invalid("No changes needed for the node group config provided"));
    }
    let change = Change::Config {
        scaling: new_scaling,
        labels: new_labels,
        taints: new_taints,
        update_config: new_config,
        node_repair: new_repair,
    };
    Ok((change, params))
}

type Told = Vec<(&'static str, String)>;

fn changed_labels(sent: &Params, row: &Nodegroup, params: &mut Told) -> Result<BTreeMap<String, String>, ApiError> {
    let added = labels(sent.map("addOrUpdateLabels").into_iter().collect())?;
    let removed = sent.texts("removeLabels");
    if let Some(both) = removed.iter().find(|key| added.contains_key(*key)) {
        return Err(invalid(format!("The label {both} can't be added and removed at once")));
    }
    let mut all = row.labels.clone();
    all.retain(|key, _| !removed.contains(key));
    if !added.is_empty() {
        params.push(("LabelsToAdd", json!(added).to_string()));
    }
    if !removed.is_empty() {
        params.push(("LabelsToRemove", json!(removed).to_string()));
    }
    all.extend(added);
    Ok(all)
}

fn changed_taints(sent: &Params, row: &Nodegroup, params: &mut Told) -> Result<Vec<Taint>, ApiError> {
    let added = taints(&sent.structures("addOrUpdateTaints"))?;
    let removed = taints(&sent.structures("removeTaints"))?;
    let same = |a: &Taint, b: &Taint| (&a.key, &a.effect) == (&b.key, &b.effect);
    if added.iter().any(|taint| removed.iter().any(|other| same(taint, other))) {
        return Err(invalid("A taint can't be added and removed at once"));
    }
    if !added.is_empty() {
        params.push(("TaintsToAdd", json!(added).to_string()));
    }
    if !removed.is_empty() {
        params.push(("TaintsToRemove", json!(removed).to_string()));
    }
    let touched = |taint: &Taint| added.iter().chain(&removed).any(|other| same(taint, other));
    let mut all: Vec<Taint> = row.taints.iter().filter(|taint| !touched(taint)).cloned().collect();
    all.extend(added);
    Ok(all)
}

fn update_version_of(world: &mut World, call: &Call) -> Answer {
    told(call, || {
        if let Some(update) = updates::started_before(world, call)? {
            return Ok(update);
        }
        let (cluster, row) = of_call(world, call)?;
        let (change, params) = version_change(world, call, &cluster, &row)?;
        check_idle(world, &row)?;
        call.boolean("force")?;
        let target = Target::Nodegroup(row.cluster, row.name);
        let effect = Effect::Nodegroup(Box::new(change));
        updates::start(world, call, New { target, kind: "VersionUpdate", params, effect })
    })
}

fn version_change(world: &World, call: &Call, cluster: &Cluster, row: &Nodegroup) -> Result<(Change, Told), ApiError> {
    let (launch_template, image) = new_template(world, call, row)?;
    let (version, release) = (call.text("version"), call.text("releaseVersion"));
    let mut params = Vec::new();
    let (version, release_version) = if row.ami_type == "CUSTOM" {
        if version.is_some() || release.is_some() {
            return Err(invalid(
                "You cannot specify the field kubernetesVersion or releaseVersion when using custom AMIs.",
            ));
        }
        if launch_template == row.launch_template {
            return Err(refused("You must specify a new launch template version when using custom AMIs."));
        }
        (cluster.version.clone(), image.unwrap_or_else(|| row.release_version.clone()))
    } else {
        let version = version.unwrap_or_else(|| row.version.clone());
        check_skew(cluster, row, &version)?;
        let release = release_of(&version, release)?;
        params.push(("Version", version.clone()));
        params.push(("ReleaseVersion", release.clone()));
        (version, release)
    };
    if let Some(template) = launch_template.as_ref().filter(|it| Some(*it) != row.launch_template.as_ref()) {
        params.push(("LaunchTemplateName", template.name.clone()));
        params.push(("LaunchTemplateVersion", template.version.clone()));
    }
    Ok((Change::Version { version, release_version, launch_template }, params))
}

/// Nodes are never newer than the control plane, and never go back.
fn check_skew(cluster: &Cluster, row: &Nodegroup, version: &str) -> Result<(), ApiError> {
    let minor = |version: &str| catalog::minor(version).unwrap_or(0);
    if catalog::version(version).is_none() {
        return Err(invalid(format!("Requested Kubernetes version {version} is not supported")));
    }
    if minor(version) > minor(&cluster.version) {
        return Err(invalid(format!(
            "Nodegroup Kubernetes version {version} cannot be newer than the Cluster Kubernetes version {}",
            cluster.version
        )));
    }
    if minor(version) < minor(&row.version) {
        return Err(invalid(format!(
            "Nodegroup Kubernetes version cannot be downgraded from {} to {version}",
            row.version
        )));
    }
    Ok(())
}

/// The launch template after the update, with its image; only another version of the group's template can be asked for.
fn new_template(
    world: &World,
    call: &Call,
    row: &Nodegroup,
) -> Result<(Option<LaunchTemplate>, Option<String>), ApiError> {
    let Some(sent) = call.structure("launchTemplate") else { return Ok((row.launch_template.clone(), None)) };
    let Some(before) = &row.launch_template else {
        return Err(invalid("You cannot specify a launch template for a node group that was not created with one."));
    };
    let found = nodes::template(world, sent.text("id"), sent.text("name"), sent.text("version"))?;
    if found.id != before.id {
        return Err(invalid("You cannot change the launch template of a node group, only its version."));
    }
    check_template(&found)?;
    let image = found.data["ImageId"].as_str().map(str::to_owned);
    if image.is_some() != (row.ami_type == "CUSTOM") {
        return Err(invalid("You cannot change a node group from or to a custom AMI with a launch template version."));
    }
    Ok((Some(LaunchTemplate { id: found.id, name: found.name, version: found.version }), image))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eks::samples::{over, role, with_cluster};
    use crate::testing::{eks, pass};

    fn with_group() -> World {
        let (mut world, subnets) = with_cluster();
        let asked = json!({
            "clusterName": "c", "nodegroupName": "g", "nodeRole": role("node"), "subnets": subnets, "instanceTypes": ["m5.large"],
            "scalingConfig": { "minSize": 1, "maxSize": 4, "desiredSize": 2 }, "labels": { "a": "b" },
        });
        eks(&mut world, "CreateNodegroup", asked).unwrap();
        pass(&mut world, 10);
        world
    }

    fn of_group(world: &mut World, operation: &str, more: &Value) -> Answer {
        eks(world, operation, over(&json!({ "clusterName": "c", "nodegroupName": "g" }), more))
    }

    #[test]
    fn a_group_is_configured() {
        let mut world = with_group();
        let change = json!({
            "scalingConfig": { "desiredSize": 4 }, "labels": { "addOrUpdateLabels": { "c": "d" }, "removeLabels": ["a"] },
            "taints": { "addOrUpdateTaints": [{ "key": "k", "value": "v", "effect": "NO_SCHEDULE" }] },
            "updateConfig": { "maxUnavailable": 2 },
        });
        let update = of_group(&mut world, "UpdateNodegroupConfig", &change).unwrap();
        let update = &update["update"];
        assert_eq!((&update["type"], &update["status"]), (&json!("ConfigUpdate"), &json!("InProgress")));
        assert_eq!(update["params"][0], json!({ "type": "DesiredSize", "value": "4" }));
        let busy = of_group(&mut world, "UpdateNodegroupConfig", &change).unwrap_err();
        assert_eq!(busy.code, "ResourceInUseException");
        pass(&mut world, 10);
        let row = world.eks.nodegroups.get("c/g").unwrap();
        assert_eq!((row.nodes.len(), row.scaling.desired, row.status), (4, 4, Status::Active));
        assert_eq!(row.labels, BTreeMap::from([("c".to_owned(), "d".to_owned())]));
        assert_eq!((row.taints[0].key.as_str(), &row.update_config["maxUnavailable"]), ("k", &json!(2)));
        of_group(&mut world, "UpdateNodegroupConfig", &json!({ "scalingConfig": { "desiredSize": 1 } })).unwrap();
        pass(&mut world, 10);
        assert_eq!(world.eks.nodegroups.get("c/g").unwrap().nodes.len(), 1);
        let asked = json!({ "name": "c", "nodegroupName": "g" });
        assert_eq!(eks(&mut world, "ListUpdates", asked).unwrap()["updateIds"].as_array().unwrap().len(), 2);
        assert_eq!(eks(&mut world, "ListUpdates", json!({ "name": "c" })).unwrap()["updateIds"], json!([]));
    }

    #[test]
    fn what_cannot_change_is_refused() {
        let mut world = with_group();
        for (operation, change, said) in [
            ("UpdateNodegroupConfig", json!({}), "No changes needed"),
            (
                "UpdateNodegroupConfig",
                json!({ "scalingConfig": { "minSize": 3 } }),
                "Minimum capacity 3 can't be greater than desired size 2",
            ),
            (
                "UpdateNodegroupConfig",
                json!({ "scalingConfig": { "desiredSize": 5 } }),
                "desired capacity 5 can't be greater than max size 4",
            ),
            (
                "UpdateNodegroupConfig",
                json!({ "labels": { "addOrUpdateLabels": { "eks.amazonaws.com/x": "" } } }),
                "reserved prefixes",
            ),
            ("UpdateNodegroupVersion", json!({ "version": "1.36" }), "cannot be newer"),
            ("UpdateNodegroupVersion", json!({ "version": "1.34" }), "cannot be downgraded"),
            (
                "UpdateNodegroupVersion",
                json!({ "releaseVersion": "1.35.0-20200101" }),
                "is not valid for kubernetes version 1.35",
            ),
            ("UpdateNodegroupVersion", json!({ "launchTemplate": { "id": "lt-1" } }), "not created with one"),
        ] {
            let error = of_group(&mut world, operation, &change).expect_err(&change.to_string());
            assert_eq!(error.code, "InvalidParameterException", "{change}");
            assert!(error.message.contains(said), "{change}: {}", error.message);
        }
    }

    #[test]
    fn an_upgrade_replaces_nodes_a_few_at_a_time() {
        let mut world = with_group();
        let before: Vec<String> =
            world.eks.nodegroups.get("c/g").unwrap().nodes.iter().map(|it| it.instance_id.clone()).collect();
        eks(&mut world, "UpdateClusterVersion", json!({ "name": "c", "version": "1.36" })).unwrap();
        pass(&mut world, 10);
        let update = of_group(&mut world, "UpdateNodegroupVersion", &json!({ "version": "1.36" })).unwrap();
        assert_eq!(update["update"]["type"], "VersionUpdate");
        let mut most = 0;
        for _ in 0..8 {
            pass(&mut world, 10);
            most = most.max(world.eks.nodegroups.get("c/g").unwrap().nodes.len());
        }
        let row = world.eks.nodegroups.get("c/g").unwrap();
        assert_eq!((most, row.nodes.len(), row.status, row.version.as_str()), (3, 2, Status::Active, "1.36"));
        assert!(row.nodes.iter().all(|node| node.version == "1.36" && !before.contains(&node.instance_id)));
        let asked = json!({ "name": "c", "nodegroupName": "g", "updateId": update["update"]["id"] });
        assert_eq!(eks(&mut world, "DescribeUpdate", asked).unwrap()["update"]["status"], "Successful");
    }
}
