//! Standard output and error: the only place that writes to them.

use std::{
    io::{self, IsTerminal as _, Write as _},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use sgp_model::{Diagnostic, Diagnostics, SourceMap};

use crate::render::{diagnostics, json_ui::JsonUi, paint::Paint};

/// Where text for standard output goes.
#[derive(Debug, Default)]
pub struct Output {
    /// The reader went away (`sgp show | head`): go on quietly, an apply must not die of it.
    closed: AtomicBool,
    /// Kept instead of written, for tests.
    captured: Option<Mutex<String>>,
}

impl Output {
    /// Keeps what is written.
    #[cfg(test)]
    pub fn captured() -> Self {
        Self { captured: Some(Mutex::default()), ..Self::default() }
    }

    /// What was kept so far.
    #[cfg(test)]
    pub fn taken(&self) -> String {
        let kept = self.captured.as_ref().expect("only captured output is taken");
        std::mem::take(&mut *kept.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes text as it is.
    pub fn text(&self, text: &str) {
        if let Some(kept) = &self.captured {
            kept.lock().unwrap_or_else(PoisonError::into_inner).push_str(text);
            return;
        }
        if self.closed.load(Ordering::Relaxed) {
            return;
        }
        let mut stdout = io::stdout().lock();
        if stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).is_err() {
            self.closed.store(true, Ordering::Relaxed);
        }
    }

    /// Writes a line.
    pub fn line(&self, text: &str) {
        self.text(&format!("{text}\n"));
    }
}

/// Writes to standard error; there is nobody to tell when that fails.
pub fn error_text(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// How one command talks to its reader.
#[derive(Clone)]
pub struct Ui {
    /// Standard output.
    pub output: Arc<Output>,
    /// How text for standard output is written.
    pub paint: Paint,
    /// Whether every message is a JSON line.
    pub json: bool,
    /// Whether warnings are shortened.
    pub compact_warnings: bool,
    /// The texts that diagnostics point into; filled once the configuration is loaded.
    sources: Arc<Mutex<SourceMap>>,
}

impl Ui {
    /// A command's voice. Colour only on a terminal, and never with `-no-color` or `NO_COLOR`.
    pub fn new(no_color: bool, json: bool) -> Self {
        let wanted = !no_color && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
        Self {
            output: Arc::new(Output::default()),
            paint: Paint {
                colour: wanted && stdout_is_terminal(),
                width: width(stdout_is_terminal()),
                ascii: stdout_is_terminal() && is_ascii(),
            },
            json,
            compact_warnings: false,
            sources: Arc::default(),
        }
    }

    /// The texts that later diagnostics may point into.
    pub fn set_sources(&self, sources: SourceMap) {
        *self.sources.lock().unwrap_or_else(PoisonError::into_inner) = sources;
    }

    /// Writes text for people; nothing in JSON mode.
    pub fn say(&self, text: &str) {
        if !self.json {
            self.output.line(text);
        }
    }

    /// Shows diagnostics: errors on standard error, warnings on standard output, all of them as lines in JSON mode.
    pub fn diagnostics(&self, all: &Diagnostics) {
        if self.json {
            let lines = self.json_lines();
            all.iter().for_each(|d| lines.diagnostic(d));
            return;
        }
        let sources = self.sources();
        let (errors, warnings): (Vec<Diagnostic>, Vec<Diagnostic>) =
            all.iter().cloned().partition(Diagnostic::is_error);
        let (errors, warnings) = (Diagnostics(errors), Diagnostics(warnings));
        let render = if self.compact_warnings { diagnostics::render_compact } else { diagnostics::render_all };
        self.output.text(&render(&warnings, &sources, self.paint));
        let on_terminal = io::stderr().is_terminal();
        let paint = Paint { colour: self.paint.colour && on_terminal, width: width(on_terminal), ..self.paint };
        error_text(&diagnostics::render_all(&errors, &sources, paint));
    }

    /// The machine-readable form of this voice.
    pub fn json_lines(&self) -> JsonUi {
        JsonUi::new(self.output.clone(), self.sources())
    }

    /// A copy of the texts that diagnostics point into.
    pub fn sources(&self) -> SourceMap {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Whether the locale says that the terminal shows ASCII alone (POSIX, "Environment Variables": the first of these counts).
fn is_ascii() -> bool {
    let stated = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|it| !it.is_empty()));
    stated.is_some_and(|locale| {
        let locale = locale.to_ascii_lowercase();
        !locale.contains("utf-8") && !locale.contains("utf8")
    })
}

/// Whether a person sees what is written to standard output.
pub fn stdout_is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Columns of the terminal, within what reads well; `None` off a terminal.
fn width(on_terminal: bool) -> Option<usize> {
    let columns = terminal_size::terminal_size().map_or(80, |(columns, _)| usize::from(columns.0));
    on_terminal.then(|| columns.clamp(40, 120))
}
