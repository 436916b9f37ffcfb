//! The kind of the simulated tasks, as the master sees it: builds requests, takes responses, and checks every one.
//!
//! A request says whose it is. A response repeats that, with the session that made it, so that any mix-up shows.

use super::{Answered, Ledger, Seen, letter, names};
use farm_master::{
    Affinity, Cause, Judged, KindFault, Kinds, NextOfWorker, Payload, RequestAnswer,
    ResponseAnswer, Stream, Whom,
};
use farm_protocol::{AttemptId, MarshalError, SlotId, TaskId};

/// What a request or response says of itself, in bytes.
pub(crate) const REQUEST_BYTES: usize = 20;
pub(crate) const RESPONSE_BYTES: usize = 29;

/// The value that the simulated task computes.
pub(crate) const fn worked_out(input: u64) -> u64 {
    input.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17)
}

/// Takes a request apart: whose it is, and its input. `None`: it is no request of ours.
pub(crate) fn read_request(bytes: &[u8]) -> Option<(AttemptId, u64)> {
    let whole: &[u8; REQUEST_BYTES] = bytes.try_into().ok()?;
    Some((
        attempt_at(whole),
        u64::from_le_bytes(whole[12..20].try_into().ok()?),
    ))
}

fn attempt_at(bytes: &[u8]) -> AttemptId {
    let task = u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes"));
    let attempt = u32::from_le_bytes(bytes[8..12].try_into().expect("four bytes"));
    AttemptId {
        task: TaskId::from_bits(task),
        attempt: farm_protocol::Attempt(attempt),
    }
}

/// A response to a request.
pub(crate) fn write_response(
    letter: u8,
    id: AttemptId,
    session: u64,
    value: u64,
    padding: usize,
    out: &mut Vec<u8>,
) {
    out.push(letter);
    out.extend_from_slice(&id.task.to_bits().to_le_bytes());
    out.extend_from_slice(&id.attempt.0.to_le_bytes());
    out.extend_from_slice(&session.to_le_bytes());
    out.extend_from_slice(&value.to_le_bytes());
    out.resize(out.len() + padding, 0);
}

/// The input of a task: any number that differs from task to task.
const fn input_of(task: TaskId) -> u64 {
    task.to_bits() ^ 0x5bd1_e995
}

impl Ledger {
    /// A large response is decoded off the loop: under which handle it lies.
    pub(crate) fn decode(&mut self, bytes: &[u8]) -> u64 {
        self.sees(Seen::Decoded);
        if let Some(side) = &mut self.side {
            return side.decode(bytes);
        }
        self.decoded.push(bytes.to_vec());
        self.decoded.len() as u64 - 1
    }

    /// Whether bytes are the response to this attempt, in full.
    fn response_is(&mut self, id: AttemptId, slot: SlotId, bytes: &[u8]) -> Option<u8> {
        if bytes.len() < RESPONSE_BYTES {
            return None;
        }
        let (letter, said) = (bytes[0], attempt_at(&bytes[1..13]));
        let session = u64::from_le_bytes(bytes[13..21].try_into().expect("eight bytes"));
        let value = u64::from_le_bytes(bytes[21..29].try_into().expect("eight bytes"));
        let garbage = bytes[RESPONSE_BYTES..].iter().any(|byte| *byte != 0);
        if said != id {
            self.breaks(names::I3, || {
                format!("the response of {said} is applied to {id}")
            });
        }
        let from = self.task(id.task).map(|facts| facts.session);
        let there = from.map(|from| self.session(from).slot);
        if from.is_none_or(|from| from.0 != session) || there != Some(slot) {
            self.breaks(names::I3, || {
                format!("a response of s{session} is applied to {id}, which is with {from:?}")
            });
        }
        if value != worked_out(input_of(said.task)) || garbage {
            self.breaks(names::I3, || {
                format!("a response that {id} never wrote whole is applied to it")
            });
        }
        Some(letter)
    }
}

impl Kinds for Ledger {
    fn affinity(&mut self, task: TaskId) -> Result<Affinity, KindFault> {
        let typed = self.typed_affinity(task);
        typed.unwrap_or_else(|| Ok(self.affinity_of(task)))
    }

    fn rank(&mut self, task: TaskId) -> Result<i64, KindFault> {
        let typed = self.typed_rank(task);
        typed.unwrap_or_else(|| Ok(self.rank_of(task)))
    }

    fn substitute(&mut self, task: TaskId) {
        self.typed_substitute(task);
        if self.keyed {
            self.takes_substitute(task);
        }
    }

    fn matches(&mut self, task: TaskId, whom: Whom) -> Result<bool, KindFault> {
        if self.task(task).is_none() {
            self.breaks(names::I2, || {
                format!("{task} is matched and is not in the farm")
            });
        }
        let typed = self.typed_match(task, whom);
        typed.unwrap_or_else(|| Ok(self.suits_whom(task, whom)))
    }

    fn request(
        &mut self,
        id: AttemptId,
        slot: SlotId,
        out: &mut Vec<u8>,
        limit: usize,
    ) -> RequestAnswer {
        let cancelled = self.task(id.task).map(|facts| facts.cancelled);
        if cancelled != Some(false) {
            self.breaks(names::I2, || {
                format!("a request of {id} is built after its task was cancelled or ended")
            });
        }
        if let Some(answer) = self.typed_request(id, slot, out, limit) {
            return answer;
        }
        out.extend_from_slice(&id.task.to_bits().to_le_bytes());
        out.extend_from_slice(&id.attempt.0.to_le_bytes());
        out.extend_from_slice(&input_of(id.task).to_le_bytes());
        RequestAnswer::Ready
    }

    fn response(&mut self, id: AttemptId, slot: SlotId, payload: Payload<'_>) -> ResponseAnswer {
        let Some(facts) = self.task(id.task) else {
            self.breaks(names::I2, || {
                format!("a response of {id} is used, and its task is not in the farm")
            });
            return ResponseAnswer::Garbled(MarshalError::Decode("no such task".into()));
        };
        if facts.attempt != id.attempt.0 || facts.used.is_some() {
            self.breaks(names::I2, || {
                format!("a response of {id} is used twice, or too late")
            });
        } else if facts.asked {
            self.breaks(names::I2, || {
                format!("a response of {id} is used after it was asked to stop")
            });
        }
        if let Some(answer) = self.typed_response(id, slot, payload) {
            return answer;
        }
        let decoded;
        let bytes = match payload {
            Payload::Bytes(bytes) => bytes,
            Payload::Decoded(handle) => {
                decoded = self
                    .decoded
                    .get(handle as usize)
                    .cloned()
                    .unwrap_or_default();
                &decoded[..]
            }
        };
        let Some(letter) = self.response_is(id, slot, bytes) else {
            let session = self.task(id.task).expect("looked up above").session;
            self.dismisses(session);
            return ResponseAnswer::Garbled(MarshalError::Decode("too short".into()));
        };
        if let Some(errand) = self.wishes(id.task).and_then(|it| it.nature.errand) {
            return self.errand_answered(id, letter, errand);
        }
        let facts = self.task(id.task).expect("looked up above");
        facts.used = Some(letter);
        let left_behind = facts.answer.is_some_and(Answered::leaves_something);
        let session = facts.session;
        if letter == letter::DONE_AND_END || left_behind {
            self.dismisses(session);
        }
        let keys = self.learns(id.task, session, letter == letter::DONE_AND_END);
        let injected = if letter == letter::INJECT {
            self.follows(id.task, session)
        } else {
            Vec::new()
        };
        ResponseAnswer::Taken {
            judged: if letter == letter::FAILED {
                Judged::Failed {
                    cause: Cause::Exit,
                    fatal: false,
                }
            } else {
                Judged::Done
            },
            next: if letter == letter::DONE_AND_END {
                NextOfWorker::End
            } else {
                NextOfWorker::Stay
            },
            keys,
            injected,
        }
    }

    fn late(&mut self, id: AttemptId, bytes: &[u8]) {
        if self.typed_late(id, bytes) {
            return;
        }
        if bytes.len() >= RESPONSE_BYTES && attempt_at(&bytes[1..13]) != id {
            self.breaks(names::I3, || {
                format!("a late response is called that of {id}")
            });
        }
    }

    fn feedback(&mut self, id: AttemptId, bytes: &[u8]) -> Result<(), String> {
        self.typed_feedback(id, bytes).unwrap_or(Ok(()))
    }

    fn output(&mut self, tasks: &[TaskId], stream: Stream, bytes: &[u8]) {
        self.sees(Seen::Flooded);
        self.output_is_whose(tasks);
        for task in tasks {
            if self.task(*task).is_none() {
                self.breaks(names::I2, || {
                    format!("output is given to {task}, which is not in the farm")
                });
            }
        }
        if let Some(side) = &mut self.side {
            side.kinds().output(tasks, stream, bytes);
        }
    }

    fn fresh(&mut self, slot: SlotId) {
        let there = self.sessions.iter_mut().rev().find(|it| it.slot == slot);
        if let Some(there) = there {
            there.greeted = true;
            let session = there.session;
            self.is_ready(session);
            self.leaves_its_room(session);
        }
        if let Some(side) = &mut self.side {
            side.kinds().fresh(slot);
        }
    }
}
