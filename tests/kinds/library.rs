//! A kind with a competence: workers read books, remember which, and only who has read a book may
//! be asked about it.

use super::Test;
use farm::protocol::{Never, Schema, Wire};
use farm::worker::{Context, Perform};
use farm::{Farm, Outcome, Pool, Program, TaskKind, TaskQueue, Verdict, WorkerStatus};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::mpsc::{Sender, channel};

pub(crate) const TESTS: &[Test] = &[
    ("questions_go_to_who_has_read_the_book", questions),
    ("a_follow_up_task_finds_its_worker", follow_up),
    ("a_question_nobody_can_answer_waits_for_a_reader", waits),
];

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Schema)]
pub(crate) enum Ask {
    Read(String),
    ReadAndDiscuss(String),
    About(String),
}

#[derive(Debug, Serialize, Deserialize, Schema)]
pub(crate) struct Told {
    pid: u32,
    knows: bool,
}

pub(crate) struct Library;

impl Wire for Library {
    const NAME: &'static str = "library";
    const VERSION: u32 = 3;
    type Request = Ask;
    type Response = Told;
    type Feedback = Never;
    type Context = Never;
}

pub(crate) struct Reader;

thread_local! {
    /// What this worker process has read.
    static READ: std::cell::RefCell<BTreeSet<String>> = const { std::cell::RefCell::new(BTreeSet::new()) };
}

impl Perform for Reader {
    type Wire = Library;

    fn perform(&mut self, request: Ask, _: &Context<'_, Library>) -> Told {
        let knows = READ.with_borrow_mut(|read| match request {
            Ask::Read(book) | Ask::ReadAndDiscuss(book) => read.insert(book),
            Ask::About(book) => read.contains(&book),
        });
        Told {
            pid: std::process::id(),
            knows,
        }
    }
}

/// The master's half; it tells the test what follow-up tasks gave.
struct Books {
    follow_ups: Sender<bool>,
}

impl TaskKind for Books {
    type Wire = Library;
    type Task = Ask;
    type Competence = BTreeSet<String>;
    type Output = Told;
    type Failure = ();

    fn task_match(&self, status: &WorkerStatus<BTreeSet<String>>, task: &Ask) -> bool {
        match (task, status) {
            (Ask::Read(_) | Ask::ReadAndDiscuss(_), _) => true,
            (Ask::About(_), WorkerStatus::Fresh) => false,
            (Ask::About(book), WorkerStatus::Old(read)) => read.contains(book),
        }
    }

    fn request_of_task(&mut self, _: &WorkerStatus<BTreeSet<String>>, task: &Ask) -> Option<Ask> {
        Some(task.clone())
    }

    fn use_response(
        &mut self,
        status: &WorkerStatus<BTreeSet<String>>,
        task: &Ask,
        told: Told,
    ) -> Verdict<Self> {
        let mut read = match status {
            WorkerStatus::Fresh => BTreeSet::new(),
            WorkerStatus::Old(read) => read.clone(),
        };
        let mut inject = Vec::new();
        match task {
            Ask::Read(book) => {
                read.insert(book.clone());
            }
            Ask::ReadAndDiscuss(book) => {
                read.insert(book.clone());
                inject.push(Ask::About(book.clone()));
            }
            Ask::About(_) => {
                let _nobody_listens = self.follow_ups.send(told.knows);
            }
        }
        Verdict::done(told, read).inject(inject)
    }
}

fn told(queue: &TaskQueue<Books>, task: Ask) -> Told {
    match queue.submit(task).wait().expect("admitted").outcome {
        Outcome::Done(told) => told,
        other => panic!("{other:?}"),
    }
}

fn with_books(test: impl FnOnce(&Farm, &TaskQueue<Books>, std::sync::mpsc::Receiver<bool>)) {
    let (follow_ups, heard) = channel();
    let mut builder = Farm::builder();
    let kind = builder.kind(
        Books { follow_ups },
        Pool::new(Program::this_executable(), 2),
    );
    let farm = builder.start().expect("a farm");
    test(&farm, &farm.queue(kind), heard);
}

fn questions() {
    with_books(|_, queue, _| {
        let reader = told(queue, Ask::Read("Emma".into())).pid;
        let answers: Vec<_> = (0..20)
            .map(|_| queue.submit(Ask::About("Emma".into())))
            .collect();
        for answer in answers {
            let Outcome::Done(told) = answer.wait().expect("admitted").outcome else {
                panic!()
            };
            assert!(told.knows);
            assert_eq!(told.pid, reader);
        }
    });
}

fn follow_up() {
    with_books(|_, queue, heard| {
        told(queue, Ask::ReadAndDiscuss("Persuasion".into()));
        assert!(heard.recv().expect("the follow-up ran"));
    });
}

fn waits() {
    with_books(|_, queue, _| {
        let question = queue.submit(Ask::About("Emma".into()));
        let Err(question) = question.wait_timeout(std::time::Duration::from_millis(50)) else {
            panic!("nobody could answer")
        };
        told(queue, Ask::Read("Emma".into()));
        let Outcome::Done(told) = question.wait().expect("admitted").outcome else {
            panic!()
        };
        assert!(told.knows);
    });
}
