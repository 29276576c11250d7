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
  default     = "shop"
}

variable "enforcing_mode" {
  description = "strict, or standard: there nodes translate what leaves the VPC, and their group decides in place of the pods'."
  type        = string
  default     = "strict"
}

variable "namespaces" {
  description = "Namespaces whose pods have no internet unless they are allowed to."
  type        = set(string)
  default     = ["shop", "reports"]
}

variable "internet_ports" {
  description = "TCP ports on the internet that chosen pods may use."
  type        = set(number)
  default     = [443]
}

variable "sample_pods" {
  description = "Whether to start pods to try it with: shop/crawler, which is allowed, shop/worker and reports/monthly."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of everything in AWS."
  type        = map(string)
  default     = {}
}
