//! What really happened, kept apart from what the master believes: the truth that its answers are compared with.
//!
//! The simulated world writes down here what it sees (a worker began, wrote an answer, died), and what the master does
//! about it. Every rule that is broken is noted once, with its invariant's name. It decides nothing.

mod acts;
mod answers;
mod budgets;
mod causes;
mod dues;
mod sessions;
mod stops;

use crate::model::Model;
use crate::params::HORIZON;
use farm_lockstep::VTime;
use farm_master::lane::{Entry, Gate};
use farm_master::{Config, CrashLimit, Need, OnLost, RetryOn, Shut, TaskOptions};
use farm_protocol::{AttemptId, Session, TaskId};
use std::time::Duration;

pub(crate) use answers::{read_request, worked_out, write_response};
pub(crate) use causes::termination;
use dues::Due;
pub(crate) use sessions::{Answered, SessionFacts, Written};
use std::collections::{BTreeMap, BTreeSet};
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
}

/// What is known of a task.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) id: TaskId,
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
    /// The response of that attempt was used: with this letter.
    used: Option<u8>,
    /// Deaths that were charged to it, and the attempt that was charged last.
    deaths: u32,
    charged: u32,
    /// Retries that were used, as far as was told.
    retries: u32,
    /// Stops for time that were not told of as the end of an attempt.
    silent: u32,
    /// Attempts that were told of.
    told: u32,
    /// The answer of its latest attempt was heard: whether it acknowledged a stop.
    heard: Option<bool>,
    /// The master has told the end of its latest attempt.
    over: bool,
    needs: Vec<Need>,
    /// An earlier attempt failed, or ran out of time: that is how it ends if no further one runs.
    failed: bool,
    timed_out: bool,
}

/// What of its options the rules speak about.
#[derive(Clone, Copy, Debug)]
struct Rules {
    retries: u32,
    retry_on: RetryOn,
    crash_limit: CrashLimit,
    on_lost: OnLost,
    grace: Option<Duration>,
    running: Option<Duration>,
    waiting: Option<Duration>,
}

impl Rules {
    fn of(options: &TaskOptions) -> Self {
        Self {
            retries: options.retries.count,
            retry_on: options.retries.on,
            crash_limit: options.crash_limit,
            on_lost: options.on_lost,
            grace: options.grace,
            running: options.running,
            waiting: options.waiting,
        }
    }
}

/// What should happen in some run of a sweep; bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Seen {
    Done,
    Retried,
    Charged,
    Poisoned,
    LateAnswer,
    AckedStop,
    KilledStop,
    CancelledWaiting,
    StartFailed,
    ExitBeforeEof,
    EofBeforeExit,
    Babbled,
    Injected,
    InjectionRefused,
    Revoked,
    Decoded,
    TimedOut,
    QueueFull,
    Paused,
    PoolEnded,
    GaveBack,
    Flooded,
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
    /// Those of them that were sent at least once.
    begun: usize,
    pub(crate) ended: u32,
    pub(crate) sessions: Vec<SessionFacts>,
    pub(crate) broken: Option<(&'static str, String)>,
    stops: Vec<Stop>,
    /// What must be done by when.
    dues: BTreeSet<(VTime, Due)>,
    /// How the tasks ended that others may need: whether well.
    ends: BTreeMap<TaskId, bool>,
    /// What was decoded off the loop, by handle.
    decoded: Vec<Vec<u8>>,
    seen: u64,
    pub(crate) model: Model,
    pub(crate) config: Config,
    pub(crate) shut: Option<Shut>,
    gate: Gate,
    pub(crate) stopped: bool,
    budgets: budgets::Budgets,
    /// The attempts that were charged with a death in the call that goes on.
    charged_now: Vec<AttemptId>,
}

impl Ledger {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            now: VTime::START,
            tasks: Vec::new(),
            free: Vec::new(),
            callers: Vec::new(),
            open: 0,
            begun: 0,
            ended: 0,
            sessions: Vec::new(),
            broken: None,
            stops: Vec::new(),
            dues: BTreeSet::new(),
            ends: BTreeMap::new(),
            decoded: Vec::new(),
            seen: 0,
            model: Model::new(&config.kinds[0], &config.limits),
            budgets: budgets::Budgets::new(config.start_failures),
            config,
            shut: None,
            gate: Gate::Running,
            stopped: false,
            charged_now: Vec::new(),
        }
    }

    /// A rule is broken. The first stands.
    pub(crate) fn breaks(&mut self, name: &'static str, what: impl FnOnce() -> String) {
        if self.broken.is_none() {
            self.broken = Some((name, what()));
        }
    }

    pub(crate) fn sees(&mut self, what: Seen) {
        self.seen |= 1 << what as u32;
    }

    pub(crate) const fn has_seen(&self, what: Seen) -> bool {
        self.seen & 1 << what as u32 != 0
    }

    /// A task comes in: a new one in its place.
    pub(crate) fn enter(&mut self, entry: Entry, options: Option<&TaskOptions>) -> TaskId {
        let rules = Rules::of(options.unwrap_or(&self.config.kinds[0].defaults));
        let id = match self.free.pop() {
            Some(index) => TaskId::new(index, self.tasks[index as usize].id.generation() + 1),
            None => TaskId::new(u32::try_from(self.tasks.len()).expect("few tasks"), 0),
        };
        let facts = Facts {
            id,
            open: true,
            entry,
            submitted: self.now,
            options: rules,
            cancelled: false,
            attempt: 0,
            session: Session(0),
            sent: VTime::START,
            asked: false,
            used: None,
            deaths: 0,
            charged: 0,
            retries: 0,
            silent: 0,
            told: 0,
            heard: None,
            over: false,
            needs: options
                .map(|options| options.needs.clone())
                .unwrap_or_default(),
            failed: false,
            timed_out: false,
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
            let begun = facts.attempt > 0;
            self.begun -= usize::from(begun);
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
    pub(crate) fn most_queued(&self) -> usize {
        let kind = &self.config.kinds[0];
        kind.boundary.max_queued + kind.injection_limit + self.begun
    }

    /// A caller changes the gate.
    pub(crate) fn gate(&mut self, gate: Gate) {
        if gate == Gate::Paused {
            self.sees(Seen::Paused);
        }
        self.gate = gate;
    }

    /// Everything that holds when the farm says that it has stopped.
    pub(crate) fn farm_stopped(&mut self) {
        if self.stopped {
            self.breaks(names::I8, || "it stops twice".into());
        }
        self.stopped = true;
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
}
