//! What there is room for, and what runs out first.

use super::scenes::{Scene, labels, names, template};
use crate::{
    capacity::{Needs, Nodes, Note, Quota, Verdict, Who},
    topology::{Fact, FargateProfile, FargateSelector, Id, NodeGroup, PodTemplate, ServiceAccount},
};

/// Capacity, what is wanted, room, what runs out first: of branch interfaces of node group `workers`.
fn branches(scene: &Scene) -> (String, String, String, String) {
    let row = scene.row("workers");
    (
        row.branches.capacity.to_string(),
        row.branches.wanted.to_string(),
        row.room.more.to_string(),
        names(&row.room.first),
    )
}

#[track_caller]
fn check(scene: &Scene, capacity: &str, wanted: &str, room: &str, first: &str) {
    let found = branches(scene);
    let found = (found.0.as_str(), found.1.as_str(), found.2.as_str(), found.3.as_str());
    assert_eq!(found, (capacity, wanted, room, first));
}

const BRANCHES: &str = "branch interfaces of node group workers";
const PODS: &str = "pods (maxPods) of node group workers";

#[test]
fn nodes_have_the_branches_of_their_type() {
    let workers = |types: &[&str], nodes| Scene::new().group("workers", types, nodes);
    check(&workers(&["m5.large"], 1), "9", "0", "9", BRANCHES);
    check(&workers(&["m5.large"], 5), "45", "0", "45", BRANCHES);
    check(&workers(&["c5.xlarge"], 1), "18", "0", "18", BRANCHES);
    check(&workers(&["t3.medium"], 4), "0", "0", "0", BRANCHES);
    check(&workers(&["m5.large"], 0), "0", "0", "0", BRANCHES);
    // Two interfaces, 10 branches, and 8 pods at most, two of them the node's own.
    check(&workers(&["a1.medium"], 1), "10", "0", "6", PODS);
    // One of two types.
    check(&workers(&["m5.large", "m5.xlarge"], 2), "18 to 36", "0", "18 to 36", BRANCHES);
    check(&workers(&["m5.large", "t3.large"], 2), "0 to 18", "0", "0 to 18", BRANCHES);
    check(&workers(&["m5.enormous"], 2), "0 to 240", "0", "0 to 240", BRANCHES);
}

#[test]
fn pods_of_several_types_are_as_many_as_the_smallest_takes() {
    let row = Scene::new().group("workers", &["m5.large", "m5.xlarge"], 2).row("workers");
    assert_eq!((row.pods.per_node.to_string(), row.pods.capacity.to_string()), ("29".into(), "58".into()));
}

#[test]
fn the_pod_after_the_last_waits() {
    for (replicas, room, pending) in [(44, "1", "0"), (45, "0", "0"), (46, "0", "1")] {
        let scene = Scene::new().group("workers", &["m5.large"], 5).pods("backend", replicas, 0);
        check(&scene, "45", &replicas.to_string(), room, BRANCHES);
        assert_eq!(scene.report().branches.pending.to_string(), pending, "{replicas}");
        assert_eq!(scene.report().branches.takes.to_string(), "45");
    }
}

#[test]
fn pods_with_branches_count_as_pods() {
    // 29 pods, two of them the node's own: 20 that share interfaces leave 7 places for 9 branches.
    let scene = || Scene::new().group("workers", &["m5.large"], 1);
    check(&scene().pods("web", 17, 0), "9", "0", "9", BRANCHES);
    check(&scene().pods("web", 18, 0), "9", "0", "9", BRANCHES);
    // Without a trunk's addresses the node has 18 for others: the 19th waits, and takes no place.
    assert_eq!(scene().pods("web", 19, 0).report().branches.pending.to_string(), "1");
    // With pods on the host's network places run out before branches.
    let host = |it: &mut Scene| {
        let key = ("app".to_owned(), "Deployment".to_owned(), "host".to_owned());
        it.cluster().workloads.get_mut(&key).unwrap().template.is_host_network = true;
    };
    check(&scene().pods("host", 20, 0).with(host), "9", "0", "7", PODS);
    // Each DaemonSet takes a place and an address or a branch of each node.
    let row = scene().daemons("agent").daemons("backend").row("workers");
    assert_eq!((row.branches.wanted.to_string(), row.room.more.to_string()), ("1".into(), "8".into()));
    assert_eq!((row.pods.wanted.to_string(), row.addresses.wanted.to_string()), ("4".into(), "1".into()));
}

#[test]
fn an_update_needs_room_for_its_surge() {
    for (replicas, surge, room, first, waits) in [
        // Full nodes: no surge pod finds a branch.
        (45, 12, "0", BRANCHES, true),
        // Room for the surge, and not for the interfaces that cool down meanwhile.
        (30, 8, "15", "", true),
        (20, 5, "25", "", false),
    ] {
        let scene = Scene::new().group("workers", &["m5.large"], 5).pods("backend", replicas, surge);
        let [update] = &scene.report().updates[..] else { panic!("one update") };
        assert_eq!(update.room.to_string(), room, "{replicas}");
        assert_eq!((names(&update.first).as_str(), update.waits), (first, Fact::Known(waits)), "{replicas}");
        let row = scene.row("workers").branches;
        assert_eq!(row.updating_one.to_string(), (replicas + surge).to_string());
    }
    let two = Scene::new().group("workers", &["m5.large"], 5).pods("web", 4, 4).pods("backend", 10, 3);
    let two = two.with(|it| {
        let more = it.cluster().workloads.values().last().cloned().unwrap();
        let policy = it.cluster().policies.values().next().cloned().unwrap();
        it.cluster().policies.insert(
            ("app".into(), "web".into()),
            crate::topology::SecurityGroupPolicy {
                pods: Some(crate::selector::Selector::of_labels(&labels(&[("app", "web")]))),
                ..policy
            },
        );
        drop(more);
    });
    let row = two.row("workers").branches;
    let found = [row.wanted, row.updating_one, row.updating_all].map(|it| it.to_string());
    assert_eq!(found, ["14", "18", "21"]);
}

#[test]
fn the_controller_of_the_cluster_decides() {
    let scene = |version: &str| {
        Scene::new()
            .group("workers", &["r8a.xlarge"], 2)
            .with(|it| it.facts.controller = Fact::Known(version.to_owned()))
    };
    check(&scene("v1.7.16"), "36", "0", "36", BRANCHES);
    check(&scene("v1.7.15"), "0", "0", "0", BRANCHES);
    let note = Note::NewerController { instance_type: "r8a.xlarge".into(), since: vec!["v1.7.16"] };
    assert_eq!(scene("v1.7.15").row("workers").notes, [note]);
    assert_eq!(scene("v1.7.15").report().table, ("v1.7.15".to_owned(), "2025-10-10T20:02:21Z"));
}

#[test]
fn what_nobody_told_is_named() {
    let unsized_group = |it: &mut Scene| it.cluster().node_groups.get_mut("workers").unwrap().size = Fact::Unknown;
    let scene = Scene::new().group("workers", &["m5.large"], 1).with(unsized_group);
    // The subnet has no more.
    check(&scene, "unknown", "0", "0 to 4091", BRANCHES);
    assert_eq!(scene.report().unknown, ["the size of node group workers is not known"]);

    let untold = |it: &mut Scene| it.cluster().cni.pod_eni = Fact::Unknown;
    let scene = Scene::new().group("workers", &["m5.large"], 2).with(untold);
    check(&scene, "0 to 18", "0", "0 to 18", BRANCHES);
    let answer = scene.what_if(5, "backend");
    assert_eq!(answer.verdict, Verdict::Depends);
    assert_eq!(answer.why, ["whether the VPC CNI gives nodes trunks (ENABLE_POD_ENI) is not known"]);
    assert_eq!(scene.what_if(19, "backend").verdict, Verdict::DoesNotFit);

    // Whether a policy matches is open: a branch at worst, an address at best.
    let open = |it: &mut Scene| {
        let key = ("app".to_owned(), "Deployment".to_owned(), "backend".to_owned());
        it.cluster().workloads.get_mut(&key).unwrap().template.labels = Fact::Unknown;
    };
    let scene = Scene::new().group("workers", &["m5.large"], 1).pods("backend", 4, 0).with(open);
    check(&scene, "9", "0 to 4", "5 to 9", BRANCHES);

    let group = |it: &mut Scene| drop(it.cluster().node_groups.insert(Id::from("workers"), NodeGroup::default()));
    let row = Scene::new().with(group).row("workers");
    assert_eq!(row.branches.capacity.why(), Some("the size of node group workers is not known"));
}

#[test]
fn pods_that_may_go_to_several_groups_are_counted_together() {
    let scene = |here: u32, anywhere: u32| {
        let scene = Scene::new().group("workers", &["m5.large"], 1).group("others", &["m5.large"], 1);
        let policy = |it: &mut Scene| {
            let policy = it.cluster().policies.values_mut().next().unwrap();
            policy.pods = Some(crate::selector::Selector::default());
        };
        scene.pods_on("here", here, 0, &[("pool", "workers")]).pods("anywhere", anywhere, 0).with(policy)
    };
    for (here, anywhere, more, pending) in [(9, 9, "0", "0"), (5, 9, "4", "0"), (10, 5, "4", "1"), (5, 14, "0", "1")] {
        let room = scene(here, anywhere).report().branches;
        assert_eq!(
            (room.more.to_string().as_str(), room.pending.to_string().as_str()),
            (more, pending),
            "{here} {anywhere}"
        );
    }
    // What may go elsewhere is wanted here perhaps.
    assert_eq!(scene(5, 9).row("workers").branches.wanted.to_string(), "5 to 14");
    assert_eq!(
        names(&scene(9, 9).report().branches.first),
        "branch interfaces of node group others, branch interfaces of node group workers"
    );
}

#[test]
fn a_selector_that_no_node_has_finds_no_node() {
    let ask = |selector: &[(&str, &str)]| {
        let template = PodTemplate { node_selector: labels(selector), ..template("backend") };
        let who = Who::Like("app".to_owned(), Box::new(template));
        let answer = Scene::new().group("workers", &["m5.large"], 1).ask(3, who, Nodes::Wanted);
        (answer.verdict, names(&answer.first))
    };
    assert_eq!(ask(&[("pool", "workers")]), (Verdict::Fits, BRANCHES.to_owned()));
    assert_eq!(ask(&[("pool", "gpu")]), (Verdict::DoesNotFit, "nodes that the pods may go to".to_owned()));
    assert_eq!(ask(&[("kubernetes.io/os", "linux")]).0, Verdict::Fits);
    assert_eq!(ask(&[("kubernetes.io/os", "windows")]).0, Verdict::DoesNotFit);
    // EKS sets it, and nobody knows to what.
    assert_eq!(ask(&[("eks.amazonaws.com/capacityType", "SPOT")]).0, Verdict::Depends);
}

#[test]
fn subnets_have_addresses_for_nodes_and_branches() {
    let row = |scene: &Scene| {
        let row = scene.report().subnets.into_iter().find(|it| it.subnet.as_str() == "subnet-a").unwrap();
        [row.addresses, row.available, row.held, row.wanted, row.updating, row.left].map(|it| it.to_string())
    };
    // 256 less 5; two nodes hold their first interface and the trunk, or all addresses of two interfaces.
    let scene = || Scene::new().subnet("subnet-a", "10.0.0.0/24", None).group("workers", &["m5.large"], 2);
    assert_eq!(row(&scene()), ["251", "251", "4 to 42", "0", "0", "209 to 247"]);
    // An update holds the new ones and those that cool down.
    let scene = scene().pods("backend", 10, 3);
    assert_eq!(row(&scene), ["251", "251", "4 to 42", "10", "23", "199 to 237"]);
    // What is free now says more: 20, and what two nodes have, four addresses.
    let live = Scene::new().subnet("subnet-a", "10.0.0.0/24", Some(20)).group("workers", &["m5.large"], 2);
    let live = live.node("n1", "workers", "m5.large", 9, 29).node("n2", "workers", "m5.large", 9, 29);
    assert_eq!(row(&live), ["251", "24", "4 to 42", "0", "0", "0 to 20"]);
    check(&live, "18", "0", "0 to 18", "addresses of subnet subnet-a");
    // Others' interfaces are not for us.
    let others = live.with(|it| {
        it.topology.subnets.get_mut("subnet-a").unwrap().free_addresses = Fact::Unknown;
        it.cluster().nodes.remove("n2");
    });
    assert_eq!(row(&others)[1], "249");
}

#[test]
fn a_small_subnet_runs_out_first() {
    // 11 addresses, 4 of them the nodes' own; what nodes keep warm decides how many are left.
    let scene = Scene::new().subnet("subnet-a", "10.0.0.0/28", None).group("workers", &["m5.large"], 2);
    check(&scene, "18", "0", "0 to 7", "addresses of subnet subnet-a");
    // Each node in its own subnet: a full one is no help for the other.
    let two = Scene::new().subnet("subnet-b", "10.1.0.0/28", None);
    check(
        &two.group_in("workers", &["m5.large"], 2, &["subnet-a", "subnet-b"]),
        "18",
        "0",
        "9 to 18",
        &format!("addresses of subnet subnet-b, {BRANCHES}"),
    );
}

#[test]
fn custom_networking_takes_the_addresses_elsewhere() {
    let scene = Scene::new().subnet("subnet-pods", "100.64.0.0/24", None).group("workers", &["m5.large"], 2);
    let scene = scene.pods("backend", 6, 0);
    let scene = scene.with(|it| drop(it.facts.pod_subnets.insert(Id::from("subnet-a"), Id::from("subnet-pods"))));
    let rows = scene.report().subnets;
    let found: Vec<String> = rows.iter().map(|it| format!("{}: {} and {}", it.subnet, it.held, it.wanted)).collect();
    // The trunk; then one interface with its own address and nine for pods.
    assert_eq!(found, ["subnet-a: 2 and 0", "subnet-pods: 2 to 22 and 6"]);
    assert_eq!(scene.row("workers").pods.per_node.to_string(), "20");
}

#[test]
fn pods_that_run_stay_where_they_are() {
    let scene = || {
        let scene = Scene::new().subnet("subnet-a", "10.0.0.0/20", Some(4000)).group("workers", &["m5.large"], 2);
        scene.node("n1", "workers", "m5.large", 9, 29).node("n2", "workers", "m5.large", 9, 29)
    };
    let full = (0..9).fold(scene().pods("backend", 9, 0), |it, number| it.runs("backend", number, "n1"));
    check(&full, "18", "9", "9", BRANCHES);
    assert_eq!(full.row("workers").branches.used.to_string(), "9 or more");
    let known = full.with(|it| {
        it.cluster().is_complete = true;
        it.cluster().service_accounts.insert(
            ("app".into(), "default".into()),
            ServiceAccount { labels: Fact::Known(labels(&[])), ..Default::default() },
        );
    });
    assert_eq!(known.row("workers").branches.used.to_string(), "9");
    // One more replica may go to the other node; fewer replicas make room.
    check(&known.pods("backend", 10, 0), "18", "10", "8", BRANCHES);
    let fewer = (0..9).fold(scene().pods("backend", 2, 0), |it, number| it.runs("backend", number, "n1"));
    check(&fewer, "18", "2", "16", BRANCHES);
    // A node without trunk gives none, and says so.
    let broken = scene()
        .node("n2", "workers", "m5.large", 0, 29)
        .with(|it| it.cluster().nodes.get_mut("n2").unwrap().pod_eni = None);
    check(&broken, "9", "0", "9", BRANCHES);
    assert_eq!(broken.row("workers").notes, [Note::TrunkMissing("n2".into())]);
    // Nodes that the group is still to get come on top, and what it may have at most is said.
    let row = scene().group("workers", &["m5.large"], 3).row("workers");
    assert_eq!((row.nodes.to_string(), row.branches.capacity.to_string()), ("3".into(), "27".into()));
    assert_eq!(
        (row.nodes_most.unwrap().to_string(), row.branches.capacity_most.unwrap().to_string()),
        ("10".into(), "90".into())
    );
}

#[test]
fn interfaces_in_cool_down_count() {
    let scene = Scene::new().subnet("subnet-a", "10.0.0.0/20", Some(4000)).group("workers", &["m5.large"], 1);
    let scene = scene.node("n1", "workers", "m5.large", 9, 29).pods("backend", 1, 0).runs("backend", 1, "n1");
    let scene = scene.cools(1, "n1").cools(2, "n1").with(|it| it.cluster().is_complete = true);
    let row = scene.row("workers");
    assert_eq!((row.branches.used.to_string(), row.cooling.to_string()), ("3".into(), "2".into()));
    for (pods, verdict, waits) in [(6, Verdict::Fits, 0), (7, Verdict::Fits, 60), (9, Verdict::DoesNotFit, 0)] {
        let answer = scene.what_if(pods, "backend");
        assert_eq!((answer.verdict, answer.waits_secs), (verdict, waits), "{pods}");
    }
}

#[test]
fn what_if_asks_for_pods_of_any_kind() {
    let scene = Scene::new().group("workers", &["m5.large"], 2).pods("backend", 10, 0);
    let of = |kind: &str, name: &str| Who::Of("app".to_owned(), kind.to_owned(), name.to_owned());
    let policy = Who::Policy("app".to_owned(), "backend".to_owned());
    for (pods, who, nodes, needs, verdict, room) in [
        (8, of("Deployment", "backend"), Nodes::Wanted, Needs::Branch, Verdict::Fits, "8"),
        (9, of("Deployment", "backend"), Nodes::Wanted, Needs::Branch, Verdict::DoesNotFit, "8"),
        (9, of("Deployment", "backend"), Nodes::Most, Needs::Branch, Verdict::Fits, "80"),
        (8, policy.clone(), Nodes::Wanted, Needs::Branch, Verdict::Fits, "8"),
        (36, Who::Like("app".into(), Box::new(template("web"))), Nodes::Wanted, Needs::Address, Verdict::Fits, "36"),
        (
            37,
            Who::Like("app".into(), Box::new(template("web"))),
            Nodes::Wanted,
            Needs::Address,
            Verdict::DoesNotFit,
            "36",
        ),
    ] {
        let answer = scene.ask(pods, who.clone(), nodes);
        assert_eq!(
            (answer.needs, answer.verdict, answer.room.to_string().as_str()),
            (Some(needs), verdict, room),
            "{who:?}"
        );
    }
    assert_eq!(scene.what_if(9, "backend").takes.to_string(), "18");
    let nobody = crate::capacity::Question { cluster: Id::from("other"), pods: 1, who: policy, nodes: Nodes::Wanted };
    assert!(crate::capacity::what_if(&scene.topology, &nobody, &scene.facts).is_none());
    // The webhook rejects pods of an account that is not there.
    let complete = scene.with(|it| it.cluster().is_complete = true);
    let template = PodTemplate { service_account: Fact::Known("gone".to_owned()), ..template("backend") };
    let answer = complete.ask(1, Who::Like("app".into(), Box::new(template)), Nodes::Wanted);
    assert_eq!((answer.needs, answer.verdict), (None, Verdict::DoesNotFit));
}

#[test]
fn fargate_takes_addresses_and_no_node() {
    let profile = FargateProfile {
        subnets: vec![Id::from("subnet-f")],
        selectors: vec![FargateSelector { namespace: "app".to_owned(), labels: labels(&[]) }],
    };
    let scene = Scene::new().subnet("subnet-f", "10.2.0.0/28", None).pods("backend", 5, 0);
    let scene = scene.with(|it| drop(it.cluster().fargate_profiles.insert(Id::from("fp"), profile)));
    let answer = scene.what_if(7, "backend");
    assert_eq!(
        (answer.needs, answer.verdict, answer.room.to_string()),
        (Some(Needs::Fargate), Verdict::DoesNotFit, "6".into())
    );
    assert_eq!(names(&answer.first), "addresses of subnet subnet-f");
}

#[test]
fn quotas_count_and_may_be_told() {
    let scene = Scene::new().group("workers", &["m5.large"], 5).pods("backend", 10, 0);
    let row = |scene: &Scene, quota| scene.report().quotas.into_iter().find(|it| it.quota == quota).unwrap();
    let interfaces = row(&scene, Quota::Interfaces);
    assert_eq!((interfaces.limit, interfaces.wanted.to_string()), (5000, "20 to 25".into()));
    let groups = row(&scene, Quota::GroupsPerInterface);
    assert_eq!(
        (groups.limit, groups.used.to_string(), groups.of),
        (5, "1".into(), Some("Deployment app/backend".into()))
    );
    let scene = scene.with(|it| it.facts.quotas.interfaces = 30);
    check(&scene, "45", "10", "5 to 10", "the quota of network interfaces per region");
    assert!(!row(&scene, Quota::Interfaces).is_exceeded());
    let scene = scene.with(|it| it.facts.quotas.interfaces = 15);
    assert!(row(&scene, Quota::Interfaces).is_exceeded());
}

#[test]
fn node_groups_may_set_their_pods() {
    let scene = || Scene::new().group("workers", &["m5.large"], 1);
    check(&scene().with(|it| it.facts.max_pods = [(Id::from("workers"), 8)].into()), "9", "0", "6", PODS);
    let custom =
        |it: &mut Scene| it.cluster().node_groups.get_mut("workers").unwrap().ami_type = Fact::Known("CUSTOM".into());
    let row = scene().with(custom).row("workers");
    assert_eq!(row.pods.capacity.to_string(), "unknown");
    assert_eq!(row.room.more.to_string(), "0 to 9");
}

#[test]
fn what_another_workload_makes_is_not_counted_twice() {
    let scene = Scene::new().group("workers", &["m5.large"], 1).pods("backend", 4, 0);
    let scene = scene.with(|it| {
        let mut set = it.cluster().workloads.values().next().cloned().unwrap();
        set.template.labels = Fact::Known(labels(&[("app", "backend"), ("pod-template-hash", "6d4cf56db6")]));
        it.cluster().workloads.insert(("app".into(), "ReplicaSet".into(), "backend-6d4cf56db6".into()), set);
    });
    check(&scene, "9", "4", "5", BRANCHES);
}

#[test]
fn pods_for_windows_go_to_windows() {
    let scene = Scene::new().group("workers", &["m5.large"], 1).group("others", &["m5.large"], 2);
    let scene = scene.with(|it| {
        it.cluster().node_groups.get_mut("others").unwrap().ami_type = Fact::Known("WINDOWS_CORE_2022_x86_64".into());
    });
    assert_eq!(scene.row("others").branches.capacity.to_string(), "0");
    let template = PodTemplate { is_windows: true, ..template("backend") };
    let answer = scene.ask(1, Who::Like("app".into(), Box::new(template)), Nodes::Wanted);
    assert_eq!((answer.needs, answer.verdict), (Some(Needs::Address), Verdict::Fits));
    assert_eq!(names(&answer.first), "addresses of the interfaces of node group others");
}

#[test]
fn interfaces_are_counted_with_the_trunk() {
    let row = Scene::new().group("workers", &["m5.large"], 5).row("workers");
    assert_eq!((row.interfaces.to_string(), row.trunks.to_string()), ("15".into(), "5".into()));
    let row = Scene::new().group("workers", &["t3.medium"], 5).row("workers");
    assert_eq!((row.interfaces.to_string(), row.trunks.to_string()), ("15".into(), "0".into()));
    assert_eq!(
        row.notes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["t3.medium can have no trunk, and so no pod with security groups of its own"]
    );
}
