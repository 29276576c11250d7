//! SGP422: the cluster's group does not let in itself.

use sgp_analysis::{
    sets::{Protocol, Traffic},
    topology::Direction,
};

use crate::{
    Examples, Facts, Finding, Live, Rule, Severity,
    facts::{Other, Sure},
};

pub(super) static RULE: Rule = Rule {
    id: "SGP422",
    severity: Severity::Warning,
    title: "Cluster group tightened below what EKS needs",
    consequence: "Nodes lose the control plane, kubelet or DNS. EKS puts the rule back at the next update of the cluster.",
    fix: "Let the group admit itself on tcp/443, tcp/10250, tcp/53 and udp/53 at least.",
    sources: &["Amazon EKS user guide, \"View Amazon EKS security group requirements for clusters\""],
    live: Live::Aws,
    examples: Examples {
        before: "",
        wrong: r#"
# As they are in AWS.
resource "aws_eks_cluster" "this" {
  name     = "orders"
  role_arn = aws_iam_role.cluster.arn

  vpc_config {
    subnet_ids                = [aws_subnet.a.id]
    cluster_security_group_id = "sg-0123456789abcdef0"
  }
}

resource "aws_security_group" "cluster" {
  id      = "sg-0123456789abcdef0"
  name    = "eks-cluster-sg-orders"
  vpc_id  = aws_vpc.this.id
  ingress = []
}
"#,
        right: r#"
resource "aws_eks_cluster" "this" {
  name     = "orders"
  role_arn = aws_iam_role.cluster.arn

  vpc_config {
    subnet_ids                = [aws_subnet.a.id]
    cluster_security_group_id = "sg-0123456789abcdef0"
  }
}

resource "aws_security_group" "cluster" {
  id     = "sg-0123456789abcdef0"
  name   = "eks-cluster-sg-orders"
  vpc_id = aws_vpc.this.id

  ingress {
    protocol  = "-1"
    from_port = 0
    to_port   = 0
    self      = true
  }

  ingress {
    protocol        = "udp"
    from_port       = 53
    to_port         = 53
    security_groups = [aws_security_group.backend.id]
  }

  ingress {
    protocol        = "tcp"
    from_port       = 53
    to_port         = 53
    security_groups = [aws_security_group.backend.id]
  }
}

resource "aws_vpc_security_group_ingress_rule" "dns_from_backend" {
  for_each                     = toset([])
  security_group_id            = "sg-0123456789abcdef0"
  referenced_security_group_id = aws_security_group.backend.id
  ip_protocol                  = each.key
  from_port                    = 53
  to_port                      = 53
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let wanted = [(Protocol::TCP, 443), (Protocol::TCP, 10_250), (Protocol::TCP, 53), (Protocol::UDP, 53)];
    let mut found = Vec::new();
    for (name, cluster) in facts.clusters() {
        // One that does not exist yet has EKS's rules; a group that only is referred to may have any.
        let Some(id) = cluster.group.known().filter(|it| !it.is_symbolic()) else { continue };
        let own = std::slice::from_ref(id);
        let itself = Other { groups: own.to_vec(), ..facts.nodes(cluster) };
        let itself = Other { may_have_more: false, ..itself };
        let is_shut = |(protocol, port): &(Protocol, u16)| {
            facts.passes(own, Direction::Ingress, &Traffic::port(*protocol, *port), &itself) == Sure::No
        };
        let shut: Vec<String> =
            wanted.iter().filter(|it| is_shut(it)).map(|(it, port)| format!("{it}/{port}")).collect();
        // Without nodes that carry it, it is the control plane's alone.
        if !shut.is_empty() && facts.nodes(cluster).groups.contains(id) {
            let addr = facts.input.topology.groups.get(id).and_then(|it| it.managed_by.as_ref());
            let what = format!("The group of cluster {name} does not admit itself on {}.", shut.join(", "));
            found.push(RULE.finding(addr.or(cluster.managed_by.as_ref()), what));
        }
    }
    found
}
