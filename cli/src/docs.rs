//! Pages about resource types and data sources, made out of their schemas.

use std::fmt::Write as _;

use sgp_contract::{DataSource, EphemeralType, ResourceType};
use sgp_engine::Registry;
use sgp_model::{
    Attribute, Block, Mode, NestedBlock, Schema, Type,
    schema::{Nesting, Presence},
};

/// File names and texts: one page for each type, and `README.md` that lists them.
pub fn pages(registry: &Registry) -> Vec<(String, String)> {
    let mut pages = Vec::new();
    let mut index = "# Resource types and data sources\n\nGenerated from the schemas in the binary; `sgp docs -out docs/resources` writes these pages anew.\n".to_owned();
    let resources: Vec<_> = registry.resource_types().map(ResourceType::schema).collect();
    let data: Vec<_> = registry.data_sources().map(DataSource::schema).collect();
    let ephemeral: Vec<_> = registry.ephemeral_types().map(EphemeralType::schema).collect();
    let all = [
        ("Resource types", Mode::Managed, resources),
        ("Data sources", Mode::Data, data),
        ("Ephemeral resources", Mode::Ephemeral, ephemeral),
    ];
    for (title, mode, schemas) in all.into_iter().filter(|(.., schemas)| !schemas.is_empty()) {
        let _ = writeln!(index, "\n## {title}\n\n| type | what it is |\n|---|---|");
        for schema in schemas {
            let file = file_name(mode, schema.name);
            let _ = writeln!(index, "| [{}]({file}) | {} |", schema.name, schema.doc);
            pages.push((file, page(mode, schema)));
        }
    }
    pages.push(("README.md".to_owned(), index));
    pages
}

fn file_name(mode: Mode, type_name: &str) -> String {
    match mode {
        Mode::Managed => format!("{type_name}.md"),
        Mode::Data => format!("data.{type_name}.md"),
        Mode::Ephemeral => format!("ephemeral.{type_name}.md"),
    }
}

fn page(mode: Mode, schema: &Schema) -> String {
    let kind = match mode {
        Mode::Managed => "Resource type",
        Mode::Data => "Data source",
        Mode::Ephemeral => "Ephemeral resource",
    };
    let mut out = format!("# {}\n\n{kind}. {}\n", schema.name, schema.doc);
    if !schema.example.is_empty() {
        let _ = writeln!(out, "\n```hcl\n{}\n```", schema.example.trim());
    }
    block(&mut out, schema.name, 2, &schema.block, mode);
    if !schema.timeouts.is_empty() {
        out.push_str("\n## Timeouts\n\n| operation | default |\n|---|---|\n");
        for (operation, seconds) in schema.timeouts {
            let _ = writeln!(out, "| `{operation}` | {} |", duration(*seconds));
        }
    }
    if !schema.unsupported.is_empty() {
        let names: Vec<_> = schema.unsupported.iter().map(|n| format!("`{n}`")).collect();
        let _ = writeln!(
            out,
            "\n## Not supported yet\n\nTerraform's type of this name has these as well: {}.",
            names.join(", ")
        );
    }
    if !schema.iam_actions.is_empty() {
        let names: Vec<_> = schema.iam_actions.iter().map(|n| format!("`{n}`")).collect();
        let _ = writeln!(out, "\n## IAM actions\n\n{}.", names.join(", "));
    }
    out
}

/// Arguments, what is read only, and then each nested block.
fn block(out: &mut String, path: &str, level: usize, block: &Block, mode: Mode) {
    let hashes = "#".repeat(level.min(6));
    let settable: Vec<_> = block.attributes.iter().filter(|(_, a)| a.is_settable()).collect();
    let blocks: Vec<_> = block.blocks.iter().filter(|(name, _)| **name != "timeouts").collect();
    if !settable.is_empty() || !blocks.is_empty() {
        let _ = writeln!(out, "\n{hashes} Arguments of {path}\n\n| name | type | | what it is |\n|---|---|---|---|");
        for (name, attribute) in settable {
            let _ = writeln!(
                out,
                "| `{name}` | {} | {} | {} |",
                ty(&attribute.ty),
                presence(attribute, mode),
                doc(attribute)
            );
        }
        for (name, nested) in &blocks {
            let _ = writeln!(out, "| `{name}` | block | {} | {} |", repetition(nested), cell(nested.doc));
        }
    }
    let computed: Vec<_> = block.attributes.iter().filter(|(_, a)| !a.is_settable()).collect();
    if !computed.is_empty() {
        let _ = writeln!(out, "\n{hashes} Read only in {path}\n\n| name | type | what it is |\n|---|---|---|");
        for (name, attribute) in computed {
            let _ = writeln!(out, "| `{name}` | {} | {} |", ty(&attribute.ty), doc(attribute));
        }
    }
    for (name, nested) in blocks {
        self::block(out, &format!("{path}.{name}"), level + 1, &nested.block, mode);
    }
}

fn ty(ty: &Type) -> String {
    match ty {
        Type::Dynamic => "any".to_owned(),
        other => format!("`{other}`"),
    }
}

fn presence(attribute: &Attribute, mode: Mode) -> String {
    let mut words = vec![match attribute.presence {
        Presence::Required => "required",
        Presence::Optional => "optional",
        Presence::OptionalComputed | Presence::Computed => "optional, otherwise decided by the service",
    }];
    if attribute.force_new && mode == Mode::Managed {
        words.push("a change replaces");
    }
    if attribute.sensitive {
        words.push("sensitive");
    }
    let mut out = words.join("; ");
    if let Some(default) = &attribute.default {
        let _ = write!(out, "; default `{}`", crate::render::value::expression(default));
    }
    out
}

fn repetition(nested: &NestedBlock) -> String {
    let many = match (nested.nesting, nested.min, nested.max) {
        (Nesting::Single, 0, _) | (Nesting::List | Nesting::Set, 0, 1) => "at most one".to_owned(),
        (Nesting::Single, _, _) | (_, 1, 1) => "one".to_owned(),
        (_, 0, 0) => "any number".to_owned(),
        (_, min, 0) => format!("at least {min}"),
        (_, 0, max) => format!("at most {max}"),
        (_, min, max) => format!("{min} to {max}"),
    };
    if nested.force_new { format!("{many}; a change replaces") } else { many }
}

fn doc(attribute: &Attribute) -> String {
    let deprecated = attribute.deprecated.map_or_else(String::new, |why| format!(" Deprecated: {why}"));
    cell(&format!("{}{deprecated}", attribute.doc))
}

/// A text in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn duration(seconds: u64) -> String {
    match (seconds / 60, seconds % 60) {
        (0, s) => format!("{s}s"),
        (m, 0) => format!("{m}m"),
        (m, s) => format!("{m}m{s}s"),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_page_of_the_checks_is_current() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/checks.md");
        let found = std::fs::read_to_string(path).unwrap_or_default();
        assert!(found == sgp_checks::page(), "docs/checks.md is not current: run `sgp docs -out docs/resources`");
    }

    #[test]
    fn checked_in_pages_are_current() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/resources");
        let pages = pages(&crate::session::registry());
        for (name, text) in &pages {
            let found = std::fs::read_to_string(dir.join(name)).unwrap_or_default();
            assert!(found == *text, "docs/resources/{name} is not current: run `sgp docs -out docs/resources`");
        }
        let known: Vec<&String> = pages.iter().map(|(name, _)| name).collect();
        for entry in std::fs::read_dir(&dir).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            assert!(known.contains(&&name), "docs/resources/{name} is about a type that does not exist");
        }
    }

    #[test]
    fn a_page_says_everything_of_a_schema() {
        let inner = Block::default().attr("a", Attribute::string().required().doc("Inner."));
        let schema = Schema::new("aws_x", "An x.")
            .attr("id", Attribute::string().computed().doc("Its id."))
            .attr("n", Attribute::number().optional().default(Value::int(3)).force_new().doc("How many | or few."))
            .block("b", NestedBlock::list_of_one(inner).required().doc("A block."))
            .timeouts(&[("create", 90)])
            .unsupported(&["zzz"])
            .iam_actions(&["ec2:CreateX"])
            .example("resource \"aws_x\" \"a\" {}");
        insta::assert_snapshot!(page(Mode::Managed, &schema));
    }

    use sgp_model::Value;
}
