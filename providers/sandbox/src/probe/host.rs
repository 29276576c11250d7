//! What a node does with packets of its pods before they reach an interface, by the VPC CNI's settings.
//!
//! Sources: the VPC CNI's README (github.com/aws/amazon-vpc-cni-k8s, `POD_SECURITY_GROUP_ENFORCING_MODE`,
//! `AWS_VPC_K8S_CNI_EXTERNALSNAT`, `DISABLE_TCP_EARLY_DEMUX`) and the EKS best practices on security groups for pods.

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::Value;

use crate::kubernetes::objects::Key;
use crate::world::World;

/// The settings of a cluster's `aws-node`, as its DaemonSet has them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are switches of the CNI, each by itself")]
pub(super) struct Settings {
    /// `strict`; otherwise `standard`.
    pub is_strict: bool,
    /// Nodes translate no addresses.
    pub has_external_snat: bool,
    /// Where nodes translate no addresses although it is outside of the VPC.
    pub excluded: Vec<IpNet>,
    /// Kubelet's TCP probes reach pods with branch interfaces in strict mode.
    pub is_early_demux_off: bool,
    /// The agent enforces NetworkPolicies.
    pub has_network_policies: bool,
}

impl Settings {
    /// Reads them; without the DaemonSet they are the defaults.
    pub(super) fn of(world: &World, cluster: &str) -> Self {
        let daemon = world.kubernetes.objects.get(&Key::new(cluster, "daemonsets.apps", "kube-system", "aws-node"));
        let spec = daemon.map_or(&Value::Null, |daemon| &daemon["spec"]["template"]["spec"]);
        let aws_node = container(&spec["containers"], "aws-node");
        let node = |name| variable(aws_node, name);
        let init = container(&spec["initContainers"], "aws-vpc-cni-init");
        let is_true = |value: Option<&str>| value.is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let agent = container(&spec["containers"], "aws-eks-nodeagent");
        let mut arguments = agent.map(|agent| &agent["args"]).and_then(Value::as_array).into_iter().flatten();
        let excluded = node("AWS_VPC_K8S_CNI_EXCLUDE_SNAT_CIDRS").unwrap_or_default();
        Self {
            is_strict: node("POD_SECURITY_GROUP_ENFORCING_MODE") != Some("standard"),
            has_external_snat: is_true(node("AWS_VPC_K8S_CNI_EXTERNALSNAT")),
            excluded: excluded.split(',').filter_map(|cidr| cidr.trim().parse().ok()).collect(),
            is_early_demux_off: is_true(variable(init, "DISABLE_TCP_EARLY_DEMUX")),
            has_network_policies: arguments.any(|argument| argument == "--enable-network-policy=true"),
        }
    }

    /// Whether a node puts its own address in place of an ordinary pod's. `is_in_vpc` is of the destination. IPv6 is never translated.
    pub(super) fn translates(&self, destination: IpAddr, is_in_vpc: bool) -> bool {
        destination.is_ipv4()
            && !self.has_external_snat
            && !is_in_vpc
            && !self.excluded.iter().any(|net| net.contains(&destination))
    }
}

fn container<'a>(containers: &'a Value, name: &str) -> Option<&'a Value> {
    containers.as_array().into_iter().flatten().find(|container| container["name"] == name)
}

/// The value of a variable of a container.
fn variable<'a>(container: Option<&'a Value>, name: &str) -> Option<&'a str> {
    let mut variables = container?["env"].as_array().into_iter().flatten();
    variables.find(|variable| variable["name"] == name)?["value"].as_str()
}

/// Whether an address is of the link itself: node services such as the Pod Identity agent, instance metadata, the DNS server's alias.
pub(super) fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        // fd00:ec2::/32 holds the same services for IPv6.
        IpAddr::V6(address) => address.segments()[..2] == [0xfd00, 0x0ec2] || address.segments()[0] & 0xffc0 == 0xfe80,
    }
}
