//! Blocks of addresses as people write them and as EC2 answers them.
//!
//! EC2 brings a block to its canonical form: `10.0.7.0/16` becomes `10.0.0.0/16`, `2001:DB8::/32` becomes `2001:db8::/32`
//! (CreateVpc, CreateSubnet, CreateRoute). What a person wrote stays, as long as it means the same.

use std::{net::IpAddr, ops::RangeInclusive};

use sgp_model::{AttrPath, Diagnostic, Value};

use crate::values;

/// A family of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// A block in one form: its family, first address and length. `None` for what is no block.
pub fn parse(text: &str) -> Option<(Family, u128, u8)> {
    let (address, length) = text.split_once('/')?;
    let length: u8 = length.parse().ok()?;
    let (family, bits, width): (Family, u128, u8) = match address.parse().ok()? {
        IpAddr::V4(v4) => (Family::V4, u128::from(v4.to_bits()), 32),
        IpAddr::V6(v6) => (Family::V6, v6.to_bits(), 128),
    };
    let host = width.checked_sub(length)?;
    let first = if host == 128 { 0 } else { bits >> host << host };
    Some((family, first, length))
}

/// Whether two texts are the same block.
pub fn same(a: &str, b: &str) -> bool {
    a == b || matches!((parse(a), parse(b)), (Some(a), Some(b)) if a == b)
}

/// A block that EC2 answered, spelled as it was said before where that means the same.
pub fn spelled<'a>(answered: Option<&'a str>, said: Option<&'a str>) -> Option<&'a str> {
    match (answered, said) {
        (Some(answered), Some(said)) if same(answered, said) => Some(said),
        (answered, _) => answered.filter(|text| !text.is_empty()),
    }
}

/// What is wrong with arguments that hold a block of a family, with a length in a range.
pub fn mistakes(config: &Value, arguments: &[(&'static str, Family, RangeInclusive<u8>)]) -> Vec<Diagnostic> {
    let wrong = |(name, family, lengths): &(&'static str, Family, RangeInclusive<u8>)| {
        let text = values::str_opt(config, name).filter(|text| !text.is_empty())?;
        let detail = problem(text, *family, lengths)?;
        Some(
            Diagnostic::error("Invalid argument", format!("`{name}` is {text:?}; it must {detail}."))
                .attribute(AttrPath::attr(*name)),
        )
    };
    arguments.iter().filter_map(wrong).collect()
}

/// What a block must be and is not.
pub fn problem(text: &str, family: Family, lengths: &RangeInclusive<u8>) -> Option<String> {
    let (kind, example) = match family {
        Family::V4 => ("IPv4", "10.0.0.0/16"),
        Family::V6 => ("IPv6", "2001:db8::/56"),
    };
    match parse(text) {
        Some((found, _, length)) if found == family && lengths.contains(&length) => None,
        Some((found, ..)) if found == family => {
            Some(format!("have a length between /{} and /{}", lengths.start(), lengths.end()))
        }
        _ => Some(format!("be a block of {kind} addresses such as {example}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_told_apart_by_what_they_mean() {
        for (a, b, equal) in [
            ("10.0.0.0/16", "10.0.7.3/16", true),
            ("10.0.0.0/16", "10.0.0.0/17", false),
            ("2001:DB8:0::/32", "2001:db8::/32", true),
            ("::/0", "0:0:0::1/0", true),
            ("0.0.0.0/0", "::/0", false),
            ("nonsense", "nonsense", true),
            ("10.0.0.0/33", "10.0.0.0/34", false),
        ] {
            assert_eq!(same(a, b), equal, "{a} {b}");
        }
        assert_eq!(spelled(Some("10.0.0.0/16"), Some("10.0.1.0/16")), Some("10.0.1.0/16"));
        assert_eq!(spelled(Some("10.1.0.0/16"), Some("10.0.1.0/16")), Some("10.1.0.0/16"));
        assert_eq!(spelled(Some(""), None), None);
    }

    #[test]
    fn lengths_and_families_are_checked() {
        for (text, wrong) in [("10.0.0.0/16", false), ("10.0.0.0/8", true), ("::/16", true), ("10.0.0.0", true)] {
            assert_eq!(problem(text, Family::V4, &(16..=28)).is_some(), wrong, "{text}");
        }
    }
}
