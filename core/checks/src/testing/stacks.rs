//! Stacks that work, in the style in which people write them.

use super::{again, change, told};

/// A cluster with its roles, pod ENI and nodes: what examples stand in.
pub(crate) const WORKING: &str = r#"
resource "aws_iam_role" "cluster" {
  name               = "orders-cluster"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["sts:AssumeRole", "sts:TagSession"], Principal = { Service = "eks.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy_attachment" "cluster" {
  for_each   = toset(["AmazonEKSClusterPolicy", "AmazonEKSVPCResourceController"])
  role       = aws_iam_role.cluster.name
  policy_arn = "arn:aws:iam::aws:policy/${each.key}"
}

resource "aws_vpc" "this" {
  cidr_block = "10.0.0.0/16"
}

resource "aws_subnet" "a" {
  vpc_id     = aws_vpc.this.id
  cidr_block = "10.0.0.0/20"
}

resource "aws_eks_cluster" "this" {
  name     = "orders"
  version  = "1.34"
  role_arn = aws_iam_role.cluster.arn

  vpc_config {
    subnet_ids = [aws_subnet.a.id]
  }

  depends_on = [aws_iam_role_policy_attachment.cluster]
}

resource "sgp_pod_eni" "this" {
  cluster_name            = aws_eks_cluster.this.name
  via                     = "addon"
  enforcing_mode          = "strict"
  disable_tcp_early_demux = true
}

resource "aws_eks_node_group" "this" {
  cluster_name    = aws_eks_cluster.this.name
  node_group_name = "default"
  subnet_ids      = [aws_subnet.a.id]
  instance_types  = ["m5.large"]

  scaling_config {
    min_size     = 2
    desired_size = 2
    max_size     = 4
  }

  depends_on = [sgp_pod_eni.this]
}

resource "aws_security_group" "backend" {
  name   = "orders-backend"
  vpc_id = aws_vpc.this.id
}

resource "aws_vpc_security_group_egress_rule" "backend_dns" {
  for_each                     = toset(["tcp", "udp"])
  security_group_id            = aws_security_group.backend.id
  referenced_security_group_id = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
  ip_protocol                  = each.key
  from_port                    = 53
  to_port                      = 53
}

resource "aws_vpc_security_group_ingress_rule" "dns_from_backend" {
  for_each                     = toset(["tcp", "udp"])
  security_group_id            = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
  referenced_security_group_id = aws_security_group.backend.id
  ip_protocol                  = each.key
  from_port                    = 53
  to_port                      = 53
}

resource "aws_vpc_security_group_ingress_rule" "backend_probes" {
  security_group_id            = aws_security_group.backend.id
  referenced_security_group_id = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 8080
  to_port                      = 8080
}

resource "kubernetes_namespace_v1" "app" {
  metadata {
    name = "app"
  }
}

resource "kubernetes_service_account_v1" "backend" {
  metadata {
    name      = "backend"
    namespace = "app"
  }
}

resource "sgp_security_group_policy" "backend" {
  cluster_name       = aws_eks_cluster.this.name
  name               = "backend"
  namespace          = "app"
  security_group_ids = [aws_security_group.backend.id]

  pod_selector {
    match_labels = { app = "backend" }
  }

  depends_on = [sgp_pod_eni.this]
}
"#;

#[test]
fn what_works_is_not_found_fault_with() {
    assert_eq!(told(&change(&[], &[WORKING])), Vec::<String>::new());
}

/// Rules and addresses of what is found on the way from nothing to a stack, in a second plan, and when it goes.
fn life(stack: &str) -> [Vec<String>; 3] {
    let short = |found: Vec<crate::Finding>| {
        let rule_and_rest = found.iter().zip(told(&found)).map(|(it, text)| format!("{} {text}", it.rule));
        rule_and_rest.collect()
    };
    [short(change(&[], &[stack])), short(again(&[stack])), short(change(&[stack], &[]))]
}

const MODULES: &str = include_str!("stacks/modules.tf");

#[test]
fn stacks_as_people_write_them_get_what_they_deserve() {
    let prefixes = "SGP112 note aws_eks_addon.before_compute";
    let going = "SGP603 note aws_eks_cluster.this";
    for (stack, made, kept, gone) in [
        (MODULES, vec![prefixes], vec![prefixes], vec![going]),
        (include_str!("stacks/fargate.tf"), vec![], vec![], vec![going]),
        (include_str!("stacks/plain.tf"), vec![], vec![], vec![]),
        (include_str!("stacks/existing.tf"), vec![], vec![], vec![]),
        (&example(), vec![], vec![], vec![going]),
        (include_str!("stacks/karpenter.tf"), vec![], vec![], vec![going]),
    ] {
        assert_eq!(life(stack), [made, kept, gone], "{stack}");
    }
}

/// The example of the repository, with two pods.
fn example() -> String {
    let files = [
        include_str!("../../../../examples/backend-to-rds/main.tf"),
        include_str!("../../../../examples/backend-to-rds/pods.tf"),
        include_str!("../../../../examples/backend-to-rds/variables.tf"),
    ];
    files.join("\n").replace("default     = 0", "default     = 2")
}

/// The stack of the modules has room for each of these mistakes, and each is found where it is.
#[test]
fn one_mistake_in_a_stack_is_found() {
    let both = "[\"AmazonEKSClusterPolicy\", \"AmazonEKSVPCResourceController\"]";
    for (right, wrong, expected) in [
        (both, "[\"AmazonEKSClusterPolicy\"]", "SGP001 error aws_iam_role.cluster"),
        (both, "[\"AmazonEKSVPCResourceController\"]", "SGP003 error aws_iam_role.cluster"),
        (
            "ENABLE_POD_ENI                    = \"true\"",
            "ENABLE_POD_ENI = \"false\"",
            "SGP009 error aws_eks_addon.before_compute",
        ),
        ("MODE = \"strict\"", "MODE = \"Strict\"", "SGP008 error aws_eks_addon.before_compute"),
        ("MODE = \"strict\"", "MODE = \"standard\"", "SGP417 warning aws_eks_addon.before_compute"),
        ("init = { env = { DISABLE", "env = { env = { DISABLE", "SGP013 error aws_eks_addon.before_compute"),
        ("init = {", "initEnv = {", "SGP012 error aws_eks_addon.before_compute"),
        ("init = { env = { DISABLE_TCP_EARLY_DEMUX = \"true\" } }", "", "SGP010 error aws_eks_addon.before_compute"),
        ("depends_on = [aws_eks_addon.before_compute]", "", "SGP018 warning aws_eks_node_group.this"),
        ("[\"m6i.large\", \"m5.large\", \"m5a.large\"]", "[\"t3.large\"]", "SGP101 error aws_eks_node_group.this"),
        ("\"m5a.large\"", "\"t3a.large\"", "SGP103 warning aws_eks_node_group.this"),
        ("replicas = 6", "replicas = 60", "SGP104 error kubernetes_manifest.orders"),
        ("replicas = 6", "replicas = 50", "SGP105 warning kubernetes_manifest.orders"),
        (
            "depends_on = [sgp_security_group_policy.orders, ",
            "depends_on = [",
            "SGP317 error kubernetes_manifest.orders",
        ),
        (
            "= 8080\n  to_port                      = 8080",
            "= 80\n  to_port                      = 80",
            "SGP404 error kubernetes_manifest.orders",
        ),
        (
            "id = aws_security_group.orders.id\n  description                  = \"CoreDNS",
            "id = \"sg-00000001\"\n  description                  = \"CoreDNS",
            "SGP402 error sgp_security_group_policy.orders",
        ),
        (
            "security_group_id = aws_security_group.orders.id\n  cidr_ipv4         = \"0.0.0.0/0\"",
            "security_group_id = aws_security_group.orders.id\n  cidr_ipv4         = \"192.168.0.0/16\"",
            "SGP401 error sgp_security_group_policy.orders",
        ),
        ("serviceaccount:orders:orders", "serviceaccount:orders:order", "SGP509 error aws_iam_role.orders"),
        ("[\"sts.amazonaws.com\"]", "[\"sts\"]", "SGP510 error aws_iam_openid_connect_provider.oidc_provider"),
        (
            "namespace          = kubernetes_namespace_v1.orders.metadata[0].name",
            "namespace = \"shop\"",
            "SGP309 error sgp_security_group_policy.orders",
        ),
        (
            "serviceAccountName = kubernetes_service_account_v1.orders.metadata[0].name",
            "serviceAccountName = \"shop\"",
            "SGP323 error kubernetes_manifest.orders",
        ),
        (
            "security_group_ids = [aws_security_group.orders.id]",
            "security_group_ids = [\"orders\"]",
            "SGP305 error sgp_security_group_policy.orders",
        ),
    ] {
        let text = MODULES.replace(right, wrong);
        assert_ne!(text, MODULES, "{right} is not there");
        let [found, _, _] = life(&text);
        assert!(found.iter().any(|it| it == expected), "{expected} is not among {found:#?}");
    }
}

#[test]
fn one_mistake_in_the_example_is_found() {
    let pods = "referenced_security_group_id = aws_security_group.backend.id\n  description                  = \"DNS";
    for (right, wrong, expected) in [
        (
            "instance_types  = [\"m5.large\"]",
            "instance_types  = [\"t3.large\"]",
            "SGP101 error aws_eks_node_group.this",
        ),
        ("instance_types  = [\"m5.large\"]", "", "SGP101 error aws_eks_node_group.this"),
        (", \"AmazonEKSVPCResourceController\"", "", "SGP001 error aws_iam_role.cluster"),
        (
            "\"AmazonEKS_CNI_Policy\"",
            "\"AmazonEKSVPCResourceController\"",
            "SGP002 note aws_iam_role_policy_attachment.node[\"AmazonEKSVPCResourceController\"]",
        ),
        (pods, &pods.replace("backend.id", "database.id"), "SGP402 error sgp_security_group_policy.backend"),
    ] {
        let text = example().replace(right, wrong);
        assert_ne!(text, example(), "{right} is not there");
        let [found, _, _] = life(&text);
        assert!(found.iter().any(|it| it == expected), "{expected} is not among {found:#?}");
    }
}
