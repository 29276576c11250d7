//! Terraform's JSON to state.

use std::{collections::BTreeMap, sync::Arc};

use sgp_contract::StoreError;
use sgp_model::{
    AttrPath, DeposedKey, InstanceAddr, InstanceKey, InstanceRecord, Kind, Mode, ModulePath, PathStep, ProviderAddr,
    ResourceAddr, State, Type, Value,
    address::{ParsedAddr, parse_address},
    convert::convert,
    json::{from_json_text, to_serde},
    state::{ObjectStatus, OutputRecord, RecordKey},
};

use super::{SchemaHints, checks};

/// Reads Terraform state v4 JSON. Data sources in it are left out: they are read anew by every run.
///
/// # Errors
/// [`StoreError::Conflict`] for a text that is something else, [`StoreError::Damaged`] with the place for a state that
/// contradicts the format.
pub fn from_v4(text: &str, hints: &dyn SchemaHints) -> Result<State, StoreError> {
    let root = from_json_text(text).map_err(|e| not_a_state(&e.to_string()))?;
    check_version(&root)?;
    let root = Node { value: &root, path: String::new() };
    let mut state = State {
        serial: root.uint("serial")?.unwrap_or(0),
        lineage: root.text("lineage")?.unwrap_or_default().to_owned(),
        ..State::default()
    };
    if let Some(outputs) = root.get("outputs") {
        for (name, output) in outputs.fields()? {
            state.outputs.insert(name.to_string(), read_output(&output)?);
        }
    }
    for resource in root.elements("resources")? {
        read_resource(&resource, hints, &mut state.instances)?;
    }
    state.checks = checks::read(&root)?;
    Ok(state)
}

fn not_a_state(why: &str) -> StoreError {
    StoreError::Conflict(format!("this is not a Terraform state: {why}"))
}

fn check_version(root: &Value) -> Result<(), StoreError> {
    let number = |name: &str| root.get(name).and_then(Value::as_i64);
    if root.get("encrypted_data").is_some() {
        return Err(StoreError::Conflict(
            "this state is encrypted: export it in the clear with `tofu state pull`".into(),
        ));
    }
    match number("version") {
        Some(4) => Ok(()),
        Some(old @ 0..=3) => Err(StoreError::Conflict(format!(
            "this is a Terraform state of version {old}, and only version 4 is read: run `terraform apply -refresh-only` once with Terraform 1.x or OpenTofu"
        ))),
        Some(new) => {
            Err(StoreError::Conflict(format!("this is a Terraform state of version {new}, and only version 4 is read")))
        }
        None if root.get("format_version").is_some() => {
            Err(not_a_state("it looks like the output of `show -json`; export the state with `state pull`"))
        }
        None => Err(not_a_state("it has no version")),
    }
}

/// A place in the document.
pub(super) struct Node<'a> {
    value: &'a Value,
    path: String,
}

impl<'a> Node<'a> {
    pub(super) fn bad(&self, what: &str) -> StoreError {
        let path = if self.path.is_empty() { "the document" } else { &self.path };
        StoreError::Damaged(format!("{path} {what}"))
    }

    /// A field that is there and not null.
    pub(super) fn get(&self, name: &str) -> Option<Self> {
        let value = self.value.get(name).filter(|v| !v.is_null())?;
        let dot = if self.path.is_empty() { "" } else { "." };
        Some(Node { value, path: format!("{}{dot}{name}", self.path) })
    }

    pub(super) fn need(&self, name: &str) -> Result<Self, StoreError> {
        self.get(name).ok_or_else(|| self.bad(&format!("has no {name}")))
    }

    pub(super) fn as_text(&self) -> Result<&'a str, StoreError> {
        self.value.as_str().ok_or_else(|| self.bad("is not a text"))
    }

    fn as_uint(&self) -> Result<u64, StoreError> {
        let number = self.value.as_number().and_then(|n| n.to_string().parse().ok());
        number.ok_or_else(|| self.bad("is not a whole number from 0"))
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&'a str>, StoreError> {
        self.get(name).map(|node| node.as_text()).transpose()
    }

    fn uint(&self, name: &str) -> Result<Option<u64>, StoreError> {
        self.get(name).map(|node| node.as_uint()).transpose()
    }

    fn flag(&self, name: &str) -> Result<bool, StoreError> {
        let node = self.get(name);
        node.map_or(Ok(false), |node| node.value.as_bool().ok_or_else(|| node.bad("is neither true nor false")))
    }

    fn fields(&self) -> Result<Vec<(&'a Arc<str>, Self)>, StoreError> {
        let fields = self.value.as_fields().ok_or_else(|| self.bad("is not an object"))?;
        Ok(fields.iter().map(|(name, value)| (name, Node { value, path: format!("{}.{name}", self.path) })).collect())
    }

    /// The elements of an array; none when it is absent.
    pub(super) fn elements(&self, name: &str) -> Result<Vec<Self>, StoreError> {
        self.get(name).map_or(Ok(Vec::new()), |node| node.as_elements())
    }

    pub(super) fn as_elements(&self) -> Result<Vec<Self>, StoreError> {
        let elements = self.value.elements().ok_or_else(|| self.bad("is not an array"))?;
        Ok(elements
            .into_iter()
            .enumerate()
            .map(|(i, value)| Node { value, path: format!("{}[{i}]", self.path) })
            .collect())
    }

    fn as_type(&self) -> Result<Type, StoreError> {
        Type::from_json(&to_serde(self.value)).ok_or_else(|| self.bad("is not a type"))
    }

    fn convert(&self, ty: &Type) -> Result<Value, StoreError> {
        convert(self.value, ty).map_err(|e| self.bad(&format!("does not follow its type: {e}")))
    }
}

fn read_output(node: &Node<'_>) -> Result<OutputRecord, StoreError> {
    // A null output has a value, which `need` would call absent.
    let value = node.value.get("value").ok_or_else(|| node.bad("has no value"))?;
    let value = Node { value, path: format!("{}.value", node.path) };
    let ty = node.get("type").map(|ty| ty.as_type()).transpose()?.unwrap_or(Type::Dynamic);
    let value = value.convert(&ty)?;
    let ty = if ty == Type::Dynamic { value.ty() } else { ty };
    Ok(OutputRecord { value, ty, sensitive: node.flag("sensitive")? })
}

fn read_resource(
    node: &Node<'_>,
    hints: &dyn SchemaHints,
    instances: &mut BTreeMap<RecordKey, InstanceRecord>,
) -> Result<(), StoreError> {
    match node.need("mode")?.as_text()? {
        "managed" => {}
        "data" => return Ok(()),
        other => return Err(node.bad(&format!("has mode {other}, which is not known"))),
    }
    let resource = ResourceAddr {
        module: node.get("module").map_or(Ok(ModulePath::root()), |module| read_module(&module))?,
        mode: Mode::Managed,
        type_name: node.need("type")?.as_text()?.into(),
        name: node.need("name")?.as_text()?.into(),
    };
    let provider = node.get("provider").map(|provider| read_provider(&provider, hints)).transpose()?;
    let dynamic = hints.dynamic_attributes(&resource.type_name);
    for instance in node.elements("instances")? {
        let own = instance.get("provider").or_else(|| instance.get("instance_provider"));
        let own = own.map(|own| read_provider(&own, hints)).transpose()?;
        let provider = own.or_else(|| provider.clone()).ok_or_else(|| node.bad("has no provider"))?;
        let key = read_key(&instance, &resource)?;
        let record = read_instance(&instance, provider, &dynamic)?;
        let addr = key.addr.to_string();
        if instances.insert(key, record).is_some() {
            return Err(instance.bad(&format!("is {addr} a second time")));
        }
    }
    Ok(())
}

fn read_key(node: &Node<'_>, resource: &ResourceAddr) -> Result<RecordKey, StoreError> {
    let key = match node.get("index_key") {
        None => None,
        Some(key) if key.value.as_str().is_some() => Some(InstanceKey::Str(key.as_text()?.into())),
        Some(key) => Some(InstanceKey::Int(key.as_uint()?)),
    };
    let addr = InstanceAddr { resource: resource.clone(), key };
    let deposed = node.text("deposed")?.filter(|d| !d.is_empty()).map(|d| DeposedKey(d.into()));
    Ok(RecordKey { addr, deposed })
}

fn read_instance(node: &Node<'_>, provider: ProviderAddr, dynamic: &[&str]) -> Result<InstanceRecord, StoreError> {
    if node.get("attributes_flat").is_some() {
        return Err(node.bad("has the flat attributes of Terraform before 0.12: refresh it with a later version first"));
    }
    Ok(InstanceRecord {
        provider,
        schema_version: node.uint("schema_version")?.unwrap_or(0),
        attributes: read_attributes(node, dynamic)?,
        sensitive_paths: node.elements("sensitive_attributes")?.iter().map(read_path).collect::<Result<_, _>>()?,
        status: match node.text("status")? {
            None | Some("") => ObjectStatus::Ready,
            Some("tainted") => ObjectStatus::Tainted,
            Some(other) => return Err(node.bad(&format!("has status {other}, which is not known"))),
        },
        dependencies: node.elements("dependencies")?.iter().map(read_dependency).collect::<Result<_, _>>()?,
        create_before_destroy: node.flag("create_before_destroy")?,
        skip_destroy: node.flag("skip_destroy")?,
        private: node.text("private")?.map(str::to_owned),
    })
}

fn read_attributes(node: &Node<'_>, dynamic: &[&str]) -> Result<Value, StoreError> {
    let Some(attributes) = node.get("attributes") else {
        return Ok(Value::object::<&str>([]));
    };
    let fields = attributes.fields()?.into_iter().map(|(name, field)| {
        let value = if dynamic.contains(&&**name) { read_dynamic(&field)? } else { field.value.clone() };
        Ok((name.clone(), value))
    });
    Ok(Value::object(fields.collect::<Result<Vec<_>, StoreError>>()?))
}

/// A value with its type beside it; anything else has the type that its JSON implies.
fn read_dynamic(field: &Node<'_>) -> Result<Value, StoreError> {
    let Kind::Object(parts) = field.value.kind() else { return Ok(field.value.clone()) };
    match (parts.get("value"), field.get("type")) {
        (Some(value), Some(ty)) if parts.len() == 2 => {
            Node { value, path: format!("{}.value", field.path) }.convert(&ty.as_type()?)
        }
        _ => Ok(field.value.clone()),
    }
}

/// A sensitive path; where a step leads into a set, the whole set is meant.
fn read_path(node: &Node<'_>) -> Result<AttrPath, StoreError> {
    let mut path = AttrPath::root();
    for step in node.as_elements()? {
        let value = step.need("value")?;
        path.0.push(match step.need("type")?.as_text()? {
            "get_attr" => PathStep::Attr(value.as_text()?.into()),
            "index" => {
                let key = value.need("value")?;
                if let Some(text) = key.value.as_str() {
                    PathStep::Key(text.into())
                } else if key.value.as_number().is_some() {
                    let n = usize::try_from(key.as_uint()?).map_err(|_| key.bad("is too large"))?;
                    PathStep::Index(n)
                } else {
                    break;
                }
            }
            other => return Err(step.bad(&format!("has type {other}, which is not known"))),
        });
    }
    Ok(path)
}

fn read_module(node: &Node<'_>) -> Result<ModulePath, StoreError> {
    match parse_address(node.as_text()?) {
        Ok(ParsedAddr::Module(path)) => Ok(path),
        Ok(_) => Err(node.bad("is not the address of a module")),
        Err(e) => Err(node.bad(&format!("is not an address: {e}"))),
    }
}

fn read_dependency(node: &Node<'_>) -> Result<ResourceAddr, StoreError> {
    match parse_address(node.as_text()?) {
        Ok(ParsedAddr::Resource(addr)) => Ok(addr),
        Ok(ParsedAddr::Instance(addr)) => Ok(addr.resource),
        Ok(ParsedAddr::Module(_)) => Err(node.bad("is not the address of a resource")),
        Err(e) => Err(node.bad(&format!("is not an address: {e}"))),
    }
}

/// `module.m.provider["registry.terraform.io/hashicorp/aws"].alias`, or `provider.aws.alias` as 0.12 wrote it.
fn read_provider(node: &Node<'_>, hints: &dyn SchemaHints) -> Result<ProviderAddr, StoreError> {
    let text = node.as_text()?;
    let bad = || node.bad(&format!("is {text:?}, which is not a provider configuration"));
    let (module, rest) = if let Some(rest) = text.strip_prefix("provider") {
        (ModulePath::root(), rest)
    } else {
        let (module, rest) = text.split_once(".provider").ok_or_else(bad)?;
        match parse_address(module) {
            Ok(ParsedAddr::Module(path)) => (path, rest),
            _ => return Err(bad()),
        }
    };
    let (name, alias) = if let Some(rest) = rest.strip_prefix("[\"") {
        let (source, alias) = rest.split_once("\"]").ok_or_else(bad)?;
        (hints.provider_name(source), alias)
    } else {
        let rest = rest.strip_prefix('.').ok_or_else(bad)?;
        let end = rest.find('.').unwrap_or(rest.len());
        (rest[..end].to_owned(), &rest[end..])
    };
    let alias = match alias.strip_prefix('.') {
        Some(alias) if !alias.is_empty() => Some(alias.into()),
        None if alias.is_empty() => None,
        _ => return Err(bad()),
    };
    Ok(ProviderAddr { module, name: name.into(), alias })
}
