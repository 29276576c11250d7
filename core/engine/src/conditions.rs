//! `check` blocks: judged when a plan is made, and once more after an apply, with what exists then.

use sgp_model::{checks::CheckResult, plan::PlanMode};

use crate::planner::Planning;

impl Planning<'_> {
    /// Judges what `check` blocks assert; answers what became of all conditions. A plan with targets speaks of a part of the
    /// configuration and judges no check.
    pub(crate) fn judge_checks(&mut self) -> Vec<CheckResult> {
        if self.options.mode == PlanMode::Destroy || !self.options.targets.is_empty() {
            return Vec::new();
        }
        self.evaluator.judge_checks(self.options.mode == PlanMode::Normal);
        self.evaluator.check_results()
    }
}
