//! Services and Ingresses, as Kubernetes has them.

use serde_json::Value as Json;
use sgp_model::InstanceAddr;

use super::manifest::{labels_of, list, strings};
use crate::selector::is_open;
use crate::topology::{Annotations, Backend, BackendPort, Ingress, IngressClass, Service, ServicePort, TargetPort};

pub(super) fn service(json: &Json, annotations: Annotations, managed_by: Option<InstanceAddr>) -> Service {
    let spec = &json["spec"];
    let first = spec["clusterIP"].as_str().into_iter();
    let addresses = first.chain(strings(&spec["clusterIPs"])).filter_map(|it| it.parse().ok());
    let mut addresses: Vec<_> = addresses.collect();
    addresses.dedup();
    Service {
        managed_by,
        kind: spec["type"].as_str().unwrap_or("ClusterIP").to_owned(),
        addresses,
        is_headless: spec["clusterIP"] == "None",
        selector: spec.get("selector").filter(|it| it.as_object().is_some_and(|it| !it.is_empty())).map(labels_of),
        is_selector_open: is_open(&spec["selector"]),
        ports: list(&spec["ports"]).filter_map(port).collect(),
        is_local: spec["externalTrafficPolicy"] == "Local",
        is_local_inside: spec["internalTrafficPolicy"] == "Local",
        publishes_not_ready: spec["publishNotReadyAddresses"] == true,
        class: spec["loadBalancerClass"].as_str().map(str::to_owned),
        source_ranges: strings(&spec["loadBalancerSourceRanges"]).filter_map(super::view::parse_block).collect(),
        host_names: host_names(json),
        annotations,
    }
}

fn port(json: &Json) -> Option<ServicePort> {
    let port = number(&json["port"])?;
    let target = match &json["targetPort"] {
        Json::String(name) => match name.parse() {
            Ok(number) => TargetPort::Number(number),
            Err(_) => TargetPort::Name(name.clone()),
        },
        Json::Number(_) => TargetPort::Number(number(&json["targetPort"])?),
        _ => TargetPort::Number(port),
    };
    Some(ServicePort {
        name: json["name"].as_str().map(str::to_owned),
        protocol: json["protocol"].as_str().unwrap_or("TCP").to_ascii_lowercase(),
        port,
        target,
        node_port: number(&json["nodePort"]),
    })
}

pub(super) fn ingress(json: &Json, annotations: Annotations, managed_by: Option<InstanceAddr>) -> Ingress {
    let spec = &json["spec"];
    let of_rules = list(&spec["rules"]).flat_map(|it| list(&it["http"]["paths"])).map(|it| &it["backend"]);
    let mut backends: Vec<Backend> = Vec::new();
    for backend in of_rules.chain([&spec["defaultBackend"]]).filter_map(backend) {
        if !backends.contains(&backend) {
            backends.push(backend);
        }
    }
    // Before there were classes an annotation named them (kubernetes.io/docs/concepts/services-networking/ingress).
    let by_annotation = annotations.get("kubernetes.io/ingress.class");
    let class = spec["ingressClassName"].as_str().or(by_annotation).map(str::to_owned);
    Ingress { managed_by, class, backends, host_names: host_names(json), annotations }
}

fn backend(json: &Json) -> Option<Backend> {
    let service = json["service"]["name"].as_str()?.to_owned();
    let port = &json["service"]["port"];
    let by_name = || port["name"].as_str().map(|name| BackendPort::Name(name.to_owned()));
    Some(Backend { service, port: number(&port["number"]).map(BackendPort::Number).or_else(by_name)? })
}

pub(super) fn ingress_class(spec: &Json) -> IngressClass {
    let is_ours = spec["parameters"]["kind"] == "IngressClassParams";
    let params = spec["parameters"]["name"].as_str().filter(|_| is_ours);
    IngressClass {
        controller: spec["controller"].as_str().unwrap_or_default().to_owned(),
        params: params.map(str::to_owned),
    }
}

fn host_names(json: &Json) -> Vec<String> {
    let all = list(&json["status"]["loadBalancer"]["ingress"]).filter_map(|it| it["hostname"].as_str());
    all.map(str::to_owned).collect()
}

fn number(json: &Json) -> Option<u16> {
    json.as_u64().and_then(|it| u16::try_from(it).ok())
}
