//! The sandbox in an empty and in a full region: what a page and a pod take. Prints the table of `docs/benchmarks.md`.
//!
//! Both measurements are of one run, by the same client in the same process: compare their ratio.

use serde_json::{Value, json};
use sgp_tests::world::{Backing, Error, Options, World, texts};
use std::{
    fs, thread,
    time::{Duration, Instant},
};

/// A full region, with what the pods and nodes have besides.
const GROUPS: usize = 2_500;
const INTERFACES: usize = 10_000;
const PODS: usize = 5_000;
/// How often everything is measured.
const SAMPLES: usize = 400;
/// EKS lets 250 pods on a node of this size.
const NODES: usize = 24;
const CLUSTER: &str = "limits";
/// One pod in so many has groups of its own.
const SECURED: usize = 10;

/// Measures, fills the region, measures again.
pub fn run() -> Result<(), Error> {
    let options = Options { backing: Backing::Sandbox, pending_describes: 0, ..Options::default() };
    let mut region = Region { world: World::start(&options)?, pods: 0 };
    region.furnish()?;
    let empty = region.measure()?;
    let memory = resident();
    region.fill()?;
    let full = region.measure()?;
    println!("| | p50 | p99 | p50, full | p99, full | p99 ratio |");
    println!("|---|---|---|---|---|---|");
    for (before, after) in empty.iter().zip(&full) {
        let ratio = after.p99.as_secs_f64() / before.p99.as_secs_f64();
        println!(
            "| {} | {:.1?} | {:.1?} | {:.1?} | {:.1?} | {ratio:.2} |",
            before.what, before.p50, before.p99, after.p50, after.p99
        );
    }
    println!("\n{INTERFACES} interfaces, {} pods, {GROUPS} groups: {} MB; before {memory} MB", region.pods, resident());
    Ok(())
}

/// The times of one thing.
struct Times {
    what: &'static str,
    p50: Duration,
    p99: Duration,
}

struct Region {
    world: World,
    pods: usize,
}

impl Region {
    /// A cluster with nodes whose pods can have groups.
    fn furnish(&mut self) -> Result<(), Error> {
        let world = &self.world;
        let role = |name: &str, service: &str, policies: &[&str]| -> Result<String, Error> {
            let trust = json!({ "Version": "2012-10-17", "Statement": [
                { "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "Service": service } }] });
            let params = [("RoleName", name), ("AssumeRolePolicyDocument", &trust.to_string())];
            let made = world.aws("iam", "CreateRole", &params)?;
            for policy in policies {
                let arn = format!("arn:aws:iam::aws:policy/{policy}");
                world.aws("iam", "AttachRolePolicy", &[("RoleName", name), ("PolicyArn", &arn)])?;
            }
            Ok(texts(&made, "Arn").swap_remove(0))
        };
        let cluster_policies = ["AmazonEKSClusterPolicy", "AmazonEKSVPCResourceController"];
        let cluster_role = role("cluster", "eks.amazonaws.com", &cluster_policies)?;
        let node_policies = ["AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryReadOnly"];
        let node_role = role("node", "ec2.amazonaws.com", &node_policies)?;
        let subnets = json!(world.vpc().subnet_ids);
        let cluster =
            json!({ "name": CLUSTER, "roleArn": cluster_role, "resourcesVpcConfig": { "subnetIds": subnets } });
        world.eks("POST", "/clusters", Some(&cluster))?;
        let at = format!("/clusters/{CLUSTER}");
        until(|| Ok(world.eks("GET", &at, None)?["cluster"]["status"] == "ACTIVE"))?;
        let addon = json!({ "addonName": "vpc-cni", "configurationValues": r#"{"env":{"ENABLE_POD_ENI":"true"}}"# });
        world.eks("POST", &format!("{at}/addons"), Some(&addon))?;
        let scaling = json!({ "minSize": NODES, "maxSize": NODES, "desiredSize": NODES });
        let group = json!({ "nodegroupName": "nodes", "nodeRole": node_role, "subnets": subnets, "scalingConfig": scaling,
            "instanceTypes": ["m5.24xlarge"] });
        world.eks("POST", &format!("{at}/node-groups"), Some(&group))?;
        until(|| {
            let nodes = world.kubernetes("GET", "/api/v1/nodes", None)?;
            let has_trunk = |node: &&Value| node["status"]["allocatable"]["vpc.amazonaws.com/pod-eni"].is_string();
            Ok(nodes["items"].as_array().into_iter().flatten().filter(has_trunk).count() == NODES)
        })?;
        let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "app" } });
        world.kubernetes("POST", "/api/v1/namespaces", Some(&namespace))?;
        let policy = json!({
            "apiVersion": "vpcresources.k8s.aws/v1beta1", "kind": "SecurityGroupPolicy", "metadata": { "name": "secured" },
            "spec": { "podSelector": { "matchLabels": { "secured": "true" } }, "securityGroups": { "groupIds": [self.group("secured")?] } },
        });
        let at = "/apis/vpcresources.k8s.aws/v1beta1/namespaces/app/securitygrouppolicies";
        world.kubernetes("POST", at, Some(&policy))?;
        self.page_of_each()
    }

    /// A page is full in the empty region, too: pages of one size are compared.
    fn page_of_each(&self) -> Result<(), Error> {
        let subnets = &self.world.vpc().subnet_ids;
        for n in 0..100 {
            let group = self.group(&format!("page-{n}"))?;
            let params = [("SubnetId", subnets[n % subnets.len()].as_str()), ("SecurityGroupId.1", &group)];
            self.world.aws("ec2", "CreateNetworkInterface", &params)?;
        }
        Ok(())
    }

    fn group(&self, name: &str) -> Result<String, Error> {
        let params = [("GroupName", name), ("GroupDescription", "for figures"), ("VpcId", &self.world.vpc().id)];
        Ok(texts(&self.world.aws("ec2", "CreateSecurityGroup", &params)?, "groupId").swap_remove(0))
    }

    fn count(&self, action: &str, element: &str) -> Result<usize, Error> {
        Ok(texts(&self.world.aws("ec2", action, &[])?, element).len())
    }

    fn pod(&mut self) -> Result<(), Error> {
        self.pods += 1;
        let secured = self.pods.is_multiple_of(SECURED).to_string();
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": { "name": format!("pod-{}", self.pods), "labels": { "secured": secured, "app": format!("app-{}", self.pods % 50) } },
            "spec": { "containers": [{ "name": "app", "image": "registry.k8s.io/pause:3.10" }] },
        });
        self.world.kubernetes("POST", "/api/v1/namespaces/app/pods", Some(&pod)).map(drop)
    }

    fn measure(&mut self) -> Result<Vec<Times>, Error> {
        let of_vpc = self.world.vpc().id.clone();
        let mut all = Vec::new();
        for (what, action) in [
            ("DescribeNetworkInterfaces, a page of 100", "DescribeNetworkInterfaces"),
            ("DescribeSecurityGroups, a page of 100", "DescribeSecurityGroups"),
            ("DescribeSecurityGroupRules, a page of 100", "DescribeSecurityGroupRules"),
        ] {
            let page = [("MaxResults", "100"), ("Filter.1.Name", "vpc-id"), ("Filter.1.Value.1", of_vpc.as_str())];
            let params = if action == "DescribeSecurityGroupRules" { &page[..1] } else { &page[..] };
            all.push(timed(what, || self.world.aws("ec2", action, params).map(drop))?);
        }
        all.push(timed("a pod is created", || self.pod())?);
        let list = "/api/v1/namespaces/app/pods?limit=100";
        all.push(timed("pods, a page of 100", || self.world.kubernetes("GET", list, None).map(drop))?);
        self.settle()?;
        Ok(all)
    }

    /// Waits for the pods to run.
    fn settle(&self) -> Result<(), Error> {
        let waiting = "/api/v1/namespaces/app/pods?limit=1&fieldSelector=status.phase%3DPending";
        until(|| Ok(self.world.kubernetes("GET", waiting, None)?["items"].as_array().is_none_or(Vec::is_empty)))
    }

    fn fill(&mut self) -> Result<(), Error> {
        let group = self.group("interfaces")?;
        for n in self.count("DescribeSecurityGroups", "groupName")?..GROUPS {
            self.group(&format!("group-{n}"))?;
        }
        while self.pods < PODS {
            self.pod()?;
        }
        self.settle()?;
        let subnets = self.world.vpc().subnet_ids.clone();
        for n in self.count("DescribeNetworkInterfaces", "networkInterfaceId")?..INTERFACES {
            let params = [("SubnetId", subnets[n % subnets.len()].as_str()), ("SecurityGroupId.1", &group)];
            self.world.aws("ec2", "CreateNetworkInterface", &params)?;
        }
        Ok(())
    }
}

fn timed(what: &'static str, mut work: impl FnMut() -> Result<(), Error>) -> Result<Times, Error> {
    let mut times = Vec::with_capacity(SAMPLES);
    for _ in 0..SAMPLES {
        let start = Instant::now();
        work()?;
        times.push(start.elapsed());
    }
    times.sort();
    Ok(Times { what, p50: times[SAMPLES / 2], p99: times[SAMPLES * 99 / 100] })
}

fn until(mut is_so: impl FnMut() -> Result<bool, Error>) -> Result<(), Error> {
    let limit = Duration::from_mins(5);
    let start = Instant::now();
    while !is_so()? {
        if start.elapsed() > limit {
            return Err(Error::Failed {
                what: "wait for the sandbox".to_owned(),
                detail: format!("not so after {limit:?}"),
            });
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// This process's resident memory in MB, the sandbox and its client.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).map_or(0, |kib| kib / 1024)
}
