//! Nodes of node groups. On the real side the test is kubelet, cloud controller and `aws-node`.

use super::region::{CLUSTER, Region};
use serde_json::{Value, json};
use sgp_tests::world::{Error, Result, texts};

/// The resource of which a branch interface is one.
pub const POD_ENI: &str = "vpc.amazonaws.com/pod-eni";

/// Where a node's CNINode is.
fn cni_node(name: &str) -> String {
    format!("/apis/vpcresources.k8s.aws/v1alpha1/cninodes/{name}")
}

/// Waits for the instance of a node group, its Node and its CNINode. On the real side the Node is made.
pub fn appear(region: &mut Region, group: &str) -> Result<()> {
    let params = [
        ("Filter.1.Name", "tag:eks:nodegroup-name"),
        ("Filter.1.Value.1", group),
        ("Filter.2.Name", "instance-state-name"),
        ("Filter.2.Value.1", "running"),
    ];
    let instance = region.side.wait_for("the node group's instance", || {
        let found = region.side.aws("ec2", "DescribeInstances", &params)?;
        Ok((!texts(&found, "instanceId").is_empty()).then_some(found))
    })?;
    let first = |element: &str| texts(&instance, element).into_iter().next().unwrap();
    let (id, name) = (first("instanceId"), first("privateDnsName"));
    if region.side.is_real() {
        let zone = first("availabilityZone");
        let node = json!({
            "apiVersion": "v1", "kind": "Node",
            "metadata": { "name": name, "labels": {
                "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64", "kubernetes.io/hostname": name,
                "node.kubernetes.io/instance-type": first("instanceType"), "topology.kubernetes.io/zone": zone,
                "eks.amazonaws.com/nodegroup": group,
            } },
            "spec": { "providerID": format!("aws:///{zone}/{id}") },
            "status": {
                "conditions": [{ "type": "Ready", "status": "True", "reason": "KubeletReady" }],
                "capacity": { "cpu": "16", "memory": "64Gi", "pods": "110" },
                "allocatable": { "cpu": "15", "memory": "60Gi", "pods": "110" },
            },
        });
        region.side.kubernetes("POST", "/api/v1/nodes", Some(&node))?;
    }
    region.side.wait_for("the Node", || Ok(region.get(&format!("/api/v1/nodes/{name}"))))?;
    region.side.wait_for("the CNINode", || Ok(region.get(&cni_node(&name))))?;
    region.names.note(&name, &format!("node({group})"));
    region.names.note(&id, &format!("instance({group})"));
    Ok(())
}

/// Sets `ENABLE_POD_ENI` on `aws-node`.
pub fn enable_pod_eni(region: &Region) -> Result<()> {
    let path = "/apis/apps/v1/namespaces/kube-system/daemonsets/aws-node";
    let mut set = region.side.kubernetes("GET", path, None)?;
    for container in set["spec"]["template"]["spec"]["containers"].as_array_mut().unwrap() {
        for variable in container["env"].as_array_mut().into_iter().flatten() {
            if variable["name"] == "ENABLE_POD_ENI" {
                variable["value"] = json!("true");
            }
        }
    }
    let containers = &set["spec"]["template"]["spec"]["containers"];
    let patch = json!({ "spec": { "template": { "spec": { "containers": containers } } } });
    region.side.kubernetes("PATCH", path, Some(&patch)).map(drop)
}

/// Lets the node of a group ask for a trunk; on the real side the test does it in the place of `aws-node`, if that is set to.
pub fn ask_for_trunk(region: &Region, group: &str) -> Result<()> {
    let (name, instance) = (id(region, "node", group), id(region, "instance", group));
    if region.side.is_real() {
        let set = region.side.kubernetes("GET", "/apis/apps/v1/namespaces/kube-system/daemonsets/aws-node", None)?;
        let containers = set["spec"]["template"]["spec"]["containers"].as_array().cloned().unwrap_or_default();
        let mut env = containers.iter().filter_map(|it| it["env"].as_array()).flatten();
        assert!(env.any(|it| it["name"] == "ENABLE_POD_ENI" && it["value"] == "true"));
        let spec = json!({
            "features": [{ "name": "SecurityGroupsForPods" }], "tags": { "node.k8s.amazonaws.com/instance_id": instance },
        });
        region.side.kubernetes("PATCH", &cni_node(&name), Some(&json!({ "spec": spec })))?;
    }
    let has_asked =
        |object: Value| object["spec"]["features"].as_array().is_some_and(|it| !it.is_empty()).then_some(());
    region.side.wait_for("the wish for a trunk", || Ok(region.get(&cni_node(&name)).and_then(has_asked)))
}

/// Waits until the node of a group can have branch interfaces.
pub fn wait_for_capacity(region: &Region, group: &str) -> Result<()> {
    let path = format!("/api/v1/nodes/{}", id(region, "node", group));
    region.side.wait_for("the node's pod-eni capacity", || {
        let node = region.side.kubernetes("GET", &path, None)?;
        Ok(node["status"]["capacity"][POD_ENI].as_str().map(drop))
    })
}

/// Changes a label of the node of a group, so that the controller looks at it again.
pub fn poke(region: &Region, group: &str) -> Result<()> {
    let path = format!("/api/v1/nodes/{}", id(region, "node", group));
    let patch = json!({ "metadata": { "labels": { "poked": "true" } } });
    region.side.kubernetes("PATCH", &path, Some(&patch)).map(drop)
}

/// Ends the node of a group, as a scaled-in node group does.
pub fn end(region: &Region, group: &str) -> Result<()> {
    region.side.eks("DELETE", &format!("clusters/{CLUSTER}/node-groups/{group}"), None)?;
    let (name, instance) = (id(region, "node", group), id(region, "instance", group));
    region.side.wait_for("the end of the instance", || {
        let found = region.side.aws("ec2", "DescribeInstances", &[("InstanceId.1", &instance)]);
        Ok(found.map_or(Some(()), |found| found.contains("<name>terminated</name>").then_some(())))
    })?;
    if region.side.is_real() {
        region.side.kubernetes("DELETE", &format!("/api/v1/nodes/{name}"), None)?;
    }
    let is_gone = |path: String| region.get(&path).is_none().then_some(());
    region.side.wait_for("the end of the Node", || Ok(is_gone(format!("/api/v1/nodes/{name}"))))?;
    region.side.wait_for("the end of the CNINode", || Ok(is_gone(cni_node(&name))))
}

/// The id that a name of a node group stands for.
pub fn id(region: &Region, what: &str, group: &str) -> String {
    region.names.id(&format!("{what}({group})")).unwrap().to_owned()
}

/// Takes all addresses of the crowded subnet that are left.
pub fn fill(region: &Region) -> Result<()> {
    let subnet = region.names.id("subnet(crowded)").unwrap();
    for _ in 0..40 {
        let params = [("SubnetId", subnet), ("Description", "filler")];
        match region.side.aws("ec2", "CreateNetworkInterface", &params) {
            Err(Error::Failed { what, .. }) if what.contains("InsufficientFreeAddressesInSubnet") => return Ok(()),
            made => made.map(drop)?,
        }
    }
    panic!("the subnet has no end")
}

/// What is seen of the node of a group: Node, CNINode, events and trunk are in [`super::seen`].
pub fn look(region: &Region, group: &str) -> Value {
    let name = id(region, "node", group);
    let node = region.get(&format!("/api/v1/nodes/{name}")).unwrap_or_default();
    let cni = region.get(&cni_node(&name)).unwrap_or_default();
    let owner = &cni["metadata"]["ownerReferences"][0];
    json!({
        "capacity": node["status"]["capacity"][POD_ENI],
        "cninode": {
            "spec": cni["spec"], "labels": cni["metadata"]["labels"], "finalizers": cni["metadata"]["finalizers"],
            "owner": { "kind": owner["kind"], "name": owner["name"], "controller": owner["controller"], "block": owner["blockOwnerDeletion"] },
        },
    })
}
