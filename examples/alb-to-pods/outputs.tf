output "cluster_name" {
  description = "The cluster."
  value       = module.cluster.cluster_name
}

output "alb_security_group_id" {
  description = "The load balancer's group."
  value       = aws_security_group.alb.id
}

output "web_security_group_id" {
  description = "The group of the pods behind it."
  value       = aws_security_group.web.id
}
