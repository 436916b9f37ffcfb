//! The process that attends to a table: hears the farm's news and does what the table says, one after the other, as the
//! thread of the driver does; hooks answer what is drawn, some of them late.

use super::courier::{because, launched, treated};
use super::{
    Ended, Errand, NAMED, News, ToFarm, World, desk, desk_and_ledger, let_go, next_action, sees,
    wake_waiting,
};
use crate::ledger::{Seen, names};
use crate::master::instant;
use crate::message::Message;
use crate::world::{Farm, roles};
use farm_lockstep::{Event, Exit, Pid, Process, SpawnOptions, VTime};
use farm_master::named::{Action, RequestId, Rule, Shutdown, Treated, Verdict, WorkerId};
use farm_master::{Gone, OnLost, Outcome, TaskOptions, WhoseDoing};
use farm_protocol::{Session, SlotId};
use std::collections::VecDeque;
use std::time::Duration;

/// A hook that has not returned.
#[derive(Debug)]
enum Hook {
    Judge(WorkerId, RequestId),
    Idle(WorkerId),
    Close(WorkerId),
    Pull(WorkerId),
}

/// The process.
pub(crate) struct Attendant {
    master: Pid,
    inbox: VecDeque<News>,
    hook: Option<Hook>,
}

/// How long a hook takes that takes its time, in milliseconds.
const HOOK_TAKES: [u64; 3] = [1, 40, 600];

/// Of a thousand times between two things that it does, how often others go on first.
const YIELDS: u32 = 350;

/// Of a thousand times, how often it hears news with something left to do, as the driver's does after many things done.
const LISTENS: u32 = 30;

impl Attendant {
    pub(crate) fn new(master: Pid) -> Box<Self> {
        Box::new(Self {
            master,
            inbox: VecDeque::new(),
            hook: None,
        })
    }

    pub(crate) const fn options() -> SpawnOptions {
        SpawnOptions::new("attendant", roles::ATTENDANT)
    }

    fn go_on(&mut self, cx: &mut World<'_>) {
        while self.hook.is_none() {
            let turn = !self.inbox.is_empty() && cx.chance(LISTENS, "news between two actions");
            if let Some(action) = if turn { None } else { next_action(cx) } {
                self.perform(cx, action);
                let_go(cx);
            } else if !turn && desk(cx).ended && desk(cx).table.is_empty() {
                return Self::leave(cx);
            } else if let Some(news) = self.inbox.pop_front() {
                self.hear(cx, news);
                let_go(cx);
            } else {
                self.nobody_is_left_over(cx);
                let deadline = desk(cx).table.deadline();
                return cx.alarm(deadline.map(|at| VTime(at.as_nanos())));
            }
            if self.hook.is_none() && cx.chance(YIELDS, "others go on before the attendant") {
                return cx.again();
            }
        }
    }

    fn leave(cx: &mut World<'_>) {
        let desk = desk(cx);
        desk.over = true;
        desk.truth.all_is_over(&desk.table);
        let_go(cx);
        wake_waiting(cx);
        cx.exit(Exit::Code(0));
    }

    /// Nothing is under way: who is somebody is somebody's.
    fn nobody_is_left_over(&self, cx: &mut World<'_>) {
        let (desk, ledger) = desk_and_ledger(cx);
        if desk.news > 0 || desk.ends > 0 || !desk.posted.is_empty() || !desk.tasks.is_empty() {
            return;
        }
        let known = |place: &(SlotId, Session)| desk.processes.contains_key(place);
        let stray = ledger.somebodies(NAMED).find(|place| !known(place));
        if let Some((_, session)) = stray {
            cx.violation(names::I16, || {
                format!("{session} was launched, lives, and is nobody's")
            });
        }
    }

    fn hear(&self, cx: &mut World<'_>, news: News) {
        desk(cx).news -= 1;
        cx.trace(|| format!("hears {news:?}"));
        match news {
            News::Ended { ticket, how } => {
                let errand = desk(cx).errands.remove(&ticket);
                let Errand { worker, request } = errand.expect("an errand ends once");
                match request {
                    Some(request) => Self::request_ended(cx, worker, request, how.as_deref()),
                    None => self.launch_ended(cx, worker, how.as_deref()),
                }
            }
            News::Gone { place, gone } => Self::gone(cx, place, &gone),
            News::FarmOver => Self::farm_over(cx),
            News::Left => {
                let now = instant(cx.now());
                let desk = desk(cx);
                desk.ended = true;
                let all: Vec<WorkerId> = desk.table.names().map(|(_, id)| id).collect();
                for worker in all {
                    desk.truth.shut_down(worker, Shutdown::Drop);
                    desk.table.shutdown(now, worker, Shutdown::Drop);
                }
            }
        }
    }

    fn farm_over(cx: &mut World<'_>) {
        let now = instant(cx.now());
        let desk = desk(cx);
        desk.ended = true;
        let all: Vec<WorkerId> = desk.table.names().map(|(_, id)| id).collect();
        for worker in all {
            desk.truth.abandoned(worker);
            desk.table.abandon(now, worker);
        }
        desk.processes.clear();
    }

    fn launch_ended(&self, cx: &mut World<'_>, worker: WorkerId, how: Option<&Ended>) {
        let now = instant(cx.now());
        let (desk, ledger) = desk_and_ledger(cx);
        let person = desk.people.get_mut(&worker);
        let Some(person) = person else {
            // Given up with the farm, which handed its launch back afterwards.
            return;
        };
        person.errand = None;
        let place = how.and_then(|how| how.place);
        match launched(how) {
            Ok(()) => {
                let place = place.expect("who answered was somewhere");
                person.process = Some(place);
                desk.processes.insert(place, worker);
                desk.truth.came_up(worker, place);
                desk.table.launched(now, worker);
            }
            Err(lives) => {
                ledger.sees(why_not(how));
                desk.truth.did_not_come_up(worker);
                desk.table.launch_failed(now, worker);
                if let Some((slot, session)) = place.filter(|_| lives) {
                    ledger.sees(Seen::StrayLaunch);
                    self.end_process(cx, slot, session);
                }
            }
        }
    }

    fn end_process(&self, cx: &mut World<'_>, slot: SlotId, session: Session) {
        if cx.is_alive(self.master) {
            desk(cx).ends += 1;
            cx.send(
                self.master,
                Message::ToFarm(ToFarm::EndWorker(slot, session)),
            );
        }
    }

    fn request_ended(
        cx: &mut World<'_>,
        worker: WorkerId,
        request: RequestId,
        how: Option<&Ended>,
    ) {
        let now = instant(cx.now());
        let told = treated(how);
        let desk = desk(cx);
        let there = desk
            .people
            .get(&worker)
            .is_some_and(|it| it.process.is_some());
        if there && how.is_some_and(|how| matches!(how.outcome, Outcome::HolderGone)) {
            // It never got there. How the process ended is about to be heard, and ends this too.
            return;
        }
        if let Some(person) = desk.people.get_mut(&worker) {
            person.errand = None;
            person.answer = match told {
                Treated::Answered { ok } => Some(ok),
                Treated::Stopped(_)
                | Treated::Fault { .. }
                | Treated::Killed(_)
                | Treated::Died(_)
                | Treated::FarmOver => None,
            };
        }
        let place = how.and_then(|how| how.place);
        desk.truth.was_treated(worker, request, &told, place);
        desk.table.treated(now, worker, request, told);
    }

    fn gone(cx: &mut World<'_>, place: (SlotId, Session), gone: &Gone) {
        let now = instant(cx.now());
        let desk = desk(cx);
        let Some(worker) = desk.processes.remove(&place) else {
            return;
        };
        let crash = match gone.whose {
            WhoseDoing::Finished | WhoseDoing::Replaced => None,
            WhoseDoing::Killed | WhoseDoing::Died => Some(because("its process is gone")),
        };
        if let Some(person) = desk.people.get_mut(&worker) {
            person.process = None;
        }
        desk.truth.process_is_gone(worker, crash.as_ref());
        desk.table.gone(now, worker, crash);
    }

    fn perform(&mut self, cx: &mut World<'_>, action: Action) {
        match action {
            Action::Launch { worker } => self.launch(cx, worker),
            Action::Launched { .. }
            | Action::NotLaunched { .. }
            | Action::Admitted { .. }
            | Action::Resolve { .. } => wake_waiting(cx),
            Action::Pull { worker } => self.run(cx, Hook::Pull(worker)),
            Action::Send { worker, request } => self.send(cx, worker, request),
            Action::Stop { worker, .. } => self.stop(cx, worker),
            Action::Judge {
                worker, request, ..
            } => self.run(cx, Hook::Judge(worker, request)),
            Action::Idle { worker } => self.run(cx, Hook::Idle(worker)),
            Action::Cancel { .. } => {}
            Action::End { worker } => {
                let place = desk(cx).people.get(&worker).and_then(|it| it.process);
                self.stop(cx, worker);
                if let Some((slot, session)) = place {
                    self.end_process(cx, slot, session);
                }
            }
            Action::Close { worker } => {
                let (desk, ledger) = desk_and_ledger(cx);
                desk.truth.on_close_begins(worker, ledger);
                self.run(cx, Hook::Close(worker));
            }
            Action::Closed { worker, .. } => {
                desk(cx).people.remove(&worker);
                wake_waiting(cx);
            }
        }
    }

    fn post(&self, cx: &mut World<'_>, errand: Errand, options: TaskOptions) {
        let desk = desk(cx);
        desk.last_errand += 1;
        let ticket = desk.last_errand;
        desk.errands.insert(ticket, errand);
        let person = desk.people.get_mut(&errand.worker);
        let person = person.expect("it is in the table");
        person.errand = Some(ticket);
        let to = errand
            .request
            // A process that is gone already: the farm says so of the errand.
            .map(|_| person.process.unwrap_or((SlotId(u32::MAX), Session(0))));
        desk.posted.push(ticket);
        if cx.is_alive(self.master) {
            let options = Box::new(options);
            let errand = ToFarm::Errand {
                ticket,
                to,
                options,
            };
            return cx.send(self.master, Message::ToFarm(errand));
        }
        self::desk(cx).take_posted();
        self.refused(cx, ticket);
    }

    /// The farm is over: the errand is handed back at once.
    fn refused(&self, cx: &mut World<'_>, ticket: u64) {
        let me = cx.me();
        desk(cx).news += 1;
        cx.send(me, Message::News(News::Ended { ticket, how: None }));
    }

    fn launch(&self, cx: &mut World<'_>, worker: WorkerId) {
        let limits = desk(cx).people[&worker].limits;
        let span = Some(Duration::from_millis(limits.launch));
        let options = TaskOptions {
            waiting: span,
            running: span,
            grace: limits.grace.map(Duration::from_millis),
            on_lost: OnLost::Fail,
            ..TaskOptions::default()
        };
        let request = None;
        self.post(cx, Errand { worker, request }, options);
    }

    fn send(&self, cx: &mut World<'_>, worker: WorkerId, request: RequestId) {
        let Some(person) = desk(cx).people.get_mut(&worker) else {
            return cx.violation(names::I16, || {
                format!("{request:?} is sent to {worker:?}, which has left the table")
            });
        };
        person.answer = None;
        let limits = person.limits;
        let options = TaskOptions {
            running: limits.running.map(Duration::from_millis),
            grace: limits.grace.map(Duration::from_millis),
            on_lost: OnLost::Fail,
            ..TaskOptions::default()
        };
        let request = Some(request);
        self.post(cx, Errand { worker, request }, options);
    }

    fn stop(&self, cx: &mut World<'_>, worker: WorkerId) {
        let errand = desk(cx).people.get(&worker).and_then(|it| it.errand);
        if let Some(ticket) = errand.filter(|_| cx.is_alive(self.master)) {
            cx.send(self.master, Message::ToFarm(ToFarm::Stop(ticket)));
        }
    }

    /// Runs a hook, now or for a while.
    fn run(&mut self, cx: &mut World<'_>, hook: Hook) {
        let hooks = desk(cx).hooks;
        if !cx.is_calm() && cx.chance(hooks.late, "a hook takes its time") {
            let which = cx.choose(HOOK_TAKES.len() as u32, "how long a hook takes");
            let span = Duration::from_millis(HOOK_TAKES[which as usize]);
            let at = cx.now().after(span);
            cx.alarm(Some(at));
            sees(cx, Seen::LateHook);
            self.hook = Some(hook);
            return;
        }
        self.returns(cx, &hook);
    }

    fn returns(&self, cx: &mut World<'_>, hook: &Hook) {
        let hooks = desk(cx).hooks;
        if cx.chance(hooks.busy, "a hook calls the table") {
            Self::calls_back(cx);
        }
        match *hook {
            Hook::Judge(worker, request) => Self::judges(cx, worker, request),
            Hook::Idle(worker) => {
                sees(cx, Seen::IdleHook);
                if cx.chance(hooks.panic, "on_idle panics") {
                    Self::closes(cx, worker, Some("the hook `on_idle` panicked"));
                }
            }
            Hook::Close(worker) => {
                let desk = desk(cx);
                desk.table.closed(worker);
                desk.truth.on_close_returned(worker);
            }
            Hook::Pull(worker) => Self::pulled(cx, worker),
        }
    }

    fn judges(cx: &mut World<'_>, worker: WorkerId, request: RequestId) {
        let now = instant(cx.now());
        let hooks = desk(cx).hooks;
        let verdict = if cx.chance(hooks.panic, "the hook panics") {
            sees(cx, Seen::HookPanics);
            Err("the hook panicked".to_owned())
        } else if cx.chance(hooks.crash, "the hook says crash") {
            sees(cx, Seen::VerdictCrash);
            Ok(Verdict::Crash("the hook says so".to_owned()))
        } else if cx.chance(hooks.shutdown, "the hook says shutdown") {
            sees(cx, Seen::VerdictShutdown);
            Ok(Verdict::Shutdown)
        } else {
            Ok(Verdict::Continue)
        };
        let desk = desk(cx);
        let answer = desk.people.get(&worker).and_then(|it| it.answer);
        desk.truth.was_judged(worker, request, &verdict, answer);
        desk.table.judged(now, worker, request, verdict);
    }

    fn closes(cx: &mut World<'_>, worker: WorkerId, why: Option<&str>) {
        let now = instant(cx.now());
        let crash = why.map(because);
        let desk = desk(cx);
        desk.truth.is_closed(worker, crash.as_ref());
        desk.table.close(now, worker, crash);
    }

    fn pulled(cx: &mut World<'_>, worker: WorkerId) {
        let now = instant(cx.now());
        let hooks = desk(cx).hooks;
        let some = desk(cx).source > 0 && !cx.chance(150, "the source has none now");
        let panics = cx.chance(hooks.panic, "the source panics");
        let ends = cx.chance(hooks.shutdown, "the source ends");
        let desk = desk(cx);
        let some = some && !panics && !ends;
        desk.source -= u32::from(some);
        let pulled = desk.table.pulled(now, worker, some);
        desk.truth.pulled(worker, pulled, some);
        if panics {
            Self::closes(cx, worker, Some("the source panicked"));
        } else if ends {
            sees(cx, Seen::SourceEnds);
            Self::closes(cx, worker, None);
        }
    }

    /// What hooks do to the table: they bring requests without waiting, and shut workers down.
    fn calls_back(cx: &mut World<'_>) {
        let now = instant(cx.now());
        let all: Vec<WorkerId> = desk(cx).table.names().map(|(_, id)| id).collect();
        let Some(count) = u32::try_from(all.len()).ok().filter(|count| *count > 0) else {
            return;
        };
        let worker = all[cx.choose(count, "about whom a hook calls") as usize];
        if cx.chance(300, "a hook shuts somebody down") {
            let until = now.after(Duration::from_millis(300));
            let how = [Shutdown::Drop, Shutdown::Drain { until }]
                [cx.choose(2, "how a hook shuts down") as usize];
            let desk = desk(cx);
            desk.truth.shut_down(worker, how);
            return desk.table.shutdown(now, worker, how);
        }
        let desk = desk(cx);
        if matches!(desk.truth.rule, Rule::Unbounded | Rule::Bounded(_)) {
            let pushed = desk.table.push(now, worker, false);
            desk.truth.pushed(worker, &pushed, false);
        }
    }
}

/// Why a launch has failed, of several reasons.
fn why_not(how: Option<&Ended>) -> Seen {
    match how.map(|how| &how.outcome) {
        Some(Outcome::Done(())) => Seen::LaunchRefused,
        Some(Outcome::WorkerLost(_) | Outcome::Panicked(_)) => Seen::DiedInLaunch,
        Some(Outcome::SpawnFailed(_)) => Seen::NotSpawned,
        Some(_) | None => Seen::LaunchFails,
    }
}

impl Process<Farm, Message> for Attendant {
    fn step(&mut self, cx: &mut World<'_>, event: Event<'_, Message>) {
        match event {
            Event::Message { message, .. } => match message {
                Message::News(news) => self.inbox.push_back(news),
                _ => panic!("the attendant hears news only"),
            },
            Event::Wake => match self.hook.take() {
                Some(hook) => {
                    self.returns(cx, &hook);
                    let_go(cx);
                }
                None => {
                    let now = instant(cx.now());
                    let desk = desk(cx);
                    desk.truth.woken(now);
                    desk.table.wake(now);
                    let_go(cx);
                }
            },
            Event::Start | Event::Turn | Event::Calm => {}
            Event::Bytes { .. }
            | Event::Eof { .. }
            | Event::Writable { .. }
            | Event::Ended { .. } => panic!("the attendant has no pipe and starts nobody"),
        }
        self.go_on(cx);
    }

    fn waits_for(&self) -> String {
        match &self.hook {
            Some(hook) => format!("the end of {hook:?}"),
            None => "news".into(),
        }
    }
}
