//! The name of a worker process: unlike any other's, and fit to begin names with.

use crate::id::Session;
use alloc::string::ToString;
use core::fmt;
use core::str::FromStr;
use serde::{Deserialize, Serialize};

/// The most bytes of a [`WorkerName`] as text.
pub const WORKER_NAME_MAX: usize = 40;

/// A worker process as nobody else is called: in another pool or farm, before or after it, or of another program.
///
/// As text it is made of `a` to `z`, `0` to `9` and `_`, begins with a letter and has at most [`WORKER_NAME_MAX`] bytes.
/// None begins with another, so that what begins with one begins with no other, whatever is put behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct WorkerName {
    /// The farm: a number that no other farm has, on this machine or another.
    pub farm: u64,
    /// The process within it.
    pub session: Session,
}

const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// Digits of the largest farm's number.
const WIDTH: usize = 13;

impl fmt::Display for WorkerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [b'0'; WIDTH];
        let mut rest = self.farm;
        for digit in digits.iter_mut().rev() {
            *digit = DIGITS[(rest % 36) as usize];
            rest /= 36;
        }
        let digits = core::str::from_utf8(&digits).expect("digits are ASCII");
        write!(f, "f{digits}_{}w", self.session)
    }
}

/// The text is no name of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not the name of a worker: those are written `f`, {WIDTH} letters and digits, `_s`, a number and `w`"
)]
pub struct NotAWorkerName;

impl FromStr for WorkerName {
    type Err = NotAWorkerName;

    fn from_str(text: &str) -> Result<Self, NotAWorkerName> {
        let (farm, session) = text
            .strip_prefix('f')
            .and_then(|rest| rest.strip_suffix('w'))
            .and_then(|rest| rest.split_once("_s"))
            .ok_or(NotAWorkerName)?;
        let name = Self {
            farm: u64::from_str_radix(farm, 36).map_err(|_| NotAWorkerName)?,
            session: Session(session.parse().map_err(|_| NotAWorkerName)?),
        };
        // One name, one text: no sign, no capital, no zero too many.
        if name.to_string() == text {
            Ok(name)
        } else {
            Err(NotAWorkerName)
        }
    }
}

#[cfg(test)]
mod tests {
    //! Names are what they promise, and are read back.
    use super::*;

    #[test]
    fn names_are_of_few_characters_and_short() {
        for farm in [0, 1, 36, 0xdead_beef, u64::MAX] {
            for session in [0, 1, u64::MAX] {
                let name = WorkerName {
                    farm,
                    session: Session(session),
                };
                let text = name.to_string();
                assert!(text.len() <= WORKER_NAME_MAX, "{text}");
                assert!(text.starts_with(|first: char| first.is_ascii_lowercase()));
                let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
                assert!(text.chars().all(fits), "{text}");
                assert_eq!(text.parse(), Ok(name));
            }
        }
        let name = WorkerName {
            farm: u64::MAX,
            session: Session(12),
        };
        assert_eq!(name.to_string(), "f3w5e11264sgsf_s12w");
    }

    #[test]
    fn other_texts_are_no_names() {
        for text in [
            "",
            "f3w5e11264sgsf",
            "f3w5e11264sgsf_s1",
            "f1_s1w",
            "f3W5E11264SGSF_s1w",
            "f3w5e11264sgsf_s01w",
            "f+w5e11264sgsf_s1w",
            "fzzzzzzzzzzzzz_s1w",
        ] {
            assert_eq!(text.parse::<WorkerName>(), Err(NotAWorkerName), "{text}");
        }
    }
}
