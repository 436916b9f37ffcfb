//! One attempt: how it goes is drawn when it begins, and done when its time has come.

use super::typed::Work;
use super::{Input, Phase, WorkerProcess, World};
use crate::ledger::{letter, worked_out, write_response};
use farm_lockstep::Exit;
use farm_protocol::{ReplyFlags, RequestHeader};
use farm_worker::session::{Event, Finish, Finished};
use std::time::Duration;

/// How an attempt goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Course {
    /// An answer with this letter.
    Answers(u8),
    /// The process dies before anything is written.
    DiesInCompute,
    /// The process dies when it has the answer, and has not written it.
    DiesBeforeWriting,
    /// The process dies in the middle of its answer.
    DiesInFrame,
    /// The process dies when its answer is out.
    DiesAfterReply,
    /// `perform` panics.
    Panics,
    /// The request cannot be decoded.
    Refuses,
    /// The response cannot be encoded.
    Unmarshallable,
    /// The response is cut short inside a frame that is whole: for the worker nothing has happened.
    CutsShort,
    /// The answer is nonsense.
    Babbles(super::misdeeds::Nonsense),
}

/// When it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// At its next turn.
    Turn,
    /// After this time.
    Time(Duration),
    /// Never.
    Forever,
}

/// An attempt that executes.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) header: RequestHeader,
    /// The number that it was given; 0 where there is work.
    pub(super) input: u64,
    /// What a kind of somebody's own is asked for.
    pub(super) work: Option<Box<Work>>,
    pub(super) course: Course,
    pub(super) wait: Wait,
    /// It takes no notice of a cancellation.
    pub(super) deaf: bool,
    /// It was cancelled.
    pub(super) cancelled: bool,
    pub(super) floods: bool,
    /// Bytes that make the response large.
    pub(super) padding: usize,
    /// A process of its own goes on behind it.
    pub(super) left_behind: bool,
}

/// The times that a slow attempt takes.
const SLOW: [Duration; 4] = [
    Duration::from_millis(1),
    Duration::from_millis(30),
    Duration::from_millis(400),
    Duration::from_secs(3),
];

/// What makes a response large, in bytes: more than the scenarios decode on the loop.
const LARGE: usize = 512;

impl Attempt {
    pub(super) fn drawn(cx: &mut World<'_>, header: RequestHeader, input: Input) -> Self {
        let manners = cx.shared().manners;
        let (input, work) = match input {
            Input::Number(number) => (number, None),
            Input::Encoded(request) => {
                let done = None;
                (0, Some(Box::new(Work { request, done })))
            }
        };
        let mut attempt = Self {
            header,
            input,
            work,
            course: Course::Answers(letter::DONE),
            wait: Wait::Turn,
            deaf: false,
            cancelled: false,
            floods: false,
            padding: 0,
            left_behind: false,
        };
        if cx.chance(manners.fails, "the task fails") {
            attempt.course = Course::Answers(letter::FAILED);
        } else if cx.chance(manners.ends_worker, "the kind ends the worker") {
            attempt.course = Course::Answers(letter::DONE_AND_END);
        } else if cx.chance(manners.injects, "a follow-up is injected") {
            attempt.course = Course::Answers(letter::INJECT);
        }
        if cx.chance(manners.large, "the response is large") {
            attempt.padding = LARGE;
        }
        attempt.left_behind = cx.chance(manners.left_behind, "something is left behind");
        if cx.chance(manners.slow, "the attempt takes time") {
            attempt.wait = Wait::Time(SLOW[cx.choose(SLOW.len() as u32, "how long") as usize]);
        }
        if cx.fault(manners.dies, "the worker dies of the attempt") {
            let ways = [
                Course::DiesInCompute,
                Course::DiesBeforeWriting,
                Course::DiesInFrame,
                Course::DiesAfterReply,
                Course::Panics,
            ];
            // Whether somebody's own `perform` panics is not ours to draw.
            let count = ways.len() - usize::from(attempt.work.is_some());
            attempt.course = ways[cx.choose(count as u32, "where it dies") as usize];
        } else if cx.fault(manners.nonsense, "the worker speaks nonsense") {
            attempt.course = super::misdeeds::drawn(cx);
        }
        attempt.deaf = cx.fault(manners.deaf, "the attempt heeds no cancellation");
        if cx.fault(manners.hung, "the attempt hangs") {
            (attempt.wait, attempt.deaf) = (Wait::Forever, true);
        }
        attempt.floods = cx.fault(manners.floods, "the worker floods its output");
        attempt
    }

    /// For the trace.
    pub(super) fn begins(&self) -> String {
        let id = self.header.id;
        match self.course {
            // What somebody's own kind answers is not drawn.
            Course::Answers(_) if self.work.is_some() => format!("begins {id}"),
            course => format!("begins {id} ({course:?})"),
        }
    }

    fn letter(&self) -> u8 {
        match self.course {
            Course::Answers(letter) => letter,
            Course::DiesInCompute
            | Course::DiesBeforeWriting
            | Course::DiesInFrame
            | Course::DiesAfterReply
            | Course::Panics
            | Course::Refuses
            | Course::Unmarshallable
            | Course::CutsShort
            | Course::Babbles(_) => letter::DONE,
        }
    }
}

impl WorkerProcess {
    /// The attempt that executes has been cancelled.
    pub(super) fn cancelled(&mut self, cx: &mut World<'_>) {
        let Phase::Busy(attempt) = &mut self.phase else {
            return;
        };
        let (id, deaf) = (attempt.header.id, attempt.deaf);
        cx.shared().ledger.is_cancelled(id, self.id);
        let Phase::Busy(attempt) = &mut self.phase else {
            return;
        };
        if !deaf {
            // It ends now, whatever it was about to do.
            attempt.cancelled = true;
            cx.alarm(None);
            cx.again();
        }
    }

    /// The calm phase has begun: what hung goes on, and heeds again.
    pub(super) fn calm(&mut self, cx: &mut World<'_>) {
        match &mut self.phase {
            Phase::Busy(attempt) if attempt.wait == Wait::Forever => cx.again(),
            Phase::Mute | Phase::Busy(_) | Phase::Free | Phase::Booting => {}
        }
    }

    /// The attempt's time has come.
    pub(super) fn work_on(&mut self, cx: &mut World<'_>) {
        if self.flood > 0 && !self.flood_on(cx) {
            return;
        }
        let Phase::Busy(mut attempt) = std::mem::replace(&mut self.phase, Phase::Free) else {
            panic!("only a busy worker works on");
        };
        cx.alarm(None);
        let (how, flags) = match attempt.course {
            Course::DiesInCompute if !attempt.cancelled => return self.die(cx, Exit::Signal(11)),
            Course::Babbles(nonsense) if !attempt.cancelled => {
                return self.babble(cx, &attempt, nonsense);
            }
            _ if attempt.work.is_some() => self.perform_now(cx, &mut attempt),
            course => {
                let flags = ReplyFlags {
                    heeded_cancel: attempt.cancelled,
                    left_behind: attempt.left_behind,
                };
                (self.finish(cx, &attempt, course), flags)
            }
        };
        let finished = Event::Finished(Finished {
            how,
            flags,
            ran_nanos: 1_000,
        });
        let unsent = self.outbox.len();
        self.tell(cx, finished, None);
        if !cx.is_alive(cx.me()) {
            return;
        }
        cx.shared().ledger.session(self.id).at_work = false;
        self.response.clear();
        match attempt.course {
            // What stands in the outbox is lost with it, also what came before.
            Course::DiesBeforeWriting => self.die(cx, Exit::Signal(11)),
            Course::DiesInFrame => self.die_in_frame(cx, unsent),
            Course::DiesAfterReply => {
                self.dies_after_reply = true;
                self.flush(cx);
            }
            Course::Answers(_)
            | Course::DiesInCompute
            | Course::Panics
            | Course::Refuses
            | Course::Unmarshallable
            | Course::CutsShort
            | Course::Babbles(_) => self.go_on(cx),
        }
    }

    /// How `perform` ends. A cancelled attempt ends as any other, whatever it was about to do.
    fn finish(&mut self, cx: &mut World<'_>, attempt: &Attempt, course: Course) -> Finish {
        let id = attempt.header.id;
        match course {
            Course::Panics if !attempt.cancelled => {
                cx.shared().ledger.session(self.id).panicked = Some(id);
                Finish::Panicked("as drawn".into())
            }
            Course::Refuses => {
                cx.shared().ledger.session(self.id).babbled = true;
                Finish::Refused("as drawn".into())
            }
            Course::Unmarshallable => Finish::Unmarshallable("as drawn".into()),
            Course::CutsShort if !attempt.cancelled => {
                cx.shared().ledger.session(self.id).babbled = true;
                self.response.extend_from_slice(&[0, 1, 2]);
                Finish::Replied
            }
            Course::Answers(_)
            | Course::DiesBeforeWriting
            | Course::DiesInFrame
            | Course::CutsShort
            | Course::DiesAfterReply
            | Course::DiesInCompute
            | Course::Panics
            | Course::Babbles(_) => {
                let (letter, value) = (attempt.letter(), worked_out(attempt.input));
                let out = &mut self.response;
                write_response(letter, id, self.id.0, value, attempt.padding, out);
                Finish::Replied
            }
        }
    }
}
