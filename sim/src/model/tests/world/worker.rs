//! A hand-made worker: it performs in order, hands back what it is asked for, lies, and dies.

use super::{World, kind_hello, signalled};
use farm_master::{Event, Exit, MemoryEvidence};
use farm_protocol::page::Noted;
use farm_protocol::{
    AttemptHeader, AttemptId, DEFAULT_FRAME_LIMIT, FrameError, FrameKind, Hello, PREAMBLE,
    ReplyFlags, ReplyHeader, Session, SlotId, TaskId, Termination, attempt_frame_body, begin_frame,
    encode_into, finish_frame, reply_frame,
};
use std::collections::{BTreeSet, VecDeque};

pub(super) struct Worker {
    pub(super) slot: SlotId,
    pub(super) session: Session,
    page: bool,
    /// Spawned and greeted so far.
    told: u8,
    pub(super) requests: VecDeque<Option<AttemptHeader>>,
    pub(super) control: VecDeque<(AttemptHeader, bool)>,
    withdrawn: BTreeSet<u64>,
    last: u64,
    executing: Option<AttemptHeader>,
    pipe: Vec<u8>,
    pub(super) ended: Option<Termination>,
    eof_told: bool,
    exit_told: bool,
}

impl Worker {
    pub(super) const fn new(slot: SlotId, session: Session, page: bool) -> Self {
        Self {
            slot,
            session,
            page,
            told: 0,
            requests: VecDeque::new(),
            control: VecDeque::new(),
            withdrawn: BTreeSet::new(),
            last: 0,
            executing: None,
            pipe: Vec::new(),
            ended: None,
            eof_told: false,
            exit_told: false,
        }
    }

    fn says(&mut self, kind: FrameKind, header: AttemptHeader) {
        attempt_frame_body::<FrameError>(
            &mut self.pipe,
            kind,
            &header,
            DEFAULT_FRAME_LIMIT,
            |out| {
                if kind != FrameKind::Revoked {
                    encode_into("why", out, 100).expect("short");
                }
                Ok(())
            },
        )
        .expect("short");
    }

    fn replies(&mut self, id: AttemptId, payload: &[u8], ran_nanos: u64, heeded_cancel: bool) {
        let flags = ReplyFlags {
            heeded_cancel,
            left_behind: payload.len() == 7,
        };
        let header = ReplyHeader {
            id,
            flags,
            ran_nanos,
        };
        reply_frame::<FrameError>(&mut self.pipe, &header, DEFAULT_FRAME_LIMIT, |out| {
            out.extend_from_slice(payload);
            Ok(())
        })
        .expect("short");
    }

    pub(super) fn ends(&mut self, how: Termination) {
        self.ended.get_or_insert(how);
    }
}

impl World {
    pub(super) fn step(&mut self, index: usize) {
        let worker = &mut self.workers[index];
        let (slot, session, page) = (worker.slot, worker.session, worker.page);
        if worker.told == 0 {
            worker.told = 1;
            return self.tell(Event::Spawned {
                slot,
                session,
                page,
            });
        }
        if worker.ended.is_some() {
            return self.bury(index);
        }
        if self.dice.chance(self.manners.dies) {
            let how = [
                signalled(11),
                signalled(9),
                Termination::Exited(3),
                Termination::Lost,
            ];
            return worker.ends(how[self.dice.below(4) as usize]);
        }
        if worker.told == 1 {
            worker.told = 2;
            worker.pipe = hello_bytes();
        } else if self.dice.chance(self.manners.nonsense) {
            return self.nonsense(index);
        }
        let worker = &mut self.workers[index];
        if !worker.pipe.is_empty() && self.dice.chance(500) {
            return self.deliver(index);
        }
        if let Some((header, cancel)) = worker.control.pop_front() {
            if header.number > worker.last && worker.withdrawn.insert(header.number) {
                worker.says(FrameKind::Revoked, header);
            } else if cancel
                && worker.executing == Some(header)
                && !self.dice.chance(self.manners.deaf)
            {
                worker.executing = None;
                worker.replies(header.id, &[0], 1, true);
            }
        } else if worker.executing.is_some() {
            self.finish(index);
        } else if let Some(next) = worker.requests.pop_front() {
            match next {
                None => worker.ends(Termination::Exited(0)),
                Some(header) => {
                    worker.last = header.number;
                    worker.executing = (!worker.withdrawn.remove(&header.number)).then_some(header);
                }
            }
        }
    }

    fn finish(&mut self, index: usize) {
        if self.dice.chance(400) {
            // Not yet.
            return;
        }
        let fails = self.dice.chance(self.manners.fails);
        let (which, micros) = (self.dice.below(15), 1 + self.dice.below(60));
        let worker = &mut self.workers[index];
        let header = worker.executing.take().expect("it executes");
        match which {
            _ if !fails => {
                worker.replies(header.id, &[u8::from(which == 0)], micros * 1_000, false);
            }
            0..=5 => worker.replies(header.id, &[2], micros * 1_000, false),
            6 => worker.replies(header.id, &[3, 0, 0, 0, 0, 0, 0], 1_000, false),
            7 => worker.replies(header.id, &[4], 1_000, false),
            8 => worker.replies(header.id, &[5], 1_000, false),
            9 => worker.replies(header.id, &[6], 1_000, false),
            10 => worker.replies(header.id, &[0; 21], 1_000, false),
            11 => worker.says(FrameKind::Unmarshallable, header),
            12 => {
                worker.says(FrameKind::Refused, header);
                worker.ends(Termination::Exited(1));
            }
            13 => {
                worker.says(FrameKind::Panicked, header);
                worker.ends(Termination::Exited(101));
            }
            // Panics, and lives on.
            _ => worker.says(FrameKind::Panicked, header),
        }
    }

    fn nonsense(&mut self, index: usize) {
        let kinds = [
            FrameKind::Feedback,
            FrameKind::Refused,
            FrameKind::Unmarshallable,
            FrameKind::Panicked,
            FrameKind::Cancel,
        ];
        let kind = kinds[self.dice.below(5) as usize];
        let id = AttemptId {
            task: self.any_task().unwrap_or(TaskId::new(7, 7)),
            attempt: farm_protocol::Attempt(1 + self.dice.below(2) as u32),
        };
        let form = self.dice.below(3);
        let worker = &mut self.workers[index];
        match form {
            0 => worker.pipe.extend_from_slice(&[9; 11]),
            1 => worker.replies(id, &[0], 1_000, false),
            _ => worker.says(kind, AttemptHeader { number: 1, id }),
        }
    }

    fn deliver(&mut self, index: usize) {
        let worker = &mut self.workers[index];
        let length = worker.pipe.len();
        let count = if self.dice.chance(500) {
            length
        } else {
            1 + self.dice.below(length as u64) as usize
        };
        let bytes: Vec<u8> = worker.pipe.drain(..count).collect();
        let (slot, session) = (worker.slot, worker.session);
        self.tell(Event::Bytes {
            slot,
            session,
            bytes: &bytes,
        });
    }

    /// The rest of a process that has ended: bytes, then end-of-file; the exit before or after.
    fn bury(&mut self, index: usize) {
        let early = self.dice.chance(300);
        let worker = &mut self.workers[index];
        let (slot, session) = (worker.slot, worker.session);
        if !worker.exit_told && (worker.eof_told || early) {
            worker.exit_told = true;
            let executing = worker.executing.map(|header| header.id);
            let noted = worker.page.then_some(Noted {
                executing,
                started_nanos: 1,
                peak_bytes: 0,
            });
            let termination = worker.ended.expect("it has ended");
            let exit = Exit {
                termination,
                noted,
                evidence: MemoryEvidence::default(),
            };
            if worker.eof_told {
                drop(self.workers.swap_remove(index));
            }
            self.tell(Event::Exited {
                slot,
                session,
                exit,
            });
        } else if !worker.pipe.is_empty() {
            self.deliver(index);
        } else if !worker.eof_told {
            worker.eof_told = true;
            if worker.exit_told {
                drop(self.workers.swap_remove(index));
            }
            self.tell(Event::Eof { slot, session });
        }
    }
}

fn hello_bytes() -> Vec<u8> {
    let mut out = PREAMBLE.to_vec();
    let start = begin_frame(&mut out, FrameKind::Hello);
    let hello = Hello {
        pid: 1,
        build: String::new(),
        kinds: vec![kind_hello()],
    };
    encode_into(&hello, &mut out, 1_000).expect("encodes");
    finish_frame(&mut out, start, DEFAULT_FRAME_LIMIT).expect("short");
    out
}
