//! The master's process: the production machine, and the part of a driver around it in the simulated world.
//!
//! It tells the machine what happened, does what it says, and holds every word against the truth. Like the real
//! driver it reads a worker's output before its answers, and tells of a start right after asking for it.

mod acts;
mod named;
mod orders;
mod staff;
mod tokens;
mod wishes;

use crate::ledger::Ledger;
use crate::message::Message;
use crate::model::Model;
use crate::world::Farm;
use farm_lockstep::{Cx, Event as Told, Exit, Pid, PipeId, Process, VTime};
use farm_master::lane::Entry;
use farm_master::{
    Action, Actions, Config, Event, Exit as Gone, KindConfig, Master, MemoryEvidence, Shut, Stream,
};
use farm_protocol::{Instant, KindId, Session, SlotId};
use std::collections::VecDeque;

pub(crate) type World<'a> = Cx<'a, Farm, Message>;

/// The kind of all simulated tasks, where nothing else is said.
pub(crate) const KIND: KindId = KindId(0);

/// After this many events, and at least as many as there are tasks, the machine is compared with the model, and in the
/// end: a comparison takes time for every task.
const COMPARED_EVERY: u64 = 64;

/// A worker's process and its pipes.
#[derive(Debug)]
struct Place {
    session: Session,
    pid: Pid,
    requests: Outgoing,
    control: Outgoing,
    output: PipeId,
}

/// A pipe that is written, and what it has not taken yet.
#[derive(Debug)]
struct Outgoing {
    pipe: PipeId,
    backlog: Vec<u8>,
}

/// What a pipe is to the master.
#[derive(Clone, Copy, Debug)]
enum Ear {
    Answers(SlotId, Session),
    Output(SlotId, Session),
    Mouth(SlotId, Session),
}

/// The process.
pub(crate) struct MasterProcess {
    master: Master,
    actions: Actions,
    places: Vec<Option<Place>>,
    /// By pipe.
    ears: Vec<Option<Ear>>,
    /// Starts that failed and are still to be told.
    failed_starts: VecDeque<(SlotId, Session)>,
    /// Starts to be told, with whether they have a page.
    starts: VecDeque<(SlotId, Session, bool)>,
    /// Tasks that a scripted source has.
    source: u32,
    events: u64,
    output: Vec<u8>,
}

/// The machine's time at a moment of the simulation.
pub(crate) const fn instant(now: VTime) -> Instant {
    Instant::from_nanos(now.0)
}

impl MasterProcess {
    pub(crate) fn new(config: Config) -> Self {
        let slots = config.kinds.iter().map(KindConfig::numbered).sum::<u32>();
        Self {
            master: Master::new(config),
            actions: Actions::new(),
            places: (0..slots).map(|_| None).collect(),
            ears: Vec::new(),
            failed_starts: VecDeque::new(),
            starts: VecDeque::new(),
            source: 0,
            events: 0,
            output: Vec::new(),
        }
    }

    /// Tells the machine, does what it says, and tells it what came of that.
    fn tell(&mut self, cx: &mut World<'_>, event: Event<'_>) {
        self.tell_one(cx, event);
        loop {
            if let Some((slot, session, page)) = self.starts.pop_front() {
                self.tell_one(
                    cx,
                    Event::Spawned {
                        slot,
                        session,
                        page,
                    },
                );
            } else if let Some((slot, session)) = self.failed_starts.pop_front() {
                cx.shared().ledger.spawn_failed(session);
                let error = "no such program".to_owned();
                self.tell_one(
                    cx,
                    Event::SpawnFailed {
                        slot,
                        session,
                        error,
                    },
                );
            } else {
                return;
            }
        }
    }

    fn tell_one(&mut self, cx: &mut World<'_>, event: Event<'_>) {
        let now = cx.now();
        if cx.is_traced() {
            cx.trace(|| format!("> {}", farm_master::words::event(&event)));
        }
        let ledger = &mut cx.shared().ledger;
        ledger.now = now;
        ledger.look_at_dues(now);
        ledger.nobody_overstays(now);
        ledger.scopes_before();
        ledger.models_hear(instant(now), &event);
        let cancelled = match &event {
            Event::Cancel { task, .. } => vec![*task],
            Event::CancelAll { .. } => ledger.all_open(),
            _ => Vec::new(),
        };
        let kills = matches!(event, Event::Shut(Shut::Kill));
        let closes = matches!(&event, Event::Shut(how) if *how >= Shut::Finish);
        self.master
            .handle(instant(now), event, ledger, &mut self.actions);
        self.events += 1;
        let list = self.actions.take_list();
        cx.mix(list.len() as u64);
        acts::trace_said(cx);
        for action in &list {
            self.perform(cx, action);
        }
        acts::trace_said(cx);
        self.check_sends(cx, &list);
        self.actions.restore(list);
        self.actions.clear();
        let ledger = &mut cx.shared().ledger;
        ledger.models_are_done(instant(now));
        ledger.after_call();
        ledger.scopes_after(self.master.scopes());
        for task in cancelled {
            ledger.cancel_is_heeded(task);
        }
        ledger.held_are_called_back(closes);
        if kills {
            ledger.all_are_killed();
        }
        let wakes = self.master.deadline();
        ledger.pools_are_staffed(wakes.map(|at| VTime(at.as_nanos())));
        self.look(cx);
    }

    /// The driver sends before it starts: what is sent to a process that is started in the same call is lost.
    fn check_sends(&self, cx: &mut World<'_>, list: &[Action]) {
        let starts = |of: &Session| {
            list.iter()
                .any(|action| matches!(action, Action::Spawn { session, .. } if session == of))
        };
        for action in list {
            if let Action::Send { session, .. } = action
                && starts(session)
            {
                let ledger = &mut cx.shared().ledger;
                ledger.breaks(crate::ledger::names::I3, || {
                    format!("{session} is sent something in the call that starts it")
                });
            }
        }
    }

    /// Compares what the machine believes with what is true, cheaply each time and thoroughly now and then.
    fn look(&mut self, cx: &mut World<'_>) {
        let ledger = &mut cx.shared().ledger;
        for kind in ledger.kinds() {
            self.lane_is_bounded(ledger, kind);
        }
        let thorough = self
            .events
            .is_multiple_of(COMPARED_EVERY.max(self.master.tasks() as u64))
            || self.master.is_stopped();
        if thorough && ledger.broken.is_none() {
            self.master.check_invariants();
            for kind in ledger.kinds() {
                self.listing_is_true(ledger, kind);
                self.lane_is_as_the_model(ledger, kind);
            }
        }
        if let Some((name, detail)) = cx.shared().ledger.broken.take() {
            cx.violation(name, || detail);
        }
    }

    fn lane_is_bounded(&self, ledger: &mut Ledger, kind: KindId) {
        use crate::ledger::names::I5;
        let lane = self.master.lane(kind);
        let (counts, bound) = (lane.counts(), lane.boundary().max_in_flight);
        if counts.occupied > bound.get() {
            let in_flight = counts.occupied;
            ledger.breaks(I5, || {
                format!("{in_flight} in flight, the bound is {bound}")
            });
        }
        let most = ledger.most_queued(kind);
        if counts.queued > most {
            ledger.breaks(I5, || {
                format!("{} wait, the bound is {most}", counts.queued)
            });
        }
    }

    fn lane_is_as_the_model(&self, ledger: &mut Ledger, kind: KindId) {
        let machine = self.master.lane(kind).signature();
        let model = ledger.model(kind).map(Model::signature);
        if let Some(model) = model.filter(|model| machine != *model) {
            ledger.breaks(crate::ledger::names::I10, || {
                format!("they disagree\n  machine {machine}\n  model   {model}")
            });
        }
    }

    /// Takes from the source what there is room for.
    fn pull(&mut self, cx: &mut World<'_>) {
        if self.source == 0 {
            return;
        }
        let demand = self.master.demand(KIND);
        let expected = cx.shared().ledger.model(KIND).map(Model::demand);
        if let Some(expected) = expected.filter(|expected| demand != *expected) {
            cx.violation(crate::ledger::names::I5, || {
                format!("{demand} tasks are demanded, and there is room for {expected}")
            });
        }
        let demand = u32::try_from(demand).unwrap_or(u32::MAX);
        for _ in 0..demand.min(self.source) {
            self.source -= 1;
            self.submit(cx, (KIND, Entry::Pull), None, (None, None));
        }
    }

    fn message(&mut self, cx: &mut World<'_>, message: Message) {
        match message {
            Message::Submit(orders) => {
                for order in orders {
                    // Its moment may have been the last: what comes too late is not for the machine.
                    if !self.master.is_stopped() {
                        self.order(cx, order);
                    }
                }
            }
            Message::Cancel(nth) => {
                let task = cx.shared().ledger.callers.get(nth as usize).copied();
                if let Some(task) = task {
                    self.cancel(cx, task);
                }
            }
            Message::Wish(wish) => self.wish(cx, wish),
            Message::Open {
                scope,
                parent,
                rule,
                limit,
            } => self.open(cx, scope, parent, rule, limit),
            Message::CloseScope(scope) => self.close_scope(cx, scope),
            Message::CancelScope(scope) => self.cancel_scope(cx, scope),
            Message::Gate(kind, gate) => {
                cx.shared().ledger.gate(gate);
                self.tell(cx, Event::SetGate { kind, gate });
            }
            Message::Shut(how) => self.shut(cx, how),
            Message::Source(more) => self.source += more,
            Message::Decoded {
                slot,
                session,
                id,
                handle,
            } => {
                cx.shared().ledger.session(session).decoding -= 1;
                self.tell(
                    cx,
                    Event::Decoded {
                        slot,
                        session,
                        id,
                        handle,
                    },
                );
            }
            Message::Weighed {
                slot,
                session,
                memory,
            } => self.weighed(cx, slot, session, memory),
            Message::Resize { kind, least, most } => self.resize(cx, kind, least, most),
            Message::Tokens(told) => self.hears_of_tokens(cx, told),
            Message::ToFarm(ask) => self.is_asked(cx, ask),
            Message::Jobserver(_) | Message::News(_) | Message::Terminate => {}
        }
    }

    fn shut(&mut self, cx: &mut World<'_>, how: Shut) {
        let ledger = &mut cx.shared().ledger;
        ledger.shut = ledger.shut.max(Some(how));
        // What the source still has was never in the farm.
        self.source = 0;
        self.tell(cx, Event::Shut(how));
    }

    fn ear(&self, pipe: PipeId) -> Ear {
        self.ears[pipe.0 as usize].expect("only pipes of workers are read")
    }

    fn bytes(&mut self, cx: &mut World<'_>, pipe: PipeId, bytes: &[u8]) {
        match self.ear(pipe) {
            Ear::Answers(slot, session) => {
                self.read_output(cx, slot, session);
                cx.shared().ledger.heard(session, bytes.len());
                self.tell(
                    cx,
                    Event::Bytes {
                        slot,
                        session,
                        bytes,
                    },
                );
            }
            Ear::Output(slot, session) => self.tell_output(cx, slot, session, bytes),
            Ear::Mouth(..) => panic!("nothing comes out of a pipe that we write"),
        }
    }

    /// What a worker wrote to its own streams before its answers is told before them.
    fn read_output(&mut self, cx: &mut World<'_>, slot: SlotId, session: Session) {
        let Some(place) = self.place(slot, session) else {
            return;
        };
        let pipe = place.output;
        let mut output = std::mem::take(&mut self.output);
        output.clear();
        cx.read_now(pipe, &mut output);
        if !output.is_empty() {
            self.tell_output(cx, slot, session, &output);
        }
        self.output = output;
    }

    fn tell_output(&mut self, cx: &mut World<'_>, slot: SlotId, session: Session, bytes: &[u8]) {
        let noted = cx.shared().ledger.noted(session).unwrap_or_default();
        let stream = Stream::Stdout;
        let ledger = &mut cx.shared().ledger;
        ledger.writes = noted.executing.map(|id| (session, id));
        self.tell(
            cx,
            Event::Output {
                slot,
                session,
                stream,
                noted,
                bytes,
            },
        );
    }

    fn eof(&mut self, cx: &mut World<'_>, pipe: PipeId) {
        if let Ear::Answers(slot, session) = self.ear(pipe) {
            cx.shared().ledger.eof(session);
            self.tell(cx, Event::Eof { slot, session });
        }
    }

    fn ended(&mut self, cx: &mut World<'_>, pid: Pid, exit: Exit) {
        let index = self
            .places
            .iter()
            .position(|place| place.as_ref().is_some_and(|place| place.pid == pid));
        let slot =
            SlotId(u32::try_from(index.expect("only workers are watched")).expect("few slots"));
        let session = self.places[slot.0 as usize]
            .as_ref()
            .expect("found above")
            .session;
        self.read_output(cx, slot, session);
        self.places[slot.0 as usize] = None;
        let farm = cx.shared();
        farm.workers.retain(|(other, _)| *other != pid);
        farm.ledger.exited(session);
        let noted = farm.ledger.noted(session);
        let termination = crate::ledger::termination(exit);
        let exit = Gone {
            termination,
            noted,
            evidence: MemoryEvidence::default(),
        };
        self.tell(
            cx,
            Event::Exited {
                slot,
                session,
                exit,
            },
        );
    }

    /// Callers that wait for something to run, or for the end, look again.
    fn wake_watchers(&self, cx: &mut World<'_>) {
        let farm = cx.shared();
        let something = farm.ledger.open == 0
            || farm
                .ledger
                .sessions
                .iter()
                .any(|session| !session.held.is_empty());
        if something && !farm.watchers.is_empty() {
            for watcher in std::mem::take(&mut farm.watchers) {
                cx.wake(watcher);
            }
        }
    }

    fn place(&mut self, slot: SlotId, session: Session) -> Option<&mut Place> {
        self.places[slot.0 as usize]
            .as_mut()
            .filter(|place| place.session == session)
    }
}

impl Process<Farm, Message> for MasterProcess {
    fn step(&mut self, cx: &mut World<'_>, event: Told<'_, Message>) {
        match event {
            Told::Start => {
                let me = cx.me();
                cx.shared().master = Some(me);
                acts::trace_said(cx);
            }
            Told::Message { message, .. } => self.message(cx, message),
            Told::Bytes { pipe, bytes } => self.bytes(cx, pipe, bytes),
            Told::Eof { pipe } => self.eof(cx, pipe),
            Told::Writable { pipe } => self.flush(cx, pipe),
            Told::Ended { pid, exit } => self.ended(cx, pid, exit),
            Told::Wake => self.tell(cx, Event::Wake),
            Told::Turn | Told::Calm => {}
        }
        self.pull(cx);
        self.wake_watchers(cx);
        if let Some((at, fault_maker)) = cx.shared().next_kill
            && at <= cx.step()
            && !cx.shared().workers.is_empty()
        {
            cx.wake(fault_maker);
        }
        let deadline = self.master.deadline();
        cx.alarm(deadline.map(|at| VTime(at.as_nanos())));
        if self.master.is_stopped() {
            Self::tells_of_end(cx);
            cx.exit(Exit::Code(0));
        }
    }

    fn waits_for(&self) -> String {
        format!("the end of {} tasks", self.master.tasks())
    }
}
