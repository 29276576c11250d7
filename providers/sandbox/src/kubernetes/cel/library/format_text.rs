//! `format` and `quote` (cel-go's `ext/formatting.go`), and how numbers are written.

use std::fmt::Write;

use super::super::compare;
use super::super::meter::Meter;
use super::super::types::Type;
use super::super::value::{Failure, Value, failure};
use super::convert;

/// Fills in a template: `%s`, `%d`, `%.2f`, `%e`, `%b`, `%x`, `%X`, `%o`.
pub fn format(template: &str, values: &[Value<'_>], meter: &mut Meter) -> Result<String, Failure> {
    let mut text = String::new();
    let mut values = values.iter().enumerate();
    let mut next_index = 0;
    let mut letters = template.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            text.push(letter);
            continue;
        }
        if letters.next_if_eq(&'%').is_some() {
            text.push('%');
            continue;
        }
        let (index, value) = values.next().ok_or_else(|| failure(format!("index {next_index} out of range")))?;
        next_index = index + 1;
        let precision = precision(&mut letters)?;
        let clause = letters.next().ok_or_else(|| failure("unexpected end of string"))?;
        meter.step(precision.unwrap_or(0))?;
        text.push_str(&self::clause(clause, precision.unwrap_or(6), value, meter)?);
    }
    Ok(text)
}

/// Whether a template can be filled in with values of these types; the index of the one that it cannot take.
pub fn check(template: &str, types: &[Option<Type<'_>>]) -> Result<(), (Option<usize>, String)> {
    let mut letters = template.chars().peekable();
    let mut count = 0;
    while let Some(letter) = letters.next() {
        if letter != '%' || letters.next_if_eq(&'%').is_some() {
            continue;
        }
        let of = types.get(count).ok_or_else(|| (None, format!("index {count} out of range")))?;
        precision(&mut letters).map_err(|why| (None, why.to_string()))?;
        let clause = letters.next().ok_or_else(|| (None, "unexpected end of string".to_owned()))?;
        let Some(what) = wanted(clause) else { return Err((None, unknown(clause))) };
        if let Some(of) = of
            && !takes(clause, of)
        {
            return Err((Some(count), format!("error during formatting: {what}, was given {of}")));
        }
        count += 1;
    }
    if types.len() > count {
        let given = types.len();
        return Err((None, format!("too many arguments supplied to string.format (expected {count}, got {given})")));
    }
    Ok(())
}

/// What a clause takes, in words.
fn wanted(clause: char) -> Option<&'static str> {
    Some(match clause {
        's' => {
            "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps"
        }
        'd' => "decimal clause can only be used on integers",
        'f' => "fixed-point clause can only be used on doubles",
        'e' => "scientific clause can only be used on doubles",
        'b' => "only integers and bools can be formatted as binary",
        'x' | 'X' => "only integers, byte buffers, and strings can be formatted as hex",
        'o' => "octal clause can only be used on integers",
        _ => return None,
    })
}

fn takes(clause: char, of: &Type<'_>) -> bool {
    match of {
        Type::Dyn | Type::Error | Type::Variable(_) => true,
        Type::Int | Type::Uint => matches!(clause, 's' | 'd' | 'b' | 'x' | 'X' | 'o'),
        Type::Double => matches!(clause, 's' | 'f' | 'e'),
        Type::Bool => matches!(clause, 's' | 'b'),
        Type::Text | Type::Bytes => matches!(clause, 's' | 'x' | 'X'),
        Type::Named(..) => false,
        _ => clause == 's',
    }
}

fn unknown(clause: char) -> String {
    format!("could not parse formatting clause: unrecognized formatting clause \"{clause}\"")
}

/// How many digits a number may be asked for.
const MAX_PRECISION: usize = 1000;

fn precision(letters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<Option<usize>, Failure> {
    if letters.next_if_eq(&'.').is_none() {
        return Ok(None);
    }
    let mut digits = String::new();
    while let Some(digit) = letters.next_if(char::is_ascii_digit) {
        digits.push(digit);
    }
    let number = digits.parse().ok().filter(|number| *number <= MAX_PRECISION);
    number
        .map(Some)
        .ok_or_else(|| failure(format!("could not parse formatting clause: error while parsing precision: {digits:?}")))
}

fn clause(clause: char, precision: usize, value: &Value<'_>, meter: &mut Meter) -> Result<String, Failure> {
    let Some(what) = wanted(clause) else { return Err(failure(unknown(clause))) };
    Ok(match (clause, value) {
        ('s', value) => return shown(value, meter),
        ('d', Value::Int(number)) => number.to_string(),
        ('d', Value::Uint(number)) => number.to_string(),
        ('f', Value::Double(number)) => grouped(*number, precision),
        ('e', Value::Double(number)) => raised(*number),
        ('b', Value::Int(number)) => signed(*number, format!("{:b}", number.unsigned_abs())),
        ('b', Value::Uint(number)) => format!("{number:b}"),
        ('b', Value::Bool(value)) => u8::from(*value).to_string(),
        ('x' | 'X', value) if let Some(text) = hexadecimal(value) => {
            if clause == 'X' {
                text.to_uppercase()
            } else {
                text
            }
        }
        ('o', Value::Int(number)) => signed(*number, format!("{:o}", number.unsigned_abs())),
        ('o', Value::Uint(number)) => format!("{number:o}"),
        _ => return Err(failure(format!("error during formatting: {what}, was given {}", value.type_name()))),
    })
}

fn signed(number: i64, digits: String) -> String {
    if number < 0 { format!("-{digits}") } else { digits }
}

fn hexadecimal(value: &Value<'_>) -> Option<String> {
    let bytes = |bytes: &[u8]| {
        bytes.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    };
    Some(match value {
        Value::Int(number) => signed(*number, format!("{:x}", number.unsigned_abs())),
        Value::Uint(number) => format!("{number:x}"),
        Value::Text(text) => bytes(text.as_bytes()),
        Value::Bytes(content) => bytes(content),
        _ => return None,
    })
}

/// A value within a text.
fn shown(value: &Value<'_>, meter: &mut Meter) -> Result<String, Failure> {
    meter.step(1)?;
    super::super::deeper(|| shown_value(value, meter))
}

fn shown_value(value: &Value<'_>, meter: &mut Meter) -> Result<String, Failure> {
    match value {
        Value::Null => Ok("null".to_owned()),
        Value::List(list) => {
            let mut parts = Vec::new();
            for item in list.iter() {
                parts.push(inner(&item?, meter)?);
            }
            Ok(format!("[{}]", parts.join(", ")))
        }
        Value::Map(_) | Value::Object(_) => {
            let mut parts = Vec::new();
            for key in compare::keys(value) {
                let Some(of) = compare::entry(value, &key) else { continue };
                parts.push(format!("{}:{}", inner(&key, meter)?, inner(&of?, meter)?));
            }
            parts.sort();
            Ok(format!("{{{}}}", parts.join(", ")))
        }
        value => match convert::to_text(value)? {
            Some(text) => {
                meter.step(text.len())?;
                Ok(text)
            }
            None => {
                let what = wanted('s').unwrap_or("");
                Err(failure(format!("error during formatting: {what}, was given {}", value.type_name())))
            }
        },
    }
}

/// A value within a list or map, as one would write it.
fn inner(value: &Value<'_>, meter: &mut Meter) -> Result<String, Failure> {
    let text = shown(value, meter)?;
    Ok(match value {
        Value::Text(_) => go_quoted(&text),
        Value::Bytes(_) => format!("b{}", go_quoted(&text)),
        Value::Timestamp(_) => format!("timestamp({})", go_quoted(&text)),
        Value::Duration(_) => format!("duration({})", go_quoted(&text)),
        Value::Double(number) => format!("{number:.6}"),
        _ => text,
    })
}

/// As Go's `%q` writes it.
pub fn go_quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// `strings.quote`: what it answers is a literal.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{b}' => quoted.push_str("\\v"),
            '\\' => quoted.push_str("\\\\"),
            '"' => quoted.push_str("\\\""),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// `1,234.50`: Go writes it for English readers.
fn grouped(number: f64, precision: usize) -> String {
    if !number.is_finite() {
        return special(number).trim_start_matches('+').replace("Inf", "∞");
    }
    let text = format!("{number:.precision$}");
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("-", digits));
    let (whole, part) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{sign}{grouped}{part}")
}

/// `1.500000×10⁰³`: as it is printed, and always with six digits.
fn raised(number: f64) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    if !number.is_finite() {
        return special(number).trim_start_matches('+').replace("Inf", "∞");
    }
    let text = format!("{number:.6e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(("", exponent), |exponent| ("⁻", exponent));
    let raised = format!("{exponent:0>2}")
        .chars()
        .filter_map(|it| it.to_digit(10))
        .map(|it| DIGITS[it as usize])
        .collect::<String>();
    format!("{digits}×10{sign}{raised}")
}

fn special(number: f64) -> &'static str {
    if number.is_nan() {
        "NaN"
    } else if number > 0.0 {
        "+Inf"
    } else {
        "-Inf"
    }
}

/// A number as Go writes it in its shortest form: `1.5`, `1e+06`.
pub fn shortest(number: f64) -> String {
    if !number.is_finite() {
        return special(number).to_owned();
    }
    let text = format!("{number:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let power: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&power) {
        return number.to_string();
    }
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
    format!("{digits}e{sign}{exponent:0>2}")
}
