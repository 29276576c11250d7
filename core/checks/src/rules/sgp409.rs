//! SGP409: pods with a role that reach no AWS service.

use sgp_analysis::{
    sets::{Protocol, Traffic},
    topology::{Cluster, Direction, Id},
};

use crate::{
    Examples, Facts, Finding, Live, Rule, Severity,
    facts::{Other, Sure},
};

pub(super) static RULE: Rule = Rule {
    id: "SGP409",
    severity: Severity::Warning,
    title: "Pods with a role and no way to AWS",
    consequence: "The pods have an IAM role and cannot get credentials for it from STS, nor call anything with them: time-outs.",
    fix: "Give the pods' group egress tcp/443 to the internet, to the group of the VPC endpoints, or to a prefix list.",
    sources: &[
        "Amazon EKS user guide, \"View Amazon EKS security group requirements for clusters\"",
        "Amazon EKS best practices guide, \"Security Groups Per Pod\"",
    ],
    live: Live::Both,
    examples: Examples {
        before: "",
        wrong: r#"
resource "kubernetes_service_account_v1" "backend" {
  metadata {
    name        = "backend"
    namespace   = "app"
    labels      = { network = "orders" }
    annotations = { "eks.amazonaws.com/role-arn" = "arn:aws:iam::123456789012:role/orders" }
  }
}

resource "sgp_security_group_policy" "backend" {
  cluster_name       = aws_eks_cluster.this.name
  name               = "backend"
  namespace          = "app"
  security_group_ids = [aws_security_group.backend.id]

  service_account_selector {
    match_labels = { network = "orders" }
  }
}
"#,
        right: r#"
resource "kubernetes_service_account_v1" "backend" {
  metadata {
    name        = "backend"
    namespace   = "app"
    labels      = { network = "orders" }
    annotations = { "eks.amazonaws.com/role-arn" = "arn:aws:iam::123456789012:role/orders" }
  }
}

resource "sgp_security_group_policy" "backend" {
  cluster_name       = aws_eks_cluster.this.name
  name               = "backend"
  namespace          = "app"
  security_group_ids = [aws_security_group.backend.id]

  service_account_selector {
    match_labels = { network = "orders" }
  }
}

resource "aws_vpc_security_group_egress_rule" "aws" {
  security_group_id = aws_security_group.backend.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let anyone = Other { may_have_more: true, ..Other::default() };
    let is_shut = |groups: &[Id]| {
        facts.passes(groups, Direction::Egress, &Traffic::port(Protocol::TCP, 443), &anyone) == Sure::No
    };
    let mut found = Vec::new();
    for policy in facts.policies().iter().filter(|it| it.is_for_nodes()) {
        let Some(selector) = &policy.policy.service_accounts else { continue };
        let accounts = policy.cluster.service_accounts.iter().filter(|((it, _), _)| it == policy.namespace);
        let mut selected = accounts.filter(|(_, it)| it.labels.known().is_some_and(|it| selector.matches(it)));
        let with_role = selected.find(|((_, name), _)| has_role(facts, policy.cluster, policy.namespace, name));
        if let Some((_, name)) = with_role.map(|(key, _)| key)
            && policy.widest().is_some_and(|it| is_shut(&it))
        {
            let what = format!(
                "Service account {name} has a role, and the groups of the {} let nothing out on tcp/443.",
                policy.who()
            );
            found.push(RULE.finding(policy.addr(), what));
        }
    }
    for pods in facts.pods() {
        let account = pods.template.service_account.known();
        let has_role = account.is_some_and(|it| has_role(facts, pods.cluster, pods.namespace, it));
        if has_role && pods.branch_groups().is_some_and(is_shut) {
            let what =
                format!("The service account of {} has a role, and its groups let nothing out on tcp/443.", pods.who());
            found.push(RULE.finding(pods.addr, what));
        }
    }
    found
}

fn has_role(facts: &Facts<'_>, cluster: &Cluster, namespace: &str, name: &str) -> bool {
    let account = cluster.service_accounts.get(&(namespace.to_owned(), name.to_owned()));
    let annotated = account.is_some_and(|it| it.annotations.contains_key("eks.amazonaws.com/role-arn"));
    let mut associations = facts.of_kind("aws_eks_pod_identity_association");
    annotated
        || associations.any(|(_, it)| {
            it.text("namespace") == Some(namespace)
                && it.text("service_account") == Some(name)
                && facts.cluster_of(&it).is_some_and(|(_, theirs)| std::ptr::eq(theirs, cluster))
        })
}
