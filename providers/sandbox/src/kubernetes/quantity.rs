//! Quantities as Kubernetes writes them: `250m`, `1Gi`, `2`.

use serde_json::Value;

/// A quantity in thousandths, rounded up; `None` when it is none.
pub fn milli(quantity: &Value) -> Option<i64> {
    let text = match quantity {
        Value::String(text) => text.as_str(),
        Value::Number(number) => return number.as_i64().map(|whole| whole.saturating_mul(1000)),
        _ => return None,
    };
    let digits = text.find(|letter: char| !matches!(letter, '0'..='9' | '.' | '-' | '+')).unwrap_or(text.len());
    let (number, suffix) = text.split_at(digits);
    let (up, down): (i128, i128) = match suffix {
        "n" => (1, 1_000_000),
        "u" => (1, 1_000),
        "m" => (1, 1),
        "" => (1_000, 1),
        "k" => (1_000_000, 1),
        "M" => (1_000_000_000, 1),
        "G" => (1_000_000_000_000, 1),
        "T" => (1_000_000_000_000_000, 1),
        "P" => (1_000_000_000_000_000_000, 1),
        "Ki" => (1_000 << 10, 1),
        "Mi" => (1_000 << 20, 1),
        "Gi" => (1_000 << 30, 1),
        "Ti" => (1_000 << 40, 1),
        "Pi" => (1_000 << 50, 1),
        exponent => (1_000 * 10_i128.checked_pow(exponent.strip_prefix(['e', 'E'])?.parse().ok()?)?, 1),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let scale = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let unscaled: i128 = format!("{whole}{fraction}").parse().ok()?;
    let divisor = scale * down;
    let product = unscaled.checked_mul(up)?;
    let rounded = product / divisor + i128::from(product % divisor > 0);
    i64::try_from(rounded).ok()
}

/// A quantity in whole units, rounded up.
pub fn whole(quantity: &Value) -> Option<i64> {
    if let Value::String(text) = quantity
        && let Ok(number) = text.parse()
    {
        return Some(number);
    }
    milli(quantity).map(|milli| milli.div_euclid(1000) + i64::from(milli.rem_euclid(1000) > 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn quantities() {
        for (quantity, expected) in [
            (json!("250m"), Some(250)),
            (json!("1"), Some(1_000)),
            (json!(2), Some(2_000)),
            (json!("0.5"), Some(500)),
            (json!("1.5Gi"), Some(1_610_612_736_000)),
            (json!("1e3"), Some(1_000_000)),
            (json!("100n"), Some(1)),
            (json!("x"), None),
            (json!(null), None),
        ] {
            assert_eq!(milli(&quantity), expected, "{quantity}");
        }
        assert_eq!(whole(&json!("170Mi")), Some(178_257_920));
        assert_eq!(whole(&json!("1500m")), Some(2));
    }
}
