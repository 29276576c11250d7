//! Nothing is left out: a type without a case fails, and so does an argument that no edit changes.

use std::{collections::BTreeMap, fs};

use sgp_tests::{binary, workdir::Workdir};

use crate::{case::Edit, cases};

/// An argument of a type, as the generated page has it.
struct Argument {
    path: String,
    replaces: bool,
}

/// The arguments of every resource type, from the pages that `sgp docs` writes.
fn arguments() -> BTreeMap<String, Vec<Argument>> {
    let folder = Workdir::new(&[]);
    let mut command = std::process::Command::new(binary::sgp().unwrap());
    let status = command.args(["docs", "-out", "pages"]).current_dir(folder.path()).status().unwrap();
    assert!(status.success());
    let mut types = BTreeMap::new();
    for file in fs::read_dir(folder.path().join("pages")).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let page = fs::read_to_string(&path).unwrap();
        if page.contains("\nResource type. ") {
            types.insert(name.clone(), page_arguments(&name, &page));
        }
    }
    types
}

/// The rows of the tables under `Arguments of`; blocks have tables of their own.
fn page_arguments(name: &str, page: &str) -> Vec<Argument> {
    let mut found = Vec::new();
    let mut block = None;
    for line in page.lines() {
        if let Some(heading) = line.strip_prefix('#') {
            let of = heading.trim_start_matches('#').trim().strip_prefix("Arguments of ");
            block = of.map(|of| of.strip_prefix(name).unwrap_or(of).trim_start_matches('.').to_owned());
        }
        let Some(block) = &block else { continue };
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        if let [argument, ty, presence, ..] = cells[..]
            && argument.starts_with('`')
            && ty != "block"
        {
            let argument = argument.trim_matches('`');
            let path = if block.is_empty() { argument.to_owned() } else { format!("{block}.{argument}") };
            found.push(Argument { path, replaces: presence.contains("a change replaces") });
        }
    }
    found
}

fn mentioned(edits: &[Edit], path: &str) -> bool {
    edits.iter().any(|edit| edit.what.split(' ').any(|what| what == path))
}

#[test]
fn every_type_and_every_argument_is_in_the_tables() {
    let types = arguments();
    let cases = cases();
    let mut missing = Vec::new();
    for (name, arguments) in &types {
        let Some(case) = cases.iter().find(|case| case.name == name) else {
            missing.push(format!("{name} has no case"));
            continue;
        };
        for Argument { path, replaces } in arguments {
            let is_beside = case.beside.iter().any(|(p, _)| path == p || path.starts_with(&format!("{p}.")));
            let covered = mentioned(&case.replacements, path) || (!replaces && mentioned(&case.updates, path));
            if !covered && !is_beside && !path.starts_with("timeouts.") {
                missing.push(format!("{name}.{path} is never {}", if *replaces { "replaced" } else { "updated" }));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
    assert_eq!(cases.len(), types.len(), "a case of a type that is not registered");
}
