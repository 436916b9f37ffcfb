//! An attempt of a kind of somebody's own: its `perform` is called once, when the attempt begins or when it ends, and
//! what it makes goes into the pipe as from a real worker.

use super::attempt::Attempt;
use super::{WorkerProcess, World};
use crate::kind::Performed;
use crate::ledger::names;
use farm_lockstep::Digest;
use farm_protocol::{
    AttemptHeader, DEFAULT_FRAME_LIMIT, FrameError, ReplyFlags, attempt_frame_body,
};
use farm_worker::session::Finish;

/// Of a thousand attempts, how many are performed as soon as they begin; the others when their time has come.
const EARLY: u32 = 300;

/// What an attempt is to do.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) request: Vec<u8>,
    /// What came of it, once it is performed.
    pub(super) done: Option<Performed>,
}

impl WorkerProcess {
    /// The attempt has begun: perhaps all of it happens now, and only its answer takes time.
    pub(super) fn perform_early(&mut self, cx: &mut World<'_>, attempt: &mut Attempt) {
        if attempt.work.is_none() || !cx.chance(EARLY, "it is performed at once") {
            return;
        }
        let done = self.call(cx, attempt, false);
        if matches!(done.how, Finish::Panicked(_) | Finish::Refused(_)) {
            attempt.wait = super::attempt::Wait::Turn;
        }
        // A cancellation comes too late for it.
        attempt.deaf = true;
        attempt.work.as_mut().expect("looked at above").done = Some(done);
    }

    /// The attempt's time has come: how it ends. What it said meanwhile is in the pipe before.
    pub(super) fn perform_now(
        &mut self,
        cx: &mut World<'_>,
        attempt: &mut Attempt,
    ) -> (Finish, ReplyFlags) {
        let early = attempt.work.as_mut().and_then(|work| work.done.take());
        let done = match early {
            Some(done) => done,
            None => self.call(cx, attempt, attempt.cancelled),
        };
        let id = attempt.header.id;
        let tolerant = cx.shared().ledger.tolerates_panics();
        match &done.how {
            Finish::Replied | Finish::Unmarshallable(_) => {}
            Finish::Panicked(words) => {
                cx.shared().ledger.session(self.id).panicked = Some(id);
                if !tolerant {
                    let called = cx.shared().ledger.called(id.task);
                    let place = done.place.as_str();
                    cx.violation(names::PERFORM, || format!("of {called}{place}: {words}"));
                }
            }
            Finish::Refused(why) => {
                cx.shared().ledger.session(self.id).babbled = true;
                let called = cx.shared().ledger.called(id.task);
                cx.violation(names::WIRE, || format!("the request of {called}: {why}"));
            }
        }
        self.response.extend_from_slice(&done.response);
        let mut flags = done.flags;
        flags.left_behind |= attempt.left_behind;
        (done.how, flags)
    }

    fn call(&mut self, cx: &mut World<'_>, attempt: &Attempt, cancelled: bool) -> Performed {
        let work = attempt.work.as_ref().expect("asked by the caller");
        let performer = self.performer.as_mut().expect("a typed request has one");
        let id = attempt.header.id;
        let done = performer.perform(id, &work.request, cancelled);
        cx.trace(|| {
            let when = if cancelled { ", cancelled" } else { "" };
            format!("perform of {id}{when}: {:?}", done.how)
        });
        // A performer that answers otherwise in the same schedule shows in the digest.
        let mut digest = Digest::new();
        digest.bytes(&done.response);
        cx.mix(digest.value());
        let header = AttemptHeader {
            number: attempt.header.number,
            id,
        };
        for remark in &done.said {
            let body = |out: &mut Vec<u8>| {
                out.extend_from_slice(&remark.body);
                Ok::<(), FrameError>(())
            };
            let limit = DEFAULT_FRAME_LIMIT;
            attempt_frame_body(&mut self.outbox, remark.frame, &header, limit, body)
                .expect("it was encoded up to the limit");
        }
        // It is said while it performs, whatever becomes of its answer.
        self.flush(cx);
        done
    }
}
