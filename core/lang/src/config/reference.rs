//! Fixed references: what `depends_on`, `provider`, `ignore_changes` and static analysis read out of an expression.

use std::sync::Arc;

use sgp_model::{
    AttrPath, Diagnostic, Diagnostics, InstanceKey, Mode, ModulePath, PathStep, ResourceAddr, address::ParsedAddr,
};

use super::{ProviderRef, Reference};
use crate::syntax::{Expr, ExprKind, parse_expression};

/// What a reference names, within its module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A resource or data source, or one instance of it.
    Resource {
        /// Managed or data.
        mode: Mode,
        /// The type.
        type_name: Arc<str>,
        /// The name.
        name: Arc<str>,
        /// The instance.
        key: Option<InstanceKey>,
    },
    /// `module.name`.
    Module(Arc<str>),
    /// `var.name`.
    Variable(Arc<str>),
    /// `local.name`.
    Local(Arc<str>),
}

/// The steps of a reference: its first name, then attributes and fixed keys. `None` for anything computed.
pub fn steps(expr: &Expr) -> Option<(Arc<str>, Vec<PathStep>)> {
    match &*expr.kind {
        ExprKind::Name(name) => Some((name.clone(), Vec::new())),
        ExprKind::Attr(base, name) => {
            let (root, mut path) = steps(base)?;
            path.push(PathStep::Attr(name.clone()));
            Some((root, path))
        }
        ExprKind::Index(base, key) => {
            let (root, mut path) = steps(base)?;
            path.push(literal_step(key)?);
            Some((root, path))
        }
        _ => None,
    }
}

fn literal_step(key: &Expr) -> Option<PathStep> {
    let ExprKind::Literal(value) = &*key.kind else { return None };
    match (value.as_str(), value.as_i64()) {
        (Some(s), _) => Some(PathStep::Key(s.into())),
        (None, Some(n)) => Some(PathStep::Index(usize::try_from(n).ok()?)),
        _ => None,
    }
}

/// What an expression such as `aws_x.a["k"].id` names first.
pub fn target(expr: &Expr) -> Option<Target> {
    let (root, path) = steps(expr)?;
    let attr = |i: usize| match path.get(i) {
        Some(PathStep::Attr(name)) => Some(name.clone()),
        _ => None,
    };
    let key = |i: usize| match path.get(i) {
        Some(PathStep::Key(k)) => Some(InstanceKey::Str(k.clone())),
        Some(PathStep::Index(n)) => u64::try_from(*n).ok().map(InstanceKey::Int),
        _ => None,
    };
    match &*root {
        "var" => Some(Target::Variable(attr(0)?)),
        "local" => Some(Target::Local(attr(0)?)),
        "module" => Some(Target::Module(attr(0)?)),
        "data" => Some(Target::Resource { mode: Mode::Data, type_name: attr(0)?, name: attr(1)?, key: key(2) }),
        "ephemeral" => {
            Some(Target::Resource { mode: Mode::Ephemeral, type_name: attr(0)?, name: attr(1)?, key: key(2) })
        }
        "each" | "count" | "path" | "terraform" | "self" => None,
        _ => Some(Target::Resource { mode: Mode::Managed, type_name: root.clone(), name: attr(0)?, key: key(1) }),
    }
}

/// A list of fixed references; every entry that is none is reported.
pub(super) fn list(expr: &Expr, what: &str, diagnostics: &mut Diagnostics) -> Vec<Reference> {
    let ExprKind::Tuple(elements) = &*expr.kind else {
        diagnostics.push(
            Diagnostic::error("Invalid expression", format!("{what} is a list of references in brackets."))
                .at(expr.span.clone()),
        );
        return Vec::new();
    };
    let mut found = Vec::new();
    for e in elements {
        let quoted = e.as_literal_str().and_then(|text| parse_expression(&e.span.file, text).ok());
        let quoted = quoted.filter(|bare| target(bare).is_some());
        if quoted.is_some() {
            diagnostics.push(quoted_reference(e));
        }
        match target(quoted.as_ref().unwrap_or(e)) {
            Some(target) => found.push(Reference { target, span: e.span.clone() }),
            None => diagnostics.push(
                Diagnostic::error(
                    "Invalid reference",
                    format!("{what} takes references to resources, data sources and modules, such as aws_iam_role.node or module.network, without quotes."),
                )
                .at(e.span.clone()),
            ),
        }
    }
    found
}

/// Terraform took references in quotes before there was another way, and still does.
fn quoted_reference(written: &Expr) -> Diagnostic {
    let text = written.as_literal_str().unwrap_or_default();
    let detail = format!("Write the reference without quotes: {text}.");
    Diagnostic::warning("Quoted references are deprecated", detail).at(written.span.clone())
}

/// `aws`, `aws.west` or `aws.by_region[each.key]`; the text `"aws.west"` counts, as configurations of old write it.
pub(super) fn provider(expr: &Expr) -> Result<ProviderRef, Diagnostic> {
    let (named, key) = match &*expr.kind {
        ExprKind::Index(named, key) => (named, Some(key.clone())),
        _ => (expr, None),
    };
    let parts: Option<Vec<Arc<str>>> = match (named.as_literal_str(), steps(named)) {
        (Some(text), _) => Some(text.split('.').map(Into::into).collect()),
        (None, Some((root, path))) => path.into_iter().try_fold(vec![root], |mut parts, step| match step {
            PathStep::Attr(name) => {
                parts.push(name);
                Some(parts)
            }
            _ => None,
        }),
        (None, None) => None,
    };
    let (name, alias) = match (parts.as_deref(), &key) {
        (Some([name]), None) => (name.clone(), None),
        (Some([name, alias]), _) => (name.clone(), Some(alias.clone())),
        _ => {
            return Err(Diagnostic::error(
                "Invalid provider reference",
                "A provider is named as in aws or, with an alias, aws.west; one of several that a provider block makes with for_each as in aws.by_region[each.key].",
            )
            .at(expr.span.clone()));
        }
    };
    Ok(ProviderRef { name, alias, key, span: expr.span.clone() })
}

/// A path of `ignore_changes`: `tags`, `tags["x"]`, `vpc_config[0].subnet_ids`.
pub(super) fn attr_path(expr: &Expr) -> Option<AttrPath> {
    let (root, path) = steps(expr).or_else(|| Some((expr.as_literal_str()?.into(), Vec::new())))?;
    Some(AttrPath(std::iter::once(PathStep::Attr(root)).chain(path).collect()))
}

/// An address within the module, for `moved`, `removed` and `import`.
pub fn address(expr: &Expr) -> Option<ParsedAddr> {
    let (root, path) = steps(expr)?;
    let mut words = std::iter::once(PathStep::Attr(root)).chain(path).peekable();
    let mut module = ModulePath::root();
    loop {
        let PathStep::Attr(word) = words.next()? else { return None };
        match &*word {
            "module" => {
                let PathStep::Attr(name) = words.next()? else { return None };
                let key = words.next_if(|s| !matches!(s, PathStep::Attr(_))).and_then(instance_key);
                module = module.child(name, key);
                if words.peek().is_none() {
                    return Some(ParsedAddr::Module(module));
                }
            }
            first => {
                let (mode, type_name) = match first {
                    "data" => match words.next()? {
                        PathStep::Attr(ty) => (Mode::Data, ty),
                        _ => return None,
                    },
                    _ => (Mode::Managed, word.clone()),
                };
                let PathStep::Attr(name) = words.next()? else { return None };
                let key = words.next().map(instance_key);
                if words.next().is_some() {
                    return None;
                }
                let addr = ResourceAddr { module, mode, type_name, name };
                return match key {
                    None => Some(ParsedAddr::Resource(addr)),
                    Some(Some(key)) => Some(ParsedAddr::Instance(addr.instance(Some(key)))),
                    Some(None) => None,
                };
            }
        }
    }
}

fn instance_key(step: PathStep) -> Option<InstanceKey> {
    match step {
        PathStep::Key(k) => Some(InstanceKey::Str(k)),
        PathStep::Index(n) => u64::try_from(n).ok().map(InstanceKey::Int),
        _ => None,
    }
}
