//! What is checked beside the values that somebody asks for.

use std::sync::Arc;

use sgp_model::{Diagnostic, PathStep, Value};

use super::{
    Env, Evaluator, ModuleInfo, Repetition, World,
    modules::check_arguments,
    objects::unknown_type,
    ops,
    providers::{DECLARE, address, no_provider, unknown_provider},
};
use crate::config::{IgnoreChanges, Module, ModuleCall, ResourceBlock};

impl<W: World> Evaluator<W> {
    /// Evaluates what nothing may have asked for: variables, local values, outputs of every module instance and all
    /// provider configurations, so that mistakes in them are found too.
    pub fn check_rest(&mut self) {
        let (infos, _) = self.expanded();
        for info in infos {
            let config = info.config.clone();
            for name in config.variables.keys() {
                let result = self.variable(&info, name);
                let _ = self.settle(result);
            }
            for name in config.locals.keys() {
                let result = self.local(&info, name);
                let _ = self.settle(result);
            }
            for name in config.outputs.keys() {
                let result = self.output_value(&info, name);
                let _ = self.settle(result);
            }
            if self.inputs.validating {
                self.check_assertions(&info);
            }
            for provider in &config.providers {
                let instances = self.provider_instances(&info, provider);
                let Ok(instances) = self.settle(instances) else { continue };
                for key in instances.keys() {
                    let addr = address(&info, provider);
                    let addr = key.map_or_else(|| addr.clone(), |key| addr.clone().instance(&key));
                    let _ = self.provider_config(&addr);
                }
            }
        }
        self.check_references();
    }

    /// A condition that has no value whatever the variables are is a mistake, also where its result blocks nothing.
    fn check_assertions(&mut self, info: &Arc<ModuleInfo>) {
        let config = info.config.clone();
        for check in config.checks.values().flat_map(|block| &block.asserts) {
            let condition = self.condition(&check.condition, &Env::new(info, &Repetition::None));
            let _ = self.settle(condition);
        }
    }

    /// Evaluates every condition of every module instance, whether or not anything asks for what it belongs to: after an
    /// apply, when all is known that was not while planning.
    pub fn check_conditions(&mut self) {
        let (infos, _) = self.expanded();
        for info in infos {
            let config = info.config.clone();
            for variable in config.variables.values().filter(|v| !v.validations.is_empty()) {
                let result = self.variable(&info, &variable.name);
                let _ = self.settle(result);
            }
            for output in config.outputs.values().filter(|o| !o.preconditions.is_empty()) {
                let result = self.output_value(&info, &output.name);
                let _ = self.settle(result);
            }
            let conditional = |block: &&Arc<ResourceBlock>| {
                !block.lifecycle.preconditions.is_empty() || !block.lifecycle.postconditions.is_empty()
            };
            for block in config.resources.iter().filter(conditional) {
                let result = self.resource_value(&info, block);
                let _ = self.settle(result);
            }
        }
    }

    /// What can be said before anything is evaluated: types, providers and modules' arguments that do not exist.
    pub(super) fn check_static(&mut self) {
        let mut seen: Vec<*const Module> = Vec::new();
        let mut open: Vec<Arc<Module>> = vec![self.config.root.clone()];
        while let Some(module) = open.pop() {
            if seen.contains(&Arc::as_ptr(&module)) {
                continue;
            }
            seen.push(Arc::as_ptr(&module));
            if seen.len() > 1 {
                self.refuse_imports(&module);
            }
            self.check_module(&module);
            open.extend(module.calls.values().rev().map(|c| c.module.clone()));
        }
        self.check_inputs();
    }

    fn check_module(&mut self, module: &Module) {
        let known = self.schemas.provider_names();
        for required in module.required_providers.values() {
            if self.schemas.provider_config(&required.provider).is_none() {
                self.record(unknown_provider(&required.provider, Some(required.span.clone()), &known));
            }
        }
        for provider in &module.providers {
            if self.schemas.provider_config(&provider.name).is_none() {
                self.record(unknown_provider(&provider.name, Some(provider.span.clone()), &known));
            }
        }
        for block in &module.resources {
            if self.schemas.resource(block.mode, &block.type_name).is_none() {
                self.record(unknown_type(block, &*self.schemas));
            }
            self.check_ignored(block);
        }
        for call in module.calls.values() {
            self.check_passed_providers(call, module);
            for diagnostic in check_arguments(call, &call.module) {
                self.record(diagnostic);
            }
        }
    }

    /// Only the root module adopts objects; an `import` block elsewhere would do nothing.
    fn refuse_imports(&mut self, module: &Module) {
        for import in &module.imports {
            self.record(
                Diagnostic::error(
                    "Invalid import configuration",
                    "An import block stands in the root module only. Move it there, and name the resource from there: to = module.name.type.name.",
                )
                .at(import.span.clone()),
            );
        }
    }

    /// Provider configurations that a call passes must be there. Those of a called module may come from outside again.
    fn check_passed_providers(&mut self, call: &ModuleCall, module: &Module) {
        let is_root = std::ptr::eq(module, Arc::as_ptr(&self.config.root));
        for (inside, outside) in &call.providers {
            for (named, of) in [(inside, &*call.module), (outside, module)] {
                let name = of.provider_name(&named.name);
                if self.schemas.provider_config(&name).is_none() {
                    let known = self.schemas.provider_names();
                    self.record(unknown_provider(&name, Some(named.span.clone()), &known));
                }
            }
            let name = module.provider_name(&outside.name);
            let is_there = outside.alias.is_none() || module.provider(&name, outside.alias.as_deref()).is_some();
            if is_root && !is_there && self.schemas.provider_config(&name).is_some() {
                let d = no_provider(module, &name, outside.alias.as_deref(), DECLARE);
                self.record(d.at(outside.span.clone()));
            }
        }
    }

    /// `ignore_changes` of something that the type does not have would ignore nothing.
    fn check_ignored(&mut self, block: &ResourceBlock) {
        let Some(schema) = self.schemas.resource(block.mode, &block.type_name) else { return };
        let IgnoreChanges::Paths(paths) = &block.lifecycle.ignore_changes else { return };
        for (path, span) in paths.iter().zip(&block.lifecycle.ignore_spans) {
            let Some(PathStep::Attr(name)) = path.0.first() else { continue };
            if let Err(d) = ops::attr(&Value::unknown(schema.ty()), name) {
                let d = self.unsupported_attr(d, block, name);
                self.record(d.at(span.clone()));
            }
        }
    }

    /// Values for variables that are not declared: an error where a person named them, nothing in the environment.
    fn check_inputs(&mut self) {
        let declared = &self.config.root.variables;
        if self.config.root.may_declare("var") {
            return;
        }
        let unknown: Vec<_> = self
            .inputs
            .variables
            .iter()
            .filter(|(name, input)| !declared.contains_key(&***name) && !input.from.contains("environment"))
            .map(|(name, input)| {
                let hint = crate::suggest::did_you_mean(name, declared.keys().map(|k| &**k));
                let detail = format!(
                    "A value for {name:?} was given with {}, but the root module declares no variable of that name.{hint}",
                    input.from
                );
                // A file of values is often shared by several configurations.
                match &input.span {
                    Some(span) => sgp_model::Diagnostic::warning("Value for undeclared variable", detail).at(span.clone()),
                    None => sgp_model::Diagnostic::error("Value for undeclared variable", detail),
                }
            })
            .collect();
        for diagnostic in unknown {
            self.record(diagnostic);
        }
    }
}
