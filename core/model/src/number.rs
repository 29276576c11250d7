//! Numbers with the precision that HCL promises: 512 bits of binary mantissa, rounded half to even.
//!
//! Every value has one representation, so equality, order and the written form agree: a whole number that fits 64 bits is
//! an `i64`, everything else is an odd mantissa of at most 512 bits times a power of two. Text is the shortest decimal that
//! reads back as the same number, without an exponent, so that `1/10` is written `0.1`.

use std::{cmp::Ordering, fmt, str::FromStr, sync::Arc};

use dashu_int::UBig;
use serde::{Deserialize, Serialize};

use arithmetic::{canonical, quotient, rounded, shift};
use decimal::Decimal;

mod arithmetic;
mod decimal;

/// Bits of mantissa, as in HCL's reference implementation (`cty` uses a 512-bit `big.Float`).
pub const PRECISION: usize = 512;

/// The largest magnitude is below two to this power and the smallest above its inverse: about a million decimal digits.
const EXPONENT_LIMIT: i64 = 1 << 22;

/// Bytes of text that a number may be written with: room for a million digits before and after the point.
const TEXT_LIMIT: usize = 1 << 21;

/// A number. Whole numbers that fit 64 bits stay small; everything else is a 512-bit binary float. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Number(Repr);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Repr {
    Small(i64),
    Big(Arc<Big>),
}

/// `± mantissa · 2^exponent`. In a [`Repr::Big`] the mantissa is odd, or the value is whole and beyond 64 bits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Big {
    negative: bool,
    mantissa: UBig,
    exponent: i64,
}

/// The text is not a decimal number, or one of more than a million digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a number is required")]
pub struct NotANumber;

/// An operation has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArithmeticError {
    /// The divisor is zero.
    #[error("division by zero")]
    DivisionByZero,
    /// The result has more than a million digits.
    #[error("the result is too large to represent")]
    Overflow,
}

type Arithmetic = Result<Number, ArithmeticError>;

/// Looking at it.
impl Number {
    /// The number as a machine integer, when it is whole and fits.
    pub fn to_i64(&self) -> Option<i64> {
        match self.0 {
            Repr::Small(n) => Some(n),
            Repr::Big(_) => None,
        }
    }

    /// The number as a size, when it is whole, not negative and fits.
    pub fn to_usize(&self) -> Option<usize> {
        self.to_i64().and_then(|n| usize::try_from(n).ok())
    }

    /// The nearest double; infinite when it is beyond their range.
    pub fn to_f64(&self) -> f64 {
        // The shortest decimal identifies the number far beyond a double's precision, and std rounds it correctly.
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    /// The number that is written like the double; `None` for infinities and NaN.
    pub fn from_f64(float: f64) -> Option<Self> {
        if float.is_finite() { float.to_string().parse().ok() } else { None }
    }

    /// The whole number that the digits write in a base of at most 36, such as `ff` in base 16.
    ///
    /// # Errors
    /// A digit is missing or is not one of the base.
    pub fn from_radix(digits: &str, radix: u32) -> Result<Self, NotANumber> {
        let (negative, magnitude) = match digits.as_bytes().first() {
            Some(b'-') => (true, &digits[1..]),
            Some(b'+') => (false, &digits[1..]),
            _ => (false, digits),
        };
        if !(2..=36).contains(&radix) || magnitude.is_empty() || !magnitude.chars().all(|c| c.is_digit(radix)) {
            return Err(NotANumber);
        }
        let mantissa = UBig::from_str_radix(magnitude, radix).map_err(|_| NotANumber)?;
        rounded(negative, mantissa, 0, false).map_err(|_| NotANumber)
    }

    /// The number's digits in a base of at most 36, in lower case; `None` when it is not whole.
    pub fn to_radix(&self, radix: u8) -> Option<String> {
        let big = self.big();
        if big.exponent < 0 || !(2..=36).contains(&radix) {
            return None;
        }
        let whole = big.mantissa << shift(big.exponent);
        Some(format!("{}{}", if big.negative { "-" } else { "" }, whole.in_radix(radix)))
    }

    /// Decimal text with exactly this many digits after the point, rounded half to even from the exact value.
    pub fn to_fixed(&self, digits: usize) -> String {
        let big = self.big();
        signed(big.negative, &Decimal::exact(&big.mantissa, big.exponent).rounded_to_fraction(digits).to_fixed(digits))
    }

    /// Text in scientific notation with this many digits after the point, or as many as identify the number.
    pub fn to_scientific(&self, digits: Option<usize>, exponent_mark: char) -> String {
        let big = self.big();
        let decimal = match digits {
            Some(digits) => Decimal::exact(&big.mantissa, big.exponent).rounded_to(digits + 1),
            None => self.shortest(),
        };
        signed(big.negative, &decimal.to_scientific(digits, exponent_mark))
    }

    fn shortest(&self) -> Decimal {
        let big = self.big();
        match &self.0 {
            Repr::Small(_) => Decimal::exact(&big.mantissa, big.exponent),
            Repr::Big(_) => Decimal::shortest(&big.mantissa, big.exponent),
        }
    }

    /// The power of ten of the first digit that is not zero, as in scientific notation; 0 for zero.
    pub fn decimal_exponent(&self) -> i64 {
        if self.is_zero() { 0 } else { self.shortest().point - 1 }
    }

    /// Whether there is no fraction.
    pub fn is_whole(&self) -> bool {
        match &self.0 {
            Repr::Small(_) => true,
            Repr::Big(b) => b.exponent >= 0,
        }
    }

    /// Whether it is zero.
    pub fn is_zero(&self) -> bool {
        self.0 == Repr::Small(0)
    }

    /// Whether it is below zero.
    pub fn is_negative(&self) -> bool {
        match &self.0 {
            Repr::Small(n) => *n < 0,
            Repr::Big(b) => b.negative,
        }
    }

    /// -1, 0 or 1: the sign.
    pub fn signum(&self) -> i64 {
        i64::from(!self.is_negative() && !self.is_zero()) - i64::from(self.is_negative())
    }
}

fn signed(negative: bool, magnitude: &str) -> String {
    if negative { format!("-{magnitude}") } else { magnitude.to_owned() }
}

impl From<i64> for Number {
    fn from(n: i64) -> Self {
        Self(Repr::Small(n))
    }
}

impl From<i32> for Number {
    fn from(n: i32) -> Self {
        Self(Repr::Small(n.into()))
    }
}

impl From<u64> for Number {
    fn from(n: u64) -> Self {
        canonical(false, UBig::from(n), 0).expect("64 bits are within every limit")
    }
}

impl From<usize> for Number {
    fn from(n: usize) -> Self {
        Self::from(n as u64)
    }
}

/// Reads `12`, `-1.5`, `.5`, `1e3`: an optional sign, decimal digits with at most one point, an optional exponent.
impl FromStr for Number {
    type Err = NotANumber;

    fn from_str(text: &str) -> Result<Self, NotANumber> {
        if let Ok(n) = text.parse::<i64>() {
            return Ok(Self(Repr::Small(n)));
        }
        // What is longer would be refused for its digits, after they were all looked at.
        if text.len() > TEXT_LIMIT {
            return Err(NotANumber);
        }
        let (negative, digits, exponent) = decimal::read(text).ok_or(NotANumber)?;
        if digits.is_zero() {
            return Ok(Self::from(0));
        }
        let power = usize::try_from(exponent.unsigned_abs()).map_err(|_| NotANumber)?;
        let limit = usize::try_from(EXPONENT_LIMIT).unwrap_or(usize::MAX);
        if power > limit {
            return Err(NotANumber);
        }
        let five = UBig::from(5u8).pow(power);
        let number = if exponent >= 0 {
            rounded(negative, digits * five, exponent, false)
        } else {
            quotient(negative, &digits, &five, exponent)
        };
        number.map_err(|_| NotANumber)
    }
}

impl TryFrom<String> for Number {
    type Error = NotANumber;

    fn try_from(text: String) -> Result<Self, NotANumber> {
        text.parse()
    }
}

impl From<Number> for String {
    fn from(n: Number) -> Self {
        n.to_string()
    }
}

/// The shortest decimal that reads back as the same number, without an exponent.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Small(n) => write!(f, "{n}"),
            Repr::Big(b) => {
                let text = self.shortest().to_string();
                if b.negative { write!(f, "-{text}") } else { f.write_str(&text) }
            }
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Repr::Small(a), Repr::Small(b)) => a.cmp(b),
            _ => self.big().cmp(&other.big()),
        }
    }
}

#[cfg(test)]
mod tests;
