//! Ephemeral resources, one file each.

pub mod aws_eks_cluster_auth;
