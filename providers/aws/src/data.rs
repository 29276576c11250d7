//! Data sources, one file each.

pub mod aws_availability_zones;
pub mod aws_caller_identity;
pub mod aws_ec2_managed_prefix_list;
pub mod aws_eks_addon_version;
pub mod aws_eks_cluster;
pub mod aws_eks_cluster_auth;
pub mod aws_iam_policy_document;
pub mod aws_partition;
pub mod aws_region;
pub mod aws_security_group;
pub mod aws_security_groups;
pub mod aws_subnet;
pub mod aws_subnets;
pub mod aws_vpc;
