//! Arithmetic and comparison where a number is not known yet: what its range says about the result.

use sgp_model::{
    Kind, Number, Type, Value,
    value::{Bound, Unknown, is_at_most, is_below},
};

use crate::syntax::BinaryOp;

/// The smallest and the largest that a number can be.
#[derive(Clone, Default)]
struct Range {
    min: Option<Bound>,
    max: Option<Bound>,
}

impl Range {
    fn of(value: &Value) -> Self {
        match value.kind() {
            Kind::Number(n) => {
                let exactly = Some(Bound::inclusive(n.clone()));
                Self { min: exactly.clone(), max: exactly }
            }
            Kind::Unknown(unknown) => Self { min: unknown.min.clone(), max: unknown.max.clone() },
            _ => Self::default(),
        }
    }

    fn is_zero(&self) -> bool {
        [&self.min, &self.max].into_iter().all(|b| b.as_ref().is_some_and(|b| b.number.is_zero() && b.inclusive))
    }

    fn is_never_negative(&self) -> bool {
        self.min.as_ref().is_some_and(|min| !min.number.is_negative())
    }

    fn negated(self) -> Self {
        let turned = |b: Bound| Bound { number: b.number.neg(), ..b };
        Self { min: self.max.map(turned), max: self.min.map(turned) }
    }

    fn into_value(self) -> Value {
        Unknown { min: self.min, max: self.max, ..Unknown::of(Type::Number).not_null() }.into_value()
    }
}

/// Both ends by an operation that keeps order; an end is open where either is, or where the result is too large.
fn ends(a: Range, b: Range, operation: fn(&Number, &Number) -> Option<Number>) -> Range {
    let end = |a: Option<Bound>, b: Option<Bound>| {
        let (a, b) = a.zip(b)?;
        Some(Bound { number: operation(&a.number, &b.number)?, inclusive: a.inclusive && b.inclusive })
    };
    Range { min: end(a.min, b.min), max: end(a.max, b.max) }
}

/// `-value`.
pub(super) fn negate(value: &Value) -> Value {
    Range::of(value).negated().into_value()
}

/// The result of an arithmetic operator.
pub(super) fn calculate(op: BinaryOp, left: &Value, right: &Value) -> Value {
    let (l, r) = (Range::of(left), Range::of(right));
    let add = |a: &Number, b: &Number| a.add(b).ok();
    let range = match op {
        BinaryOp::Add => ends(l, r, add),
        BinaryOp::Subtract => ends(l, r.negated(), add),
        BinaryOp::Multiply if l.is_zero() || r.is_zero() => return Value::int(0),
        BinaryOp::Multiply if l.is_never_negative() && r.is_never_negative() => ends(l, r, |a, b| a.mul(b).ok()),
        _ => Range::default(),
    };
    range.into_value()
}

/// The result of a comparison: known where the ranges do not overlap.
pub(super) fn compare(op: BinaryOp, left: &Value, right: &Value) -> Value {
    let (l, r) = (Range::of(left), Range::of(right));
    let (l, r) = match op {
        BinaryOp::Greater | BinaryOp::GreaterOrEqual => (r, l),
        _ => (l, r),
    };
    let strict = matches!(op, BinaryOp::Less | BinaryOp::Greater);
    let (below, at_most) = (is_below(l.max.as_ref(), r.min.as_ref()), is_at_most(l.max.as_ref(), r.min.as_ref()));
    let (above, at_least) = (is_below(r.max.as_ref(), l.min.as_ref()), is_at_most(r.max.as_ref(), l.min.as_ref()));
    let decided = match strict {
        true if below => Some(true),
        true if at_least => Some(false),
        false if at_most => Some(true),
        false if above => Some(false),
        _ => None,
    };
    decided.map_or_else(|| Value::unknown_not_null(Type::Bool), Value::from)
}
