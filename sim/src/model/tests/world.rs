//! The random world of these tests: hand-made workers around the real machine, and the model beside it.

mod worker;

use crate::model::Model;
use farm_master::lane::{Entry, Gate};
use farm_master::{
    Action, Actions, Affinity, AttemptEnd, Cause, Config, Event, Injected, Judged, KindFault,
    Kinds, Link, Master, NextOfWorker, Payload, RequestAnswer, ResponseAnswer, Shut, Signal,
    Stream, TaskOptions, Whom,
};
use farm_protocol::{
    AttemptHeader, AttemptId, DEFAULT_FRAME_LIMIT, FrameDecoder, FrameKind, Instant, KindHello,
    KindId, MarshalError, RequestHeader, Session, SlotId, TaskId, Termination, decode_prefix,
};
use std::collections::BTreeSet;
use std::time::Duration;
use worker::Worker;

const KIND: KindId = KindId(0);

/// What workers do wrong, in chances of a thousand.
#[derive(Clone, Copy, Default)]
pub(super) struct Manners {
    pub(super) dies: u64,
    pub(super) fails: u64,
    /// Heeds neither a cancellation nor SIGTERM.
    pub(super) deaf: u64,
    pub(super) nonsense: u64,
    pub(super) pageless: u64,
    pub(super) stillborn: u64,
    /// Requests that are not built.
    pub(super) odd: u64,
}

/// Random numbers: a multiplicative generator with its high bits folded down.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(2).wrapping_add(0x1234_5679))
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(0xda94_2042_e4dd_58b5).wrapping_add(1);
        (self.0 >> 33 ^ self.0 >> 20) % bound.max(1)
    }

    pub(super) fn chance(&mut self, of_thousand: u64) -> bool {
        self.below(1_000) < of_thousand
    }
}

pub(super) fn kind_hello() -> KindHello {
    KindHello {
        name: "side by side".into(),
        version: 1,
        schema: 1,
    }
}

/// The kind and the ids of its tasks, with the model that hears of what is injected.
struct Ids {
    model: Model,
    dice: Dice,
    odd: u64,
    open: BTreeSet<TaskId>,
    free: Vec<TaskId>,
    places: u32,
}

impl Ids {
    fn id(&mut self) -> TaskId {
        let id = match self.free.pop() {
            Some(old) => TaskId::new(old.index() as u32, old.generation() + 1),
            None => TaskId::new(self.places, 0),
        };
        self.places += u32::from(id.generation() == 0);
        self.open.insert(id);
        id
    }

    fn leave(&mut self, id: TaskId) {
        assert!(self.open.remove(&id), "{id} ends twice");
        self.free.push(id);
    }
}

impl Kinds for Ids {
    fn affinity(&mut self, _: TaskId) -> Result<Affinity, KindFault> {
        Ok(Affinity::Any)
    }

    fn rank(&mut self, _: TaskId) -> Result<i64, KindFault> {
        Ok(0)
    }

    fn substitute(&mut self, _: TaskId) {}

    fn matches(&mut self, _: TaskId, _: Whom) -> Result<bool, KindFault> {
        if self.dice.chance(self.odd / 10) {
            Err(fault())
        } else {
            Ok(true)
        }
    }

    fn request(&mut self, _: AttemptId, _: SlotId, _: &mut Vec<u8>, _: usize) -> RequestAnswer {
        if !self.dice.chance(self.odd) {
            return RequestAnswer::Ready;
        }
        match self.dice.below(3) {
            0 => RequestAnswer::Skip,
            1 => RequestAnswer::NotMarshallable(MarshalError::Decode("odd".into())),
            _ => RequestAnswer::Fault(fault()),
        }
    }

    fn response(&mut self, of: AttemptId, _: SlotId, payload: Payload<'_>) -> ResponseAnswer {
        let letter = match payload {
            Payload::Bytes(bytes) => bytes.first().copied().unwrap_or(9),
            Payload::Decoded(letter) => u8::try_from(letter).expect("a letter"),
        };
        let failed = |cause| Judged::Failed {
            cause,
            fatal: letter == 3,
        };
        let judged = match letter {
            0 | 1 => Judged::Done,
            2 | 3 => failed(Cause::Exit),
            4 => failed(Cause::Crash),
            5 => return ResponseAnswer::Fault(fault()),
            _ => return ResponseAnswer::Garbled(MarshalError::Decode("no letter".into())),
        };
        let next = if letter == 1 {
            NextOfWorker::End
        } else {
            NextOfWorker::Stay
        };
        let mut injected = Vec::new();
        while self.dice.chance(150) {
            let id = self.id();
            self.model.injected(of.task, id, false);
            injected.push(Injected::shared(id));
        }
        ResponseAnswer::Taken {
            judged,
            next,
            keys: Vec::new(),
            injected,
        }
    }

    fn late(&mut self, _: AttemptId, _: &[u8]) {}

    fn feedback(&mut self, _: AttemptId, _: &[u8]) -> Result<(), String> {
        Ok(())
    }

    fn output(&mut self, _: &[TaskId], _: Stream, _: &[u8]) {}

    fn fresh(&mut self, _: SlotId) {}
}

fn fault() -> KindFault {
    KindFault {
        callback: "odd".into(),
        message: "odd".into(),
    }
}

pub(super) struct World {
    seed: u64,
    pub(super) dice: Dice,
    pub(super) stopped: bool,
    /// Calls, retries told, deaths charged.
    pub(super) seen: [u64; 3],
    master: Master,
    kinds: Ids,
    now: Instant,
    manners: Manners,
    workers: Vec<Worker>,
    stillborn: Vec<(SlotId, Session)>,
    decodes: Vec<(SlotId, Session, AttemptId)>,
    actions: Actions,
}

const fn signalled(signal: i32) -> Termination {
    Termination::Signaled {
        signal,
        core_dumped: false,
    }
}

impl World {
    pub(super) fn new(seed: u64, config: Config, mut dice: Dice, manners: Manners) -> Self {
        let kinds = Ids {
            model: Model::new(&config.kinds[0], &config.limits),
            dice: Dice::new(dice.below(u64::MAX)),
            odd: manners.odd,
            open: BTreeSet::new(),
            free: Vec::new(),
            places: 0,
        };
        Self {
            seed,
            dice,
            stopped: false,
            seen: [0; 3],
            master: Master::new(config),
            kinds,
            now: Instant::from_millis(5),
            manners,
            workers: Vec::new(),
            stillborn: Vec::new(),
            decodes: Vec::new(),
            actions: Actions::new(),
        }
    }

    fn tell(&mut self, event: Event<'_>) {
        assert!(!self.stopped, "nothing follows the last action");
        let what = format!("{event:?} of seed {}", self.seed);
        self.seen[0] += 1;
        self.kinds.model.told(self.now, &event);
        self.master
            .handle(self.now, event, &mut self.kinds, &mut self.actions);
        let list = self.actions.take_list();
        for action in &list {
            if let Err(why) = self.kinds.model.does(self.now, action) {
                panic!("{why}\nat {} after {what}\ndoing {list:#?}", self.now);
            }
            self.perform(action);
        }
        self.kinds.model.done(self.now);
        let (machine, model) = (
            self.master.lane(KIND).signature(),
            self.kinds.model.signature(),
        );
        assert_eq!(
            machine, model,
            "at {} after {what}\ndoing {list:#?}",
            self.now
        );
        self.actions.restore(list);
        self.actions.clear();
    }

    fn perform(&mut self, action: &Action) {
        match action {
            Action::Spawn { slot, session, .. } if self.dice.chance(self.manners.stillborn) => {
                self.stillborn.push((*slot, *session));
            }
            Action::Spawn { slot, session, .. } => {
                let page = !self.dice.chance(self.manners.pageless);
                self.workers.push(Worker::new(*slot, *session, page));
            }
            Action::Send {
                session,
                link,
                bytes,
                ..
            } => self.sent(*session, *link, bytes.clone()),
            Action::Signal {
                session, signal, ..
            } => {
                let deaf = self.dice.chance(self.manners.deaf);
                let worker = self
                    .workers
                    .iter_mut()
                    .find(|worker| worker.session == *session);
                match (signal, worker) {
                    (Signal::Kill, Some(worker)) => worker.ends(signalled(9)),
                    (Signal::Terminate, Some(worker)) if !deaf => worker.ends(signalled(15)),
                    (Signal::Terminate, _) | (_, None) => {}
                }
            }
            Action::Decode {
                slot, session, id, ..
            } => self.decodes.push((*slot, *session, *id)),
            Action::Settle(settlement) => self.kinds.leave(settlement.task),
            Action::Refuse { task, .. } => self.kinds.leave(*task),
            Action::AttemptEnded { report, .. } => {
                let charged = matches!(report.end, AttemptEnd::Died(_) | AttemptEnd::Panicked);
                self.seen[1 + usize::from(charged)] += 1;
            }
            Action::Stopped => self.stopped = true,
            Action::Started { .. }
            | Action::Unmatched { .. }
            | Action::Admitted { .. }
            | Action::Token(_)
            | Action::Watch { .. }
            | Action::Weigh { .. }
            | Action::Unwatch { .. }
            | Action::Progress { .. }
            | Action::ScopeEnded { .. }
            | Action::RefuseScope { .. }
            | Action::PoolEnded { .. }
            | Action::WorkerReady { .. }
            | Action::WorkerGone { .. } => {}
        }
    }

    fn sent(&mut self, session: Session, link: Link, bytes: std::ops::Range<usize>) {
        let living = |worker: &&mut Worker| worker.session == session && worker.ended.is_none();
        let Some(worker) = self.workers.iter_mut().find(living) else {
            return;
        };
        let mut frames = FrameDecoder::new(DEFAULT_FRAME_LIMIT);
        frames.push(&self.actions.bytes[bytes]);
        while let Some(frame) = frames.next_frame().expect("the master speaks protocol") {
            match (frame.kind, link) {
                (FrameKind::Stop, Link::Requests) => worker.requests.push_back(None),
                (FrameKind::Request, Link::Requests) => {
                    let (RequestHeader { number, id, .. }, _) =
                        decode_prefix(frame.body).expect("a header");
                    worker
                        .requests
                        .push_back(Some(AttemptHeader { number, id }));
                }
                (kind, _) => {
                    let (header, _) = decode_prefix(frame.body).expect("a header");
                    worker
                        .control
                        .push_back((header, kind == FrameKind::Cancel));
                }
            }
        }
    }

    pub(super) fn any_task(&mut self) -> Option<TaskId> {
        let nth = self.dice.below(self.kinds.open.len() as u64) as usize;
        self.kinds.open.iter().nth(nth).copied()
    }

    pub(super) fn submit(&mut self, options: TaskOptions) {
        let task = self.kinds.id();
        let entry = [Entry::Push, Entry::Pull][self.dice.below(2) as usize];
        let options = (!self.dice.chance(200)).then(|| Box::new(options));
        self.tell(Event::Submit {
            task,
            kind: KIND,
            entry,
            options,
            scope: None,
        });
    }

    pub(super) fn cancel(&mut self) {
        if let Some(task) = self.any_task() {
            self.tell(Event::Cancel {
                task,
                reason: "enough".into(),
            });
        }
    }

    pub(super) fn pass(&mut self) {
        let next = self.master.deadline().filter(|_| self.dice.chance(500));
        self.now = match next {
            Some(deadline) => self.now.max(deadline),
            None => self
                .now
                .after(Duration::from_micros(self.dice.below(2_500))),
        };
        self.tell(Event::Wake);
    }

    pub(super) fn gate(&mut self) {
        let gates = [
            Gate::Running,
            Gate::Running,
            Gate::Paused,
            Gate::Draining,
            Gate::Closed,
        ];
        let gate = gates[self.dice.below(5) as usize];
        self.tell(Event::SetGate { kind: KIND, gate });
    }

    pub(super) fn shut(&mut self) {
        if self.dice.chance(30) {
            let how =
                [Shut::Drain, Shut::Finish, Shut::Stop, Shut::Kill][self.dice.below(4) as usize];
            self.tell(Event::Shut(how));
        }
    }

    /// Kills the farm and collects everything.
    pub(super) fn close(&mut self) {
        if !self.stopped {
            self.tell(Event::Shut(Shut::Kill));
        }
        while !self.stopped {
            self.somebody_steps();
        }
        assert!(self.kinds.open.is_empty(), "lost: {:?}", self.kinds.open);
    }

    pub(super) fn somebody_steps(&mut self) {
        let living = self.workers.len() as u64;
        let who = self
            .dice
            .below(living + (self.stillborn.len() + self.decodes.len()) as u64)
            as usize;
        if who < self.workers.len() {
            self.step(who);
        } else if let Some((slot, session)) = self.stillborn.pop() {
            self.tell(Event::SpawnFailed {
                slot,
                session,
                error: "no".into(),
            });
        } else if let Some((slot, session, id)) = self.decodes.pop() {
            let handle = self.dice.below(7);
            self.tell(Event::Decoded {
                slot,
                session,
                id,
                handle,
            });
        }
    }
}
