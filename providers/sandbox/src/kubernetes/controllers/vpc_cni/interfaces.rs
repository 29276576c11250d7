//! The interfaces of a node that the VPC CNI looks after.

use std::collections::BTreeMap;

use crate::ec2::attachments::{self, Attach};
use crate::ec2::instance_types;
use crate::ec2::interfaces::{self, NetworkInterface, NewInterface, PrivateAddress};
use crate::ec2::pool;
use crate::kubernetes::controllers::vpc_cni::settings::Settings;
use crate::world::World;

/// The interfaces of an instance, by their place.
pub(super) fn of_instance(world: &World, instance: &str) -> Vec<NetworkInterface> {
    let rows = world.ec2.interfaces.with(&format!("attachment.instance-id={instance}"));
    let mut rows: Vec<NetworkInterface> = rows.map(|(_, row)| row.clone()).collect();
    rows.sort_by_key(|row| row.attachment.as_ref().map_or(0, |attachment| attachment.device_index));
    rows
}

/// The most interfaces that an instance can have.
pub(super) fn most(world: &World, instance: &str, settings: &Settings) -> usize {
    let kind = world.ec2.instances.get(instance).and_then(|row| instance_types::find(&row.instance_type));
    let most = kind.map_or(0, |kind| kind.interfaces_max.min(kind.default_card_max()));
    settings.interfaces_max().map_or(most, |wanted| wanted.min(most))
}

/// How many addresses, prefixes included, an interface of an instance can have.
pub(super) fn slots(world: &World, instance: &str) -> usize {
    let kind = world.ec2.instances.get(instance).and_then(|row| instance_types::find(&row.instance_type));
    kind.map_or(0, |kind| kind.ipv4_per_interface)
}

/// Gives an interface more addresses or prefixes, as many as its subnet has and at most `count`; answers how many.
pub(super) fn fill(world: &mut World, interface: &NetworkInterface, count: usize, in_prefixes: bool) -> usize {
    for done in 0..count {
        if in_prefixes {
            let Ok(prefix) = pool::take_prefix(world, &interface.subnet_id, None) else { return done };
            world.ec2.interfaces.update(&interface.id, |row| row.ipv4_prefixes.push(prefix));
        } else {
            let Ok(address) = pool::take_address(world, &interface.subnet_id, None) else { return done };
            let address = PrivateAddress { address, public: None };
            world.ec2.interfaces.update(&interface.id, |row| row.addresses.push(address));
        }
    }
    count
}

/// Takes addresses away from an interface.
pub(super) fn drain(world: &mut World, interface: &NetworkInterface, addresses: &[std::net::Ipv4Addr]) {
    world.ec2.interfaces.update(&interface.id, |row| row.addresses.retain(|it| !addresses.contains(&it.address)));
    for address in addresses {
        pool::release_address(world, &interface.subnet_id, *address);
    }
}

/// Attaches one more interface in a subnet; `false` when EC2 refuses.
pub(super) fn add(world: &mut World, cluster: &str, instance: &str, subnet: &str, groups: &[String]) -> bool {
    let used: Vec<u32> =
        of_instance(world, instance).iter().filter_map(|row| Some(row.attachment.as_ref()?.device_index)).collect();
    let Some(device_index) = (1..64).find(|index| !used.contains(index)) else { return false };
    let tags: BTreeMap<String, String> = [
        ("cluster.k8s.amazonaws.com/name", cluster.to_owned()),
        ("eks:eni:owner", "amazon-vpc-cni".to_owned()),
        ("node.k8s.amazonaws.com/createdAt", crate::kubernetes::life::seconds(world)),
        ("node.k8s.amazonaws.com/instance_id", instance.to_owned()),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into();
    let new = NewInterface {
        subnet_id: subnet.to_owned(),
        groups: groups.to_vec(),
        description: format!("aws-K8S-{instance}"),
        tags,
        ..NewInterface::default()
    };
    let Ok(id) = interfaces::create(world, new) else { return false };
    let attach = Attach {
        interface_id: id.clone(),
        instance_id: instance.to_owned(),
        device_index,
        network_card_index: 0,
        delete_on_termination: true,
    };
    let is_attached = attachments::attach(world, &attach).is_ok();
    if !is_attached {
        let _ = interfaces::delete(world, &id);
    }
    is_attached
}

/// Lets an interface go; it is deleted when it is detached.
pub(super) fn release(world: &mut World, interface: &NetworkInterface) {
    if let Some(attachment) = &interface.attachment {
        let _ = attachments::detach(world, &attachment.id);
    }
}

/// Deletes the interfaces that were let go and are detached.
pub(super) fn delete_released(world: &mut World, instance: &str) {
    let key = format!("description=aws-K8S-{instance}");
    let free: Vec<String> = world
        .ec2
        .interfaces
        .with(&key)
        .filter(|(_, row)| row.attachment.is_none())
        .map(|(id, _)| id.to_owned())
        .collect();
    for id in free {
        let _ = interfaces::delete(world, &id);
    }
}
