//! Cron schedules: five fields, names of months and days, `@hourly` and its like.
//!
//! Source: `github.com/robfig/cron` v3, which Kubernetes uses.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// When something is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Schedule {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Whether both days are restricted: then one of them is enough.
    is_either_day: bool,
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

impl Schedule {
    /// Reads a schedule; `None` when it is none.
    pub fn read(text: &str) -> Option<Self> {
        let text = match text.trim() {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            other => other,
        };
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields[..] else { return None };
        let is_free = |field: &str| field.starts_with('*') || field.starts_with('?');
        Some(Self {
            minutes: field(minutes, 0, 59, &[])?,
            hours: field(hours, 0, 23, &[])?,
            days: field(days, 1, 31, &[])?,
            months: field(months, 1, 12, &MONTHS)?,
            weekdays: field(weekdays, 0, 7, &DAYS).map(|bits| if bits & 1 << 7 != 0 { bits | 1 } else { bits })?,
            is_either_day: !is_free(days) && !is_free(weekdays),
        })
    }

    /// The first time after `after`, in a time zone; `None` when there is none within five years.
    pub fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let local = after.to_zoned_datetime(zone.clone()).datetime();
        let mut at =
            local.with().second(0).subsec_nanosecond(0).build().ok()?.checked_add(Span::new().minutes(1)).ok()?;
        let end = local.checked_add(Span::new().years(5)).ok()?;
        while at < end {
            at = match self.step(at)? {
                Some(later) => later,
                None => return at.to_zoned_datetime(zone.clone()).ok().map(|zoned| zoned.timestamp()),
            };
        }
        None
    }

    /// `None` when `at` is due, otherwise where to look next.
    #[expect(clippy::option_option, reason = "the outer one is arithmetic that leaves the calendar")]
    fn step(&self, at: DateTime) -> Option<Option<DateTime>> {
        let has = |bits: u64, value: i8| u32::try_from(value).is_ok_and(|value| bits & 1 << value != 0);
        let midnight = |date: jiff::civil::Date| date.at(0, 0, 0, 0);
        if !has(self.months, at.month()) {
            return Some(Some(midnight(at.date().first_of_month().checked_add(Span::new().months(1)).ok()?)));
        }
        let (day, weekday) = (has(self.days, at.day()), has(self.weekdays, at.weekday().to_sunday_zero_offset()));
        let is_day = if self.is_either_day { day || weekday } else { day && weekday };
        if !is_day {
            return Some(Some(midnight(at.date().tomorrow().ok()?)));
        }
        if !has(self.hours, at.hour()) {
            let hour = at.with().minute(0).build().ok()?;
            return Some(Some(hour.checked_add(Span::new().hours(1)).ok()?));
        }
        if !has(self.minutes, at.minute()) {
            return Some(Some(at.checked_add(Span::new().minutes(1)).ok()?));
        }
        Some(None)
    }
}

/// The bits of a field: `*`, `5`, `1-5`, `*/15`, `1,2`, names.
fn field(text: &str, least: u32, most: u32, names: &[&str]) -> Option<u64> {
    let mut bits = 0;
    for part in text.split(',') {
        let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
        let number = |text: &str| -> Option<u32> {
            let named = names.iter().position(|name| name.eq_ignore_ascii_case(text));
            named.and_then(|at| u32::try_from(at).ok()).map(|at| at + least).or_else(|| text.parse().ok())
        };
        let (first, last) = match range.split_once('-') {
            _ if range == "*" || range == "?" => (least, most),
            Some((first, last)) => (number(first)?, number(last)?),
            None if step.is_some() => (number(range)?, most),
            None => (number(range)?, number(range)?),
        };
        let step: usize = step.map_or(Some(1), |step| step.parse().ok().filter(|step| *step > 0))?;
        if first < least || last > most || first > last {
            return None;
        }
        for value in (first..=last).step_by(step) {
            bits |= 1_u64 << value;
        }
    }
    Some(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_times() {
        let next = |schedule: &str, after: &str| {
            let schedule = Schedule::read(schedule)?;
            schedule.next(after.parse().unwrap(), &TimeZone::UTC).map(|at| at.to_string())
        };
        for (schedule, after, expected) in [
            ("*/15 * * * *", "2026-01-01T00:00:00Z", Some("2026-01-01T00:15:00Z")),
            ("0 3 * * *", "2026-01-01T03:00:00Z", Some("2026-01-02T03:00:00Z")),
            ("30 1 29 2 *", "2026-01-01T00:00:00Z", Some("2028-02-29T01:30:00Z")),
            ("0 0 * * mon", "2026-01-01T00:00:00Z", Some("2026-01-05T00:00:00Z")),
            ("0 0 * * 7", "2026-01-01T00:00:00Z", Some("2026-01-04T00:00:00Z")),
            ("0 0 15 * mon", "2026-01-06T00:00:00Z", Some("2026-01-12T00:00:00Z")),
            ("@hourly", "2026-01-01T00:10:00Z", Some("2026-01-01T01:00:00Z")),
            ("0 0 31 2 *", "2026-01-01T00:00:00Z", None),
            ("60 * * * *", "2026-01-01T00:00:00Z", None),
            ("* * *", "2026-01-01T00:00:00Z", None),
        ] {
            assert_eq!(next(schedule, after).as_deref(), expected, "{schedule}");
        }
    }
}
