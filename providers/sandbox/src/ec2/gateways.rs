//! Internet gateways and egress-only internet gateways.
//!
//! Source: CreateInternetGateway, AttachInternetGateway, DetachInternetGateway, CreateEgressOnlyInternetGateway and their like.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::describe::{Describe, Field, done};
use super::kinds::{Kind, kind};
use super::tags::{self, Tags, tag_set};
use super::{interface_links, quotas, tokens, vpcs};
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateInternetGateway", run: create_internet_gateway },
    Operation {
        name: "DescribeInternetGateways",
        run: |world, call| INTERNET.answer(world, &world.ec2.internet_gateways, call),
    },
    Operation { name: "AttachInternetGateway", run: attach_internet_gateway },
    Operation { name: "DetachInternetGateway", run: detach_internet_gateway },
    Operation { name: "DeleteInternetGateway", run: delete_internet_gateway },
    Operation { name: "CreateEgressOnlyInternetGateway", run: create_egress_only },
    Operation {
        name: "DescribeEgressOnlyInternetGateways",
        run: |world, call| EGRESS_ONLY.answer(world, &world.ec2.egress_only_gateways, call),
    },
    Operation { name: "DeleteEgressOnlyInternetGateway", run: delete_egress_only },
];

/// What internet gateways are called.
pub static KIND: Kind = kind!(
    internet_gateways,
    "igw",
    "internet-gateway",
    "internetGateway",
    "InvalidInternetGatewayID.NotFound",
    "InvalidInternetGatewayId.Malformed"
);

/// What egress-only internet gateways are called.
pub static EGRESS_ONLY_KIND: Kind = kind!(
    egress_only_gateways,
    "eigw",
    "egress-only-internet-gateway",
    "egressOnlyInternetGateway",
    "InvalidEgressOnlyInternetGatewayId.NotFound",
    "InvalidEgressOnlyInternetGatewayId.Malformed"
);

/// An internet gateway.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InternetGateway {
    /// `igw-...`
    pub internet_gateway_id: String,
    /// The VPC that it is attached to.
    pub vpc_id: Option<String>,
    /// Its tags.
    pub tags: Tags,
}

/// A gateway that lets IPv6 out and nothing in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EgressOnlyGateway {
    /// `eigw-...`
    pub gateway_id: String,
    /// Its VPC.
    pub vpc_id: String,
    /// Its tags.
    pub tags: Tags,
}

static INTERNET: Describe<InternetGateway> = Describe {
    kind: &KIND,
    ids: "InternetGatewayId",
    set: "internetGatewaySet",
    filters: FILTERS,
    indexed: &["attachment.vpc-id"],
    limits: (5, 1000),
    tags: |gateway| &gateway.tags,
    render,
};

const FILTERS: &[Field<InternetGateway>] = &[
    ("attachment.state", |_, gateway| gateway.vpc_id.iter().map(|_| "available".to_owned()).collect()),
    ("attachment.vpc-id", |_, gateway| gateway.vpc_id.iter().cloned().collect()),
    ("internet-gateway-id", |_, gateway| vec![gateway.internet_gateway_id.clone()]),
    ("owner-id", |world, _| vec![world.settings.account.clone()]),
];

static EGRESS_ONLY: Describe<EgressOnlyGateway> = Describe {
    kind: &EGRESS_ONLY_KIND,
    ids: "EgressOnlyInternetGatewayId",
    set: "egressOnlyInternetGatewaySet",
    filters: &[],
    indexed: &[],
    limits: (5, 255),
    tags: |gateway| &gateway.tags,
    render: |_, gateway| render_egress_only(gateway),
};

impl InternetGateway {
    /// Keys of the index.
    pub(super) fn keys(&self) -> Vec<String> {
        self.vpc_id.iter().map(|id| format!("attachment.vpc-id={id}")).collect()
    }
}

impl EgressOnlyGateway {
    /// Keys of the index.
    pub(super) fn keys(&self) -> Vec<String> {
        vec![format!("vpc-id={}", self.vpc_id)]
    }
}

/// The internet gateway that is attached to a VPC.
pub fn of_vpc<'a>(world: &'a World, vpc_id: &str) -> Option<&'a InternetGateway> {
    world.ec2.internet_gateways.with(&format!("attachment.vpc-id={vpc_id}")).next().map(|(_, gateway)| gateway)
}

fn render(world: &World, gateway: &InternetGateway) -> Value {
    let attachments: Vec<Value> =
        gateway.vpc_id.iter().map(|vpc| json!({ "vpcId": vpc, "state": "available" })).collect();
    json!({
        "internetGatewayId": gateway.internet_gateway_id, "ownerId": world.settings.account,
        "attachmentSet": attachments, "tagSet": tag_set(&gateway.tags),
    })
}

fn find<'a>(world: &'a World, id: &str) -> Result<&'a InternetGateway, ApiError> {
    KIND.found(id, world.ec2.internet_gateways.get(id))
}

/// Makes an internet gateway and answers its id.
pub(super) fn create(world: &mut World, vpc_id: Option<String>, tags: Tags) -> String {
    let internet_gateway_id = world.ids.ec2(KIND.prefix);
    let gateway = InternetGateway { internet_gateway_id: internet_gateway_id.clone(), vpc_id, tags };
    world.ec2.internet_gateways.insert(internet_gateway_id.clone(), gateway);
    internet_gateway_id
}

fn create_internet_gateway(world: &mut World, call: &Call) -> Answer {
    let tags = tags::from_specifications(call, KIND.resource_type)?;
    quotas::INTERNET_GATEWAYS.allow(world.ec2.internet_gateways.len())?;
    let id = create(world, None, tags);
    Ok(json!({ "internetGateway": render(world, find(world, &id)?) }))
}

fn attach_internet_gateway(world: &mut World, call: &Call) -> Answer {
    let (id, vpc_id) = (call.required("InternetGatewayId")?, call.required("VpcId")?);
    let gateway = find(world, &id)?;
    vpcs::find(world, &vpc_id)?;
    if let Some(other) = &gateway.vpc_id {
        let message = format!("resource {id} is already attached to network {other}");
        return Err(ApiError::new("Resource.AlreadyAssociated", message));
    }
    if of_vpc(world, &vpc_id).is_some() {
        let message = format!("Network {vpc_id} already has an internet gateway attached");
        return Err(ApiError::new("InvalidParameterValue", message));
    }
    world.ec2.internet_gateways.update(&id, |gateway| gateway.vpc_id = Some(vpc_id));
    Ok(done())
}

fn detach_internet_gateway(world: &mut World, call: &Call) -> Answer {
    let (id, vpc_id) = (call.required("InternetGatewayId")?, call.required("VpcId")?);
    let gateway = find(world, &id)?;
    vpcs::find(world, &vpc_id)?;
    if gateway.vpc_id.as_ref() != Some(&vpc_id) {
        let message = format!("resource {id} is not attached to network {vpc_id}");
        return Err(ApiError::new("Gateway.NotAttached", message));
    }
    if interface_links::has_public_addresses(world, &vpc_id) {
        let message = format!(
            "Network {vpc_id} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway."
        );
        return Err(ApiError::new("DependencyViolation", message));
    }
    world.ec2.internet_gateways.update(&id, |gateway| gateway.vpc_id = None);
    Ok(done())
}

fn delete_internet_gateway(world: &mut World, call: &Call) -> Answer {
    let id = call.required("InternetGatewayId")?;
    if find(world, &id)?.vpc_id.is_some() {
        return Err(KIND.in_use(&id));
    }
    world.ec2.internet_gateways.remove(&id);
    Ok(done())
}

fn render_egress_only(gateway: &EgressOnlyGateway) -> Value {
    json!({
        "egressOnlyInternetGatewayId": gateway.gateway_id, "tagSet": tag_set(&gateway.tags),
        "attachmentSet": [{ "vpcId": gateway.vpc_id, "state": "attached" }],
    })
}

fn find_egress_only<'a>(world: &'a World, id: &str) -> Result<&'a EgressOnlyGateway, ApiError> {
    EGRESS_ONLY_KIND.found(id, world.ec2.egress_only_gateways.get(id))
}

fn create_egress_only(world: &mut World, call: &Call) -> Answer {
    let vpc_id = call.required("VpcId")?;
    let id = match tokens::recall(world, call)? {
        Some(id) => id,
        None => {
            vpcs::find(world, &vpc_id)?;
            let tags = tags::from_specifications(call, EGRESS_ONLY_KIND.resource_type)?;
            let gateway_id = world.ids.ec2(EGRESS_ONLY_KIND.prefix);
            let gateway = EgressOnlyGateway { gateway_id: gateway_id.clone(), vpc_id, tags };
            world.ec2.egress_only_gateways.insert(gateway_id.clone(), gateway);
            tokens::remember(world, call, &gateway_id);
            gateway_id
        }
    };
    let gateway = render_egress_only(find_egress_only(world, &id)?);
    Ok(json!({ "egressOnlyInternetGateway": gateway, "clientToken": call.text("ClientToken") }))
}

fn delete_egress_only(world: &mut World, call: &Call) -> Answer {
    let id = call.required("EgressOnlyInternetGatewayId")?;
    find_egress_only(world, &id)?;
    world.ec2.egress_only_gateways.remove(&id);
    Ok(json!({ "returnCode": true }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::Service;
    use crate::testing::{ec2, query, refusal, world};

    #[test]
    fn a_gateway_is_attached_to_one_vpc() {
        let mut world = world();
        let vpc =
            ec2(&mut world, "CreateVpc", &[("CidrBlock", "10.0.0.0/16")])["vpc"]["vpcId"].as_str().unwrap().to_owned();
        let default = vpcs::default_vpc(&world).unwrap().vpc_id.clone();
        let made = ec2(&mut world, "CreateInternetGateway", &[]);
        let id = made["internetGateway"]["internetGatewayId"].as_str().unwrap().to_owned();
        for (operation, vpc, expected) in [
            ("DetachInternetGateway", &vpc, Some("Gateway.NotAttached")),
            ("AttachInternetGateway", &default, Some("InvalidParameterValue")),
            ("AttachInternetGateway", &vpc, None),
            ("AttachInternetGateway", &vpc, Some("Resource.AlreadyAssociated")),
            ("DeleteInternetGateway", &vpc, Some("DependencyViolation")),
            ("DeleteVpc", &vpc, Some("DependencyViolation")),
            ("DetachInternetGateway", &vpc, None),
            ("DeleteInternetGateway", &vpc, None),
            ("DeleteInternetGateway", &vpc, Some("InvalidInternetGatewayID.NotFound")),
        ] {
            let answer = query(&mut world, Service::Ec2, operation, &[("InternetGatewayId", &id), ("VpcId", vpc)]);
            assert_eq!(answer.err().map(|error| error.code).as_deref(), expected, "{operation}");
        }
    }

    #[test]
    fn a_token_makes_one_gateway() {
        let mut world = world();
        let vpc = vpcs::default_vpc(&world).unwrap().vpc_id.clone();
        let make =
            |world: &mut World| ec2(world, "CreateEgressOnlyInternetGateway", &[("VpcId", &vpc), ("ClientToken", "t")]);
        assert_eq!(make(&mut world), make(&mut world));
        let pairs = [("VpcId", vpc.as_str()), ("ClientToken", "t"), ("TagSpecification.1.ResourceType", "vpc")];
        let other = query(&mut world, Service::Ec2, "CreateEgressOnlyInternetGateway", &pairs);
        assert_eq!(refusal(other), "IdempotentParameterMismatch");
    }
}
