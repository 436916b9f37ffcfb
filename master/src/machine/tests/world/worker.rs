//! One simulated worker: it holds requests, performs them in order, gives back what it is asked
//! for, and dies at any point.

use super::*;
use farm_protocol::{FrameError, ReplyFlags, attempt_frame_body, encode_into};
use std::collections::VecDeque;

/// What the master sent.
pub(in super::super) enum Item {
    Request(u64, AttemptId),
    Stop,
    /// A revocation, or a cancellation.
    Back(AttemptHeader, bool),
}

pub(in super::super) struct Worker {
    pub(in super::super) slot: SlotId,
    pub(in super::super) session: Session,
    pub(in super::super) page: bool,
    spawned: bool,
    greeted: bool,
    pub(in super::super) requests: VecDeque<Item>,
    pub(in super::super) control: VecDeque<Item>,
    /// Given back before they began.
    withdrawn: BTreeSet<u64>,
    last: u64,
    pub(in super::super) executing: Option<(u64, AttemptId)>,
    /// Written and not read by the master.
    pub(in super::super) pipe: Vec<u8>,
    /// The strongest signal that came.
    pub(in super::super) signalled: Option<Signal>,
    pub(in super::super) ended: Option<Termination>,
    pub(in super::super) eof_told: bool,
    pub(in super::super) exit_told: bool,
}

impl Worker {
    pub(in super::super) fn new(slot: SlotId, session: Session, page: bool) -> Self {
        Self {
            slot,
            session,
            page,
            spawned: false,
            greeted: false,
            requests: VecDeque::new(),
            control: VecDeque::new(),
            withdrawn: BTreeSet::new(),
            last: 0,
            executing: None,
            pipe: vec![],
            signalled: None,
            ended: None,
            eof_told: false,
            exit_told: false,
        }
    }

    fn frame(&mut self, kind: FrameKind, header: AttemptHeader, text: Option<&str>) {
        let mut out = vec![];
        attempt_frame_body::<FrameError>(&mut out, kind, &header, DEFAULT_FRAME_LIMIT, |out| {
            if let Some(text) = text {
                encode_into(text, out, 1000).expect("encodes");
            }
            Ok(())
        })
        .expect("short");
        self.pipe.extend_from_slice(&out);
    }

    fn reply(&mut self, id: AttemptId, payload: &[u8], flags: ReplyFlags, micros: u64) {
        let ran = Duration::from_micros(micros);
        self.pipe
            .extend_from_slice(&reply_bytes(id, payload, flags, ran));
    }
}

impl World {
    /// One step of a worker.
    pub(in super::super) fn step_worker(&mut self, index: usize) {
        let worker = &mut self.workers[index];
        if !worker.spawned {
            worker.spawned = true;
            let (slot, session, page) = (worker.slot, worker.session, worker.page);
            return self.tell(Event::Spawned {
                slot,
                session,
                page,
            });
        }
        if worker.ended.is_some() {
            return self.bury(index);
        }
        if self.rng.chance(self.manners.dies) {
            let how = [KILLED, SEGV, Termination::Exited(3), Termination::Lost];
            let how = how[self.rng.below(4) as usize];
            return self.end(index, how);
        }
        if self.rng.chance(self.manners.nonsense) {
            return self.nonsense(index);
        }
        if !self.workers[index].pipe.is_empty() && self.rng.chance(600) {
            return self.deliver(index);
        }
        let worker = &mut self.workers[index];
        if !worker.greeted {
            worker.greeted = true;
            worker.pipe = hello_bytes(vec![kind_hello()]);
        } else if let Some(Item::Back(header, cancel)) = worker.control.pop_front() {
            if header.number > worker.last && worker.withdrawn.insert(header.number) {
                worker.frame(FrameKind::Revoked, header, None);
            } else if cancel && worker.executing == Some((header.number, header.id)) {
                self.heed(index, header);
            }
        } else if worker.executing.is_some() {
            self.finish(index);
        } else {
            match worker.requests.pop_front() {
                Some(Item::Request(number, id)) => {
                    worker.last = number;
                    if !worker.withdrawn.remove(&number) {
                        worker.executing = Some((number, id));
                        self.begun.insert(id);
                    }
                }
                Some(Item::Stop) => self.end(index, Termination::Exited(0)),
                Some(Item::Back(..)) => panic!("over the wrong pipe"),
                None => {}
            }
        }
    }

    fn heed(&mut self, index: usize, header: AttemptHeader) {
        if self.rng.chance(self.manners.deaf) {
            return;
        }
        let flags = ReplyFlags {
            heeded_cancel: true,
            left_behind: false,
        };
        let worker = &mut self.workers[index];
        worker.executing = None;
        worker.reply(header.id, OK, flags, 1);
    }

    fn finish(&mut self, index: usize) {
        let fails = self.rng.chance(self.manners.fails);
        let which = self.rng.below(12);
        let micros = 1 + self.rng.below(40);
        let left_behind = fails && self.rng.chance(100);
        let worker = &mut self.workers[index];
        let (number, id) = worker.executing.take().expect("it executes");
        let flags = ReplyFlags {
            heeded_cancel: false,
            left_behind,
        };
        let header = AttemptHeader { number, id };
        let letter = match (fails, which) {
            (false, _) => OK,
            (true, 0..=3) => FAIL,
            (true, 4) => FATAL,
            (true, 5) => END,
            (true, 6) => GARBLED,
            (true, 7) => FAULTY,
            (true, 8) => &[b'x'; 1001],
            (true, 9) => {
                worker.frame(FrameKind::Panicked, header, Some("boom"));
                if !self.asked.contains(&id) {
                    self.died.insert(id);
                }
                return self.end(index, Termination::Exited(101));
            }
            (true, 10) => {
                worker.frame(FrameKind::Refused, header, Some("what?"));
                return self.end(index, Termination::Exited(1));
            }
            (true, _) => {
                return worker.frame(FrameKind::Unmarshallable, header, Some("how?"));
            }
        };
        worker.reply(id, letter, flags, micros);
    }

    /// Random bytes, or a good frame about something else.
    fn nonsense(&mut self, index: usize) {
        let kinds = [
            FrameKind::Feedback,
            FrameKind::Revoked,
            FrameKind::Refused,
            FrameKind::Unmarshallable,
            FrameKind::Panicked,
            FrameKind::Cancel,
            FrameKind::Hello,
            FrameKind::Progress,
        ];
        let kind = kinds[self.rng.below(8) as usize];
        let known: Vec<AttemptId> = self.begun.iter().copied().collect();
        let id = if known.is_empty() || self.rng.chance(300) {
            id(TaskId::from_bits(self.rng.below(u64::MAX)), 1)
        } else {
            known[self.rng.below(known.len() as u64) as usize]
        };
        let (form, number) = (self.rng.below(4), self.rng.below(20));
        let noise: Vec<u8> = (0..self.rng.below(20))
            .map(|_| self.rng.below(256) as u8)
            .collect();
        let worker = &mut self.workers[index];
        match form {
            0 => worker.pipe.extend_from_slice(&noise),
            1 => worker.reply(id, OK, ReplyFlags::default(), u64::MAX / 2_000),
            2 => worker.frame(kind, AttemptHeader { number, id }, None),
            _ => worker.frame(kind, AttemptHeader { number, id }, Some("hm")),
        }
    }
}
