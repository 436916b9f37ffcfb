//! Bytes in flight from one process to another: a bounded buffer whose delivery, in chunks, is chosen. Its end is
//! noticed apart from the end of the process that wrote it.

use crate::candidate::CandidateId;
use crate::process::Pid;
use crate::time::VTime;
use std::collections::VecDeque;

#[derive(Debug)]
pub(crate) struct Pipe {
    pub(crate) candidate: CandidateId,
    pub(crate) writer: Pid,
    pub(crate) reader: Pid,
    /// Bytes before `taken` have been delivered.
    bytes: Vec<u8>,
    taken: usize,
    capacity: usize,
    /// How many bytes were ever written, and how many ever taken.
    written: u64,
    read: u64,
    /// For each moment of writing how far it went, as long as something of it is in flight. So never more than bytes.
    moments: VecDeque<(u64, VTime)>,
    /// Since when the reader has been looking at this pipe, if it is.
    listening: Option<VTime>,
    reader_gone: bool,
    end: End,
    /// The writer found it full and wants to know when it is not.
    pub(crate) starved: bool,
}

/// The writing end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// It may be written to.
    Open,
    /// Nothing more will be written, since then.
    Closed(VTime),
    /// The reader has been told so.
    Told,
}

impl Pipe {
    pub(crate) const fn new(
        candidate: CandidateId,
        writer: Pid,
        reader: Pid,
        capacity: usize,
    ) -> Self {
        Self {
            candidate,
            writer,
            reader,
            bytes: Vec::new(),
            taken: 0,
            capacity,
            written: 0,
            read: 0,
            moments: VecDeque::new(),
            listening: Some(VTime::START),
            reader_gone: false,
            end: End::Open,
            starved: false,
        }
    }

    pub(crate) const fn in_flight(&self) -> usize {
        self.bytes.len() - self.taken
    }

    /// Since when something has been there for a reader that looks: its oldest byte, or its end. None: nothing is.
    pub(crate) fn ready_since(&self) -> Option<VTime> {
        let listening = self.listening.filter(|_| !self.reader_gone)?;
        let there = match (self.moments.front(), self.end) {
            (Some(&(_, moment)), _) | (None, End::Closed(moment)) => moment,
            (None, End::Open | End::Told) => return None,
        };
        Some(there.max(listening))
    }

    /// The reader looks at this pipe from now on, or does not.
    pub(crate) fn listen(&mut self, listening: bool, now: VTime) {
        self.listening = listening.then(|| self.listening.unwrap_or(now));
    }

    /// Takes as many bytes as there is room for and says how many. A pipe without a reader, or closed, swallows all.
    pub(crate) fn write(&mut self, bytes: &[u8], now: VTime) -> usize {
        if self.reader_gone || self.end != End::Open {
            return bytes.len();
        }
        let count = bytes
            .len()
            .min(self.capacity.saturating_sub(self.in_flight()));
        self.starved = count < bytes.len();
        if count == 0 {
            return 0;
        }
        // What has been taken goes when it is as much as what has not: a pipe that never runs dry must not grow.
        if self.taken > 0 && self.taken >= self.in_flight() {
            self.bytes.drain(..self.taken);
            self.taken = 0;
        }
        self.bytes.extend_from_slice(&bytes[..count]);
        self.written += count as u64;
        match self.moments.back_mut() {
            Some((end, moment)) if *moment == now => *end = self.written,
            Some(_) | None => self.moments.push_back((self.written, now)),
        }
        count
    }

    /// Nothing more will be written.
    pub(crate) fn close(&mut self, now: VTime) {
        if self.end == End::Open {
            self.end = End::Closed(now);
            self.starved = false;
        }
    }

    /// Nobody will read it any more. Whether the writer waits for room: from now on there always is.
    pub(crate) fn orphan(&mut self) -> bool {
        self.reader_gone = true;
        self.bytes.clear();
        self.taken = 0;
        self.moments.clear();
        std::mem::take(&mut self.starved)
    }

    /// Appends the first `count` bytes in flight to `out`.
    pub(crate) fn take(&mut self, count: usize, out: &mut Vec<u8>) {
        self.read += count as u64;
        while self
            .moments
            .front()
            .is_some_and(|(end, _)| *end <= self.read)
        {
            self.moments.pop_front();
        }
        if count == self.bytes.len() && out.is_empty() {
            // The two buffers change places, so that neither side has to copy or to allocate.
            std::mem::swap(&mut self.bytes, out);
            return;
        }
        out.extend_from_slice(&self.bytes[self.taken..self.taken + count]);
        self.taken += count;
        if self.taken == self.bytes.len() {
            self.bytes.clear();
            self.taken = 0;
        }
    }

    /// The end is being told.
    pub(crate) fn tell_end(&mut self) {
        assert!(
            matches!(self.end, End::Closed(_)) && self.in_flight() == 0,
            "the end is told once, behind the bytes"
        );
        self.end = End::Told;
    }
}

#[cfg(test)]
mod tests;
