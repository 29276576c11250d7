output "cluster_name" {
  value = try(aws_eks_cluster.this[0].name, "")
}

output "cluster_oidc_issuer_url" {
  value = try(aws_eks_cluster.this[0].identity[0].oidc[0].issuer, null)
}

output "oidc_provider_arn" {
  value = try(aws_iam_openid_connect_provider.oidc_provider[0].arn, null)
}

output "node_security_group_id" {
  value = try(aws_security_group.node[0].id, null)
}

output "eks_managed_node_groups" {
  value = module.eks_managed_node_group
}
