//! State as JSON for programs: Terraform's values representation, format 1.0.

use sgp_model::{
    InstanceAddr, InstanceRecord, State, Value,
    state::{ObjectStatus, OutputRecord, RecordKey},
};

use super::{json::Json, plan::SchemaOf, tree};

/// The version of the format.
pub const FORMAT: &str = "1.0";

/// What the JSON forms of state and plan need to know beside the data.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// Schemas, for what is sensitive.
    pub schemas: SchemaOf<'a>,
    /// The version of the schema of a type.
    pub schema_version: &'a dyn Fn(sgp_model::Mode, &str) -> u64,
    /// The source address of a provider by its name: `registry.terraform.io/hashicorp/aws`.
    pub source: &'a dyn Fn(&str) -> String,
    /// The version of the tool.
    pub version: &'a str,
}

/// `show -json` of a state. Data that was read goes along when it is given.
pub fn state<'a>(state: &State, data: impl Iterator<Item = (&'a InstanceAddr, &'a Value)>, facts: Facts<'_>) -> Json {
    let mut json = Json::object([("format_version", Json::from(FORMAT)), ("terraform_version", facts.version.into())]);
    let mut objects: Vec<(RecordKey, Json)> = state
        .instances
        .iter()
        .map(|(key, record)| (key.clone(), recorded(key, record, facts)))
        .chain(data.map(|(addr, value)| (RecordKey::current(addr.clone()), read(addr, value, facts))))
        .collect();
    if objects.is_empty() && state.outputs.is_empty() {
        return json;
    }
    objects.sort_by(|(a, _), (b, _)| a.cmp(b));
    let resources = objects.into_iter().map(|(key, json)| (key.addr.resource.module, json)).collect();
    let mut values = Json::object::<&str>([]);
    if !state.outputs.is_empty() {
        values.push("outputs", outputs(state.outputs.iter()));
    }
    values.push("root_module", tree::modules(resources));
    json.push("values", values);
    json
}

fn recorded(key: &RecordKey, record: &InstanceRecord, facts: Facts<'_>) -> Json {
    let attributes = record.attributes.clone().mark_paths(&record.sensitive_paths);
    let mut json = object(&key.addr, &record.provider.name, record.schema_version, &attributes, facts);
    if !record.dependencies.is_empty() {
        json.push("depends_on", Json::array(record.dependencies.iter().map(|d| Json::from(d.to_string()))));
    }
    if record.status == ObjectStatus::Tainted {
        json.push("tainted", true);
    }
    if let Some(deposed) = &key.deposed {
        json.push("deposed_key", &*deposed.0);
    }
    json
}

fn read(addr: &InstanceAddr, value: &Value, facts: Facts<'_>) -> Json {
    let provider = implied_provider(addr);
    object(addr, provider, (facts.schema_version)(addr.resource.mode, &addr.resource.type_name), value, facts)
}

/// The provider that a type's name begins with.
pub fn implied_provider(addr: &InstanceAddr) -> &str {
    let type_name = &addr.resource.type_name;
    type_name.split_once('_').map_or(&**type_name, |(provider, _)| provider)
}

/// One object with its values and what is sensitive in them.
pub fn object(addr: &InstanceAddr, provider: &str, schema_version: u64, value: &Value, facts: Facts<'_>) -> Json {
    let schema = (facts.schemas)(addr.resource.mode, &addr.resource.type_name);
    tree::identity(addr)
        .with("provider_name", (facts.source)(provider))
        .with("schema_version", schema_version)
        .with("values", Json::of_value(value))
        .with("sensitive_values", tree::sensitive(value, schema))
}

/// Outputs by name, sensitive ones in clear: whoever asks for JSON feeds a program.
pub fn outputs<'a>(outputs: impl Iterator<Item = (&'a String, &'a OutputRecord)>) -> Json {
    Json::object(outputs.map(|(name, output)| (name.clone(), self::output(output))))
}

/// One output.
pub fn output(output: &OutputRecord) -> Json {
    Json::object([
        ("sensitive", Json::from(output.sensitive)),
        ("type", (&output.ty.to_json()).into()),
        ("value", Json::of_value(&output.value)),
    ])
}
