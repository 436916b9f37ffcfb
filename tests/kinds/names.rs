//! Names that task code may use for what it creates: no worker shares its own with another, whatever happens.

use super::Test;
use farm::protocol::{Never, WORKER_NAME_MAX, Wire};
use farm::worker::{Context, Perform};
use farm::{Farm, Outcome, Pool, Program, TaskKind, TaskQueue, Verdict, WorkerStatus};
use std::collections::BTreeSet;

pub(crate) const TESTS: &[Test] = &[(
    "no_two_workers_have_one_name_nor_what_they_name",
    names_differ,
)];

/// The worker's name, and two that it made.
type Names = (String, String, String);

pub(crate) struct Naming;

impl Wire for Naming {
    const NAME: &'static str = "naming";
    const VERSION: u32 = 1;
    type Request = ();
    type Response = Names;
    type Feedback = Never;
    type Context = Never;
}

pub(crate) struct Namer;

impl Perform for Namer {
    type Wire = Naming;

    fn perform(&mut self, (): (), context: &Context<'_, Naming>) -> Names {
        let own = context.worker().to_owned();
        (own, context.fresh_name(), context.fresh_name())
    }
}

/// The worker ends after the task when the task says so.
struct Name;

impl TaskKind for Name {
    type Wire = Naming;
    type Task = bool;
    type Competence = ();
    type Output = Names;
    type Failure = ();

    fn request_of_task(&mut self, _: &WorkerStatus<()>, _: &bool) -> Option<()> {
        Some(())
    }

    fn use_response(&mut self, _: &WorkerStatus<()>, last: &bool, names: Names) -> Verdict<Self> {
        let verdict = Verdict::done(names, ());
        if *last { verdict.end_worker() } else { verdict }
    }
}

fn names(queue: &TaskQueue<Name>, last: bool) -> Names {
    match queue.submit(last).wait().expect("admitted").outcome {
        Outcome::Done(names) => names,
        other => panic!("{other:?}"),
    }
}

fn names_differ() {
    let (mut workers, mut made) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..2 {
        let mut builder = Farm::builder();
        let pool = || Pool::new(Program::this_executable(), 1);
        // Two pools of the same program: their sessions are numbered over the whole farm.
        let kinds = [builder.kind(Name, pool()), builder.kind(Name, pool())];
        let farm = builder.start().expect("a farm");
        for kind in kinds {
            let queue = farm.queue(kind);
            for _ in 0..2 {
                let (first, again) = (names(&queue, false), names(&queue, true));
                assert_eq!(first.0, again.0, "the same process");
                assert!(workers.insert(first.0.clone()), "{} comes again", first.0);
                for (own, one, two) in [first, again] {
                    assert!(own.len() <= WORKER_NAME_MAX, "{own}");
                    for name in [one, two] {
                        assert!(name.starts_with(&format!("{own}_")), "{name}");
                        assert!(made.insert(name.clone()), "{name} comes again");
                    }
                }
            }
        }
    }
    assert_eq!((workers.len(), made.len()), (8, 32));
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    assert!(made.iter().all(|name| name.chars().all(fits)), "{made:?}");
    assert!(made.iter().all(|name| name.starts_with('f')), "{made:?}");
}
