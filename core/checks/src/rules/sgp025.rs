//! SGP025: a cool-down that is raised.

use sgp_model::{AttrPath, InstanceAddr};

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

/// The least that the controller takes, in seconds (docs/sgp/sgp_config_options.md of the VPC resource controller).
const LEAST: i64 = 30;

pub(super) static RULE: Rule = Rule {
    id: "SGP025",
    severity: Severity::Warning,
    title: "Cool-down of branch interfaces below 30 seconds",
    consequence: "The controller takes 30 seconds instead, without a word.",
    fix: "Write 30 or more; 60 is what it takes by itself.",
    sources: &["github.com/aws/amazon-vpc-resource-controller-k8s: docs/sgp/sgp_config_options.md"],
    live: Live::Kubernetes,
    examples: Examples {
        before: "",
        wrong: r#"
resource "sgp_pod_eni" "this" {
  cluster_name        = aws_eks_cluster.this.name
  branch_eni_cooldown = 10
}
"#,
        right: r#"
resource "sgp_pod_eni" "this" {
  cluster_name        = aws_eks_cluster.this.name
  branch_eni_cooldown = 60
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut judge = |seconds: Option<i64>, addr: Option<&InstanceAddr>, path: AttrPath| {
        if let Some(seconds) = seconds.filter(|it| *it < LEAST) {
            found.push(RULE.finding(addr, format!("The cool-down is {seconds} seconds.")).attribute(path));
        }
    };
    for cni in facts.cni() {
        let of_addon = cni.values.as_ref().map(|it| &it["branchENICooldown"]);
        let of_addon = of_addon.and_then(|it| it.as_i64().or_else(|| it.as_str()?.parse().ok()));
        judge(of_addon, cni.object.addr.as_ref(), cni.path());
        judge(cni.view.number("branch_eni_cooldown"), cni.object.addr.as_ref(), AttrPath::attr("branch_eni_cooldown"));
    }
    for map in
        facts.manifests("ConfigMap").filter(|it| it.name() == "amazon-vpc-cni" && it.namespace() == "kube-system")
    {
        let seconds = map.json["data"]["branch-eni-cooldown"].as_str().and_then(|it| it.parse().ok());
        judge(seconds, map.addr(), AttrPath::attr("manifest"));
    }
    found
}
