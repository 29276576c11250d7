variable "name" {
  description = "The role's name, up to 64 characters."
  type        = string
}

variable "oidc_provider_arn" {
  description = "The ARN of the cluster's OIDC provider: aws_iam_openid_connect_provider.this.arn."
  type        = string
}

variable "oidc_provider_url" {
  description = "The cluster's issuer, with or without https://: aws_eks_cluster.this.identity[0].oidc[0].issuer."
  type        = string
}

variable "namespace" {
  description = "The namespace of the service account."
  type        = string
}

variable "service_account" {
  description = "The name of the service account. With a * or ? in it every account that matches may assume the role."
  type        = string
}

variable "audience" {
  description = "The audience of the token; sts.amazonaws.com in every partition."
  type        = string
  default     = "sts.amazonaws.com"
}

variable "policy_arns" {
  description = "Managed policies to attach, by a name of your choice (the name must be known at plan time, the ARN need not be)."
  type        = map(string)
  default     = {}
}

variable "inline_policies" {
  description = "Inline policies (JSON) by name."
  type        = map(string)
  default     = {}
}

variable "description" {
  description = "The role's description."
  type        = string
  default     = null
}

variable "path" {
  description = "The role's path."
  type        = string
  default     = "/"
}

variable "permissions_boundary" {
  description = "The ARN of a policy that bounds the role."
  type        = string
  default     = null
}

variable "max_session_duration" {
  description = "How long a session may be, in seconds, between 3600 and 43200."
  type        = number
  default     = 3600

  validation {
    condition     = var.max_session_duration >= 3600 && var.max_session_duration <= 43200
    error_message = "max_session_duration is in seconds, from 3600 (one hour) to 43200 (twelve hours)."
  }
}

variable "tags" {
  description = "Tags of the role."
  type        = map(string)
  default     = {}
}
