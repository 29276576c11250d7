variable "vpc_id" {
  description = "The VPC that the cluster and the database live in."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets of that VPC, in at least two availability zones."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "EKS needs subnets in at least two availability zones, so give at least two subnet_ids."
  }
}

variable "cluster_name" {
  description = "The cluster's name; the names of everything else begin with it."
  type        = string
  default     = "orders"
}

variable "kubernetes_version" {
  description = "The cluster's Kubernetes version; null takes the newest that EKS offers."
  type        = string
  default     = null
}

variable "namespace" {
  description = "The namespace of the backend."
  type        = string
  default     = "app"
}

variable "backend_replicas" {
  description = "How many pods of the backend to start; with 0 none is made, for whoever starts them in another way."
  type        = number
  default     = 0
}

variable "probe_port" {
  description = "The port on which kubelet probes the backend."
  type        = number
  default     = 8080
}

variable "database_port" {
  description = "The port of the database."
  type        = number
  default     = 5432
}

variable "nodes" {
  description = "How many nodes there are, and how many there may be. A node of m5.large has room for 9 pods with groups of their own."
  type = object({
    min     = optional(number, 1)
    desired = optional(number, 2)
    max     = optional(number, 4)
  })
  default = {}
}

variable "tags" {
  description = "Tags of everything in AWS."
  type        = map(string)
  default     = {}
}
