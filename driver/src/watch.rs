//! Watches how long callbacks of kinds hold the loop, and names those that hold it too long.
//!
//! Two readings of the clock per callback would cost more than many a callback. So the loop times
//! whole events; callbacks are timed one by one only for a while after an event was slow. On a busy machine the
//! loop may be slow because it does not get a processor; that is nobody's fault and not reported.

use crate::reap::{ThreadUse, thread_use};
use farm_master::{
    Affinity, KindFault, Kinds, Payload, Registry, RequestAnswer, ResponseAnswer, Stream, Whom,
};
use farm_protocol::{AttemptId, SlotId, TaskId};
use std::time::{Duration, Instant};

/// A callback that holds the loop longer is reported.
pub(crate) const TOO_LONG: Duration = Duration::from_millis(5);

/// With up to this many callbacks in a slow event, one of them is probably to blame; more may only have been many.
const FEW: u32 = 8;

/// So many callbacks are timed after a slow event: what is slow again is named, what was slow once costs little.
const CLOSELY_FOR: u32 = 10_000;

/// How old the last look at what the thread has done may be: a fraction of [`TOO_LONG`], so that
/// what the turns between did cannot be taken for one event's.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// What was seen during one event.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// How many more callbacks are timed one by one.
    closely: u32,
    /// Callbacks during this event.
    calls: u32,
    last: &'static str,
    /// What the loop's thread had done when this turn began, or at the last slow event.
    before: Option<ThreadUse>,
    /// When that was looked at.
    looked: farm_protocol::Instant,
    /// The follow-up tasks that this event brought, for the observer.
    pub(crate) injected: Vec<TaskId>,
}

impl Watch {
    /// A turn begins: the loop has done its waiting. Looks at what the thread has done only once
    /// in a while: asking the system costs as much as a small task.
    pub(crate) fn begin_turn(&mut self, now: farm_protocol::Instant) {
        if now.since(self.looked) >= LOOK_AGAIN {
            self.looked = now;
            self.before = thread_use();
        }
    }

    /// Whether somebody used the time or waited, other than for a processor.
    fn was_held(&mut self) -> bool {
        let now = thread_use();
        let held = match (self.before, now) {
            (Some(before), Some(now)) => {
                now.busy.saturating_sub(before.busy) > TOO_LONG || now.waits > before.waits
            }
            (None, _) | (_, None) => true,
        };
        self.before = now;
        held
    }

    /// An event begins.
    pub(crate) const fn begin(&mut self) {
        self.calls = 0;
    }

    /// The event took longer than [`TOO_LONG`].
    pub(crate) fn slow(&mut self, held: Duration) {
        if self.calls == 0 || !self.was_held() {
            return;
        }
        if self.closely == 0 && self.calls <= FEW {
            log::warn!(
                "the farm's loop was held for {held:?} by one event, in which {} callbacks ran (the last: \
                 `{}`); the next ones are timed one by one",
                self.calls,
                self.last
            );
        }
        self.closely = CLOSELY_FOR;
    }

    /// Runs a callback, by this name.
    pub(crate) fn call<T>(&mut self, name: &'static str, run: impl FnOnce() -> T) -> T {
        self.calls += 1;
        self.last = name;
        let Some(closely) = self.closely.checked_sub(1) else {
            return run();
        };
        self.closely = closely;
        let begin = Instant::now();
        let answer = run();
        let held = begin.elapsed();
        if held > TOO_LONG && self.was_held() {
            log::warn!(
                "the callback `{name}` held the farm's loop for {held:?}; \
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
    fn affinity(&mut self, task: TaskId) -> Result<Affinity, KindFault> {
        self.watch.call("affinity", || self.kinds.affinity(task))
    }

    fn rank(&mut self, task: TaskId) -> Result<i64, KindFault> {
        self.watch.call("rank", || self.kinds.rank(task))
    }

    fn matches(&mut self, task: TaskId, whom: Whom) -> Result<bool, KindFault> {
        self.watch
            .call("task_match", || self.kinds.matches(task, whom))
    }

    fn substitute(&mut self, task: TaskId) {
        // It drops a task, whose `Drop` is the kind's.
        self.watch
            .call("the drop of a task", || self.kinds.substitute(task));
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
        let answer = self
            .watch
            .call("use_response", || self.kinds.response(id, slot, payload));
        if let ResponseAnswer::Taken { injected, .. } = &answer {
            let tasks = injected.iter().map(|injected| injected.task);
            self.watch.injected.extend(tasks);
        }
        answer
    }

    fn late(&mut self, id: AttemptId, bytes: &[u8]) {
        self.watch
            .call("on_late_response", || self.kinds.late(id, bytes));
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

#[cfg(test)]
mod tests {
    //! A callback that used the time is blamed; the machine's business is not.
    use super::*;

    fn slow_event(run: impl FnOnce()) -> Watch {
        let mut watch = Watch::default();
        watch.begin_turn(farm_protocol::Instant::from_millis(1_000));
        watch.begin();
        watch.call("a callback", run);
        watch.slow(2 * TOO_LONG);
        watch
    }

    #[test]
    fn a_busy_callback_is_timed_from_then_on() {
        let begin = thread_use();
        let busy = || match (begin, thread_use()) {
            (Some(begin), Some(now)) => now.busy - begin.busy > 2 * TOO_LONG,
            (None, _) | (_, None) => true,
        };
        assert!(slow_event(|| while !busy() {}).closely > 0);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_loop_without_a_processor_blames_nobody() {
        assert_eq!(slow_event(|| {}).closely, 0);
    }

    #[test]
    fn without_callbacks_nobody_is_to_blame() {
        let mut watch = Watch::default();
        watch.begin();
        watch.slow(2 * TOO_LONG);
        assert_eq!(watch.closely, 0);
    }
}
