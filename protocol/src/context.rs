//! What a kind's workers are told once and not with every request: a context under a key, in front of the request that
//! needs it.
//!
//! ```text
//! payload of a request frame = postcard( Option<ContextUpdate>, request )       one byte, 0, when nothing is to be told
//! ```
//!
//! It is part of the payload so that whatever goes wrong with it happens to an attempt. Who holds what is known elsewhere.

use crate::id::AffinityKey;
use crate::marshal::{MarshalError, decode_prefix, encode_into};
use alloc::vec::Vec;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A context on its way to a worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContextUpdate<C> {
    /// What the worker holds afterwards.
    pub key: AffinityKey,
    /// What it is certain to hold before; of a difference, what it is to.
    pub held: Option<AffinityKey>,
    /// How it gets there.
    pub body: ContextBody<C>,
}

/// A context, or the way to it from another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ContextBody<C> {
    /// All of it: whatever the worker held is dropped.
    Whole(C),
    /// What makes it of the context that the worker holds.
    Difference(C),
}

/// Appends the payload of a request to `out`, at most `limit` bytes of it.
///
/// # Errors
/// As [`encode_into`]; `out` is as before.
pub fn encode_request<C: Serialize, R: Serialize>(
    update: Option<&ContextUpdate<C>>,
    request: &R,
    out: &mut Vec<u8>,
    limit: usize,
) -> Result<(), MarshalError> {
    encode_into(&(update, request), out, limit)
}

/// Takes the payload of a request apart: what is told before it, and the request, still encoded.
///
/// # Errors
/// [`MarshalError::Decode`]: the context is none.
pub fn split_request<C: DeserializeOwned>(
    payload: &[u8],
) -> Result<(Option<ContextUpdate<C>>, &[u8]), MarshalError> {
    decode_prefix(payload)
}

#[cfg(test)]
mod tests {
    //! What is put together comes apart again.
    use super::*;
    use crate::marshal::decode;
    use crate::wire::Never;
    use alloc::vec;

    #[test]
    fn a_request_without_a_context_is_one_byte_longer() {
        let mut out = vec![];
        encode_request::<Never, _>(None, &7_u8, &mut out, 2).expect("two bytes");
        assert_eq!(out, [0, 7]);
        let (update, request) = split_request::<Never>(&out).expect("whole");
        assert_eq!((update, decode::<u8>(request)), (None, Ok(7)));
        assert!(split_request::<Never>(&[1, 0, 0, 0]).is_err());
    }

    #[test]
    fn a_context_comes_before_its_request() {
        let update = ContextUpdate {
            key: AffinityKey(300),
            held: Some(AffinityKey(1)),
            body: ContextBody::Difference(vec![1_u16, 2]),
        };
        let mut out = vec![];
        encode_request(Some(&update), &"ask", &mut out, 100).expect("short");
        let (told, request) = split_request(&out).expect("whole");
        assert_eq!((told, decode::<&str>(request)), (Some(update), Ok("ask")));
        assert!(split_request::<Vec<u16>>(&out[..6]).is_err());
    }

    #[test]
    fn the_limit_is_for_both_together() {
        let update = ContextUpdate {
            key: AffinityKey(1),
            held: None,
            body: ContextBody::Whole([0_u8; 10]),
        };
        let mut out = vec![9];
        let written = encode_request(Some(&update), &[0_u8; 10], &mut out, 20);
        assert!(matches!(written, Err(MarshalError::TooLarge { .. })));
        assert_eq!(out, [9]);
    }
}
