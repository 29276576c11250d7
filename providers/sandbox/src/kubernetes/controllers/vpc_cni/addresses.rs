//! Addresses for ordinary pods: secondary addresses of the node's interfaces, or addresses of their prefixes.
//!
//! Which are taken is not kept anywhere: the pods' own status says it.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::Duration;

use serde_json::{Value, json};

use super::interfaces;
use super::settings::Settings;
use super::{agent, eni_config_name, keeps_slot};
use crate::ec2::interfaces::NetworkInterface;
use crate::kubernetes::controllers::context::{Context, is_going, meta};
use crate::kubernetes::controllers::nodes::instance_of;
use crate::kubernetes::controllers::queue::Item;
use crate::kubernetes::controllers::scheduler::cache::list;
use crate::kubernetes::controllers::workloads::pods::is_finished;

/// An interface that was let go is looked at again after this.
const POLL: Duration = Duration::from_secs(2);

/// A free address for a pod; `None` when the node can have no more.
pub(crate) fn take(ctx: &mut Context<'_>, pod: &Value, node: &Value) -> Option<String> {
    let name = meta(node, "name").to_owned();
    let is_simulated = !ctx.world.settings.without.contains("vpc-cni");
    let agent = agent(ctx, &name);
    if is_simulated && agent.is_none() {
        return None;
    }
    let settings = agent.map(|agent| Settings::of(&agent["spec"])).unwrap_or_default();
    let instance = instance_of(node)?.to_owned();
    let used = used(ctx, &name);
    let free = |ctx: &Context<'_>| pool(ctx, &instance, &settings).into_iter().find(|it| !used.contains(it));
    let mut found = free(ctx);
    if found.is_none() && grow(ctx, node, &instance, &settings) {
        found = free(ctx);
    }
    let address = found?.to_string();
    // Others must not get it before kubelet has written the status.
    let written = address.clone();
    ctx.update("pods", meta(pod, "namespace"), meta(pod, "name"), |pod| {
        pod["status"]["podIP"] = json!(written);
        pod["status"]["podIPs"] = json!([{ "ip": written }]);
        if settings.annotates_addresses() {
            pod["metadata"]["annotations"]["vpc.amazonaws.com/pod-ips"] = json!(written);
        }
    });
    Some(address)
}

/// The addresses that pods of a node have.
fn used(ctx: &Context<'_>, node: &str) -> BTreeSet<Ipv4Addr> {
    ctx.pods_on(node)
        .iter()
        .filter(|pod| pod["spec"]["hostNetwork"] != true && (!is_finished(pod) || is_going(pod)))
        .filter_map(|pod| pod["status"]["podIP"].as_str()?.parse().ok())
        .collect()
}

/// The interfaces whose addresses are for pods: not the trunk, and not the primary one under custom networking.
fn for_pods(ctx: &Context<'_>, instance: &str, settings: &Settings) -> Vec<NetworkInterface> {
    let mut rows = interfaces::of_instance(ctx.world, instance);
    rows.retain(|row| {
        let attachment = row.attachment.as_ref();
        let is_primary = attachment.is_none_or(|attachment| attachment.device_index == 0);
        let is_here = attachment.is_some_and(|it| !matches!(it.status.as_str(), "detaching" | "detached"));
        row.interface_type == "interface" && is_here && !(is_primary && settings.has_custom_networking())
    });
    rows
}

/// The addresses of an interface that pods can have.
fn of_interface(row: &NetworkInterface) -> impl Iterator<Item = Ipv4Addr> {
    let prefixes = row.ipv4_prefixes.iter().flat_map(|prefix| {
        let first = u32::from(prefix.network());
        (first..first + 16).map(Ipv4Addr::from)
    });
    row.addresses.iter().skip(1).map(|it| it.address).chain(prefixes)
}

fn pool(ctx: &Context<'_>, instance: &str, settings: &Settings) -> Vec<Ipv4Addr> {
    for_pods(ctx, instance, settings).iter().flat_map(|row| of_interface(row).collect::<Vec<_>>()).collect()
}

/// More addresses: on an interface with room, otherwise on a new one. `false` when there can be none.
fn grow(ctx: &mut Context<'_>, node: &Value, instance: &str, settings: &Settings) -> bool {
    let slots = interfaces::slots(ctx.world, instance);
    if fill_one(ctx, instance, settings, slots) {
        return true;
    }
    let there = interfaces::of_instance(ctx.world, instance).len();
    let kept = usize::from(keeps_slot(ctx, instance, settings));
    if there + kept >= interfaces::most(ctx.world, instance, settings) {
        return false;
    }
    let Some((subnet, groups)) = place(ctx, node, instance, settings) else { return false };
    interfaces::add(ctx.world, ctx.cluster, instance, &subnet, &groups) && fill_one(ctx, instance, settings, slots)
}

fn fill_one(ctx: &mut Context<'_>, instance: &str, settings: &Settings, slots: usize) -> bool {
    for row in for_pods(ctx, instance, settings) {
        let room = slots.saturating_sub(row.addresses.len() + row.ipv4_prefixes.len());
        let wanted = if settings.warm_addresses().is_some() || settings.has_prefixes() { 1 } else { room };
        if room > 0 && interfaces::fill(ctx.world, &row, wanted.min(room), settings.has_prefixes()) > 0 {
            return true;
        }
    }
    false
}

/// Where a new interface goes: subnet and groups of the primary one, or of the ENIConfig.
fn place(ctx: &Context<'_>, node: &Value, instance: &str, settings: &Settings) -> Option<(String, Vec<String>)> {
    let row = ctx.world.ec2.instances.get(instance)?;
    let groups = ctx.world.ec2.interfaces.get(&row.interface_id)?.groups.clone();
    if !settings.has_custom_networking() {
        return Some((row.subnet_id.clone(), groups));
    }
    let config = ctx.get("eniconfigs.crd.k8s.amazonaws.com", "", eni_config_name(node, settings))?;
    let subnet = config["spec"]["subnet"].as_str()?.to_owned();
    let own: Vec<String> =
        list(&config["spec"]["securityGroups"]).filter_map(|it| it.as_str().map(str::to_owned)).collect();
    Some((subnet, if own.is_empty() { groups } else { own }))
}

/// Brings the node's free addresses to the warm targets: more when they are too few, an interface less when one is not needed.
pub(super) fn keep_warm(ctx: &mut Context<'_>, item: &Item, node: &Value, settings: &Settings) {
    let Some(instance) = instance_of(node).map(str::to_owned) else { return };
    interfaces::delete_released(ctx.world, &instance);
    let used = used(ctx, meta(node, "name"));
    let per_interface = interfaces::slots(ctx.world, &instance).saturating_sub(1);
    let (spare, least) = match settings.warm_addresses() {
        Some(spare) => (spare, settings.minimum_addresses()),
        None if settings.has_prefixes() => (settings.warm_prefixes() * 16, settings.minimum_addresses()),
        None => (settings.warm_interfaces() * per_interface, settings.minimum_addresses()),
    };
    let wanted = (used.len() + spare).max(least);
    for _ in 0..256 {
        if pool(ctx, &instance, settings).len() >= wanted || !grow(ctx, node, &instance, settings) {
            break;
        }
    }
    shrink(ctx, item, &instance, settings, &used, wanted);
}

/// Lets interfaces without pods go that are not needed for the warm target.
fn shrink(
    ctx: &mut Context<'_>,
    item: &Item,
    instance: &str,
    settings: &Settings,
    used: &BTreeSet<Ipv4Addr>,
    wanted: usize,
) {
    let total = pool(ctx, instance, settings).len();
    for row in for_pods(ctx, instance, settings).into_iter().rev() {
        let own: Vec<Ipv4Addr> = of_interface(&row).collect();
        let is_primary = row.attachment.as_ref().is_none_or(|attachment| attachment.device_index == 0);
        if !is_primary && !own.is_empty() && own.iter().all(|it| !used.contains(it)) && total >= wanted + own.len() {
            interfaces::release(ctx.world, &row);
            let at = ctx.now().checked_add(POLL).unwrap_or(jiff::Timestamp::MAX);
            return ctx.queue.add_at(item.clone(), at);
        }
    }
    // With an address target single addresses are given back too.
    if settings.warm_addresses().is_some() && !settings.has_prefixes() && total > wanted {
        let mut surplus = total - wanted;
        for row in for_pods(ctx, instance, settings).into_iter().rev() {
            let mut idle: Vec<Ipv4Addr> = of_interface(&row).filter(|it| !used.contains(it)).collect();
            idle.truncate(surplus);
            surplus -= idle.len();
            interfaces::drain(ctx.world, &row, &idle);
        }
    }
}
