//! Kinds without a wrong assumption: nothing is found, whatever they do.

use super::{Question, Squares, twenty};
use farm_master::{Outcome, Retries, RetryOn, TaskKind, TaskOptions, Verdict, WorkerStatus};
use farm_protocol::{Never, Schema, Wire};
use farm_sim::{Faults, SimSettings, sim, sim_pair, sim_pair_with, sim_with};
use farm_worker::{Context, Perform};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;

/// The simplest.
#[derive(Clone)]
struct Square;

impl TaskKind for Square {
    type Wire = Squares;
    type Task = u64;
    type Competence = ();
    type Output = u64;
    type Failure = ();
    const INDEPENDENT: bool = true;
    fn request_of_task(&mut self, _: &WorkerStatus<()>, task: &u64) -> Option<Question> {
        Some(Question {
            number: *task,
            believed: 0,
        })
    }
    fn use_response(&mut self, _: &WorkerStatus<()>, task: &u64, square: u64) -> Verdict<Self> {
        assert_eq!(square, task * task);
        Verdict::done(square, ())
    }
}

impl Perform for Square {
    type Wire = Squares;
    fn perform(&mut self, question: Question, _: &Context<'_, Squares>) -> u64 {
        question.number * question.number
    }
}

#[test]
fn a_simple_kind_passes() {
    sim(Square).tasks(twenty()).check();
    sim_with(|| Square).tasks(twenty()).seed(2).check();
    sim_pair_with(|| Square, || Square)
        .tasks_with(|draw| (0..u64::from(draw.below(30))).collect())
        .faults(Faults::Swarm)
        .check();
}

#[test]
fn without_faults_everything_is_done() {
    let summary = sim(Square)
        .tasks(twenty())
        .faults(Faults::None)
        .verify(|end| {
            assert_eq!(end.settled.len(), 20);
            assert!(end.settled.iter().all(|settled| settled.outcome.is_done()));
        })
        .run()
        .expect("nothing is wrong with it");
    assert!(summary.deterministic, "{summary}");
    assert_eq!((summary.schedules, summary.faults), (500, 0));
}

#[test]
fn time_limits_and_retries_are_fine() {
    let options = TaskOptions {
        running: Some(Duration::from_millis(300)),
        retries: Retries {
            on: RetryOn::ALL,
            jitter: true,
            delay: Duration::from_millis(20),
            ..Retries::immediate(2)
        },
        ..TaskOptions::default()
    };
    sim(Square).tasks(twenty()).options(options).check();
}

/// Takes fresh workers only: whoever is not is replaced when nobody else is there.
#[derive(Clone)]
struct Picky;

impl TaskKind for Picky {
    type Wire = Squares;
    type Task = u64;
    type Competence = ();
    type Output = u64;
    type Failure = ();
    fn task_match(&self, status: &WorkerStatus<()>, _: &u64) -> bool {
        *status == WorkerStatus::Fresh
    }
    fn request_of_task(&mut self, _: &WorkerStatus<()>, task: &u64) -> Option<Question> {
        Some(Question {
            number: *task,
            believed: 0,
        })
    }
    fn use_response(&mut self, _: &WorkerStatus<()>, _: &u64, square: u64) -> Verdict<Self> {
        Verdict::done(square, ())
    }
}

#[test]
fn a_picky_kind_passes() {
    sim_pair(Picky, Square).tasks(twenty()).check();
}

/// Uses everything that a kind may use: competence, follow-ups, feedback, cancellation, failures, ended workers.
#[derive(Clone, Default)]
struct Everything {
    open: BTreeSet<u64>,
    late: usize,
    feedback: usize,
}

/// Its words.
#[derive(Clone, Copy)]
struct Words;

#[derive(Serialize, Deserialize, Schema)]
enum Answer {
    Stopped,
    Worked { done_before: u32, padding: Vec<u8> },
}

impl Wire for Words {
    const NAME: &'static str = "every.thing";
    const VERSION: u32 = 3;
    type Request = (u64, u32);
    type Response = Answer;
    type Feedback = String;
    type Context = Never;
}

impl TaskKind for Everything {
    type Wire = Words;
    type Task = u64;
    type Competence = u32;
    type Output = u32;
    type Failure = String;
    fn request_of_task(&mut self, status: &WorkerStatus<u32>, task: &u64) -> Option<(u64, u32)> {
        if *task == 13 {
            return None;
        }
        self.open.insert(*task);
        let known = match status {
            WorkerStatus::Fresh => 0,
            WorkerStatus::Old(known) => *known,
        };
        Some((*task, known))
    }
    fn use_response(
        &mut self,
        status: &WorkerStatus<u32>,
        task: &u64,
        answer: Answer,
    ) -> Verdict<Self> {
        self.open.remove(task);
        let Answer::Worked { done_before, .. } = answer else {
            panic!("only a cancelled attempt says that it stopped");
        };
        let known = match status {
            WorkerStatus::Fresh => 0,
            WorkerStatus::Old(known) => *known,
        };
        // What it has done since may have come to nothing; never the other way round.
        assert!(done_before >= known);
        let verdict = match task % 5 {
            0 => Verdict::failed("no".to_owned(), done_before + 1),
            1 => Verdict::failed("never".to_owned(), done_before + 1).fatal(),
            _ => Verdict::done(done_before, done_before + 1),
        };
        match task % 7 {
            0 if *task < 100 => verdict.inject(vec![task + 100, task + 200]),
            1 => verdict.end_worker(),
            _ => verdict,
        }
    }
    fn on_late_response(&mut self, _: &u64, _: Answer) {
        self.late += 1;
    }
    fn on_feedback(&mut self, task: &u64, feedback: &String) {
        assert_eq!(*feedback, format!("at {task}"));
        self.feedback += 1;
    }
    fn on_lost(&mut self, task: &u64, _: &Outcome) {
        self.open.remove(task);
    }
}

/// Its worker's half.
#[derive(Default)]
struct Hand {
    done: u32,
}

impl Perform for Hand {
    type Wire = Words;
    fn perform(&mut self, (task, known): (u64, u32), context: &Context<'_, Words>) -> Answer {
        assert!(self.done >= known, "the master knows more than there is");
        if context.cancelled() {
            return Answer::Stopped;
        }
        context
            .feedback(&format!("at {task}"))
            .expect("it is short");
        if task == 11 {
            context.mark_left_behind();
        }
        self.done += 1;
        Answer::Worked {
            done_before: self.done - 1,
            padding: vec![7; if task == 3 { 5_000 } else { 0 }],
        }
    }
}

#[test]
fn a_kind_that_uses_everything_passes() {
    let options = TaskOptions {
        retries: Retries::immediate(1),
        ..TaskOptions::default()
    };
    let run = sim_pair_with(Everything::default, Hand::default)
        .tasks(twenty())
        .options(options)
        .with(SimSettings {
            injection_limit: 2,
            ..SimSettings::default()
        })
        .verify(|end| {
            assert!(end.kind.open.is_empty(), "{:?}", end.kind.open);
            assert_eq!(end.settled.len() + end.refused.len(), 20);
        });
    let summary = run.run().unwrap_or_else(|failure| panic!("{failure}"));
    assert!(summary.deterministic && summary.faults > 500, "{summary}");
}

#[test]
fn what_only_happens_with_faults_happens() {
    let seen = std::rc::Rc::new(std::cell::RefCell::new(BTreeSet::new()));
    let sink = std::rc::Rc::clone(&seen);
    sim_pair_with(Everything::default, Hand::default)
        .tasks(twenty())
        .verify(move |end| {
            let mut seen = sink.borrow_mut();
            seen.extend(end.settled.iter().map(|it| it.outcome.status()));
            seen.extend(end.injected.iter().map(|_| "injected"));
            seen.extend((end.kind.late > 0).then_some("late"));
            seen.extend((end.kind.feedback > 0).then_some("feedback"));
        })
        .check();
    let seen = seen.borrow();
    for wanted in [
        "ok",
        "failed",
        "skipped",
        "cancelled",
        "crashed",
        "not_run",
        "injected",
        "late",
        "feedback",
    ] {
        assert!(seen.contains(wanted), "{wanted} is not in {seen:?}");
    }
}
