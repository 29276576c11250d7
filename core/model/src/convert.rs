//! Conversion of values between types, and the type that several types have in common.
//!
//! The rules are HCL's: primitives convert through text, tuples become lists and sets, objects become maps and back,
//! objects lose what the target does not name and get null for optional attributes that are missing. Null and unknown
//! values convert to null and unknown values; marks stay where they are.

use std::{collections::BTreeMap, fmt, sync::Arc};

use crate::{
    AttrPath, Kind, Number, PathStep, Type, Value,
    types::Field,
    value::{Lengths, Unknown},
};

mod unify;

pub use unify::{unify, unify_values};

/// A value cannot become a value of the type; says where inside the value and why.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub struct ConvertError {
    /// Where inside the value.
    pub path: AttrPath,
    /// What is needed there: `string required`.
    pub message: String,
}

/// Names the place in words, as `attribute "a": element 0: string required`.
impl fmt::Display for ConvertError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.path.0 {
            match step {
                PathStep::Attr(name) => write!(f, "attribute {name:?}: ")?,
                PathStep::Index(place) => write!(f, "element {place}: ")?,
                PathStep::Key(key) => write!(f, "element {key:?}: ")?,
                PathStep::Element(_) => f.write_str("set element: ")?,
            }
        }
        f.write_str(&self.message)
    }
}

impl ConvertError {
    fn new(message: impl Into<String>) -> Self {
        Self { path: AttrPath::root(), message: message.into() }
    }

    fn required(ty: &Type) -> Self {
        Self::new(format!("{} required", constraint_name(ty)))
    }

    fn under(mut self, step: PathStep) -> Self {
        self.path.0.insert(0, step);
        self
    }
}

/// The friendly name with `any` for what is open: `list of any single type`.
fn constraint_name(ty: &Type) -> String {
    let of = |element: &Type| match element {
        Type::Dynamic => "any single type".to_owned(),
        known => constraint_name(known),
    };
    match ty {
        Type::Dynamic => "any type".to_owned(),
        Type::List(t) => format!("list of {}", of(t)),
        Type::Set(t) => format!("set of {}", of(t)),
        Type::Map(t) => format!("map of {}", of(t)),
        other => other.friendly_name(),
    }
}

/// The type without the word `optional` at any depth: the type of values that were converted to it.
pub fn without_optional(ty: &Type) -> Type {
    match ty {
        Type::Dynamic | Type::Bool | Type::Number | Type::String => ty.clone(),
        Type::List(t) => Type::list(without_optional(t)),
        Type::Set(t) => Type::set(without_optional(t)),
        Type::Map(t) => Type::map(without_optional(t)),
        Type::Tuple(ts) => Type::Tuple(ts.iter().map(without_optional).collect()),
        Type::Object(fs) => Type::object(fs.iter().map(|(k, f)| (k.clone(), without_optional(&f.ty)))),
    }
}

/// Converts a value to a type as HCL does.
///
/// The result has the target's type, in which every [`Type::Dynamic`] is replaced by what the value holds there and no
/// attribute is optional.
///
/// # Errors
/// The first place that cannot be converted.
pub fn convert(value: &Value, ty: &Type) -> Result<Value, ConvertError> {
    if *ty == Type::Dynamic {
        return Ok(value.clone());
    }
    let converted = match value.kind() {
        Kind::Null(from) => Value::null(convert_type(from, ty)?),
        Kind::Unknown(unknown) => {
            let converted = unknown.converted_to(convert_type(&unknown.ty, ty)?);
            if converted == **unknown { value.clone() } else { converted.into_value() }
        }
        Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => return primitive(value, ty),
        Kind::List(from, elements) => match ty {
            Type::List(to) if from == &**to => return Ok(value.clone()),
            Type::List(_) | Type::Set(_) => collection(from, elements.iter(), ty)?,
            _ => return Err(ConvertError::required(ty)),
        },
        Kind::Set(from, elements) => match ty {
            Type::Set(to) if from == &**to => return Ok(value.clone()),
            // Which elements are equal, and so how many there are, shows when they are known.
            Type::List(_) if elements.len() > 1 && !value.is_wholly_known() => {
                let lengths = Lengths { min: 1, max: Some(elements.len()) };
                Unknown::of(convert_type(&value.ty(), ty)?).with_lengths(lengths).into_value()
            }
            Type::List(_) | Type::Set(_) => collection(from, elements.iter(), ty)?,
            _ => return Err(ConvertError::required(ty)),
        },
        Kind::Tuple(elements) => match ty {
            Type::Tuple(to) => tuple(elements, to, ty)?,
            Type::List(_) | Type::Set(_) => sequence(elements.iter(), ty, None)?,
            _ => return Err(ConvertError::required(ty)),
        },
        Kind::Map(from, entries) => match ty {
            Type::Map(to) if from == &**to => return Ok(value.clone()),
            Type::Map(to) => {
                let empty = convert_type(from, to).map_err(|e| incorrect("map", &e))?;
                mapping(entries, to, Some(empty), &PathStep::Key)?
            }
            Type::Object(to) => object(entries, to, &PathStep::Key)?,
            _ => return Err(ConvertError::required(ty)),
        },
        Kind::Object(fields) => match ty {
            Type::Object(to) => object(fields, to, &PathStep::Attr)?,
            Type::Map(to) => mapping(fields, to, None, &PathStep::Key)?,
            _ => return Err(ConvertError::required(ty)),
        },
    };
    Ok(converted.mark(value.marks()))
}

fn primitive(value: &Value, ty: &Type) -> Result<Value, ConvertError> {
    let converted: Value = match (value.kind(), ty) {
        (Kind::Bool(_), Type::Bool) | (Kind::Number(_), Type::Number) | (Kind::String(_), Type::String) => {
            return Ok(value.clone());
        }
        (Kind::Bool(b), Type::String) => b.to_string().into(),
        (Kind::Number(n), Type::String) => n.to_string().into(),
        (Kind::String(s), Type::Number) => s.parse::<Number>().map_err(|e| ConvertError::new(e.to_string()))?.into(),
        (Kind::String(s), Type::Bool) => bool_of(s)?.into(),
        _ => return Err(ConvertError::required(ty)),
    };
    Ok(converted.mark(value.marks()))
}

fn bool_of(text: &str) -> Result<bool, ConvertError> {
    match text {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        other => {
            let lower = other.to_lowercase();
            Err(ConvertError::new(if lower == "true" || lower == "false" {
                format!("a bool is required; to convert from string, use lowercase {lower:?}")
            } else {
                "a bool is required".to_owned()
            }))
        }
    }
}

fn incorrect(kind: &str, cause: &ConvertError) -> ConvertError {
    ConvertError::new(format!("incorrect {kind} element type: {cause}"))
}

fn collection<'a>(from: &Type, elements: impl Iterator<Item = &'a Value>, ty: &Type) -> Result<Value, ConvertError> {
    let (Type::List(to) | Type::Set(to)) = ty else { return Err(ConvertError::required(ty)) };
    let kind = if matches!(ty, Type::List(_)) { "list" } else { "set" };
    let empty = convert_type(from, to).map_err(|e| incorrect(kind, &e))?;
    sequence(elements, ty, Some(empty))
}

/// Elements as a list or set; `empty` is the element type when there are none.
fn sequence<'a>(
    elements: impl Iterator<Item = &'a Value>,
    ty: &Type,
    empty: Option<Type>,
) -> Result<Value, ConvertError> {
    let (Type::List(to) | Type::Set(to)) = ty else { return Err(ConvertError::required(ty)) };
    let elements = elements
        .enumerate()
        .map(|(i, e)| convert(e, to).map_err(|error| error.under(PathStep::Index(i))))
        .collect::<Result<Vec<_>, _>>()?;
    let is_list = matches!(ty, Type::List(_));
    let (element, elements) =
        one_type(elements, to, empty).ok_or_else(|| same_type_required(if is_list { "list" } else { "set" }))?;
    Ok(if is_list { Value::list(element, elements) } else { set(element, elements) })
}

/// Unknown elements of which nothing different is known would become one, though they may turn out to be several: how many
/// there are is not known then.
fn set(element: Type, elements: Vec<Value>) -> Value {
    let given = elements.len();
    let open = |elements: &[&Value]| elements.iter().filter(|e| !e.is_wholly_known()).count();
    let given_open = open(&elements.iter().collect::<Vec<_>>());
    let set = Value::set(element, elements);
    let kept = set.elements().unwrap_or_default();
    if given_open == open(&kept) {
        return set;
    }
    let lengths = Lengths { min: (kept.len() - open(&kept)).max(1), max: Some(given) };
    Unknown::of(set.ty()).with_lengths(lengths).into_value().mark(set.marks())
}

fn same_type_required(kind: &str) -> ConvertError {
    ConvertError::new(format!("all {kind} elements must have the same type"))
}

/// Values already converted to `to`, in one type even where `to` is open, and that type.
fn one_type(values: Vec<Value>, to: &Type, empty: Option<Type>) -> Option<(Type, Vec<Value>)> {
    if to.is_wholly_known() {
        return Some((without_optional(to), values));
    }
    if values.is_empty() {
        return Some((empty.unwrap_or_else(|| without_optional(to)), values));
    }
    let (mut common, mut values) = unify_values(&values)?;
    // Where that left something open, the values say more about their types now.
    if let Some(again) = unify_values(&values).filter(|_| !common.is_wholly_known()) {
        (common, values) = again;
    }
    if common.is_wholly_known() {
        return Some((common, values));
    }
    // A null inside leaves the common type open, but values that are there cannot differ in theirs. What is not known
    // yet may still turn out to fit.
    let mut types = values.iter().map(Value::ty).filter(|ty| *ty != Type::Dynamic);
    let first = types.next();
    let differ = first.as_ref().is_some_and(|first| types.any(|ty| ty != *first));
    if differ && values.iter().all(Value::is_wholly_known) {
        return one_of_theirs(&values);
    }
    match first {
        // What is null or not known yet takes the type of the others.
        Some(first) if !differ && common == Type::Dynamic => {
            let values = values.iter().map(|v| convert(v, &first)).collect::<Result<Vec<_>, _>>().ok()?;
            Some((first, values))
        }
        _ => Some((common, values)),
    }
}

/// Values in a type that one of them has, where that is possible.
fn one_of_theirs(values: &[Value]) -> Option<(Type, Vec<Value>)> {
    values.iter().map(Value::ty).find_map(|ty| {
        let converted = values.iter().map(|v| convert(v, &ty)).collect::<Result<Vec<_>, _>>().ok()?;
        converted.iter().all(|v| v.ty() == ty).then_some((ty, converted))
    })
}

fn tuple(elements: &[Value], to: &[Type], ty: &Type) -> Result<Value, ConvertError> {
    if elements.len() != to.len() {
        return Err(ConvertError::new(format!(
            "{} of {} elements required, not {}",
            ty.friendly_name(),
            to.len(),
            elements.len()
        )));
    }
    let elements = elements.iter().zip(to).enumerate();
    let converted = elements.map(|(i, (e, t))| convert(e, t).map_err(|error| error.under(PathStep::Index(i))));
    Ok(Value::tuple(converted.collect::<Result<_, _>>()?))
}

type Fields = BTreeMap<Arc<str>, Value>;

fn mapping(
    entries: &Fields,
    to: &Type,
    empty: Option<Type>,
    step: &dyn Fn(Arc<str>) -> PathStep,
) -> Result<Value, ConvertError> {
    let (keys, values): (Vec<_>, Vec<_>) = entries
        .iter()
        .map(|(k, v)| Ok((k.clone(), convert(v, to).map_err(|e| e.under(step(k.clone())))?)))
        .collect::<Result<_, ConvertError>>()?;
    let (element, values) = one_type(values, to, empty).ok_or_else(|| same_type_required("map"))?;
    Ok(Value::map(element, keys.into_iter().zip(values)))
}

fn object(
    have: &Fields,
    to: &BTreeMap<Arc<str>, Field>,
    step: &dyn Fn(Arc<str>) -> PathStep,
) -> Result<Value, ConvertError> {
    missing(to.iter().filter(|(name, f)| !f.optional && !have.contains_key(*name)).map(|(name, _)| &**name))?;
    let fields = to.iter().map(|(name, field)| {
        let value = match have.get(name) {
            Some(value) => convert(value, &field.ty).map_err(|e| e.under(step(name.clone())))?,
            None => Value::null(without_optional(&field.ty)),
        };
        Ok((name.clone(), value))
    });
    Ok(Value::object(fields.collect::<Result<Vec<_>, ConvertError>>()?))
}

fn missing<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), ConvertError> {
    let names: Vec<_> = names.map(|name| format!("{name:?}")).collect();
    Err(ConvertError::new(match names.as_slice() {
        [] => return Ok(()),
        [one] => format!("attribute {one} is required"),
        [one, two] => format!("attributes {one} and {two} are required"),
        [first @ .., last] => format!("attributes {}, and {last} are required", first.join(", ")),
    }))
}

/// The type that values of one type have after conversion to another.
///
/// # Errors
/// No value of the one type can be converted to the other.
pub fn convert_type(from: &Type, to: &Type) -> Result<Type, ConvertError> {
    let elements = |kind: &str, from: &Type, to: &Type| convert_type(from, to).map_err(|e| incorrect(kind, &e));
    Ok(match (from, to) {
        (_, Type::Dynamic) => from.clone(),
        (Type::Dynamic, _) => without_optional(to),
        (Type::String, Type::Bool | Type::Number | Type::String)
        | (Type::Bool, Type::Bool | Type::String)
        | (Type::Number, Type::Number | Type::String) => to.clone(),
        (Type::List(f) | Type::Set(f), Type::List(t)) => Type::list(elements("list", f, t)?),
        (Type::List(f) | Type::Set(f), Type::Set(t)) => Type::set(elements("set", f, t)?),
        (Type::Map(f), Type::Map(t)) => Type::map(elements("map", f, t)?),
        (Type::Tuple(fs), Type::List(t)) => Type::list(common("list", indexed(fs), t)?),
        (Type::Tuple(fs), Type::Set(t)) => Type::set(common("set", indexed(fs), t)?),
        (Type::Tuple(fs), Type::Tuple(ts)) if fs.len() == ts.len() => {
            let pairs = fs.iter().zip(ts.iter()).enumerate();
            Type::Tuple(
                pairs
                    .map(|(i, (f, t))| convert_type(f, t).map_err(|e| e.under(PathStep::Index(i))))
                    .collect::<Result<_, _>>()?,
            )
        }
        (Type::Object(fs), Type::Map(t)) => {
            Type::map(common("map", fs.iter().map(|(k, f)| (PathStep::Key(k.clone()), &f.ty)), t)?)
        }
        (Type::Map(f), Type::Object(ts)) => fields(ts, |_| Some(f))?,
        (Type::Object(fs), Type::Object(ts)) => fields(ts, |name| fs.get(name).map(|f| &f.ty))?,
        _ => return Err(ConvertError::required(to)),
    })
}

fn indexed(types: &[Type]) -> impl Iterator<Item = (PathStep, &Type)> {
    types.iter().enumerate().map(|(i, t)| (PathStep::Index(i), t))
}

fn common<'a>(kind: &str, from: impl Iterator<Item = (PathStep, &'a Type)>, to: &Type) -> Result<Type, ConvertError> {
    let types = from.map(|(step, f)| convert_type(f, to).map_err(|e| e.under(step))).collect::<Result<Vec<_>, _>>()?;
    if to.is_wholly_known() || types.is_empty() {
        return Ok(without_optional(to));
    }
    unify(&types).ok_or_else(|| same_type_required(kind))
}

fn fields<'a>(to: &BTreeMap<Arc<str>, Field>, from: impl Fn(&str) -> Option<&'a Type>) -> Result<Type, ConvertError> {
    missing(to.iter().filter(|(name, f)| !f.optional && from(name).is_none()).map(|(name, _)| &**name))?;
    let fields = to.iter().map(|(name, field)| {
        let ty = match from(name) {
            Some(ty) => convert_type(ty, &field.ty).map_err(|e| e.under(PathStep::Attr(name.clone())))?,
            None => without_optional(&field.ty),
        };
        Ok((name.clone(), ty))
    });
    Ok(Type::object(fields.collect::<Result<Vec<_>, ConvertError>>()?))
}

#[cfg(test)]
mod tests;
