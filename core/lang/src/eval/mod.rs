//! The evaluator: configuration to values, on demand.
//!
//! There is one for every phase. It evaluates a cell (an instance, a local value, a variable ...) when something asks for it,
//! remembers the result and which cells were looked at on the way. What an instance *is* once its configuration is known is
//! asked of a [`World`]: the planner plans it, apply looks it up, validation makes it unknown.

mod call;
mod cells;
mod check;
mod decode;
mod depends;
mod explain;
mod expr;
mod imports;
mod iterate;
mod modules;
mod names;
mod objects;
pub(crate) mod ops;
mod providers;
mod pure;
mod template;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use sgp_model::{
    Diagnostic, Diagnostics, InstanceAddr, InstanceKey, Mode, ModulePath, ProviderAddr, ResourceAddr, Schema, Span, Value,
};

pub use self::cells::{CellGraph, CellId, CellKey, DepsView};
pub(crate) use self::pure::{constant, render_template};
use crate::{
    config::{Config, Module, ModuleCall, ResourceBlock},
    source::Files,
    syntax,
};

/// Which types and providers there are.
pub trait Schemas {
    /// The schema of a resource type or data source.
    fn resource(&self, mode: Mode, type_name: &str) -> Option<&'static Schema>;
    /// The provider that a type belongs to, when there is such a type.
    fn provider_for(&self, type_name: &str) -> Option<&'static str>;
    /// The schema of a `provider` block.
    fn provider_config(&self, provider: &str) -> Option<&'static Schema>;
    /// All resource types or data sources, sorted.
    fn resource_names(&self, mode: Mode) -> Vec<&'static str>;
    /// All providers, sorted.
    fn provider_names(&self) -> Vec<&'static str>;
}

/// One evaluated instance, as the evaluator hands it to the world.
pub struct Configured<'a> {
    /// Its address.
    pub addr: &'a InstanceAddr,
    /// Its configuration, in the type of its schema: null where nothing is said, unknown where it is not known yet.
    pub config: Value,
    /// The provider configuration it belongs to.
    pub provider: ProviderAddr,
    /// Its block: lifecycle and places.
    pub block: &'a ResourceBlock,
}

/// What an instance is.
pub enum Answer {
    /// The object; remembered.
    Value(Value),
    /// The object as far as is known; forgotten, with everything that used it, as soon as the world is touched.
    Provisional(Value),
    /// Something must be read first; ask again after the world was touched.
    Blocked,
    /// It cannot be. Empty when the reason was told elsewhere.
    Failed(Diagnostics),
}

/// Knows what instances are.
pub trait World {
    /// What the instance is, now that its configuration is known. Asked at most once between two accesses through
    /// [`Evaluator::world_mut`].
    fn object(&mut self, configured: Configured<'_>, deps: &DepsView<'_>) -> Answer;
}

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The world has to read something first.
    Blocked,
    /// There was an error; it is among the evaluator's diagnostics.
    Failed,
}

/// The value of a variable, as it came in.
#[derive(Clone, Debug, PartialEq)]
pub struct VariableInput {
    /// What was given.
    pub given: Given,
    /// Where it comes from, for messages: `-var`, `the environment variable TF_VAR_x`, `prod.tfvars`.
    pub from: String,
    /// The place in a file, when it comes from one.
    pub span: Option<Span>,
}

/// A variable's value before it has its type.
#[derive(Clone, Debug, PartialEq)]
pub enum Given {
    /// A value, from a file of values.
    Value(Value),
    /// Text, from the command line or the environment: an HCL expression unless the variable is a string.
    Text(String),
}

/// Everything that an evaluation depends on beside the configuration.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// Values for the variables of the root module.
    pub variables: BTreeMap<String, VariableInput>,
    /// The name of the workspace; `default` when empty.
    pub workspace: String,
    /// `path.cwd`: the working directory, absolute.
    pub cwd: String,
    /// When the run started, in seconds since the epoch.
    pub timestamp: i64,
    /// What only the apply phase has; without it `timestamp`, `uuid` and `bcrypt` are unknown.
    pub impure: Option<Impure>,
    /// Checks the configuration alone: variables without a default are unknown, and so are `each` and `count`.
    pub validating: bool,
}

/// Inputs of the functions whose results differ from call to call.
#[derive(Clone)]
pub struct Impure {
    /// The time now, in seconds since the epoch.
    pub timestamp: i64,
    /// Fills the bytes with randomness.
    pub random: Arc<dyn Fn(&mut [u8]) + Send + Sync>,
}

impl std::fmt::Debug for Impure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Impure").field("timestamp", &self.timestamp).finish_non_exhaustive()
    }
}

/// Why an expression has no value, inside of the evaluator.
pub(crate) enum Halt {
    /// The world has to read something first.
    Blocked,
    /// An error that is recorded already.
    Failed,
    /// Errors that are not recorded yet.
    Errors(Vec<Diagnostic>),
}

pub(crate) type Eval<T = Value> = Result<T, Halt>;

impl From<Diagnostic> for Halt {
    fn from(d: Diagnostic) -> Self {
        Self::Errors(vec![d])
    }
}

/// Collects the results of things that are evaluated side by side, so that one run reports all mistakes.
#[derive(Default)]
pub(crate) struct Gather {
    errors: Vec<Diagnostic>,
    blocked: bool,
    failed: bool,
}

impl Gather {
    /// The value, or `None` after taking note of why there is none.
    pub(crate) fn take<T>(&mut self, result: Eval<T>) -> Option<T> {
        match result {
            Ok(value) => return Some(value),
            Err(Halt::Blocked) => self.blocked = true,
            Err(Halt::Failed) => self.failed = true,
            Err(Halt::Errors(errors)) => self.errors.extend(errors),
        }
        None
    }

    pub(crate) fn push(&mut self, error: Diagnostic) {
        self.errors.push(error);
    }

    /// The outcome; errors weigh more than what only has to wait.
    pub(crate) fn finish<T>(self, value: T) -> Eval<T> {
        if !self.errors.is_empty() {
            return Err(Halt::Errors(self.errors));
        }
        match (self.failed, self.blocked) {
            (true, _) => Err(Halt::Failed),
            (false, true) => Err(Halt::Blocked),
            (false, false) => Ok(value),
        }
    }
}

/// The instances of a block that may repeat.
#[derive(Clone, Debug)]
pub(crate) enum Instances {
    Single,
    Count(u64),
    ForEach(BTreeMap<Arc<str>, Value>),
    /// Only while validating: one stands for all.
    AnyCount,
    /// Only while validating: one stands for all.
    AnyKey { value: Value },
}

impl Instances {
    pub(crate) fn keys(&self) -> Vec<Option<InstanceKey>> {
        match self {
            Self::Single | Self::AnyCount | Self::AnyKey { .. } => vec![None],
            Self::Count(n) => (0..*n).map(|i| Some(InstanceKey::Int(i))).collect(),
            Self::ForEach(map) => map.keys().map(|k| Some(InstanceKey::Str(k.clone()))).collect(),
        }
    }

    pub(crate) fn has(&self, key: Option<&InstanceKey>) -> bool {
        match (self, key) {
            (Self::Single | Self::AnyCount | Self::AnyKey { .. }, None) => true,
            (Self::Count(n), Some(InstanceKey::Int(i))) => i < n,
            (Self::ForEach(map), Some(InstanceKey::Str(k))) => map.contains_key(k),
            _ => false,
        }
    }
}

/// `each` or `count` of one instance.
#[derive(Clone, Debug)]
pub(crate) enum Repetition {
    None,
    Count(Value),
    Each { key: Value, value: Value },
}

impl Repetition {
    fn of(instances: &Instances, key: Option<&InstanceKey>) -> Self {
        match (instances, key) {
            (Instances::Count(_), Some(InstanceKey::Int(i))) => {
                Self::Count(Value::int(i64::try_from(*i).unwrap_or(i64::MAX)))
            }
            (Instances::ForEach(map), Some(InstanceKey::Str(k))) => Self::Each {
                key: Value::string(k.clone()),
                value: map.get(k).cloned().unwrap_or_else(Value::dynamic_null),
            },
            (Instances::AnyCount, _) => Self::Count(Value::unknown_not_null(sgp_model::Type::Number)),
            (Instances::AnyKey { value }, _) => {
                Self::Each { key: Value::unknown_not_null(sgp_model::Type::String), value: value.clone() }
            }
            _ => Self::None,
        }
    }
}

/// One instance of a module.
pub(crate) struct ModuleInfo {
    pub(crate) path: ModulePath,
    pub(crate) config: Arc<Module>,
    /// Where it is called from, unless it is the root.
    pub(crate) outer: Option<Outer>,
}

/// The call that made a module instance.
pub(crate) struct Outer {
    pub(crate) module: Arc<ModuleInfo>,
    pub(crate) call: Arc<ModuleCall>,
    pub(crate) repetition: Repetition,
}

/// What an expression is evaluated in.
#[derive(Clone, Copy)]
pub(crate) struct Env<'a> {
    pub(crate) module: &'a Arc<ModuleInfo>,
    pub(crate) repetition: &'a Repetition,
    /// `self` in postconditions.
    pub(crate) itself: Option<&'a Value>,
    /// The variable whose validation this is, with its value.
    pub(crate) own: Option<(&'a Arc<str>, &'a Value)>,
    /// Names of `for` expressions and `dynamic` blocks, innermost first.
    pub(crate) scope: Option<&'a Scope<'a>>,
    /// The element that the innermost splat is at.
    pub(crate) item: Option<&'a Value>,
    /// The only names there are, in template files.
    pub(crate) only: Option<&'a BTreeMap<Arc<str>, Value>>,
}

/// One name, and the names around it.
pub(crate) struct Scope<'a> {
    pub(crate) name: &'a Arc<str>,
    pub(crate) value: Value,
    pub(crate) outer: Option<&'a Scope<'a>>,
}

impl<'a> Env<'a> {
    pub(crate) fn new(module: &'a Arc<ModuleInfo>, repetition: &'a Repetition) -> Self {
        Self { module, repetition, itself: None, own: None, scope: None, item: None, only: None }
    }

    /// The same with one name more.
    pub(crate) fn with<'b>(&self, scope: &'b Scope<'b>) -> Env<'b>
    where
        'a: 'b,
    {
        Env { scope: Some(scope), ..*self }
    }
}

/// What a cell holds.
#[derive(Clone)]
pub(crate) enum Stored {
    Value(Value),
    Instances(Arc<Instances>),
    Nothing,
}

enum State {
    Vacant,
    Running,
    Done(Stored),
    /// As far as is known in this round.
    Provisional(u64, Stored),
    /// Blocked in this round.
    Blocked(u64),
    Failed,
}

/// A cell that is being evaluated.
struct Frame {
    cell: CellId,
    deps: Vec<CellId>,
    provisional: bool,
    /// How many branches that may not be taken are being looked at.
    speculating: u32,
}

/// Evaluates a configuration on demand.
pub struct Evaluator<W> {
    config: Arc<Config>,
    inputs: Inputs,
    schemas: Arc<dyn Schemas + Send + Sync>,
    files: Arc<dyn Files + Send + Sync>,
    world: W,
    graph: CellGraph,
    states: Vec<State>,
    frames: Vec<Frame>,
    /// Grows whenever the world may have changed.
    round: u64,
    modules: HashMap<ModulePath, Arc<ModuleInfo>>,
    /// The empty object of each schema, by the schema's address.
    empties: HashMap<usize, Value>,
    diagnostics: Vec<Diagnostic>,
    seen: HashSet<(String, String, Option<Span>)>,
    evaluations: u64,
}

impl<W: World> Evaluator<W> {
    /// An evaluator that has evaluated nothing yet.
    pub fn new(
        config: Arc<Config>,
        inputs: Inputs,
        schemas: Arc<dyn Schemas + Send + Sync>,
        files: Arc<dyn Files + Send + Sync>,
        world: W,
    ) -> Self {
        let root = Arc::new(ModuleInfo { path: ModulePath::root(), config: config.root.clone(), outer: None });
        let mut evaluator = Self {
            config,
            inputs,
            schemas,
            files,
            world,
            graph: CellGraph::default(),
            states: Vec::new(),
            frames: Vec::new(),
            round: 0,
            modules: HashMap::from([(ModulePath::root(), root)]),
            empties: HashMap::new(),
            diagnostics: Vec::new(),
            seen: HashSet::new(),
            evaluations: 0,
        };
        evaluator.check_static();
        evaluator
    }

    /// The world.
    pub fn world(&self) -> &W {
        &self.world
    }

    /// The world, to be changed: what was blocked or provisional is asked anew afterwards.
    pub fn world_mut(&mut self) -> &mut W {
        self.round += 1;
        &mut self.world
    }

    /// The configuration.
    pub fn config(&self) -> &Arc<Config> {
        &self.config
    }

    /// The cells so far and what they looked at.
    pub fn cells(&self) -> &CellGraph {
        &self.graph
    }

    /// How often a cell was evaluated: a measure of work for tests.
    pub fn evaluations(&self) -> u64 {
        self.evaluations
    }

    /// All diagnostics since the last time.
    pub fn take_diagnostics(&mut self) -> Diagnostics {
        Diagnostics(std::mem::take(&mut self.diagnostics))
    }

    /// Evaluates the text of an expression in a module, as the console does.
    ///
    /// # Errors
    /// Everything that is wrong with it; without any error, what it refers to has to be read first.
    pub fn eval_text(&mut self, module: &ModulePath, text: &str) -> Result<Value, Diagnostics> {
        let expr = syntax::parse_expression(&Arc::from("<console>"), text).map_err(Diagnostics::from)?;
        let before = (std::mem::take(&mut self.diagnostics), std::mem::take(&mut self.seen));
        let result = self.module(module).and_then(|info| {
            let env = Env::new(&info, &Repetition::None);
            self.value(&expr, &env)
        });
        let value = self.settle(result);
        let found = Diagnostics(std::mem::replace(&mut self.diagnostics, before.0));
        self.seen = before.1;
        value.map_err(|_| found)
    }

    fn record(&mut self, diagnostic: Diagnostic) {
        let key = (diagnostic.summary.clone(), diagnostic.detail.clone(), diagnostic.span.clone());
        if self.seen.insert(key) {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Ends an evaluation at the surface: errors are recorded.
    fn settle<T>(&mut self, result: Eval<T>) -> Result<T, Stop> {
        result.map_err(|halt| match halt {
            Halt::Blocked => Stop::Blocked,
            Halt::Failed => Stop::Failed,
            Halt::Errors(errors) => {
                errors.into_iter().for_each(|e| self.record(e));
                Stop::Failed
            }
        })
    }

    /// Takes note that the current cell looked at another.
    fn touch(&mut self, id: CellId) {
        if let Some(frame) = self.frames.last_mut() {
            frame.deps.push(id);
        }
    }

    /// The content of a cell, evaluated when it is not there yet.
    fn cell(&mut self, key: CellKey, compute: impl FnOnce(&mut Self, CellId) -> Eval<Stored>) -> Eval<Stored> {
        let id = self.graph.intern(key);
        if self.states.len() <= id.index() {
            self.states.resize_with(id.index() + 1, || State::Vacant);
        }
        self.touch(id);
        match &self.states[id.index()] {
            State::Done(stored) => return Ok(stored.clone()),
            State::Provisional(round, stored) if *round == self.round => {
                let stored = stored.clone();
                self.taint();
                return Ok(stored);
            }
            State::Blocked(round) if *round == self.round => return Err(Halt::Blocked),
            State::Failed => return Err(Halt::Failed),
            State::Running => return Err(self.cycle(id)),
            State::Vacant | State::Provisional(..) | State::Blocked(_) => {}
        }
        self.states[id.index()] = State::Running;
        self.frames.push(Frame { cell: id, deps: Vec::new(), provisional: false, speculating: 0 });
        self.evaluations += 1;
        let result = stacker::maybe_grow(256 * 1024, 4 * 1024 * 1024, || compute(self, id));
        let frame = self.frames.pop().expect("the frame was pushed above");
        self.graph.set_deps(id, &frame.deps);
        let result = self.settle(result);
        self.states[id.index()] = match &result {
            Ok(stored) if frame.provisional => State::Provisional(self.round, stored.clone()),
            Ok(stored) => State::Done(stored.clone()),
            Err(Stop::Blocked) => State::Blocked(self.round),
            Err(Stop::Failed) => State::Failed,
        };
        if frame.provisional {
            self.taint();
        }
        result.map_err(|stop| match stop {
            Stop::Blocked => Halt::Blocked,
            Stop::Failed => Halt::Failed,
        })
    }

    /// The current cell used something provisional.
    fn taint(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            frame.provisional = true;
        }
    }

    fn value_cell(&mut self, key: CellKey, compute: impl FnOnce(&mut Self, CellId) -> Eval<Value>) -> Eval<Value> {
        match self.cell(key, |this, id| compute(this, id).map(Stored::Value))? {
            Stored::Value(value) => Ok(value),
            Stored::Instances(_) | Stored::Nothing => unreachable!("cells of this kind hold values"),
        }
    }

    /// A cell needs itself: named with the whole way around.
    fn cycle(&mut self, id: CellId) -> Halt {
        let start = self.frames.iter().position(|f| f.cell == id).unwrap_or(0);
        let mut path: Vec<String> = self.frames[start..].iter().map(|f| self.graph.key(f.cell).to_string()).collect();
        // The same cycle is found from different ends: it starts with the first name.
        let least = (0..path.len()).min_by_key(|i| &path[*i]).unwrap_or(0);
        path.rotate_left(least);
        path.extend(path.first().cloned());
        let span = self.frames[start..].iter().find_map(|f| self.span_of_cell(self.graph.key(f.cell)));
        let mut diagnostic = Diagnostic::error(
            "Cycle",
            format!("These values need each other, so none can be computed first: {}.", path.join(" -> ")),
        );
        diagnostic.span = span;
        if self.frames.last().is_some_and(|f| f.speculating > 0) {
            // `count.index == 0 ? x.a[1].id : "end"` needs no `x.a[1]` to make `x.a[1]`.
            return diagnostic.into();
        }
        self.record(diagnostic);
        Halt::Failed
    }

    /// Runs an evaluation whose result may not be needed.
    fn speculate<T>(&mut self, run: impl FnOnce(&mut Self) -> T) -> T {
        let depth = self.frames.len();
        let count = |this: &mut Self, by: fn(u32) -> u32| {
            if let Some(frame) = depth.checked_sub(1).and_then(|i| this.frames.get_mut(i)) {
                frame.speculating = by(frame.speculating);
            }
        };
        count(self, |n| n + 1);
        let result = run(self);
        count(self, |n| n - 1);
        result
    }

    fn span_of_cell(&self, key: &CellKey) -> Option<Span> {
        let config = |path: &ModulePath| self.modules.get(path).map(|m| m.config.clone());
        match key {
            CellKey::Instance(InstanceAddr { resource: a, .. }) | CellKey::Resource(a) | CellKey::Expansion(a) => {
                Some(config(&a.module)?.resource(a.mode, &a.type_name, &a.name)?.span.clone())
            }
            CellKey::Local(m, n) => Some(config(m)?.locals.get(n)?.span.clone()),
            CellKey::Variable(m, n) => Some(config(m)?.variables.get(n)?.span.clone()),
            CellKey::Output(m, n) => Some(config(m)?.outputs.get(n)?.span.clone()),
            CellKey::ModuleExpansion(m, n)
            | CellKey::ModuleCall(m, n)
            | CellKey::ModuleContents(m, n)
            | CellKey::ModuleDependsOn(m, n) => Some(config(m)?.calls.get(n)?.span.clone()),
            CellKey::Module(_) => None,
            CellKey::Provider(p) => Some(config(&p.module)?.provider(&p.name, p.alias.as_deref())?.span.clone()),
        }
    }
}

/// The address of a resource block in a module instance.
pub(crate) fn resource_addr(module: &ModulePath, block: &ResourceBlock) -> ResourceAddr {
    ResourceAddr {
        module: module.clone(),
        mode: block.mode,
        type_name: block.type_name.clone(),
        name: block.name.clone(),
    }
}

#[cfg(test)]
pub(crate) mod tests;
