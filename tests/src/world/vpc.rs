//! The VPC that every world begins with.

use super::error::{Error, Result};
use super::proxy::{REGION, Upstream, texts};

/// A VPC with private subnets in three availability zones.
#[derive(Clone, Debug)]
pub struct Vpc {
    /// Its id.
    pub id: String,
    /// Its addresses.
    pub cidr: String,
    /// Its subnets, one a zone.
    pub subnet_ids: Vec<String>,
}

const CIDR: &str = "10.0.0.0/16";
const SUBNETS: [(&str, &str); 3] = [("a", "10.0.0.0/19"), ("b", "10.0.32.0/19"), ("c", "10.0.64.0/19")];

/// Makes the VPC in moto.
pub(crate) async fn seed(upstream: &Upstream) -> Result<Vpc> {
    let tag = |kind: &'static str, name: &'static str| {
        [
            ("TagSpecification.1.ResourceType", kind),
            ("TagSpecification.1.Tag.1.Key", "Name"),
            ("TagSpecification.1.Tag.1.Value", name),
        ]
    };
    let mut params = vec![("CidrBlock", CIDR)];
    params.extend(tag("vpc", "sgp"));
    let id = first(&upstream.query("ec2", "CreateVpc", &params).await?, "vpcId")?;
    for attribute in ["EnableDnsSupport.Value", "EnableDnsHostnames.Value"] {
        upstream.query("ec2", "ModifyVpcAttribute", &[("VpcId", &id), (attribute, "true")]).await?;
    }
    let mut subnet_ids = Vec::new();
    for (zone, cidr) in SUBNETS {
        let zone = format!("{REGION}{zone}");
        let mut params = vec![("VpcId", id.as_str()), ("CidrBlock", cidr), ("AvailabilityZone", &zone)];
        params.extend(tag("subnet", "sgp-private"));
        params.extend([
            ("TagSpecification.1.Tag.2.Key", "kubernetes.io/role/internal-elb"),
            ("TagSpecification.1.Tag.2.Value", "1"),
        ]);
        subnet_ids.push(first(&upstream.query("ec2", "CreateSubnet", &params).await?, "subnetId")?);
    }
    Ok(Vpc { id, cidr: CIDR.to_owned(), subnet_ids })
}

/// The first element of this name; an answer without it is no answer.
pub(crate) fn first(answer: &str, name: &str) -> Result<String> {
    texts(answer, name).into_iter().next().ok_or_else(|| Error::failed(format!("no {name} in the answer"), answer))
}
