//! The functions and operators that rules may call, with the types that they take
//! (cel-go's standard library and `k8s.io/apiserver/pkg/cel/library`, as `environment/base.go` of Kubernetes 1.36 puts them together).

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use super::types::{OPTIONAL, Type};

/// One way to call a function. Variables are numbered from zero.
#[derive(Debug)]
pub struct Signature {
    /// It is called on a target, which is the first of its parameters.
    pub is_member: bool,
    pub parameters: Vec<Type<'static>>,
    pub result: Type<'static>,
}

/// The ways to call a function; `None` where it is not declared.
pub fn of(function: &str) -> Option<&'static [Signature]> {
    static TABLE: OnceLock<HashMap<&'static str, Vec<Signature>>> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        let mut table: HashMap<&str, Vec<Signature>> = HashMap::new();
        for line in include_str!("signatures.txt").lines() {
            let (name, signature) = read(line).expect("the table is well-formed");
            table.entry(name).or_default().push(signature);
        }
        table
    });
    table.get(function).map(Vec::as_slice)
}

/// Names in front of functions that are no types (`sets.contains`).
const NAMESPACES: &[&str] = &["optional", "strings", "sets", "lists", "ip", "format"];

fn read(line: &'static str) -> Option<(&'static str, Signature)> {
    let (name, rest, target) = head(line)?;
    let mut reader = Reader { rest };
    let mut parameters: Vec<Type<'static>> = target.into_iter().collect();
    let is_member = !parameters.is_empty();
    reader.take("(")?;
    while reader.take(")").is_none() {
        parameters.push(reader.kind()?);
        reader.take(", ");
    }
    let result = reader.take(" ").and_then(|()| reader.kind())?;
    Some((name, Signature { is_member, parameters, result }))
}

/// The name of the function, what follows it, and the type before its point.
fn head(line: &'static str) -> Option<(&'static str, &'static str, Option<Type<'static>>)> {
    if line.starts_with(|c: char| c.is_ascii_alphabetic()) {
        let mut reader = Reader { rest: line };
        let target = reader.kind();
        if let Some(target) = target
            && reader.take(".").is_some()
            && !NAMESPACES.iter().any(|name| line.starts_with(&format!("{name}.")))
        {
            let end = reader.rest.find('(')?;
            return Some((&reader.rest[..end], &reader.rest[end..], Some(target)));
        }
    }
    let end = line.find('(')?;
    Some((&line[..end], &line[end..], None))
}

struct Reader {
    rest: &'static str,
}

impl Reader {
    fn take(&mut self, sign: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(sign)?;
        Some(())
    }

    fn kind(&mut self) -> Option<Type<'static>> {
        let end = self.rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(match name {
            "A" => Type::Variable(0),
            "B" => Type::Variable(1),
            "dyn" => Type::Dyn,
            "bool" => Type::Bool,
            "int" => Type::Int,
            "uint" => Type::Uint,
            "double" => Type::Double,
            "string" => Type::Text,
            "bytes" => Type::Bytes,
            "duration" => Type::Duration,
            "timestamp" => Type::Timestamp,
            "URL" => Type::Named("kubernetes.URL", None),
            "Quantity" => Type::Named("kubernetes.Quantity", None),
            "IP" => Type::Named("net.IP", None),
            "CIDR" => Type::Named("net.CIDR", None),
            "Format" => Type::Named("kubernetes.NamedFormat", None),
            "Semver" => Type::Named("kubernetes.Semver", None),
            "list" => Type::List(self.parameter()?),
            "type" => Type::Meta(self.parameter()?),
            "optional" => Type::Named(OPTIONAL, Some(self.parameter()?)),
            "map" => {
                self.take("(")?;
                let key = self.kind()?;
                self.take(", ")?;
                let value = self.kind()?;
                self.take(")")?;
                Type::Map(Arc::new(key), Arc::new(value))
            }
            _ => return None,
        })
    }

    fn parameter(&mut self) -> Option<Arc<Type<'static>>> {
        self.take("(")?;
        let kind = self.kind()?;
        self.take(")")?;
        Some(Arc::new(kind))
    }
}

#[test]
fn every_line_of_the_table_is_read() {
    for (function, members, count) in [
        ("size", 4, 8),
        ("sets.contains", 0, 1),
        ("ip.isCanonical", 0, 1),
        ("ip", 1, 2),
        ("_+_", 0, 9),
        ("string", 0, 10),
    ] {
        let found = of(function).unwrap_or_else(|| panic!("{function}"));
        let found_members = found.iter().filter(|it| it.is_member).count();
        assert_eq!((found_members, found.len()), (members, count), "{function}");
    }
}
