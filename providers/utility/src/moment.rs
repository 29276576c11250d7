//! Moments as RFC 3339 writes them, with the offset that they were written with.

use std::fmt;

use jiff::{
    SignedDuration, Span, Timestamp,
    civil::{Date, DateTime},
    tz::Offset,
};

/// A moment of whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    civil: DateTime,
    offset: Offset,
}

/// How far to go from a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Calendar years, months and days, one after the other. What would be the 31st of a month of 30 days is the 1st of the next.
    Calendar {
        /// Years.
        years: i64,
        /// Months.
        months: i64,
        /// Days.
        days: i64,
    },
    /// Seconds that pass.
    Seconds(i64),
}

impl Moment {
    /// A number of seconds since the epoch, in UTC; `None` outside of the years that can be written.
    pub(crate) fn at(unix: i64) -> Option<Self> {
        let civil = Offset::UTC.to_datetime(Timestamp::from_second(unix).ok()?);
        Some(Self { civil, offset: Offset::UTC })
    }

    /// Reads `2020-02-12T06:36:13Z` or `2020-02-12T06:36:13+01:00`; `None` for anything else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let civil_end = "2020-02-12T06:36:13".len();
        let (civil, zone) = text.split_at_checked(civil_end)?;
        let pattern = "0000-00-00T00:00:00";
        let fits = civil.bytes().zip(pattern.bytes()).all(|(b, p)| if p == b'0' { b.is_ascii_digit() } else { b == p });
        let civil: DateTime = fits.then_some(civil)?.parse().ok()?;
        let offset = match zone {
            "Z" => Offset::UTC,
            _ => offset(zone)?,
        };
        Some(Self { civil, offset })
    }

    /// Seconds since the epoch.
    pub(crate) fn unix(&self) -> i64 {
        self.offset.to_timestamp(self.civil).map_or(i64::MAX, |t| t.as_second())
    }

    /// Year, month, day, hour, minute and second, as they are written.
    pub(crate) fn fields(&self) -> [(&'static str, i64); 6] {
        let civil = self.civil;
        [
            ("year", civil.year().into()),
            ("month", civil.month().into()),
            ("day", civil.day().into()),
            ("hour", civil.hour().into()),
            ("minute", civil.minute().into()),
            ("second", civil.second().into()),
        ]
    }

    /// The moment at the end of a way; `None` outside of the years that can be written.
    pub(crate) fn after(&self, way: Way) -> Option<Self> {
        let civil = match way {
            Way::Seconds(seconds) => self.civil.checked_add(SignedDuration::from_secs(seconds)).ok()?,
            Way::Calendar { years, months, days } => {
                DateTime::from_parts(added(self.civil.date(), years, months, days)?, self.civil.time())
            }
        };
        Some(Self { civil, ..*self })
    }
}

/// A date plus years and months, in which the day may lie beyond the month, plus days.
fn added(date: Date, years: i64, months: i64, days: i64) -> Option<Date> {
    let months = i64::from(date.month() - 1).checked_add(months)?;
    let year = i64::from(date.year()).checked_add(years)?.checked_add(months.div_euclid(12))?;
    let month = i8::try_from(months.rem_euclid(12) + 1).ok()?;
    let first = Date::new(i16::try_from(year).ok()?, month, 1).ok()?;
    let days = i64::from(date.day() - 1).checked_add(days)?;
    first.checked_add(Span::new().try_days(days).ok()?).ok()
}

/// `+01:00`.
fn offset(text: &str) -> Option<Offset> {
    let (sign, rest) = text.split_at_checked(1)?;
    let sign = match sign {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let number = |text: &str, below: i32| {
        let is_number = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<i32>().ok().filter(|n| is_number && *n < below)
    };
    Offset::from_seconds(sign * (number(hours, 24)? * 3600 + number(minutes, 60)? * 60)).ok()
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [year, month, day, hour, minute, second] = self.fields().map(|(_, n)| n);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        let minutes = self.offset.seconds() / 60;
        if minutes == 0 {
            return f.write_str("Z");
        }
        let sign = if minutes < 0 { '-' } else { '+' };
        write!(f, "{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_they_are_read() {
        for (text, unix) in [
            ("2020-02-12T06:36:13Z", 1_581_489_373),
            ("2020-02-12T06:36:13+01:00", 1_581_485_773),
            ("2020-02-12T06:36:13-03:30", 1_581_501_973),
            ("1969-12-31T23:59:59Z", -1),
        ] {
            let moment = Moment::parse(text).expect(text);
            assert_eq!((moment.to_string().as_str(), moment.unix()), (text, unix));
        }
        for text in [
            "",
            "2020-02-12",
            "2020-02-12T06:36:13",
            "2020-02-12 06:36:13Z",
            "2020-02-30T06:36:13Z",
            "2020-02-12T06:36:13z",
            "2020-02-12T06:36:13.5Z",
            "2020-02-12T06:36:13+1:00",
            "2020-02-12T06:36:13+0100",
            "ü020-02-12T06:36:1",
        ] {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
        assert_eq!(Moment::at(1_581_489_373).map(|m| m.to_string()).as_deref(), Some("2020-02-12T06:36:13Z"));
    }

    #[test]
    fn ways() {
        let calendar = |years, months, days| Way::Calendar { years, months, days };
        for (from, way, to) in [
            ("2020-02-12T06:36:13Z", calendar(0, 0, 7), "2020-02-19T06:36:13Z"),
            ("2020-02-12T06:36:13Z", calendar(0, 0, -43), "2019-12-31T06:36:13Z"),
            ("2020-02-29T06:36:13Z", calendar(1, 0, 0), "2021-03-01T06:36:13Z"),
            ("2021-01-31T06:36:13Z", calendar(0, 1, 0), "2021-03-03T06:36:13Z"),
            ("2020-11-30T06:36:13Z", calendar(0, 3, 0), "2021-03-02T06:36:13Z"),
            ("2020-01-15T06:36:13Z", calendar(0, -1, 0), "2019-12-15T06:36:13Z"),
            ("2020-01-15T06:36:13Z", calendar(0, -13, 0), "2018-12-15T06:36:13Z"),
            ("2020-02-28T23:59:59Z", Way::Seconds(1), "2020-02-29T00:00:00Z"),
            ("2020-02-28T23:59:59+02:00", Way::Seconds(-3600), "2020-02-28T22:59:59+02:00"),
        ] {
            let moment = Moment::parse(from).expect(from);
            assert_eq!(moment.after(way).map(|m| m.to_string()).as_deref(), Some(to), "{from} {way:?}");
        }
        let moment = Moment::parse("2020-02-12T06:36:13Z").expect("a moment");
        assert_eq!(moment.after(calendar(100_000, 0, 0)), None);
        assert_eq!(moment.after(calendar(0, i64::MAX, i64::MAX)), None);
        assert_eq!(moment.after(Way::Seconds(i64::MAX)), None);
    }
}
