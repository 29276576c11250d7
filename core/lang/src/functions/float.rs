//! Logarithms and powers of doubles to the last digit as Go computes them: `ceil(log(8, 2))` must not be 4 here and 3 there.
//! The logarithm is fdlibm's, powers come from squaring; a machine's own functions may end in another digit.

/// The natural logarithm.
pub(super) fn ln(x: f64) -> f64 {
    const LN2: (f64, f64) = (6.931_471_803_691_238e-1, 1.908_214_929_270_587_7e-10);
    if !(x.is_finite() && x > 0.0) {
        return x.ln();
    }
    let (mut fraction, mut exponent) = frexp(x);
    if fraction < std::f64::consts::FRAC_1_SQRT_2 {
        fraction *= 2.0;
        exponent -= 1;
    }
    let (f, k) = (fraction - 1.0, f64::from(exponent));
    let s = f / (2.0 + f);
    let (s2, s4) = (s * s, s * s * (s * s));
    let odd = s2
        * (6.666_666_666_666_735e-1
            + s4 * (2.857_142_874_366_239e-1 + s4 * (1.818_357_216_161_805e-1 + s4 * 1.479_819_860_511_658_6e-1)));
    let even = s4 * (3.999_999_999_940_942e-1 + s4 * (2.222_219_843_214_978_4e-1 + s4 * 1.531_383_769_920_937_3e-1));
    let half = 0.5 * f * f;
    k * LN2.0 - ((half - (s * (half + (odd + even)) + k * LN2.1)) - f)
}

/// A power.
pub(super) fn pow(x: f64, y: f64) -> f64 {
    let whole = y.abs().trunc();
    if x == 0.0 || !x.is_finite() || !y.is_finite() || whole >= 2f64.powi(31) || x < 0.0 && y.fract() != 0.0 {
        return x.powf(y);
    }
    #[allow(clippy::float_cmp, reason = "a half is a half")]
    if y.abs() == 0.5 {
        return if y > 0.0 { x.sqrt() } else { 1.0 / x.sqrt() };
    }
    let (mut rest, mut fraction) = (whole, y.abs().fract());
    let mut result = 1.0;
    if fraction != 0.0 {
        if fraction > 0.5 {
            fraction -= 1.0;
            rest += 1.0;
        }
        result = (fraction * ln(x)).exp();
    }
    let (mut square, mut exponent) = frexp(x);
    let mut scale = 0i64;
    let mut exponent_of_square = i64::from(exponent);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is whole and below 2^31")]
    let mut bits = rest as u64;
    while bits != 0 {
        // Beyond these the result is zero or infinite whatever follows.
        if !(-(1 << 12)..=1 << 12).contains(&exponent_of_square) {
            scale += exponent_of_square;
            break;
        }
        if bits & 1 == 1 {
            result *= square;
            scale += exponent_of_square;
        }
        square *= square;
        exponent_of_square <<= 1;
        if square < 0.5 {
            square += square;
            exponent_of_square -= 1;
        }
        bits >>= 1;
    }
    if y < 0.0 {
        result = 1.0 / result;
        scale = -scale;
    }
    (result, exponent) = frexp(result);
    scaled(result, scale + i64::from(exponent))
}

/// The number as a fraction from 0.5 to 1, with its sign, times a power of two.
fn frexp(x: f64) -> (f64, i32) {
    const FRACTION: u64 = (1 << 52) - 1;
    if x == 0.0 || !x.is_finite() {
        return (x, 0);
    }
    if x.abs() < f64::MIN_POSITIVE {
        let (fraction, exponent) = frexp(x * 2f64.powi(52));
        return (fraction, exponent - 52);
    }
    let bits = x.to_bits();
    let exponent = i32::try_from(bits >> 52 & 0x7ff).unwrap_or(0) - 1022;
    (f64::from_bits(bits & (FRACTION | 1 << 63) | 1022 << 52), exponent)
}

/// A fraction times a power of two, rounded once.
fn scaled(fraction: f64, exponent: i64) -> f64 {
    let exponent = i32::try_from(exponent.clamp(-5000, 5000)).unwrap_or(0);
    match exponent {
        ..-1073 => fraction * 2f64.powi(-1000) * 2f64.powi((exponent + 1000).max(-1000)),
        -1073..=-1022 => fraction * 2f64.powi(exponent + 1000) * 2f64.powi(-1000),
        _ => fraction * 2.0 * 2f64.powi(exponent - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::float_cmp, reason = "the last digit counts")]
    fn digits_are_gos() {
        assert_eq!(ln(3.0) / ln(255.0), 0.198_260_248_716_739_22);
        assert_eq!(pow(0.1, 16.0), 0.000_000_000_000_000_100_000_000_000_000_17);
        assert_eq!(pow(0.1, 64.0), 1.000_000_000_000_006_9e-64);
        for n in 1..1000 {
            assert_eq!(pow(2.0, f64::from(n)), 2f64.powi(n));
        }
        assert_eq!((pow(2.0, -1074.0), pow(2.0, 1024.0), pow(0.5, 2000.0)), (5e-324, f64::INFINITY, 0.0));
        assert_eq!((pow(9.0, 0.5), pow(-2.0, 3.0), pow(10.0, -2.0), pow(0.0, 0.0)), (3.0, -8.0, 0.01, 1.0));
    }
}
