//! One kind with its types: the only place where `dyn Any` becomes a task again.

use super::warm::Warm;
use super::{Answered, Body, Erased, Held, OUTPUT_KEPT, RankBy, Settled, WorkerOutput};
use crate::action::Refusal;
use crate::affinity::{Affinity, WhenGone, Whom};
use crate::event::Stream;
use crate::kind::{
    Context, Fallback, Feedback, FollowUp, Next, Request, Response, Sending, TaskKind, Verdict,
    Whose, WorkerStatus,
};
use crate::kinds::{Judged, KindFault, NextOfWorker, RequestAnswer, ResponseAnswer};
use crate::outcome::{Outcome, Settlement};
use farm_protocol::{
    AffinityKey, AttemptId, ContextBody, ContextUpdate, MarshalError, Progress, SlotId, Wire,
    decode, encode_request,
};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A kind and what it remembers of the worker in each slot.
pub(super) struct Typed<K: TaskKind> {
    kind: K,
    workers: Vec<WorkerStatus<K::Competence>>,
    warm: Warm,
    /// Instead of the kind's own rank.
    rank: Option<RankBy<K>>,
}

impl<K: TaskKind> Typed<K> {
    pub(super) const fn new(kind: K) -> Self {
        Self {
            kind,
            workers: Vec::new(),
            warm: Warm::new(),
            rank: None,
        }
    }

    /// The context that the worker in `slot` certainly holds.
    pub(super) fn held_context(&self, slot: SlotId) -> Option<AffinityKey> {
        self.warm.held(slot)
    }

    /// Everything that ties tasks to the worker in `slot`: its context, and what the kind says of its competence.
    fn keys(
        &self,
        slot: SlotId,
        competence: &K::Competence,
    ) -> Result<Vec<AffinityKey>, KindFault> {
        let mut keys = contained("keys_of", || self.kind.keys_of(competence))?;
        if let Some(context) = self.held_context(slot) {
            keys.insert(0, context);
        }
        Ok(keys)
    }

    /// The request of an attempt and what its worker must be told before it; `None`: it needs no request any more.
    fn asked(&mut self, sending: Sending, task: &K::Task) -> Result<Option<Asked<K>>, KindFault> {
        let slot = sending.slot;
        let status = self
            .workers
            .get(slot.0 as usize)
            .unwrap_or(&WorkerStatus::Fresh);
        let kind = &mut self.kind;
        let request = contained("request_of_task", || {
            kind.request_of_attempt(sending, status, task)
        })?;
        let Some(request) = request else {
            return Ok(None);
        };
        let wanted = contained("context_of_task", || {
            let wanted = kind.context_of_task(task);
            assert!(
                wanted.is_none() || !K::INDEPENDENT,
                "kind `{}` names a context and is INDEPENDENT: its requests depend on what the worker holds, \
                 so leave INDEPENDENT false",
                K::Wire::NAME
            );
            wanted
        })?;
        let held = self.warm.held(slot);
        let update = match wanted {
            Some(key) if held != wanted => Some(update(kind, key, held)?),
            Some(_) | None => None,
        };
        Ok(Some(Asked { request, update }))
    }

    fn status(&self, slot: SlotId) -> &WorkerStatus<K::Competence> {
        self.workers
            .get(slot.0 as usize)
            .unwrap_or(&WorkerStatus::Fresh)
    }

    fn set_status(&mut self, slot: SlotId, status: WorkerStatus<K::Competence>) {
        let index = slot.0 as usize;
        if self.workers.len() <= index {
            self.workers.resize_with(index + 1, || WorkerStatus::Fresh);
        }
        self.workers[index] = status;
    }

    fn take_verdict(&mut self, slot: SlotId, held: &mut Held<K>, verdict: Verdict<K>) -> Answered {
        let judged = match &verdict.result {
            Ok(_) => Judged::Done,
            Err(_) => Judged::Failed {
                cause: verdict.cause,
                fatal: verdict.fatal,
            },
        };
        let (next, keys, inject) = match verdict.next {
            Next::Stay { competence, inject } => {
                let keys = match self.keys(slot, &competence) {
                    Ok(keys) => keys,
                    Err(fault) => return answered(ResponseAnswer::Fault(fault)),
                };
                self.set_status(slot, WorkerStatus::Old(competence));
                (NextOfWorker::Stay, keys, inject)
            }
            Next::End => (NextOfWorker::End, Vec::new(), Vec::new()),
        };
        held.result = Some(verdict.result);
        Answered {
            answer: ResponseAnswer::Taken {
                judged,
                next,
                keys,
                injected: Vec::new(),
            },
            follow_ups: inject.into_iter().map(follow_up::<K>).collect(),
        }
    }
}

/// What is sent for one attempt.
struct Asked<K: TaskKind> {
    request: Request<K>,
    update: Option<ContextUpdate<Context<K>>>,
}

/// What brings a worker that holds `held` to the context `key`.
fn update<K: TaskKind>(
    kind: &mut K,
    key: AffinityKey,
    held: Option<AffinityKey>,
) -> Result<ContextUpdate<Context<K>>, KindFault> {
    let body = contained("context", || {
        let body = kind.context(key, held);
        let possible = match body {
            ContextBody::Whole(_) => true,
            ContextBody::Difference(_) => held.is_some(),
        };
        assert!(
            possible,
            "kind `{}` gives a difference for a worker that holds no context: give the whole of {key} when `held` is None",
            K::Wire::NAME
        );
        body
    })?;
    Ok(ContextUpdate { key, held, body })
}

/// Decodes a response of `K`; a function without state, so that it can run on any thread.
pub(super) fn decode_response<K: TaskKind>(
    bytes: &[u8],
) -> Result<Box<dyn Any + Send>, MarshalError> {
    // On another thread a panic would have nobody to tell the task of it.
    let decoded = contained("decoding the response", || decode::<Response<K>>(bytes));
    let response = decoded.unwrap_or_else(|fault| Err(MarshalError::Decode(fault.to_string())))?;
    Ok(Box::new(response))
}

fn held<K: TaskKind>(held: &dyn Any) -> &Held<K> {
    held.downcast_ref()
        .expect("a task is submitted under its own kind")
}

fn held_mut<K: TaskKind>(held: &mut dyn Any) -> &mut Held<K> {
    held.downcast_mut()
        .expect("a task is submitted under its own kind")
}

/// A follow-up task without its types, and what the machine is to know of it.
fn follow_up<K: TaskKind>(it: FollowUp<K::Task>) -> (Box<dyn Any + Send>, Option<WhenGone>) {
    let mut held = Held::<K>::new(it.task, None);
    let when_gone = match it.whose {
        Whose::Shared => None,
        Whose::Pinned(Fallback::AnyWorker) => Some(WhenGone::AnyWorker),
        Whose::Pinned(Fallback::Fail) => Some(WhenGone::Fail),
        Whose::Pinned(Fallback::Instead(task)) => {
            held.instead = Some(task);
            Some(WhenGone::Substitute)
        }
    };
    (Box::new(held), when_gone)
}

/// Runs a callback; a panic is its fault and nobody else's.
///
/// `AssertUnwindSafe`: after a panic the kind's own state may be half changed. That is the kind's
/// affair; nothing of ours is borrowed mutably by a callback except through it.
fn contained<T>(callback: &str, run: impl FnOnce() -> T) -> Result<T, KindFault> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| {
        let message = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_string())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "a panic without a message".to_string());
        KindFault {
            callback: callback.to_string(),
            message,
        }
    })
}

fn answered(answer: ResponseAnswer) -> Answered {
    Answered {
        answer,
        follow_ups: Vec::new(),
    }
}

impl<K: TaskKind> Erased for Typed<K> {
    fn affinity(&self, task: &dyn Any) -> Result<Affinity, KindFault> {
        let held = held::<K>(task);
        contained("affinity", || self.kind.affinity(&held.task))
    }

    fn rank(&self, task: &dyn Any) -> Result<i64, KindFault> {
        let held = held::<K>(task);
        contained("rank", || match &self.rank {
            Some(rank) => rank(&held.task),
            None => self.kind.rank(&held.task),
        })
    }

    fn rank_by(&mut self, rank: Box<dyn Any + Send>) {
        let rank = rank.downcast().expect("a rank of this kind's tasks");
        self.rank = *rank;
    }

    fn matches(&self, whom: Whom, task: &dyn Any) -> Result<bool, KindFault> {
        let held = held::<K>(task);
        let status = match whom {
            Whom::Worker(slot) => self.status(slot),
            Whom::Fresh => &WorkerStatus::Fresh,
        };
        contained("task_match", || self.kind.task_match(status, &held.task))
    }

    fn substitute(&mut self, task: &mut dyn Any) {
        let held = held_mut::<K>(task);
        held.task = held.instead.take().expect("kept for the case");
    }

    fn request(
        &mut self,
        id: AttemptId,
        slot: SlotId,
        task: &mut dyn Any,
        out: &mut Vec<u8>,
        limit: usize,
    ) -> RequestAnswer {
        let held = held_mut::<K>(task);
        // Output belongs to one attempt: what an earlier one wrote is not this one's.
        held.output = None;
        let Asked { request, update } = match self.asked(Sending { id, slot }, &held.task) {
            Ok(Some(asked)) => asked,
            Ok(None) => return RequestAnswer::Skip,
            Err(fault) => return RequestAnswer::Fault(fault),
        };
        // Encoding runs the user's `Serialize`, so it is contained as well.
        let before = out.len();
        let encoded = contained("encoding the request", || {
            encode_request(update.as_ref(), &request, out, limit)
        });
        match encoded {
            Ok(Ok(())) => {
                if let Some(update) = update {
                    self.warm.sent(slot, id, update.key);
                }
                RequestAnswer::Ready
            }
            Ok(Err(error)) => match marshal_error(&mut self.kind, held, &error) {
                Ok(()) => RequestAnswer::NotMarshallable(error),
                Err(fault) => RequestAnswer::Fault(fault),
            },
            Err(fault) => {
                out.truncate(before);
                RequestAnswer::Fault(fault)
            }
        }
    }

    fn response(
        &mut self,
        id: AttemptId,
        slot: SlotId,
        task: &mut dyn Any,
        payload: Body<'_>,
    ) -> Answered {
        self.warm.answered(slot, id);
        let held = held_mut::<K>(task);
        let decoded: Result<Response<K>, MarshalError> = match payload {
            Body::Bytes(bytes) => match contained("decoding the response", || decode(bytes)) {
                Ok(decoded) => decoded,
                Err(fault) => return answered(ResponseAnswer::Fault(fault)),
            },
            Body::Decoded(decoded) => {
                let decoded: Box<Result<Box<dyn Any + Send>, MarshalError>> =
                    decoded.downcast().expect("only keep_decoded stores here");
                decoded.map(|response| *response.downcast().expect("decoded by the kind's decoder"))
            }
        };
        let response = match decoded {
            Ok(response) => response,
            Err(error) => {
                return match marshal_error(&mut self.kind, held, &error) {
                    Ok(()) => answered(ResponseAnswer::Garbled(error)),
                    Err(fault) => answered(ResponseAnswer::Fault(fault)),
                };
            }
        };
        let status = self
            .workers
            .get(slot.0 as usize)
            .unwrap_or(&WorkerStatus::Fresh);
        let kind = &mut self.kind;
        match contained("use_response", || {
            kind.use_response(status, &held.task, response)
        }) {
            Ok(verdict) => self.take_verdict(slot, held, verdict),
            Err(fault) => answered(ResponseAnswer::Fault(fault)),
        }
    }

    fn late(&mut self, id: AttemptId, task: &dyn Any, bytes: &[u8]) -> Option<KindFault> {
        self.warm.answered_somewhere(id);
        let held = held::<K>(task);
        let kind = &mut self.kind;
        // Whatever goes wrong here changes nothing: the answer was void before it was read.
        contained("on_late_response", || {
            if let Ok(response) = decode(bytes) {
                kind.on_late_response(&held.task, response);
            }
        })
        .err()
    }

    fn feedback(&mut self, id: AttemptId, task: &dyn Any, bytes: &[u8]) -> Result<(), String> {
        let held = held::<K>(task);
        let kind = &mut self.kind;
        let words = |fault: KindFault| fault.to_string();
        let feedback = contained("decoding the feedback", || decode::<Feedback<K>>(bytes))
            .map_err(words)?
            .map_err(|error| error.to_string())?;
        let heard = contained("on_feedback", || kind.on_feedback(&held.task, &feedback));
        // Whatever the kind makes of it, who waits for the task has asked for it.
        let told = contained("the waiter's feedback", || {
            if let Some(waiter) = &held.waiter {
                waiter.feedback(id, feedback);
            }
        });
        heard.and(told).map_err(words)
    }

    fn output(&mut self, task: &mut dyn Any, stream: Stream, bytes: &[u8], shared: bool) {
        let output = held_mut::<K>(task).output.get_or_insert_default();
        output.shared |= shared;
        let kept = match stream {
            Stream::Stdout => &mut output.stdout,
            Stream::Stderr => &mut output.stderr,
        };
        let room = OUTPUT_KEPT - kept.len();
        output.truncated |= bytes.len() > room;
        kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn fresh(&mut self, slot: SlotId) {
        self.set_status(slot, WorkerStatus::Fresh);
        self.warm.fresh(slot);
    }

    fn progress(&self, id: AttemptId, task: &dyn Any, progress: &Progress) {
        if let Some(waiter) = &held::<K>(task).waiter {
            waiter.progress(id, progress);
        }
    }

    fn settle(&mut self, task: Box<dyn Any + Send>, settlement: Settlement) -> Option<KindFault> {
        let held: Box<Held<K>> = task
            .downcast()
            .expect("a task is submitted under its own kind");
        let Held {
            task,
            waiter,
            result,
            output,
            instead: _,
        } = *held;
        let outcome = settlement.outcome;
        let mut fault = None;
        if !matches!(outcome, Outcome::Done(()) | Outcome::Failed(())) {
            let kind = &mut self.kind;
            // A panic here cannot change how the task ended: that is decided and observed already.
            fault = contained("on_lost", || kind.on_lost(&task, &outcome)).err();
        }
        let Some(waiter) = waiter else { return fault };
        let (mut output_of, mut failure_of) = (None, None);
        match result {
            Some(Ok(output)) => output_of = Some(output),
            Some(Err(failure)) => failure_of = Some(failure),
            None => {}
        }
        let outcome = outcome.map(
            |()| output_of.expect("Done is settled only after the kind gave an output"),
            |()| failure_of.expect("Failed is settled only after the kind gave a failure"),
        );
        waiter.settled(Settled {
            id: settlement.task,
            scope: settlement.scope,
            task,
            outcome,
            attempts: settlement.attempts,
            submitted: settlement.submitted,
            started: settlement.started,
            finished: settlement.finished,
            output: output
                .map(|output| *output)
                .unwrap_or_else(WorkerOutput::default),
        });
        fault
    }

    fn refuse(&mut self, task: Box<dyn Any + Send>, refusal: Refusal) {
        let held: Box<Held<K>> = task
            .downcast()
            .expect("a task is submitted under its own kind");
        if let Some(waiter) = held.waiter {
            waiter.refused(held.task, refusal);
        }
    }

    fn as_any(&self) -> &dyn Any {
        &self.kind
    }
}

fn marshal_error<K: TaskKind>(
    kind: &mut K,
    held: &Held<K>,
    error: &MarshalError,
) -> Result<(), KindFault> {
    contained("on_marshal_error", || {
        kind.on_marshal_error(&held.task, error);
    })
}
