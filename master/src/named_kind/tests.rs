//! Errands through the registry: whom they are for, what is sent, and what each answer makes of worker and task.

use super::*;
use crate::{
    AttemptEnd, Held, Judged, Kinds, NextOfWorker, Outcome, Payload, Receive, Refusal, Registry,
    RequestAnswer, ResponseAnswer, Settled, Settlement, Whom,
};
use farm_protocol::{
    Attempt, AttemptId, ContextUpdate, Instant, KindId, Never, TaskId, decode, encode,
    split_request,
};
use std::sync::Mutex;

const SLOT: SlotId = SlotId(4);
const WORKER: (SlotId, Session) = (SLOT, Session(9));

struct Echo;

impl Named for Echo {
    const NAME: &'static str = "echo";
    const VERSION: u32 = 1;
    type Params = u8;
    type Welcome = String;
    type LaunchError = String;
    type Request = Vec<u8>;
    type Response = Vec<u8>;
    type RequestError = u8;
}

type To = ToNamed<u8, Vec<u8>>;
type From = FromNamed<String, String, Vec<u8>, u8>;

#[derive(Default)]
struct Ends(Mutex<Vec<Settled<NamedKind<Echo>>>>);

impl Receive<NamedKind<Echo>> for Ends {
    fn settled(&self, settled: Settled<NamedKind<Echo>>) {
        self.0.lock().expect("whole").push(settled);
    }

    fn refused(&self, errand: Errand<Echo>, refusal: Refusal) {
        panic!("{errand:?} is refused: {refusal}");
    }
}

struct Scene {
    registry: Registry,
    kind: KindId,
    ends: Arc<Ends>,
}

fn launch() -> Errand<Echo> {
    let name = "Narcissus".into();
    Errand::Launch { name, params: 3 }
}

fn request() -> Errand<Echo> {
    Errand::Request {
        worker: WORKER,
        request: Arc::new(vec![1, 2]),
    }
}

fn id(task: TaskId) -> AttemptId {
    let attempt = Attempt(1);
    AttemptId { task, attempt }
}

impl Scene {
    fn new() -> Self {
        let mut registry = Registry::new();
        let kind = registry.register(NamedKind::<Echo>::new());
        let ends = Arc::default();
        Self {
            registry,
            kind,
            ends,
        }
    }

    fn insert(&mut self, errand: Errand<Echo>) -> TaskId {
        let waiter: Arc<dyn Receive<NamedKind<Echo>>> = self.ends.clone();
        let held = Held::<NamedKind<Echo>>::new(errand, Some(waiter));
        self.registry.insert(self.kind, Box::new(held))
    }

    fn answer(&mut self, task: TaskId, answer: &From) -> ResponseAnswer {
        let bytes = encode(answer, 100).expect("short");
        self.registry
            .response(id(task), SLOT, Payload::Bytes(&bytes))
    }

    /// What becomes of this errand with this answer: of the task, and of its worker.
    fn comes_to(
        &mut self,
        errand: Errand<Echo>,
        answer: &From,
    ) -> (Outcome<Report<Echo>, Misfit>, NextOfWorker) {
        let task = self.insert(errand);
        let taken = self.answer(task, answer);
        let ResponseAnswer::Taken { judged, next, .. } = taken else {
            panic!("{taken:?}")
        };
        let outcome = match judged {
            Judged::Done => Outcome::Done(()),
            Judged::Failed { fatal, .. } => {
                assert!(fatal, "it must not be tried again");
                Outcome::Failed(())
            }
        };
        let fault = self.registry.settle(Settlement {
            task,
            scope: None,
            outcome,
            attempts: vec![crate::AttemptReport {
                attempt: Attempt(1),
                slot: SLOT,
                session: WORKER.1,
                started: Instant::START,
                finished: Instant::START,
                end: AttemptEnd::Done,
            }],
            submitted: Instant::START,
            started: Some(Instant::START),
            finished: Instant::START,
        });
        assert_eq!(fault, None);
        let settled = self.ends.0.lock().expect("whole").pop().expect("told");
        (settled.outcome, next)
    }
}

#[test]
fn a_launch_is_for_fresh_workers_and_the_rest_for_one_process() {
    let mut scene = Scene::new();
    let worker = Affinity::Worker {
        slot: SLOT,
        session: WORKER.1,
    };
    let errands = [launch, request].map(|errand| scene.insert(errand()));
    let affinities = errands.map(|errand| scene.registry.affinity(errand));
    assert_eq!(affinities, [Ok(Affinity::Any), Ok(worker)]);
    let there = Whom::Worker(SLOT);
    let mut match_with = |whom| errands.map(|errand| scene.registry.matches(errand, whom));
    assert_eq!(match_with(Whom::Fresh), [Ok(true), Ok(false)]);
    assert_eq!(match_with(there), [Ok(true), Ok(false)]);
    let launched = From::Launched(Ok("who?".into()));
    scene.comes_to(launch(), &launched);
    let mut match_with = |whom| errands.map(|errand| scene.registry.matches(errand, whom));
    assert_eq!(match_with(there), [Ok(false), Ok(true)]);
}

#[test]
fn each_errand_is_its_message_and_may_be_sent_again() {
    let mut scene = Scene::new();
    let name = "Narcissus".to_owned();
    let messages = [
        (launch(), To::Launch { name, params: 3 }),
        (request(), To::Request(vec![1, 2])),
    ];
    for (errand, message) in messages {
        let task = scene.insert(errand);
        for _ in 0..2 {
            let mut out = Vec::new();
            let built = scene.registry.request(id(task), SLOT, &mut out, 100);
            assert_eq!(built, RequestAnswer::Ready);
            let (update, rest) = split_request::<Never>(&out).expect("its own bytes");
            assert_eq!(update, None::<ContextUpdate<Never>>);
            assert_eq!(decode::<To>(rest), Ok(message.clone()));
        }
    }
}

#[test]
fn answers_become_reports_and_a_refusal_ends_the_worker() {
    let mut scene = Scene::new();
    let (end, next) = scene.comes_to(launch(), &From::Launched(Ok("hello".into())));
    assert_eq!(next, NextOfWorker::Stay);
    assert!(matches!(end, Outcome::Done(Report::Launched(word)) if word == "hello"));
    let (end, next) = scene.comes_to(launch(), &From::Launched(Err("no".into())));
    assert_eq!(next, NextOfWorker::End);
    assert!(matches!(end, Outcome::Done(Report::Refused(word)) if word == "no"));
    for answer in [Ok(vec![7]), Err(9)] {
        let (end, next) = scene.comes_to(request(), &From::Answered(answer.clone()));
        assert_eq!(next, NextOfWorker::Stay);
        assert!(matches!(end, Outcome::Done(Report::Answered(told)) if told == answer));
    }
}

#[test]
fn an_answer_that_fits_no_errand_ends_worker_and_task_and_says_whose_fault_it_is() {
    let answers: [fn() -> From; 2] = [
        || From::Launched(Ok("hello".into())),
        || From::Answered(Ok(vec![])),
    ];
    let errands: [fn() -> Errand<Echo>; 2] = [launch, request];
    let words = ["launch", "request"];
    for (at, errand) in errands.iter().enumerate() {
        for (to, answer) in answers.iter().enumerate().filter(|(to, _)| *to != at) {
            let (end, next) = Scene::new().comes_to(errand(), &answer());
            assert_eq!(next, NextOfWorker::End);
            let Outcome::Failed(misfit) = end else {
                panic!("{end:?}")
            };
            assert_eq!((misfit.asked, misfit.answered), (words[at], words[to]));
            let said = misfit.to_string();
            assert!(
                said.starts_with("a worker of kind `echo` answered"),
                "{said}"
            );
        }
    }
}

#[test]
fn an_errand_is_shown_in_short() {
    assert_eq!(format!("{:?}", launch()), "launch `Narcissus`");
    assert_eq!(format!("{:?}", request()), "request to w4 s9: [1, 2]");
}
