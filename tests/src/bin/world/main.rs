//! Starts the world of the end-to-end tests for a command or a person.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line talks to its user")]

mod bench;
mod demo;
mod limits;

use clap::{Parser, Subcommand};
use sgp_tests::world::{Error, Options, World};
use std::path::Path;
use std::process::{ExitCode, ExitStatus};
use std::time::Duration;

/// Two AWS emulators behind one endpoint, a seeded VPC and a real Kubernetes API server, on loopback.
#[derive(Parser)]
#[command(name = "sgp-world")]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
    /// Without the API server: needs no Go
    #[arg(long, global = true)]
    no_kubernetes: bool,
    /// With AWS's VPC resource controller, for the cluster of this name; the demo always has it
    #[arg(long, global = true, value_name = "CLUSTER", num_args = 0..=1, default_missing_value = "demo", require_equals = true)]
    controller: Option<String>,
    /// What every call takes
    #[arg(long, global = true, value_name = "N", default_value_t = 0)]
    latency_ms: u64,
    /// With microburst before moto
    #[arg(long, global = true)]
    microburst: bool,
}

#[derive(Subcommand)]
enum Verb {
    /// Run a command in the world's environment, then stop the world
    Run {
        /// The command and its arguments
        #[arg(required = true, last = true)]
        command: Vec<String>,
    },
    /// Print the world's environment as export lines, and keep it until interrupted
    Serve,
    /// Measure whole runs of sgp, with and without endpoints; build with --release for figures
    Bench,
    /// Measure the sandbox in an empty and in a full region; build with --release for figures
    Limits,
    /// Build sgp and show the life of examples/backend-to-rds, up to a pod with groups of its own and away again
    Demo,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("sgp-world: {}", chain(&error));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<ExitCode, Error> {
    match &arguments.verb {
        Verb::Bench => bench::run().map(|()| ExitCode::SUCCESS),
        Verb::Limits => limits::run().map(|()| ExitCode::SUCCESS),
        Verb::Demo => {
            eprintln!("sgp-world: building sgp (the AWS SDK takes some minutes the first time)");
            sgp_tests::binary::sgp()?;
            let world = start(arguments, Some(demo::CLUSTER.to_owned()))?;
            demo::run(&world, &environment(&world)?)
        }
        Verb::Serve => {
            let world = start(arguments, arguments.controller.clone())?;
            for (name, value) in environment(&world)? {
                println!("export {name}='{value}'");
            }
            eprintln!("sgp-world: ready; interrupt to stop");
            wait_for_interrupt();
            Ok(ExitCode::SUCCESS)
        }
        Verb::Run { command } => {
            let world = start(arguments, arguments.controller.clone())?;
            let env = environment(&world)?;
            leave_interrupts_to_the_command();
            let status = world.command(&command[0]).args(&command[1..]).envs(env).status();
            status.map(code).map_err(|source| Error::Io { what: format!("run {}", command[0]), source })
        }
    }
}

fn start(arguments: &Arguments, controller: Option<String>) -> Result<World, Error> {
    eprintln!("sgp-world: starting (the first start builds what it needs, for some minutes)");
    World::start(&Options {
        kubernetes: !arguments.no_kubernetes,
        controller,
        microburst: arguments.microburst,
        latency: Duration::from_millis(arguments.latency_ms),
        ..Options::default()
    })
}

/// The world's environment, and with a cluster its kubectl and kubeconfig.
fn environment(world: &World) -> Result<Vec<(String, String)>, Error> {
    let mut env = world.env();
    if let Some(kubeconfig) = world.kubeconfig() {
        let tools = world.folder().join("bin");
        put_kubectl(&tools, &world.test_cluster_program()?)
            .map_err(|source| Error::Io { what: "write kubectl".to_owned(), source })?;
        let path = std::env::var("PATH").unwrap_or_default();
        env.push(("KUBECONFIG".to_owned(), kubeconfig.display().to_string()));
        env.push(("PATH".to_owned(), format!("{}:{path}", tools.display())));
    }
    Ok(env)
}

fn put_kubectl(folder: &Path, program: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let script = folder.join("kubectl");
    std::fs::create_dir_all(folder)?;
    std::fs::write(&script, format!("#!/bin/sh\nexec '{}' kubectl \"$@\"\n", program.display()))?;
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755))
}

/// The command gets the terminal's interrupt too, and decides; the world ends after it.
fn leave_interrupts_to_the_command() {
    std::thread::spawn(|| {
        loop {
            wait_for_interrupt();
        }
    });
}

fn wait_for_interrupt() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    if let Ok(runtime) = runtime {
        let _ = runtime.block_on(tokio::signal::ctrl_c());
    }
}

fn code(status: ExitStatus) -> ExitCode {
    status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
