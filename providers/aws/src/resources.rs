//! Resource types, one file each.

pub mod aws_eks_addon;
pub mod aws_eks_cluster;
pub mod aws_eks_node_group;
pub mod aws_iam_openid_connect_provider;
pub mod aws_iam_policy;
pub mod aws_iam_role;
pub mod aws_iam_role_policy;
pub mod aws_iam_role_policy_attachment;
pub mod aws_launch_template;
pub mod aws_security_group;
pub mod aws_vpc_security_group_egress_rule;
pub mod aws_vpc_security_group_ingress_rule;
