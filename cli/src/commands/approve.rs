//! Asking before anything is changed.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use sgp_engine::Interrupt;
use sgp_model::{Diagnostic, Diagnostics, plan::PlanMode};
use tokio::sync::{oneshot, watch};

/// Asks on the terminal; `true` only for `yes`. Without a terminal the answer is read from standard input.
///
/// # Errors
/// When nobody can be asked.
pub async fn plan(mode: PlanMode, interrupt: watch::Receiver<Interrupt>) -> Result<bool, Diagnostics> {
    let (question, explanation) = match mode {
        PlanMode::Normal => (
            "Do you want to perform these actions?",
            "sgp will perform the actions described above.\n  Only 'yes' will be accepted to approve.",
        ),
        PlanMode::Destroy => (
            "Do you really want to destroy all these objects?",
            "sgp will destroy everything that is shown above. There is no undo.\n  Only 'yes' will be accepted to confirm.",
        ),
        PlanMode::RefreshOnly => (
            "Do you want to record these changes in the state?",
            "No real object is changed.\n  Only 'yes' will be accepted to confirm.",
        ),
    };
    ask(question, explanation, interrupt).await
}

/// Asks one question.
///
/// # Errors
/// When standard input is closed without an answer.
pub async fn ask(
    question: &str,
    explanation: &str,
    mut interrupt: watch::Receiver<Interrupt>,
) -> Result<bool, Diagnostics> {
    let _ = write!(io::stdout().lock(), "\n{question}\n  {explanation}\n\n  Enter a value: ")
        .and_then(|()| io::stdout().flush());
    let (sender, answer) = oneshot::channel();
    // A read cannot be called off: it gets a thread that the end of the process takes along.
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line);
        let _ = sender.send(read.map(|n| (n > 0).then_some(line)));
    });
    let answer = tokio::select! {
        answer = answer => answer,
        () = interrupted(&mut interrupt) => return Ok(false),
    };
    if !io::stdin().is_terminal() {
        let _ = writeln!(io::stdout().lock());
    }
    match answer {
        Ok(Ok(Some(line))) => Ok(line.trim() == "yes"),
        _ => Err(nobody()),
    }
}

/// The error when nobody can be asked.
pub fn nobody() -> Diagnostics {
    Diagnostic::error(
        "Approval needed",
        "There is nobody to ask here. Give -auto-approve to go on without asking, or save a plan with `sgp plan -out=FILE`, look at it, and run `sgp apply FILE`.",
    )
    .into()
}

async fn interrupted(interrupt: &mut watch::Receiver<Interrupt>) {
    if interrupt.wait_for(|i| *i != Interrupt::None).await.is_err() {
        std::future::pending::<()>().await;
    }
}
