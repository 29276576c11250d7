//! Arithmetic on address ranges, IPv4 and IPv6 alike: an address is a whole number of 32 or 128 bits.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use sgp_model::{Number, Type, Value, value::Lengths};

use super::spec::{Args, Fail, Function, Outcome, Ty, arg_error, error, param, unknown_with};

pub(super) const TABLE: &[Function] = &[
    Function {
        name: "cidrcontains",
        params: &[param("containing_prefix", Ty::String), param("contained_ip_or_prefix", Ty::String)],
        rest: None,
        returns: Ty::Bool,
        run: contains,
    },
    Function {
        name: "cidrhost",
        params: &[param("prefix", Ty::String), param("hostnum", Ty::Number)],
        rest: None,
        returns: Ty::String,
        run: host,
    },
    Function {
        name: "cidrnetmask",
        params: &[param("prefix", Ty::String)],
        rest: None,
        returns: Ty::String,
        run: netmask,
    },
    Function {
        name: "cidrsubnet",
        params: &[param("prefix", Ty::String), param("newbits", Ty::Number), param("netnum", Ty::Number)],
        rest: None,
        returns: Ty::String,
        run: subnet,
    },
    Function {
        name: "cidrsubnets",
        params: &[param("prefix", Ty::String).unknown()],
        rest: Some(param("newbits", Ty::Number).unknown()),
        returns: Ty::ListOfString,
        run: subnets,
    },
];

/// A range of addresses: the first one as a number, and how many leading bits are fixed.
#[derive(Clone, Copy)]
struct Range {
    first: u128,
    length: u32,
    /// 32 or 128.
    bits: u32,
}

/// A number whose lowest `count` bits are set.
fn ones(count: u32) -> u128 {
    if count >= 128 { u128::MAX } else { (1 << count) - 1 }
}

/// The address as a number and its width; leading zeros are decimal, as they have always been read here.
fn address(text: &str) -> Option<(u128, u32)> {
    if text.contains(':') {
        return text.parse::<Ipv6Addr>().ok().map(|ip| (ip.to_bits(), 128));
    }
    let mut parts = text.split('.');
    let mut bits = 0u32;
    for _ in 0..4 {
        let part = parts.next().filter(|p| (1..=3).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit()))?;
        bits = bits << 8 | u32::from(part.parse::<u8>().ok()?);
    }
    parts.next().is_none().then_some((bits.into(), 32))
}

impl Range {
    fn parse(text: &str) -> Result<Self, String> {
        let invalid = || format!("invalid CIDR expression: invalid CIDR address: {text}");
        let (ip, length) = text.split_once('/').ok_or_else(invalid)?;
        let (ip, bits) = address(ip).ok_or_else(invalid)?;
        let digits = (1..=3).contains(&length.len()) && length.bytes().all(|b| b.is_ascii_digit());
        let length = length.parse::<u32>().ok().filter(|l| digits && *l <= bits).ok_or_else(invalid)?;
        let range = Self { first: ip, length, bits };
        Ok(Self { first: ip & !ones(range.host_bits()), ..range })
    }

    fn host_bits(self) -> u32 {
        self.bits - self.length
    }

    fn last(self) -> u128 {
        self.first | ones(self.host_bits())
    }

    fn show_ip(self, ip: u128) -> String {
        let ip = match u32::try_from(ip) {
            Ok(ip) if self.bits == 32 => IpAddr::V4(Ipv4Addr::from_bits(ip)),
            _ => IpAddr::V6(Ipv6Addr::from_bits(ip)),
        };
        ip.to_string()
    }

    fn show(self) -> String {
        format!("{}/{}", self.show_ip(self.first), self.length)
    }
}

fn range(a: &Args) -> Result<Range, Fail> {
    Range::parse(a.str(0)).map_err(error)
}

/// The number as a magnitude that fits an address, with its sign.
fn magnitude(number: &Number) -> Option<(bool, Option<u128>)> {
    number.is_whole().then(|| (number.is_negative(), number.abs().to_string().parse().ok()))
}

fn host(a: &Args) -> Outcome {
    let range = range(a)?;
    let (negative, size) = magnitude(a.number(1)).ok_or_else(|| error("value must be a whole number"))?;
    let space = ones(range.host_bits());
    // -1 is the last address.
    let offset = match (negative, size) {
        (false, Some(n)) if n <= space => Some(n),
        (true, Some(n)) if n >= 1 && n - 1 <= space => Some(space - (n - 1)),
        _ => None,
    };
    let offset = offset.ok_or_else(|| {
        error(format!("prefix of {} does not accommodate a host numbered {}", range.length, a.number(1)))
    })?;
    Ok(range.show_ip(range.first | offset).into())
}

fn netmask(a: &Args) -> Outcome {
    let range = range(a)?;
    if range.bits != 32 {
        return Err(error(format!("IPv6 addresses cannot have a netmask: {}", a.str(0))));
    }
    Ok(range.show_ip(ones(32) & !ones(range.host_bits())).into())
}

fn subnet(a: &Args) -> Outcome {
    let range = range(a)?;
    let new_bits = a.int(1)?;
    let length = i64::from(range.length).checked_add(new_bits).and_then(|length| u32::try_from(length).ok());
    let length = length.filter(|length| *length <= range.bits).ok_or_else(|| {
        error(format!("insufficient address space to extend prefix of {} by {new_bits}", range.length))
    })?;
    // A shorter prefix is the network around, of which there is only one.
    let extension = length.saturating_sub(range.length);
    let (negative, size) = magnitude(a.number(2)).ok_or_else(|| error("value must be a whole number"))?;
    let number = size.filter(|n| !(negative && *n > 0) && *n <= ones(extension)).ok_or_else(|| {
        error(format!("prefix extension of {new_bits} does not accommodate a subnet numbered {}", a.number(2)))
    })?;
    let place = range.bits - length;
    let offset = if place >= 128 { 0 } else { number << place };
    Ok(Range { first: range.first | offset, length, ..range }.show().into())
}

/// Consecutive ranges, each aligned to its own size.
fn subnets(a: &Args) -> Outcome {
    if a.values.iter().any(|v| !v.is_known()) {
        // How many there are does not depend on where they are.
        return Ok(unknown_with(Type::list(Type::String), Lengths::exactly(a.len() - 1)));
    }
    let whole = Range::parse(a.str(0)).map_err(|e| arg_error(0, e))?;
    let mut found: Vec<Range> = Vec::new();
    for place in 1..a.len() {
        let new_bits = a.int_arg(place)?;
        if new_bits < 1 {
            return Err(arg_error(place, "must extend prefix by at least one bit"));
        }
        let extension = u32::try_from(new_bits).ok().filter(|bits| *bits <= 32);
        let extension = extension.ok_or_else(|| arg_error(place, "may not extend prefix by more than 32 bits"))?;
        if extension > whole.host_bits() {
            let length = i64::from(whole.length) + new_bits;
            let reason = format!("would extend prefix to {length} bits, which is too long for an address");
            return Err(arg_error(place, reason));
        }
        let length = whole.length + extension;
        let room = ones(whole.bits - length);
        let first = match found.last() {
            None => Some(whole.first),
            Some(previous) => previous.last().checked_add(1).and_then(|n| n.checked_add(room)).map(|n| n & !room),
        };
        let next = first.filter(|f| f | room <= whole.last()).ok_or_else(|| {
            let previous = found.last().map_or_else(|| whole.show(), |r| r.show());
            arg_error(
                place,
                format!(
                    "not enough remaining address space for a subnet with a prefix of {length} bits after {previous}"
                ),
            )
        })?;
        found.push(Range { first: next, length, ..whole });
    }
    Ok(Value::list(Type::String, found.into_iter().map(|r| r.show().into()).collect()))
}

fn contains(a: &Args) -> Outcome {
    let outer = Range::parse(a.str(0)).map_err(|e| arg_error(0, e))?;
    let inner = match address(a.str(1)) {
        Some((ip, bits)) => Range { first: ip, length: bits, bits },
        None => {
            Range::parse(a.str(1)).map_err(|_| arg_error(1, format!("invalid IP address or prefix: {}", a.str(1))))?
        }
    };
    if outer.bits != inner.bits {
        return Err(error("address family mismatch: one is IPv4, the other IPv6"));
    }
    Ok((outer.first <= inner.first && inner.last() <= outer.last()).into())
}
