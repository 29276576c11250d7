//! Durations as Go and the format `duration` write them.

use std::sync::OnceLock;

use regex::Regex;

/// `1h30m`, `-1.5s`, as Go reads it (`time.ParseDuration`); in nanoseconds.
pub fn parse(text: &str) -> Option<i64> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if unsigned == "0" {
        return Some(0);
    }
    let mut nanos: i128 = 0;
    let mut rest = unsigned;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').filter(|end| *end > 0)?;
        let (number, after) = rest.split_at(end);
        let end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        nanos = nanos.checked_add(amount(number, unit_of(unit)?)?)?;
        rest = after;
    }
    i64::try_from(if text.starts_with('-') { -nanos } else { nanos }).ok()
}

fn unit_of(unit: &str) -> Option<i128> {
    Some(match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

/// A decimal number of units.
fn amount(number: &str, unit: i128) -> Option<i128> {
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && part.is_empty()) || part.contains('.') {
        return None;
    }
    let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let part = &part[..part.len().min(15)];
    let mut nanos = whole.checked_mul(unit)?;
    if !part.is_empty() {
        let scale = 10_i128.pow(u32::try_from(part.len()).ok()?);
        nanos = nanos.checked_add(part.parse::<i128>().ok()?.checked_mul(unit)? / scale)?;
    }
    Some(nanos)
}

/// What the format `duration` takes beside Go's form: `3 days`, `1 week` (`k8s.io/kube-openapi/pkg/validation/strfmt`).
pub fn of_format(text: &str) -> Option<i64> {
    static PARTS: OnceLock<Regex> = OnceLock::new();
    if let Some(nanos) = parse(text) {
        return Some(nanos);
    }
    let parts = PARTS.get_or_init(|| Regex::new(r"((\d+)\s*([A-Za-zµ]+))").expect("it is a constant"));
    let mut nanos: i128 = 0;
    let mut is_any = false;
    for part in parts.captures_iter(text) {
        let number: i128 = part[2].parse().ok()?;
        nanos = nanos.checked_add(number.checked_mul(word(&part[3].to_lowercase())?)?)?;
        is_any = true;
    }
    if is_any { i64::try_from(nanos).ok() } else { None }
}

fn word(unit: &str) -> Option<i128> {
    const DAY: i128 = 86_400_000_000_000;
    Some(match unit {
        "ns" | "nano" | "nanos" => 1,
        "us" | "µs" | "micro" | "micros" => 1_000,
        "ms" | "milli" | "millis" => 1_000_000,
        "s" | "sec" | "secs" | "second" | "seconds" => 1_000_000_000,
        "m" | "min" | "mins" | "minute" | "minutes" => 60_000_000_000,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600_000_000_000,
        "d" | "day" | "days" => DAY,
        "w" | "wk" | "week" | "weeks" => 7 * DAY,
        _ => return None,
    })
}

/// As CEL writes it: in seconds.
pub fn written(nanos: i64) -> String {
    let (whole, part) = (nanos.unsigned_abs() / 1_000_000_000, nanos.unsigned_abs() % 1_000_000_000);
    let sign = if nanos < 0 { "-" } else { "" };
    if part == 0 {
        return format!("{sign}{whole}s");
    }
    let part = format!("{part:09}");
    format!("{sign}{whole}.{}s", part.trim_end_matches('0'))
}

#[test]
fn durations_are_read_as_go_reads_them() {
    for (text, nanos) in [
        ("1h30m", Some(5_400_000_000_000)),
        ("-1.5s", Some(-1_500_000_000)),
        ("0", Some(0)),
        (".5ms", Some(500_000)),
        ("", None),
        ("1", None),
        ("h", None),
        ("1d", None),
        ("9999999h", None),
    ] {
        assert_eq!(parse(text), nanos, "{text}");
    }
    for (text, nanos) in [("3 days", Some(259_200_000_000_000)), ("1w", Some(604_800_000_000_000)), ("x", None)] {
        assert_eq!(of_format(text), nanos, "{text}");
    }
    assert_eq!(written(5_400_500_000_000), "5400.5s");
}
