//! What is not written into a plan: the values of ephemeral variables.

use std::collections::BTreeMap;

use sgp_model::{Diagnostic, Diagnostics, Marks, Value, plan::ResourceChange};

use crate::planner::Planning;

impl Planning<'_> {
    /// The variables of the root module without the ephemeral ones.
    pub(crate) fn stored_variables(&mut self) -> BTreeMap<String, Value> {
        let declared = &self.session.config.root.variables;
        let mut values = self.evaluator.variables();
        values.retain(|name, _| declared.get(name.as_str()).is_none_or(|variable| !variable.ephemeral));
        values
    }

    /// The ephemeral variables that were given a value.
    pub(crate) fn ephemeral_variables(&self) -> Vec<String> {
        let ephemeral = self.session.config.root.variables.values().filter(|variable| variable.ephemeral);
        let given = ephemeral.map(|variable| variable.name.to_string());
        given.filter(|name| self.session.inputs.variables.contains_key(name)).collect()
    }

    /// The last line of defence: nothing ephemeral may be in what is written down. What is told never holds the value.
    pub(crate) fn refuse_ephemerals(&mut self, changes: &[ResourceChange]) {
        for change in changes {
            let holds = |value: &Value| value.deep_marks().contains(Marks::EPHEMERAL);
            if [&change.before, &change.after, &change.config].into_iter().any(holds) {
                let detail = format!(
                    "What is planned for {} holds something ephemeral, which would be written to the plan and the state. It comes from its provider block; use a value there that may be stored.",
                    change.addr
                );
                let problem = Diagnostic::error("Invalid use of ephemeral value", detail).on(&change.addr);
                self.diagnostics.extend(Diagnostics::from(problem));
            }
        }
    }
}
