//! Durations as the `time` provider takes them: `30s`, `1.5h`.

use std::time::Duration;

/// A number immediately followed by `ms`, `s`, `m` or `h`; `None` for anything else.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let unit = text.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
    let (number, unit) = text.split_at(unit);
    let seconds = match unit {
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let is_number = [whole, fraction].iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    let number: f64 = number.parse().ok().filter(|_| is_number)?;
    Duration::try_from_secs_f64(number * seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, expected) in [
            ("30s", Some(30.0)),
            ("1.5h", Some(5400.0)),
            ("250ms", Some(0.25)),
            ("5m", Some(300.0)),
            ("0s", Some(0.0)),
            ("30", None),
            ("s", None),
            ("1h30m", None),
            ("-1s", None),
            ("1.s", None),
            (".5s", None),
            ("1.2.3s", None),
            ("1 s", None),
            ("", None),
            ("99999999999999999999999h", None),
        ] {
            assert_eq!(parse(text).map(|d| d.as_secs_f64()), expected, "{text:?}");
        }
    }
}
