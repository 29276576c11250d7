//! Which crate may import which: the table of ARCHITECTURE.md, read from the manifests.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

const CORE: [&str; 8] =
    ["sgp-model", "sgp-graph", "sgp-contract", "sgp-lang", "sgp-plan", "sgp-analysis", "sgp-checks", "sgp-engine"];

/// What each crate may import; `None` is everything.
fn allowed(name: &str) -> Option<BTreeSet<&'static str>> {
    Some(match name {
        "sgp-model" | "sgp-graph" | "sgp-sandbox" => BTreeSet::new(),
        "sgp-contract" | "sgp-aws" | "sgp-kubernetes" | "sgp-utility" | "sgp-state" => match name {
            "sgp-contract" => BTreeSet::from(["sgp-model"]),
            _ => BTreeSet::from(["sgp-model", "sgp-contract"]),
        },
        "sgp-lang" | "sgp-plan" | "sgp-analysis" => BTreeSet::from(["sgp-model", "sgp-graph"]),
        "sgp-report" | "sgp-checks" => BTreeSet::from(["sgp-model", "sgp-analysis"]),
        "sgp-engine" => BTreeSet::from(CORE),
        "sgp" | "sgp-tests" => return None,
        other => panic!("{other} has no room in ARCHITECTURE.md; say here what it may import"),
    })
}

fn metadata() -> Metadata {
    MetadataCommand::new().manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml")).exec().unwrap()
}

#[test]
fn arrows_point_where_they_may() {
    let metadata = metadata();
    let ours: BTreeMap<_, _> = metadata.workspace_packages().into_iter().map(|p| (p.name.to_string(), p)).collect();
    for (name, package) in &ours {
        let Some(allowed) = allowed(name) else { continue };
        for dependency in package.dependencies.iter().filter(|d| d.kind != DependencyKind::Development) {
            if ours.contains_key(&dependency.name) {
                assert!(allowed.contains(dependency.name.as_str()), "{name} must not import {}", dependency.name);
            }
        }
    }
}

#[test]
fn only_one_room_knows_the_aws_sdk() {
    let metadata = metadata();
    for package in metadata.workspace_packages().into_iter().filter(|p| p.name.as_str() != "sgp-aws") {
        for dependency in &package.dependencies {
            // aws-lc-rs is cryptography, and no part of the SDK.
            let is_sdk = dependency.name.starts_with("aws-") && dependency.name != "aws-lc-rs";
            assert!(!is_sdk, "{} must not import {}", package.name, dependency.name);
        }
    }
}

#[test]
fn a_folder_is_a_crate() {
    let metadata = metadata();
    for package in metadata.workspace_packages() {
        let folder = package.manifest_path.parent().unwrap().file_name().unwrap();
        let expected = if folder == "cli" { "sgp".to_owned() } else { format!("sgp-{folder}") };
        assert_eq!(package.name.as_str(), expected);
    }
}
