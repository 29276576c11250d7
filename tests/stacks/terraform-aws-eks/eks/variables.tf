variable "create" {
  type    = bool
  default = true
}

variable "cluster_name" {
  type = string
}

variable "cluster_version" {
  type    = string
  default = null
}

variable "vpc_id" {
  type = string
}

variable "subnet_ids" {
  type    = list(string)
  default = []
}

variable "control_plane_subnet_ids" {
  type    = list(string)
  default = []
}

variable "cluster_endpoint_public_access" {
  type    = bool
  default = false
}

variable "cluster_endpoint_public_access_cidrs" {
  type    = list(string)
  default = ["0.0.0.0/0"]
}

variable "iam_role_additional_policies" {
  type    = map(string)
  default = {}
}

variable "cluster_addons" {
  type    = any
  default = {}
}

variable "cluster_security_group_additional_rules" {
  type    = any
  default = {}
}

variable "node_security_group_additional_rules" {
  type    = any
  default = {}
}

variable "eks_managed_node_groups" {
  type    = any
  default = {}
}

variable "eks_managed_node_group_defaults" {
  type    = any
  default = {}
}

variable "tags" {
  type    = map(string)
  default = {}
}
