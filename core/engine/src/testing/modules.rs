//! `override_module`: a call that makes nothing and has the outputs that a test gives it.
//!
//! The configuration is changed and not the evaluator: the called module becomes one with the same variables and outputs, whose
//! values stand there.

use std::{collections::BTreeMap, sync::Arc};

use sgp_lang::{
    config::{Module, ModuleCall, Output, Variable},
    suggest::did_you_mean,
    syntax::{Expr, ExprKind},
    testing::Override,
};
use sgp_model::{Diagnostic, ModulePath, Span, Value, address::ModuleInstance};

/// The module with the call at a path overridden; `outputs` is an object or null.
///
/// # Errors
/// When there is no such call, or no such output.
pub(super) fn overridden(
    module: &Arc<Module>,
    path: &ModulePath,
    block: &Override,
    outputs: &Value,
) -> Result<Arc<Module>, Diagnostic> {
    replaced(module, &path.0, &mut |call| stub(call, block, outputs), &|name, known| {
        let hint = did_you_mean(name, known.iter().copied());
        let detail = format!("{path} is not called by what is tested.{hint}");
        Diagnostic::error("Invalid override target", detail).at(block.target_span.clone())
    })
}

type Stub<'s> = dyn FnMut(&ModuleCall) -> Result<Module, Diagnostic> + 's;
type Missing<'m> = dyn Fn(&str, &[&str]) -> Diagnostic + 'm;

fn replaced(
    module: &Arc<Module>,
    steps: &[ModuleInstance],
    stub: &mut Stub<'_>,
    missing: &Missing<'_>,
) -> Result<Arc<Module>, Diagnostic> {
    let Some((first, rest)) = steps.split_first() else { return Ok(module.clone()) };
    let Some(call) = module.calls.get(&first.name) else {
        return Err(missing(&first.name, &module.calls.keys().map(|k| &**k).collect::<Vec<_>>()));
    };
    let inner = if rest.is_empty() { Arc::new(stub(call)?) } else { replaced(&call.module, rest, stub, missing)? };
    let mut changed = Module::clone(module);
    changed.calls.insert(first.name.clone(), Arc::new(ModuleCall { module: inner, ..ModuleCall::clone(call) }));
    Ok(Arc::new(changed))
}

fn stub(call: &ModuleCall, block: &Override, outputs: &Value) -> Result<Module, Diagnostic> {
    let module = &call.module;
    let place = |span: &Span| block.values.as_ref().map_or_else(|| span.clone(), |v| v.span.clone());
    let given = match outputs.as_fields() {
        Some(fields) => fields.clone(),
        None if outputs.is_null() => BTreeMap::new(),
        None => {
            let detail = "The outputs of a module are an object: { id = \"...\" }.";
            return Err(Diagnostic::error("Invalid made-up value", detail).at(place(&block.span)));
        }
    };
    if let Some(unknown) = given.keys().find(|name| !module.outputs.contains_key(*name)) {
        let hint = did_you_mean(unknown, module.outputs.keys().map(|k| &**k));
        let detail = format!("module.{} has no output named {:?}.{hint}", call.name, &**unknown);
        return Err(Diagnostic::error("Invalid made-up value", detail).at(place(&block.span)));
    }
    let output = |(name, output): (&Arc<str>, &Output)| {
        let value = given.get(name).cloned().unwrap_or_else(Value::dynamic_null);
        let value = Expr::new(ExprKind::Literal(value), output.value.span.clone());
        let fixed = Output { value, depends_on: Vec::new(), preconditions: Vec::new(), ..output.clone() };
        (name.clone(), fixed)
    };
    // What is passed in is still of the right type; whether it is valid is the module's own affair, which is not asked.
    let variable = |(name, variable): (&Arc<str>, &Variable)| {
        (name.clone(), Variable { validations: Vec::new(), ..variable.clone() })
    };
    Ok(Module {
        dir: module.dir.clone(),
        variables: module.variables.iter().map(variable).collect(),
        outputs: module.outputs.iter().map(output).collect(),
        required_providers: module.required_providers.clone(),
        unread: module.unread.clone(),
        ..Module::default()
    })
}
