//! Override files: their blocks are merged into those of the other files, by the names of arguments and blocks.

use std::{collections::HashSet, sync::Arc};

use sgp_model::{Diagnostic, Diagnostics, Span};

use crate::syntax::{Attr, Block, Body, ExprKind};

/// Merges the bodies of override files into the others, in order. `unread` says that not everything of the others could be
/// read, so that nothing is told to be missing there.
pub(crate) fn overridden(bodies: &mut Vec<Body>, overrides: Vec<Body>, unread: bool) -> Diagnostics {
    let mut merging = Merging { bodies, unread, diagnostics: Diagnostics::new() };
    for body in overrides {
        let mut rest = Body::empty(body.span.clone());
        // Whoever reads the module tells what has no place in any file.
        rest.attrs = body.attrs;
        for block in body.blocks {
            rest.blocks.extend(merging.block(block));
        }
        merging.bodies.push(rest);
    }
    merging.diagnostics
}

struct Merging<'b> {
    bodies: &'b mut Vec<Body>,
    unread: bool,
    diagnostics: Diagnostics,
}

impl Merging<'_> {
    /// Merges a block; gives back what is to stand beside the others instead.
    fn block(&mut self, block: Block) -> Option<Block> {
        match &*block.ty {
            "resource" | "data" | "ephemeral" | "module" | "output" | "variable" => {
                self.named(block);
                None
            }
            "provider" => self.provider(block),
            "locals" => {
                self.locals(block.body);
                None
            }
            "terraform" => {
                self.settings(&block.body);
                Some(block)
            }
            "moved" | "import" | "removed" | "check" => {
                let detail = format!(
                    "A {} block stands for itself: there is nothing in other files that it could change. Put it into a file that is no override file.",
                    block.ty
                );
                self.diagnostics.push(Diagnostic::error("Block in an override file", detail).at(block.header()));
                None
            }
            _ => Some(block),
        }
    }

    fn find(&mut self, wanted: impl Fn(&Block) -> bool) -> Option<&mut Block> {
        self.bodies.iter_mut().flat_map(|b| &mut b.blocks).find(|b| wanted(b))
    }

    fn missing(&mut self, what: &str, at: Span) {
        if !self.unread {
            let detail = format!(
                "There is no {what} in the other files. An override file changes only what one of them declares."
            );
            self.diagnostics.push(Diagnostic::error("Nothing to override", detail).at(at));
        }
    }

    /// A block that its labels tell apart.
    fn named(&mut self, mut block: Block) {
        let labels: Vec<Arc<str>> = block.labels.iter().map(|l| l.text.clone()).collect();
        self.diagnostics.extend(depends_on(&mut block));
        conditions(&mut block.body, &mut self.diagnostics);
        match self.find(|b| b.ty == block.ty && b.labels.iter().map(|l| &l.text).eq(&labels)) {
            Some(base) => merge_block(&mut base.body, block.body),
            None => {
                let name = labels.join(".");
                let what = match &*block.ty {
                    "module" => format!("module call {name}"),
                    "data" => format!("data source {name}"),
                    ty => format!("{ty} {name}"),
                };
                self.missing(&what, block.header());
            }
        }
    }

    /// A provider that nothing configures has an empty configuration, so there is always one without an alias.
    fn provider(&mut self, block: Block) -> Option<Block> {
        let alias = |b: &Block| b.body.attr("alias").and_then(|a| a.expr.as_literal_str().map(Arc::<str>::from));
        let (wanted, label) = (alias(&block), block.labels.first().map(|l| l.text.clone()));
        let same =
            |b: &Block| &*b.ty == "provider" && b.labels.first().map(|l| l.text.clone()) == label && alias(b) == wanted;
        match (self.find(same), &wanted) {
            (Some(base), _) => merge(&mut base.body, block.body),
            (None, None) => return Some(block),
            (None, Some(alias)) => {
                let what = format!("provider {} with the alias {alias:?}", label.unwrap_or_default());
                self.missing(&what, block.header());
            }
        }
        None
    }

    fn locals(&mut self, body: Body) {
        for attr in body.attrs {
            let base = self.bodies.iter_mut().flat_map(|b| &mut b.blocks).filter(|b| &*b.ty == "locals");
            match base.flat_map(|b| &mut b.body.attrs).find(|a| a.name == attr.name) {
                Some(base) => *base = attr,
                None => self.missing(&format!("local value {}", attr.name), attr.name_span),
            }
        }
    }

    /// Takes out of the other files what a `terraform` block says anew; requirements of providers one by one.
    fn settings(&mut self, over: &Body) {
        let attrs = names(&over.attrs);
        let blocks: HashSet<&str> = over
            .blocks
            .iter()
            .flat_map(|b| match &*b.ty {
                // There is one place for the state.
                "backend" | "cloud" | "state_store" => vec!["backend", "cloud", "state_store"],
                "required_providers" => vec![],
                ty => vec![ty],
            })
            .collect();
        let required: HashSet<Arc<str>> =
            over.blocks_of("required_providers").flat_map(|b| names(&b.body.attrs)).collect();
        let base = self.bodies.iter_mut().flat_map(|b| &mut b.blocks).filter(|b| &*b.ty == "terraform");
        for Block { body, .. } in base {
            body.attrs.retain(|a| !attrs.contains(&a.name));
            body.blocks.retain(|b| !blocks.contains(&*b.ty));
            for inner in body.blocks.iter_mut().filter(|b| &*b.ty == "required_providers") {
                inner.body.attrs.retain(|a| !required.contains(&a.name));
            }
        }
    }
}

fn names(attrs: &[Attr]) -> HashSet<Arc<str>> {
    attrs.iter().map(|a| a.name.clone()).collect()
}

/// Takes `depends_on` out of a block: what it would do to the other file's list is not obvious to anybody.
fn depends_on(block: &mut Block) -> Option<Diagnostic> {
    if &*block.ty == "variable" {
        return None;
    }
    let at = block.body.attrs.iter().position(|a| &*a.name == "depends_on")?;
    let attr = block.body.attrs.remove(at);
    if matches!(&*attr.expr.kind, ExprKind::Tuple(elements) if elements.is_empty()) {
        return None;
    }
    let detail = "depends_on cannot be overridden. Change it in the block itself.";
    Some(Diagnostic::error("Unsupported override", detail).at(attr.name_span))
}

/// Takes the conditions of a block out: they are added to a block, and there is no name by which one would replace another.
fn conditions(body: &mut Body, diagnostics: &mut Diagnostics) {
    for block in &mut body.blocks {
        match &*block.ty {
            "lifecycle" => conditions(&mut block.body, diagnostics),
            "validation" | "precondition" | "postcondition" => {
                let detail = format!("A {} block cannot be overridden. Change it in the block itself.", block.ty);
                diagnostics.push(Diagnostic::error("Unsupported override", detail).at(block.ty_span.clone()));
            }
            _ => {}
        }
    }
    body.blocks.retain(|b| !["validation", "precondition", "postcondition"].contains(&&*b.ty));
}

/// As [`merge`], but `lifecycle` keeps what is not said anew.
fn merge_block(base: &mut Body, mut over: Body) {
    let (lifecycle, rest) = std::mem::take(&mut over.blocks).into_iter().partition(|b| &*b.ty == "lifecycle");
    over.blocks = rest;
    for block in Vec::<Block>::from_iter(lifecycle) {
        match base.blocks.iter_mut().find(|b| &*b.ty == "lifecycle") {
            Some(first) => merge(&mut first.body, block.body),
            None => base.blocks.push(block),
        }
    }
    merge(base, over);
}

/// Arguments take the place of those of their name, nested blocks the place of all of their type.
fn merge(base: &mut Body, over: Body) {
    let mut new = names(&over.attrs);
    new.extend(over.blocks.iter().map(|b| block_name(b).clone()));
    new.extend(over.json.iter().flat_map(|p| p.sets()));
    base.attrs.retain(|a| !new.contains(&a.name));
    base.blocks.retain(|b| !new.contains(block_name(b)));
    base.json = base.json.iter().filter_map(|p| p.without(&new)).collect();
    base.attrs.extend(over.attrs);
    base.blocks.extend(over.blocks);
    base.json.extend(over.json);
}

/// The type of a block, or of those that a dynamic one stands for.
fn block_name(block: &Block) -> &Arc<str> {
    match block.labels.first() {
        Some(label) if &*block.ty == "dynamic" => &label.text,
        _ => &block.ty,
    }
}
