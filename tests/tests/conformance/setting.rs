//! The world that all cases share, and what they find in it.

use std::sync::OnceLock;

use serde_json::json;
use sgp_tests::{
    workdir::start,
    world::{Backing, Options, World, texts},
};

/// The clusters that objects live in: `home`, and `away` for those that move.
pub const CLUSTERS: [&str; 2] = ["home", "away"];

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":["eks.amazonaws.com","ec2.amazonaws.com"]}}]}"#;

/// A world with clusters, and the names of what is in it as HCL.
pub struct Setting {
    pub world: World,
    /// Variables and locals for every case.
    pub common: String,
}

/// The setting; none when the world is not installed.
pub fn setting() -> Option<&'static Setting> {
    static SETTING: OnceLock<Option<Setting>> = OnceLock::new();
    SETTING.get_or_init(|| start(&Options { pending_describes: 0, ..Options::default() }).map(furnish)).as_ref()
}

/// An IPv6 cluster's subnets must have such addresses; the emulators do not ask.
fn give_ipv6(world: &World, subnets: &[&str]) {
    let vpc = world.vpc().id.as_str();
    let wanted = [("VpcId", vpc), ("AmazonProvidedIpv6CidrBlock", "true")];
    world.aws("ec2", "AssociateVpcCidrBlock", &wanted).unwrap();
    let found = world.aws("ec2", "DescribeVpcs", &[("VpcId.1", vpc)]).unwrap();
    let block = texts(&found, "ipv6CidrBlock").swap_remove(0);
    let first = block.strip_suffix("00::/56").unwrap();
    for (n, subnet) in subnets.iter().enumerate() {
        let part = format!("{first}{n:02x}::/64");
        world.aws("ec2", "AssociateSubnetCidrBlock", &[("SubnetId", subnet), ("Ipv6CidrBlock", &part)]).unwrap();
    }
}

fn furnish(world: World) -> Setting {
    let first = |xml: String, name: &str| texts(&xml, name).into_iter().next().unwrap();
    let trust = [("RoleName", "setting"), ("AssumeRolePolicyDocument", TRUST)];
    let role = first(world.aws("iam", "CreateRole", &trust).unwrap(), "Arn");
    for name in CLUSTERS {
        let network = json!({ "subnetIds": world.vpc().subnet_ids });
        let body = json!({ "name": name, "roleArn": role, "resourcesVpcConfig": network, "version": "1.35" });
        world.eks("POST", "/clusters", Some(&body)).unwrap();
        // The first look sees it come to be.
        world.eks("GET", &format!("/clusters/{name}"), None).unwrap();
    }
    let vpc = first(world.aws("ec2", "CreateVpc", &[("CidrBlock", "10.9.0.0/16")]).unwrap(), "vpcId");
    // A cluster stays in the zones that it was made in.
    let zone_b =
        [("VpcId", world.vpc().id.as_str()), ("CidrBlock", "10.0.96.0/24"), ("AvailabilityZone", "us-east-1b")];
    let subnet = first(world.aws("ec2", "CreateSubnet", &zone_b).unwrap(), "subnetId");
    if world.backing() == Backing::Sandbox {
        give_ipv6(&world, &[&world.vpc().subnet_ids[0], &subnet]);
    }
    let lists = [("PrefixListName", "offices"), ("MaxEntries", "3"), ("AddressFamily", "IPv4")];
    let list = first(world.aws("ec2", "CreateManagedPrefixList", &lists).unwrap(), "prefixListId");
    world.aws("ec2", "CreateKeyPair", &[("KeyName", "key")]).unwrap();
    let clusters = if world.backing() == Backing::Sandbox { &CLUSTERS[..] } else { &CLUSTERS[..1] };
    for cluster in clusters {
        for name in ["elsewhere", "more"] {
            let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
            world.kubernetes_in(cluster, "POST", "/api/v1/namespaces", Some(&namespace)).unwrap();
        }
    }
    let common = format!(
        r#"
variable "vpc_id" {{ type = string }}
variable "subnet_ids" {{ type = list(string) }}

locals {{
  role        = "{role}"
  other_vpc   = "{vpc}"
  other_subnet = "{subnet}"
  prefix_list = "{list}"
  trust       = jsonencode({TRUST})
}}
"#
    );
    Setting { world, common }
}
