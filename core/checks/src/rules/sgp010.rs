//! SGP010: probes in strict mode with TCP early demultiplexing.

use sgp_analysis::topology::{EnforcingMode, Fact};

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP010",
    severity: Severity::Error,
    title: "Strict mode with TCP early demultiplexing",
    consequence: "In strict mode kubelet's TCP, HTTP and gRPC probes of pods with branch interfaces get no answer: the pods never \
                  become Ready, or restart again and again, while the application is well.",
    fix: "Set `disable_tcp_early_demux = true` (with the add-on: `DISABLE_TCP_EARLY_DEMUX = \"true\"` in `init.env`), or use \
          standard mode.",
    sources: &[
        "github.com/aws/amazon-vpc-cni-k8s#1212",
        "github.com/aws/amazon-vpc-cni-k8s#1269",
        "Amazon EKS user guide, \"Configure the Amazon VPC CNI plugin for Kubernetes for security groups for Amazon EKS Pods\"",
    ],
    live: Live::Kubernetes,
    examples: Examples {
        before: "",
        wrong: r#"
resource "sgp_pod_eni" "this" {
  cluster_name            = aws_eks_cluster.this.name
  enforcing_mode          = "strict"
  disable_tcp_early_demux = false
}
"#,
        right: r#"
resource "sgp_pod_eni" "this" {
  cluster_name            = aws_eks_cluster.this.name
  enforcing_mode          = "strict"
  disable_tcp_early_demux = true
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, cluster) in facts.clusters() {
        let cni = &cluster.cni;
        let is_so = cni.pod_eni == Fact::Known(true)
            && cni.mode == Fact::Known(EnforcingMode::Strict)
            && cni.is_early_demux_off == Fact::Known(false);
        if !is_so || !facts.policies().iter().any(|it| it.cluster_name == name && it.is_for_nodes()) {
            continue;
        }
        let probed =
            facts.pods().iter().find(|it| it.cluster_name == name && it.has_branch() && !it.template.probes.is_empty());
        let setting = facts.cni_of(name);
        let addr = setting.and_then(|it| it.object.addr.as_ref());
        let finding = match probed {
            Some(pods) => RULE.finding(addr, format!("{} has probes over the network.", pods.who())),
            // Nearly every pod has probes.
            None => {
                RULE.finding(addr, "Pods with policies may have probes over the network.").at_most(Severity::Warning)
            }
        };
        found.push(finding);
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::testing::rows;

    #[test]
    fn a_pod_with_probes_makes_it_sure() {
        let off = "resource \"sgp_pod_eni\" \"this\" {\ncluster_name = aws_eks_cluster.this.name\ndisable_tcp_early_demux = false\n";
        let deployment = |probe: &str| {
            format!(
                r#"{off}}}
                resource "kubernetes_manifest" "backend" {{
                  manifest = {{
                    kind     = "Deployment"
                    metadata = {{ name = "backend", namespace = "app" }}
                    spec     = {{ template = {{
                      metadata = {{ labels = {{ app = "backend" }} }}
                      spec     = {{ containers = [{{ name = "c", readinessProbe = {probe} }}] }}
                    }} }}
                  }}
                }}"#
            )
        };
        rows(
            "SGP010",
            &[
                (&deployment("{ httpGet = { port = 8080 } }"), &["error sgp_pod_eni.this"]),
                (&deployment("{ exec = { command = [\"true\"] } }"), &["warning sgp_pod_eni.this"]),
                (&format!("{off}enforcing_mode = \"standard\"\n}}"), &[]),
            ],
        );
    }
}
