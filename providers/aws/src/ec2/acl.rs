//! Entries of network ACLs, inside an ACL and as objects of their own.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{IcmpTypeCode, NetworkAcl, NetworkAclEntry, PortRange, RuleAction};
use sgp_model::{Attribute, Block, Value, schema::Semantics};

use crate::{
    client::AwsClient,
    ec2::{addresses, describe, filter},
    errors::{ApiError, Call},
    values::{self, ObjectBuilder},
};

/// The entry that every ACL ends with, and nobody can change.
const LAST: i32 = 32_767;

/// What makes an entry unique in an ACL: whether it is for what goes out, and its number.
pub type Key = (bool, i32);

/// An entry, in EC2's form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Whether it is for what goes out of the subnets.
    pub egress: bool,
    /// Its number; the lowest one that fits decides.
    pub number: i32,
    /// `-1`, or the protocol's number.
    pub protocol: String,
    /// Whether it allows.
    pub allows: bool,
    /// The addresses of the other end.
    pub block: String,
    /// The first and last port of TCP and UDP.
    pub ports: Option<(i32, i32)>,
    /// The type and code of ICMP; -1 is any.
    pub icmp: Option<(i32, i32)>,
}

/// Entries by number.
pub type Entries = BTreeMap<Key, Entry>;

/// The block `ingress` or `egress` of an ACL.
pub fn block() -> Block {
    let zero = || Value::int(0);
    Block::default()
        .attr("action", Attribute::string().required().semantics(Semantics::CaseInsensitive).doc("`allow` or `deny`."))
        .attr(
            "cidr_block",
            Attribute::string().optional().semantics(Semantics::Cidr).doc("IPv4 addresses of the other end."),
        )
        .attr("from_port", Attribute::number().required().doc("The first port; 0 with protocol -1."))
        .attr("icmp_code", Attribute::number().default(zero()).doc("The ICMP code; -1 is any."))
        .attr("icmp_type", Attribute::number().default(zero()).doc("The ICMP type; -1 is any."))
        .attr(
            "ipv6_cidr_block",
            Attribute::string().optional().semantics(Semantics::Cidr).doc("IPv6 addresses of the other end."),
        )
        .attr(
            "protocol",
            Attribute::string()
                .required()
                .semantics(Semantics::CaseInsensitive)
                .doc("`tcp`, `udp`, `icmp`, a number, or `-1` for all."),
        )
        .attr(
            "rule_no",
            Attribute::number().required().doc("The number, 1 to 32766; the lowest entry that fits decides."),
        )
        .attr("to_port", Attribute::number().required().doc("The last port; 0 with protocol -1."))
}

/// A protocol as EC2 answers it: `-1` or a number.
pub fn number_of(protocol: &str) -> String {
    match protocol.to_ascii_lowercase().as_str() {
        "all" | "-1" => "-1".to_owned(),
        "icmp" => "1".to_owned(),
        "tcp" => "6".to_owned(),
        "udp" => "17".to_owned(),
        "icmpv6" | "ipv6-icmp" => "58".to_owned(),
        other => other.to_owned(),
    }
}

impl Entry {
    /// The one that a block of a side says, or an object of its own (whose arguments are named otherwise).
    pub fn of(object: &Value, egress: bool, number: &str, action: &str) -> Option<Self> {
        let protocol = number_of(values::str_opt(object, "protocol")?);
        let int = |name| values::i32_opt(object, name);
        let is_icmp = ["1", "58"].contains(&protocol.as_str());
        let has_ports = ["6", "17"].contains(&protocol.as_str());
        Some(Self {
            egress,
            number: int(number)?,
            allows: values::str_opt(object, action)?.eq_ignore_ascii_case("allow"),
            block: values::text(object, "cidr_block").or_else(|| values::text(object, "ipv6_cidr_block"))?,
            ports: has_ports.then(|| (int("from_port").unwrap_or_default(), int("to_port").unwrap_or_default())),
            icmp: is_icmp.then(|| (int("icmp_type").unwrap_or_default(), int("icmp_code").unwrap_or_default())),
            protocol,
        })
    }

    /// The one that EC2 told.
    pub fn of_answer(entry: &NetworkAclEntry) -> Self {
        let ports = entry.port_range().map(|it| (it.from().unwrap_or_default(), it.to().unwrap_or_default()));
        let icmp = entry.icmp_type_code().map(|it| (it.r#type().unwrap_or_default(), it.code().unwrap_or_default()));
        let protocol = number_of(entry.protocol().unwrap_or_default());
        let is_icmp = ["1", "58"].contains(&protocol.as_str());
        let has_ports = ["6", "17"].contains(&protocol.as_str());
        Self {
            egress: entry.egress().unwrap_or_default(),
            number: entry.rule_number().unwrap_or_default(),
            allows: entry.rule_action() == Some(&RuleAction::Allow),
            block: entry.cidr_block().or(entry.ipv6_cidr_block()).unwrap_or_default().to_owned(),
            ports: ports.filter(|_| has_ports),
            icmp: icmp.filter(|_| is_icmp),
            protocol,
        }
    }

    /// Whether both do the same.
    pub fn is(&self, other: &Self) -> bool {
        addresses::same(&self.block, &other.block) && Self { block: other.block.clone(), ..self.clone() } == *other
    }

    fn is_ipv6(&self) -> bool {
        self.block.contains(':')
    }

    fn blocks(&self) -> [Option<String>; 2] {
        let block = Some(self.block.clone());
        if self.is_ipv6() { [None, block] } else { [block, None] }
    }

    fn ports(&self) -> Option<PortRange> {
        let (from, to) = self.ports?;
        Some(PortRange::builder().from(from).to(to).build())
    }

    fn icmp(&self) -> Option<IcmpTypeCode> {
        let (kind, code) = self.icmp?;
        Some(IcmpTypeCode::builder().r#type(kind).code(code).build())
    }

    fn action(&self) -> RuleAction {
        if self.allows { RuleAction::Allow } else { RuleAction::Deny }
    }

    /// As a block of its side, spelled as `said` spells it.
    fn to_block(&self, said: Option<&Value>) -> Value {
        let spelled = |name: &str| said.and_then(|it| values::text(it, name));
        let block = spelled("cidr_block").or_else(|| spelled("ipv6_cidr_block"));
        let block = block.filter(|it| addresses::same(it, &self.block)).unwrap_or_else(|| self.block.clone());
        let protocol = spelled("protocol").filter(|it| number_of(it) == self.protocol);
        let action = if self.allows { "allow" } else { "deny" };
        let (from, to) = self.ports.unwrap_or_default();
        let (kind, code) = self.icmp.unwrap_or_default();
        let kept = |name: &str, told: i32| {
            // Ports of a protocol that has none mean nothing, whatever is said.
            let said = said.and_then(|it| values::i32_opt(it, name)).filter(|_| self.ports.is_none());
            Value::int(said.unwrap_or(told).into())
        };
        ObjectBuilder::of_block(&self::block())
            .set("action", spelled("action").filter(|it| it.eq_ignore_ascii_case(action)).unwrap_or(action.to_owned()))
            .set(if self.is_ipv6() { "ipv6_cidr_block" } else { "cidr_block" }, block)
            .set("from_port", kept("from_port", from))
            .set("to_port", kept("to_port", to))
            .set("icmp_type", Value::int(kind.into()))
            .set("icmp_code", Value::int(code.into()))
            .set("protocol", protocol.unwrap_or_else(|| self.protocol.clone()))
            .set("rule_no", Value::int(self.number.into()))
            .build()
    }
}

/// The entries of an ACL that people made: not the last one, which denies the rest.
pub fn of_acl(acl: &NetworkAcl) -> Entries {
    let made = acl.entries().iter().map(Entry::of_answer).filter(|entry| entry.number < LAST);
    made.map(|entry| ((entry.egress, entry.number), entry)).collect()
}

/// The sides of an ACL, with the name of their blocks.
pub const SIDES: [(&str, bool); 2] = [("ingress", false), ("egress", true)];

/// The entries that the blocks of a side say; `None` where they are not the configuration's.
pub fn of_side(object: &Value, (name, egress): (&str, bool)) -> Option<Entries> {
    let blocks = values::blocks(object, name);
    let entries = blocks.into_iter().filter_map(|block| Entry::of(block, egress, "rule_no", "action"));
    values::is_set(object, name).then(|| entries.map(|entry| ((egress, entry.number), entry)).collect())
}

/// The entries of a side as blocks, spelled as `prior` spells them.
pub fn to_blocks(entries: &Entries, prior: &Value, (name, egress): (&str, bool)) -> Value {
    let said = values::blocks(prior, name);
    let built = entries.values().filter(|entry| entry.egress == egress).map(|entry| {
        let same = |it: &&&Value| values::i32_opt(it, "rule_no") == Some(entry.number);
        entry.to_block(said.iter().find(same).copied())
    });
    Value::set(block().ty(), built)
}

/// The planned object with entries as they are recorded where they do the same: a protocol by its name and by its number.
#[must_use]
pub fn keep_spelling(prior: &Value, planned: Value) -> Value {
    SIDES.into_iter().fold(planned, |planned, (name, egress)| {
        let (Some(after), true) = (planned.get(name).and_then(Value::elements), values::is_set(prior, name)) else {
            return planned;
        };
        let entry = |it: &Value| Entry::of(it, egress, "rule_no", "action");
        let recorded: Vec<(&Value, Entry)> =
            values::blocks(prior, name).into_iter().filter_map(|it| Some((it, entry(it)?))).collect();
        let kept = after.into_iter().map(|it| {
            let same = entry(it).and_then(|said| recorded.iter().find(|(_, has)| has.is(&said)));
            same.map_or(it, |(recorded, _)| recorded).clone()
        });
        let kept = Value::set(block().ty(), kept);
        planned.with_attr(name, kept)
    })
}

/// An ACL by its id.
///
/// # Errors
/// What EC2 answers.
pub async fn acl(client: &AwsClient, id: &str) -> Result<Option<NetworkAcl>, ApiError> {
    Ok(describe::network_acls(client, vec![filter("network-acl-id", [id])]).await?.into_iter().next())
}

/// Adds an entry.
///
/// # Errors
/// What EC2 answers.
pub async fn add(client: &AwsClient, acl: &str, entry: &Entry) -> Result<(), ApiError> {
    let [v4, v6] = entry.blocks();
    let call = client
        .ec2
        .create_network_acl_entry()
        .network_acl_id(acl)
        .egress(entry.egress)
        .rule_number(entry.number)
        .protocol(&entry.protocol)
        .rule_action(entry.action())
        .set_cidr_block(v4)
        .set_ipv6_cidr_block(v6)
        .set_port_range(entry.ports())
        .set_icmp_type_code(entry.icmp());
    call.send().await.call("ec2:CreateNetworkAclEntry").map(|_| ())
}

/// Makes an entry another one of the same number.
///
/// # Errors
/// What EC2 answers.
pub async fn replace(client: &AwsClient, acl: &str, entry: &Entry) -> Result<(), ApiError> {
    let [v4, v6] = entry.blocks();
    let call = client
        .ec2
        .replace_network_acl_entry()
        .network_acl_id(acl)
        .egress(entry.egress)
        .rule_number(entry.number)
        .protocol(&entry.protocol)
        .rule_action(entry.action())
        .set_cidr_block(v4)
        .set_ipv6_cidr_block(v6)
        .set_port_range(entry.ports())
        .set_icmp_type_code(entry.icmp());
    call.send().await.call("ec2:ReplaceNetworkAclEntry").map(|_| ())
}

/// Removes an entry; one that is gone is success.
///
/// # Errors
/// What EC2 answers.
pub async fn remove(client: &AwsClient, acl: &str, (egress, number): Key) -> Result<(), ApiError> {
    let call = client.ec2.delete_network_acl_entry().network_acl_id(acl).egress(egress).rule_number(number);
    match call.send().await.call("ec2:DeleteNetworkAclEntry") {
        Err(error) if !error.is_not_found() => Err(error),
        _ => Ok(()),
    }
}

/// Brings the entries of an ACL to what is wanted. Entries are replaced where they are, so that no packet meets a gap.
///
/// # Errors
/// What EC2 answers.
pub async fn change(client: &AwsClient, acl: &str, exist: &Entries, wanted: &Entries) -> Result<(), ApiError> {
    for (key, entry) in wanted {
        match exist.get(key) {
            Some(it) if it.is(entry) => {}
            Some(_) => replace(client, acl, entry).await?,
            None => match add(client, acl, entry).await {
                // An attempt that nobody answered had made it.
                Err(error) if error.is(&["NetworkAclEntryAlreadyExists"]) => replace(client, acl, entry).await?,
                other => other?,
            },
        }
    }
    for key in exist.keys().filter(|key| !wanted.contains_key(key)) {
        remove(client, acl, *key).await?;
    }
    Ok(())
}

/// What is wrong with an entry that is known.
pub fn mistake(object: &Value, number: &str, action: &str) -> Option<String> {
    let says =
        |name: &str| object.get(name).is_some_and(|v| !v.is_known() || v.as_str().is_some_and(|t| !t.is_empty()));
    let text = |name: &str| values::str_opt(object, name);
    if text(action).is_some_and(|it| !["allow", "deny"].contains(&it.to_ascii_lowercase().as_str())) {
        return Some(format!("`{action}` must be allow or deny."));
    }
    if values::i64_opt(object, number).is_some_and(|it| !(1..=32_766).contains(&it)) {
        return Some(format!("`{number}` must lie between 1 and 32766."));
    }
    if says("cidr_block") == says("ipv6_cidr_block") {
        return Some("An entry needs `cidr_block` or `ipv6_cidr_block`, and one only.".to_owned());
    }
    let is_all = text("protocol").is_some_and(|it| number_of(it) == "-1");
    let ports = [values::i64_opt(object, "from_port"), values::i64_opt(object, "to_port")];
    if is_all && ports.iter().flatten().any(|it| *it != 0) {
        return Some("With protocol -1 an entry is for all ports: leave them 0.".to_owned());
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn said(fields: &[(&str, Value)]) -> Value {
        let zero = || Value::int(0);
        let base = block().empty().with_attr("icmp_type", zero()).with_attr("icmp_code", zero());
        fields.iter().fold(base, |object, (name, value)| object.with_attr(name, value.clone()))
    }

    fn web() -> Value {
        said(&[
            ("action", "Allow".into()),
            ("cidr_block", "10.0.3.0/16".into()),
            ("from_port", Value::int(443)),
            ("to_port", Value::int(443)),
            ("protocol", "tcp".into()),
            ("rule_no", Value::int(100)),
        ])
    }

    #[test]
    fn an_entry_is_shown_as_it_was_said() {
        let answer = NetworkAclEntry::builder()
            .rule_number(100)
            .protocol("6")
            .rule_action(RuleAction::Allow)
            .egress(false)
            .cidr_block("10.0.0.0/16")
            .port_range(PortRange::builder().from(443).to(443).build());
        let last = NetworkAclEntry::builder().rule_number(LAST).protocol("-1").egress(false).cidr_block("0.0.0.0/0");
        let acl = NetworkAcl::builder().entries(answer.build()).entries(last.build()).build();
        let entries = of_acl(&acl);
        assert_eq!(entries.len(), 1);
        let prior = Value::object([("ingress", Value::set(block().ty(), [web()]))]);
        assert_eq!(to_blocks(&entries, &prior, SIDES[0]), Value::set(block().ty(), [web()]));
        assert!(of_side(&prior, SIDES[0]).unwrap()[&(false, 100)].is(&entries[&(false, 100)]));
        assert_eq!(of_side(&Value::object([("egress", Value::null(block().ty()))]), SIDES[1]), None);
    }

    #[test]
    fn what_does_the_same_stays_as_it_is_recorded() {
        let of = |entry: Value| Value::object([("ingress", Value::set(block().ty(), [entry]))]);
        let numbered = of(web().with_attr("protocol", "6".into()).with_attr("action", "allow".into()));
        assert_eq!(keep_spelling(&numbered, of(web())), numbered);
        let other = of(web().with_attr("to_port", Value::int(8443)));
        assert_eq!(keep_spelling(&numbered, other.clone()), other);
    }

    #[test]
    fn protocols_are_numbers() {
        for (said, number) in [("tcp", "6"), ("6", "6"), ("ALL", "-1"), ("icmpv6", "58"), ("50", "50")] {
            assert_eq!(number_of(said), number);
        }
    }

    #[test]
    fn mistakes_are_named() {
        assert_eq!(mistake(&web(), "rule_no", "action"), None);
        for (name, value, wrong) in [
            ("action", Value::from("maybe"), "allow or deny"),
            ("rule_no", Value::int(32_767), "between 1 and 32766"),
            ("ipv6_cidr_block", Value::from("::/0"), "one only"),
            ("protocol", Value::from("-1"), "all ports"),
        ] {
            assert!(mistake(&web().with_attr(name, value), "rule_no", "action").unwrap().contains(wrong), "{name}");
        }
    }
}
