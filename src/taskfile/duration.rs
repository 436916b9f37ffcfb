//! Reads lengths of time as people write them: `90`, `1.5`, `250ms`, `1m 30s`.
//!
//! Owns the grammar and the longest length accepted. It does not know where the text came from.

use std::time::Duration;

use thiserror::Error;

/// The longest length of time accepted: ten years. Longer ones are mistakes, and would overflow sums of instants.
pub const MAX_DURATION: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

const NANOS_PER_SECOND: u128 = 1_000_000_000;
/// More digits than any accepted length needs; bounds the arithmetic below.
const MAX_DIGITS: usize = 18;

/// Why a text is not a length of time.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DurationError {
    /// There is no text.
    #[error("an empty duration")]
    Empty,
    /// It starts with a minus sign.
    #[error("a duration cannot be negative")]
    Negative,
    /// Something else than digits, a point and a unit.
    #[error("`{0}` is not a duration")]
    Malformed(String),
    /// A unit that does not exist.
    #[error("unknown unit of time `{0}` (units are ns, us, ms, s, m, h, d)")]
    UnknownUnit(String),
    /// Several parts of which one has no unit.
    #[error("`{0}` has no unit")]
    NoUnit(String),
    /// Longer than [`MAX_DURATION`].
    #[error("a duration longer than ten years")]
    TooLong,
}

/// Reads a plain number of seconds (`30`, `1.5`) or parts with units (`1m 30s`, `250ms`, `2h`), which add up.
///
/// # Errors
/// Says what is wrong with `text`; see [`DurationError`].
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(DurationError::Empty);
    }
    if rest.starts_with('-') {
        return Err(DurationError::Negative);
    }
    let mut total: u128 = 0;
    let mut parts = 0_u32;
    while !rest.is_empty() {
        let number_end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let (number, after) = rest.split_at(number_end);
        let after = after.trim_start();
        let unit_end = after
            .find(|c: char| !c.is_alphabetic())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        if number.is_empty() {
            return Err(DurationError::Malformed(text.to_owned()));
        }
        let nanos = if unit.is_empty() {
            if parts > 0 || !after.is_empty() {
                // `1m 30` could mean thirty of anything; and `3!` is not a number at all.
                return Err(
                    if after.starts_with(|c: char| c.is_ascii_digit()) || after.is_empty() {
                        DurationError::NoUnit(number.to_owned())
                    } else {
                        DurationError::Malformed(text.to_owned())
                    },
                );
            }
            NANOS_PER_SECOND
        } else {
            nanos_of_unit(unit).ok_or_else(|| DurationError::UnknownUnit(unit.to_owned()))?
        };
        total = total.saturating_add(scale(number, nanos, text)?);
        parts += 1;
        rest = after.trim_start();
    }
    from_nanos(total)
}

/// Reads a JSON number as seconds.
///
/// # Errors
/// Says what is wrong with `number`; see [`DurationError`].
pub(super) fn seconds_of_number(number: &str) -> Result<Duration, DurationError> {
    if !number.contains(['e', 'E']) {
        return parse_duration(number);
    }
    let seconds: f64 = number
        .parse()
        .map_err(|_| DurationError::Malformed(number.to_owned()))?;
    if seconds < 0.0 {
        return Err(DurationError::Negative);
    }
    let length = Duration::try_from_secs_f64(seconds).map_err(|_| DurationError::TooLong)?;
    if length > MAX_DURATION {
        Err(DurationError::TooLong)
    } else {
        Ok(length)
    }
}

fn nanos_of_unit(unit: &str) -> Option<u128> {
    Some(match unit {
        "ns" | "nsec" | "nanos" => 1,
        "us" | "µs" | "usec" | "micros" => 1_000,
        "ms" | "msec" | "millis" => 1_000_000,
        "s" | "sec" | "secs" | "second" | "seconds" => NANOS_PER_SECOND,
        "m" | "min" | "mins" | "minute" | "minutes" => 60 * NANOS_PER_SECOND,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3600 * NANOS_PER_SECOND,
        "d" | "day" | "days" => 24 * 3600 * NANOS_PER_SECOND,
        _ => return None,
    })
}

/// `number` (digits, perhaps with one point) times `nanos`; parts of a nanosecond are cut off.
fn scale(number: &str, nanos: u128, text: &str) -> Result<u128, DurationError> {
    let malformed = || DurationError::Malformed(text.to_owned());
    let (whole, fraction) = match number.split_once('.') {
        None => (number, ""),
        Some((_, "")) | Some(("", _)) => return Err(malformed()),
        Some(parts) => parts,
    };
    if fraction.contains('.') {
        return Err(malformed());
    }
    let whole = whole.trim_start_matches('0');
    if whole.len() > MAX_DIGITS {
        return Err(DurationError::TooLong);
    }
    let mut sum = digits(whole).saturating_mul(nanos);
    let fraction = &fraction[..fraction.len().min(MAX_DIGITS)];
    let exponent = u32::try_from(fraction.len()).expect("at most MAX_DIGITS");
    sum = sum.saturating_add(digits(fraction).saturating_mul(nanos) / 10_u128.pow(exponent));
    Ok(sum)
}

/// The value of at most [`MAX_DIGITS`] ASCII digits.
fn digits(text: &str) -> u128 {
    text.bytes()
        .fold(0, |sum, digit| sum * 10 + u128::from(digit - b'0'))
}

fn from_nanos(nanos: u128) -> Result<Duration, DurationError> {
    if nanos > MAX_DURATION.as_nanos() {
        return Err(DurationError::TooLong);
    }
    let seconds = u64::try_from(nanos / NANOS_PER_SECOND).expect("at most MAX_DURATION");
    let rest = u32::try_from(nanos % NANOS_PER_SECOND).expect("less than a second");
    Ok(Duration::new(seconds, rest))
}
