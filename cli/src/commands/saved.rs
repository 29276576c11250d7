//! Saved plans with what the command line must know of how they were made.

use std::{
    fs::File,
    io::{self, Read as _, Write as _},
    path::Path,
};

use sgp_lang::{Given, VariableInput};
use sgp_model::{Diagnostic, Diagnostics, Plan};
use sgp_state::plan_file::{self, PlanFileError};
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

use crate::session::{Configured, sentence};

/// The entry beside the plan: names of the variables that flags gave, as a JSON list. Files and environment are looked at
/// again by apply, flags cannot be.
const FLAGS: &str = "flags.json";

/// Saves a plan.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, plan: &Plan, from_flags: &[String]) -> Result<(), Diagnostics> {
    plan_file::save(path, plan).map_err(|e| describe(path, &e))?;
    append(path, from_flags)
        .map_err(|cause| describe(path, &PlanFileError::Io { what: "cannot write the plan", cause }))
}

fn append(path: &Path, from_flags: &[String]) -> io::Result<()> {
    let file = File::options().read(true).write(true).open(path)?;
    let mut archive = ZipWriter::new_append(file)?;
    archive.start_file(FLAGS, SimpleFileOptions::default())?;
    archive.write_all(&serde_json::to_vec(from_flags)?)?;
    archive.finish()?.sync_all()
}

/// Reads a saved plan and the names of the variables that flags gave.
///
/// # Errors
/// When the file is something else, damaged, or of another version.
pub fn read(path: &Path) -> Result<(Plan, Vec<String>), Diagnostics> {
    let plan = plan_file::load(path).map_err(|e| describe(path, &e))?;
    let flags =
        read_flags(path).map_err(|cause| describe(path, &PlanFileError::Io { what: "cannot read the plan", cause }))?;
    Ok((plan, flags))
}

fn read_flags(path: &Path) -> io::Result<Vec<String>> {
    let mut archive = ZipArchive::new(File::open(path)?)?;
    let mut text = String::new();
    match archive.by_name(FLAGS) {
        Ok(mut entry) => entry.read_to_string(&mut text)?,
        // Saved by something that gives no flags.
        Err(zip::result::ZipError::FileNotFound) => return Ok(Vec::new()),
        Err(e) => return Err(e.into()),
    };
    Ok(serde_json::from_str(&text)?)
}

/// Puts the values that flags gave to `plan` into the inputs of `apply`, unless apply has flags of its own for them, and those
/// of variables that nothing gives a value now.
pub fn restore(configured: &mut Configured, plan: &Plan, from_flags: &[String]) {
    let given = &configured.inputs.variables;
    let open = configured.config.root.variables.values().filter(|v| v.default.is_none());
    let open = open.map(|v| v.name.to_string()).filter(|name| !given.contains_key(name));
    let flags = from_flags.iter().filter(|name| !configured.from_flags.contains(name)).cloned();
    for name in flags.chain(open).collect::<Vec<_>>() {
        if let Some(value) = plan.variables.get(&name) {
            let (value, _) = value.clone().unmark_deep();
            let input = VariableInput { given: Given::Value(value), from: "the saved plan".into(), span: None };
            configured.inputs.variables.insert(name, input);
        }
    }
}

fn describe(path: &Path, error: &PlanFileError) -> Diagnostics {
    let summary = match error {
        PlanFileError::NotAPlan => "Not a saved plan",
        PlanFileError::OtherVersion { .. } => "Plan of another version",
        PlanFileError::Damaged(_) => "Damaged plan",
        PlanFileError::Io { .. } => "Plan file out of reach",
    };
    Diagnostic::error(summary, format!("{}: {}.", path.display(), sentence(&error.to_string()))).into()
}
