//! Rules inside `aws_security_group` (`ingress` and `egress` blocks).
//!
//! A block may name many sources; EC2 keeps one rule for each source. Both are broken down to atoms: protocol, ports, one
//! source, description. Atoms are compared, and a block that a person wrote is shown again as it was written as long as all of
//! its atoms exist.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use aws_sdk_ec2::types::{IpPermission, IpRange, Ipv6Range, PrefixListId, UserIdGroupPair};
use sgp_model::{Attribute, Block, NestedBlock, Type, Value, schema::Semantics};

use crate::{
    ec2::{protocol, rule_arguments::cidr_problem},
    values::{self, ObjectBuilder},
};

/// The `ingress` or `egress` block.
pub fn nested(doc: &'static str) -> NestedBlock {
    NestedBlock::set(BLOCK.clone()).computed().doc(doc)
}

static BLOCK: LazyLock<Block> = LazyLock::new(block);
static TYPE: LazyLock<Type> = LazyLock::new(|| BLOCK.ty());

fn block() -> Block {
    let none = || Value::list(Type::String, Vec::new());
    Block::default()
        .attr("from_port", Attribute::number().required().doc("The first port, or the ICMP type; 0 with protocol -1."))
        .attr("to_port", Attribute::number().required().doc("The last port, or the ICMP code; 0 with protocol -1."))
        .attr(
            "protocol",
            Attribute::string()
                .required()
                .semantics(Semantics::CaseInsensitive)
                .doc("`tcp`, `udp`, `icmp`, `icmpv6`, a number, or `-1` for all."),
        )
        .attr("cidr_blocks", Attribute::strings().default(none()).doc("IPv4 ranges."))
        .attr("ipv6_cidr_blocks", Attribute::strings().default(none()).doc("IPv6 ranges."))
        .attr("prefix_list_ids", Attribute::strings().default(none()).doc("Ids of prefix lists."))
        .attr(
            "security_groups",
            Attribute::string_set()
                .default(Value::set(Type::String, []))
                .doc("Ids of security groups; `account/id` for a peer's."),
        )
        .attr("self", Attribute::bool().default(false).doc("Whether the group itself is a source."))
        .attr("description", Attribute::string().default("").doc("A description of the rule."))
}

/// The type of one rule in the object.
pub fn element_type() -> Type {
    TYPE.clone()
}

/// The other side of a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// An IPv4 range.
    Ipv4(String),
    /// An IPv6 range.
    Ipv6(String),
    /// A prefix list.
    PrefixList(String),
    /// A security group, `account/id` for one of another account.
    Group(String),
}

/// First and last port (or ICMP type and code); `None` for all protocols.
pub type Ports = Option<(i32, i32)>;

/// What makes a rule unique within one direction of a group: protocol, ports and source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AtomKey {
    /// As [`protocol::normalize`] has it.
    pub protocol: String,
    /// First and last port.
    pub ports: Ports,
    /// The other side.
    pub source: Source,
}

/// Rules with their descriptions.
pub type Atoms = BTreeMap<AtomKey, String>;

/// The rules that blocks of a person (or of the state) stand for. `own` is the id of the group itself.
pub fn of_blocks(blocks: &[&Value], own: &str) -> Atoms {
    blocks.iter().flat_map(|block| of_block(block, own)).collect()
}

fn of_block(block: &Value, own: &str) -> Atoms {
    let protocol = protocol::normalize(&values::string(block, "protocol"));
    let port = |name| values::i32_opt(block, name).unwrap_or_default();
    let ports = (protocol != protocol::ALL).then(|| (port("from_port"), port("to_port")));
    let description = values::string(block, "description");
    let own_group = values::flag(block, "self").then(|| Source::Group(own.to_owned()));
    let sources = values::strs(block, "cidr_blocks").into_iter().map(Source::Ipv4);
    let sources = sources.chain(values::strs(block, "ipv6_cidr_blocks").into_iter().map(Source::Ipv6));
    let sources = sources.chain(values::strs(block, "prefix_list_ids").into_iter().map(Source::PrefixList));
    let sources = sources.chain(values::strs(block, "security_groups").into_iter().map(Source::Group)).chain(own_group);
    sources.map(|source| (AtomKey { protocol: protocol.clone(), ports, source }, description.clone())).collect()
}

/// The rules that EC2 answered. `owner` is the account of the group.
pub fn of_permissions(permissions: &[IpPermission], owner: &str) -> Atoms {
    permissions.iter().flat_map(|p| of_permission(p, owner)).collect()
}

fn of_permission(permission: &IpPermission, owner: &str) -> Atoms {
    let protocol = protocol::normalize(permission.ip_protocol().unwrap_or(protocol::ALL));
    let ports = (protocol != protocol::ALL)
        .then(|| (permission.from_port().unwrap_or_default(), permission.to_port().unwrap_or_default()));
    let said = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let ipv4 = permission.ip_ranges().iter().map(|r| (Source::Ipv4(said(r.cidr_ip())), said(r.description())));
    let ipv6 = permission.ipv6_ranges().iter().map(|r| (Source::Ipv6(said(r.cidr_ipv6())), said(r.description())));
    let lists = permission
        .prefix_list_ids()
        .iter()
        .map(|r| (Source::PrefixList(said(r.prefix_list_id())), said(r.description())));
    let groups = permission.user_id_group_pairs().iter().map(|pair| {
        let id = said(pair.group_id());
        let foreign = pair.user_id().filter(|user| !user.is_empty() && *user != owner && !owner.is_empty());
        (Source::Group(foreign.map_or(id.clone(), |user| format!("{user}/{id}"))), said(pair.description()))
    });
    ipv4.chain(ipv6)
        .chain(lists)
        .chain(groups)
        .map(|(source, description)| (AtomKey { protocol: protocol.clone(), ports, source }, description))
        .collect()
}

/// Blocks for what exists: those of `prior` that exist wholly, as they were written, and new ones for the rest.
pub fn to_blocks(exist: &Atoms, prior: &[&Value], own: &str) -> Value {
    let mut rest = exist.clone();
    let mut blocks = Vec::new();
    for block in prior {
        let atoms = of_block(block, own);
        if !atoms.is_empty() && atoms.iter().all(|(key, text)| rest.get(key) == Some(text)) {
            rest.retain(|key, _| !atoms.contains_key(key));
            blocks.push(complete(block));
        }
    }
    // Like EC2's console, one block for the rules that differ in nothing but the source.
    let mut alike: BTreeMap<(&str, Ports, &str), Vec<&Source>> = BTreeMap::new();
    for (key, description) in &rest {
        alike.entry((key.protocol.as_str(), key.ports, description)).or_default().push(&key.source);
    }
    blocks.extend(
        alike.into_iter().map(|((protocol, ports, text), sources)| to_block(protocol, ports, text, &sources, own)),
    );
    Value::set(element_type(), blocks)
}

fn to_block(protocol: &str, ports: Ports, description: &str, sources: &[&Source], own: &str) -> Value {
    let (from, to) = ports.unwrap_or((0, 0));
    let (mut ipv4, mut ipv6, mut lists, mut groups) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for source in sources {
        match source {
            Source::Ipv4(cidr) => ipv4.push(cidr.as_str()),
            Source::Ipv6(cidr) => ipv6.push(cidr.as_str()),
            Source::PrefixList(id) => lists.push(id.as_str()),
            Source::Group(id) => groups.push(id.as_str()),
        }
    }
    let others = groups.iter().copied().filter(|id| *id != own);
    ObjectBuilder::of_block(&BLOCK)
        .set("protocol", protocol)
        .set("from_port", Value::int(from.into()))
        .set("to_port", Value::int(to.into()))
        .set("description", description)
        .set("cidr_blocks", Value::strings(ipv4))
        .set("ipv6_cidr_blocks", Value::strings(ipv6))
        .set("prefix_list_ids", Value::strings(lists))
        .set("security_groups", values::string_set(others))
        .set("self", groups.contains(&own))
        .build()
}

/// The same block with defaults in place of what is null.
fn complete(block: &Value) -> Value {
    BLOCK.attributes.iter().fold((*block).clone(), |object, (name, attribute)| {
        match (&attribute.default, values::is_set(block, name)) {
            (Some(default), false) => object.with_attr(name, default.clone()),
            _ => object,
        }
    })
}

/// Rules as EC2 takes them, one permission for each protocol and port range.
pub fn to_permissions(atoms: &Atoms) -> Vec<IpPermission> {
    let mut grouped: BTreeMap<(&str, Ports), Vec<(&Source, &str)>> = BTreeMap::new();
    for (key, description) in atoms {
        grouped.entry((key.protocol.as_str(), key.ports)).or_default().push((&key.source, description));
    }
    grouped.into_iter().map(|((protocol, ports), sources)| permission(protocol, ports, &sources)).collect()
}

fn permission(protocol: &str, ports: Ports, sources: &[(&Source, &str)]) -> IpPermission {
    let start =
        IpPermission::builder().ip_protocol(protocol).set_from_port(ports.map(|p| p.0)).set_to_port(ports.map(|p| p.1));
    sources
        .iter()
        .fold(start, |permission, (source, description)| {
            let text = (!description.is_empty()).then(|| (*description).to_owned());
            match source {
                Source::Ipv4(cidr) => {
                    permission.ip_ranges(IpRange::builder().cidr_ip(cidr).set_description(text).build())
                }
                Source::Ipv6(cidr) => {
                    permission.ipv6_ranges(Ipv6Range::builder().cidr_ipv6(cidr).set_description(text).build())
                }
                Source::PrefixList(id) => {
                    permission.prefix_list_ids(PrefixListId::builder().prefix_list_id(id).set_description(text).build())
                }
                Source::Group(id) => {
                    let (user, id) =
                        id.split_once('/').map_or((None, id.as_str()), |(user, id)| (Some(user.to_owned()), id));
                    let pair = UserIdGroupPair::builder().group_id(id).set_user_id(user).set_description(text);
                    permission.user_id_group_pairs(pair.build())
                }
            }
        })
        .build()
}

/// What EC2 would refuse of the blocks of one direction, or keep in another form; unknown parts pass.
pub fn problems(blocks: &[&Value]) -> Vec<String> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for block in blocks {
        if let Some(protocol) = values::str_opt(block, "protocol").filter(|p| !protocol::is_valid(p)) {
            found.push(format!("{protocol:?} is not tcp, udp, icmp, icmpv6, -1 or a number up to 255."));
        }
        found.extend(values::str_opt(block, "description").and_then(super::problem_of_description));
        for (name, v4) in [("cidr_blocks", true), ("ipv6_cidr_blocks", false)] {
            found.extend(values::strs(block, name).iter().filter_map(|range| cidr_problem(range, v4)));
        }
        if !block.is_wholly_known() {
            continue;
        }
        let atoms = of_block(block, "self");
        if atoms.is_empty() {
            found.push(
                "A rule without another side allows nothing: one of cidr_blocks, ipv6_cidr_blocks, prefix_list_ids, \
                 security_groups and self is needed."
                    .to_owned(),
            );
        }
        for key in atoms.into_keys() {
            let side = match &key.source {
                Source::Ipv4(text) | Source::Ipv6(text) | Source::PrefixList(text) | Source::Group(text) => {
                    text.clone()
                }
            };
            let protocol = key.protocol.clone();
            if !seen.insert(key) {
                found.push(format!(
                    "Two rules have the same protocol ({protocol}), ports and other side ({side}), which EC2 refuses."
                ));
            }
        }
    }
    found
}

/// How to get from the rules that exist to those that are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleChange {
    /// To be authorized.
    pub add: Atoms,
    /// To be revoked.
    pub remove: Atoms,
    /// To get another description.
    pub describe: Atoms,
}

impl RuleChange {
    /// The difference.
    pub fn between(old: &Atoms, new: &Atoms) -> Self {
        let keys: BTreeSet<&AtomKey> = old.keys().collect();
        let pick = |atoms: &Atoms, keep: &dyn Fn(&AtomKey, &String) -> bool| -> Atoms {
            atoms.iter().filter(|(k, v)| keep(k, v)).map(|(k, v)| (k.clone(), v.clone())).collect()
        };
        Self {
            add: pick(new, &|k, _| !keys.contains(k)),
            remove: pick(old, &|k, _| !new.contains_key(k)),
            describe: pick(new, &|k, text| old.get(k).is_some_and(|before| before != text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(protocol: &str, ports: (i64, i64), cidrs: &[&str], groups: &[&str], own: bool, description: &str) -> Value {
        ObjectBuilder::of_block(&BLOCK)
            .set("protocol", protocol)
            .set("from_port", Value::int(ports.0))
            .set("to_port", Value::int(ports.1))
            .set("cidr_blocks", Value::strings(cidrs.iter().copied()))
            .set("security_groups", values::string_set(groups.iter().copied()))
            .set("self", own)
            .set("description", description)
            .build()
    }

    #[test]
    fn a_block_that_exists_is_shown_as_it_was_written() {
        let written = [
            rule("6", (443, 443), &["10.0.0.0/8", "192.168.0.0/16"], &["sg-2"], true, "web"),
            rule("tcp", (22, 22), &["10.0.0.0/8"], &[], false, ""),
        ];
        let blocks: Vec<&Value> = written.iter().collect();
        let exist = of_permissions(&to_permissions(&of_blocks(&blocks, "sg-1")), "1");
        let shown = to_blocks(&exist, &blocks, "sg-1");
        assert_eq!(shown, Value::set(element_type(), written.iter().map(complete)));
    }

    #[test]
    fn what_nobody_wrote_is_grouped() {
        let written = [rule("tcp", (443, 443), &["10.0.0.0/8", "10.1.0.0/16"], &["sg-2"], true, "a")];
        let exist = of_blocks(&[&written[0]], "sg-1");
        let mut more = exist.clone();
        more.insert(
            AtomKey { protocol: "-1".into(), ports: None, source: Source::Ipv4("0.0.0.0/0".into()) },
            String::new(),
        );
        let shown = to_blocks(&more, &[], "sg-1");
        let expected =
            [complete(&written[0]), complete(&rule("-1", (0, 0), &["0.0.0.0/0"], &[], false, ""))].map(|b| {
                b.with_attr("ipv6_cidr_blocks", Value::strings::<&str>([]))
                    .with_attr("prefix_list_ids", Value::strings::<&str>([]))
            });
        assert_eq!(shown, Value::set(element_type(), expected));
    }

    #[test]
    fn a_block_of_which_a_part_is_gone_is_not_shown() {
        let written = rule("tcp", (1, 2), &["10.0.0.0/8", "10.1.0.0/16"], &[], false, "");
        let mut exist = of_blocks(&[&written], "sg-1");
        exist.pop_first();
        let shown = to_blocks(&exist, &[&written], "sg-1");
        let left: Vec<_> =
            shown.elements().unwrap_or_default().iter().map(|b| values::strs(b, "cidr_blocks")).collect();
        assert_eq!(left, [["10.1.0.0/16"]]);
    }

    #[test]
    fn mistakes_are_found_before_any_call() {
        let said = |rules: &[Value]| problems(&rules.iter().collect::<Vec<_>>());
        let ssh = |cidrs: &[&str], text: &str| rule("tcp", (22, 22), cidrs, &[], false, text);
        assert!(said(&[ssh(&["10.0.0.0/8"], "a"), rule("-1", (0, 0), &[], &["sg-1"], true, "")]).is_empty());
        assert_eq!(
            said(&[ssh(&["10.0.0.1/8"], "")]),
            ["\"10.0.0.1/8\" is not written as EC2 keeps it: write \"10.0.0.0/8\"."]
        );
        assert_eq!(said(&[ssh(&[], "")]).len(), 1, "no other side");
        assert_eq!(said(&[ssh(&["10.0.0.0/8"], "a"), ssh(&["10.0.0.0/8", "0.0.0.0/0"], "b")]).len(), 1, "twice");
        assert_eq!(said(&[rule("http", (1, 1), &["0.0.0.0/0"], &[], false, "")]).len(), 1);
        let open = ssh(&[], "").with_attr("cidr_blocks", Value::unknown(Type::list(Type::String)));
        assert!(said(&[open]).is_empty());
    }

    #[test]
    fn changes_are_told_apart() {
        let old = of_blocks(&[&rule("tcp", (1, 1), &["10.0.0.0/8", "10.1.0.0/16"], &[], false, "a")], "sg-1");
        let new = of_blocks(&[&rule("6", (1, 1), &["10.0.0.0/8", "10.2.0.0/16"], &[], false, "b")], "sg-1");
        let change = RuleChange::between(&old, &new);
        let cidrs = |atoms: &Atoms| atoms.keys().map(|k| k.source.clone()).collect::<Vec<_>>();
        assert_eq!(cidrs(&change.add), [Source::Ipv4("10.2.0.0/16".into())]);
        assert_eq!(cidrs(&change.remove), [Source::Ipv4("10.1.0.0/16".into())]);
        assert_eq!(cidrs(&change.describe), [Source::Ipv4("10.0.0.0/8".into())]);
        assert_eq!(RuleChange::between(&new, &new), RuleChange::default());
    }

    #[test]
    fn groups_of_other_accounts_carry_the_account() {
        let pair = UserIdGroupPair::builder().group_id("sg-9").user_id("222").build();
        let answered =
            IpPermission::builder().ip_protocol("tcp").from_port(1).to_port(1).user_id_group_pairs(pair).build();
        let atoms = of_permissions(&[answered], "111");
        assert_eq!(atoms.keys().next().map(|k| k.source.clone()), Some(Source::Group("222/sg-9".into())));
        let sent = to_permissions(&atoms);
        assert_eq!(sent[0].user_id_group_pairs()[0].user_id(), Some("222"));
        assert_eq!(sent[0].user_id_group_pairs()[0].group_id(), Some("sg-9"));
    }
}
