# Two VPCs, from nothing: the cluster's with a way out, the database's with none, and a peering connection between them.

data "aws_availability_zones" "available" {
  state = "available"
}

locals {
  zones = slice(data.aws_availability_zones.available.names, 0, 2)

  # Zone -> number, for addresses: the first half of a VPC is private, the second half public.
  numbers = { for number, zone in local.zones : zone => number }
}

# --- the cluster's VPC ---------------------------------------------------------------------------------------------

# Host names of both sides are on: a peer resolves names to private addresses only where they are.
resource "aws_vpc" "cluster" {
  cidr_block           = var.cluster_cidr
  enable_dns_hostnames = true
  tags                 = merge(var.tags, { Name = "${var.name}-cluster" })
}

resource "aws_subnet" "private" {
  for_each = local.numbers

  vpc_id            = aws_vpc.cluster.id
  cidr_block        = cidrsubnet(var.cluster_cidr, 4, each.value)
  availability_zone = each.key
  tags              = merge(var.tags, { Name = "${var.name}-private-${each.key}" })
}

# For the NAT gateway alone. Pods with groups of their own have private addresses only, and reach the internet through it.
resource "aws_subnet" "public" {
  vpc_id            = aws_vpc.cluster.id
  cidr_block        = cidrsubnet(var.cluster_cidr, 8, 128)
  availability_zone = local.zones[0]
  tags              = merge(var.tags, { Name = "${var.name}-public" })
}

resource "aws_internet_gateway" "cluster" {
  vpc_id = aws_vpc.cluster.id
  tags   = merge(var.tags, { Name = var.name })
}

resource "aws_eip" "nat" {
  domain = "vpc"
  tags   = merge(var.tags, { Name = "${var.name}-nat" })
}

# That it comes after the internet gateway is known; no depends_on is needed.
resource "aws_nat_gateway" "cluster" {
  allocation_id = aws_eip.nat.id
  subnet_id     = aws_subnet.public.id
  tags          = merge(var.tags, { Name = var.name })
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.cluster.id
  tags   = merge(var.tags, { Name = "${var.name}-public" })

  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.cluster.id
  }
}

resource "aws_route_table_association" "public" {
  subnet_id      = aws_subnet.public.id
  route_table_id = aws_route_table.public.id
}

# The routes of this table are objects of their own: others can add theirs. Nodes wait for all of them.
resource "aws_route_table" "private" {
  vpc_id = aws_vpc.cluster.id
  tags   = merge(var.tags, { Name = "${var.name}-private" })
}

resource "aws_route" "internet" {
  route_table_id         = aws_route_table.private.id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.cluster.id
}

resource "aws_route_table_association" "private" {
  for_each = aws_subnet.private

  subnet_id      = each.value.id
  route_table_id = aws_route_table.private.id
}

# Images lie in S3: they need not go through the NAT gateway.
data "aws_region" "current" {}

resource "aws_vpc_endpoint" "s3" {
  vpc_id          = aws_vpc.cluster.id
  service_name    = "com.amazonaws.${data.aws_region.current.region}.s3"
  route_table_ids = [aws_route_table.private.id]
  tags            = merge(var.tags, { Name = "${var.name}-s3" })
}

# --- the database's VPC --------------------------------------------------------------------------------------------

resource "aws_vpc" "database" {
  cidr_block           = var.database_cidr
  enable_dns_hostnames = true
  tags                 = merge(var.tags, { Name = "${var.name}-database" })
}

resource "aws_subnet" "database" {
  for_each = local.numbers

  vpc_id            = aws_vpc.database.id
  cidr_block        = cidrsubnet(var.database_cidr, 4, each.value)
  availability_zone = each.key
  tags              = merge(var.tags, { Name = "${var.name}-database-${each.key}" })
}

resource "aws_route_table" "database" {
  vpc_id = aws_vpc.database.id
  tags   = merge(var.tags, { Name = "${var.name}-database" })
}

resource "aws_route_table_association" "database" {
  for_each = aws_subnet.database

  subnet_id      = each.value.id
  route_table_id = aws_route_table.database.id
}

# --- between them --------------------------------------------------------------------------------------------------

# In one account and region a connection can accept itself. The database's name leads to its private address on both sides.
resource "aws_vpc_peering_connection" "database" {
  vpc_id        = aws_vpc.cluster.id
  peer_vpc_id   = aws_vpc.database.id
  peer_owner_id = var.database_account_id
  auto_accept   = true
  tags          = merge(var.tags, { Name = "${var.name}-database" })

  accepter {
    allow_remote_vpc_dns_resolution = true
  }

  requester {
    allow_remote_vpc_dns_resolution = true
  }
}

# There and back: a connection without routes on both sides carries nothing.
resource "aws_route" "to_database" {
  route_table_id            = aws_route_table.private.id
  destination_cidr_block    = aws_vpc.database.cidr_block
  vpc_peering_connection_id = aws_vpc_peering_connection.database.id
}

resource "aws_route" "to_cluster" {
  route_table_id            = aws_route_table.database.id
  destination_cidr_block    = aws_vpc.cluster.cidr_block
  vpc_peering_connection_id = aws_vpc_peering_connection.database.id
}
