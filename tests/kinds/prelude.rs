//! A kind with a warm context: a prelude that is sent to each worker once, and changed by differences.

use super::Test;
use farm::protocol::{Never, Schema, Wire};
use farm::worker::{Context, Perform, Worker};
use farm::{
    AffinityKey, ContextBody, ContextUpdate, Farm, Outcome, Pool, Program, TaskKind, TaskQueue,
    Verdict, WorkerStatus,
};
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

pub(crate) const TESTS: &[Test] = &[
    (
        "a_prelude_is_sent_once_per_worker_and_then_by_differences",
        sent_once,
    ),
    ("a_worker_inside_takes_a_prelude_as_well", sent_inside),
];

/// A byte of a prelude is the sum of the keys that it was made from.
const PRELUDE: usize = 1 << 20;

/// Nothing here takes this long on a machine that works.
const LONG: Duration = Duration::from_secs(20);

#[derive(Clone, Debug, Serialize, Deserialize, Schema)]
pub(crate) enum Play {
    Say,
    /// Wait until this many workers have come to this folder: so each of them has a task.
    Meet(String, u32),
}

#[derive(Debug, Serialize, Deserialize, Schema)]
pub(crate) struct Said {
    pid: u32,
    /// The prelude's length, and its last byte.
    prelude: (u64, u8),
    /// How often one was taken: whole, and by a difference.
    taken: (u32, u32),
}

pub(crate) struct Preludes;

impl Wire for Preludes {
    const NAME: &'static str = "prelude";
    const VERSION: u32 = 1;
    type Request = Play;
    type Response = Said;
    type Feedback = Never;
    type Context = Vec<u8>;
}

#[derive(Default)]
pub(crate) struct Player {
    prelude: Vec<u8>,
    taken: (u32, u32),
}

impl Perform for Player {
    type Wire = Preludes;

    fn take_context(&mut self, update: ContextUpdate<Vec<u8>>, _: &Context<'_, Preludes>) {
        match update.body {
            ContextBody::Whole(prelude) => {
                self.prelude = prelude;
                self.taken.0 += 1;
            }
            ContextBody::Difference(add) => {
                for byte in &mut self.prelude {
                    *byte += add[0];
                }
                self.taken.1 += 1;
            }
        }
    }

    fn perform(&mut self, request: Play, context: &Context<'_, Preludes>) -> Said {
        let pid = std::process::id();
        if let Play::Meet(folder, count) = request {
            fs::write(Path::new(&folder).join(pid.to_string()), "").expect("a file");
            let here = || fs::read_dir(&folder).map_or(0, Iterator::count) as u32;
            while here() < count && !context.cancelled() {
                thread::yield_now();
            }
        }
        Said {
            pid,
            prelude: (
                self.prelude.len() as u64,
                self.prelude.last().copied().unwrap_or(0),
            ),
            taken: self.taken,
        }
    }
}

/// What the kind gave: the key, and what the worker held.
type Given = Arc<Mutex<Vec<(u64, Option<u64>)>>>;

/// The master's half.
struct Plays {
    given: Given,
}

impl TaskKind for Plays {
    type Wire = Preludes;
    type Task = (u8, Play);
    type Competence = ();
    type Output = Said;
    type Failure = ();

    fn context_of_task(&self, task: &(u8, Play)) -> Option<AffinityKey> {
        Some(AffinityKey(task.0.into()))
    }

    fn context(&mut self, key: AffinityKey, held: Option<AffinityKey>) -> ContextBody<Vec<u8>> {
        let mut given = self.given.lock().expect("whole");
        given.push((key.0, held.map(|held| held.0)));
        let byte = |key: u64| u8::try_from(key).expect("made from a byte");
        match held {
            None => ContextBody::Whole(vec![byte(key.0); PRELUDE]),
            Some(held) => ContextBody::Difference(vec![byte(key.0 - held.0)]),
        }
    }

    fn request_of_task(&mut self, _: &WorkerStatus<()>, task: &(u8, Play)) -> Option<Play> {
        Some(task.1.clone())
    }

    fn use_response(&mut self, _: &WorkerStatus<()>, _: &(u8, Play), said: Said) -> Verdict<Self> {
        Verdict::done(said, ())
    }
}

/// Where the workers meet: a folder of this test's own.
struct Meetings(PathBuf, u32);

impl Meetings {
    fn new() -> Self {
        let name = format!("farm-prelude-{}", std::process::id());
        Self(std::env::temp_dir().join(name), 0)
    }

    /// A task for each of two workers: they wait for each other. What they said.
    fn hold(&mut self, queue: &TaskQueue<Plays>, key: u8) -> Vec<Said> {
        self.1 += 1;
        let folder = self.0.join(self.1.to_string());
        fs::create_dir_all(&folder).expect("a folder");
        let folder = folder.to_str().expect("text").to_owned();
        let meet = || queue.submit((key, Play::Meet(folder.clone(), 2)));
        [meet(), meet()].map(said).into()
    }
}

impl Drop for Meetings {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn said(ticket: farm::Ticket<Plays>) -> Said {
    let settled = ticket.wait_timeout(LONG).expect("an end in time");
    match settled.expect("admitted").outcome {
        Outcome::Done(said) => said,
        other => panic!("{other:?}"),
    }
}

fn pids(said: &[Said]) -> BTreeSet<u32> {
    said.iter().map(|said| said.pid).collect()
}

#[track_caller]
fn all_hold(said: &[Said], byte: u8) {
    for said in said {
        assert_eq!(said.prelude, (PRELUDE as u64, byte), "{said:?}");
    }
}

fn sent_inside() {
    let given = Given::default();
    let of_kind = Arc::clone(&given);
    let inside = farm::in_process(|| Worker::new().with(Player::default()));
    let mut builder = Farm::builder();
    let kind = builder.kind(Plays { given: of_kind }, Pool::new(inside, 1));
    let farm = builder.start().expect("a farm");
    let queue = farm.queue(kind);
    let answers = [3, 3, 10].map(|key| said(queue.submit((key, Play::Say))));
    let taken = answers.map(|said| (said.prelude.1, said.taken));
    assert_eq!(taken, [(3, (1, 0)), (3, (1, 0)), (10, (1, 1))]);
    assert_eq!(*given.lock().expect("whole"), [(3, None), (10, Some(3))]);
}

fn sent_once() {
    let given = Given::default();
    let mut builder = Farm::builder();
    let kind = builder.kind(
        Plays {
            given: Arc::clone(&given),
        },
        Pool::new(Program::this_executable(), 2),
    );
    let farm = builder.start().expect("a farm");
    let queue = farm.queue(kind);
    let mut meetings = Meetings::new();
    let told = || given.lock().expect("whole").clone();

    let mut answers = meetings.hold(&queue, 3);
    let many: Vec<_> = (0..48).map(|_| queue.submit((3, Play::Say))).collect();
    answers.extend(many.into_iter().map(said));
    assert_eq!((answers.len(), pids(&answers).len()), (50, 2));
    all_hold(&answers, 3);
    assert!(answers.iter().all(|said| said.taken == (1, 0)));
    assert_eq!(told(), [(3, None), (3, None)], "once per worker");

    let victim = answers[0].pid;
    let pid = i32::try_from(victim).ok().and_then(Pid::from_raw);
    kill_process(pid.expect("a pid"), Signal::KILL).expect("it lives");
    // Its death is noticed and costs nobody anything; only then does the other wait for a new one.
    let begun = Instant::now();
    while farm.worker_pids().iter().any(|(_, pid)| *pid == victim) {
        assert!(begun.elapsed() < LONG, "its death is not noticed");
        thread::yield_now();
    }
    let after = meetings.hold(&queue, 3);
    all_hold(&after, 3);
    assert!(pids(&after).len() == 2 && !pids(&after).contains(&victim));
    assert_eq!(told()[2..], [(3, None)], "a new worker, a third time");

    let changed = meetings.hold(&queue, 10);
    all_hold(&changed, 10);
    assert_eq!(pids(&changed), pids(&after), "the same workers");
    assert!(changed.iter().all(|said| said.taken == (1, 1)));
    assert_eq!(told()[3..], [(10, Some(3)), (10, Some(3))]);
}
