//! `replace_triggered_by`: what it names is evaluated before the object that it is about is judged.

use std::sync::Arc;

use sgp_model::{AttrPath, Diagnostic, InstanceKey, Kind, Mode, PathStep, Value};

use super::{
    Env, Eval, Evaluator, Gather, Halt, Instances, ModuleInfo, Triggered, World, missing::closest_resource, ops,
    resource_addr,
};
use crate::{
    config::{Module, ResourceBlock, Trigger, TriggerStep},
    syntax::Expr,
};

impl<W: World> Evaluator<W> {
    /// What the triggers of a block name, evaluated.
    pub(super) fn triggers(
        &mut self,
        block: &ResourceBlock,
        info: &Arc<ModuleInfo>,
        env: &Env<'_>,
    ) -> Eval<Vec<Triggered>> {
        let mut gather = Gather::default();
        let mut found = Vec::new();
        for trigger in &block.lifecycle.replace_triggered_by {
            let one = self.trigger(trigger, info, env);
            found.extend(gather.take(one));
        }
        gather.finish(found)
    }

    fn trigger(&mut self, trigger: &Trigger, info: &Arc<ModuleInfo>, env: &Env<'_>) -> Eval<Triggered> {
        let Some(block) = info.config.resource(Mode::Managed, &trigger.type_name, &trigger.name).cloned() else {
            // Told with the other references.
            return Err(Halt::Failed);
        };
        let addr = resource_addr(&info.path, &block);
        let keys = self.resource_instances(info, &block)?;
        let wanted = match &trigger.key {
            Some(key) if !self.inputs.validating => self.trigger_key(key, env)?,
            _ => None,
        };
        // Which of those that nobody knows yet a key means is told during apply.
        let wanted = wanted.filter(|_| !matches!(*keys, Instances::Open { .. }));
        let path = self.trigger_path(trigger, env)?;
        let Some(key) = wanted else {
            self.resource_value(info, &block)?;
            let instances = keys.keys().into_iter().map(|key| addr.instance(key)).collect();
            return Ok(Triggered { instances, path });
        };
        if !block.repeats() {
            // Told with the other references.
            return Err(Halt::Failed);
        }
        if !keys.has(Some(&key)) {
            let detail = format!("{addr} has no instance {key}, so that its changes cannot trigger a replacement.");
            return Err(Diagnostic::error("Invalid index", detail).at(trigger.span.clone()).into());
        }
        self.instance_of(info, &block, Some(key.clone()))?;
        Ok(Triggered { instances: vec![addr.instance(Some(key))], path })
    }

    /// The instance that an index means; `None` when it is not known.
    fn trigger_key(&mut self, key: &Expr, env: &Env<'_>) -> Eval<Option<InstanceKey>> {
        let value = self.value(key, env)?;
        Ok(match value.kind() {
            Kind::String(text) => Some(InstanceKey::Str(text.clone())),
            Kind::Number(n) => n.to_i64().and_then(|n| u64::try_from(n).ok()).map(InstanceKey::Int),
            _ => None,
        })
    }

    fn trigger_path(&mut self, trigger: &Trigger, env: &Env<'_>) -> Eval<AttrPath> {
        let mut path = AttrPath::root();
        for step in &trigger.path {
            let step = match step {
                TriggerStep::Attr(name) => PathStep::Attr(name.clone()),
                TriggerStep::Index(key) => match self.trigger_key(key, env)? {
                    Some(InstanceKey::Str(key)) => PathStep::Key(key),
                    Some(InstanceKey::Int(n)) => PathStep::Index(usize::try_from(n).unwrap_or(usize::MAX)),
                    // Nobody writes a key that stands for all.
                    None | Some(InstanceKey::Any {}) => break,
                },
            };
            path = path.with(step);
        }
        Ok(path)
    }

    /// Reports triggers that name nothing.
    pub(super) fn check_triggers(&mut self, block: &ResourceBlock, module: &Module) {
        for trigger in &block.lifecycle.replace_triggered_by {
            if let Some(problem) = self.wrong_trigger(trigger, module) {
                self.record(problem.at(trigger.span.clone()));
            }
        }
    }

    fn wrong_trigger(&self, trigger: &Trigger, module: &Module) -> Option<Diagnostic> {
        let Trigger { type_name, name, key, path, .. } = trigger;
        let shown = format!("{type_name}.{name}");
        let Some(named) = module.resource(Mode::Managed, type_name, name) else {
            if module.may_declare(&shown) {
                return None;
            }
            let hint = closest_resource(&module.resources, Mode::Managed, type_name, name);
            let hint = hint.map(|found| format!(" Did you mean {found}?")).unwrap_or_default();
            let detail = format!("A managed resource {shown:?} has not been declared in this module.{hint}");
            return Some(Diagnostic::error("Reference to undeclared resource", detail));
        };
        if key.is_none() && !path.is_empty() && named.repeats() {
            let detail = format!(
                "{shown} repeats, so that its attributes belong to its instances. Name one of them, as in {shown}[{}], or {shown} for a change of any.",
                if named.for_each.is_some() { "each.key" } else { "count.index" }
            );
            return Some(Diagnostic::error("Missing resource instance key", detail));
        }
        if key.is_some() && !named.repeats() {
            let detail = format!("{shown} has neither count nor for_each set, so it is one object and has no index.");
            return Some(Diagnostic::error("Unexpected resource instance key", detail));
        }
        let Some(TriggerStep::Attr(attribute)) = path.first() else { return None };
        let schema = self.schemas.resource(Mode::Managed, type_name)?;
        let problem = ops::attr(&Value::unknown(schema.ty()), attribute).err()?;
        Some(self.unsupported_attr(problem, named, attribute))
    }
}
