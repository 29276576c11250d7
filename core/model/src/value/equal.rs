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
                if a.len() != b.len() || types_differ(&self.ty(), &other.ty()) {
                    return Some(false);
                }
                all(a.iter().zip(b.iter()).map(|(a, b)| a.equals(b)))
            }
            (Kind::Set(_, a), Kind::Set(_, b)) => {
                if types_differ(&self.ty(), &other.ty()) {
                    return Some(false);
                }
                a.iter().chain(b.iter()).all(Value::is_wholly_known).then(|| a == b)
            }
            (Kind::Map(_, a), Kind::Map(_, b)) | (Kind::Object(a), Kind::Object(b)) => {
                if !a.keys().eq(b.keys()) || types_differ(&self.ty(), &other.ty()) {
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

/// Types that are still open may turn out the same.
fn types_differ(a: &Type, b: &Type) -> bool {
    a != b && a.is_wholly_known() && b.is_wholly_known()
}

fn unknown_and_known(unknown: &Unknown, known: &Value) -> Option<bool> {
    let differ = types_differ(&unknown.ty, &known.ty()) || !unknown.allows(known);
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
