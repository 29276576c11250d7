variable "name" {
  description = "The cluster's name; the names of roles and groups begin with it."
  type        = string
}

variable "vpc_id" {
  description = "The VPC of the subnets."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets, in at least two availability zones: the control plane's, and those of node groups without subnets of their own."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "EKS needs subnets in at least two availability zones, so give at least two subnet_ids."
  }
}

variable "kubernetes_version" {
  description = "The Kubernetes version, such as 1.34; null takes EKS's default."
  type        = string
  default     = null
}

# --- pod ENI -------------------------------------------------------------------------------------------------------

variable "enforcing_mode" {
  description = "strict: the pod's groups see all of its traffic. standard: they do not see what stays on a node, nor what the node translates."
  type        = string
  default     = "strict"

  validation {
    condition     = contains(["strict", "standard"], var.enforcing_mode)
    error_message = "enforcing_mode is \"strict\" or \"standard\"."
  }
}

variable "external_snat" {
  description = "Whether a NAT gateway translates what leaves the VPC, and nodes do not; null leaves the VPC CNI's setting alone."
  type        = bool
  default     = null
}

variable "network_policy" {
  description = "Whether the VPC CNI enforces NetworkPolicies; null leaves its setting alone."
  type        = bool
  default     = null
}

variable "branch_eni_cooldown" {
  description = "Seconds before the branch interface of a deleted pod goes, 30 or more; null leaves EKS's 60 alone."
  type        = number
  default     = null
}

variable "vpc_cni_env" {
  description = "More variables of the VPC CNI, such as { WARM_ENI_TARGET = \"0\" }."
  type        = map(string)
  default     = {}
}

# --- nodes and add-ons ---------------------------------------------------------------------------------------------

variable "node_groups" {
  description = "Node groups by name. An m5.large carries 9 pods with groups of their own; no type of the t family carries any."
  type = map(object({
    instance_types = optional(list(string), ["m5.large"])
    min_size       = optional(number, 1)
    desired_size   = optional(number, 2)
    max_size       = optional(number, 4)
    subnet_ids     = optional(list(string))
    capacity_type  = optional(string, "ON_DEMAND")
    ami_type       = optional(string)
    disk_size      = optional(number)
    labels         = optional(map(string), {})
    taints = optional(list(object({
      key    = string
      value  = optional(string)
      effect = string
    })), [])
    launch_template = optional(object({
      id      = string
      version = string
    }))
  }))
  default = { default = {} }
}

variable "addons" {
  description = "Managed add-ons by name, such as { coredns = {} }. What is not named here is installed by EKS and not managed; pod ENI manages vpc-cni."
  type = map(object({
    version                  = optional(string)
    configuration_values     = optional(string)
    service_account_role_arn = optional(string)
  }))
  default = {}

  validation {
    condition     = !contains(keys(var.addons), "vpc-cni")
    error_message = "The add-on vpc-cni is managed with pod ENI: see enforcing_mode, external_snat, network_policy and vpc_cni_env."
  }
}

# --- the control plane ---------------------------------------------------------------------------------------------

variable "endpoint_private_access" {
  description = "Whether the API server is reached from within the VPC."
  type        = bool
  default     = true
}

variable "endpoint_public_access" {
  description = "Whether the API server is reached from the internet."
  type        = bool
  default     = true
}

variable "public_access_cidrs" {
  description = "From where the public endpoint is reached; null is from anywhere."
  type        = list(string)
  default     = null
}

variable "security_group_ids" {
  description = "Further groups of the control plane's interfaces."
  type        = list(string)
  default     = []
}

variable "log_types" {
  description = "Control plane logs: api, audit, authenticator, controllerManager, scheduler."
  type        = list(string)
  default     = []
}

variable "kms_key_arn" {
  description = "A KMS key that encrypts Secrets; it can be added later, and never be taken away."
  type        = string
  default     = null
}

variable "deletion_protection" {
  description = "Whether EKS refuses to delete the cluster until this is turned off."
  type        = bool
  default     = false
}

# --- roles ---------------------------------------------------------------------------------------------------------

variable "cluster_role_arn" {
  description = "An existing role for the control plane, with AmazonEKSClusterPolicy and AmazonEKSVPCResourceController; null makes one."
  type        = string
  default     = null
}

variable "cluster_role_policy_arns" {
  description = "More policies for the control plane's role, by a name of your choice; an existing role is left alone."
  type        = map(string)
  default     = {}
}

variable "node_role_arn" {
  description = "An existing role for nodes; null makes one."
  type        = string
  default     = null
}

variable "node_role_policy_arns" {
  description = "More policies for the nodes' role, by a name of your choice; an existing role is left alone."
  type        = map(string)
  default     = {}
}

variable "permissions_boundary" {
  description = "The ARN of a policy that bounds the roles. It must leave ec2:CreateNetworkInterface and its like to the control plane's."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of everything in AWS."
  type        = map(string)
  default     = {}
}
