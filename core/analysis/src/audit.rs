//! Who could reach what, by which rules, and what of the rules and policies does nothing or too much.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    matching::{Attachment, Says, membership},
    reach::{self, Matrix, PartyKind},
    sets::{AddressSet, Passage, Protocol, Traffic},
    topology::{Cluster, Direction, Fact, Group, Id, Peer, PodKey, Rule, Topology},
};

/// Everything that an audit says.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    /// What passes between parties, by name.
    pub passages: Vec<Row>,
    /// Rules that do nothing, or more than their kind should.
    pub rules: Vec<RuleNote>,
    /// Policies that give no pod its groups: cluster, namespace, name and why.
    pub idle_policies: Vec<(Id, String, String, String)>,
    /// Pods that a policy is for and that have no interface of their own: the webhook was not there when they were made.
    pub open_pods: Vec<(Id, PodKey, Vec<String>)>,
    /// Groups that nothing carries.
    pub idle_groups: Vec<(Id, String)>,
}

/// What passes from one party to another one.
#[derive(Clone, Debug)]
pub struct Row {
    /// Who begins.
    pub from: String,
    /// Who answers.
    pub to: String,
    /// What passes.
    pub passage: Passage,
    /// The load balancer that it passes by: `ingress app/web`.
    pub through: Option<String>,
    /// The rules of the receiver's groups that let it in.
    pub by: Vec<String>,
}

/// A rule that deserves a look.
#[derive(Clone, Debug)]
pub struct RuleNote {
    /// The group.
    pub group: String,
    /// The rule in words.
    pub rule: String,
    /// Why.
    pub why: RuleProblem,
}

/// Why a rule deserves a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RuleProblem {
    /// Everybody is let in.
    OpenToAll,
    /// More ports than a service has, from more addresses than a VPC has.
    TooWide,
    /// The group that it names is not there, or nothing carries it.
    NobodyThere,
    /// Another rule of the group lets the same pass.
    Covered,
}

impl std::fmt::Display for RuleProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::OpenToAll => "is open to every address",
            Self::TooWide => "is wide: all ports, from more addresses than a VPC has",
            Self::NobodyThere => "is for a group that nothing carries",
            Self::Covered => "adds nothing: another rule of the group lets the same pass",
        })
    }
}

/// A block of this many bits or fewer is wider than a VPC's widest (a /16).
const VPC_PREFIX: u8 = 16;

/// Makes the audit.
pub fn audit(topology: &Topology) -> Audit {
    audit_with(topology, &reach::matrix(topology))
}

/// The same, for whoever has the topology's matrix already.
pub fn audit_with(topology: &Topology, matrix: &Matrix) -> Audit {
    let carried = carried(topology, matrix);
    Audit {
        passages: passages(topology, matrix),
        rules: rules(topology, &carried),
        idle_policies: idle_policies(topology),
        open_pods: open_pods(topology),
        idle_groups: idle_groups(topology, &carried),
    }
}

fn passages(topology: &Topology, matrix: &Matrix) -> Vec<Row> {
    let row = |((from, to), passage): (&(usize, usize), &Passage)| {
        let (one, other) = (&matrix.parties[*from], &matrix.parties[*to]);
        let is_outside = matches!(other.kind, PartyKind::Anywhere | PartyKind::Block);
        let by = if is_outside {
            rules_between(topology, one, other, Direction::Egress, &passage.possible)
        } else {
            rules_between(topology, other, one, Direction::Ingress, &passage.possible)
        };
        Row { from: one.name.clone(), to: other.name.clone(), passage: passage.clone(), through: None, by }
    };
    // What a rule opens for a part of all addresses is told of that part.
    let is_told_elsewhere = |((from, to), row): &((usize, usize), Row)| {
        let is_anywhere = |place: &usize| matrix.parties[*place].kind == PartyKind::Anywhere;
        row.by.is_empty() && row.passage.certain.is_empty() && (is_anywhere(from) || is_anywhere(to))
    };
    let rows = matrix.passages.iter().map(|it| (*it.0, row(it)));
    let rows = rows.filter(|it| !is_told_elsewhere(it)).map(|(_, row)| row);
    let by_balancer = matrix.through.iter().map(|it| Row {
        from: it.from.clone(),
        to: it.to.clone(),
        passage: it.passage.clone(),
        through: Some(it.by.clone()),
        by: Vec::new(),
    });
    rows.chain(by_balancer).collect()
}

/// The rules of a party's groups that are for another party and some traffic.
fn rules_between(
    topology: &Topology,
    at: &reach::Party,
    other: &reach::Party,
    direction: Direction,
    traffic: &Traffic,
) -> Vec<String> {
    let mut all = BTreeSet::new();
    for end in &at.ends {
        for id in end.groups.known().into_iter().flatten() {
            let rules = topology.groups.get(id).into_iter().flat_map(|group| &group.rules);
            let fitting = rules.filter(|rule| {
                rule.direction == direction
                    && rule.traffic.known().is_none_or(|it| !it.and(traffic).is_empty())
                    && is_for(topology, rule, other)
            });
            all.extend(fitting.map(|rule| reach::told(id, rule)));
        }
    }
    all.into_iter().collect()
}

fn is_for(topology: &Topology, rule: &Rule, party: &reach::Party) -> bool {
    party.ends.iter().any(|end| match &rule.peer {
        Peer::Group(id) => end.groups.known().is_some_and(|groups| groups.contains(id)),
        // A rule for some addresses is not what lets everybody in.
        Peer::Block(block) => {
            block.prefix_len() == 0
                || party.kind != PartyKind::Anywhere && AddressSet::from(*block).meets(&end.addresses)
        }
        Peer::PrefixList(id) => {
            let blocks = topology.prefix_lists.get(id).and_then(|list| list.blocks.known());
            blocks.is_none_or(|blocks| blocks.iter().collect::<AddressSet>().meets(&end.addresses))
        }
        Peer::Unknown => true,
    })
}

/// Groups that an interface, a node group, a control plane or pods of a policy carry.
fn carried(topology: &Topology, matrix: &Matrix) -> BTreeSet<Id> {
    let by_party = matrix.parties.iter().filter(|it| it.kind != PartyKind::Group).flat_map(|it| &it.ends);
    let groups = by_party.filter_map(|end| end.groups.known()).flatten().cloned();
    groups.chain(topology.interfaces.values().flat_map(|it| it.groups.clone())).collect()
}

fn rules(topology: &Topology, carried: &BTreeSet<Id>) -> Vec<RuleNote> {
    let mut notes = Vec::new();
    // Without interfaces nobody can say what carries a group.
    let knows_carriers = !topology.interfaces.is_empty();
    for (id, group) in &topology.groups {
        for (place, rule) in group.rules.iter().enumerate() {
            let why = problem(group, place, rule, carried, knows_carriers);
            notes.extend(why.map(|why| RuleNote { group: group.name.clone(), rule: reach::told(id, rule), why }));
        }
    }
    notes.sort_by(|one, other| (one.why, &one.group, &one.rule).cmp(&(other.why, &other.group, &other.rule)));
    notes
}

fn problem(
    group: &Group,
    place: usize,
    rule: &Rule,
    carried: &BTreeSet<Id>,
    knows_carriers: bool,
) -> Option<RuleProblem> {
    let is_ingress = rule.direction == Direction::Ingress;
    let all_ports = Traffic::protocol(Protocol::TCP);
    let is_every_port = rule.traffic.known().is_some_and(|traffic| traffic.covers(&all_ports));
    match &rule.peer {
        Peer::Block(block) if is_ingress && block.prefix_len() == 0 => return Some(RuleProblem::OpenToAll),
        Peer::Block(block) if is_ingress && is_every_port && block.prefix_len() < VPC_PREFIX => {
            return Some(RuleProblem::TooWide);
        }
        Peer::Group(other) if knows_carriers && !carried.contains(other) => return Some(RuleProblem::NobodyThere),
        _ => {}
    }
    let is_wider = |(at, it): (usize, &Rule)| {
        let same_peer = it.peer == rule.peer && it.direction == rule.direction;
        let covers = match (&it.traffic, &rule.traffic) {
            (Fact::Known(one), Fact::Known(other)) => one.covers(other) && (one != other || at < place),
            _ => false,
        };
        at != place && same_peer && covers
    };
    group.rules.iter().enumerate().any(is_wider).then_some(RuleProblem::Covered)
}

fn idle_policies(topology: &Topology) -> Vec<(Id, String, String, String)> {
    let mut idle = Vec::new();
    for (id, cluster) in &topology.clusters {
        let used = used_policies(cluster);
        for ((namespace, name), policy) in &cluster.policies {
            let nobody = Fact::Unknown;
            let says = crate::matching::says(policy, &nobody, &nobody);
            let why = match says {
                Says::NoSelector | Says::NoGroups | Says::Broken { .. } => says.to_string(),
                _ if cluster.is_complete && !used.contains(&(namespace.clone(), name.clone())) => {
                    "no pod and no workload of the namespace matches".to_owned()
                }
                _ => continue,
            };
            idle.push((id.clone(), namespace.clone(), name.clone(), why));
        }
    }
    idle
}

/// Policies that a pod or a workload matches.
fn used_policies(cluster: &Cluster) -> BTreeSet<(String, String)> {
    let workloads = cluster.workloads.iter().map(|((namespace, ..), it)| (namespace, &it.template));
    let pods = cluster.pods.iter().map(|(key, it)| (&key.namespace, &it.template));
    let mut used = BTreeSet::new();
    for (namespace, template) in workloads.chain(pods) {
        let policies = membership(cluster, namespace, template);
        used.extend(policies.policies().map(|it| (namespace.clone(), it.to_owned())));
    }
    used
}

fn open_pods(topology: &Topology) -> Vec<(Id, PodKey, Vec<String>)> {
    let mut open = Vec::new();
    for (id, cluster) in &topology.clusters {
        let running = cluster.pods.iter().filter(|(_, pod)| pod.phase == "Running" && pod.branch.is_none());
        for (key, pod) in running {
            let found = membership(cluster, &key.namespace, &pod.template);
            if matches!(found.attachment, Attachment::Branch(_)) {
                open.push((id.clone(), key.clone(), found.policies().map(str::to_owned).collect()));
            }
        }
    }
    open
}

fn idle_groups(topology: &Topology, carried: &BTreeSet<Id>) -> Vec<(Id, String)> {
    if topology.interfaces.is_empty() {
        return Vec::new();
    }
    let named: BTreeMap<&Id, &Group> = topology.groups.iter().filter(|(id, _)| !carried.contains(*id)).collect();
    named.into_iter().map(|(id, group)| (id.clone(), group.name.clone())).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::reach::tests::{account, rule};

    #[test]
    fn an_audit_tells_what_is_open_and_what_does_nothing() {
        let policy = |name: &str, selector: serde_json::Value| {
            let spec = json!({ "podSelector": selector, "securityGroups": { "groupIds": ["sg-api"] } });
            let object = json!({ "kind": "SecurityGroupPolicy", "metadata": { "name": name, "namespace": "app" }, "spec": spec });
            ("kubernetes_manifest", json!({ "cluster_name": "main", "manifest": object }))
        };
        let topology = account(
            "strict",
            &[
                ("aws_security_group", json!({ "id": "sg-idle", "name": "idle", "vpc_id": "vpc-1" })),
                rule(false, "sg-db", "tcp", (22, 22), ("cidr_ipv4", "0.0.0.0/0")),
                rule(false, "sg-db", "-1", (-1, -1), ("cidr_ipv4", "10.0.0.0/8")),
                rule(false, "sg-db", "tcp", (443, 443), ("referenced_security_group_id", "sg-idle")),
                rule(false, "sg-db", "tcp", (5000, 6000), ("referenced_security_group_id", "sg-api")),
                policy("plain", json!({ "matchLabels": { "app": "plain" } })),
                policy("nobody", json!({ "matchLabels": { "app": "nobody" } })),
                policy("broken", json!({ "matchExpressions": [{ "key": "app", "operator": "In", "values": [] }] })),
            ],
        );
        let audit = audit(&topology);
        let rules: Vec<String> = audit.rules.iter().map(|it| format!("{} {}", it.group, it.why)).collect();
        assert_eq!(
            rules,
            [
                "orders-db is open to every address",
                "orders-db is wide: all ports, from more addresses than a VPC has",
                "orders-db is for a group that nothing carries",
                "orders-db adds nothing: another rule of the group lets the same pass",
            ]
        );
        let idle: Vec<&str> = audit.idle_policies.iter().map(|(_, _, name, _)| name.as_str()).collect();
        assert_eq!(idle, ["broken", "nobody"]);
        // The webhook was not there when it was made.
        let open: Vec<&str> = audit.open_pods.iter().map(|(_, key, _)| key.name.as_str()).collect();
        assert_eq!(open, ["plain"]);
        assert_eq!(audit.idle_groups.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>(), ["idle"]);
        let row = audit.passages.iter().find(|row| row.from == "any" && row.to == "orders-db").unwrap();
        assert_eq!(row.by.len(), 1);
    }

    #[test]
    fn an_egress_rule_for_some_addresses_is_not_told_of_all() {
        let topology = account("strict", &[rule(true, "sg-db", "tcp", (443, 443), ("cidr_ipv4", "198.51.100.0/24"))]);
        let audit = audit(&topology);
        let to = |name: &str| audit.passages.iter().any(|row| row.from == "orders-db" && row.to == name);
        assert!(to("198.51.100.0/24") && !to("any"), "{:#?}", audit.passages);
    }
}
