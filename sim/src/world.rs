//! What the processes of a simulated farm share: the truth, the manners, and what the fault maker may hit.

use crate::kind::Performers;
use crate::ledger::Ledger;
use crate::named::Desk;
use crate::params::Manners;
use farm_lockstep::Pid;
use farm_protocol::Session;

/// The shared part of a simulated farm.
#[derive(Debug)]
pub(crate) struct Farm {
    /// What really happened.
    pub(crate) ledger: Ledger,
    pub(crate) manners: Manners,
    /// Worker processes that live, oldest first.
    pub(crate) workers: Vec<(Pid, Session)>,
    /// From which step on a worker may be killed next, and by whom.
    pub(crate) next_kill: Option<(u64, Pid)>,
    /// Callers that wait until something runs, or nothing is left.
    pub(crate) watchers: Vec<Pid>,
    /// The jobserver, where there is one.
    pub(crate) jobserver: Option<Pid>,
    /// The master's process.
    pub(crate) master: Option<Pid>,
    /// Named workers, where there are some.
    pub(crate) named: Option<Box<Desk>>,
    /// Who performs the requests of a kind of somebody's own, in every worker process anew.
    pub(crate) performers: Option<Performers>,
}

impl Farm {
    pub(crate) fn new(ledger: Ledger, manners: Manners) -> Self {
        Self {
            ledger,
            manners,
            workers: Vec::new(),
            next_kill: None,
            watchers: Vec::new(),
            jobserver: None,
            master: None,
            named: None,
            performers: None,
        }
    }
}

/// Roles of processes.
pub(crate) mod roles {
    pub(crate) const MASTER: u16 = 0;
    pub(crate) const WORKER: u16 = 1;
    pub(crate) const CALLER: u16 = 2;
    pub(crate) const FAULTS: u16 = 3;
    pub(crate) const JOBSERVER: u16 = 4;
    pub(crate) const ATTENDANT: u16 = 5;
}

/// Roles of pipes.
pub(crate) mod pipes {
    pub(crate) const REQUESTS: u16 = 0;
    pub(crate) const CONTROL: u16 = 1;
    pub(crate) const ANSWERS: u16 = 2;
    pub(crate) const OUTPUT: u16 = 3;
}

/// What a pipe of the kernel holds, in bytes.
pub(crate) const PIPE_BYTES: usize = 64 << 10;
