//! RunInstances: what a call and its launch template say, checked, as [`RunInstances`].

use serde_json::{Value, json};

use super::describe::invalid;
use super::instances::{self, KIND, Options, OtherInterface, RunInstances};
use super::interface_calls::read_new;
use super::interfaces::{self, NewInterface};
use super::launch_template_data::{self as data, check_user_data};
use super::{
    images, instance_describe, instance_types, key_pairs, launch_templates, security_groups, subnets, tags, tokens,
    vpcs,
};
use crate::aws::{Answer, ApiError, Call, Operation, Params, Service};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[Operation { name: "RunInstances", run: run_instances }];

fn run_instances(world: &mut World, call: &Call) -> Answer {
    let reservation = match tokens::recall(world, call)? {
        Some(reservation) => reservation,
        None => {
            let launch = launch(world, call)?;
            let run = read(world, &launch)?;
            let ids = instances::run(world, &run)?;
            let reservation =
                ids.first().and_then(|id| world.ec2.instances.get(id)).map(|one| one.reservation_id.clone());
            let reservation = reservation.unwrap_or_default();
            tokens::remember(world, call, &reservation);
            reservation
        }
    };
    let rows: Vec<_> =
        world.ec2.instances.with(&format!("reservation-id={reservation}")).map(|(_, instance)| instance).collect();
    Ok(instance_describe::reservation(world, &reservation, &rows))
}

/// The call's parameters over those of its launch template.
fn launch(world: &World, call: &Call) -> Result<Params, ApiError> {
    let Some(template) = call.structure("LaunchTemplate") else { return Ok(call.params.clone()) };
    let template = launch_templates::data_of(world, &template)?;
    Ok(Params::from_json(Service::Ec2, data::over(&template, call.raw())))
}

fn read(world: &World, launch: &Params) -> Result<RunInstances, ApiError> {
    let (least, most) = read_counts(launch)?;
    let image_id = launch.required("ImageId")?;
    images::check(std::slice::from_ref(&image_id))?;
    let instance_type = launch.text("InstanceType").unwrap_or_else(|| "m1.small".to_owned());
    check_architecture(&image_id, &instance_type)?;
    let mut tags = tags::from_specifications_of(
        launch,
        &["instance", "volume", "network-interface", "spot-instances-request", "elastic-gpu"],
    )?;
    let mut run = RunInstances {
        image_id,
        instance_type,
        tags: tags.remove(KIND.resource_type).unwrap_or_default(),
        interface_tags: tags.remove(interfaces::KIND.resource_type).unwrap_or_default(),
        profile_arn: read_profile(world, launch)?,
        options: read_options(world, launch)?,
        ..RunInstances::default()
    };
    read_network(world, launch, &mut run)?;
    run.count = count_for(world, &run, least, most)?;
    Ok(run)
}

fn read_counts(launch: &Params) -> Result<(usize, usize), ApiError> {
    let read = |name: &str| -> Result<usize, ApiError> {
        let count = launch.parsed(name, "Must be a positive integer")?;
        let count = count.ok_or_else(|| ApiError::missing(Service::Ec2, name))?;
        if count == 0 {
            return Err(invalid(name, "0", "Must be greater than 0."));
        }
        Ok(count)
    };
    let (least, most) = (read("MinCount")?, read("MaxCount")?);
    if least > most {
        let message =
            format!("Value ({most}) for parameter maxCount is invalid. It must not be less than minCount ({least}).");
        return Err(ApiError::new("InvalidParameterValue", message));
    }
    Ok((least, most))
}

/// As many as the subnet has addresses for, when those are enough.
fn count_for(world: &World, run: &RunInstances, least: usize, most: usize) -> Result<usize, ApiError> {
    if run.primary_id.is_some() || run.primary.private_address.is_some() {
        if most > 1 {
            let message = "A network interface or a private address can be given to one instance only.";
            return Err(ApiError::new("InvalidParameterCombination", message));
        }
        return Ok(1);
    }
    let free = subnets::find(world, &run.subnet_id)?.available as usize;
    if free < least {
        let message = format!(
            "There are not enough free addresses in subnet '{}' to satisfy the requested number of instances.",
            run.subnet_id
        );
        return Err(ApiError::new("InsufficientFreeAddressesInSubnet", message));
    }
    Ok(most.min(free))
}

fn check_architecture(image_id: &str, instance_type: &str) -> Result<(), ApiError> {
    let Some(known) = instance_types::find(instance_type) else {
        let message = format!("Invalid value '{instance_type}' for InstanceType.");
        return Err(ApiError::new("InvalidParameterValue", message));
    };
    let image = images::architecture(image_id).unwrap_or("x86_64");
    if known.architectures.contains(&image) {
        return Ok(());
    }
    let message = format!(
        "The architecture '{}' of the specified instance type does not match the architecture '{image}' of the specified AMI. \
         Specify an instance type and an AMI that have matching architectures, and try again.",
        known.architectures.join(",")
    );
    Err(ApiError::new("InvalidParameterValue", message))
}

/// The ARN of the instance profile, by its ARN or its name.
fn read_profile(world: &World, launch: &Params) -> Result<Option<String>, ApiError> {
    let Some(sent) = launch.structure("IamInstanceProfile") else { return Ok(None) };
    let profiles = &world.iam.instance_profiles;
    let (found, parameter, text) = match (sent.text("Arn"), sent.text("Name")) {
        (Some(arn), None) => (profiles.with(&format!("arn={arn}")).next(), "arn", arn),
        (None, Some(name)) => (profiles.with(&format!("name={name}")).next(), "name", name),
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => {
            let message =
                "The parameter 'iamInstanceProfile.name' may not be used in combination with 'iamInstanceProfile.arn'";
            return Err(ApiError::new("InvalidParameterCombination", message));
        }
    };
    match found {
        Some((_, profile)) => Ok(Some(profile.arn.clone())),
        None => {
            let why = if parameter == "arn" {
                "Invalid IAM Instance Profile ARN"
            } else {
                "Invalid IAM Instance Profile name"
            };
            Err(invalid(&format!("iamInstanceProfile.{parameter}"), &text, why))
        }
    }
}

fn read_options(world: &World, launch: &Params) -> Result<Options, ApiError> {
    let flag = |name: &str| launch.boolean(name).map(|value| value.unwrap_or(false));
    let user_data = launch.text("UserData");
    if let Some(text) = &user_data {
        check_user_data(text)?;
    }
    let key_name = launch.text("KeyName");
    if let Some(name) = &key_name {
        key_pairs::named(world, name)?;
    }
    let shutdown_behavior = launch.text("InstanceInitiatedShutdownBehavior").unwrap_or_else(|| "stop".to_owned());
    if !matches!(shutdown_behavior.as_str(), "stop" | "terminate") {
        let why = "Expected one of: stop, terminate";
        return Err(invalid("instanceInitiatedShutdownBehavior", &shutdown_behavior, why));
    }
    let monitoring = launch.structure("Monitoring").map(|sent| sent.boolean("Enabled")).transpose()?.flatten();
    let market = launch.structure("InstanceMarketOptions").and_then(|sent| sent.text("MarketType"));
    let tenancy = launch.structure("Placement").and_then(|sent| sent.text("Tenancy"));
    let mut options = Options {
        key_name,
        user_data,
        client_token: launch.text("ClientToken"),
        is_monitored: monitoring.unwrap_or(false),
        is_ebs_optimized: flag("EbsOptimized")?,
        is_termination_disabled: flag("DisableApiTermination")?,
        is_stop_disabled: flag("DisableApiStop")?,
        shutdown_behavior,
        tenancy: tenancy.unwrap_or_else(|| "default".to_owned()),
        is_spot: market.as_deref() == Some("spot"),
        ..Options::default()
    };
    if let Some(metadata) = launch.structure("MetadataOptions") {
        read_metadata(&metadata, &mut options)?;
    }
    Ok(options)
}

/// Reads `HttpTokens`, `HttpPutResponseHopLimit` and `HttpEndpoint`.
pub(super) fn read_metadata(sent: &Params, options: &mut Options) -> Result<(), ApiError> {
    let choice = |name: &str, allowed: [&str; 2]| match sent.text(name) {
        Some(text) if !allowed.contains(&text.as_str()) => {
            Err(invalid(name, &text, &format!("Expected one of: {}", allowed.join(", "))))
        }
        text => Ok(text),
    };
    if let Some(tokens) = choice("HttpTokens", ["optional", "required"])? {
        options.http_tokens = tokens;
    }
    if let Some(endpoint) = choice("HttpEndpoint", ["disabled", "enabled"])? {
        options.is_metadata_enabled = endpoint == "enabled";
    }
    if let Some(limit) = sent.parsed::<u8>("HttpPutResponseHopLimit", "Must be between 1 and 64")? {
        if !(1..=64).contains(&limit) {
            return Err(invalid("HttpPutResponseHopLimit", &limit.to_string(), "Must be between 1 and 64"));
        }
        options.http_hop_limit = limit;
    }
    Ok(())
}

/// Subnet, groups and interfaces: of the instance, or of its interfaces, not both.
fn read_network(world: &World, launch: &Params, run: &mut RunInstances) -> Result<(), ApiError> {
    let sent = launch.structures("NetworkInterface");
    if sent.is_empty() {
        run.subnet_id = match launch.text("SubnetId") {
            Some(id) => id,
            None => default_subnet(world, launch)?,
        };
        run.groups = read_groups(world, launch)?;
        run.primary = NewInterface { groups: Vec::new(), ..read_new(launch)? };
        return Ok(());
    }
    for (name, what) in
        [("SubnetId", "subnet ID"), ("SecurityGroupId", "security groups"), ("SecurityGroup", "security groups")]
    {
        if launch.has(name) {
            let message =
                format!("Network interfaces and an instance-level {what} may not be specified on the same request");
            return Err(ApiError::new("InvalidParameterCombination", message));
        }
    }
    for one in &sent {
        read_interface(world, launch, one, run)?;
    }
    if run.subnet_id.is_empty() && run.primary_id.is_none() {
        return Err(ApiError::missing(Service::Ec2, "NetworkInterface.DeviceIndex"));
    }
    Ok(())
}

/// One `NetworkInterface.N`; the one at device index 0 of card 0 is the primary one.
fn read_interface(world: &World, launch: &Params, one: &Params, run: &mut RunInstances) -> Result<(), ApiError> {
    let why = "Must be an integer that is not negative";
    let device_index: u32 = one.parsed("DeviceIndex", why)?.unwrap_or(0);
    let network_card_index: u32 = one.parsed("NetworkCardIndex", why)?.unwrap_or(0);
    let keeps = one.boolean("DeleteOnTermination")? == Some(false);
    let interface_id = one.text("NetworkInterfaceId");
    let mut new = NewInterface { subnet_id: one.text("SubnetId").unwrap_or_default(), ..read_new(one)? };
    let kind = one.text("InterfaceType").filter(|kind| kind != "interface");
    new.interface_type = kind.unwrap_or_default();
    if device_index == 0 && network_card_index == 0 {
        run.subnet_id = match (&interface_id, new.subnet_id.is_empty()) {
            (Some(id), _) => interfaces::find(world, id)?.subnet_id.clone(),
            (None, false) => new.subnet_id.clone(),
            (None, true) => default_subnet(world, launch)?,
        };
        run.groups = std::mem::take(&mut new.groups);
        run.is_public = one.boolean("AssociatePublicIpAddress")?;
        (run.primary, run.primary_id, run.keeps_primary) = (new, interface_id, keeps);
    } else {
        run.others.push(OtherInterface { device_index, network_card_index, interface_id, new, is_kept: keeps });
    }
    Ok(())
}

/// Groups by id, or by name in the default VPC.
fn read_groups(world: &World, launch: &Params) -> Result<Vec<String>, ApiError> {
    let mut groups = launch.texts("SecurityGroupId");
    for name in launch.texts("SecurityGroup") {
        groups.push(security_groups::named(world, &name)?.id.clone());
    }
    Ok(groups)
}

/// The default VPC's subnet of the zone that is asked for, or of the first.
fn default_subnet(world: &World, launch: &Params) -> Result<String, ApiError> {
    let zone = launch.structure("Placement").and_then(|sent| sent.text("AvailabilityZone"));
    let vpc = vpcs::default_vpc(world).ok_or_else(|| {
        let message = "No default VPC for this user. GroupName is only supported for EC2-Classic and default VPC.";
        ApiError::new("VPCIdNotSpecified", message)
    })?;
    let subnets = world.ec2.subnets.with(&format!("vpc-id={}", vpc.vpc_id)).map(|(_, subnet)| subnet);
    let mut fitting: Vec<_> =
        subnets.filter(|subnet| subnet.is_default && zone.as_ref().is_none_or(|zone| *zone == subnet.zone)).collect();
    fitting.sort_by(|a, b| a.zone.cmp(&b.zone));
    fitting.first().map(|subnet| subnet.subnet_id.clone()).ok_or_else(|| {
        let message = format!("No subnets found for the default VPC '{}'. Please specify a subnet.", vpc.vpc_id);
        ApiError::new("MissingInput", message)
    })
}

/// The answer's reservation; `value` keeps its members in order.
pub(super) fn reservation_head(world: &World, id: &str) -> Value {
    json!({ "reservationId": id, "ownerId": world.settings.account, "groupSet": [] })
}
