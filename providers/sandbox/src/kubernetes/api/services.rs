//! Addresses and ports that Services are given.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use serde_json::{Value, json};

use super::status::{Cause, Status};
use super::write::{Write, set};
use crate::world::World;

/// The addresses of a cluster whose row says none.
const CIDR: &str = "10.100.0.0/16";

/// The ports of nodes that Services get. Source: `--service-node-port-range`.
const PORTS: std::ops::RangeInclusive<u64> = 30_000..=32_767;

/// Gives a Service what it needs and has not: a cluster address, ports of nodes.
pub(super) fn allocate(
    world: &mut World,
    write: &Write<'_>,
    old: Option<&Value>,
    service: &mut Value,
) -> Result<(), Status> {
    let kind = service["spec"]["type"].as_str().unwrap_or("ClusterIP").to_owned();
    let name = service["metadata"]["name"].as_str().unwrap_or("").to_owned();
    if kind == "ExternalName" {
        for member in ["clusterIP", "clusterIPs"] {
            set(&mut service["spec"], member, Value::Null);
        }
        return Ok(());
    }
    service["spec"]["type"] = json!(kind);
    let uid = service["metadata"]["uid"].clone();
    let others = others(world, write, &uid, &name);
    address(world, write, old, &others, &name, service)?;
    let spec = &mut service["spec"];
    for (member, default) in [
        ("sessionAffinity", json!("None")),
        ("internalTrafficPolicy", json!("Cluster")),
        ("ipFamilyPolicy", json!("SingleStack")),
        ("ipFamilies", json!(["IPv4"])),
    ] {
        if spec[member].is_null() {
            spec[member] = default;
        }
    }
    if matches!(kind.as_str(), "NodePort" | "LoadBalancer") {
        ports(world, write, &others, &name, service)?;
    }
    if kind == "LoadBalancer" && service["spec"]["allocateLoadBalancerNodePorts"].is_null() {
        service["spec"]["allocateLoadBalancerNodePorts"] = json!(true);
    }
    Ok(())
}

/// What other Services have.
struct Taken {
    addresses: BTreeSet<String>,
    ports: BTreeSet<u64>,
}

fn others(world: &World, write: &Write<'_>, uid: &Value, name: &str) -> Taken {
    let mut taken = Taken { addresses: BTreeSet::new(), ports: BTreeSet::new() };
    for service in world.kubernetes.objects.list(write.cluster, "services", None) {
        let metadata = &service["metadata"];
        if (&metadata["uid"] == uid && !uid.is_null())
            || (metadata["name"] == name && metadata["namespace"] == write.namespace)
        {
            continue;
        }
        taken.addresses.extend(service["spec"]["clusterIP"].as_str().map(str::to_owned));
        let ports = service["spec"]["ports"].as_array().into_iter().flatten();
        taken.ports.extend(ports.filter_map(|port| port["nodePort"].as_u64()));
    }
    taken
}

fn address(
    world: &mut World,
    write: &Write<'_>,
    old: Option<&Value>,
    taken: &Taken,
    name: &str,
    service: &mut Value,
) -> Result<(), Status> {
    let was = old.and_then(|old| old["spec"]["clusterIP"].as_str()).filter(|it| !it.is_empty()).map(str::to_owned);
    let asked = service["spec"]["clusterIP"].as_str().filter(|it| !it.is_empty()).map(str::to_owned);
    let asked = asked.or_else(|| service["spec"]["clusterIPs"][0].as_str().map(str::to_owned));
    let refuse = |cause: Cause| Err(Status::invalid(write.resource, name, &[cause]));
    let address = match (was, asked) {
        (Some(was), Some(asked)) if was != asked => {
            return refuse(Cause::invalid("spec.clusterIPs[0]", &json!([asked]), "may not change once set"));
        }
        (Some(was), _) => was,
        (None, Some(asked)) if asked == "None" => asked,
        (None, Some(asked)) => {
            let range = range(world, write.cluster);
            let parsed = asked.parse::<Ipv4Addr>().ok();
            if !parsed.is_some_and(|it| range.contains(&it)) {
                let why = format!(
                    "failed to allocate IP {asked}: the provided IP ({asked}) is not in the valid range. The range of valid IPs is {range}"
                );
                return refuse(Cause::invalid("spec.clusterIPs", &json!([asked]), &why));
            }
            if taken.addresses.contains(&asked) {
                let why = format!("failed to allocate IP {asked}: provided IP is already allocated");
                return refuse(Cause::invalid("spec.clusterIPs", &json!([asked]), &why));
            }
            asked
        }
        (None, None) => free_address(world, write, taken)?,
    };
    service["spec"]["clusterIP"] = json!(address);
    service["spec"]["clusterIPs"] = json!([address]);
    Ok(())
}

fn range(world: &World, cluster: &str) -> Ipv4Net {
    let own = world.eks.clusters.get(cluster).and_then(|row| row.service_ipv4_cidr.as_deref());
    let default = || CIDR.parse().expect("the constant is a range");
    own.and_then(|cidr| cidr.parse().ok()).unwrap_or_else(default)
}

/// Somewhere in the range; its first addresses are kept for well-known ones (`kubernetes`, DNS).
fn free_address(world: &mut World, write: &Write<'_>, taken: &Taken) -> Result<String, Status> {
    let range = range(world, write.cluster);
    let (first, last) = (u32::from(range.network()), u32::from(range.broadcast()));
    let size = last - first;
    let seed = world.ids.bytes();
    let seed = u32::from_be_bytes([seed[0], seed[1], seed[2], seed[3]]);
    let kept = 16.min(size / 2);
    let places = (0..size.saturating_sub(kept + 1)).map(|step| {
        let offset = (u64::from(seed) + u64::from(step)) % u64::from(size - kept - 1);
        first + kept + 1 + u32::try_from(offset).unwrap_or(0)
    });
    let mut free = places.map(|place| Ipv4Addr::from(place).to_string()).filter(|it| !taken.addresses.contains(it));
    free.next().ok_or_else(|| {
        let message = "Internal error occurred: failed to allocate a serviceIP: range is full";
        Status::new(500, "InternalError", message)
    })
}

fn ports(world: &mut World, write: &Write<'_>, taken: &Taken, name: &str, service: &mut Value) -> Result<(), Status> {
    let mut used = taken.ports.clone();
    let asked: Vec<Option<u64>> = service["spec"]["ports"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|port| port["nodePort"].as_u64().filter(|it| *it > 0))
        .collect();
    for (at, port) in asked.iter().enumerate() {
        let Some(port) = port else { continue };
        let why = if !PORTS.contains(port) {
            "provided port is not in the valid range. The range of valid ports is 30000-32767"
        } else if taken.ports.contains(port) {
            "provided port is already allocated"
        } else {
            used.insert(*port);
            continue;
        };
        let cause = Cause::invalid(format!("spec.ports[{at}].nodePort"), &json!(port), why);
        return Err(Status::invalid(write.resource, name, &[cause]));
    }
    for (at, port) in asked.iter().enumerate().filter(|(_, port)| port.is_none()) {
        let _ = port;
        let seed = world.ids.bytes();
        let start = u64::from(u16::from_be_bytes([seed[0], seed[1]]));
        let count = PORTS.end() - PORTS.start() + 1;
        let mut free =
            (0..count).map(|step| PORTS.start() + (start + step) % count).filter(|port| !used.contains(port));
        let port = free.next().ok_or_else(|| {
            Status::new(500, "InternalError", "Internal error occurred: failed to allocate a nodePort: range is full")
        })?;
        used.insert(port);
        service["spec"]["ports"][at]["nodePort"] = json!(port);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::resources::builtin;
    use super::*;
    use crate::kubernetes::admission::User;
    use crate::kubernetes::life;

    #[test]
    fn services_get_addresses_and_ports_of_their_own() {
        let mut world = crate::testing::world();
        let (resource, user) =
            (builtin("", "v1", "services").unwrap(), User { name: "a".to_owned(), groups: Vec::new() });
        let write = Write {
            cluster: "c",
            resource: &resource,
            namespace: "ns",
            subresource: "",
            user: &user,
            principal: "",
            manager: "",
            is_applied: false,
        };
        let mut make = |name: &str, spec: Value| -> Result<Value, String> {
            let mut service = json!({ "kind": "Service", "metadata": { "name": name }, "spec": spec });
            allocate(&mut world, &write, None, &mut service).map_err(|status| status.message)?;
            life::create(&mut world, &resource.key("c", "ns", name), service.clone());
            Ok(service["spec"].clone())
        };
        let a = make("a", json!({ "type": "NodePort", "ports": [{ "port": 80 }, { "port": 81 }] })).unwrap();
        assert!(a["clusterIP"].as_str().unwrap().starts_with("10.100."));
        let port = a["ports"][0]["nodePort"].as_u64().unwrap();
        assert!(PORTS.contains(&port) && a["ports"][1]["nodePort"] != port);
        let again = make("b", json!({ "clusterIP": a["clusterIP"] })).unwrap_err();
        assert!(again.ends_with("provided IP is already allocated"), "{again}");
        let again = make("b", json!({ "type": "NodePort", "ports": [{ "nodePort": port }] })).unwrap_err();
        assert!(again.ends_with("provided port is already allocated"), "{again}");
        assert!(make("b", json!({ "clusterIP": "1.2.3.4" })).unwrap_err().contains("not in the valid range"));
        assert_eq!(make("b", json!({ "clusterIP": "None" })).unwrap()["clusterIPs"], json!(["None"]));
        assert!(make("c", json!({ "type": "ExternalName" })).unwrap()["clusterIP"].is_null());
    }
}
