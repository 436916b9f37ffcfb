//! The master's half of a kind of named workers: errands to workers that are to be somebody, or are.
//!
//! It turns errands into messages and answers into reports. It knows no name's meaning, no mailbox and no table.

use crate::affinity::Affinity;
use crate::kind::{TaskKind, Verdict, WorkerStatus};
use farm_protocol::{FromNamed, Named, NamedWire, Session, SlotId, ToNamed};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// A kind of named workers as the farm knows it: a task is an [`Errand`] to one of its workers.
///
/// Its pool is one of workers that are somebody ([`crate::Staffing::named`]). An errand must not be done twice, so its
/// options say [`crate::OnLost::Fail`].
pub struct NamedKind<N>(PhantomData<fn() -> N>);

/// What is asked of a named worker.
pub enum Errand<N: Named> {
    /// Somebody is to be launched in a process that is fresh.
    Launch {
        /// What it is called.
        name: Arc<str>,
        /// What it is launched with.
        params: N::Params,
    },
    /// Somebody is to treat this.
    Request {
        /// The process that it is.
        worker: (SlotId, Session),
        /// What.
        request: Arc<N::Request>,
    },
}

/// What came of an [`Errand`].
pub enum Report<N: Named> {
    /// It is somebody.
    Launched(N::Welcome),
    /// It refused to be launched. Its process ends.
    Refused(N::LaunchError),
    /// It has treated a request, and goes on.
    Answered(Result<N::Response, N::RequestError>),
}

/// A named worker answered something else than it was asked. Its process is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a worker of kind `{kind}` answered a {asked} with a {answered}: its worker's half is not `farm_worker::Host`, or \
     speaks another version of it; use `Host`, or raise the kind's VERSION"
)]
pub struct Misfit {
    /// The kind.
    pub kind: &'static str,
    /// What was asked.
    pub asked: &'static str,
    /// What was answered.
    pub answered: &'static str,
}

impl<N: Named> NamedKind<N> {
    /// This kind.
    #[must_use]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<N: Named> Default for NamedKind<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<N: Named> Errand<N> {
    const fn word(&self) -> &'static str {
        match self {
            Self::Launch { .. } => "launch",
            Self::Request { .. } => "request",
        }
    }
}

impl<N: Named> TaskKind for NamedKind<N> {
    type Wire = NamedWire<N>;
    type Task = Errand<N>;
    type Competence = ();
    type Output = Report<N>;
    type Failure = Misfit;

    fn task_match(&self, status: &WorkerStatus<()>, errand: &Errand<N>) -> bool {
        let fresh = matches!(status, WorkerStatus::Fresh);
        match errand {
            Errand::Launch { .. } => fresh,
            Errand::Request { .. } => !fresh,
        }
    }

    fn affinity(&self, errand: &Errand<N>) -> Affinity {
        match errand {
            Errand::Launch { .. } => Affinity::Any,
            Errand::Request { worker, .. } => {
                let (slot, session) = *worker;
                Affinity::Worker { slot, session }
            }
        }
    }

    fn request_of_task(
        &mut self,
        _: &WorkerStatus<()>,
        errand: &Errand<N>,
    ) -> Option<ToNamed<N::Params, N::Request>> {
        Some(match errand {
            Errand::Launch { name, params } => ToNamed::Launch {
                name: name.to_string(),
                params: params.clone(),
            },
            Errand::Request { request, .. } => ToNamed::Request(N::Request::clone(request)),
        })
    }

    fn use_response(
        &mut self,
        _: &WorkerStatus<()>,
        errand: &Errand<N>,
        response: FromNamed<N::Welcome, N::LaunchError, N::Response, N::RequestError>,
    ) -> Verdict<Self> {
        let answered = match &response {
            FromNamed::Launched(_) => "launch",
            FromNamed::Answered(_) => "request",
        };
        match (errand, response) {
            (Errand::Launch { .. }, FromNamed::Launched(Ok(welcome))) => {
                Verdict::done(Report::Launched(welcome), ())
            }
            (Errand::Launch { .. }, FromNamed::Launched(Err(error))) => {
                Verdict::done(Report::Refused(error), ()).end_worker()
            }
            (Errand::Request { .. }, FromNamed::Answered(answer)) => {
                Verdict::done(Report::Answered(answer), ())
            }
            (Errand::Launch { .. } | Errand::Request { .. }, _) => {
                let misfit = Misfit {
                    kind: N::NAME,
                    asked: errand.word(),
                    answered,
                };
                Verdict::failed(misfit, ()).fatal().end_worker()
            }
        }
    }
}

impl<N> fmt::Debug for NamedKind<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NamedKind")
    }
}

impl<N: Named> fmt::Debug for Errand<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let to = |worker: &(SlotId, Session)| format!("{} {}", worker.0, worker.1);
        match self {
            Self::Launch { name, .. } => write!(f, "launch `{name}`"),
            Self::Request { worker, request } => {
                write!(f, "request to {}: {}", to(worker), N::view(request))
            }
        }
    }
}

impl<N: Named> fmt::Debug for Report<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Launched(_) => "Launched",
            Self::Refused(_) => "Refused",
            Self::Answered(Ok(_)) => "Answered",
            Self::Answered(Err(_)) => "Answered with an error",
        })
    }
}

#[cfg(test)]
mod tests;
