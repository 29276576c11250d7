//! The options of requests that write (`apimachinery/pkg/apis/meta/v1/validation`).

use serde_json::{Value, json};

use super::ask::Ask;
use super::status::{Cause, Status};

/// So long may the name of a field manager be.
const MANAGER_MAX: usize = 128;

/// Refuses options that there are not.
///
/// # Errors
/// `Invalid`, for an object that is the options.
pub(super) fn check(ask: &Ask<'_>) -> Result<(), Status> {
    let kind = match ask.verb {
        "create" => "CreateOptions",
        "update" => "UpdateOptions",
        "patch" => "PatchOptions",
        "delete" | "deletecollection" => "DeleteOptions",
        _ => return Ok(()),
    };
    let mut causes = Vec::new();
    if kind != "DeleteOptions" {
        causes.extend(ask.query.get("fieldManager").and_then(manager));
        causes.extend(ask.query.get("fieldValidation").and_then(validation));
    }
    causes.extend(rehearsal(ask));
    if causes.is_empty() { Ok(()) } else { Err(Status::options_of(kind, &causes)) }
}

fn manager(name: &str) -> Option<Cause> {
    if name.len() > MANAGER_MAX {
        let why = format!("Too long: may not be more than {MANAGER_MAX} bytes");
        return Some(Cause::new("FieldValueTooLong", "fieldManager", why));
    }
    let (at, letter) = name.chars().enumerate().find(|(_, letter)| letter.is_control())?;
    let why = format!("invalid character U+{:04X} (at position {at})", u32::from(letter));
    Some(Cause::invalid("fieldManager", &json!(name), &why))
}

fn validation(value: &str) -> Option<Cause> {
    if matches!(value, "Ignore" | "Strict" | "Warn") {
        return None;
    }
    let why = format!("Unsupported value: \"{value}\": supported values: \"\", \"Ignore\", \"Strict\", \"Warn\"");
    Some(Cause::new("FieldValueNotSupported", "fieldValidation", why))
}

fn rehearsal(ask: &Ask<'_>) -> Option<Cause> {
    let values = rehearsals(ask);
    values.iter().find(|value| *value != "All")?;
    let why = format!("Unsupported value: {}: supported values: \"All\"", json!(values));
    Some(Cause::new("FieldValueNotSupported", "dryRun", why))
}

/// The values of `dryRun`, from the query and the body of a deletion.
pub(super) fn rehearsals(ask: &Ask<'_>) -> Vec<String> {
    let mut values: Vec<String> =
        ask.query.all("dryRun").filter(|value| !value.is_empty()).map(str::to_owned).collect();
    if matches!(ask.verb, "delete" | "deletecollection") {
        let options: Value = serde_json::from_slice(ask.body).unwrap_or_default();
        values.extend(options["dryRun"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
    }
    values
}
