//! The arguments of a security group rule: what is judged about them without a call, and what EC2 is sent.

use aws_sdk_ec2::types::{
    IpPermission, IpRange, Ipv6Range, PrefixListId, SecurityGroupRule as Ec2Rule, SecurityGroupRuleRequest,
    UserIdGroupPair,
};
use sgp_model::{AttrPath, Diagnostic, Diagnostics, Value};

use crate::{
    ec2::{
        inline_rules::{AtomKey, Source},
        protocol,
    },
    values,
};

/// The attributes that name the other side, one of which a rule has.
pub const SOURCES: [&str; 4] = ["cidr_ipv4", "cidr_ipv6", "prefix_list_id", "referenced_security_group_id"];

/// An absent description and an empty one are the same to EC2.
pub fn described(answered: Option<&str>, prior: &Value) -> Value {
    match answered.filter(|text| !text.is_empty()) {
        Some(text) => text.into(),
        None if values::str_opt(prior, "description") == Some("") => "".into(),
        None => values::opt_str(None),
    }
}

/// Keeps the recorded spelling of a protocol that means the same.
pub fn keep_spelling(prior: &Value, planned: Value) -> Value {
    match (values::str_opt(prior, "ip_protocol"), values::str_opt(&planned, "ip_protocol")) {
        (Some(before), Some(now)) if before != now && protocol::same(before, now) => {
            planned.with_attr("ip_protocol", before.into())
        }
        _ => planned,
    }
}

/// EC2 modifies a range into another range, but never a range into a group: the paths of such a change.
pub fn changed_kind(prior: &Value, planned: &Value) -> Vec<AttrPath> {
    let has = |object: &Value, name: &str| object.get(name).is_some_and(|v| !v.is_null() && v.as_str() != Some(""));
    SOURCES.into_iter().filter(|name| has(prior, name) != has(planned, name)).map(AttrPath::attr).collect()
}

/// The other side, when it is a group that will be another one. EC2 keeps a group for as long as a rule names it, so a rule
/// that was only edited afterwards would hold up the group's end for ever: it goes before the group and comes back after it.
pub fn group_to_come(prior: &Value, planned: &Value) -> Option<AttrPath> {
    const GROUP: &str = "referenced_security_group_id";
    let unknown = planned.get(GROUP).is_some_and(|group| !group.is_known());
    (unknown && values::is_set(prior, GROUP)).then(|| AttrPath::attr(GROUP))
}

/// Judges what EC2 would refuse, or keep in another spelling.
pub fn validate(config: &Value) -> Diagnostics {
    let mut found = Diagnostics::new();
    let mut wrong = |argument: &'static str, summary: &str, detail: String| {
        found.push(Diagnostic::error(summary, detail).attribute(AttrPath::attr(argument)));
    };
    let open = |name: &str| config.get(name).is_some_and(|v| !v.is_known());
    let given: Vec<&str> = SOURCES.into_iter().filter(|name| values::is_set(config, name)).collect();
    if given.len() > 1 {
        wrong(
            SOURCES.into_iter().rfind(|name| given.contains(name)).unwrap_or("cidr_ipv4"),
            "Several other sides",
            format!("A rule has one other side; {} are set. Write a rule for each.", given.join(" and ")),
        );
    } else if given.is_empty() && !SOURCES.iter().any(|name| open(name)) {
        wrong("cidr_ipv4", "No other side", format!("One of {} is needed.", SOURCES.join(", ")));
    }
    if let Some(problem) = values::str_opt(config, "description").and_then(super::problem_of_description) {
        wrong("description", "Invalid description", problem);
    }
    if let Some(text) = values::str_opt(config, "ip_protocol") {
        if !protocol::is_valid(text) {
            wrong(
                "ip_protocol",
                "Invalid protocol",
                format!("{text:?} is not tcp, udp, icmp, icmpv6, -1 or a number up to 255."),
            );
        } else if protocol::has_ports(text) {
            check_ports(config, &mut wrong);
        }
    }
    for (name, v4) in [("cidr_ipv4", true), ("cidr_ipv6", false)] {
        if let Some(problem) = values::str_opt(config, name).and_then(|text| cidr_problem(text, v4)) {
            wrong(name, "Invalid range", problem);
        }
    }
    found
}

fn check_ports(config: &Value, wrong: &mut impl FnMut(&'static str, &str, String)) {
    let open = |name: &str| config.get(name).is_some_and(|v| !v.is_known());
    let (from, to) = (values::i64_opt(config, "from_port"), values::i64_opt(config, "to_port"));
    for (name, port) in [("from_port", from), ("to_port", to)] {
        match port {
            None if !open(name) => wrong(name, "Missing port", format!("{name} is needed with tcp and udp.")),
            Some(port) if !(0..=65535).contains(&port) => {
                wrong(name, "Invalid port", format!("{port} is not a port: 0 to 65535."));
            }
            _ => {}
        }
    }
    if let (Some(from), Some(to)) = (from, to)
        && from > to
    {
        wrong("to_port", "Invalid ports", format!("to_port ({to}) is less than from_port ({from})."));
    }
}

/// What is wrong with a range: EC2 stores the network's address, so that anything else would differ after every apply.
pub fn cidr_problem(text: &str, v4: bool) -> Option<String> {
    let family = if v4 { "IPv4" } else { "IPv6" };
    let parsed = text.split_once('/').and_then(|(address, bits)| {
        let (address, bits) = (address.parse::<std::net::IpAddr>().ok()?, bits.parse::<u32>().ok()?);
        let width = if address.is_ipv4() { 32 } else { 128 };
        (address.is_ipv4() == v4 && bits <= width).then_some((address, bits))
    });
    let Some((address, bits)) = parsed else {
        return Some(format!(
            "{text:?} is not an {family} range such as {}.",
            if v4 { "10.0.0.0/16" } else { "2001:db8::/32" }
        ));
    };
    let network = match address {
        std::net::IpAddr::V4(a) => {
            std::net::IpAddr::V4((u32::from(a) & u32::MAX.checked_shl(32 - bits).unwrap_or(0)).into())
        }
        std::net::IpAddr::V6(a) => {
            std::net::IpAddr::V6((u128::from(a) & u128::MAX.checked_shl(128 - bits).unwrap_or(0)).into())
        }
    };
    let canonical = format!("{network}/{bits}");
    (canonical != text).then(|| format!("{text:?} is not written as EC2 keeps it: write {canonical:?}."))
}

/// What makes the planned rule unique within its group; `None` while something of it is unknown.
pub fn key(planned: &Value) -> Option<AtomKey> {
    let protocol = protocol::normalize(values::str_opt(planned, "ip_protocol")?);
    let port = |name| values::i32_opt(planned, name).unwrap_or(-1);
    let ports = (protocol != protocol::ALL).then(|| (port("from_port"), port("to_port")));
    let (attribute, text) = SOURCES.into_iter().find_map(|name| Some((name, values::text(planned, name)?)))?;
    let source = match attribute {
        "cidr_ipv4" => Source::Ipv4(text),
        "cidr_ipv6" => Source::Ipv6(text),
        "prefix_list_id" => Source::PrefixList(text),
        _ => Source::Group(text),
    };
    Some(AtomKey { protocol, ports, source })
}

/// Whether a rule of EC2 has this protocol, these ports and this other side.
pub fn is_rule(rule: &Ec2Rule, key: &AtomKey) -> bool {
    let protocol = protocol::normalize(rule.ip_protocol().unwrap_or_default());
    let ports = (protocol != protocol::ALL).then(|| (rule.from_port().unwrap_or(-1), rule.to_port().unwrap_or(-1)));
    let source = match &key.source {
        Source::Ipv4(cidr) => rule.cidr_ipv4() == Some(cidr),
        Source::Ipv6(cidr) => rule.cidr_ipv6() == Some(cidr),
        Source::PrefixList(id) => rule.prefix_list_id() == Some(id),
        Source::Group(id) => {
            let (_, bare) = id.rsplit_once('/').unwrap_or(("", id));
            rule.referenced_group_info().and_then(|i| i.group_id()) == Some(bare)
        }
    };
    protocol == key.protocol && ports == key.ports && source
}

/// The planned rule as Authorize takes it.
pub fn permission(planned: &Value) -> IpPermission {
    let protocol = protocol::normalize(&values::string(planned, "ip_protocol"));
    let ports = if protocol == protocol::ALL {
        [None, None]
    } else {
        ["from_port", "to_port"].map(|n| Some(values::i32_opt(planned, n).unwrap_or(-1)))
    };
    let description = values::text(planned, "description");
    let builder = IpPermission::builder().ip_protocol(protocol).set_from_port(ports[0]).set_to_port(ports[1]);
    if let Some(cidr) = values::text(planned, "cidr_ipv4") {
        return builder.ip_ranges(IpRange::builder().cidr_ip(cidr).set_description(description).build()).build();
    }
    if let Some(cidr) = values::text(planned, "cidr_ipv6") {
        return builder.ipv6_ranges(Ipv6Range::builder().cidr_ipv6(cidr).set_description(description).build()).build();
    }
    if let Some(id) = values::text(planned, "prefix_list_id") {
        return builder
            .prefix_list_ids(PrefixListId::builder().prefix_list_id(id).set_description(description).build())
            .build();
    }
    let group = values::string(planned, "referenced_security_group_id");
    let (user, id) = group.rsplit_once('/').map_or((None, group.as_str()), |(user, id)| (Some(user.to_owned()), id));
    let pair = UserIdGroupPair::builder().group_id(id).set_user_id(user).set_description(description);
    builder.user_id_group_pairs(pair.build()).build()
}

/// The planned rule as Modify takes it: the whole of it.
pub fn modification(planned: &Value) -> SecurityGroupRuleRequest {
    let protocol = protocol::normalize(&values::string(planned, "ip_protocol"));
    let all = protocol == protocol::ALL;
    // Unlike Authorize, Modify wants ports to be said: -1 for all.
    let [from, to] = ["from_port", "to_port"].map(|n| values::i32_opt(planned, n).filter(|_| !all).unwrap_or(-1));
    let group = values::text(planned, "referenced_security_group_id");
    SecurityGroupRuleRequest::builder()
        .ip_protocol(protocol)
        .from_port(from)
        .to_port(to)
        .set_cidr_ipv4(values::text(planned, "cidr_ipv4"))
        .set_cidr_ipv6(values::text(planned, "cidr_ipv6"))
        .set_prefix_list_id(values::text(planned, "prefix_list_id"))
        .set_referenced_group_id(group.map(|g| g.rsplit('/').next().unwrap_or(&g).to_owned()))
        .description(values::string(planned, "description"))
        .build()
}

#[cfg(test)]
mod tests {
    use sgp_model::{Schema, Type};

    use super::*;
    use crate::ec2::rule::attributes;

    fn rule(fields: &[(&str, Value)]) -> Value {
        let schema = attributes(Schema::new("t", "A test."));
        fields.iter().fold(schema.block.empty(), |object, (name, value)| object.with_attr(name, value.clone()))
    }

    fn web(more: &[(&str, Value)]) -> Value {
        let mut fields: Vec<(&str, Value)> = vec![
            ("security_group_id", "sg-1".into()),
            ("ip_protocol", "tcp".into()),
            ("from_port", Value::int(443)),
            ("to_port", Value::int(443)),
        ];
        fields.extend_from_slice(more);
        rule(&fields)
    }

    #[test]
    fn mistakes_are_found_before_any_call() {
        let open = Value::unknown(Type::String);
        for (config, wrong) in [
            (web(&[("cidr_ipv4", "10.0.0.0/8".into())]), vec![]),
            (web(&[("referenced_security_group_id", open.clone())]), vec![]),
            (web(&[]), vec!["No other side"]),
            (
                web(&[("cidr_ipv4", "10.0.0.0/8".into()), ("prefix_list_id", "pl-1".into())]),
                vec!["Several other sides"],
            ),
            (web(&[("cidr_ipv4", "10.0.0.1/8".into())]), vec!["Invalid range"]),
            (web(&[("cidr_ipv4", "0.0.0.0/0".into())]), vec![]),
            (web(&[("cidr_ipv6", "::/0".into())]), vec![]),
            (web(&[("cidr_ipv6", "10.0.0.0/8".into())]), vec!["Invalid range"]),
            (web(&[("cidr_ipv4", "10.0.0.0/8".into()), ("to_port", Value::int(80))]), vec!["Invalid ports"]),
            (web(&[("cidr_ipv4", "10.0.0.0/8".into()), ("to_port", Value::int(70000))]), vec!["Invalid port"]),
            (web(&[("cidr_ipv4", "10.0.0.0/8".into()), ("to_port", Value::null(Type::Number))]), vec!["Missing port"]),
            (web(&[("cidr_ipv4", "10.0.0.0/8".into()), ("ip_protocol", "http".into())]), vec!["Invalid protocol"]),
            // EC2 takes no apostrophe.
            (web(&[("cidr_ipv4", "10.0.0.0/8".into()), ("description", "AWS's".into())]), vec!["Invalid description"]),
        ] {
            let said: Vec<_> = validate(&config).into_iter().map(|d| d.summary).collect();
            assert_eq!(said, wrong, "{config:?}");
        }
    }

    #[test]
    fn another_kind_of_source_replaces_the_rule() {
        let prior = web(&[("cidr_ipv4", "10.0.0.0/8".into())]);
        assert!(changed_kind(&prior, &web(&[("cidr_ipv4", "10.1.0.0/16".into())])).is_empty());
        assert!(changed_kind(&prior, &web(&[("cidr_ipv4", Value::unknown(Type::String))])).is_empty());
        let paths: Vec<_> =
            changed_kind(&prior, &web(&[("prefix_list_id", "pl-1".into())])).iter().map(ToString::to_string).collect();
        assert_eq!(paths, ["cidr_ipv4", "prefix_list_id"]);
    }

    #[test]
    fn a_rule_goes_before_the_group_that_it_names() {
        let rule = |group: Value| web(&[("referenced_security_group_id", group)]);
        let path = |prior: Value, planned: Value| group_to_come(&prior, &planned).map(|path| path.to_string());
        let unknown = || rule(Value::unknown(Type::String));
        assert_eq!(path(rule("sg-1".into()), unknown()).as_deref(), Some("referenced_security_group_id"));
        assert_eq!(path(rule("sg-1".into()), rule("sg-2".into())), None, "both are there: edited in place");
        assert_eq!(path(web(&[("cidr_ipv4", "10.0.0.0/8".into())]), unknown()), None);
    }

    #[test]
    fn the_spelling_of_a_protocol_is_no_change() {
        let prior = web(&[("ip_protocol", "6".into())]);
        assert_eq!(values::str_opt(&keep_spelling(&prior, web(&[])), "ip_protocol"), Some("6"));
        let changed = keep_spelling(&prior, web(&[("ip_protocol", "udp".into())]));
        assert_eq!(values::str_opt(&changed, "ip_protocol"), Some("udp"));
    }

    #[test]
    fn a_rule_is_known_by_protocol_ports_and_source() {
        let answered =
            Ec2Rule::builder().ip_protocol("tcp").from_port(443).to_port(443).cidr_ipv4("10.0.0.0/8").build();
        let is = |planned: &Value| key(planned).is_some_and(|key| is_rule(&answered, &key));
        assert!(is(&web(&[("cidr_ipv4", "10.0.0.0/8".into())])));
        assert!(is(&web(&[("cidr_ipv4", "10.0.0.0/8".into()), ("ip_protocol", "6".into())])));
        assert!(!is(&web(&[("cidr_ipv4", "10.0.0.0/16".into())])));
        assert!(!is(&web(&[("cidr_ipv4", "10.0.0.0/8".into()), ("to_port", Value::int(444))])));
        let all = Ec2Rule::builder().ip_protocol("-1").from_port(-1).to_port(-1).prefix_list_id("pl-1").build();
        let planned = rule(&[("ip_protocol", "all".into()), ("prefix_list_id", "pl-1".into())]);
        assert!(key(&planned).is_some_and(|key| is_rule(&all, &key)));
    }

    #[test]
    fn all_protocols_are_sent_without_ports() {
        let sent =
            permission(&web(&[("ip_protocol", "-1".into()), ("referenced_security_group_id", "222/sg-9".into())]));
        assert_eq!((sent.from_port(), sent.to_port()), (None, None));
        assert_eq!(sent.user_id_group_pairs()[0].user_id(), Some("222"));
    }
}
