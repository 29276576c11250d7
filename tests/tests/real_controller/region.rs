//! What is made at AWS before the cluster has nodes: a VPC, roles, groups, the cluster.

use super::names::Names;
use serde_json::{Value, json};
use sgp_tests::world::side::Side;
use sgp_tests::world::{Result, texts};

/// The cluster's name.
pub const CLUSTER: &str = "pair";
/// The groups that policies name.
pub const GROUPS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
/// The policy without which there are no branch interfaces.
const CONTROLLER_POLICY: &str = "arn:aws:iam::aws:policy/AmazonEKSVPCResourceController";

/// A side with its cluster.
pub struct Region {
    pub side: Side,
    pub names: Names,
    node_role: String,
}

/// Makes it all; on the real side, the controller runs when this returns.
pub fn make(mut side: Side) -> Result<Region> {
    let mut names = Names::default();
    let vpc = made(&side, "CreateVpc", &[("CidrBlock", "10.0.0.0/16")], "vpcId")?;
    names.note(&vpc, "vpc");
    for (name, cidr, zone) in [
        ("nodes", "10.0.0.0/20", "us-east-1a"),
        ("second", "10.0.32.0/20", "us-east-1b"),
        ("crowded", "10.0.200.0/27", "us-east-1a"),
    ] {
        let params = [("VpcId", vpc.as_str()), ("CidrBlock", cidr), ("AvailabilityZone", zone)];
        names.note(&made(&side, "CreateSubnet", &params, "subnetId")?, &format!("subnet({name})"));
    }
    for name in GROUPS {
        let params = [("VpcId", vpc.as_str()), ("GroupName", name), ("GroupDescription", name)];
        names.note(&made(&side, "CreateSecurityGroup", &params, "groupId")?, &format!("group({name})"));
    }
    let other = made(&side, "CreateVpc", &[("CidrBlock", "10.9.0.0/16")], "vpcId")?;
    let params = [("VpcId", other.as_str()), ("GroupName", "far"), ("GroupDescription", "far")];
    names.note(&made(&side, "CreateSecurityGroup", &params, "groupId")?, "group(far)");
    let cluster_role = role(&side, "cluster", &["AmazonEKSClusterPolicy", "AmazonEKSVPCResourceController"])?;
    let policies = ["AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryReadOnly"];
    let node_role = role(&side, "node", &policies)?;
    let body = json!({
        "name": CLUSTER, "roleArn": cluster_role,
        "resourcesVpcConfig": { "subnetIds": [names.id("subnet(nodes)"), names.id("subnet(second)")] },
        "accessConfig": { "authenticationMode": "API_AND_CONFIG_MAP" },
    });
    side.eks("POST", "clusters", Some(&body))?;
    let path = format!("clusters/{CLUSTER}");
    let cluster = side.wait_for("the cluster", || {
        let found = side.eks("GET", &path, None)?;
        Ok((found["cluster"]["status"] == "ACTIVE").then(|| found["cluster"].clone()))
    })?;
    let group = cluster["resourcesVpcConfig"]["clusterSecurityGroupId"].as_str().unwrap_or_default();
    names.note(group, "group(cluster)");
    side.connect(CLUSTER)?;
    wait_until_furnished(&side)?;
    if side.is_real() {
        side.start_controller(CLUSTER, &vpc, &cluster_role)?;
    }
    Ok(Region { side, names, node_role })
}

/// What EKS installs is in the cluster; behind a real API server it is made there in a moment.
fn wait_until_furnished(side: &Side) -> Result<()> {
    for path in [
        "/apis/vpcresources.k8s.aws/v1beta1/securitygrouppolicies",
        "/apis/vpcresources.k8s.aws/v1alpha1/cninodes",
        "/apis/crd.k8s.amazonaws.com/v1alpha1/eniconfigs",
        "/api/v1/namespaces/kube-system/configmaps/amazon-vpc-cni",
        "/apis/apps/v1/namespaces/kube-system/daemonsets/aws-node",
    ] {
        side.wait_for(path, || Ok(side.kubernetes("GET", path, None).ok()))?;
    }
    Ok(())
}

/// The value of an element of an answer of EC2.
pub fn made(side: &Side, action: &str, params: &[(&str, &str)], element: &str) -> Result<String> {
    let answer = side.aws("ec2", action, params)?;
    Ok(texts(&answer, element).into_iter().next().unwrap())
}

/// Makes a role that its service and the administrator may assume.
fn role(side: &Side, name: &str, policies: &[&str]) -> Result<String> {
    let service = if name == "node" { "ec2.amazonaws.com" } else { "eks.amazonaws.com" };
    let trust = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "Service": service } },
        { "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "AWS": "arn:aws:iam::123456789012:root" } },
    ] });
    let params = [("RoleName", name), ("AssumeRolePolicyDocument", &trust.to_string())];
    let answer = side.aws("iam", "CreateRole", &params)?;
    for policy in policies {
        let arn = format!("arn:aws:iam::aws:policy/{policy}");
        side.aws("iam", "AttachRolePolicy", &[("RoleName", name), ("PolicyArn", &arn)])?;
    }
    if name == "cluster" {
        // On EKS these calls are made by the service's own account, which may.
        let service = json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Resource": "*",
            "Action": ["ec2:AssociateTrunkInterface", "ec2:DisassociateTrunkInterface", "ec2:DescribeTrunkInterfaceAssociations"],
        }] });
        let document = service.to_string();
        let params = [("RoleName", name), ("PolicyName", "service"), ("PolicyDocument", &document)];
        side.aws("iam", "PutRolePolicy", &params)?;
    }
    Ok(texts(&answer, "Arn").into_iter().next().unwrap())
}

impl Region {
    /// Takes the policy from the cluster's role, or gives it back.
    pub fn authorize(&self, is_authorized: bool) -> Result<()> {
        let action = if is_authorized { "AttachRolePolicy" } else { "DetachRolePolicy" };
        self.side.aws("iam", action, &[("RoleName", "cluster"), ("PolicyArn", CONTROLLER_POLICY)]).map(drop)
    }

    /// Makes a node group of one node.
    pub fn add_group(&self, name: &str, kind: &str, subnet: &str) -> Result<()> {
        let body = json!({
            "nodegroupName": name, "nodeRole": self.node_role, "instanceTypes": [kind], "amiType": "AL2023_x86_64_STANDARD",
            "subnets": [self.names.id(&format!("subnet({subnet})"))],
            "scalingConfig": { "minSize": 1, "maxSize": 1, "desiredSize": 1 },
        });
        self.side.eks("POST", &format!("clusters/{CLUSTER}/node-groups"), Some(&body)).map(drop)
    }

    /// An object of the cluster, when it is there.
    pub fn get(&self, path: &str) -> Option<Value> {
        self.side.kubernetes("GET", path, None).ok()
    }
}
