//! What a cluster may have beyond a control plane in a region: Auto Mode, hybrid nodes, Outposts, a provisioned control plane.

use aws_sdk_eks::types::{
    BlockStorage, Cluster, ComputeConfigRequest, ControlPlanePlacementRequest, ControlPlaneScalingConfig,
    ElasticLoadBalancing, KubernetesNetworkConfigRequest, OutpostConfigRequest, RemoteNetworkConfigRequest,
    RemoteNodeNetwork, RemotePodNetwork, StorageConfigRequest,
};
use sgp_model::{Attribute, Block, NestedBlock, Schema, Value};

use crate::{
    eks::one,
    values::{self, ObjectBuilder},
};

/// The names of these blocks in the schema.
pub const PARTS: &[&str] =
    &["compute_config", "control_plane_scaling_config", "outpost_config", "remote_network_config", "storage_config"];

/// Adds the blocks to a schema.
pub fn blocks(schema: Schema) -> Schema {
    schema
        .block("compute_config", compute_config())
        .block("control_plane_scaling_config", control_plane_scaling_config())
        .block("outpost_config", outpost_config())
        .block("remote_network_config", remote_network_config())
        .block("storage_config", storage_config())
}

fn compute_config() -> NestedBlock {
    let block = Block::default()
        .attr("enabled", Attribute::bool().optional().doc("Whether EKS Auto Mode runs the nodes."))
        .attr("node_pools", Attribute::string_set().optional().doc("Built-in pools: `general-purpose`, `system`."))
        .attr(
            "node_role_arn",
            Attribute::string().optional().doc("The role of the nodes; another one replaces the cluster."),
        );
    NestedBlock::list_of_one(block)
        .doc("EKS Auto Mode's nodes. On or off together with `storage_config` and `kubernetes_network_config.elastic_load_balancing`.")
}

fn storage_config() -> NestedBlock {
    let storage =
        Block::default().attr("enabled", Attribute::bool().optional().doc("Whether EKS Auto Mode runs EBS volumes."));
    let block = Block::default().block("block_storage", NestedBlock::list_of_one(storage).doc("EBS volumes."));
    NestedBlock::list_of_one(block).doc("EKS Auto Mode's storage.")
}

/// `kubernetes_network_config.elastic_load_balancing`.
pub fn elastic_load_balancing() -> NestedBlock {
    let block = Block::default()
        .attr("enabled", Attribute::bool().optional().doc("Whether EKS Auto Mode runs load balancers."));
    NestedBlock::list_of_one(block).computed().doc("EKS Auto Mode's load balancers.")
}

fn control_plane_scaling_config() -> NestedBlock {
    let block = Block::default().attr(
        "tier",
        Attribute::string().optional().doc("`standard`, or the size of a provisioned control plane: `tier-xl` ..."),
    );
    NestedBlock::list_of_one(block).computed().doc("The size of the control plane.")
}

fn remote_network_config() -> NestedBlock {
    let networks = |doc| Block::default().attr("cidrs", Attribute::string_set().optional().doc(doc));
    let block = Block::default()
        .block(
            "remote_node_networks",
            NestedBlock::list_of_one(networks("IPv4 ranges of the nodes.")).required().doc("Where the nodes are."),
        )
        .block(
            "remote_pod_networks",
            NestedBlock::list_of_one(networks("IPv4 ranges of the pods.")).doc("Where the pods with webhooks are."),
        );
    NestedBlock::list_of_one(block).doc("Networks of hybrid nodes, outside AWS.")
}

fn outpost_config() -> NestedBlock {
    let placement = Block::default()
        .attr("group_name", Attribute::string().required().force_new().doc("The placement group of the instances."));
    let block = Block::default()
        .attr(
            "control_plane_instance_type",
            Attribute::string().required().force_new().doc("The instance type of the control plane."),
        )
        .attr("outpost_arns", Attribute::string_set().required().force_new().doc("The Outpost."))
        .block("control_plane_placement", NestedBlock::list_of_one(placement).doc("Where the instances are placed."));
    NestedBlock::list_of_one(block).force_new().doc("A control plane on an Outpost.")
}

/// EKS Auto Mode as a whole: EKS wants its three parts in one call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AutoMode {
    /// Nodes.
    pub compute: Option<bool>,
    /// EBS volumes.
    pub storage: Option<bool>,
    /// Load balancers.
    pub balancing: Option<bool>,
    /// Built-in node pools.
    pub node_pools: Vec<String>,
    /// The role of the nodes.
    pub node_role_arn: Option<String>,
}

impl AutoMode {
    /// What an object says; unknown parts count as nothing.
    pub fn of(object: &Value) -> Self {
        let inside = |outer: &str, inner: &str| values::block(values::block(object, outer)?, inner);
        let compute = values::block(object, "compute_config");
        let mut node_pools = compute.map(|c| values::strs(c, "node_pools")).unwrap_or_default();
        node_pools.sort();
        Self {
            compute: compute.and_then(|c| values::bool_opt(c, "enabled")),
            storage: inside("storage_config", "block_storage").and_then(|b| values::bool_opt(b, "enabled")),
            balancing: inside("kubernetes_network_config", "elastic_load_balancing")
                .and_then(|b| values::bool_opt(b, "enabled")),
            node_pools,
            node_role_arn: compute.and_then(|c| values::text(c, "node_role_arn")),
        }
    }

    /// What must be asked for to get from one object to another: all three parts, those that are gone turned off.
    pub fn change(prior: &Value, planned: &Value) -> Option<Self> {
        let (old, mut new) = (Self::of(prior), Self::of(planned));
        let off = |old: Option<bool>, new: &mut Option<bool>| *new = new.or_else(|| old.map(|_| false));
        off(old.compute, &mut new.compute);
        off(old.storage, &mut new.storage);
        off(old.balancing, &mut new.balancing);
        let is_off = |mode: &Self| [mode.compute, mode.storage, mode.balancing].iter().all(|on| *on != Some(true));
        (old != new && !(is_off(&old) && is_off(&new))).then_some(new)
    }

    /// Whether some parts are on and others are off, which EKS refuses; unknown parts pass.
    pub fn is_mixed(&self) -> bool {
        let said: Vec<bool> = [self.compute, self.storage, self.balancing].into_iter().flatten().collect();
        said.contains(&true) && said.contains(&false)
    }

    /// The nodes, as the API takes them.
    pub fn compute_request(&self) -> Option<ComputeConfigRequest> {
        let on = self.compute?;
        let pools = Some(self.node_pools.clone()).filter(|p| on && !p.is_empty());
        let role = self.node_role_arn.clone().filter(|_| on);
        Some(ComputeConfigRequest::builder().enabled(on).set_node_pools(pools).set_node_role_arn(role).build())
    }

    /// The volumes, as the API takes them.
    pub fn storage_request(&self) -> Option<StorageConfigRequest> {
        let storage = BlockStorage::builder().enabled(self.storage?).build();
        Some(StorageConfigRequest::builder().block_storage(storage).build())
    }

    /// The load balancers, as the API takes them.
    pub fn balancing_request(&self) -> Option<ElasticLoadBalancing> {
        Some(ElasticLoadBalancing::builder().enabled(self.balancing?).build())
    }

    /// The load balancers alone, in the part of the API that they are in.
    pub fn network_request(&self) -> Option<KubernetesNetworkConfigRequest> {
        Some(KubernetesNetworkConfigRequest::builder().elastic_load_balancing(self.balancing_request()?).build())
    }
}

/// `control_plane_scaling_config` as the API takes it.
pub fn scaling_request(planned: &Value) -> Option<ControlPlaneScalingConfig> {
    let tier = values::text(values::block(planned, "control_plane_scaling_config")?, "tier")?;
    Some(ControlPlaneScalingConfig::builder().tier(tier.as_str().into()).build())
}

/// `remote_network_config` as the API takes it.
pub fn remote_request(planned: &Value) -> Option<RemoteNetworkConfigRequest> {
    let block = values::block(planned, "remote_network_config")?;
    let cidrs = |name| values::block(block, name).map(|b| values::strs(b, "cidrs")).filter(|c| !c.is_empty());
    let nodes = cidrs("remote_node_networks").map(|c| vec![RemoteNodeNetwork::builder().set_cidrs(Some(c)).build()]);
    let pods = cidrs("remote_pod_networks").map(|c| vec![RemotePodNetwork::builder().set_cidrs(Some(c)).build()]);
    Some(RemoteNetworkConfigRequest::builder().set_remote_node_networks(nodes).set_remote_pod_networks(pods).build())
}

/// `outpost_config` as the API takes it.
pub fn outpost_request(planned: &Value) -> Option<OutpostConfigRequest> {
    let block = values::block(planned, "outpost_config")?;
    let placement = values::block(block, "control_plane_placement")
        .map(|p| ControlPlanePlacementRequest::builder().set_group_name(values::text(p, "group_name")).build());
    let request = OutpostConfigRequest::builder()
        .set_outpost_arns(Some(values::strs(block, "outpost_arns")))
        .control_plane_instance_type(values::string(block, "control_plane_instance_type"))
        .set_control_plane_placement(placement);
    request.build().ok()
}

/// Sets the blocks from what EKS answered.
pub fn show(builder: ObjectBuilder, schema: &Schema, prior: &Value, cluster: &Cluster) -> ObjectBuilder {
    builder
        .set("compute_config", compute(schema, prior, cluster))
        .set("control_plane_scaling_config", scaling(schema, prior, cluster))
        .set("outpost_config", outpost(schema, cluster))
        .set("remote_network_config", remote(schema, cluster))
        .set("storage_config", storage(schema, prior, cluster))
}

/// `enabled` of a part of Auto Mode in the object. A part that is off and of which nobody spoke is not shown.
fn flag_block(block: &Block, on: Option<bool>, recorded: Option<&Value>) -> Value {
    match on {
        Some(on) if on || recorded.is_some() => one(block, ObjectBuilder::of_block(block).set("enabled", on).build()),
        None if recorded.is_some() => {
            let on = values::opt_bool(recorded.and_then(|r| values::bool_opt(r, "enabled")));
            one(block, ObjectBuilder::of_block(block).set("enabled", on).build())
        }
        _ => Value::list(block.ty(), Vec::new()),
    }
}

fn compute(schema: &Schema, prior: &Value, cluster: &Cluster) -> Value {
    let block = &schema.block.blocks["compute_config"].block;
    let recorded = values::block(prior, "compute_config");
    let found = cluster.compute_config();
    let on = found.and_then(|c| c.enabled()).or_else(|| recorded.and_then(|r| values::bool_opt(r, "enabled")));
    if recorded.is_none() && on != Some(true) {
        return Value::list(block.ty(), Vec::new());
    }
    let is_on = on == Some(true);
    let pools = found.map(|c| c.node_pools()).unwrap_or_default().iter().map(String::as_str);
    let recorded_pools = recorded.and_then(|r| r.get("node_pools"));
    // EKS forgets pools and role of a mode that is off.
    let pools = match recorded_pools {
        Some(recorded) if (!is_on || found.is_none()) && recorded.is_known() => recorded.clone(),
        recorded => crate::eks::set_or_null(pools, recorded),
    };
    let role = found.and_then(|c| c.node_role_arn()).filter(|r| !r.is_empty());
    let role = role.or_else(|| recorded.and_then(|r| values::str_opt(r, "node_role_arn")));
    let object = ObjectBuilder::of_block(block)
        .set("enabled", values::opt_bool(on))
        .set("node_pools", pools)
        .set("node_role_arn", values::opt_str(role));
    one(block, object.build())
}

fn storage(schema: &Schema, prior: &Value, cluster: &Cluster) -> Value {
    let block = &schema.block.blocks["storage_config"].block;
    let inner = &block.blocks["block_storage"].block;
    let recorded = values::block(prior, "storage_config");
    let on = cluster.storage_config().and_then(|s| s.block_storage()).and_then(|b| b.enabled());
    if recorded.is_none() && on != Some(true) {
        return Value::list(block.ty(), Vec::new());
    }
    let storage = flag_block(inner, on, recorded.and_then(|r| values::block(r, "block_storage")));
    one(block, ObjectBuilder::of_block(block).set("block_storage", storage).build())
}

/// `elastic_load_balancing` from what EKS answered.
pub fn balancing(network: &Block, recorded: Option<&Value>, answered: Option<&ElasticLoadBalancing>) -> Value {
    let block = &network.blocks["elastic_load_balancing"].block;
    flag_block(
        block,
        answered.and_then(|b| b.enabled()),
        recorded.and_then(|r| values::block(r, "elastic_load_balancing")),
    )
}

fn scaling(schema: &Schema, prior: &Value, cluster: &Cluster) -> Value {
    let block = &schema.block.blocks["control_plane_scaling_config"].block;
    let recorded = values::block(prior, "control_plane_scaling_config").and_then(|r| values::str_opt(r, "tier"));
    let answered = cluster.control_plane_scaling_config().and_then(|c| c.tier()).map(|t| t.as_str());
    match answered.or(recorded) {
        Some(tier) => one(block, ObjectBuilder::of_block(block).set("tier", tier).build()),
        None => Value::list(block.ty(), Vec::new()),
    }
}

fn remote(schema: &Schema, cluster: &Cluster) -> Value {
    let block = &schema.block.blocks["remote_network_config"].block;
    let Some(found) = cluster.remote_network_config() else { return Value::list(block.ty(), Vec::new()) };
    let networks = |name: &str, cidrs: Vec<&str>| {
        let inner = &block.blocks[name].block;
        if cidrs.is_empty() {
            return Value::list(inner.ty(), Vec::new());
        }
        one(inner, ObjectBuilder::of_block(inner).set("cidrs", values::string_set(cidrs)).build())
    };
    let nodes: Vec<&str> = found.remote_node_networks().iter().flat_map(|n| n.cidrs()).map(String::as_str).collect();
    let pods: Vec<&str> = found.remote_pod_networks().iter().flat_map(|n| n.cidrs()).map(String::as_str).collect();
    if nodes.is_empty() && pods.is_empty() {
        return Value::list(block.ty(), Vec::new());
    }
    let object = ObjectBuilder::of_block(block)
        .set("remote_node_networks", networks("remote_node_networks", nodes))
        .set("remote_pod_networks", networks("remote_pod_networks", pods));
    one(block, object.build())
}

fn outpost(schema: &Schema, cluster: &Cluster) -> Value {
    let block = &schema.block.blocks["outpost_config"].block;
    let Some(found) = cluster.outpost_config() else { return Value::list(block.ty(), Vec::new()) };
    let inner = &block.blocks["control_plane_placement"].block;
    let placement = match found.control_plane_placement().and_then(|p| p.group_name()) {
        Some(name) => one(inner, ObjectBuilder::of_block(inner).set("group_name", name).build()),
        None => Value::list(inner.ty(), Vec::new()),
    };
    let object = ObjectBuilder::of_block(block)
        .set("control_plane_instance_type", found.control_plane_instance_type())
        .set("outpost_arns", values::string_set(found.outpost_arns().iter().map(String::as_str)))
        .set("control_plane_placement", placement);
    one(block, object.build())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eks::cluster;

    fn object(compute: Option<bool>, storage: Option<bool>, balancing: Option<bool>, pools: &[&str]) -> Value {
        let schema = blocks(Schema::new("t", "")).block("kubernetes_network_config", cluster::network_config());
        let block = |name: &str| schema.block.blocks[name].block.clone();
        let flag = |block: &Block, on: bool| one(block, ObjectBuilder::of_block(block).set("enabled", on).build());
        let mut object = schema.block.empty();
        if let Some(on) = compute {
            let block = block("compute_config");
            let made = ObjectBuilder::of_block(&block).set("enabled", on);
            object = object.with_attr(
                "compute_config",
                one(&block, made.set("node_pools", values::string_set(pools.to_vec())).build()),
            );
        }
        for (outer, inner, on) in [
            ("storage_config", "block_storage", storage),
            ("kubernetes_network_config", "elastic_load_balancing", balancing),
        ] {
            if let Some(on) = on {
                let block = block(outer);
                let made = ObjectBuilder::of_block(&block).set(inner, flag(&block.blocks[inner].block, on));
                object = object.with_attr(outer, one(&block, made.build()));
            }
        }
        object
    }

    #[test]
    fn auto_mode_changes_as_a_whole() {
        let on = |pools: &[&str]| object(Some(true), Some(true), Some(true), pools);
        let off = object(Some(false), Some(false), Some(false), &[]);
        let none = object(None, None, None, &[]);
        let flags = |change: Option<AutoMode>| change.map(|c| (c.compute, c.storage, c.balancing));
        let all = |on| Some((Some(on), Some(on), Some(on)));
        assert_eq!(flags(AutoMode::change(&none, &on(&["system"]))), all(true));
        assert_eq!(flags(AutoMode::change(&on(&["system"]), &on(&["system", "general-purpose"]))), all(true));
        assert_eq!(flags(AutoMode::change(&on(&[]), &none)), all(false));
        assert_eq!(flags(AutoMode::change(&on(&[]), &off)), all(false));
        for (a, b) in [(&none, &off), (&off, &none), (&none, &none)] {
            assert_eq!(AutoMode::change(a, b), None);
        }
        assert!(AutoMode::of(&object(Some(true), Some(false), None, &[])).is_mixed());
        assert!(!AutoMode::of(&on(&[])).is_mixed());
    }
}
