output "cluster_name" {
  description = "The cluster."
  value       = aws_eks_cluster.this.name
}

output "cluster_endpoint" {
  description = "Where the cluster's API server answers."
  value       = aws_eks_cluster.this.endpoint
}

output "backend_security_group_id" {
  description = "The group that pods labelled app=backend carry."
  value       = aws_security_group.backend.id
}

output "database_security_group_id" {
  description = "The group for the database instance."
  value       = aws_security_group.database.id
}

output "backend_role_arn" {
  description = "The role of service account backend."
  value       = module.backend_role.arn
}
