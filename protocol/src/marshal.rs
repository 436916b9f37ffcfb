//! Marshalling: postcard, with a cap while writing and no byte left over while reading.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use postcard::ser_flavors::Flavor;
use serde::{Deserialize, Serialize};

/// Why a value could not be marshalled. Nothing has been appended or consumed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum MarshalError {
    /// The value has a shape postcard cannot carry (a self-describing value, a sequence of unknown length).
    #[error("the value cannot be encoded: {0}")]
    Encode(String),
    /// The encoding grew beyond the limit; the writing stopped there.
    #[error("the value needs more than {limit} bytes, the limit of a frame")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The bytes are no encoding of this type.
    #[error("the bytes cannot be decoded: {0}")]
    Decode(String),
    /// The bytes begin with an encoding of this type, but go on.
    #[error("{count} bytes are left over after the value")]
    LeftOver {
        /// How many.
        count: usize,
    },
}

/// Appends to a vector up to a cap, so that a huge value costs its limit and not its size.
struct Tail<'a> {
    out: &'a mut Vec<u8>,
    cap: usize,
}

impl Flavor for Tail<'_> {
    type Output = ();

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        if self.out.len() >= self.cap {
            return Err(postcard::Error::SerializeBufferFull);
        }
        self.out.push(byte);
        Ok(())
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        if self.out.len().saturating_add(bytes.len()) > self.cap {
            return Err(postcard::Error::SerializeBufferFull);
        }
        self.out.extend_from_slice(bytes);
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
    let cap = before.saturating_add(limit);
    let written = postcard::serialize_with_flavor(
        value,
        Tail {
            out: &mut *out,
            cap,
        },
    );
    written.map_err(|error| {
        out.truncate(before);
        match error {
            postcard::Error::SerializeBufferFull => MarshalError::TooLarge { limit },
            other => MarshalError::Encode(other.to_string()),
        }
    })
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
        (_, rest) => Err(MarshalError::LeftOver { count: rest.len() }),
    }
}

/// The value at the beginning of `bytes`, and what follows it. It may borrow from them.
///
/// # Errors
/// [`MarshalError::Decode`].
pub fn decode_prefix<'a, T: Deserialize<'a>>(
    bytes: &'a [u8],
) -> Result<(T, &'a [u8]), MarshalError> {
    postcard::take_from_bytes(bytes).map_err(|error| MarshalError::Decode(error.to_string()))
}
