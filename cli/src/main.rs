//! `sgp` gives Kubernetes pods on Amazon EKS their own AWS security groups, the Terraform way: plan, apply, done.
//!
//! This crate is the edge where everything meets: it reads the command line, opens configuration, state and providers
//! ([`session`]), asks the engine for one thing ([`commands`]) and shows what it answered ([`render`]). It decides nothing
//! about infrastructure. Read [`commands`] first.

mod args;
mod argv;
mod clock;
mod commands;
mod docs;
mod files;
mod interrupt;
mod log;
mod render;
mod session;
mod ui;
mod vars;

use std::{ffi::OsString, process::ExitCode, thread};

/// Values, expressions and plans nest; this is ample for the depths that the language allows.
const STACK_BYTES: usize = 512 << 20;
/// The same for tasks of the runtime.
const TASK_STACK_BYTES: usize = 64 << 20;

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    let main = thread::Builder::new().name("main".into()).stack_size(STACK_BYTES).spawn(|| run(args));
    let code = main.map_or_else(
        |e| {
            ui::error_text(&format!("sgp cannot start: {e}\n"));
            1
        },
        // The panic has already said what it is.
        |thread| thread.join().unwrap_or(101),
    );
    ExitCode::from(code)
}

/// Answers the exit code.
fn run(args: Vec<OsString>) -> u8 {
    let command = args::command();
    // `fmt` answers a wrong flag as it answers a broken file.
    let wrong = if args.iter().skip(1).any(|a| a == "fmt") { 2 } else { 1 };
    let args = match argv::normalise(args, &command, &|name| std::env::var(name).ok()) {
        Ok(args) => args,
        Err(text) => return usage(&text),
    };
    let matches = match command.try_get_matches_from(args) {
        Ok(matches) => matches,
        Err(e) => {
            let _ = e.print();
            hint(&e);
            return if e.use_stderr() { wrong } else { 0 };
        }
    };
    if let Some(dir) = matches.get_one::<std::path::PathBuf>("chdir")
        && let Err(e) = std::env::set_current_dir(dir)
    {
        return usage(&format!("The folder {} of -chdir cannot be entered: {e}.", dir.display()));
    }
    log::start();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(TASK_STACK_BYTES).build();
    match runtime {
        Ok(runtime) => {
            let code = runtime.block_on(commands::run(&matches));
            // A read of standard input that nobody answers must not hold the process.
            runtime.shutdown_background();
            code
        }
        Err(e) => usage(&format!("The asynchronous runtime cannot start: {e}.")),
    }
}

/// What to do instead of a flag of Terraform's that cannot mean the same here.
fn hint(error: &clap::Error) {
    use clap::error::{ContextKind, ContextValue};
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else { return };
    match flag.as_str() {
        "--state" | "--state-out" => {
            ui::error_text("\nsgp keeps its state in the folder .sgp; SGP_DATA_DIR=FOLDER names another one.\n");
        }
        "--config" => ui::error_text("\nTo work in another folder write sgp -chdir=FOLDER before the command.\n"),
        _ => {}
    }
}

fn usage(text: &str) -> u8 {
    ui::error_text(&format!("{text}\n"));
    1
}
