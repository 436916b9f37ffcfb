//! A run as bytes, entry by entry. Where the bytes go is somebody else's business.

use super::{CALL, END, ENTRY_HEADER, ENTRY_LIMIT, Fnv, HEAD, KindAnswer, MAGIC, Made, Recorder};
use crate::action::Actions;
use crate::config::Config;
use crate::event::Event;
use farm_protocol::{Instant, encode_into};
use serde::Serialize;

/// An entry would be longer than [`ENTRY_LIMIT`]. It is left out, and what follows would not
/// replay: the record ends with the entry before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "one call of the machine needs {length} bytes in the record, and {ENTRY_LIMIT} are the most; \
     the record ends before it"
)]
pub struct EntryTooLong {
    /// How many bytes it has.
    pub length: usize,
}

/// Writes a run down. The order of calls: [`head`](Self::head); for every call of the machine
/// [`begin`](Self::begin), the answers through [`Recorder`], [`finish`](Self::finish); at last
/// [`end`](Self::end). What is ready lies in [`bytes`](Self::bytes) until [`clear`](Self::clear).
#[derive(Debug, Default)]
pub struct RunEncoder {
    out: Vec<u8>,
    /// Where the entry of the call that is being handled begins in `out`.
    open: Option<usize>,
    scratch: Vec<u8>,
    calls: u64,
    actions: u64,
}

impl RunEncoder {
    /// Nothing is written yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins the record of a machine that was just made from `config`; `build` says of which
    /// program, for people.
    ///
    /// # Errors
    /// [`EntryTooLong`].
    pub fn head(&mut self, build: &str, config: &Config) -> Result<(), EntryTooLong> {
        self.out.extend_from_slice(&MAGIC);
        let start = self.start(HEAD);
        self.put(&(build, config));
        self.seal(start)
    }

    /// The machine is about to be told this.
    pub fn begin(&mut self, now: Instant, event: &Event<'_>) {
        debug_assert!(self.open.is_none(), "the call before was not finished");
        self.open = Some(self.start(CALL));
        self.put(&now);
        self.put(event);
    }

    /// The machine has handled it, and these are the actions of this call alone.
    ///
    /// # Errors
    /// [`EntryTooLong`].
    pub fn finish(&mut self, actions: &Actions) -> Result<(), EntryTooLong> {
        let made = Made::of(actions, &mut self.scratch);
        self.calls += 1;
        self.actions += made.actions;
        self.close(Some(made))
    }

    /// The machine panicked over the call that was begun; without one there is nothing to note.
    ///
    /// # Errors
    /// [`EntryTooLong`].
    pub fn abandon(&mut self) -> Result<(), EntryTooLong> {
        if self.open.is_some() {
            self.close(None)
        } else {
            Ok(())
        }
    }

    /// The run is over.
    pub fn end(&mut self) {
        let start = self.start(END);
        self.put(&(self.calls, self.actions));
        self.seal(start).expect("two numbers are short");
    }

    /// What is ready. Whole entries only, while no call is open.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.out[..self.open.unwrap_or(self.out.len())]
    }

    /// Forgets what was ready, keeps the memory (of a huge entry only a part).
    pub fn clear(&mut self) {
        debug_assert!(self.open.is_none(), "an open entry would lose its head");
        self.out.clear();
        self.out.shrink_to(KEEP);
        self.scratch.shrink_to(KEEP);
    }

    /// Finishes a call as if the machine had made this.
    #[cfg(test)]
    pub(crate) fn close_as(&mut self, made: Made) {
        self.close(Some(made)).expect("short");
    }

    fn close(&mut self, made: Option<Made>) -> Result<(), EntryTooLong> {
        let start = self.open.take().expect("a call was begun");
        self.put(&None::<KindAnswer>);
        self.put(&made.map(|made| (made.actions, made.digest.to_le_bytes())));
        self.seal(start)
    }

    fn start(&mut self, tag: u8) -> usize {
        let start = self.out.len();
        self.out.extend_from_slice(&[0; ENTRY_HEADER]);
        self.out.push(tag);
        start
    }

    fn put(&mut self, value: &impl Serialize) {
        encode_into(value, &mut self.out, usize::MAX).expect("events and answers are plain values");
    }

    fn seal(&mut self, start: usize) -> Result<(), EntryTooLong> {
        let body = &self.out[start + ENTRY_HEADER..];
        let length = body.len();
        let Some(short) = u32::try_from(length)
            .ok()
            .filter(|short| *short <= ENTRY_LIMIT)
        else {
            self.out.truncate(start);
            return Err(EntryTooLong { length });
        };
        let check = Fnv::folded(body);
        self.out[start..start + 4].copy_from_slice(&short.to_le_bytes());
        self.out[start + 4..start + ENTRY_HEADER].copy_from_slice(&check.to_le_bytes());
        Ok(())
    }
}

/// A cleared buffer keeps at most this much memory, in bytes.
const KEEP: usize = 1 << 20;

impl Recorder for RunEncoder {
    fn record(&mut self, answer: KindAnswer) {
        debug_assert!(self.open.is_some(), "an answer outside of a call");
        self.put(&Some(answer));
    }
}
