//! What waits, in its order: which line a ready task stands in, and everything that may change that.

use super::ready::{Level, LineId, Stamp, Standing};
use super::settle::Ended;
use super::task::{Pin, State};
use super::{Master, Turn};
use crate::affinity::{Affinity, QueueOrder, WhenGone};
use crate::mutation::Mutation;
use crate::outcome::{CancelledBy, Outcome};
use farm_protocol::{AffinityKey, KindId, Session, SlotId, TaskId};
use std::cmp::Reverse;

impl Master {
    /// Lets a queued task stand among those that may start.
    pub(super) fn make_ready(&mut self, turn: &mut Turn<'_>, id: TaskId) {
        if !self.still_pinned(turn, id) {
            return;
        }
        let rank = match self.rank(turn, id) {
            Ok(rank) => rank,
            Err(fault) => return self.end_unplaced(turn, id, fault),
        };
        let task = self.tasks.at_mut(id);
        let bug = self.config.mutation;
        let pin = task.pin.filter(|_| !bug.is(Mutation::PinnedGivenAway));
        let line = if task.solo {
            LineId::Solo
        } else if let Some(pin) = pin {
            LineId::Pinned(pin.session)
        } else {
            match task.affinity {
                // What is for one process has a pin, which only a seeded bug takes away.
                Affinity::Any | Affinity::Worker { .. } => LineId::Shared,
                Affinity::Prefers(key) => LineId::Prefers(key),
                Affinity::Requires(key) if bug.is(Mutation::RequiresAsPrefers) => {
                    LineId::Prefers(key)
                }
                Affinity::Requires(key) => LineId::Requires(key),
            }
        };
        let level = Level {
            priority: Reverse(task.priority),
            rank,
        };
        task.stands = Some((line, level));
        task.set(State::Ready);
        let standing = Standing {
            level,
            seq: task.seq,
        };
        let pool = &mut self.pools[task.kind.0 as usize];
        pool.ready.insert(line, standing, id);
        pool.gave_up &= matches!(line, LineId::Pinned(_));
        if task.options(&pool.config.defaults).starting.is_some() {
            pool.starts.enter(id);
        }
        pool.touched = true;
    }

    /// Takes a task from among those that may start.
    pub(super) fn leave_ready(&mut self, id: TaskId) {
        let task = self.tasks.at_mut(id);
        let (line, level) = task.stands.take().expect("a ready task stands in a line");
        let standing = Standing {
            level,
            seq: task.seq,
        };
        let pool = &mut self.pools[task.kind.0 as usize];
        pool.ready.remove(line, standing, id);
        self.leave_starts(id);
    }

    fn rank(&mut self, turn: &mut Turn<'_>, id: TaskId) -> Result<i64, Outcome> {
        let task = self.tasks.at(id);
        match self.pools[task.kind.0 as usize].order {
            QueueOrder::Arrival => Ok(0),
            QueueOrder::Newest => Ok(-task.arrival),
            QueueOrder::Ranked => turn.kinds.rank(id).map_err(Outcome::KindFault),
        }
    }

    /// Looks whether the process that a task is pinned to is still there, and if not does what was
    /// said for that case. False when that was its end.
    fn still_pinned(&mut self, turn: &mut Turn<'_>, id: TaskId) -> bool {
        // What takes the place of a pinned task may be for one process itself. That one fails without it.
        while let Some(pin) = self.pin_of(id) {
            if self.is_there(id, pin) {
                return true;
            }
            let task = self.tasks.at_mut(id);
            task.pin = None;
            match pin.when_gone {
                WhenGone::AnyWorker => {}
                WhenGone::Fail if self.config.mutation.is(Mutation::FailIgnored) => return true,
                WhenGone::Substitute => {
                    if !self.config.mutation.is(Mutation::SubstituteNotCalled) {
                        turn.kinds.substitute(id);
                    }
                    match turn.kinds.affinity(id) {
                        Ok(affinity) => self.tasks.at_mut(id).affinity = affinity,
                        Err(fault) => {
                            self.end_unplaced(turn, id, Outcome::KindFault(fault));
                            return false;
                        }
                    }
                }
                WhenGone::Fail => {
                    // If its own attempt was what its worker died of, that is the better cause.
                    let outcome = self.last_end(id).unwrap_or(Outcome::HolderGone);
                    self.end_unplaced(turn, id, outcome);
                    return false;
                }
            }
        }
        true
    }

    /// The process that a task is for, and no other: as a follow-up, or by its affinity.
    fn pin_of(&mut self, id: TaskId) -> Option<Pin> {
        let task = self.tasks.at_mut(id);
        if let (None, Affinity::Worker { slot, session }) = (task.pin, task.affinity) {
            self.pin(id, slot, session, WhenGone::Fail);
        }
        self.tasks.at(id).pin
    }

    /// Whether the process that a task is pinned to takes it, now or later.
    fn is_there(&mut self, id: TaskId, pin: Pin) -> bool {
        let task = self.tasks.at(id);
        let (kind, solo) = (task.kind, task.solo);
        // A caller may name what never was.
        let slot = self.slots.get_mut(pin.slot.0 as usize);
        let process = slot.filter(|slot| slot.kind == kind);
        let process = process.and_then(|slot| slot.of(pin.session));
        let stays = process.is_some_and(|process| {
            process.ending.is_none() && process.exit.is_none() && !process.eof
        });
        // A suspected task needs a fresh worker, and that is never the one it was pinned to.
        stays && !solo
    }

    /// Ends a task that is queued in its lane and stands in no line.
    fn end_unplaced(&mut self, turn: &mut Turn<'_>, id: TaskId, outcome: Outcome) {
        self.tasks.at_mut(id).set(State::Needing { unmet: 0 });
        self.end_queued(turn, id, outcome);
    }

    /// A worker that had tasks of its own gets none any more: they go where was said for that case.
    pub(super) fn unpin(&mut self, turn: &mut Turn<'_>, slot: SlotId, session: Session) {
        let pool = self.slots[slot.0 as usize].kind.0 as usize;
        let line = LineId::Pinned(session);
        while let Some(met) = self.pools[pool]
            .ready
            .line(line)
            .and_then(|line| line.head())
        {
            self.leave_ready(met.task);
            self.make_ready(turn, met.task);
        }
    }

    /// Ties a follow-up task to the process that answered.
    pub(super) fn pin(&mut self, id: TaskId, slot: SlotId, session: Session, when_gone: WhenGone) {
        self.tasks.at_mut(id).pin = Some(Pin {
            slot,
            session,
            when_gone,
        });
    }

    /// The kind has heard a response, whatever it made of it: that may have changed its mind about every worker, and
    /// about fresh ones. Earlier refusals say nothing any more.
    pub(super) fn may_have_learnt(&mut self, kind: KindId) {
        if !self.config.mutation.is(Mutation::RefusalKept) {
            self.pools[kind.0 as usize].mind += 1;
        }
    }

    /// The worker's kind has looked at it anew: what it knows.
    pub(super) fn now_holds(&mut self, slot: SlotId, mut keys: Vec<AffinityKey>) {
        keys.truncate(crate::affinity::KEYS_PER_WORKER);
        keys.sort_unstable();
        keys.dedup();
        let kind = self.slots[slot.0 as usize].kind;
        let process = self.process_at(slot);
        // One that is to go has lost its place: nobody waits for it.
        if process.ending.is_some() || process.keys == keys {
            return;
        }
        let before = std::mem::replace(&mut process.keys, keys.clone());
        let ready = &mut self.pools[kind.0 as usize].ready;
        // In this order: what it holds before and after never looks as if nobody held it.
        keys.into_iter().for_each(|key| ready.hold(key));
        before.into_iter().for_each(|key| ready.release(key));
    }

    pub(super) fn set_priority(&mut self, turn: &mut Turn<'_>, id: TaskId, priority: i32) {
        let Some(task) = self.tasks.get(id) else {
            return;
        };
        match task.state() {
            State::Ready if self.config.mutation.is(Mutation::PriorityLost) => {}
            State::Ready => {
                self.tasks.at_mut(id).priority = priority;
                self.line_up(turn, id);
            }
            State::Parked => {
                let limit = self.limit_of(id).expect("only a limit parks");
                let task = self.tasks.at_mut(id);
                let (kind, old, seq) = (task.kind, task.priority, task.seq);
                task.priority = priority;
                self.limits.unpark(limit, kind, old, seq, id);
                self.limits.park(limit, kind, priority, seq, id);
            }
            State::Needing { .. }
            | State::Sent(_)
            | State::Stopping(..)
            | State::Delayed { .. } => self.tasks.at_mut(id).priority = priority,
        }
    }

    pub(super) fn set_order(&mut self, turn: &mut Turn<'_>, kind: KindId, order: QueueOrder) {
        self.pools[kind.0 as usize].order = order;
        if !self.config.mutation.is(Mutation::OrderForNewcomers) {
            self.line_up_again(turn, kind);
        }
    }

    /// What the kind looks at has changed: nothing that it said before about what waits holds.
    pub(super) fn broadcast(&mut self, turn: &mut Turn<'_>, kind: KindId) {
        if self.config.mutation.is(Mutation::BroadcastUnheard) {
            return;
        }
        let pool = &mut self.pools[kind.0 as usize];
        pool.mind += 1;
        pool.surveyed = Stamp::default();
        self.line_up_again(turn, kind);
    }

    fn line_up_again(&mut self, turn: &mut Turn<'_>, kind: KindId) {
        let pool = &mut self.pools[kind.0 as usize];
        pool.touched = true;
        let ready: Vec<TaskId> = pool.ready.tasks().map(|(_, id)| id).collect();
        for id in ready {
            // The end of one may have ended another that needed it; none of those is ready.
            self.line_up(turn, id);
        }
    }

    /// Gives a ready task the place that it has now. The time that it has waited for the start of a worker counts on.
    fn line_up(&mut self, turn: &mut Turn<'_>, id: TaskId) {
        let until = self.tasks.at(id).starting_until;
        self.leave_ready(id);
        self.make_ready(turn, id);
        self.resume_start(id, until);
    }

    pub(super) fn cancel_all(&mut self, turn: &mut Turn<'_>, kind: Option<KindId>, reason: &str) {
        let wanted = self
            .tasks
            .ids(|task| kind.is_none_or(|kind| task.kind == kind));
        for id in wanted {
            self.cancel_by(turn, id, CancelledBy::Caller(reason.to_string()));
        }
        self.cancel_offers(turn, kind, reason);
    }

    /// One needed task has ended: its dependents become ready, or end as well.
    pub(super) fn tell_dependents(&mut self, turn: &mut Turn<'_>) {
        while let Some(Ended {
            task,
            done,
            dependents,
        }) = self.ended.pop_front()
        {
            for (dependent, when) in dependents {
                // A dependent may have been cancelled meanwhile.
                let Some(waiting) = self.tasks.get_mut(dependent) else {
                    continue;
                };
                let State::Needing { unmet } = *waiting.state() else {
                    continue;
                };
                if !when.allows(done) {
                    let by = crate::outcome::SkippedBy::Need(task);
                    self.end_queued(turn, dependent, Outcome::Skipped(by));
                } else if unmet > 1 {
                    waiting.set(State::Needing { unmet: unmet - 1 });
                } else {
                    self.make_ready(turn, dependent);
                }
            }
        }
    }
}
