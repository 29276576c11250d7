//! The types that a test run sees forward everything that the contract's traits have.
#![allow(clippy::unwrap_used)]
#![expect(
    clippy::disallowed_methods,
    reason = "the test reads the source of the traits and of what stands in for them"
)]

use std::collections::BTreeSet;

fn source(path: &str) -> String {
    std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The names of the methods between the braces after `head`; the block ends with the first line that is a brace alone.
fn methods(source: &str, head: &str) -> BTreeSet<String> {
    let (_, rest) = source.split_once(head).unwrap_or_else(|| panic!("{head} is not there"));
    let (block, _) = rest.split_once("\n}\n").unwrap();
    let lines = block.lines().filter_map(|line| line.strip_prefix("    "));
    let names = lines.filter_map(|line| line.strip_prefix("fn ").or_else(|| line.strip_prefix("async fn ")));
    names.map(|it| it[..it.find(['(', '<']).unwrap()].to_owned()).collect()
}

/// A method with a default body that a wrapper forgets would answer for the wrapper, and not for the type behind it.
#[test]
fn every_method_of_a_trait_is_forwarded() {
    let contract = source("../contract/src/provider.rs");
    let doubles = source("src/doubles/types.rs");
    for (kind, double, some) in [
        ("ResourceType", "DoubledType", "created_after_on"),
        ("DataSource", "DoubledData", "compute"),
        ("EphemeralType", "DoubledEphemeral", "renew"),
    ] {
        let declared = methods(&contract, &format!("pub trait {kind}: Send + Sync {{\n"));
        assert!(declared.contains(some) && declared.contains("schema"), "{kind}: {declared:?}");
        let forwarded = methods(&doubles, &format!("impl {kind} for {double} {{\n"));
        assert_eq!(forwarded, declared, "{double} must forward what {kind} has");
    }
}
