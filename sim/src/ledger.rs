//! What really happened, kept apart from what the master believes: the truth that its answers are compared with.
//!
//! The simulated world writes down here what it sees (a worker began, wrote an answer, died), and what the master does
//! about it. Every rule that is broken is noted once, with its invariant's name. It decides nothing.

mod acts;
mod answers;
mod budgets;
mod dues;
mod duties;
mod ends;
mod named;
mod natures;
mod pool;
mod rest;
mod rule;
mod scopes;
mod seen;
mod sessions;
mod sharing;
mod staffing;
mod stops;
mod tokens;
mod typed;
mod wear;
mod whom;

use crate::kind::KindSide;
use crate::params::HORIZON;
use dues::Due;
use farm_lockstep::VTime;
use farm_master::lane::{Entry, Gate};
use farm_master::{Cause, Config, CrashLimit, OnLost, RetryOn, Shut, TaskOptions};
use farm_protocol::{AttemptId, KindId, Session, TaskId};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub(crate) use answers::{read_request, worked_out, write_response};
pub(crate) use scopes::Door;
pub(crate) use seen::Seen;
pub(crate) use sessions::{Answered, SessionFacts, Written, termination};
use stops::Stop;

/// The invariants by name, as reports and tokens name them.
pub mod names {
    /// Every accepted task ends once, and with a cause that is true.
    pub const I1: &str = "I1 one end";
    /// Nothing is used after an end or an ask to stop.
    pub const I2: &str = "I2 no effect after the end";
    /// An answer is applied to what it answers, and none that is complete is thrown away.
    pub const I3: &str = "I3 answers";
    /// A second attempt never starts before the first is known dead.
    pub const FENCE: &str = "I3 fence";
    /// Queue, in flight, and order.
    pub const I5: &str = "I5 bounds and order";
    /// A stop is over within its budget.
    pub const I6: &str = "I6 stops in time";
    /// In the calm phase everything ends.
    pub const I7: &str = "I7 everything ends";
    /// Children are bounded, and each is collected once.
    pub const I8: &str = "I8 children";
    /// The three budgets, and the pauses between starts.
    pub const I9: &str = "I9 budgets";
    /// The machine and the model agree.
    pub const I10: &str = "I10 model";
    /// A task goes only where it may, before nobody that it should not, and is not forgotten.
    pub const I11: &str = "I11 affinity";
    /// Scopes end once and rightly, and what stands in them ends with them and for nothing else.
    pub const I12: &str = "I12 scopes and groups";
    /// There are as many workers as there shall be, and a healthy one goes when it should and not before.
    pub const I13: &str = "I13 the pool";
    /// Kinds share the farm's workers: there are no more than there may be, and who wants one gets it when it is his turn.
    pub const I14: &str = "I14 sharing";
    /// Nobody works without a token, none is held in vain, and none is lost.
    pub const I15: &str = "I15 tokens";
    /// Each request to a named worker is resolved once and truly, and each worker lives, closes and frees its name once.
    pub const I16: &str = "I16 named workers";
    /// The callbacks of a kind of one's own do not panic.
    pub const KIND: &str = "a callback of the kind panics";
    /// Nor does its `perform`.
    pub const PERFORM: &str = "`perform` panics";
    /// No worker that there is or could be would take a task.
    pub const NO_MATCH: &str = "no worker takes a task";
    /// What one side of a kind encodes the other can decode.
    pub const WIRE: &str = "what was encoded cannot be decoded";
    /// What was to be verified at the end of a schedule holds.
    pub const VERIFY: &str = "`verify` panics";
}

/// What is known of a task.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) id: TaskId,
    pub(super) kind: KindId,
    /// It is in the farm.
    pub(crate) open: bool,
    pub(crate) entry: Entry,
    pub(crate) submitted: VTime,
    options: Rules,
    /// A caller has asked for its end while it was in the farm.
    pub(crate) cancelled: bool,
    /// Its latest attempt; 0 before the first.
    pub(crate) attempt: u32,
    /// Where that is.
    pub(crate) session: Session,
    pub(crate) sent: VTime,
    /// That attempt was asked to stop.
    asked: bool,
    /// What of that attempt was heard to its last byte.
    answer: Option<Answered>,
    /// The response of that attempt was used: with this letter.
    used: Option<u8>,
    /// If that was a failure: for which cause it may be retried.
    retried_for: Option<Cause>,
    /// A callback of the kind panicked about it, or its request could not be encoded.
    faulted: bool,
    /// It ends when this worker is gone before it started.
    fails_without: Option<Session>,
    /// After so many attempts no worker would take it.
    unmatched: Option<u32>,
    /// How many attempts were told to have ended while it went on, and the latest of them.
    told: u32,
    told_last: u32,
    /// Attempts that were asked to stop and came back without a word: they had not begun.
    void_stops: u32,
    /// Deaths that were charged to it, and the attempt that was charged last.
    deaths: u32,
    charged: u32,
    /// Retries that were used.
    retries: u32,
    /// What became of the attempt that was told last: so it ends if no further one runs.
    last: Option<Last>,
    timed_out: bool,
    /// Whom it is for.
    wishes: natures::Wishes,
    /// In which scope it is.
    standing: Option<scopes::Standing>,
    /// Why its scope wanted its latest attempt to stop when that was asked to.
    asked_for: Vec<scopes::Why>,
    /// The attempt whose answer was decoded off the loop last.
    decoding: u32,
}

/// What became of an attempt after which its task went on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Last {
    Failed,
    TimedOut,
    Died,
}

/// What of its options the rules speak about.
#[derive(Clone, Copy, Debug)]
struct Rules {
    retries: u32,
    retried_on: RetryOn,
    crash_limit: CrashLimit,
    on_lost: OnLost,
    grace: Option<Duration>,
    running: Option<Duration>,
    stall: Option<Duration>,
    waiting: Option<Duration>,
}

impl Rules {
    fn of(options: &TaskOptions) -> Self {
        Self {
            retries: options.retries.count,
            retried_on: options.retries.on,
            crash_limit: options.crash_limit,
            on_lost: options.on_lost,
            grace: options.grace,
            running: options.running,
            stall: options.stall,
            waiting: options.waiting,
        }
    }
}

/// The truth, and what of it was broken first.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) now: VTime,
    /// Ended tasks give their place to later ones: ids are dense, as in the real registry.
    tasks: Vec<Facts>,
    free: Vec<u32>,
    /// In the order in which they came from outside.
    pub(crate) callers: Vec<TaskId>,
    pub(crate) open: usize,
    pub(crate) ended: u32,
    pub(crate) sessions: Vec<SessionFacts>,
    pub(crate) broken: Option<(&'static str, String)>,
    stops: Vec<Stop>,
    /// Workers that were told to end, and by when they must be dead.
    closings: Vec<(Session, VTime)>,
    /// Workers that began to be replaced in the call that goes on.
    dismissed_now: Vec<Session>,
    /// What the page said when the output was written that is told now.
    pub(crate) writes: Option<(Session, AttemptId)>,
    /// What was decoded off the loop, by handle.
    decoded: Vec<Vec<u8>>,
    seen: u128,
    /// By kind.
    pools: Vec<pool::Pool>,
    /// The kind of somebody's own that is simulated, instead of ours.
    pub(crate) side: Option<Box<dyn KindSide>>,
    /// What that was asked and said in the call that goes on, for the trace; none: there is no trace.
    pub(crate) said: Option<Vec<String>>,
    pub(crate) config: Config,
    pub(crate) shut: Option<Shut>,
    gate: Gate,
    pub(crate) stopped: bool,
    /// The attempts that were charged with a death in the call that goes on.
    charged_now: Vec<AttemptId>,
    /// What must be done by when.
    dues: BTreeSet<(VTime, Due)>,
    /// Not every task is for every worker.
    pub(crate) keyed: bool,
    /// Workers that are said to be gone for what is pinned to them: by the end of the call they are.
    said_gone: Vec<(TaskId, Session)>,
    /// What the kind looks at beside tasks and workers.
    mood: bool,
    scopes: scopes::Scopes,
    sharing: sharing::Sharing,
    purse: tokens::Purse,
    /// The answers to errands that are not settled.
    said_of: BTreeMap<TaskId, u8>,
}

impl Ledger {
    pub(crate) fn new(config: Config, side: Option<Box<dyn KindSide>>) -> Self {
        Self {
            now: VTime::START,
            tasks: Vec::new(),
            free: Vec::new(),
            callers: Vec::new(),
            open: 0,
            ended: 0,
            sessions: Vec::new(),
            broken: None,
            stops: Vec::new(),
            closings: Vec::new(),
            dismissed_now: Vec::new(),
            writes: None,
            decoded: Vec::new(),
            seen: 0,
            pools: pool::Pool::all(&config, side.is_none()),
            side,
            said: None,
            config,
            shut: None,
            gate: Gate::Running,
            stopped: false,
            charged_now: Vec::new(),
            dues: BTreeSet::new(),
            keyed: false,
            said_gone: Vec::new(),
            mood: true,
            scopes: scopes::Scopes::default(),
            sharing: sharing::Sharing::default(),
            purse: tokens::Purse::default(),
            said_of: BTreeMap::new(),
        }
    }

    /// A rule is broken. The first stands.
    pub(crate) fn breaks(&mut self, name: &'static str, what: impl FnOnce() -> String) {
        if self.broken.is_none() {
            self.broken = Some((name, what()));
        }
    }

    pub(crate) fn sees(&mut self, what: Seen) {
        self.seen |= 1 << what as u128;
    }

    pub(crate) const fn has_seen(&self, what: Seen) -> bool {
        self.seen & 1 << what as u128 != 0
    }

    /// A task comes in: a new one in its place.
    pub(crate) fn enter(
        &mut self,
        kind: KindId,
        entry: Entry,
        options: Option<&TaskOptions>,
    ) -> TaskId {
        let id = match (&mut self.side, self.free.pop()) {
            (Some(side), _) => side.insert(),
            (None, Some(index)) => {
                TaskId::new(index, self.tasks[index as usize].id.generation() + 1)
            }
            (None, None) => TaskId::new(u32::try_from(self.tasks.len()).expect("few tasks"), 0),
        };
        self.enter_as(id, kind, entry, options)
    }

    /// A task comes in that has its id already.
    fn enter_as(
        &mut self,
        id: TaskId,
        kind: KindId,
        entry: Entry,
        options: Option<&TaskOptions>,
    ) -> TaskId {
        let rules = Rules::of(options.unwrap_or(&self.kind_config(kind).defaults));
        let facts = Facts {
            id,
            kind,
            open: true,
            entry,
            submitted: self.now,
            options: rules,
            cancelled: false,
            attempt: 0,
            session: Session(0),
            sent: VTime::START,
            asked: false,
            answer: None,
            used: None,
            retried_for: Some(Cause::Exit),
            faulted: false,
            fails_without: None,
            unmatched: None,
            told: 0,
            told_last: 0,
            void_stops: 0,
            deaths: 0,
            charged: 0,
            retries: 0,
            last: None,
            timed_out: false,
            wishes: natures::Wishes::default(),
            standing: None,
            asked_for: Vec::new(),
            decoding: 0,
        };
        match self.tasks.get_mut(id.index()) {
            Some(place) => *place = facts,
            None => self.tasks.push(facts),
        }
        self.open += 1;
        if let Some(limit) = rules.waiting {
            self.expect(self.now.after(limit), Due::Waiting(id));
        }
        id
    }

    /// What is known of a task that is in the farm.
    pub(crate) fn task(&mut self, id: TaskId) -> Option<&mut Facts> {
        self.tasks
            .get_mut(id.index())
            .filter(|facts| facts.id == id && facts.open)
    }

    /// The tasks from outside that are with workers, by when they came in.
    pub(crate) fn running(&self) -> Vec<u32> {
        let held = |task: &TaskId| {
            let session = self.tasks[task.index()].session;
            session.0 > 0
                && self.sessions[session.0 as usize - 1]
                    .held
                    .iter()
                    .any(|id| id.task == *task)
        };
        (0..)
            .zip(&self.callers)
            .filter(|(_, task)| held(task))
            .map(|(nth, _)| nth)
            .collect()
    }

    /// It is over, in one way or the other.
    fn leave(&mut self, id: TaskId) {
        if let Some(facts) = self.task(id) {
            facts.open = false;
            let (begun, kind) = (facts.attempt > 0, facts.kind);
            self.pool_mut(kind).begun -= usize::from(begun);
            self.open -= 1;
            self.ended += 1;
            self.free
                .push(u32::try_from(id.index()).expect("few tasks"));
        } else {
            self.breaks(names::I1, || format!("{id} ends and is not in the farm"));
        }
    }

    /// The most tasks that may wait: the queue, what is injected beyond it, and what came back from workers or for a
    /// retry, which was admitted once.
    pub(crate) fn most_queued(&self, kind: KindId) -> usize {
        let begun = self.pool(kind).begun;
        let kind = self.kind_config(kind);
        kind.boundary.max_queued + kind.injection_limit + begun
    }

    /// A caller changes the gate.
    pub(crate) fn gate(&mut self, gate: Gate) {
        if gate == Gate::Paused {
            self.sees(Seen::Paused);
        }
        self.gate = gate;
    }

    /// After every step, in constant time: what must not be late, and what must not be too much.
    pub(crate) fn look(&self, now: VTime) -> Result<(), String> {
        self.stops_in_time(now)?;
        self.closed_in_time(now)
    }

    /// Everything that holds when the farm says that it has stopped.
    pub(crate) fn farm_stopped(&mut self) {
        if self.stopped {
            self.breaks(names::I8, || "it stops twice".into());
        }
        self.stopped = true;
        self.no_scope_is_left();
        self.all_tokens_are_back();
        self.sees_three_kinds();
        if self.shut.is_none() {
            self.breaks(names::I7, || "it stops and nobody wanted it".into());
        }
        if self.open > 0 {
            let open: Vec<_> = self
                .tasks
                .iter()
                .filter(|facts| facts.open)
                .map(|facts| facts.id)
                .collect();
            self.breaks(names::I1, || {
                format!("it stops and these have no end: {open:?}")
            });
        }
        let left: Vec<_> = self
            .sessions
            .iter()
            .filter(|session| !session.gone)
            .map(|session| session.session)
            .collect();
        if !left.is_empty() {
            self.breaks(names::I8, || {
                format!("it stops and these workers are left: {left:?}")
            });
        }
    }
}

/// Whether `later` is at least `span` after `earlier`, by a clock of whole milliseconds.
pub(crate) fn elapsed(later: VTime, earlier: VTime, span: Duration) -> bool {
    later.since(earlier) + Duration::from_millis(1) >= span
}

/// By when what is due at `due` must have been done: time overtakes what is ready by at most one horizon.
pub(crate) fn latest(due: VTime, hops: u32) -> VTime {
    due.after(HORIZON * hops).after(Duration::from_millis(1))
}

/// The number of an answer's letter: what the simulated worker made of a request.
pub(crate) mod letter {
    pub(crate) const DONE: u8 = 0;
    pub(crate) const FAILED: u8 = 1;
    pub(crate) const DONE_AND_END: u8 = 2;
    pub(crate) const INJECT: u8 = 3;
    /// The kind's callback panicked over it.
    pub(crate) const FAULT: u8 = 4;
}
