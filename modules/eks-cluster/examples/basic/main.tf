# A cluster with room for nine pods with groups of their own on each node, and a group for the pods of one application.

variable "vpc_id" {
  type = string
}

variable "subnet_ids" {
  type = list(string)
}

module "cluster" {
  source = "sgp//eks-cluster"

  name       = "shop"
  vpc_id     = var.vpc_id
  subnet_ids = var.subnet_ids

  node_groups = {
    system = { instance_types = ["m6i.large"], desired_size = 2 }
    apps   = { instance_types = ["m5.large", "m5a.large"], max_size = 10, labels = { workload = "apps" } }
  }

  addons = { coredns = {} }
  tags   = { team = "platform" }
}

resource "aws_security_group" "cart" {
  name        = "shop-cart"
  description = "Pods of the cart"
  vpc_id      = var.vpc_id
}

resource "kubernetes_namespace_v1" "cart" {
  cluster_name = module.cluster.cluster_name

  metadata {
    name = "cart"
  }
}

resource "sgp_security_group_policy" "cart" {
  cluster_name       = module.cluster.cluster_name
  name               = "cart"
  namespace          = kubernetes_namespace_v1.cart.metadata[0].name
  security_group_ids = [module.cluster.pods_security_group_id, aws_security_group.cart.id]

  pod_selector {
    match_labels = { app = "cart" }
  }
}
