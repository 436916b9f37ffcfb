//! Workers inside this process that were told to go and have not: nobody can kill a thread. They are waited for, which
//! is said; at the end of a farm that is to be killed not longer than [`LINGERS`].
//!
//! It knows no rule: the machine goes on waiting for an exit, which comes when the thread returns.

use crate::body::Body;
use crate::process::Place;
use crate::turn::Loop;
use farm_master::Shut;
use farm_protocol::Instant;
use std::collections::VecDeque;
use std::time::Duration;

/// How long a thread may take to go before anybody is told, and before a farm that is killed ends without it. As long
/// has a template then for its answer.
const LINGERS: Duration = Duration::from_secs(1);

/// What is to be done about threads that do not go.
#[derive(Debug, Default)]
pub(crate) struct Linger {
    /// Those that were told to go, and when they are looked at: once each, the first first.
    told: VecDeque<(Instant, Place)>,
    /// When all are looked at that have not gone.
    all_due: Option<Instant>,
    /// The farm is to be killed: whoever is left then is left to itself.
    gives_up: bool,
}

impl Linger {
    /// When something is to be done; `None`: nothing is.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let first = self.told.front().map(|(due, _)| *due);
        first.into_iter().chain(self.all_due).min()
    }

    pub(crate) const fn is_to_be_killed(&self) -> bool {
        self.gives_up
    }

    fn tell(&mut self, now: Instant, place: Place) {
        self.told.push_back((now.after(LINGERS), place));
    }

    /// The next of those that were told to go long enough ago.
    fn due(&mut self, now: Instant) -> Option<Place> {
        self.told.front().filter(|(due, _)| *due <= now)?;
        self.told.pop_front().map(|(_, place)| place)
    }
}

impl Loop {
    /// A thread was told to go.
    pub(crate) fn expect_to_go(&mut self, place: Place) {
        self.linger.tell(self.now, place);
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
                self.linger.all_due = Some(self.now.after(LINGERS));
                self.templates.hurry(LINGERS);
            }
        }
    }

    /// Looks at those that were told to go, if it is time.
    pub(crate) fn look_at_lingering(&mut self) {
        while let Some(place) = self.linger.due(self.now) {
            self.look_at(place);
        }
        if self.linger.all_due.is_some_and(|due| due <= self.now) {
            self.linger.all_due = None;
            for place in self.workers.lingering() {
                self.look_at(place);
            }
        }
    }

    fn look_at(&mut self, place: Place) {
        let process = self.workers.get(place);
        let Some(process) = process.filter(|process| process.lingers()) else {
            return;
        };
        let slot = place.slot;
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

#[cfg(test)]
mod tests {
    //! Each is looked at once, and not before it has had its time.
    use super::*;
    use farm_protocol::{Session, SlotId};

    #[test]
    fn each_has_its_time_and_is_looked_at_once() {
        let place = |number| Place {
            slot: SlotId(number),
            session: Session(1),
        };
        let at = Instant::from_millis;
        let mut linger = Linger::default();
        assert_eq!(linger.deadline(), None);
        linger.tell(at(0), place(0));
        linger.tell(at(900), place(1));
        assert_eq!(linger.deadline(), Some(at(1000)));
        assert_eq!(linger.due(at(999)), None);
        assert_eq!(linger.due(at(1000)), Some(place(0)));
        assert_eq!(linger.due(at(1000)), None, "the other was told later");
        assert_eq!(linger.deadline(), Some(at(1900)));
        assert_eq!(linger.due(at(2000)), Some(place(1)));
        assert_eq!((linger.due(at(9000)), linger.deadline()), (None, None));
    }
}
