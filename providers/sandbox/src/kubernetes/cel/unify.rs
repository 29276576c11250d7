//! What is known of types: variables become known by what stands in their place (cel-go's `checker/types.go`).

use std::sync::Arc;

use super::check::Checker;
use super::types::Type;

impl<'s> Checker<'s> {
    pub(super) fn fresh(&mut self) -> Type<'s> {
        self.known.push(None);
        Type::Variable(self.known.len() - 1)
    }

    pub(super) fn shown(&self, of: &Type<'s>) -> String {
        self.settled(of).to_string()
    }

    /// The type with all that is known of its variables.
    pub(super) fn settled(&self, of: &Type<'s>) -> Type<'s> {
        let inner = |of: &Arc<Type<'s>>| Arc::new(self.settled(of));
        match of {
            Type::Variable(number) => match self.known.get(*number) {
                Some(Some(known)) => self.settled(known),
                _ => of.clone(),
            },
            Type::List(items) => Type::List(inner(items)),
            Type::Map(key, value) => Type::Map(inner(key), inner(value)),
            Type::Meta(of) => Type::Meta(inner(of)),
            Type::Named(name, Some(of)) => Type::Named(name, Some(inner(of))),
            other => other.clone(),
        }
    }

    /// Whether a value of type `from` may stand where `to` is wanted; variables become known by it.
    pub(super) fn assignable(&mut self, from: &Type<'s>, to: &Type<'s>) -> bool {
        let before = self.trail.len();
        let fits = self.unify(from, to);
        if !fits {
            self.forget(before);
        }
        fits
    }

    pub(super) fn forget(&mut self, before: usize) {
        for number in self.trail.drain(before..) {
            self.known[number] = None;
        }
    }

    pub(super) fn unify(&mut self, from: &Type<'s>, to: &Type<'s>) -> bool {
        let (from, to) = (self.settled(from), self.settled(to));
        match (&from, &to) {
            (Type::Variable(one), Type::Variable(other)) if one == other => true,
            (known, Type::Variable(number)) | (Type::Variable(number), known) => {
                if self.mentions(known, *number) {
                    return false;
                }
                self.known[*number] = Some(known.clone());
                self.trail.push(*number);
                true
            }
            (Type::Dyn | Type::Error, _) | (_, Type::Dyn | Type::Error) | (Type::Meta(_), Type::Meta(_)) => true,
            (Type::Null, other) | (other, Type::Null) => other.takes_null(),
            (Type::List(from), Type::List(to)) => self.unify(from, to),
            (Type::Map(key, value), Type::Map(to_key, to_value)) => {
                self.unify(key, to_key) && self.unify(value, to_value)
            }
            (Type::Named(one, Some(from)), Type::Named(other, Some(to))) => one == other && self.unify(from, to),
            _ => from == to,
        }
    }

    pub(super) fn mentions(&self, of: &Type<'s>, number: usize) -> bool {
        match self.settled(of) {
            Type::Variable(other) => other == number,
            Type::List(of) | Type::Meta(of) | Type::Named(_, Some(of)) => self.mentions(&of, number),
            Type::Map(key, value) => self.mentions(&key, number) || self.mentions(&value, number),
            _ => false,
        }
    }
}

/// A type of a signature with the variables of this call.
pub(super) fn renamed<'s>(of: &Type<'s>, variables: &[Type<'s>; 2]) -> Type<'s> {
    let inner = |of: &Arc<Type<'s>>| Arc::new(renamed(of, variables));
    match of {
        Type::Variable(number) => variables[*number].clone(),
        Type::List(items) => Type::List(inner(items)),
        Type::Map(key, value) => Type::Map(inner(key), inner(value)),
        Type::Meta(of) => Type::Meta(inner(of)),
        Type::Named(name, Some(of)) => Type::Named(name, Some(inner(of))),
        other => other.clone(),
    }
}
