# NetworkPolicies and security groups in layers: standard mode, and the network policy agent of the VPC CNI.
#
# The group is the wall around the namespace: it knows the database, which no NetworkPolicy does, and it keeps the rest of the cluster and
# of the VPC out. NetworkPolicies are the walls inside: they know labels, and they count on one node, too, where standard mode shows
# groups nothing. What passes has passed both.

module "cluster" {
  source = "sgp//eks-cluster"

  name           = var.name
  vpc_id         = var.vpc_id
  subnet_ids     = var.subnet_ids
  enforcing_mode = "standard"

  # Without it NetworkPolicies are objects that nobody reads, and standard mode leaves pods of one node open to each other.
  network_policy = true

  # Nodes would put their address in place of the pods', and their group would decide about what leaves the VPC.
  external_snat = true

  tags = var.tags
}

resource "kubernetes_namespace_v1" "shop" {
  cluster_name = module.cluster.cluster_name

  metadata {
    name = "shop"
  }
}

# --- the wall around: one group for the pods of the namespace -------------------------------------------------------

# One, because in standard mode it is not specified whether pods with different groups on one node reach each other.
resource "aws_security_group" "shop" {
  name        = "${var.name}-shop"
  description = "Pods of the shop"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.name}-shop" })
}

resource "aws_security_group" "database" {
  name        = "${var.name}-database"
  description = "The database of the shop"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.name}-database" })
}

# Between nodes the pods' traffic passes the group: what NetworkPolicies allow must be allowed here, too.
resource "aws_vpc_security_group_egress_rule" "within_shop" {
  security_group_id            = aws_security_group.shop.id
  referenced_security_group_id = aws_security_group.shop.id
  description                  = "Within the shop"
  ip_protocol                  = "tcp"
  from_port                    = 8080
  to_port                      = 8080
}

resource "aws_vpc_security_group_ingress_rule" "within_shop" {
  security_group_id            = aws_security_group.shop.id
  referenced_security_group_id = aws_security_group.shop.id
  description                  = "Within the shop"
  ip_protocol                  = "tcp"
  from_port                    = 8080
  to_port                      = 8080
}

resource "aws_vpc_security_group_egress_rule" "shop_to_database" {
  security_group_id            = aws_security_group.shop.id
  referenced_security_group_id = aws_security_group.database.id
  description                  = "To the database"
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_vpc_security_group_ingress_rule" "database_from_shop" {
  security_group_id            = aws_security_group.database.id
  referenced_security_group_id = aws_security_group.shop.id
  description                  = "From the shop"
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

# sgp:ignore SGP312 the group is the wall around the namespace: no pod of it is to be outside
resource "sgp_security_group_policy" "shop" {
  cluster_name       = module.cluster.cluster_name
  name               = "shop"
  namespace          = kubernetes_namespace_v1.shop.metadata[0].name
  security_group_ids = [module.cluster.pods_security_group_id, aws_security_group.shop.id]

  pod_selector {}
}

# --- the walls inside: NetworkPolicies ------------------------------------------------------------------------------

# Nothing comes in or goes out unless another policy says so. Kubelet's probes come from the pod's own node, which is always let in.
resource "kubernetes_network_policy_v1" "nothing" {
  cluster_name = module.cluster.cluster_name

  metadata {
    name      = "nothing"
    namespace = kubernetes_namespace_v1.shop.metadata[0].name
  }

  spec {
    policy_types = ["Ingress", "Egress"]
    pod_selector {}
  }
}

resource "kubernetes_network_policy_v1" "names" {
  cluster_name = module.cluster.cluster_name

  metadata {
    name      = "names"
    namespace = kubernetes_namespace_v1.shop.metadata[0].name
  }

  spec {
    policy_types = ["Egress"]
    pod_selector {}

    egress {
      to {
        namespace_selector {
          match_labels = { "kubernetes.io/metadata.name" = "kube-system" }
        }

        pod_selector {
          match_labels = { "k8s-app" = "kube-dns" }
        }
      }

      dynamic "ports" {
        for_each = ["TCP", "UDP"]

        content {
          protocol = ports.value
          port     = "53"
        }
      }
    }
  }
}

resource "kubernetes_network_policy_v1" "frontend" {
  cluster_name = module.cluster.cluster_name

  metadata {
    name      = "frontend"
    namespace = kubernetes_namespace_v1.shop.metadata[0].name
  }

  spec {
    policy_types = ["Egress"]

    pod_selector {
      match_labels = { app = "frontend" }
    }

    egress {
      to {
        pod_selector {
          match_labels = { app = "backend" }
        }
      }

      ports {
        port = "8080"
      }
    }
  }
}

# To which database is the group's to say: its addresses change, and a NetworkPolicy would have to name them.
resource "kubernetes_network_policy_v1" "backend" {
  cluster_name = module.cluster.cluster_name

  metadata {
    name      = "backend"
    namespace = kubernetes_namespace_v1.shop.metadata[0].name
  }

  spec {
    policy_types = ["Ingress", "Egress"]

    pod_selector {
      match_labels = { app = "backend" }
    }

    ingress {
      from {
        pod_selector {
          match_labels = { app = "frontend" }
        }
      }

      ports {
        port = "8080"
      }
    }

    egress {
      ports {
        port = "5432"
      }
    }
  }
}
