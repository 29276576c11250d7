variable "vpc_id" {
  description = "The VPC that the cluster lives in."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets of that VPC, in at least two availability zones. The load balancer finds public ones by their tag kubernetes.io/role/elb."
  type        = list(string)
}

variable "name" {
  description = "The cluster's name; the names of everything else begin with it."
  type        = string
  default     = "shop"
}

variable "port" {
  description = "The port of the pods."
  type        = number
  default     = 8080
}

variable "client_cidrs" {
  description = "From where the load balancer is reached."
  type        = list(string)
  default     = ["0.0.0.0/0"]
}

variable "certificate_arn" {
  description = "A certificate of ACM; without one the load balancer speaks HTTP."
  type        = string
  default     = null
}

variable "sample_pods" {
  description = "Whether to start pods to try it with: two of shop/web."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of everything in AWS."
  type        = map(string)
  default     = {}
}
