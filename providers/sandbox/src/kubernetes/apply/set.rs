//! Sets of fields: which parts of an object a manager owns.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Element {
    /// A member of an object: `f:spec`.
    Field(Box<str>),
    /// The item of a list with these members: `k:{"name":"web"}`. Sorted by name.
    Key(Vec<(Box<str>, Scalar)>),
    /// The item of a set: `v:"finalizer"`.
    Value(Scalar),
    /// The item at an index: `i:0`.
    Index(i64),
}

/// A value in a path, with an order: numbers, strings, booleans, and the rest by its JSON.
#[derive(Clone, Debug)]
pub struct Scalar(pub Value);

impl Scalar {
    fn rank(&self) -> u8 {
        match self.0 {
            Value::Number(_) => 0,
            Value::String(_) => 1,
            Value::Bool(_) => 2,
            _ => 3,
        }
    }
}

impl PartialEq for Scalar {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Scalar {}

impl PartialOrd for Scalar {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Scalar {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Value::Number(one), Value::Number(two)) => match (one.as_i64(), two.as_i64()) {
                (Some(one), Some(two)) => one.cmp(&two),
                _ => one.as_f64().unwrap_or(f64::NAN).total_cmp(&two.as_f64().unwrap_or(f64::NAN)),
            },
            (Value::String(one), Value::String(two)) => one.cmp(two),
            (Value::Bool(one), Value::Bool(two)) => one.cmp(two),
            (one, two) => self.rank().cmp(&other.rank()).then_with(|| one.to_string().cmp(&two.to_string())),
        }
    }
}

impl fmt::Display for Element {
    /// As in messages: `.spec`, `[name="web"]`, `[="finalizer"]`, `[0]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(f, ".{name}"),
            Self::Key(members) => {
                let members: Vec<String> = members.iter().map(|(name, value)| format!("{name}={}", value.0)).collect();
                write!(f, "[{}]", members.join(","))
            }
            Self::Value(value) => write!(f, "[={}]", value.0),
            Self::Index(index) => write!(f, "[{index}]"),
        }
    }
}

impl Element {
    /// A member of an object.
    pub fn field(name: &str) -> Self {
        Self::Field(name.into())
    }
}

/// A set of paths, as a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Set(pub BTreeMap<Element, Node>);

/// What a set says of an element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// The element's own path is in the set.
    pub is_member: bool,
    /// Paths that begin with it.
    pub below: Set,
}

impl Node {
    /// Only the element's own path.
    pub fn member() -> Self {
        Self { is_member: true, below: Set::default() }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        !self.is_member && self.below.is_empty()
    }
}

impl Set {
    /// A set of paths through objects.
    pub fn of_fields(paths: &[&[&str]]) -> Self {
        let mut set = Self::default();
        for path in paths {
            let path: Vec<Element> = path.iter().map(|name| Element::field(name)).collect();
            set.insert(&path);
        }
        set
    }

    /// Adds a path.
    pub fn insert(&mut self, path: &[Element]) {
        let Some((first, rest)) = path.split_first() else { return };
        let node = self.0.entry(first.clone()).or_default();
        if rest.is_empty() { node.is_member = true } else { node.below.insert(rest) }
    }

    /// Adds what is below an element, if there is anything.
    pub(super) fn put(&mut self, element: Element, node: Node) {
        if !node.is_empty() {
            self.0.insert(element, node);
        }
    }

    /// Whether there is no path in it.
    pub fn is_empty(&self) -> bool {
        self.0.values().all(Node::is_empty)
    }

    /// The paths of either.
    #[must_use]
    pub fn union(mut self, other: &Self) -> Self {
        self.add(other);
        self
    }

    fn add(&mut self, other: &Self) {
        for (element, node) in &other.0 {
            match self.0.get_mut(element) {
                Some(own) => {
                    own.is_member |= node.is_member;
                    own.below.add(&node.below);
                }
                None => {
                    self.0.insert(element.clone(), node.clone());
                }
            }
        }
    }

    /// The paths of both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.combine(other, |one, two| one && two, |_| None)
    }

    /// The paths that the other has not.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        self.combine(other, |one, two| one && !two, |node| Some(node.clone()))
    }

    fn combine(&self, other: &Self, is_member: fn(bool, bool) -> bool, alone: fn(&Node) -> Option<Node>) -> Self {
        let mut result = Self::default();
        for (element, node) in &self.0 {
            let node = match other.0.get(element) {
                None => alone(node),
                Some(others) => Some(Node {
                    is_member: is_member(node.is_member, others.is_member),
                    below: node.below.combine(&others.below, is_member, alone),
                }),
            };
            if let Some(node) = node {
                result.put(element.clone(), node);
            }
        }
        result
    }

    /// The paths that neither are in the other nor begin with one of its.
    #[must_use]
    pub fn without(mut self, other: &Self) -> Self {
        self.0.retain(|element, node| match other.0.get(element) {
            None => true,
            Some(others) if others.is_member => false,
            Some(others) => {
                node.below = std::mem::take(&mut node.below).without(&others.below);
                !node.is_empty()
            }
        });
        self
    }

    /// Whether the path is in it.
    pub fn has(&self, path: &[Element]) -> bool {
        let Some((first, rest)) = path.split_first() else { return false };
        self.0.get(first).is_some_and(|node| if rest.is_empty() { node.is_member } else { node.below.has(rest) })
    }

    /// All paths: those of one level before those below them.
    pub fn paths(&self) -> Vec<Vec<Element>> {
        let mut paths = Vec::new();
        self.collect(&mut Vec::new(), &mut paths);
        paths
    }

    fn collect(&self, prefix: &mut Vec<Element>, paths: &mut Vec<Vec<Element>>) {
        for (element, node) in &self.0 {
            if node.is_member {
                let mut path = prefix.clone();
                path.push(element.clone());
                paths.push(path);
            }
        }
        for (element, node) in &self.0 {
            prefix.push(element.clone());
            node.below.collect(prefix, paths);
            prefix.pop();
        }
    }
}

/// A path as messages have it: `.spec.containers[name="web"].image`.
pub fn display(path: &[Element]) -> String {
    path.iter().map(Element::to_string).collect()
}
