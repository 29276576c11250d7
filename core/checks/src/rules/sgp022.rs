//! SGP022: kube-proxy in IPVS mode.

use serde_json::Value as Json;

use crate::{Examples, Facts, Finding, Live, Rule, Severity, facts::is_strict};

pub(super) static RULE: Rule = Rule {
    id: "SGP022",
    severity: Severity::Error,
    title: "kube-proxy in IPVS mode",
    consequence: "Pods with branch interfaces do not reach Services, and are not reached through them.",
    fix: "Use the iptables mode of kube-proxy.",
    sources: &["github.com/aws/amazon-vpc-cni-k8s#2982", "github.com/aws/amazon-vpc-cni-k8s#3064"],
    live: Live::Both,
    examples: Examples {
        before: "",
        wrong: r#"
resource "aws_eks_addon" "kube_proxy" {
  cluster_name         = aws_eks_cluster.this.name
  addon_name           = "kube-proxy"
  configuration_values = jsonencode({ mode = "ipvs", ipvs = { scheduler = "rr" } })
}
"#,
        right: r#"
resource "aws_eks_addon" "kube_proxy" {
  cluster_name         = aws_eks_cluster.this.name
  addon_name           = "kube-proxy"
  configuration_values = jsonencode({ mode = "iptables" })
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (object, view) in facts.of_kind("aws_eks_addon").filter(|(_, it)| it.text("addon_name") == Some("kube-proxy")) {
        let values: Option<Json> = view.text("configuration_values").and_then(|it| serde_json::from_str(it).ok());
        let Some((name, cluster)) = facts.cluster_of(&view) else { continue };
        if values.is_some_and(|it| it["mode"] == "ipvs") && facts.wants_branches(name, cluster) {
            let finding = RULE.finding(object.addr.as_ref(), format!("Cluster {name} runs kube-proxy in IPVS mode."));
            let finding = finding.attr("configuration_values");
            // The reports do not say whether standard mode is spared.
            let is_sure = is_strict(cluster) && facts.has_policy_for_nodes(name);
            found.push(if is_sure { finding } else { finding.at_most(Severity::Warning) });
        }
    }
    found
}
