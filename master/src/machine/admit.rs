//! The way in: submission, and injected tasks.

use super::scopes::Seat;
use super::task::{State, Task, key};
use super::timers::Timer;
use super::{Master, Turn};
use crate::action::{Action, Refusal};
use crate::affinity::Injected;
use crate::group::MemberEnd;
use crate::lane::{Entry, LaneError, Seq};
use crate::options::{OnLost, TaskOptions};
use crate::outcome::Outcome;
use farm_protocol::{KindId, ScopeId, SlotId, TaskId};

impl Master {
    pub(super) fn submit(
        &mut self,
        turn: &mut Turn<'_>,
        (id, kind): (TaskId, KindId),
        entry: Entry,
        options: Option<Box<TaskOptions>>,
        scope: Option<ScopeId>,
    ) {
        let seat = match self.join_scope(scope) {
            Ok(seat) => seat,
            Err(refusal) => return self.refuse(turn, (id, kind), refusal),
        };
        if self.comes_in_vain(turn, (id, kind), seat) {
            return;
        }
        match self.admit(id, kind, entry, options.as_deref()) {
            Ok(admitted) => self.take_in(turn, (id, kind), admitted, options, seat),
            Err(refusal) => {
                // A member that was not admitted has failed, for whoever waits for all of them.
                self.leave_scope(seat, id, MemberEnd::Error);
                self.refuse(turn, (id, kind), refusal);
            }
        }
    }

    pub(super) fn refuse(
        &mut self,
        turn: &mut Turn<'_>,
        (task, kind): (TaskId, KindId),
        refusal: Refusal,
    ) {
        self.pools[kind.0 as usize].ends.refused += 1;
        turn.actions.push(Action::Refuse { task, refusal });
    }

    /// A task that the lane has admitted comes into the farm.
    pub(super) fn take_in(
        &mut self,
        turn: &mut Turn<'_>,
        (id, kind): (TaskId, KindId),
        (seq, unmet): (Seq, usize),
        options: Option<Box<TaskOptions>>,
        seat: Option<Seat>,
    ) {
        self.enter(turn, Task::new(id, kind, seq, options, turn.now), seat);
        self.place(turn, id, unmet);
    }

    /// Everything that can refuse a task, in an order in which a refusal leaves no trace.
    pub(super) fn admit(
        &mut self,
        id: TaskId,
        kind: KindId,
        entry: Entry,
        options: Option<&TaskOptions>,
    ) -> Result<(Seq, usize), Refusal> {
        let pool = &mut self.pools[kind.0 as usize];
        if let Some(error) = &pool.ended {
            return Err(Refusal::PoolEnded(error.clone()));
        }
        let options = options.unwrap_or(&pool.config.defaults);
        if options.limit.is_some_and(|limit| !self.limits.knows(limit)) {
            return Err(Refusal::UnknownLimit);
        }
        if options.is_measured() && !self.config.measures {
            return Err(Refusal::Unmeasured);
        }
        let missing = options
            .needs
            .iter()
            .find(|need| self.tasks.get(need.task).is_none());
        if let Some(need) = missing {
            return Err(Refusal::UnknownNeed(need.task));
        }
        let seq = pool.lane.enqueue(key(id), entry)?;
        let unmet = self
            .tasks
            .enter_needs(id, &options.needs)
            .expect("looked up above");
        Ok((seq, unmet))
    }

    fn enter(&mut self, turn: &Turn<'_>, mut task: Task, seat: Option<Seat>) {
        let id = task.id;
        task.seat = seat;
        if let Some(seat) = seat {
            self.scopes.enter(seat, id);
        }
        let pool = &mut self.pools[task.kind.0 as usize];
        pool.arrivals += 1;
        task.arrival = pool.arrivals;
        let options = task.options(&pool.config.defaults);
        let waiting = options.waiting;
        // Of what must not run twice it must be certain whether it has begun: nothing stands around it.
        let at_most_once = options.on_lost == OnLost::Fail;
        let alone = options.counts_from_its_start() || options.limit.is_some() || at_most_once;
        let priority = options.priority;
        (task.alone, task.at_most_once, task.priority) = (alone, at_most_once, priority);
        self.tasks.insert(task);
        if let Some(limit) = waiting {
            let until = turn.now.after(limit);
            self.tasks.at_mut(id).waiting_until = Some(until);
            self.timers.arm(until, Timer::Waiting(id));
        }
    }

    /// Asks the kind which workers a task is for, and puts it among those that may start, or wait.
    fn place(&mut self, turn: &mut Turn<'_>, id: TaskId, unmet: usize) {
        self.tasks.at_mut(id).set(State::Needing { unmet });
        match turn.kinds.affinity(id) {
            Ok(affinity) => {
                self.tasks.at_mut(id).affinity = affinity;
                if unmet == 0 {
                    self.make_ready(turn, id);
                }
            }
            Err(fault) => self.end_queued(turn, id, Outcome::KindFault(fault)),
        }
    }

    /// Follow-up tasks from `use_response`: they never wait for admission, and are never lost silently.
    /// They stand in the scope of the task that they follow from, which need not be in the farm any more.
    pub(super) fn inject(
        &mut self,
        turn: &mut Turn<'_>,
        slot: SlotId,
        kind: KindId,
        of: Option<Seat>,
        injected: Vec<Injected>,
    ) {
        let session = self.process_at(slot).session;
        for Injected { task: id, pinned } in injected {
            let seat = of.map(|of| self.scopes.follow(of));
            if self.comes_in_vain(turn, (id, kind), seat) {
                continue;
            }
            let pool = &mut self.pools[kind.0 as usize];
            match pool.lane.enqueue(key(id), Entry::Inject) {
                Ok(seq) => {
                    self.enter(turn, Task::new(id, kind, seq, None, turn.now), seat);
                    if let Some(when_gone) = pinned {
                        self.pin(id, slot, session, when_gone);
                    }
                    self.place(turn, id, 0);
                }
                Err(refusal) => {
                    let outcome = match refusal {
                        LaneError::InjectionRefused { limit, .. } => {
                            Outcome::InjectionRefused { limit }
                        }
                        // Only the gate of a closing farm refuses an injected task otherwise.
                        _ => Outcome::Closed,
                    };
                    self.settle_outside(turn, (id, kind), seat, outcome);
                }
            }
        }
    }
}
