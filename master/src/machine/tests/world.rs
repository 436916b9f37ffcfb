//! A small world for random runs: workers that follow the protocol until they die, and what the
//! world saw of them, to be compared with what the master says of its tasks.

mod closing;
mod dice;
mod ends;
pub(super) mod tokens;
pub(super) mod worker;

use super::stage::*;
use crate::lane::Entry;
use crate::record::RunEncoder;
use crate::{
    Action, Actions, AttemptEnd, Config, Event, Exit, Link, Master, MemoryEvidence, Recording,
    Sample, Settlement, Shut, Signal, TaskOptions,
};
use farm_protocol::page::Noted;
use farm_protocol::{
    AttemptHeader, AttemptId, DEFAULT_FRAME_LIMIT, FrameDecoder, FrameKind, Instant, KindId,
    RequestHeader, ScopeId, Session, SlotId, TaskId, Termination, decode_prefix,
};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use worker::{Item, Worker};

pub(super) use dice::Dice;

/// How workers behave, in chances of a thousand per step.
#[derive(Clone, Copy, Default)]
pub(super) struct Manners {
    /// Dying by itself.
    pub(super) dies: u64,
    /// Answering with anything but an output.
    pub(super) fails: u64,
    /// Not heeding cancellations and SIGTERM.
    pub(super) deaf: u64,
    /// Saying nonsense.
    pub(super) nonsense: u64,
    /// Starting without a page.
    pub(super) pageless: u64,
    /// Not starting at all.
    pub(super) stillborn: u64,
}

pub(super) struct World {
    pub(super) rng: Dice,
    pub(super) master: Master,
    pub(super) kinds: Ids,
    pub(super) now: Instant,
    pub(super) manners: Manners,
    pub(super) workers: Vec<Worker>,
    /// Sessions that could not be started and are still to be told so.
    stillborn: Vec<(SlotId, Session)>,
    decodes: Vec<(SlotId, Session, AttemptId)>,
    /// Workers whose memory was asked for.
    weighs: Vec<(SlotId, Session)>,
    /// Healthy workers that the master has replaced.
    pub(super) replaced: usize,
    actions: Actions,
    /// Submitted or injected, and neither settled nor refused.
    pub(super) open: BTreeSet<TaskId>,
    pub(super) settled: Vec<Settlement>,
    pub(super) refused: usize,
    pub(super) submitted: usize,
    /// Opened and neither over nor refused.
    pub(super) scopes: BTreeSet<ScopeId>,
    /// Who of `open` was submitted into which scope.
    members: BTreeMap<TaskId, ScopeId>,
    free: Vec<TaskId>,
    places: u32,
    stopped: usize,
    /// A jobserver, if the farm is a client of one.
    pub(super) tokens: tokens::Server,
    /// Attempts that began, and the attempts that died of themselves without having been asked to end.
    pub(super) begun: BTreeSet<AttemptId>,
    pub(super) died: BTreeSet<AttemptId>,
    /// Attempts that were executing when their worker may have died of our signal.
    excused: BTreeSet<AttemptId>,
    asked: BTreeSet<AttemptId>,
    last_attempt: BTreeMap<TaskId, u32>,
    /// Attempts whose usage is to be measured.
    watched: BTreeMap<AttemptId, (SlotId, Session)>,
    /// Writes the run down, when somebody wants it.
    pub(super) record: Option<RunEncoder>,
}

impl World {
    pub(super) fn new(seed: u64, config: Config, manners: Manners) -> Self {
        Self {
            rng: Dice::new(seed),
            master: Master::new(config),
            kinds: Ids::default(),
            now: Instant::from_millis(1),
            manners,
            workers: vec![],
            stillborn: vec![],
            decodes: vec![],
            weighs: vec![],
            replaced: 0,
            actions: Actions::new(),
            open: BTreeSet::new(),
            settled: vec![],
            refused: 0,
            submitted: 0,
            scopes: BTreeSet::new(),
            members: BTreeMap::new(),
            free: vec![],
            places: 0,
            stopped: 0,
            tokens: tokens::Server::default(),
            begun: BTreeSet::new(),
            died: BTreeSet::new(),
            excused: BTreeSet::new(),
            asked: BTreeSet::new(),
            last_attempt: BTreeMap::new(),
            watched: BTreeMap::new(),
            record: None,
        }
    }

    pub(super) fn tell(&mut self, event: Event<'_>) {
        assert_eq!(self.stopped, 0, "nothing may follow the last action");
        if let Some(record) = &mut self.record {
            record.begin(self.now, &event);
            let kinds = &mut Recording::new(&mut self.kinds, record);
            self.master
                .handle(self.now, event, kinds, &mut self.actions);
            record.finish(&self.actions).expect("a short call");
        } else {
            self.master
                .handle(self.now, event, &mut self.kinds, &mut self.actions);
        }
        let list = self.actions.take_list();
        for action in &list {
            self.perform(action);
        }
        self.actions.restore(list);
        self.actions.clear();
    }

    fn perform(&mut self, action: &Action) {
        match action {
            Action::Spawn { slot, session, .. } => {
                let alive = self.workers.iter().filter(|worker| worker.slot == *slot);
                assert_eq!(alive.count(), 0, "one process per slot");
                if self.rng.chance(self.manners.stillborn) {
                    self.stillborn.push((*slot, *session));
                } else {
                    let page = !self.rng.chance(self.manners.pageless);
                    self.workers.push(Worker::new(*slot, *session, page));
                }
            }
            Action::Send {
                slot,
                session,
                link,
                bytes,
            } => {
                let bytes = self.actions.bytes[bytes.clone()].to_vec();
                self.sent(*slot, *session, *link, &bytes);
            }
            Action::Signal {
                session, signal, ..
            } => self.signal(*session, *signal),
            Action::Decode {
                slot, session, id, ..
            } => self.decodes.push((*slot, *session, *id)),
            Action::Settle(settlement) => self.ended(settlement),
            Action::Refuse { task, .. } => {
                assert!(self.open.remove(task), "{task} ends twice");
                self.free.push(*task);
                self.members.remove(task);
                self.refused += 1;
            }
            Action::ScopeEnded { scope, .. } => {
                assert!(self.scopes.remove(scope), "{scope} ends twice");
                let inside = self.members.values().any(|of| of == scope);
                assert!(!inside, "{scope} ends before its tasks");
            }
            Action::RefuseScope { scope, .. } => assert!(self.scopes.remove(scope)),
            Action::Stopped => {
                self.stopped += 1;
                assert!(self.scopes.is_empty(), "not over: {:?}", self.scopes);
            }
            Action::Watch {
                slot, session, id, ..
            } => {
                let new = self.watched.insert(*id, (*slot, *session)).is_none();
                assert!(new, "{id} is watched twice");
            }
            Action::Unwatch { slot, session, id } => {
                let watched = self.watched.remove(id);
                assert_eq!(watched, Some((*slot, *session)), "{id} is not watched");
            }
            Action::Weigh { slot, session } => self.weighs.push((*slot, *session)),
            Action::Token(token) => self.tokens.perform(token),
            Action::Started { .. }
            | Action::Progress { .. }
            | Action::AttemptEnded { .. }
            | Action::PoolEnded { .. }
            | Action::Unmatched { .. }
            | Action::Admitted { .. }
            | Action::WorkerReady { .. } => {}
            Action::WorkerGone { gone, .. } => {
                self.replaced += usize::from(gone.why.contains("recycled"));
            }
        }
    }

    fn sent(&mut self, slot: SlotId, session: Session, link: Link, bytes: &[u8]) {
        let mut decoder = FrameDecoder::new(DEFAULT_FRAME_LIMIT);
        decoder.push(bytes);
        while let Some(frame) = decoder.next_frame().expect("the master speaks protocol") {
            let item = match frame.kind {
                FrameKind::Stop => Item::Stop,
                FrameKind::Request => {
                    let (header, _) = decode_prefix::<RequestHeader>(frame.body).expect("a header");
                    self.check_request(session, header.id);
                    Item::Request(header.number, header.id)
                }
                _ => {
                    let (header, _) = decode_prefix::<AttemptHeader>(frame.body).expect("a header");
                    let cancel = frame.kind == FrameKind::Cancel;
                    if cancel {
                        self.asked.insert(header.id);
                        self.died.remove(&header.id);
                    }
                    Item::Back(header, cancel)
                }
            };
            let worker = self.workers.iter_mut().find(|w| w.session == session);
            if let Some(worker) = worker.filter(|worker| worker.ended.is_none()) {
                assert_eq!(worker.slot, slot);
                match link {
                    Link::Requests => worker.requests.push_back(item),
                    Link::Control => worker.control.push_back(item),
                }
            }
        }
    }

    /// A second attempt never starts before the first is known dead or given back.
    fn check_request(&mut self, session: Session, id: AttemptId) {
        for worker in &self.workers {
            let elsewhere = worker.session != session && worker.ended.is_none();
            assert!(
                !elsewhere || worker.executing.is_none_or(|(_, at)| at.task != id.task),
                "{id} is sent while an earlier attempt executes"
            );
        }
        let last = self.last_attempt.entry(id.task).or_default();
        assert!(*last < id.attempt.0, "attempts rise");
        *last = id.attempt.0;
    }

    fn signal(&mut self, session: Session, signal: Signal) {
        let deaf = self.rng.chance(self.manners.deaf);
        let Some(index) = self.workers.iter().position(|w| w.session == session) else {
            return;
        };
        let worker = &mut self.workers[index];
        if worker.signalled != Some(Signal::Kill) {
            worker.signalled = Some(signal);
        }
        self.judge(index);
        match signal {
            Signal::Kill => self.end(index, KILLED),
            Signal::Terminate if deaf => {}
            Signal::Terminate => self.end(
                index,
                Termination::Signaled {
                    signal: 15,
                    core_dumped: false,
                },
            ),
        }
    }

    /// The process ends now; its answers stay in the pipe.
    pub(super) fn end(&mut self, index: usize, termination: Termination) {
        let worker = &mut self.workers[index];
        if worker.ended.is_some() {
            return;
        }
        worker.ended = Some(termination);
        self.judge(index);
    }

    /// Notes whose death it was, when a worker has ended: its own, or perhaps ours.
    fn judge(&mut self, index: usize) {
        let worker = &self.workers[index];
        let (Some(termination), Some((_, id))) = (worker.ended, worker.executing) else {
            return;
        };
        let perhaps_ours = match (worker.signalled, termination.signal()) {
            (None, _) => false,
            (Some(_), None | Some(15)) => true,
            (Some(signal), other) => signal == Signal::Kill && other == Some(9),
        };
        self.died.remove(&id);
        if perhaps_ours {
            self.excused.insert(id);
        } else if worker.page && !self.asked.contains(&id) {
            self.died.insert(id);
        }
    }

    pub(super) fn id(&mut self) -> TaskId {
        if let Some(old) = self.free.pop() {
            return TaskId::new(old.index() as u32, old.generation() + 1);
        }
        self.places += 1;
        TaskId::new(self.places - 1, 0)
    }

    pub(super) fn submit(&mut self, options: TaskOptions) -> TaskId {
        self.submit_in(None, options)
    }

    pub(super) fn submit_in(&mut self, scope: Option<ScopeId>, options: TaskOptions) -> TaskId {
        self.submit_to(self.tokens.kind_of(self.submitted + 1), scope, options)
    }

    pub(super) fn submit_to(
        &mut self,
        kind: KindId,
        scope: Option<ScopeId>,
        options: TaskOptions,
    ) -> TaskId {
        let task = self.id();
        self.members.extend(scope.map(|scope| (task, scope)));
        self.open.insert(task);
        self.submitted += 1;
        let options = Some(Box::new(options));
        self.tell(Event::Submit {
            task,
            kind,
            entry: Entry::Push,
            options,
            scope,
        });
        task
    }

    /// What some attempt uses is measured, perhaps one that nobody asked for, or that is over.
    pub(super) fn measure(&mut self) {
        let asked: Vec<_> = self.watched.iter().map(|(id, at)| (*id, *at)).collect();
        let (id, (slot, session)) = match self.rng.below(asked.len() as u64 + 1) as usize {
            0 => {
                let known: Vec<_> = self.begun.iter().copied().collect();
                if known.is_empty() {
                    return;
                }
                let id = known[self.rng.below(known.len() as u64) as usize];
                let session = Session(1 + self.rng.below(3));
                (id, (SlotId(0), session))
            }
            other => asked[other - 1],
        };
        let worker = self.workers.iter().find(|worker| worker.session == session);
        let executing = worker.and_then(|worker| worker.executing).map(|(_, id)| id);
        let noted = Noted {
            executing,
            ..Noted::default()
        };
        let cpu = Duration::from_millis(self.rng.below(40));
        let memory = self.rng.below(120);
        self.tell(Event::Usage {
            slot,
            session,
            id,
            sample: Sample { cpu, memory, noted },
        });
    }

    pub(super) fn pass(&mut self, span: Duration) {
        self.now = self.now.after(span);
        self.tell(Event::Wake);
    }

    /// To the next deadline, if there is one.
    pub(super) fn await_deadline(&mut self) {
        if let Some(deadline) = self.master.deadline() {
            self.now = self.now.max(deadline);
            self.tell(Event::Wake);
        }
    }

    /// Something outside of the workers that is due: a spawn that failed, a response that was decoded.
    pub(super) fn outside(&mut self) -> bool {
        if std::mem::take(&mut self.tokens.counts) {
            self.tell(Event::TokensCounted);
            return true;
        }
        if let Some((slot, session)) = self.stillborn.pop() {
            let error = "no".to_string();
            self.tell(Event::SpawnFailed {
                slot,
                session,
                error,
            });
            return true;
        }
        if let Some((slot, session)) = self.weighs.pop() {
            let memory = self.rng.below(120);
            self.tell(Event::Weighed {
                slot,
                session,
                memory,
            });
            return true;
        }
        if self.decodes.is_empty() {
            return false;
        }
        let index = self.rng.below(self.decodes.len() as u64) as usize;
        let (slot, session, id) = self.decodes.swap_remove(index);
        let letter = [OK, FAIL, GARBLED, FAULTY][self.rng.below(4) as usize];
        self.tell(Event::Decoded {
            slot,
            session,
            id,
            handle: u64::from(letter[0]),
        });
        true
    }
}
