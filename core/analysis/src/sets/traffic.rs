//! Sets of traffic: protocols with ports or ICMP types.

use std::{
    fmt,
    ops::RangeInclusive,
    sync::{Arc, LazyLock},
};

use range_set_blaze::{Integer, RangeSetBlaze};

/// A protocol by its number in the IP header (iana.org/assignments/protocol-numbers).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Protocol(pub u8);

impl Protocol {
    /// TCP.
    pub const TCP: Self = Self(6);
    /// UDP.
    pub const UDP: Self = Self(17);
    /// ICMP for IPv4.
    pub const ICMP: Self = Self(1);
    /// ICMP for IPv6.
    pub const ICMPV6: Self = Self(58);
    /// SCTP, which NetworkPolicies know too.
    pub const SCTP: Self = Self(132);

    /// A protocol by name or number, as rules name it. `None` for `-1`, which is all of them, and for what is no protocol.
    pub fn named(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "tcp" => Some(Self::TCP),
            "udp" => Some(Self::UDP),
            "icmp" => Some(Self::ICMP),
            "icmpv6" => Some(Self::ICMPV6),
            "sctp" => Some(Self::SCTP),
            number => number.parse().ok().map(Self),
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TCP => f.write_str("tcp"),
            Self::UDP => f.write_str("udp"),
            Self::ICMP => f.write_str("icmp"),
            Self::ICMPV6 => f.write_str("icmpv6"),
            Self::SCTP => f.write_str("sctp"),
            Self(number) => write!(f, "protocol {number}"),
        }
    }
}

/// All traffic, made once.
static ALL: LazyLock<Traffic> = LazyLock::new(|| {
    let ports = RangeSetBlaze::from_iter([0..=u16::MAX]);
    let with_ports = [Protocol::TCP, Protocol::UDP, Protocol::ICMP, Protocol::ICMPV6].map(|it| it.0);
    Traffic::from(Sets {
        tcp: ports.clone(),
        udp: ports.clone(),
        icmp: ports.clone(),
        icmpv6: ports,
        others: RangeSetBlaze::from_iter([0..=u8::MAX]) - RangeSetBlaze::from_iter(with_ports),
    })
});

/// No port at all.
static NO_PORTS: LazyLock<RangeSetBlaze<u16>> = LazyLock::new(RangeSetBlaze::new);

/// A set of traffic: destination ports of TCP and UDP, types and codes of ICMP, and other protocols as a whole. A copy shares what is
/// in it: an account has few sets and many places where they pass.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Traffic(
    /// `None` is nothing, and nothing is always `None`.
    Option<Arc<Sets>>,
);

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Sets {
    tcp: RangeSetBlaze<u16>,
    udp: RangeSetBlaze<u16>,
    /// Type in the upper byte, code in the lower one.
    icmp: RangeSetBlaze<u16>,
    icmpv6: RangeSetBlaze<u16>,
    others: RangeSetBlaze<u8>,
}

impl From<Sets> for Traffic {
    fn from(sets: Sets) -> Self {
        let is_empty = sets.tcp.is_empty()
            && sets.udp.is_empty()
            && sets.icmp.is_empty()
            && sets.icmpv6.is_empty()
            && sets.others.is_empty();
        Self((!is_empty).then(|| Arc::new(sets)))
    }
}

impl Traffic {
    /// Nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// Everything.
    pub fn all() -> Self {
        ALL.clone()
    }

    /// Every port of a protocol, or the whole protocol.
    pub fn protocol(protocol: Protocol) -> Self {
        Self::of(protocol, 0..=u16::MAX)
    }

    /// One port of a protocol.
    pub fn port(protocol: Protocol, port: u16) -> Self {
        Self::of(protocol, port..=port)
    }

    /// A range of ports of a protocol. A protocol without ports is meant as a whole.
    pub fn of(protocol: Protocol, ports: RangeInclusive<u16>) -> Self {
        let mut sets = Sets::default();
        let own = match protocol {
            Protocol::TCP => &mut sets.tcp,
            Protocol::UDP => &mut sets.udp,
            Protocol::ICMP => &mut sets.icmp,
            Protocol::ICMPV6 => &mut sets.icmpv6,
            Protocol(number) => {
                sets.others.insert(number);
                return sets.into();
            }
        };
        own.ranges_insert(ports);
        sets.into()
    }

    /// Types and codes of ICMP; `None` is any of them.
    pub fn icmp(protocol: Protocol, kind: Option<u8>, code: Option<u8>) -> Self {
        let word = |kind: u8, code: u8| u16::from_be_bytes([kind, code]);
        match (kind, code) {
            (None, _) => Self::protocol(protocol),
            (Some(kind), None) => Self::of(protocol, word(kind, 0)..=word(kind, u8::MAX)),
            (Some(kind), Some(code)) => Self::of(protocol, word(kind, code)..=word(kind, code)),
        }
    }

    /// The ports (or, for ICMP, types and codes) of a protocol that has them.
    pub fn ports(&self, protocol: Protocol) -> Option<&RangeSetBlaze<u16>> {
        let own: fn(&Sets) -> &RangeSetBlaze<u16> = match protocol {
            Protocol::TCP => |it| &it.tcp,
            Protocol::UDP => |it| &it.udp,
            Protocol::ICMP => |it| &it.icmp,
            Protocol::ICMPV6 => |it| &it.icmpv6,
            Protocol(_) => return None,
        };
        Some(self.0.as_deref().map_or(&NO_PORTS, own))
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Whether it is all traffic.
    pub fn is_all(&self) -> bool {
        *self == *ALL
    }

    /// What is in either.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        let (Some(one), Some(two)) = (&self.0, &other.0) else {
            return if self.is_empty() { other.clone() } else { self.clone() };
        };
        if Arc::ptr_eq(one, two) {
            return self.clone();
        }
        Self::from(Sets {
            tcp: either(&one.tcp, &two.tcp),
            udp: either(&one.udp, &two.udp),
            icmp: either(&one.icmp, &two.icmp),
            icmpv6: either(&one.icmpv6, &two.icmpv6),
            others: either(&one.others, &two.others),
        })
    }

    /// What is in both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let (Some(one), Some(two)) = (&self.0, &other.0) else { return Self::none() };
        // Most layers of a way let everything pass.
        if Arc::ptr_eq(one, two) || other.is_all() {
            return self.clone();
        }
        if self.is_all() {
            return other.clone();
        }
        Self::from(Sets {
            tcp: both(&one.tcp, &two.tcp),
            udp: both(&one.udp, &two.udp),
            icmp: both(&one.icmp, &two.icmp),
            icmpv6: both(&one.icmpv6, &two.icmpv6),
            others: both(&one.others, &two.others),
        })
    }

    /// What is in this one and not in `other`.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let (Some(one), Some(two)) = (&self.0, &other.0) else { return self.clone() };
        if Arc::ptr_eq(one, two) {
            return Self::none();
        }
        Self::from(Sets {
            tcp: &one.tcp - &two.tcp,
            udp: &one.udp - &two.udp,
            icmp: &one.icmp - &two.icmp,
            icmpv6: &one.icmpv6 - &two.icmpv6,
            others: &one.others - &two.others,
        })
    }

    /// Whether all of `other` is in it.
    pub fn covers(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(one), Some(two)) => {
                Arc::ptr_eq(one, two)
                    || two.tcp.is_subset(&one.tcp)
                        && two.udp.is_subset(&one.udp)
                        && two.icmp.is_subset(&one.icmp)
                        && two.icmpv6.is_subset(&one.icmpv6)
                        && two.others.is_subset(&one.others)
            }
        }
    }

    /// Whether something is in both.
    pub fn meets(&self, other: &Self) -> bool {
        let (Some(one), Some(two)) = (&self.0, &other.0) else { return false };
        !(are_apart(&one.tcp, &two.tcp)
            && are_apart(&one.udp, &two.udp)
            && are_apart(&one.icmp, &two.icmp)
            && are_apart(&one.icmpv6, &two.icmpv6)
            && are_apart(&one.others, &two.others))
    }
}

fn are_apart<T: Integer>(one: &RangeSetBlaze<T>, other: &RangeSetBlaze<T>) -> bool {
    one.is_empty() || other.is_empty() || one.is_disjoint(other)
}

/// What is in either. Most sets are empty, or one and the same.
fn either<T: Integer>(one: &RangeSetBlaze<T>, other: &RangeSetBlaze<T>) -> RangeSetBlaze<T> {
    match (one.is_empty(), other.is_empty()) {
        (_, true) => one.clone(),
        (true, _) => other.clone(),
        _ if one == other => one.clone(),
        _ => one | other,
    }
}

/// What is in both.
fn both<T: Integer>(one: &RangeSetBlaze<T>, other: &RangeSetBlaze<T>) -> RangeSetBlaze<T> {
    match (one.is_empty(), other.is_empty()) {
        (false, false) if one == other => one.clone(),
        (false, false) => one & other,
        _ => RangeSetBlaze::new(),
    }
}

/// `tcp/443, tcp/8000-8080, udp/53`; `all traffic`; `nothing`.
impl fmt::Display for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("nothing");
        }
        if self.is_all() {
            return f.write_str("all traffic");
        }
        let mut parts = Vec::new();
        for protocol in [Protocol::TCP, Protocol::UDP, Protocol::ICMP, Protocol::ICMPV6] {
            let Some(ports) = self.ports(protocol) else { continue };
            for range in ports.ranges() {
                parts.push(described(protocol, *range.start(), *range.end()));
            }
        }
        let others = |it: &Self| it.0.as_ref().map(|sets| sets.others.clone()).unwrap_or_default();
        if others(self) == others(&ALL) {
            parts.push("all other protocols".to_owned());
        } else {
            parts.extend(others(self).iter().map(|number| Protocol(number).to_string()));
        }
        f.write_str(&parts.join(", "))
    }
}

fn described(protocol: Protocol, first: u16, last: u16) -> String {
    if (first, last) == (0, u16::MAX) {
        return protocol.to_string();
    }
    if protocol == Protocol::ICMP || protocol == Protocol::ICMPV6 {
        let ([kind, code], [last_kind, last_code]) = (first.to_be_bytes(), last.to_be_bytes());
        return match (kind == last_kind, code, last_code) {
            (true, 0, u8::MAX) => format!("{protocol} type {kind}"),
            (true, _, _) if first == last => format!("{protocol} type {kind} code {code}"),
            _ => format!("{protocol} types {kind}-{last_kind}"),
        };
    }
    if first == last { format!("{protocol}/{first}") } else { format!("{protocol}/{first}-{last}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_read_as_rules_do() {
        let tcp = |ports| Traffic::of(Protocol::TCP, ports);
        for (traffic, text) in [
            (Traffic::none(), "nothing"),
            (Traffic::all(), "all traffic"),
            (Traffic::protocol(Protocol::TCP), "tcp"),
            (
                tcp(443..=443).or(&tcp(8000..=8080)).or(&Traffic::port(Protocol::UDP, 53)),
                "tcp/443, tcp/8000-8080, udp/53",
            ),
            (tcp(1..=10).or(&tcp(11..=20)), "tcp/1-20"),
            (Traffic::icmp(Protocol::ICMP, Some(8), None), "icmp type 8"),
            (Traffic::icmp(Protocol::ICMP, Some(3), Some(4)), "icmp type 3 code 4"),
            (Traffic::icmp(Protocol::ICMPV6, None, None), "icmpv6"),
            (Traffic::protocol(Protocol(47)), "protocol 47"),
            (Traffic::all().without(&Traffic::protocol(Protocol::TCP)), "udp, icmp, icmpv6, all other protocols"),
        ] {
            assert_eq!(traffic.to_string(), text);
        }
    }

    #[test]
    fn a_part_is_less_than_the_whole() {
        let web = Traffic::port(Protocol::TCP, 443);
        assert!(Traffic::all().covers(&web));
        assert!(!web.covers(&Traffic::protocol(Protocol::TCP)));
        assert!(Traffic::all().without(&Traffic::all()).is_empty());
        assert_eq!(Traffic::all().and(&web), web);
    }

    #[test]
    fn protocols_go_by_name_and_number() {
        for (text, protocol) in [
            ("tcp", Some(Protocol::TCP)),
            ("6", Some(Protocol::TCP)),
            ("UDP", Some(Protocol::UDP)),
            ("-1", None),
            ("47", Some(Protocol(47))),
            ("nonsense", None),
        ] {
            assert_eq!(Protocol::named(text), protocol, "{text}");
        }
    }
}
