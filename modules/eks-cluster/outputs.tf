output "cluster_name" {
  description = "The cluster's name. What uses it comes after pod ENI is on."
  value       = aws_eks_cluster.this.name
  depends_on  = [sgp_pod_eni.this]
}

output "cluster_arn" {
  description = "The cluster's ARN."
  value       = aws_eks_cluster.this.arn
}

output "cluster_endpoint" {
  description = "Where the API server answers."
  value       = aws_eks_cluster.this.endpoint
}

output "cluster_certificate_authority" {
  description = "The API server's CA certificate, PEM in base64."
  value       = aws_eks_cluster.this.certificate_authority[0].data
}

output "cluster_version" {
  description = "The Kubernetes version."
  value       = aws_eks_cluster.this.version
}

output "cluster_security_group_id" {
  description = "The group that EKS makes: control plane, nodes, and pods without groups of their own carry it."
  value       = local.cluster_group
}

output "pods_security_group_id" {
  description = "The group with which pods ask for names: give it in every policy, beside the group of the application."
  value       = aws_security_group.pods.id
  # Whoever carries it expects an answer.
  depends_on = [aws_vpc_security_group_egress_rule.pods_dns, aws_vpc_security_group_ingress_rule.dns_from_pods]
}

output "oidc_provider_arn" {
  description = "The OIDC provider, for sgp//irsa-role."
  value       = aws_iam_openid_connect_provider.this.arn
}

output "oidc_provider_url" {
  description = "The cluster's issuer, for sgp//irsa-role."
  value       = aws_eks_cluster.this.identity[0].oidc[0].issuer
}

output "cluster_role_arn" {
  description = "The control plane's role."
  value       = local.cluster_role_arn
}

output "node_role_arn" {
  description = "The nodes' role."
  value       = local.node_role_arn
}

output "node_groups" {
  description = "The node groups by name: their ARNs. What needs nodes depends on it, or on the whole module."
  value       = { for name, group in aws_eks_node_group.this : name => group.arn }
}
