//! Where scripts play: a folder, the program under test and the world.
//!
//! Lines of scripts that are about the world:
//! - `@example NAME` copies an example into the folder;
//! - `@fault SERVICE OPERATION EFFECT [NTH [TIMES]]` breaks calls: `throttle`, `error`, `cut`, `lost` (served, the answer lost),
//!   `slow:SECONDS`, `refuse:CODE`; `@heal` takes all faults away;
//! - `@aws SERVICE ACTION NAME=VALUE ...` is somebody else at work;
//! - `@cluster create PATH JSON`, `@cluster set PATH POINTER JSON`, `@cluster delete PATH` is somebody else at work in the cluster; `*` at the
//!   end of a path's part is the first object that is there;
//! - `@calls` says how many calls changed something since the last time, `@operations` which;
//! - `@pods NAMESPACE` says which groups the pods of a namespace carry, as EC2 has them;
//! - `@leftovers` says what the world holds that was not there at the beginning.

use sgp_tests::{
    binary, leftovers,
    script::Stage,
    world::{Call, Effect, Match, Rule, World},
};
use std::{collections::BTreeMap, fs, path::Path, process::Command, time::Duration};
use tempfile::TempDir;

/// A folder in a world.
pub struct Live<'a> {
    world: &'a World,
    folder: TempDir,
}

impl<'a> Live<'a> {
    /// An empty folder.
    pub fn new(world: &'a World) -> Self {
        Self { world, folder: tempfile::tempdir().unwrap() }
    }

    /// A folder with an example.
    pub fn example(world: &'a World, name: &str) -> Self {
        let live = Self::new(world);
        live.copy_example(name);
        live
    }

    /// Runs `sgp` to its end, which must be a good one, and answers what it printed.
    pub fn sgp(&self, args: &[&str]) -> String {
        let output = self.command("sgp").args(args).current_dir(self.folder.path()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "sgp {}: {}\n{text}\n{errors}", args.join(" "), output.status);
        text
    }

    fn copy_example(&self, name: &str) {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name);
        for file in fs::read_dir(&example).unwrap_or_else(|error| panic!("{}: {error}", example.display())) {
            let file = file.unwrap().path();
            if file.extension().is_some_and(|extension| extension == "tf") {
                fs::copy(&file, self.folder.path().join(file.file_name().unwrap())).unwrap();
            }
        }
    }

    fn mutating(&self) -> Vec<Call> {
        let calls = self.world.calls().into_iter().filter(|call| call.is_mutating).collect();
        self.world.clear_calls();
        calls
    }
}

impl Stage for Live<'_> {
    fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, program: &str) -> Command {
        let sgp = binary::sgp().unwrap();
        let mut command = if program == "sgp" { self.world.command(&sgp) } else { self.world.command(program) };
        let path = std::env::var("PATH").unwrap_or_default();
        // A shell in a script finds the program under test, too.
        command.env("PATH", format!("{}:{path}", sgp.parent().unwrap().display()));
        command.env("NO_COLOR", "1").env("COLUMNS", "100").env_remove("RUST_LOG");
        command
    }

    fn direct(&mut self, words: &[String]) -> String {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words[..] {
            ["@example", name] => self.copy_example(name),
            ["@heal"] => self.world.clear_faults(),
            ["@fault", service, operation, effect, ref rest @ ..] => {
                let number = |at: usize| rest.get(at).map_or(1, |n| n.parse().unwrap());
                let matching = Match::operation(service, operation);
                self.world.add_fault(Rule { matching, nth: number(0), times: number(1), effect: effect_of(effect) });
            }
            ["@aws", service, action, ref params @ ..] => {
                let params: Vec<(&str, &str)> = params.iter().filter_map(|param| param.split_once('=')).collect();
                self.world.aws(service, action, &params).unwrap();
            }
            ["@cluster", "create", path, object] => {
                self.world.kubernetes("POST", path, Some(&json(object))).unwrap();
            }
            ["@cluster", "set", path, pointer, value] => {
                set(self.world, &first_of(self.world, path), pointer, json(value));
            }
            ["@cluster", "delete", path] => {
                self.world.kubernetes("DELETE", &first_of(self.world, path), None).unwrap();
            }
            ["@calls"] => return format!("{} calls changed something\n", self.mutating().len()),
            ["@operations"] => return counted(&self.mutating()),
            ["@pods", namespace] => return pods(self.world, namespace),
            ["@leftovers"] => return told(&leftovers::of(self.world).unwrap()),
            _ => panic!("no line of a script: {words:?}"),
        }
        String::new()
    }
}

/// The pods of a namespace by label `app`, with the groups of their branch interfaces as EC2 has them.
fn pods(world: &World, namespace: &str) -> String {
    let found = world.kubernetes("GET", &format!("/api/v1/namespaces/{namespace}/pods"), None).unwrap();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let stays = |pod: &&serde_json::Value| pod["metadata"]["deletionTimestamp"].is_null();
    for pod in found["items"].as_array().into_iter().flatten().filter(stays) {
        let name = pod["metadata"]["name"].as_str().unwrap();
        let groups = world.branch_interface(namespace, name).unwrap().map(|it| {
            let mut names: Vec<String> = it.security_group_ids.iter().map(|id| group_name(world, id)).collect();
            names.sort();
            names.join(", ")
        });
        let (app, phase) = (&pod["metadata"]["labels"]["app"], &pod["status"]["phase"]);
        let (app, phase) = (app.as_str().unwrap_or(name), phase.as_str().unwrap_or_default());
        *counts
            .entry(format!("{app} {phase} with {}", groups.unwrap_or("its node's groups".to_owned())))
            .or_default() += 1;
    }
    counts.iter().map(|(pod, count)| format!("{count} {pod}\n")).collect()
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A path with the name of the first object that is there in place of `*`.
fn first_of(world: &World, path: &str) -> String {
    let Some((list, rest)) = path.split_once("/*") else { return path.to_owned() };
    let found = world.kubernetes("GET", list, None).unwrap();
    format!("{list}/{}{rest}", found["items"][0]["metadata"]["name"].as_str().unwrap())
}

/// Sets a field of an object, which need not be there yet.
fn set(world: &World, path: &str, pointer: &str, value: serde_json::Value) {
    let mut object = world.kubernetes("GET", path.trim_end_matches("/status"), None).unwrap();
    let mut field = &mut object;
    for part in pointer.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        field = match part.parse::<usize>() {
            Ok(at) if field.is_array() => &mut field[at],
            _ => &mut field[part],
        };
    }
    *field = value;
    world.kubernetes("PUT", path, Some(&object)).unwrap();
}

fn group_name(world: &World, id: &str) -> String {
    let answer = world.aws("ec2", "DescribeSecurityGroups", &[("GroupId.1", id)]).unwrap();
    let name = answer.split_once("<groupName>").and_then(|(_, rest)| rest.split_once("</groupName>"));
    name.unwrap_or_default().0.to_owned()
}

fn effect_of(text: &str) -> Effect {
    match text.split_once(':') {
        Some(("slow", seconds)) => Effect::Slow(Duration::from_secs_f64(seconds.parse().unwrap())),
        Some(("refuse", code)) => {
            Effect::Refuse { status: 400, code: code.to_owned(), message: "refused by the script".to_owned() }
        }
        None if text == "throttle" => Effect::Throttle,
        None if text == "error" => Effect::ServerError,
        None if text == "cut" => Effect::CutBefore,
        None if text == "lost" => Effect::CutAfterServed,
        _ => panic!("there is no effect {text}"),
    }
}

fn counted(calls: &[Call]) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for call in calls {
        let operation = call.operation.split('?').next().unwrap_or_default();
        *counts.entry(format!("{} {operation}", call.service)).or_default() += 1;
    }
    counts.iter().map(|(operation, count)| format!("{count} {operation}\n")).collect()
}

fn told(left: &[String]) -> String {
    if left.is_empty() { "nothing is left\n".to_owned() } else { left.join("\n") + "\n" }
}
