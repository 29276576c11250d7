//! Nodes, workloads, scheduler and kubelet.

use serde_json::{Value, json};

use super::lab::Lab;

fn template(name: &str) -> Value {
    json!({
        "metadata": { "labels": { "app": name } },
        "spec": { "containers": [{ "name": "main", "image": "nginx:1", "resources": {} }], "restartPolicy": "Always",
            "schedulerName": "default-scheduler", "terminationGracePeriodSeconds": 30 },
    })
}

fn deployment(name: &str, replicas: i64) -> Value {
    json!({ "spec": {
        "replicas": replicas, "selector": { "matchLabels": { "app": name } }, "template": template(name),
        "strategy": { "type": "RollingUpdate", "rollingUpdate": { "maxSurge": 1, "maxUnavailable": 0 } },
        "progressDeadlineSeconds": 600, "revisionHistoryLimit": 10,
    } })
}

fn running(lab: &Lab) -> usize {
    let is_running =
        |pod: &Value| pod["status"]["phase"] == "Running" && pod["metadata"]["deletionTimestamp"].is_null();
    lab.list("Pod", "default").iter().filter(|pod| is_running(pod)).count()
}

#[test]
fn instances_become_ready_nodes() {
    let lab = Lab::with_nodes("m5.large", 2, false);
    let nodes = lab.list("Node", "");
    assert_eq!(nodes.len(), 2);
    for node in &nodes {
        assert!(node["spec"]["taints"].is_null(), "{node:#}");
        assert_eq!(node["status"]["capacity"]["pods"], "29");
        assert!(node["metadata"]["name"].as_str().unwrap().ends_with(".ec2.internal"));
    }
    let dns = lab.get("Deployment", "kube-system", "coredns").unwrap();
    assert_eq!(dns["status"]["availableReplicas"], 2, "{:#}", dns["status"]);
    let cni = lab.get("DaemonSet", "kube-system", "aws-node").unwrap();
    assert_eq!((&cni["status"]["numberReady"], &cni["status"]["desiredNumberScheduled"]), (&json!(2), &json!(2)));
}

#[test]
fn only_roles_that_are_let_in_join() {
    let mut lab = Lab::new();
    let entries: Vec<String> = lab.world.eks.access_entries.iter().map(|(id, _)| id.to_owned()).collect();
    let entry = lab.world.eks.access_entries.remove(&entries[0]).unwrap();
    lab.run("m5.large", 1);
    lab.pass(60);
    assert!(lab.list("Node", "").is_empty());
    lab.world.eks.access_entries.insert(entries[0].clone(), entry);
    lab.pass(60);
    assert_eq!(lab.list("Node", "").len(), 1);
}

#[test]
fn a_terminated_instances_node_and_pods_go() {
    let mut lab = Lab::new();
    let ids = lab.run("m5.large", 1);
    lab.pass(60);
    lab.create("Deployment", "default", "web", deployment("web", 2)).unwrap();
    lab.pass(30);
    assert_eq!(running(&lab), 2);
    crate::ec2::instances::terminate(&mut lab.world, &ids[0]).unwrap();
    lab.pass(60);
    assert!(lab.list("Node", "").is_empty());
    assert_eq!(running(&lab), 0);
}

#[test]
fn deployments_roll_and_scale() {
    let mut lab = Lab::with_nodes("m5.large", 2, false);
    lab.create("Deployment", "default", "web", deployment("web", 3)).unwrap();
    lab.pass(30);
    let status = lab.get("Deployment", "default", "web").unwrap()["status"].clone();
    assert_eq!((running(&lab), &status["availableReplicas"]), (3, &json!(3)), "{status:#}");
    let reason = |lab: &Lab| {
        let status = lab.get("Deployment", "default", "web").unwrap()["status"].clone();
        let conditions = status["conditions"].as_array().unwrap().clone();
        conditions.iter().find(|it| it["type"] == "Progressing").unwrap()["reason"].as_str().unwrap().to_owned()
    };
    assert_eq!(reason(&lab), "NewReplicaSetAvailable");
    lab.change("Deployment", "default", "web", |it| {
        it["spec"]["template"]["spec"]["containers"][0]["image"] = json!("nginx:2");
    });
    for _ in 0..40 {
        lab.pass(1);
        assert!(running(&lab) >= 3, "never fewer than wanted");
    }
    let pods = lab.list("Pod", "default");
    assert_eq!(pods.len(), 3);
    assert!(pods.iter().all(|pod| pod["spec"]["containers"][0]["image"] == "nginx:2"));
    let web = lab.get("Deployment", "default", "web").unwrap();
    assert_eq!(web["metadata"]["annotations"]["deployment.kubernetes.io/revision"], "2");
    assert_eq!(web["status"]["updatedReplicas"], 3);
    assert_eq!(lab.list("ReplicaSet", "default").len(), 2);
    lab.change("Deployment", "default", "web", |it| it["spec"]["replicas"] = json!(1));
    lab.pass(30);
    assert_eq!(running(&lab), 1);
    assert!(lab.events("web").iter().any(|event| event.contains("ScalingReplicaSet: Scaled down replica set web-")));
}

#[test]
fn stateful_sets_keep_order_and_names() {
    let mut lab = Lab::with_nodes("m5.large", 1, false);
    let set = json!({ "spec": {
        "replicas": 3, "serviceName": "db", "selector": { "matchLabels": { "app": "db" } }, "template": template("db"),
        "updateStrategy": { "type": "RollingUpdate", "rollingUpdate": { "partition": 0 } },
    } });
    lab.create("StatefulSet", "default", "db", set).unwrap();
    lab.pass(0);
    assert_eq!(lab.list("Pod", "default").len(), 1);
    lab.pass(30);
    let names: Vec<String> =
        lab.list("Pod", "default").iter().map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names, ["db-0", "db-1", "db-2"]);
    lab.change("StatefulSet", "default", "db", |it| {
        it["spec"]["template"]["spec"]["containers"][0]["image"] = json!("nginx:2");
    });
    lab.pass(60);
    let pods = lab.list("Pod", "default");
    assert!(pods.iter().all(|pod| pod["spec"]["containers"][0]["image"] == "nginx:2"), "{pods:#?}");
    let status = lab.get("StatefulSet", "default", "db").unwrap()["status"].clone();
    assert_eq!(status["currentRevision"], status["updateRevision"]);
    lab.change("StatefulSet", "default", "db", |it| it["spec"]["replicas"] = json!(1));
    lab.pass(30);
    assert_eq!(lab.list("Pod", "default").len(), 1);
}

#[test]
fn jobs_complete_fail_and_repeat() {
    let mut lab = Lab::with_nodes("m5.large", 1, false);
    let job = |annotations: Value, spec: Value| {
        let mut template = template("job");
        template["metadata"]["annotations"] = annotations;
        template["spec"]["restartPolicy"] = json!("Never");
        let mut job = json!({ "spec": spec });
        job["spec"]["template"] = template;
        job
    };
    lab.create("Job", "default", "good", job(json!({}), json!({ "completions": 3, "parallelism": 2 }))).unwrap();
    let fails = json!({ "sandbox.sgp.dev/exit-after": "1s", "sandbox.sgp.dev/exit-code": "3" });
    lab.create("Job", "default", "bad", job(fails, json!({ "completions": 1, "parallelism": 1, "backoffLimit": 1 })))
        .unwrap();
    let cron = json!({ "spec": { "schedule": "* * * * *", "jobTemplate": job(json!({}), json!({})) } });
    lab.create("CronJob", "default", "tick", cron).unwrap();
    lab.pass(200);
    let good = lab.get("Job", "default", "good").unwrap();
    assert_eq!(good["status"]["succeeded"], 3, "{:#}", good["status"]);
    assert!(good["status"]["conditions"].as_array().unwrap().iter().any(|it| it["type"] == "Complete"));
    let bad = lab.get("Job", "default", "bad").unwrap();
    assert_eq!(bad["status"]["failed"], 2, "{:#}", bad["status"]);
    assert!(
        lab.events("bad")
            .contains(&"Warning BackoffLimitExceeded: Job has reached the specified backoff limit".to_owned())
    );
    assert_eq!(
        lab.list("Job", "default")
            .iter()
            .filter(|job| job["metadata"]["name"].as_str().unwrap().starts_with("tick-"))
            .count(),
        3
    );
}

#[test]
fn pods_that_fit_nowhere_wait() {
    let mut lab = Lab::new();
    lab.pod("a", |_| ()).unwrap();
    lab.pass(1);
    assert_eq!(lab.events("a"), ["Warning FailedScheduling: no nodes available to schedule pods"]);
    lab.run("m5.large", 1);
    lab.pass(60);
    assert_eq!(running(&lab), 1);
    lab.pod("big", |pod| pod["spec"]["containers"][0]["resources"]["requests"] = json!({ "cpu": "64" })).unwrap();
    lab.pass(1);
    let expected = "Warning FailedScheduling: 0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are \
                    available: 1 Preemption is not helpful for scheduling.";
    assert_eq!(lab.events("big"), [expected]);
}

#[test]
fn ordinary_pods_get_addresses_of_the_node() {
    let mut lab = Lab::with_nodes("m5.large", 1, false);
    lab.create("Deployment", "default", "web", deployment("web", 25)).unwrap();
    lab.pass(60);
    let pods = lab.list("Pod", "default");
    let mut addresses: Vec<&str> = pods.iter().filter_map(|pod| pod["status"]["podIP"].as_str()).collect();
    addresses.sort_unstable();
    addresses.dedup();
    // 29 pods at most, of which aws-node and kube-proxy use the host's network and two are CoreDNS.
    assert_eq!((running(&lab), addresses.len()), (25, 25));
    let described = lab.query(
        "DescribeNetworkInterfaces",
        &[("Filter.1.Name", "attachment.status"), ("Filter.1.Value.1", "attached")],
    );
    assert_eq!(described["networkInterfaceSet"].as_array().unwrap().len(), 3);
}

#[test]
fn a_restart_changes_nothing_and_goes_on() {
    let mut lab = Lab::with_nodes("m5.large", 2, true);
    lab.create("Deployment", "default", "web", deployment("web", 4)).unwrap();
    lab.pass(30);
    let before = lab.world.kubernetes.objects.revision("c");
    lab.restart();
    lab.pass(5);
    assert_eq!(lab.world.kubernetes.objects.revision("c"), before);
    lab.change("Deployment", "default", "web", |it| it["spec"]["replicas"] = json!(6));
    lab.pass(30);
    assert_eq!(running(&lab), 6);
}

#[test]
fn debug_containers_run_once_they_are_there() {
    let mut lab = Lab::with_nodes("m5.large", 1, false);
    lab.pod("one", |_| ()).unwrap();
    lab.pass(10);
    let container = json!([{ "name": "debugger", "image": "busybox" }]);
    lab.change("Pod", "default", "one", |pod| pod["spec"]["ephemeralContainers"] = container);
    lab.pass(1);
    let pod = lab.get("Pod", "default", "one").unwrap();
    let statuses = pod["status"]["ephemeralContainerStatuses"].as_array().unwrap();
    assert_eq!(statuses.len(), 1, "{pod:#}");
    assert!(statuses[0]["state"]["running"].is_object());
}

#[test]
fn cluster_roles_gather_the_rules_of_others() {
    let mut lab = Lab::new();
    let rule = |verb: &str| json!([{ "apiGroups": [""], "resources": ["pods"], "verbs": [verb] }]);
    let gathers = json!({ "clusterRoleSelectors": [{ "matchLabels": { "gathered": "yes" } }] });
    lab.create("ClusterRole", "", "all", json!({ "aggregationRule": gathers, "rules": rule("delete") })).unwrap();
    let labels = json!({ "labels": { "gathered": "yes" } });
    lab.create("ClusterRole", "", "part", json!({ "metadata": labels, "rules": rule("get") })).unwrap();
    lab.pass(1);
    assert_eq!(lab.get("ClusterRole", "", "all").unwrap()["rules"], rule("get"));
    lab.delete("ClusterRole", "", "part");
    lab.pass(1);
    assert_eq!(lab.get("ClusterRole", "", "all").unwrap()["rules"], json!([]));
}
