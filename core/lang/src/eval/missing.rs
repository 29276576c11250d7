//! Messages about names that do not exist, with what may have been meant.

use std::sync::Arc;

use sgp_model::{Diagnostic, Mode, ModulePath};

use super::{Env, Evaluator, Halt, World, resource_addr};
use crate::{
    config::{Module, ResourceBlock, Target},
    suggest::{closest, did_you_mean, list},
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
        let (what, prefix) = match mode {
            Mode::Managed => ("managed resource", mode.prefix()),
            Mode::Data => ("data source", mode.prefix()),
            Mode::Ephemeral => ("ephemeral resource", mode.prefix()),
        };
        let given = format!("{prefix}{type_name}.{name}");
        let mut others = [Mode::Managed, Mode::Data, Mode::Ephemeral].into_iter().filter(|other| *other != mode);
        let other_mode = others.find(|other| config.resource(*other, type_name, &Arc::from(name)).is_some());
        let no_such_type = mode == Mode::Managed && self.schemas.resource(mode, type_name).is_none();
        let hint = if let Some(other) = other_mode {
            format!(" Did you mean {}{type_name}.{name}?", other.prefix())
        } else if let Some(found) = closest_resource(&config.resources, mode, type_name, name) {
            format!(" Did you mean {prefix}{found}?")
        } else if no_such_type {
            let words = ["var", "local", "module", "data", "ephemeral", "each", "count", "path", "terraform", "self"];
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
        // The block is the same in every instance of the module.
        let module =
            env.module.path.0.iter().fold(ModulePath::root(), |path, step| path.child(step.name.clone(), None));
        let module = if module.is_root() { "the root module".to_owned() } else { module.to_string() };
        let detail = format!("A {what} {given:?} has not been declared in {module}.{hint}");
        undeclared("resource", &given, &detail, expr, env)
    }

    /// The object has no such attribute: named with the resource type.
    pub(super) fn unsupported_attr(&self, d: Diagnostic, block: &ResourceBlock, name: &str) -> Diagnostic {
        let Some(schema) =
            self.schemas.resource(block.mode, &block.type_name).filter(|_| d.summary == "Unsupported attribute")
        else {
            return d;
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
    }

    /// Says of which resource the instance is that has no such attribute.
    pub(super) fn named_type(&self, d: Diagnostic, base: &Expr, name: &str, env: &Env<'_>) -> Diagnostic {
        let ExprKind::Index(inner, _) = &*base.kind else { return d };
        match crate::config::reference::target(inner) {
            Some(Target::Resource { mode, type_name, name: resource, key: None }) => {
                match env.module.config.resource(mode, &type_name, &resource) {
                    Some(block) => self.unsupported_attr(d, block, name),
                    None => d,
                }
            }
            _ => d,
        }
    }
}

/// The declared resource whose name, or else whose type, is a slip away.
pub(super) fn closest_resource(
    declared: &[Arc<ResourceBlock>],
    mode: Mode,
    type_name: &Arc<str>,
    name: &str,
) -> Option<String> {
    let of_mode = || declared.iter().filter(|r| r.mode == mode);
    let by_name = closest(name, of_mode().filter(|r| r.type_name == *type_name).map(|r| &*r.name));
    let by_type = || closest(type_name, of_mode().filter(|r| &*r.name == name).map(|r| &*r.type_name));
    by_name.map(|n| format!("{type_name}.{n}")).or_else(|| by_type().map(|t| format!("{t}.{name}")))
}

/// A name that is none of the `bound` ones and begins no reference.
pub(super) fn unknown_name<'a>(
    name: &str,
    expr: &Expr,
    bound: impl IntoIterator<Item = &'a str>,
    config: &Module,
) -> Halt {
    let hint = if let Some(other) = closest(name, bound) {
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

/// An index on a resource that is one object.
pub(super) fn unexpected_key(block: &ResourceBlock, expr: &Expr) -> Halt {
    let shown = resource_addr(&ModulePath::root(), block);
    Diagnostic::error(
        "Unexpected resource instance key",
        format!(
            "{shown} has neither count nor for_each set, so it is one object and has no index. Remove the index, or use one({shown}[*]) where it may come to repeat."
        ),
    )
    .at(expr.span.clone())
    .into()
}

/// A reference from outside to a data source in a `check` block.
pub(super) fn out_of_scope(shown: &str, block: &ResourceBlock) -> Diagnostic {
    Diagnostic::error(
        "Reference to scoped data source",
        format!(
            "{shown} belongs to the check block {:?}, and only its assertions may refer to it. Move the data block out of the check block to use it here.",
            block.check.as_deref().unwrap_or_default()
        ),
    )
}

/// A reference leads nowhere; told only where the block is not one that could not be read.
pub(super) fn undeclared(what: &str, name: &str, detail: &str, expr: &Expr, env: &Env<'_>) -> Halt {
    if env.module.config.may_declare(name) {
        return Halt::Failed;
    }
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
