//! Asking on the terminal for the values of variables that nothing sets.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    io::{self, IsTerminal as _},
};

use rustyline::{
    Editor, Helper,
    completion::Completer,
    config::{ColorMode, Config as EditorConfig},
    highlight::{CmdKind, Highlighter},
    hint::Hinter,
    history::MemHistory,
    validate::Validator,
};
use sgp_lang::{Config, Given, VariableInput, config::Variable};
use sgp_model::Diagnostic;

use crate::ui::Output;

/// Whether a person sits at the terminal who may be asked: `-input` and `TF_INPUT` say otherwise.
pub fn may_ask(input: bool) -> bool {
    let refused = std::env::var("TF_INPUT").is_ok_and(|v| matches!(v.as_str(), "0" | "false" | "no"));
    input && !refused && io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Asks for every variable of the root module that has neither a value nor a default; answers their names.
///
/// # Errors
/// When the person breaks off.
pub fn missing(
    config: &Config,
    given: &mut BTreeMap<String, VariableInput>,
    output: &Output,
) -> Result<Vec<String>, Diagnostic> {
    let open = config.root.variables.values().filter(|v| v.default.is_none() && !given.contains_key(&*v.name));
    let mut names = Vec::new();
    for variable in open.collect::<Vec<_>>() {
        let value = ask(variable, output)?;
        let input = VariableInput { given: Given::Text(value), from: "the terminal".into(), span: None };
        given.insert(variable.name.to_string(), input);
        names.push(variable.name.to_string());
    }
    Ok(names)
}

fn ask(variable: &Variable, output: &Output) -> Result<String, Diagnostic> {
    output.line(&format!("var.{}", variable.name));
    if let Some(description) = &variable.description {
        output.line(&format!("  {description}"));
    }
    output.line("");
    let unanswered = |why: &dyn std::fmt::Display| {
        let detail = format!("The variable {:?} needs a value: {why}.", &*variable.name);
        Diagnostic::error("No value for required variable", detail).at(variable.span.clone())
    };
    let colour = if variable.sensitive { ColorMode::Forced } else { ColorMode::Disabled };
    let settings = EditorConfig::builder().color_mode(colour).auto_add_history(false).build();
    let mut editor =
        Editor::<Mask, MemHistory>::with_history(settings, MemHistory::new()).map_err(|e| unanswered(&e))?;
    editor.set_helper(Some(Mask(variable.sensitive)));
    let line = editor.readline("  Enter a value: ").map_err(|_| unanswered(&"the question was not answered"))?;
    output.line("");
    Ok(line)
}

/// Shows a star for each character of what is secret.
struct Mask(bool);

impl Helper for Mask {}
impl Validator for Mask {}

impl Completer for Mask {
    type Candidate = String;
}

impl Hinter for Mask {
    type Hint = String;
}

impl Highlighter for Mask {
    fn highlight<'l>(&self, line: &'l str, _pos: usize) -> Cow<'l, str> {
        if self.0 { Cow::Owned("*".repeat(line.chars().count())) } else { Cow::Borrowed(line) }
    }

    fn highlight_char(&self, _line: &str, _pos: usize, _kind: CmdKind) -> bool {
        self.0
    }
}
