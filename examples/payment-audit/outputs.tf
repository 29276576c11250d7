output "cluster_name" {
  description = "The cluster."
  value       = module.cluster.cluster_name
}

output "database_security_group_id" {
  description = "The group for the database instance."
  value       = aws_security_group.this["database"].id
}

output "flows" {
  description = "What is meant to be open, to compare with what sgp audit finds."
  value       = [for name, flow in local.flows : "${name} tcp/${flow.port}"]
}
