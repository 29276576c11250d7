//! SGP304: more groups than the cluster's CRD takes.

use serde_json::Value as Json;

use crate::{Examples, Facts, Finding, Live, Rule, Severity, facts::list};

pub(super) static RULE: Rule = Rule {
    id: "SGP304",
    severity: Severity::Error,
    title: "More groups than the CRD takes",
    consequence: "The API server refuses the policy. Clusters with a controller before 1.7.17 take five groups.",
    fix: "Part the groups among several policies that match the same pods, or join groups.",
    sources: &[
        "github.com/aws/amazon-vpc-resource-controller-k8s#583",
        "github.com/aws/amazon-vpc-resource-controller-k8s#664",
    ],
    live: Live::Kubernetes,
    examples: Examples {
        before: "",
        wrong: r#"
# As it is in the cluster.
resource "kubernetes_manifest" "crd" {
  manifest = {
    apiVersion = "apiextensions.k8s.io/v1"
    kind       = "CustomResourceDefinition"
    metadata   = { name = "securitygrouppolicies.vpcresources.k8s.aws" }
    spec = {
      versions = [{
        name = "v1beta1"
        schema = { openAPIV3Schema = { properties = { spec = { properties = { securityGroups = { properties = {
          groupIds = { type = "array", minItems = 1, maxItems = 5 }
        } } } } } } }
      }]
    }
  }
}

resource "sgp_security_group_policy" "backend" {
  cluster_name       = aws_eks_cluster.this.name
  name               = "backend"
  namespace          = "app"
  security_group_ids = [
    aws_security_group.backend.id,
    "sg-00000001", "sg-00000002", "sg-00000003", "sg-00000004", "sg-00000005",
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
  security_group_ids = [aws_security_group.backend.id, "sg-00000001"]

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
    let crds = facts.manifests("CustomResourceDefinition");
    for crd in crds.filter(|it| it.name() == "securitygrouppolicies.vpcresources.k8s.aws") {
        let Some(most) = list(&crd.json["spec"]["versions"]).find_map(most) else { continue };
        for policy in facts.policies().iter().filter(|it| crd.is_in(it.cluster_name)) {
            let count = policy.policy.groups.known().map_or(0, Vec::len) as u64;
            if count > most {
                let what =
                    format!("The {} names {count} groups, and the CRD of the cluster takes {most}.", policy.who());
                found.push(RULE.finding(policy.addr(), what).attribute(policy.groups_path()));
            }
        }
    }
    found
}

fn most(version: &Json) -> Option<u64> {
    let path = "/schema/openAPIV3Schema/properties/spec/properties/securityGroups/properties/groupIds/maxItems";
    version.pointer(path)?.as_u64()
}
