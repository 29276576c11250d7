//! Dates and times, as RFC 3339 text.

use std::cmp::Ordering;

use jiff::{
    SignedDuration,
    civil::{DateTime, Weekday},
};
use sgp_model::{Number, Type, Value};

use super::spec::{Args, Fail, Function, Outcome, Ty, arg_error, error, param, text, unknown_of};

pub(super) const TABLE: &[Function] = &[
    Function {
        name: "formatdate",
        params: &[param("format", Ty::String), param("time", Ty::String)],
        rest: None,
        returns: Ty::String,
        run: |a| format_date(a.str(0), moment(a, 1)?),
    },
    Function {
        name: "plantimestamp",
        params: &[],
        rest: None,
        returns: Ty::String,
        run: |a| Ok(a.cx.plan_timestamp.map_or_else(|| unknown_of(Type::String), Value::from)),
    },
    Function {
        name: "timeadd",
        params: &[param("timestamp", Ty::String), param("duration", Ty::String)],
        rest: None,
        returns: Ty::String,
        run: time_add,
    },
    Function {
        name: "timecmp",
        params: &[param("timestamp_a", Ty::String), param("timestamp_b", Ty::String)],
        rest: None,
        returns: Ty::Number,
        run: |a| {
            Ok(Value::int(match moment(a, 0)?.utc().cmp(&moment(a, 1)?.utc()) {
                Ordering::Less => -1,
                Ordering::Equal => 0,
                Ordering::Greater => 1,
            }))
        },
    },
    Function {
        name: "timestamp",
        params: &[],
        rest: None,
        returns: Ty::String,
        run: |a| Ok(a.cx.impure.map_or_else(|| unknown_of(Type::String), |i| i.timestamp.into())),
    },
];

/// A moment as it was written: local time and seconds east of UTC.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Moment {
    local: DateTime,
    offset: i32,
}

impl Moment {
    /// Nanoseconds since year zero, in UTC.
    fn utc(self) -> i128 {
        let since = self.local.duration_since(DateTime::ZERO).as_nanos();
        since - i128::from(self.offset) * 1_000_000_000
    }

    fn offset_text(self, colon: &str) -> String {
        let minutes = self.offset.unsigned_abs() / 60;
        let sign = if self.offset < 0 { '-' } else { '+' };
        format!("{sign}{:02}{colon}{:02}", minutes / 60, minutes % 60)
    }

    /// Seconds are the finest unit.
    fn rfc3339(self) -> String {
        let zone = if self.offset == 0 { "Z".to_owned() } else { self.offset_text(":") };
        format!("{}{zone}", self.local.strftime("%Y-%m-%dT%H:%M:%S"))
    }
}

fn moment(a: &Args, place: usize) -> Result<Moment, Fail> {
    parse(a.str(place)).map_err(|reason| arg_error(place, format!("not a valid RFC3339 timestamp: {reason}")))
}

/// Reads the fields one by one, so that the reason can name the one that is wrong.
struct Cursor<'a>(&'a str);

impl Cursor<'_> {
    fn number(&mut self, digits: usize, what: &str) -> Result<u32, String> {
        let found = self.0.bytes().take_while(u8::is_ascii_digit).count();
        if found != digits {
            let end = self.0.find(['-', ':', 'T', 'Z', '+', '.']).filter(|i| *i > 0).unwrap_or(self.0.len());
            return Err(match &self.0[..end] {
                "" => format!("end of string before {what}"),
                bad => format!("cannot use {bad:?} as {what}"),
            });
        }
        let (number, rest) = self.0.split_at(digits);
        self.0 = rest;
        number.parse().map_err(|_| format!("cannot use {number:?} as {what}"))
    }

    fn symbol(&mut self, symbol: char) -> Result<(), String> {
        self.0 = self.0.strip_prefix(symbol).ok_or_else(|| match (symbol, self.0) {
            ('T', _) => "missing required time introducer 'T'".to_owned(),
            (_, "") => format!("end of string where \"{symbol}\" is expected"),
            (_, found) => format!("found {found:?} where \"{symbol}\" is expected"),
        })?;
        Ok(())
    }

    /// Digits after a point as nanoseconds.
    fn fraction(&mut self) -> Result<u32, String> {
        let Some(rest) = self.0.strip_prefix('.') else { return Ok(0) };
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return Err("missing digits after the decimal point of the seconds".into());
        }
        let nanos = format!("{:0<9}", &rest[..digits.min(9)]);
        self.0 = &rest[digits..];
        nanos.parse().map_err(|_| "too many digits in the seconds".into())
    }

    fn offset(&mut self) -> Result<i32, String> {
        let sign = match self.0.chars().next() {
            None => return Err("end of string before UTC offset".into()),
            Some('Z') => {
                self.0 = &self.0[1..];
                return Ok(0);
            }
            Some('+') => 1,
            Some('-') => -1,
            Some(_) => return Err(format!("cannot use {:?} as UTC offset", self.0)),
        };
        self.0 = &self.0[1..];
        let hours = self.number(2, "offset hours")?;
        self.symbol(':')?;
        let minutes = self.number(2, "offset minutes")?;
        if hours > 23 || minutes > 59 {
            return Err("UTC offset out of range".into());
        }
        Ok(sign * i32::try_from(hours * 3600 + minutes * 60).unwrap_or(0))
    }
}

fn parse(text: &str) -> Result<Moment, String> {
    let mut at = Cursor(text);
    let year = at.number(4, "year")?;
    at.symbol('-')?;
    let month = at.number(2, "month")?;
    at.symbol('-')?;
    let day = at.number(2, "day")?;
    at.symbol('T')?;
    let hour = at.number(2, "hour")?;
    at.symbol(':')?;
    let minute = at.number(2, "minute")?;
    at.symbol(':')?;
    let second = at.number(2, "second")?;
    let nanos = at.fraction()?;
    let offset = at.offset()?;
    if !at.0.is_empty() {
        return Err(format!("unexpected {:?} after the timestamp", at.0));
    }
    let local = civil([year, month, day], [hour, minute, second], nanos)?;
    Ok(Moment { local, offset })
}

fn civil([year, month, day]: [u32; 3], [hour, minute, second]: [u32; 3], nanos: u32) -> Result<DateTime, String> {
    let small = |n: u32| i8::try_from(n).unwrap_or(i8::MAX);
    for (what, value, range) in [
        ("month", month, 1..=12),
        ("day", day, 1..=31),
        ("hour", hour, 0..=23),
        ("minute", minute, 0..=59),
        ("second", second, 0..=59),
    ] {
        if !range.contains(&value) {
            return Err(format!("{what} out of range"));
        }
    }
    let year = i16::try_from(year).map_err(|_| "year out of range")?;
    let nanos = i32::try_from(nanos).map_err(|_| "second out of range")?;
    DateTime::new(year, small(month), small(day), small(hour), small(minute), small(second), nanos)
        .map_err(|_| "day out of range".into())
}

/// YAML's timestamps: one-digit fields, a space or small `t`, no zone, or only a date; as RFC 3339 in whole seconds.
pub(super) fn loose_timestamp(text: &str) -> Option<String> {
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(i) => (&text[..i], Some((&text[i..=i], &text[i + 1..]))),
        None => (text, None),
    };
    let field = |s: &str, widths: std::ops::RangeInclusive<usize>| {
        let fits = widths.contains(&s.len()) && s.bytes().all(|b| b.is_ascii_digit());
        fits.then(|| s.parse::<u32>().ok()).flatten()
    };
    let mut parts = date.split('-');
    let date = [field(parts.next()?, 4..=4)?, field(parts.next()?, 1..=2)?, field(parts.next()?, 1..=2)?];
    if parts.next().is_some() {
        return None;
    }
    let Some((separator, time)) = time else {
        return Some(Moment { local: civil(date, [0, 0, 0], 0).ok()?, offset: 0 }.rfc3339());
    };
    let clock_end = time.find(|c: char| !(c.is_ascii_digit() || c == ':')).unwrap_or(time.len());
    let mut parts = time[..clock_end].split(':');
    let clock = [field(parts.next()?, 1..=2)?, field(parts.next()?, 1..=2)?, field(parts.next()?, 1..=2)?];
    let mut rest = Cursor(&time[clock_end..]);
    let nanos = rest.fraction().ok()?;
    // After a space there is no zone, after a letter there is one.
    let offset = if separator == " " { 0 } else { rest.offset().ok()? };
    if parts.next().is_some() || !rest.0.is_empty() {
        return None;
    }
    Some(Moment { local: civil(date, clock, nanos).ok()?, offset }.rfc3339())
}

fn time_add(a: &Args) -> Outcome {
    let start = moment(a, 0)?;
    let duration = duration(a.str(1)).map_err(|e| arg_error(1, e))?;
    let local = start.local.checked_add(duration).map_err(|_| error("the resulting time is out of range"))?;
    Ok(Moment { local, ..start }.rfc3339().into())
}

/// Numbers with units, as `1h30m` or `-1.5h`.
fn duration(text: &str) -> Result<SignedDuration, String> {
    let invalid = || format!("invalid duration {text:?}");
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(SignedDuration::ZERO);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total = Number::from(0);
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !(c.is_ascii_digit() || c == '.'))
            .ok_or_else(|| format!("missing unit in duration {text:?}"))?;
        let amount: Number = rest[..digits].parse().map_err(|_| invalid())?;
        rest = &rest[digits..];
        let unit_end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let nanos: i64 = match &rest[..unit_end] {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            unit => return Err(format!("unknown unit {unit:?} in duration {text:?}")),
        };
        rest = &rest[unit_end..];
        let part = amount.mul(&nanos.into()).map_err(|_| invalid())?;
        total = total.add(&part).map_err(|_| invalid())?;
    }
    let nanos = total.trunc().to_i64().ok_or_else(invalid)?;
    Ok(SignedDuration::from_nanos(if negative { -nanos } else { nanos }))
}

fn format_date(format: &str, moment: Moment) -> Outcome {
    let mut out = String::new();
    let mut rest = format;
    while let Some(first) = rest.chars().next() {
        if first == '\'' {
            let length = quoted(&mut out, rest).ok_or_else(|| arg_error(0, "unterminated literal '"))?;
            rest = &rest[length..];
        } else if first.is_ascii_alphabetic() {
            let length = rest.find(|c| c != first).unwrap_or(rest.len());
            out.push_str(&verb(&rest[..length], moment).map_err(|e| arg_error(0, e))?);
            rest = &rest[length..];
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    Ok(text(&out))
}

/// Writes what stands between quotes, two quotes being one, and says how long that was. Two quotes alone are one as well.
fn quoted(out: &mut String, source: &str) -> Option<usize> {
    if source.starts_with("''") {
        out.push('\'');
        return Some(2);
    }
    let mut chars = source.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c != '\'' {
            out.push(c);
        } else if chars.peek().is_some_and(|(_, next)| *next == '\'') {
            out.push('\'');
            chars.next();
        } else {
            return Some(at + 1);
        }
    }
    None
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

fn weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}

fn verb(verb: &str, moment: Moment) -> Result<String, String> {
    let t = moment.local;
    let month = MONTHS[usize::try_from(t.month() - 1).unwrap_or(0) % 12];
    let hour12 = if t.hour() % 12 == 0 { 12 } else { t.hour() % 12 };
    let zone = |utc: &str, colon: &str| if moment.offset == 0 { utc.to_owned() } else { moment.offset_text(colon) };
    Ok(match verb {
        "YYYY" => format!("{:04}", t.year()),
        "YY" => format!("{:02}", t.year() % 100),
        "MMMM" => month.to_owned(),
        "MMM" => month[..3].to_owned(),
        "MM" => format!("{:02}", t.month()),
        "M" => t.month().to_string(),
        "DD" => format!("{:02}", t.day()),
        "D" => t.day().to_string(),
        "EEEE" => weekday(t.weekday()).to_owned(),
        "EEE" => weekday(t.weekday())[..3].to_owned(),
        "hh" => format!("{:02}", t.hour()),
        "h" => t.hour().to_string(),
        "HH" => format!("{hour12:02}"),
        "H" => hour12.to_string(),
        "AA" => if t.hour() < 12 { "AM" } else { "PM" }.to_owned(),
        "aa" => if t.hour() < 12 { "am" } else { "pm" }.to_owned(),
        "mm" => format!("{:02}", t.minute()),
        "m" => t.minute().to_string(),
        "ss" => format!("{:02}", t.second()),
        "s" => t.second().to_string(),
        "ZZZZZ" => moment.offset_text(":"),
        "ZZZZ" => moment.offset_text(""),
        "ZZZ" => zone("UTC", ""),
        "Z" => zone("Z", ":"),
        other => {
            let hint = match &other[..1] {
                "Y" => ": year must either be \"YY\" or \"YYYY\"",
                "M" => ": month must be \"M\", \"MM\", \"MMM\", or \"MMMM\"",
                "D" => ": day of month must either be \"D\" or \"DD\"",
                "E" => ": day of week must either be \"EEE\" or \"EEEE\"",
                "h" => ": 24-hour must either be \"h\" or \"hh\"",
                "H" => ": 12-hour must either be \"H\" or \"HH\"",
                "A" => ": must be \"AA\"",
                "a" => ": must be \"aa\"",
                "m" => ": minute must either be \"m\" or \"mm\"",
                "s" => ": second must either be \"s\" or \"ss\"",
                "Z" => ": timezone must be Z, ZZZZ, or ZZZZZ",
                _ => "",
            };
            return Err(format!("invalid date format verb {other:?}{hint}"));
        }
    })
}
