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
  default     = "tenants"
}

variable "tenants" {
  description = "The tenants by name: the port that their pods serve and are probed on, and policies of their role by a name of your choice."
  type = map(object({
    port        = optional(number, 8080)
    policy_arns = optional(map(string), {})
  }))
  default = {
    red  = {}
    blue = { port = 9090 }
  }
}

variable "registry_port" {
  description = "The port of the registry's pods."
  type        = number
  default     = 5000
}

variable "sample_pods" {
  description = "Whether to start pods to try it with: two web servers for each tenant, and two of the registry."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of everything in AWS."
  type        = map(string)
  default     = {}
}
