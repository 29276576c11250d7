//! SGP020: the VPC CNI may not ask for a trunk.

use crate::{
    Examples, Facts, Finding, Live, Rule, Severity,
    facts::{list, texts_or_one},
};

pub(super) static RULE: Rule = Rule {
    id: "SGP020",
    severity: Severity::Error,
    title: "ClusterRole aws-node without cninodes",
    consequence: "`aws-node` asks for a trunk in the CNINode of its node. Where it may not patch that, nodes get none.",
    fix: "Allow get, list, watch and patch of cninodes.vpcresources.k8s.aws, as the chart of the VPC CNI does.",
    sources: &["github.com/aws/amazon-vpc-cni-k8s: charts/aws-vpc-cni/templates/clusterrole.yaml"],
    live: Live::Kubernetes,
    examples: Examples {
        before: "",
        wrong: r#"
resource "kubernetes_manifest" "aws_node" {
  manifest = {
    apiVersion = "rbac.authorization.k8s.io/v1"
    kind       = "ClusterRole"
    metadata   = { name = "aws-node" }
    rules      = [{ apiGroups = [""], resources = ["pods", "nodes"], verbs = ["get", "list", "watch"] }]
  }
}
"#,
        right: r#"
resource "kubernetes_manifest" "aws_node" {
  manifest = {
    apiVersion = "rbac.authorization.k8s.io/v1"
    kind       = "ClusterRole"
    metadata   = { name = "aws-node" }
    rules = [
      { apiGroups = [""], resources = ["pods", "nodes"], verbs = ["get", "list", "watch"] },
      { apiGroups = ["vpcresources.k8s.aws"], resources = ["cninodes"], verbs = ["get", "list", "watch", "patch"] },
    ]
  }
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for role in facts.manifests("ClusterRole").filter(|it| it.name() == "aws-node" && it.is_whole()) {
        // Rules that are put together from other roles are not seen here.
        if role.json.get("aggregationRule").is_some() || !role.json["rules"].is_array() {
            continue;
        }
        let has = |rule: &serde_json::Value, field: &str, wanted: &str| {
            texts_or_one(&rule[field]).iter().any(|it| *it == wanted || *it == "*")
        };
        let allows = |verb: &str| {
            let mut rules = list(&role.json["rules"]);
            rules.any(|it| {
                has(it, "apiGroups", "vpcresources.k8s.aws")
                    && has(it, "resources", "cninodes")
                    && has(it, "verbs", verb)
            })
        };
        let missing: Vec<&str> = ["get", "list", "watch", "patch"].into_iter().filter(|verb| !allows(verb)).collect();
        if !missing.is_empty() {
            let what = format!("The role does not allow {} of cninodes.", missing.join(", "));
            found.push(RULE.finding(role.addr(), what).attr("manifest"));
        }
    }
    found
}
