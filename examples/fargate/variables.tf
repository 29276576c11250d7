variable "vpc_id" {
  description = "The VPC of the cluster."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets of that VPC, in at least two availability zones: Fargate takes no others."
  type        = list(string)
}

variable "name" {
  description = "The cluster's name; the names of everything else begin with it."
  type        = string
  default     = "payments"
}

variable "kubernetes_version" {
  description = "The cluster's Kubernetes version; null takes EKS's default."
  type        = string
  default     = null
}


variable "sample_pods" {
  description = "Whether to start pods to try it with."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of everything in AWS."
  type        = map(string)
  default     = {}
}
