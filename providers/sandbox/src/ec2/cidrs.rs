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

/// The block that VPCs and subnets may have: a netmask from /16 to /28.
pub fn is_network_size(net: Ipv4Net) -> bool {
    (16..=28).contains(&net.prefix_len())
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
