//! Values: known, null or unknown, with marks beside them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::{AttrPath, Number, PathStep, Type};

mod equal;
mod order;
mod unknown;

pub use unknown::{Bound, Lengths, Unknown, is_at_most, is_below, stable_prefix};

/// Marks travel with a value through every expression; a bitset, because there are few kinds and many values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Marks(u8);

impl Marks {
    /// No mark.
    pub const NONE: Self = Self(0);
    /// Never shown to a person or written to a log.
    pub const SENSITIVE: Self = Self(1);
    /// Never stored.
    pub const EPHEMERAL: Self = Self(2);
    /// Comes from something deprecated.
    pub const DEPRECATED: Self = Self(4);

    /// Both sets together.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// This set less the other.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether every mark of `other` is here.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether there is no mark at all.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// A value: what it holds, and the marks on it. Elements carry their own marks. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Value {
    kind: Kind,
    marks: Marks,
}

/// What a [`Value`] holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// A bool.
    Bool(bool),
    /// A number.
    Number(Number),
    /// Text.
    String(Arc<str>),
    /// Element type and elements.
    List(Type, Arc<Vec<Value>>),
    /// Element type and elements, distinct and in [`Value`]'s order, so that equal sets are equal.
    Set(Type, Arc<BTreeSet<Value>>),
    /// Element type and elements.
    Map(Type, Arc<BTreeMap<Arc<str>, Value>>),
    /// Elements, each with its own type.
    Tuple(Arc<Vec<Value>>),
    /// Attributes, each with its own type.
    Object(Arc<BTreeMap<Arc<str>, Value>>),
    /// The absence of a value of this type.
    Null(Type),
    /// A value that will be known later.
    Unknown(Arc<Unknown>),
}

impl From<Kind> for Value {
    fn from(kind: Kind) -> Self {
        Self { kind, marks: Marks::NONE }
    }
}

/// Constructors.
impl Value {
    /// Null of a type.
    pub fn null(ty: Type) -> Self {
        Kind::Null(ty).into()
    }

    /// Unknown of a type; nothing else is known about it.
    pub fn unknown(ty: Type) -> Self {
        Kind::Unknown(Arc::new(Unknown::of(ty))).into()
    }

    /// Unknown of a type, but not null.
    pub fn unknown_not_null(ty: Type) -> Self {
        Kind::Unknown(Arc::new(Unknown::of(ty).not_null())).into()
    }

    /// Null of unknown type, as the literal `null` is.
    pub fn dynamic_null() -> Self {
        Self::null(Type::Dynamic)
    }

    /// A string. The caller gives NFC text; text from outside is normalised where it enters.
    pub fn string(text: impl Into<Arc<str>>) -> Self {
        Kind::String(text.into()).into()
    }

    /// A whole number.
    pub fn int(n: i64) -> Self {
        Kind::Number(Number::from(n)).into()
    }

    /// A tuple.
    pub fn tuple(elements: Vec<Value>) -> Self {
        Kind::Tuple(Arc::new(elements)).into()
    }

    /// An object.
    pub fn object<K: Into<Arc<str>>>(fields: impl IntoIterator<Item = (K, Value)>) -> Self {
        Kind::Object(Arc::new(fields.into_iter().map(|(k, v)| (k.into(), v)).collect())).into()
    }

    /// A list; every element already has the element type.
    pub fn list(element: Type, elements: Vec<Value>) -> Self {
        Kind::List(element, Arc::new(elements)).into()
    }

    /// A list of strings.
    pub fn strings<S: Into<Arc<str>>>(texts: impl IntoIterator<Item = S>) -> Self {
        Self::list(Type::String, texts.into_iter().map(|s| Self::string(s)).collect())
    }

    /// A set; every element already has the element type. Marks of elements move to the set.
    pub fn set(element: Type, elements: impl IntoIterator<Item = Value>) -> Self {
        let mut marks = Marks::NONE;
        let elements = elements
            .into_iter()
            .map(|e| {
                let (bare, m) = e.unmark_deep();
                marks = marks.union(m);
                bare
            })
            .collect();
        Self { kind: Kind::Set(element, Arc::new(elements)), marks }
    }

    /// A map; every element already has the element type.
    pub fn map<K: Into<Arc<str>>>(element: Type, entries: impl IntoIterator<Item = (K, Value)>) -> Self {
        Kind::Map(element, Arc::new(entries.into_iter().map(|(k, v)| (k.into(), v)).collect())).into()
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Kind::Bool(b).into()
    }
}

impl From<Number> for Value {
    fn from(n: Number) -> Self {
        Kind::Number(n).into()
    }
}

impl From<&str> for Value {
    fn from(s: &str) -> Self {
        Self::string(s)
    }
}

impl From<String> for Value {
    fn from(s: String) -> Self {
        Self::string(s)
    }
}

/// `None` is a null string.
impl From<Option<String>> for Value {
    fn from(s: Option<String>) -> Self {
        s.map_or_else(|| Self::null(Type::String), Self::string)
    }
}

/// Looking inside.
impl Value {
    /// What the value holds.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// The type.
    pub fn ty(&self) -> Type {
        match &self.kind {
            Kind::Null(ty) => ty.clone(),
            Kind::Unknown(u) => u.ty.clone(),
            Kind::Bool(_) => Type::Bool,
            Kind::Number(_) => Type::Number,
            Kind::String(_) => Type::String,
            Kind::List(ty, _) => Type::list(ty.clone()),
            Kind::Set(ty, _) => Type::set(ty.clone()),
            Kind::Map(ty, _) => Type::map(ty.clone()),
            Kind::Tuple(vs) => Type::Tuple(vs.iter().map(Self::ty).collect()),
            Kind::Object(fs) => Type::object(fs.iter().map(|(k, v)| (k.clone(), v.ty()))),
        }
    }

    /// Whether this is null.
    pub fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null(_))
    }

    /// Whether the value itself is known (its elements may not be).
    pub fn is_known(&self) -> bool {
        !matches!(self.kind, Kind::Unknown(_))
    }

    /// Whether the value and everything in it is known.
    pub fn is_wholly_known(&self) -> bool {
        match &self.kind {
            Kind::Unknown(_) => false,
            Kind::List(_, vs) | Kind::Tuple(vs) => vs.iter().all(Self::is_wholly_known),
            Kind::Set(_, vs) => vs.iter().all(Self::is_wholly_known),
            Kind::Map(_, fs) | Kind::Object(fs) => fs.values().all(Self::is_wholly_known),
            Kind::Null(_) | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => true,
        }
    }

    /// The text of a known string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::String(s) => Some(s),
            _ => None,
        }
    }

    /// A known bool.
    pub fn as_bool(&self) -> Option<bool> {
        match self.kind {
            Kind::Bool(b) => Some(b),
            _ => None,
        }
    }

    /// A known number.
    pub fn as_number(&self) -> Option<&Number> {
        match &self.kind {
            Kind::Number(n) => Some(n),
            _ => None,
        }
    }

    /// A known whole number that fits.
    pub fn as_i64(&self) -> Option<i64> {
        self.as_number()?.to_i64()
    }

    /// The fields of an object or the entries of a map.
    pub fn as_fields(&self) -> Option<&BTreeMap<Arc<str>, Value>> {
        match &self.kind {
            Kind::Object(fs) | Kind::Map(_, fs) => Some(fs),
            _ => None,
        }
    }

    /// The elements of a list, tuple or set, in order; `None` for null, unknown and everything else.
    pub fn elements(&self) -> Option<Vec<&Value>> {
        match &self.kind {
            Kind::List(_, vs) | Kind::Tuple(vs) => Some(vs.iter().collect()),
            Kind::Set(_, vs) => Some(vs.iter().collect()),
            _ => None,
        }
    }

    /// The known strings among the elements of a list, tuple or set, in order.
    pub fn str_elements(&self) -> Vec<&str> {
        self.elements().unwrap_or_default().into_iter().filter_map(Self::as_str).collect()
    }

    /// An attribute of an object or an entry of a map.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.as_fields()?.get(name)
    }

    /// The value at a path, or `None` where the path leads nowhere.
    pub fn at(&self, path: &AttrPath) -> Option<&Value> {
        path.0.iter().try_fold(self, |value, step| match (step, &value.kind) {
            (PathStep::Attr(name) | PathStep::Key(name), Kind::Object(fs) | Kind::Map(_, fs)) => fs.get(name),
            (PathStep::Index(n), Kind::List(_, vs) | Kind::Tuple(vs)) => vs.get(*n),
            (PathStep::Element(e), Kind::Set(_, vs)) => vs.get(&**e),
            _ => None,
        })
    }

    /// The same object with one attribute set.
    #[must_use]
    pub fn with_attr(&self, name: &str, value: Value) -> Self {
        let mut fields = match &self.kind {
            Kind::Object(fs) => (**fs).clone(),
            _ => BTreeMap::new(),
        };
        fields.insert(name.into(), value);
        Self { kind: Kind::Object(Arc::new(fields)), marks: self.marks }
    }

    /// Calls `visit` for this value and everything in it, parents first.
    pub fn walk(&self, visit: &mut impl FnMut(&AttrPath, &Value)) {
        fn go(path: &mut AttrPath, value: &Value, visit: &mut impl FnMut(&AttrPath, &Value)) {
            visit(path, value);
            let mut child = |step: PathStep, v: &Value| {
                path.0.push(step);
                go(path, v, visit);
                path.0.pop();
            };
            match &value.kind {
                Kind::List(_, vs) | Kind::Tuple(vs) => {
                    vs.iter().enumerate().for_each(|(i, v)| child(PathStep::Index(i), v));
                }
                Kind::Set(_, vs) => vs.iter().for_each(|v| child(PathStep::Element(Box::new(v.clone())), v)),
                Kind::Map(_, fs) => fs.iter().for_each(|(k, v)| child(PathStep::Key(k.clone()), v)),
                Kind::Object(fs) => fs.iter().for_each(|(k, v)| child(PathStep::Attr(k.clone()), v)),
                _ => {}
            }
        }
        go(&mut AttrPath::root(), self, visit);
    }

    /// Rebuilds the value bottom-up: children first, then `f` on the rebuilt value. Marks are kept unless `f` changes them.
    #[must_use]
    pub fn map_deep(&self, f: &mut impl FnMut(&AttrPath, Value) -> Value) -> Self {
        fn go(path: &mut AttrPath, value: &Value, f: &mut impl FnMut(&AttrPath, Value) -> Value) -> Value {
            let mut child = |step: PathStep, v: &Value| {
                path.0.push(step);
                let new = go(path, v, f);
                path.0.pop();
                new
            };
            let kind = match &value.kind {
                Kind::List(t, vs) => Kind::List(
                    t.clone(),
                    Arc::new(vs.iter().enumerate().map(|(i, v)| child(PathStep::Index(i), v)).collect()),
                ),
                Kind::Tuple(vs) => {
                    Kind::Tuple(Arc::new(vs.iter().enumerate().map(|(i, v)| child(PathStep::Index(i), v)).collect()))
                }
                Kind::Set(t, vs) => Kind::Set(
                    t.clone(),
                    Arc::new(vs.iter().map(|v| child(PathStep::Element(Box::new(v.clone())), v)).collect()),
                ),
                Kind::Map(t, fs) => Kind::Map(
                    t.clone(),
                    Arc::new(fs.iter().map(|(k, v)| (k.clone(), child(PathStep::Key(k.clone()), v))).collect()),
                ),
                Kind::Object(fs) => Kind::Object(Arc::new(
                    fs.iter().map(|(k, v)| (k.clone(), child(PathStep::Attr(k.clone()), v))).collect(),
                )),
                other => other.clone(),
            };
            f(path, Value { kind, marks: value.marks })
        }
        go(&mut AttrPath::root(), self, f)
    }
}

/// Marks.
impl Value {
    /// The marks on the value itself.
    pub fn marks(&self) -> Marks {
        self.marks
    }

    /// The marks on the value and on everything in it.
    pub fn deep_marks(&self) -> Marks {
        let inner = match &self.kind {
            Kind::List(_, vs) | Kind::Tuple(vs) => vs.iter().fold(Marks::NONE, |m, v| m.union(v.deep_marks())),
            Kind::Map(_, fs) | Kind::Object(fs) => fs.values().fold(Marks::NONE, |m, v| m.union(v.deep_marks())),
            _ => Marks::NONE,
        };
        self.marks.union(inner)
    }

    /// Whether the value itself must not be shown.
    pub fn is_sensitive(&self) -> bool {
        self.marks.contains(Marks::SENSITIVE)
    }

    /// The same value with more marks.
    #[must_use]
    pub fn mark(mut self, marks: Marks) -> Self {
        self.marks = self.marks.union(marks);
        self
    }

    /// The same value, marked sensitive.
    #[must_use]
    pub fn sensitive(self) -> Self {
        self.mark(Marks::SENSITIVE)
    }

    /// The value without its own marks, and those marks.
    pub fn unmark(mut self) -> (Self, Marks) {
        let marks = std::mem::take(&mut self.marks);
        (self, marks)
    }

    /// The value without any mark at any depth, and all marks that were found.
    pub fn unmark_deep(self) -> (Self, Marks) {
        let marks = self.deep_marks();
        if marks.is_empty() {
            return (self, marks);
        }
        let bare = self.map_deep(&mut |_, v| v.unmark().0);
        (bare, marks)
    }

    /// Whether two values hold the same, whatever their marks.
    pub fn same(&self, other: &Self) -> bool {
        if self.deep_marks().is_empty() && other.deep_marks().is_empty() {
            return self == other;
        }
        self.clone().unmark_deep().0 == other.clone().unmark_deep().0
    }

    /// The paths of all sensitive parts, outermost first and nothing below them.
    pub fn sensitive_paths(&self) -> Vec<AttrPath> {
        let mut found: Vec<AttrPath> = Vec::new();
        self.walk(&mut |path, value| {
            if value.is_sensitive() && !found.iter().any(|p| p.contains(path)) {
                found.push(path.clone());
            }
        });
        found
    }

    /// Marks the parts at these paths as sensitive; a path that leads nowhere is passed over.
    #[must_use]
    pub fn mark_paths(self, paths: &[AttrPath]) -> Self {
        if paths.is_empty() {
            return self;
        }
        self.map_deep(&mut |path, v| if paths.contains(path) { v.sensitive() } else { v })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_equal_whatever_the_order() {
        let a = Value::set(Type::String, ["b".into(), "a".into(), "a".into()]);
        let b = Value::set(Type::String, ["a".into(), "b".into()]);
        assert_eq!(a, b);
    }

    #[test]
    fn marks_are_found_at_any_depth_and_put_back() {
        let v = Value::object([("a", Value::tuple(vec![Value::from("x").sensitive(), "y".into()]))]);
        let paths = v.sensitive_paths();
        assert_eq!(paths.iter().map(ToString::to_string).collect::<Vec<_>>(), ["a[0]"]);
        let (bare, marks) = v.clone().unmark_deep();
        assert_eq!(marks, Marks::SENSITIVE);
        assert!(bare.deep_marks().is_empty());
        assert_eq!(bare.mark_paths(&paths), v);
    }
}
