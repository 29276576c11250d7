# A platform as blueprints build it: the network is looked up, teams are a map, each gets a namespace with quota, limits, roles and
# groups, and add-ons are managed.

variable "vpc_id" {
  type = string
}

variable "subnet_ids" {
  type = list(string)
}

variable "teams" {
  type = map(object({
    quota    = optional(map(string), {})
    database = optional(bool, false)
    replicas = optional(number, 1)
  }))
  default = {
    riders  = { quota = { "requests.cpu" = "20", pods = "40" }, database = true, replicas = 2 }
    drivers = { quota = { pods = "20" } }
  }
}

data "aws_vpc" "selected" {
  id = var.vpc_id
}

data "aws_subnets" "private" {
  filter {
    name   = "vpc-id"
    values = [data.aws_vpc.selected.id]
  }

  filter {
    name   = "tag:kubernetes.io/role/internal-elb"
    values = ["1"]
  }
}

data "aws_subnet" "private" {
  for_each = toset(data.aws_subnets.private.ids)

  id = each.key
}

locals {
  zones = { for id, subnet in data.aws_subnet.private : subnet.availability_zone => id }
}

module "platform" {
  source = "sgp//eks-cluster"

  name                = "platform"
  vpc_id              = data.aws_vpc.selected.id
  subnet_ids          = values(local.zones)
  external_snat       = true
  branch_eni_cooldown = 45

  # A node group for each zone, so that volumes and pods find each other, and one for what everybody needs.
  node_groups = merge(
    { for zone, id in local.zones : "apps-${zone}" => { subnet_ids = [id], instance_types = ["m5.xlarge", "m5a.xlarge"], desired_size = 1, labels = { pool = "apps" } } },
    { system = { instance_types = ["m6i.large"], desired_size = 2, max_size = 3, labels = { pool = "system" } } },
  )

  addons = {
    coredns    = { configuration_values = jsonencode({ replicaCount = 2 }) }
    kube-proxy = {}
  }

  log_types = ["api", "audit", "authenticator"]
  tags      = { Blueprint = "platform" }
}

module "team" {
  source   = "./team"
  for_each = var.teams

  name         = each.key
  team         = each.value
  vpc_id       = data.aws_vpc.selected.id
  cluster      = module.platform
  cluster_name = module.platform.cluster_name

  depends_on = [module.platform]
}

output "databases" {
  value = { for name, team in module.team : name => team.database_security_group_id if team.database_security_group_id != null }
}
