//! The desk of a run: which task of the input is which task of the farm, how each ended, and the
//! reports about it. Everything here happens on the farm's loop, one thing at a time.

mod seen;

pub(super) use seen::Meant;

use super::end::End;
use super::record::{self, Answered};
use super::said::Said;
use super::watch::Letter;
use super::why;
use crate::exec::{CommandResponse, Listener, spill_path};
use crate::report::{
    AttemptRecord, Reporter, Status, StopReason, Stream, TaskIdText, TaskRecord, TaskRef,
};
use crate::taskfile::{IdKind, Need, TaskSpec};
use farm_driver::Observer;
use farm_master::{AttemptReport, Gone, Outcome, Refusal, Settlement, WhoseDoing};
use farm_protocol::{AttemptId, Instant, KindId, Session, SlotId, TaskId};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub(super) type SharedDesk = Arc<Mutex<Desk>>;

/// Locks the desk. A panic at the desk leaves it as it is; the run ends with it.
pub(super) fn lock(desk: &SharedDesk) -> MutexGuard<'_, Desk> {
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How a task of the input stands. One byte each: there may be millions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// Not ended.
    Open,
    /// Ended `ok`.
    Done,
    /// Ended otherwise.
    NotDone,
}

/// A task that is in the farm.
struct Live {
    spec: Arc<TaskSpec>,
    id: TaskId,
    /// The pids of the workers of its attempts, and what each attempt answered.
    attempts: BTreeMap<u32, Attempted>,
}

#[derive(Default)]
struct Attempted {
    pid: Option<u32>,
    answered: Option<Answered>,
    said: Said,
}

pub(super) struct Desk {
    pub(super) reporter: Reporter,
    post: Sender<Letter>,
    start: Instant,
    last: Instant,
    standings: Vec<Standing>,
    /// Tasks in the farm, by position in the input.
    live: BTreeMap<u64, Live>,
    /// Positions by the index of the farm's ids.
    positions: Vec<u64>,
    /// The pids of the workers that live.
    pids: BTreeMap<SlotId, u32>,
    /// Where workers put long output.
    spills: PathBuf,
    /// Positions of tasks that are not to go in.
    unwanted: BTreeSet<u64>,
    pub(super) follow_ups: FollowUps,
}

/// What became of tasks that are not of the input: a kind has added them. Reports are about the input.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FollowUps {
    /// How many have ended.
    pub(super) ended: u64,
    /// How many of them not `ok`.
    pub(super) bad: u64,
    /// The status of the first of those.
    pub(super) first: &'static str,
}

impl FollowUps {
    /// What there is to say of them.
    pub(super) fn words(self) -> String {
        let Self { ended, bad, first } = self;
        let tasks = if ended == 1 { "task" } else { "tasks" };
        let bad = match bad {
            0 => "all of them ok".to_owned(),
            1 => format!("one of them not ok but {first}"),
            _ => format!("{bad} of them not ok, the first {first}"),
        };
        format!("besides the tasks of the file, {ended} follow-up {tasks} ended, {bad}")
    }
}

/// What may become of a task of the input, as far as its needs say.
pub(super) enum Fate {
    /// It may go in, needing these tasks that have not ended.
    Admit(Vec<farm_master::Need>),
    /// A needed task ended otherwise than needed.
    Skip(Box<str>),
    /// A needed task of another kind is still to go in.
    Wait,
}

impl Desk {
    pub(super) fn new(reporter: Reporter, post: Sender<Letter>, spills: PathBuf) -> Self {
        let start = now();
        let mut desk = Self {
            reporter,
            post,
            start,
            last: start,
            standings: Vec::new(),
            live: BTreeMap::new(),
            positions: Vec::new(),
            pids: BTreeMap::new(),
            spills,
            unwanted: BTreeSet::new(),
            follow_ups: FollowUps::default(),
        };
        desk.reporter.run_started(Duration::ZERO);
        desk
    }

    fn at(&mut self, now: Instant) -> Duration {
        self.last = self.last.max(now);
        now.since(self.start)
    }

    /// The time of the last thing that happened, for what is written after the farm's end.
    pub(super) fn at_end(&self) -> Duration {
        now().max(self.last).since(self.start)
    }

    /// How many tasks are with workers or wait for one.
    pub(super) fn running(&self) -> usize {
        self.live
            .values()
            .filter(|live| !live.attempts.is_empty())
            .count()
    }

    fn standing(&self, seq: u64) -> Standing {
        let index = usize::try_from(seq - 1).expect("positions fit in memory");
        self.standings.get(index).copied().unwrap_or(Standing::Open)
    }

    fn set_standing(&mut self, seq: u64, standing: Standing) {
        let index = usize::try_from(seq - 1).expect("positions fit in memory");
        if self.standings.len() <= index {
            self.standings.resize(index + 1, Standing::Open);
        }
        self.standings[index] = standing;
    }

    /// Judges the needs of a task that is about to go in.
    pub(super) fn fate(&self, spec: &TaskSpec) -> Fate {
        let mut needs = Vec::new();
        let mut skip = None;
        for need in &spec.needs {
            match self.live.get(&need.seq) {
                Some(live) => needs.push(farm_master::Need {
                    task: live.id,
                    when: need.when,
                }),
                None => match self.is_met(need) {
                    None => return Fate::Wait,
                    Some(true) => {}
                    Some(false) => {
                        skip.get_or_insert_with(|| need.id.clone());
                    }
                },
            }
        }
        match skip {
            Some(by) => Fate::Skip(by),
            None => Fate::Admit(needs),
        }
    }

    /// Whether a needed task ended as needed; `None` while it has not ended.
    fn is_met(&self, need: &Need) -> Option<bool> {
        match self.standing(need.seq) {
            Standing::Done => Some(need.when.allows(true)),
            Standing::NotDone => Some(need.when.allows(false)),
            Standing::Open => None,
        }
    }

    /// A task has gone in.
    pub(super) fn entered(&mut self, spec: Arc<TaskSpec>, id: TaskId) {
        if self.positions.len() <= id.index() {
            self.positions.resize(id.index() + 1, 0);
        }
        self.positions[id.index()] = spec.seq;
        self.live.insert(
            spec.seq,
            Live {
                spec,
                id,
                attempts: BTreeMap::new(),
            },
        );
    }

    /// A task ended before it went in.
    pub(super) fn skipped(&mut self, spec: &TaskSpec, by: &str) {
        let mut record = record::bare(spec, Status::Skipped);
        record.skipped_by = Some(TaskIdText::new(by, false));
        record.error = Some(why::skip_error(by));
        let at = self.at_end();
        (record.submitted, record.finished) = (at, at);
        self.close(at, record);
    }

    /// A task whose input could be read once cannot be read again.
    pub(super) fn unreadable(&mut self, spec: &TaskSpec, words: &str) {
        let mut record = record::bare(spec, Status::Failed);
        record.error = Some(why::error(
            "input",
            format!("its input cannot be read: {words}"),
        ));
        let at = self.at_end();
        (record.submitted, record.finished) = (at, at);
        self.close(at, record);
    }

    /// The run ended before a task went in.
    pub(super) fn left_out(&mut self, spec: &TaskSpec) {
        if self.was_unwanted(spec) {
            return;
        }
        let mut record = record::bare(spec, Status::NotRun);
        record.error = Some(why::not_run_error());
        let at = self.at_end();
        (record.submitted, record.finished) = (at, at);
        self.close(at, record);
    }

    fn close(&mut self, at: Duration, record: TaskRecord) {
        let standing = if record.status == Status::Ok {
            Standing::Done
        } else {
            Standing::NotDone
        };
        self.set_standing(record.seq, standing);
        self.reporter.task_finished(at, record);
    }

    /// The task of the input behind an id; none for one that a kind has added by itself.
    fn live(&mut self, task: TaskId) -> Option<(u64, &mut Live)> {
        let seq = *self.positions.get(task.index())?;
        let live = self.live.get_mut(&seq)?;
        // The place of a task that has ended is used again.
        (live.id == task).then_some((seq, live))
    }

    pub(super) fn settled(&mut self, spec: &TaskSpec, end: End) {
        let at = self.at(end.finished);
        let seq = spec.seq;
        let live = self.live.remove(&seq).expect("what is settled went in");
        let skipped_by = match end.outcome {
            Outcome::Skipped(_) => {
                let unmet = |need: &&Need| self.is_met(need) == Some(false);
                spec.needs.iter().find(unmet).map(|need| &*need.id)
            }
            _ => None,
        };
        if let Some(wait) = end.waited {
            self.reporter.task_waited(wait);
        }
        let mut attempts = live.attempts;
        let records: Vec<AttemptRecord> = end
            .attempts
            .iter()
            .map(|report| attempt_record(spec, report, attempts.get(&report.attempt.0)))
            .collect();
        let last = end.attempts.last().map(|report| report.attempt.0);
        let left = last.and_then(|number| {
            let spill = spill_path(&self.spills, seq, number);
            Some(attempts.remove(&number)?.said.left(&spill))
        });
        let left = left.unwrap_or_default();
        let (record, lost) = record::of(spec, end, self.start, records, skipped_by, left);
        if let Some(lost) = lost {
            self.send(Letter::Lost(lost));
        }
        if let Some(attempt) = record.attempts.last() {
            self.reporter.attempt_finished(at, seq, attempt);
        }
        self.close(at, record);
    }

    pub(super) fn refused(&mut self, task: &TaskSpec, refusal: &Refusal) {
        self.live.remove(&task.seq);
        let mut record = record::bare(task, Status::NotRun);
        record.error = Some(why::error("refused", refusal.to_string()));
        let at = self.at_end();
        self.close(at, record);
    }

    /// An attempt answered; its notes, where it is known to have begun.
    fn answered(&mut self, task: &TaskSpec, response: &CommandResponse) -> Option<&mut Attempted> {
        if let Some(trouble) = &response.trouble {
            self.send(Letter::Lost(trouble.clone()));
        }
        let live = self
            .live
            .get_mut(&task.seq)
            .expect("what answers is in the farm");
        let attempted = live.attempts.values_mut().next_back()?;
        attempted.answered = Some(Answered::of(response));
        Some(attempted)
    }

    /// Tells the watch. It is gone only when the run is over.
    pub(super) fn send(&self, letter: Letter) {
        let _run_over = self.post.send(letter);
    }

    pub(super) fn take_troubles(&mut self) {
        while let Some(trouble) = self.reporter.take_trouble() {
            self.send(Letter::Trouble(trouble));
        }
    }
}

/// The farm's clock before it stands still for the first time: what `start` is measured against.
fn now() -> Instant {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanos = u64::try_from(time.tv_nsec).unwrap_or(0);
    Instant::from_nanos(seconds.saturating_mul(1_000_000_000).saturating_add(nanos))
}

/// The worker's number for people: from 1.
const fn worker(slot: SlotId) -> u32 {
    slot.0 + 1
}

fn attempt_record(
    spec: &TaskSpec,
    report: &AttemptReport,
    attempted: Option<&Attempted>,
) -> AttemptRecord {
    let (pid, answered) = attempted.map_or((None, None), |attempted| {
        (attempted.pid, attempted.answered.as_ref())
    });
    record::attempt(spec, report, worker(report.slot), pid, answered)
}

pub(super) fn id_text(spec: &TaskSpec) -> TaskIdText {
    TaskIdText::new(&spec.id, spec.explicit_id != Some(IdKind::Text))
}

/// The desk as the listener of commands, and whether they are shown while they speak.
pub(super) struct Ears(pub(super) SharedDesk, pub(super) bool);

impl Listener for Ears {
    fn output(&mut self, task: &TaskSpec, stream: farm_worker::Stream, bytes: &[u8]) {
        let desk = &mut *lock(&self.0);
        let at = desk.at_end();
        let live = desk.live.get_mut(&task.seq);
        let attempt = live.and_then(|live| live.attempts.last_entry());
        let number = attempt.map_or(1, |mut attempt| {
            attempt.get_mut().said.hear(stream, bytes);
            *attempt.key()
        });
        if self.1 {
            let stream = match stream {
                farm_worker::Stream::Stdout => Stream::Stdout,
                farm_worker::Stream::Stderr => Stream::Stderr,
            };
            desk.reporter
                .task_output(at, task.seq, number, stream, bytes);
        }
    }

    fn answered(&mut self, task: &TaskSpec, response: &CommandResponse) {
        lock(&self.0).answered(task, response);
    }

    fn answered_late(&mut self, task: &TaskSpec, response: CommandResponse) {
        let desk = &mut *lock(&self.0);
        if let Some(attempted) = desk.answered(task, &response) {
            attempted.said.answered_late(response);
        }
    }
}

/// The desk as the observer of the farm.
pub(super) struct Eyes(pub(super) SharedDesk);

impl Observer for Eyes {
    fn started(&mut self, now: Instant, id: AttemptId, slot: SlotId, _: Session, pid: u32) {
        let desk = &mut *lock(&self.0);
        let at = desk.at(now);
        let Some((seq, live)) = desk.live(id.task) else {
            return;
        };
        let attempted = Attempted {
            pid: Some(pid),
            ..Attempted::default()
        };
        live.attempts.insert(id.attempt.0, attempted);
        let spec = Arc::clone(&live.spec);
        let text = id_text(&spec);
        // Where nobody gave it a name, what it does is the best one.
        let numbered = spec.name.is_none() && spec.explicit_id.is_none();
        let command = numbered.then(|| record::command_text(&spec.run));
        let task = TaskRef {
            seq,
            id: &text,
            name: spec.name.as_deref(),
            command: command.as_deref(),
            attempt: id.attempt.0,
            worker: Some(worker(slot)),
        };
        desk.reporter.task_started(at, task);
    }

    fn attempt_ended(&mut self, now: Instant, task: TaskId, report: &AttemptReport) {
        let desk = &mut *lock(&self.0);
        let at = desk.at(now);
        let Some((seq, live)) = desk.live(task) else {
            return;
        };
        let attempted = live.attempts.get(&report.attempt.0);
        let record = attempt_record(&live.spec, report, attempted);
        desk.reporter.attempt_finished(at, seq, &record);
    }

    fn task_ended(&mut self, _: Instant, settlement: &Settlement) {
        let desk = &mut *lock(&self.0);
        if desk.live(settlement.task).is_some() {
            return;
        }
        let follow_ups = &mut desk.follow_ups;
        follow_ups.ended += 1;
        if !settlement.outcome.is_done() {
            if follow_ups.bad == 0 {
                follow_ups.first = settlement.outcome.status();
            }
            follow_ups.bad += 1;
        }
    }

    fn worker_ready(&mut self, now: Instant, slot: SlotId, _: Session, pid: u32) {
        let desk = &mut *lock(&self.0);
        let at = desk.at(now);
        desk.pids.insert(slot, pid);
        desk.reporter.worker_started(at, worker(slot), Some(pid));
    }

    fn worker_gone(&mut self, now: Instant, slot: SlotId, _: Session, gone: &Gone) {
        let desk = &mut *lock(&self.0);
        let at = desk.at(now);
        let pid = desk.pids.remove(&slot);
        let reason = match gone.whose {
            WhoseDoing::Finished => StopReason::Finished,
            WhoseDoing::Replaced => StopReason::Recycled,
            WhoseDoing::Killed => StopReason::Killed,
            WhoseDoing::Died => StopReason::Died,
        };
        let ended = record::process_end(gone.termination);
        desk.reporter
            .worker_stopped(at, worker(slot), pid, reason, ended);
    }

    fn tokens_lost(&mut self, _: Instant, error: &str) {
        let desk = lock(&self.0);
        desk.send(Letter::NoTokens(error.to_string()));
    }

    fn pool_ended(&mut self, _: Instant, _: KindId, error: &str) {
        let desk = lock(&self.0);
        desk.send(Letter::NoWorkers(error.to_string()));
    }

    fn turn(&mut self, now: Instant) {
        let desk = &mut *lock(&self.0);
        let at = desk.at(now);
        desk.reporter.tick(at);
        desk.take_troubles();
    }

    fn deadline(&self) -> Option<Instant> {
        let desk = lock(&self.0);
        desk.reporter.deadline().map(|at| desk.start.after(at))
    }
}
