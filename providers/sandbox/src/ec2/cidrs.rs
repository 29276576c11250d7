//! CIDR blocks as EC2 reads them.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::describe::invalid;
use crate::aws::ApiError;

/// Reads an IPv4 block and takes the host bits off, as EC2 does ("we modify it to its canonical form": CreateVpc, CreateRoute).
///
/// # Errors
/// `InvalidParameterValue` when it is not `a.b.c.d/n`.
pub fn v4(parameter: &str, text: &str) -> Result<Ipv4Net, ApiError> {
    text.parse::<Ipv4Net>().map(|net| net.trunc()).map_err(|_| invalid(parameter, text, NOT_A_BLOCK))
}

/// The same for IPv6.
///
/// # Errors
/// `InvalidParameterValue` when it is not an IPv6 block.
pub fn v6(parameter: &str, text: &str) -> Result<Ipv6Net, ApiError> {
    text.parse::<Ipv6Net>().map(|net| net.trunc()).map_err(|_| invalid(parameter, text, NOT_A_BLOCK))
}

/// The same for either family.
///
/// # Errors
/// `InvalidParameterValue` when it is neither.
pub fn any(parameter: &str, text: &str) -> Result<IpNet, ApiError> {
    text.parse::<IpNet>().map(|net| net.trunc()).map_err(|_| invalid(parameter, text, NOT_A_BLOCK))
}

const NOT_A_BLOCK: &str = "This is not a valid CIDR block.";

/// Whether two blocks have an address in common: one then lies in the other.
pub fn overlap<N: Into<IpNet>>(a: N, b: N) -> bool {
    let (a, b) = (a.into(), b.into());
    a.contains(&b) || b.contains(&a)
}

/// What no VPC may have: this network, loopback, link-local, multicast.
///
/// Source: Amazon VPC User Guide, "VPC CIDR blocks", IPv4 VPC CIDR blocks.
const RESERVED: [&str; 4] = ["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4"];

/// Whether VPCs and subnets may have a block: its netmask is from /16 to /28, and it is not one of those that are kept for others.
pub fn is_network(net: Ipv4Net) -> bool {
    let is_reserved = RESERVED.iter().any(|it| it.parse::<Ipv4Net>().is_ok_and(|it| overlap(it, net)));
    (16..=28).contains(&net.prefix_len()) && !is_reserved
}

/// Whether a subnet may have an IPv6 block: its netmask is from /44 to /64 in steps of four.
pub fn is_subnet_v6(net: Ipv6Net) -> bool {
    (44..=64).contains(&net.prefix_len()) && net.prefix_len().is_multiple_of(4)
}

/// The `number`th block of length `prefix_len` in a larger one.
pub fn nth(net: Ipv6Net, prefix_len: u8, number: u128) -> Option<Ipv6Net> {
    let shifted = number.checked_shl(u32::from(128 - prefix_len))?;
    let block = Ipv6Net::new((u128::from(net.network()) + shifted).into(), prefix_len).ok()?;
    net.contains(&block).then_some(block)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_canonical() {
        for (text, expected) in [
            ("100.68.0.18/18", Some("100.68.0.0/18")),
            ("10.0.0.0/16", Some("10.0.0.0/16")),
            ("10.0.0.0", None),
            ("10.0.0.0/33", None),
            ("10.0.0/8", None),
            ("", None),
        ] {
            assert_eq!(v4("cidrBlock", text).ok().map(|net| net.to_string()).as_deref(), expected, "{text}");
        }
        let net = v6("ipv6CidrBlock", "2600:1f18:1:200::1/56").unwrap();
        assert_eq!(nth(net, 64, 3).unwrap().to_string(), "2600:1f18:1:203::/64");
        assert_eq!(nth(net, 64, 256), None);
    }
}
