//! Every resource type through one suite: made, settled, changed in each argument, replaced by each argument that forces it, imported,
//! found to be gone, deleted. The tables say what is edited; the suite says what must follow.
#![expect(clippy::unwrap_used, reason = "a test stops where it stands")]

mod bulk;
mod case;
mod coverage;
mod ec2;
mod eks;
mod eks_access;
mod iam;
mod kubernetes;
mod launch_template;
mod life;
mod networks;
mod pod_security;
mod setting;
mod utility;

use case::Case;

macro_rules! lives {
    ($($name:ident: $case:expr;)*) => {
        /// Every case, one a type.
        fn cases() -> Vec<Case> {
            vec![$($case),*]
        }

        $(#[test] fn $name() { life::run(&$case); })*
    };
}

lives! {
    aws_ec2_managed_prefix_list: networks::managed_prefix_list();
    aws_eip: networks::eip();
    aws_eks_access_entry: eks_access::access_entry();
    aws_eks_access_policy_association: eks_access::access_policy_association();
    aws_eks_addon: eks::addon();
    aws_eks_cluster: eks::cluster();
    aws_eks_fargate_profile: eks_access::fargate_profile();
    aws_eks_node_group: eks::node_group();
    aws_eks_pod_identity_association: eks_access::pod_identity_association();
    aws_iam_openid_connect_provider: iam::openid_connect_provider();
    aws_iam_policy: iam::policy();
    aws_iam_role: iam::role();
    aws_iam_role_policy: iam::role_policy();
    aws_iam_role_policy_attachment: iam::role_policy_attachment();
    aws_internet_gateway: networks::internet_gateway();
    aws_launch_template: launch_template::launch_template();
    aws_nat_gateway: networks::nat_gateway();
    aws_network_acl: networks::network_acl();
    aws_network_acl_rule: networks::network_acl_rule();
    aws_route: networks::route();
    aws_route_table: networks::route_table();
    aws_route_table_association: networks::route_table_association();
    aws_security_group: ec2::security_group();
    aws_subnet: networks::subnet();
    aws_vpc: networks::vpc();
    aws_vpc_endpoint: networks::vpc_endpoint();
    aws_vpc_peering_connection: networks::peering_connection();
    aws_vpc_peering_connection_accepter: networks::peering_connection_accepter();
    aws_vpc_peering_connection_options: networks::peering_connection_options();
    aws_vpc_security_group_egress_rule: ec2::egress_rule();
    aws_vpc_security_group_ingress_rule: ec2::ingress_rule();
    cloudinit_config: utility::cloudinit_config();
    kubernetes_manifest: kubernetes::manifest();
    kubernetes_namespace_v1: kubernetes::namespace();
    kubernetes_network_policy_v1: kubernetes::network_policy();
    kubernetes_service_account_v1: kubernetes::service_account();
    local_file: utility::local_file();
    local_sensitive_file: utility::local_sensitive_file();
    null_resource: utility::null_resource();
    random_bytes: utility::random_bytes();
    random_id: utility::random_id();
    random_integer: utility::random_integer();
    random_password: utility::random_password();
    random_pet: utility::random_pet();
    random_shuffle: utility::random_shuffle();
    random_string: utility::random_string();
    random_uuid: utility::random_uuid();
    random_uuid4: utility::random_uuid4();
    random_uuid7: utility::random_uuid7();
    sgp_pod_eni: pod_security::pod_eni();
    sgp_security_group_policy: pod_security::security_group_policy();
    terraform_data: kubernetes::terraform_data();
    time_offset: utility::time_offset();
    time_rotating: utility::time_rotating();
    time_sleep: utility::time_sleep();
    time_static: utility::time_static();
    tls_cert_request: utility::tls_cert_request();
    tls_locally_signed_cert: utility::tls_locally_signed_cert();
    tls_private_key: utility::tls_private_key();
    tls_self_signed_cert: utility::tls_self_signed_cert();
}
