//! Named workers in the simulated farm: the shipped table, performed over the simulated master as the driver's attendant
//! performs it over the real one; callers; and what really happened, invariant I16.
//!
//! The table is under a lock in the driver, so here it is shared and each step of a process holds it. The attendant is a
//! process of its own, and so between any two things that it does everybody else may do something.

mod attendant;
mod caller;
mod courier;
mod truth;

pub(crate) use attendant::Attendant;
pub(crate) use caller::{Doing, NAMES, NamedCaller};
pub(crate) use truth::Truth;

use crate::ledger::{Ledger, Seen, names};
use crate::message::Message;
use crate::world::Farm;
use farm_lockstep::{Cx, Pid};
use farm_master::named::{Action, RequestId, Table, WorkerId};
use farm_master::{Gone, Outcome, TaskOptions};
use farm_protocol::{KindId, Session, SlotId, TaskId};
use std::collections::BTreeMap;

pub(crate) type World<'a> = Cx<'a, Farm, Message>;

/// The kind whose workers are somebody.
pub(crate) const NAMED: KindId = KindId(0);

/// What the attendant hears of the farm's loop, in the order in which that says it.
#[derive(Debug)]
pub(crate) enum News {
    /// An errand has ended.
    Ended {
        /// Which.
        ticket: u64,
        /// How; `None`: the farm takes nothing more.
        how: Option<Box<Ended>>,
    },
    /// A process is gone.
    Gone {
        /// Where it was.
        place: (SlotId, Session),
        /// How it went.
        gone: Box<Gone>,
    },
    /// Nothing more will be heard.
    FarmOver,
    /// Nobody has the table any more.
    Left,
}

/// The end of an errand.
#[derive(Debug)]
pub(crate) struct Ended {
    outcome: Outcome,
    /// What the worker's answer said.
    letter: Option<u8>,
    /// With whom it was last.
    place: Option<(SlotId, Session)>,
}

impl Ended {
    pub(crate) const fn new(
        outcome: Outcome,
        letter: Option<u8>,
        place: Option<(SlotId, Session)>,
    ) -> Self {
        Self {
            outcome,
            letter,
            place,
        }
    }
}

/// What the attendant asks of the farm.
#[derive(Debug)]
pub(crate) enum ToFarm {
    /// A launch, or a request to a process.
    Errand {
        /// Which.
        ticket: u64,
        /// To whom; `None`: somebody is to be launched.
        to: Option<(SlotId, Session)>,
        /// Its options.
        options: Box<TaskOptions>,
    },
    /// It shall stop.
    Stop(u64),
    /// A worker is not needed any more.
    EndWorker(SlotId, Session),
}

/// What an errand is for.
#[derive(Clone, Copy, Debug)]
struct Errand {
    worker: WorkerId,
    request: Option<RequestId>,
}

/// Chances of a thousand of what hooks and sources do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hooks {
    /// They take their time.
    pub(crate) late: u32,
    /// They want the worker shut down.
    pub(crate) shutdown: u32,
    /// They want it crashed.
    pub(crate) crash: u32,
    /// They panic.
    pub(crate) panic: u32,
    /// They bring a request themselves, or end somebody.
    pub(crate) busy: u32,
}

/// A worker that is in the table, as the driver keeps it.
#[derive(Debug, Default)]
struct Person {
    process: Option<(SlotId, Session)>,
    /// What the farm does for it now.
    errand: Option<u64>,
    /// Its last answer: whether it went well.
    answer: Option<bool>,
    /// How long its launch may take, how long a request, and how long a stop, in milliseconds.
    limits: Limits,
}

/// Limits of a worker's errands, in milliseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Limits {
    pub(crate) launch: u64,
    pub(crate) running: Option<u64>,
    pub(crate) grace: Option<u64>,
}

/// What callers, attendant and master share.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) table: Table,
    people: BTreeMap<WorkerId, Person>,
    processes: BTreeMap<(SlotId, Session), WorkerId>,
    /// Nothing is launched any more.
    ended: bool,
    pub(crate) hooks: Hooks,
    /// How many requests the sources still have.
    pub(crate) source: u32,
    pub(crate) truth: Truth,
    attendant: Option<Pid>,
    /// Callers that wait for something that the attendant tells.
    waiting: Vec<Pid>,
    errands: BTreeMap<u64, Errand>,
    last_errand: u64,
    /// What is on its way to the master.
    posted: Vec<u64>,
    tasks: BTreeMap<TaskId, u64>,
    /// How much is on its way to the attendant, and how many ends of workers to the master.
    news: u32,
    ends: u32,
    /// The attendant has nothing more to do.
    over: bool,
}

impl Desk {
    pub(crate) fn new(table: Table, hooks: Hooks, source: u32, truth: Truth) -> Self {
        Self {
            table,
            people: BTreeMap::new(),
            processes: BTreeMap::new(),
            ended: false,
            hooks,
            source,
            truth,
            attendant: None,
            waiting: Vec::new(),
            errands: BTreeMap::new(),
            last_errand: 0,
            posted: Vec::new(),
            tasks: BTreeMap::new(),
            news: 0,
            ends: 0,
            over: false,
        }
    }

    pub(crate) const fn is_over(&self) -> bool {
        self.over
    }

    /// Who attends to it, from the beginning: what is said before its first step waits for it.
    pub(crate) const fn is_attended_by(&mut self, attendant: Pid) {
        self.attendant = Some(attendant);
    }

    /// A task of the farm carries this errand, which has arrived.
    pub(crate) fn arrived(&mut self, ticket: u64, task: TaskId) {
        self.posted.retain(|other| *other != ticket);
        self.tasks.insert(task, ticket);
    }

    /// The task of an errand that has not ended.
    pub(crate) fn task_of(&self, ticket: u64) -> Option<TaskId> {
        let found = self.tasks.iter().find(|(_, other)| **other == ticket);
        found.map(|(task, _)| *task)
    }

    /// A task has ended: the errand that it carried.
    pub(crate) fn take_errand(&mut self, task: TaskId) -> Option<u64> {
        self.tasks.remove(&task)
    }

    /// An end of a worker has arrived.
    pub(crate) const fn end_arrived(&mut self) {
        self.ends -= 1;
    }

    /// The farm is over: what was on its way to it.
    pub(crate) fn take_posted(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.posted)
    }

    /// Whom the master tells, with one more piece of news under way.
    pub(crate) const fn tells(&mut self) -> Option<Pid> {
        if self.over {
            return None;
        }
        self.news += 1;
        self.attendant
    }
}

/// The desk of a farm that has named workers.
pub(crate) fn desk<'a>(cx: &'a mut World<'_>) -> &'a mut Desk {
    cx.shared()
        .named
        .as_mut()
        .expect("who asks has named workers")
}

/// The desk and the truth about the farm below.
fn desk_and_ledger<'a>(cx: &'a mut World<'_>) -> (&'a mut Desk, &'a mut Ledger) {
    let farm = cx.shared();
    let desk = farm.named.as_mut().expect("who asks has named workers");
    (desk, &mut farm.ledger)
}

/// After somebody had the table: all is as it should be, and the attendant hears of what there is to do.
fn let_go(cx: &mut World<'_>) {
    let (desk, ledger) = desk_and_ledger(cx);
    desk.truth.agrees_with(&desk.table);
    for seen in desk.truth.take_seen() {
        ledger.sees(seen);
    }
    if let Some(broken) = desk.truth.take_broken() {
        return cx.violation(names::I16, || broken);
    }
    desk.table.check_invariants();
    let rings = desk.table.has_actions() || desk.ended;
    let attendant = desk.attendant.filter(|_| rings);
    // The attendant goes on by itself.
    if let Some(attendant) = attendant.filter(|it| *it != cx.me()) {
        cx.wake(attendant);
    }
}

/// Whoever waits for something looks again.
fn wake_waiting(cx: &mut World<'_>) {
    for caller in std::mem::take(&mut desk(cx).waiting) {
        cx.wake(caller);
    }
}

/// The next thing that the table wants done.
fn next_action(cx: &mut World<'_>) -> Option<Action> {
    let desk = desk(cx);
    let action = desk.table.take_action()?;
    desk.truth.acts(&action);
    cx.trace(|| format!("table: {action:?}"));
    Some(action)
}

fn sees(cx: &mut World<'_>, what: Seen) {
    cx.shared().ledger.sees(what);
}
