//! Settings that an object carries beside its attributes: how long its operations may take.

use std::time::Duration;

use sgp_model::{Schema, Value, state::Operation};

/// How long an operation may take: `timeouts {}` of the object, else the schema's default; `None` when the type has none.
pub(crate) fn timeout(schema: &Schema, object: &Value, operation: Operation) -> Option<Duration> {
    let name = match operation {
        Operation::Create => "create",
        Operation::Update => "update",
        Operation::Delete => "delete",
    };
    let said = object.get("timeouts").and_then(|t| t.get(name)).and_then(Value::as_str).and_then(parse_duration);
    let default = schema.timeouts.iter().find(|(n, _)| *n == name).map(|(_, secs)| Duration::from_secs(*secs));
    said.or(default)
}

/// Reads a duration as Go writes it: `30m`, `1h10m`, `90s`, `1.5h`, `500ms`.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let unit = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        total += number
            * match &rest[..unit] {
                "h" => 3600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 1e-3,
                "us" | "µs" => 1e-6,
                "ns" => 1e-9,
                _ => return None,
            };
        rest = &rest[unit..];
    }
    Duration::try_from_secs_f64(total).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_as_go_writes_them() {
        let rows = [
            ("30m", Some(1800.0)),
            ("1h10m", Some(4200.0)),
            ("1.5h", Some(5400.0)),
            ("90s", Some(90.0)),
            ("500ms", Some(0.5)),
            ("", None),
            ("10", None),
            ("10x", None),
            ("m", None),
        ];
        for (text, secs) in rows {
            assert_eq!(parse_duration(text).map(|d| d.as_secs_f64()), secs, "{text}");
        }
    }
}
