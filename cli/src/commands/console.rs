//! `sgp console`: expressions in, values out.

use std::{
    collections::BTreeMap,
    io::{self, BufRead as _, IsTerminal as _},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use clap::ArgMatches;
use rustyline::{CompletionType, Editor, error::ReadlineError, history::FileHistory};
use sgp_engine::Session;
use sgp_lang::{Answer, Configured, DepsView, Evaluator, Shown, World};
use sgp_model::{
    Diagnostic, Diagnostics, InstanceAddr, InstanceRecord, ModulePath, Plan, SourceMap, State, Value, plan::PlanMode,
    state::RecordKey,
};
use sgp_state::Access;

use self::line::Line;
use super::{Exit, plan};
use crate::{
    args::{PlanArgs, flag, var_args},
    render::{diagnostics, json::Json, paint::Paint, tree, value},
    session::{Room, data_dir},
};

mod line;

/// How many lines of history are kept.
const HISTORY_MAX: usize = 1000;

/// Answers until the input ends.
pub async fn run(room: &mut Room, matches: &ArgMatches) -> Exit {
    let json = flag(matches, "json");
    let (session, values) = if flag(matches, "plan") {
        planned(room, matches).await?
    } else {
        let session = session(room, matches)?;
        let values = recorded(room, &sgp_engine::load_state(&session).await?);
        (session, values)
    };
    let mut evaluator = Evaluator::new(
        session.config.clone(),
        session.inputs.clone(),
        session.registry.clone(),
        session.files.clone(),
        Known(values),
    );
    // What is wrong with the rest of the configuration is for validate to say.
    evaluator.take_diagnostics();
    let mut console = Console { room, evaluator, json, failed: false };
    if io::stdin().is_terminal() && !json {
        console.interactive(&session)?;
        return Ok(0);
    }
    for line in io::stdin().lock().split(b'\n') {
        let line = line.map_err(|e| Diagnostic::error("Unreadable input", format!("Standard input: {e}.")))?;
        // Windows ends lines with two characters.
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        let goes_on = match str::from_utf8(line) {
            Ok(line) => console.answer(line),
            Err(e) => console.refuse(&e),
        };
        if !goes_on {
            break;
        }
    }
    // Terraform's console ends with 1 when an expression on its standard input failed; with -json the answer says it.
    Ok(u8::from(console.failed && !json))
}

/// Objects as the state has them.
fn recorded(room: &Room, state: &State) -> BTreeMap<InstanceAddr, Value> {
    let current = state.instances.iter().filter(|(key, _)| key.deposed.is_none());
    let value = |(key, record): (&RecordKey, &InstanceRecord)| {
        let marked = record.attributes.clone().mark_paths(&record.sensitive_paths);
        (key.addr.clone(), redacted(room, &key.addr, &marked))
    };
    current.map(value).collect()
}

fn redacted(room: &Room, addr: &InstanceAddr, value: &Value) -> Value {
    tree::redact(value, room.schema(addr.resource.mode, &addr.resource.type_name))
}

/// Plans, and has objects as they would be after an apply.
async fn planned(
    room: &mut Room,
    matches: &ArgMatches,
) -> Result<(Session, BTreeMap<InstanceAddr, Value>), Diagnostics> {
    let args = PlanArgs::new(PlanMode::Normal, var_args(matches));
    room.listen();
    let configured = room.configured_for(args.mode, &args.vars, args.input)?;
    let store = room.store("console", Access::Read, args.lock_timeout)?;
    let mut session = room.session(&configured, store);
    // Only answers belong on standard output.
    session.events = Arc::new(|_| {});
    let plan = plan::make(room, &session, &args).await?;
    let values = after(room, &plan);
    Ok((session, values))
}

fn after(room: &Room, plan: &Plan) -> BTreeMap<InstanceAddr, Value> {
    let mut values = recorded(room, &plan.refreshed);
    values.extend(plan.data.iter().map(|(addr, value)| (addr.clone(), redacted(room, addr, value))));
    for change in plan.changes.iter().filter(|change| change.deposed.is_none()) {
        if change.after.is_null() {
            values.remove(&change.addr);
        } else {
            values.insert(change.addr.clone(), redacted(room, &change.addr, &change.after));
        }
    }
    values
}

/// The configuration as far as it can be read: an empty folder will do.
fn session(room: &Room, matches: &ArgMatches) -> Result<Session, Diagnostics> {
    let loaded = room.load();
    let mut problems = loaded.diagnostics;
    let (inputs, from_flags) = room.inputs(&loaded.config, &var_args(matches), &mut problems);
    if problems.has_errors() {
        return Err(problems);
    }
    room.ui.diagnostics(&problems);
    let store = room.store("console", Access::Read, Duration::ZERO)?;
    Ok(room.session(&crate::session::Configured { config: loaded.config, inputs, from_flags }, store))
}

/// Answers with objects that were recorded or planned; what is not there is unknown.
struct Known(BTreeMap<InstanceAddr, Value>);

impl World for Known {
    fn object(&mut self, configured: Configured<'_>, _deps: &DepsView<'_>) -> Answer {
        let recorded = self.0.get(configured.addr).cloned();
        Answer::Value(recorded.unwrap_or_else(|| Value::unknown(configured.config.ty())))
    }
}

struct Console<'a> {
    room: &'a Room,
    evaluator: Evaluator<Known>,
    json: bool,
    failed: bool,
}

impl Console<'_> {
    /// Answers one line; `false` ends the conversation.
    fn answer(&mut self, line: &str) -> bool {
        if self.json {
            if !line.trim().is_empty() {
                let answer = json_answer(self.evaluator.eval_console(&ModulePath::root(), &decoded(line)));
                self.room.ui.output.line(&answer.to_string());
            }
            return true;
        }
        match line.trim() {
            "" => true,
            "exit" => false,
            "help" => {
                self.room.ui.output.line(
                    "Write an expression, such as var.name or cidrsubnet(\"10.0.0.0/16\", 8, 1). exit or Ctrl-D ends.",
                );
                true
            }
            text => {
                match self.evaluator.eval_console(&ModulePath::root(), text) {
                    Ok(Shown::Value(value)) => self.room.ui.output.line(&value::expression(&value)),
                    Ok(Shown::Type(ty)) => self.room.ui.output.line(&value::type_text(&ty)),
                    Err(problems) => {
                        self.failed = true;
                        crate::ui::error_text(&explain(&problems, text, self.room.ui.paint));
                    }
                }
                true
            }
        }
    }

    /// Answers a line that is no text; the lines after it are answered all the same.
    fn refuse(&mut self, error: &std::str::Utf8Error) -> bool {
        let problems =
            Diagnostics::from(Diagnostic::error("Unreadable input", format!("The line is not text: {error}.")));
        if self.json {
            self.room.ui.output.line(&json_answer(Err(problems)).to_string());
        } else {
            self.failed = true;
            crate::ui::error_text(&explain(&problems, "", self.room.ui.paint));
        }
        true
    }

    fn interactive(&mut self, session: &Session) -> Result<(), Diagnostics> {
        let broken = |e: ReadlineError| {
            Diagnostics::from(Diagnostic::error("No console", format!("The terminal cannot be used: {e}.")))
        };
        let config = rustyline::Config::builder().max_history_size(HISTORY_MAX).map_err(broken)?;
        let config = config.completion_type(CompletionType::List).build();
        let mut editor: Editor<Line, FileHistory> = Editor::with_config(config).map_err(broken)?;
        editor.set_helper(Some(Line { config: session.config.clone(), schemas: session.registry.clone() }));
        let history = history_file();
        if let Some(path) = &history {
            // None is written yet in a fresh folder.
            let _ = editor.load_history(path);
        }
        loop {
            match editor.readline("> ") {
                Ok(line) => {
                    let _ = editor.add_history_entry(&line);
                    if !self.answer(&line) {
                        break;
                    }
                }
                Err(ReadlineError::Interrupted) => {}
                Err(ReadlineError::Eof) => break,
                Err(e) => return Err(broken(e)),
            }
        }
        if let Some(path) = &history {
            let _ = editor.save_history(path);
        }
        Ok(())
    }
}

/// Beside the state, where there is a folder for it already.
fn history_file() -> Option<PathBuf> {
    let dir = data_dir();
    dir.is_dir().then(|| dir.join("console-history"))
}

/// A line that is a JSON string is decoded, so that an expression may hold line breaks.
fn decoded(line: &str) -> String {
    // A plain HCL string literal is a JSON string as well; decoded it would be another expression.
    serde_json::from_str::<String>(line.trim()).unwrap_or_else(|_| line.to_owned())
}

/// One answer.
fn json_answer(result: Result<Shown, Diagnostics>) -> Json {
    match result {
        Ok(Shown::Type(ty)) => json_answer(Ok(Shown::Value(value::type_text(&ty).into()))),
        Ok(Shown::Value(value)) => {
            let json = Json::object([("type", Json::from(&value.ty().to_json())), ("value", Json::of_value(&value))]);
            let json = if value.is_wholly_known() { json } else { json.with("unknown", tree::unknown(&value)) };
            match tree::sensitive(&value, None) {
                flags if value.deep_marks().contains(sgp_model::Marks::SENSITIVE) => json.with("sensitive", flags),
                _ => json,
            }
        }
        Err(problems) => {
            let first = problems.into_iter().find(Diagnostic::is_error);
            let first = first.unwrap_or_else(|| {
                Diagnostic::error(
                    "No value yet",
                    "The expression refers to something that is known only during plan or apply.",
                )
            });
            let error = Json::object([("summary", Json::from(first.summary)), ("detail", first.detail.into())]);
            Json::object([("error", error)])
        }
    }
}

fn explain(problems: &Diagnostics, text: &str, paint: Paint) -> String {
    let mut sources = SourceMap::default();
    sources.insert("<console>", text);
    diagnostics::render_all(problems, &sources, paint)
}

#[cfg(test)]
mod tests {
    use sgp_model::Type;

    use super::*;

    #[test]
    fn answers_are_one_line_of_json() {
        let rows: [(Value, &str); 4] = [
            (Value::strings(["a"]), r#"{"type":["list","string"],"value":["a"]}"#),
            (Value::dynamic_null(), r#"{"type":"dynamic","value":null}"#),
            (Value::from("x").sensitive(), r#"{"type":"string","value":"x","sensitive":true}"#),
            (Value::unknown(Type::Bool), r#"{"type":"bool","value":null,"unknown":true}"#),
        ];
        for (value, expected) in rows {
            assert_eq!(json_answer(Ok(Shown::Value(value))).to_string(), expected);
        }
        let ty = json_answer(Ok(Shown::Type(Type::list(Type::Dynamic))));
        assert_eq!(ty.to_string(), r#"{"type":"string","value":"list(dynamic)"}"#);
        let error = json_answer(Err(Diagnostic::error("Bad", "Why.").into()));
        assert_eq!(error.to_string(), r#"{"error":{"summary":"Bad","detail":"Why."}}"#);
    }

    #[test]
    fn json_strings_are_decoded() {
        assert_eq!(decoded(r#""[\n1]""#), "[\n1]");
        assert_eq!(decoded("1 + 1"), "1 + 1");
        assert_eq!(decoded(r#""a" == "b""#), r#""a" == "b""#);
    }
}
