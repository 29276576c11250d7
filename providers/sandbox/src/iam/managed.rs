//! AWS's managed policies, from `data/iam`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::Timestamp;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::rows::{Policy, PolicyVersion, Tags};

#[derive(Deserialize)]
struct Published {
    name: String,
    path: String,
    version: u32,
    created: Timestamp,
    updated: Timestamp,
    document: serde_json::Value,
}

static POLICIES: LazyLock<Vec<Policy>> = LazyLock::new(|| {
    let published: Vec<Published> =
        serde_json::from_str(include_str!("../../data/iam/managed-policies.json")).expect("the data file reads");
    published.into_iter().map(policy).collect()
});

/// All of them that the sandbox knows, by name.
pub fn policies() -> &'static [Policy] {
    &POLICIES
}

fn policy(published: Published) -> Policy {
    let Published { name, path, version, created, updated, document } = published;
    let arn = format!("arn:aws:iam::aws:policy{path}{name}");
    let version_row = PolicyVersion { document: document.to_string(), created: updated };
    Policy {
        id: id(&arn),
        name,
        path,
        arn,
        created,
        updated,
        description: None,
        tags: Tags::new(),
        versions: BTreeMap::from([(version, version_row)]),
        default_version: version,
        last_version: version,
    }
}

/// An id that is the same in every sandbox.
fn id(arn: &str) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let digits = Sha256::digest(arn).into_iter().take(17).map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
    "ANPA".chars().chain(digits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::document::Document;

    #[test]
    fn all_of_them_parse() {
        for policy in policies() {
            let document = Document::parse(policy.document());
            assert!(document.is_ok_and(|document| document.has_variables), "{}", policy.name);
        }
        assert!(policies().iter().any(|policy| policy.arn == "arn:aws:iam::aws:policy/AmazonEKSVPCResourceController"));
    }
}
