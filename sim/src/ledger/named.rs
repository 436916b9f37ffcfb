//! A kind whose workers are somebody, as the master sees it: what its answers mean, and what of the rules about pools is
//! not looked at where there is one.
//!
//! Its pool is staffed for people and not for what is ready, and that is the affair of the machine's own tests: here the
//! models of lanes and pools are left out, and what is true of tasks, sessions and stops stays.

use super::{Ledger, letter};
use crate::nature::Errand;
use farm_master::{Cause, Judged, NextOfWorker, Outcome, ResponseAnswer, Shut, SkippedBy};
use farm_protocol::{AttemptId, KindId, Session, SlotId, TaskId};

impl Ledger {
    /// Whether some of the farm's workers are somebody.
    pub(super) fn has_named(&self) -> bool {
        self.config.kinds.iter().any(|kind| kind.staffing.named)
    }

    pub(super) fn is_named(&self, kind: KindId) -> bool {
        self.kind_config(kind).staffing.named
    }

    /// It ends so because there are named workers: it waited for a place that somebody has and the farm drains, for a
    /// process that is gone, or for one that could not be started.
    pub(super) fn ends_as_named(&self, kind: KindId, outcome: &Outcome) -> bool {
        let closed = matches!(outcome, Outcome::Closed);
        let errand = matches!(
            outcome,
            Outcome::SpawnFailed(_) | Outcome::HolderGone | Outcome::Skipped(SkippedBy::NoMatch)
        );
        let drains = self.has_named() && self.shut == Some(Shut::Drain);
        closed && drains || errand && self.is_named(kind)
    }

    /// An errand is answered: a launch goes well or is refused, a request goes well, does not, or is misunderstood.
    pub(super) fn errand_answered(
        &mut self,
        id: AttemptId,
        letter: u8,
        errand: Errand,
    ) -> ResponseAnswer {
        let ends = letter == letter::DONE_AND_END;
        let misfit = ends && errand == Errand::Request;
        let facts = self.task(id.task).expect("looked up by the caller");
        facts.used = Some(if misfit { letter::FAILED } else { letter::DONE });
        if misfit {
            facts.retried_for = None;
        }
        let left_behind = facts.answer.is_some_and(super::Answered::leaves_something);
        let session = facts.session;
        self.said_of.insert(id.task, letter);
        if ends || left_behind {
            self.dismisses(session);
        }
        let keys = self.learns(id.task, session, ends);
        ResponseAnswer::Taken {
            judged: if misfit {
                Judged::Failed {
                    cause: Cause::Exit,
                    fatal: true,
                }
            } else {
                Judged::Done
            },
            next: if ends {
                NextOfWorker::End
            } else {
                NextOfWorker::Stay
            },
            keys,
            injected: Vec::new(),
        }
    }

    /// What the answer to an errand that is settled said.
    pub(crate) fn take_said(&mut self, task: TaskId) -> Option<u8> {
        self.said_of.remove(&task)
    }

    /// The master says that it is gone.
    pub(crate) fn is_gone(&self, session: Session) -> bool {
        let index = usize::try_from(session.0).expect("few sessions") - 1;
        self.sessions[index].gone
    }

    /// Workers that became somebody, live as far as is known, and were not asked to go.
    pub(crate) fn somebodies(&self, kind: KindId) -> impl Iterator<Item = (SlotId, Session)> + '_ {
        let living = self.living_of(kind);
        let living = living.filter(|it| it.knows.old && it.may_stay() && it.takes());
        living.map(|it| (it.slot, it.session))
    }
}
