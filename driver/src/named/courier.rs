//! What the farm's loop says to a table: how its errands ended and which processes are gone. It knows no hook and no lock
//! of the table: the loop lays its news into an inbox and goes on.

use super::error::MachineCrash;
use crate::entrance::Way;
use crate::message::{Learn, Message, Submission};
use crate::shared::Shared;
use crate::ticket::{Refused, Resolved};
use crossbeam_channel::Sender;
use farm_master::named::{RequestId, Treated, WorkerId};
use farm_master::{
    CancelledBy, Death, Errand, Gone, Held, HowStopped, Misfit, NamedKind, Outcome, Receive,
    Refusal, Report, Settled, TaskOptions,
};
use farm_protocol::{KindId, Named, Session, SlotId, TaskId};
use std::sync::{Arc, OnceLock};

/// What the attendant hears.
pub(super) enum News<N: Named> {
    /// Somebody has told the table something.
    Rung,
    /// An errand has ended: of a launch, or of a request.
    Ended {
        worker: WorkerId,
        request: Option<RequestId>,
        how: Box<Resolved<NamedKind<N>>>,
    },
    /// A process of the pool is gone.
    Gone {
        place: (SlotId, Session),
        gone: Box<Gone>,
    },
    /// The farm's loop has ended: nothing more will be heard of it.
    FarmOver,
    /// Nobody has the table any more.
    Left,
}

/// Carries an errand to the farm and its end back.
pub(super) struct Courier<N: Named> {
    worker: WorkerId,
    request: Option<RequestId>,
    id: OnceLock<TaskId>,
    inbox: Sender<News<N>>,
}

impl<N: Named> Courier<N> {
    /// Sends an errand out.
    pub(super) fn send(
        (worker, request): (WorkerId, Option<RequestId>),
        inbox: &Sender<News<N>>,
        (shared, kind): (&Shared, KindId),
        errand: Errand<N>,
        options: TaskOptions,
    ) -> Arc<Self> {
        let courier = Arc::new(Self {
            worker,
            request,
            id: OnceLock::new(),
            inbox: inbox.clone(),
        });
        let waiter = Arc::clone(&courier) as Arc<dyn Receive<NamedKind<N>>>;
        shared.submit(Submission {
            kind,
            held: Box::new(Held::new(errand, Some(waiter))),
            options: Some(Box::new(options)),
            ticket: Some(Arc::clone(&courier) as Arc<dyn Learn>),
            scope: None,
            way: Way::Plain,
        });
        courier
    }

    /// Has it stopped, by the ladder. It ends all the same.
    pub(super) fn stop(self: Arc<Self>, shared: &Shared, reason: String) {
        shared.post(Message::CancelTicket {
            ticket: self,
            reason,
        });
    }

    fn tell(&self, how: Resolved<NamedKind<N>>) {
        // Without an attendant nobody is left to hear it.
        let _over = self.inbox.send(News::Ended {
            worker: self.worker,
            request: self.request,
            how: Box::new(how),
        });
    }
}

impl<N: Named> Receive<NamedKind<N>> for Courier<N> {
    fn settled(&self, settled: Settled<NamedKind<N>>) {
        self.tell(Ok(settled));
    }

    fn refused(&self, task: Errand<N>, refusal: Refusal) {
        self.tell(Err(Refused { task, refusal }));
    }
}

impl<N: Named> Learn for Courier<N> {
    fn learn(&self, id: TaskId) {
        self.id.get_or_init(|| id);
    }

    fn id(&self) -> Option<TaskId> {
        self.id.get().copied()
    }
}

/// A death in words.
pub(super) fn crash(death: &Death) -> MachineCrash {
    let mut why = match &death.panic {
        Some(panic) => format!("it panicked: {panic}"),
        None => death.termination.to_string(),
    };
    let words = String::from_utf8_lossy(&death.last_words);
    if let Some(memory) = death.memory.words() {
        why.push_str("; ");
        why.push_str(memory);
    }
    if death.panic.is_none() && !words.trim().is_empty() {
        why.push_str("; its last words: ");
        why.push_str(words.trim());
    }
    MachineCrash { why, during: None }
}

pub(super) fn because(why: impl Into<String>) -> MachineCrash {
    MachineCrash {
        why: why.into(),
        during: None,
    }
}

/// Whether the process of an attempt that was asked to stop lives.
pub(super) const fn lives(how: HowStopped) -> bool {
    match how {
        HowStopped::BeforeStart | HowStopped::Acked | HowStopped::LateReply => true,
        HowStopped::Exited | HowStopped::Terminated | HowStopped::Killed => false,
    }
}

/// What a worker has answered to a request.
pub(super) type Reply<N> = Result<<N as Named>::Response, <N as Named>::RequestError>;

/// What the end of a request's errand means to the table, and the answer if there is one.
pub(super) fn treated<N: Named>(
    outcome: Outcome<Report<N>, Misfit>,
) -> (Treated, Option<Reply<N>>) {
    let fault = |fault: String, crash: Option<MachineCrash>| Treated::Fault { fault, crash };
    let treated = match outcome {
        Outcome::Done(Report::Answered(answer)) => {
            let ok = answer.is_ok();
            return (Treated::Answered { ok }, Some(answer));
        }
        Outcome::Done(Report::Launched(_) | Report::Refused(_)) => {
            unreachable!("what does not fit the errand is a failure")
        }
        Outcome::Failed(misfit) => fault(misfit.to_string(), Some(because(misfit.to_string()))),
        Outcome::Cancelled {
            by: CancelledBy::Stopping,
            ..
        }
        | Outcome::Closed
        | Outcome::SpawnFailed(_) => Treated::FarmOver,
        Outcome::Cancelled { how, .. } if lives(how) => Treated::Stopped(how),
        Outcome::Cancelled { how, .. } => Treated::Killed(how),
        Outcome::TimedOut { which, how } => {
            let why = format!("the request was out of time ({which:?}; {how:?})");
            let crash = (!lives(how)).then(|| because(why.clone()));
            fault(why, crash)
        }
        Outcome::LimitExceeded {
            what,
            how,
            used,
            limit,
        } => {
            let why =
                format!("the request used too much {what:?}: {used} of {limit} bytes ({how:?})");
            let crash = (!lives(how)).then(|| because(why.clone()));
            fault(why, crash)
        }
        Outcome::RequestNotMarshallable(error) => {
            fault(format!("the request cannot be encoded: {error}"), None)
        }
        Outcome::ResponseNotMarshallable(error) => fault(
            format!("its worker could not encode the answer: {error}"),
            None,
        ),
        Outcome::RequestRefused(error) => {
            let why = format!("its process could not decode the request: {error}");
            fault(why.clone(), Some(because(why)))
        }
        Outcome::ResponseGarbled(error) => {
            let why = format!("the answer of its process could not be decoded: {error}");
            fault(why.clone(), Some(because(why)))
        }
        Outcome::KindFault(error) => fault(error.to_string(), Some(because(error.to_string()))),
        Outcome::WorkerLost(death) | Outcome::Panicked(death) => Treated::Died(crash(&death)),
        Outcome::Poisoned(deaths) => {
            let why = deaths.last().map_or_else(|| because("it died"), crash);
            Treated::Died(why)
        }
        Outcome::HolderGone => Treated::Died(because("its process was gone")),
        Outcome::Skipped(_) | Outcome::InjectionRefused { .. } | Outcome::Displaced => {
            let why = "its request was not sent";
            fault(why.to_owned(), Some(because(why)))
        }
    };
    (treated, None)
}
