variable "vpc_id" {
  description = "The VPC that the cluster lives in."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets of that VPC with a NAT gateway on their way out, in at least two availability zones."
  type        = list(string)
}

variable "name" {
  description = "The cluster's name; the names of everything else begin with it."
  type        = string
  default     = "layers"
}

variable "sample_pods" {
  description = "Whether to start pods to try it with: shop/frontend, shop/reports and shop/backend, two of each."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of everything in AWS."
  type        = map(string)
  default     = {}
}
