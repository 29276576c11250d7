//! SGP015: the DaemonSet was set by hand.

use sgp_analysis::topology::Labels;

use crate::{
    Examples, Facts, Finding, Live, Rule, Severity,
    facts::{CniSettings, Stated},
};

pub(super) static RULE: Rule = Rule {
    id: "SGP015",
    severity: Severity::Warning,
    title: "VPC CNI set by hand beside its add-on",
    consequence: "The next update of the add-on may take the value back: probes stop working, or nodes ask for no trunk any more.",
    fix: "Put the value into the add-on's configuration, or use `sgp_pod_eni`.",
    sources: &["github.com/aws/amazon-vpc-cni-k8s#2272", "github.com/aws/amazon-vpc-cni-k8s#2479"],
    live: Live::Both,
    examples: Examples {
        before: "",
        wrong: r#"
removed {
  from = sgp_pod_eni.this
}

resource "aws_eks_addon" "cni" {
  cluster_name         = aws_eks_cluster.this.name
  addon_name           = "vpc-cni"
  configuration_values = jsonencode({ env = { AWS_VPC_K8S_CNI_EXTERNALSNAT = "true" } })
}

# As it is in the cluster.
resource "kubernetes_manifest" "aws_node" {
  manifest = {
    apiVersion = "apps/v1"
    kind       = "DaemonSet"
    metadata   = { name = "aws-node", namespace = "kube-system" }
    spec = {
      template = {
        spec = {
          initContainers = [{ name = "aws-vpc-cni-init", env = [{ name = "DISABLE_TCP_EARLY_DEMUX", value = "true" }] }]
          containers     = [{ name = "aws-node", env = [{ name = "ENABLE_POD_ENI", value = "true" }] }]
        }
      }
    }
  }
}
"#,
        right: r#"
removed {
  from = sgp_pod_eni.this
}

resource "aws_eks_addon" "cni" {
  cluster_name = aws_eks_cluster.this.name
  addon_name   = "vpc-cni"
  configuration_values = jsonencode({
    env  = { ENABLE_POD_ENI = "true" }
    init = { env = { DISABLE_TCP_EARLY_DEMUX = "true" } }
  })
}
"#,
    },
    check,
};

/// The variables that count, with what they are without a word.
const ENV: [(&str, &str); 2] = [("ENABLE_POD_ENI", "false"), ("POD_SECURITY_GROUP_ENFORCING_MODE", "strict")];
const INIT: [(&str, &str); 1] = [("DISABLE_TCP_EARLY_DEMUX", "false")];

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for addon in facts.cni().iter().filter(|it| it.stated == Stated::Addon && it.cluster.is_some()) {
        let of_cluster = |it: &&CniSettings<'_>| it.cluster.map(|it| it.0) == addon.cluster.map(|it| it.0);
        let there: Vec<_> = facts.cni().iter().filter(of_cluster).collect();
        // Where sgp_pod_eni speaks, it keeps what it finds.
        let is_merged = there.iter().any(|it| it.stated == Stated::PodEni);
        let Some(live) = there.iter().find(|it| it.stated == Stated::DaemonSet && !is_merged) else { continue };
        let differing = differing(&ENV, &live.env, &addon.env).chain(differing(&INIT, &live.init, &addon.init));
        for name in differing {
            let what =
                format!("{name} of DaemonSet aws-node has a value that the add-on's configuration does not give.");
            found.push(RULE.finding(addon.object.addr.as_ref(), what).attribute(addon.path()));
        }
    }
    found
}

fn differing<'n>(names: &'n [(&'n str, &'n str)], live: &Labels, stated: &Labels) -> impl Iterator<Item = &'n str> {
    let value =
        |from: &Labels, name: &str, usual: &str| from.get(name).map_or(usual.to_owned(), |it| it.to_lowercase());
    let differs = move |(name, usual): &&(&str, &str)| value(live, name, usual) != value(stated, name, usual);
    names.iter().filter(differs).map(|(name, _)| *name).collect::<Vec<_>>().into_iter()
}
