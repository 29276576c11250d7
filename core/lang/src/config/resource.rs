//! `resource`, `data` and `module` blocks: the arguments that the language itself reads.

use std::{collections::BTreeMap, sync::Arc};

use sgp_model::{Diagnostic, Diagnostics, Mode};

use super::{Lifecycle, ModuleCall, ProviderRef, Reference, ResourceBlock, lifecycle, module::Loader, reference};
use crate::syntax::{Attr, Block, Body, Expr, ExprKind, is_identifier};

/// The arguments that repeat and order a block, taken out of its body.
struct Meta {
    count: Option<Expr>,
    for_each: Option<Expr>,
    depends_on: Vec<Reference>,
}

impl Meta {
    fn take(body: &mut Body, diagnostics: &mut Diagnostics) -> Self {
        let count = take(body, "count").map(|a| a.expr);
        let for_each = take(body, "for_each").map(|a| a.expr);
        if let (Some(_), Some(for_each)) = (&count, &for_each) {
            diagnostics.push(
                Diagnostic::error(
                    "Invalid combination of \"count\" and \"for_each\"",
                    "A block repeats by number (count) or by key (for_each), not by both. Remove one of them.",
                )
                .at(for_each.span.clone()),
            );
        }
        let depends_on = take(body, "depends_on").map(|a| reference::list(&a.expr, "depends_on", diagnostics));
        Self { count, for_each, depends_on: depends_on.unwrap_or_default() }
    }
}

fn take(body: &mut Body, name: &str) -> Option<Attr> {
    let at = body.attrs.iter().position(|a| &*a.name == name)?;
    Some(body.attrs.remove(at))
}

/// A block that repeats has none, one or more instances already.
fn repeats_and_is_enabled(meta: &Meta, enabled: Option<&Expr>, diagnostics: &mut Diagnostics) {
    if let (true, Some(enabled)) = (meta.count.is_some() || meta.for_each.is_some(), enabled) {
        let detail = "A block that repeats by count or for_each has no enabled: zero is a number of instances, too. Remove one of them.";
        diagnostics.push(Diagnostic::error("Invalid combination of arguments", detail).at(enabled.span.clone()));
    }
}

/// The labels of a block, when there are as many as needed and they are names.
pub(super) fn labels<const N: usize>(
    block: &Block,
    names: [&str; N],
    diagnostics: &mut Diagnostics,
) -> Option<[Arc<str>; N]> {
    if block.labels.len() != N {
        let wanted = match N {
            0 => "takes no labels".to_owned(),
            _ => format!("takes {N} label{}: {}", if N == 1 { "" } else { "s" }, names.join(" and ")),
        };
        diagnostics.push(
            Diagnostic::error("Wrong number of block labels", format!("A {} block {wanted}.", block.ty))
                .at(block.header()),
        );
        return None;
    }
    for label in &block.labels {
        if !is_identifier(&label.text) {
            diagnostics.push(
                Diagnostic::error(
                    "Invalid block label",
                    format!("{:?} is not a name: names start with a letter or underscore and go on with letters, digits, underscores and dashes.", &*label.text),
                )
                .at(label.span.clone()),
            );
            return None;
        }
    }
    let texts: Vec<Arc<str>> = block.labels.iter().map(|l| l.text.clone()).collect();
    texts.try_into().ok()
}

pub(super) fn read(block: &Block, mode: Mode, diagnostics: &mut Diagnostics) -> Option<ResourceBlock> {
    let [type_name, name] = labels(block, ["type", "name"], diagnostics)?;
    let mut body = block.body.clone();
    let meta = Meta::take(&mut body, diagnostics);
    let provider = take(&mut body, "provider").and_then(|a| match reference::provider(&a.expr) {
        Ok(provider) => Some(provider),
        Err(d) => {
            diagnostics.push(d);
            None
        }
    });
    let lifecycle = take_lifecycle(&mut body, mode, diagnostics);
    repeats_and_is_enabled(&meta, lifecycle.enabled.as_ref(), diagnostics);
    for kind in ["provisioner", "connection"] {
        for refused in body.blocks_of(kind) {
            diagnostics.push(no_provisioners(refused));
        }
        body.blocks.retain(|b| &*b.ty != kind);
    }
    Some(ResourceBlock {
        mode,
        type_name,
        type_span: block.labels[0].span.clone(),
        name,
        span: block.header(),
        body,
        count: meta.count,
        for_each: meta.for_each,
        depends_on: meta.depends_on,
        provider,
        lifecycle,
        check: None,
    })
}

/// A `provisioner` or `connection` block.
pub(super) fn no_provisioners(block: &Block) -> Diagnostic {
    Diagnostic::error(
        "Unsupported block type",
        format!(
            "sgp does not run provisioners: a {} block is about commands outside of the plan. Remove it, and do its work in the image, in user data or in a step of the pipeline.",
            block.ty
        ),
    )
    .at(block.header())
}

fn take_lifecycle(body: &mut Body, mode: Mode, diagnostics: &mut Diagnostics) -> Lifecycle {
    let mut found: Option<Lifecycle> = None;
    for block in body.blocks_of("lifecycle") {
        if found.is_some() {
            diagnostics.push(
                Diagnostic::error(
                    "Duplicate lifecycle block",
                    "A resource has at most one lifecycle block. Put everything into the first one.",
                )
                .at(block.ty_span.clone()),
            );
            continue;
        }
        found = Some(lifecycle::read(block, mode, diagnostics));
    }
    body.blocks.retain(|b| &*b.ty != "lifecycle");
    found.unwrap_or_default()
}

/// A `module` block; `load` finds the module behind its source.
pub(super) fn call(block: &Block, load: &mut Loader<'_>, diagnostics: &mut Diagnostics) -> Option<ModuleCall> {
    let [name] = labels(block, ["name"], diagnostics)?;
    let mut body = block.body.clone();
    let meta = Meta::take(&mut body, diagnostics);
    let enabled = body.blocks_of("lifecycle").next().and_then(|block| lifecycle::of_module(block, diagnostics));
    repeats_and_is_enabled(&meta, enabled.as_ref(), diagnostics);
    body.blocks.retain(|b| &*b.ty != "lifecycle");
    for nested in &body.blocks {
        diagnostics.push(
            Diagnostic::error("Unsupported block type", format!("Blocks of type {:?} are not expected in a module block; its arguments are written with an equals sign.", &*nested.ty))
                .at(nested.ty_span.clone()),
        );
    }
    let providers = take(&mut body, "providers").map(|a| providers(&a.expr, diagnostics)).unwrap_or_default();
    // A version belongs to modules of registries; local ones have none, but older configurations carry it along.
    take(&mut body, "version");
    let Some(source) = take(&mut body, "source") else {
        diagnostics.push(
            Diagnostic::error("Missing required argument", "The argument \"source\" is required in a module block: ./folder, sgp//name for a module in sgp itself, or git::https://host/repository.git for one that sgp init fetches.")
                .at(block.header()),
        );
        return None;
    };
    let Some(text) = source.expr.as_literal_str() else {
        diagnostics.push(
            Diagnostic::error(
                "Invalid module source",
                "The source is a fixed string: it is read before anything is evaluated.",
            )
            .at(source.expr.span.clone()),
        );
        return None;
    };
    let module = load(&name, text, &source.expr.span)?;
    Some(ModuleCall {
        name,
        span: block.header(),
        source: text.to_owned(),
        source_span: source.expr.span.clone(),
        args: body.attrs.into_iter().map(|a| (a.name.clone(), a)).collect::<BTreeMap<_, _>>(),
        count: meta.count,
        for_each: meta.for_each,
        enabled,
        depends_on: meta.depends_on,
        providers,
        module,
    })
}

pub(super) fn providers(expr: &Expr, diagnostics: &mut Diagnostics) -> Vec<(ProviderRef, ProviderRef)> {
    let ExprKind::Object(items) = &*expr.kind else {
        diagnostics.push(
            Diagnostic::error(
                "Invalid providers argument",
                "providers maps names inside the module to names outside: { aws = aws.west }.",
            )
            .at(expr.span.clone()),
        );
        return Vec::new();
    };
    let mut pairs = Vec::new();
    for (inside, outside) in items {
        match (reference::provider(inside), reference::provider(outside)) {
            (Ok(inside), Ok(outside)) => pairs.push((inside, outside)),
            (inside, outside) => {
                diagnostics.extend(inside.err());
                diagnostics.extend(outside.err());
            }
        }
    }
    pairs
}
