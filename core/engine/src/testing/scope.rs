//! What a test file says, put into the configuration under test: variables, providers, mocks and overrides of one run.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use sgp_lang::{
    Config, Evaluator, Given, Inputs, Names, VariableInput,
    config::{Module, ProviderBlock, ProviderRef},
    suggest::did_you_mean,
    syntax::{Attr, Body, Expr},
    testing::{Mock, Override, Run, TestProvider, TestProviderKind, bind},
};
use sgp_model::{Diagnostic, Diagnostics, ModulePath, Span, State, Value, address::ParsedAddr};

use super::{file::Walk, modules, run::config_of};
use crate::{
    Registry,
    doubles::{self, Random8},
    values::RecordedWorld,
};

/// Everything that a run is carried out with.
pub(super) struct Scope {
    pub(super) config: Arc<Config>,
    pub(super) inputs: Inputs,
    pub(super) registry: Registry,
    /// The outputs of earlier runs, as `run`.
    pub(super) runs: Value,
    /// Variables of the test file that the module under test does not declare.
    pub(super) more_variables: BTreeMap<Arc<str>, Value>,
    pub(super) warnings: Diagnostics,
}

impl Scope {
    /// # Errors
    /// Everything that is wrong with what the file says for this run.
    pub(super) fn of(walk: &Walk<'_>, run: &Run) -> Result<Self, Diagnostics> {
        let Some(base) = config_of(walk, run) else { return Err(Diagnostics::new()) };
        let mut warnings = Diagnostics::new();
        let runs = Value::object(walk.outputs.clone());
        let variables = Variables::of(walk, run, &base.root, &runs, &mut warnings)?;
        let names = Names::from([(Arc::from("var"), Value::object(variables.all)), (Arc::from("run"), runs.clone())]);
        let mut problems = Diagnostics::new();
        let overrides = overrides(walk, run, &base.root, &mut problems);
        let root = with_modules(walk, base.root.clone(), &overrides, &names, &mut problems);
        let providers = Providers::of(walk, run, &root, &mut problems);
        let (built, told) = doubles::build(
            &walk.base.registry,
            providers.mocks(),
            overrides.iter().copied(),
            Random8::new(walk.base.inputs.impure.as_ref().map(|i| i.random.clone())),
            &mut |expr| evaluated(walk, expr, &names),
        );
        problems.extend(told);
        if problems.has_errors() {
            return Err(problems);
        }
        warnings.extend(problems);
        let (blocks, undecided) = providers.blocks(&walk.base.registry, &names);
        if undecided.has_errors() {
            return Err(undecided);
        }
        let root = Module { providers: blocks, ..Module::clone(&root) };
        let config = Config { root: Arc::new(root), sources: walk.suite.sources.clone(), digest: base.digest.clone() };
        Ok(Self {
            config: Arc::new(config),
            inputs: Inputs { variables: variables.inputs, ..walk.base.inputs.clone() },
            registry: walk.base.registry.with_doubles(built),
            runs,
            more_variables: variables.more,
            warnings,
        })
    }
}

/// The value of an expression of the test file, which knows no configuration.
fn evaluated(walk: &Walk<'_>, expr: &Expr, names: &Names) -> Result<Value, Diagnostics> {
    let root = Module { dir: ".".into(), ..Module::default() };
    let config = Config { root: Arc::new(root), sources: walk.suite.sources.clone(), digest: String::new() };
    let registry = &walk.base.registry;
    let world = RecordedWorld::new(registry.clone(), &State::default());
    let inputs = Inputs { variables: BTreeMap::new(), ..walk.base.inputs.clone() };
    let mut evaluator = Evaluator::new(Arc::new(config), inputs, registry.clone(), walk.base.files.clone(), world);
    let value = evaluator.eval_with(&ModulePath::root(), expr, names)?;
    if value.is_wholly_known() {
        return Ok(value);
    }
    let detail = "This value is known only after apply. Where it comes from another run, let that run apply.";
    Err(Diagnostic::error("Value is not known", detail).at(expr.span.clone()).into())
}

/// The values of variables for a run.
struct Variables {
    /// For the module under test.
    inputs: BTreeMap<String, VariableInput>,
    /// What `var` means in the test file.
    all: BTreeMap<Arc<str>, Value>,
    /// Those that the module does not declare.
    more: BTreeMap<Arc<str>, Value>,
}

impl Variables {
    fn of(
        walk: &Walk<'_>,
        run: &Run,
        module: &Module,
        runs: &Value,
        warnings: &mut Diagnostics,
    ) -> Result<Self, Diagnostics> {
        let outside = walk.options.variables.get(&walk.file.path).cloned().unwrap_or_default();
        let mut all = known_outside(walk, outside.clone());
        let mut problems = Diagnostics::new();
        let names = |all: &BTreeMap<Arc<str>, Value>| {
            Names::from([(Arc::from("var"), Value::object(all.clone())), (Arc::from("run"), runs.clone())])
        };
        let mut values: BTreeMap<Arc<str>, (Value, Span)> = BTreeMap::new();
        // What a run says may build on what its file says.
        for level in [&walk.file.variables, &run.variables] {
            let names = names(&all);
            for (name, attr) in level {
                match evaluated(walk, &attr.expr, &names) {
                    Ok(value) => drop(values.insert(name.clone(), (value, attr.expr.span.clone()))),
                    Err(found) => problems.extend(found),
                }
            }
            all.extend(values.iter().map(|(name, (value, _))| (name.clone(), value.clone())));
        }
        if problems.has_errors() {
            return Err(problems);
        }
        warnings.extend(unused(run, module));
        let declared = |name: &str| module.variables.contains_key(name);
        let mut inputs: BTreeMap<String, VariableInput> =
            outside.into_iter().filter(|(name, _)| declared(name)).collect();
        let mut more = BTreeMap::new();
        for (name, (value, span)) in values {
            if declared(&name) {
                let from = format!("the test file {}", walk.file.path);
                inputs.insert(name.to_string(), VariableInput { given: Given::Value(value), from, span: Some(span) });
            } else {
                more.insert(name, value);
            }
        }
        Ok(Self { inputs, all, more })
    }
}

/// The values from outside as the configuration itself has them.
fn known_outside(walk: &Walk<'_>, outside: BTreeMap<String, VariableInput>) -> BTreeMap<Arc<str>, Value> {
    let (base, config) = (walk.base, &walk.suite.loaded.config);
    let declared = outside.into_iter().filter(|(name, _)| config.root.variables.contains_key(name.as_str()));
    let inputs = Inputs { variables: declared.collect(), ..base.inputs.clone() };
    let world = RecordedWorld::new(base.registry.clone(), &State::default());
    let mut evaluator = Evaluator::new(config.clone(), inputs, base.registry.clone(), base.files.clone(), world);
    evaluator.variables().into_iter().map(|(name, value)| (name.into(), value)).collect()
}

/// Variables of a run that nothing asks for: most likely mistyped.
fn unused(run: &Run, module: &Module) -> Diagnostics {
    let mut asked: BTreeSet<Arc<str>> = BTreeSet::new();
    for expr in run.asserts.iter().flat_map(|check| [&check.condition, &check.message]) {
        expr.walk(&mut |e| {
            if let Some(sgp_lang::config::Target::Variable(name)) = sgp_lang::config::reference::target(e) {
                asked.insert(name);
            }
            true
        });
    }
    let idle = |attr: &&Attr| {
        !module.variables.contains_key(&attr.name)
            && !asked.contains(&attr.name)
            && !module.may_declare(&format!("var.{}", attr.name))
    };
    let told = run.variables.values().filter(idle).map(|attr| {
        let hint = did_you_mean(&attr.name, module.variables.keys().map(|k| &**k));
        let detail = format!(
            "The module under test declares no variable {:?}, so that the value is not used.{hint}",
            &*attr.name
        );
        Diagnostic::warning("Value for undeclared variable", detail).at(attr.name_span.clone())
    });
    Diagnostics(told.collect())
}

/// The overrides that concern a run. Those of the file are about the configuration itself, and not about each module that its
/// runs name.
fn overrides<'o>(walk: &'o Walk<'_>, run: &'o Run, root: &Module, problems: &mut Diagnostics) -> Vec<&'o Override> {
    let mut found = Vec::new();
    let of_file = walk.file.overrides.iter().map(|block| (block, run.module.is_none()));
    for (block, is_about) in of_file.chain(run.overrides.iter().map(|block| (block, true))) {
        if is_there(root, &block.target) {
            found.push(block);
        } else if is_about {
            let detail = "What is tested has nothing at this address, so that nothing would be overridden.";
            problems.push(Diagnostic::error("Invalid override target", detail).at(block.target_span.clone()));
        }
    }
    found
}

/// Whether a configuration has a block for an address.
fn is_there(root: &Module, addr: &ParsedAddr) -> bool {
    let (path, resource) = match addr {
        ParsedAddr::Module(path) => (path, None),
        ParsedAddr::Resource(r) => (&r.module, Some(r)),
        ParsedAddr::Instance(i) => (&i.resource.module, Some(&i.resource)),
    };
    let mut module = root;
    for step in path.0.iter() {
        let Some(call) = module.calls.get(&step.name) else { return false };
        module = &call.module;
    }
    resource.is_none_or(|r| module.resource(r.mode, &r.type_name, &r.name).is_some())
}

/// The root module with calls overridden.
fn with_modules(
    walk: &Walk<'_>,
    mut root: Arc<Module>,
    overrides: &[&Override],
    names: &Names,
    problems: &mut Diagnostics,
) -> Arc<Module> {
    for block in overrides {
        let ParsedAddr::Module(path) = &block.target else { continue };
        let outputs = block.values.as_ref().map_or_else(|| Ok(Value::dynamic_null()), |e| evaluated(walk, e, names));
        let changed = outputs.and_then(|o| modules::overridden(&root, path, block, &o).map_err(Diagnostics::from));
        match changed {
            Ok(changed) => root = changed,
            Err(found) => problems.extend(found),
        }
    }
    root
}

/// One provider configuration of a run.
enum Configured<'p> {
    /// A block of the configuration.
    Own(Arc<ProviderBlock>),
    /// A block of the test file.
    Test(&'p TestProvider),
}

/// By the provider's own name and the alias.
struct Providers<'p>(BTreeMap<(Arc<str>, Option<Arc<str>>), Configured<'p>>);

impl<'p> Providers<'p> {
    /// The configurations that a run uses: the configuration's own, and the test file's in their place. With `providers` only
    /// what is named there is taken from the test file.
    fn of(walk: &Walk<'p>, run: &Run, root: &Module, problems: &mut Diagnostics) -> Self {
        let registry = &walk.base.registry;
        for provider in &walk.file.providers {
            let name = root.provider_name(&provider.name);
            if registry.provider(&name).is_none() {
                let known: Vec<&str> = registry.providers().map(|p| p.name()).collect();
                let detail = format!("sgp has no provider named {:?}.{}", &*name, did_you_mean(&name, known));
                problems.push(Diagnostic::error("Unknown provider", detail).at(provider.span.clone()));
            }
        }
        let own = root.providers.iter().map(|p| ((p.name.clone(), p.alias.clone()), Configured::Own(p.clone())));
        let mut all: BTreeMap<_, _> = own.collect();
        let used = used(registry, root);
        if run.providers.is_empty() {
            for provider in &walk.file.providers {
                let name = root.provider_name(&provider.name);
                if used.contains(&name) {
                    all.insert((name, provider.alias.clone()), Configured::Test(provider));
                }
            }
            return Self(all);
        }
        for (inside, outside) in &run.providers {
            let wanted = root.provider_name(&inside.name);
            match found(walk, root, outside) {
                Some((name, _)) if name != wanted => {
                    let detail = format!(
                        "{} is a provider {name:?}, and {} asks for {wanted:?}.",
                        shown(outside),
                        shown(inside)
                    );
                    problems.push(Diagnostic::error("Invalid providers argument", detail).at(outside.span.clone()));
                }
                Some((_, configured)) => drop(all.insert((wanted, inside.alias.clone()), configured)),
                None => problems.push(absent(walk, outside)),
            }
        }
        Self(all)
    }

    /// The mocks among them.
    fn mocks(&self) -> Vec<((Arc<str>, Option<Arc<str>>), &'p Mock)> {
        let mock = |(key, configured): (&(Arc<str>, Option<Arc<str>>), &Configured<'p>)| match configured {
            Configured::Test(TestProvider { kind: TestProviderKind::Mock(mock), .. }) => Some((key.clone(), mock)),
            _ => None,
        };
        self.0.iter().filter_map(mock).collect()
    }

    /// As blocks of the configuration. A mock takes no arguments.
    fn blocks(&self, registry: &Registry, names: &Names) -> (Vec<Arc<ProviderBlock>>, Diagnostics) {
        let mut problems = Diagnostics::new();
        let mut block = |((name, alias), configured): (&(Arc<str>, Option<Arc<str>>), &Configured<'_>)| {
            let (body, span) = match configured {
                Configured::Own(block) => {
                    return Arc::new(ProviderBlock {
                        name: name.clone(),
                        alias: alias.clone(),
                        ..ProviderBlock::clone(block)
                    });
                }
                Configured::Test(provider) => match &provider.kind {
                    TestProviderKind::Real(body) => {
                        let schema = sgp_lang::Schemas::provider_config(registry, name);
                        let (body, undecided) = bind(body, schema, names);
                        problems.extend(undecided);
                        (body, provider.span.clone())
                    }
                    TestProviderKind::Mock(_) => (empty(&provider.span), provider.span.clone()),
                },
            };
            Arc::new(ProviderBlock { name: name.clone(), alias: alias.clone(), for_each: None, span, body })
        };
        let blocks = self.0.iter().map(&mut block).collect();
        (blocks, problems)
    }
}

fn empty(span: &Span) -> Body {
    Body { attrs: Vec::new(), blocks: Vec::new(), span: span.clone(), whole: true, json: Vec::new() }
}

/// The configuration that a name in the test file means, with the provider's own name.
fn found<'p>(walk: &Walk<'p>, root: &Module, wanted: &ProviderRef) -> Option<(Arc<str>, Configured<'p>)> {
    let name = root.provider_name(&wanted.name);
    let in_test = walk.file.providers.iter().find(|p| p.name == wanted.name && p.alias == wanted.alias);
    if let Some(provider) = in_test {
        return Some((name, Configured::Test(provider)));
    }
    let own = root.provider(&name, wanted.alias.as_deref())?;
    Some((name, Configured::Own(own.clone())))
}

fn shown(provider: &ProviderRef) -> String {
    match &provider.alias {
        Some(alias) => format!("{}.{alias}", provider.name),
        None => provider.name.to_string(),
    }
}

fn absent(walk: &Walk<'_>, wanted: &ProviderRef) -> Diagnostic {
    let declared: Vec<String> = walk
        .file
        .providers
        .iter()
        .map(|p| p.alias.as_ref().map_or_else(|| p.name.to_string(), |alias| format!("{}.{alias}", p.name)))
        .collect();
    let hint = did_you_mean(&shown(wanted), declared.iter().map(String::as_str));
    let detail = format!(
        "There is no provider or mock_provider block {} in the test file, and none in the configuration.{hint}",
        shown(wanted)
    );
    Diagnostic::error("Provider configuration not present", detail).at(wanted.span.clone())
}

/// The providers that a module and those it calls have something to do with.
fn used(registry: &Registry, root: &Module) -> BTreeSet<Arc<str>> {
    let mut used: BTreeSet<Arc<str>> = root.required_providers.values().map(|r| r.provider.clone()).collect();
    used.extend(root.providers.iter().map(|p| p.name.clone()));
    let types = root.resources.iter().filter_map(|b| sgp_lang::Schemas::provider_for(registry, &b.type_name));
    used.extend(types.map(Arc::from));
    for call in root.calls.values() {
        used.extend(self::used(registry, &call.module));
    }
    used
}
