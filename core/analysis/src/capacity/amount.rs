//! Numbers that are known, lie between two others, or are not known.

use std::fmt;

use crate::topology::Fact;

/// A number, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amount {
    least: u64,
    most: Option<u64>,
    why: Option<String>,
}

impl Amount {
    /// It is this.
    pub fn exactly(number: u64) -> Self {
        Self { least: number, most: Some(number), why: None }
    }

    /// Nothing is known of it, for this reason.
    pub fn unknown(why: impl Into<String>) -> Self {
        Self { least: 0, most: None, why: Some(why.into()) }
    }

    /// It is this or more, for this reason.
    pub fn at_least(number: u64, why: impl Into<String>) -> Self {
        Self { least: number, most: None, why: Some(why.into()) }
    }

    /// It lies between these; there is no other end when nobody knows one.
    pub(super) fn between(least: u64, most: Option<u64>, why: Option<&str>) -> Self {
        let most = most.map(|most| most.max(least));
        Self { least, most, why: None }.because(why)
    }

    /// What was told, or that it was not, for this reason.
    pub fn told<T: Copy + Into<u64>>(fact: &Fact<T>, why: &str) -> Self {
        fact.known().map_or_else(|| Self::unknown(why), |number| Self::exactly((*number).into()))
    }

    /// The smallest that it can be.
    pub fn least(&self) -> u64 {
        self.least
    }

    /// The largest that it can be, when anybody knows.
    pub fn most(&self) -> Option<u64> {
        self.most
    }

    /// The number, when there is only one that it can be.
    pub fn known(&self) -> Option<u64> {
        self.most.filter(|most| *most == self.least)
    }

    /// Why it is not known better, when the reason is that something was not told.
    pub fn why(&self) -> Option<&str> {
        self.why.as_deref()
    }

    /// The same, for this reason, when it is not one number.
    #[must_use]
    pub fn because(mut self, why: Option<&str>) -> Self {
        if self.known().is_none() && self.why.is_none() {
            self.why = why.map(str::to_owned);
        }
        self
    }

    /// The sum.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        self.with(other, self.least.saturating_add(other.least), both(self, other, u64::saturating_add))
    }

    /// What is left when the other is taken away; never less than nothing.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        let least = other.most.map_or(0, |most| self.least.saturating_sub(most));
        self.with(other, least, self.most.map(|most| most.saturating_sub(other.least)))
    }

    /// So many times the other.
    #[must_use]
    pub fn times(&self, other: &Self) -> Self {
        // Nothing times something unknown is nothing.
        let most = match (self.most, other.most) {
            (Some(0), _) | (_, Some(0)) => Some(0),
            _ => both(self, other, u64::saturating_mul),
        };
        self.with(other, self.least.saturating_mul(other.least), most)
    }

    /// The smaller one.
    #[must_use]
    pub fn min(&self, other: &Self) -> Self {
        let most = match (self.most, other.most) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        self.with(other, self.least.min(other.least), most)
    }

    /// The larger one.
    #[must_use]
    pub fn max(&self, other: &Self) -> Self {
        self.with(other, self.least.max(other.least), both(self, other, u64::max))
    }

    /// The one or the other, and nobody knows which.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        self.with(other, self.least.min(other.least), both(self, other, u64::max))
    }

    fn with(&self, other: &Self, least: u64, most: Option<u64>) -> Self {
        let why = self.why.as_ref().or(other.why.as_ref()).filter(|_| most != Some(least));
        Self { least, most, why: why.cloned() }
    }
}

fn both(one: &Amount, other: &Amount, f: impl FnOnce(u64, u64) -> u64) -> Option<u64> {
    Some(f(one.most?, other.most?))
}

impl From<u64> for Amount {
    fn from(number: u64) -> Self {
        Self::exactly(number)
    }
}

impl From<u32> for Amount {
    fn from(number: u32) -> Self {
        Self::exactly(number.into())
    }
}

impl std::iter::Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::exactly(0), |sum, amount| sum.plus(&amount))
    }
}

/// `9`, `9 to 18`, `9 or more`, `unknown`.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.least, self.most) {
            (least, Some(most)) if least == most => write!(f, "{least}"),
            (least, Some(most)) => write!(f, "{least} to {most}"),
            (0, None) => f.write_str("unknown"),
            (least, None) => write!(f, "{least} or more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_add_up() {
        let range = Amount::exactly(9).or(&Amount::exactly(18));
        let unknown = Amount::unknown("nobody told");
        for (amount, text) in [
            (Amount::exactly(9).plus(&3_u64.into()), "12"),
            (range.plus(&1_u64.into()), "10 to 19"),
            (range.times(&5_u64.into()), "45 to 90"),
            (range.minus(&10_u64.into()), "0 to 8"),
            (Amount::exactly(20).minus(&range), "2 to 11"),
            (Amount::exactly(20).minus(&unknown), "0 to 20"),
            (range.min(&12_u64.into()), "9 to 12"),
            (unknown.min(&12_u64.into()), "0 to 12"),
            (unknown.plus(&2_u64.into()), "2 or more"),
            (unknown.times(&0_u64.into()), "0"),
            (unknown.clone(), "unknown"),
        ] {
            assert_eq!(amount.to_string(), text);
        }
        assert_eq!(unknown.plus(&range).why(), Some("nobody told"));
        assert_eq!(unknown.times(&0_u64.into()).why(), None);
    }
}
