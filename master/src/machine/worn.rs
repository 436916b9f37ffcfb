//! When a healthy worker is replaced: after so many tasks, at an age, after an idle time, beyond a size.
//!
//! A worker that is worn gets nothing more but what is pinned to it, and goes when it has answered that and what it
//! executes: what only it can do comes first. It never ends a task.

use super::ready::LineId;
use super::slot::{Ending, Phase, Process};
use super::timers::Timer;
use super::{Master, Turn};
use crate::action::Action;
use crate::mutation::Mutation;
use crate::outcome::Outcome;
use crate::staffing::{Recycle, SHORTEST_LIFE};
use farm_protocol::{Instant, KindId, Session, SlotId};
use std::fmt;
use std::time::Duration;

/// A worker is measured at most this often: to look at a family of processes takes some tenths of a millisecond.
const WEIGHED_EVERY: Duration = Duration::from_millis(100);

/// What is kept of a worker's use.
#[derive(Debug)]
pub(super) struct Wear {
    /// It goes after so many answers.
    tasks: u64,
    /// When it is looked at for having done nothing.
    idle_at: Option<Instant>,
    /// When it has its age.
    aged_at: Option<Instant>,
    /// What it held when it had said hello, in bytes.
    baseline: Option<u64>,
    /// When it is measured next, at the earliest.
    weighed_next: Instant,
    /// A measurement is on its way.
    weighing: bool,
    /// Why it is to go, once it can.
    worn: Option<Worn>,
}

/// Why a healthy worker is replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Worn {
    /// It has answered so many requests.
    Tasks(u64),
    /// It is as old as it may become.
    Age,
    /// It has done nothing for too long.
    Idle,
    /// It holds more than it may, in bytes.
    Memory { held: u64, limit: u64 },
}

impl fmt::Display for Worn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tasks(count) => write!(f, "recycled after {count} tasks"),
            Self::Age => f.write_str("recycled for its age"),
            Self::Idle => f.write_str("recycled after idling"),
            Self::Memory { held, limit } => {
                let (held, limit) = (Megabytes(*held), Megabytes(*limit));
                write!(f, "recycled at {held}, beyond {limit}")
            }
        }
    }
}

/// A size in the unit in which limits of memory are set.
struct Megabytes(u64);

impl fmt::Display for Megabytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = self.0 / 100_000;
        write!(f, "{}.{} MB", tenths / 10, tenths % 10)
    }
}

impl Wear {
    /// Nothing counts before the hello.
    pub(super) const fn new(tasks: u64) -> Self {
        Self {
            tasks,
            idle_at: None,
            aged_at: None,
            baseline: None,
            weighed_next: Instant::START,
            weighing: false,
            worn: None,
        }
    }

    /// Whether it is to go, once it can.
    pub(super) const fn is_worn(&self) -> bool {
        self.worn.is_some()
    }
}

/// After how long something is looked at; never so soon that nothing else would be done.
fn span(setting: Option<Duration>) -> Option<Duration> {
    setting.map(|span| span.max(SHORTEST_LIFE))
}

impl Master {
    /// After how many answers a worker that is started now goes.
    pub(super) fn draw_life(&mut self, kind: KindId) -> u64 {
        let Recycle { tasks, jitter, .. } = self.pools[kind.0 as usize].config.staffing.recycle;
        let Some(tasks) = tasks.map(|tasks| u64::from(tasks.get())) else {
            return u64::MAX;
        };
        // Without jitter nothing is drawn: the delays of retries are the same with and without recycling.
        let less = match u64::from(jitter) {
            0 => 0,
            jitter => self.random.next() % (jitter + 1),
        };
        tasks.saturating_sub(less).max(1)
    }

    /// A worker has said hello: its age and its idle time begin, and what it holds now is its baseline.
    pub(super) fn begin_wear(&mut self, turn: &mut Turn<'_>, slot: SlotId, session: Session) {
        let kind = self.slots[slot.0 as usize].kind;
        let staffing = &self.pools[kind.0 as usize].config.staffing;
        let (idle, recycle) = (staffing.idle, &staffing.recycle);
        let age = span(recycle.age);
        let idle = [span(idle), span(recycle.idle)].into_iter().flatten().min();
        let weighs = recycle.weighs();
        let process = self.process_at(slot);
        process.last_answer = turn.now;
        process.wear.weighing = weighs;
        process.wear.aged_at = age.map(|age| turn.now.after(age));
        process.wear.idle_at = idle.map(|idle| turn.now.after(idle));
        let (aged_at, idle_at) = (process.wear.aged_at, process.wear.idle_at);
        if let Some(at) = aged_at {
            self.timers.arm(at, Timer::Aged(slot, session));
        }
        if let Some(at) = idle_at {
            self.timers.arm(at, Timer::Idle(slot, session));
        }
        if weighs {
            turn.actions.push(Action::Weigh { slot, session });
        }
    }

    /// A session is over. Its timers may be hours away, and there may be many such.
    pub(super) fn end_wear(&mut self, slot: SlotId, process: &Process) {
        let session = process.session;
        if let Some(at) = process.wear.aged_at {
            self.timers.disarm(at, Timer::Aged(slot, session));
        }
        if let Some(at) = process.wear.idle_at {
            self.timers.disarm(at, Timer::Idle(slot, session));
        }
    }

    /// A worker has answered something, for whatever that is worth.
    pub(super) fn wear_down(&mut self, turn: &mut Turn<'_>, slot: SlotId) {
        let kind = self.slots[slot.0 as usize].kind;
        let weighs = self.pools[kind.0 as usize].config.staffing.recycle.weighs();
        let more = u64::from(self.config.mutation.is(Mutation::OneTaskMore));
        let process = self.process_at(slot);
        let (session, settled) = (process.session, process.settled);
        let wear = &mut process.wear;
        if settled >= wear.tasks.saturating_add(more) && wear.worn.is_none() {
            wear.worn = Some(Worn::Tasks(settled));
        }
        if weighs && !wear.weighing && wear.weighed_next <= turn.now {
            wear.weighing = true;
            turn.actions.push(Action::Weigh { slot, session });
        }
        self.go_if_worn(turn, slot);
    }

    /// Replaces a worker that is worn, once it has answered all that it has and nothing waits that only it can do.
    fn go_if_worn(&mut self, turn: &mut Turn<'_>, slot: SlotId) {
        let mutation = self.config.mutation;
        let process = self.process_at(slot);
        let Some(worn) = process.wear.worn.clone() else {
            return;
        };
        // Who has died must not look as if it had been sent away.
        if process.ending.is_some() || process.eof || process.exit.is_some() {
            return;
        }
        if mutation.is(Mutation::WornIsKilled) {
            return self.kill(turn, slot, Ending::Recycled(worn));
        }
        if !process.in_flight.is_empty() && !mutation.is(Mutation::WornWhileBusy) {
            // What it executes may leave something behind that only it can do. What it has not begun goes elsewhere.
            return self.revoke(turn, slot.0 as usize, 1);
        }
        if !self.has_pinned(slot) || mutation.is(Mutation::WornBeforePinned) {
            self.retire(turn, slot, Ending::Recycled(worn));
        }
    }

    /// What was pinned to a worn worker may have ended without it: then it goes, and gets nothing else before.
    pub(super) fn retire_worn(&mut self, turn: &mut Turn<'_>, pool: usize) {
        if self.pools[pool].config.staffing.recycle == Recycle::default() {
            return;
        }
        for slot in self.pools[pool].slots.clone() {
            let worn = |process: &Process| process.is_idle() && process.wear.is_worn();
            if self.slots[slot].process.as_ref().is_some_and(worn) {
                self.go_if_worn(turn, self.slots[slot].id);
            }
        }
    }

    /// Whether something waits for the worker in this slot alone.
    pub(super) fn has_pinned(&self, slot: SlotId) -> bool {
        let slot = &self.slots[slot.0 as usize];
        let ready = &self.pools[slot.kind.0 as usize].ready;
        let pinned = |process: &Process| ready.count(LineId::Pinned(process.session)) > 0;
        slot.process.as_ref().is_some_and(pinned)
    }

    pub(super) fn aged(&mut self, turn: &mut Turn<'_>, slot: SlotId, session: Session) {
        if self.process(slot, session).is_some() {
            let forgets = self.config.mutation.is(Mutation::AgeForgottenWhenBusy);
            if forgets && !self.process_at(slot).in_flight.is_empty() {
                return;
            }
            let wear = &mut self.process_at(slot).wear;
            wear.aged_at = None;
            wear.worn.get_or_insert(Worn::Age);
            self.go_if_worn(turn, slot);
        }
    }

    /// The idle time of a worker is looked at when the timer falls, not set anew at each answer.
    pub(super) fn idled(&mut self, turn: &mut Turn<'_>, slot: SlotId, session: Session) {
        if self.process(slot, session).is_none() {
            return;
        }
        let kind = self.slots[slot.0 as usize].kind;
        let staffing = &self.pools[kind.0 as usize].config.staffing;
        let (reaped, recycled) = (span(staffing.idle), span(staffing.recycle.idle));
        let pinned = self.has_pinned(slot);
        let process = self.process_at(slot);
        let idle = process.is_idle() && !pinned;
        let since = if idle { process.last_answer } else { turn.now };
        let over = |limit: Option<Duration>| limit.is_some_and(|l| turn.now.since(since) >= l);
        process.wear.idle_at = None;
        if self.is_somebody(&self.slots[slot.0 as usize]) {
            return;
        }
        if over(reaped) && self.is_unneeded(kind.0 as usize) {
            return self.retire(turn, slot, Ending::Unneeded);
        }
        if over(recycled) {
            return self.retire(turn, slot, Ending::Recycled(Worn::Idle));
        }
        let once = self.config.mutation.is(Mutation::IdleLookedAtOnce);
        if self.process_at(slot).ending.is_some() || once {
            return;
        }
        // One that has to stay for now is looked at again after the same time.
        let due = |limit: Duration| match since.after(limit) {
            due if due > turn.now => due,
            _ => turn.now.after(limit),
        };
        let at = [reaped, recycled].into_iter().flatten().map(due).min();
        let at = at.expect("a timer of idle time has a limit");
        self.process_at(slot).wear.idle_at = Some(at);
        self.timers.arm(at, Timer::Idle(slot, session));
    }

    /// What a worker and its descendants hold, in bytes.
    pub(super) fn weighed(
        &mut self,
        turn: &mut Turn<'_>,
        slot: SlotId,
        session: Session,
        held: u64,
    ) {
        if self.process(slot, session).is_none() {
            return;
        }
        let kind = self.slots[slot.0 as usize].kind;
        let Recycle { memory, growth, .. } = self.pools[kind.0 as usize].config.staffing.recycle;
        let forgotten = self.config.mutation.is(Mutation::BaselineForgotten);
        let wear = &mut self.process_at(slot).wear;
        wear.weighing = false;
        wear.weighed_next = turn.now.after(WEIGHED_EVERY);
        let Some(baseline) = wear.baseline else {
            wear.baseline = Some(held);
            if let Some(limit) = memory.filter(|limit| *limit <= held) {
                self.refuse_limit(turn, kind, held, limit);
            }
            return;
        };
        let baseline = if forgotten { 0 } else { baseline };
        let beyond_baseline = growth.map(|growth| baseline.saturating_add(growth));
        let limit = memory.into_iter().chain(beyond_baseline).min();
        if let Some(limit) = limit.filter(|limit| *limit < held) {
            wear.worn.get_or_insert(Worn::Memory { held, limit });
            self.go_if_worn(turn, slot);
        }
    }

    /// Every worker would be beyond the limit before its first task, and would be replaced after it, for ever.
    fn refuse_limit(&mut self, turn: &mut Turn<'_>, kind: KindId, baseline: u64, limit: u64) {
        let pool = &self.pools[kind.0 as usize];
        if pool.ended.is_some() {
            return;
        }
        let (name, baseline, limit) = (
            &pool.config.hello.name,
            Megabytes(baseline),
            Megabytes(limit),
        );
        let error = format!(
            "workers of kind `{name}` are to be replaced when they hold {limit}, and hold {baseline} before \
             their first task: raise the limit well above {baseline}"
        );
        self.end_pool(turn, kind, error.clone(), error);
        for slot in self.pools[kind.0 as usize].slots.clone() {
            let process = self.slots[slot].process.as_ref();
            let lives = |process: &Process| !matches!(process.phase, Phase::Deaf) && !process.eof;
            if process.is_some_and(lives) {
                self.retire(turn, self.slots[slot].id, Ending::Unneeded);
            }
        }
    }

    /// No worker of this kind will come any more: `why` is said of each task that waits, `error` of the pool.
    pub(super) fn end_pool(
        &mut self,
        turn: &mut Turn<'_>,
        kind: KindId,
        why: String,
        error: String,
    ) {
        let pool = &mut self.pools[kind.0 as usize];
        pool.ended = Some(why);
        pool.touched = true;
        turn.actions.push(Action::PoolEnded {
            kind,
            error: error.clone(),
        });
        self.end_everything_waiting(turn, Some(kind), &|| Outcome::SpawnFailed(error.clone()));
    }
}
