//! What the master wants done, done in the simulated world.

use super::{Ear, MasterProcess, Outgoing, Place, World};
use crate::worker::WorkerProcess;
use crate::world::{PIPE_BYTES, pipes, roles};
use farm_lockstep::{Exit, PipeId, SpawnOptions};
use farm_master::{Action, Link, Signal};
use farm_protocol::{
    AttemptHeader, DEFAULT_FRAME_LIMIT, FrameDecoder, FrameKind, Session, SlotId, decode,
};
use std::ops::Range;

/// A frame without a body.
const STOP_BYTES: usize = 5;

impl MasterProcess {
    pub(super) fn perform(&mut self, cx: &mut World<'_>, action: &Action) {
        if cx.is_traced() {
            let words = farm_master::words::action(action, &self.actions.bytes).to_string();
            cx.trace(|| words);
        }
        let now = super::instant(cx.now());
        let ledger = &mut cx.shared().ledger;
        // The ledger first: it names the rule that is broken more exactly.
        ledger.acts(action);
        if let Err(why) = ledger.model_sees(now, action) {
            ledger.breaks(crate::ledger::names::I5, || why);
        }
        match action {
            Action::Spawn { slot, session, .. } => self.spawn(cx, *slot, *session),
            Action::Send {
                slot,
                session,
                link,
                bytes,
            } => self.send(cx, *slot, *session, *link, bytes.clone()),
            Action::Signal {
                slot,
                session,
                signal,
            } => self.signal(cx, *slot, *session, *signal),
            Action::Decode {
                slot,
                session,
                id,
                bytes,
                ..
            } => {
                let handle = cx.shared().ledger.decode(bytes);
                let me = cx.me();
                cx.send(
                    me,
                    crate::message::Message::Decoded {
                        slot: *slot,
                        session: *session,
                        id: *id,
                        handle,
                    },
                );
            }
            Action::Token(token) => Self::asks_jobserver(cx, token),
            Action::Weigh { slot, session } => self.weigh(cx, *slot, *session),
            Action::Settle(settlement) => {
                cx.shared().ledger.tells_end(settlement);
                Self::errand_ends(cx, settlement);
            }
            Action::Refuse { task, refusal } => {
                cx.shared().ledger.hands_back(*task, refusal);
                Self::errand_is_refused(cx, *task);
            }
            Action::WorkerGone {
                slot,
                session,
                gone,
            } => Self::tells_of_gone(cx, (*slot, *session), gone),
            Action::Started { .. }
            | Action::Watch { .. }
            | Action::Unwatch { .. }
            | Action::Progress { .. }
            | Action::AttemptEnded { .. }
            | Action::Unmatched { .. }
            | Action::Admitted { .. }
            | Action::ScopeEnded { .. }
            | Action::RefuseScope { .. }
            | Action::PoolEnded { .. }
            | Action::WorkerReady { .. }
            | Action::Stopped => {}
        }
    }

    fn spawn(&mut self, cx: &mut World<'_>, slot: SlotId, session: Session) {
        let manners = cx.shared().manners;
        if cx.fault(manners.spawn_fails, "a worker cannot be started") {
            self.failed_starts.push_back((slot, session));
            return;
        }
        let me = cx.me();
        let page = !cx.fault(manners.pageless, "a worker without a page");
        let mut options = SpawnOptions::new("w", roles::WORKER);
        options.number = u32::try_from(session.0).expect("few sessions");
        options.watched = true;
        let performers = cx.shared().performers.as_ref();
        let performer = performers.map(|performers| performers.make(session));
        let pid = cx.spawn(Box::new(WorkerProcess::new(session, performer)), options);
        let requests = cx.pipe(pipes::REQUESTS, me, pid, PIPE_BYTES);
        let control = cx.pipe(pipes::CONTROL, me, pid, PIPE_BYTES);
        let answers = cx.pipe(pipes::ANSWERS, pid, me, PIPE_BYTES);
        let output = cx.pipe(pipes::OUTPUT, pid, me, PIPE_BYTES);
        let farm = cx.shared();
        farm.workers.push((pid, session));
        farm.ledger
            .spawned(session, pid, page, [requests, control, answers, output]);
        for (pipe, ear) in [
            (requests, Ear::Mouth(slot, session)),
            (control, Ear::Mouth(slot, session)),
            (answers, Ear::Answers(slot, session)),
            (output, Ear::Output(slot, session)),
        ] {
            let index = pipe.0 as usize;
            if self.ears.len() <= index {
                self.ears.resize(index + 1, None);
            }
            self.ears[index] = Some(ear);
        }
        let outgoing = |pipe| Outgoing {
            pipe,
            backlog: Vec::new(),
        };
        self.places[slot.0 as usize] = Some(Place {
            session,
            pid,
            requests: outgoing(requests),
            control: outgoing(control),
            output,
        });
        self.starts.push_back((slot, session, page));
    }

    fn send(
        &mut self,
        cx: &mut World<'_>,
        slot: SlotId,
        session: Session,
        link: Link,
        bytes: Range<usize>,
    ) {
        let bytes = &self.actions.bytes[bytes];
        match link {
            Link::Control => tell_ledger(cx, session, bytes),
            // Nothing but a `Stop` is this short.
            Link::Requests if bytes.len() == STOP_BYTES => {
                cx.shared().ledger.told_to_end(session);
            }
            Link::Requests => {}
        }
        let Some(place) = self.places[slot.0 as usize]
            .as_mut()
            .filter(|place| place.session == session)
        else {
            return;
        };
        let outgoing = match link {
            Link::Requests => &mut place.requests,
            Link::Control => &mut place.control,
        };
        if !outgoing.backlog.is_empty() {
            outgoing.backlog.extend_from_slice(bytes);
            return;
        }
        let taken = cx.write(outgoing.pipe, bytes);
        outgoing.backlog.extend_from_slice(&bytes[taken..]);
    }

    /// A pipe has room again for what it had not taken.
    pub(super) fn flush(&mut self, cx: &mut World<'_>, pipe: PipeId) {
        let Ear::Mouth(slot, session) = self.ear(pipe) else {
            return;
        };
        let Some(place) = self.place(slot, session) else {
            return;
        };
        let outgoing = if place.requests.pipe == pipe {
            &mut place.requests
        } else {
            &mut place.control
        };
        let taken = cx.write(outgoing.pipe, &outgoing.backlog);
        outgoing.backlog.drain(..taken);
    }

    fn signal(&mut self, cx: &mut World<'_>, slot: SlotId, session: Session, signal: Signal) {
        let Some(pid) = self.place(slot, session).map(|place| place.pid) else {
            return;
        };
        match signal {
            Signal::Terminate => cx.send(pid, crate::message::Message::Terminate),
            Signal::Kill => {
                let exit = Exit::Signal(9);
                if cx.is_alive(pid) {
                    cx.shared().ledger.session(session).killed = true;
                }
                cx.shared().ledger.died(session, exit);
                cx.kill(pid, exit);
            }
        }
    }
}

/// Writes into the trace what the kind was asked and said.
pub(super) fn trace_said(cx: &mut World<'_>) {
    if cx.is_traced() {
        let said = cx.shared().ledger.said.get_or_insert_default();
        for line in std::mem::take(said) {
            cx.trace(|| line);
        }
    }
}

/// What goes over the control pipe matters to the truth: who was asked to stop.
fn tell_ledger(cx: &mut World<'_>, session: Session, bytes: &[u8]) {
    let mut decoder = FrameDecoder::new(DEFAULT_FRAME_LIMIT);
    decoder.push(bytes);
    while let Some(frame) = decoder.next_frame().expect("the master speaks protocol") {
        let header: AttemptHeader = decode(frame.body).expect("the master writes headers");
        match frame.kind {
            FrameKind::Cancel => cx.shared().ledger.asks(header.id, session),
            FrameKind::Revoke => cx.shared().ledger.calls_back(header.id, session),
            other => panic!("{other:?} does not belong on the control pipe"),
        }
    }
}
