//! The functions of the language.
//!
//! A family of functions is a file with a sorted table; a function says which parameters it has and which unknown, null
//! and marked arguments it takes itself, [`call`] settles the others. Messages are those that Terraform's users know.

use std::{collections::BTreeMap, fmt, sync::Arc, sync::LazyLock};

use sgp_model::Value;

use crate::source::Files;
use spec::{Fail, Function};

mod assume;
mod cidr;
mod collection;
mod csv;
mod digest;
mod encoding;
mod file;
mod float;
mod format;
mod maps;
mod numeric;
mod pattern;
mod redact;
mod rsa;
mod sequence;
mod sets;
mod spec;
mod string;
mod time;
mod types;
mod yaml;

/// Renders a template for `templatefile` and `templatestring`: the name to show in messages, the text and the variables;
/// the result may be of any type, as with `"${...}"` alone.
pub type RenderTemplate<'a> = dyn Fn(&str, &str, &BTreeMap<Arc<str>, Value>) -> Result<Value, String> + 'a;

/// What functions need beside their arguments.
pub struct FunctionContext<'a> {
    /// Where `file` and its like read.
    pub files: &'a dyn Files,
    /// When the plan was made, as RFC 3339; `None` makes `plantimestamp` unknown.
    pub plan_timestamp: Option<&'a str>,
    /// What only the apply phase has; `None` makes `timestamp`, `uuid` and `bcrypt` unknown.
    pub impure: Option<Impure<'a>>,
    /// Renders a template.
    pub render_template: &'a RenderTemplate<'a>,
}

/// Inputs of the functions whose results differ from call to call.
#[derive(Clone, Copy)]
pub struct Impure<'a> {
    /// The time now, as RFC 3339.
    pub timestamp: &'a str,
    /// Fills the bytes with randomness.
    pub random: &'a dyn Fn(&mut [u8]),
}

/// Why a call has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionError {
    /// The argument at fault, from 0, where it is one.
    pub argument: Option<usize>,
    /// The kind of mistake: `Invalid function argument`.
    pub summary: &'static str,
    /// A full sentence: `Invalid value for "list" parameter: list of string required.`
    pub message: String,
}

impl fmt::Display for FunctionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for FunctionError {}

static TABLE: LazyLock<BTreeMap<&'static str, &'static Function>> =
    LazyLock::new(|| families().into_iter().flatten().map(|f| (f.name, f)).collect());

fn families() -> [&'static [Function]; 15] {
    [
        assume::TABLE,
        cidr::TABLE,
        collection::TABLE,
        digest::TABLE,
        encoding::TABLE,
        file::TABLE,
        format::TABLE,
        maps::TABLE,
        numeric::TABLE,
        rsa::TABLE,
        sequence::TABLE,
        sets::TABLE,
        string::TABLE,
        time::TABLE,
        types::TABLE,
    ]
}

/// The name without `core::`.
pub(crate) fn bare(name: &str) -> &str {
    name.strip_prefix("core::").unwrap_or(name)
}

/// The names of all functions, sorted.
pub fn names() -> Vec<&'static str> {
    TABLE.keys().copied().collect()
}

/// Whether there is a function of this name, with or without `core::`.
pub fn exists(name: &str) -> bool {
    TABLE.contains_key(bare(name))
}

/// Calls a function by its name, with or without `core::`.
///
/// # Errors
/// There is no such function, the number of arguments is wrong, an argument does not fit, or the function says why it
/// has no result.
pub fn call(name: &str, args: Vec<Value>, cx: &FunctionContext) -> Result<Value, FunctionError> {
    let function = TABLE.get(bare(name)).ok_or_else(|| unknown_function(name))?;
    check_count(function, args.len())?;
    function.call(args, cx).map_err(|fail| describe(function, &fail))
}

fn unknown_function(name: &str) -> FunctionError {
    let hint = crate::suggest::did_you_mean(bare(name), names());
    FunctionError {
        argument: None,
        summary: "Call to unknown function",
        message: format!("There is no function named {name:?}.{hint}"),
    }
}

fn check_count(function: &Function, count: usize) -> Result<(), FunctionError> {
    let (name, expected) = (function.name, function.params.len());
    if let Some(missing) = function.params.get(count) {
        let at_least = if function.rest.is_some() { "at least " } else { "" };
        return Err(FunctionError {
            argument: None,
            summary: "Not enough function arguments",
            message: format!(
                "Function {name:?} expects {at_least}{expected} argument(s). Missing value for {:?}.",
                missing.name
            ),
        });
    }
    if count > expected && function.rest.is_none() {
        return Err(FunctionError {
            argument: Some(expected),
            summary: "Too many function arguments",
            message: format!("Function {name:?} expects only {expected} argument(s)."),
        });
    }
    Ok(())
}

fn describe(function: &Function, fail: &Fail) -> FunctionError {
    let stop = if fail.message.ends_with(['.', '!', '?']) { "" } else { "." };
    match fail.argument.and_then(|place| Some((place, function.param(place)?))) {
        Some((place, param)) => FunctionError {
            argument: Some(place),
            summary: "Invalid function argument",
            message: format!("Invalid value for {:?} parameter: {}{stop}", param.name, fail.message),
        },
        None => FunctionError {
            argument: None,
            summary: "Error in function call",
            message: format!("Call to function {:?} failed: {}{stop}", function.name, fail.message),
        },
    }
}

#[cfg(test)]
mod tests;
