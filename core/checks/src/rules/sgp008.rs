//! SGP008: an enforcing mode that does not exist.

use sgp_model::symbol;

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP008",
    severity: Severity::Error,
    title: "Enforcing mode that does not exist",
    consequence: "`aws-node` checks the value as it starts and exits: no node becomes Ready.",
    fix: "Write `strict` or `standard`, in lower case.",
    sources: &["github.com/aws/amazon-vpc-cni-k8s: cmd/aws-vpc-cni/main.go"],
    live: Live::Nothing,
    examples: Examples {
        before: "",
        wrong: r#"
resource "sgp_pod_eni" "this" {
  cluster_name   = aws_eks_cluster.this.name
  enforcing_mode = "Strict"
}
"#,
        right: r#"
resource "sgp_pod_eni" "this" {
  cluster_name   = aws_eks_cluster.this.name
  enforcing_mode = "strict"
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for cni in facts.cni() {
        let Some(mode) = cni.mode() else { continue };
        if !symbol::is_in(mode) && mode != "strict" && mode != "standard" {
            found.push(RULE.finding(cni.object.addr.as_ref(), format!("The mode is {mode:?}.")).attribute(cni.path()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::testing::rows;

    #[test]
    fn it_is_a_variable_too() {
        let addon = |mode: &str| {
            format!(
                r#"resource "aws_eks_addon" "cni" {{
                  cluster_name         = aws_eks_cluster.this.name
                  addon_name           = "vpc-cni"
                  configuration_values = jsonencode({{ env = {{ POD_SECURITY_GROUP_ENFORCING_MODE = {mode} }} }})
                }}"#
            )
        };
        rows(
            "SGP008",
            &[
                (&addon("\"standard\""), &[]),
                (&addon("\"Standard\""), &["error aws_eks_addon.cni"]),
                (&addon("var.mode"), &[]),
            ],
        );
    }
}
