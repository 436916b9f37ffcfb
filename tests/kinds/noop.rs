//! A kind that can do little, but do it wrong in every way: what it is asked is how to behave.

use super::Test;
use farm::master::{Death, HowStopped, Settlement};
use farm::protocol::{Instant, Never, Schema, TaskId, Wire};
use farm::worker::{Context, Perform};
use farm::{
    CrashLimit, Farm, Observer, OnLost, Outcome, Pool, Program, TaskKind, TaskOptions, TaskQueue,
    Verdict, WorkerStatus,
};
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeSet;
use std::sync::mpsc;
use std::time::Duration;

pub(crate) const TESTS: &[Test] = &[
    ("ten_thousand_in_any_order_each_once", ten_thousand),
    ("a_stray_print_belongs_to_its_task", stray_print),
    ("a_panic_in_perform_is_named", panic_in_perform),
    (
        "a_response_that_cannot_be_encoded_leaves_the_worker",
        not_encoded,
    ),
    ("c5_a_heeded_cancel_leaves_the_worker", heeded_cancel),
    (
        "c6_an_ignored_cancel_is_killed_within_its_budget",
        ignored_cancel,
    ),
    (
        "c7_a_cancel_against_the_completion_has_one_end_and_harms_no_idle_worker",
        cancel_against_completion,
    ),
    (
        "an_abort_is_named_by_its_signal_and_charged_to_nobody_else",
        abort,
    ),
];

#[derive(Clone, Debug, Serialize, Deserialize, Schema)]
pub(crate) enum Behave {
    Echo(u64),
    Print(String),
    Panic,
    Unencodable,
    WaitForCancel,
    IgnoreCancel,
    Abort,
    /// Say so many times how far it is, with this pause before each, then wait for a cancel without a word.
    Advance(u32, Duration),
    /// Take so many bytes of memory and wait for a cancel.
    Eat(u32),
}

#[derive(Debug, Deserialize, Schema)]
pub(crate) enum Said {
    Number(u64),
    Pid(u32),
    Unencodable,
}

impl Serialize for Said {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(n) => serializer.serialize_newtype_variant("Said", 0, "Number", n),
            Self::Pid(pid) => serializer.serialize_newtype_variant("Said", 1, "Pid", pid),
            Self::Unencodable => Err(serde::ser::Error::custom("meant to fail")),
        }
    }
}

pub(crate) struct Noops;

impl Wire for Noops {
    const NAME: &'static str = "noop";
    const VERSION: u32 = 1;
    type Request = Behave;
    type Response = Said;
    type Feedback = Never;
    type Context = Never;
}

pub(crate) struct Performer;

impl Perform for Performer {
    type Wire = Noops;

    fn perform(&mut self, request: Behave, context: &Context<'_, Noops>) -> Said {
        match request {
            Behave::Echo(n) => return Said::Number(n),
            Behave::Print(text) => print!("{text}"),
            Behave::Panic => panic!("asked to"),
            Behave::Unencodable => return Said::Unencodable,
            Behave::WaitForCancel => wait(context, None),
            Behave::Advance(steps, pause) => {
                for step in 1..=steps {
                    wait(context, Some(pause));
                    context.progress(step.into(), Some(100), "a step");
                }
                wait(context, None);
            }
            Behave::Eat(bytes) => {
                let eaten = vec![7_u8; bytes as usize];
                wait(context, None);
                return Said::Number(eaten.iter().map(|byte| u64::from(*byte)).sum());
            }
            Behave::IgnoreCancel => loop {
                std::thread::park();
            },
            Behave::Abort => std::process::abort(),
        }
        Said::Pid(std::process::id())
    }
}

/// Waits for a cancel, at most for so long.
fn wait(context: &Context<'_, Noops>, span: Option<Duration>) {
    let timeout = span.map(|span| rustix::event::Timespec::try_from(span).expect("short"));
    let mut fds = [rustix::event::PollFd::from_borrowed_fd(
        context.cancel_fd(),
        rustix::event::PollFlags::IN,
    )];
    while !context.cancelled() {
        let ready = rustix::event::poll(&mut fds, timeout.as_ref()).expect("a poll");
        if ready == 0 {
            return;
        }
    }
}

#[derive(Debug)]
pub(crate) struct Noop;

impl TaskKind for Noop {
    type Wire = Noops;
    type Task = Behave;
    type Competence = ();
    type Output = Said;
    type Failure = ();
    const INDEPENDENT: bool = true;

    fn request_of_task(&mut self, _: &WorkerStatus<()>, task: &Behave) -> Option<Behave> {
        Some(task.clone())
    }

    fn use_response(&mut self, _: &WorkerStatus<()>, _: &Behave, said: Said) -> Verdict<Self> {
        Verdict::done(said, ())
    }
}

pub(crate) fn farm(slots: u32) -> (Farm, TaskQueue<Noop>) {
    let mut builder = Farm::builder();
    let kind = builder.kind(Noop, Pool::new(Program::this_executable(), slots));
    let farm = builder.start().expect("a farm");
    let queue = farm.queue(kind);
    (farm, queue)
}

pub(crate) fn pid(queue: &TaskQueue<Noop>) -> u32 {
    let settled = queue
        .submit(Behave::Print(String::new()))
        .wait()
        .expect("admitted");
    match settled.outcome {
        Outcome::Done(Said::Pid(pid)) => pid,
        other => panic!("{other:?}"),
    }
}

fn ten_thousand() {
    let (_farm, queue) = farm(2);
    let tickets: Vec<_> = (0..10_000)
        .map(|n| (n, queue.submit(Behave::Echo(n))))
        .collect();
    for (n, ticket) in tickets {
        let settled = ticket.wait().expect("admitted");
        assert!(matches!(settled.outcome, Outcome::Done(Said::Number(m)) if m == n));
        assert_eq!(settled.attempts.len(), 1);
    }
}

/// Often, because the driver saves readings where it can, and must never save one too many.
fn stray_print() {
    let (_farm, queue) = farm(1);
    for round in 0..2_000 {
        let text = match round % 4 {
            0 => String::new(),
            1 => format!("{round}"),
            2 => format!("{round}\n"),
            _ => "long ".repeat(1_000),
        };
        let settled = queue
            .submit(Behave::Print(text.clone()))
            .wait()
            .expect("admitted");
        assert_eq!(String::from_utf8_lossy(&settled.output.stdout), text);
        assert!(!settled.output.shared);
    }
}

fn lost(task: Behave) -> Death {
    let (_farm, queue) = farm(1);
    let options = TaskOptions {
        on_lost: OnLost::Fail,
        ..TaskOptions::default()
    };
    match queue
        .submit_options(task, options)
        .wait()
        .expect("admitted")
        .outcome
    {
        Outcome::Panicked(death) | Outcome::WorkerLost(death) => *death,
        other => panic!("{other:?}"),
    }
}

fn panic_in_perform() {
    let death = lost(Behave::Panic);
    assert_eq!(death.panic.as_deref(), Some("asked to"));
    assert!(String::from_utf8_lossy(&death.last_words).contains("asked to"));
}

fn abort() {
    let (_farm, queue) = farm(1);
    let options = TaskOptions {
        crash_limit: CrashLimit::Deaths(1),
        ..TaskOptions::default()
    };
    let killer = queue.submit_options(Behave::Abort, options);
    let others: Vec<_> = (0..100).map(|n| queue.submit(Behave::Echo(n))).collect();
    for other in others {
        let settled = other.wait().expect("admitted");
        assert!(settled.outcome.is_done(), "{:?}", settled.outcome);
        assert_eq!(settled.attempts.len(), 1, "charged for another's crime");
    }
    let settled = killer.wait().expect("admitted");
    let Outcome::Poisoned(deaths) = settled.outcome else {
        panic!("{:?}", settled.outcome)
    };
    assert_eq!(deaths.len(), 2);
    assert!(
        deaths
            .iter()
            .all(|death| death.termination.signal() == Some(6)),
        "{deaths:?}"
    );
}

fn not_encoded() {
    let (_farm, queue) = farm(1);
    let before = pid(&queue);
    let settled = queue.submit(Behave::Unencodable).wait().expect("admitted");
    let Outcome::ResponseNotMarshallable(why) = settled.outcome else {
        panic!("{:?}", settled.outcome)
    };
    assert!(why.contains("cannot be encoded"), "{why}");
    assert_eq!(pid(&queue), before);
}

fn heeded_cancel() {
    let (farm, queue) = farm(1);
    let before = pid(&queue);
    let ticket = queue.submit(Behave::Advance(1, Duration::ZERO));
    // It executes when it has said so: cancelled before, it would say nothing about the worker.
    while ticket.progress().is_none() {
        std::thread::yield_now();
    }
    ticket.cancel("enough");
    let settled = ticket.wait().expect("admitted");
    let Outcome::Cancelled { how, .. } = settled.outcome else {
        panic!("{:?}", settled.outcome)
    };
    assert_eq!(how, HowStopped::Acked);
    assert_eq!(pid(&queue), before);
    drop(farm);
}

fn ignored_cancel() {
    let (_farm, queue) = farm(1);
    let before = pid(&queue);
    let budget = Duration::from_millis(200);
    let options = TaskOptions {
        running: Some(Duration::from_millis(50)),
        grace: Some(budget),
        ..TaskOptions::default()
    };
    let settled = queue
        .submit_options(Behave::IgnoreCancel, options)
        .wait()
        .expect("admitted");
    let Outcome::TimedOut { how, .. } = settled.outcome else {
        panic!("{:?}", settled.outcome)
    };
    assert_eq!(how, HowStopped::Killed);
    assert_ne!(pid(&queue), before);
}

/// Hears of every end.
struct Ends(mpsc::Sender<TaskId>);

impl Observer for Ends {
    fn task_ended(&mut self, _: Instant, settlement: &Settlement) {
        self.0.send(settlement.task).expect("the test listens");
    }
}

/// 1,000 tasks that answer at once, each cancelled at about that moment, with ladders so short that a rung which is
/// climbed after the answer would hit the idle worker. One may be killed only for a task that was cancelled in time and
/// whose answer was not there at its budget.
fn cancel_against_completion() {
    const ROUNDS: u64 = 1_000;
    let (told, ends) = mpsc::channel();
    let mut builder = Farm::builder();
    builder.observer(Box::new(Ends(told)));
    let kind = builder.kind(Noop, Pool::new(Program::this_executable(), 1));
    let farm = builder.start().expect("a farm");
    let queue = farm.queue(kind);
    let mut worker = pid(&queue);
    let (mut done, mut stopped) = (0, 0);
    for round in 0..ROUNDS {
        let grace = Duration::from_millis(round % 8);
        let options = TaskOptions {
            grace: Some(grace),
            ..TaskOptions::default()
        };
        let ticket = queue.submit_options(Behave::Print(String::new()), options);
        for _ in 0..round % 50 * 40 {
            std::hint::spin_loop();
        }
        let since = std::time::Instant::now();
        ticket.cancel("the race");
        let settled = ticket.wait().expect("admitted");
        let elapsed = since.elapsed();
        // The rules count whole milliseconds.
        let late = elapsed + Duration::from_millis(1) >= grace;
        let next = pid(&queue);
        let replaced = next != worker;
        worker = next;
        let (may, must) = match &settled.outcome {
            Outcome::Done(_) => (false, false),
            Outcome::Cancelled { how, .. } => match how {
                // It was sent, and whether the worker had begun it or answered is not known before its exit is.
                HowStopped::BeforeStart | HowStopped::Acked | HowStopped::LateReply => {
                    (late, false)
                }
                HowStopped::Terminated | HowStopped::Killed => (late, true),
                HowStopped::Exited => panic!("round {round}: it does not end by itself"),
            },
            other => panic!("round {round}: {other:?}"),
        };
        let told = format!(
            "round {round}, {grace:?}, {elapsed:?}: {:?}",
            settled.outcome
        );
        assert!(!replaced || may, "{told}: an idle worker was killed");
        assert!(replaced || !must, "{told}: whoever was killed is gone");
        if may || must { stopped += 1 } else { done += 1 }
    }
    drop((farm, queue));
    let ended: Vec<TaskId> = ends.iter().collect();
    let different: BTreeSet<TaskId> = ended.iter().copied().collect();
    assert_eq!(different.len(), ended.len(), "one was told of twice");
    // The task of each round and one that asks who the worker is, and the first question.
    assert_eq!(ended.len() as u64, 2 * ROUNDS + 1);
    assert!(done > 0 && stopped > 0, "no race: {done}, {stopped}");
}
