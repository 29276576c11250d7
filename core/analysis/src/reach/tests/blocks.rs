//! Addresses that rules name, in matrices and in what changes.

use super::*;

fn open(block: &str) -> (&'static str, Json) {
    rule(false, "sg-api", "tcp", (80, 80), ("cidr_ipv4", block))
}

fn list(blocks: &[&str]) -> (&'static str, Json) {
    let entries: Vec<Json> = blocks.iter().map(|block| json!({ "cidr": block })).collect();
    ("aws_ec2_managed_prefix_list", json!({ "id": "pl-1", "name": "offices", "entry": entries }))
}

fn told(before: &[(&'static str, Json)], after: &[(&'static str, Json)]) -> Vec<String> {
    let line = |it: &super::super::Line| {
        let may = if it.may { " (may)" } else { "" };
        format!("{}{} -> {} {}{may}", if it.opens { '+' } else { '-' }, it.from, it.to, it.traffic)
    };
    let change = super::super::changes(&planned(before), &planned(after));
    assert_eq!(change, super::super::compared(&planned(before), &planned(after)).change);
    change.lines.iter().map(line).collect()
}

#[test]
fn a_rule_for_more_addresses_opens() {
    assert_eq!(
        told(&[open("203.0.113.0/25")], &[open("203.0.113.0/24")]),
        ["+203.0.113.0/24 -> app/backend tcp/80"],
        "the wider rule lets the others in, too"
    );
    assert_eq!(
        told(&[open("203.0.113.0/24")], &[open("203.0.113.0/25")]),
        ["-203.0.113.0/24 -> app/backend tcp/80"],
        "what stays open is told of nowhere"
    );
}

/// A rule of somebody else for the same addresses makes no difference.
#[test]
fn addresses_that_others_name_are_told_of_by_the_rule_that_holds_them() {
    let other = rule(false, "sg-db", "tcp", (22, 22), ("cidr_ipv4", "203.0.113.0/24"));
    let everybody = [open("0.0.0.0/0"), other.clone()];
    assert_eq!(told(&[other.clone(), open("203.0.113.0/24")], &everybody), ["+any -> app/backend tcp/80"]);
    assert_eq!(told(&everybody, &[other, open("203.0.113.0/24")]), ["-any -> app/backend tcp/80"]);
}

#[test]
fn a_prefix_list_is_told_of_by_its_id() {
    let by_list = rule(false, "sg-api", "tcp", (80, 80), ("prefix_list_id", "pl-1"));
    assert_eq!(
        told(&[list(&["203.0.113.0/24"])], &[list(&["203.0.113.0/24"]), by_list]),
        [
            "+pl-1 -> app/backend tcp/80",
            "+control plane of main -> app/backend tcp/80 (may)",
            "+nodes default -> app/backend tcp/80 (may)",
        ],
        "where the nodes are is not known"
    );
}

/// One has the address that a rule names, and the others of its workload have not.
#[test]
fn pods_of_one_workload_are_told_apart_by_a_block() {
    let labels = json!({ "app": "web" });
    let deployment = json!({ "kind": "Deployment", "metadata": { "name": "web", "namespace": "app" },
        "spec": { "template": { "metadata": { "labels": labels } } } });
    let of_web = |name: &str, address: &str, branch: &str| {
        let (kind, mut pod) = pod(name, "node1", address, Some(branch), &labels);
        pod["manifest"]["metadata"]["ownerReferences"] =
            json!([{ "kind": "ReplicaSet", "name": "web-5d4f", "controller": true }]);
        (kind, pod)
    };
    let branch = |id: &str, address: &str| {
        interface(id, "subnet-a", address, &["sg-web"], json!({ "interface_type": "branch" }))
    };
    let more = |first: &str, second: &str| {
        lines(&account(
            "strict",
            &[
                ("aws_security_group", json!({ "id": "sg-web", "name": "web", "vpc_id": "vpc-1" })),
                rule(true, "sg-web", "tcp", (9000, 9000), ("referenced_security_group_id", "sg-db")),
                rule(false, "sg-db", "tcp", (9000, 9000), ("cidr_ipv4", "10.0.1.64/28")),
                ("kubernetes_manifest", json!({ "cluster_name": "main", "manifest": deployment })),
                of_web("web-5d4f-1", first, "eni-web1"),
                of_web("web-5d4f-2", second, "eni-web2"),
                branch("eni-web1", first),
                branch("eni-web2", second),
            ],
        ))
    };
    let has = |lines: &[String], wanted: &str| lines.iter().any(|line| line == wanted);
    let both = more("10.0.1.65", "10.0.1.66");
    assert!(has(&both, "app/web -> orders-db tcp/9000 (nothing)"), "{both:#?}");
    let one = more("10.0.1.65", "10.0.1.99");
    assert!(has(&one, "app/web -> orders-db nothing (tcp/9000)"), "{one:#?}");
    let none = more("10.0.1.98", "10.0.1.99");
    assert!(!none.iter().any(|line| line.starts_with("app/web -> orders-db")), "{none:#?}");
}
