output "cluster_name" {
  description = "The cluster."
  value       = module.cluster.cluster_name
}

output "internet_security_group_id" {
  description = "The group that lets chosen pods out."
  value       = aws_security_group.internet.id
}
