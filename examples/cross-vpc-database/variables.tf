variable "name" {
  description = "The cluster's name; the names of everything else begin with it."
  type        = string
  default     = "orders"
}

variable "kubernetes_version" {
  description = "The cluster's Kubernetes version; null takes EKS's default."
  type        = string
  default     = null
}

variable "cluster_cidr" {
  description = "The addresses of the cluster's VPC."
  type        = string
  default     = "10.20.0.0/16"
}

variable "database_cidr" {
  description = "The addresses of the database's VPC. VPCs whose addresses overlap cannot be peered."
  type        = string
  default     = "10.30.0.0/16"
}

variable "database_port" {
  description = "The port of the database."
  type        = number
  default     = 5432
}

variable "database_account_id" {
  description = "The account of the database's VPC, where that is another one; its side accepts the connection then."
  type        = string
  default     = null
}

variable "sample_pods" {
  description = "Whether to start pods to try it with: one that may reach the database, and one that may not."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of everything in AWS."
  type        = map(string)
  default     = {}
}
