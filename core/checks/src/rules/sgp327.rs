//! SGP327: the cluster's group in a policy. It once shared the number SGP326.

use sgp_analysis::topology::{Direction, Fact, Id, Peer};

use crate::{Examples, Facts, Finding, Live, Rule, Severity, facts::PolicyOf};

pub(super) static RULE: Rule = Rule {
    id: "SGP327",
    severity: Severity::Warning,
    title: "Policy with a group that lets in everything that has it",
    consequence: "The group allows all traffic from itself, so pods with it, and all else that carries it, reach each other on every \
                  port: the pods' own groups keep nothing out.",
    fix: "Give the pods a group of their own with rules for what they need, such as udp/53 and tcp/53 to CoreDNS.",
    sources: &["github.com/aws/amazon-vpc-cni-k8s#1211"],
    live: Live::Aws,
    examples: Examples {
        before: "",
        wrong: r#"
resource "sgp_security_group_policy" "backend" {
  cluster_name       = aws_eks_cluster.this.name
  name               = "backend"
  namespace          = "app"
  security_group_ids = [
    aws_security_group.backend.id,
    aws_eks_cluster.this.vpc_config[0].cluster_security_group_id,
  ]

  pod_selector {
    match_labels = { app = "backend" }
  }
}
"#,
        right: r#"
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
    // On Fargate the cluster's group belongs there.
    for policy in facts.policies().iter().filter(|it| it.is_for_nodes()) {
        let groups = policy.policy.groups.known().into_iter().flatten();
        for id in groups.filter(|id| is_open_to_itself(facts, id) && is_shared(facts, policy, id)) {
            let is_cluster = policy.cluster.group.known() == Some(id);
            let name = if is_cluster { "the cluster's own group".to_owned() } else { format!("group {id}") };
            let what = format!("The {} names {name}.", policy.who());
            found.push(RULE.finding(policy.addr(), what).attribute(policy.groups_path()));
        }
    }
    found
}

/// Whether anything else has the group, too. One that a single policy gives is meant for just these pods: a tenant's, a cluster of brokers.
fn is_shared(facts: &Facts<'_>, policy: &PolicyOf<'_>, id: &Id) -> bool {
    let cluster = policy.cluster;
    let gives = |it: &&PolicyOf<'_>| it.policy.groups.known().is_some_and(|groups| groups.contains(id));
    cluster.group.known() == Some(id)
        || cluster.further_groups.contains(id)
        || facts.nodes(cluster).groups.contains(id)
        || facts.policies().iter().filter(gives).count() > 1
}

fn is_open_to_itself(facts: &Facts<'_>, id: &Id) -> bool {
    let Some(group) = facts.input.topology.groups.get(id) else { return false };
    group.rules.iter().any(|it| {
        it.direction == Direction::Ingress
            && it.peer == Peer::Group(id.clone())
            && matches!(&it.traffic, Fact::Known(traffic) if traffic.is_all())
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::rows;

    /// A group that is open to itself, and policies that give it.
    fn brokers(policies: &[&str]) -> String {
        let policy = |name: &&str| {
            format!(
                r#"
                resource "sgp_security_group_policy" "{name}" {{
                  cluster_name       = aws_eks_cluster.this.name
                  name               = "{name}"
                  namespace          = "app"
                  security_group_ids = [aws_security_group.backend.id, aws_security_group.brokers.id]
                  pod_selector {{
                    match_labels = {{ app = "{name}" }}
                  }}
                }}"#
            )
        };
        let policies: String = policies.iter().map(policy).collect();
        format!(
            r#"
            resource "aws_security_group" "brokers" {{
              name   = "brokers"
              vpc_id = aws_vpc.this.id
            }}
            resource "aws_vpc_security_group_ingress_rule" "brokers" {{
              security_group_id            = aws_security_group.brokers.id
              referenced_security_group_id = aws_security_group.brokers.id
              ip_protocol                  = "-1"
            }}
            {policies}"#
        )
    }

    #[test]
    fn a_group_of_one_policy_alone_is_its_own() {
        let (broker, client) = ("warning sgp_security_group_policy.broker", "warning sgp_security_group_policy.client");
        rows("SGP327", &[(&brokers(&["broker"]), &[]), (&brokers(&["broker", "client"]), &[broker, client])]);
    }
}
