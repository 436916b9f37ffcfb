//! Panics of a kind are findings, wherever they are, unless they are fine; and what cannot be decoded is one.

use super::{Question, Squares, twenty};
use farm_master::{Outcome, TaskKind, TaskOptions, Verdict, WorkerStatus};
use farm_protocol::{Never, Schema, Wire};
use farm_sim::{SimFailure, names, sim};
use farm_worker::{Context, Perform};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What crosses the pipe of the kinds below. An absent value is not written at all, which a decoder cannot see.
#[derive(Clone, Debug, Serialize, Deserialize, Schema)]
struct Lossy {
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<u64>,
}

struct Lossies;

impl Wire for Lossies {
    const NAME: &'static str = "lossies";
    const VERSION: u32 = 1;
    type Request = Lossy;
    type Response = Lossy;
    type Feedback = u64;
    type Context = Never;
}

/// Where it goes wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Where {
    Match,
    Request,
    Use,
    Late,
    Feedback,
    Lost,
    Perform,
    RequestLost,
    ResponseLost,
}

#[derive(Clone)]
struct Breaks(Where);

impl TaskKind for Breaks {
    type Wire = Lossies;
    type Task = u64;
    type Competence = ();
    type Output = u64;
    type Failure = ();
    fn task_match(&self, _: &WorkerStatus<()>, _: &u64) -> bool {
        assert_ne!(self.0, Where::Match);
        true
    }
    fn request_of_task(&mut self, _: &WorkerStatus<()>, task: &u64) -> Option<Lossy> {
        assert_ne!(self.0, Where::Request);
        let value = (self.0 != Where::RequestLost).then_some(*task);
        Some(Lossy { value })
    }
    fn use_response(&mut self, _: &WorkerStatus<()>, task: &u64, _: Lossy) -> Verdict<Self> {
        assert_ne!(self.0, Where::Use);
        Verdict::done(*task, ())
    }
    fn on_late_response(&mut self, _: &u64, _: Lossy) {
        assert_ne!(self.0, Where::Late);
    }
    fn on_feedback(&mut self, _: &u64, _: &u64) {
        assert_ne!(self.0, Where::Feedback);
    }
    fn on_lost(&mut self, _: &u64, _: &Outcome) {
        assert_ne!(self.0, Where::Lost);
    }
}

impl Perform for Breaks {
    type Wire = Lossies;
    fn perform(&mut self, request: Lossy, context: &Context<'_, Lossies>) -> Lossy {
        assert_ne!(self.0, Where::Perform);
        let number = request.value.expect("it is written");
        context.feedback(&number).expect("it is short");
        let value = (self.0 != Where::ResponseLost).then_some(number);
        Lossy { value }
    }
}

fn broken(at: Where) -> SimFailure {
    let options = TaskOptions {
        running: Some(Duration::from_millis(20)),
        ..TaskOptions::default()
    };
    let run = sim(Breaks(at)).tasks(twenty()).options(options);
    run.run().expect_err("it is found")
}

#[test]
fn a_panic_is_found_wherever_it_is() {
    for (at, violation, said) in [
        (Where::Match, names::KIND, "`task_match` of task"),
        (Where::Request, names::KIND, "`request_of_task` of task"),
        (Where::Use, names::KIND, "`use_response` of task"),
        (Where::Late, names::KIND, "`on_late_response` of task"),
        (Where::Feedback, names::KIND, "feedback of task"),
        (Where::Lost, names::KIND, "`on_lost` of task"),
        (Where::Perform, names::PERFORM, "of task"),
        (Where::RequestLost, names::WIRE, "the request of task"),
        (Where::ResponseLost, names::WIRE, "the response of task"),
    ] {
        let failure = broken(at);
        let found = (failure.violation(), failure.detail().contains(said));
        assert_eq!(found, (violation, true), "{at:?}: {failure}");
        let place = failure.detail().contains("panics.rs:");
        assert_eq!(place, violation != names::WIRE, "{at:?}: {failure}");
        assert!(failure.is_deterministic(), "{failure}");
    }
}

/// Panics now and then, and may.
#[derive(Clone)]
struct Panics;

impl TaskKind for Panics {
    type Wire = Squares;
    type Task = u64;
    type Competence = ();
    type Output = u64;
    type Failure = ();
    fn task_match(&self, _: &WorkerStatus<()>, task: &u64) -> bool {
        assert!(*task != 3, "no match");
        true
    }
    fn request_of_task(&mut self, _: &WorkerStatus<()>, task: &u64) -> Option<Question> {
        assert!(*task != 4, "no request");
        Some(Question {
            number: *task,
            believed: 0,
        })
    }
    fn use_response(&mut self, _: &WorkerStatus<()>, task: &u64, square: u64) -> Verdict<Self> {
        assert!(*task != 5, "no use");
        Verdict::done(square, ())
    }
    fn on_lost(&mut self, task: &u64, _: &Outcome) {
        assert!(*task != 6, "no end");
    }
}

impl Perform for Panics {
    type Wire = Squares;
    fn perform(&mut self, question: Question, _: &Context<'_, Squares>) -> u64 {
        assert!(question.number != 7, "no answer");
        question.number
    }
}

#[test]
fn panics_may_be_fine() {
    let run = || sim(Panics).tasks((0..10).collect()).schedules(100);
    run().run().expect_err("by default they are not");
    run()
        .panics_are_fine()
        .verify(|end| {
            for settled in end.settled {
                if settled.task == 4 {
                    let fault = matches!(settled.outcome, Outcome::KindFault(_));
                    let cancelled = matches!(
                        settled.outcome,
                        Outcome::Cancelled { .. } | Outcome::Closed | Outcome::SpawnFailed(_)
                    );
                    assert!(fault || cancelled, "{:?}", settled.outcome);
                }
                assert!(settled.task != 7 || !settled.outcome.is_done());
            }
        })
        .check();
}
