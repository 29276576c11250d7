output "cluster_name" {
  description = "The cluster."
  value       = module.cluster.cluster_name
}

output "tenants" {
  description = "Of each tenant the namespace, the group of its pods and the role of service account `tenant`."
  value = { for name in keys(var.tenants) : name => {
    namespace         = kubernetes_namespace_v1.tenant[name].metadata[0].name
    security_group_id = aws_security_group.tenant[name].id
    role_arn          = module.tenant_role[name].arn
  } }
}
