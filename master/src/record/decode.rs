//! A record read back as it comes, in pieces of any size. It trusts nothing: whatever the bytes
//! are, they cost an error, and memory by what has come and never by what is claimed.

use super::{CALL, END, ENTRY_HEADER, ENTRY_LIMIT, Fnv, HEAD, KindAnswer, MAGIC, Made};
use crate::config::Config;
use crate::event::Event;
use farm_protocol::{Instant, MarshalError, decode, decode_prefix};

/// Why the bytes are no record, or none from here on. The same again at every further call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The first bytes are not a record's.
    #[error("this is no record of a run: it begins with {quoted:?}")]
    NotARecord {
        /// The first bytes.
        quoted: String,
    },
    /// A record in another format.
    #[error(
        "the record has format {theirs}, this program reads format {ours}; replay it with the farm that recorded it"
    )]
    WrongVersion {
        /// This program's.
        ours: u8,
        /// The record's.
        theirs: u8,
    },
    /// An entry states a length that none can have.
    #[error(
        "entry {entry} claims {length} bytes, and {ENTRY_LIMIT} are the most: the record is damaged"
    )]
    TooLong {
        /// Which entry; the head is 0.
        entry: u64,
        /// What it claims.
        length: u32,
    },
    /// The check of an entry does not fit its bytes.
    #[error("entry {entry} is damaged: its bytes do not fit its check; copy the record again")]
    Damaged {
        /// Which entry; the head is 0.
        entry: u64,
    },
    /// An entry is whole and no encoding of what it should be.
    #[error("entry {entry} cannot be read: {what}; replay it with the farm that recorded it")]
    Malformed {
        /// Which entry; the head is 0.
        entry: u64,
        /// What is wrong.
        what: String,
    },
}

/// The first entry.
#[derive(Clone, Debug)]
pub struct Head {
    /// Which program recorded, for people.
    pub build: String,
    /// What its machine was made from.
    pub config: Config,
}

/// One call of the machine.
#[derive(Debug, PartialEq, Eq)]
pub struct Call<'a> {
    /// The time it was told.
    pub now: Instant,
    /// What it was told.
    pub event: Event<'a>,
    /// What the kinds answered meanwhile, in order.
    pub answers: Vec<KindAnswer>,
    /// What it made of that; `None`: it panicked.
    pub made: Option<Made>,
}

/// One entry.
#[derive(Debug)]
pub enum Recorded<'a> {
    /// The first.
    Head(Box<Head>),
    /// A call.
    Call(Call<'a>),
    /// The last: the run went on to its end, and nothing is missing.
    End {
        /// How many calls there were.
        calls: u64,
        /// How many actions they made.
        actions: u64,
    },
}

/// Cuts a record into its entries. Holds one incomplete entry plus what was pushed with it.
#[derive(Debug, Default)]
pub struct RunDecoder {
    buffer: Vec<u8>,
    start: usize,
    begun: bool,
    /// Entries read.
    entries: u64,
    /// Calls read, and the actions they say they made.
    counted: (u64, u64),
    ended: bool,
}

/// Above this many consumed bytes the buffer is moved back to its beginning.
const COMPACT_ABOVE: usize = 64 << 10;

/// An empty buffer keeps at most this much memory, in bytes.
const KEEP: usize = 1 << 20;

impl RunDecoder {
    /// Nothing has come yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds bytes as they come; pieces need not respect entries.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.start == self.buffer.len() {
            self.buffer.clear();
            self.start = 0;
            self.buffer.shrink_to(KEEP);
        } else if self.start > COMPACT_ABOVE {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Bytes that belong to no whole entry yet.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// How much memory it holds.
    #[cfg(test)]
    pub(super) fn buffer_bytes(&self) -> usize {
        self.buffer.capacity()
    }

    /// How many entries were read: the number of the next one, the head being 0.
    #[must_use]
    pub const fn entries(&self) -> u64 {
        self.entries
    }

    /// The next whole entry, or `None` when more bytes are needed.
    ///
    /// # Errors
    /// [`RecordError`]; the same again at every further call.
    pub fn next_entry(&mut self) -> Result<Option<Recorded<'_>>, RecordError> {
        if !self.begun && !self.preamble()? {
            return Ok(None);
        }
        let entry = self.entries;
        let pending = &self.buffer[self.start..];
        let Some(header) = pending.first_chunk::<ENTRY_HEADER>() else {
            return Ok(None);
        };
        let [l0, l1, l2, l3, c0, c1, c2, c3] = *header;
        let length = u32::from_le_bytes([l0, l1, l2, l3]);
        if length > ENTRY_LIMIT {
            return Err(RecordError::TooLong { entry, length });
        }
        let end = ENTRY_HEADER + length as usize;
        let Some(body) = pending.get(ENTRY_HEADER..end) else {
            return Ok(None);
        };
        if Fnv::folded(body) != u32::from_le_bytes([c0, c1, c2, c3]) {
            return Err(RecordError::Damaged { entry });
        }
        let recorded = parse(body, entry == 0, self.ended, self.counted)
            .map_err(|what| RecordError::Malformed { entry, what })?;
        match &recorded {
            Recorded::Head(_) => {}
            Recorded::Call(call) => {
                self.counted.0 += 1;
                self.counted.1 = call.made.map_or(self.counted.1, |made| {
                    self.counted.1.saturating_add(made.actions)
                });
                // After a panic nothing can follow either.
                self.ended = call.made.is_none();
            }
            Recorded::End { .. } => self.ended = true,
        }
        self.entries += 1;
        self.start += end;
        Ok(Some(recorded))
    }

    /// Whether the first bytes are there; they are checked as soon as one of them is wrong.
    fn preamble(&mut self) -> Result<bool, RecordError> {
        const NAME: usize = MAGIC.len() - 1;
        let shown = &self.buffer[..self.buffer.len().min(MAGIC.len())];
        let named = shown.len().min(NAME);
        if shown[..named] != MAGIC[..named] {
            let quoted = String::from_utf8_lossy(shown).into_owned();
            return Err(RecordError::NotARecord { quoted });
        }
        let Some(theirs) = shown.get(NAME).copied() else {
            return Ok(false);
        };
        let ours = MAGIC[NAME];
        if theirs != ours {
            return Err(RecordError::WrongVersion { ours, theirs });
        }
        self.begun = true;
        self.start = MAGIC.len();
        Ok(true)
    }
}

fn parse(
    body: &[u8],
    first: bool,
    ended: bool,
    counted: (u64, u64),
) -> Result<Recorded<'_>, String> {
    let words = |error: MarshalError| error.to_string();
    let Some((tag, body)) = body.split_first() else {
        return Err("it is empty".to_string());
    };
    match (*tag, first, ended) {
        (_, _, true) => Err("it comes after the end".to_string()),
        (HEAD, true, false) => {
            let (build, config) = decode(body).map_err(words)?;
            Ok(Recorded::Head(Box::new(Head { build, config })))
        }
        (CALL, false, false) => parse_call(body).map(Recorded::Call).map_err(words),
        (END, false, false) => {
            let (calls, actions) = decode(body).map_err(words)?;
            if (calls, actions) != counted {
                return Err(format!(
                    "it says that {calls} calls made {actions} actions; in the record {} made {}",
                    counted.0, counted.1
                ));
            }
            Ok(Recorded::End { calls, actions })
        }
        (HEAD, false, false) => Err("it is a second head".to_string()),
        (CALL | END, true, false) => Err("the head is missing".to_string()),
        (tag, _, false) => Err(format!("it has the unknown tag {tag}")),
    }
}

fn parse_call(body: &[u8]) -> Result<Call<'_>, MarshalError> {
    let (now, body) = decode_prefix(body)?;
    let (event, mut body) = decode_prefix(body)?;
    let mut answers = Vec::new();
    loop {
        let (answer, rest) = decode_prefix::<Option<KindAnswer>>(body)?;
        body = rest;
        let Some(answer) = answer else { break };
        answers.push(answer);
    }
    let made: Option<(u64, [u8; 8])> = decode(body)?;
    Ok(Call {
        now,
        event,
        answers,
        made: made.map(|(actions, digest)| Made {
            actions,
            digest: u64::from_le_bytes(digest),
        }),
    })
}
