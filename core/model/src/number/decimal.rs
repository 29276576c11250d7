//! Decimal digits of binary numbers: exact, rounded, and the shortest that identify a number.

use std::fmt;

use dashu_base::BitTest;
use dashu_int::UBig;

use super::PRECISION;

/// `0.d₁d₂d₃… · 10^point`, without zeros at either end of the digits; zero has no digits.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Decimal {
    digits: Vec<u8>,
    pub(super) point: i64,
}

/// Sign, digits without the point, and the power of ten they are scaled by; `None` when the text is not a number.
pub(super) fn read(text: &str) -> Option<(bool, UBig, i64)> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (rest, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let scale = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?;
    Some((negative, UBig::from_str_radix(&digits, 10).ok()?, scale))
}

impl Decimal {
    /// All digits of `mantissa · 2^exponent`.
    pub(super) fn exact(mantissa: &UBig, exponent: i64) -> Self {
        let power = usize::try_from(exponent.unsigned_abs()).unwrap_or(usize::MAX);
        if exponent >= 0 {
            Self::from_digits(&(mantissa << power), 0)
        } else {
            // m / 2^k = m · 5^k / 10^k
            Self::from_digits(&(mantissa * UBig::from(5u8).pow(power)), exponent)
        }
    }

    fn from_digits(whole: &UBig, scale: i64) -> Self {
        let digits: Vec<u8> = whole.to_string().bytes().map(|b| b - b'0').collect();
        let point = i64::try_from(digits.len()).unwrap_or(i64::MAX) + scale;
        Self { digits, point }.trimmed()
    }

    fn trimmed(mut self) -> Self {
        while self.digits.last() == Some(&0) {
            self.digits.pop();
        }
        if self.digits.is_empty() {
            self.point = 0;
        }
        self
    }

    /// The fewest digits that lie closer to `mantissa · 2^exponent` than to any other number of [`PRECISION`] bits.
    pub(super) fn shortest(mantissa: &UBig, exponent: i64) -> Self {
        let exact = Self::exact(mantissa, exponent);
        // With one bit more than the precision, one is half of the last place.
        let widen = (PRECISION + 1).saturating_sub(mantissa.bit_len());
        let wide = mantissa << widen;
        let exponent = exponent - i64::try_from(widen).unwrap_or(i64::MAX);
        let lower = Self::exact(&(&wide - UBig::ONE), exponent);
        let upper = Self::exact(&(&wide + UBig::ONE), exponent);
        // A bound itself rounds to the even neighbour.
        let inclusive = !wide.bit(1);
        for (i, &digit) in exact.digits.iter().enumerate() {
            let (low, high) = (lower.digit(i), upper.digit(i));
            let down = low != digit || (inclusive && i + 1 == lower.digits.len());
            let up = digit != high && (inclusive || digit + 1 < high || i + 1 < upper.digits.len());
            match (down, up) {
                (true, true) => return exact.rounded_to(i + 1),
                (true, false) => return exact.cut(i + 1),
                (false, true) => return exact.cut_up(i + 1),
                (false, false) => {}
            }
        }
        exact
    }

    fn digit(&self, place: usize) -> u8 {
        self.digits.get(place).copied().unwrap_or(0)
    }

    fn cut(&self, places: usize) -> Self {
        let digits = self.digits[..places.min(self.digits.len())].to_vec();
        Self { digits, point: self.point }.trimmed()
    }

    /// The first so many places, with one more in the last of them.
    fn cut_up(&self, places: usize) -> Self {
        let mut digits = self.digits[..places.min(self.digits.len())].to_vec();
        while digits.last() == Some(&9) {
            digits.pop();
        }
        if let Some(last) = digits.last_mut() {
            *last += 1;
            Self { digits, point: self.point }
        } else {
            Self { digits: vec![1], point: self.point + 1 }
        }
    }

    /// Rounds half to even to so many significant digits.
    pub(super) fn rounded_to(&self, places: usize) -> Self {
        if places >= self.digits.len() {
            return self.clone();
        }
        let next = self.digits[places];
        let exactly_half = next == 5 && places + 1 == self.digits.len();
        let up = if exactly_half { places > 0 && self.digits[places - 1] % 2 == 1 } else { next >= 5 };
        if up { self.cut_up(places) } else { self.cut(places) }
    }

    /// Rounds half to even to so many digits after the point.
    pub(super) fn rounded_to_fraction(&self, digits: usize) -> Self {
        match usize::try_from(self.point + i64::try_from(digits).unwrap_or(i64::MAX - self.point.max(0))) {
            Ok(places) => self.rounded_to(places),
            Err(_) => Self { digits: Vec::new(), point: 0 },
        }
    }

    /// Text with exactly so many digits after the point; the value already has no more.
    pub(super) fn to_fixed(&self, fraction: usize) -> String {
        let mut text = self.to_string();
        if fraction > 0 {
            let have = text.find('.').map_or(0, |dot| text.len() - dot - 1);
            if have == 0 {
                text.push('.');
            }
            text.extend(std::iter::repeat_n('0', fraction.saturating_sub(have)));
        }
        text
    }

    /// `d.ddde±dd`, with so many digits after the point or as many as there are.
    pub(super) fn to_scientific(&self, fraction: Option<usize>, mark: char) -> String {
        let exponent = if self.digits.is_empty() { 0 } else { self.point - 1 };
        let mut text = String::from(char::from(b'0' + self.digit(0)));
        let places = fraction.unwrap_or(self.digits.len().saturating_sub(1));
        if places > 0 {
            text.push('.');
            text.extend((1..=places).map(|i| char::from(b'0' + self.digit(i))));
        }
        let sign = if exponent < 0 { '-' } else { '+' };
        text + &format!("{mark}{sign}{:02}", exponent.unsigned_abs())
    }
}

/// Plain notation, no exponent.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: String = self.digits.iter().map(|d| char::from(b'0' + d)).collect();
        let zeros = |n: i64| "0".repeat(usize::try_from(n).unwrap_or(0));
        let length = i64::try_from(text.len()).unwrap_or(i64::MAX);
        if text.is_empty() {
            f.write_str("0")
        } else if self.point <= 0 {
            write!(f, "0.{}{text}", zeros(-self.point))
        } else if self.point >= length {
            write!(f, "{text}{}", zeros(self.point - length))
        } else {
            let (whole, fraction) = text.split_at(usize::try_from(self.point).unwrap_or(0));
            write!(f, "{whole}.{fraction}")
        }
    }
}
