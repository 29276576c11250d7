//! What is known about a value that is not known yet: its refinements.
//!
//! A promise about an unknown value makes a plan say more: what begins with `arn:` is not null, a list of at least one
//! element is not empty. Whatever the value turns out to be keeps these promises.

use std::{cmp::Ordering, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Kind, Value};
use crate::{Number, Type};

/// What is known about a value that is not known yet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Unknown {
    /// Its type; [`Type::Dynamic`] when even that is open.
    pub ty: Type,
    /// Whether it is known that the value will not be null.
    pub not_null: bool,
    /// What the string will begin with, where that is known.
    pub prefix: Option<Arc<str>>,
    /// The smallest that the number can be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Bound>,
    /// The largest that the number can be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Bound>,
    /// How many elements a list, set or map has.
    #[serde(default, skip_serializing_if = "Lengths::are_open")]
    pub lengths: Lengths,
}

/// One end of a range of numbers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Bound {
    /// The number at this end.
    pub number: Number,
    /// Whether the number itself belongs to the range.
    pub inclusive: bool,
}

impl Bound {
    /// A bound that belongs to the range.
    pub fn inclusive(number: Number) -> Self {
        Self { number, inclusive: true }
    }
}

/// The numbers of elements that a collection can have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Lengths {
    /// At least so many.
    pub min: usize,
    /// At most so many; no limit without it.
    pub max: Option<usize>,
}

impl Lengths {
    /// Exactly so many.
    pub fn exactly(count: usize) -> Self {
        Self { min: count, max: Some(count) }
    }

    /// Whether every number of elements is possible.
    pub fn are_open(&self) -> bool {
        *self == Self::default()
    }

    /// Of two collections one after the other.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            min: self.min.saturating_add(other.min),
            max: self.max.zip(other.max).and_then(|(a, b)| a.checked_add(b)),
        }
    }

    /// Of every pair out of two collections.
    #[must_use]
    pub fn times(self, other: Self) -> Self {
        let none = self.max == Some(0) || other.max == Some(0);
        Self {
            min: self.min.saturating_mul(other.min),
            max: if none { Some(0) } else { self.max.zip(other.max).and_then(|(a, b)| a.checked_mul(b)) },
        }
    }

    /// Of one collection or the other.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self { min: self.min.min(other.min), max: self.max.zip(other.max).map(|(a, b)| a.max(b)) }
    }
}

/// Says more and more about an unknown value.
impl Unknown {
    /// Nothing is known but the type.
    pub fn of(ty: Type) -> Self {
        Self { ty, not_null: false, prefix: None, min: None, max: None, lengths: Lengths::default() }
    }

    /// It will not be null.
    #[must_use]
    pub fn not_null(mut self) -> Self {
        self.not_null = true;
        self
    }

    /// The string begins with this text; so it is not null. An empty text says nothing more.
    ///
    /// The caller gives text that stays as it is whatever follows it: see [`stable_prefix`].
    #[must_use]
    pub fn begins_with(mut self, prefix: &str) -> Self {
        self.prefix = (!prefix.is_empty()).then(|| prefix.into());
        self.not_null()
    }

    /// The number is not below this one.
    #[must_use]
    pub fn at_least(mut self, number: impl Into<Number>) -> Self {
        self.min = Some(Bound::inclusive(number.into()));
        self.not_null()
    }

    /// The number is not above this one.
    #[must_use]
    pub fn at_most(mut self, number: impl Into<Number>) -> Self {
        self.max = Some(Bound::inclusive(number.into()));
        self.not_null()
    }

    /// The collection has so many elements.
    #[must_use]
    pub fn with_lengths(mut self, lengths: Lengths) -> Self {
        self.lengths = lengths;
        self.not_null()
    }

    /// The same promises about a value that was converted to another type, as far as they hold there.
    #[must_use]
    pub fn converted_to(&self, ty: Type) -> Self {
        let mut kept = Self { ty, ..self.clone() };
        if kept.ty != Type::String || self.ty != Type::String {
            kept.prefix = None;
        }
        if kept.ty != Type::Number || self.ty != Type::Number {
            (kept.min, kept.max) = (None, None);
        }
        kept.lengths = match (&self.ty, &kept.ty) {
            (Type::List(_) | Type::Set(_) | Type::Dynamic, Type::List(_))
            | (Type::Map(_) | Type::Dynamic, Type::Map(_))
            | (_, Type::Dynamic) => self.lengths,
            (Type::Set(a), Type::Set(b)) if a == b => self.lengths,
            // Elements that are equal, or become so by the conversion, are one.
            (Type::List(_) | Type::Set(_) | Type::Dynamic, Type::Set(_)) => {
                Lengths { min: self.lengths.min.min(1), max: self.lengths.max }
            }
            (Type::Tuple(ts), Type::List(_)) => Lengths::exactly(ts.len()),
            (Type::Tuple(ts), Type::Set(_)) => Lengths { min: ts.len().min(1), max: Some(ts.len()) },
            (Type::Object(fs), Type::Map(_)) => Lengths::exactly(fs.len()),
            _ => Lengths::default(),
        };
        kept
    }

    /// What a value promises about itself, known or not.
    pub fn about(value: &Value) -> Self {
        let not_null = |ty| Self::of(ty).not_null();
        match value.kind() {
            Kind::Unknown(unknown) => (**unknown).clone(),
            Kind::Null(ty) => Self::of(ty.clone()),
            Kind::String(text) => not_null(Type::String).begins_with(text),
            Kind::Number(n) => not_null(Type::Number).at_least(n.clone()).at_most(n.clone()),
            Kind::Bool(_) => not_null(Type::Bool),
            Kind::List(_, vs) => not_null(value.ty()).with_lengths(Lengths::exactly(vs.len())),
            Kind::Set(_, vs) => {
                let min = if value.is_wholly_known() { vs.len() } else { vs.len().min(1) };
                not_null(value.ty()).with_lengths(Lengths { min, max: Some(vs.len()) })
            }
            Kind::Map(_, fs) => not_null(value.ty()).with_lengths(Lengths::exactly(fs.len())),
            Kind::Tuple(_) | Kind::Object(_) => not_null(value.ty()),
        }
    }

    /// What is true of one value of this type or another.
    #[must_use]
    pub fn or(&self, other: &Self, ty: Type) -> Self {
        let hull = |a: &Option<Bound>, b: &Option<Bound>, wanted: Ordering| {
            let (a, b) = a.as_ref().zip(b.as_ref())?;
            let order = a.number.cmp(&b.number);
            let outer = if order == wanted { a } else { b };
            let inclusive = if order.is_eq() { a.inclusive || b.inclusive } else { outer.inclusive };
            Some(Bound { number: outer.number.clone(), inclusive })
        };
        let (a, b) = (self.converted_to(ty.clone()), other.converted_to(ty.clone()));
        Self {
            not_null: a.not_null && b.not_null,
            prefix: a.prefix.as_deref().zip(b.prefix.as_deref()).and_then(|(a, b)| common_prefix(a, b)),
            min: hull(&a.min, &b.min, Ordering::Less),
            max: hull(&a.max, &b.max, Ordering::Greater),
            lengths: a.lengths.or(b.lengths),
            ty,
        }
    }

    /// Whether a known value that is not null keeps the promises about prefix, range and length.
    pub fn allows(&self, value: &Value) -> bool {
        match value.kind() {
            Kind::Null(_) => !self.not_null,
            Kind::String(text) => self.prefix.as_deref().is_none_or(|p| text.starts_with(p)),
            Kind::Number(n) => self.below_max(n) && self.above_min(n),
            Kind::List(_, vs) => self.fits(vs.len(), vs.len()),
            // Unknown elements may turn out to equal others.
            Kind::Set(_, vs) => {
                let least = if value.is_wholly_known() { vs.len() } else { vs.len().min(1) };
                self.fits(least, vs.len())
            }
            Kind::Map(_, fs) => self.fits(fs.len(), fs.len()),
            _ => true,
        }
    }

    fn fits(&self, least: usize, most: usize) -> bool {
        most >= self.lengths.min && self.lengths.max.is_none_or(|max| least <= max)
    }

    fn below_max(&self, n: &Number) -> bool {
        self.max.as_ref().is_none_or(|max| match n.cmp(&max.number) {
            Ordering::Less => true,
            Ordering::Equal => max.inclusive,
            Ordering::Greater => false,
        })
    }

    fn above_min(&self, n: &Number) -> bool {
        self.min.as_ref().is_none_or(|min| match n.cmp(&min.number) {
            Ordering::Greater => true,
            Ordering::Equal => min.inclusive,
            Ordering::Less => false,
        })
    }

    /// Whether no value can keep the promises of both.
    pub fn excludes(&self, other: &Self) -> bool {
        if !(self.not_null || other.not_null) {
            return false;
        }
        let texts = match (self.prefix.as_deref(), other.prefix.as_deref()) {
            (Some(a), Some(b)) => !(a.starts_with(b) || b.starts_with(a)),
            _ => false,
        };
        let counts = self.lengths.max.is_some_and(|max| max < other.lengths.min)
            || other.lengths.max.is_some_and(|max| max < self.lengths.min);
        texts
            || counts
            || is_below(self.max.as_ref(), other.min.as_ref())
            || is_below(other.max.as_ref(), self.min.as_ref())
    }

    /// The value: known after all where the promises leave only one, such as a collection without elements; a list of
    /// known length has unknown elements.
    pub fn into_value(self) -> Value {
        if self.not_null
            && let Some(known) = self.only_value()
        {
            return known;
        }
        Kind::Unknown(Arc::new(self)).into()
    }

    fn only_value(&self) -> Option<Value> {
        /// Longer lists are not spelled out.
        const SPELLED_OUT_MAX: usize = 1024;
        if let (Type::Number, Some(min), Some(max)) = (&self.ty, &self.min, &self.max) {
            return (min == max && min.inclusive).then(|| min.number.clone().into());
        }
        let length = self.lengths.max.filter(|max| *max == self.lengths.min)?;
        match (&self.ty, length) {
            (Type::Set(t), 0) => Some(Value::set((**t).clone(), [])),
            (Type::Set(t), 1) => Some(Value::set((**t).clone(), [Value::unknown((**t).clone())])),
            (Type::Map(t), 0) => Some(Value::map::<Arc<str>>((**t).clone(), [])),
            (Type::List(t), n) if n <= SPELLED_OUT_MAX => {
                Some(Value::list((**t).clone(), vec![Value::unknown((**t).clone()); n]))
            }
            _ => None,
        }
    }
}

fn common_prefix(a: &str, b: &str) -> Option<Arc<str>> {
    let same = a.char_indices().zip(b.chars()).take_while(|((_, a), b)| a == b);
    let end = same.last().map(|((at, c), _)| at + c.len_utf8())?;
    Some(a[..end].into())
}

/// Whether everything up to one bound is below everything from the other on.
pub fn is_below(max: Option<&Bound>, min: Option<&Bound>) -> bool {
    let (Some(max), Some(min)) = (max, min) else { return false };
    match max.number.cmp(&min.number) {
        Ordering::Less => true,
        Ordering::Equal => !(max.inclusive && min.inclusive),
        Ordering::Greater => false,
    }
}

/// Whether everything up to one bound is below or equal to everything from the other on.
pub fn is_at_most(max: Option<&Bound>, min: Option<&Bound>) -> bool {
    max.zip(min).is_some_and(|(max, min)| max.number <= min.number)
}

/// The part of a text that stays as it is in composed form, whatever text follows: without a last character that could
/// combine with what comes next.
pub fn stable_prefix(text: &str) -> &str {
    use unicode_normalization::char::is_combining_mark;
    // No accent makes another character out of these.
    let stable = |c: char| c.is_ascii() && !c.is_ascii_alphabetic() && !matches!(c, '<' | '=' | '>');
    let mut end = text.len();
    for (at, c) in text.char_indices().rev() {
        if stable(c) {
            return &text[..end];
        }
        end = at;
        // Hangul composes from letters of its own, which are no marks.
        if !is_combining_mark(c) && !('\u{1160}'..='\u{11ff}').contains(&c) {
            break;
        }
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_where_what_follows_cannot_change_it() {
        for (text, stable) in [
            ("arn:", "arn:"),
            ("arn", "ar"),
            ("a-1", "a-1"),
            ("a=", "a"),
            ("e", ""),
            ("", ""),
            ("xe\u{323}", "x"),
            ("x\u{1112}\u{1161}", "x"),
            ("x-한", "x-"),
            ("é", ""),
        ] {
            assert_eq!(stable_prefix(text), stable, "{text:?}");
        }
    }

    #[test]
    fn promises_that_leave_one_value_give_it() {
        let list = |min, max| Unknown::of(Type::list(Type::Bool)).with_lengths(Lengths { min, max }).into_value();
        assert_eq!(list(0, Some(0)), Value::list(Type::Bool, vec![]));
        assert_eq!(list(2, Some(2)), Value::list(Type::Bool, vec![Value::unknown(Type::Bool); 2]));
        assert!(!list(1, Some(2)).is_known());
        let set = Unknown::of(Type::set(Type::Bool)).with_lengths(Lengths::exactly(2)).into_value();
        assert!(!set.is_known(), "elements of a set may be equal");
        assert_eq!(Unknown::of(Type::Number).at_least(3).at_most(3).into_value(), Value::int(3));
        assert!(!Unknown::of(Type::Number).at_least(3).at_most(4).into_value().is_known());
    }

    #[test]
    fn promises_hold_after_a_conversion_as_far_as_they_can() {
        let list = Unknown::of(Type::list(Type::Number)).with_lengths(Lengths { min: 2, max: Some(5) });
        let lengths = |ty| list.converted_to(ty).lengths;
        assert_eq!(lengths(Type::list(Type::String)), Lengths { min: 2, max: Some(5) });
        assert_eq!(lengths(Type::set(Type::Number)), Lengths { min: 1, max: Some(5) });
        let text = Unknown::of(Type::String).begins_with("12");
        assert_eq!(text.converted_to(Type::Number).prefix, None);
        assert!(text.converted_to(Type::Number).not_null);
        let tuple = Unknown::of(Type::tuple([Type::Bool, Type::Bool])).not_null();
        assert_eq!(tuple.converted_to(Type::list(Type::Bool)).lengths, Lengths::exactly(2));
    }

    #[test]
    fn values_that_break_a_promise_are_not_allowed() {
        let number = Unknown::of(Type::Number).at_least(1).at_most(3);
        let list = Unknown::of(Type::list(Type::Bool)).with_lengths(Lengths { min: 1, max: Some(1) });
        let text = Unknown::of(Type::String).begins_with("sg-");
        for (unknown, value, allowed) in [
            (&number, Value::int(1), true),
            (&number, Value::int(3), true),
            (&number, Value::int(4), false),
            (&number, Value::int(0), false),
            (&list, Value::list(Type::Bool, vec![]), false),
            (&list, Value::list(Type::Bool, vec![true.into()]), true),
            (&text, "sg-1".into(), true),
            (&text, "vpc-1".into(), false),
            (&text, Value::null(Type::String), false),
        ] {
            assert_eq!(unknown.allows(&value), allowed, "{unknown:?} {value:?}");
        }
    }
}
