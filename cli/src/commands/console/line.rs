//! A line of the console while it is being written: completed with Tab, gone on with while a bracket is open.

use std::sync::Arc;

use rustyline::{
    Context, Helper, Result,
    completion::Completer,
    highlight::Highlighter,
    hint::Hinter,
    validate::{ValidationContext, ValidationResult, Validator},
};
use sgp_engine::Registry;
use sgp_lang::{Config, console};

/// What names are completed from.
pub struct Line {
    /// The configuration.
    pub config: Arc<Config>,
    /// The types that there are.
    pub schemas: Arc<Registry>,
}

impl Completer for Line {
    type Candidate = String;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> Result<(usize, Vec<String>)> {
        Ok(console::complete(&self.config.root, &*self.schemas, line, at))
    }
}

impl Validator for Line {
    fn validate(&self, context: &mut ValidationContext<'_>) -> Result<ValidationResult> {
        // An empty line ends what cannot be closed any more.
        let given_up = context.input().ends_with('\n');
        let goes_on = !given_up && console::goes_on(context.input());
        Ok(if goes_on { ValidationResult::Incomplete } else { ValidationResult::Valid(None) })
    }
}

impl Hinter for Line {
    type Hint = String;
}

impl Highlighter for Line {}

impl Helper for Line {}
