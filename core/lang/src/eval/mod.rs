//! The evaluator: configuration to values, on demand.
//!
//! There is one for every phase. It evaluates a cell (an instance, a local value, a variable ...) when something asks for it,
//! remembers the result and which cells were looked at on the way. What an instance *is* once its configuration is known is
//! asked of a [`World`]: the planner plans it, apply looks it up, validation makes it unknown.

mod api;
mod asserted;
mod call;
mod cells;
mod check;
mod conditions;
mod constants;
mod decode;
mod depends;
mod deprecated;
mod enabled;
mod env;
mod explain;
mod expr;
mod imports;
mod iterate;
mod memo;
mod missing;
mod modules;
mod names;
mod objects;
mod open;
pub(crate) mod ops;
mod providers;
mod pure;
mod references;
mod repeat;
mod template;
mod triggers;
mod variables;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use sgp_model::{
    Diagnostic, Diagnostics, InstanceAddr, ModulePath, ResourceAddr, Schema, Span, Value, address::ParsedAddr,
};

pub use self::{
    api::{Answer, Configured, Given, Impure, Inputs, Random, Schemas, Shown, Stop, Triggered, VariableInput, World},
    asserted::{Asserted, Names},
    cells::{CellGraph, CellId, CellKey, DepsView},
    open::OpenKeys,
    pure::constant,
};
pub(crate) use self::{
    env::{Env, Eval, Gather, Halt, Instances, ModuleInfo, Outer, Repetition, Scope},
    ops::unknown_text,
    pure::render_template,
};
use crate::{
    config::{self, Config, ResourceBlock},
    source::Files,
    syntax,
};

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
    /// Where to look for objects; empty for everywhere.
    interest: Vec<ParsedAddr>,
    /// The empty object of each schema, by the schema's address.
    empties: HashMap<usize, Value>,
    diagnostics: Vec<Diagnostic>,
    seen: HashSet<(String, String, Option<Span>)>,
    evaluations: u64,
    /// What `plantimestamp` and `timestamp` say.
    planned_at: String,
    made_at: Option<String>,
    /// How many templates are being rendered around this evaluation.
    template_depth: u32,
    references_checked: bool,
    /// What became of conditions.
    outcomes: conditions::Outcomes,
    /// Splats, by their expression for each element.
    splats: memo::Memo,
    /// Arguments of modules, by variable.
    arguments: memo::Memo,
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
        let (config, mistakes) = config::decided(&config, &*schemas);
        let root = Arc::new(ModuleInfo { path: ModulePath::root(), config: config.root.clone(), outer: None });
        let mut evaluator = Self {
            config,
            planned_at: call::rfc3339(inputs.timestamp),
            made_at: inputs.impure.as_ref().map(|impure| call::rfc3339(impure.timestamp)),
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
            interest: Vec::new(),
            diagnostics: Vec::new(),
            seen: HashSet::new(),
            evaluations: 0,
            template_depth: 0,
            references_checked: false,
            outcomes: conditions::Outcomes::new(),
            splats: memo::Memo::default(),
            arguments: memo::Memo::default(),
        };
        mistakes.into_iter().for_each(|d| evaluator.record(d));
        evaluator.check_static();
        evaluator
    }

    /// Looks only into module calls that may hold something of these addresses; all of them when there is none. What is
    /// referred to is evaluated wherever it is.
    pub fn restrict(&mut self, interest: Vec<ParsedAddr>) {
        self.interest = interest;
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
        self.eval_expression(module, &expr)
    }

    /// As [`Self::eval_text`], where `type(...)` around the whole asks for the type only.
    ///
    /// # Errors
    /// As for [`Self::eval_text`].
    pub fn eval_console(&mut self, module: &ModulePath, text: &str) -> Result<Shown, Diagnostics> {
        let expr = syntax::parse_expression(&Arc::from("<console>"), text).map_err(Diagnostics::from)?;
        match type_argument(&expr) {
            Some(inner) => self.eval_expression(module, inner).map(|value| Shown::Type(value.ty())),
            None => self.eval_expression(module, &expr).map(Shown::Value),
        }
    }

    fn eval_expression(&mut self, module: &ModulePath, expr: &syntax::Expr) -> Result<Value, Diagnostics> {
        self.eval_with(module, expr, &Names::new())
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
                for error in errors {
                    self.record(error);
                }
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
        let result = match result {
            // While validating, what refers to something wrong is still checked: nothing is known about it.
            Err(Stop::Failed) if self.inputs.validating => self.stand_in(id).ok_or(Stop::Failed),
            result => result,
        };
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

    /// What stands in for a value that could not be computed.
    fn stand_in(&self, id: CellId) -> Option<Stored> {
        let ty = match self.graph.key(id) {
            CellKey::Instance(addr) => {
                let resource = &addr.resource;
                self.schemas.resource(resource.mode, &resource.type_name).map_or(sgp_model::Type::Dynamic, Schema::ty)
            }
            CellKey::Local(..) | CellKey::Variable(..) | CellKey::Output(..) => sgp_model::Type::Dynamic,
            CellKey::Expansion(_) | CellKey::ModuleExpansion(..) | CellKey::ProviderExpansion(_) => {
                let value = Value::unknown(sgp_model::Type::Dynamic);
                return Some(Stored::Instances(Arc::new(Instances::any_of(value, true))));
            }
            _ => return None,
        };
        Some(Stored::Value(Value::unknown(ty)))
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
        // An instance and the whole of a block with one instance have one name.
        path.dedup();
        if path.len() > 1 && path.first() == path.last() {
            path.pop();
        }
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
            CellKey::Provider(p) | CellKey::ProviderExpansion(p) => {
                Some(config(&p.module)?.provider(&p.name, p.alias_and_key().0)?.span.clone())
            }
        }
    }
}

/// What the console asks of `type`, when the expression is nothing but that call.
fn type_argument(expr: &syntax::Expr) -> Option<&syntax::Expr> {
    match &*expr.kind {
        syntax::ExprKind::Call { name, args, expand: false, .. } if matches!(&**name, "type" | "core::type") => {
            match args.as_slice() {
                [only] => Some(only),
                _ => None,
            }
        }
        syntax::ExprKind::Paren(inner) => type_argument(inner),
        _ => None,
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
