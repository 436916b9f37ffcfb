//! What workers say, as far as the lane depends on it: which attempts are answered, and which were handed back.
//!
//! An answer that is out of the protocol makes the machine deaf for its worker, so what comes behind it must not count.

use super::{Model, State};
use farm_protocol::{
    AttemptHeader, AttemptId, DEFAULT_FRAME_LIMIT, Frame, FrameDecoder, FrameKind, Greeting,
    Instant, KindHello, Progress, ReplyHeader, Session, TaskId, decode, decode_prefix,
};

/// What is known of a worker.
#[derive(Debug)]
pub(super) struct Worker {
    ear: Ear,
    /// Without a page it holds one request.
    pub(super) page: bool,
    /// Nothing was ever sent to it.
    pub(super) fresh: bool,
    /// Its process is dead and collected.
    pub(super) exited: bool,
    /// What it has must have no company.
    pub(super) alone: bool,
    /// What was sent and is not answered, in order.
    pub(super) held: Vec<Flight>,
}

/// How it is listened to.
#[derive(Debug)]
enum Ear {
    Greeting(Greeting),
    Frames(FrameDecoder),
    Deaf,
}

/// A request that is with a worker.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) id: AttemptId,
    /// Something was said to the worker while it had this: it may hand it back.
    pub(super) asked: bool,
    /// Its answer is being decoded off the loop.
    decoding: bool,
    panicked: bool,
}

impl Flight {
    pub(super) const fn new(id: AttemptId) -> Self {
        Self {
            id,
            asked: false,
            decoding: false,
            panicked: false,
        }
    }
}

impl Worker {
    pub(super) const fn launched() -> Self {
        Self {
            ear: Ear::Greeting(Greeting::new(DEFAULT_FRAME_LIMIT)),
            page: false,
            fresh: true,
            exited: false,
            alone: false,
            held: Vec::new(),
        }
    }

    /// Bytes came.
    fn listens(&mut self, bytes: &[u8], ours: &KindHello) {
        self.ear = match std::mem::replace(&mut self.ear, Ear::Deaf) {
            Ear::Greeting(mut greeting) => match greeting.push(bytes) {
                Ok(None) => Ear::Greeting(greeting),
                Ok(Some(hello)) if hello.find(ours).is_ok() => Ear::Frames(greeting.into_decoder()),
                Ok(Some(_)) | Err(_) => Ear::Deaf,
            },
            Ear::Frames(mut frames) => {
                frames.push(bytes);
                Ear::Frames(frames)
            }
            Ear::Deaf => Ear::Deaf,
        };
    }

    /// What it says next, if it has said more.
    fn next(&mut self) -> Option<Said> {
        let Ear::Frames(frames) = &mut self.ear else {
            return None;
        };
        match frames.next_frame() {
            Ok(None) => None,
            Ok(Some(frame)) => Some(Said::read(frame).unwrap_or(Said::Nonsense)),
            Err(_) => Some(Said::Nonsense),
        }
    }

    fn land(&mut self, at: usize) {
        self.held.remove(at);
        self.alone = false;
    }

    /// The answer of an attempt is decoded. False: it was not being decoded.
    pub(super) fn decoded(&mut self, id: AttemptId) -> bool {
        let is_it = |flight: &Flight| flight.id == id && flight.decoding;
        let found = self.held.iter().position(is_it);
        found.map(|at| self.land(at)).is_some()
    }

    /// It is not listened to any more. The first that it has not answered has got its answer: nonsense.
    fn deafens(&mut self) -> Option<TaskId> {
        self.ear = Ear::Deaf;
        let open = |flight: &Flight| !flight.decoding && !flight.panicked;
        let at = self.held.iter().position(open)?;
        let id = self.held[at].id.task;
        self.land(at);
        Some(id)
    }
}

/// What a frame says to the lane.
#[derive(Clone, Copy, Debug)]
enum Said {
    /// What no worker says.
    Nonsense,
    /// Something that changes no attempt.
    Nothing,
    /// A response of so many bytes.
    Replied(AttemptId, usize),
    /// Why there is none.
    Faulted(AttemptId),
    /// Why there will be none.
    Panicked(AttemptId),
    /// It has not begun and never will.
    Revoked(AttemptId),
}

impl Said {
    fn read(frame: Frame<'_>) -> Option<Self> {
        if frame.kind == FrameKind::Reply {
            let (header, body) = decode_prefix::<ReplyHeader>(frame.body).ok()?;
            return Some(Self::Replied(header.id, body.len()));
        }
        let (header, body) = decode_prefix::<AttemptHeader>(frame.body).ok()?;
        let text = || decode::<String>(body).ok();
        match frame.kind {
            FrameKind::Feedback => Some(Self::Nothing),
            FrameKind::Progress => {
                let progress = decode::<Progress>(body).ok()?;
                (progress.note.len() <= Progress::NOTE_MAX).then_some(Self::Nothing)
            }
            FrameKind::Revoked => Some(Self::Revoked(header.id)),
            FrameKind::Refused | FrameKind::Unmarshallable => {
                text().map(|_| Self::Faulted(header.id))
            }
            FrameKind::Panicked => text().map(|_| Self::Panicked(header.id)),
            FrameKind::Reply
            | FrameKind::Hello
            | FrameKind::Request
            | FrameKind::Stop
            | FrameKind::Cancel
            | FrameKind::Revoke => None,
        }
    }

    const fn about(self) -> Option<AttemptId> {
        match self {
            Self::Nonsense | Self::Nothing => None,
            Self::Replied(id, _) | Self::Faulted(id) | Self::Panicked(id) | Self::Revoked(id) => {
                Some(id)
            }
        }
    }
}

impl Model {
    /// Answers came from a worker. All that ends by them is told by the machine; what is handed back is not.
    pub(super) fn hears(&mut self, session: Session, bytes: &[u8]) {
        let Some(mut worker) = self.sessions.remove(&session) else {
            return;
        };
        worker.listens(bytes, &self.config.hello);
        while let Some(said) = worker.next() {
            let found = said
                .about()
                .and_then(|id| worker.held.iter().position(|flight| flight.id == id));
            let sensible = match (said, found) {
                (Said::Nothing, _) | (Said::Revoked(_), None) => true,
                // It answers what it does not have, or worse.
                (Said::Nonsense, _) | (_, None) => false,
                (said, Some(at)) => self.answered(&mut worker, at, said),
            };
            if !sensible {
                self.call.answered.extend(worker.deafens());
            }
        }
        self.sessions.insert(session, worker);
    }

    /// Something is said of an attempt that the worker holds. False: no worker says that.
    fn answered(&mut self, worker: &mut Worker, at: usize, said: Said) -> bool {
        let flight = &worker.held[at];
        let id = flight.id.task;
        let stopping = self
            .task(id)
            .is_some_and(|task| matches!(task.state, State::Stopping { .. }));
        if let Said::Revoked(_) = said {
            let sensible = !flight.decoding && (flight.asked || stopping);
            if sensible {
                worker.land(at);
                self.call
                    .handed_back
                    .push_back((self.call.answered.len(), id));
            }
            return sensible;
        }
        let in_order = worker.held[..at].iter().all(|earlier| earlier.decoding);
        if !in_order || flight.decoding || flight.panicked {
            return false;
        }
        match said {
            Said::Panicked(_) => {
                // It panicked in time.
                worker.held[at].panicked = true;
                self.unschedule(id);
            }
            Said::Replied(_, bytes) if bytes > self.config.decode_above && !stopping => {
                worker.held[at].decoding = true;
                self.unschedule(id);
            }
            Said::Replied(..) | Said::Faulted(_) => {
                worker.land(at);
                self.call.answered.push_back(id);
            }
            Said::Nonsense | Said::Nothing | Said::Revoked(_) => {}
        }
        true
    }

    /// A worker is gone to the last byte: what it held and did not begin was not told of.
    pub(super) fn worker_gone(&mut self, now: Instant, session: Session) {
        let held = self.sessions.remove(&session).map(|worker| worker.held);
        for flight in held.into_iter().flatten() {
            let id = flight.id;
            let with_it = self.task(id.task).is_some_and(|task| {
                let out = matches!(task.state, State::InFlight { .. } | State::Stopping { .. });
                out && task.attempts == id.attempt.0
            });
            if with_it {
                self.void(now, id.task);
            }
        }
    }

    /// The answer of its attempt is here, and is being decoded.
    pub(super) fn is_decoding(&self, id: TaskId) -> bool {
        self.worker_of(id).is_some_and(|worker| {
            worker
                .held
                .iter()
                .any(|flight| flight.id.task == id && flight.decoding)
        })
    }
}
