//! Local time as logs have it: no zone, no leap second.

/// Seconds since 1970 as if local time were UTC.
pub type Moment = i64;

/// Seconds of an hour.
pub const HOUR: i64 = 3_600;

/// Seconds of a day.
pub const DAY: i64 = 24 * HOUR;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Days from 1970-01-01 to a date of the Gregorian calendar (H. Hinnant, `days_from_civil`).
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date of a day number.
fn date(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096).div_euclid(365);
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// A number in so many digits.
fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0i64, |n, c| c.is_ascii_digit().then(|| n * 10 + i64::from(c - b'0')))
}

fn of_parts(date: (i64, i64, i64), time: [i64; 3]) -> Option<Moment> {
    let (year, month, day) = date;
    let [hour, minute, second] = time;
    let fits = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..=61).contains(&second);
    fits.then(|| days(year, month, day) * DAY + hour * HOUR + minute * 60 + second)
}

/// `Mon DD HH:MM:SS YYYY`, twenty bytes (`StampedLogger`).
pub fn of_stamp(stamp: &[u8]) -> Option<Moment> {
    let month = MONTHS.iter().position(|name| stamp.starts_with(name.as_bytes()))?;
    let field = |from: usize, to: usize| stamp.get(from..to).and_then(number);
    let marks = [(3, b' '), (6, b' '), (9, b':'), (12, b':'), (15, b' ')];
    let marked = marks.iter().all(|(at, mark)| stamp.get(*at) == Some(mark));
    if !marked || stamp.len() != 20 {
        return None;
    }
    let month = i64::try_from(month).ok()? + 1;
    of_parts((field(16, 20)?, month, field(4, 6)?), [field(7, 9)?, field(10, 12)?, field(13, 15)?])
}

/// `YYYY-MM-DD`, `YYYY-MM-DD HH:MM` or with seconds, a `T` in place of the blank if you like.
pub fn of_text(text: &str) -> Option<Moment> {
    let text = text.as_bytes();
    let field = |from: usize, to: usize| text.get(from..to).and_then(number);
    let date = (field(0, 4)?, field(5, 7)?, field(8, 10)?);
    let dashes = text.get(4) == Some(&b'-') && text.get(7) == Some(&b'-');
    let time = match text.len() {
        10 => [0; 3],
        16 | 19 if text.get(13) == Some(&b':') && matches!(text.get(10), Some(b' ' | b'T')) => {
            let seconds = if text.len() == 19 { field(17, 19)? } else { 0 };
            [field(11, 13)?, field(14, 16)?, seconds]
        }
        _ => return None,
    };
    if dashes { of_parts(date, time) } else { None }
}

/// A span: `90m`, `24h`, `7d`, `2w`.
pub fn of_span(text: &str) -> Option<i64> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "m" => 60,
        "h" => HOUR,
        "d" => DAY,
        "w" => 7 * DAY,
        _ => return None,
    };
    let fits = !digits.is_empty() && digits.len() <= 6;
    number(digits.as_bytes()).filter(|_| fits).map(|n| n * seconds)
}

/// `Nov 26 2026`.
pub fn day(moment: Moment) -> String {
    let (year, month, day) = date(moment.div_euclid(DAY));
    let month = usize::try_from(month - 1).ok().and_then(|m| MONTHS.get(m)).unwrap_or(&"");
    format!("{month} {day:02} {year}")
}

/// `Nov 26 2026 17:00`.
pub fn minute(moment: Moment) -> String {
    let second = moment.rem_euclid(DAY);
    format!("{} {:02}:{:02}", day(moment), second / HOUR, second % HOUR / 60)
}

/// `2026-11-26 17:00`.
pub fn iso_minute(moment: Moment) -> String {
    let (year, month, day) = date(moment.div_euclid(DAY));
    let second = moment.rem_euclid(DAY);
    format!("{year}-{month:02}-{day:02} {:02}:{:02}", second / HOUR, second % HOUR / 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_and_days() {
        let moment = of_stamp(b"Feb 29 23:59:58 2024").unwrap();
        assert_eq!(moment, 1_709_251_198);
        assert_eq!(minute(moment), "Feb 29 2024 23:59");
        assert_eq!(iso_minute(moment), "2024-02-29 23:59");
        assert_eq!(of_text("2024-02-29 23:59:58"), Some(moment));
        assert_eq!(day(of_text("1970-01-01").unwrap()), "Jan 01 1970");
        assert_eq!(of_text("2026-11-26T17:05").map(minute), Some("Nov 26 2026 17:05".into()));
        for day in 0..80_000 {
            let (y, m, d) = date(day);
            assert_eq!(days(y, m, d), day);
        }
    }

    #[test]
    fn what_is_no_time() {
        for stamp in [&b"Foo 01 00:00:00 2024"[..], b"Feb 1 00:00:00 2024", b"Feb 01 00:00:00 24"] {
            assert_eq!(of_stamp(stamp), None);
        }
        for text in ["", "2024", "2024-13-01", "2024-01-01x10:00", "2024/01/01", "2024-01-01 24:00"]
        {
            assert_eq!(of_text(text), None, "{text}");
        }
        assert_eq!(of_span("24h"), Some(DAY));
        for text in ["", "h", "1", "1y", "-1h", "9999999d", "ä"] {
            assert_eq!(of_span(text), None, "{text}");
        }
    }
}
