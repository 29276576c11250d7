//! State to Terraform's JSON.

use sgp_contract::StoreError;
use sgp_model::{
    AttrPath, InstanceKey, InstanceRecord, Mode, PathStep, ProviderAddr, State, Type, Value,
    json::{JsonError, to_plain_json_text},
    state::{ObjectStatus, OutputRecord, RecordKey},
};

use super::{SchemaHints, checks};

/// The version that the file claims to be written by. Terraform refuses a file of a later version than its own in some
/// releases; this is the first that has everything we write.
const TERRAFORM_VERSION: &str = "1.4.0";

/// Writes a state as Terraform state v4 JSON, indented, with a line break at the end.
///
/// # Errors
/// [`StoreError::Conflict`] when an attribute is unknown, which no recorded state holds.
pub fn to_v4(state: &State, hints: &dyn SchemaHints) -> Result<String, StoreError> {
    let mut outputs = Object::default();
    for (name, output) in &state.outputs {
        outputs.field(name, &write_output(name, output)?);
    }
    let entries: Vec<_> = state.instances.iter().collect();
    let resources = entries
        .chunk_by(|(a, _), (b, _)| a.addr.resource == b.addr.resource)
        .map(|instances| write_resource(instances, hints))
        .collect::<Result<Vec<_>, _>>()?;

    let mut root = Object::default();
    root.field("version", "4");
    root.field("terraform_version", &string(TERRAFORM_VERSION));
    root.field("serial", &state.serial.to_string());
    root.field("lineage", &string(&state.lineage));
    root.field("outputs", &outputs.finish());
    root.field("resources", &array(&resources));
    root.field("check_results", &checks::write(&state.checks));
    Ok(indent(&root.finish()))
}

fn write_output(name: &str, output: &OutputRecord) -> Result<String, StoreError> {
    let mut out = Object::default();
    out.field("value", &value(&output.value, &format!("output.{name}"))?);
    out.field("type", &output.value.ty().to_json().to_string());
    if output.sensitive {
        out.field("sensitive", "true");
    }
    Ok(out.finish())
}

fn write_resource(instances: &[(&RecordKey, &InstanceRecord)], hints: &dyn SchemaHints) -> Result<String, StoreError> {
    let (first_key, first) = instances[0];
    let addr = &first_key.addr.resource;
    let provider = write_provider(&first.provider, hints);
    let mut out = Object::default();
    if !addr.module.is_root() {
        out.field("module", &string(&addr.module.to_string()));
    }
    out.field(
        "mode",
        match addr.mode {
            Mode::Managed => "\"managed\"",
            Mode::Data => "\"data\"",
            Mode::Ephemeral => "\"ephemeral\"",
        },
    );
    out.field("type", &string(&addr.type_name));
    out.field("name", &string(&addr.name));
    // Where one is chosen by key, each instance says its own and the resource none, as OpenTofu has it.
    let is_chosen = instances.iter().any(|(_, record)| record.provider.alias_and_key().1.is_some());
    if !is_chosen {
        out.field("provider", &string(&provider));
    }
    let dynamic = hints.dynamic_attributes(&addr.type_name);
    let instances = instances
        .iter()
        .map(|(key, record)| {
            let own = write_provider(&record.provider, hints);
            let field = if is_chosen { "provider" } else { "instance_provider" };
            let own = (is_chosen || own != provider).then_some((field, own));
            write_instance(key, record, &dynamic, own)
        })
        .collect::<Result<Vec<_>, _>>()?;
    out.field("instances", &array(&instances));
    Ok(out.finish())
}

/// `provider` is the instance's own with the name of its field, where it is not its resource's.
fn write_instance(
    key: &RecordKey,
    record: &InstanceRecord,
    dynamic: &[&str],
    provider: Option<(&str, String)>,
) -> Result<String, StoreError> {
    let mut out = Object::default();
    match &key.addr.key {
        None => {}
        Some(InstanceKey::Int(n)) => out.field("index_key", &n.to_string()),
        Some(InstanceKey::Str(s)) => out.field("index_key", &string(s)),
        Some(InstanceKey::Any {}) => unreachable!("{}", crate::key::NEVER_OPEN),
    }
    if record.status == ObjectStatus::Tainted {
        out.field("status", "\"tainted\"");
    }
    if let Some(deposed) = &key.deposed {
        out.field("deposed", &string(&deposed.0));
    }
    out.field("schema_version", &record.schema_version.to_string());
    out.field("attributes", &write_attributes(key, &record.attributes, dynamic)?);
    out.field("sensitive_attributes", &write_paths(&record.sensitive_paths));
    if let Some(private) = &record.private {
        out.field("private", &string(private));
    }
    if !record.dependencies.is_empty() {
        let dependencies: Vec<_> =
            record.dependencies.iter().map(|addr| string(&addr.without_keys().to_string())).collect();
        out.field("dependencies", &array(&dependencies));
    }
    if record.create_before_destroy {
        out.field("create_before_destroy", "true");
    }
    if record.skip_destroy {
        out.field("skip_destroy", "true");
    }
    if let Some((field, provider)) = provider {
        out.field(field, &string(&provider));
    }
    Ok(out.finish())
}

fn write_attributes(key: &RecordKey, attributes: &Value, dynamic: &[&str]) -> Result<String, StoreError> {
    let addr = key.addr.to_string();
    let Some(fields) = attributes.as_fields() else { return value(attributes, &addr) };
    let mut out = Object::default();
    for (name, field) in fields {
        let text = value(field, &addr)?;
        let untyped_null = field.is_null() && field.ty() == Type::Dynamic;
        if dynamic.contains(&&**name) && !untyped_null {
            let mut typed = Object::default();
            typed.field("value", &text);
            typed.field("type", &field.ty().to_json().to_string());
            out.field(name, &typed.finish());
        } else {
            out.field(name, &text);
        }
    }
    Ok(out.finish())
}

/// Sensitive paths; one that leads into a set ends at the set, because JSON cannot name its elements.
fn write_paths(paths: &[AttrPath]) -> String {
    let mut written: Vec<String> = Vec::new();
    for path in paths {
        let steps: Vec<_> = path.0.iter().map_while(write_step).collect();
        let text = array(&steps);
        if !written.contains(&text) {
            written.push(text);
        }
    }
    array(&written)
}

fn write_step(step: &PathStep) -> Option<String> {
    let mut out = Object::default();
    let mut index = |value: &str, ty: &str| {
        let mut key = Object::default();
        key.field("value", value);
        key.field("type", &string(ty));
        out.field("type", "\"index\"");
        out.field("value", &key.finish());
    };
    match step {
        PathStep::Attr(name) => {
            out.field("type", "\"get_attr\"");
            out.field("value", &string(name));
        }
        PathStep::Index(n) => index(&n.to_string(), "number"),
        PathStep::Key(key) => index(&string(key), "string"),
        PathStep::Element(_) => return None,
    }
    Some(out.finish())
}

fn write_provider(addr: &ProviderAddr, hints: &dyn SchemaHints) -> String {
    let module = if addr.module.is_root() { String::new() } else { format!("{}.", addr.module) };
    let alias = addr.alias.as_ref().map(|alias| format!(".{alias}")).unwrap_or_default();
    format!("{module}provider[\"{}\"]{alias}", hints.provider_source(&addr.name))
}

fn value(value: &Value, of: &str) -> Result<String, StoreError> {
    to_plain_json_text(value).map_err(|e| match e {
        JsonError::Unknown(path) => StoreError::Conflict(format!("{of} cannot be exported: {path} is not known")),
        other => StoreError::Conflict(format!("{of} cannot be exported: {other}")),
    })
}

pub(super) fn string(text: &str) -> String {
    to_plain_json_text(&Value::from(text)).expect("a known string is JSON")
}

pub(super) fn array(elements: &[String]) -> String {
    format!("[{}]", elements.join(","))
}

/// A JSON object whose fields keep their order.
#[derive(Default)]
pub(super) struct Object(String);

impl Object {
    pub(super) fn field(&mut self, name: &str, json: &str) {
        if !self.0.is_empty() {
            self.0.push(',');
        }
        self.0.push_str(&string(name));
        self.0.push(':');
        self.0.push_str(json);
    }

    pub(super) fn finish(self) -> String {
        format!("{{{}}}", self.0)
    }
}

/// Compact JSON, indented by two spaces. Numbers keep their digits, because nothing is parsed.
fn indent(compact: &str) -> String {
    let mut out = String::with_capacity(compact.len() * 2);
    let mut depth = 0;
    let mut in_string = false;
    let mut chars = compact.chars().peekable();
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    while let Some(c) = chars.next() {
        match c {
            _ if in_string => {
                out.push(c);
                match c {
                    '\\' => out.extend(chars.next()),
                    '"' => in_string = false,
                    _ => {}
                }
            }
            '{' | '[' => {
                out.push(c);
                if let Some(close) = chars.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(close);
                } else {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth -= 1;
                line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c => {
                in_string = c == '"';
                out.push(c);
            }
        }
    }
    out.push('\n');
    out
}
