//! Semantic versions (`github.com/blang/semver/v4`).

use std::cmp::Ordering;
use std::sync::Arc;

use super::super::meter::Meter;
use super::super::value::{Value, failure};
use super::{Answer, at_once, over_text};

/// A version; what was built is not compared.
#[derive(Debug, PartialEq, Eq)]
pub struct Version {
    numbers: [u64; 3],
    prerelease: Vec<Part>,
}

/// Numbers come before texts.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Number(u64),
    Text(String),
}

impl Version {
    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("Version string empty".to_owned());
        }
        let parts: Vec<&str> = text.splitn(3, '.').collect();
        let [major, minor, rest] = parts.as_slice() else {
            return Err("No Major.Minor.Patch elements found".to_owned());
        };
        let (rest, build) = rest.split_once('+').map_or((*rest, None), |(rest, build)| (rest, Some(build)));
        let (patch, prerelease) = rest.split_once('-').map_or((rest, None), |(patch, it)| (patch, Some(it)));
        let numbers = [number("Major", major)?, number("Minor", minor)?, number("Patch", patch)?];
        let prerelease = prerelease.map_or(Ok(Vec::new()), |it| it.split('.').map(part).collect())?;
        for build in build.into_iter().flat_map(|build| build.split('.')) {
            if build.is_empty() {
                return Err("Build meta data is empty".to_owned());
            }
            if !is_word(build) {
                return Err(format!("Invalid character(s) found in build meta data {build:?}"));
            }
        }
        Ok(Self { numbers, prerelease })
    }

    pub fn order(&self, other: &Self) -> Ordering {
        self.numbers.cmp(&other.numbers).then_with(|| match (self.prerelease.is_empty(), other.prerelease.is_empty()) {
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            _ => self.prerelease.cmp(&other.prerelease),
        })
    }
}

fn is_word(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

fn number(name: &str, text: &str) -> Result<u64, String> {
    if text.is_empty() || !text.chars().all(|c| c.is_ascii_digit()) {
        return Err(format!("Invalid character(s) found in {} number {text:?}", name.to_lowercase()));
    }
    if text.len() > 1 && text.starts_with('0') {
        return Err(format!("{name} number must not contain leading zeroes {text:?}"));
    }
    text.parse().map_err(|_| format!("strconv.ParseUint: parsing {text:?}: value out of range"))
}

fn part(text: &str) -> Result<Part, String> {
    if text.is_empty() {
        return Err("Prerelease is empty".to_owned());
    }
    if text.chars().all(|c| c.is_ascii_digit()) {
        if text.len() > 1 && text.starts_with('0') {
            return Err(format!("Numeric PreRelease version must not contain leading zeroes {text:?}"));
        }
        return text
            .parse()
            .map(Part::Number)
            .map_err(|_| format!("strconv.ParseUint: parsing {text:?}: value out of range"));
    }
    if is_word(text) {
        Ok(Part::Text(text.to_owned()))
    } else {
        Err(format!("Invalid character(s) found in prerelease {text:?}"))
    }
}

/// `v1.02` becomes `1.2.0`.
fn normalized(text: &str) -> Result<String, String> {
    let parts = text.strip_prefix('v').unwrap_or(text).splitn(3, '.');
    let mut parts: Vec<String> = parts
        .map(|part| {
            let trimmed = part.trim_start_matches('0');
            let begins = trimmed.starts_with(|c: char| c.is_ascii_digit());
            if part.len() <= 1 || begins { trimmed_or(part, trimmed) } else { format!("0{trimmed}") }
        })
        .collect();
    if parts.len() < 3 {
        if parts.last().is_some_and(|last| last.contains(['+', '-'])) {
            return Err("Short version cannot contain PreRelease/Build meta data".to_owned());
        }
        parts.resize(3, "0".to_owned());
    }
    Ok(parts.join("."))
}

fn trimmed_or(part: &str, trimmed: &str) -> String {
    if part.len() <= 1 { part.to_owned() } else { trimmed.to_owned() }
}

fn read(text: &str, is_tolerant: bool) -> Result<Version, String> {
    if is_tolerant { Version::parse(&normalized(text)?) } else { Version::parse(text) }
}

pub fn call<'a>(function: &str, arguments: &[Value<'a>], meter: &mut Meter) -> Answer<'a> {
    match (function, arguments) {
        ("semver", [Value::Text(text)]) => over_text(text, 1, meter, || value(text, false)),
        ("semver", [Value::Text(text), Value::Bool(is_tolerant)]) => {
            over_text(text, 1, meter, || value(text, *is_tolerant))
        }
        ("isSemver", [Value::Text(text)]) => over_text(text, 1, meter, || Ok(Value::Bool(read(text, false).is_ok()))),
        ("isSemver", [Value::Text(text), Value::Bool(is_tolerant)]) => {
            over_text(text, 1, meter, || Ok(Value::Bool(read(text, *is_tolerant).is_ok())))
        }
        (_, [Value::Semver(version)]) => {
            let place = ["major", "minor", "patch"].iter().position(|name| *name == function)?;
            let number = i64::try_from(version.numbers[place]).unwrap_or(i64::MAX);
            at_once(meter, || Ok(Value::Int(number)))
        }
        (_, [Value::Semver(one), Value::Semver(other)]) => {
            let order = one.order(other);
            let value = match function {
                "isGreaterThan" => Value::Bool(order.is_gt()),
                "isLessThan" => Value::Bool(order.is_lt()),
                "compareTo" => Value::Int(order as i64),
                _ => return None,
            };
            at_once(meter, || Ok(value))
        }
        _ => None,
    }
}

fn value<'a>(text: &str, is_tolerant: bool) -> super::super::value::Evaluated<'a> {
    read(text, is_tolerant).map(|version| Value::Semver(Arc::new(version))).map_err(failure)
}
