//! Every resource type through one suite: made, settled, changed in each argument, replaced by each argument that forces it, imported,
//! found to be gone, deleted. The tables say what is edited; the suite says what must follow.
#![expect(clippy::unwrap_used, reason = "a test stops where it stands")]

mod bulk;
mod case;
mod coverage;
mod ec2;
mod eks;
mod iam;
mod kubernetes;
mod launch_template;
mod life;
mod pod_security;
mod setting;

use case::Case;

/// Every case, one a type.
fn cases() -> Vec<Case> {
    vec![
        ec2::security_group(),
        ec2::ingress_rule(),
        ec2::egress_rule(),
        launch_template::launch_template(),
        iam::role(),
        iam::policy(),
        iam::role_policy(),
        iam::role_policy_attachment(),
        iam::openid_connect_provider(),
        eks::cluster(),
        eks::node_group(),
        eks::addon(),
        kubernetes::namespace(),
        kubernetes::service_account(),
        kubernetes::network_policy(),
        kubernetes::manifest(),
        kubernetes::terraform_data(),
        pod_security::security_group_policy(),
        pod_security::pod_eni(),
    ]
}

macro_rules! lives {
    ($($name:ident: $case:expr;)*) => {
        $(#[test] fn $name() { life::run(&$case); })*
    };
}

lives! {
    aws_eks_addon: eks::addon();
    aws_eks_cluster: eks::cluster();
    aws_eks_node_group: eks::node_group();
    aws_iam_openid_connect_provider: iam::openid_connect_provider();
    aws_iam_policy: iam::policy();
    aws_iam_role: iam::role();
    aws_iam_role_policy: iam::role_policy();
    aws_iam_role_policy_attachment: iam::role_policy_attachment();
    aws_launch_template: launch_template::launch_template();
    aws_security_group: ec2::security_group();
    aws_vpc_security_group_egress_rule: ec2::egress_rule();
    aws_vpc_security_group_ingress_rule: ec2::ingress_rule();
    kubernetes_manifest: kubernetes::manifest();
    kubernetes_namespace_v1: kubernetes::namespace();
    kubernetes_network_policy_v1: kubernetes::network_policy();
    kubernetes_service_account_v1: kubernetes::service_account();
    sgp_pod_eni: pod_security::pod_eni();
    sgp_security_group_policy: pod_security::security_group_policy();
    terraform_data: kubernetes::terraform_data();
}
