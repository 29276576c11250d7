use super::check;

#[rustfmt::skip]
pub(super) const ROWS: &[(&str, &str)] = &[
    (r#"formatdate("DD MMM YYYY hh:mm ZZZ","2018-01-02T23:12:01Z")"#, r#""02 Jan 2018 23:12 UTC""#),
    (r#"formatdate("EEEE, DD-MMM-YY hh:mm:ss ZZZ","2018-01-02T23:12:01Z")"#, r#""Tuesday, 02-Jan-18 23:12:01 UTC""#),
    (r#"formatdate("EEE, DD MMM YYYY hh:mm:ss ZZZ","2018-01-02T23:12:01-08:00")"#, r#""Tue, 02 Jan 2018 23:12:01 -0800""#),
    (r#"formatdate("MMM DD, YYYY","2018-01-02T23:12:01Z")"#, r#""Jan 02, 2018""#),
    (r#"formatdate("HH:mmaa AA H h m s D M YY","2018-01-02T03:02:01Z")"#, r#""03:02am AM 3 3 2 1 2 1 18""#),
    (r#"formatdate("h'o''clock' MMMM Z ZZZZ ZZZZZ ZZ","2018-11-12T00:12:01+05:30")"#, r#"error: Invalid value for "format" parameter: invalid date format verb "ZZ": timezone must be Z, ZZZZ, or ZZZZZ."#),
    (r#"formatdate("x","2018-01-02T23:12:01Z")"#, r#"error: Invalid value for "format" parameter: invalid date format verb "x"."#),
    (r#"formatdate("QQ","2018-01-02T23:12:01Z")"#, r#"error: Invalid value for "format" parameter: invalid date format verb "QQ"."#),
    (r#"formatdate("YYY","2018-01-02T23:12:01Z")"#, r#"error: Invalid value for "format" parameter: invalid date format verb "YYY": year must either be "YY" or "YYYY"."#),
    (r#"formatdate("'x","2018-01-02T23:12:01Z")"#, r#"error: Invalid value for "format" parameter: unterminated literal '."#),
    (r#"formatdate("YYYY","2018-01-02")"#, r#"error: Invalid value for "time" parameter: not a valid RFC3339 timestamp: missing required time introducer 'T'."#),
    (r#"formatdate("YYYY","2018-13-02T00:00:00Z")"#, r#"error: Invalid value for "time" parameter: not a valid RFC3339 timestamp: month out of range."#),
    (r#"formatdate("YYYY","x")"#, r#"error: Invalid value for "time" parameter: not a valid RFC3339 timestamp: cannot use "x" as year."#),
    (r#"formatdate("YYYY","2018-01-02 23:12:01Z")"#, r#"error: Invalid value for "time" parameter: not a valid RFC3339 timestamp: missing required time introducer 'T'."#),
    (r#"formatdate("YYYY","2018-01-02T23:12:01")"#, r#"error: Invalid value for "time" parameter: not a valid RFC3339 timestamp: end of string before UTC offset."#),
    (r#"formatdate("sss","2018-01-02T23:12:01Z")"#, r#"error: Invalid value for "format" parameter: invalid date format verb "sss": second must either be "s" or "ss"."#),
    (r#"formatdate("ZZZ Z","2018-01-02T23:12:01+00:00")"#, r#""UTC Z""#),
    (r#"formatdate("EE","2018-01-02T23:12:01Z")"#, r#"error: Invalid value for "format" parameter: invalid date format verb "EE": day of week must either be "EEE" or "EEEE"."#),
    (r#"formatdate("hh 'x' \"y\" 123 -/","2018-01-02T23:12:01.5Z")"#, r#"error: Invalid value for "format" parameter: invalid date format verb "y"."#),
    (r#"timeadd("2017-11-22T00:00:00Z","10m")"#, r#""2017-11-22T00:10:00Z""#),
    (r#"timeadd("2017-11-22T00:00:00Z","-1h30m")"#, r#""2017-11-21T22:30:00Z""#),
    (r#"timeadd("2017-11-22T00:00:00+02:00","1.5h")"#, r#""2017-11-22T01:30:00+02:00""#),
    (r#"timeadd("2017-11-22T00:00:00Z","x")"#, r#"error: Invalid value for "duration" parameter: invalid duration "x"."#),
    (r#"timeadd("2017-11-22","1h")"#, r#"error: Invalid value for "timestamp" parameter: not a valid RFC3339 timestamp: missing required time introducer 'T'."#),
    (r#"timeadd("2017-11-22T00:00:00.5Z","100ms")"#, r#""2017-11-22T00:00:00Z""#),
    (r#"timeadd("2017-11-22T00:00:00Z","1d")"#, r#"error: Invalid value for "duration" parameter: unknown unit "d" in duration "1d"."#),
    (r#"timeadd("2017-11-22T00:00:00Z","0")"#, r#""2017-11-22T00:00:00Z""#),
    (r#"timeadd("2017-11-22T00:00:00Z","")"#, r#"error: Invalid value for "duration" parameter: invalid duration ""."#),
    (r#"timeadd("2017-11-22T00:00:00Z","1ns")"#, r#""2017-11-22T00:00:00Z""#),
    (r#"timecmp("2017-11-22T00:00:00Z","2017-11-22T01:00:00+01:00")"#, "0"),
    (r#"timecmp("2017-11-22T00:00:00Z","2017-11-23T00:00:00Z")"#, "-1"),
    (r#"timecmp("x","2017-11-23T00:00:00Z")"#, r#"error: Invalid value for "timestamp_a" parameter: not a valid RFC3339 timestamp: cannot use "x" as year."#),
    (r#"timecmp("2017-02-30T00:00:00Z","2017-11-23T00:00:00Z")"#, r#"error: Invalid value for "timestamp_a" parameter: not a valid RFC3339 timestamp: day out of range."#),
    (r#"timestamp("x")"#, r#"error: Function "timestamp" expects only 0 argument(s)."#),
    ("plantimestamp()", r#""1970-01-01T00:00:00Z""#),
];

#[test]
fn rows() {
    check(ROWS);
}
