//! Recorded attributes, brought to the shape that the schema says.
//!
//! Records come from this version of the tool, from an older one, or out of JSON (with implied types). What the schema does
//! not know is dropped, what is missing is null.

use std::{collections::BTreeMap, sync::Arc};

use sgp_model::{
    Block, Diagnostic, Diagnostics, InstanceRecord, Kind, NestedBlock, State, Type, Value, convert::convert,
    schema::Nesting, state::RecordKey,
};

use crate::Registry;

/// The state with every record typed by its schema. Records that cannot be are left out and reported.
pub(crate) fn typed(state: State, registry: &Registry) -> (State, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let mut instances = BTreeMap::new();
    for (key, record) in state.instances {
        match typed_record(&key, record, registry) {
            Ok(record) => {
                instances.insert(key, record);
            }
            Err(diagnostic) => diagnostics.push(diagnostic),
        }
    }
    (State { instances, ..state }, diagnostics)
}

fn typed_record(
    key: &RecordKey,
    mut record: InstanceRecord,
    registry: &Registry,
) -> Result<InstanceRecord, Diagnostic> {
    let type_name = &key.addr.resource.type_name;
    let ty = registry.resource_type(type_name).ok_or_else(|| {
        Diagnostic::error(
            "Unknown resource type in the state",
            format!(
                "The state holds {}, but this version of sgp has no resource type {type_name}. Use a version that has it, or \
                 take the object out of the state with `sgp state rm '{}'`.",
                key.addr, key.addr
            ),
        )
        .on(&key.addr)
    })?;
    let schema = ty.schema();
    if record.schema_version > schema.version {
        return Err(Diagnostic::error(
            "Object recorded by a newer version",
            format!(
                "{} was recorded with version {} of its schema; this version of sgp knows version {}. Use a newer sgp.",
                key.addr, record.schema_version, schema.version
            ),
        )
        .on(&key.addr));
    }
    if record.schema_version < schema.version {
        record.attributes = ty.upgrade(record.schema_version, record.attributes)?;
        record.schema_version = schema.version;
    }
    record.attributes = shaped(&schema.block, &record.attributes).map_err(|problem| damaged(key, &problem))?;
    Ok(record)
}

fn damaged(key: &RecordKey, problem: &str) -> Diagnostic {
    Diagnostic::error(
        "Recorded attributes do not fit",
        format!(
            "What the state says about {} does not fit its schema: {problem}. Take it out of the state with `sgp state rm` \
             and import it again.",
            key.addr
        ),
    )
    .on(&key.addr)
}

/// An object in the shape of the block.
pub(crate) fn shaped(block: &Block, value: &Value) -> Result<Value, String> {
    let Some(fields) = value.as_fields() else { return Err("an object is needed".into()) };
    let mut shaped: BTreeMap<Arc<str>, Value> = BTreeMap::new();
    for (name, attribute) in &block.attributes {
        let value = match fields.get(*name) {
            // Whoever answers it: it is sent and never kept.
            Some(_) if attribute.write_only => Value::null(attribute.ty.clone()),
            Some(value) => convert(value, &attribute.ty).map_err(|e| format!("{name}: {e}"))?,
            None => Value::null(attribute.ty.clone()),
        };
        shaped.insert(Arc::from(*name), value);
    }
    for (name, nested) in &block.blocks {
        let value = match fields.get(*name) {
            Some(value) if !value.is_null() => shaped_blocks(nested, value).map_err(|e| format!("{name}: {e}"))?,
            _ => nested.empty(),
        };
        shaped.insert(Arc::from(*name), value);
    }
    Ok(Kind::Object(Arc::new(shaped)).into())
}

fn shaped_blocks(nested: &NestedBlock, value: &Value) -> Result<Value, String> {
    let element: Type = nested.block.ty();
    let all = || -> Result<Vec<Value>, String> {
        // Providers differ in whether a block that may be there once is a list of one.
        let elements = value.elements().unwrap_or_else(|| vec![value]);
        elements.into_iter().map(|e| shaped(&nested.block, e)).collect()
    };
    Ok(match nested.nesting {
        Nesting::Single => match value.elements() {
            None => shaped(&nested.block, value)?,
            Some(elements) => elements.first().map_or_else(|| Ok(nested.empty()), |e| shaped(&nested.block, e))?,
        },
        Nesting::List => Value::list(element, all()?),
        Nesting::Set => Value::set(element, all()?),
        Nesting::Map => {
            let entries = value.as_fields().ok_or("a map of blocks is needed")?;
            let shaped: Result<Vec<_>, String> =
                entries.iter().map(|(k, v)| Ok((k.clone(), shaped(&nested.block, v)?))).collect();
            Value::map(element, shaped?)
        }
    })
}

/// The object with the marks that it has for a person: where the configuration said so, and where the schema does.
pub(crate) fn marked(block: &Block, record: &InstanceRecord) -> Value {
    mark_schema(block, &record.attributes.clone().mark_paths(&record.sensitive_paths))
}

/// Marks what the schema calls sensitive.
pub(crate) fn mark_schema(block: &Block, value: &Value) -> Value {
    if !has_sensitive(block) {
        return value.clone();
    }
    let Kind::Object(fields) = value.kind() else { return value.clone() };
    let mut fields = (**fields).clone();
    for (name, attribute) in &block.attributes {
        if let Some(field) = fields.get_mut(*name).filter(|_| attribute.sensitive) {
            *field = field.clone().sensitive();
        }
    }
    for (name, nested) in block.blocks.iter().filter(|(_, n)| has_sensitive(&n.block)) {
        if let Some(field) = fields.get_mut(*name) {
            *field = match (nested.nesting, field.kind()) {
                (Nesting::Single, Kind::Object(_)) => mark_schema(&nested.block, field),
                (Nesting::List, Kind::List(ty, elements)) => {
                    Value::list(ty.clone(), elements.iter().map(|e| mark_schema(&nested.block, e)).collect())
                }
                (_, Kind::Null(_) | Kind::Unknown(_)) => field.clone(),
                // Elements of sets and maps carry their marks outside.
                _ => field.clone().sensitive(),
            };
        }
    }
    Value::from(Kind::Object(Arc::new(fields))).mark(value.marks())
}

fn has_sensitive(block: &Block) -> bool {
    block.attributes.values().any(|a| a.sensitive) || block.blocks.values().any(|b| has_sensitive(&b.block))
}

/// The object with nothing unknown in it: what is not known is null. For what is written down before it is known.
pub(crate) fn known_part(value: &Value) -> Value {
    if value.is_wholly_known() {
        return value.clone();
    }
    value.map_deep(&mut |_, v| if v.is_known() { v } else { Value::null(v.ty()).mark(v.marks()) })
}
