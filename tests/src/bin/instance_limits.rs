//! Makes `core/analysis/src/limits/instance-limits.csv` from the tables in releases of AWS's VPC resource controller.
//!
//! It takes releases with their `pkg/aws/vpc/limits.go`, in any order, all that the file shall know:
//!
//! ```text
//! for v in v1.7.15 v1.7.16 v1.7.18 v1.7.20 v1.7.22 v1.7.23 v1.7.24 v1.7.25 v1.8.0 v1.8.1 v1.8.2; do
//!   folder=$(go mod download -json github.com/aws/amazon-vpc-resource-controller-k8s@$v | jq -r .Dir)
//!   echo "$v=$folder/pkg/aws/vpc/limits.go"
//! done | xargs cargo run -p sgp-tests --bin instance_limits -- > core/analysis/src/limits/instance-limits.csv
//! ```
//!
//! Releases whose tables are equal share one. Tables only grow: one that lacks a type of a smaller table is refused, because the
//! file has no word for that.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line talks to its user")]

use std::collections::{BTreeMap, btree_map::Entry};
use std::fmt::Write;
use std::process::ExitCode;

const HEADER: &str = "\
# What the VPC resource controller for Kubernetes knows of EC2 instance types, by its releases.
# source: github.com/aws/amazon-vpc-resource-controller-k8s, pkg/aws/vpc/limits.go
# licence: Apache License 2.0, Copyright Amazon.com Inc. or its affiliates; the values, written by instance_limits of sgp-tests
";
const COLUMNS: &str = "instance_type,since,max_enis,ipv4_per_eni,trunk_compatible,branch_enis,hypervisor,bare_metal,\
                       default_network_card,network_cards";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match make(&arguments) {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("instance_limits: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn make(arguments: &[String]) -> Result<String, String> {
    let read = |argument: &String| {
        let (release, path) =
            argument.split_once('=').ok_or_else(|| format!("{argument}: want RELEASE=PATH of its limits.go"))?;
        let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
        Table::read(release, &text).map_err(|problem| format!("{path}: {problem}"))
    };
    if arguments.is_empty() {
        return Err("want RELEASE=PATH of its limits.go, once for each release".to_owned());
    }
    write(&merge(arguments.iter().map(read).collect::<Result<_, _>>()?)?)
}

/// What a type may have: the columns of the file after `since`, and how they are called upstream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Row {
    /// Values by the upstream names.
    fields: BTreeMap<String, String>,
    /// Index and interfaces of each card.
    cards: Vec<(String, String)>,
}

/// The table of one release, or of several that have the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Table {
    releases: Vec<String>,
    generated: String,
    rows: BTreeMap<String, Row>,
}

impl Table {
    /// Reads `limits.go`, as gofmt lays it out: one field a line.
    fn read(release: &str, text: &str) -> Result<Self, String> {
        let mut table = Self { releases: vec![release.to_owned()], ..Self::default() };
        let mut row: Option<&mut Row> = None;
        for line in text.lines().map(str::trim) {
            if let Some((_, at)) = line.split_once("This file was generated at ") {
                at.clone_into(&mut table.generated);
            } else if let Some(name) = line.strip_prefix('"').and_then(|it| it.strip_suffix("\": {")) {
                row = match table.rows.entry(name.to_owned()) {
                    Entry::Vacant(place) => Some(place.insert(Row::default())),
                    Entry::Occupied(_) => return Err(format!("{name} is there twice")),
                };
            } else if let Some(row) = &mut row {
                row.take(line)?;
            }
        }
        match (table.generated.is_empty(), table.rows.is_empty()) {
            (true, _) => Err("it does not say when it was generated".to_owned()),
            (_, true) => Err("it has no types".to_owned()),
            _ => Ok(table),
        }
    }
}

impl Row {
    fn take(&mut self, line: &str) -> Result<(), String> {
        if line == "{" {
            self.cards.push(Default::default());
        }
        let Some((name, value)) = line.split_once(':') else { return Ok(()) };
        let value = value.trim().trim_end_matches(',').trim_matches('"').to_owned();
        let card = || "a card's field outside of a card".to_owned();
        match name {
            "NetworkCards" | "NetworkPerformance" => {}
            "NetworkCardIndex" => self.cards.last_mut().ok_or_else(card)?.0 = value,
            "MaximumNetworkInterfaces" => self.cards.last_mut().ok_or_else(card)?.1 = value,
            "Interface"
            | "IPv4PerInterface"
            | "IsTrunkingCompatible"
            | "BranchInterface"
            | "DefaultNetworkCardIndex"
            | "Hypervisor"
            | "IsBareMetal" => drop(self.fields.insert(name.to_owned(), value)),
            other => return Err(format!("{other} is no field that this program knows")),
        }
        Ok(())
    }

    fn columns(&self) -> Result<String, String> {
        let field = |name: &str| self.fields.get(name).map(String::as_str).ok_or_else(|| format!("it has no {name}"));
        let cards: Vec<String> = self.cards.iter().map(|(index, most)| format!("{index}:{most}")).collect();
        Ok([
            field("Interface")?,
            field("IPv4PerInterface")?,
            field("IsTrunkingCompatible")?,
            field("BranchInterface")?,
            field("Hypervisor")?,
            field("IsBareMetal")?,
            field("DefaultNetworkCardIndex")?,
            &cards.join(";"),
        ]
        .join(","))
    }
}

/// The different tables, the smallest first. The date would not do: two tables of the same date differ.
fn merge(mut read: Vec<Table>) -> Result<Vec<Table>, String> {
    read.sort_by_cached_key(|table| (table.rows.len(), table.generated.clone(), numbers(&table.releases[0])));
    let mut tables: Vec<Table> = Vec::new();
    for mut table in read {
        let Some(last) = tables.last_mut() else {
            tables.push(table);
            continue;
        };
        if let Some(gone) = last.rows.keys().find(|name| !table.rows.contains_key(*name)) {
            return Err(format!("{} lacks {gone}, which {} has", table.releases[0], last.releases[0]));
        }
        if last.rows == table.rows {
            last.releases.append(&mut table.releases);
        } else {
            tables.push(table);
        }
    }
    Ok(tables)
}

/// `v1.7.15` as numbers, which sort.
fn numbers(release: &str) -> Vec<u32> {
    release.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect()
}

/// A row says what holds from its table on, until the next row of the same type.
fn write(tables: &[Table]) -> Result<String, String> {
    let mut text = HEADER.to_owned();
    let mut rows: BTreeMap<(&str, usize), &Row> = BTreeMap::new();
    for (index, table) in tables.iter().enumerate() {
        let number = index + 1;
        let _ = writeln!(text, "# table {number}: {} generated {}", table.releases.join(" "), table.generated);
        for (name, row) in &table.rows {
            let before = index.checked_sub(1).and_then(|it| tables[it].rows.get(name));
            if before != Some(row) {
                rows.insert((name, number), row);
            }
        }
    }
    let _ = writeln!(text, "{COLUMNS}");
    for ((name, since), row) in rows {
        let columns = row.columns().map_err(|problem| format!("{name}: {problem}"))?;
        let _ = writeln!(text, "{name},{since},{columns}");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table as upstream lays it out: types with trunk and branches, by name.
    fn go(generated: &str, types: &[(&str, bool, u32)]) -> String {
        let mut text = format!(
            "// Code generated by go generate; DO NOT EDIT.\n// This file was generated at {generated}\n\npackage vpc\n\n\
             type NetworkCard struct {{\n\tNetworkCardIndex   int64\n\tNetworkPerformance string\n}}\n\n\
             var Limits = map[string]*VPCLimits{{\n"
        );
        for (name, is_trunk, branches) in types {
            let hypervisor = if name.ends_with("metal") { "" } else { "nitro" };
            let _ = write!(
                text,
                "\t\"{name}\": {{\n\t\tInterface:               3,\n\t\tIPv4PerInterface:        10,\n\
                 \t\tIsTrunkingCompatible:    {is_trunk},\n\t\tBranchInterface:         {branches},\n\
                 \t\tDefaultNetworkCardIndex: 0,\n\t\tNetworkCards: []NetworkCard{{\n\
                 \t\t\t{{\n\t\t\t\tMaximumNetworkInterfaces: 2,\n\t\t\t\tNetworkCardIndex:         0,\n\t\t\t}},\n\
                 \t\t\t{{\n\t\t\t\tMaximumNetworkInterfaces: 1,\n\t\t\t\tNetworkCardIndex:         1,\n\t\t\t}},\n\
                 \t\t}},\n\t\tHypervisor:  \"{hypervisor}\",\n\t\tIsBareMetal: {},\n\t}},\n",
                hypervisor.is_empty()
            );
        }
        text + "}\n"
    }

    fn table(release: &str, text: &str) -> Table {
        Table::read(release, text).unwrap()
    }

    #[test]
    fn tables_become_one_file() {
        let old = [("m5.large", true, 9), ("i4i.large", false, 0)];
        let new = [("m5.large", true, 9), ("i4i.large", true, 9), ("a1.metal", true, 54)];
        let tables = merge(vec![
            table("v1.8.2", &go("2026-09-02T16:44:35Z", &new)),
            table("v1.7.24", &go("2026-09-02T16:44:35Z", &new)),
            table("v1.7.15", &go("2025-10-10T20:02:21Z", &old)),
        ]);
        let text = write(&tables.unwrap()).unwrap();
        insta::assert_snapshot!(text.strip_prefix(HEADER).unwrap(), @r"
        # table 1: v1.7.15 generated 2025-10-10T20:02:21Z
        # table 2: v1.7.24 v1.8.2 generated 2026-09-02T16:44:35Z
        instance_type,since,max_enis,ipv4_per_eni,trunk_compatible,branch_enis,hypervisor,bare_metal,default_network_card,network_cards
        a1.metal,2,3,10,true,54,,true,0,0:2;1:1
        i4i.large,1,3,10,false,0,nitro,false,0,0:2;1:1
        i4i.large,2,3,10,true,9,nitro,false,0,0:2;1:1
        m5.large,1,3,10,true,9,nitro,false,0,0:2;1:1
        ");
    }

    #[test]
    fn what_it_does_not_understand_it_refuses() {
        let fine = go("2026-09-02T16:44:35Z", &[("m5.large", true, 9)]);
        let refused = |text: &str| Table::read("v1", text).unwrap_err();
        for (text, problem) in [
            (fine.replace("This file was generated at", "On"), "it does not say when it was generated"),
            (fine.replace("Hypervisor: ", "Monitor: "), "Monitor is no field that this program knows"),
            (go("2026-09-02T16:44:35Z", &[]), "it has no types"),
            (go("2026-09-02T16:44:35Z", &[("m5.large", true, 9); 2]), "m5.large is there twice"),
        ] {
            assert_eq!(refused(&text), problem);
        }
        let lacking = table("v1", &fine.replace("\t\tIPv4PerInterface:        10,\n", ""));
        assert_eq!(write(&[lacking]).unwrap_err(), "m5.large: it has no IPv4PerInterface");
        let other = go("2026-09-03T00:00:00Z", &[("m6i.large", true, 9), ("m7i.large", true, 9)]);
        assert_eq!(
            merge(vec![table("v1", &fine), table("v2", &other)]).unwrap_err(),
            "v2 lacks m5.large, which v1 has"
        );
    }
}
