//! IP addresses and CIDR blocks.

use std::net::IpAddr;

use ipnet::IpNet;

use super::super::meter::Meter;
use super::super::value::{Failure, Value, failure};
use super::{Answer, at_once, over_text};

pub fn call<'a>(function: &str, is_member: bool, arguments: &[Value<'a>], meter: &mut Meter) -> Answer<'a> {
    match arguments {
        [Value::Text(text)] if !is_member => of_text(function, text, meter),
        [Value::Ip(address)] => of_address(function, *address, meter),
        [Value::Cidr(block)] => of_block(function, *block, meter),
        [Value::Cidr(block), other] => {
            let answer = match (function, other) {
                ("containsIP", Value::Ip(address)) => Ok(Value::Bool(block.contains(address))),
                // A text that is no address is one that there is no overload for.
                ("containsIP", Value::Text(text)) => {
                    address(text).map(|it| Value::Bool(block.contains(&it))).map_err(|_| Failure::NoOverload)
                }
                ("containsCIDR", Value::Cidr(other)) => Ok(Value::Bool(block.trunc().contains(&other.trunc()))),
                ("containsCIDR", Value::Text(text)) => self::block(text)
                    .map(|other| Value::Bool(block.trunc().contains(&other.trunc())))
                    .map_err(|_| Failure::NoOverload),
                _ => return None,
            };
            at_once(meter, || answer)
        }
        _ => None,
    }
}

fn of_text<'a>(function: &str, text: &str, meter: &mut Meter) -> Answer<'a> {
    match function {
        "ip" => over_text(text, 1, meter, || address(text).map(Value::Ip)),
        "isIP" => over_text(text, 1, meter, || Ok(Value::Bool(address(text).is_ok()))),
        "ip.isCanonical" => {
            over_text(text, 2, meter, || address(text).map(|address| Value::Bool(address.to_string() == text)))
        }
        "cidr" => over_text(text, 1, meter, || block(text).map(Value::Cidr)),
        "isCIDR" => over_text(text, 1, meter, || Ok(Value::Bool(block(text).is_ok()))),
        _ => None,
    }
}

fn of_address<'a>(function: &str, address: IpAddr, meter: &mut Meter) -> Answer<'a> {
    let (is_link_local, is_link_local_multicast) = match address {
        IpAddr::V4(it) => (it.is_link_local(), it.octets()[..3] == [224, 0, 0]),
        IpAddr::V6(it) => (it.is_unicast_link_local(), it.segments()[0] & 0xff0f == 0xff02),
    };
    let is_broadcast = matches!(address, IpAddr::V4(it) if it.is_broadcast());
    let value = match function {
        "family" => Value::Int(if address.is_ipv4() { 4 } else { 6 }),
        "isUnspecified" => Value::Bool(address.is_unspecified()),
        "isLoopback" => Value::Bool(address.is_loopback()),
        "isLinkLocalMulticast" => Value::Bool(is_link_local_multicast),
        "isLinkLocalUnicast" => Value::Bool(is_link_local),
        "isGlobalUnicast" => {
            let is_special = address.is_unspecified() || address.is_loopback() || address.is_multicast();
            Value::Bool(!is_special && !is_link_local && !is_broadcast)
        }
        _ => return None,
    };
    at_once(meter, || Ok(value))
}

fn of_block<'a>(function: &str, block: IpNet, meter: &mut Meter) -> Answer<'a> {
    let value = match function {
        "ip" => Value::Ip(block.addr()),
        "prefixLength" => Value::Int(i64::from(block.prefix_len())),
        "masked" => Value::Cidr(block.trunc()),
        _ => return None,
    };
    at_once(meter, || Ok(value))
}

fn address(text: &str) -> Result<IpAddr, Failure> {
    if let Some((_, zone)) = text.split_once('%')
        && !zone.is_empty()
    {
        return Err(failure(format!("IP address {text:?} with zone value is not allowed")));
    }
    match text.parse::<IpAddr>() {
        Ok(IpAddr::V6(address)) if address.to_ipv4_mapped().is_some() => {
            Err(failure(format!("IPv4-mapped IPv6 address {text:?} is not allowed")))
        }
        Ok(address) => Ok(address),
        Err(_) => Err(failure(format!(
            "IP Address {text:?} parse error during conversion from string: ParseAddr({text:?}): {}",
            why(text)
        ))),
    }
}

/// Why a text is no address, in the words of Go's `netip`.
fn why(text: &str) -> String {
    if text.contains(':') {
        return "each colon-separated field must have at least one digit".to_owned();
    }
    if !text.contains('.') {
        return "unable to parse IP".to_owned();
    }
    let fields: Vec<&str> = text.split('.').collect();
    if let Some(at) = text.find(|c: char| !c.is_ascii_digit() && c != '.') {
        return format!("unexpected character (at {:?})", &text[at..]);
    }
    if fields.iter().any(|field| field.is_empty()) {
        return format!("IPv4 field must have at least one digit (at {text:?})");
    }
    if fields.iter().any(|field| field.len() > 1 && field.starts_with('0')) {
        return "IPv4 field has octet with leading zero".to_owned();
    }
    if fields.iter().any(|field| field.parse::<u8>().is_err()) {
        return "IPv4 field has value >255".to_owned();
    }
    if fields.len() < 4 { "IPv4 address too short".to_owned() } else { "IPv4 address too long".to_owned() }
}

fn block(text: &str) -> Result<IpNet, Failure> {
    let wrong = |why: &str| {
        failure(format!(
            "network address parse error during conversion from string: network address parse error during conversion from string: netip.ParsePrefix({text:?}): {why}"
        ))
    };
    let (address, bits) = text.rsplit_once('/').ok_or_else(|| wrong("no '/'"))?;
    let address: IpAddr = address.parse().map_err(|_| wrong(&format!("ParseAddr({address:?}): {}", why(address))))?;
    let is_number =
        !bits.is_empty() && bits.chars().all(|c| c.is_ascii_digit()) && (bits == "0" || !bits.starts_with('0'));
    let length: u8 = if is_number { bits.parse().ok() } else { None }
        .ok_or_else(|| wrong(&format!("bad bits after slash: {bits:?}")))?;
    IpNet::new(address, length).map_err(|_| wrong("prefix length out of range"))
}
