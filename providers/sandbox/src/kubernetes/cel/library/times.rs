//! Times, and their parts in a time zone.

use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use super::super::meter::Meter;
use super::super::value::{Evaluated, Failure, Value, failure};
use super::{Answer, at_once};

/// Nanoseconds since 1970, from the first second of year 1 up to the last one of year 9999. (`jiff::Timestamp` ends a day earlier,
/// and that day is what people write for "never".)
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(i128);

const SECOND: i128 = 1_000_000_000;
const FIRST: i128 = -62_135_596_800 * SECOND;
const LAST: i128 = 253_402_300_799 * SECOND + (SECOND - 1);
const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

impl Time {
    fn new(nanos: i128) -> Option<Self> {
        (FIRST..=LAST).contains(&nanos).then_some(Self(nanos))
    }

    /// Of what a clock shows in UTC.
    fn of(shown: DateTime) -> Option<Self> {
        Self::new(shown.duration_since(EPOCH).as_nanos())
    }

    pub fn nanos(self) -> i128 {
        self.0
    }

    pub fn second(self) -> i64 {
        i64::try_from(self.0.div_euclid(SECOND)).unwrap_or(0)
    }

    /// What a clock so far from UTC shows.
    fn shown(self, offset_secs: i64) -> Result<DateTime, Failure> {
        let nanos = i32::try_from(self.0.rem_euclid(SECOND)).unwrap_or(0);
        let since = SignedDuration::new(self.second() + offset_secs, nanos);
        EPOCH.checked_add(since).map_err(|_| failure("timestamp overflow"))
    }
}

/// A time with a time zone; without one it is in UTC.
pub fn parse(text: &str) -> Option<Time> {
    let (shown, offset_secs) = split(text)?;
    let shown: DateTime = shown.parse().ok()?;
    Time::new(Time::of(shown)?.0 - i128::from(offset_secs) * SECOND)
}

/// What a clock showed, and how many seconds it was ahead of UTC.
fn split(text: &str) -> Option<(&str, i64)> {
    if let Some(shown) = text.strip_suffix(['Z', 'z']) {
        return Some((shown, 0));
    }
    let at = text.len().checked_sub(6)?;
    match text.get(at..) {
        Some(offset) if offset.starts_with(['+', '-']) && text.len() > 16 => Some((&text[..at], offset_secs(offset)?)),
        _ => Some((text, 0)),
    }
}

/// `+02:00` in seconds.
fn offset_secs(offset: &str) -> Option<i64> {
    let (hours, minutes) = offset.split_once(':')?;
    let is_west = hours.starts_with('-');
    let hours: i64 = hours.trim_start_matches(['+', '-']).parse().ok()?;
    let minutes: i64 = minutes.parse().ok()?;
    let is_sound = (0..24).contains(&hours) && (0..60).contains(&minutes);
    let secs = hours * 3600 + minutes * 60;
    is_sound.then_some(if is_west { -secs } else { secs })
}

/// A time as RFC 3339 writes it, which is what rules may write.
pub fn strict(text: &str) -> Option<Time> {
    let has_form = text.len() >= 20 && text.as_bytes()[10] == b'T';
    let has_zone = text.ends_with('Z') || text.as_bytes().get(text.len().wrapping_sub(3)) == Some(&b':');
    if has_form && has_zone { parse(text) } else { None }
}

/// The beginning of a day.
pub fn date(text: &str) -> Option<Time> {
    let has_form = text.len() == 10 && text.as_bytes()[4] == b'-';
    let date: Date = text.parse().ok().filter(|_| has_form)?;
    Time::of(date.at(0, 0, 0, 0))
}

/// As RFC 3339 writes it.
pub fn written(time: Time) -> String {
    time.shown(0).map(|shown| format!("{shown}Z")).unwrap_or_default()
}

/// Seconds since 1970.
pub fn of_seconds<'a>(seconds: i64) -> Evaluated<'a> {
    let time = Time::new(i128::from(seconds) * SECOND);
    time.map(Value::Timestamp).ok_or_else(|| failure("timestamp overflow"))
}

/// A time so many nanoseconds later.
pub fn later<'a>(time: Time, nanos: i128) -> Evaluated<'a> {
    let later = time.0.checked_add(nanos).and_then(Time::new);
    later.map(Value::Timestamp).ok_or_else(|| failure("timestamp overflow"))
}

pub fn call<'a>(function: &str, arguments: &[Value<'a>], meter: &mut Meter) -> Answer<'a> {
    if !function.starts_with("get") {
        return None;
    }
    match arguments {
        [Value::Timestamp(time)] => at_once(meter, || part(function, time.shown(0)?)),
        [Value::Timestamp(time), Value::Text(zone)] => {
            at_once(meter, || part(function, time.shown(ahead(*time, zone)?)?))
        }
        [Value::Duration(nanos)] => at_once(meter, || {
            let unit = match function {
                "getHours" => 3_600_000_000_000,
                "getMinutes" => 60_000_000_000,
                "getSeconds" => 1_000_000_000,
                "getMilliseconds" => 1_000_000,
                _ => return Err(Failure::NoOverload),
            };
            Ok(Value::Int(nanos / unit))
        }),
        _ => None,
    }
}

fn part<'a>(function: &str, time: DateTime) -> Evaluated<'a> {
    Ok(Value::Int(i64::from(match function {
        "getFullYear" => time.year(),
        "getMonth" => i16::from(time.month()) - 1,
        "getDayOfYear" => time.day_of_year() - 1,
        "getDayOfMonth" => i16::from(time.day()) - 1,
        "getDate" => i16::from(time.day()),
        "getDayOfWeek" => i16::from(time.weekday().to_sunday_zero_offset()),
        "getHours" => i16::from(time.hour()),
        "getMinutes" => i16::from(time.minute()),
        "getSeconds" => i16::from(time.second()),
        "getMilliseconds" => time.millisecond(),
        _ => return Err(Failure::NoOverload),
    })))
}

/// How many seconds a time zone is ahead of UTC, by its name (`Europe/Berlin`) or by that distance (`+02:00`).
fn ahead(time: Time, zone: &str) -> Result<i64, Failure> {
    let unknown = || failure(format!("unknown time zone {zone}"));
    if zone == "UTC" {
        return Ok(0);
    }
    if zone.contains(':') {
        return offset_secs(zone).ok_or_else(unknown);
    }
    let zone = TimeZone::get(zone).map_err(|_| unknown())?;
    let time = Timestamp::from_second(time.second()).map_err(|_| failure("timestamp overflow"))?;
    let offset: Offset = zone.to_offset(time);
    Ok(i64::from(offset.seconds()))
}
