//! Ctrl-C and SIGTERM: the first asks to finish, the second to stop at once, a third ends the process.

use sgp_engine::Interrupt;
use tokio::sync::watch;

use crate::ui::Ui;

/// Begins to listen. Until this is called a signal ends the process, as everywhere.
pub fn listen(ui: &Ui) -> watch::Receiver<Interrupt> {
    let (sender, receiver) = watch::channel(Interrupt::None);
    let ui = ui.clone();
    tokio::spawn(async move {
        for (next, text) in [
            (
                Interrupt::Finish,
                "Interrupted. Calls in flight are finished and recorded, nothing more is started. Interrupt again to stop at once.",
            ),
            (
                Interrupt::Now,
                "Interrupted twice. Stopping at once; the next run looks up what became of the calls in flight.",
            ),
        ] {
            signal().await;
            tell(&ui, text);
            let _ = sender.send(next);
        }
        signal().await;
        std::process::exit(1);
    });
    receiver
}

fn tell(ui: &Ui, text: &str) {
    if ui.json {
        ui.json_lines().log(text);
    } else {
        crate::ui::error_text(&format!("\n{text}\n\n"));
    }
}

/// Waits for Ctrl-C or SIGTERM.
pub async fn signal() {
    any().await;
}

/// Waits for one of them and answers its name, as `kill` takes it.
#[cfg(unix)]
pub async fn any() -> &'static str {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => "INT",
        _ = terminate.recv() => "TERM",
    }
}

/// Waits for Ctrl-C.
#[cfg(not(unix))]
pub async fn any() -> &'static str {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
    "INT"
}
