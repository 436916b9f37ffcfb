//! Watches how long callbacks of kinds hold the loop, and names those that hold it too long.
//!
//! Two readings of the clock per callback would cost more than many a callback. So the loop times
//! whole events; callbacks are timed one by one only after an event was slow.

use farm_master::{KindFault, Kinds, Payload, Registry, RequestAnswer, ResponseAnswer, Stream};
use farm_protocol::{AttemptId, SlotId, TaskId};
use std::time::{Duration, Instant};

/// A callback that holds the loop longer is reported.
pub(crate) const TOO_LONG: Duration = Duration::from_millis(5);

/// Up to this many callbacks in a slow event, one of them is to blame; more may only have been many.
const FEW: u32 = 8;

/// What was seen during one event.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// Time every callback.
    closely: bool,
    /// Callbacks during this event.
    calls: u32,
    last: &'static str,
}

impl Watch {
    /// An event begins.
    pub(crate) const fn begin(&mut self) {
        self.calls = 0;
    }

    /// The event took longer than [`TOO_LONG`].
    pub(crate) fn slow(&mut self, held: Duration) {
        if self.calls == 0 {
            return;
        }
        if !self.closely && self.calls <= FEW {
            log::warn!(
                "a kind's callback (of {} called, the last was `{}`) held the farm's loop for {held:?}; \
                 meanwhile nothing else happened: move the work into the worker",
                self.calls,
                self.last
            );
        }
        self.closely = true;
    }

    fn call<T>(&mut self, name: &'static str, run: impl FnOnce() -> T) -> T {
        self.calls += 1;
        self.last = name;
        if !self.closely {
            return run();
        }
        let begin = Instant::now();
        let answer = run();
        let held = begin.elapsed();
        if held > TOO_LONG {
            log::warn!(
                "the kind's callback `{name}` held the farm's loop for {held:?}; \
                 meanwhile nothing else happened: move the work into the worker"
            );
        }
        answer
    }
}

/// The kinds, watched.
pub(crate) struct Watched<'a> {
    pub(crate) kinds: &'a mut Registry,
    pub(crate) watch: &'a mut Watch,
}

impl Kinds for Watched<'_> {
    fn matches(&mut self, task: TaskId, slot: SlotId) -> Result<bool, KindFault> {
        self.watch
            .call("task_match", || self.kinds.matches(task, slot))
    }

    fn request(
        &mut self,
        id: AttemptId,
        slot: SlotId,
        out: &mut Vec<u8>,
        limit: usize,
    ) -> RequestAnswer {
        self.watch.call("request_of_task", || {
            self.kinds.request(id, slot, out, limit)
        })
    }

    fn response(&mut self, id: AttemptId, slot: SlotId, payload: Payload<'_>) -> ResponseAnswer {
        self.watch
            .call("use_response", || self.kinds.response(id, slot, payload))
    }

    fn feedback(&mut self, id: AttemptId, bytes: &[u8]) -> Result<(), String> {
        self.watch
            .call("on_feedback", || self.kinds.feedback(id, bytes))
    }

    fn output(&mut self, tasks: &[TaskId], stream: Stream, bytes: &[u8]) {
        // No code of a kind runs here.
        self.kinds.output(tasks, stream, bytes);
    }

    fn fresh(&mut self, slot: SlotId) {
        // It drops competences, whose `Drop` is the kind's.
        self.watch
            .call("the drop of a competence", || self.kinds.fresh(slot));
    }
}
