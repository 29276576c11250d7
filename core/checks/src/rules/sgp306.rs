//! SGP306: a group that this plan destroys.

use sgp_analysis::build::View;
use sgp_model::plan::Action;

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP306",
    severity: Severity::Error,
    title: "Policy names a group that goes",
    consequence: "New pods hang in creation: InvalidSecurityGroupID.NotFound.",
    fix: "Take the group out of the policy, or keep it. A reference instead of an id keeps the two together.",
    sources: &["Amazon EKS user guide, \"Use a security group policy for an Amazon EKS Pod\""],
    live: Live::Aws,
    examples: Examples {
        before: r#"
resource "aws_security_group" "old" {
  id     = "sg-0123456789abcdef0"
  name   = "orders-old"
  vpc_id = aws_vpc.this.id
}

resource "sgp_security_group_policy" "backend" {
  cluster_name       = aws_eks_cluster.this.name
  name               = "backend"
  namespace          = "app"
  security_group_ids = [aws_security_group.backend.id, "sg-0123456789abcdef0"]

  pod_selector {
    match_labels = { app = "backend" }
  }
}
"#,
        wrong: r#"
resource "sgp_security_group_policy" "backend" {
  cluster_name       = aws_eks_cluster.this.name
  name               = "backend"
  namespace          = "app"
  security_group_ids = [aws_security_group.backend.id, "sg-0123456789abcdef0"]

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
    for object in facts.input.before.iter().filter(|it| it.kind == "aws_security_group") {
        let goes = facts.action(object.addr.as_ref()) == Action::Delete;
        let (Some(id), Some(addr)) = (View(&object.attributes).text("id").filter(|_| goes), &object.addr) else {
            continue;
        };
        for policy in facts.policies().iter().filter(|it| it.stated_ids().contains(&id)) {
            let what = format!("The {} names {id}, and the plan deletes {addr}, which is that group.", policy.who());
            found.push(RULE.finding(policy.addr(), what).attribute(policy.groups_path()));
        }
    }
    found
}
