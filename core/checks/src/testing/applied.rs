//! Objects as they are recorded after an apply: with ids, and with what AWS tells of them.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use sgp_analysis::{
    build::Object,
    topology::{Direction, Fact, Origin, Peer},
};
use sgp_model::{Type, Value, symbol};

use super::Stack;

/// The objects of a stack after its apply.
pub(super) fn applied(stack: &Stack) -> Vec<Object> {
    let rules = rules(stack);
    let objects = stack.objects.iter().map(|it| {
        let Some(addr) = &it.addr else { return Object { attributes: known(&it.attributes), ..it.clone() } };
        let mut attributes = known(&it.attributes).with_attr("id", Value::string(id(&format!("{addr}.id"))));
        // A name that AWS or sgp made of a prefix.
        if attributes.get("name_prefix").is_some() {
            attributes = attributes.with_attr("name", Value::string(id(&format!("{addr}.name"))));
        }
        match it.kind.as_str() {
            "aws_eks_cluster" => {
                let group = id(&format!("{addr}.vpc_config[0].cluster_security_group_id"));
                let network = attributes.get("vpc_config").unwrap().elements().unwrap()[0].clone();
                let network = network.with_attr("cluster_security_group_id", Value::string(group));
                attributes = attributes.with_attr("vpc_config", Value::tuple(vec![network]));
            }
            "aws_security_group" => {
                for side in ["ingress", "egress"] {
                    let own = rules.get(&(addr.to_string(), side)).cloned().unwrap_or_default();
                    attributes = attributes.with_attr(side, Value::tuple(own));
                }
            }
            "aws_iam_role" => attributes = attributes.with_attr("arn", Value::string(id(&format!("{addr}.arn")))),
            _ => {}
        }
        Object { attributes, ..it.clone() }
    });
    objects.collect()
}

/// All rules of groups, as AWS tells them of the groups.
fn rules(stack: &Stack) -> BTreeMap<(String, &'static str), Vec<Value>> {
    let mut all: BTreeMap<(String, &'static str), Vec<Value>> = BTreeMap::new();
    for group in stack.topology().groups.values() {
        let Some(addr) = &group.managed_by else { continue };
        for rule in &group.rules {
            let side = if rule.direction == Direction::Ingress { "ingress" } else { "egress" };
            assert!(matches!(rule.origin, Origin::Managed(_)));
            all.entry((addr.to_string(), side)).or_default().push(inline(&rule.traffic, &rule.peer));
        }
    }
    all
}

fn inline(traffic: &Fact<sgp_analysis::sets::Traffic>, peer: &Peer) -> Value {
    let Fact::Known(traffic) = traffic else { panic!("{traffic:?}") };
    let traffic = traffic.to_string();
    let (protocol, ports) = match traffic.split_once('/') {
        Some((protocol, ports)) => (protocol.to_owned(), ports.to_owned()),
        None => ("-1".to_owned(), "0".to_owned()),
    };
    let (from, to) = ports.split_once('-').unwrap_or((&ports, &ports));
    let (name, text) = match peer {
        Peer::Block(block) if block.addr().is_ipv6() => ("ipv6_cidr_blocks", block.to_string()),
        Peer::Block(block) => ("cidr_blocks", block.to_string()),
        Peer::Group(group) => ("security_groups", literal(group.as_str())),
        Peer::PrefixList(list) => ("prefix_list_ids", literal(list.as_str())),
        Peer::Unknown => panic!("everything is known after an apply"),
    };
    Value::object([
        ("protocol", Value::string(protocol)),
        ("from_port", Value::int(from.parse().unwrap())),
        ("to_port", Value::int(to.parse().unwrap())),
        (name, Value::set(Type::String, [Value::string(text)])),
    ])
}

/// A value with ids in place of symbols.
fn known(value: &Value) -> Value {
    value.map_deep(&mut |_, it| match it.as_str() {
        Some(text) if symbol::is_in(text) => Value::string(literal(text)),
        _ => it,
    })
}

/// A text with ids in place of symbols.
fn literal(text: &str) -> String {
    let open = symbol::symbol("").chars().next().unwrap();
    let close = symbol::symbol("").chars().next_back().unwrap();
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, more)) = rest.split_once(open) {
        let (reference, after) = more.split_once(close).unwrap();
        out.push_str(before);
        out.push_str(&id(reference));
        rest = after;
    }
    out + rest
}

/// An id that looks like one of its kind.
fn id(reference: &str) -> String {
    let mut hasher = DefaultHasher::new();
    reference.hash(&mut hasher);
    let hash = format!("{:017x}", hasher.finish());
    let attribute = reference.rsplit('.').next().unwrap();
    let prefix = match reference {
        _ if ["issuer", "url"].contains(&attribute) => {
            return format!("oidc.eks.eu-central-1.amazonaws.com/id/{hash}");
        }
        _ if attribute == "arn" => return format!("arn:aws:iam::123456789012:{hash}"),
        it if it.contains("security_group") && !it.contains("rule") => "sg-",
        it if it.starts_with("aws_vpc.") => "vpc-",
        it if it.starts_with("aws_subnet.") => "subnet-",
        it if it.starts_with("aws_nat_gateway.") => "nat-",
        _ => "x-",
    };
    format!("{prefix}{hash}")
}
