//! Services of each topology, and pods that are not ready for them.

use serde_json::{Value as Json, json};
use sgp_sandbox::{
    kubernetes::{life, objects::Key},
    world::World,
};

use super::{Changed, PORTS};
use crate::{
    random::Random,
    skeleton::{Cluster, NAMESPACES, Skeleton, TIERS, put},
};

/// A port of a Service that is asked for.
#[derive(Clone, Debug)]
pub struct Front {
    /// Its cluster.
    pub cluster: String,
    /// `CLUSTER:svc/NAMESPACE/NAME`.
    pub name: String,
    /// Its address, where it has one.
    pub address: Option<String>,
    /// `TCP` or `UDP`.
    pub protocol: &'static str,
    /// Its own ports and those of nodes.
    pub ports: Vec<u16>,
}

/// Makes some Services.
pub fn services(world: &mut World, all: &Skeleton, random: &mut Random, changed: &mut Changed) {
    for cluster in &all.clusters {
        for number in 0..random.between(2, 4) {
            changed.fronts.push(service(world, cluster, number, random));
        }
    }
}

fn service(world: &mut World, cluster: &Cluster, number: usize, random: &mut Random) -> Front {
    let namespace = *random.pick(&NAMESPACES);
    let name = format!("web-{number}");
    let (protocol, mut port) = port(random);
    let mut spec = json!({ "selector": selector(random) });
    let is_headless = random.percent(15);
    let address = if is_headless { "None".to_owned() } else { format!("{}{}", cluster.services, number + 10) };
    spec["clusterIP"] = json!(address);
    let mut ports = vec![port["port"].as_u64().and_then(|it| u16::try_from(it).ok()).expect("it has a port")];
    if !is_headless && random.percent(40) {
        let node_port = 30_080 + u16::try_from(number).expect("it is small");
        port["nodePort"] = json!(node_port);
        ports.extend([node_port, node_port]);
        spec["type"] = json!("NodePort");
        spec["externalTrafficPolicy"] = json!(*random.pick(&["Local", "Cluster"]));
    }
    if random.percent(20) {
        spec["internalTrafficPolicy"] = json!("Local");
    }
    if random.percent(10) {
        spec["publishNotReadyAddresses"] = json!(true);
    }
    spec["ports"] = json!([port]);
    put(world, &cluster.name, "services", namespace, &name, json!({ "kind": "Service", "spec": spec }));
    let address = (!is_headless).then_some(address);
    // Now and then somebody asks for what is not there.
    if random.percent(5) {
        ports.push(*random.pick(&PORTS));
    }
    Front {
        cluster: cluster.name.clone(),
        name: format!("{}:svc/{namespace}/{name}", cluster.name),
        address,
        protocol,
        ports,
    }
}

fn selector(random: &mut Random) -> Json {
    let tier = *random.pick(&TIERS);
    match random.below(6) {
        0 => json!({ "tier": tier, "color": "blue" }),
        1 => json!({ "color": "blue" }),
        _ => json!({ "tier": tier }),
    }
}

fn port(random: &mut Random) -> (&'static str, Json) {
    match random.below(8) {
        0 => ("UDP", json!({ "port": 53, "protocol": "UDP", "targetPort": "dns" })),
        1 => ("UDP", json!({ "port": 53, "protocol": "UDP" })),
        2 | 3 => ("TCP", json!({ "port": 80, "targetPort": "web" })),
        4 => ("TCP", json!({ "port": 443, "protocol": "TCP", "targetPort": *random.pick(&PORTS) })),
        5 => ("TCP", json!({ "port": 9090, "targetPort": "dns" })),
        _ => ("TCP", json!({ "port": 8080, "targetPort": 8080 })),
    }
}

/// Some pods become ready or cease to be, some are being deleted.
pub fn readiness(world: &mut World, all: &Skeleton, random: &mut Random, changed: &mut Changed) {
    for _ in 0..random.below(4) {
        let (cluster, namespace, name) = random.pick(&all.pods).clone();
        let is_ready = random.percent(50);
        let is_leaving = random.percent(30);
        life::update(world, &Key::new(&cluster, "pods", &namespace, &name), |pod| {
            pod["status"]["conditions"] = conditions(is_ready);
            if is_leaving {
                pod["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
            }
        });
        changed.pods.insert((cluster, namespace, name));
    }
}

/// A pod's conditions.
pub fn conditions(is_ready: bool) -> Json {
    json!([{ "type": "PodScheduled", "status": "True" },
        { "type": "Ready", "status": if is_ready { "True" } else { "False" } }])
}
