//! What models of this crate share: a farm without workers, and those who wait for its tasks.
//!
//! A model runs the production loop, handles and tickets; only the poll never reports anything but
//! wake-ups. A pool without slots starts no process: its tasks end by a wish of somebody, or with the
//! farm. How they end is the machine's business; that everybody hears of it is what is looked at.

use crate::builder::KindRef;
use crate::sync::{Mutex, lock};
use crate::{Farm, Pool, Program, Refused, Resolved, TaskQueue};
use farm_master::lane::{AdapterMode, Boundary};
use farm_master::{Outcome, Receive, Refusal, Response, Settled, TaskKind, Verdict, WorkerStatus};
use farm_protocol::{Never, Wire};

/// What would cross the pipe.
pub(crate) struct Numbers;

impl Wire for Numbers {
    const NAME: &'static str = "numbers";
    const VERSION: u32 = 1;
    type Request = u32;
    type Response = u32;
    type Feedback = u32;
    type Context = Never;
}

/// The kind: a task is a number, so that each is told from the others.
#[derive(Debug)]
pub(crate) struct Numbered;

impl TaskKind for Numbered {
    type Wire = Numbers;
    type Task = u32;
    type Competence = ();
    type Output = u32;
    type Failure = ();

    fn request_of_task(&mut self, _: &WorkerStatus<()>, task: &u32) -> Option<u32> {
        Some(*task)
    }

    fn use_response(
        &mut self,
        _: &WorkerStatus<()>,
        _: &u32,
        response: Response<Self>,
    ) -> Verdict<Self> {
        Verdict::done(response, ())
    }
}

/// A farm whose tasks nobody performs.
pub(crate) fn farm() -> (Farm, KindRef<Numbered>, TaskQueue<Numbered>) {
    let mut builder = Farm::builder();
    let kind = builder.kind(Numbered, Pool::new(Program::path("none"), 0).ceiling(1));
    let farm = builder.start().expect("a farm");
    let queue = farm.queue(kind);
    (farm, kind, queue)
}

/// The same, where so many tasks may wait.
pub(crate) fn narrow(max_queued: usize) -> (Farm, KindRef<Numbered>, TaskQueue<Numbered>) {
    let boundary = Boundary::new(AdapterMode::PushPull, 1, max_queued, 1000).expect("limits");
    let pool = Pool::new(Program::path("none"), 0).ceiling(1);
    let mut builder = Farm::builder();
    let kind = builder.kind(Numbered, pool.boundary(boundary));
    let farm = builder.start().expect("a farm");
    let queue = farm.queue(kind);
    (farm, kind, queue)
}

/// The task, whose end may be any that it can have without a worker.
pub(crate) fn task_of(resolved: Resolved<Numbered>) -> u32 {
    match resolved {
        Ok(settled) => {
            assert!(
                matches!(settled.outcome, Outcome::Closed | Outcome::Cancelled { .. }),
                "nobody performs it"
            );
            settled.task
        }
        Err(Refused { task, refusal: _ }) => task,
    }
}

/// Notes which tasks it was told of, in their order.
#[derive(Default)]
pub(crate) struct Told(Mutex<Vec<u32>>);

impl Told {
    pub(crate) fn sorted(&self) -> Vec<u32> {
        let mut told = lock(&self.0).clone();
        told.sort_unstable();
        told
    }
}

impl Receive<Numbered> for Told {
    fn settled(&self, settled: Settled<Numbered>) {
        lock(&self.0).push(settled.task);
    }

    fn refused(&self, task: u32, _: Refusal) {
        lock(&self.0).push(task);
    }
}
