//! Nodes and pods: what kubelet, the VPC CNI and EKS's node groups do on a real cluster.

use super::error::{Error, Result};
use super::proxy::texts;
use super::vpc::first;
use super::{Backing, World};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How long the controller is given for a trunk or a branch interface.
const CONTROLLER_LIMIT: Duration = Duration::from_mins(1);

/// A node of the cluster: an EC2 instance and a Node that names it.
#[derive(Clone, Debug)]
pub struct Node {
    /// The Node's name.
    pub name: String,
    /// The instance's id.
    pub instance_id: String,
}

/// A pod to make.
#[derive(Clone, Copy, Debug)]
pub struct Pod<'a> {
    /// The namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its labels, which policies select it by.
    pub labels: &'a [(&'a str, &'a str)],
    /// Its service account; `default` is in each namespace.
    pub service_account: &'a str,
}

/// The branch interface of a pod, from the pod's annotation and from EC2.
#[derive(Clone, Debug)]
pub struct BranchInterface {
    /// The interface's id.
    pub eni_id: String,
    /// The pod's address.
    pub private_ip: String,
    /// The VLAN on the trunk.
    pub vlan_id: u64,
    /// The security groups that EC2 says it carries, sorted.
    pub security_group_ids: Vec<String>,
}

impl World {
    /// Makes an instance in the first subnet and its Node, and does what `aws-node` does there: with `ENABLE_POD_ENI=true` it asks for a trunk.
    /// With pod ENI on and the controller running, the Node can take branch interfaces when this returns.
    /// A sandbox has the nodes of its node groups: one of this type is answered there.
    pub fn add_node(&self, instance_type: &str) -> Result<Node> {
        if self.backing() == Backing::Sandbox {
            return self.wait_for("a node with pod-eni capacity", || self.sandboxed_node(instance_type));
        }
        let node = self.run_instance(instance_type)?;
        if !self.is_pod_eni_on()? {
            return Ok(node);
        }
        let path = format!("/apis/vpcresources.k8s.aws/v1alpha1/cninodes/{}", node.name);
        self.wait_for("the controller's CNINode", || Ok(self.kubernetes("GET", &path, None).ok()))?;
        let features = json!({ "spec": { "features": [{ "name": "SecurityGroupsForPods" }] } });
        self.kubernetes("PATCH", &path, Some(&features))?;
        let node_path = format!("/api/v1/nodes/{}", node.name);
        self.wait_for("the node's pod-eni capacity", || {
            let found = self.kubernetes("GET", &node_path, None)?;
            Ok(found["status"]["capacity"]["vpc.amazonaws.com/pod-eni"].as_str().map(drop))
        })?;
        Ok(node)
    }

    fn sandboxed_node(&self, instance_type: &str) -> Result<Option<Node>> {
        let nodes = self.kubernetes("GET", "/api/v1/nodes", None)?;
        let mut nodes = nodes["items"].as_array().into_iter().flatten();
        let fits = |node: &&Value| {
            node["metadata"]["labels"]["node.kubernetes.io/instance-type"] == instance_type
                && node["status"]["capacity"]["vpc.amazonaws.com/pod-eni"].is_string()
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Ok(nodes.find(fits).map(|node| Node {
            name: text(&node["metadata"]["name"]),
            instance_id: text(&node["spec"]["providerID"]).rsplit('/').next().unwrap_or_default().to_owned(),
        }))
    }

    fn run_instance(&self, instance_type: &str) -> Result<Node> {
        let subnet = self.vpc().subnet_ids[0].as_str();
        let params = [
            ("ImageId", "ami-12c6146b"),
            ("InstanceType", instance_type),
            ("SubnetId", subnet),
            ("MinCount", "1"),
            ("MaxCount", "1"),
        ];
        let made = self.aws("ec2", "RunInstances", &params)?;
        let (instance_id, name) = (first(&made, "instanceId")?, first(&made, "privateDnsName")?);
        let zone = first(&made, "availabilityZone")?;
        let node = json!({
            "apiVersion": "v1", "kind": "Node",
            "metadata": { "name": name, "labels": {
                "kubernetes.io/os": "linux", "kubernetes.io/hostname": name,
                "node.kubernetes.io/instance-type": instance_type, "topology.kubernetes.io/zone": zone,
            } },
            "spec": { "providerID": format!("aws:///{zone}/{instance_id}") },
            "status": {
                "conditions": [{ "type": "Ready", "status": "True", "reason": "KubeletReady" }],
                "capacity": { "cpu": "2", "memory": "8Gi", "pods": "29" },
                "allocatable": { "cpu": "2", "memory": "7Gi", "pods": "29" },
            },
        });
        self.kubernetes("POST", "/api/v1/nodes", Some(&node))?;
        Ok(Node { name, instance_id })
    }

    /// Reads from the `DaemonSet` what `aws-node` would be started with.
    fn is_pod_eni_on(&self) -> Result<bool> {
        let path = "/apis/apps/v1/namespaces/kube-system/daemonsets/aws-node";
        let found = self.kubernetes("GET", path, None)?;
        let containers = found["spec"]["template"]["spec"]["containers"].as_array().cloned().unwrap_or_default();
        let mut env = containers.iter().filter_map(|container| container["env"].as_array()).flatten();
        Ok(env.any(|variable| variable["name"] == "ENABLE_POD_ENI" && variable["value"] == "true"))
    }

    /// Makes a pod on a node; its namespace must be there.
    pub fn add_pod(&self, pod: &Pod<'_>, node: &Node) -> Result<()> {
        let namespace = format!("/api/v1/namespaces/{}", pod.namespace);
        let account = format!("{namespace}/serviceaccounts/{}", pod.service_account);
        self.wait_for("the service account", || Ok(self.kubernetes("GET", &account, None).ok()))?;
        let labels: serde_json::Map<String, Value> =
            pod.labels.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let object = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": { "name": pod.name, "labels": labels },
            "spec": {
                "nodeName": node.name, "serviceAccountName": pod.service_account,
                "containers": [{ "name": "app", "image": "registry.k8s.io/pause:3.10" }],
            },
        });
        self.kubernetes("POST", &format!("{namespace}/pods"), Some(&object)).map(drop)
    }

    /// Deletes a pod. The controller keeps its branch interface for the cool-down, at least 30 seconds.
    pub fn remove_pod(&self, namespace: &str, name: &str) -> Result<()> {
        let path = format!("/api/v1/namespaces/{namespace}/pods/{name}?gracePeriodSeconds=0");
        self.kubernetes("DELETE", &path, None).map(drop)
    }

    /// Deletes a Node and terminates its instance; the controller then lets go of its interfaces.
    pub fn remove_node(&self, node: &Node) -> Result<()> {
        self.kubernetes("DELETE", &format!("/api/v1/nodes/{}", node.name), None)?;
        self.aws("ec2", "TerminateInstances", &[("InstanceId.1", &node.instance_id)]).map(drop)
    }

    /// Waits for the controller's annotation on a pod. None at once when the webhook did not give the pod a claim for a branch interface.
    pub fn branch_interface(&self, namespace: &str, pod: &str) -> Result<Option<BranchInterface>> {
        let path = format!("/api/v1/namespaces/{namespace}/pods/{pod}");
        let found = self.kubernetes("GET", &path, None)?;
        if found["spec"]["containers"][0]["resources"]["limits"]["vpc.amazonaws.com/pod-eni"].is_null() {
            return Ok(None);
        }
        let annotation = self.wait_for("the pod's branch interface", || {
            let found = self.kubernetes("GET", &path, None)?;
            Ok(found["metadata"]["annotations"]["vpc.amazonaws.com/pod-eni"].as_str().map(str::to_owned))
        })?;
        self.read_branch(&annotation).map(Some)
    }

    fn read_branch(&self, annotation: &str) -> Result<BranchInterface> {
        let interfaces: Value =
            serde_json::from_str(annotation).map_err(|error| Error::failed("read the annotation", error))?;
        let text = |name: &str| interfaces[0][name].as_str().unwrap_or_default().to_owned();
        let eni_id = text("eniId");
        let security_group_ids = self.groups_of_interface(&eni_id)?;
        let vlan_id = interfaces[0]["vlanID"].as_u64().or(interfaces[0]["vlanId"].as_u64()).unwrap_or_default();
        Ok(BranchInterface { eni_id, private_ip: text("privateIp"), vlan_id, security_group_ids })
    }

    /// The security groups that EC2 says an interface carries, sorted.
    pub fn groups_of_interface(&self, eni_id: &str) -> Result<Vec<String>> {
        let found = self.aws("ec2", "DescribeNetworkInterfaces", &[("NetworkInterfaceId.1", eni_id)])?;
        let mut groups = texts(&found, "groupId");
        groups.sort();
        groups.dedup();
        Ok(groups)
    }

    fn wait_for<T>(&self, what: &str, mut found: impl FnMut() -> Result<Option<T>>) -> Result<T> {
        let start = Instant::now();
        loop {
            if let Some(found) = found()? {
                return Ok(found);
            }
            if start.elapsed() > CONTROLLER_LIMIT {
                return Err(Error::not_ready(what, CONTROLLER_LIMIT.as_secs(), self.logs()));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}
