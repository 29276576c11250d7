//! `check` blocks after an apply: what they look at is read, and what they assert is judged with what exists now.

use sgp_contract::Write;
use sgp_model::{Diagnostics, InstanceAddr, Value, plan::PlanMode};

use super::Walk;
use crate::reading::read_data;

impl Walk<'_> {
    /// Judges check blocks; nothing of it is more than a warning. After errors there is no whole to judge.
    pub(super) async fn judge_checks(&mut self) {
        let is_part = !self.plan.targets.is_empty() || self.plan.mode == PlanMode::Destroy;
        let stopped = self.shared.is_halted() || self.store_failed.is_some() || self.diagnostics.has_errors();
        if is_part || stopped || !self.evaluator.has_checks() {
            return;
        }
        self.evaluator.world_mut().judging = true;
        loop {
            self.evaluator.look_at_checks();
            let opened = self.open_wanted().await;
            let wanted = std::mem::take(&mut self.evaluator.world_mut().wanted);
            if wanted.is_empty() && !opened {
                break;
            }
            let mut refused: Vec<(InstanceAddr, Result<Value, Diagnostics>)> = Vec::new();
            for (addr, data) in &wanted {
                if let Err(problems) = self.client(&data.provider).await {
                    refused.push((addr.clone(), Err(problems)));
                }
            }
            let mut answers = read_data(self.session(), &self.clients, &wanted).await;
            answers.extend(refused);
            self.evaluator.world_mut().scoped.extend(answers);
        }
        self.evaluator.judge_checks(false);
        let told = self.evaluator.take_diagnostics();
        self.diagnostics.extend(told);
    }

    /// Records what became of all conditions, where that is something else than before. What an apply of a part would say of the
    /// whole is not known, and after everything is destroyed nothing is.
    pub(super) async fn record_checks(&mut self) {
        if !self.plan.targets.is_empty() || self.shared.is_halted() || self.store_failed.is_some() {
            return;
        }
        let checks = match self.plan.mode {
            PlanMode::Destroy if self.diagnostics.has_errors() => return,
            PlanMode::Destroy => Vec::new(),
            PlanMode::Normal | PlanMode::RefreshOnly => self.evaluator.check_results(),
        };
        self.evaluator.take_diagnostics();
        if checks != self.plan.refreshed.checks {
            self.write(vec![Write::Checks(checks)]).await;
        }
    }
}
