//! Reads amounts of memory as people write them: `1048576`, `512MiB`, `1.5 GB`.
//!
//! Owns the grammar. It does not know where the text came from.

use thiserror::Error;

/// More digits than any amount needs; bounds the arithmetic below.
const MAX_DIGITS: usize = 18;

/// The largest amount written with an exponent (`2e9`): above it a double skips numbers.
const MOST_EXACT: f64 = (1_u64 << 53) as f64;

/// Why a text is no amount of memory.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SizeError {
    /// There is no text.
    #[error("an empty amount")]
    Empty,
    /// It starts with a minus sign.
    #[error("an amount of memory cannot be negative")]
    Negative,
    /// Something else than digits, a point and a unit.
    #[error("`{0}` is not an amount of memory")]
    Malformed(String),
    /// A unit that does not exist.
    #[error("unknown unit of memory `{0}` (units are B, kB, MB, GB, TB and KiB, MiB, GiB, TiB)")]
    UnknownUnit(String),
    /// Bits, as far as one can tell.
    #[error("`{0}` are bits; write `{1}`")]
    Bits(String, String),
    /// More than can be counted.
    #[error("an amount of memory that no machine has")]
    TooMuch,
}

/// Reads a plain number of bytes, or a number with a unit: `kB`, `MB`, `GB`, `TB` are powers of 1000, `KiB`, `MiB`,
/// `GiB`, `TiB` powers of 1024, as are `K`, `M`, `G`, `T`. Parts of a byte are cut off.
///
/// # Errors
/// Says what is wrong with `text`; see [`SizeError`].
pub fn parse_bytes(text: &str) -> Result<u64, SizeError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(SizeError::Empty);
    }
    if text.starts_with('-') {
        return Err(SizeError::Negative);
    }
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = unit.trim_start();
    if number.is_empty() || unit.contains(|c: char| !c.is_alphabetic()) {
        return Err(SizeError::Malformed(text.to_owned()));
    }
    let factor = factor_of(unit)?;
    let malformed = || SizeError::Malformed(text.to_owned());
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
        return Err(SizeError::TooMuch);
    }
    let fraction = &fraction[..fraction.len().min(MAX_DIGITS)];
    let exponent = u32::try_from(fraction.len()).expect("at most MAX_DIGITS");
    let part = digits(fraction) * factor / 10_u128.pow(exponent);
    let bytes = digits(whole) * factor + part;
    u64::try_from(bytes).map_err(|_| SizeError::TooMuch)
}

/// Reads a JSON number as bytes.
///
/// # Errors
/// Says what is wrong with `number`; see [`SizeError`].
pub(super) fn bytes_of_number(number: &str) -> Result<u64, SizeError> {
    if !number.contains(['e', 'E']) {
        return parse_bytes(number);
    }
    let bytes: f64 = number
        .parse()
        .map_err(|_| SizeError::Malformed(number.to_owned()))?;
    match bytes {
        bytes if bytes < 0.0 => Err(SizeError::Negative),
        bytes if bytes > MOST_EXACT => Err(SizeError::TooMuch),
        bytes => Ok(bytes as u64),
    }
}

fn factor_of(unit: &str) -> Result<u128, SizeError> {
    // Megabits are not measured in memory: who writes `Mb` means bytes, but it is no unit of bytes.
    if unit.ends_with('b') && unit.len() > 1 {
        let bytes = format!("{}B", &unit[..unit.len() - 1]);
        if factor_of(&bytes).is_ok() {
            return Err(SizeError::Bits(unit.to_owned(), bytes));
        }
    }
    let (kilo, kibi) = (1000_u128, 1024_u128);
    Ok(match unit {
        "" | "B" => 1,
        "kB" | "KB" => kilo,
        "MB" => kilo.pow(2),
        "GB" => kilo.pow(3),
        "TB" => kilo.pow(4),
        "KiB" | "K" | "k" | "Ki" => kibi,
        "MiB" | "M" | "Mi" => kibi.pow(2),
        "GiB" | "G" | "Gi" => kibi.pow(3),
        "TiB" | "T" | "Ti" => kibi.pow(4),
        _ => return Err(SizeError::UnknownUnit(unit.to_owned())),
    })
}

/// The value of at most [`MAX_DIGITS`] ASCII digits.
fn digits(text: &str) -> u128 {
    text.bytes()
        .fold(0, |sum, digit| sum * 10 + u128::from(digit - b'0'))
}
