//! The main job as a person would do it: each command is shown before it runs, and its output goes to the terminal.

use sgp_tests::{
    binary, leftovers,
    world::{Error, World},
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    thread,
    time::{Duration, Instant},
};

/// The cluster of the example, which the controller serves.
pub const CLUSTER: &str = "orders";
const EXAMPLE: &str = "backend-to-rds";
/// How long the controller may take.
const PATIENCE: Duration = Duration::from_secs(60);
const ANNOTATION: &str = r"jsonpath={.metadata.annotations.vpc\.amazonaws\.com/pod-eni}";

/// Plays the demo; the exit code says whether everything came and went as it should.
pub fn run(world: &World, env: &[(String, String)]) -> Result<ExitCode, Error> {
    let mut demo = Demo { world, env, folder: copy_of_the_example(world)?, sgp: binary::sgp()?, failed: 0 };
    demo.play()?;
    if demo.failed == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("\nsgp-world: {} of the commands did not end as they should", demo.failed);
    Ok(ExitCode::FAILURE)
}

struct Demo<'a> {
    world: &'a World,
    env: &'a [(String, String)],
    folder: PathBuf,
    sgp: PathBuf,
    failed: u32,
}

impl Demo<'_> {
    fn play(&mut self) -> Result<(), Error> {
        say("A VPC with three private subnets is there, and nothing else. From here to pods with groups of their own:");
        println!("\n$ cd examples/{EXAMPLE}");
        for name in ["TF_VAR_vpc_id", "TF_VAR_subnet_ids"] {
            let value = self.env.iter().find(|(found, _)| found == name).map_or("", |(_, value)| value);
            println!("$ export {name}='{value}'");
        }
        self.run("sgp", &["apply", "-auto-approve"]);
        say("A second plan has nothing to do:");
        self.run("sgp", &["plan", "-detailed-exitcode"]);
        self.show_a_pod()?;
        say(
            "Everything goes again. The groups wait until the controller has let go of the pod's interface (a minute):",
        );
        self.run("kubectl", &["-n", "app", "delete", "pod", "backend", "other", "--now"]);
        self.run("sgp", &["destroy", "-auto-approve"]);
        let left = leftovers::of(self.world)?;
        if left.is_empty() {
            say("Nothing is left in the account and in the cluster.");
        } else {
            self.failed += 1;
            say(&format!("Left behind: {}", left.join(", ")));
        }
        Ok(())
    }

    /// A node joins, and two pods are started: the one that the policy selects gets a branch interface.
    fn show_a_pod(&mut self) -> Result<(), Error> {
        say(
            "A node of m5.large joins. No kubelet runs here, so the pods name it themselves; AWS's own controller does the rest:",
        );
        let node = self.world.add_node("m5.large")?;
        let place = format!(r#"--overrides={{"spec":{{"nodeName":"{}"}}}}"#, node.name);
        let image = "--image=registry.k8s.io/pause:3.10";
        self.wait(&["-n", "app", "get", "serviceaccount", "default", "-o", "name"]);
        for name in ["backend", "other"] {
            self.run("kubectl", &["-n", "app", "run", name, image, &format!("--labels=app={name}"), &place]);
        }
        self.wait(&["-n", "app", "get", "pod", "backend", "-o", ANNOTATION]);
        self.run("kubectl", &["-n", "app", "get", "pod", "backend", "-o", ANNOTATION]);
        let branch = self.world.branch_interface("app", "backend")?;
        let groups = branch.as_ref().map_or(Vec::new(), |branch| branch.security_group_ids.clone());
        if let Some(branch) = branch {
            say(&format!("EC2 says that {} carries {}, and sgp made:", branch.eni_id, groups.join(", ")));
        }
        self.run("sgp", &["output", "-raw", "backend_security_group_id"]);
        let wanted = self.printed("sgp", &["output", "-raw", "backend_security_group_id"]);
        let other = self.world.branch_interface("app", "other")?;
        if groups == [wanted] && other.is_none() {
            say("\nThe pod that no policy selects has none.");
        } else {
            self.failed += 1;
            say("\nThat is not what the policy says.");
        }
        Ok(())
    }

    fn command(&self, program: &str, args: &[&str]) -> Command {
        let path = if program == "sgp" { self.sgp.clone() } else { program.into() };
        let mut command = self.world.command(path);
        command.args(args).envs(self.env.iter().map(|(name, value)| (name, value))).current_dir(&self.folder);
        command
    }

    /// Shows a command and runs it.
    fn run(&mut self, program: &str, args: &[&str]) {
        let shown: Vec<String> = args.iter().map(|arg| quoted(arg)).collect();
        println!("\n$ {program} {}", shown.join(" "));
        match self.command(program, args).status() {
            Ok(status) if status.success() => {}
            Ok(status) => {
                self.failed += 1;
                eprintln!("sgp-world: {program} ended with {status}");
            }
            Err(error) => {
                self.failed += 1;
                eprintln!("sgp-world: {program} did not start: {error}");
            }
        }
    }

    /// What a command prints.
    fn printed(&self, program: &str, args: &[&str]) -> String {
        let output = self.command(program, args).output();
        output.map_or_else(|_| String::new(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Waits until kubectl has something to print.
    fn wait(&self, args: &[&str]) {
        let start = Instant::now();
        while self.printed("kubectl", args).is_empty() && start.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(200));
        }
    }
}

fn say(text: &str) {
    println!("\n# {}", text.trim_start_matches('\n'));
}

/// An argument as a person would type it.
fn quoted(arg: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,".contains(c);
    if arg.chars().all(is_plain) { arg.to_owned() } else { format!("'{arg}'") }
}

/// The demo's state belongs to the demo's world, not beside the example.
fn copy_of_the_example(world: &World) -> Result<PathBuf, Error> {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(EXAMPLE);
    let to = world.folder().join(EXAMPLE);
    let copy = || {
        fs::create_dir_all(&to)?;
        for file in fs::read_dir(&from)? {
            let file = file?.path();
            if let Some(name) = file.file_name().filter(|_| file.extension().is_some_and(|e| e == "tf")) {
                fs::copy(&file, to.join(name))?;
            }
        }
        Ok(())
    };
    copy().map_err(|source| Error::Io { what: format!("copy {}", from.display()), source })?;
    Ok(to)
}
