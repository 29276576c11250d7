//! `sgp test`: runs the test files of a configuration.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use clap::ArgMatches;
use sgp_contract::StateStore;
use sgp_engine::{
    Session,
    testing::{RunResult, TestEvent, TestOptions, TestReport, run_tests},
};
use sgp_lang::{
    Inputs, VariableInput,
    testing::{Suite, load_suite},
};
use sgp_model::{Diagnostic, Diagnostics, State, state::RecordKey};
use sgp_state::MemoryStore;

use super::{Exit, state};
use crate::{
    args::{VarArg, flag, text, texts, var_args},
    render::{self, junit, state_show, test, test_json},
    session::{Room, VERSION},
    ui::error_text,
};

/// Where the state of what is left over goes.
const LEFT_OVER: &str = "errored_test";

/// Runs them.
pub async fn run(room: &mut Room, matches: &ArgMatches) -> Exit {
    if room.ui.json {
        room.ui.json_lines().version(VERSION);
    }
    let directory = text(matches, "test-directory").unwrap_or_else(|| "tests".to_owned());
    if Path::new(&directory).is_absolute() {
        let detail = "-test-directory names a folder in this one, not an absolute path.";
        return Err(Diagnostic::error("Invalid -test-directory", detail).into());
    }
    let suite = load_suite(&directory, &texts(matches, "filter"), &*room.files);
    room.ui.set_sources(suite.sources.clone());
    let mut problems = suite.loaded.diagnostics.clone();
    problems.extend(suite.diagnostics.clone());
    let (variables, inputs) = outside(room, &suite, &var_args(matches), &mut problems);
    if problems.has_errors() {
        return Err(problems);
    }
    room.ui.diagnostics(&problems);
    room.listen();
    let session = session(room, &suite, inputs);
    if room.ui.json {
        test_json::found(&room.ui.json_lines(), &suite.files);
    }
    let options = TestOptions { variables, new_store: Box::new(new_store) };
    let mut teller = Teller { room, verbose: flag(matches, "verbose"), kept: 0, problems: Diagnostics::new() };
    let report = run_tests(&session, &suite, &options, &mut |event| teller.tell(&event)).await;
    let problems = std::mem::take(&mut teller.problems);
    summary(room, &report);
    if let Some(path) = text(matches, "junit-xml") {
        write(&path, &junit::document(&report, &room.ui.sources()))?;
    }
    if problems.has_errors() {
        return Err(problems);
    }
    let stopped = *room.interrupt().borrow() != sgp_engine::Interrupt::None;
    Ok(u8::from(report.status().is_bad() || stopped))
}

fn new_store() -> Arc<dyn StateStore> {
    Arc::new(MemoryStore::new(State::default()))
}

/// Values from flags, files and the environment for each test file, and what else every evaluation depends on. Test files in a
/// folder have the files of values there, too.
fn outside(
    room: &Room,
    suite: &Suite,
    args: &[VarArg],
    problems: &mut Diagnostics,
) -> (BTreeMap<Arc<str>, BTreeMap<String, VariableInput>>, Inputs) {
    let mut sources = suite.sources.clone();
    let mut gather = |args: &[VarArg]| {
        let (inputs, _) = room.inputs(&suite.loaded.config, args, problems);
        let known = room.ui.sources();
        for name in known.files() {
            if let Some(text) = known.text(name) {
                sources.insert(name.clone(), text.clone());
            }
        }
        inputs
    };
    let base = gather(args);
    let mut by_folder = BTreeMap::from([(String::new(), base.variables.clone())]);
    let mut found = BTreeMap::new();
    for file in &suite.files {
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        if !by_folder.contains_key(folder) {
            let beside = beside(room, folder);
            let values = if beside.is_empty() {
                base.variables.clone()
            } else {
                gather(&beside.into_iter().chain(args.iter().cloned()).collect::<Vec<_>>()).variables
            };
            by_folder.insert(folder.to_owned(), values);
        }
        found.insert(file.path.clone(), by_folder.get(folder).cloned().unwrap_or_default());
    }
    room.ui.set_sources(sources);
    (found, Inputs { variables: BTreeMap::new(), ..base })
}

/// The files of values in a folder of tests.
fn beside(room: &Room, folder: &str) -> Vec<VarArg> {
    if folder.is_empty() {
        return Vec::new();
    }
    let entries = sgp_lang::Files::list(&*room.files, folder).unwrap_or_default();
    let is_values = |name: &str| {
        ["terraform.tfvars", "terraform.tfvars.json", "sgp.tfvars", "sgp.tfvars.json"].contains(&name)
            || name.ends_with(".auto.tfvars")
            || name.ends_with(".auto.tfvars.json")
    };
    let names = entries.into_iter().filter(|e| !e.is_dir && is_values(&e.name));
    names.map(|e| VarArg::File(format!("{folder}/{}", e.name))).collect()
}

fn session(room: &Room, suite: &Suite, inputs: Inputs) -> Session {
    Session {
        registry: room.registry.clone(),
        config: suite.loaded.config.clone(),
        inputs,
        files: room.files.clone(),
        store: new_store(),
        clock: room.clock.clone(),
        events: Arc::new(|_| {}),
        interrupt: room.interrupt(),
        version: VERSION.to_owned(),
    }
}

fn summary(room: &Room, report: &TestReport) {
    if room.ui.json {
        test_json::summary(&room.ui.json_lines(), report);
    } else {
        room.ui.say(&format!("\n{}", test::summary(report, room.ui.paint)));
    }
}

fn write(path: &str, content: &str) -> Result<(), Diagnostic> {
    fs::write(path, content)
        .map_err(|e| Diagnostic::error("File cannot be written", format!("The file {path} cannot be written: {e}.")))
}

/// Tells what happens, and keeps the state of what is left over.
struct Teller<'r> {
    room: &'r Room,
    verbose: bool,
    /// How many states were kept.
    kept: usize,
    problems: Diagnostics,
}

impl Teller<'_> {
    fn tell(&mut self, event: &TestEvent<'_>) {
        let ui = &self.room.ui;
        let kept_in = match event {
            TestEvent::Cleanup { left, state: Some(state), .. } if !left.is_empty() => self.keep(state),
            _ => None,
        };
        if ui.json {
            test_json::tell(self.room, &ui.json_lines(), event, self.verbose);
            if let Some(file) = kept_in {
                ui.json_lines().log(&format!("The state of what is left over is in the file {file}."));
            }
            return;
        }
        match event {
            TestEvent::FileStart { file } => ui.say(&format!("{}... in progress", file.path)),
            TestEvent::TearDown { file } => ui.say(&format!("{}... tearing down", file.path)),
            TestEvent::File { file, report } => {
                ui.say(&format!("{}... {}", file.path, test::painted(report.status, ui.paint)));
            }
            TestEvent::RunStart { .. } => {}
            TestEvent::Run { run, report, result, .. } => {
                ui.say(&format!("  run {:?}... {}", &*run.name, test::painted(report.status, ui.paint)));
                if self.verbose {
                    self.made(*result);
                }
                ui.diagnostics(&report.diagnostics);
            }
            TestEvent::Cleanup { file, run, diagnostics, left, state } => {
                ui.diagnostics(diagnostics);
                if !left.is_empty() {
                    error_text(&test::left_over(&file.path, &run.name, left, *state, kept_in.as_deref()));
                }
            }
            TestEvent::Interrupted { file, states, planned } => {
                let states: Vec<(&str, Vec<RecordKey>)> =
                    states.iter().map(|(run, left)| (&*run.name, left.clone())).collect();
                error_text(&test::interrupted(&file.path, &states, planned));
            }
        }
    }

    fn made(&self, result: RunResult<'_>) {
        let schemas = |mode, name: &str| self.room.schema(mode, name);
        let (ui, paint) = (&self.room.ui, self.room.ui.paint);
        match result {
            RunResult::Nothing => {}
            RunResult::Plan(plan) => ui.output.text(&render::plan::render(plan, &schemas, paint)),
            RunResult::State(state) => ui.output.text(&state_show::state(state, &schemas, paint)),
        }
    }

    /// Writes a state into a file that is not there yet; answers its name.
    fn keep(&mut self, left: &State) -> Option<String> {
        let text = match state::as_v4(self.room, left) {
            Ok(text) => text,
            Err(problems) => {
                self.problems.extend(problems);
                return None;
            }
        };
        let name = loop {
            self.kept += 1;
            let number = if self.kept == 1 { String::new() } else { format!("_{}", self.kept) };
            let name = format!("{LEFT_OVER}{number}.tfstate");
            if !Path::new(&name).exists() {
                break name;
            }
        };
        match write(&name, &text) {
            Ok(()) => Some(name),
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        }
    }
}
