//! Numbers with the precision that HCL promises: 512 bits of binary mantissa, rounded half to even.
//!
//! Every value has one representation, so equality, order and the written form agree: a whole number that fits 64 bits is
//! an `i64`, everything else is an odd mantissa of at most 512 bits times a power of two. Text is the shortest decimal that
//! reads back as the same number, without an exponent, so that `1/10` is written `0.1`.

use std::{cmp::Ordering, fmt, str::FromStr, sync::Arc};

use dashu_base::BitTest;
use dashu_int::UBig;
use serde::{Deserialize, Serialize};

use decimal::Decimal;

mod decimal;

/// Bits of mantissa, as in HCL's reference implementation (`cty` uses a 512-bit `big.Float`).
pub const PRECISION: usize = 512;

/// The largest magnitude is below two to this power and the smallest above its inverse: about a million decimal digits.
const EXPONENT_LIMIT: i64 = 1 << 22;

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

impl Big {
    fn from_i64(n: i64) -> Self {
        Self { negative: n < 0, mantissa: UBig::from(n.unsigned_abs()), exponent: 0 }
    }

    /// The exponent of the bit above the highest one.
    fn top(&self) -> i64 {
        bits(&self.mantissa) + self.exponent
    }

    fn cmp_magnitude(&self, other: &Self) -> Ordering {
        match (self.mantissa.is_zero(), other.mantissa.is_zero()) {
            (true, true) => return Ordering::Equal,
            (true, false) => return Ordering::Less,
            (false, true) => return Ordering::Greater,
            (false, false) => {}
        }
        self.top().cmp(&other.top()).then_with(|| {
            let (a, b, _) = aligned(self, other);
            a.cmp(&b)
        })
    }
}

impl Ord for Big {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.cmp_magnitude(other),
            (true, true) => other.cmp_magnitude(self),
        }
    }
}

impl PartialOrd for Big {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn bits(n: &UBig) -> i64 {
    i64::try_from(n.bit_len()).unwrap_or(i64::MAX)
}

fn shift(by: i64) -> usize {
    usize::try_from(by).expect("shifts are differences that were ordered first and stay within the exponent limit")
}

/// Both mantissas at the lower of the two exponents, and that exponent.
fn aligned(a: &Big, b: &Big) -> (UBig, UBig, i64) {
    let low = a.exponent.min(b.exponent);
    (&a.mantissa << shift(a.exponent - low), &b.mantissa << shift(b.exponent - low), low)
}

/// Rounds half to even to the precision. `sticky` says that the exact mantissa is a little larger than the one given,
/// which then must have more than [`PRECISION`] + 1 bits.
fn rounded(negative: bool, mut mantissa: UBig, mut exponent: i64, sticky: bool) -> Arithmetic {
    let length = mantissa.bit_len();
    if length > PRECISION {
        let drop = length - PRECISION;
        let half = mantissa.bit(drop - 1);
        let beyond_half = sticky || mantissa.trailing_zeros().is_some_and(|zeros| zeros < drop - 1);
        mantissa >>= drop;
        exponent += i64::try_from(drop).unwrap_or(i64::MAX);
        if half && (beyond_half || mantissa.bit(0)) {
            mantissa += UBig::ONE;
        }
    }
    canonical(negative, mantissa, exponent)
}

/// The one representation of an exact value of at most [`PRECISION`] bits.
fn canonical(negative: bool, mut mantissa: UBig, mut exponent: i64) -> Arithmetic {
    let Some(zeros) = mantissa.trailing_zeros() else { return Ok(Number::from(0)) };
    mantissa >>= zeros;
    exponent += i64::try_from(zeros).unwrap_or(i64::MAX);
    let top = bits(&mantissa) + exponent;
    if top > EXPONENT_LIMIT {
        return Err(ArithmeticError::Overflow);
    }
    if top < -EXPONENT_LIMIT {
        return Ok(Number::from(0));
    }
    if exponent >= 0 && top <= 64 {
        let whole = i128::try_from(&mantissa << shift(exponent)).unwrap_or(i128::MAX);
        if let Ok(n) = i64::try_from(if negative { -whole } else { whole }) {
            return Ok(Number(Repr::Small(n)));
        }
    }
    Ok(Number(Repr::Big(Arc::new(Big { negative, mantissa, exponent }))))
}

/// `numerator / denominator · 2^exponent`, rounded.
fn quotient(negative: bool, numerator: &UBig, denominator: &UBig, exponent: i64) -> Arithmetic {
    // Two bits beyond the precision and the remainder decide every rounding.
    let extra = (PRECISION + 2 + denominator.bit_len()).saturating_sub(numerator.bit_len());
    let scaled = numerator << extra;
    let whole = &scaled / denominator;
    let sticky = &whole * denominator != scaled;
    rounded(negative, whole, exponent - i64::try_from(extra).unwrap_or(i64::MAX), sticky)
}

/// Arithmetic. Results are rounded half to even to 512 bits.
impl Number {
    fn big(&self) -> Big {
        match &self.0 {
            Repr::Small(n) => Big::from_i64(*n),
            Repr::Big(b) => (**b).clone(),
        }
    }

    /// The sum.
    ///
    /// # Errors
    /// [`ArithmeticError::Overflow`].
    pub fn add(&self, other: &Self) -> Arithmetic {
        if let (Repr::Small(a), Repr::Small(b)) = (&self.0, &other.0)
            && let Some(sum) = a.checked_add(*b)
        {
            return Ok(Self(Repr::Small(sum)));
        }
        let (a, b) = (self.big(), other.big());
        let (larger, smaller) = if a.cmp_magnitude(&b) == Ordering::Less { (b, a) } else { (a, b) };
        // Far below the last bit the smaller one only breaks ties, and aligning exactly would cost its whole distance.
        let gap = larger.top() - smaller.top();
        if !smaller.mantissa.is_zero() && gap > i64::try_from(2 * PRECISION + 4).unwrap_or(i64::MAX) {
            let room = 2 * PRECISION + 2;
            let wide = larger.mantissa << room;
            let exponent = larger.exponent - i64::try_from(room).unwrap_or(i64::MAX);
            let wide = if larger.negative == smaller.negative { wide } else { wide - UBig::ONE };
            return rounded(larger.negative, wide, exponent, true);
        }
        let (x, y, exponent) = aligned(&larger, &smaller);
        let mantissa = if larger.negative == smaller.negative { x + y } else { x - y };
        rounded(larger.negative, mantissa, exponent, false)
    }

    /// The difference.
    ///
    /// # Errors
    /// [`ArithmeticError::Overflow`].
    pub fn sub(&self, other: &Self) -> Arithmetic {
        self.add(&other.neg())
    }

    /// The product.
    ///
    /// # Errors
    /// [`ArithmeticError::Overflow`].
    pub fn mul(&self, other: &Self) -> Arithmetic {
        if let (Repr::Small(a), Repr::Small(b)) = (&self.0, &other.0)
            && let Some(product) = a.checked_mul(*b)
        {
            return Ok(Self(Repr::Small(product)));
        }
        let (a, b) = (self.big(), other.big());
        rounded(a.negative != b.negative, a.mantissa * b.mantissa, a.exponent + b.exponent, false)
    }

    /// The quotient.
    ///
    /// # Errors
    /// [`ArithmeticError::DivisionByZero`], [`ArithmeticError::Overflow`].
    pub fn div(&self, other: &Self) -> Arithmetic {
        if other.is_zero() {
            return Err(ArithmeticError::DivisionByZero);
        }
        if let (Repr::Small(a), Repr::Small(b)) = (&self.0, &other.0)
            && a.checked_rem(*b) == Some(0)
            && let Some(whole) = a.checked_div(*b)
        {
            return Ok(Self(Repr::Small(whole)));
        }
        let (a, b) = (self.big(), other.big());
        quotient(a.negative != b.negative, &a.mantissa, &b.mantissa, a.exponent - b.exponent)
    }

    /// The remainder of the division truncated toward zero: it has the sign of `self`.
    ///
    /// # Errors
    /// [`ArithmeticError::DivisionByZero`], [`ArithmeticError::Overflow`].
    pub fn rem(&self, other: &Self) -> Arithmetic {
        if other.is_zero() {
            return Err(ArithmeticError::DivisionByZero);
        }
        if let (Repr::Small(a), Repr::Small(b)) = (&self.0, &other.0) {
            return Ok(Self(Repr::Small(a.wrapping_rem(*b))));
        }
        self.sub(&other.mul(&self.div(other)?.trunc())?)
    }

    /// The number with the other sign.
    #[must_use]
    pub fn neg(&self) -> Self {
        if let Repr::Small(n) = self.0
            && let Some(negated) = n.checked_neg()
        {
            return Self(Repr::Small(negated));
        }
        let big = self.big();
        canonical(!big.negative, big.mantissa, big.exponent).expect("a sign does not change the magnitude")
    }

    /// The distance from zero.
    #[must_use]
    pub fn abs(&self) -> Self {
        if self.is_negative() { self.neg() } else { self.clone() }
    }

    /// The whole part: the fraction is cut off.
    #[must_use]
    pub fn trunc(&self) -> Self {
        match &self.0 {
            Repr::Big(b) if b.exponent < 0 => {
                canonical(b.negative, &b.mantissa >> shift(-b.exponent), 0).expect("the whole part is no larger")
            }
            _ => self.clone(),
        }
    }

    /// The largest whole number that is not above this one.
    #[must_use]
    pub fn floor(&self) -> Self {
        let whole = self.trunc();
        if self.is_negative() && !self.is_whole() {
            return whole.add(&Self::from(-1)).expect("a fraction has few digits before the point");
        }
        whole
    }

    /// The smallest whole number that is not below this one.
    #[must_use]
    pub fn ceil(&self) -> Self {
        self.neg().floor().neg()
    }
}

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
