//! What the end of an errand means to the table: as the driver's courier reads it.

use super::Ended;
use crate::ledger::letter;
use farm_master::named::{Crash, Treated};
use farm_master::{CancelledBy, Death, HowStopped, Outcome};

pub(super) fn because(why: impl Into<String>) -> Crash {
    Crash {
        why: why.into(),
        during: None,
    }
}

fn death(death: &Death) -> Crash {
    because(format!("its process ended: {}", death.termination))
}

/// Whether the process of an attempt that was asked to stop lives.
pub(super) const fn lives(how: HowStopped) -> bool {
    match how {
        HowStopped::BeforeStart | HowStopped::Acked | HowStopped::LateReply => true,
        HowStopped::Exited | HowStopped::Terminated | HowStopped::Killed => false,
    }
}

/// The end of a request's errand; `None`: the farm takes nothing more.
pub(super) fn treated(how: Option<&Ended>) -> Treated {
    let fault = |fault: &str, crashes: bool| Treated::Fault {
        fault: fault.to_owned(),
        crash: crashes.then(|| because(fault)),
    };
    let Some(ended) = how else {
        return Treated::FarmOver;
    };
    match &ended.outcome {
        Outcome::Done(()) => Treated::Answered {
            ok: ended.letter != Some(letter::FAILED),
        },
        Outcome::Failed(()) => fault("it answered something else than it was asked", true),
        Outcome::Cancelled {
            by: CancelledBy::Stopping,
            ..
        }
        | Outcome::Closed
        | Outcome::SpawnFailed(_) => Treated::FarmOver,
        Outcome::Cancelled { how, .. } if lives(*how) => Treated::Stopped(*how),
        Outcome::Cancelled { how, .. } => Treated::Killed(*how),
        Outcome::TimedOut { how, .. } => fault("the request was out of time", !lives(*how)),
        Outcome::LimitExceeded { how, .. } => fault("it used too much", !lives(*how)),
        Outcome::RequestNotMarshallable(_) => fault("the request cannot be encoded", false),
        Outcome::ResponseNotMarshallable(_) => fault("it could not encode the answer", false),
        Outcome::RequestRefused(_) => fault("it could not decode the request", true),
        Outcome::ResponseGarbled(_) => fault("its answer could not be decoded", true),
        Outcome::KindFault(_) => fault("a callback panicked", true),
        Outcome::WorkerLost(lost) | Outcome::Panicked(lost) => Treated::Died(death(lost)),
        Outcome::Poisoned(deaths) => {
            Treated::Died(deaths.last().map_or_else(|| because("it died"), death))
        }
        Outcome::HolderGone => Treated::Died(because("its process was gone")),
        Outcome::Skipped(_) | Outcome::InjectionRefused { .. } | Outcome::Displaced => {
            fault("its request was not sent", true)
        }
    }
}

/// The end of a launch's errand: whether it is somebody, and if not, whether its process lives all the same.
pub(super) fn launched(how: Option<&Ended>) -> Result<(), bool> {
    let Some(ended) = how else {
        return Err(false);
    };
    match &ended.outcome {
        Outcome::Done(()) if ended.letter != Some(letter::DONE_AND_END) => Ok(()),
        Outcome::TimedOut { how, .. } | Outcome::Cancelled { how, .. } => {
            Err(*how != HowStopped::BeforeStart && lives(*how))
        }
        Outcome::ResponseNotMarshallable(_) => Err(true),
        Outcome::Done(())
        | Outcome::Failed(())
        | Outcome::SpawnFailed(_)
        | Outcome::WorkerLost(_)
        | Outcome::Panicked(_)
        | Outcome::Closed
        | Outcome::RequestNotMarshallable(_)
        | Outcome::RequestRefused(_)
        | Outcome::ResponseGarbled(_)
        | Outcome::KindFault(_)
        | Outcome::LimitExceeded { .. }
        | Outcome::Poisoned(_)
        | Outcome::HolderGone
        | Outcome::Skipped(_)
        | Outcome::InjectionRefused { .. }
        | Outcome::Displaced => Err(false),
    }
}
