//! Managed prefix lists.

use super::ec2;
use crate::case::{Case, add, edit, id, text};

pub fn managed_prefix_list() -> Case {
    Case {
        name: "aws_ec2_managed_prefix_list",
        around: "",
        body: r#"
name           = "home"
address_family = "IPv4"
max_entries    = 2
"#,
        updates: vec![
            add("entry.cidr", "entry {\n  cidr = \"192.0.2.0/24\"\n}"),
            edit("entry.description", "192.0.2.0/24\"", "192.0.2.0/24\"\n  description = \"Berlin\""),
            edit("entry.description", "Berlin", "Bonn"),
            add("entry.cidr", "entry {\n  cidr = \"198.51.100.0/24\"\n}"),
            edit("max_entries", "max_entries    = 2", "max_entries    = 3"),
            edit("entry.cidr", "198.51.100.0/24", "203.0.113.0/24"),
            edit("entry", "entry {\n  cidr = \"203.0.113.0/24\"\n}", ""),
            edit("max_entries", "max_entries    = 3", "max_entries    = 1"),
            edit("name", "\"home\"", "\"houses\""),
            add("tags", r#"tags = { a = "1" }"#),
            edit("tags", r#"a = "1""#, r#"b = "2""#),
        ],
        replacements: vec![
            edit("address_family entry.cidr", "address_family = \"IPv4\"", "address_family = \"IPv6\"")
                .and("192.0.2.0/24", "2001:DB8::/32"),
        ],
        import: Some(id),
        untold: &[],
        vanish: Some(|world, object| {
            ec2(world, "DeleteManagedPrefixList", &[("PrefixListId", text(object, "id"))]);
        }),
        beside: &[],
    }
}
