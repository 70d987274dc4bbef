//! Times as sources state them, written as RFC 3339.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::{rfc2822, strtime};

/// What a time without an offset is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// The source says that it is UTC.
    Utc,
    /// Nobody says: the offset stays open.
    Unknown,
}

/// How pages print a date and a time, for [`strtime`].
const PRINTED: [&str; 8] = [
    "%B %d, %Y at %I:%M %p",
    "%B %d, %Y at %H:%M",
    "%B %d, %Y %I:%M %p",
    "%B %d, %Y, %I:%M %p",
    "%d %B %Y at %I:%M %p",
    "%d %B %Y at %H:%M",
    "%d %B %Y %H:%M",
    "%b %d, %Y %I:%M %p",
];

/// A stated time in UTC if it says an instant: an epoch in s or ms, or a date with an offset. A date and time without one becomes RFC 3339
/// without the offset (`2024-05-01T10:00:00`); what is neither stays as said.
pub fn rfc3339(said: &str, zone: Zone) -> String {
    let said = said.trim();
    if let Some(instant) = instant(said) {
        return instant.to_string();
    }
    match (local(said), zone) {
        (Some(local), Zone::Utc) => format!("{local}Z"),
        (Some(local), Zone::Unknown) => local.to_string(),
        (None, _) => said.to_owned(),
    }
}

/// Seconds since 1970 as RFC 3339; `None` outside of the years that jiff knows.
pub fn of_epoch(seconds: f64) -> Option<String> {
    // Years before 1973 in seconds and far ones in milliseconds would be told apart wrongly by `instant_of_epoch`.
    seconds
        .is_finite()
        .then(|| Timestamp::from_millisecond((seconds * 1e3).round() as i64).ok())?
        .map(|t| t.to_string())
}

fn instant(said: &str) -> Option<Timestamp> {
    if let Ok(epoch) = said.parse::<f64>() {
        return instant_of_epoch(epoch);
    }
    let zulu = said.strip_suffix(" UTC").map(|said| format!("{said}Z"));
    said.parse()
        .ok()
        .or_else(|| zulu.and_then(|said| said.parse().ok()))
        .or_else(|| rfc2822::DateTimeParser::new().parse_timestamp(said).ok())
        // As Twitter writes it.
        .or_else(|| strtime::parse("%a %b %d %H:%M:%S %z %Y", said).ok()?.to_timestamp().ok())
}

/// An epoch in s or ms between 1973 and 2286. Other numbers may be a year or a date without separators.
fn instant_of_epoch(epoch: f64) -> Option<Timestamp> {
    let milliseconds = match epoch {
        1e8..1e10 => epoch * 1e3,
        1e11..1e13 => epoch,
        _ => return None,
    };
    Timestamp::from_millisecond(milliseconds.round() as i64).ok()
}

/// A date and time without an offset.
fn local(said: &str) -> Option<DateTime> {
    let has_time = said.contains(':');
    let iso = has_time.then(|| said.parse().ok()).flatten();
    iso.or_else(|| PRINTED.iter().find_map(|format| strtime::parse(format, said).ok()?.to_datetime().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_become_rfc3339() {
        for (said, expected) in [
            ("1546300800", "2019-01-01T00:00:00Z"),
            ("1546300800000", "2019-01-01T00:00:00Z"),
            ("2019-01-01T01:00:00+01:00", "2019-01-01T00:00:00Z"),
            ("2019-01-01 00:00:00 UTC", "2019-01-01T00:00:00Z"),
            ("Tue, 01 Jan 2019 00:00:00 GMT", "2019-01-01T00:00:00Z"),
            ("Tue Jan 01 00:00:00 +0000 2019", "2019-01-01T00:00:00Z"),
            ("2019-01-01 10:00", "2019-01-01T10:00:00"),
            ("October 10, 2023 at 7:05 am", "2023-10-10T07:05:00"),
            ("3 October 2023 at 17:05", "2023-10-03T17:05:00"),
        ] {
            assert_eq!(rfc3339(said, Zone::Unknown), expected, "{said}");
        }
        assert_eq!(rfc3339("2019-01-01 10:00:00", Zone::Utc), "2019-01-01T10:00:00Z");
    }

    #[test]
    fn what_says_no_time_stays_as_it_is() {
        for said in
            ["2019", "20190101", "2019-01-01", "yesterday", "1e300", "NaN", "5 years ago", "0000-00-00 00:00:00"]
        {
            assert_eq!(rfc3339(said, Zone::Utc), said);
        }
    }
}
