//! Callers of named workers: what they do, as a script that other processes' steps fall between. Where the real ones wait
//! on a condition, these are woken by the attendant and look again.

use super::{Limits, Person, World, desk, let_go};
use crate::ledger::Seen;
use crate::master::instant;
use crate::message::Message;
use crate::named::News;
use crate::world::{Farm, roles};
use farm_lockstep::{Event, Exit, Pid, Process, SpawnOptions, VTime};
use farm_master::Shut;
use farm_master::named::{Merge, RequestId, Rule, Shutdown, WorkerId};
use std::collections::VecDeque;
use std::time::Duration;

/// The names there are.
pub(crate) const NAMES: [&str; 3] = ["a", "b", "c"];

/// One thing that a caller does. Spans in milliseconds.
#[derive(Clone, Debug)]
pub(crate) enum Doing {
    /// Launches a worker of one of the names.
    Launch {
        name: usize,
        idle: Option<u64>,
        limits: Limits,
        waits: bool,
    },
    /// Brings a request, by the rule of the mailbox; to whom is drawn when it happens.
    Bring {
        /// Waits for room.
        waits: bool,
        /// For so long.
        timeout: Option<u64>,
        /// Waits for the answer.
        claims: bool,
        merge: Merge,
    },
    /// Cancels one of the open requests.
    Cancel,
    /// Shuts somebody down; with a span when it has done what waits.
    ShutDown { drain: Option<u64>, waits: bool },
    /// Shuts everybody down and waits for it.
    ShutAll { drain: Option<u64> },
    /// Has the table no more.
    Leave,
    /// Ends the farm.
    Shut(Shut),
    /// Lets time pass.
    Sleep(u64),
    /// Lets others go on.
    Pause,
}

/// What a caller waits for.
#[derive(Clone, Debug)]
enum Waits {
    Launched(WorkerId),
    Room {
        request: RequestId,
        until: Option<VTime>,
        claims: bool,
    },
    Answer(RequestId),
    Closed(Vec<WorkerId>),
    Time(VTime),
}

/// A caller with its script.
pub(crate) struct NamedCaller {
    master: Pid,
    attendant: Pid,
    script: VecDeque<Doing>,
    waits: Option<Waits>,
}

impl NamedCaller {
    pub(crate) fn new(master: Pid, attendant: Pid, script: Vec<Doing>) -> Box<Self> {
        Box::new(Self {
            master,
            attendant,
            script: script.into(),
            waits: None,
        })
    }

    pub(crate) const fn options(number: u32) -> SpawnOptions {
        let mut options = SpawnOptions::new("client", roles::CALLER);
        options.number = number;
        options
    }

    fn go_on(&mut self, cx: &mut World<'_>) {
        loop {
            if let Some(waits) = self.waits.take()
                && let Some(waits) = Self::still(cx, waits)
            {
                self.waits = Some(waits);
                let me = cx.me();
                return desk(cx).waiting.push(me);
            }
            if self.waits.is_some() {
                continue;
            }
            let Some(doing) = self.script.pop_front() else {
                return cx.exit(Exit::Code(0));
            };
            if matches!(doing, Doing::Pause) {
                return cx.again();
            }
            cx.trace(|| format!("{doing:?}"));
            self.waits = self.does(cx, doing);
            let_go(cx);
        }
    }

    /// What it still waits for; `None`: it has come.
    fn still(cx: &mut World<'_>, waits: Waits) -> Option<Waits> {
        let (now, calm) = (cx.now(), cx.is_calm());
        let truth = &desk(cx).truth;
        match waits {
            Waits::Launched(worker) => truth.life(worker).launched.is_none().then_some(waits),
            Waits::Answer(request) => truth.request(request).told.is_none().then_some(waits),
            Waits::Closed(ref all) => {
                let open = all.iter().any(|worker| !truth.life(*worker).closed);
                open.then_some(waits)
            }
            Waits::Time(until) => {
                if calm || now >= until {
                    return None;
                }
                cx.alarm(Some(until));
                Some(waits)
            }
            Waits::Room {
                request,
                until,
                claims,
            } => {
                let known = truth.request(request);
                if known.told.is_some() || known.admitted {
                    cx.alarm(None);
                    let open = known_is_open(cx, request) && claims;
                    return open.then_some(Waits::Answer(request));
                }
                if until.is_some_and(|until| now >= until) {
                    let desk = desk(cx);
                    if desk.table.withdraw(request) {
                        desk.truth.withdrawn(request);
                        let_go(cx);
                        return None;
                    }
                    // In this moment it was taken in, or never will be: the attendant says which.
                    cx.alarm(None);
                    let until = None;
                    return Some(Waits::Room {
                        request,
                        until,
                        claims,
                    });
                }
                cx.alarm(until);
                Some(waits)
            }
        }
    }

    fn does(&self, cx: &mut World<'_>, doing: Doing) -> Option<Waits> {
        let now = instant(cx.now());
        match doing {
            Doing::Launch {
                name,
                idle,
                limits,
                waits,
            } => {
                let worker = Self::launch(cx, NAMES[name], idle, limits)?;
                waits.then_some(Waits::Launched(worker))
            }
            Doing::Bring {
                waits,
                timeout,
                claims,
                merge,
            } => {
                let worker = Self::somebody(cx)?;
                let (request, is_in) = Self::bring(cx, worker, waits, merge)?;
                if is_in {
                    return claims.then_some(Waits::Answer(request));
                }
                let until = timeout.map(|span| cx.now().after(Duration::from_millis(span)));
                Some(Waits::Room {
                    request,
                    until,
                    claims,
                })
            }
            Doing::Cancel => {
                let open = desk(cx).truth.open(4);
                let count = u32::try_from(open.len()).ok().filter(|count| *count > 0)?;
                let request = open[cx.choose(count, "which request is cancelled") as usize];
                let desk = desk(cx);
                desk.truth.cancels(request);
                desk.table.cancel(now, request, "enough");
                None
            }
            Doing::ShutDown { drain, waits } => {
                let worker = Self::somebody(cx)?;
                Self::shut_down(cx, worker, drain);
                waits.then(|| Waits::Closed(vec![worker]))
            }
            Doing::ShutAll { drain } => {
                let all: Vec<WorkerId> = desk(cx).table.names().map(|(_, id)| id).collect();
                for worker in &all {
                    Self::shut_down(cx, *worker, drain);
                }
                Some(Waits::Closed(all))
            }
            Doing::Leave => {
                if cx.is_alive(self.attendant) {
                    desk(cx).news += 1;
                    cx.send(self.attendant, Message::News(News::Left));
                }
                None
            }
            Doing::Shut(how) => {
                cx.send(self.master, Message::Shut(how));
                None
            }
            Doing::Sleep(span) => Some(Waits::Time(cx.now().after(Duration::from_millis(span)))),
            Doing::Pause => None,
        }
    }

    fn launch(
        cx: &mut World<'_>,
        name: &'static str,
        idle: Option<u64>,
        limits: Limits,
    ) -> Option<WorkerId> {
        let now = instant(cx.now());
        let desk = desk(cx);
        if desk.ended {
            return None;
        }
        let idle = idle.map(Duration::from_millis);
        let launched = desk.table.launch(now, name, idle);
        desk.truth.launches(name, launched);
        let worker = launched.ok()?;
        let person = Person {
            limits,
            ..Person::default()
        };
        desk.people.insert(worker, person);
        Some(worker)
    }

    /// One of the latest workers, whether it lives or not: handles stay.
    fn somebody(cx: &mut World<'_>) -> Option<WorkerId> {
        let latest = desk(cx).truth.latest(4);
        let count = u32::try_from(latest.len())
            .ok()
            .filter(|count| *count > 0)?;
        Some(latest[cx.choose(count, "which worker") as usize])
    }

    /// Brings a request, with whether it is in the mailbox.
    fn bring(
        cx: &mut World<'_>,
        worker: WorkerId,
        waits: bool,
        merge: Merge,
    ) -> Option<(RequestId, bool)> {
        let now = instant(cx.now());
        let desk = desk(cx);
        match desk.truth.rule {
            Rule::Unbounded | Rule::Bounded(_) => {
                let pushed = desk.table.push(now, worker, waits);
                desk.truth.pushed(worker, &pushed, waits);
                pushed.ok()
            }
            Rule::Dropbox => {
                let old = desk.table.waiting(worker);
                let put = desk.table.put(now, worker, merge);
                desk.truth.put(worker, &put, merge, old);
                Some((put.ok()?, true))
            }
            Rule::Pull => {
                desk.table.pull(now, worker);
                None
            }
        }
    }

    fn shut_down(cx: &mut World<'_>, worker: WorkerId, drain: Option<u64>) {
        let now = instant(cx.now());
        let how = drain.map_or(Shutdown::Drop, |span| Shutdown::Drain {
            until: now.after(Duration::from_millis(span)),
        });
        let desk = desk(cx);
        desk.truth.shut_down(worker, how);
        desk.table.shutdown(now, worker, how);
        if drain.is_some() {
            super::sees(cx, Seen::Drained);
        }
    }
}

fn known_is_open(cx: &mut World<'_>, request: RequestId) -> bool {
    desk(cx).truth.request(request).told.is_none()
}

impl Process<Farm, Message> for NamedCaller {
    fn step(&mut self, cx: &mut World<'_>, event: Event<'_, Message>) {
        match event {
            Event::Start | Event::Wake | Event::Turn | Event::Calm => {}
            Event::Message { .. }
            | Event::Bytes { .. }
            | Event::Eof { .. }
            | Event::Writable { .. }
            | Event::Ended { .. } => panic!("a client is only woken"),
        }
        self.go_on(cx);
    }

    fn waits_for(&self) -> String {
        match &self.waits {
            Some(waits) => format!("{waits:?}"),
            None => format!("{:?}", self.script.front()),
        }
    }
}
