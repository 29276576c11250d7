//! SGP027: a setting that conflicts and is not carried through.

use serde_json::Value as Json;

use crate::{Examples, Facts, Finding, Live, Rule, Severity, facts::Stated};

pub(super) static RULE: Rule = Rule {
    id: "SGP027",
    severity: Severity::Warning,
    title: "A changed setting that the add-on may not carry through",
    consequence: "Where somebody set the same variable on the DaemonSet, the update keeps that value (PRESERVE) or fails (NONE). The \
                  apply may succeed and pod ENI stay off.",
    fix: "Use `resolve_conflicts_on_update = \"OVERWRITE\"` for this change, or `sgp_pod_eni`, which looks at what is there.",
    sources: &["github.com/aws/amazon-vpc-cni-k8s#2272", "Amazon EKS API reference, UpdateAddon, resolveConflicts"],
    live: Live::Both,
    examples: Examples {
        before: r#"
removed {
  from = sgp_pod_eni.this
}

resource "aws_eks_addon" "cni" {
  cluster_name                = aws_eks_cluster.this.name
  addon_name                  = "vpc-cni"
  resolve_conflicts_on_update = "PRESERVE"
}
"#,
        wrong: r#"
removed {
  from = sgp_pod_eni.this
}

resource "aws_eks_addon" "cni" {
  cluster_name                = aws_eks_cluster.this.name
  addon_name                  = "vpc-cni"
  resolve_conflicts_on_update = "PRESERVE"
  configuration_values = jsonencode({
    env  = { ENABLE_POD_ENI = "true" }
    init = { env = { DISABLE_TCP_EARLY_DEMUX = "true" } }
  })
}
"#,
        right: r#"
removed {
  from = sgp_pod_eni.this
}

resource "aws_eks_addon" "cni" {
  cluster_name                = aws_eks_cluster.this.name
  addon_name                  = "vpc-cni"
  resolve_conflicts_on_update = "OVERWRITE"
  configuration_values = jsonencode({
    env  = { ENABLE_POD_ENI = "true" }
    init = { env = { DISABLE_TCP_EARLY_DEMUX = "true" } }
  })
}
"#,
    },
    check,
};

/// Variables that people set by hand.
const OFTEN_SET: [&str; 3] =
    ["/env/ENABLE_POD_ENI", "/env/POD_SECURITY_GROUP_ENFORCING_MODE", "/init/env/DISABLE_TCP_EARLY_DEMUX"];

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for cni in facts.cni().iter().filter(|it| it.stated == Stated::Addon) {
        let Some(addr) = cni.object.addr.as_ref().filter(|it| !facts.is_made(Some(it))) else { continue };
        let (Some(before), Some(after)) = (facts.was(addr), &cni.values) else { continue };
        let resolve = cni.view.text("resolve_conflicts_on_update").unwrap_or_default();
        if resolve != "PRESERVE" && resolve != "NONE" {
            continue;
        }
        let before: Json =
            before.text("configuration_values").and_then(|it| serde_json::from_str(it).ok()).unwrap_or_default();
        let changed =
            OFTEN_SET.into_iter().filter(|it| after.pointer(it).is_some() && after.pointer(it) != before.pointer(it));
        let names: Vec<&str> = changed.filter_map(|it| it.rsplit('/').next()).collect();
        if !names.is_empty() {
            let what = format!("{} changes, and conflicts are resolved by {resolve}.", names.join(", "));
            found.push(RULE.finding(Some(addr), what).attr("resolve_conflicts_on_update"));
        }
    }
    found
}
