//! Partial results: what a task says before it ends, as a stream beside its ticket.

use super::Test;
use farm::protocol::{AttemptId, Never, Schema, Wire};
use farm::worker::{Context, Perform};
use farm::{
    Farm, NoPartial, OnLost, Outcome, Partial, Partials, Pool, Program, Receive, Refusal, Sending,
    Settled, Shut, TaskKind, TaskOptions, TaskQueue, Verdict, WorkerStatus,
};
use rustix::event::{PollFd, PollFlags, poll};
use serde::{Deserialize, Serialize};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

pub(crate) const TESTS: &[Test] = &[
    ("partial_results_come_in_order_and_before_the_end", in_order),
    ("partial_results_of_two_attempts_are_told_apart", told_apart),
    ("partial_results_that_nobody_takes_are_missed", missed),
    ("a_stream_of_partial_results_ends_with_its_task", ends),
    (
        "a_waiter_that_panics_on_feedback_hears_the_end",
        waiter_panics,
    ),
];

const LONG: Duration = Duration::from_secs(20);

#[derive(Clone, Copy, Debug, Serialize, Deserialize, Schema)]
pub(crate) enum Tell {
    /// Say 1 to this, then end.
    UpTo(u32),
    /// As before, and die in the middle of the first attempt.
    DieOnce(u32),
    /// Say 1 to this, then wait to be cancelled.
    ThenWait(u32),
}

pub(crate) struct Tales;

impl Wire for Tales {
    const NAME: &'static str = "tales";
    const VERSION: u32 = 1;
    type Request = (Tell, u32);
    type Response = ();
    type Feedback = u32;
    type Context = Never;
}

pub(crate) struct Teller;

impl Perform for Teller {
    type Wire = Tales;

    fn perform(&mut self, (tell, attempt): (Tell, u32), context: &Context<'_, Tales>) {
        let say = |what| context.feedback(&what).expect("a number");
        match tell {
            Tell::UpTo(last) => (1..=last).for_each(say),
            Tell::DieOnce(last) => {
                (1..=last / 2).for_each(say);
                if attempt == 1 {
                    std::process::abort();
                }
                (last / 2 + 1..=last).for_each(say);
            }
            Tell::ThenWait(last) => {
                (1..=last).for_each(say);
                while !context.cancelled() {
                    let fd = context.cancel_fd();
                    // A signal may interrupt it, for the sake of the flag.
                    let _woken = poll(&mut [PollFd::new(&fd, PollFlags::IN)], None);
                }
            }
        }
    }
}

struct Tale;

impl TaskKind for Tale {
    type Wire = Tales;
    type Task = Tell;
    type Competence = ();
    type Output = ();
    type Failure = ();

    fn request_of_task(&mut self, _: &WorkerStatus<()>, _: &Tell) -> Option<(Tell, u32)> {
        unreachable!("request_of_attempt is there")
    }

    fn request_of_attempt(
        &mut self,
        sending: Sending,
        _: &WorkerStatus<()>,
        task: &Tell,
    ) -> Option<(Tell, u32)> {
        Some((*task, sending.id.attempt.0))
    }

    fn use_response(&mut self, _: &WorkerStatus<()>, _: &Tell, (): ()) -> Verdict<Self> {
        Verdict::done((), ())
    }
}

fn farm() -> (Farm, TaskQueue<Tale>) {
    let mut builder = Farm::builder();
    let kind = builder.kind(Tale, Pool::new(Program::this_executable(), 1));
    let farm = builder.start().expect("a farm");
    let queue = farm.queue(kind);
    (farm, queue)
}

fn numbers(said: impl Iterator<Item = Partial<Tale>>) -> Vec<(u32, u32)> {
    said.map(|partial| (partial.attempt.0, partial.feedback))
        .collect()
}

fn in_order() {
    let (_farm, queue) = farm();
    let (ticket, mut partials) = queue.submit_watched(Tell::ThenWait(500), None);
    for n in 1..=500 {
        let partial = partials.recv_timeout(LONG).expect("it says more");
        assert_eq!((partial.attempt.0, partial.feedback), (1, n));
    }
    // It has said everything and goes on: only now is it cancelled.
    assert_eq!(partials.try_recv().err(), Some(NoPartial::NotYet));
    let nothing = partials.recv_timeout(Duration::from_millis(1));
    assert_eq!(nothing.err(), Some(NoPartial::NotYet));
    ticket.cancel("enough");
    assert!(partials.recv().is_none(), "nothing more");
    let settled = ticket.wait().expect("admitted");
    assert!(matches!(settled.outcome, Outcome::Cancelled { .. }));
    assert_eq!(partials.missed(), 0);
}

fn told_apart() {
    let (_farm, queue) = farm();
    let options = TaskOptions {
        on_lost: OnLost::Retry,
        ..TaskOptions::default()
    };
    let (ticket, partials) = queue.submit_watched(Tell::DieOnce(4), Some(options));
    let said = numbers(partials);
    assert_eq!(said, [(1, 1), (1, 2), (2, 1), (2, 2), (2, 3), (2, 4)]);
    let settled = ticket.wait().expect("admitted");
    assert!(settled.outcome.is_done(), "{:?}", settled.outcome);
    assert_eq!(settled.attempts.len(), 2);
}

fn missed() {
    let (_farm, queue) = farm();
    let kept = NonZeroUsize::new(4).expect("four");
    let (ticket, mut partials) = queue.submit_watched_keeping(Tell::UpTo(10), None, kept);
    let settled = ticket.wait().expect("admitted");
    assert!(settled.outcome.is_done(), "{:?}", settled.outcome);
    let last: Vec<_> = (7..=10).map(|n| (1, n)).collect();
    assert_eq!(numbers(partials.by_ref()), last);
    assert_eq!(partials.missed(), 6);
}

fn ends() {
    let (farm, queue) = farm();
    let (ticket, mut partials) = queue.submit_watched(Tell::UpTo(0), None);
    let settled = ticket.wait().expect("admitted");
    assert!(settled.outcome.is_done(), "{:?}", settled.outcome);
    // Its ticket is resolved, so the stream has ended: nobody need wait.
    assert_eq!(partials.try_recv().err(), Some(NoPartial::Ended));
    // Who does not listen holds nothing up.
    let (ticket, partials) = queue.submit_watched(Tell::UpTo(2_000), None);
    drop(partials);
    assert!(ticket.wait().expect("admitted").outcome.is_done());
    let (waits, mut of_waiting) = queue.submit_watched(Tell::ThenWait(1), None);
    assert_eq!(of_waiting.recv().expect("it says so").feedback, 1);
    farm.shut(Shut::Kill);
    farm.wait_stopped();
    assert!(of_waiting.recv().is_none());
    assert!(!waits.wait().expect("admitted").outcome.is_done());
    let (refused, mut of_refused): (_, Partials<Tale>) = queue.submit_watched(Tell::UpTo(1), None);
    assert!(of_refused.recv().is_none());
    assert!(refused.wait().is_err(), "the farm is over");
}

/// Panics at each feedback, and says how the task ended.
struct Nervous(Sender<bool>);

impl Receive<Tale> for Nervous {
    fn settled(&self, settled: Settled<Tale>) {
        self.0
            .send(settled.outcome.is_done())
            .expect("the test waits");
    }

    fn refused(&self, _: Tell, refusal: Refusal) {
        panic!("refused: {refusal}");
    }

    fn feedback(&self, id: AttemptId, said: u32) {
        panic!("{id} said {said}, on purpose");
    }
}

fn waiter_panics() {
    let (_farm, queue) = farm();
    let (ends, ended) = channel();
    for _ in 0..2 {
        let nervous = Arc::new(Nervous(ends.clone()));
        queue.submit_with(Tell::UpTo(3), None, nervous);
        assert_eq!(ended.recv_timeout(LONG), Ok(true));
    }
}
