//! Everything that a world's endpoints hold, asked past the proxy: what kill and fault tests compare.

use std::collections::BTreeMap;

use roxmltree::{Document, Node};
use serde_json::Value;

use crate::world::{World, texts};

/// A line for each object, sorted; two objects that are the same are two lines. Ids that differ from run to run are names here.
///
/// # Panics
/// When an endpoint does not answer.
pub fn inventory(world: &World) -> Vec<String> {
    let mut lines = ec2(world);
    lines.extend(iam(world));
    lines.extend(eks(world));
    if world.kubeconfig().is_some() {
        lines.extend(kubernetes(world));
    }
    lines.sort();
    lines
}

fn ec2(world: &World) -> Vec<String> {
    let names = group_names(world);
    let named = |id: &str| names.get(id).cloned().unwrap_or_else(|| id.to_owned());
    let mut lines: Vec<String> = names.values().map(|name| format!("security group {name}")).collect();
    let rules = world.aws("ec2", "DescribeSecurityGroupRules", &[]).unwrap();
    lines.extend(items(&rules, "securityGroupRuleSet").iter().map(|rule| {
        let field = |name: &str| rule.get(name).cloned().unwrap_or_default();
        let other = rule.get("groupId@").map_or_else(|| field("cidrIpv4"), |id| named(id));
        let way = if field("isEgress") == "true" { "egress to" } else { "ingress from" };
        let ports = format!("{} {}-{}", field("ipProtocol"), field("fromPort"), field("toPort"));
        format!("rule of {} {way} {other} {ports}", named(&field("groupId")))
    }));
    let templates = world.aws("ec2", "DescribeLaunchTemplates", &[]).unwrap();
    lines.extend(texts(&templates, "launchTemplateName").iter().map(|name| format!("launch template {name}")));
    lines
}

fn group_names(world: &World) -> BTreeMap<String, String> {
    let groups = world.aws("ec2", "DescribeSecurityGroups", &[]).unwrap();
    let groups = items(&groups, "securityGroupInfo");
    let text = |group: &BTreeMap<String, String>, name: &str| group.get(name).cloned().unwrap_or_default();
    groups.iter().map(|group| (text(group, "groupId"), text(group, "groupName"))).collect()
}

/// The items of a set: the text of each child, and of what is one deeper with `@` behind its name.
fn items(xml: &str, set: &str) -> Vec<BTreeMap<String, String>> {
    let document = Document::parse(xml).unwrap();
    let is = |node: &Node<'_, '_>, name: &str| node.is_element() && node.tag_name().name() == name;
    let Some(set) = document.descendants().find(|n| is(n, set)) else { return Vec::new() };
    let text = |node: Node<'_, '_>| node.text().unwrap_or_default().trim().to_owned();
    let item = |item: Node<'_, '_>| {
        let mut fields = BTreeMap::new();
        for field in item.children().filter(Node::is_element) {
            let inner = field.children().filter(Node::is_element);
            fields.extend(inner.map(|n| (format!("{}@", n.tag_name().name()), text(n))));
            fields.insert(field.tag_name().name().to_owned(), text(field));
        }
        fields
    };
    set.children().filter(|n| is(n, "item")).map(item).collect()
}

fn iam(world: &World) -> Vec<String> {
    let ask = |action: &str, params: &[(&str, &str)]| world.aws("iam", action, params).unwrap();
    let mut lines = Vec::new();
    for role in texts(&ask("ListRoles", &[]), "RoleName") {
        let attached = ask("ListAttachedRolePolicies", &[("RoleName", &role)]);
        lines.extend(texts(&attached, "PolicyName").iter().map(|policy| format!("attachment {role} {policy}")));
        let inline = ask("ListRolePolicies", &[("RoleName", &role)]);
        lines.extend(texts(&inline, "member").iter().map(|policy| format!("role policy {role} {policy}")));
        lines.push(format!("role {role}"));
    }
    let policies = ask("ListPolicies", &[("Scope", "Local")]);
    lines.extend(texts(&policies, "PolicyName").iter().map(|policy| format!("policy {policy}")));
    let providers = texts(&ask("ListOpenIDConnectProviders", &[]), "Arn");
    lines.extend(providers.iter().map(|_| "openid connect provider".to_owned()));
    lines
}

fn eks(world: &World) -> Vec<String> {
    let list = |path: &str, name: &str| strings(&world.eks("GET", path, None).unwrap()[name]);
    let mut lines = Vec::new();
    for cluster in list("/clusters", "clusters") {
        let addons = list(&format!("/clusters/{cluster}/addons"), "addons");
        lines.extend(addons.iter().map(|addon| format!("addon {cluster} {addon}")));
        let groups = list(&format!("/clusters/{cluster}/node-groups"), "nodegroups");
        lines.extend(groups.iter().map(|group| format!("node group {cluster} {group}")));
        lines.push(format!("cluster {cluster}"));
    }
    lines
}

fn strings(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Lists of the API server, and the kinds that they are of.
const LISTS: [(&str, &str); 5] = [
    ("/api/v1/namespaces", "namespace"),
    ("/api/v1/serviceaccounts", "service account"),
    ("/api/v1/configmaps", "config map"),
    ("/apis/networking.k8s.io/v1/networkpolicies", "network policy"),
    ("/apis/vpcresources.k8s.aws/v1beta1/securitygrouppolicies", "security group policy"),
];

fn kubernetes(world: &World) -> Vec<String> {
    let mut lines = Vec::new();
    for (path, kind) in LISTS {
        let list = world.kubernetes("GET", path, None).unwrap();
        for object in list["items"].as_array().into_iter().flatten() {
            let metadata = &object["metadata"];
            let text = |name: &str| metadata[name].as_str().unwrap_or_default();
            let by_the_cluster = ["default", "kube-root-ca.crt"].contains(&text("name"));
            // What the control plane makes for itself comes at its own time.
            if !text("namespace").starts_with("kube-") && !by_the_cluster && !text("name").starts_with("kube-") {
                lines.push(format!("{kind} {} {}", text("namespace"), text("name")));
            }
        }
    }
    lines
}
