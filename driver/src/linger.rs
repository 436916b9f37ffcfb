//! Workers inside this process that were told to go and have not: nobody can kill a thread. They are waited for, which
//! is said; at the end of a farm that is to be killed not longer than [`LINGERS`].
//!
//! It knows no rule: the machine goes on waiting for an exit, which comes when the thread returns.

use crate::body::Body;
use crate::turn::Loop;
use farm_master::Shut;
use farm_protocol::Instant;
use std::time::Duration;

/// How long a thread may take to go before anybody is told, and before a farm that is killed ends without it. As long
/// has a template then for its answer.
const LINGERS: Duration = Duration::from_secs(1);

/// What is to be done about threads that do not go.
#[derive(Debug, Default)]
pub(crate) struct Linger {
    /// When they are looked at.
    due: Option<Instant>,
    /// The farm is to be killed: whoever is left then is left to itself.
    gives_up: bool,
}

impl Linger {
    /// When something is to be done; `None`: nothing is.
    pub(crate) const fn deadline(&self) -> Option<Instant> {
        self.due
    }

    pub(crate) const fn is_to_be_killed(&self) -> bool {
        self.gives_up
    }
}

impl Loop {
    /// A thread was told to go.
    pub(crate) fn expect_to_go(&mut self) {
        self.linger.due.get_or_insert(self.now.after(LINGERS));
    }

    /// The farm is asked to end.
    pub(crate) fn note_shut(&mut self, how: Shut) {
        match how {
            Shut::Drain | Shut::Finish | Shut::Stop => {}
            Shut::Kill if self.linger.gives_up => {}
            Shut::Kill => {
                self.linger.gives_up = true;
                // While the clock of a suspended farm stands nothing falls due. A stopped process is killed as it is.
                self.clock.go();
                self.linger.due = Some(self.now.after(LINGERS));
                self.templates.hurry(LINGERS);
            }
        }
    }

    /// Looks at those that were told to go, if it is time.
    pub(crate) fn look_at_lingering(&mut self) {
        if self.linger.due.is_none_or(|due| due > self.now) {
            return;
        }
        self.linger.due = None;
        for slot in self.workers.lingering() {
            let Some(process) = self.workers.in_slot(slot) else {
                continue;
            };
            match &mut process.body {
                Body::Child(_) => {}
                Body::Thread(_) if !self.linger.gives_up => log::warn!(
                    "worker {slot} runs inside this process and cannot be killed: its task does not end, and it is \
                     not replaced, before its `perform` returns"
                ),
                Body::Thread(thread) => {
                    log::warn!(
                        "worker {slot} runs inside this process and cannot be killed: the farm ends without it, \
                         and its `perform` may go on until this process ends"
                    );
                    thread.give_up();
                    self.exited(slot);
                }
            }
        }
    }
}
