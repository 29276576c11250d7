//! Texts and regular expressions. Places are counted in characters.

use super::super::meter::Meter;
use super::super::value::{Evaluated, Failure, List, Value, failure};
use super::{Answer, at_once, format_text, over_text};

pub fn call<'a>(function: &str, arguments: &[Value<'a>], meter: &mut Meter) -> Answer<'a> {
    match arguments {
        [Value::Text(text)] => alone(function, text, meter),
        [Value::Text(text), Value::Text(other)] => with_text(function, text, other, meter),
        [Value::Text(text), Value::Int(place)] => match function {
            "charAt" => at_once(meter, || char_at(text, *place)),
            "substring" => over_text(text, 1, meter, || substring(text, *place, None)),
            _ => None,
        },
        [Value::Text(text), Value::Int(start), Value::Int(end)] if function == "substring" => {
            over_text(text, 1, meter, || substring(text, *start, Some(*end)))
        }
        [Value::Text(text), Value::Text(other), Value::Int(number)] => match function {
            "indexOf" => over_text(text, 1, meter, || index_of(text, other, *number)),
            "lastIndexOf" => over_text(text, 1, meter, || last_index_of(text, other, Some(*number))),
            "split" => over_text(text, 2, meter, || split(text, other, *number)),
            "findAll" => Some(find_all(text, other, *number, meter)),
            _ => None,
        },
        [Value::Text(text), Value::Text(old), Value::Text(new)] if function == "replace" => {
            Some(replace(text, old, new, -1, meter))
        }
        [Value::Text(text), Value::Text(old), Value::Text(new), Value::Int(count)] if function == "replace" => {
            Some(replace(text, old, new, *count, meter))
        }
        [Value::Text(text), Value::List(values)] if function == "format" => Some(formatted(text, values, meter)),
        [Value::List(items)] if function == "join" => Some(join(items, "", meter)),
        [Value::List(items), Value::Text(between)] if function == "join" => Some(join(items, between, meter)),
        _ => None,
    }
}

fn alone<'a>(function: &str, text: &str, meter: &mut Meter) -> Answer<'a> {
    match function {
        "lowerAscii" => over_text(text, 1, meter, || Ok(Value::text(text.to_ascii_lowercase()))),
        "upperAscii" => over_text(text, 1, meter, || Ok(Value::text(text.to_ascii_uppercase()))),
        "trim" => over_text(text, 1, meter, || Ok(Value::text(text.trim()))),
        "strings.quote" => over_text(text, 1, meter, || Ok(Value::text(format_text::quoted(text)))),
        _ => None,
    }
}

fn with_text<'a>(function: &str, text: &str, other: &str, meter: &mut Meter) -> Answer<'a> {
    match function {
        "startsWith" => over_text(text, 1, meter, || Ok(Value::Bool(text.starts_with(other)))),
        "endsWith" => over_text(text, 1, meter, || Ok(Value::Bool(text.ends_with(other)))),
        "contains" => Some(contains(text, other, meter)),
        "indexOf" => over_text(text, 1, meter, || index_of(text, other, 0)),
        "lastIndexOf" => over_text(text, 1, meter, || last_index_of(text, other, None)),
        "split" => over_text(text, 2, meter, || split(text, other, -1)),
        "matches" => Some(matched(text, other, meter, |regex| Value::Bool(regex.is_match(text)))),
        "find" => Some(
            matched(text, other, meter, |regex| Value::text(regex.find(text).map_or("", |found| found.as_str())))
                .map_err(illegal),
        ),
        "findAll" => Some(find_all(text, other, -1, meter)),
        _ => None,
    }
}

fn contains<'a>(text: &str, other: &str, meter: &mut Meter) -> Evaluated<'a> {
    let cost = |text: &str| u64::try_from(text.chars().count()).unwrap_or(u64::MAX).div_ceil(10);
    meter.charge(cost(text).saturating_mul(cost(other)))?;
    Ok(Value::Bool(text.contains(other)))
}

fn matched<'a>(
    text: &str,
    expression: &str,
    meter: &mut Meter,
    answer: impl FnOnce(&regex::Regex) -> Value<'a>,
) -> Evaluated<'a> {
    meter.charge_regex(text.chars().count(), expression.chars().count())?;
    meter.regex(expression).map(answer)
}

fn find_all<'a>(text: &str, expression: &str, count: i64, meter: &mut Meter) -> Evaluated<'a> {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    matched(text, expression, meter, |regex| {
        Value::list(regex.find_iter(text).take(count).map(|found| Value::text(found.as_str())).collect())
    })
    .map_err(illegal)
}

fn illegal(why: Failure) -> Failure {
    match why {
        Failure::Other(message) => failure(format!("Illegal regex: {message}")),
        other => other,
    }
}

fn out_of_range(place: i64) -> Failure {
    failure(format!("index out of range: {place}"))
}

/// A place in a text of this length.
fn place(index: i64, length: usize) -> Result<usize, Failure> {
    usize::try_from(index).ok().filter(|index| *index <= length).ok_or_else(|| out_of_range(index))
}

fn char_at<'a>(text: &str, index: i64) -> Evaluated<'a> {
    let at = place(index, text.chars().count())?;
    Ok(Value::text(text.chars().nth(at).map(String::from).unwrap_or_default()))
}

fn substring<'a>(text: &str, start: i64, end: Option<i64>) -> Evaluated<'a> {
    let letters: Vec<char> = text.chars().collect();
    if let Some(end) = end
        && start > end
    {
        return Err(failure(format!("invalid substring range. start: {start}, end: {end}")));
    }
    let start = place(start, letters.len())?;
    let end = end.map_or(Ok(letters.len()), |end| place(end, letters.len()))?;
    Ok(Value::text(letters[start..end].iter().collect::<String>()))
}

fn index_of<'a>(text: &str, wanted: &str, offset: i64) -> Evaluated<'a> {
    if wanted.is_empty() {
        return Ok(Value::Int(offset));
    }
    let skipped = usize::try_from(offset).map_err(|_| out_of_range(offset))?;
    let Some(start) = text.char_indices().map(|(at, _)| at).nth(skipped) else { return Ok(Value::Int(-1)) };
    let found = text[start..].find(wanted).map(|at| skipped + text[start..start + at].chars().count());
    Ok(found.map_or(Value::Int(-1), Value::int))
}

fn last_index_of<'a>(text: &str, wanted: &str, offset: Option<i64>) -> Evaluated<'a> {
    let length = text.chars().count();
    if wanted.is_empty() {
        return Ok(offset.map_or_else(|| Value::int(length), Value::Int));
    }
    let last = match offset {
        None => length,
        Some(offset) => usize::try_from(offset).map_err(|_| out_of_range(offset))?,
    };
    if offset.is_some() && last >= length {
        return Ok(Value::Int(-1));
    }
    // A match may begin up to the offset, and so end up to this place.
    let end = last.saturating_add(wanted.chars().count());
    let end = text.char_indices().map(|(at, _)| at).nth(end).unwrap_or(text.len());
    let found = text[..end].rfind(wanted).map(|at| text[..at].chars().count());
    Ok(found.map_or(Value::Int(-1), Value::int))
}

fn split<'a>(text: &str, separator: &str, count: i64) -> Evaluated<'a> {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    if count == 0 {
        return Ok(Value::list(Vec::new()));
    }
    let parts: Vec<&str> =
        if separator.is_empty() { letters(text, count) } else { text.splitn(count, separator).collect() };
    Ok(Value::list(parts.into_iter().map(Value::text).collect()))
}

/// The letters of a text, the last part taking what is left.
fn letters(text: &str, count: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        if parts.len() + 1 == count {
            parts.push(rest);
            break;
        }
        let (first, others) = rest.split_at(letter.len_utf8());
        parts.push(first);
        rest = others;
    }
    parts
}

fn replace<'a>(text: &str, old: &str, new: &str, count: i64, meter: &mut Meter) -> Evaluated<'a> {
    meter.charge_text(text.chars().count(), 2)?;
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    // What it becomes may be far longer than what it was.
    let places = if old.is_empty() { text.len() + 1 } else { text.matches(old).count() };
    meter.step(places.min(count).saturating_mul(new.len()))?;
    Ok(Value::text(text.replacen(old, new, count)))
}

fn join<'a>(items: &List<'a>, between: &str, meter: &mut Meter) -> Evaluated<'a> {
    let mut parts = Vec::with_capacity(items.len());
    for item in items.iter() {
        match item? {
            Value::Text(text) => parts.push(text),
            other => return Err(failure(format!("join: invalid input: {}", other.shown()))),
        }
    }
    let size = parts.iter().map(|part| part.len()).sum::<usize>();
    let size = size.saturating_add(between.len().saturating_mul(parts.len().saturating_sub(1)));
    meter.charge_text(size, 2)?;
    Ok(Value::text(parts.join(between)))
}

fn formatted<'a>(text: &str, values: &List<'a>, meter: &mut Meter) -> Evaluated<'a> {
    meter.charge_text(text.chars().count(), 1)?;
    format_text::format(text, &values.values()?, meter).map(Value::text)
}
