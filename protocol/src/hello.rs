//! The hello: what a worker says first, and what is wrong with it.
//!
//! The preamble is fixed bytes outside of every frame, so that a program that is no worker and a
//! worker of another version are told apart even if frames change.

use crate::frame::{FrameDecoder, FrameError, FrameKind, FrameLimit};
use crate::marshal::decode;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// The version of frames and headers. Both sides must have the same.
pub const PROTOCOL_VERSION: u16 = 2;

const MAGIC: [u8; 4] = *b"farm";

/// The first bytes of every worker: magic, version (little endian), two zeros.
pub const PREAMBLE: [u8; 8] = {
    let version = PROTOCOL_VERSION.to_le_bytes();
    [
        MAGIC[0], MAGIC[1], MAGIC[2], MAGIC[3], version[0], version[1], 0, 0,
    ]
};

/// How many bytes of garbage an error quotes.
const QUOTE: usize = 64;

/// A kind as one side has it. Name, version and schema must be equal on both sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindHello {
    /// `Wire::NAME`.
    pub name: String,
    /// `Wire::VERSION`.
    pub version: u32,
    /// A hash of the shapes of request, response, feedback and context.
    pub schema: u64,
}

/// What a worker says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Its process, for people; a worker behind another program has a pid the master did not start.
    pub pid: u32,
    /// Its build, for people: never compared.
    pub build: String,
    /// What it can perform, in the order of its `KindId`s.
    pub kinds: Vec<KindHello>,
}

/// What is wrong with a hello. Each says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HelloFault {
    /// The first bytes are not a worker's.
    #[error(
        "the program is no farm worker: its first bytes are {quoted:?}; \
         call the worker's entry at the top of its `main`, before anything is written"
    )]
    Garbage {
        /// The beginning of what came.
        quoted: String,
    },
    /// A worker of another protocol version.
    #[error(
        "the worker speaks protocol version {theirs}, the master {ours}; \
         build both from the same version of farm"
    )]
    WrongVersion {
        /// The master's.
        ours: u16,
        /// The worker's.
        theirs: u16,
    },
    /// A good preamble, then no hello.
    #[error(
        "the worker's hello is malformed ({0}); build both sides from the same version of farm"
    )]
    Malformed(String),
    /// The worker lacks a kind.
    #[error(
        "the worker cannot perform kind `{kind}` (it has: {has}); register the kind in the worker program"
    )]
    MissingKind {
        /// The kind the master needs.
        kind: String,
        /// What the worker offers.
        has: String,
    },
    /// Both sides have the kind, in different versions.
    #[error(
        "kind `{kind}` is version {theirs} in the worker and {ours} in the master; rebuild the older side"
    )]
    WrongKindVersion {
        /// The kind.
        kind: String,
        /// The master's.
        ours: u32,
        /// The worker's.
        theirs: u32,
    },
    /// Same name and version, other types.
    #[error(
        "kind `{kind}` has other request or response types in the worker than in the master \
         (schema {theirs:016x}, ours {ours:016x}); rebuild both from the same source and raise the kind's VERSION"
    )]
    WrongSchema {
        /// The kind.
        kind: String,
        /// The master's hash.
        ours: u64,
        /// The worker's hash.
        theirs: u64,
    },
}

/// How far the preamble has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Preamble {
    /// All bytes so far fit, more are needed.
    Incomplete,
    /// It is there and right; what follows are frames.
    Good,
    /// It is wrong.
    Bad(HelloFault),
}

impl Preamble {
    /// Judges the first bytes of a worker.
    #[must_use]
    pub fn judge(bytes: &[u8]) -> Self {
        let magic = bytes.len().min(MAGIC.len());
        if bytes[..magic] != MAGIC[..magic] {
            let quoted = String::from_utf8_lossy(&bytes[..bytes.len().min(QUOTE)]).into_owned();
            return Self::Bad(HelloFault::Garbage { quoted });
        }
        let Some(head) = bytes.first_chunk::<8>() else {
            return Self::Incomplete;
        };
        let theirs = u16::from_le_bytes([head[4], head[5]]);
        if theirs == PROTOCOL_VERSION {
            Self::Good
        } else {
            Self::Bad(HelloFault::WrongVersion {
                ours: PROTOCOL_VERSION,
                theirs,
            })
        }
    }
}

/// Reads preamble and hello off a link, then hands the decoder on to whoever reads the frames.
#[derive(Debug)]
pub struct Greeting {
    preamble: Vec<u8>,
    good: bool,
    decoder: FrameDecoder,
}

impl Greeting {
    /// Waits for the first byte.
    #[must_use]
    pub const fn new(limit: FrameLimit) -> Self {
        Self {
            preamble: Vec::new(),
            good: false,
            decoder: FrameDecoder::new(limit),
        }
    }

    /// Adds bytes; answers the hello once it is whole.
    ///
    /// # Errors
    /// [`HelloFault`]: the link cannot be used.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<Option<Hello>, HelloFault> {
        if !self.good {
            let missing = PREAMBLE.len() - self.preamble.len();
            let (head, rest) = bytes.split_at(missing.min(bytes.len()));
            self.preamble.extend_from_slice(head);
            match Preamble::judge(&self.preamble) {
                Preamble::Incomplete => return Ok(None),
                Preamble::Good => self.good = true,
                Preamble::Bad(HelloFault::Garbage { .. }) => {
                    self.preamble
                        .extend_from_slice(&rest[..rest.len().min(QUOTE)]);
                    let quoted = String::from_utf8_lossy(&self.preamble).into_owned();
                    return Err(HelloFault::Garbage { quoted });
                }
                Preamble::Bad(fault) => return Err(fault),
            }
            bytes = rest;
        }
        self.decoder.push(bytes);
        let malformed = |error: FrameError| HelloFault::Malformed(error.to_string());
        let Some(frame) = self.decoder.next_frame().map_err(malformed)? else {
            return Ok(None);
        };
        if frame.kind != FrameKind::Hello {
            return Err(HelloFault::Malformed(
                "another frame came first".to_string(),
            ));
        }
        let hello = decode(frame.body).map_err(|error| HelloFault::Malformed(error.to_string()))?;
        Ok(Some(hello))
    }

    /// Whether not one byte came yet.
    #[must_use]
    pub const fn is_silent(&self) -> bool {
        self.preamble.is_empty()
    }

    /// The decoder, with whatever came behind the hello still in it.
    #[must_use]
    pub fn into_decoder(self) -> FrameDecoder {
        self.decoder
    }
}

impl Hello {
    /// Where the worker has `ours`, by name.
    ///
    /// # Errors
    /// [`HelloFault`] when it lacks the kind or has it in another version or shape.
    pub fn find(&self, ours: &KindHello) -> Result<u16, HelloFault> {
        let Some(position) = self.kinds.iter().position(|kind| kind.name == ours.name) else {
            let names: Vec<&str> = self.kinds.iter().map(|kind| kind.name.as_str()).collect();
            let has = if names.is_empty() {
                "none".to_string()
            } else {
                names.join(", ")
            };
            return Err(HelloFault::MissingKind {
                kind: ours.name.clone(),
                has,
            });
        };
        let theirs = &self.kinds[position];
        if theirs.version != ours.version {
            return Err(HelloFault::WrongKindVersion {
                kind: ours.name.clone(),
                ours: ours.version,
                theirs: theirs.version,
            });
        }
        if theirs.schema != ours.schema {
            return Err(HelloFault::WrongSchema {
                kind: ours.name.clone(),
                ours: ours.schema,
                theirs: theirs.schema,
            });
        }
        u16::try_from(position).map_err(|_| HelloFault::Malformed("too many kinds".to_string()))
    }
}

#[cfg(test)]
mod tests;
