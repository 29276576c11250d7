//! The configuration: what the blocks of all files of all modules say, before anything is evaluated.

mod blocks;
pub mod constraint;
mod decided;
mod lifecycle;
mod module;
mod overrides;
pub mod reference;
mod resource;
pub mod testing;
mod trigger;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use sgp_model::{AttrPath, Mode, PathStep, SourceMap, Span};

pub use self::{constraint::TypeConstraint, module::build, reference::Target};
pub(crate) use self::{decided::decided, overrides::overridden};
use crate::syntax::{Body, Expr};

/// A whole configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// The module in the folder itself.
    pub root: Arc<Module>,
    /// The text of every file that was read.
    pub sources: SourceMap,
    /// SHA-256 over names and content of all files, hexadecimal.
    pub digest: String,
}

/// One module: the blocks of all files of one folder.
#[derive(Clone, Debug, Default)]
pub struct Module {
    /// The folder, as `path.module` gives it.
    pub dir: String,
    /// `variable` blocks by name.
    pub variables: BTreeMap<Arc<str>, Variable>,
    /// `locals` by name.
    pub locals: BTreeMap<Arc<str>, Local>,
    /// `output` blocks by name.
    pub outputs: BTreeMap<Arc<str>, Output>,
    /// `resource` and `data` blocks in source order (files by name).
    pub resources: Vec<Arc<ResourceBlock>>,
    /// Places in [`Self::resources`].
    pub resource_index: HashMap<(Mode, Arc<str>, Arc<str>), usize>,
    /// `provider` blocks.
    pub providers: Vec<Arc<ProviderBlock>>,
    /// `module` blocks by name.
    pub calls: BTreeMap<Arc<str>, Arc<ModuleCall>>,
    /// `required_providers`: local name to the provider's own name, with the place of the entry.
    pub required_providers: BTreeMap<Arc<str>, RequiredProvider>,
    /// `check` blocks by name.
    pub checks: BTreeMap<Arc<str>, CheckBlock>,
    /// `import` blocks.
    pub imports: Vec<Import>,
    /// `moved` blocks.
    pub moved: Vec<Moved>,
    /// `removed` blocks.
    pub removed: Vec<Removed>,
    /// What is declared, but could not be read.
    pub unread: Unread,
}

/// What a module declares with a mistake in it, so that references to it are not told to lead nowhere.
#[derive(Clone, Debug, Default)]
pub struct Unread {
    /// Anything may be missing: there is a file with syntax errors.
    pub files: bool,
    /// Blocks that were left out, as references name them: `module.network`, `output.id`; without a name of its own, by
    /// what comes before it: `aws_vpc`, `var`.
    pub names: BTreeSet<String>,
}

impl Module {
    /// The block of a resource or data source.
    pub fn resource(&self, mode: Mode, type_name: &Arc<str>, name: &Arc<str>) -> Option<&Arc<ResourceBlock>> {
        let at = self.resource_index.get(&(mode, type_name.clone(), name.clone()))?;
        self.resources.get(*at)
    }

    /// The `provider` block of a local name and alias.
    pub fn provider(&self, name: &str, alias: Option<&str>) -> Option<&Arc<ProviderBlock>> {
        self.providers.iter().find(|p| &*p.name == name && p.alias.as_deref() == alias)
    }

    /// Whether something of this name may be declared although it is not here: a mistake in its block was told already.
    pub fn may_declare(&self, name: &str) -> bool {
        let names = &self.unread.names;
        let within = |(end, _): (usize, &str)| names.contains(&name[..end]);
        self.unread.files || names.contains(name) || name.match_indices('.').any(within)
    }

    /// The provider's own name behind a local name.
    pub fn provider_name(&self, local: &Arc<str>) -> Arc<str> {
        self.required_providers.get(local).map_or_else(|| local.clone(), |r| r.provider.clone())
    }
}

/// An entry of `required_providers`.
#[derive(Clone, Debug)]
pub struct RequiredProvider {
    /// The provider's own name: the last part of its source address.
    pub provider: Arc<str>,
    /// Where it is said.
    pub span: Span,
}

/// A `variable` block.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "they are the block's own arguments")]
pub struct Variable {
    /// Its label.
    pub name: Arc<str>,
    /// The header of the block.
    pub span: Span,
    /// What values it takes; [`Type::Dynamic`](sgp_model::Type::Dynamic) without a `type`.
    pub constraint: TypeConstraint,
    /// The value when none is given.
    pub default: Option<Expr>,
    /// For people.
    pub description: Option<Arc<str>>,
    /// Whether its value is redacted.
    pub sensitive: bool,
    /// Whether null may be given in place of the default.
    pub nullable: bool,
    /// Whether it is only for this run.
    pub ephemeral: bool,
    /// Whether its value is known before anything is planned.
    pub constant: bool,
    /// Why not to set it any more.
    pub deprecated: Option<Arc<str>>,
    /// `validation` blocks.
    pub validations: Vec<Check>,
}

/// A `check` block: assertions that block nothing. Its data source is among [`Module::resources`].
#[derive(Clone, Debug)]
pub struct CheckBlock {
    /// Its label.
    pub name: Arc<str>,
    /// The header of the block.
    pub span: Span,
    /// `assert` blocks.
    pub asserts: Vec<Check>,
}

/// A condition with a message: `validation`, `precondition`, `postcondition`, `assert`.
#[derive(Clone, Debug)]
pub struct Check {
    /// Must be true.
    pub condition: Expr,
    /// What the person is told otherwise.
    pub message: Expr,
}

/// One entry of a `locals` block.
#[derive(Clone, Debug)]
pub struct Local {
    /// The name's place.
    pub span: Span,
    /// Its value.
    pub expr: Expr,
}

/// An `output` block.
#[derive(Clone, Debug)]
pub struct Output {
    /// Its label.
    pub name: Arc<str>,
    /// The header of the block.
    pub span: Span,
    /// Its value.
    pub value: Expr,
    /// For people.
    pub description: Option<Arc<str>>,
    /// Whether it is redacted.
    pub sensitive: bool,
    /// Whether it is only for this run.
    pub ephemeral: bool,
    /// What its value must be, where that is said.
    pub constraint: Option<TypeConstraint>,
    /// Why not to read it any more.
    pub deprecated: Option<Arc<str>>,
    /// What must be there before.
    pub depends_on: Vec<Reference>,
    /// `precondition` blocks.
    pub preconditions: Vec<Check>,
}

/// A reference in `depends_on` and the like.
#[derive(Clone, Debug)]
pub struct Reference {
    /// What it names.
    pub target: Target,
    /// Where.
    pub span: Span,
}

/// A `resource` or `data` block.
#[derive(Clone, Debug)]
pub struct ResourceBlock {
    /// Which of the two.
    pub mode: Mode,
    /// The first label.
    pub type_name: Arc<str>,
    /// The first label's place.
    pub type_span: Span,
    /// The second label.
    pub name: Arc<str>,
    /// The header of the block.
    pub span: Span,
    /// Arguments and nested blocks of the type: everything but what follows here.
    pub body: Body,
    /// `count`.
    pub count: Option<Expr>,
    /// `for_each`.
    pub for_each: Option<Expr>,
    /// `depends_on`.
    pub depends_on: Vec<Reference>,
    /// `provider`.
    pub provider: Option<ProviderRef>,
    /// `lifecycle`.
    pub lifecycle: Lifecycle,
    /// The `check` block that a data source stands in; nothing outside of it refers to it.
    pub check: Option<Arc<str>>,
}

impl ResourceBlock {
    /// Whether there is `count` or `for_each`.
    pub fn repeats(&self) -> bool {
        self.count.is_some() || self.for_each.is_some()
    }

    /// Where the configuration sets what the path leads to: the argument or block that comes closest.
    pub fn span_of(&self, path: &AttrPath) -> Option<Span> {
        span_in(&self.body, &path.0)
    }
}

fn span_in(body: &Body, path: &[PathStep]) -> Option<Span> {
    let (PathStep::Attr(name), rest) = path.split_first()? else { return None };
    if let Some(attr) = body.attr(name) {
        return Some(attr.expr.span.clone());
    }
    let (place, inner) = match rest.split_first() {
        Some((PathStep::Index(n), inner)) => (*n, inner),
        Some((PathStep::Attr(_), _)) | None => (0, rest),
        Some((_, inner)) => (0, inner),
    };
    let block = body
        .blocks_of(name)
        .nth(place)
        .or_else(|| body.blocks_of("dynamic").find(|b| b.labels.first().is_some_and(|l| l.text == *name)));
    let Some(block) = block else {
        return body.json.iter().find(|p| p.sets().contains(name)).map(|p| p.name.span.clone());
    };
    span_in(&block.body, inner).or_else(|| Some(block.header()))
}

/// `aws`, `aws.west` or `aws.by_region["eu-west-1"]`.
#[derive(Clone, Debug)]
pub struct ProviderRef {
    /// The local name.
    pub name: Arc<str>,
    /// The alias.
    pub alias: Option<Arc<str>>,
    /// Which instance of a configuration with `for_each`; evaluated where the reference stands.
    pub key: Option<Expr>,
    /// Where.
    pub span: Span,
}

/// A `lifecycle` block.
#[derive(Clone, Debug, Default)]
pub struct Lifecycle {
    /// The replacement is made before the old object goes.
    pub create_before_destroy: Option<bool>,
    /// A plan that would destroy the object is refused.
    pub prevent_destroy: bool,
    /// The object is let go in place of being destroyed: `destroy = false`.
    pub skip_destroy: bool,
    /// Whether there is an object at all: `enabled`.
    pub enabled: Option<Expr>,
    /// Arguments whose changes do not count.
    pub ignore_changes: IgnoreChanges,
    /// The place of each path in `ignore_changes`.
    pub ignore_spans: Vec<Span>,
    /// Changes elsewhere that replace the object.
    pub replace_triggered_by: Vec<Trigger>,
    /// Checked before the object is planned.
    pub preconditions: Vec<Check>,
    /// Checked on the object.
    pub postconditions: Vec<Check>,
}

/// An entry of `replace_triggered_by`: a managed resource, an instance of it, or an attribute of that.
#[derive(Clone, Debug)]
pub struct Trigger {
    /// The type.
    pub type_name: Arc<str>,
    /// The name.
    pub name: Arc<str>,
    /// The index right after the name.
    pub key: Option<Expr>,
    /// What follows: empty when any change in place and any replacement counts.
    pub path: Vec<TriggerStep>,
    /// Where.
    pub span: Span,
}

/// A step to the attribute that a [`Trigger`] names.
#[derive(Clone, Debug)]
pub enum TriggerStep {
    /// `.name`
    Attr(Arc<str>),
    /// `[key]`: fixed, or of the block that is replaced.
    Index(Expr),
}

/// `ignore_changes`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum IgnoreChanges {
    /// Every change counts.
    #[default]
    Nothing,
    /// No change counts.
    All,
    /// Changes at or below these paths do not count.
    Paths(Vec<AttrPath>),
}

/// A `provider` block.
#[derive(Clone, Debug)]
pub struct ProviderBlock {
    /// The label, mapped through `required_providers`.
    pub name: Arc<str>,
    /// `alias`.
    pub alias: Option<Arc<str>>,
    /// `for_each`: there is one configuration for each element. Only with an alias.
    pub for_each: Option<Expr>,
    /// The header of the block.
    pub span: Span,
    /// Its arguments, less `alias`, `for_each` and `version`.
    pub body: Body,
}

/// A `module` block, with the module that it calls.
#[derive(Clone, Debug)]
pub struct ModuleCall {
    /// The label.
    pub name: Arc<str>,
    /// The header of the block.
    pub span: Span,
    /// `source` as written.
    pub source: String,
    /// The place of `source`.
    pub source_span: Span,
    /// Arguments for the module's variables, by name.
    pub args: BTreeMap<Arc<str>, crate::syntax::Attr>,
    /// `count`.
    pub count: Option<Expr>,
    /// `for_each`.
    pub for_each: Option<Expr>,
    /// `enabled` of its `lifecycle`.
    pub enabled: Option<Expr>,
    /// `depends_on`.
    pub depends_on: Vec<Reference>,
    /// `providers`: name inside to name outside.
    pub providers: Vec<(ProviderRef, ProviderRef)>,
    /// What is called.
    pub module: Arc<Module>,
}

impl ModuleCall {
    /// Whether there is `count` or `for_each`.
    pub fn repeats(&self) -> bool {
        self.count.is_some() || self.for_each.is_some()
    }
}

/// An `import` block.
#[derive(Clone, Debug)]
pub struct Import {
    /// The resource that adopts; an index may refer to `each.key`.
    pub to: Expr,
    /// The object's id.
    pub id: Expr,
    /// `for_each`.
    pub for_each: Option<Expr>,
    /// `provider`.
    pub provider: Option<ProviderRef>,
    /// The header of the block.
    pub span: Span,
}

/// A `moved` block.
#[derive(Clone, Debug)]
pub struct Moved {
    /// Where it was, relative to the module.
    pub from: sgp_model::address::ParsedAddr,
    /// Where it is, relative to the module.
    pub to: sgp_model::address::ParsedAddr,
    /// The header of the block.
    pub span: Span,
}

/// A `removed` block.
#[derive(Clone, Debug)]
pub struct Removed {
    /// What is not in the configuration any more, relative to the module.
    pub from: sgp_model::address::ParsedAddr,
    /// Whether the object is destroyed (or only forgotten).
    pub destroy: bool,
    /// The header of the block.
    pub span: Span,
}
