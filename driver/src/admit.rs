//! The loop's side of the way in: tells callers of the room there is, and who waits that its turn has come.

use crate::entrance::{Admission, Open, Way};
use crate::message::Submission;
use crate::shared::contained;
use crate::turn::Loop;
use farm_master::lane::{Entry, Gate};
use farm_master::{Event, Refusal, Registry};
use farm_protocol::{KindId, ScopeId, TaskId};
use std::collections::BTreeMap;
use std::mem;

/// Submitters that wait to hear whether their task is in the farm.
pub(crate) type Admissions = BTreeMap<TaskId, Admission>;

impl Loop {
    /// Tells the machine of a task that somebody submitted.
    pub(crate) fn submit(&mut self, submission: Submission) -> TaskId {
        let Submission {
            kind,
            held,
            options,
            ticket,
            scope,
            way,
        } = submission;
        let task = self.registry.insert(kind, held);
        if let Some(ticket) = ticket {
            ticket.learn(task);
        }
        self.observe(|o, now| o.submitted(now, task, kind, Entry::Push));
        let submit = |scope: Option<ScopeId>, options| Event::Submit {
            task,
            kind,
            entry: Entry::Push,
            options,
            scope,
        };
        let offer = |options| Event::Offer {
            task,
            kind,
            options,
        };
        match way {
            Way::Plain => self.tell(submit(scope, options)),
            Way::LetThrough => {
                self.counted[kind.0 as usize].heard += 1;
                self.tell(offer(options));
            }
            Way::Waits(admission) => {
                self.admissions.insert(task, admission);
                self.tell(offer(options));
                if !self.master.is_offered(task) {
                    self.admitted(task, true);
                }
            }
            Way::Asks(admission) => {
                self.admissions.insert(task, admission);
                self.tell(submit(scope, options));
                self.admitted(task, true);
            }
        }
        task
    }

    /// Tells who waits for it that its task is in the farm, or was handed back; for most tasks nobody does.
    pub(crate) fn admitted(&mut self, task: TaskId, admitted: bool) {
        if self.admissions.is_empty() {
            return;
        }
        if let Some(admission) = self.admissions.remove(&task) {
            admission.give(admitted);
        }
    }

    /// A wish is heard that callers already go by: what they took from it is to be put right, whatever becomes of it.
    pub(crate) fn clear_doubt(&mut self, kind: Option<KindId>) {
        match kind {
            Some(kind) => self.counted[kind.0 as usize].doubted = true,
            None => self.counted.iter_mut().for_each(|it| it.doubted = true),
        }
    }

    /// After each event, and before anybody is told what came of it: how much room there is now.
    pub(crate) fn count_room(&mut self) {
        for (kind, counted) in (0..).map(KindId).zip(&mut self.counted) {
            let room = self.master.room(kind);
            let limit = counted.heard + u64::try_from(room).unwrap_or(u64::MAX);
            let shut = self.master.closed_because(kind);
            let told = &counted.told;
            if told.limit == limit && told.shut == shut && !counted.doubted {
                continue;
            }
            counted.doubted = false;
            let lane = self.master.lane(kind);
            let max_queued = lane.boundary().max_queued;
            counted.told = Open {
                limit,
                beyond: lane.counts().queued.saturating_sub(max_queued),
                max_queued,
                shut,
            };
            self.shared.entrance(kind).set(counted.told.clone());
        }
    }
}

/// The loop is over: who still waits has its task handed back. After a panic alone is there anybody.
pub(crate) fn turn_away(registry: &mut Registry, admissions: &mut Admissions) {
    for (task, admission) in mem::take(admissions) {
        if registry.kind_of(task).is_some() {
            let refusal = Refusal::NotAdmitting(Gate::Closed);
            contained("a waiter", || registry.refuse(task, refusal));
        }
        admission.give(false);
    }
}
