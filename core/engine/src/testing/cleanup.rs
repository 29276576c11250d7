//! The end of a file: what its runs made is destroyed, the last first, and what is left over is named.

use std::sync::Arc;

use sgp_lang::testing::Run;
use sgp_model::{Diagnostic, Diagnostics, State, plan::PlanMode, state::RecordKey};
use tokio::sync::watch;

use super::{Status, TestEvent, TestSink, file::Walk};
use crate::{ApplyOptions, Interrupt, PlanOptions, Planned, Session, apply::apply, planner::plan};

/// Destroys what the runs of a file made. Answers whether all of it is gone.
pub(super) async fn clean_up(walk: &mut Walk<'_>, sink: &mut TestSink<'_>) -> Status {
    let file = walk.file;
    let mut states: Vec<(usize, &Run, Session)> =
        std::mem::take(&mut walk.states).into_values().filter_map(|shared| shared.last).collect();
    states.sort_by_key(|(at, ..)| std::cmp::Reverse(*at));
    if *walk.base.interrupt.borrow() == Interrupt::Now {
        let mut held = Vec::new();
        for (_, run, session) in &states {
            held.push((*run, left_over(session).await.0));
        }
        held.retain(|(_, left)| !left.is_empty());
        if !held.is_empty() || !walk.planned.is_empty() {
            sink(TestEvent::Interrupted { file, states: &held, planned: &walk.planned });
        }
        return Status::Error;
    }
    sink(TestEvent::TearDown { file });
    let mut status = Status::default();
    for (_, run, session) in states {
        let mut diagnostics = destroyed(&session).await;
        let (left, state) = left_over(&session).await;
        if left.is_empty() && !diagnostics.has_errors() {
            continue;
        }
        diagnostics.0.retain(Diagnostic::is_error);
        status = Status::Error;
        sink(TestEvent::Cleanup { file, run, diagnostics: &diagnostics, left: &left, state: state.as_ref() });
    }
    status
}

/// Destroys everything in one state. The first Ctrl-C ended the runs; only the second one ends this.
async fn destroyed(session: &Session) -> Diagnostics {
    let (sender, interrupt) = watch::channel(Interrupt::None);
    let mut outer = session.interrupt.clone();
    let hears = async {
        if outer.wait_for(|i| *i == Interrupt::Now).await.is_ok() {
            let _ = sender.send(Interrupt::Now);
        }
        std::future::pending::<()>().await;
    };
    let session = Session { interrupt, events: Arc::new(|_| {}), ..session.clone() };
    let destroys = async {
        let options = PlanOptions { mode: PlanMode::Destroy, live: Some(false), ..PlanOptions::default() };
        let Planned { plan: planned, mut diagnostics } = plan(&session, &options).await;
        if let Some(planned) = planned.filter(|_| !diagnostics.has_errors()) {
            diagnostics.extend(apply(&session, &planned, &ApplyOptions::default()).await.diagnostics);
        }
        diagnostics
    };
    tokio::select! {
        diagnostics = destroys => diagnostics,
        () = hears => Diagnostics::new(),
    }
}

/// What a state still holds, and what may exist although it is not recorded.
async fn left_over(session: &Session) -> (Vec<RecordKey>, Option<State>) {
    let Ok(state) = session.store.load().await else { return (Vec::new(), None) };
    let mut left: Vec<RecordKey> = state.instances.keys().cloned().collect();
    let in_doubt = session.store.open_intents().await.unwrap_or_default();
    left.extend(in_doubt.into_iter().map(|open| open.intent.key));
    left.sort();
    left.dedup();
    (left, Some(state))
}
