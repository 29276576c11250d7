//! DescribeInstances and DescribeInstanceStatus, and how an instance is written in answers.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::describe::{Describe, Field, truth};
use super::instances::{Instance, KIND, State};
use super::interface_describe::{common, group_set, private_dns_name, public_dns_name, render_attachment, time};
use super::interfaces::NetworkInterface;
use super::run_instances::reservation_head;
use super::tags::tag_set;
use super::zones;
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "DescribeInstances", run: describe_instances },
    Operation { name: "DescribeInstanceStatus", run: describe_instance_status },
];

/// An instance's interfaces, the primary one first.
fn interfaces<'a>(world: &'a World, instance: &Instance) -> Vec<&'a NetworkInterface> {
    let mut found: Vec<_> =
        world.ec2.interfaces.with(&format!("attachment.instance-id={}", instance.id)).map(|(_, row)| row).collect();
    found.sort_by_key(|row| row.attachment.as_ref().map(|one| (one.network_card_index, one.device_index)));
    found
}

fn primary<'a>(world: &'a World, instance: &Instance) -> Option<&'a NetworkInterface> {
    let interface = world.ec2.interfaces.get(&instance.interface_id)?;
    (interface.instance_id() == Some(&instance.id)).then_some(interface)
}

fn public_address(world: &World, instance: &Instance) -> Option<std::net::Ipv4Addr> {
    let interface = primary(world, instance)?;
    interface.addresses.iter().find_map(|address| address.public.as_ref()).map(|public| public.address)
}

fn render_interface(world: &World, interface: &NetworkInterface) -> Value {
    let mut value = common(world, interface);
    if let (Some(members), Some(attachment)) = (value.as_object_mut(), &interface.attachment) {
        members.insert("attachment".to_owned(), render_attachment(attachment));
    }
    value
}

/// `MetadataOptions`.
pub(super) fn metadata_options(instance: &Instance) -> Value {
    let options = &instance.options;
    json!({
        "state": "applied", "httpTokens": options.http_tokens, "httpPutResponseHopLimit": options.http_hop_limit,
        "httpEndpoint": if options.is_metadata_enabled { "enabled" } else { "disabled" },
        "httpProtocolIpv6": "disabled", "instanceMetadataTags": "disabled",
    })
}

fn profile(world: &World, instance: &Instance) -> Option<Value> {
    let arn = instance.profile_arn.as_ref()?;
    let id = world.iam.instance_profiles.with(&format!("arn={arn}")).next().map(|(_, profile)| profile.id.clone());
    Some(json!({ "arn": arn, "id": id }))
}

/// Why the instance is as it is, in the form of `reason` (`User initiated (2026-01-01 00:00:00 GMT)` without the time).
fn transition(instance: &Instance) -> &'static str {
    match instance.state {
        State::Stopping | State::Stopped | State::ShuttingDown | State::Terminated => "User initiated",
        State::Pending | State::Running => "",
    }
}

/// An instance as `Instance`.
pub(super) fn render(world: &World, instance: &Instance) -> Value {
    let options = &instance.options;
    let mut value = json!({
        "instanceId": instance.id, "imageId": instance.image_id, "instanceType": instance.instance_type,
        "instanceState": { "code": instance.state.code(), "name": instance.state.as_str() },
        "reason": transition(instance), "keyName": options.key_name, "amiLaunchIndex": instance.launch_index,
        "productCodes": [], "launchTime": time(instance.launched_at), "architecture": instance.architecture,
        "placement": {
            "availabilityZone": instance.zone, "availabilityZoneId": zones::id(&instance.zone), "groupName": "",
            "tenancy": options.tenancy,
        },
        "monitoring": { "state": if options.is_monitored { "enabled" } else { "disabled" } },
        "rootDeviceName": "/dev/xvda", "rootDeviceType": "ebs", "virtualizationType": "hvm", "hypervisor": "xen",
        "clientToken": options.client_token.as_deref().unwrap_or(""), "tagSet": tag_set(&instance.tags),
        "ebsOptimized": options.is_ebs_optimized, "enaSupport": true, "iamInstanceProfile": profile(world, instance),
        "instanceLifecycle": options.is_spot.then_some("spot"), "metadataOptions": metadata_options(instance),
        "enclaveOptions": { "enabled": false }, "hibernationOptions": { "configured": false },
        "maintenanceOptions": { "autoRecovery": "default" }, "platformDetails": "Linux/UNIX",
        "usageOperation": "RunInstances", "operator": { "managed": false }, "capacityReservationSpecification": {
            "capacityReservationPreference": "open",
        },
        "stateReason": instance.state_reason.as_ref().map(|(code, message)| json!({ "code": code, "message": message })),
    });
    if let (Some(members), Value::Object(network)) = (value.as_object_mut(), render_network(world, instance)) {
        members.extend(network);
    }
    value
}

/// What only an instance has that is not terminated.
fn render_network(world: &World, instance: &Instance) -> Value {
    let interfaces = interfaces(world, instance);
    let Some(primary) = primary(world, instance) else {
        return json!({
            "privateDnsName": "", "dnsName": "", "groupSet": [], "networkInterfaceSet": [], "blockDeviceMapping": [],
        });
    };
    let region = &world.settings.region;
    let public = public_address(world, instance);
    let volume = json!({
        "deviceName": "/dev/xvda",
        "ebs": {
            "volumeId": instance.root_volume_id, "status": "attached", "deleteOnTermination": true,
            "attachTime": time(instance.launched_at),
        },
    });
    let rendered: Vec<Value> = interfaces.iter().map(|interface| render_interface(world, interface)).collect();
    json!({
        "subnetId": instance.subnet_id, "vpcId": instance.vpc_id, "privateIpAddress": primary.primary_address(),
        "privateDnsName": primary.primary_address().map(|address| private_dns_name(region, address)),
        "ipAddress": public, "dnsName": public.map_or_else(String::new, |address| dns_name(world, instance, address)),
        "ipv6Address": primary.ipv6_addresses.first(), "sourceDestCheck": primary.source_dest_check,
        "groupSet": group_set(world, &primary.groups), "networkInterfaceSet": rendered, "blockDeviceMapping": [volume],
        "privateDnsNameOptions": private_dns_options(world, instance),
    })
}

/// A public name is there in VPCs with names for hosts.
fn dns_name(world: &World, instance: &Instance, address: std::net::Ipv4Addr) -> String {
    let has_names = world.ec2.vpcs.get(&instance.vpc_id).is_some_and(|vpc| vpc.enable_dns_hostnames);
    if has_names { public_dns_name(&world.settings.region, address) } else { String::new() }
}

fn private_dns_options(world: &World, instance: &Instance) -> Option<Value> {
    let subnet = world.ec2.subnets.get(&instance.subnet_id)?;
    Some(json!({
        "hostnameType": subnet.hostname_type, "enableResourceNameDnsARecord": subnet.resource_name_a,
        "enableResourceNameDnsAAAARecord": subnet.resource_name_aaaa,
    }))
}

/// A reservation with its instances.
pub(super) fn reservation(world: &World, id: &str, rows: &[&Instance]) -> Value {
    let mut value = reservation_head(world, id);
    let mut rows = rows.to_vec();
    rows.sort_by_key(|row| row.launch_index);
    value["instancesSet"] = rows.into_iter().map(|row| render(world, row)).collect();
    value
}

/// Values of all interfaces.
fn of_interfaces(world: &World, instance: &Instance, values: impl Fn(&NetworkInterface) -> Vec<String>) -> Vec<String> {
    interfaces(world, instance).into_iter().flat_map(values).collect()
}

fn group_names(world: &World, groups: &[String]) -> Vec<String> {
    groups.iter().filter_map(|id| world.ec2.security_groups.get(id)).map(|group| group.name.clone()).collect()
}

fn primary_groups(world: &World, instance: &Instance) -> Vec<String> {
    primary(world, instance).map(|interface| interface.groups.clone()).unwrap_or_default()
}

const FILTERS: &[Field<Instance>] = &[
    ("architecture", |_, row| vec![row.architecture.clone()]),
    ("availability-zone", |_, row| vec![row.zone.clone()]),
    ("availability-zone-id", |_, row| zones::id(&row.zone).into_iter().collect()),
    ("client-token", |_, row| row.options.client_token.iter().cloned().collect()),
    ("dns-name", |world, row| {
        public_address(world, row).map(|address| dns_name(world, row, address)).into_iter().collect()
    }),
    ("ebs-optimized", |_, row| truth(row.options.is_ebs_optimized)),
    ("ena-support", |_, _| truth(true)),
    ("hypervisor", |_, _| vec!["xen".to_owned()]),
    ("iam-instance-profile.arn", |_, row| row.profile_arn.iter().cloned().collect()),
    ("iam-instance-profile.id", |world, row| {
        profile(world, row).and_then(|it| it["id"].as_str().map(str::to_owned)).into_iter().collect()
    }),
    ("image-id", |_, row| vec![row.image_id.clone()]),
    ("instance-id", |_, row| vec![row.id.clone()]),
    ("instance-lifecycle", |_, row| row.options.is_spot.then(|| "spot".to_owned()).into_iter().collect()),
    ("instance-state-code", |_, row| vec![row.state.code().to_string()]),
    ("instance-state-name", |_, row| vec![row.state.as_str().to_owned()]),
    ("instance-type", |_, row| vec![row.instance_type.clone()]),
    ("instance.group-id", primary_groups),
    ("instance.group-name", |world, row| group_names(world, &primary_groups(world, row))),
    ("ip-address", |world, row| public_address(world, row).iter().map(ToString::to_string).collect()),
    ("ipv6-address", |world, row| {
        of_interfaces(world, row, |one| one.ipv6_addresses.iter().map(ToString::to_string).collect())
    }),
    ("key-name", |_, row| row.options.key_name.iter().cloned().collect()),
    ("launch-index", |_, row| vec![row.launch_index.to_string()]),
    ("launch-time", |_, row| vec![time(row.launched_at)]),
    ("metadata-options.http-endpoint", |_, row| {
        vec![if row.options.is_metadata_enabled { "enabled" } else { "disabled" }.to_owned()]
    }),
    ("metadata-options.http-put-response-hop-limit", |_, row| vec![row.options.http_hop_limit.to_string()]),
    ("metadata-options.http-tokens", |_, row| vec![row.options.http_tokens.clone()]),
    ("monitoring-state", |_, row| vec![if row.options.is_monitored { "enabled" } else { "disabled" }.to_owned()]),
    ("network-interface.addresses.private-ip-address", |world, row| {
        of_interfaces(world, row, |one| one.addresses.iter().map(|it| it.address.to_string()).collect())
    }),
    ("network-interface.attachment.attachment-id", |world, row| {
        of_interfaces(world, row, |one| one.attachment.iter().map(|it| it.id.clone()).collect())
    }),
    ("network-interface.attachment.device-index", |world, row| {
        of_interfaces(world, row, |one| one.attachment.iter().map(|it| it.device_index.to_string()).collect())
    }),
    ("network-interface.attachment.status", |world, row| {
        of_interfaces(world, row, |one| one.attachment.iter().map(|it| it.status.as_str().to_owned()).collect())
    }),
    ("network-interface.availability-zone", |_, row| vec![row.zone.clone()]),
    ("network-interface.description", |world, row| of_interfaces(world, row, |one| vec![one.description.clone()])),
    ("network-interface.group-id", |world, row| of_interfaces(world, row, |one| one.groups.clone())),
    ("network-interface.group-name", |world, row| of_interfaces(world, row, |one| group_names(world, &one.groups))),
    ("network-interface.mac-address", |world, row| of_interfaces(world, row, |one| vec![one.mac.clone()])),
    ("network-interface.network-interface-id", |world, row| of_interfaces(world, row, |one| vec![one.id.clone()])),
    ("network-interface.owner-id", |world, row| of_interfaces(world, row, |_| vec![world.settings.account.clone()])),
    ("network-interface.source-dest-check", |world, row| of_interfaces(world, row, |one| truth(one.source_dest_check))),
    ("network-interface.status", |world, row| of_interfaces(world, row, |one| vec![one.status().to_owned()])),
    ("network-interface.subnet-id", |world, row| of_interfaces(world, row, |one| vec![one.subnet_id.clone()])),
    ("network-interface.vpc-id", |world, row| of_interfaces(world, row, |one| vec![one.vpc_id.clone()])),
    ("owner-id", |world, _| vec![world.settings.account.clone()]),
    ("platform-details", |_, _| vec!["Linux/UNIX".to_owned()]),
    ("private-dns-name", |world, row| {
        row.private_address.map(|address| private_dns_name(&world.settings.region, address)).into_iter().collect()
    }),
    ("private-ip-address", |_, row| row.private_address.iter().map(ToString::to_string).collect()),
    ("reservation-id", |_, row| vec![row.reservation_id.clone()]),
    ("root-device-name", |_, _| vec!["/dev/xvda".to_owned()]),
    ("root-device-type", |_, _| vec!["ebs".to_owned()]),
    ("source-dest-check", |world, row| primary(world, row).map(|one| truth(one.source_dest_check)).unwrap_or_default()),
    ("state-reason-code", |_, row| row.state_reason.iter().map(|(code, _)| code.clone()).collect()),
    ("subnet-id", |_, row| vec![row.subnet_id.clone()]),
    ("tenancy", |_, row| vec![row.options.tenancy.clone()]),
    ("virtualization-type", |_, _| vec!["hvm".to_owned()]),
    ("vpc-id", |_, row| vec![row.vpc_id.clone()]),
];

static INSTANCES: Describe<Instance> = Describe {
    kind: &KIND,
    ids: "InstanceId",
    set: "instancesSet",
    filters: FILTERS,
    indexed: &[
        "instance-id",
        "private-ip-address",
        "reservation-id",
        "tag",
        "subnet-id",
        "vpc-id",
        "instance-state-name",
    ],
    limits: (5, 1000),
    tags: |row| &row.tags,
    render: |world, row| json!({ "reservation": row.reservation_id, "instance": render(world, row) }),
};

fn refuse_both(call: &Call) -> Result<(), ApiError> {
    if call.has("MaxResults") && call.has("InstanceId") {
        let message = "The parameter instancesSet cannot be used with the parameter maxResults";
        return Err(ApiError::new("InvalidParameterCombination", message));
    }
    Ok(())
}

/// Instances, those of one reservation together. A page counts instances.
fn describe_instances(world: &mut World, call: &Call) -> Answer {
    refuse_both(call)?;
    let mut answer = INSTANCES.answer(world, &world.ec2.instances, call)?;
    let mut order: Vec<String> = Vec::new();
    let mut reservations: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for item in answer["instancesSet"].as_array_mut().into_iter().flatten() {
        let id = item["reservation"].as_str().unwrap_or_default().to_owned();
        if !reservations.contains_key(&id) {
            order.push(id.clone());
        }
        reservations.entry(id).or_default().push(item["instance"].take());
    }
    let set = order.into_iter().map(|id| {
        let mut value = reservation_head(world, &id);
        value["instancesSet"] = Value::Array(reservations.remove(&id).unwrap_or_default());
        value
    });
    let mut members = Map::new();
    members.insert("reservationSet".to_owned(), set.collect());
    members.insert("nextToken".to_owned(), answer["nextToken"].take());
    Ok(Value::Object(members))
}

const STATUS_FILTERS: &[Field<Instance>] = &[
    ("availability-zone", |_, row| vec![row.zone.clone()]),
    ("availability-zone-id", |_, row| zones::id(&row.zone).into_iter().collect()),
    ("instance-state-code", |_, row| vec![row.state.code().to_string()]),
    ("instance-state-name", |_, row| vec![row.state.as_str().to_owned()]),
    ("instance-status.reachability", |_, row| vec![reachability(row).to_owned()]),
    ("instance-status.status", |_, row| vec![health(row).to_owned()]),
    ("system-status.reachability", |_, row| vec![reachability(row).to_owned()]),
    ("system-status.status", |_, row| vec![health(row).to_owned()]),
];

fn health(instance: &Instance) -> &'static str {
    match instance.state {
        State::Running => "ok",
        State::Pending => "initializing",
        _ => "not-applicable",
    }
}

fn reachability(instance: &Instance) -> &'static str {
    match instance.state {
        State::Running => "passed",
        State::Pending => "initializing",
        _ => "insufficient-data",
    }
}

static STATUSES: Describe<Instance> = Describe {
    kind: &KIND,
    ids: "InstanceId",
    set: "instanceStatusSet",
    filters: STATUS_FILTERS,
    indexed: &["instance-state-name"],
    limits: (5, 1000),
    tags: |row| &row.tags,
    render: render_status,
};

fn render_status(_: &World, instance: &Instance) -> Value {
    let status = json!({
        "status": health(instance), "details": [{ "name": "reachability", "status": reachability(instance) }],
    });
    json!({
        "instanceId": instance.id, "availabilityZone": instance.zone, "availabilityZoneId": zones::id(&instance.zone),
        "instanceState": { "code": instance.state.code(), "name": instance.state.as_str() },
        "instanceStatus": status, "systemStatus": status, "attachedEbsStatus": status, "operator": { "managed": false },
    })
}

/// The running ones, or all with `IncludeAllInstances`.
fn describe_instance_status(world: &mut World, call: &Call) -> Answer {
    refuse_both(call)?;
    if call.boolean("IncludeAllInstances")? == Some(true) {
        return STATUSES.answer(world, &world.ec2.instances, call);
    }
    STATUSES.answer_where(world, &world.ec2.instances, call, |row| row.state == State::Running)
}
