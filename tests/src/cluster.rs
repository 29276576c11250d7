//! A cluster in a sandbox of its own, with nodes, for clients of the Kubernetes API.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sgp_sandbox::aws::Service;
use sgp_sandbox::{Pace, Sandbox, Settings};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::region;

/// The cluster's name.
pub const NAME: &str = "c";

/// Things at EKS and EC2 take this long: nobody looks at them on their way here.
const PACE: Duration = Duration::from_millis(50);

/// So long is waited for the cluster, on a machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(120);

/// A sandbox with one cluster `c`: two nodes `m5.large`, the VPC CNI with pod ENI. It ends when this is dropped.
#[derive(Debug)]
pub struct Cluster {
    sandbox: Sandbox,
    runtime: Runtime,
    folder: TempDir,
}

impl Cluster {
    /// Starts it; when this returns the cluster is ACTIVE and its nodes are.
    pub fn start() -> Self {
        Self::start_with(Settings { pace: Pace::uniform(PACE), ..Settings::default() })
    }

    /// Starts it without nodes and add-ons; when this returns the cluster is ACTIVE.
    pub fn start_bare(settings: Settings) -> Self {
        let cluster = Self::around(settings);
        cluster.make();
        cluster
    }

    fn around(settings: Settings) -> Self {
        let runtime = Runtime::new().unwrap();
        let sandbox = runtime.block_on(Sandbox::start(settings)).unwrap();
        Self { sandbox, runtime, folder: tempfile::tempdir().unwrap() }
    }

    /// Starts it with other settings; a folder that has the cluster already is taken as it is.
    pub fn start_with(settings: Settings) -> Self {
        let cluster = Self::around(settings);
        let kubeconfig = || cluster.runtime.block_on(cluster.sandbox.kubeconfig(Some(NAME)));
        if kubeconfig().is_none() {
            cluster.furnish();
        }
        let config = kubeconfig().unwrap();
        std::fs::write(cluster.kubeconfig(), config).unwrap();
        cluster
    }

    /// The kubeconfig file of the cluster's administrator.
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder().join("kubeconfig")
    }

    /// A folder that goes with the cluster.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The sandbox that it is in.
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// Runs something beside the sandbox to its end.
    pub fn block_on<F: Future>(&self, work: F) -> F::Output {
        self.runtime.block_on(work)
    }

    /// Calls AWS; the answer's members are those of the wire.
    ///
    /// # Panics
    /// The call is refused.
    pub fn aws(&self, service: Service, operation: &str, members: &Value) -> Value {
        region::call(&self.runtime, &self.sandbox, service, operation, members)
    }

    fn furnish(&self) {
        let subnets = self.make();
        let policies = ["AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy"];
        let node_role = self.role("node", "ec2.amazonaws.com", &policies);
        let values = json!({ "env": { "ENABLE_POD_ENI": "true" } }).to_string();
        let sent = json!({ "clusterName": NAME, "addonName": "vpc-cni", "configurationValues": values });
        self.aws(Service::Eks, "CreateAddon", &sent);
        let sent = json!({
            "clusterName": NAME, "nodegroupName": "nodes", "nodeRole": node_role, "subnets": subnets,
            "instanceTypes": ["m5.large"], "scalingConfig": { "minSize": 2, "maxSize": 2, "desiredSize": 2 },
        });
        self.aws(Service::Eks, "CreateNodegroup", &sent);
        self.wait("DescribeAddon", &json!({ "clusterName": NAME, "addonName": "vpc-cni" }), "addon");
        self.wait("DescribeNodegroup", &json!({ "clusterName": NAME, "nodegroupName": "nodes" }), "nodegroup");
    }

    /// Makes the cluster, and answers the subnets that it is in.
    fn make(&self) -> [Value; 2] {
        let vpc = self.aws(Service::Ec2, "CreateVpc", &json!({ "CidrBlock": "10.0.0.0/16" }));
        let subnets = [("10.0.0.0/20", "us-east-1a"), ("10.0.16.0/20", "us-east-1b")].map(|(block, zone)| {
            let sent = json!({ "VpcId": vpc["vpc"]["vpcId"], "CidrBlock": block, "AvailabilityZone": zone });
            self.aws(Service::Ec2, "CreateSubnet", &sent)["subnet"]["subnetId"].clone()
        });
        let policies = ["AmazonEKSClusterPolicy", "AmazonEKSVPCResourceController"];
        let cluster_role = self.role("cluster", "eks.amazonaws.com", &policies);
        let network = json!({ "subnetIds": subnets });
        let sent = json!({ "name": NAME, "roleArn": cluster_role, "resourcesVpcConfig": network });
        self.aws(Service::Eks, "CreateCluster", &sent);
        self.wait("DescribeCluster", &json!({ "name": NAME }), "cluster");
        subnets
    }

    fn role(&self, name: &str, service: &str, policies: &[&str]) -> Value {
        let statement = json!({ "Effect": "Allow", "Principal": { "Service": service }, "Action": "sts:AssumeRole" });
        let document = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
        let sent = json!({ "RoleName": name, "AssumeRolePolicyDocument": document });
        let role = self.aws(Service::Iam, "CreateRole", &sent);
        for policy in policies {
            let arn = format!("arn:aws:iam::aws:policy/{policy}");
            self.aws(Service::Iam, "AttachRolePolicy", &json!({ "RoleName": name, "PolicyArn": arn }));
        }
        role["Role"]["Arn"].clone()
    }

    /// Waits until what is described is ACTIVE.
    fn wait(&self, operation: &str, sent: &Value, member: &str) {
        let start = Instant::now();
        while self.aws(Service::Eks, operation, sent)[member]["status"] != "ACTIVE" {
            assert!(start.elapsed() < PATIENCE, "{operation} {sent} is not ACTIVE");
            std::thread::sleep(PACE);
        }
    }
}
