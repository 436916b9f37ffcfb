//! What came of a launch's errand, in the words of the table. Knows no table.

use super::courier::{crash, lives};
use super::error::{Fault, LaunchError};
use super::life::LaunchOptions;
use crate::ticket::Resolved;
use farm_master::{HowStopped, NamedKind, Outcome, Refusal, Report, Settled, TimeLimit};
use farm_protocol::{Named, Session, SlotId};

/// The process that an errand was with last.
pub(super) fn place_of<N: Named>(settled: &Settled<NamedKind<N>>) -> Option<(SlotId, Session)> {
    let last = settled.attempts.last()?;
    Some((last.slot, last.session))
}

/// A launch that was not answered in time; its options say what the time was.
pub(super) struct Late(TimeLimit);

impl Late {
    pub(super) fn because<N: Named>(self, options: &LaunchOptions) -> LaunchError<N> {
        let waited = options.timeout;
        match self.0 {
            TimeLimit::Waiting | TimeLimit::Starting => LaunchError::FarmFull { waited },
            TimeLimit::Running | TimeLimit::Stall | TimeLimit::Cpu | TimeLimit::Group => {
                LaunchError::TimedOut { waited }
            }
        }
    }
}

/// Why not, and whether its process lives.
type NotLaunched<N> = (Result<LaunchError<N>, Late>, bool);

/// What came of a launch; of a failed one also whether its process lives.
pub(super) fn launched<N: Named>(
    how: Resolved<NamedKind<N>>,
) -> Result<N::Welcome, NotLaunched<N>> {
    let outcome = match how {
        Ok(settled) => settled.outcome,
        Err(refused) => {
            return Err((Ok(refused_launch(refused.refusal)), false));
        }
    };
    let any = |fault: String| LaunchError::Any(Fault(fault));
    let (failure, lives) = match outcome {
        Outcome::Done(Report::Launched(welcome)) => return Ok(welcome),
        Outcome::Done(Report::Refused(error)) => (LaunchError::Refused(error), false),
        Outcome::Done(Report::Answered(_)) => {
            unreachable!("what does not fit the errand is a failure")
        }
        Outcome::Failed(misfit) => (any(misfit.to_string()), false),
        Outcome::TimedOut { which, how } => {
            let lives = how != HowStopped::BeforeStart && lives(how);
            return Err((Err(Late(which)), lives));
        }
        Outcome::SpawnFailed(error) => (LaunchError::Spawn(error), false),
        Outcome::WorkerLost(death) | Outcome::Panicked(death) => {
            let crash = super::error::Crash {
                why: crash(&death).why,
                during: Some("its launch".to_owned()),
            };
            (LaunchError::Lost(crash), false)
        }
        Outcome::Cancelled { how, .. } => {
            let lives = how != HowStopped::BeforeStart && lives(how);
            (LaunchError::Closed, lives)
        }
        Outcome::Closed => (LaunchError::Closed, false),
        Outcome::RequestNotMarshallable(error) => (
            any(format!("its parameters cannot be encoded: {error}")),
            false,
        ),
        Outcome::RequestRefused(error) => (
            any(format!(
                "its process could not decode its parameters: {error}"
            )),
            false,
        ),
        Outcome::ResponseNotMarshallable(error) => (
            any(format!("its process could not encode its welcome: {error}")),
            true,
        ),
        Outcome::ResponseGarbled(error) => (
            any(format!("its welcome could not be decoded: {error}")),
            false,
        ),
        Outcome::KindFault(fault) => (any(fault.to_string()), false),
        Outcome::LimitExceeded { .. }
        | Outcome::Poisoned(_)
        | Outcome::HolderGone
        | Outcome::Skipped(_)
        | Outcome::InjectionRefused { .. }
        | Outcome::Displaced => (any("it was not sent".to_owned()), false),
    };
    Err((Ok(failure), lives))
}

/// A launch that the farm did not take.
fn refused_launch<N: Named>(refusal: Refusal) -> LaunchError<N> {
    match refusal {
        // A pool whose workers cannot be started says why.
        Refusal::PoolEnded(error) => LaunchError::Spawn(error),
        refusal @ (Refusal::Lane(_)
        | Refusal::UnknownNeed(_)
        | Refusal::UnknownLimit
        | Refusal::Unmeasured
        | Refusal::NotAdmitting(_)
        | Refusal::Saturated { .. }
        | Refusal::TimedOut { .. }
        | Refusal::ModeForbids { .. }
        | Refusal::ScopeOver(_)
        | Refusal::GroupFull { .. }) => {
            log::debug!("a launch was not admitted: {refusal}");
            LaunchError::Closed
        }
    }
}
