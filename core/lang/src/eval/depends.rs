//! `depends_on`: everything that is named is evaluated before, and remembered as an edge of its own.

use std::sync::Arc;

use sgp_model::Diagnostic;

use super::{
    CellId, CellKey, Eval, Evaluator, Gather, Halt, ModuleInfo, Stored, World,
    missing::{closest_resource, out_of_scope},
    resource_addr,
};
use crate::{
    config::{ModuleCall, Reference, ResourceBlock, Target},
    suggest::did_you_mean,
};

impl<W: World> Evaluator<W> {
    /// The cells that an instance depends on by name: its own `depends_on`, and that of every module around it.
    pub(super) fn explicit(&mut self, block: &ResourceBlock, info: &Arc<ModuleInfo>) -> Eval<Vec<CellId>> {
        let mut gather = Gather::default();
        let mut cells = gather.take(self.depend_on(&block.depends_on, info)).unwrap_or_default();
        let mut inner = info.clone();
        while let Some(outer) = &inner.outer {
            if !outer.call.depends_on.is_empty() {
                cells.extend(gather.take(self.module_depends_on(&outer.module.clone(), &outer.call.clone())));
            }
            inner = outer.module.clone();
        }
        gather.finish(cells)
    }

    fn module_depends_on(&mut self, info: &Arc<ModuleInfo>, call: &Arc<ModuleCall>) -> Eval<CellId> {
        let key = CellKey::ModuleDependsOn(info.path.clone(), call.name.clone());
        let (info, call) = (info.clone(), call.clone());
        self.cell(key.clone(), move |this, _| this.depend_on(&call.depends_on, &info).map(|_| Stored::Nothing))?;
        Ok(self.graph.id(&key).expect("the cell was evaluated"))
    }

    /// Evaluates everything that is named; answers with its cells.
    pub(super) fn depend_on(&mut self, references: &[Reference], info: &Arc<ModuleInfo>) -> Eval<Vec<CellId>> {
        let mut gather = Gather::default();
        let mut cells = Vec::new();
        for reference in references {
            let cell = self.depend_on_one(reference, info);
            cells.extend(gather.take(cell));
        }
        gather.finish(cells)
    }

    fn depend_on_one(&mut self, reference: &Reference, info: &Arc<ModuleInfo>) -> Eval<CellId> {
        let undeclared = |what: &str, name: &str, hint: String| {
            if info.config.may_declare(name) {
                return Halt::Failed;
            }
            Diagnostic::error(
                format!("Reference to undeclared {what}"),
                format!("There is no {name} in this module.{hint}"),
            )
            .at(reference.span.clone())
            .into()
        };
        let key = match &reference.target {
            Target::Resource { mode, type_name, name, key } => {
                let Some(block) = info.config.resource(*mode, type_name, name).cloned() else {
                    let prefix = mode.prefix();
                    let hint = closest_resource(&info.config.resources, *mode, type_name, name)
                        .map(|found| format!(" Did you mean {prefix}{found}?"));
                    let given = format!("{prefix}{type_name}.{name}");
                    return Err(undeclared("resource", &given, hint.unwrap_or_default()));
                };
                if block.check.is_some() {
                    let shown = format!("data.{type_name}.{name}");
                    return Err(out_of_scope(&shown, &block).at(reference.span.clone()).into());
                }
                let addr = resource_addr(&info.path, &block);
                let instances = self.resource_instances(info, &block)?;
                if key.is_some() && instances.has(key.as_ref()) {
                    self.instance_of(info, &block, key.clone())?;
                    CellKey::Instance(addr.instance(key.clone()))
                } else {
                    self.resource_value(info, &block)?;
                    CellKey::Resource(addr)
                }
            }
            Target::Module(name) => {
                let Some(call) = info.config.calls.get(name).cloned() else {
                    let hint = did_you_mean(name, info.config.calls.keys().map(|k| &**k));
                    return Err(undeclared("module", &format!("module.{name}"), hint));
                };
                self.contents(info, &call)?;
                CellKey::ModuleContents(info.path.clone(), name.clone())
            }
            Target::Local(name) if info.config.locals.contains_key(name) => {
                self.local(info, name)?;
                CellKey::Local(info.path.clone(), name.clone())
            }
            Target::Variable(name) if info.config.variables.contains_key(name) => {
                self.variable(info, name)?;
                CellKey::Variable(info.path.clone(), name.clone())
            }
            Target::Local(name) => {
                return Err(undeclared("local value", &format!("local.{name}"), String::new()));
            }
            Target::Variable(name) => {
                return Err(undeclared("input variable", &format!("var.{name}"), String::new()));
            }
        };
        Ok(self.graph.id(&key).expect("the cell was evaluated"))
    }

    /// Everything in all instances of a module call, modules inside of it included.
    fn contents(&mut self, info: &Arc<ModuleInfo>, call: &Arc<ModuleCall>) -> Eval<()> {
        let key = CellKey::ModuleContents(info.path.clone(), call.name.clone());
        let (info, call) = (info.clone(), call.clone());
        self.cell(key, move |this, _| {
            let mut gather = Gather::default();
            for child in this.children(&info, &call)? {
                let config = child.config.clone();
                for block in &config.resources {
                    gather.take(this.resource_value(&child, block));
                }
                for inner in config.calls.values() {
                    gather.take(this.contents(&child, inner));
                }
            }
            gather.finish(Stored::Nothing)
        })?;
        Ok(())
    }
}
