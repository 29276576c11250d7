//! What is checked beside the values that somebody asks for.

use std::sync::Arc;

use super::{Evaluator, World, modules::check_arguments, objects::unknown_type, providers::unknown_provider};
use crate::config::Module;

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
            for provider in &config.providers {
                let addr = sgp_model::ProviderAddr {
                    module: info.path.clone(),
                    name: provider.name.clone(),
                    alias: provider.alias.clone(),
                };
                let _ = self.provider_config(&addr);
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
        }
        for call in module.calls.values() {
            for diagnostic in check_arguments(call, &call.module) {
                self.record(diagnostic);
            }
        }
    }

    /// Values for variables that are not declared: an error where a person named them, nothing in the environment.
    fn check_inputs(&mut self) {
        let declared = &self.config.root.variables;
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
