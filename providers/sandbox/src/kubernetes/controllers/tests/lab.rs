//! A cluster with nodes to try controllers on.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::aws::Service;
use crate::ec2::instances::{self, RunInstances};
use crate::ec2::{images, security_groups};
use crate::eks::model::{AccessEntry, key};
use crate::eks::samples;
use crate::iam::rows::{Grants, InstanceProfile, Role};
use crate::kubernetes::admission::{Operation, Request, User, admit};
use crate::kubernetes::life::{self, Deletion};
use crate::kubernetes::objects::Key;
use crate::kubernetes::{bootstrap, resources};
use crate::testing;
use crate::world::World;

pub struct Lab {
    pub world: World,
    pub subnet: String,
    pub vpc: String,
}

pub const CLUSTER: &str = "c";

impl Lab {
    /// A cluster whose role has its policies, without nodes.
    pub fn new() -> Self {
        let mut world = testing::world();
        let vpc = testing::ec2(&mut world, "CreateVpc", &[("CidrBlock", "10.0.0.0/16")]);
        let vpc = vpc["vpc"]["vpcId"].as_str().unwrap().to_owned();
        let subnet = testing::ec2(
            &mut world,
            "CreateSubnet",
            &[("VpcId", &vpc), ("CidrBlock", "10.0.0.0/24"), ("AvailabilityZone", "us-east-1a")],
        );
        let subnet = subnet["subnet"]["subnetId"].as_str().unwrap().to_owned();
        let mut row = samples::cluster(&world, CLUSTER);
        row.network.vpc_id.clone_from(&vpc);
        world.eks.clusters.insert(CLUSTER, row);
        let policies = ["AmazonEKSClusterPolicy", "AmazonEKSVPCResourceController"];
        add_role(&mut world, "cluster", &policies);
        add_role(&mut world, "node", &["AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy"]);
        let arn = "arn:aws:iam::123456789012:instance-profile/node".to_owned();
        let profile = InstanceProfile {
            name: "node".to_owned(),
            id: "AIPA0".to_owned(),
            path: "/".to_owned(),
            arn: arn.clone(),
            created: world.now,
            role: Some("node".to_owned()),
            tags: BTreeMap::new(),
        };
        world.iam.instance_profiles.insert("node", profile);
        let principal = "arn:aws:iam::123456789012:role/node";
        let entry = AccessEntry {
            cluster: CLUSTER.to_owned(),
            arn: String::new(),
            principal_arn: principal.to_owned(),
            principal_id: Some("AROAnode".to_owned()),
            kind: "EC2_LINUX".to_owned(),
            username: "system:node:{{EC2PrivateDNSName}}".to_owned(),
            groups: vec!["system:nodes".to_owned()],
            created_at: world.now,
            modified_at: world.now,
            tags: BTreeMap::new(),
            policies: BTreeMap::new(),
        };
        world.eks.access_entries.insert(key(CLUSTER, principal), entry);
        bootstrap::create(&mut world, CLUSTER).unwrap();
        testing::commit(&mut world);
        Self { world, subnet, vpc }
    }

    /// The same with so many nodes of a type, with trunks if `has_trunks`.
    pub fn with_nodes(kind: &str, count: usize, has_trunks: bool) -> Self {
        let mut lab = Self::new();
        if has_trunks {
            lab.set_cni("ENABLE_POD_ENI", "true");
        }
        lab.run(kind, count);
        lab.pass(60);
        lab
    }

    pub fn set_cni(&mut self, name: &str, value: &str) {
        self.change("DaemonSet", "kube-system", "aws-node", |set| {
            let env = set["spec"]["template"]["spec"]["containers"][0]["env"].as_array_mut().unwrap();
            match env.iter_mut().find(|it| it["name"] == name) {
                Some(variable) => variable["value"] = json!(value),
                None => env.push(json!({ "name": name, "value": value })),
            }
        });
    }

    pub fn run(&mut self, kind: &str, count: usize) -> Vec<String> {
        let image = images::for_nodes("1.36", "1.36.0-20261105", "AL2023_x86_64_STANDARD").unwrap();
        let run = RunInstances {
            image_id: image.id,
            instance_type: kind.to_owned(),
            subnet_id: self.subnet.clone(),
            tags: [(format!("kubernetes.io/cluster/{CLUSTER}"), "owned".to_owned())].into(),
            profile_arn: Some("arn:aws:iam::123456789012:instance-profile/node".to_owned()),
            count,
            ..RunInstances::default()
        };
        let ids = instances::run(&mut self.world, &run).unwrap();
        testing::commit(&mut self.world);
        ids
    }

    pub fn pass(&mut self, seconds: i64) {
        testing::pass(&mut self.world, seconds);
    }

    pub fn group(&mut self, name: &str) -> String {
        let new = security_groups::New {
            name: name.to_owned(),
            description: name.to_owned(),
            vpc_id: self.vpc.clone(),
            tags: BTreeMap::new(),
        };
        security_groups::create(&mut self.world, new).unwrap()
    }

    fn key(kind: &str, namespace: &str, name: &str) -> Key {
        let versions = [
            "v1",
            "apps/v1",
            "batch/v1",
            "policy/v1",
            "rbac.authorization.k8s.io/v1",
            "vpcresources.k8s.aws/v1beta1",
            "vpcresources.k8s.aws/v1alpha1",
        ];
        let resource = match kind {
            "ENIConfig" => "eniconfigs.crd.k8s.amazonaws.com",
            _ => versions.iter().find_map(|version| resources::of_kind(version, kind)).unwrap(),
        };
        Key::new(CLUSTER, resource, namespace, name)
    }

    /// Makes an object as a user does: admission has its say.
    pub fn create(&mut self, kind: &str, namespace: &str, name: &str, mut object: Value) -> Result<Arc<Value>, String> {
        let key = Self::key(kind, namespace, name);
        object["kind"] = json!(kind);
        object["apiVersion"] = json!(resources::kind_of(&key.resource).map_or("v1", |it| it.0));
        object["metadata"]["name"] = json!(name);
        if !namespace.is_empty() {
            object["metadata"]["namespace"] = json!(namespace);
        }
        let user = User { name: "admin".to_owned(), groups: Vec::new() };
        let request = Request {
            cluster: CLUSTER,
            resource: &key.resource,
            subresource: "",
            namespace,
            operation: Operation::Create,
            user: &user,
            old: None,
        };
        admit(&self.world, &request, &mut object).map_err(|denied| denied.message)?;
        let made = life::create(&mut self.world, &key, object);
        testing::commit(&mut self.world);
        Ok(made)
    }

    pub fn pod(&mut self, name: &str, change: impl FnOnce(&mut Value)) -> Result<Arc<Value>, String> {
        let mut pod = json!({
            "metadata": { "labels": { "app": name } },
            "spec": { "containers": [{ "name": "main", "image": "nginx", "resources": {} }], "restartPolicy": "Always",
                "schedulerName": "default-scheduler", "terminationGracePeriodSeconds": 30 },
        });
        change(&mut pod);
        self.create("Pod", "default", name, pod)
    }

    pub fn policy(&mut self, name: &str, spec: Value) {
        self.create("SecurityGroupPolicy", "default", name, json!({ "spec": spec })).unwrap();
    }

    pub fn get(&self, kind: &str, namespace: &str, name: &str) -> Option<Arc<Value>> {
        self.world.kubernetes.objects.get(&Self::key(kind, namespace, name)).cloned()
    }

    pub fn change(&mut self, kind: &str, namespace: &str, name: &str, change: impl FnOnce(&mut Value)) {
        life::update(&mut self.world, &Self::key(kind, namespace, name), change).unwrap();
        testing::commit(&mut self.world);
    }

    pub fn delete(&mut self, kind: &str, namespace: &str, name: &str) {
        life::delete(&mut self.world, &Self::key(kind, namespace, name), Deletion::default());
        testing::commit(&mut self.world);
    }

    pub fn list(&self, kind: &str, namespace: &str) -> Vec<Arc<Value>> {
        let key = Self::key(kind, namespace, "");
        let namespace = Some(namespace).filter(|it| !it.is_empty());
        self.world.kubernetes.objects.list(CLUSTER, &key.resource, namespace).cloned().collect()
    }

    /// The events about an object, as `Type Reason: message`.
    pub fn events(&self, name: &str) -> Vec<String> {
        let mut events = self.list("Event", "");
        events.retain(|event| event["involvedObject"]["name"] == name);
        events.sort_by_key(|event| event["metadata"]["resourceVersion"].as_str().unwrap().parse::<u64>().unwrap());
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        events
            .iter()
            .map(|event| format!("{} {}: {}", text(&event["type"]), text(&event["reason"]), text(&event["message"])))
            .collect()
    }

    pub fn query(&mut self, operation: &str, pairs: &[(&str, &str)]) -> Value {
        testing::query(&mut self.world, Service::Ec2, operation, pairs).unwrap()
    }

    /// Forgets what controllers remember, as a restart does.
    pub fn restart(&mut self) {
        self.world.kubernetes.controllers = crate::kubernetes::controllers::Controllers::default();
    }
}

pub fn add_role(world: &mut World, name: &str, policies: &[&str]) {
    let attached = policies.iter().map(|policy| format!("arn:aws:iam::aws:policy/{policy}")).collect();
    let role = Role {
        name: name.to_owned(),
        id: format!("AROA{name}"),
        path: "/".to_owned(),
        arn: format!("arn:aws:iam::123456789012:role/{name}"),
        created: world.now,
        trust: "{}".to_owned(),
        description: None,
        max_session_secs: 3600,
        tags: BTreeMap::new(),
        grants: Grants { attached, ..Grants::default() },
        last_used: None,
    };
    world.iam.roles.insert(name, role);
}
