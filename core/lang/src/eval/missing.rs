//! Messages about names that do not exist, with what may have been meant.

use std::sync::Arc;

use sgp_model::{Diagnostic, Mode};

use super::{Env, Evaluator, Halt, World};
use crate::{
    config::ResourceBlock,
    suggest::{did_you_mean, list},
    syntax::{Expr, ExprKind},
};

impl<W: World> Evaluator<W> {
    pub(super) fn undeclared_resource(
        &self,
        mode: Mode,
        type_name: &Arc<str>,
        name: &str,
        expr: &Expr,
        env: &Env<'_>,
    ) -> Halt {
        let config = &env.module.config;
        let (what, prefix) = if mode == Mode::Data { ("data source", "data.") } else { ("managed resource", "") };
        let declared: Vec<String> = config
            .resources
            .iter()
            .filter(|r| r.mode == mode)
            .map(|r| format!("{prefix}{}.{}", r.type_name, r.name))
            .collect();
        let given = format!("{prefix}{type_name}.{name}");
        let other_mode = if mode == Mode::Data { Mode::Managed } else { Mode::Data };
        let no_such_type = mode == Mode::Managed && self.schemas.resource(mode, type_name).is_none();
        let hint = if config.resource(other_mode, type_name, &Arc::from(name)).is_some() {
            let other = if mode == Mode::Data { "" } else { "data." };
            format!(" Did you mean {other}{type_name}.{name}?")
        } else if let Some(found) = crate::suggest::closest(&given, declared.iter().map(String::as_str)) {
            format!(" Did you mean {found}?")
        } else if no_such_type {
            let words = ["var", "local", "module", "data", "each", "count", "path", "terraform", "self"];
            let mut scope = env.scope;
            let mut names: Vec<&str> = words.to_vec();
            while let Some(s) = scope {
                names.push(s.name);
                scope = s.outer;
            }
            did_you_mean(type_name, names)
        } else {
            String::new()
        };
        let module = if env.module.path.is_root() { "the root module".to_owned() } else { env.module.path.to_string() };
        undeclared("resource", &format!("A {what} {given:?} has not been declared in {module}.{hint}"), expr)
    }

    /// The object has no such attribute: named with the resource type.
    pub(super) fn unsupported_attr(&self, d: Diagnostic, block: &ResourceBlock, name: &str, expr: &Expr) -> Halt {
        let Some(schema) =
            self.schemas.resource(block.mode, &block.type_name).filter(|_| d.summary == "Unsupported attribute")
        else {
            return d.at(expr.span.clone()).into();
        };
        let hint = if schema.unsupported.contains(&name) {
            " Terraform's type has it; sgp does not support it yet.".to_owned()
        } else {
            did_you_mean(name, schema.block.names())
        };
        Diagnostic::error(
            "Unsupported attribute",
            format!("{} has no argument, nested block or exported attribute named {name:?}.{hint}", block.type_name),
        )
        .at(expr.span.clone())
        .into()
    }
}

pub(super) fn unknown_name(name: &str, expr: &Expr, env: &Env<'_>) -> Halt {
    let mut known: Vec<&str> = Vec::new();
    let mut scope = env.scope;
    while let Some(s) = scope {
        known.push(s.name);
        scope = s.outer;
    }
    let config = &env.module.config;
    let hint = if let Some(other) = crate::suggest::closest(name, known.iter().copied()) {
        format!(" Did you mean {other:?}?")
    } else if config.variables.contains_key(name) {
        format!(" Did you mean var.{name}?")
    } else if config.locals.contains_key(name) {
        format!(" Did you mean local.{name}?")
    } else {
        " If text is meant, put it between quotes.".into()
    };
    invalid(
        &format!(
            "There is nothing named {name:?} here: a reference begins with var, local, module, data, each, count, path or a resource type and its name.{hint}"
        ),
        expr,
    )
}

/// Says of which resource the instance is that has no such attribute.
pub(super) fn named_type(d: Diagnostic, base: &Expr, env: &Env<'_>) -> Diagnostic {
    let ExprKind::Index(inner, _) = &*base.kind else { return d };
    let Some(crate::config::Target::Resource { mode, type_name, name, key: None }) =
        crate::config::reference::target(inner)
    else {
        return d;
    };
    match (d.summary.as_str(), env.module.config.resource(mode, &type_name, &name)) {
        ("Unsupported attribute", Some(_)) => {
            Diagnostic { detail: d.detail.replacen("This object", &format!("{type_name}"), 1), ..d }
        }
        _ => d,
    }
}

pub(super) fn needs_index(shown: &str, for_each: Option<&Expr>, name: &str, expr: &Expr) -> Halt {
    let (argument, example) = if for_each.is_some() { ("for_each", "each.key") } else { ("count", "count.index") };
    Diagnostic::error(
        "Missing resource instance key",
        format!(
            "{shown} has {argument} set, so {name:?} belongs to its instances. Name one of them, as in {shown}[{example}].{name}, or take all with a for expression."
        ),
    )
    .at(expr.span.clone())
    .into()
}

pub(super) fn invalid(detail: &str, expr: &Expr) -> Halt {
    Diagnostic::error("Invalid reference", detail).at(expr.span.clone()).into()
}

pub(super) fn undeclared(what: &str, detail: &str, expr: &Expr) -> Halt {
    Diagnostic::error(format!("Reference to undeclared {what}"), detail).at(expr.span.clone()).into()
}

pub(super) fn unknown_template_name<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> Diagnostic {
    let hint = did_you_mean(name, known.clone());
    let known: Vec<&str> = known.collect();
    Diagnostic::error(
        "Unknown template variable",
        format!("The template refers to {name:?}, which is not among its variables: {}.{hint}", list(known)),
    )
}
