//! What a worker does that no worker should: bad starts, deaths in the middle of a frame, nonsense, floods.

use super::attempt::{Attempt, Course};
use super::{Phase, WorkerProcess, World};
use crate::ledger::{Answered, Written, letter, worked_out, write_response};
use farm_lockstep::{Exit, PipeId};
use farm_master::DEAR_START;
use farm_protocol::{
    Attempt as Number, AttemptHeader, AttemptId, FrameKind, ReplyHeader, TaskId, begin_frame,
    finish_frame, reply_frame,
};
use farm_protocol::{DEFAULT_FRAME_LIMIT, FrameError, RequestHeader};
use farm_worker::session::Answer;
use farm_worker::session::frames::append_answer;

/// A nonsense answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nonsense {
    /// A frame that claims to be larger than any may be.
    Oversized,
    /// A reply to an attempt that nobody sent.
    WrongId,
    /// The reply, under the number of another attempt of its task.
    WrongAttempt,
    /// A frame that does not belong there.
    WrongFrame,
    /// Bytes that are no frame.
    Garbage,
    /// The reply, and another one.
    Twice,
    /// A reply to what it was sent later and has not begun.
    OutOfOrder,
    /// It hands the attempt back, unasked.
    GivesBack,
    /// It says that it panicked, and lives on.
    LivesOn,
    /// It closes its answers, and lives on.
    Closes,
}

/// In how many turns a worker starts: long enough for things to happen before its hello.
const BOOT_TURNS: u32 = 3;

/// More than a pipe holds, in bytes.
const FLOOD: usize = 150 << 10;

/// What floods consist of.
static WATER: [u8; FLOOD] = [b'x'; FLOOD];

/// Draws a way of speaking nonsense.
pub(super) fn drawn(cx: &mut World<'_>) -> Course {
    let ways = [
        Course::Babbles(Nonsense::WrongId),
        Course::Babbles(Nonsense::WrongAttempt),
        Course::CutsShort,
        Course::Babbles(Nonsense::Oversized),
        Course::Babbles(Nonsense::WrongFrame),
        Course::Babbles(Nonsense::Garbage),
        Course::Refuses,
        Course::Unmarshallable,
        Course::Babbles(Nonsense::Twice),
        Course::Babbles(Nonsense::OutOfOrder),
        Course::Babbles(Nonsense::GivesBack),
        Course::Babbles(Nonsense::LivesOn),
        Course::Babbles(Nonsense::Closes),
    ];
    ways[cx.choose(ways.len() as u32, "which nonsense") as usize]
}

impl WorkerProcess {
    pub(super) fn boot(&mut self, cx: &mut World<'_>) {
        let bad = cx.shared().manners.bad_start;
        if !cx.fault(bad, "a worker starts badly") {
            // Where spares are kept a start is dear.
            if self.kind(cx).staffing.spares == 0 {
                return cx.again();
            }
            let at = cx.now().after(DEAR_START);
            return cx.alarm(Some(at));
        }
        match cx.choose(4, "how it starts") {
            0 => self.die(cx, Exit::Code(127)),
            1 => {
                self.phase = Phase::Mute;
                cx.shared().ledger.session(self.id).babbled = true;
                let answers = self.pipe(cx, 2);
                cx.write(answers, b"usage: something else entirely\n");
            }
            2 => {
                // It never says anything.
                self.phase = Phase::Mute;
                cx.shared().ledger.session(self.id).babbled = true;
            }
            _ => {
                let late = cx.shared().ledger.config.hello_timeout;
                let half = cx.choose(2, "how late") == 0;
                let at = cx
                    .now()
                    .after(if half { late / 2 } else { late + late / 2 });
                cx.alarm(Some(at));
            }
        }
    }

    pub(super) fn boot_on(&mut self, cx: &mut World<'_>) {
        self.booted += 1;
        if self.booted < BOOT_TURNS {
            return cx.again();
        }
        self.say_hello(cx);
    }

    /// Only a part of the answer gets into the pipe.
    pub(super) fn die_in_frame(&mut self, cx: &mut World<'_>, before: usize) {
        let length = self.outbox.len() - before;
        if length > 1 {
            let most = u32::try_from(length - 1).unwrap_or(u32::MAX);
            let part = 1 + cx.choose(most, "how much of the frame") as usize;
            self.outbox.truncate(before + part);
        }
        // What stood in front of it is whole; the last is not.
        self.unsent.pop_back();
        self.flush(cx);
        if cx.is_alive(cx.me()) {
            self.die(cx, Exit::Signal(11));
        }
    }

    pub(super) fn babble(&mut self, cx: &mut World<'_>, attempt: &Attempt, nonsense: Nonsense) {
        let facts = cx.shared().ledger.session(self.id);
        (facts.babbled, facts.at_work) = (true, false);
        cx.shared().ledger.sees(crate::ledger::Seen::Babbled);
        let header = &attempt.header;
        match nonsense {
            Nonsense::Oversized => {
                self.outbox
                    .extend_from_slice(&[0xff, 0xff, 0xff, 0x7f, FrameKind::Reply as u8]);
            }
            Nonsense::WrongId => {
                let id = AttemptId {
                    task: TaskId::new(u32::MAX, 7),
                    attempt: header.id.attempt,
                };
                reply(id, &[0; 40], &mut self.outbox);
            }
            Nonsense::WrongAttempt => {
                let id = AttemptId {
                    task: header.id.task,
                    attempt: Number(header.id.attempt.0 + 1),
                };
                reply(id, &[0; 40], &mut self.outbox);
            }
            Nonsense::WrongFrame => {
                let start = begin_frame(&mut self.outbox, FrameKind::Stop);
                finish_frame(&mut self.outbox, start, DEFAULT_FRAME_LIMIT).expect("short");
            }
            Nonsense::Garbage => self.outbox.extend_from_slice(&[9; 64]),
            Nonsense::Twice => self.reply_twice(attempt),
            Nonsense::OutOfOrder => {
                let held = &cx.shared().ledger.session(self.id).held;
                let later = held.last().copied().filter(|id| *id != header.id);
                let nobody = AttemptId {
                    task: TaskId::new(u32::MAX, 7),
                    attempt: header.id.attempt,
                };
                reply(later.unwrap_or(nobody), &[0; 40], &mut self.outbox);
            }
            Nonsense::GivesBack | Nonsense::LivesOn | Nonsense::Closes => {
                return self.lie(cx, attempt, nonsense);
            }
        }
        self.flush(cx);
        // It believes that it has answered, and neither asks nor hears.
        self.phase = Phase::Mute;
    }

    /// A reply as it should be, and another one.
    fn reply_twice(&mut self, attempt: &Attempt) {
        let id = attempt.header.id;
        let (value, mut whole) = (worked_out(attempt.input), Vec::new());
        let (of, padding) = (self.id.0, attempt.padding);
        write_response(letter::DONE, id, of, value, padding, &mut whole);
        reply(id, &whole, &mut self.outbox);
        let how = Answered::Replied {
            heeded: false,
            left_behind: false,
        };
        let written = Written { end: 0, id, how };
        self.unsent.push_back((self.outbox.len(), written));
        reply(id, &[0; 40], &mut self.outbox);
    }

    /// Nonsense that is no nonsense by itself.
    fn lie(&mut self, cx: &mut World<'_>, attempt: &Attempt, nonsense: Nonsense) {
        let RequestHeader { number, id, .. } = attempt.header;
        let header = AttemptHeader { number, id };
        let answer = match nonsense {
            // Where there is credit a request may have been called back, and the model does not know which.
            Nonsense::GivesBack if self.kind(cx).credit_cap == 0 => Some(Answer::Revoked(header)),
            Nonsense::LivesOn => {
                cx.shared().ledger.session(self.id).panicked = Some(id);
                Some(Answer::Panicked(header, "as drawn".into()))
            }
            _ => None,
        };
        if let Some(answer) = &answer {
            append_answer(&mut self.outbox, answer, &[], DEFAULT_FRAME_LIMIT).expect("short");
            if let Answer::Revoked(_) = answer {
                let how = Answered::Revoked;
                let written = Written { end: 0, id, how };
                self.unsent.push_back((self.outbox.len(), written));
            }
        }
        self.flush(cx);
        match answer {
            Some(Answer::Revoked(_)) => return self.die(cx, Exit::Code(3)),
            Some(_) => {}
            None => {
                cx.shared().ledger.session(self.id).closed = true;
                let answers = self.pipe(cx, 2);
                cx.close(answers);
            }
        }
        self.phase = Phase::Mute;
    }

    /// More output than its pipe holds: the worker stands until somebody reads.
    pub(super) fn flood(&mut self, cx: &mut World<'_>) {
        self.flood = FLOOD;
        self.flood_on(cx);
    }

    /// Writes on; whether all is written.
    pub(super) fn flood_on(&mut self, cx: &mut World<'_>) -> bool {
        let output = self.pipe(cx, 3);
        self.flood -= cx.write(output, &WATER[..self.flood]);
        self.flood == 0
    }

    pub(super) fn writable(&mut self, cx: &mut World<'_>, pipe: PipeId) {
        if pipe == self.pipe(cx, 2) {
            self.flush(cx);
        } else if self.flood > 0 && self.flood_on(cx) && matches!(self.phase, Phase::Busy(_)) {
            cx.again();
        }
    }
}

/// A reply under any id, with any payload.
fn reply(id: AttemptId, payload: &[u8], out: &mut Vec<u8>) {
    let header = ReplyHeader {
        id,
        flags: farm_protocol::ReplyFlags::default(),
        ran_nanos: 1_000,
    };
    let append = |out: &mut Vec<u8>| {
        out.extend_from_slice(payload);
        Ok::<(), FrameError>(())
    };
    reply_frame(out, &header, DEFAULT_FRAME_LIMIT, append).expect("short");
}
