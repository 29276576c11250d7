//! IP protocols as security group rules name them.

/// Every protocol, and every port.
pub const ALL: &str = "-1";

/// The name that EC2 answers for a protocol: names in lower case, the four that have a name by it, `-1` for all.
pub fn normalize(protocol: &str) -> String {
    match protocol.to_ascii_lowercase().as_str() {
        "all" | "-1" => ALL.to_owned(),
        "1" => "icmp".to_owned(),
        "6" => "tcp".to_owned(),
        "17" => "udp".to_owned(),
        "58" => "icmpv6".to_owned(),
        other => other.to_owned(),
    }
}

/// Whether two spellings mean the same protocol.
pub fn same(a: &str, b: &str) -> bool {
    normalize(a) == normalize(b)
}

/// Whether ports mean ports (and not ICMP types and codes).
pub fn has_ports(protocol: &str) -> bool {
    matches!(normalize(protocol).as_str(), "tcp" | "udp")
}

/// Whether a spelling can be a protocol: a name that EC2 knows, or a number from -1 to 255.
pub fn is_valid(protocol: &str) -> bool {
    matches!(normalize(protocol).as_str(), ALL | "tcp" | "udp" | "icmp" | "icmpv6")
        || protocol.parse::<i16>().is_ok_and(|n| (0..=255).contains(&n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_protocol() {
        for (a, b) in [("TCP", "6"), ("udp", "17"), ("all", "-1"), ("ALL", "-1"), ("icmpv6", "58"), ("50", "50")] {
            assert!(same(a, b), "{a} {b}");
        }
        assert!(!same("tcp", "udp"));
        for (text, valid) in [("tcp", true), ("50", true), ("-1", true), ("256", false), ("http", false), ("", false)] {
            assert_eq!(is_valid(text), valid, "{text:?}");
        }
    }
}
