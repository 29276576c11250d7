//! Objects as Terraform's JSON arranges them: by module, with parts that are sensitive or unknown beside the values.

use std::collections::BTreeMap;

use sgp_model::{Block, InstanceAddr, InstanceKey, Kind, Mode, ModuleInstance, ModulePath, Value};

use super::json::Json;

/// The `root_module` of a values representation; `resources` come in the order of addresses.
pub fn modules(resources: Vec<(ModulePath, Json)>) -> Json {
    let mut root = Node::default();
    for (path, json) in resources {
        let node = path.0.iter().fold(&mut root, |node, step| node.children.entry(step.clone()).or_default());
        node.resources.push(json);
    }
    root.json(&ModulePath::root())
}

/// One module instance.
#[derive(Default)]
struct Node {
    resources: Vec<Json>,
    children: BTreeMap<ModuleInstance, Node>,
}

impl Node {
    fn json(self, path: &ModulePath) -> Json {
        let mut json = Json::object::<&str>([]);
        if !self.resources.is_empty() {
            json.push("resources", self.resources);
        }
        if !path.is_root() {
            json.push("address", path.to_string());
        }
        if !self.children.is_empty() {
            let child = |(step, node): (ModuleInstance, Self)| node.json(&path.child(step.name, step.key));
            json.push("child_modules", Json::array(self.children.into_iter().map(child)));
        }
        json
    }
}

/// The members that name an object: address, mode, type, name, index.
pub fn identity(addr: &InstanceAddr) -> Json {
    let mode = if addr.resource.mode == Mode::Data { "data" } else { "managed" };
    let json = Json::object([
        ("address", Json::from(addr.to_string())),
        ("mode", mode.into()),
        ("type", (&*addr.resource.type_name).into()),
        ("name", (&*addr.resource.name).into()),
    ]);
    match &addr.key {
        Some(InstanceKey::Any {}) => json.with("index_unknown", true),
        Some(key) => json.with("index", index(key)),
        None => json,
    }
}

/// An instance key.
pub fn index(key: &InstanceKey) -> Json {
    match key {
        InstanceKey::Int(n) => (*n).into(),
        InstanceKey::Str(s) => (&**s).into(),
        InstanceKey::Any {} => Json::Null,
    }
}

/// `true` where a part is sensitive, by its marks or its schema; members without such a part are left out.
pub fn sensitive(value: &Value, schema: Option<&Block>) -> Json {
    flags(&redact(value, schema), &Value::is_sensitive)
}

/// `true` where a part is not known yet; members without such a part are left out.
pub fn unknown(value: &Value) -> Json {
    flags(value, &|v| !v.is_known())
}

fn flags(value: &Value, test: &impl Fn(&Value) -> bool) -> Json {
    if test(value) {
        return true.into();
    }
    match value.kind() {
        Kind::List(..) | Kind::Tuple(_) | Kind::Set(..) => {
            Json::array(value.elements().unwrap_or_default().into_iter().map(|v| flags(v, test)))
        }
        Kind::Map(_, fs) | Kind::Object(fs) => {
            let members = fs.iter().map(|(k, v)| (&**k, flags(v, test)));
            Json::object(members.filter(|(_, flag)| *flag != Json::Bool(false)))
        }
        _ => false.into(),
    }
}

/// The value with the schema's sensitive attributes marked, in nested blocks too.
pub fn redact(value: &Value, schema: Option<&Block>) -> Value {
    let (Some(schema), Kind::Object(fs)) = (schema, value.kind()) else { return value.clone() };
    let field = |name: &str, v: &Value| {
        if let Some(nested) = schema.blocks.get(name) {
            return redact_blocks(v, &nested.block);
        }
        if schema.attributes.get(name).is_some_and(|a| a.sensitive) && !v.is_null() {
            v.clone().sensitive()
        } else {
            v.clone()
        }
    };
    let object = Value::object(fs.iter().map(|(k, v)| (k.clone(), field(k, v))));
    object.mark(value.marks())
}

fn redact_blocks(value: &Value, block: &Block) -> Value {
    let new: Value = match value.kind() {
        Kind::List(t, vs) => Value::list(t.clone(), vs.iter().map(|v| redact(v, Some(block))).collect()),
        Kind::Tuple(vs) => Value::tuple(vs.iter().map(|v| redact(v, Some(block))).collect()),
        Kind::Set(t, vs) => Value::set(t.clone(), vs.iter().map(|v| redact(v, Some(block)))),
        Kind::Map(t, fs) => Value::map(t.clone(), fs.iter().map(|(k, v)| (k.clone(), redact(v, Some(block))))),
        Kind::Object(_) => redact(value, Some(block)),
        _ => return value.clone(),
    };
    new.mark(value.marks())
}
