//! The rows' namespaces, policies and pods.

use super::nodes::{self, POD_ENI};
use super::region::Region;
use super::seen::{self, Picture, ids};
use super::table::{Gets, Row};
use serde_json::{Map, Value, json};
use sgp_tests::world::{Error, Result};
use std::collections::BTreeMap;
use std::time::Duration;

/// A row's pod is given this long to get what it gets.
const LIMIT: Duration = Duration::from_mins(2);
/// How often the controller tries.
const TRIES: u64 = 6;

/// Where the objects of a kind in a namespace are.
pub fn path(kind: &str, namespace: &str) -> String {
    let root = if kind == "securitygrouppolicies" { "/apis/vpcresources.k8s.aws/v1beta1" } else { "/api/v1" };
    format!("{root}/namespaces/{namespace}/{kind}")
}

/// Makes what the rows' pods need; answers the refusals of policies by row.
pub fn prepare(region: &Region, rows: &[Row]) -> Result<BTreeMap<String, Value>> {
    let mut refusals = BTreeMap::new();
    for row in rows {
        add_namespace(region, &row.namespace())?;
        if !row.elsewhere.is_empty() {
            add_namespace(region, &row.other_namespace())?;
        }
    }
    for row in rows {
        add_account(region, &row.namespace(), &row.account.name, &row.account.labels, row.account.missing)?;
        for (name, policy) in &row.policies {
            match put_policy(region, &row.namespace(), name, policy) {
                Err(Error::Failed { detail, .. }) => {
                    refusals.insert(row.title.clone(), status(region, &detail));
                }
                put => put?,
            }
        }
        for (name, policy) in &row.elsewhere {
            put_policy(region, &row.other_namespace(), name, policy)?;
        }
    }
    wait_until_known(region, "canary")?;
    Ok(refusals)
}

fn add_namespace(region: &Region, name: &str) -> Result<()> {
    let object = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
    region.side.kubernetes("POST", "/api/v1/namespaces", Some(&object)).map(drop)
}

/// The account `default` comes with the namespace.
fn add_account(
    region: &Region,
    namespace: &str,
    name: &str,
    labels: &BTreeMap<String, String>,
    is_missing: bool,
) -> Result<()> {
    let accounts = path("serviceaccounts", namespace);
    let default = format!("{accounts}/default");
    region.side.wait_for("the service account", || Ok(region.get(&default)))?;
    if name == "default" {
        if !labels.is_empty() {
            region.side.kubernetes("PATCH", &default, Some(&json!({ "metadata": { "labels": labels } })))?;
        }
    } else if !is_missing {
        let object =
            json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": name, "labels": labels } });
        region.side.kubernetes("POST", &accounts, Some(&object))?;
    }
    Ok(())
}

/// Makes or changes a policy; `groups` are names.
pub fn put_policy(region: &Region, namespace: &str, name: &str, policy: &Map<String, Value>) -> Result<()> {
    let mut spec = policy.clone();
    if let Some(groups) = spec.remove("groups") {
        let groups = groups.as_array().cloned().unwrap_or_default();
        let id = |group: &Value| {
            let group = group.as_str().unwrap();
            region.names.id(&format!("group({group})")).unwrap_or(group).to_owned()
        };
        spec.insert("securityGroups".to_owned(), json!({ "groupIds": groups.iter().map(id).collect::<Vec<_>>() }));
    }
    let object = json!({
        "apiVersion": "vpcresources.k8s.aws/v1beta1", "kind": "SecurityGroupPolicy", "metadata": { "name": name }, "spec": spec,
    });
    let policies = path("securitygrouppolicies", namespace);
    match region.get(&format!("{policies}/{name}")) {
        None => region.side.kubernetes("POST", &policies, Some(&object)).map(drop),
        Some(mut there) => {
            there["spec"] = object["spec"].clone();
            region.side.kubernetes("PUT", &format!("{policies}/{name}"), Some(&there)).map(drop)
        }
    }
}

/// Waits until the controller knows all policies and accounts that were made before: it learns of them in their order.
pub fn wait_until_known(region: &Region, canary: &str) -> Result<()> {
    add_namespace(region, canary)?;
    add_account(region, canary, "canary", &BTreeMap::from([("known".to_owned(), "true".to_owned())]), false)?;
    let selector = json!({ "matchLabels": { "known": "true" } });
    let policy = json!({ "podSelector": {}, "serviceAccountSelector": selector, "groups": ["a"] });
    put_policy(region, canary, "canary", policy.as_object().unwrap())?;
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "canary" },
        "spec": { "serviceAccountName": "canary", "containers": [{ "name": "app", "image": "registry.k8s.io/pause:3.10" }] },
    });
    let tried = format!("{}?dryRun=All", path("pods", canary));
    region.side.wait_for("the controller's knowledge of the policies", || {
        let made = region.side.kubernetes("POST", &tried, Some(&pod)).ok();
        Ok(made.filter(|pod| !pod["spec"]["containers"][0]["resources"]["limits"][POD_ENI].is_null()).map(drop))
    })
}

/// The status of a refusal, told with names.
pub fn status(region: &Region, detail: &str) -> Value {
    let status = serde_json::from_str(detail).unwrap_or_else(|_| json!({ "message": detail }));
    region.names.told(&status)
}

/// Where a row's Deployment is.
fn deployments(row: &Row) -> String {
    format!("/apis/apps/v1/namespaces/{}/deployments", row.namespace())
}

/// Makes the Deployment of a row.
fn deploy(region: &Region, row: &Row, template: &Value) -> Result<()> {
    let object = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "pod" },
        "spec": { "replicas": row.copies, "selector": { "matchLabels": row.pod.labels }, "template": template },
    });
    region.side.kubernetes("POST", &deployments(row), Some(&object)).map(drop)
}

/// Makes a pod of a row; answers the refusal. A Deployment makes all of its pods with the first.
pub fn make(region: &Region, row: &Row, name: &str) -> Result<Option<Value>> {
    let mut spec = json!({ "containers": [{ "name": "app", "image": "registry.k8s.io/pause:3.10" }], "serviceAccountName": row.account.name });
    if row.node != "none" {
        spec["nodeName"] = json!(nodes::id(region, "node", &row.node));
    }
    for (member, value) in &row.pod.spec {
        spec[member] = value.clone();
    }
    let object = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": name, "labels": row.pod.labels, "annotations": row.pod.annotations }, "spec": spec,
    });
    if row.deployment {
        let template = json!({ "metadata": { "labels": row.pod.labels }, "spec": object["spec"] });
        return if name == "pod" { deploy(region, row, &template).map(|()| None) } else { Ok(None) };
    }
    match region.side.kubernetes("POST", &path("pods", &row.namespace()), Some(&object)) {
        Err(Error::Failed { detail, .. }) => Ok(Some(status(region, &detail))),
        made => made.map(|_| None),
    }
}

/// A pod of a row. Those of a Deployment have the row's names in the order of their VLANs.
pub fn get(region: &Region, row: &Row, name: &str) -> Option<Value> {
    let pods = path("pods", &row.namespace());
    if !row.deployment {
        return region.get(&format!("{pods}/{name}"));
    }
    let mut made = region.get(&pods)?["items"].as_array()?.clone();
    let vlan = |pod: &Value| {
        let text = pod["metadata"]["annotations"][POD_ENI].as_str().unwrap_or_default();
        serde_json::from_str::<Value>(text).ok().and_then(|it| it[0]["vlanId"].as_u64()).unwrap_or(u64::MAX)
    };
    made.sort_by_key(vlan);
    let at = row.names().iter().position(|known| known == name)?;
    made.into_iter().nth(at)
}

/// Deletes a pod of a row, or the Deployment that has it.
pub fn delete(region: &Region, row: &Row, name: &str) -> Result<()> {
    let at = if row.deployment { deployments(row) } else { path("pods", &row.namespace()) };
    let name = if row.deployment { "pod" } else { name };
    match region.get(&format!("{at}/{name}")) {
        Some(_) => region.side.kubernetes("DELETE", &format!("{at}/{name}"), None).map(drop),
        None => Ok(()),
    }
}

/// The name that a pod has in the cluster.
fn own_name(pod: &Value, name: &str) -> String {
    pod["metadata"]["name"].as_str().unwrap_or(name).to_owned()
}

/// Waits until a pod has what it is to get. It is said elsewhere when it has not.
pub fn settle(region: &Region, row: &Row, name: &str, gets: &Gets) -> Result<()> {
    let namespace = row.namespace();
    let events = format!("/api/v1/namespaces/{namespace}/events");
    let is_done = || -> Result<Option<()>> {
        let pod = get(region, row, name).unwrap_or_default();
        let own = own_name(&pod, name);
        let count = |reason: &str| -> Result<u64> {
            let events = region.side.kubernetes("GET", &events, None)?;
            Ok(seen::count(events["items"].as_array().into_iter().flatten(), &namespace, &own, reason))
        };
        let is_done = match gets {
            Gets::Groups(_) | Gets::Several(..) | Gets::Instance => {
                !enis(&pod).is_empty() && count("ResourceAllocated")? > 0
            }
            Gets::Failure(_) => count("BranchAllocationFailed")? >= TRIES,
            Gets::Waiting => count("SecurityGroupRequested")? > 0,
            Gets::Nothing | Gets::Unheard | Gets::Fargate(_) | Gets::Refused(_) | Gets::Invalid(_) => true,
        };
        Ok(is_done.then_some(()))
    };
    match region.side.wait_up_to(LIMIT, "what the pod gets", is_done) {
        Err(Error::NotReady { .. }) => Ok(()),
        settled => settled,
    }
}

/// The ids of a pod's branch interfaces.
pub fn enis(pod: &Value) -> Vec<String> {
    ids(pod["metadata"]["annotations"][POD_ENI].as_str().unwrap_or_default())
}

/// Why a pod has not what it is to get.
pub fn problem(
    picture: &Picture<'_>,
    row: &Row,
    name: &str,
    gets: &Gets,
    pod: &Value,
    refusal: Option<&Value>,
) -> Option<String> {
    let (branches, asks) = (enis(pod), asks(pod));
    let own = own_name(pod, name);
    let fargate = picture.told(&pod["metadata"]["annotations"]["fargate.amazonaws.com/pod-sg"]);
    let has = |count: usize, groups: &[String]| {
        let mut wanted: Vec<String> = groups.iter().map(|name| format!("group({name})")).collect();
        wanted.sort();
        branches.len() == count
            && branches.iter().all(|id| {
                let mut groups = picture.groups(id);
                groups.sort();
                groups == wanted
            })
    };
    let failures = picture.count(&row.namespace(), &own, "BranchAllocationFailed");
    let is_so = match gets {
        Gets::Groups(groups) => has(1, groups),
        Gets::Several(count, groups) => has(*count, groups),
        Gets::Instance => has(1, &["cluster".to_owned()]),
        Gets::Nothing => !asks && branches.is_empty(),
        Gets::Unheard | Gets::Waiting => asks && branches.is_empty(),
        Gets::Failure(part) => {
            let events = picture.events("Pod", &row.namespace(), &own, true).to_string();
            asks && branches.is_empty() && failures == TRIES && events.contains(part)
        }
        Gets::Fargate(groups) => {
            let wanted: Vec<String> = groups.iter().map(|name| format!("group({name})")).collect();
            let mut found: Vec<&str> = fargate.as_str().unwrap_or_default().split(',').collect();
            found.sort_unstable();
            !asks && found == wanted
        }
        Gets::Refused(part) | Gets::Invalid(part) => {
            refusal.is_some_and(|it| it["message"].as_str().is_some_and(|it| it.contains(part)))
        }
    };
    let groups: Vec<Vec<String>> = branches.iter().map(|id| picture.groups(id)).collect();
    (!is_so).then(|| format!("is to get {gets:?}; asks {asks}, has {groups:?}, fargate {fargate}, {failures} failures, refusal {refusal:?}"))
}

/// Whether a pod asks for a branch interface.
fn asks(pod: &Value) -> bool {
    let mut containers = pod["spec"]["containers"].as_array().into_iter().flatten();
    containers.any(|it| !it["resources"]["requests"][POD_ENI].is_null())
}
