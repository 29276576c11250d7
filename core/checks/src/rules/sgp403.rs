//! SGP403: CoreDNS is under a policy itself.

use sgp_analysis::{
    matching::{Attachment, membership},
    topology::{Fact, Labels, PodTemplate},
};

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP403",
    severity: Severity::Warning,
    title: "CoreDNS is under a policy",
    consequence: "Rules for DNS that name the group of the nodes or of the cluster do not reach it any more, for pods and for nodes.",
    fix: "Let all rules for DNS name the groups of its policy, and let these admit every client: nodes, too.",
    sources: &[
        "Amazon EKS user guide, \"Use a security group policy for an Amazon EKS Pod\"",
        "github.com/aws-quickstart/quickstart-eks-cdk-python#40",
    ],
    live: Live::Kubernetes,
    examples: Examples {
        before: "",
        wrong: r#"
resource "sgp_security_group_policy" "dns" {
  name               = "dns"
  namespace          = "kube-system"
  security_group_ids = ["sg-0123456789abcdef0"]

  pod_selector {
    match_labels = { "k8s-app" = "kube-dns" }
  }
}
"#,
        right: r#"
resource "sgp_security_group_policy" "autoscaler" {
  name               = "autoscaler"
  namespace          = "kube-system"
  security_group_ids = [aws_security_group.backend.id]

  pod_selector {
    match_labels = { "app.kubernetes.io/name" = "cluster-autoscaler" }
  }
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let labels: Labels = [("k8s-app".to_owned(), "kube-dns".to_owned())].into();
    let template = PodTemplate { labels: Fact::Known(labels), ..PodTemplate::default() };
    let mut found = Vec::new();
    for (name, cluster) in facts.clusters() {
        let membership = membership(cluster, "kube-system", &template);
        if !matches!(membership.attachment, Attachment::Branch(_)) {
            continue;
        }
        let here = facts.policies().iter().filter(|it| it.cluster_name == name && it.namespace == "kube-system");
        // A policy for all of kube-system has a rule of its own.
        let matching = here.filter(|it| membership.policies().any(|name| name == it.name) && !it.is_for_everything());
        found.extend(matching.map(|it| RULE.finding(it.addr(), format!("The {} matches CoreDNS.", it.who()))));
    }
    found
}
