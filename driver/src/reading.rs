//! Reads workers' pipes and hands what came to the machine: output before the answers written after it.
//!
//! Why that order holds: the answers are read *first*, then the output. What a worker wrote to its
//! streams before an answer was in the pipes when that answer was read, so it is read now and told
//! first. More than a pipe holds cannot have been there, which bounds the reading.
//!
//! Two more readings per answer are dear where an answer is all there is. They are left out when
//! the poll would have reported output: it reports in the order of the writing, so a report of an
//! answer comes with those of the output before it, or after them. This holds as long as what is
//! read is what was reported: one whole reply, and no earlier reading that took more than its
//! report was about (`surplus`).

use crate::link::Reading;
use crate::process::{Process, Role};
use crate::turn::{EVENTS, Loop};
use farm_master::{Event, Stream};
use farm_protocol::{FrameKind, SlotId};
use mio::Events;
use mio::unix::SourceFd;
use std::mem;
use std::time::Duration;

/// The most that is read of one worker's answers before others have their turn, in bytes.
pub(crate) const ANSWERS_AT_ONCE: usize = 256 << 10;

/// How much output is told at once, in bytes: what a pipe holds by default.
pub(crate) const OUTPUT_AT_ONCE: usize = 64 << 10;

/// How often [`OUTPUT_AT_ONCE`] is read of one stream before others have their turn. Together they
/// are the largest pipe that a program without privileges can make itself.
const OUTPUT_READINGS: usize = 16;

/// Whether the poll reports in the order in which things became ready: epoll keeps a list of them.
const REPORTED_IN_ORDER: bool = cfg!(target_os = "linux");

/// A write shows in the pipe a moment before it is reported. No writer stands between the two for longer than this.
const REPORTED_WITHIN: Duration = Duration::from_millis(20);

/// How often the pipes of a dead worker are read. It is bounded because a process it left behind
/// may still write; what the worker itself wrote fits into the first few.
const LAST_READINGS: usize = 16;

impl Loop {
    /// Reads answers and output and tells them. Ended answers are told as well.
    pub(crate) fn read_answers(&mut self, slot: SlotId) {
        let (answers, output) = self.read_both(slot, false);
        self.after_reading(slot, answers, output);
    }

    /// The same, because the poll has reported answers in this turn.
    pub(crate) fn read_reported(&mut self, slot: SlotId) {
        let (answers, output) = self.read_both(slot, true);
        self.after_reading(slot, answers, output);
    }

    fn after_reading(&mut self, slot: SlotId, answers: Reading, output: Reading) {
        match (answers, output) {
            (Reading::Ended, output) => {
                self.answers_ended(slot);
                if output == Reading::More {
                    self.leave_unread(slot);
                }
            }
            (Reading::More, _) | (Reading::Drained, Reading::More) => self.leave_unread(slot),
            (Reading::Drained, Reading::Drained | Reading::Ended) => {}
        }
    }

    /// A poll has just reported everything there was to report: no report of answers is on its way
    /// any more but those in `events`.
    pub(crate) fn forget_surplus(&mut self, events: &Events) {
        // A full batch is not everything.
        if self.surplus.is_empty() || events.iter().count() >= EVENTS {
            return;
        }
        let reported = |slot: SlotId| {
            let token = Role::Answers.token(slot);
            events.iter().any(|event| event.token() == token)
        };
        let (workers, now) = (&mut self.workers, self.now);
        self.surplus.retain(|slot| {
            let still = reported(*slot);
            let Some(process) = workers.in_slot(*slot) else {
                return false;
            };
            let still = still || now.since(process.surplus_since) < REPORTED_WITHIN;
            process.surplus = still;
            still
        });
    }

    /// Reads everything a dead worker left, and tells it.
    pub(crate) fn read_last(&mut self, slot: SlotId) {
        if let Some(process) = self.workers.in_slot(slot) {
            // Nothing will be reported any more: read until there is nothing.
            process.answers.hang_up();
            process.stdout.hang_up();
            process.stderr.hang_up();
        }
        for _ in 0..LAST_READINGS {
            let (answers, output) = self.read_both(slot, false);
            if answers != Reading::More && output != Reading::More {
                return;
            }
        }
        log::warn!(
            "worker {slot} is dead and its pipes do not run dry: it has left a process behind"
        );
    }

    /// How the readings of answers and of output ended.
    fn read_both(&mut self, slot: SlotId, reported: bool) -> (Reading, Reading) {
        let Some(process) = self.workers.in_slot(slot) else {
            return (Reading::Drained, Reading::Drained);
        };
        let place = process.place;
        let mut answers = mem::take(&mut self.answers);
        let (count, reading) = process.answers.read(&mut answers);
        let just_that =
            REPORTED_IN_ORDER && reported && !process.surplus && is_one_reply(&answers[..count]);
        let output = if just_that && reading == Reading::Drained {
            Reading::Drained
        } else {
            if count > 0 {
                process.surplus_since = self.now;
                if !mem::replace(&mut process.surplus, true) {
                    self.surplus.push(slot);
                }
            }
            self.read_output(slot)
        };
        if count > 0 {
            let (slot, session) = (place.slot, place.session);
            self.tell(Event::Bytes {
                slot,
                session,
                bytes: &answers[..count],
            });
        }
        self.answers = answers;
        (reading, output)
    }

    /// Reads both streams until they are empty, and tells what came.
    pub(crate) fn read_output(&mut self, slot: SlotId) -> Reading {
        let out = self.read_stream(slot, Stream::Stdout);
        let err = self.read_stream(slot, Stream::Stderr);
        match (out, err) {
            (Reading::More, _) | (_, Reading::More) => Reading::More,
            (Reading::Drained | Reading::Ended, Reading::Drained | Reading::Ended) => {
                Reading::Drained
            }
        }
    }

    fn read_stream(&mut self, slot: SlotId, stream: Stream) -> Reading {
        for _ in 0..OUTPUT_READINGS {
            let Some(process) = self.workers.in_slot(slot) else {
                return Reading::Drained;
            };
            let session = process.place.session;
            let (pipe, words) = match stream {
                Stream::Stdout => (&mut process.stdout, &mut process.stdout_words),
                Stream::Stderr => (&mut process.stderr, &mut process.stderr_words),
            };
            let Some(fd) = pipe.raw() else {
                return Reading::Ended;
            };
            let (count, reading) = pipe.read(&mut self.output);
            if reading == Reading::Ended {
                let _gone = self.poll.registry().deregister(&mut SourceFd(&fd));
                pipe.close();
            }
            if count > 0 {
                words.hear(&self.output[..count]);
                let noted = process.noted();
                let output = mem::take(&mut self.output);
                let bytes = &output[..count];
                self.tell(Event::Output {
                    slot,
                    session,
                    stream,
                    noted,
                    bytes,
                });
                self.output = output;
            }
            if reading != Reading::More {
                return reading;
            }
        }
        Reading::More
    }

    /// The answers pipe has been read to its end: tells it, once.
    pub(crate) fn answers_ended(&mut self, slot: SlotId) {
        let Some(process) = self.workers.in_slot(slot) else {
            return;
        };
        if mem::replace(&mut process.eof_told, true) {
            return;
        }
        if let Some(fd) = process.answers.raw() {
            let _gone = self.poll.registry().deregister(&mut SourceFd(&fd));
            process.answers.close();
        }
        let session = process.place.session;
        self.tell(Event::Eof { slot, session });
    }

    /// A pipe of this worker was left with bytes in it, which nobody will report again.
    pub(crate) fn leave_unread(&mut self, slot: SlotId) {
        let Some(process) = self.workers.in_slot(slot) else {
            return;
        };
        if !mem::replace(&mut process.unread, true) {
            self.unread.push(slot);
        }
    }

    /// Goes on with the pipes that were left in the turn before.
    pub(crate) fn read_rest(&mut self) {
        if self.unread.is_empty() {
            return;
        }
        for slot in mem::take(&mut self.unread) {
            let unread = |process: &mut Process| mem::replace(&mut process.unread, false);
            if self.workers.in_slot(slot).is_some_and(unread) {
                self.read_answers(slot);
            }
        }
    }
}

/// Whether these bytes are one whole frame, and that a reply.
fn is_one_reply(bytes: &[u8]) -> bool {
    let Some((length, rest)) = bytes.split_first_chunk::<4>() else {
        return false;
    };
    let whole = u32::from_le_bytes(*length) as usize == rest.len();
    whole && rest.first() == Some(&(FrameKind::Reply as u8))
}
