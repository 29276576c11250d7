output "cluster_name" {
  description = "The cluster."
  value       = aws_eks_cluster.this.name
}

output "database_security_group_id" {
  description = "The group for the database instance."
  value       = aws_security_group.database.id
}

output "database_subnet_ids" {
  description = "The subnets for the database."
  value       = [for subnet in aws_subnet.database : subnet.id]
}

output "peering_connection_id" {
  description = "The connection between the VPCs."
  value       = aws_vpc_peering_connection.database.id
}
