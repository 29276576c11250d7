//! What a console that answers expressions needs to know of a text that is still being written.

use std::collections::BTreeSet;

use sgp_model::Mode;

use crate::{
    config::Module,
    eval::Schemas,
    fmt::{Inside, inside},
    functions,
};

/// Names that an expression may begin with, beside functions and resource types.
const ROOTS: [&str; 10] =
    ["data.", "ephemeral.", "false", "local.", "module.", "null", "path.", "terraform.", "true", "var."];

/// Whether more lines belong to the expression: a bracket, a quoted template's sequence or a heredoc is open.
pub fn goes_on(text: &str) -> bool {
    // The line is to end here: a heredoc's marker is one only with the break after it.
    matches!(inside(&format!("{text}\n")), Inside::Bracket | Inside::Heredoc)
}

/// Where the name begins that ends at byte `at` of the text, and what it may become, sorted.
///
/// Nothing is offered inside quotes.
pub fn complete(module: &Module, schemas: &dyn Schemas, text: &str, at: usize) -> (usize, Vec<String>) {
    let before = text.get(..at).unwrap_or(text);
    let belongs = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
    let start = before.rfind(|c| !belongs(c)).map_or(0, |i| i + before[i..].chars().next().map_or(1, char::len_utf8));
    if matches!(inside(&before[..start]), Inside::Quote | Inside::Heredoc) {
        return (at, Vec::new());
    }
    let word = &before[start..];
    let (path, last) = word.rsplit_once('.').map_or(("", word), |(path, last)| (path, last));
    let names =
        if path.is_empty() && !word.contains('.') { beginnings(module, word) } else { below(module, schemas, path) };
    let found = names.into_iter().filter(|name| name.starts_with(last));
    let offset = start + word.len() - last.len();
    (offset, found.collect())
}

/// What an expression may begin with.
fn beginnings(module: &Module, word: &str) -> BTreeSet<String> {
    let managed = module.resources.iter().filter(|r| r.mode == Mode::Managed).map(|r| format!("{}.", r.type_name));
    // With nothing written yet, all functions would be a page full of them.
    let all = if word.is_empty() { Vec::new() } else { functions::names() };
    let prefix = if word.starts_with("core:") { "core::" } else { "" };
    let functions = all.into_iter().map(|name| format!("{prefix}{name}("));
    ROOTS.into_iter().map(str::to_owned).chain(managed).chain(functions).collect()
}

/// What may follow a path and its dot.
fn below(module: &Module, schemas: &dyn Schemas, path: &str) -> BTreeSet<String> {
    let owned = |names: &mut dyn Iterator<Item = &str>| names.map(str::to_owned).collect();
    let steps: Vec<&str> = path.split('.').collect();
    match steps[..] {
        ["var"] => owned(&mut module.variables.keys().map(|name| &**name)),
        ["local"] => owned(&mut module.locals.keys().map(|name| &**name)),
        ["module"] => owned(&mut module.calls.keys().map(|name| &**name)),
        ["module", call] => outputs(module, call),
        ["path"] => owned(&mut ["cwd", "module", "root"].into_iter()),
        ["terraform"] => owned(&mut ["workspace"].into_iter()),
        ["data"] => types(module, Mode::Data),
        ["ephemeral"] => types(module, Mode::Ephemeral),
        ["data", type_name] => names_of(module, Mode::Data, type_name),
        ["ephemeral", type_name] => names_of(module, Mode::Ephemeral, type_name),
        ["data", type_name, _] => attributes(schemas, Mode::Data, type_name),
        ["ephemeral", type_name, _] => attributes(schemas, Mode::Ephemeral, type_name),
        [type_name] => names_of(module, Mode::Managed, type_name),
        [type_name, _] => attributes(schemas, Mode::Managed, type_name),
        _ => BTreeSet::new(),
    }
}

fn outputs(module: &Module, call: &str) -> BTreeSet<String> {
    let called = module.calls.get(call);
    called.map(|called| called.module.outputs.keys().map(ToString::to_string).collect()).unwrap_or_default()
}

fn types(module: &Module, mode: Mode) -> BTreeSet<String> {
    module.resources.iter().filter(|r| r.mode == mode).map(|r| format!("{}.", r.type_name)).collect()
}

fn names_of(module: &Module, mode: Mode, type_name: &str) -> BTreeSet<String> {
    let of_type = module.resources.iter().filter(|r| r.mode == mode && &*r.type_name == type_name);
    of_type.map(|r| r.name.to_string()).collect()
}

fn attributes(schemas: &dyn Schemas, mode: Mode, type_name: &str) -> BTreeSet<String> {
    let Some(schema) = schemas.resource(mode, type_name) else { return BTreeSet::new() };
    schema.block.attributes.keys().chain(schema.block.blocks.keys()).map(|name| (*name).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{eval::tests::schemas, source::MemoryFiles};

    #[test]
    fn lines_belong_together_until_all_is_closed() {
        for (text, expected) in [
            ("1 + 2", false),
            ("[1,", true),
            ("[1,\n2]", false),
            ("{ a = [", true),
            ("f(", true),
            ("\"${", true),
            ("\"${1}\"", false),
            // No quoted text goes over the end of a line: more lines would not help.
            ("f(\"a", false),
            ("<<EOT", true),
            ("<<EOT\ntext", true),
            ("<<EOT\ntext\nEOT", false),
            ("[ # a [ in a comment", true),
            ("1 # a [ in a comment", false),
            ("]", false),
        ] {
            assert_eq!(goes_on(text), expected, "{text}");
        }
    }

    #[test]
    fn names_are_completed_from_what_is_there() {
        let main = r#"
variable "region" {}
variable "replicas" {}
locals { name = "x" }
resource "test_thing" "first" {}
data "test_look" "known" {}
module "net" { source = "./net" }
"#;
        let files = MemoryFiles::new([("main.tf", main), ("net/o.tf", "output \"id\" { value = 1 }")]);
        let config = crate::load(".", &files).config;
        let schemas = schemas();
        let of = |text: &str| complete(&config.root, &*schemas, text, text.len());
        for (text, at, expected) in [
            ("var.re", 4, &["region", "replicas"][..]),
            ("upper(var.reg", 10, &["region"]),
            ("\"${local.", 9, &["name"]),
            ("\"local.", 7, &[]),
            ("test_thing.", 11, &["first"]),
            ("data.", 5, &["test_look."]),
            ("data.test_look.", 15, &["known"]),
            ("module.", 7, &["net"]),
            ("module.net.", 11, &["id"]),
            ("cidrs", 0, &["cidrsubnet(", "cidrsubnets("]),
            ("core::cidrsubnets", 0, &["core::cidrsubnets("]),
            (
                "",
                0,
                &[
                    "data.",
                    "ephemeral.",
                    "false",
                    "local.",
                    "module.",
                    "null",
                    "path.",
                    "terraform.",
                    "test_thing.",
                    "true",
                    "var.",
                ],
            ),
            ("test", 0, &["test_thing."]),
            ("nothing.at.all.", 15, &[]),
        ] {
            assert_eq!(of(text), (at, expected.iter().map(ToString::to_string).collect()), "{text}");
        }
        assert!(of("test_thing.first.").1.contains(&"name".to_owned()));
    }
}
