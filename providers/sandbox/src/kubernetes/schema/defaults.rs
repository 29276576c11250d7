//! Sets what an object leaves out.

use serde_json::{Map, Value};

use super::{Kind, Schema, go_defaults};

/// Sets defaults: those of the schema, and for Kubernetes' own types those that Go sets. Custom resources lose nulls where null
/// is no value.
pub fn default(object: &mut Value, schema: &Schema) {
    at(object, schema);
    if let Value::Object(members) = object
        && schema.is_builtin
    {
        go_defaults::whole(members);
    }
}

fn at(value: &mut Value, schema: &Schema) {
    let schema = schema.resolve();
    match value {
        Value::Object(members) => {
            if let Some(go) = schema.go {
                go(members);
            }
            self::members(members, schema);
        }
        Value::Array(items) => {
            let Some(schema) = schema.items() else { return };
            for item in items {
                if item.is_null()
                    && !schema.nullable
                    && let Some(default) = &schema.default
                {
                    *item = default.clone();
                }
                at(item, schema);
            }
        }
        _ => {}
    }
}

fn members(members: &mut Map<String, Value>, schema: &Schema) {
    for (name, member) in &schema.properties {
        if let Some(default) = &member.default
            && is_set(default, member, schema)
            && members.get(&**name).is_none_or(|value| value.is_null() && !member.nullable)
        {
            members.insert(name.to_string(), default.clone());
        }
    }
    let is_custom = !schema.is_builtin;
    members.retain(|name, value| match schema.member(name) {
        Some(member) => {
            if is_custom && value.is_null() && !member.nullable {
                match &member.default {
                    Some(default) => *value = default.clone(),
                    None => return false,
                }
            }
            at(value, member);
            true
        }
        None => true,
    });
}

/// Go writes empty structs. The documents say so of times too, which are no objects.
fn is_set(default: &Value, member: &Schema, schema: &Schema) -> bool {
    !(schema.is_builtin && default.is_object() && member.kind() != Kind::Object)
}

#[cfg(test)]
mod tests;
