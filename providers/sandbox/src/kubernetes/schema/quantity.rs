//! Amounts of resources (`500m`, `1Gi`), as Kubernetes writes them back (`k8s.io/apimachinery/pkg/api/resource`).

/// An amount in billionths. Kubernetes rounds smaller parts up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity {
    nanos: i128,
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Format {
    Decimal,
    Binary,
    Exponent,
}

const NANO: i128 = 1_000_000_000;

/// Kubernetes keeps amounts up to this many whole units.
const MAX: i128 = i64::MAX as i128 * NANO;

impl Quantity {
    /// Reads an amount; `None` when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
        let (number, suffix) = unsigned.split_at(end);
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && part.is_empty()) || part.contains('.') {
            return None;
        }
        let (format, base, exponent) = scale(suffix)?;
        let nanos = nanos(whole, part, base, exponent)?.min(MAX);
        Some(Self { nanos: if text.starts_with('-') { -nanos } else { nanos }, format })
    }

    /// In billionths.
    pub fn nanos(self) -> i128 {
        self.nanos
    }

    /// Whether it is less than nothing.
    pub fn is_negative(self) -> bool {
        self.nanos < 0
    }

    /// Whether it is a whole number of units.
    pub fn is_whole(self) -> bool {
        self.nanos % NANO == 0
    }

    /// The amount as it is written back: with the largest suffix that needs no fraction.
    pub fn canonical(self) -> String {
        let is_binary = self.format == Format::Binary && self.is_whole() && self.nanos.abs() >= 1024 * NANO;
        if is_binary { self.binary() } else { self.decimal() }
    }

    fn binary(self) -> String {
        let mut units = self.nanos / NANO;
        let mut power = 0;
        while power < 6 && units % 1024 == 0 {
            units /= 1024;
            power += 1;
        }
        let suffix = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"][power];
        format!("{units}{suffix}")
    }

    fn decimal(self) -> String {
        if self.nanos == 0 {
            return "0".to_owned();
        }
        let mut number = self.nanos;
        let mut power = 0;
        while power < 9 && number % 1000 == 0 {
            number /= 1000;
            power += 1;
        }
        if self.format == Format::Exponent {
            let exponent = (i32::try_from(power).unwrap_or(0) - 3) * 3;
            return if exponent == 0 { number.to_string() } else { format!("{number}e{exponent}") };
        }
        let suffix = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"][power];
        format!("{number}{suffix}")
    }
}

/// A suffix as format, base and exponent.
fn scale(suffix: &str) -> Option<(Format, u32, i32)> {
    let decimal = |exponent| Some((Format::Decimal, 10, exponent));
    let binary = |exponent| Some((Format::Binary, 2, exponent));
    match suffix {
        "n" => decimal(-9),
        "u" => decimal(-6),
        "m" => decimal(-3),
        "" => decimal(0),
        "k" => decimal(3),
        "M" => decimal(6),
        "G" => decimal(9),
        "T" => decimal(12),
        "P" => decimal(15),
        "E" => decimal(18),
        "Ki" => binary(10),
        "Mi" => binary(20),
        "Gi" => binary(30),
        "Ti" => binary(40),
        "Pi" => binary(50),
        "Ei" => binary(60),
        _ => {
            let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            Some((Format::Exponent, 10, exponent))
        }
    }
}

fn nanos(whole: &str, part: &str, base: u32, exponent: i32) -> Option<i128> {
    let digits = format!("{whole}{part}");
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Some(0);
    }
    // More digits than any amount has.
    let Ok(number) = digits.parse::<i128>() else { return Some(MAX) };
    let mut power = 9 - i32::try_from(part.len()).ok()?;
    let mut number = number;
    if base == 2 {
        number = number.checked_mul(1i128.checked_shl(exponent.unsigned_abs())?).unwrap_or(i128::MAX);
    } else {
        power += exponent;
    }
    while power > 0 && number < MAX {
        number = number.saturating_mul(10);
        power -= 1;
    }
    while power < 0 && number > 1 {
        number = (number + 9) / 10;
        power += 1;
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_back_canonically() {
        let rows = [
            ("0", "0"),
            ("1", "1"),
            ("0.5", "500m"),
            ("0.1", "100m"),
            ("100m", "100m"),
            ("1000m", "1"),
            ("1500m", "1500m"),
            ("1024Mi", "1Gi"),
            ("1Gi", "1Gi"),
            ("1.5Gi", "1536Mi"),
            ("512Ki", "512Ki"),
            ("1000Ki", "1000Ki"),
            ("0.5Ki", "512"),
            ("100Mi", "100Mi"),
            ("1000", "1k"),
            ("1500", "1500"),
            ("1000k", "1M"),
            ("128974848", "128974848"),
            ("129e6", "129e6"),
            ("1e3", "1e3"),
            ("12E3", "12e3"),
            ("129M", "129M"),
            ("0.0000000001", "1n"),
            ("-1500m", "-1500m"),
            ("+2", "2"),
            (".5", "500m"),
            ("5.", "5"),
            ("00010", "10"),
            ("10Ei", "9223372036854775807"),
            ("0Mi", "0"),
        ];
        for (text, canonical) in rows {
            assert_eq!(Quantity::parse(text).map(Quantity::canonical).as_deref(), Some(canonical), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in ["", "x", "1x", "1.2.3", "1 Gi", "Gi", "1KI", "1K", "--1", "1e", ".", "1mi"] {
            assert_eq!(Quantity::parse(text), None, "{text}");
        }
    }
}
