//! Addresses of modules, resources, instances and provider configurations, as Terraform writes them.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// The key of one instance of a resource or module: `[0]` from `count`, `["a"]` from `for_each`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum InstanceKey {
    /// From `count`.
    Int(u64),
    /// From `for_each`.
    Str(Arc<str>),
    /// Stands for all instances while their keys are known only after apply. It is never recorded. (With braces, because a
    /// plain word would be `null` in JSON, which is no key.)
    Any {},
}

impl fmt::Display for InstanceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(n) => write!(f, "[{n}]"),
            Self::Str(s) => write!(f, "[{}]", quote(s)),
            Self::Any {} => write!(f, "[*]"),
        }
    }
}

/// Writes a string as an HCL quoted literal, so that an address can be pasted back.
pub fn quote(s: &str) -> String {
    let mut out = String::with_capacity(s.len() + 2);
    out.push('"');
    let mut chars = s.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' | '%' if chars.peek() == Some(&'{') => {
                out.push(c);
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// One step into a module call, with the key of the instance when the call repeats.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ModuleInstance {
    /// The label of the `module` block.
    pub name: Arc<str>,
    /// The instance key; `None` for a call without `count` or `for_each`.
    pub key: Option<InstanceKey>,
}

/// A module instance, from the root inwards; empty for the root module.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ModulePath(pub Arc<[ModuleInstance]>);

impl ModulePath {
    /// The root module.
    pub fn root() -> Self {
        Self::default()
    }

    /// Whether this is the root module.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The path of a child module instance.
    #[must_use]
    pub fn child(&self, name: impl Into<Arc<str>>, key: Option<InstanceKey>) -> Self {
        let mut steps = self.0.to_vec();
        steps.push(ModuleInstance { name: name.into(), key });
        Self(steps.into())
    }

    /// Whether it stands for many: the instances of a call around it are not known yet.
    pub fn is_open(&self) -> bool {
        self.0.iter().any(|step| step.key == Some(InstanceKey::Any {}))
    }

    /// Whether this path stands for that one: the same calls, and [`InstanceKey::Any`] for whatever key.
    pub fn stands_for(&self, other: &Self) -> bool {
        self.0.len() == other.0.len()
            && self
                .0
                .iter()
                .zip(other.0.iter())
                .all(|(a, b)| a.name == b.name && key_stands_for(a.key.as_ref(), b.key.as_ref()))
    }

    /// The path of the module that contains this one; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        let (_, rest) = self.0.split_last()?;
        Some(Self(rest.to_vec().into()))
    }

    /// The same path without instance keys: the place in the configuration.
    #[must_use]
    pub fn without_keys(&self) -> Self {
        Self(self.0.iter().map(|m| ModuleInstance { name: m.name.clone(), key: None }).collect())
    }
}

impl fmt::Display for ModulePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(".")?;
            }
            write!(f, "module.{}", step.name)?;
            if let Some(key) = &step.key {
                write!(f, "{key}")?;
            }
        }
        Ok(())
    }
}

/// Whether an object is managed or only read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// A `resource` block.
    Managed,
    /// A `data` block.
    Data,
    /// An `ephemeral` block: opened in each run that needs it, never stored.
    Ephemeral,
}

impl Mode {
    /// What comes before the type in an address: `data.` for data sources.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Managed => "",
            Self::Data => "data.",
            Self::Ephemeral => "ephemeral.",
        }
    }

    /// The type of the block.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Managed => "resource",
            Self::Data => "data",
            Self::Ephemeral => "ephemeral",
        }
    }
}

/// A resource or data source within a module instance: `module.a.aws_security_group.b`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ResourceAddr {
    /// The module instance that holds the block.
    pub module: ModulePath,
    /// Managed or data.
    pub mode: Mode,
    /// The resource type, such as `aws_security_group`.
    pub type_name: Arc<str>,
    /// The second label of the block.
    pub name: Arc<str>,
}

impl ResourceAddr {
    /// The address of one instance.
    pub fn instance(&self, key: Option<InstanceKey>) -> InstanceAddr {
        InstanceAddr { resource: self.clone(), key }
    }

    /// Whether this address stands for that one: the same block, in a module whose path stands for the other's.
    pub fn stands_for(&self, other: &Self) -> bool {
        (self.mode, &self.type_name, &self.name) == (other.mode, &other.type_name, &other.name)
            && self.module.stands_for(&other.module)
    }

    /// The same address without the keys of its modules: the block in the configuration.
    #[must_use]
    pub fn without_keys(&self) -> Self {
        Self { module: self.module.without_keys(), ..self.clone() }
    }
}

impl fmt::Display for ResourceAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.module.is_root() {
            write!(f, "{}.", self.module)?;
        }
        write!(f, "{}{}.{}", self.mode.prefix(), self.type_name, self.name)
    }
}

fn key_stands_for(key: Option<&InstanceKey>, other: Option<&InstanceKey>) -> bool {
    key == Some(&InstanceKey::Any {}) || key == other
}

/// One instance of a resource: `aws_security_group.b["x"]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct InstanceAddr {
    /// The resource.
    pub resource: ResourceAddr,
    /// The instance key; `None` without `count` and `for_each`.
    pub key: Option<InstanceKey>,
}

impl InstanceAddr {
    /// Whether it stands for many: its key, or that of a module around it, is not known yet.
    pub fn is_open(&self) -> bool {
        self.key == Some(InstanceKey::Any {}) || self.resource.module.is_open()
    }

    /// Whether this address stands for that one: the same block, and [`InstanceKey::Any`] for whatever key.
    pub fn stands_for(&self, other: &Self) -> bool {
        self.resource.stands_for(&other.resource) && key_stands_for(self.key.as_ref(), other.key.as_ref())
    }
}

impl fmt::Display for InstanceAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.resource)?;
        match &self.key {
            Some(key) => write!(f, "{key}"),
            None => Ok(()),
        }
    }
}

/// The key of a deposed object: eight lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DeposedKey(pub Arc<str>);

impl fmt::Display for DeposedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A provider configuration: `aws`, `aws.west`, within a module instance.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ProviderAddr {
    /// The module instance that holds the `provider` block (the root for inherited ones).
    pub module: ModulePath,
    /// The local name, which for built-in providers is the provider's own name: `aws`, `kubernetes`, `sgp`, `terraform`.
    pub name: Arc<str>,
    /// The `alias` argument; for one instance of a configuration with `for_each` with its key behind it, as references and
    /// states write it: `by_region["eu-west-1"]`.
    pub alias: Option<Arc<str>>,
}

impl ProviderAddr {
    /// The default configuration of a provider in the root module.
    pub fn root(name: impl Into<Arc<str>>) -> Self {
        Self { module: ModulePath::root(), name: name.into(), alias: None }
    }

    /// One instance of this configuration, which has an alias and `for_each`.
    #[must_use]
    pub fn instance(self, key: &InstanceKey) -> Self {
        let alias = self.alias.map(|alias| format!("{alias}{key}").into());
        Self { alias, ..self }
    }

    /// The `alias` argument itself, and the key behind it.
    pub fn alias_and_key(&self) -> (Option<&str>, Option<InstanceKey>) {
        let Some(alias) = self.alias.as_deref() else { return (None, None) };
        let end = alias.find('[').unwrap_or(alias.len());
        let key = Cursor { text: alias, at: end }.key().ok().flatten();
        (Some(&alias[..end]), key)
    }

    /// The same without a key: the block in the configuration.
    #[must_use]
    pub fn without_key(&self) -> Self {
        Self { alias: self.alias_and_key().0.map(Into::into), ..self.clone() }
    }
}

impl fmt::Display for ProviderAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.module.is_root() {
            write!(f, "{}.", self.module)?;
        }
        write!(f, "provider.{}", self.name)?;
        match &self.alias {
            Some(alias) => write!(f, ".{alias}"),
            None => Ok(()),
        }
    }
}

/// What [`parse_address`] found at the end of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParsedAddr {
    /// Only module steps: `module.a`.
    Module(ModulePath),
    /// A resource without an instance key (which may mean all instances).
    Resource(ResourceAddr),
    /// A resource with an instance key.
    Instance(InstanceAddr),
}

impl ParsedAddr {
    /// Whether the instance lies at or below this address (as `-target` and `state rm` understand it). One that stands for many
    /// does when one of them can.
    pub fn covers(&self, addr: &InstanceAddr) -> bool {
        match self {
            Self::Instance(wanted) => wanted == addr || addr.stands_for(wanted),
            Self::Resource(wanted) => wanted == &addr.resource || addr.resource.stands_for(wanted),
            Self::Module(path) => covers_module(path, &addr.resource.module),
        }
    }

    /// Whether an instance of the resource can lie at or below this address.
    pub fn touches(&self, resource: &ResourceAddr) -> bool {
        match self {
            Self::Instance(wanted) => wanted.resource == *resource || resource.stands_for(&wanted.resource),
            Self::Resource(wanted) => wanted == resource || resource.stands_for(wanted),
            Self::Module(path) => covers_module(path, &resource.module),
        }
    }
}

impl ParsedAddr {
    /// Whether something at or below this address can lie in the instances of a module call.
    pub fn leads_into(&self, within: &ModulePath, call: &str) -> bool {
        let (path, is_module) = match self {
            Self::Module(path) => (path, true),
            Self::Resource(r) => (&r.module, false),
            Self::Instance(i) => (&i.resource.module, false),
        };
        let around =
            |o: &ModuleInstance, i: &ModuleInstance| o.name == i.name && may_be_within(o.key.as_ref(), i.key.as_ref());
        path.0.iter().zip(within.0.iter()).all(|(o, i)| around(o, i))
            && path.0.get(within.0.len()).map_or(is_module, |step| *step.name == *call)
    }
}

/// Whether `inner` is `outer` or below it; a step of `outer` without a key covers every instance of that call.
fn covers_module(outer: &ModulePath, inner: &ModulePath) -> bool {
    inner.0.len() >= outer.0.len()
        && outer
            .0
            .iter()
            .zip(inner.0.iter())
            .all(|(o, i)| o.name == i.name && may_be_within(o.key.as_ref(), i.key.as_ref()))
}

/// Whether a key of a call can be meant by the one that somebody wrote; without one all are.
fn may_be_within(written: Option<&InstanceKey>, key: Option<&InstanceKey>) -> bool {
    written.is_none() || key_stands_for(key, written)
}

/// Parses an address as written on a command line: `module.m["k"].aws_security_group.b[0]`.
///
/// # Errors
/// A sentence that says what was expected, for the reader of the command line.
pub fn parse_address(text: &str) -> Result<ParsedAddr, String> {
    let mut rest = Cursor { text, at: 0 };
    let mut module = ModulePath::root();
    loop {
        let word = rest.ident()?;
        match word {
            "module" => {
                rest.dot()?;
                let name = rest.ident()?;
                let key = rest.key()?;
                module = module.child(name, key);
                if rest.done() {
                    return Ok(ParsedAddr::Module(module));
                }
                rest.dot()?;
            }
            "data" | "ephemeral" => {
                let mode = if word == "data" { Mode::Data } else { Mode::Ephemeral };
                rest.dot()?;
                let type_name = rest.ident()?;
                return resource(&mut rest, module, mode, type_name);
            }
            type_name => return resource(&mut rest, module, Mode::Managed, type_name),
        }
    }
}

/// Parses an address that must name one resource instance.
///
/// # Errors
/// A sentence that says what was expected.
pub fn parse_instance(text: &str) -> Result<InstanceAddr, String> {
    match parse_address(text)? {
        ParsedAddr::Instance(addr) => Ok(addr),
        ParsedAddr::Resource(addr) => Ok(addr.instance(None)),
        ParsedAddr::Module(_) => Err(format!("{text} names a module; a resource instance is needed here")),
    }
}

fn resource(rest: &mut Cursor<'_>, module: ModulePath, mode: Mode, type_name: &str) -> Result<ParsedAddr, String> {
    rest.dot()?;
    let name = rest.ident()?;
    let key = rest.key()?;
    if !rest.done() {
        return Err(format!("unexpected {:?} after the resource address", &rest.text[rest.at..]));
    }
    let addr = ResourceAddr { module, mode, type_name: type_name.into(), name: name.into() };
    Ok(match key {
        Some(key) => ParsedAddr::Instance(addr.instance(Some(key))),
        None => ParsedAddr::Resource(addr),
    })
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn done(&self) -> bool {
        self.at == self.text.len()
    }

    fn ident(&mut self) -> Result<&'a str, String> {
        let rest = &self.text[self.at..];
        let len = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).unwrap_or(rest.len());
        if len == 0 {
            return Err(format!("a name is needed at {rest:?} in {:?}", self.text));
        }
        self.at += len;
        Ok(&rest[..len])
    }

    fn dot(&mut self) -> Result<(), String> {
        if self.text[self.at..].starts_with('.') {
            self.at += 1;
            return Ok(());
        }
        Err(format!("a dot and a name are missing after {:?}", &self.text[..self.at]))
    }

    fn key(&mut self) -> Result<Option<InstanceKey>, String> {
        let rest = &self.text[self.at..];
        let Some(inner) = rest.strip_prefix('[') else { return Ok(None) };
        if let Some(quoted) = inner.strip_prefix('"') {
            let (key, used) = unquote(quoted).ok_or_else(|| format!("the key in {rest:?} is not closed"))?;
            if !quoted[used..].starts_with(']') {
                return Err(format!("the key in {rest:?} is not closed with ]"));
            }
            self.at += 2 + used + 1;
            return Ok(Some(InstanceKey::Str(key.into())));
        }
        let end = inner.find(']').ok_or_else(|| format!("the key in {rest:?} is not closed with ]"))?;
        let number =
            inner[..end].parse().map_err(|_| format!("{:?} is neither a number nor a quoted string", &inner[..end]))?;
        self.at += 1 + end + 1;
        Ok(Some(InstanceKey::Int(number)))
    }
}

/// Reads up to the closing quote; answers the text and how many bytes were used, the quote included.
fn unquote(text: &str) -> Option<(String, usize)> {
    let mut out = String::new();
    let mut chars = text.char_indices();
    while let Some((i, c)) = chars.next() {
        match c {
            '"' => return Some((out.replace("$${", "${").replace("%%{", "%{"), i + 1)),
            '\\' => out.push(match chars.next()?.1 {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                c => c,
            }),
            c => out.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_round_trip() {
        for text in [
            "aws_security_group.a",
            "aws_security_group.a[3]",
            "data.aws_vpc.v",
            "module.m.ephemeral.random_password.p[0]",
            "module.m.data.aws_vpc.v[\"a.b\"]",
            "module.m[0].module.n[\"k\\\"]\"].terraform_data.x[\"y$${z}\"]",
        ] {
            let shown = match parse_address(text).expect(text) {
                ParsedAddr::Module(m) => m.to_string(),
                ParsedAddr::Resource(r) => r.to_string(),
                ParsedAddr::Instance(i) => i.to_string(),
            };
            assert_eq!(shown, text);
        }
    }

    #[test]
    fn bad_addresses_say_what_is_missing() {
        for text in ["", "aws_vpc", "aws_vpc.", "module", "a.b[", "a.b[x]", "a.b[\"x]", "a.b.c", "data.a"] {
            assert!(parse_address(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_open_address_stands_for_all_that_it_may_become() {
        let any = Some(InstanceKey::Any {});
        let of = |text: &str| parse_instance(text).expect("an instance");
        let resource = of("aws_x.y").resource.instance(any.clone());
        assert_eq!(resource.to_string(), "aws_x.y[*]");
        let inner =
            ResourceAddr { module: ModulePath::root().child("m", any), ..of("aws_x.y").resource }.instance(None);
        assert_eq!(inner.to_string(), "module.m[*].aws_x.y");
        for (open, text, expected) in [
            (&resource, "aws_x.y[0]", true),
            (&resource, "aws_x.y[\"a\"]", true),
            (&resource, "aws_x.z[0]", false),
            (&resource, "module.m.aws_x.y[0]", false),
            (&inner, "module.m[\"k\"].aws_x.y", true),
            (&inner, "module.m[\"k\"].aws_x.y[0]", false),
            (&inner, "module.n[\"k\"].aws_x.y", false),
        ] {
            assert_eq!(open.stands_for(&of(text)), expected, "{open} {text}");
            assert!(open.is_open() && !of(text).is_open());
            // What somebody names with -target may be among what is not known yet.
            assert_eq!(parse_address(text).expect("an address").covers(open), expected, "{open} {text}");
        }
        let module = parse_address("module.m[\"k\"]").expect("a module");
        assert!(module.covers(&inner) && module.touches(&inner.resource) && !module.covers(&resource));
        let json = serde_json::to_string(&inner).expect("addresses are JSON");
        assert_eq!(serde_json::from_str::<InstanceAddr>(&json).expect("they come back"), inner);
    }

    #[test]
    fn addresses_lead_into_calls() {
        let within = |text: &str| match text {
            "" => ModulePath::root(),
            text => match parse_address(text).expect("an address") {
                ParsedAddr::Module(path) => path,
                other => panic!("{other:?}"),
            },
        };
        for (addr, module, call, expected) in [
            ("module.m", "", "m", true),
            ("module.m", "", "k", false),
            ("module.m[0].a.b", "", "m", true),
            ("module.m", "module.m[1]", "n", true),
            ("module.m[0]", "module.m[1]", "n", false),
            ("module.m[1].a.b", "module.m[1]", "n", false),
            ("module.m[1].module.n.a.b", "module.m[1]", "n", true),
            ("module.m[1].module.n.a.b", "module.m[1]", "k", false),
            ("a.b", "", "m", false),
        ] {
            let addr = parse_address(addr).expect("an address");
            assert_eq!(addr.leads_into(&within(module), call), expected, "{addr:?} {module} {call}");
        }
    }

    #[test]
    fn a_module_without_key_covers_all_its_instances() {
        let target = parse_address("module.m").expect("module");
        let inside = parse_instance("module.m[1].module.n.a.b[0]").expect("instance");
        let outside = parse_instance("module.mm.a.b").expect("instance");
        assert!(target.covers(&inside));
        assert!(!target.covers(&outside));
    }
}
