//! How the run stands, put together for whoever asks.

use super::clerk::{Clerk, running};
use super::course::Course;
use super::desk::Desk;
use crate::control::{
    Held, LaneStatus, Status, TaskCounts, VERSION, Waited, WaitingTask, WorkerStatus,
};
use crate::report::Status as TaskStatus;
use farm_driver::Overview;
use farm_master::{LaneLine, Stands, TaskLine, Why, WorkerLine};
use farm_protocol::{Instant, KindId};
use std::time::Duration;

impl Clerk {
    /// `overview` is `None` when the farm is over.
    pub(super) fn seen(&self, course: &Course, overview: Option<&Overview>, desk: &Desk) -> Status {
        let (since, begun) = &self.card.started;
        let folder = std::env::current_dir().unwrap_or_default();
        Status {
            v: VERSION,
            pid: std::process::id(),
            program: self.card.name.to_owned(),
            file: self.card.file.clone(),
            folder: folder.to_string_lossy().into_owned(),
            started: since.clone(),
            running_s: seconds(begun.elapsed()),
            state: course.state(),
            paused_s: course.paused_for().map(seconds),
            held_back: course.held_back,
            all_read: course.all_read,
            tasks: counts(overview, desk),
            lanes: overview.map_or_else(Vec::new, |overview| {
                let lanes = overview.lanes.iter();
                lanes.map(|lane| self.lane(lane)).collect()
            }),
            workers: overview.map_or_else(Vec::new, |overview| {
                let workers = overview.workers.iter();
                workers
                    .map(|worker| self.worker(worker, overview, desk))
                    .collect()
            }),
            waiting: overview.map_or_else(Vec::new, |overview| {
                let waiting = overview.waiting.iter();
                waiting
                    .map(|line| self.waiting(line, overview.now, desk))
                    .collect()
            }),
        }
    }

    fn kind(&self, kind: KindId) -> String {
        let name = self.card.kinds.get(usize::from(kind.0));
        (*name.expect("the farm has the kinds of the list")).to_owned()
    }

    fn lane(&self, lane: &LaneLine) -> LaneStatus {
        LaneStatus {
            kind: self.kind(lane.kind),
            gate: lane.gate.label().to_owned(),
            waiting: lane.waiting as u64,
            in_flight: lane.in_flight as u64,
            stopping: lane.stopping as u64,
            limit: lane.max_in_flight as u64,
            queue_limit: lane.max_queued as u64,
            waits: lane.waits.map(|(p50, p99)| Waited {
                p50_s: seconds(p50),
                p99_s: seconds(p99),
            }),
        }
    }

    fn worker(&self, line: &WorkerLine, overview: &Overview, desk: &Desk) -> WorkerStatus {
        let now = overview.now;
        let mut pids = overview.pids.iter();
        let pid = pids.find(|(slot, _)| *slot == line.slot);
        let task = line.task.map(|(id, sent)| {
            let (text, label) = desk.called(id.task);
            Held {
                id: text,
                label,
                attempt: id.attempt.0,
                for_s: since(sent, now),
            }
        });
        WorkerStatus {
            worker: line.slot.0 + 1,
            kind: self.kind(line.kind),
            pid: pid.map(|(_, pid)| *pid),
            phase: line.phase.to_string(),
            task,
            held: line.held as u64,
            done: line.done,
            last_s: since(line.last_answer, now),
        }
    }

    fn waiting(&self, line: &TaskLine, now: Instant, desk: &Desk) -> WaitingTask {
        let (id, label) = desk.called(line.task);
        WaitingTask {
            id,
            label,
            kind: self.kind(line.kind),
            attempts: line.attempt.0,
            for_s: since(line.submitted, now),
            why: match line.stands {
                Stands::Waits(why) => self.why(why, now),
                Stands::Runs { .. } | Stands::Held { .. } | Stands::Stops { .. } => String::new(),
            },
        }
    }
}

impl Clerk {
    /// In the words of whoever wrote the task file.
    fn why(&self, why: Why, now: Instant) -> String {
        match why {
            Why::Limit(limit) => {
                let name = self.card.limits.get(usize::from(limit.0));
                format!("limit `{}`", name.map_or("?", |name| name))
            }
            Why::BackOff { until } => format!("pause of {:.1} s", until.since(now).as_secs_f64()),
            Why::Holder(slot) => format!("for worker {}, which is busy", slot.0 + 1),
            Why::Needs { .. }
            | Why::NoMatch
            | Why::NoSlot
            | Why::FarmFull
            | Why::Starting
            | Why::NoToken
            | Why::Paused => why.to_string(),
        }
    }
}

fn counts(overview: Option<&Overview>, desk: &Desk) -> TaskCounts {
    let ends = desk.reporter.counts();
    let total = desk.reporter.total();
    let statuses = TaskStatus::ALL.into_iter();
    let statuses = statuses.filter(|status| ends.of(*status) > 0);
    let lanes = overview.map_or(&[][..], |overview| &overview.lanes);
    TaskCounts {
        total,
        ended: ends.total(),
        failed: ends.failures(),
        running: running(overview),
        waiting: lanes.iter().map(|lane| lane.waiting as u64).sum(),
        outside: total.map(|total| total.saturating_sub(ends.total() + desk.inside())),
        statuses: statuses
            .map(|status| (status.word().to_owned(), ends.of(status)))
            .collect(),
    }
}

fn since(then: Instant, now: Instant) -> f64 {
    seconds(now.since(then))
}

/// Seconds with three decimals: what follows them is noise.
fn seconds(span: Duration) -> f64 {
    span.as_millis() as f64 / 1000.0
}
