//! SGP601: a group goes that something has.

use sgp_analysis::topology::InterfaceKind;

use crate::{Examples, Facts, Finding, Live, Rule, Severity, finding::counted};

pub(super) static RULE: Rule = Rule {
    id: "SGP601",
    severity: Severity::Error,
    title: "Group goes that interfaces have",
    consequence: "EC2 deletes no group that an interface has (DependencyViolation). Branch interfaces stay for a minute after their \
                  pods; running pods keep theirs.",
    fix: "Restart or remove the pods first; sgp waits until the interfaces are gone.",
    sources: &[
        "github.com/terraform-aws-modules/terraform-aws-eks#2048",
        "github.com/terraform-aws-modules/terraform-aws-eks#285",
        "github.com/aws/amazon-vpc-resource-controller-k8s: pkg/provider/branch/cooldown/cooldown.go",
    ],
    live: Live::Aws,
    examples: Examples {
        before: r#"
resource "aws_security_group" "old" {
  name   = "orders-old"
  vpc_id = aws_vpc.this.id
}

resource "sgp_security_group_policy" "backend" {
  cluster_name       = aws_eks_cluster.this.name
  name               = "backend"
  namespace          = "app"
  security_group_ids = [aws_security_group.backend.id, aws_security_group.old.id]

  pod_selector {
    match_labels = { app = "backend" }
  }
}
"#,
        wrong: r#"
resource "sgp_security_group_policy" "backend" {
  cluster_name       = aws_eks_cluster.this.name
  name               = "backend"
  namespace          = "app"
  security_group_ids = [aws_security_group.backend.id]

  pod_selector {
    match_labels = { app = "backend" }
  }
}
"#,
        right: r#"
# First the policy alone, then, when the pods were made anew, the group.
resource "aws_security_group" "old" {
  name   = "orders-old"
  vpc_id = aws_vpc.this.id
}

resource "sgp_security_group_policy" "backend" {
  cluster_name       = aws_eks_cluster.this.name
  name               = "backend"
  namespace          = "app"
  security_group_ids = [aws_security_group.backend.id]

  pod_selector {
    match_labels = { app = "backend" }
  }
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for group in facts.gone_groups() {
        let before = facts.input.topology_before;
        let users: Vec<_> =
            before.interfaces.values().filter(|it| it.is_in_use && it.groups.contains(&group.id)).collect();
        let pods = users.iter().filter(|it| matches!(it.kind, InterfaceKind::Branch | InterfaceKind::Fargate)).count();
        let nodes = users.iter().filter(|it| matches!(it.kind, InterfaceKind::Node | InterfaceKind::Trunk)).count();
        if users.len() > pods + nodes && !goes_with_more(facts) {
            let what = format!(
                "{} is on {} of something else than pods and nodes.",
                group.addr,
                counted(users.len() - pods - nodes, "interface")
            );
            found.push(RULE.finding(Some(group.addr), what));
        } else if pods > 0 {
            let what = format!("{} is on interfaces of {}.", group.addr, counted(pods, "running pod"));
            found.push(RULE.finding(Some(group.addr), what).at_most(Severity::Warning));
        } else if let Some(who) = policy(facts, &group.id).filter(|_| !facts.input.is_live) {
            let what = format!("The {who} names {} until now, and pods that run keep it.", group.addr);
            found.push(RULE.finding(Some(group.addr), what).at_most(Severity::Warning));
        }
    }
    found
}

/// Whether the plan deletes other things than rules and policies, which may be what has the group.
fn goes_with_more(facts: &Facts<'_>) -> bool {
    let small = ["aws_vpc_security_group_", "sgp_security_group_policy", "aws_security_group"];
    let mut gone =
        facts.input.before.iter().filter(|it| facts.action(it.addr.as_ref()) == sgp_model::plan::Action::Delete);
    gone.any(|it| !small.iter().any(|kind| it.kind.starts_with(kind)))
}

/// A policy of a cluster that stays, that named the group.
fn policy(facts: &Facts<'_>, id: &sgp_analysis::topology::Id) -> Option<String> {
    let clusters = facts.input.topology_before.clusters.iter();
    let mut staying = clusters.filter(|(name, _)| facts.input.topology.clusters.contains_key(*name));
    staying.find_map(|(_, cluster)| {
        let mut naming = cluster.policies.iter().filter(|(_, it)| it.groups.known().is_some_and(|it| it.contains(id)));
        naming.next().map(|((namespace, name), _)| format!("policy {namespace}/{name}"))
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::{WORKING, change, told};

    #[test]
    fn it_counts_who_has_the_group() {
        let group = "resource \"aws_security_group\" \"old\" {\nid = \"sg-00000001\"\nname = \"o\"\nvpc_id = aws_vpc.this.id\n}\n";
        let interface = |kind: &str, description: &str| {
            format!(
                "resource \"aws_network_interface\" \"live_x\" {{\nid = \"eni-1\"\ninterface_type = \"{kind}\"\nstatus = \"in-use\"\n\
                 description = \"{description}\"\nvpc_id = aws_vpc.this.id\nsubnet_id = aws_subnet.a.id\n\
                 security_groups = [\"sg-00000001\"]\n}}"
            )
        };
        for (user, expected) in [
            (interface("branch", "aws-k8s-branch-eni"), &["warning aws_security_group.old"][..]),
            (interface("interface", "RDSNetworkInterface"), &["error aws_security_group.old"][..]),
            (interface("interface", "aws-K8S-i-1"), &[][..]),
        ] {
            let found = change(&[WORKING, group, &user], &[WORKING, &user]);
            let own: Vec<_> = found.into_iter().filter(|it| it.rule == "SGP601").collect();
            assert_eq!(told(&own), expected, "{user}");
        }
    }
}
