//! The kinds of the stage: they know only ids, and answer what a scenario says.

use super::*;

/// Kinds without types: a request is the task's index, a response is one letter.
#[derive(Default)]
pub(in super::super) struct Ids {
    /// How many bytes a request has.
    pub(in super::super) length: usize,
    /// Tasks that the worker in a slot may not take.
    pub(in super::super) refuses: Vec<(TaskId, SlotId)>,
    /// Tasks whose request is not to be built, and what is answered instead.
    pub(in super::super) unbuilt: BTreeMap<TaskId, RequestAnswer>,
    /// Follow-up tasks that the next response injects.
    pub(in super::super) injects: Vec<Injected>,
    /// The keys that a worker holds after its next answer.
    pub(in super::super) keys: Vec<AffinityKey>,
    pub(in super::super) affinities: BTreeMap<TaskId, Affinity>,
    pub(in super::super) ranks: BTreeMap<TaskId, i64>,
    /// Tasks whose rank is a panic.
    pub(in super::super) unranked: std::collections::BTreeSet<TaskId>,
    /// Tasks that a fresh worker would not take.
    pub(in super::super) not_for_fresh: Vec<TaskId>,
    /// Every question whether a task matches.
    pub(in super::super) asked: Vec<(TaskId, Whom)>,
    /// Tasks whose substitute has taken their place.
    pub(in super::super) substituted: Vec<TaskId>,
    /// Output handed over, in order.
    pub(in super::super) outputs: Vec<(Vec<TaskId>, Vec<u8>)>,
    pub(in super::super) feedback: Vec<AttemptId>,
    /// Void responses handed over.
    pub(in super::super) late: Vec<AttemptId>,
    pub(in super::super) fresh: Vec<SlotId>,
    pub(in super::super) faulty_match: Option<TaskId>,
    /// Draws whom tasks are for, instead of what a scenario says.
    pub(in super::super) chaos: Option<Chaos>,
}

/// Responses: done, failed, failed for good, crashed, out of a resource, done and end the worker, undecodable, panicking callback.
pub(in super::super) const OK: &[u8] = b"o";
pub(in super::super) const FAIL: &[u8] = b"f";
pub(in super::super) const FATAL: &[u8] = b"F";
pub(in super::super) const CRASHED: &[u8] = b"c";
pub(in super::super) const EXCEEDED: &[u8] = b"r";
pub(in super::super) const END: &[u8] = b"e";
pub(in super::super) const GARBLED: &[u8] = b"?";
pub(in super::super) const FAULTY: &[u8] = b"!";

impl Kinds for Ids {
    fn affinity(&mut self, task: TaskId) -> Result<Affinity, KindFault> {
        if let Some(chaos) = &mut self.chaos {
            return chaos.affinity();
        }
        Ok(self.affinities.get(&task).copied().unwrap_or_default())
    }

    fn rank(&mut self, task: TaskId) -> Result<i64, KindFault> {
        if let Some(chaos) = &mut self.chaos {
            return chaos.rank();
        }
        if self.unranked.contains(&task) {
            return Err(fault("rank"));
        }
        Ok(self.ranks.get(&task).copied().unwrap_or_default())
    }

    fn matches(&mut self, task: TaskId, whom: Whom) -> Result<bool, KindFault> {
        if let Some(chaos) = &mut self.chaos {
            return chaos.matches(task, whom);
        }
        self.asked.push((task, whom));
        if self.faulty_match == Some(task) {
            return Err(fault("task_match"));
        }
        Ok(match whom {
            Whom::Worker(slot) => !self.refuses.contains(&(task, slot)),
            Whom::Fresh => !self.not_for_fresh.contains(&task),
        })
    }

    fn substitute(&mut self, task: TaskId) {
        self.substituted.push(task);
    }

    fn request(&mut self, id: AttemptId, _: SlotId, out: &mut Vec<u8>, _: usize) -> RequestAnswer {
        let answer = self
            .unbuilt
            .get(&id.task)
            .cloned()
            .unwrap_or(RequestAnswer::Ready);
        if answer == RequestAnswer::Ready {
            out.resize(out.len() + self.length, b'?');
        }
        answer
    }

    fn response(&mut self, _: AttemptId, slot: SlotId, payload: Payload<'_>) -> ResponseAnswer {
        let letter = match payload {
            Payload::Bytes(bytes) => bytes[0],
            Payload::Decoded(letter) => u8::try_from(letter).expect("a letter"),
        };
        let mut taken = |judged, next| ResponseAnswer::Taken {
            judged,
            next,
            keys: match &mut self.chaos {
                Some(chaos) => chaos.learns(slot, next),
                None => self.keys.clone(),
            },
            injected: std::mem::take(&mut self.injects),
        };
        let failed = |cause, fatal| Judged::Failed { cause, fatal };
        match letter {
            b'o' => taken(Judged::Done, NextOfWorker::Stay),
            b'e' => taken(Judged::Done, NextOfWorker::End),
            b'f' => taken(failed(Cause::Exit, false), NextOfWorker::Stay),
            b'F' => taken(failed(Cause::Exit, true), NextOfWorker::Stay),
            b'c' => taken(failed(Cause::Crash, false), NextOfWorker::Stay),
            b'r' => taken(failed(Cause::Resource, false), NextOfWorker::Stay),
            b'!' => ResponseAnswer::Fault(fault("use_response")),
            _ => ResponseAnswer::Garbled(farm_protocol::MarshalError::Decode("no letter".into())),
        }
    }

    fn late(&mut self, id: AttemptId, _: &[u8]) {
        self.late.push(id);
    }

    fn feedback(&mut self, id: AttemptId, _: &[u8]) -> Result<(), String> {
        self.feedback.push(id);
        Ok(())
    }

    fn output(&mut self, tasks: &[TaskId], _: Stream, bytes: &[u8]) {
        self.outputs.push((tasks.to_vec(), bytes.to_vec()));
    }

    fn fresh(&mut self, slot: SlotId) {
        self.fresh.push(slot);
        if let Some(chaos) = &mut self.chaos {
            chaos.fresh(slot);
        }
    }
}

pub(in super::super) fn fault(callback: &str) -> KindFault {
    KindFault {
        callback: callback.into(),
        message: "boom".into(),
    }
}
