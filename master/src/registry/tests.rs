//! The adapter with a well-behaved kind, and with one that misbehaves in each callback.

mod contexts;
mod meanwhile;
mod ordered;
mod shown;

use super::*;
use crate::affinity::Whom;
use crate::kind::{Next, Request, Response, Verdict, WorkerStatus};
use crate::kinds::{Judged, NextOfWorker};
use crate::options::Cause;
use crate::outcome::{AttemptEnd, CancelledBy, HowStopped};
use farm_protocol::{Attempt, Session, encode};
use std::sync::Mutex;

/// Numbers are squared; the worker is remembered by how many it squared.
struct Square {
    /// The callback that panics.
    panics: &'static str,
    heard: Arc<Mutex<Vec<String>>>,
}

struct SquareWire;

impl Wire for SquareWire {
    const NAME: &'static str = "square";
    const VERSION: u32 = 3;
    type Request = i64;
    type Response = i64;
    type Feedback = u8;
    type Context = farm_protocol::Never;
}

impl Square {
    fn enter(&self, callback: &str) {
        self.heard.lock().expect("whole").push(callback.into());
        assert!(self.panics != callback, "in {callback}");
    }
}

impl TaskKind for Square {
    type Wire = SquareWire;
    type Task = i64;
    type Competence = u32;
    type Output = i64;
    type Failure = String;

    fn task_match(&self, status: &WorkerStatus<u32>, task: &i64) -> bool {
        assert!(self.panics != "task_match", "in task_match");
        *task < 100 || matches!(status, WorkerStatus::Old(_))
    }

    fn request_of_task(&mut self, _: &WorkerStatus<u32>, task: &i64) -> Option<Request<Self>> {
        self.enter("request");
        (*task != 0).then_some(*task)
    }

    fn use_response(
        &mut self,
        status: &WorkerStatus<u32>,
        task: &i64,
        response: Response<Self>,
    ) -> Verdict<Self> {
        self.enter("response");
        let served = match status {
            WorkerStatus::Fresh => 1,
            WorkerStatus::Old(served) => served + 1,
        };
        match response {
            -1 => Verdict::failed("no".to_string(), served)
                .because(Cause::Crash)
                .fatal(),
            -2 => Verdict {
                result: Ok(-2),
                next: Next::End,
                cause: Cause::Exit,
                fatal: false,
            },
            -3 => Verdict::done(-3, served).inject(vec![task + 1, task + 2]),
            square => Verdict::done(square + i64::from(served) * 1000, served),
        }
    }

    fn on_feedback(&mut self, _: &i64, _: &u8) {
        self.enter("feedback");
    }

    fn on_late_response(&mut self, _: &i64, _: Response<Self>) {
        self.enter("late");
    }

    fn on_lost(&mut self, _: &i64, outcome: &Outcome) {
        self.enter(&format!("lost {}", outcome.status()));
        assert!(self.panics != "lost", "in lost");
    }

    fn on_marshal_error(&mut self, _: &i64, _: &MarshalError) {
        self.enter("marshal");
    }
}

/// The feedback at which the waiter panics.
const UNHEARD: u8 = 13;

/// What waiters were told.
#[derive(Default)]
struct Ends {
    settled: Mutex<Vec<Settled<Square>>>,
    refused: Mutex<Vec<(i64, Refusal)>>,
    said: Mutex<Vec<(AttemptId, u8)>>,
}

impl Receive<Square> for Ends {
    fn settled(&self, settled: Settled<Square>) {
        self.settled.lock().expect("whole").push(settled);
    }

    fn refused(&self, task: i64, refusal: Refusal) {
        self.refused.lock().expect("whole").push((task, refusal));
    }

    fn feedback(&self, id: AttemptId, feedback: u8) {
        assert_ne!(feedback, UNHEARD, "it is not wanted");
        self.said.lock().expect("whole").push((id, feedback));
    }
}

struct Scene {
    registry: Registry,
    kind: KindId,
    ends: Arc<Ends>,
    heard: Arc<Mutex<Vec<String>>>,
}

const SLOT: SlotId = SlotId(2);

impl Scene {
    fn new(panics: &'static str) -> Self {
        let mut registry = Registry::new();
        let heard = Arc::new(Mutex::new(vec![]));
        let square = Square {
            panics,
            heard: heard.clone(),
        };
        let kind = registry.register(square);
        Self {
            registry,
            kind,
            ends: Arc::default(),
            heard,
        }
    }

    fn insert(&mut self, task: i64) -> TaskId {
        let waiter: Arc<dyn Receive<Square>> = self.ends.clone();
        let held = Held::<Square>::new(task, Some(waiter));
        self.registry.insert(self.kind, Box::new(held))
    }

    fn response(&mut self, task: TaskId, response: i64) -> ResponseAnswer {
        let bytes = encode(&response, 100).expect("encodes");
        self.registry
            .response(first(task), SLOT, Payload::Bytes(&bytes))
    }

    #[track_caller]
    fn end(&mut self, task: TaskId, outcome: Outcome) -> (Settled<Square>, Option<KindFault>) {
        let settlement = Settlement {
            task,
            scope: None,
            outcome,
            attempts: vec![AttemptReport {
                attempt: Attempt(1),
                slot: SLOT,
                session: Session(1),
                started: Instant::START,
                finished: Instant::from_millis(5),
                end: AttemptEnd::Done,
            }],
            submitted: Instant::START,
            started: Some(Instant::START),
            finished: Instant::from_millis(5),
        };
        let fault = self.registry.settle(settlement);
        let settled = self.ends.settled.lock().expect("whole").pop();
        (settled.expect("told"), fault)
    }
}

fn first(task: TaskId) -> AttemptId {
    AttemptId {
        task,
        attempt: Attempt(1),
    }
}

const STAYS: ResponseAnswer = ResponseAnswer::Taken {
    judged: Judged::Done,
    next: NextOfWorker::Stay,
    keys: Vec::new(),
    injected: Vec::new(),
};

#[track_caller]
fn assert_fault(fault: &KindFault, callback: &str, message: &str) {
    assert_eq!(
        (fault.callback.as_str(), fault.message.as_str()),
        (callback, message)
    );
}

#[test]
fn a_task_goes_out_and_comes_back_typed() {
    let mut scene = Scene::new("");
    let task = scene.insert(7);
    assert_eq!(scene.registry.matches(task, Whom::Worker(SLOT)), Ok(true));
    let mut out = b"before".to_vec();
    let answer = scene.registry.request(first(task), SLOT, &mut out, 100);
    assert_eq!(answer, RequestAnswer::Ready);
    assert_eq!(
        out,
        [b"before\0".to_vec(), encode(&7_i64, 9).expect("encodes")].concat()
    );
    assert_eq!(scene.response(task, 49), STAYS);
    let (settled, fault) = scene.end(task, Outcome::Done(()));
    assert_eq!(fault, None);
    assert_eq!(
        (settled.id, settled.task, settled.outcome),
        (task, 7, Outcome::Done(1049))
    );
    assert_eq!(settled.attempts.len(), 1);
    assert!(scene.registry.is_empty());
    // Of a task that the kind judged itself it is not told that it was lost.
    assert_eq!(*scene.heard.lock().expect("whole"), ["request", "response"]);
}

#[test]
fn a_competence_is_remembered_until_the_process_changes() {
    let mut scene = Scene::new("");
    let picky = scene.insert(500);
    assert_eq!(scene.registry.matches(picky, Whom::Worker(SLOT)), Ok(false));
    for served in 1..=3 {
        let task = scene.insert(1);
        assert_eq!(scene.response(task, 1), STAYS);
        let (settled, _) = scene.end(task, Outcome::Done(()));
        assert_eq!(settled.outcome, Outcome::Done(1 + served * 1000));
    }
    assert_eq!(scene.registry.matches(picky, Whom::Worker(SLOT)), Ok(true));
    assert_eq!(
        scene.registry.matches(picky, Whom::Worker(SlotId(0))),
        Ok(false)
    );
    scene.registry.fresh(SLOT);
    assert_eq!(scene.registry.matches(picky, Whom::Worker(SLOT)), Ok(false));
}

#[test]
fn judgements_pass_unchanged() {
    let mut scene = Scene::new("");
    let failed = scene.insert(1);
    let answer = ResponseAnswer::Taken {
        keys: Vec::new(),
        judged: Judged::Failed {
            cause: Cause::Crash,
            fatal: true,
        },
        next: NextOfWorker::Stay,
        injected: vec![],
    };
    assert_eq!(scene.response(failed, -1), answer);
    let (settled, _) = scene.end(failed, Outcome::Failed(()));
    assert_eq!(settled.outcome, Outcome::Failed("no".to_string()));
    let last = scene.insert(1);
    assert!(matches!(
        scene.response(last, -2),
        ResponseAnswer::Taken {
            next: NextOfWorker::End,
            ..
        }
    ));
    let skipped = scene.insert(0);
    let answer = scene
        .registry
        .request(first(skipped), SLOT, &mut vec![], 100);
    assert_eq!(answer, RequestAnswer::Skip);
}

#[test]
fn panics_become_faults_of_the_callback_and_leave_nothing_half_written() {
    let mut scene = Scene::new("task_match");
    let task = scene.insert(1);
    let fault = scene
        .registry
        .matches(task, Whom::Worker(SLOT))
        .expect_err("it panics");
    assert_fault(&fault, "task_match", "in task_match");

    let mut scene = Scene::new("request");
    let task = scene.insert(1);
    let mut out = b"before".to_vec();
    let RequestAnswer::Fault(fault) = scene.registry.request(first(task), SLOT, &mut out, 100)
    else {
        panic!("no fault")
    };
    assert_fault(&fault, "request_of_task", "in request");
    assert_eq!(out, b"before");

    let mut scene = Scene::new("response");
    let task = scene.insert(1);
    let ResponseAnswer::Fault(fault) = scene.response(task, 1) else {
        panic!("no fault")
    };
    assert_fault(&fault, "use_response", "in response");
    // Nothing was left to remember of the worker.
    let picky = scene.insert(500);
    assert_eq!(scene.registry.matches(picky, Whom::Worker(SLOT)), Ok(false));
    let (settled, _) = scene.end(task, Outcome::KindFault(fault));
    assert!(matches!(settled.outcome, Outcome::KindFault(_)));

    let mut scene = Scene::new("feedback");
    let task = scene.insert(1);
    let said = scene
        .registry
        .feedback(first(task), &[1])
        .expect_err("it panics");
    assert!(said.contains("on_feedback"), "{said}");
    assert_eq!(*scene.ends.said.lock().expect("whole"), [(first(task), 1)]);

    let mut scene = Scene::new("late");
    let task = scene.insert(1);
    scene
        .registry
        .late(first(task), &encode(&1_i64, 9).expect("encodes"));
    scene.registry.late(first(task), &[0xff; 30]);
    assert_eq!(scene.heard.lock().expect("whole").len(), 1);
}

#[test]
fn a_panic_of_on_lost_changes_no_outcome() {
    let mut scene = Scene::new("lost");
    let task = scene.insert(1);
    let cancelled = Outcome::Cancelled {
        by: CancelledBy::Stopping,
        how: HowStopped::Acked,
    };
    let (settled, fault) = scene.end(task, cancelled);
    assert_fault(&fault.expect("it panics"), "on_lost", "in lost");
    assert_eq!(settled.outcome.status(), "cancelled");
    assert_eq!(*scene.heard.lock().expect("whole"), ["lost cancelled"]);
}

#[test]
fn what_cannot_be_marshalled_is_told_to_the_kind_first() {
    let mut scene = Scene::new("");
    let task = scene.insert(i64::MAX);
    let mut out = vec![];
    let answer = scene.registry.request(first(task), SLOT, &mut out, 2);
    assert_eq!(
        answer,
        RequestAnswer::NotMarshallable(MarshalError::TooLarge {
            size: 11,
            at_least: false,
            limit: 2
        })
    );
    assert!(out.is_empty());
    let answer = scene
        .registry
        .response(first(task), SLOT, Payload::Bytes(&[1, 2, 3]));
    assert_eq!(
        answer,
        ResponseAnswer::Garbled(MarshalError::LeftOver { count: 2, size: 3 })
    );
    assert_eq!(
        *scene.heard.lock().expect("whole"),
        ["request", "marshal", "marshal"]
    );

    let mut scene = Scene::new("marshal");
    let task = scene.insert(1);
    let answer = scene
        .registry
        .response(first(task), SLOT, Payload::Bytes(&[]));
    assert!(matches!(answer, ResponseAnswer::Fault(fault) if fault.callback == "on_marshal_error"));
}

#[test]
fn follow_up_tasks_get_ids_and_have_no_waiter() {
    let mut scene = Scene::new("");
    let task = scene.insert(5);
    let ResponseAnswer::Taken { injected, .. } = scene.response(task, -3) else {
        panic!("not taken")
    };
    assert_eq!(injected.len(), 2);
    assert_eq!(scene.registry.len(), 3);
    let mut out = vec![];
    let answer = scene
        .registry
        .request(first(injected[1].task), SLOT, &mut out, 100);
    assert_eq!(answer, RequestAnswer::Ready);
    assert_eq!(out, encode(&(0_u8, 7_i64), 9).expect("encodes"));
    scene
        .registry
        .refuse(injected[0].task, Refusal::UnknownLimit);
    assert_eq!(scene.registry.len(), 2);
}

#[test]
fn what_is_refused_is_handed_back() {
    let mut scene = Scene::new("");
    let task = scene.insert(42);
    scene.registry.refuse(task, Refusal::UnknownLimit);
    assert_eq!(
        *scene.ends.refused.lock().expect("whole"),
        [(42, Refusal::UnknownLimit)]
    );
    assert!(scene.ends.settled.lock().expect("whole").is_empty());
    assert!(
        scene.heard.lock().expect("whole").is_empty(),
        "it was never in the farm"
    );
    assert!(scene.registry.is_empty());
}

#[test]
fn a_response_decoded_elsewhere_is_as_good() {
    let mut scene = Scene::new("");
    let [good, bad] = [scene.insert(3), scene.insert(4)];
    let decoder = scene.registry.decoder(scene.kind);
    let decoded = decoder(&encode(&9_i64, 9).expect("encodes"));
    let handle = scene.registry.keep_decoded(decoded);
    let answer = scene
        .registry
        .response(first(good), SLOT, Payload::Decoded(handle));
    assert_eq!(answer, STAYS);
    let (settled, _) = scene.end(good, Outcome::Done(()));
    assert_eq!(settled.outcome, Outcome::Done(1009));
    let other = scene.registry.keep_decoded(decoder(&[]));
    assert_ne!(handle, other);
    let answer = scene
        .registry
        .response(first(bad), SLOT, Payload::Decoded(other));
    assert!(matches!(answer, ResponseAnswer::Garbled(_)));
}

#[test]
fn a_place_is_used_again_under_another_id() {
    let mut scene = Scene::new("");
    let mut seen = vec![];
    for generation in 0..5 {
        let task = scene.insert(1);
        assert_eq!((task.index(), task.generation()), (0, generation));
        assert!(!seen.contains(&task));
        seen.push(task);
        scene.registry.refuse(task, Refusal::UnknownLimit);
    }
    let [a, b] = [scene.insert(1), scene.insert(1)];
    assert_eq!((a.index(), b.index()), (0, 1));
}

#[test]
#[should_panic(expected = "was settled before")]
fn an_id_of_an_earlier_use_is_a_broken_invariant() {
    let mut scene = Scene::new("");
    let task = scene.insert(1);
    scene.registry.refuse(task, Refusal::UnknownLimit);
    scene.insert(2);
    scene.registry.refuse(task, Refusal::UnknownLimit);
}

#[test]
fn the_hello_names_the_kinds_in_order() {
    let scene = Scene::new("");
    let hellos: Vec<_> = scene.registry.hellos().collect();
    assert_eq!(hellos.len(), 1);
    assert_eq!((hellos[0].name.as_str(), hellos[0].version), ("square", 3));
}
