//! Blocks whose instances nobody can tell yet: the keys depend on what apply makes known. One instance, with
//! [`InstanceKey::Any`](sgp_model::InstanceKey::Any) for its key, stands for all of them meanwhile.

use std::{collections::BTreeSet, sync::Arc};

use sgp_model::{Diagnostic, ModulePath, ResourceAddr};

use super::{CellId, CellKey, Env, Eval, Evaluator, Instances, ModuleInfo, Repetition, World};
use crate::syntax::{Expr, ExprKind};

/// What decides the keys of a block whose instances are not known.
pub struct OpenKeys {
    /// The cells of `count` and `for_each`: of the block itself and of the modules around it.
    pub cells: Vec<CellId>,
    /// References in them whose values are not known, as they are written.
    pub references: BTreeSet<String>,
    /// What to say when nothing will make the keys known.
    pub refused: Diagnostic,
}

impl<W: World> Evaluator<W> {
    /// Why the instances of a resource cannot be told; `None` when they can.
    pub fn open_keys(&mut self, resource: &ResourceAddr) -> Option<OpenKeys> {
        let mut found: Option<OpenKeys> = None;
        for depth in 0..resource.module.0.len() {
            let outer = ModulePath(resource.module.0[..depth].into());
            let Ok(info) = self.module(&outer) else { break };
            let name = &resource.module.0[depth].name;
            let Some(call) = info.config.calls.get(name).cloned() else { break };
            if matches!(self.call_instances(&info, &call).as_deref(), Ok(Instances::Open { .. })) {
                let cell = CellKey::ModuleExpansion(info.path.clone(), name.clone());
                self.note_open(&mut found, &cell, &info, call.count.as_ref(), call.for_each.as_ref());
            }
        }
        let block = self.block(resource);
        if let Ok((info, block)) = block
            && matches!(self.resource_instances(&info, &block).as_deref(), Ok(Instances::Open { .. }))
        {
            let cell = CellKey::Expansion(resource.clone());
            self.note_open(&mut found, &cell, &info, block.count.as_ref(), block.for_each.as_ref());
        }
        found
    }

    /// Whether the keys that an address may have, in its module or of itself, are not known yet.
    pub fn is_open(&mut self, resource: &ResourceAddr) -> bool {
        let mut path = ModulePath::root();
        for step in resource.module.0.iter() {
            let open = self.module(&path).and_then(|info| match info.config.calls.get(&step.name).cloned() {
                Some(call) => self.call_instances(&info, &call).map(|it| matches!(*it, Instances::Open { .. })),
                None => Ok(false),
            });
            if matches!(open, Ok(true)) {
                return true;
            }
            path = path.child(step.name.clone(), step.key.clone());
        }
        let instances: Eval<Arc<Instances>> =
            self.block(resource).and_then(|(info, block)| self.resource_instances(&info, &block));
        matches!(instances.as_deref(), Ok(Instances::Open { .. }))
    }

    fn note_open(
        &mut self,
        found: &mut Option<OpenKeys>,
        cell: &CellKey,
        info: &Arc<ModuleInfo>,
        count: Option<&Expr>,
        for_each: Option<&Expr>,
    ) {
        let (Some(expr), Some(cell)) = (count.or(for_each), self.graph.id(cell)) else { return };
        let env = Env::new(info, &Repetition::None);
        let (summary, what, it) = match count {
            Some(_) => ("Invalid count argument", "The count", "it"),
            None => ("Invalid for_each argument", "The keys of for_each", "them"),
        };
        let detail = format!(
            "{what} cannot be known while planning, and nothing that this plan does makes {it} known. Make {it} depend on variables, on local values or on objects that are planned."
        );
        let open = found.get_or_insert_with(|| OpenKeys {
            cells: Vec::new(),
            references: BTreeSet::new(),
            refused: Diagnostic::error(summary, detail).at(expr.span.clone()),
        });
        open.cells.push(cell);
        expr.walk(&mut |e| {
            if !matches!(&*e.kind, ExprKind::Name(_) | ExprKind::Attr(..) | ExprKind::Index(..)) {
                return true;
            }
            let Some((text, value)) = self.known(e, &env) else { return true };
            if !value.is_wholly_known() {
                open.references.insert(text);
            }
            false
        });
    }
}
