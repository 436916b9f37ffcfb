//! The worker's half of a kind of somebody's own: its `perform`, called where the simulated worker stands.
//!
//! It makes of a request in bytes what a worker process makes of it, with a stand-in for the master.

use farm_protocol::{AttemptId, DEFAULT_FRAME_LIMIT, FrameKind, ReplyFlags, Session, encode_into};
use farm_worker::session::Finish;
use farm_worker::session::frames::payload_max;
use farm_worker::{Context, Detached, Perform, Seated};
use serde::Serialize;
use std::any::Any;
use std::fmt;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A performer without its types.
pub(crate) trait Performer {
    /// Decodes, performs and encodes. Never unwinds.
    fn perform(&mut self, id: AttemptId, request: &[u8], cancelled: bool) -> Performed;
}

/// What came of an attempt.
#[derive(Debug)]
pub(crate) struct Performed {
    pub(crate) how: Finish,
    pub(crate) flags: ReplyFlags,
    /// The encoded response; empty unless there is one.
    pub(crate) response: Vec<u8>,
    /// What it said meanwhile, encoded, in order.
    pub(crate) said: Vec<Remark>,
    /// Where it panicked.
    pub(crate) place: String,
}

/// What an attempt says before it answers: feedback or progress, encoded.
#[derive(Clone, Debug)]
pub(crate) struct Remark {
    pub(crate) frame: FrameKind,
    pub(crate) body: Vec<u8>,
}

/// Makes the performer of a worker process.
#[derive(Clone)]
pub(crate) struct Performers(Rc<dyn Fn(Session) -> Box<dyn Performer>>);

impl Performers {
    pub(super) fn new<P: Perform>(make: Rc<dyn Fn() -> P>) -> Self {
        Self(Rc::new(move |session| {
            Box::new(Typed::new(make(), session))
        }))
    }

    pub(crate) fn make(&self, session: Session) -> Box<dyn Performer> {
        (self.0)(session)
    }
}

impl fmt::Debug for Performers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Performers")
    }
}

/// What attempts say, by the words of the real port.
#[derive(Clone, Debug, Default)]
struct Said(Arc<Mutex<Vec<Remark>>>);

impl Said {
    /// What cannot be encoded does not reach the master; the real context says so to whoever sends it.
    fn add(&self, frame: FrameKind, what: &impl Serialize) {
        let mut body = Vec::new();
        if encode_into(what, &mut body, payload_max(DEFAULT_FRAME_LIMIT)).is_ok() {
            self.all().push(Remark { frame, body });
        }
    }

    fn all(&self) -> MutexGuard<'_, Vec<Remark>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Typed<P: Perform> {
    seated: Seated<P>,
    master: Detached<P::Wire>,
    said: Said,
}

impl<P: Perform> Typed<P> {
    fn new(performer: P, session: Session) -> Self {
        let said = Said::default();
        let (feedback, progress) = (said.clone(), said.clone());
        let master = Detached::new()
            .expect("a descriptor for the cancel flag of a worker")
            .owning_children()
            .named(format!("sim{}w", session.0))
            .on_feedback(move |it| feedback.add(FrameKind::Feedback, it))
            .on_progress(move |it| progress.add(FrameKind::Progress, it));
        Self {
            seated: Seated::new(performer),
            master,
            said,
        }
    }
}

impl<P: Perform> Performer for Typed<P> {
    fn perform(&mut self, id: AttemptId, request: &[u8], cancelled: bool) -> Performed {
        if cancelled {
            self.master.cancel().raise();
        }
        let context = Context::detached(id, &self.master);
        let (mut response, max) = (Vec::new(), payload_max(DEFAULT_FRAME_LIMIT));
        let how = self.seated.perform(request, &context, &mut response, max);
        let place = super::place();
        if how != Finish::Replied {
            response.clear();
        }
        let flags = context.flags();
        self.master.rest();
        let said = std::mem::take(&mut *self.said.all());
        Performed {
            how,
            flags,
            response,
            said,
            place,
        }
    }
}

/// What a panic says.
pub(super) fn words_of(panic: &(dyn Any + Send)) -> String {
    match (panic.downcast_ref::<String>(), panic.downcast_ref::<&str>()) {
        (Some(words), _) => words.clone(),
        (None, Some(words)) => (*words).to_owned(),
        (None, None) => "without words".to_owned(),
    }
}
