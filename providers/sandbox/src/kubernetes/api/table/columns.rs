//! Columns of the built-in kinds.

use std::collections::HashMap;
use std::sync::LazyLock;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::scale::selector_text;
use super::{Cells, age, column, human, pods};

/// Makes the cells of one kind, from an object and the time.
type Row = fn(&Value, Timestamp) -> Vec<Value>;

/// The columns of a stored resource, and what makes its rows; the name and the age where nothing else is known.
pub(super) fn of(stored: &str) -> (Vec<Value>, Cells<'static>) {
    let found = KINDS.iter().find(|(name, _, _)| *name == stored);
    let (columns, row) = found.map_or(("Name,Age", name_and_age as Row), |(_, columns, row)| (*columns, *row));
    let described = |written: &str| {
        let mut column = column(written);
        column["description"] = json!(description(stored, column["name"].as_str().unwrap_or("")));
        column
    };
    (columns.split(',').map(described).collect(), Box::new(row))
}

/// What columns say of themselves, by stored resource; under `*` what is the same for all.
static DESCRIPTIONS: LazyLock<HashMap<String, HashMap<String, String>>> = LazyLock::new(|| {
    let text = include_str!("../../../../data/kubernetes/columns.json");
    serde_json::from_str(text).expect("the file is part of the program")
});

/// What a column is about.
pub(super) fn description(stored: &str, name: &str) -> &'static str {
    let of = |stored: &str| DESCRIPTIONS.get(stored).and_then(|columns| columns.get(name));
    of(stored).or_else(|| of("*")).map_or("", String::as_str)
}

const KINDS: &[(&str, &str, Row)] = &[
    ("pods", "Name,Ready,Status,Restarts,Age,IP*,Node*,Nominated Node*,Readiness Gates*", pods::cells),
    (
        "nodes",
        "Name,Status,Roles,Age,Version,Internal-IP*,External-IP*,OS-Image*,Kernel-Version*,Container-Runtime*",
        node,
    ),
    ("namespaces", "Name,Status,Age", |it, now| vec![name(it), it["status"]["phase"].clone(), aged(it, now)]),
    ("configmaps", "Name,Data,Age", |it, now| {
        vec![name(it), json!(count(&it["data"]) + count(&it["binaryData"])), aged(it, now)]
    }),
    ("secrets", "Name,Type,Data,Age", |it, now| {
        vec![name(it), text(&it["type"]), json!(count(&it["data"])), aged(it, now)]
    }),
    ("services", "Name,Type,Cluster-IP,External-IP,Port(s),Age,Selector*", service),
    ("endpoints", "Name,Endpoints,Age", |it, now| vec![name(it), json!(endpoints(it)), aged(it, now)]),
    ("endpointslices.discovery.k8s.io", "Name,AddressType,Ports,Endpoints,Age", endpoint_slice),
    ("events", "Last Seen,Type,Reason,Object,Subobject*,Source*,Message,First Seen*,Count*,Name*", event),
    (
        "persistentvolumes",
        "Name,Capacity,Access Modes,Reclaim Policy,Status,Claim,StorageClass,VolumeAttributesClass,Reason,Age,VolumeMode*",
        volume,
    ),
    (
        "persistentvolumeclaims",
        "Name,Status,Volume,Capacity,Access Modes,StorageClass,VolumeAttributesClass,Age,VolumeMode*",
        claim,
    ),
    ("resourcequotas", "Name,Request,Limit,Age", quota),
    ("deployments.apps", "Name,Ready,Up-to-date,Available,Age,Containers*,Images*,Selector*", deployment),
    (
        "replicasets.apps",
        "Name,Desired:integer,Current:integer,Ready:integer,Age,Containers*,Images*,Selector*",
        replica_set,
    ),
    (
        "replicationcontrollers",
        "Name,Desired:integer,Current:integer,Ready:integer,Age,Containers*,Images*,Selector*",
        replica_set,
    ),
    ("statefulsets.apps", "Name,Ready,Age,Containers*,Images*", |it, now| {
        let (containers, images) = containers(&it["spec"]["template"]);
        vec![
            name(it),
            json!(of_total(&it["status"]["readyReplicas"], &it["spec"]["replicas"])),
            aged(it, now),
            containers,
            images,
        ]
    }),
    (
        "daemonsets.apps",
        "Name,Desired:integer,Current:integer,Ready:integer,Up-to-date:integer,Available:integer,Node Selector,Age,Containers*,Images*,Selector*",
        daemon_set,
    ),
    ("controllerrevisions.apps", "Name,Controller,Revision,Age", |it, now| {
        let owner =
            it["metadata"]["ownerReferences"].as_array().into_iter().flatten().find(|it| it["controller"] == true);
        let kind = |owner: &Value| {
            format!(
                "{}.apps/{}",
                owner["kind"].as_str().unwrap_or("").to_lowercase(),
                owner["name"].as_str().unwrap_or("")
            )
        };
        vec![name(it), json!(owner.map_or("<none>".to_owned(), kind)), number(&it["revision"]), aged(it, now)]
    }),
    ("jobs.batch", "Name,Status,Completions,Duration,Age,Containers*,Images*,Selector*", job),
    (
        "cronjobs.batch",
        "Name,Schedule,Timezone,Suspend:boolean,Active:integer,Last Schedule,Age,Containers*,Images*,Selector*",
        cron_job,
    ),
    ("horizontalpodautoscalers.autoscaling", "Name,Reference,Targets,MinPods,MaxPods,Replicas,Age", autoscaler),
    ("poddisruptionbudgets.policy", "Name,Min Available,Max Unavailable,Allowed Disruptions:integer,Age", |it, now| {
        let or = |value: &Value| if value.is_null() { json!("N/A") } else { json!(plain(value)) };
        let spec = &it["spec"];
        vec![
            name(it),
            or(&spec["minAvailable"]),
            or(&spec["maxUnavailable"]),
            number(&it["status"]["disruptionsAllowed"]),
            aged(it, now),
        ]
    }),
    ("networkpolicies.networking.k8s.io", "Name,Pod-Selector,Age", |it, now| {
        vec![name(it), json!(or_none(&selector_text(&it["spec"]["podSelector"]))), aged(it, now)]
    }),
    ("ingresses.networking.k8s.io", "Name,Class,Hosts,Address,Ports,Age", ingress),
    ("ingressclasses.networking.k8s.io", "Name,Controller,Parameters,Age", |it, now| {
        let parameters = &it["spec"]["parameters"];
        let shown = if parameters.is_null() {
            "<none>".to_owned()
        } else {
            format!("{}/{}", plain(&parameters["kind"]), plain(&parameters["name"]))
        };
        vec![name(it), text(&it["spec"]["controller"]), json!(shown), aged(it, now)]
    }),
    ("limitranges", "Name,Created At:date", created),
    ("roles.rbac.authorization.k8s.io", "Name,Created At:date", created),
    ("clusterroles.rbac.authorization.k8s.io", "Name,Created At:date", created),
    ("rolebindings.rbac.authorization.k8s.io", "Name,Role,Age,Users*,Groups*,ServiceAccounts*", binding),
    ("clusterrolebindings.rbac.authorization.k8s.io", "Name,Role,Age,Users*,Groups*,ServiceAccounts*", binding),
    ("customresourcedefinitions.apiextensions.k8s.io", "Name,Created At:date", created),
    ("leases.coordination.k8s.io", "Name,Holder,Age", |it, now| {
        vec![name(it), text(&it["spec"]["holderIdentity"]), aged(it, now)]
    }),
    (
        "storageclasses.storage.k8s.io",
        "Name,Provisioner,ReclaimPolicy,VolumeBindingMode,AllowVolumeExpansion,Age",
        |it, now| {
            let is_default = it["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"] == "true";
            let shown = format!("{}{}", plain(&it["metadata"]["name"]), if is_default { " (default)" } else { "" });
            let or = |value: &Value, default: &str| json!(value.as_str().unwrap_or(default));
            let expands = it["allowVolumeExpansion"] == true;
            vec![
                json!(shown),
                text(&it["provisioner"]),
                or(&it["reclaimPolicy"], "Delete"),
                or(&it["volumeBindingMode"], "Immediate"),
                json!(expands),
                aged(it, now),
            ]
        },
    ),
    (
        "priorityclasses.scheduling.k8s.io",
        "Name,Value:integer,Global-Default:boolean,Age,PreemptionPolicy",
        |it, now| {
            vec![
                name(it),
                number(&it["value"]),
                json!(it["globalDefault"] == true),
                aged(it, now),
                text(&it["preemptionPolicy"]),
            ]
        },
    ),
    ("mutatingwebhookconfigurations.admissionregistration.k8s.io", "Name,Webhooks:integer,Age", webhooks),
    ("validatingwebhookconfigurations.admissionregistration.k8s.io", "Name,Webhooks:integer,Age", webhooks),
    ("csinodes.storage.k8s.io", "Name,Drivers:integer,Age", |it, now| {
        vec![name(it), json!(count(&it["spec"]["drivers"])), aged(it, now)]
    }),
    ("runtimeclasses.node.k8s.io", "Name,Handler,Age", |it, now| vec![name(it), text(&it["handler"]), aged(it, now)]),
    ("apiservices.apiregistration.k8s.io", "Name,Service,Available,Age", |it, now| {
        let service = &it["spec"]["service"];
        let shown = if service.is_null() {
            "Local".to_owned()
        } else {
            format!("{}/{}", plain(&service["namespace"]), plain(&service["name"]))
        };
        vec![
            name(it),
            json!(shown),
            json!(if has_condition(it, "Available") { "True" } else { "False" }),
            aged(it, now),
        ]
    }),
];

fn name(object: &Value) -> Value {
    object["metadata"]["name"].clone()
}

fn aged(object: &Value, now: Timestamp) -> Value {
    json!(age(&object["metadata"]["creationTimestamp"], now))
}

fn name_and_age(object: &Value, now: Timestamp) -> Vec<Value> {
    vec![name(object), aged(object, now)]
}

fn created(object: &Value, _now: Timestamp) -> Vec<Value> {
    vec![name(object), object["metadata"]["creationTimestamp"].clone()]
}

fn webhooks(object: &Value, now: Timestamp) -> Vec<Value> {
    vec![name(object), json!(count(&object["webhooks"])), aged(object, now)]
}

fn count(value: &Value) -> usize {
    value.as_object().map(serde_json::Map::len).or_else(|| value.as_array().map(Vec::len)).unwrap_or(0)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn text(value: &Value) -> Value {
    json!(plain(value))
}

fn number(value: &Value) -> Value {
    json!(value.as_i64().unwrap_or(0))
}

fn or_none(text: &str) -> &str {
    if text.is_empty() { "<none>" } else { text }
}

fn of_total(part: &Value, total: &Value) -> String {
    format!("{}/{}", number(part), number(total))
}

fn has_condition(object: &Value, kind: &str) -> bool {
    list(&object["status"]["conditions"]).iter().any(|it| it["type"] == kind && it["status"] == "True")
}

/// Names and images of a template's containers.
fn containers(template: &Value) -> (Value, Value) {
    let join = |member: &str| {
        let all = list(&template["spec"]["containers"]).iter().map(|it| plain(&it[member]));
        json!(all.collect::<Vec<_>>().join(","))
    };
    (join("name"), join("image"))
}

fn labels(value: &Value) -> String {
    or_none(&selector_text(value)).to_owned()
}

fn node(it: &Value, now: Timestamp) -> Vec<Value> {
    const ROLE: &str = "node-role.kubernetes.io/";
    let ready = list(&it["status"]["conditions"]).iter().find(|it| it["type"] == "Ready");
    let mut status = match ready {
        Some(ready) if ready["status"] == "True" => "Ready".to_owned(),
        Some(_) => "NotReady".to_owned(),
        None => "Unknown".to_owned(),
    };
    if it["spec"]["unschedulable"] == true {
        status.push_str(",SchedulingDisabled");
    }
    let all = it["metadata"]["labels"].as_object().into_iter().flatten();
    let roles: Vec<&str> = all.filter_map(|(name, _)| name.strip_prefix(ROLE)).filter(|it| !it.is_empty()).collect();
    let address = |kind: &str| {
        let found = list(&it["status"]["addresses"]).iter().find(|it| it["type"] == kind);
        json!(found.map_or("<none>".to_owned(), |it| plain(&it["address"])))
    };
    let info = &it["status"]["nodeInfo"];
    let or_unknown = |value: &Value| value.as_str().filter(|it| !it.is_empty()).unwrap_or("<unknown>").to_owned();
    let mut kernel = or_unknown(&info["kernelVersion"]);
    if let Some(architecture) = info["architecture"].as_str().filter(|it| !it.is_empty()) {
        kernel.push_str(&format!(" ({architecture})"));
    }
    vec![
        name(it),
        json!(status),
        json!(or_none(&roles.join(","))),
        aged(it, now),
        text(&info["kubeletVersion"]),
        address("InternalIP"),
        address("ExternalIP"),
        json!(or_unknown(&info["osImage"])),
        json!(kernel),
        json!(or_unknown(&info["containerRuntimeVersion"])),
    ]
}

fn service(it: &Value, now: Timestamp) -> Vec<Value> {
    let spec = &it["spec"];
    let kind = spec["type"].as_str().unwrap_or("ClusterIP");
    let ingress = list(&it["status"]["loadBalancer"]["ingress"]).iter();
    let balancers: Vec<String> = ingress.map(|it| plain(it.get("ip").unwrap_or(&it["hostname"]))).collect();
    let externals: Vec<String> = list(&spec["externalIPs"]).iter().map(plain).collect();
    let external = match kind {
        "ExternalName" => plain(&spec["externalName"]),
        "LoadBalancer" if balancers.is_empty() && externals.is_empty() => "<pending>".to_owned(),
        "LoadBalancer" => balancers.into_iter().chain(externals).collect::<Vec<_>>().join(","),
        _ => externals.join(","),
    };
    let port = |port: &Value| {
        let node = port["nodePort"].as_u64().filter(|it| *it > 0).map(|it| format!(":{it}")).unwrap_or_default();
        format!("{}{node}/{}", port["port"], port["protocol"].as_str().unwrap_or("TCP"))
    };
    let ports = list(&spec["ports"]).iter().map(port).collect::<Vec<_>>().join(",");
    vec![
        name(it),
        json!(kind),
        json!(or_none(&plain(&spec["clusterIP"]))),
        json!(or_none(&external)),
        json!(or_none(&ports)),
        aged(it, now),
        json!(labels(&spec["selector"])),
    ]
}

fn few(all: &[String]) -> String {
    const SHOWN: usize = 3;
    let shown = all.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(",");
    match all.len() {
        0 => "<none>".to_owned(),
        many if many > SHOWN => format!("{shown} + {} more...", many - SHOWN),
        _ => shown,
    }
}

fn endpoints(it: &Value) -> String {
    let mut all = Vec::new();
    for subset in list(&it["subsets"]) {
        let addresses = || list(&subset["addresses"]).iter().map(|it| plain(&it["ip"]));
        if list(&subset["ports"]).is_empty() {
            all.extend(addresses());
        }
        for port in list(&subset["ports"]) {
            all.extend(addresses().map(|ip| format!("{ip}:{}", port["port"])));
        }
    }
    few(&all)
}

fn endpoint_slice(it: &Value, now: Timestamp) -> Vec<Value> {
    let ports: Vec<String> =
        list(&it["ports"]).iter().map(|it| it["port"].as_u64().map_or("*".to_owned(), |it| it.to_string())).collect();
    let ports = if ports.is_empty() { "<unset>".to_owned() } else { few(&ports) };
    let all: Vec<String> = list(&it["endpoints"]).iter().flat_map(|it| list(&it["addresses"])).map(plain).collect();
    let shown = if all.is_empty() { "<unset>".to_owned() } else { few(&all) };
    vec![name(it), text(&it["addressType"]), json!(ports), json!(shown), aged(it, now)]
}

fn event(it: &Value, now: Timestamp) -> Vec<Value> {
    let ago = |value: &Value| age(value, now);
    let first = if it["firstTimestamp"].is_null() { ago(&it["eventTime"]) } else { ago(&it["firstTimestamp"]) };
    let (mut last, mut count) = (
        if it["lastTimestamp"].is_null() { first.clone() } else { ago(&it["lastTimestamp"]) },
        it["count"].as_i64().unwrap_or(0).max(1),
    );
    if let Some(series) = it.get("series").filter(|it| !it.is_null()) {
        last = ago(&series["lastObservedTime"]);
        count = series["count"].as_i64().unwrap_or(1);
    }
    let about = &it["involvedObject"];
    let kind = plain(&about["kind"]).to_lowercase();
    let target = match about["name"].as_str().unwrap_or("") {
        "" => kind,
        name => format!("{kind}/{name}"),
    };
    let join = |component: &Value, host: &Value| match (plain(component), plain(host)) {
        (component, host) if host.is_empty() => component,
        (component, host) => format!("{component}, {host}"),
    };
    let source = match plain(&it["source"]["component"]).as_str() {
        "" => join(&it["reportingComponent"], &it["reportingInstance"]),
        _ => join(&it["source"]["component"], &it["source"]["host"]),
    };
    vec![
        json!(last),
        text(&it["type"]),
        text(&it["reason"]),
        json!(target),
        text(&about["fieldPath"]),
        json!(source),
        json!(plain(&it["message"]).trim()),
        json!(first),
        json!(count),
        name(it),
    ]
}

fn modes(value: &Value) -> Value {
    let short = |mode: &Value| match mode.as_str().unwrap_or("") {
        "ReadWriteOnce" => "RWO".to_owned(),
        "ReadOnlyMany" => "ROX".to_owned(),
        "ReadWriteMany" => "RWX".to_owned(),
        "ReadWriteOncePod" => "RWOP".to_owned(),
        other => other.to_owned(),
    };
    json!(list(value).iter().map(short).collect::<Vec<_>>().join(","))
}

fn volume(it: &Value, now: Timestamp) -> Vec<Value> {
    let (spec, status) = (&it["spec"], &it["status"]);
    let claim = &spec["claimRef"];
    let claim = if claim.is_null() {
        String::new()
    } else {
        format!("{}/{}", plain(&claim["namespace"]), plain(&claim["name"]))
    };
    let phase =
        if it["metadata"]["deletionTimestamp"].is_null() { plain(&status["phase"]) } else { "Terminating".to_owned() };
    let or_unset = |value: &Value| json!(value.as_str().filter(|it| !it.is_empty()).unwrap_or("<unset>"));
    vec![
        name(it),
        text(&spec["capacity"]["storage"]),
        modes(&spec["accessModes"]),
        text(&spec["persistentVolumeReclaimPolicy"]),
        json!(phase),
        json!(claim),
        text(&spec["storageClassName"]),
        or_unset(&spec["volumeAttributesClassName"]),
        text(&status["reason"]),
        aged(it, now),
        or_unset(&spec["volumeMode"]),
    ]
}

fn claim(it: &Value, now: Timestamp) -> Vec<Value> {
    let (spec, status) = (&it["spec"], &it["status"]);
    let phase =
        if it["metadata"]["deletionTimestamp"].is_null() { plain(&status["phase"]) } else { "Terminating".to_owned() };
    let is_bound = !plain(&spec["volumeName"]).is_empty();
    let or_unset = |value: &Value| json!(value.as_str().filter(|it| !it.is_empty()).unwrap_or("<unset>"));
    vec![
        name(it),
        json!(phase),
        text(&spec["volumeName"]),
        if is_bound { text(&status["capacity"]["storage"]) } else { json!("") },
        if is_bound { modes(&status["accessModes"]) } else { json!("") },
        text(&spec["storageClassName"]),
        or_unset(&spec["volumeAttributesClassName"]),
        aged(it, now),
        or_unset(&spec["volumeMode"]),
    ]
}

fn quota(it: &Value, now: Timestamp) -> Vec<Value> {
    let shown = |is_limit: bool| {
        let hard = it["status"]["hard"].as_object().into_iter().flatten();
        let some = hard.filter(|(name, _)| name.starts_with("limits.") == is_limit);
        let text = |(name, hard): (&String, &Value)| {
            format!("{name}: {}/{}", or_zero(&it["status"]["used"][name]), plain(hard))
        };
        json!(some.map(text).collect::<Vec<_>>().join(", "))
    };
    vec![name(it), shown(false), shown(true), aged(it, now)]
}

fn or_zero(value: &Value) -> String {
    if value.is_null() { "0".to_owned() } else { plain(value) }
}

fn workload(mut cells: Vec<Value>, it: &Value) -> Vec<Value> {
    let (containers, images) = containers(&it["spec"]["template"]);
    cells.extend([containers, images, json!(labels(&it["spec"]["selector"]))]);
    cells
}

fn deployment(it: &Value, now: Timestamp) -> Vec<Value> {
    let status = &it["status"];
    let count = |member: &str| number(&status[member]);
    let ready = json!(of_total(&status["readyReplicas"], &it["spec"]["replicas"]));
    workload(vec![name(it), ready, count("updatedReplicas"), count("availableReplicas"), aged(it, now)], it)
}

fn replica_set(it: &Value, now: Timestamp) -> Vec<Value> {
    let status = &it["status"];
    let cells = vec![
        name(it),
        number(&it["spec"]["replicas"]),
        number(&status["replicas"]),
        number(&status["readyReplicas"]),
        aged(it, now),
    ];
    workload(cells, it)
}

fn daemon_set(it: &Value, now: Timestamp) -> Vec<Value> {
    let mut cells = vec![name(it)];
    let members = [
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "numberReady",
        "updatedNumberScheduled",
        "numberAvailable",
    ];
    cells.extend(members.map(|member| number(&it["status"][member])));
    cells.extend([json!(labels(&it["spec"]["template"]["spec"]["nodeSelector"])), aged(it, now)]);
    workload(cells, it)
}

fn seconds_between(from: &Value, to: &Value, now: Timestamp) -> Option<i64> {
    let from = from.as_str()?.parse::<Timestamp>().ok()?;
    let to = to.as_str().and_then(|to| to.parse().ok()).unwrap_or(now);
    Some(to.as_second() - from.as_second())
}

fn job(it: &Value, now: Timestamp) -> Vec<Value> {
    let (spec, status) = (&it["spec"], &it["status"]);
    let succeeded = number(&status["succeeded"]);
    let completions = match (spec["completions"].as_i64(), spec["parallelism"].as_i64().unwrap_or(0)) {
        (Some(wanted), _) => format!("{succeeded}/{wanted}"),
        (None, many) if many > 1 => format!("{succeeded}/1 of {many}"),
        (None, _) => format!("{succeeded}/1"),
    };
    let duration = seconds_between(&status["startTime"], &status["completionTime"], now).map(human).unwrap_or_default();
    let is_going = !it["metadata"]["deletionTimestamp"].is_null();
    let shown = match () {
        () if has_condition(it, "Complete") => "Complete",
        () if has_condition(it, "Failed") => "Failed",
        () if is_going => "Terminating",
        () if has_condition(it, "Suspended") => "Suspended",
        () if has_condition(it, "FailureTarget") => "FailureTarget",
        () if has_condition(it, "SuccessCriteriaMet") => "SuccessCriteriaMet",
        () => "Running",
    };
    workload(vec![name(it), json!(shown), json!(completions), json!(duration), aged(it, now)], it)
}

fn cron_job(it: &Value, now: Timestamp) -> Vec<Value> {
    let (spec, status) = (&it["spec"], &it["status"]);
    let last =
        if status["lastScheduleTime"].is_null() { "<none>".to_owned() } else { age(&status["lastScheduleTime"], now) };
    let (containers, images) = containers(&spec["jobTemplate"]["spec"]["template"]);
    vec![
        name(it),
        text(&spec["schedule"]),
        json!(or_none(&plain(&spec["timeZone"]))),
        json!(if spec["suspend"] == true { "True" } else { "False" }),
        json!(count(&status["active"])),
        json!(last),
        aged(it, now),
        containers,
        images,
        json!(labels(&spec["jobTemplate"]["spec"]["selector"])),
    ]
}

fn autoscaler(it: &Value, now: Timestamp) -> Vec<Value> {
    let (spec, status) = (&it["spec"], &it["status"]);
    let reference = format!("{}/{}", plain(&spec["scaleTargetRef"]["kind"]), plain(&spec["scaleTargetRef"]["name"]));
    let current = list(&status["currentMetrics"]);
    let target = |(at, metric): (usize, &Value)| {
        let resource = &metric["resource"];
        let is = current.get(at).and_then(|it| it["resource"]["current"]["averageUtilization"].as_i64());
        let is = is.map_or("<unknown>".to_owned(), |it| format!("{it}%"));
        match resource["target"]["averageUtilization"].as_i64() {
            Some(wanted) => format!("{}: {is}/{wanted}%", plain(&resource["name"])),
            None => format!("<unknown>/{}", plain(&resource["target"]["averageValue"])),
        }
    };
    let targets = list(&spec["metrics"]).iter().enumerate().map(target).collect::<Vec<_>>().join(", ");
    let least = spec["minReplicas"].as_i64().map_or("<unset>".to_owned(), |it| it.to_string());
    vec![
        name(it),
        json!(reference),
        json!(or_none(&targets)),
        json!(least),
        number(&spec["maxReplicas"]),
        number(&status["currentReplicas"]),
        aged(it, now),
    ]
}

fn ingress(it: &Value, now: Timestamp) -> Vec<Value> {
    let spec = &it["spec"];
    let hosts: Vec<String> =
        list(&spec["rules"]).iter().map(|it| plain(&it["host"])).filter(|it| !it.is_empty()).collect();
    let hosts = if hosts.is_empty() { "*".to_owned() } else { few(&hosts) };
    let balancers =
        list(&it["status"]["loadBalancer"]["ingress"]).iter().map(|it| plain(it.get("ip").unwrap_or(&it["hostname"])));
    let ports = if list(&spec["tls"]).is_empty() { "80" } else { "80, 443" };
    vec![
        name(it),
        json!(or_none(&plain(&spec["ingressClassName"]))),
        json!(hosts),
        json!(balancers.collect::<Vec<_>>().join(",")),
        json!(ports),
        aged(it, now),
    ]
}

fn binding(it: &Value, now: Timestamp) -> Vec<Value> {
    let subjects = |kind: &str| {
        let some = list(&it["subjects"]).iter().filter(|it| it["kind"] == kind);
        let shown = some.map(|it| match it["namespace"].as_str() {
            Some(namespace) if kind == "ServiceAccount" => format!("{namespace}/{}", plain(&it["name"])),
            _ => plain(&it["name"]),
        });
        json!(shown.collect::<Vec<_>>().join(", "))
    };
    let role = format!("{}/{}", plain(&it["roleRef"]["kind"]), plain(&it["roleRef"]["name"]));
    vec![name(it), json!(role), aged(it, now), subjects("User"), subjects("Group"), subjects("ServiceAccount")]
}
