//! Marshalling: postcard, with a cap while writing and no byte left over while reading.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use postcard::ser_flavors::Flavor;
use serde::{Deserialize, Serialize};

/// Why a value could not be marshalled. Nothing has been appended or consumed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum MarshalError {
    /// The value has a shape postcard cannot carry (a self-describing value, a sequence of unknown length).
    #[error("the value cannot be encoded: {0}")]
    Encode(String),
    /// The encoding grew beyond the limit; the writing stopped there, and the rest was only counted.
    #[error(
        "the value takes {}{}, and {} is the limit of a frame: pass a path to it, or smaller pieces",
        if *.at_least { "at least " } else { "" }, Size(*.size), Size(*.limit)
    )]
    TooLarge {
        /// What the whole encoding takes, in bytes.
        size: usize,
        /// It takes more than that: to count it to the end would have taken longer than the writing.
        at_least: bool,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The bytes are no encoding of this type; says how many there are.
    #[error("the bytes cannot be decoded: {0}")]
    Decode(String),
    /// The bytes begin with an encoding of this type, but go on.
    #[error("{count} bytes are left over after the value, of {}", Size(*.size))]
    LeftOver {
        /// How many.
        count: usize,
        /// How many there are together with the value's own.
        size: usize,
    },
}

/// A number of bytes for people: exact, and in a unit in which it is short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Size(usize);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
        let Self(bytes) = *self;
        write!(f, "{bytes} bytes")?;
        let mut unit = 1024;
        let mut name = None;
        for next in UNITS {
            if bytes / unit == 0 {
                break;
            }
            name = Some((next, unit));
            unit = unit.saturating_mul(1024);
        }
        match name {
            Some((name, unit)) => {
                let tenths = (bytes % unit) / (unit / 10).max(1);
                write!(f, " ({}.{} {name})", bytes / unit, tenths.min(9))
            }
            None => Ok(()),
        }
    }
}

/// Pieces that are counted beyond the limit, whatever it is.
const COUNT_MIN: usize = 1 << 16;

/// Appends to a vector up to a limit. What is larger costs the memory of its limit and the time of twice that: beyond,
/// as many pieces as bytes were allowed are counted, to say how large it is.
struct Tail<'a> {
    out: &'a mut Vec<u8>,
    before: usize,
    limit: usize,
    beyond: Option<Beyond>,
}

/// The limit is exceeded.
#[derive(Clone, Copy)]
struct Beyond {
    /// What it takes so far, in bytes.
    size: usize,
    /// Pieces that will still be counted.
    left: usize,
}

impl Tail<'_> {
    /// Whether `count` more bytes are to be written.
    #[inline]
    fn fits(&mut self, count: usize) -> postcard::Result<bool> {
        let size = (self.out.len() - self.before).saturating_add(count);
        if self.beyond.is_none() && size <= self.limit {
            return Ok(true);
        }
        self.count(count)?;
        Ok(false)
    }

    /// Counts what is not written.
    #[cold]
    fn count(&mut self, count: usize) -> postcard::Result<()> {
        let written = self.out.len() - self.before;
        self.out.truncate(self.before);
        let beyond = self.beyond.get_or_insert(Beyond {
            size: written,
            left: self.limit.max(COUNT_MIN),
        });
        beyond.size = beyond.size.saturating_add(count);
        let left = beyond.left.checked_sub(1);
        beyond.left = left.ok_or(postcard::Error::SerializeBufferFull)?;
        Ok(())
    }
}

impl Flavor for &mut Tail<'_> {
    type Output = ();

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        if self.fits(1)? {
            self.out.push(byte);
        }
        Ok(())
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        if self.fits(bytes.len())? {
            self.out.extend_from_slice(bytes);
        }
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

/// Appends the encoding of `value` to `out`, at most `limit` bytes of it.
///
/// # Errors
/// [`MarshalError::Encode`] or [`MarshalError::TooLarge`]; `out` is as before.
pub fn encode_into<T: Serialize + ?Sized>(
    value: &T,
    out: &mut Vec<u8>,
    limit: usize,
) -> Result<(), MarshalError> {
    let before = out.len();
    let mut tail = Tail {
        out,
        before,
        limit,
        beyond: None,
    };
    let written = postcard::serialize_with_flavor(value, &mut tail);
    let Tail { out, beyond, .. } = tail;
    match (written, beyond) {
        (Ok(()), None) => Ok(()),
        (
            counted @ (Ok(()) | Err(postcard::Error::SerializeBufferFull)),
            Some(Beyond { size, .. }),
        ) => Err(MarshalError::TooLarge {
            size,
            at_least: counted.is_err(),
            limit,
        }),
        (Err(error), _) => {
            out.truncate(before);
            Err(MarshalError::Encode(error.to_string()))
        }
    }
}

/// The encoding of `value` in a vector of its own.
///
/// # Errors
/// As [`encode_into`].
pub fn encode<T: Serialize + ?Sized>(value: &T, limit: usize) -> Result<Vec<u8>, MarshalError> {
    let mut out = Vec::new();
    encode_into(value, &mut out, limit)?;
    Ok(out)
}

/// The value that `bytes` encode, to the last byte. It may borrow from them.
///
/// # Errors
/// [`MarshalError::Decode`] or [`MarshalError::LeftOver`].
pub fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, MarshalError> {
    match decode_prefix(bytes)? {
        (value, []) => Ok(value),
        (_, rest) => Err(MarshalError::LeftOver {
            count: rest.len(),
            size: bytes.len(),
        }),
    }
}

/// The value at the beginning of `bytes`, and what follows it. It may borrow from them.
///
/// # Errors
/// [`MarshalError::Decode`].
pub fn decode_prefix<'a, T: Deserialize<'a>>(
    bytes: &'a [u8],
) -> Result<(T, &'a [u8]), MarshalError> {
    postcard::take_from_bytes(bytes)
        .map_err(|error| MarshalError::Decode(format!("{error} (in {})", Size(bytes.len()))))
}

#[cfg(test)]
mod tests;
