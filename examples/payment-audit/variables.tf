variable "vpc_id" {
  description = "The VPC that the cluster lives in."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets of that VPC, in at least two availability zones."
  type        = list(string)
}

variable "name" {
  description = "The cluster's name; the names of everything else begin with it."
  type        = string
  default     = "payments"
}

variable "provider_cidrs" {
  description = "The addresses of the payment provider."
  type        = list(string)
  default     = ["198.51.100.0/24"]
}

variable "sample_pods" {
  description = "Whether to start pods to try it with: shop/checkout, payment/api and payment/ledger."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of everything in AWS."
  type        = map(string)
  default     = {}
}
