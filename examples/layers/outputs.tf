output "cluster_name" {
  description = "The cluster."
  value       = module.cluster.cluster_name
}

output "database_security_group_id" {
  description = "The group for the database instance."
  value       = aws_security_group.database.id
}
