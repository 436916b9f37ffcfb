//! `kill -9` at each moment of a task's way: one end each, with the true cause, and the farm goes on.

use crate::Test;
use crate::script::Script;
use crate::stage::{LONG, Orders, builder, farm, lives, order, pool, run, soon};
use farm_driver::{Farm, TaskQueue};
use farm_master::{
    OnLost, Outcome, Receive, Refusal, Response, Settled, Shut, TaskKind, TaskOptions, Verdict,
    WorkerStatus,
};
use std::process::Command;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

pub(crate) const TESTS: &[Test] = &[
    ("killed_while_it_is_queued", queued),
    ("killed_while_its_request_is_written", request_write),
    ("killed_while_it_is_computed", compute),
    ("killed_while_its_answer_is_written", answer_write),
    ("killed_while_its_answer_is_used", use_of_the_answer),
];

/// More than a pipe takes, several times.
const LARGE: usize = 3_000_000;

/// Hears every end that is told.
struct Ends<K: TaskKind>(Mutex<Sender<Settled<K>>>);

impl<K: TaskKind> Receive<K> for Ends<K>
where
    Settled<K>: Send,
{
    fn settled(&self, settled: Settled<K>) {
        let ends = self.0.lock().expect("no panic holds it");
        ends.send(settled).expect("the test listens");
    }

    fn refused(&self, _: K::Task, refusal: Refusal) {
        panic!("admitted: {refusal}");
    }
}

/// A task, and all that is ever told of it.
fn submit(queue: &TaskQueue<Orders>, task: (String, u64)) -> Receiver<Settled<Orders>> {
    let (tell, ends) = channel();
    let options = TaskOptions {
        on_lost: OnLost::Fail,
        ..TaskOptions::default()
    };
    queue.submit_with(
        task,
        Some(Box::new(options)),
        Arc::new(Ends(Mutex::new(tell))),
    );
    ends
}

/// Runs the farm to its end and gives the one end that the task had.
fn only(farm: &Farm, ends: &Receiver<Settled<Orders>>) -> Settled<Orders> {
    farm.shut(Shut::Drain);
    farm.wait_stopped();
    let mut told: Vec<_> = ends.try_iter().collect();
    assert_eq!(told.len(), 1, "ends were told: {told:?}");
    told.remove(0)
}

#[track_caller]
fn killed(settled: &Settled<Orders>) {
    match &settled.outcome {
        Outcome::WorkerLost(death) => assert_eq!(death.termination.signal(), Some(9)),
        other => panic!("not lost: {}", other.status()),
    }
    assert_eq!(settled.attempts.len(), 1);
}

/// Done at the first attempt that began, by a worker that lives.
#[track_caller]
fn done(settled: &Settled<Orders>) -> &str {
    assert_eq!(settled.attempts.len(), 1);
    match &settled.outcome {
        Outcome::Done(output) => output,
        other => panic!("not done: {}", other.status()),
    }
}

fn queued() {
    let (farm, _, queue) = farm(pool("", 1));
    let killer = submit(&queue, order("kill", 1));
    let queued = submit(&queue, order("double", 2));
    let settled = only(&farm, &queued);
    assert_eq!(done(&settled), "4");
    killed(&only(&farm, &killer));
}

/// The worker reads the beginning of a large request and dies while the master holds the rest. The
/// task has not begun, so not even one that may run once only is lost.
fn request_write() {
    let (farm, _, queue) = farm(pool("", 1));
    let first = run(&queue, "weary", 0);
    let large = format!("weigh{}", " ".repeat(LARGE));
    let length = large.len().to_string();
    let written = submit(&queue, (large, 0));
    assert_eq!(done(&only(&farm, &written)), length);
    let Outcome::Done(pid) = &first.outcome else {
        panic!("it answered")
    };
    assert!(!lives(pid.parse().expect("a pid")));
}

fn compute() {
    let (farm, _, queue) = farm(pool("", 1));
    let computed = submit(&queue, order("kill", 1));
    killed(&only(&farm, &computed));
}

/// Half of a large answer has come when the worker dies: half an answer is none.
fn answer_write() {
    let (farm, _, queue) = farm(pool("", 1));
    let written = submit(&queue, order("half", LARGE as u64));
    assert!(run(&queue, "double", 1).outcome.is_done());
    killed(&only(&farm, &written));
}

/// A kind whose use of a response takes until the worker that gave it is dead.
#[derive(Debug)]
struct Slaughters;

impl TaskKind for Slaughters {
    type Wire = Script;
    type Task = (String, u64);
    type Competence = ();
    type Output = u32;
    type Failure = ();

    fn request_of_task(
        &mut self,
        _: &WorkerStatus<()>,
        task: &Self::Task,
    ) -> Option<(String, u64)> {
        Some(task.clone())
    }

    fn use_response(
        &mut self,
        _: &WorkerStatus<()>,
        _: &Self::Task,
        pid: Response<Self>,
    ) -> Verdict<Self> {
        let kill = Command::new("/bin/sh")
            .args(["-c", "kill -9 $1", "sh", &pid])
            .status();
        assert!(kill.expect("a shell").success());
        let pid = pid.parse().expect("a pid");
        soon("it is dead", || !lives(pid));
        Verdict::done(pid, ())
    }
}

/// The answer had come, so it counts; the next task is not charged with the death.
fn use_of_the_answer() {
    let mut builder = builder();
    let kind = builder.kind(Slaughters, pool("", 1));
    let farm = builder.start().expect("a farm");
    let (tell, ends) = channel();
    let ends_of_all = Arc::new(Ends(Mutex::new(tell)));
    let queue = farm.queue(kind);
    for number in 0..2 {
        queue.submit_with(order("pid", number), None, ends_of_all.clone());
        // The second one may come while the death of the worker is not yet known.
        let settled: Settled<Slaughters> = ends.recv_timeout(LONG).expect("an end in time");
        assert!(matches!(settled.outcome, Outcome::Done(_)));
        assert_eq!(settled.attempts.len(), 1);
    }
    farm.shut(Shut::Drain);
    farm.wait_stopped();
    assert_eq!(ends.try_iter().count(), 0, "each ended once");
}
