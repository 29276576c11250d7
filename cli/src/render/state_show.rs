//! Recorded objects as HCL-like text: `show` and `state show`.

use std::fmt::Write as _;

use sgp_model::{
    AttrPath, InstanceAddr, InstanceRecord, Mode, State, Value,
    address::quote,
    state::{ObjectStatus, OutputRecord, RecordKey},
};

use super::{
    diff::{Differ, Unchanged},
    paint::Paint,
    plan::SchemaOf,
    value,
};

/// The whole state: objects by address, then outputs.
pub fn state(state: &State, schemas: SchemaOf<'_>, paint: Paint) -> String {
    if state.instances.is_empty() && state.outputs.is_empty() {
        return "The state is empty: no objects and no outputs are recorded.\n".to_owned();
    }
    let objects: Vec<String> =
        state.instances.iter().map(|(key, record)| object(key, record, schemas, paint)).collect();
    let mut out = objects.join("\n");
    if !state.outputs.is_empty() {
        out.push_str(if out.is_empty() { "" } else { "\n" });
        let _ = write!(out, "Outputs:\n\n{}", outputs(state.outputs.iter()));
    }
    out
}

/// One recorded object, with its address and condition above it.
pub fn object(key: &RecordKey, record: &InstanceRecord, schemas: SchemaOf<'_>, paint: Paint) -> String {
    let remarks = remarks(key, record).iter().fold(String::new(), |out, r| format!("{out} {r}"));
    format!("# {}:{remarks}\n{}", key.addr, recorded(key, record, schemas, paint))
}

/// What is special about an object, in brackets each.
pub fn remarks(key: &RecordKey, record: &InstanceRecord) -> Vec<String> {
    let mut remarks = Vec::new();
    if let Some(deposed) = &key.deposed {
        remarks.push(format!("(deposed object {deposed})"));
    }
    if record.status == ObjectStatus::Tainted {
        remarks.push("(tainted)".to_owned());
    }
    remarks
}

/// One recorded object without its address, redacted.
pub fn recorded(key: &RecordKey, record: &InstanceRecord, schemas: SchemaOf<'_>, paint: Paint) -> String {
    let attributes = record.attributes.clone().mark_paths(&record.sensitive_paths);
    block(&key.addr, &attributes, schemas, paint)
}

/// One object without its address.
pub fn block(addr: &InstanceAddr, attributes: &Value, schemas: SchemaOf<'_>, paint: Paint) -> String {
    let keyword = if addr.resource.mode == Mode::Data { "data" } else { "resource" };
    let schema = schemas(addr.resource.mode, &addr.resource.type_name);
    let differ = Differ { replace: &[], paint, unchanged: Unchanged::Shown };
    let body = differ.block(0, schema, attributes, attributes, &AttrPath::root());
    format!("{keyword} {} {} {{\n{body}}}\n", quote(&addr.resource.type_name), quote(&addr.resource.name))
}

/// `name = value` for each output; sensitive ones are redacted.
pub fn outputs<'a>(outputs: impl Iterator<Item = (&'a String, &'a OutputRecord)>) -> String {
    outputs.map(|(name, record)| output(name, record)).collect()
}

/// `name = value` for an output; a sensitive one is redacted.
pub fn output(name: &str, output: &OutputRecord) -> String {
    let shown = if output.sensitive { "<sensitive>".to_owned() } else { value::expression(&output.value) };
    format!("{name} = {shown}\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use sgp_model::{ProviderAddr, Type, address::parse_instance};

    use super::*;
    use crate::render::plan::tests::schema;

    #[test]
    fn a_state_reads_like_configuration() {
        let record = |status| InstanceRecord {
            provider: ProviderAddr::root("aws"),
            schema_version: 0,
            attributes: Value::object([
                ("id", "sg-1".into()),
                ("name", "a".into()),
                ("password", "hunter2".into()),
                ("policy", "{\"a\":[1]}".into()),
                ("size", Value::null(Type::Number)),
                ("tags", Value::map(Type::String, [("Name", Value::from("a"))])),
                ("rule", Value::tuple(vec![Value::object([("port", Value::int(53))])])),
                ("user_data", "secret".into()),
            ]),
            sensitive_paths: vec![AttrPath::attr("user_data")],
            status,
            dependencies: vec![],
            create_before_destroy: false,
            skip_destroy: false,
            private: None,
        };
        let mut s = State::default();
        let addr = parse_instance("module.m.aws_example.a[\"k\"]").unwrap();
        s.instances.insert(RecordKey::current(addr.clone()), record(ObjectStatus::Tainted));
        s.instances.insert(
            RecordKey { addr, deposed: Some(sgp_model::DeposedKey("0123abcd".into())) },
            record(ObjectStatus::Ready),
        );
        let output = |value: Value, sensitive| OutputRecord { ty: value.ty(), value, sensitive };
        s.outputs.insert("ids".into(), output(Value::strings(["a"]), false));
        s.outputs.insert("secret".into(), output("x".into(), true));
        insta::assert_snapshot!(state(&s, &schema, Paint::plain()));
    }
}
