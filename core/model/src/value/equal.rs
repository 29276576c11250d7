//! Equality as the language has it: values that are not known yet leave it open, unless what is known about them decides.

use super::{Kind, Unknown, Value};
use crate::Type;

impl Value {
    /// Whether two values are equal, as `==` says; `None` when that is not known yet. Marks do not count.
    ///
    /// Nulls of all types are equal; other values of different types are different.
    pub fn equals(&self, other: &Self) -> Option<bool> {
        match (&self.kind, &other.kind) {
            (Kind::Null(_), Kind::Null(_)) => Some(true),
            (Kind::Unknown(u), Kind::Null(_)) | (Kind::Null(_), Kind::Unknown(u)) => u.not_null.then_some(false),
            (Kind::Null(_), _) | (_, Kind::Null(_)) => Some(false),
            (Kind::Unknown(a), Kind::Unknown(b)) => {
                // Both may turn out to be null, which is equal whatever the type.
                let differ = (a.not_null || b.not_null) && (types_differ(&a.ty, &b.ty) || a.excludes(b));
                differ.then_some(false)
            }
            (Kind::Unknown(u), _) => unknown_and_known(u, other),
            (_, Kind::Unknown(u)) => unknown_and_known(u, self),
            (Kind::Bool(a), Kind::Bool(b)) => Some(a == b),
            (Kind::Number(a), Kind::Number(b)) => Some(a == b),
            (Kind::String(a), Kind::String(b)) => Some(a == b),
            (Kind::List(_, a), Kind::List(_, b)) | (Kind::Tuple(a), Kind::Tuple(b)) => {
                if a.len() != b.len() || differ_in_type(self, other) {
                    return Some(false);
                }
                all(a.iter().zip(b.iter()).map(|(a, b)| a.equals(b)))
            }
            (Kind::Set(_, a), Kind::Set(_, b)) => {
                if differ_in_type(self, other) {
                    return Some(false);
                }
                a.iter().chain(b.iter()).all(Value::is_wholly_known).then(|| a == b)
            }
            (Kind::Map(_, a), Kind::Map(_, b)) | (Kind::Object(a), Kind::Object(b)) => {
                if !a.keys().eq(b.keys()) || differ_in_type(self, other) {
                    return Some(false);
                }
                all(a.values().zip(b.values()).map(|(a, b)| a.equals(b)))
            }
            _ => Some(false),
        }
    }

    /// Whether it is certain that the value is not null.
    pub fn is_never_null(&self) -> bool {
        match &self.kind {
            Kind::Null(_) => false,
            Kind::Unknown(u) => u.not_null,
            _ => true,
        }
    }
}

/// Whether the types of two values are different, those of empty collections and of nulls inside included.
fn differ_in_type(a: &Value, b: &Value) -> bool {
    let (left, right) = (a.ty(), b.ty());
    if has_its_type(a) && has_its_type(b) { left != right } else { types_differ(&left, &right) }
}

/// Whether the type of a value is settled: nothing inside has a type that is not known yet.
fn has_its_type(value: &Value) -> bool {
    match &value.kind {
        Kind::Unknown(u) => u.ty.is_wholly_known(),
        Kind::List(_, vs) | Kind::Tuple(vs) => vs.iter().all(has_its_type),
        Kind::Set(_, vs) => vs.iter().all(has_its_type),
        Kind::Map(_, fs) | Kind::Object(fs) => fs.values().all(has_its_type),
        Kind::Null(_) | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => true,
    }
}

/// Types that are still open may turn out the same.
fn types_differ(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::Dynamic, _) | (_, Type::Dynamic) => false,
        (Type::List(a), Type::List(b)) | (Type::Set(a), Type::Set(b)) | (Type::Map(a), Type::Map(b)) => {
            types_differ(a, b)
        }
        (Type::Tuple(a), Type::Tuple(b)) => {
            a.len() != b.len() || a.iter().zip(b.iter()).any(|(a, b)| types_differ(a, b))
        }
        (Type::Object(a), Type::Object(b)) => {
            !a.keys().eq(b.keys()) || a.values().zip(b.values()).any(|(a, b)| types_differ(&a.ty, &b.ty))
        }
        _ => a != b,
    }
}

fn unknown_and_known(unknown: &Unknown, known: &Value) -> Option<bool> {
    let differ = if unknown.ty.is_wholly_known() && has_its_type(known) {
        unknown.ty != known.ty()
    } else {
        types_differ(&unknown.ty, &known.ty())
    };
    let differ = differ || !unknown.allows(known);
    differ.then_some(false)
}

fn all(results: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut sure = Some(true);
    for result in results {
        match result {
            Some(false) => return Some(false),
            Some(true) => {}
            None => sure = None,
        }
    }
    sure
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Lengths;

    #[test]
    fn what_is_known_of_an_unknown_value_can_decide() {
        let text = |prefix| Unknown::of(Type::String).begins_with(prefix).into_value();
        let open = |ty| Value::unknown(ty);
        let number = |min, max| Unknown::of(Type::Number).at_least(min).at_most(max).into_value();
        let list = |min| Unknown::of(Type::list(Type::Bool)).with_lengths(Lengths { min, max: None }).into_value();
        for (a, b, equal) in [
            (open(Type::String), Value::dynamic_null(), None),
            (Value::unknown_not_null(Type::String), Value::dynamic_null(), Some(false)),
            // Both may be null.
            (open(Type::String), open(Type::Number), None),
            (Value::unknown_not_null(Type::String), open(Type::Number), Some(false)),
            (open(Type::String), Value::int(1), Some(false)),
            (open(Type::Dynamic), Value::int(1), None),
            (text("arn:"), "arn:x".into(), None),
            (text("arn:"), "urn:x".into(), Some(false)),
            (text("arn:"), text("urn:"), Some(false)),
            (text("arn:"), text("arn:aws"), None),
            (number(1, 5), Value::int(7), Some(false)),
            (number(1, 5), number(6, 9), Some(false)),
            (number(1, 6), number(6, 9), None),
            (list(1), Value::list(Type::Bool, vec![]), Some(false)),
            (list(1), Value::list(Type::Bool, vec![true.into()]), None),
        ] {
            assert_eq!(a.equals(&b), equal, "{a:?} {b:?}");
            assert_eq!(b.equals(&a), equal, "{b:?} {a:?}");
        }
    }

    #[test]
    fn types_count() {
        assert_eq!(Value::int(1).equals(&"1".into()), Some(false));
        assert_eq!(Value::tuple(vec![]).equals(&Value::list(Type::Bool, vec![])), Some(false));
        assert_eq!(Value::null(Type::Bool).equals(&Value::null(Type::String)), Some(true));
        let lists = [Value::list(Type::Bool, vec![]), Value::list(Type::String, vec![])];
        assert_eq!(lists[0].equals(&lists[1]), Some(false));
    }
}
