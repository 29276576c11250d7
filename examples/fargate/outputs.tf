output "cluster_name" {
  description = "The cluster."
  value       = aws_eks_cluster.this.name
}

output "pods_security_group_id" {
  description = "The group that pods labelled app=payments carry."
  value       = aws_security_group.payments.id
}

output "database_security_group_id" {
  description = "The group for the database instance."
  value       = aws_security_group.database.id
}
