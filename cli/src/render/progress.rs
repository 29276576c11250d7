//! What happens during a run, for people: a live line for each object that is waited for on a terminal, plain lines elsewhere.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use sgp_engine::{EphemeralOp, Event, EventSink, Rollout};
use sgp_model::{InstanceAddr, SourceMap, plan::Action};

use super::{
    diagnostics,
    paint::{Paint, plural},
};
use crate::ui::Output;

/// How often a live line moves.
const TICK: Duration = Duration::from_millis(120);

/// Writes events as lines.
pub struct Progress {
    paint: Paint,
    output: Arc<Output>,
    /// For diagnostics that are told at once.
    sources: SourceMap,
    live: Option<Live>,
}

/// Live lines below the plain ones.
struct Live {
    lines: MultiProgress,
    bars: Mutex<HashMap<String, ProgressBar>>,
}

impl Progress {
    /// Plain lines to the output; with `live`, moving lines below them on the terminal.
    pub fn new(paint: Paint, output: Arc<Output>, sources: SourceMap, live: bool) -> Self {
        let live = live.then(|| Live {
            lines: MultiProgress::with_draw_target(ProgressDrawTarget::stdout_with_hz(10)),
            bars: Mutex::default(),
        });
        Self { paint, output, sources, live }
    }

    fn print(&self, text: &str) {
        match &self.live {
            // Without any moving line there is nothing to draw around.
            Some(live) if !live.lock().is_empty() => {
                let _ = live.lines.println(text);
            }
            _ => self.output.line(text),
        }
    }
}

impl Live {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, ProgressBar>> {
        self.bars.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self, key: String, message: String) {
        let bar = self.lines.add(ProgressBar::new_spinner());
        bar.set_style(
            ProgressStyle::with_template("{spinner} {wide_msg} [{elapsed}]")
                .unwrap_or_else(|_| ProgressStyle::default_spinner()),
        );
        bar.set_message(message);
        bar.enable_steady_tick(TICK);
        if let Some(old) = self.lock().insert(key, bar) {
            old.finish_and_clear();
        }
    }

    fn update(&self, key: &str, message: String) {
        if let Some(bar) = self.lock().get(key) {
            bar.set_message(message);
        }
    }

    fn end(&self, key: &str) {
        let bar = self.lock().remove(key);
        if let Some(bar) = bar {
            bar.finish_and_clear();
            self.lines.remove(&bar);
        }
    }
}

impl EventSink for Progress {
    fn emit(&self, event: Event) {
        if let Event::Diagnostic(diagnostic) = &event {
            self.print(&diagnostics::render(diagnostic, &self.sources, self.paint));
            return;
        }
        if let Some(live) = &self.live {
            match &event {
                Event::RefreshStart { type_name, .. } => {
                    live.start(format!("refresh {type_name}"), line(&event, self.paint).unwrap_or_default());
                    return;
                }
                Event::RefreshComplete { type_name, .. } => live.end(&format!("refresh {type_name}")),
                Event::ReadStart { addr } => {
                    live.start(format!("read {addr}"), line(&event, self.paint).unwrap_or_default());
                    return;
                }
                Event::ReadComplete { addr, .. } => live.end(&format!("read {addr}")),
                Event::LookStart => {
                    live.start("look".to_owned(), "Looking at what runs...".to_owned());
                    return;
                }
                Event::LookComplete => live.end("look"),
                Event::RolloutStart { workload, .. } => {
                    live.start(workload.clone(), line(&event, self.paint).unwrap_or_default());
                    return;
                }
                Event::RolloutProgress { workload, status, .. } => {
                    let status = self.paint.dim(status);
                    live.update(workload, format!("{}: Rolling out... {status}", self.paint.bold(workload)));
                    return;
                }
                Event::RolloutComplete { workload, .. } | Event::RolloutErrored { workload, .. } => live.end(workload),
                Event::ApplyStart { addr, action, .. } => {
                    live.start(addr.to_string(), waiting(addr, *action, None, self.paint));
                    return;
                }
                Event::ApplyProgress { addr, action, status, .. } => {
                    live.update(&addr.to_string(), waiting(addr, *action, status.as_deref(), self.paint));
                    return;
                }
                Event::ApplyComplete { addr, .. } | Event::ApplyErrored { addr, .. } => live.end(&addr.to_string()),
                _ => {}
            }
        }
        if let Some(text) = line(&event, self.paint) {
            self.print(&text);
        }
    }
}

/// What a live line says.
fn waiting(addr: &InstanceAddr, action: Action, status: Option<&str>, paint: Paint) -> String {
    let status = status.map_or_else(String::new, |s| format!(" {}", paint.dim(s)));
    format!("{}: {}...{status}", paint.bold(&addr.to_string()), Verb::of(action).start)
}

/// The words for one action.
struct Verb {
    start: &'static str,
    going_on: &'static str,
    done: &'static str,
}

impl Verb {
    fn of(action: Action) -> Self {
        let (start, going_on, done) = match action {
            Action::Create => ("Creating", "creating", "Creation"),
            Action::Read => ("Reading", "reading", "Read"),
            Action::Update | Action::DeleteThenCreate | Action::CreateThenDelete | Action::ForgetThenCreate => {
                ("Modifying", "modifying", "Modifications")
            }
            Action::Delete => ("Destroying", "destroying", "Destruction"),
            Action::NoOp => ("Recording", "recording", "Recording"),
            Action::Forget => ("Forgetting", "forgetting", "Forgetting"),
        };
        Self { start, going_on, done }
    }
}

/// The line for an event; `None` for events that need none.
pub fn line(event: &Event, paint: Paint) -> Option<String> {
    let bold = |what: &dyn std::fmt::Display| paint.bold(&what.to_string());
    Some(match event {
        Event::RefreshStart { type_name, count } => {
            format!("{}: Refreshing state... [{}]", bold(type_name), plural(*count, "object"))
        }
        Event::RefreshComplete { .. } | Event::Diagnostic(_) | Event::LookStart | Event::LookComplete => return None,
        Event::RolloutStart { workload, rollout: Rollout::Restart } => format!("{}: Restarting...", bold(workload)),
        Event::RolloutStart { workload, rollout: Rollout::Await } => {
            format!("{}: Waiting for its rollout...", bold(workload))
        }
        Event::RolloutProgress { workload, status, elapsed } => {
            format!("{}: Still rolling out... [{status}, {} elapsed]", bold(workload), duration(*elapsed))
        }
        Event::RolloutComplete { workload, elapsed, .. } => {
            format!("{}: Rollout complete after {}", bold(workload), duration(*elapsed))
        }
        Event::RolloutErrored { workload, elapsed, .. } => {
            format!("{}: Rollout {} after {}", bold(workload), paint.red("failed"), duration(*elapsed))
        }
        Event::Expanded { addr, instances } => {
            format!("{}: {}, now that their keys are known", bold(addr), plural(*instances, "instance"))
        }
        Event::ReadStart { addr } => format!("{}: Reading...", bold(addr)),
        Event::ReadComplete { addr, id, elapsed } => {
            format!("{}: Read complete after {}{}", bold(addr), duration(*elapsed), bracketed(id.as_deref()))
        }
        Event::EphemeralStart { addr, op } => format!("{}: {}...", bold(addr), ephemeral(*op).0),
        Event::EphemeralComplete { addr, op, elapsed } => {
            format!("{}: {} complete after {}", bold(addr), ephemeral(*op).0, duration(*elapsed))
        }
        Event::Recovered { addr, what } => format!("{}: {}: {what}", bold(addr), paint.yellow("Recovered")),
        Event::ApplyStart { addr, action, deposed, id } => {
            let object = deposed.as_ref().map_or_else(String::new, |key| format!(" (deposed object {key})"));
            format!("{}{object}: {}...{}", bold(addr), Verb::of(*action).start, bracketed(id.as_deref()))
        }
        Event::ApplyProgress { addr, action, status, elapsed } => {
            let status = status.as_ref().map_or_else(String::new, |s| format!("{s}, "));
            format!("{}: Still {}... [{status}{} elapsed]", bold(addr), Verb::of(*action).going_on, duration(*elapsed))
        }
        Event::ApplyComplete { addr, action, id, elapsed } => {
            let id = if *action == Action::Delete { String::new() } else { bracketed(id.as_deref()) };
            format!("{}: {} complete after {}{id}", bold(addr), Verb::of(*action).done, duration(*elapsed))
        }
        Event::ApplyErrored { addr, action, elapsed } => {
            let failed = paint.red("failed");
            format!("{}: {} {failed} after {}", bold(addr), Verb::of(*action).done, duration(*elapsed))
        }
        Event::Skipped { addr, action } => {
            format!("{}: {} skipped", bold(addr), Verb::of(*action).done)
        }
    })
}

/// What is done with an ephemeral resource: for people, and as Terraform's formats spell it.
pub fn ephemeral(op: EphemeralOp) -> (&'static str, &'static str) {
    match op {
        EphemeralOp::Open => ("Opening", "open"),
        EphemeralOp::Renew => ("Renewing", "renew"),
        EphemeralOp::Close => ("Closing", "close"),
    }
}

fn bracketed(id: Option<&str>) -> String {
    id.map_or_else(String::new, |id| format!(" [id={id}]"))
}

/// Whole seconds as people count them: `45s`, `10m5s`, `1h0m0s`.
pub fn duration(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s}s"),
        (0, m, s) => format!("{m}m{s}s"),
        (h, m, s) => format!("{h}h{m}m{s}s"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use sgp_model::address::parse_instance;

    use super::*;

    #[test]
    fn events_read_as_lines() {
        let addr = || parse_instance("aws_eks_cluster.this").unwrap();
        let at = Duration::from_millis;
        let events = [
            Event::RefreshStart { type_name: "aws_security_group".into(), count: 300 },
            Event::RefreshComplete { type_name: "aws_security_group".into(), count: 300, elapsed: at(900) },
            Event::ReadComplete { addr: addr(), id: Some("x".into()), elapsed: at(900) },
            Event::EphemeralStart { addr: addr(), op: EphemeralOp::Open },
            Event::EphemeralComplete { addr: addr(), op: EphemeralOp::Open, elapsed: at(900) },
            Event::ApplyStart { addr: addr(), action: Action::Create, deposed: None, id: None },
            Event::ApplyProgress {
                addr: addr(),
                action: Action::Create,
                status: Some("CREATING".into()),
                elapsed: at(70_000),
            },
            Event::ApplyProgress { addr: addr(), action: Action::Delete, status: None, elapsed: at(10_000) },
            Event::ApplyComplete {
                addr: addr(),
                action: Action::Create,
                id: Some("orders".into()),
                elapsed: at(3_725_000),
            },
            Event::ApplyStart {
                addr: addr(),
                action: Action::Delete,
                deposed: Some("0123abcd".into()),
                id: Some("orders".into()),
            },
            Event::ApplyComplete { addr: addr(), action: Action::Delete, id: Some("orders".into()), elapsed: at(100) },
            Event::ApplyErrored { addr: addr(), action: Action::Update, elapsed: at(3_000) },
            Event::Skipped { addr: addr(), action: Action::Create },
            Event::Recovered { addr: addr(), what: "found by its tag and adopted".into() },
        ];
        let lines: Vec<_> = events.iter().filter_map(|e| line(e, Paint::plain())).collect();
        insta::assert_snapshot!(lines.join("\n"));
    }
}
