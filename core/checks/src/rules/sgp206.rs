//! SGP206: prefixes and branch interfaces in a small subnet.

use sgp_analysis::topology::Fact;

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

/// Subnets of this size and smaller have at most eight prefixes.
const SMALL: u8 = 25;

pub(super) static RULE: Rule = Rule {
    id: "SGP206",
    severity: Severity::Warning,
    title: "Prefixes and branch interfaces in a small subnet",
    consequence: "Addresses of branch interfaces lie in between, and soon no 16 addresses in a row are left: nodes get no prefix, and \
                  pods without groups no address.",
    fix: "Use larger subnets, or reserve a part of the subnet for prefixes.",
    sources: &["github.com/aws/amazon-vpc-cni-k8s#2045"],
    live: Live::Aws,
    examples: Examples {
        before: "",
        wrong: r#"
resource "aws_subnet" "a" {
  vpc_id     = aws_vpc.this.id
  cidr_block = "10.0.0.0/26"
}

resource "sgp_pod_eni" "this" {
  cluster_name = aws_eks_cluster.this.name
  env          = { ENABLE_PREFIX_DELEGATION = "true" }
}
"#,
        right: r#"
resource "sgp_pod_eni" "this" {
  cluster_name = aws_eks_cluster.this.name
  env          = { ENABLE_PREFIX_DELEGATION = "true" }
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, cluster) in facts.clusters().filter(|(name, it)| facts.wants_branches(name, it)) {
        if cluster.cni.prefix_delegation != Fact::Known(true) {
            continue;
        }
        let subnets = cluster.node_groups.values().flat_map(|it| &it.subnets);
        for id in subnets {
            let blocks = facts.input.topology.subnets.get(id).and_then(|it| it.blocks.known());
            let small = blocks.into_iter().flatten().find(|it| it.addr().is_ipv4() && it.prefix_len() >= SMALL);
            if let Some(block) = small {
                let addr =
                    facts.meant_by(id.as_str(), "aws_subnet", &["id"]).and_then(|(object, _)| object.addr.as_ref());
                let what = format!("Nodes of cluster {name} delegate prefixes of {block} beside branch interfaces.");
                found.push(RULE.finding(addr.or(cluster.managed_by.as_ref()), what));
            }
        }
    }
    found
}
