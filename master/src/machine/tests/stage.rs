//! The stage for scenarios: a master, kinds that know only ids, and workers played by the test,
//! whose every message passes through the codec.

mod chaos;
mod ids;
pub(super) mod play;
pub(super) mod scopes;

pub(super) use chaos::*;
pub(super) use ids::*;

use crate::lane::{AdapterMode, Boundary, Entry};
use crate::{
    Action, Actions, Affinity, Cause, Config, Event, Exit, Injected, Judged, KindConfig, KindFault,
    Kinds, Link, Master, MemoryEvidence, NextOfWorker, Outcome, Payload, RequestAnswer,
    ResponseAnswer, Sample, ScopeEnd, Settlement, Shut, Signal, Staffing, Stream, TaskOptions,
    TokenAction, Whom, WhoseDoing,
};
use farm_protocol::page::Noted;
use farm_protocol::{
    AffinityKey, AttemptHeader, AttemptId, DEFAULT_FRAME_LIMIT, Frame, FrameDecoder, FrameError,
    FrameKind, Hello, Instant, KindHello, KindId, PREAMBLE, ReplyFlags, ReplyHeader, RequestHeader,
    ScopeId, Session, SlotId, TaskId, Termination, attempt_frame_body, begin_frame, decode_prefix,
    encode_into, finish_frame, reply_frame,
};
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

/// A master on a stage.
pub(super) struct Stage {
    pub(super) master: Master,
    pub(super) kinds: Ids,
    pub(super) now: Instant,
    actions: Actions,
    /// What the master did and the scenario has not looked at.
    log: Vec<String>,
    settled: BTreeMap<TaskId, Settlement>,
    scope_ends: BTreeMap<ScopeId, ScopeEnd>,
    next_task: u32,
    last_scope: u64,
    /// The request last sent per slot: its number.
    numbers: BTreeMap<AttemptId, u64>,
    /// Where each task was sent last.
    sent_to: BTreeMap<TaskId, SlotId>,
    /// Whether the invariants are checked after each step; off while a scenario builds up something large.
    pub(super) checks: bool,
    /// Whose doing the last end of a worker was.
    pub(super) whose: Option<WhoseDoing>,
}

pub(super) fn kind_hello() -> KindHello {
    KindHello {
        name: "ids".into(),
        version: 1,
        schema: 7,
    }
}

pub(super) fn config(slots: u32, credit: u32) -> Config {
    let boundary = Boundary::new(AdapterMode::PushPull, slots as usize, 1000, 1000).expect("valid");
    let kind = KindConfig {
        hello: kind_hello(),
        slots,
        boundary,
        credit_cap: credit,
        injection_limit: 2,
        decode_above: 1000,
        hello_timeout: None,
        staffing: Staffing::default(),
        defaults: TaskOptions::default(),
    };
    Config {
        kinds: vec![kind],
        limits: vec![NonZeroU32::MIN],
        ..Config::default()
    }
}

impl Stage {
    pub(super) fn new(config: Config) -> Self {
        Self {
            master: Master::new(config),
            kinds: Ids::default(),
            now: Instant::from_millis(1_000),
            actions: Actions::new(),
            log: Vec::new(),
            settled: BTreeMap::new(),
            scope_ends: BTreeMap::new(),
            next_task: 0,
            last_scope: 0,
            numbers: BTreeMap::new(),
            sent_to: BTreeMap::new(),
            checks: true,
            whose: None,
        }
    }

    /// One step; the actions go to the log as one line each.
    pub(super) fn tell(&mut self, event: Event<'_>) {
        self.master
            .handle(self.now, event, &mut self.kinds, &mut self.actions);
        if self.checks {
            self.master.check_invariants();
        }
        let list = self.actions.take_list();
        for action in &list {
            let line = match action {
                Action::Send {
                    slot, link, bytes, ..
                } => {
                    self.sent(*slot, *link, bytes.clone());
                    continue;
                }
                Action::Settle(settlement) => {
                    let old = self.settled.insert(settlement.task, settlement.clone());
                    assert!(old.is_none(), "{} was settled twice", settlement.task);
                    format!("settle {} {}", settlement.task, settlement.outcome.status())
                }
                Action::Spawn { slot, session, .. } => format!("spawn {slot} {session}"),
                Action::Signal {
                    slot,
                    session,
                    signal,
                } => format!("{} {slot} {session}", signal_word(*signal)),
                Action::Started { .. } => continue,
                Action::Weigh { slot, session } => format!("weigh {slot} {session}"),
                Action::Watch { slot, id, .. } => format!("watch {slot} {id}"),
                Action::Unwatch { slot, id, .. } => format!("unwatch {slot} {id}"),
                Action::Progress { id, progress } => {
                    format!("progress {id} {} {}", progress.done, progress.note)
                }
                Action::AttemptEnded { task, report } => {
                    format!("again {task} after {:?}", report.end)
                }
                Action::Refuse { task, refusal } => format!("refuse {task}: {refusal}"),
                Action::Unmatched { task } => format!("unmatched {task}"),
                Action::Admitted { task } => format!("admitted {task}"),
                Action::ScopeEnded { scope, end } => {
                    let words = crate::words::action(action, &[]);
                    let old = self.scope_ends.insert(*scope, end.clone());
                    assert!(old.is_none(), "{scope} ended twice");
                    words.to_string()
                }
                Action::RefuseScope { scope, refusal } => format!("refuse {scope}: {refusal}"),
                Action::Token(token) => match token {
                    TokenAction::Want => "want".into(),
                    TokenAction::WantNone => "want no more".into(),
                    TokenAction::GiveBack => "give back".into(),
                    TokenAction::Count => "count".into(),
                    TokenAction::Lost { error } => format!("tokens lost: {error}"),
                },
                Action::PoolEnded { error, .. } => format!("pool ended: {error}"),
                Action::WorkerReady { slot, .. } => format!("ready {slot}"),
                Action::WorkerGone { slot, gone, .. } => {
                    self.whose = Some(gone.whose);
                    format!("gone {slot}: {}", gone.why)
                }
                Action::Decode { id, .. } => format!("decode {id}"),
                Action::Stopped => "stopped".into(),
            };
            self.log.push(line);
        }
        self.actions.restore(list);
        self.actions.clear();
    }

    fn sent(&mut self, slot: SlotId, link: Link, bytes: std::ops::Range<usize>) {
        let mut decoder = FrameDecoder::new(DEFAULT_FRAME_LIMIT);
        decoder.push(&self.actions.bytes[bytes]);
        while let Some(Frame { kind, body }) =
            decoder.next_frame().expect("the master speaks protocol")
        {
            let line = match (kind, link) {
                (FrameKind::Request, Link::Requests) => {
                    let (header, _) = decode_prefix::<RequestHeader>(body).expect("a header");
                    self.numbers.insert(header.id, header.number);
                    self.sent_to.insert(header.id.task, slot);
                    format!("request {slot} {}", header.id)
                }
                (FrameKind::Stop, Link::Requests) => format!("stop {slot}"),
                (FrameKind::Cancel | FrameKind::Revoke, Link::Control) => {
                    let (header, _) = decode_prefix::<AttemptHeader>(body).expect("a header");
                    assert_eq!(self.numbers[&header.id], header.number);
                    let word = if kind == FrameKind::Cancel {
                        "cancel"
                    } else {
                        "revoke"
                    };
                    format!("{word} {slot} {}", header.id)
                }
                (kind, link) => panic!("{kind:?} over {link:?}"),
            };
            self.log.push(line);
        }
        assert_eq!(decoder.pending(), 0);
    }

    /// The log since the last look must be exactly this.
    #[track_caller]
    pub(super) fn expect(&mut self, lines: &[&str]) {
        let log = std::mem::take(&mut self.log);
        assert_eq!(log, lines);
    }

    /// Forgets the log, for steps that another scenario looks at.
    pub(super) fn skip(&mut self) {
        self.log.clear();
    }

    pub(super) fn submit(&mut self, options: TaskOptions) -> TaskId {
        let task = TaskId::new(self.next_task, 0);
        self.next_task += 1;
        let options = Some(Box::new(options));
        self.tell(Event::Submit {
            task,
            kind: KindId(0),
            entry: Entry::Push,
            options,
            scope: None,
        });
        task
    }

    /// The task that was sent to a slot and has not ended.
    pub(super) fn running_in(&self, slot: u32) -> Option<TaskId> {
        let process = self.master.slots[slot as usize].process.as_ref()?;
        process.in_flight.front().map(|flight| flight.id.task)
    }

    /// Lets a worker that was asked to end do so; the session of the one that took its place.
    pub(super) fn replaced(&mut self, slot: u32, session: u64) -> Option<u64> {
        let process = self.master.slots[slot as usize].process.as_ref()?;
        if !process.asked_to_end {
            return None;
        }
        self.die(slot, session, Termination::Exited(0), None);
        let next = self.master.last_session.0;
        self.hello(slot, next);
        self.skip();
        Some(next)
    }

    /// The id of the next task.
    pub(super) fn coming(&self) -> TaskId {
        TaskId::new(self.next_task, 0)
    }

    /// The task of the last request in the log since the last look, unless it is this one.
    pub(super) fn sent_last(&mut self, before: TaskId) -> Option<TaskId> {
        let log = std::mem::take(&mut self.log);
        let last = log.iter().rev().find(|line| line.starts_with("request"))?;
        let sent = last.split(' ').next_back()?.strip_prefix('t')?;
        let index: u32 = sent.split('#').next()?.parse().ok()?;
        Some(TaskId::new(index, 0)).filter(|task| *task != before)
    }

    pub(super) fn task(&mut self) -> TaskId {
        self.submit(TaskOptions::default())
    }

    pub(super) fn pass(&mut self, millis: u64) {
        self.now = self.now.after(Duration::from_millis(millis));
        self.tell(Event::Wake);
    }

    /// The process exists and says hello.
    pub(super) fn hello(&mut self, slot: u32, session: u64) {
        self.spawned(slot, session, true);
        self.say(slot, session, &hello_bytes(vec![kind_hello()]));
    }

    pub(super) fn spawned(&mut self, slot: u32, session: u64, page: bool) {
        self.tell(Event::Spawned {
            slot: SlotId(slot),
            session: Session(session),
            page,
        });
    }

    pub(super) fn say(&mut self, slot: u32, session: u64, bytes: &[u8]) {
        self.tell(Event::Bytes {
            slot: SlotId(slot),
            session: Session(session),
            bytes,
        });
    }

    pub(super) fn reply(&mut self, slot: u32, session: u64, id: AttemptId, letter: &[u8]) {
        self.reply_with(slot, session, id, letter, ReplyFlags::default());
    }

    pub(super) fn reply_with(
        &mut self,
        slot: u32,
        session: u64,
        id: AttemptId,
        payload: &[u8],
        flags: ReplyFlags,
    ) {
        let bytes = reply_bytes(id, payload, flags, Duration::from_micros(1));
        self.say(slot, session, &bytes);
    }

    /// A frame about an attempt, with a text.
    pub(super) fn about(
        &mut self,
        slot: u32,
        session: u64,
        kind: FrameKind,
        id: AttemptId,
        text: &str,
    ) {
        let header = AttemptHeader {
            number: self.numbers[&id],
            id,
        };
        let mut out = Vec::new();
        attempt_frame_body::<FrameError>(&mut out, kind, &header, DEFAULT_FRAME_LIMIT, |out| {
            if kind != FrameKind::Revoked {
                encode_into(text, out, 1000).expect("encodes");
            }
            Ok(())
        })
        .expect("short");
        self.say(slot, session, &out);
    }

    /// The process is gone: answers read to the end, then collected.
    pub(super) fn die(
        &mut self,
        slot: u32,
        session: u64,
        termination: Termination,
        executing: Option<AttemptId>,
    ) {
        self.tell(Event::Eof {
            slot: SlotId(slot),
            session: Session(session),
        });
        self.exit(slot, session, termination, executing);
    }

    pub(super) fn exit(
        &mut self,
        slot: u32,
        session: u64,
        termination: Termination,
        executing: Option<AttemptId>,
    ) {
        let noted = Some(Noted {
            executing,
            started_nanos: 1,
            peak_bytes: 0,
        });
        let exit = Exit {
            termination,
            noted,
            evidence: MemoryEvidence::default(),
        };
        self.tell(Event::Exited {
            slot: SlotId(slot),
            session: Session(session),
            exit,
        });
    }

    pub(super) fn shut(&mut self, how: Shut) {
        self.tell(Event::Shut(how));
    }

    #[track_caller]
    pub(super) fn outcome(&self, task: TaskId) -> &Outcome {
        &self.settled.get(&task).expect("not settled").outcome
    }

    #[track_caller]
    pub(super) fn settlement(&self, task: TaskId) -> &Settlement {
        self.settled.get(&task).expect("not settled")
    }
}

const fn signal_word(signal: Signal) -> &'static str {
    match signal {
        Signal::Terminate => "term",
        Signal::Kill => "kill",
    }
}

pub(super) fn id(task: TaskId, attempt: u32) -> AttemptId {
    AttemptId {
        task,
        attempt: farm_protocol::Attempt(attempt),
    }
}

pub(super) fn hello_bytes(kinds: Vec<KindHello>) -> Vec<u8> {
    let mut out = PREAMBLE.to_vec();
    let start = begin_frame(&mut out, FrameKind::Hello);
    encode_into(
        &Hello {
            pid: 1,
            build: String::new(),
            kinds,
        },
        &mut out,
        1000,
    )
    .expect("encodes");
    finish_frame(&mut out, start, DEFAULT_FRAME_LIMIT).expect("short");
    out
}

pub(super) fn reply_bytes(
    id: AttemptId,
    payload: &[u8],
    flags: ReplyFlags,
    ran: Duration,
) -> Vec<u8> {
    let mut out = Vec::new();
    let header = ReplyHeader {
        id,
        flags,
        ran_nanos: ran.as_nanos() as u64,
    };
    reply_frame::<FrameError>(&mut out, &header, DEFAULT_FRAME_LIMIT, |out| {
        out.extend_from_slice(payload);
        Ok(())
    })
    .expect("short");
    out
}

pub(super) const SEGV: Termination = Termination::Signaled {
    signal: 11,
    core_dumped: false,
};
pub(super) const KILLED: Termination = Termination::Signaled {
    signal: 9,
    core_dumped: false,
};
