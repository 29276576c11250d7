//! A module out of the bodies of its files.

use std::sync::Arc;

use sgp_model::{Diagnostic, Diagnostics, Mode, Span, Value, address::ParsedAddr};

use super::{
    Check, CheckBlock, Import, Local, Module, Moved, Output, ProviderBlock, Removed, RequiredProvider, ResourceBlock,
    TypeConstraint, Variable,
    blocks::{checks, flag, only, refers, required, text},
    constraint, reference, resource,
};
use crate::{
    suggest::did_you_mean,
    syntax::{Attr, Block, Body, Expr, ExprKind},
};

/// What a `module` block leads to, by its label, its source and the place of that.
pub type Loader<'l> = dyn FnMut(&str, &str, &Span) -> Option<Arc<Module>> + 'l;

const TOP_LEVEL: [&str; 12] = [
    "resource",
    "data",
    "variable",
    "locals",
    "output",
    "module",
    "provider",
    "terraform",
    "import",
    "moved",
    "check",
    "ephemeral",
];

/// Blocks that Terraform or OpenTofu have and that are not read here, with what to do instead.
const NOT_YET: [(&str, &str); 3] = [
    ("action", "Do what it does in a step before or after sgp apply."),
    ("list", "Name the objects in import blocks instead."),
    ("language", "Remove it: there is one edition of the language here."),
];

/// Blocks inside of `terraform` that are not read here, with why.
const SETTINGS_NOT_YET: [(&str, &str); 4] = [
    (
        "backend",
        "sgp keeps its state under .sgp/ in the working directory and has no other store yet. Remove this block; a state from elsewhere can be taken over with sgp state push.",
    ),
    (
        "cloud",
        "sgp keeps its state under .sgp/ in the working directory and has no other store yet. Remove this block; a state from elsewhere can be taken over with sgp state push.",
    ),
    (
        "state_store",
        "sgp keeps its state under .sgp/ in the working directory and has no other store yet. Remove this block; a state from elsewhere can be taken over with sgp state push.",
    ),
    (
        "encryption",
        "sgp does not encrypt its state yet. Remove this block, and keep the folder .sgp/ where only those may read it who may know its secrets.",
    ),
];

/// Builds a module. `load` is called for each `module` block.
pub fn build(dir: &str, bodies: &[Body], load: &mut Loader<'_>) -> (Module, Diagnostics) {
    let mut builder =
        Builder { module: Module { dir: dir.into(), ..Module::default() }, diagnostics: Diagnostics::new(), load };
    // Local provider names are needed for provider blocks, so settings come first.
    for block in bodies.iter().flat_map(|b| b.blocks_of("terraform")) {
        builder.settings(block);
    }
    for body in bodies {
        for attr in &body.attrs {
            builder.diagnostics.push(
                Diagnostic::error("Unsupported argument", "Arguments stand in blocks, not at the top level of a file. Values for variables belong into a .tfvars file.")
                    .at(attr.name_span.clone()),
            );
        }
        for block in &body.blocks {
            builder.block(block);
        }
    }
    (builder.module, builder.diagnostics)
}

struct Builder<'l, 'd> {
    module: Module,
    diagnostics: Diagnostics,
    load: &'l mut Loader<'d>,
}

impl Builder<'_, '_> {
    fn block(&mut self, block: &Block) {
        match &*block.ty {
            "resource" => self.resource(block, Mode::Managed),
            "data" => self.resource(block, Mode::Data),
            "ephemeral" => self.resource(block, Mode::Ephemeral),
            "variable" => self.variable(block),
            "locals" => self.locals(block),
            "output" => self.output(block),
            "module" => self.call(block),
            "provider" => self.provider(block),
            "check" => self.check(block),
            "import" => self.import(block),
            "moved" => self.moved(block),
            "removed" => self.removed(block),
            "terraform" => {}
            other => {
                let detail = match NOT_YET.iter().find(|(name, _)| *name == other) {
                    Some((_, instead)) => format!("sgp does not support {other} blocks yet. {instead}"),
                    None => {
                        let hint = did_you_mean(other, TOP_LEVEL.into_iter().chain(["removed"]));
                        format!("Blocks of type {other:?} are not expected here.{hint}")
                    }
                };
                self.diagnostics.push(Diagnostic::error("Unsupported block type", detail).at(block.ty_span.clone()));
            }
        }
    }

    /// Takes note of a block that is left out, see [`super::Unread`].
    fn unread(&mut self, name: &str) {
        self.module.unread.names.insert(name.to_owned());
    }

    fn duplicate(&mut self, what: &str, name: &str, at: &Span, first: &Span) {
        self.diagnostics.push(
            Diagnostic::error(
                format!("Duplicate {what}"),
                format!(
                    "{name:?} is already declared in {}. Names are unique within a module: rename or remove one.",
                    first.file
                ),
            )
            .at(at.clone()),
        );
    }

    fn resource(&mut self, block: &Block, mode: Mode) {
        let Some(found) = resource::read(block, mode, &mut self.diagnostics) else {
            match block.labels.first() {
                Some(type_name) => self.unread(&format!("{}{}", mode.prefix(), type_name.text)),
                None => self.module.unread.files = true,
            }
            return;
        };
        self.declare(found);
    }

    fn declare(&mut self, found: ResourceBlock) {
        let mode = found.mode;
        let key = (mode, found.type_name.clone(), found.name.clone());
        if let Some(first) = self.module.resource_index.get(&key) {
            let first = self.module.resources[*first].span.clone();
            let what = match mode {
                Mode::Managed => "resource",
                Mode::Data => "data source",
                Mode::Ephemeral => "ephemeral resource",
            };
            self.duplicate(
                &format!("{what} configuration"),
                &format!("{}.{}", found.type_name, found.name),
                &found.span,
                &first,
            );
            return;
        }
        self.module.resource_index.insert(key, self.module.resources.len());
        self.module.resources.push(Arc::new(found));
    }

    fn check(&mut self, block: &Block) {
        let d = &mut self.diagnostics;
        let Some([name]) = resource::labels(block, ["name"], d) else { return };
        only(&block.body, "a check block", &[], &["data", "assert"], d);
        let asserts = checks(&block.body, "assert", d);
        if block.body.blocks_of("assert").next().is_none() {
            let detail = "A check block has at least one assert block with a condition and an error_message.";
            d.push(Diagnostic::error("Check block without assertions", detail).at(block.header()));
        }
        let mut scoped = block.body.blocks_of("data");
        let first = scoped.next();
        for more in scoped {
            let detail = "A check block has at most one data block. Put the other one into a check block of its own, or outside.";
            d.push(Diagnostic::error("Too many data blocks in a check block", detail).at(more.header()));
        }
        match self.module.checks.get(&name).map(|c| c.span.clone()) {
            Some(first) => return self.duplicate("check block", &name, &block.header(), &first),
            None => {
                let found = CheckBlock { name: name.clone(), span: block.header(), asserts };
                self.module.checks.insert(name.clone(), found);
            }
        }
        let Some(data) = first else { return };
        for refused in ["count", "for_each"] {
            if let Some(attr) = data.body.attr(refused) {
                let detail = format!("A data block in a check block is one object and has no {refused}.");
                self.diagnostics.push(Diagnostic::error("Unsupported argument", detail).at(attr.name_span.clone()));
                return;
            }
        }
        for refused in data.body.blocks_of("lifecycle") {
            let detail = "A data block in a check block has no lifecycle: the assertions of the check judge it.";
            self.diagnostics.push(Diagnostic::error("Unsupported block type", detail).at(refused.ty_span.clone()));
        }
        if let Some(found) = resource::read(data, Mode::Data, &mut self.diagnostics) {
            self.declare(ResourceBlock { check: Some(name), ..found });
        }
    }

    fn variable(&mut self, block: &Block) {
        const ATTRS: [&str; 8] =
            ["type", "default", "description", "sensitive", "nullable", "ephemeral", "deprecated", "const"];
        const RESERVED: [&str; 8] =
            ["source", "version", "providers", "count", "for_each", "lifecycle", "depends_on", "locals"];
        let d = &mut self.diagnostics;
        let Some([name]) = resource::labels(block, ["name"], d) else {
            self.unread("var");
            return;
        };
        if RESERVED.contains(&&*name) {
            d.push(
                Diagnostic::error(
                    "Invalid variable name",
                    format!("{:?} is an argument of module blocks itself and cannot name a variable.", &*name),
                )
                .at(block.labels[0].span.clone()),
            );
        }
        only(&block.body, "a variable block", &ATTRS, &["validation"], d);
        let constraint = match block.body.attr("type").map(|a| constraint::of_variable(&a.expr, &literal)) {
            Some(Ok(found)) => found,
            Some(Err(e)) => {
                d.push(e);
                TypeConstraint::default()
            }
            None => TypeConstraint { literal_text: true, ..TypeConstraint::default() },
        };
        let variable = Variable {
            name: name.clone(),
            span: block.header(),
            constraint,
            default: block.body.attr("default").map(|a| a.expr.clone()),
            description: text(&block.body, "description", d),
            sensitive: flag(&block.body, "sensitive", d).unwrap_or(false),
            nullable: flag(&block.body, "nullable", d).unwrap_or(true),
            ephemeral: flag(&block.body, "ephemeral", d).unwrap_or(false),
            constant: flag(&block.body, "const", d).unwrap_or(false),
            deprecated: deprecated(&block.body, d),
            validations: checks(&block.body, "validation", d),
        };
        let is_of_another = |check: &&Check| refers(&check.condition, None) && !refers(&check.condition, Some(&name));
        for check in variable.validations.iter().filter(is_of_another) {
            let detail =
                format!("The condition of a validation looks at its own variable: here, var.{name} is not in it.");
            let summary = "Invalid variable validation condition";
            d.push(Diagnostic::error(summary, detail).at(check.condition.span.clone()));
        }
        if let (true, true, Some(attr)) = (variable.constant, variable.ephemeral, block.body.attr("const")) {
            let detail = "A value that is only for one run is not fixed. Remove const or ephemeral.";
            d.push(Diagnostic::error("Invalid combination of arguments", detail).at(attr.name_span.clone()));
        }
        match self.module.variables.get(&name).map(|v| v.span.clone()) {
            Some(first) => self.duplicate("variable declaration", &name, &block.header(), &first),
            None => drop(self.module.variables.insert(name, variable)),
        }
    }

    fn locals(&mut self, block: &Block) {
        let d = &mut self.diagnostics;
        if resource::labels(block, [], d).is_none() {
            self.unread("local");
            return;
        }
        for nested in &block.body.blocks {
            d.push(
                Diagnostic::error("Unsupported block type", "A locals block holds only arguments: name = value.")
                    .at(nested.ty_span.clone()),
            );
        }
        for Attr { name, name_span, expr } in &block.body.attrs {
            match self.module.locals.get(name).map(|l| l.span.clone()) {
                Some(first) => self.duplicate("local value definition", name, name_span, &first),
                None => {
                    self.module.locals.insert(name.clone(), Local { span: name_span.clone(), expr: expr.clone() });
                }
            }
        }
    }

    fn output(&mut self, block: &Block) {
        const ATTRS: [&str; 7] = ["value", "description", "sensitive", "depends_on", "ephemeral", "deprecated", "type"];
        let d = &mut self.diagnostics;
        let Some([name]) = resource::labels(block, ["name"], d) else {
            self.unread("output");
            return;
        };
        only(&block.body, "an output block", &ATTRS, &["precondition"], d);
        let Some(value) = required(&block.body, "value", "an output block", &block.header(), d) else {
            self.unread(&format!("output.{name}"));
            return;
        };
        let depends_on = block.body.attr("depends_on").map(|a| reference::list(&a.expr, "depends_on", d));
        let constraint = match block.body.attr("type").map(|a| constraint::of_variable(&a.expr, &literal)) {
            Some(Ok(found)) => Some(found),
            Some(Err(e)) => {
                d.push(e);
                None
            }
            None => None,
        };
        let output = Output {
            name: name.clone(),
            span: block.header(),
            value: value.clone(),
            description: text(&block.body, "description", d),
            sensitive: flag(&block.body, "sensitive", d).unwrap_or(false),
            ephemeral: flag(&block.body, "ephemeral", d).unwrap_or(false),
            constraint,
            deprecated: deprecated(&block.body, d),
            depends_on: depends_on.unwrap_or_default(),
            preconditions: checks(&block.body, "precondition", d),
        };
        match self.module.outputs.get(&name).map(|o| o.span.clone()) {
            Some(first) => self.duplicate("output definition", &name, &block.header(), &first),
            None => drop(self.module.outputs.insert(name, output)),
        }
    }

    fn call(&mut self, block: &Block) {
        let Some(call) = resource::call(block, self.load, &mut self.diagnostics) else {
            match block.labels.as_slice() {
                [name] => self.unread(&format!("module.{}", name.text)),
                _ => self.unread("module"),
            }
            return;
        };
        match self.module.calls.get(&call.name).map(|c| c.span.clone()) {
            Some(first) => self.duplicate("module call", &call.name, &block.header(), &first),
            None => drop(self.module.calls.insert(call.name.clone(), Arc::new(call))),
        }
    }

    fn provider(&mut self, block: &Block) {
        let d = &mut self.diagnostics;
        let Some([local]) = resource::labels(block, ["name"], d) else { return };
        let mut body = block.body.clone();
        let alias = text(&body, "alias", d);
        for refused in ["count", "depends_on", "source"] {
            if let Some(attr) = body.attr(refused) {
                let advice =
                    if refused == "count" { " For several configurations use for_each with an alias." } else { "" };
                d.push(
                    Diagnostic::error(
                        "Reserved argument name in provider block",
                        format!("{refused:?} is not supported in provider blocks.{advice}"),
                    )
                    .at(attr.name_span.clone()),
                );
            }
        }
        let for_each = body.attr("for_each").cloned();
        if let (Some(attr), None) = (&for_each, &alias) {
            let detail = "A provider block with for_each needs an alias, by which one of its configurations is named: provider = aws.by_region[each.key]. Only the block without an alias is the default, and it is one configuration.";
            d.push(Diagnostic::error("Invalid for_each argument", detail).at(attr.name_span.clone()));
        }
        let for_each = for_each.filter(|_| alias.is_some()).map(|attr| attr.expr);
        body.attrs.retain(|a| !["alias", "version", "count", "for_each", "depends_on", "source"].contains(&&*a.name));
        let name = self.module.provider_name(&local);
        if let Some(first) = self.module.provider(&name, alias.as_deref()).map(|p| p.span.clone()) {
            let shown = alias.as_ref().map_or_else(|| name.to_string(), |a| format!("{name}.{a}"));
            self.duplicate("provider configuration", &shown, &block.header(), &first);
            return;
        }
        self.module.providers.push(Arc::new(ProviderBlock { name, alias, for_each, span: block.header(), body }));
    }

    fn settings(&mut self, block: &Block) {
        let d = &mut self.diagnostics;
        if resource::labels(block, [], d).is_none() {
            return;
        }
        only(
            &block.body,
            "a terraform block",
            &["required_version", "experiments"],
            &["required_providers", "provider_meta", "backend", "cloud", "state_store", "encryption"],
            d,
        );
        text(&block.body, "required_version", d);
        for setting in &block.body.blocks {
            if &*setting.ty == "backend" && setting.labels.first().is_some_and(|label| &*label.text == "local") {
                let detail =
                    "sgp keeps its state under .sgp/ in the working directory, whatever the block says. Remove it.";
                d.push(Diagnostic::warning("State store not used", detail).at(setting.header()));
            } else if let Some((name, why)) = SETTINGS_NOT_YET.iter().find(|(name, _)| *name == &*setting.ty) {
                let what = if *name == "encryption" { "Unsupported block type" } else { "Unsupported state store" };
                d.push(Diagnostic::error(what, *why).at(setting.header()));
            }
        }
        for providers in block.body.blocks_of("required_providers") {
            for attr in &providers.body.attrs {
                match required_provider(attr) {
                    Ok(found) => drop(self.module.required_providers.insert(attr.name.clone(), found)),
                    Err(e) => self.diagnostics.push(e),
                }
            }
        }
    }

    fn import(&mut self, block: &Block) {
        let d = &mut self.diagnostics;
        only(&block.body, "an import block", &["to", "id", "provider", "for_each"], &[], d);
        let to = required(&block.body, "to", "an import block", &block.header(), d);
        let id = required(&block.body, "id", "an import block", &block.header(), d);
        let provider = block.body.attr("provider").and_then(|a| match reference::provider(&a.expr) {
            Ok(found) => Some(found),
            Err(e) => {
                d.push(e);
                None
            }
        });
        if let (Some(to), Some(id)) = (to, id) {
            let for_each = block.body.attr("for_each").map(|a| a.expr.clone());
            self.module.imports.push(Import {
                to: to.clone(),
                id: id.clone(),
                for_each,
                provider,
                span: block.header(),
            });
        }
    }

    fn address(&mut self, block: &Block, name: &str, what: &str) -> Option<ParsedAddr> {
        let expr = required(&block.body, name, what, &block.header(), &mut self.diagnostics)?;
        let found = reference::address(expr);
        if found.is_none() {
            self.diagnostics.push(
                Diagnostic::error(
                    "Invalid address",
                    "An address is expected: aws_iam_role.a, aws_iam_role.a[\"k\"] or module.m.",
                )
                .at(expr.span.clone()),
            );
        }
        found
    }

    fn moved(&mut self, block: &Block) {
        only(&block.body, "a moved block", &["from", "to"], &[], &mut self.diagnostics);
        let from = self.address(block, "from", "a moved block");
        let to = self.address(block, "to", "a moved block");
        let (Some(from), Some(to)) = (from, to) else { return };
        match impossible_move(&from, &to) {
            Some(why) => self.diagnostics.push(Diagnostic::error("Invalid moved block", why).at(block.header())),
            None => self.module.moved.push(Moved { from, to, span: block.header() }),
        }
    }

    fn removed(&mut self, block: &Block) {
        only(
            &block.body,
            "a removed block",
            &["from"],
            &["lifecycle", "provisioner", "connection"],
            &mut self.diagnostics,
        );
        for kind in ["provisioner", "connection"] {
            for refused in block.body.blocks_of(kind) {
                self.diagnostics.push(resource::no_provisioners(refused));
            }
        }
        let mut destroy = true;
        for lifecycle in block.body.blocks_of("lifecycle") {
            only(&lifecycle.body, "the lifecycle of a removed block", &["destroy"], &[], &mut self.diagnostics);
            destroy = flag(&lifecycle.body, "destroy", &mut self.diagnostics).unwrap_or(destroy);
        }
        let Some(from) = self.address(block, "from", "a removed block") else { return };
        if names_a_part(&from) {
            let detail = "A removed block names a whole resource or module, without a key and without data.";
            self.diagnostics.push(Diagnostic::error("Invalid removed block", detail).at(block.header()));
            return;
        }
        self.module.removed.push(Removed { from, destroy, span: block.header() });
    }
}

/// Why an object cannot move from one address to another.
fn impossible_move(from: &ParsedAddr, to: &ParsedAddr) -> Option<String> {
    let resource = |addr: &ParsedAddr| match addr {
        ParsedAddr::Module(_) => None,
        ParsedAddr::Resource(r) => Some(r.clone()),
        ParsedAddr::Instance(i) => Some(i.resource.clone()),
    };
    match (resource(from), resource(to)) {
        (Some(from), Some(to)) if from.mode != Mode::Managed || to.mode != Mode::Managed => {
            Some("Only managed resources move: everything else is read again by every run.".into())
        }
        (None, None) | (Some(_), Some(_)) => None,
        _ => Some("A module moves to a module, and a resource to a resource.".into()),
    }
}

/// Whether an address names less than a whole managed resource or module.
fn names_a_part(addr: &ParsedAddr) -> bool {
    match addr {
        ParsedAddr::Module(path) => path.0.iter().any(|step| step.key.is_some()),
        ParsedAddr::Resource(r) => r.mode != Mode::Managed || r.module.0.iter().any(|step| step.key.is_some()),
        ParsedAddr::Instance(_) => true,
    }
}

fn required_provider(attr: &Attr) -> Result<RequiredProvider, Diagnostic> {
    let source = match &*attr.expr.kind {
        ExprKind::Literal(_) => None,
        ExprKind::Object(items) => items.iter().find(|(k, _)| k.as_literal_str() == Some("source")).map(|(_, v)| v),
        _ => {
            return Err(Diagnostic::error(
                "Invalid required_providers entry",
                "An entry is an object with the provider's source and version: { source = \"hashicorp/aws\" }.",
            )
            .at(attr.expr.span.clone()));
        }
    };
    let provider = match source {
        None => attr.name.clone(),
        Some(source) => match source.as_literal_str().and_then(|s| s.rsplit('/').next()) {
            Some(name) => name.into(),
            None => {
                return Err(Diagnostic::error(
                    "Invalid required_providers entry",
                    "The source is a string such as \"hashicorp/aws\".",
                )
                .at(source.span.clone()));
            }
        },
    };
    Ok(RequiredProvider { provider, span: attr.name_span.clone() })
}

/// Why not to use something any more.
fn deprecated(body: &Body, diagnostics: &mut Diagnostics) -> Option<Arc<str>> {
    let found = text(body, "deprecated", diagnostics)?;
    if found.trim().is_empty() {
        let detail = "The text of deprecated says what to use instead; it cannot be empty.";
        let span = body.attr("deprecated").map(|a| a.expr.span.clone())?;
        diagnostics.push(Diagnostic::error("Invalid value", detail).at(span));
        return None;
    }
    Some(found)
}

/// The value of an expression that refers to nothing.
fn literal(expr: &Expr) -> Result<Value, Diagnostic> {
    crate::eval::constant(expr)
}
