//! Attributes, indexes and operators over values. Pure; errors come without a place, which the caller adds.

use std::cmp::Ordering;

use sgp_model::{
    Diagnostic, Kind, Marks, Number, Type, Value,
    convert::convert,
    value::{Unknown, stable_prefix},
};

use crate::{
    suggest::did_you_mean,
    syntax::{BinaryOp, UnaryOp},
};

mod ranges;

pub(crate) type Op = Result<Value, Diagnostic>;

/// `value.name`.
pub(crate) fn attr(value: &Value, name: &str) -> Op {
    let marks = value.marks();
    let found = match value.kind() {
        Kind::Object(fields) => fields.get(name).cloned().ok_or_else(|| no_attr(name, fields.keys().map(|k| &**k)))?,
        Kind::Map(_, fields) => fields.get(name).cloned().ok_or_else(|| {
            Diagnostic::error(
                "Missing map element",
                format!(
                    "This map does not have an element with the key {name:?}.{}",
                    did_you_mean(name, fields.keys().map(|k| &**k))
                ),
            )
        })?,
        Kind::Unknown(unknown) => match &unknown.ty {
            Type::Dynamic => Value::unknown(Type::Dynamic),
            Type::Map(element) => Value::unknown((**element).clone()),
            Type::Object(fields) => match fields.get(name) {
                Some(field) => Value::unknown(field.ty.clone()),
                None => return Err(no_attr(name, fields.keys().map(|k| &**k))),
            },
            ty => return Err(no_attrs(ty, name)),
        },
        Kind::Null(_) => {
            return Err(Diagnostic::error(
                "Attempt to get attribute from null value",
                format!("This value is null, so it does not have an attribute {name:?}."),
            ));
        }
        _ => return Err(no_attrs(&value.ty(), name)),
    };
    Ok(found.mark(marks))
}

fn no_attr<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> Diagnostic {
    let hint = did_you_mean(name, known.clone());
    let names: Vec<&str> = known.collect();
    let all = if hint.is_empty() && !names.is_empty() && names.len() <= 12 {
        format!(" It has: {}.", crate::suggest::list(names))
    } else {
        hint
    };
    Diagnostic::error("Unsupported attribute", format!("This object does not have an attribute named {name:?}.{all}"))
}

fn no_attrs(ty: &Type, name: &str) -> Diagnostic {
    let detail = match ty {
        Type::List(element) | Type::Set(element) if matches!(**element, Type::Object(_)) => {
            let kind = if matches!(ty, Type::List(_)) { "list" } else { "set" };
            format!(
                "This is a {kind} of objects, and attributes belong to its elements. Use [*].{name} for all of them{}.",
                if kind == "list" { format!(", or [0].{name} for the first") } else { String::new() }
            )
        }
        Type::Tuple(_) => format!(
            "This is a tuple, and attributes belong to its elements. Use [*].{name} for all of them, or [0].{name} for the first."
        ),
        ty if ty.is_primitive() => format!("This is a {}, which does not have attributes.", ty.friendly_name()),
        ty => format!("This is a {}, which does not have attributes.", ty.friendly_name()),
    };
    Diagnostic::error("Unsupported attribute", detail)
}

fn invalid_index(detail: impl std::fmt::Display) -> Diagnostic {
    Diagnostic::error(
        "Invalid index",
        format!("The given key does not identify an element in this collection value: {detail}."),
    )
}

/// `value[key]`. Never asks for the type of a known collection: that would cost as much as the collection is large.
pub(crate) fn index(value: &Value, key: &Value) -> Op {
    let marks = value.marks().union(key.marks());
    if value.is_null() {
        return Err(Diagnostic::error(
            "Attempt to index null value",
            "This value is null, so it does not have any indices.",
        ));
    }
    if key.is_null() {
        return Err(Diagnostic::error("Invalid index", "A null value cannot be used as an index."));
    }
    let dynamic = |v: &Value| matches!(v.kind(), Kind::Unknown(u) if u.ty == Type::Dynamic);
    if dynamic(value) || dynamic(key) {
        return Ok(Value::unknown(Type::Dynamic).mark(marks));
    }
    let found = match value.kind() {
        Kind::List(element, elements) => at(elements, element, key)?,
        Kind::Tuple(elements) => at(elements, &Type::Dynamic, key)?,
        Kind::Map(element, fields) => {
            let key = converted_key(key, &Type::String)?;
            match key.as_str() {
                Some(key) => fields.get(key).cloned().ok_or_else(|| {
                    invalid_index(format_args!("there is no key {key:?}{}", closest(key, fields.keys().map(|k| &**k))))
                })?,
                None => Value::unknown(element.clone()),
            }
        }
        Kind::Object(fields) => {
            let text = converted_key(key, &Type::String)?;
            match text.as_str() {
                Some(name) => {
                    fields.get(name).cloned().ok_or_else(|| no_key(name, key, fields.keys().map(|k| &**k)))?
                }
                None => Value::unknown(Type::Dynamic),
            }
        }
        Kind::Unknown(unknown) => unknown_index(&unknown.ty, key)?,
        _ => return Err(no_indices(&value.ty())),
    };
    Ok(found.mark(marks))
}

fn unknown_index(ty: &Type, key: &Value) -> Op {
    match ty {
        Type::List(element) => {
            whole_number(&converted_key(key, &Type::Number)?)?;
            Ok(Value::unknown((**element).clone()))
        }
        Type::Map(element) => converted_key(key, &Type::String).map(|_| Value::unknown((**element).clone())),
        Type::Tuple(types) => {
            let types: Vec<Value> = types.iter().map(|t| Value::unknown(t.clone())).collect();
            at(&types, &Type::Dynamic, key)
        }
        Type::Object(fields) => match converted_key(key, &Type::String)?.as_str() {
            None => Ok(Value::unknown(Type::Dynamic)),
            Some(name) => match fields.get(name) {
                Some(field) => Ok(Value::unknown(field.ty.clone())),
                None => Err(no_key(name, key, fields.keys().map(|k| &**k))),
            },
        },
        ty => Err(no_indices(ty)),
    }
}

fn no_key<'a>(name: &str, key: &Value, known: impl Iterator<Item = &'a str>) -> Diagnostic {
    let hint = if key.as_number().is_some() {
        "; an object is asked by name, not by number".to_owned()
    } else {
        closest(name, known)
    };
    invalid_index(format_args!("there is no attribute {name:?}{hint}"))
}

fn no_indices(ty: &Type) -> Diagnostic {
    let detail = match ty {
        Type::Set(_) => {
            "Elements of a set are identified only by their value and have no index. Use tolist(...) or a for expression.".into()
        }
        ty => format!("This is a {}, which does not have indices.", ty.friendly_name()),
    };
    Diagnostic::error("Invalid index", detail)
}

fn closest<'a>(given: &str, candidates: impl Iterator<Item = &'a str>) -> String {
    crate::suggest::closest(given, candidates).map(|c| format!(", perhaps {c:?} is meant")).unwrap_or_default()
}

fn converted_key(key: &Value, ty: &Type) -> Op {
    convert(&key.clone().unmark().0, ty).map_err(invalid_index)
}

fn whole_number(key: &Value) -> Result<Option<&Number>, Diagnostic> {
    match key.as_number() {
        Some(n) if !n.is_whole() => Err(invalid_index("a whole number is needed, but the index has a fraction")),
        Some(n) if n.is_negative() => Err(invalid_index("an index cannot be negative")),
        found => Ok(found),
    }
}

fn at(elements: &[Value], element: &Type, key: &Value) -> Op {
    let key = converted_key(key, &Type::Number)?;
    let Some(number) = whole_number(&key)? else { return Ok(Value::unknown(element.clone())) };
    number.to_usize().and_then(|at| elements.get(at)).cloned().ok_or_else(|| match elements.len() {
        0 => invalid_index("the collection has no elements"),
        1 => invalid_index(format_args!("the index {number} is too large, the collection has 1 element")),
        n => invalid_index(format_args!("the index {number} is too large, the collection has {n} elements")),
    })
}

/// The keys and elements that a `for` goes through, marks of the collection not included.
pub(crate) fn pairs(value: &Value) -> Option<Vec<(Value, Value)>> {
    Some(match value.kind() {
        Kind::List(_, vs) | Kind::Tuple(vs) => {
            vs.iter().enumerate().map(|(i, v)| (Value::int(i64::try_from(i).unwrap_or(i64::MAX)), v.clone())).collect()
        }
        Kind::Set(_, vs) => vs.iter().map(|v| (v.clone(), v.clone())).collect(),
        Kind::Map(_, fs) | Kind::Object(fs) => fs.iter().map(|(k, v)| (Value::string(k.clone()), v.clone())).collect(),
        // What there is in a structure is part of its type.
        Kind::Unknown(unknown) => match &unknown.ty {
            Type::Tuple(ts) => {
                (0i64..).zip(ts.iter()).map(|(i, t)| (Value::int(i), Value::unknown(t.clone()))).collect()
            }
            Type::Object(fs) => {
                fs.iter().map(|(k, f)| (Value::string(k.clone()), Value::unknown(f.ty.clone()))).collect()
            }
            _ => return None,
        },
        _ => return None,
    })
}

/// Whether values of the type can be gone through.
pub(crate) fn is_iterable(ty: &Type) -> bool {
    matches!(ty, Type::List(_) | Type::Set(_) | Type::Map(_) | Type::Tuple(_) | Type::Object(_) | Type::Dynamic)
}

/// `-value`, `!value`.
pub(crate) fn unary(op: UnaryOp, value: &Value) -> Op {
    let (ty, summary) = match op {
        UnaryOp::Negate => (Type::Number, "Invalid operand"),
        UnaryOp::Not => (Type::Bool, "Invalid operand"),
    };
    let (bare, marks) = value.clone().unmark();
    let converted = convert(&bare, &ty)
        .map_err(|e| Diagnostic::error(summary, format!("Unsuitable value for unary operand: {e}.")))?;
    let result = match converted.kind() {
        Kind::Bool(b) => (!b).into(),
        Kind::Number(n) => n.neg().into(),
        Kind::Unknown(_) if op == UnaryOp::Negate => ranges::negate(&converted),
        Kind::Null(_) => {
            return Err(Diagnostic::error("Operation failed", "The operand of this operator must not be null."));
        }
        _ => Value::unknown_not_null(ty),
    };
    Ok(result.mark(marks))
}

/// The type that the operands are converted to; `None` for equality, which takes any.
pub(crate) fn operand_type(op: BinaryOp) -> Option<Type> {
    match op {
        BinaryOp::Or | BinaryOp::And => Some(Type::Bool),
        BinaryOp::Equal | BinaryOp::NotEqual => None,
        _ => Some(Type::Number),
    }
}

/// An operator over operands that were converted to [`operand_type`]; `||` and `&&` without short cut.
pub(crate) fn binary(op: BinaryOp, left: &Value, right: &Value) -> Op {
    let (l, left_marks) = left.clone().unmark();
    let (r, right_marks) = right.clone().unmark();
    let marks = left_marks.union(right_marks);
    let result = match op {
        BinaryOp::Equal | BinaryOp::NotEqual => {
            let (equal, inner) = equal(&l, &r);
            let equal = match equal {
                Some(equal) => (equal == (op == BinaryOp::Equal)).into(),
                None => Value::unknown_not_null(Type::Bool),
            };
            return Ok(equal.mark(marks.union(inner)));
        }
        BinaryOp::Or | BinaryOp::And => logical(op, &l, &r)?,
        _ => numeric(op, &l, &r)?,
    };
    Ok(result.mark(marks))
}

fn not_null(v: &Value) -> Result<(), Diagnostic> {
    if v.is_null() {
        return Err(Diagnostic::error(
            "Operation failed",
            "An operand of this operator is null, but a value is needed.",
        ));
    }
    Ok(())
}

fn logical(op: BinaryOp, l: &Value, r: &Value) -> Op {
    not_null(l)?;
    not_null(r)?;
    let decides = op == BinaryOp::Or;
    Ok(match (l.as_bool(), r.as_bool()) {
        (Some(b), _) | (_, Some(b)) if b == decides => decides.into(),
        (Some(_), Some(_)) => (!decides).into(),
        _ => Value::unknown_not_null(Type::Bool),
    })
}

fn numeric(op: BinaryOp, l: &Value, r: &Value) -> Op {
    not_null(l)?;
    not_null(r)?;
    let compares = matches!(op, BinaryOp::Less | BinaryOp::LessOrEqual | BinaryOp::Greater | BinaryOp::GreaterOrEqual);
    let (Some(a), Some(b)) = (l.as_number(), r.as_number()) else {
        return Ok(if compares { ranges::compare(op, l, r) } else { ranges::calculate(op, l, r) });
    };
    if compares {
        return Ok(compare(op, a.cmp(b)).into());
    }
    let result: Result<Number, _> = match op {
        BinaryOp::Add => a.add(b),
        BinaryOp::Subtract => a.sub(b),
        BinaryOp::Multiply => a.mul(b),
        BinaryOp::Divide => a.div(b),
        _ => a.rem(b),
    };
    let summary = if matches!(op, BinaryOp::Divide | BinaryOp::Modulo) && b.is_zero() {
        "Division by zero"
    } else {
        "Operation failed"
    };
    result.map(Value::from).map_err(|e| Diagnostic::error(summary, format!("This cannot be calculated: {e}.")))
}

fn compare(op: BinaryOp, order: Ordering) -> bool {
    match op {
        BinaryOp::Less => order.is_lt(),
        BinaryOp::LessOrEqual => order.is_le(),
        BinaryOp::Greater => order.is_gt(),
        _ => order.is_ge(),
    }
}

/// Whether two values are equal, `None` when that is not known yet; and the marks inside of them.
pub(crate) fn equal(left: &Value, right: &Value) -> (Option<bool>, Marks) {
    let marks = left.deep_marks().union(right.deep_marks());
    (left.equals(right), marks)
}

/// What a string template begins with, as a promise about an unknown string: the first 128 bytes at most.
pub(crate) fn unknown_text(prefix: &str) -> Value {
    const LENGTH_MAX: usize = 128;
    let cut = &prefix[..prefix.floor_char_boundary(LENGTH_MAX)];
    Unknown::of(Type::String).begins_with(stable_prefix(cut)).into_value()
}
