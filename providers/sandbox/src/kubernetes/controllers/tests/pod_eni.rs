//! The VPC resource controller: trunks, branches, groups, cool-down, failures.

use serde_json::{Value, json};

use super::lab::{Lab, add_role};

const POD_ENI: &str = "vpc.amazonaws.com/pod-eni";

fn select(app: &str, groups: &[&str]) -> Value {
    json!({ "podSelector": { "matchLabels": { "app": app } }, "securityGroups": { "groupIds": groups } })
}

fn details(lab: &Lab, pod: &str) -> Option<Value> {
    let pod = lab.get("Pod", "default", pod)?;
    let text = pod["metadata"]["annotations"][POD_ENI].as_str()?;
    Some(serde_json::from_str::<Value>(text).unwrap()[0].clone())
}

fn node(lab: &Lab) -> String {
    lab.list("Node", "")[0]["metadata"]["name"].as_str().unwrap().to_owned()
}

fn branches(lab: &Lab) -> usize {
    lab.world.ec2.interfaces.with("description=aws-k8s-branch-eni").count()
}

#[test]
fn nodes_get_trunks() {
    let lab = Lab::with_nodes("m5.large", 1, true);
    let name = node(&lab);
    let trunks: Vec<_> = lab.world.ec2.interfaces.with("description=aws-k8s-trunk-eni").collect();
    let [(_, trunk)] = trunks[..] else { panic!("one trunk") };
    assert_eq!(trunk.attachment.as_ref().unwrap().device_index, 2);
    assert!(trunk.attachment.as_ref().unwrap().delete_on_termination);
    assert_eq!(trunk.tags["eks:eni:owner"], "eks-vpc-resource-controller");
    let node = lab.get("Node", "", &name).unwrap();
    assert_eq!(
        (&node["status"]["capacity"][POD_ENI], &node["status"]["allocatable"][POD_ENI]),
        (&json!("9"), &json!("9"))
    );
    let events = lab.events(&name);
    for expected in [
        "Normal ControllerVersionNotice: The node is managed by VPC resource controller version v1.8.2",
        "Normal NodeTrunkInitiated: The node has trunk interface initialized successfully",
    ] {
        assert!(events.contains(&expected.to_owned()), "{events:#?}");
    }
    let cni = lab.get("CNINode", "", &name).unwrap();
    assert_eq!(cni["metadata"]["finalizers"], json!(["networking.k8s.aws/resource-cleanup"]));
    assert_eq!(cni["spec"]["features"], json!([{ "name": "SecurityGroupsForPods" }]));
}

#[test]
fn a_matching_pod_gets_its_groups() {
    let mut lab = Lab::with_nodes("m5.large", 1, true);
    let (a, b) = (lab.group("a"), lab.group("b"));
    lab.policy("one", select("web", &[&b, &a]));
    lab.policy("two", json!({ "serviceAccountSelector": {}, "securityGroups": { "groupIds": [a] } }));
    let pod = lab.pod("web", |_| ()).unwrap();
    assert_eq!(
        pod["spec"]["containers"][0]["resources"],
        json!({ "limits": { POD_ENI: "1" }, "requests": { POD_ENI: "1" } })
    );
    lab.pass(10);
    let details = details(&lab, "web").unwrap();
    let interface = lab.world.ec2.interfaces.get(details["eniId"].as_str().unwrap()).unwrap();
    assert_eq!(interface.groups, [b.clone(), a.clone()]);
    assert_eq!((&details["vlanId"], &details["subnetCidr"]), (&json!(1), &json!("10.0.0.0/24")));
    assert_eq!(interface.tags["vpcresources.k8s.aws/vlan-id"], "1");
    let pod = lab.get("Pod", "default", "web").unwrap();
    assert_eq!((&pod["status"]["phase"], &pod["status"]["podIP"]), (&json!("Running"), &details["privateIp"]));
    let text = pod["metadata"]["annotations"][POD_ENI].as_str().unwrap();
    assert!(text.starts_with("[{\"eniId\":\"eni-"), "{text}");
    let events = lab.events("web");
    let requested = format!("Normal SecurityGroupRequested: Pod will get the following Security Groups [{b} {a}]");
    let allocated = format!("Normal ResourceAllocated: Allocated {text} to the pod");
    assert!(events.contains(&requested) && events.contains(&allocated), "{events:#?}");
}

#[test]
fn rules_of_matching() {
    let mut lab = Lab::with_nodes("m5.large", 1, true);
    let group = lab.group("a");
    lab.policy("web", select("web", &[&group]));
    let asks = |pod: &Value| !pod["spec"]["containers"][0]["resources"]["limits"][POD_ENI].is_null();
    // 1: never on the host's network.
    let pod = lab.pod("host", |pod| {
        pod["metadata"]["labels"]["app"] = json!("web");
        pod["spec"]["hostNetwork"] = json!(true);
    });
    assert!(!asks(&pod.unwrap()));
    // 3: only policies of the pod's namespace.
    lab.create("Namespace", "", "other", json!({ "status": { "phase": "Active" } })).unwrap();
    lab.pass(1);
    let spec = json!({ "containers": [{ "name": "main", "image": "x", "resources": {} }] });
    let object = json!({ "metadata": { "labels": { "app": "web" } }, "spec": spec });
    assert!(!asks(&lab.create("Pod", "other", "web", object.clone()).unwrap()));
    // 8: a missing service account denies the pod, on the host's network too (by the API server's own plugin).
    let refused = lab.pod("orphan", |pod| pod["spec"]["serviceAccountName"] = json!("none")).unwrap_err();
    assert!(refused.contains("serviceaccount \"none\" not found"), "{refused}");
    // 12: the first container only.
    let pod = lab.pod("two", |pod| {
        pod["metadata"]["labels"]["app"] = json!("web");
        let second = json!({ "name": "second", "image": "x", "resources": {} });
        pod["spec"]["containers"].as_array_mut().unwrap().push(second);
    });
    let pod = pod.unwrap();
    assert!(asks(&pod) && pod["spec"]["containers"][1]["resources"]["limits"].is_null());
    // Who writes the annotation is refused.
    let refused = lab.pod("liar", |pod| pod["metadata"]["annotations"][POD_ENI] = json!("[]")).unwrap_err();
    assert_eq!(
        refused,
        "admission webhook \"vpod.vpc.k8s.aws\" denied the request: pod cannot be created with vpc.amazonaws.com/pod-eni annotation"
    );
    // 9: without the webhook's configuration pods are made without their groups, and nobody says so.
    let key = crate::kubernetes::objects::Key::new(
        "c",
        "mutatingwebhookconfigurations.admissionregistration.k8s.io",
        "",
        "vpc-resource-mutating-webhook",
    );
    lab.world.kubernetes.objects.remove(&key);
    let pod = lab.pod("open", |pod| pod["metadata"]["labels"]["app"] = json!("web")).unwrap();
    assert!(!asks(&pod));
}

#[test]
fn a_pod_has_no_empty_members() {
    fn nulls(value: &Value, at: &str, found: &mut Vec<String>) {
        match value {
            Value::Null => found.push(at.to_owned()),
            Value::Object(members) => members.iter().for_each(|(name, it)| nulls(it, &format!("{at}.{name}"), found)),
            Value::Array(items) => items.iter().for_each(|it| nulls(it, at, found)),
            _ => {}
        }
    }
    let mut lab = Lab::with_nodes("m5.large", 1, true);
    // One of them is null in every pod without init containers; a change of the pod's labels is then a change of its spec.
    let pod = lab.pod("plain", |_| ()).unwrap();
    let fargate =
        lab.pod("fargate", |pod| pod["metadata"]["labels"]["eks.amazonaws.com/fargate-profile"] = json!("p")).unwrap();
    for pod in [pod, fargate] {
        let mut found = Vec::new();
        nulls(&pod["spec"], "spec", &mut found);
        nulls(&pod["metadata"], "metadata", &mut found);
        assert!(found.is_empty(), "{found:?}");
    }
}

#[test]
fn pods_without_a_policy_get_the_instances_groups() {
    let mut lab = Lab::with_nodes("m5.large", 1, true);
    // 11: it asks for itself.
    lab.pod("own", |pod| {
        pod["spec"]["containers"][0]["resources"] = json!({ "limits": { POD_ENI: "1" }, "requests": { POD_ENI: "1" } });
    })
    .unwrap();
    // 10: the policy goes between admission and allocation.
    let group = lab.group("a");
    lab.policy("late", select("late", &[&group]));
    lab.pod("late", |_| ()).unwrap();
    lab.delete("SecurityGroupPolicy", "default", "late");
    lab.pass(10);
    let name = lab.list("Node", "")[0].clone();
    let instance = name["spec"]["providerID"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let primary = lab.world.ec2.instances.get(&instance).unwrap().interface_id.clone();
    let expected = lab.world.ec2.interfaces.get(&primary).unwrap().groups.clone();
    for pod in ["own", "late"] {
        let details = details(&lab, pod).unwrap();
        assert_eq!(lab.world.ec2.interfaces.get(details["eniId"].as_str().unwrap()).unwrap().groups, expected);
        let warning = "Warning SecurityGroupRequested: Pod will get the instance security group as the pod didn't match any Security Group from SecurityGroupPolicy";
        assert!(lab.events(pod).contains(&warning.to_owned()));
    }
}

#[test]
fn freed_branches_cool_down() {
    let mut lab = Lab::with_nodes("m5.large", 1, true);
    let group = lab.group("a");
    lab.policy("web", select("web", &[&group]));
    lab.pod("web", |_| ()).unwrap();
    lab.pass(10);
    assert_eq!(branches(&lab), 1);
    lab.delete("Pod", "default", "web");
    lab.pass(30);
    assert_eq!((lab.list("Pod", "default").len(), branches(&lab)), (0, 1), "it waits 60 s");
    let refused = crate::ec2::security_groups::delete(&mut lab.world, &group).unwrap_err();
    assert_eq!(refused.code, "DependencyViolation");
    lab.pass(70);
    assert_eq!(branches(&lab), 0);
    crate::ec2::security_groups::delete(&mut lab.world, &group).unwrap();
}

#[test]
fn an_ended_nodes_branches_go_with_it() {
    let mut lab = Lab::with_nodes("m5.large", 1, true);
    let group = lab.group("a");
    lab.policy("web", select("web", &[&group]));
    lab.pod("web", |_| ()).unwrap();
    lab.pass(10);
    lab.delete("Pod", "default", "web");
    let instance = lab.world.ec2.instances.iter().next().map(|(id, _)| id.to_owned()).unwrap();
    crate::ec2::instances::terminate(&mut lab.world, &instance).unwrap();
    (0..6).for_each(|_| lab.pass(10));
    assert_eq!(branches(&lab), 0);
    crate::ec2::security_groups::delete(&mut lab.world, &group).unwrap();
}

#[test]
fn completed_pods_free_their_branches() {
    let mut lab = Lab::with_nodes("m5.large", 1, true);
    let group = lab.group("a");
    lab.policy("web", select("web", &[&group]));
    lab.pod("web", |pod| {
        pod["metadata"]["annotations"]["sandbox.sgp.dev/exit-after"] = json!("5s");
        pod["spec"]["restartPolicy"] = json!("Never");
    })
    .unwrap();
    lab.pass(120);
    assert_eq!(lab.get("Pod", "default", "web").unwrap()["status"]["phase"], "Succeeded");
    assert_eq!(branches(&lab), 0);
}

#[test]
fn a_full_node_waits_for_the_cool_down() {
    let mut lab = Lab::with_nodes("m5.large", 1, true);
    let group = lab.group("a");
    lab.policy("all", json!({ "podSelector": {}, "securityGroups": { "groupIds": [group] } }));
    for number in 0..10 {
        lab.pod(&format!("p{number}"), |_| ()).unwrap();
    }
    lab.pass(20);
    assert_eq!(branches(&lab), 9);
    let waiting = lab.list("Pod", "default").iter().filter(|pod| pod["spec"]["nodeName"].is_null()).count();
    assert_eq!(waiting, 1);
    let expected = "0/1 nodes are available: 1 Insufficient vpc.amazonaws.com/pod-eni. preemption: 0/1 nodes are available: \
                    1 No preemption victims found for incoming pod.";
    assert_eq!(lab.events("p9"), [format!("Warning FailedScheduling: {expected}")]);
    lab.delete("Pod", "default", "p0");
    lab.pass(30);
    // It is on the node, but its interface cannot be made before the other is gone.
    let pod = lab.get("Pod", "default", "p9").unwrap();
    assert!(pod["spec"]["nodeName"].is_string() && details(&lab, "p9").is_none());
    assert!(
        lab.events("p9").iter().any(|event| event.contains("add cmd: failed to assign an IP address to container"))
    );
    lab.pass(120);
    assert!(details(&lab, "p9").is_some());
}

#[test]
fn the_cool_down_is_set_by_the_config_map() {
    let mut lab = Lab::with_nodes("m5.large", 1, true);
    let name = node(&lab);
    lab.change("ConfigMap", "kube-system", "amazon-vpc-cni", |map| map["data"]["branch-eni-cooldown"] = json!("90"));
    lab.pass(1);
    let expected = "Normal BranchENICoolDownPeriodUpdated: Branch ENI cool down period has been updated to 1m30s";
    assert!(lab.events(&name).contains(&expected.to_owned()));
}

#[test]
fn failures_of_nodes() {
    // No such thing as a trunk on this type.
    let lab = Lab::with_nodes("t3.medium", 1, true);
    let name = node(&lab);
    let expected = "Warning Unsupported: The instance type t3.medium is not supported for trunk interface (Security Group for Pods)";
    assert!(lab.events(&name).contains(&expected.to_owned()), "{:#?}", lab.events(&name));
    assert!(lab.get("Node", "", &name).unwrap()["status"]["capacity"][POD_ENI].is_null());
    // The cluster's role lacks the policy.
    let mut lab = Lab::new();
    add_role(&mut lab.world, "cluster", &["AmazonEKSClusterPolicy"]);
    lab.set_cni("ENABLE_POD_ENI", "true");
    lab.run("m5.large", 1);
    lab.pass(60);
    let events = lab.events(&node(&lab));
    for expected in [
        "Warning TrunkENICreationFailed: Failed to create trunk interface: Error Code: UnauthorizedOperation: Please verify the cluster IAM role has AmazonEKSVPCResourceController policy",
        "Normal NodeTrunkFailedInit: The node failed initializing trunk interface",
    ] {
        assert!(events.contains(&expected.to_owned()), "{events:#?}");
    }
}

#[test]
fn a_pod_is_told_what_the_role_may_not() {
    let mut lab = Lab::with_nodes("m5.large", 1, true);
    let group = lab.group("a");
    lab.policy("web", select("web", &[&group]));
    add_role(&mut lab.world, "cluster", &["AmazonEKSClusterPolicy"]);
    lab.pod("web", |_| ()).unwrap();
    lab.pass(10);
    let user = "arn:aws:sts::123456789012:assumed-role/cluster/aws-vpc-resource-controller";
    let expected = format!(
        "api error UnauthorizedOperation: You are not authorized to perform this operation. User: {user} is not authorized to perform: ec2:CreateNetworkInterface on resource: arn:aws:ec2:us-east-1:123456789012:network-interface/* because no identity-based policy allows the ec2:CreateNetworkInterface action. Encoded authorization failure message: "
    );
    let events = lab.events("web");
    let failed: Vec<&String> = events.iter().filter(|event| event.contains(&expected)).collect();
    assert_eq!(failed.len(), 6, "{events:#?}");
    let encoded = failed[0].rsplit(' ').next().unwrap();
    assert!(crate::iam::enforce::decode(encoded).unwrap().contains(user));
}

#[test]
fn failures_of_pods() {
    let mut lab = Lab::with_nodes("m5.large", 1, true);
    lab.policy("none", select("none", &["sg-0123456789abcdef0"]));
    let many: Vec<String> = (0..6).map(|number| lab.group(&format!("g{number}"))).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    lab.policy("many", select("many", &many));
    lab.pod("none", |_| ()).unwrap();
    lab.pod("many", |_| ()).unwrap();
    lab.pass(30);
    for (pod, expected) in [
        ("none", "api error InvalidSecurityGroupID.NotFound: "),
        ("many", "exceeded limit 5 on the number of interface security group memberships"),
    ] {
        let events = lab.events(pod);
        let begin = "Warning BranchAllocationFailed: failed to allocate branch ENI to pod: creating network interface, operation error EC2: CreateNetworkInterface, https response error StatusCode: 400, RequestID: ";
        let failed: Vec<_> =
            events.iter().filter(|event| event.starts_with(begin) && event.contains(expected)).collect();
        assert_eq!(failed.len(), 6, "{events:#?}");
        assert_eq!(lab.get("Pod", "default", pod).unwrap()["status"]["phase"], "Pending");
    }
    assert_eq!(branches(&lab), 0);
}

#[test]
fn custom_networking_moves_branches() {
    let mut lab = Lab::new();
    let vpc = lab.vpc.clone();
    let subnet =
        lab.query("CreateSubnet", &[("VpcId", &vpc), ("CidrBlock", "10.0.8.0/24"), ("AvailabilityZone", "us-east-1a")]);
    let subnet = subnet["subnet"]["subnetId"].as_str().unwrap().to_owned();
    let group = lab.group("eni");
    lab.create("ENIConfig", "", "zone-a", json!({ "spec": { "subnet": subnet, "securityGroups": [group] } })).unwrap();
    lab.set_cni("ENABLE_POD_ENI", "true");
    lab.set_cni("AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", "true");
    lab.set_cni("ENI_CONFIG_LABEL_DEF", "kubernetes.io/os");
    lab.create("ENIConfig", "", "linux", json!({ "spec": { "subnet": subnet, "securityGroups": [group] } })).unwrap();
    lab.run("m5.large", 1);
    lab.pass(60);
    let cni = lab.get("CNINode", "", &node(&lab)).unwrap();
    assert_eq!(
        cni["spec"]["features"],
        json!([{ "name": "CustomNetworking", "value": "linux" }, { "name": "SecurityGroupsForPods" }])
    );
    lab.pod("own", |pod| {
        pod["spec"]["containers"][0]["resources"] = json!({ "limits": { POD_ENI: "1" }, "requests": { POD_ENI: "1" } });
    })
    .unwrap();
    lab.pass(20);
    let details = details(&lab, "own").unwrap();
    let interface = lab.world.ec2.interfaces.get(details["eniId"].as_str().unwrap()).unwrap();
    assert_eq!((interface.subnet_id.as_str(), &interface.groups), (subnet.as_str(), &vec![group]));
    assert_eq!(details["subnetCidr"], "10.0.8.0/24");
}

#[test]
fn a_restart_knows_its_branches() {
    let mut lab = Lab::with_nodes("m5.large", 1, true);
    let group = lab.group("a");
    lab.policy("all", json!({ "podSelector": {}, "securityGroups": { "groupIds": [group] } }));
    lab.pod("a", |_| ()).unwrap();
    lab.pod("b", |_| ()).unwrap();
    lab.pass(10);
    lab.delete("Pod", "default", "a");
    lab.pass(5);
    lab.restart();
    lab.pass(100);
    assert_eq!(branches(&lab), 1);
    lab.pod("c", |_| ()).unwrap();
    lab.pass(10);
    assert_eq!(branches(&lab), 2);
}

#[test]
fn what_leaked_is_deleted_when_it_was_seen_twice() {
    for has_settings in [true, false] {
        let mut lab = Lab::with_nodes("m5.large", 1, true);
        if !has_settings {
            lab.delete("ConfigMap", "kube-system", "amazon-vpc-cni");
            lab.restart();
            lab.pass(1);
        }
        let subnet = lab.subnet.clone();
        let cluster = format!("kubernetes.io/cluster/{}", super::lab::CLUSTER);
        let tags = [
            ("SubnetId", subnet.as_str()),
            ("TagSpecification.1.ResourceType", "network-interface"),
            ("TagSpecification.1.Tag.1.Key", "eks:eni:owner"),
            ("TagSpecification.1.Tag.1.Value", "eks-vpc-resource-controller"),
            ("TagSpecification.1.Tag.2.Key", &cluster),
            ("TagSpecification.1.Tag.2.Value", "owned"),
        ];
        let made = lab.query("CreateNetworkInterface", &tags);
        let id = made["networkInterface"]["networkInterfaceId"].as_str().unwrap().to_owned();
        lab.pass(31 * 60);
        assert!(lab.world.ec2.interfaces.contains(&id), "seen once");
        lab.pass(31 * 60);
        assert!(!lab.world.ec2.interfaces.contains(&id), "with settings: {has_settings}");
    }
}

#[test]
fn behind_a_real_api_server_no_controller_of_ours_works() {
    let mut lab = Lab::new();
    let (url, authority_pem, token) = ("https://127.0.0.1:1".to_owned(), String::new(), String::new());
    lab.world.settings.backing = Some(crate::Backing { url, authority_pem, token });
    lab.set_cni("ENABLE_POD_ENI", "true");
    lab.run("m5.large", 1);
    lab.pass(60);
    assert!(lab.list("Node", "").is_empty());
    assert_eq!(lab.world.ec2.interfaces.with("description=aws-k8s-trunk-eni").count(), 0);
}
