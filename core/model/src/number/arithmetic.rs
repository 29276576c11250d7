//! Exact operations on mantissas and one rounding at the end of each.

use std::{cmp::Ordering, sync::Arc};

use dashu_base::BitTest;
use dashu_int::UBig;

use super::{Arithmetic, ArithmeticError, Big, EXPONENT_LIMIT, Number, PRECISION, Repr};

impl Big {
    pub(super) fn from_i64(n: i64) -> Self {
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

pub(super) fn shift(by: i64) -> usize {
    usize::try_from(by).expect("shifts are differences that were ordered first and stay within the exponent limit")
}

/// Both mantissas at the lower of the two exponents, and that exponent.
fn aligned(a: &Big, b: &Big) -> (UBig, UBig, i64) {
    let low = a.exponent.min(b.exponent);
    (&a.mantissa << shift(a.exponent - low), &b.mantissa << shift(b.exponent - low), low)
}

/// Rounds half to even to the precision. `sticky` says that the exact mantissa is a little larger than the one given,
/// which then must have more than [`PRECISION`] + 1 bits.
pub(super) fn rounded(negative: bool, mut mantissa: UBig, mut exponent: i64, sticky: bool) -> Arithmetic {
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
pub(super) fn canonical(negative: bool, mut mantissa: UBig, mut exponent: i64) -> Arithmetic {
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
pub(super) fn quotient(negative: bool, numerator: &UBig, denominator: &UBig, exponent: i64) -> Arithmetic {
    // Two bits beyond the precision and the remainder decide every rounding.
    let extra = (PRECISION + 2 + denominator.bit_len()).saturating_sub(numerator.bit_len());
    let scaled = numerator << extra;
    let whole = &scaled / denominator;
    let sticky = &whole * denominator != scaled;
    rounded(negative, whole, exponent - i64::try_from(extra).unwrap_or(i64::MAX), sticky)
}

/// Arithmetic. Results are rounded half to even to 512 bits.
impl Number {
    pub(super) fn big(&self) -> Big {
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
