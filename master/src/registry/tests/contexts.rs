//! Contexts in the adapter: sent when the worker is not certain to hold them, and only then.

use super::typed::Typed;
use super::*;
use crate::kind::{Context, Request, Response, Verdict, WorkerStatus};
use farm_protocol::{
    AffinityKey, Attempt, ContextBody, ContextUpdate, decode, encode, split_request,
};

struct PlayWire;

impl Wire for PlayWire {
    const NAME: &'static str = "play";
    const VERSION: u32 = 1;
    type Request = u64;
    type Response = u64;
    type Feedback = farm_protocol::Never;
    type Context = String;
}

/// A task is (context, request); context 0 is none, from 90 on a difference is given whatever is held.
struct Play<const INDEPENDENT: bool>;

impl<const INDEPENDENT: bool> TaskKind for Play<INDEPENDENT> {
    type Wire = PlayWire;
    type Task = (u64, u64);
    type Competence = ();
    type Output = ();
    type Failure = ();
    const INDEPENDENT: bool = INDEPENDENT;

    fn context_of_task(&self, task: &(u64, u64)) -> Option<AffinityKey> {
        (task.0 != 0).then_some(AffinityKey(task.0))
    }

    fn context(
        &mut self,
        key: AffinityKey,
        held: Option<AffinityKey>,
    ) -> ContextBody<Context<Self>> {
        match held {
            Some(held) => ContextBody::Difference(format!("{held} to {key}")),
            None if key.0 >= 90 => ContextBody::Difference("to nothing".to_string()),
            None => ContextBody::Whole(format!("all of {key}")),
        }
    }

    fn request_of_task(
        &mut self,
        _: &WorkerStatus<()>,
        task: &(u64, u64),
    ) -> Option<Request<Self>> {
        (task.1 != 0).then_some(task.1)
    }

    fn use_response(
        &mut self,
        _: &WorkerStatus<()>,
        _: &(u64, u64),
        _: Response<Self>,
    ) -> Verdict<Self> {
        Verdict::done((), ())
    }
}

const A: AffinityKey = AffinityKey(1);
const B: AffinityKey = AffinityKey(2);
const NEAR: SlotId = SlotId(0);
const FAR: SlotId = SlotId(5);

struct Scene {
    kind: Typed<Play<false>>,
    attempts: u32,
}

impl Scene {
    fn new() -> Self {
        Self {
            kind: Typed::new(Play),
            attempts: 0,
        }
    }

    /// Sends a request that needs `key`; answers its attempt and what the worker is told before it.
    #[track_caller]
    fn send(&mut self, slot: SlotId, key: u64) -> (AttemptId, Option<ContextUpdate<String>>) {
        self.attempts += 1;
        let id = AttemptId {
            task: TaskId::new(7, 0),
            attempt: Attempt(self.attempts),
        };
        let mut out = vec![];
        let mut held = Held::<Play<false>>::new((key, 3), None);
        let answer = self.kind.request(id, slot, &mut held, &mut out, 100);
        assert_eq!(answer, RequestAnswer::Ready);
        let (update, request) = split_request(&out).expect("a payload");
        assert_eq!(decode(request), Ok(3_u64));
        (id, update)
    }

    fn answer(&mut self, slot: SlotId, id: AttemptId) {
        let mut held = Held::<Play<false>>::new((0, 3), None);
        let bytes = encode(&1_u64, 9).expect("short");
        let answered = self.kind.response(id, slot, &mut held, Body::Bytes(&bytes));
        assert!(matches!(answered.answer, ResponseAnswer::Taken { .. }));
    }
}

fn whole(key: AffinityKey) -> Option<ContextUpdate<String>> {
    Some(ContextUpdate {
        key,
        held: None,
        body: ContextBody::Whole(format!("all of {key}")),
    })
}

#[test]
fn a_context_is_sent_once_per_worker() {
    let mut scene = Scene::new();
    for slot in [NEAR, FAR] {
        assert_eq!(scene.kind.held_context(slot), None);
        let (first, told) = scene.send(slot, 1);
        assert_eq!(told, whole(A));
        assert_eq!(scene.kind.held_context(slot), None, "it may not arrive");
        scene.answer(slot, first);
        assert_eq!(scene.kind.held_context(slot), Some(A));
        for _ in 0..3 {
            let (id, told) = scene.send(slot, 1);
            assert_eq!(told, None);
            scene.answer(slot, id);
        }
        // A task that needs no context leaves the one that is there.
        assert_eq!(scene.send(slot, 0).1, None);
        assert_eq!(scene.kind.held_context(slot), Some(A));
    }
    scene.kind.fresh(NEAR);
    assert_eq!(scene.send(NEAR, 1).1, whole(A), "another process");
    assert_eq!(scene.send(FAR, 1).1, None, "the same as before");
}

#[test]
fn a_change_is_sent_as_a_difference_to_what_is_certain() {
    let mut scene = Scene::new();
    let (first, _) = scene.send(NEAR, 1);
    scene.answer(NEAR, first);
    let (second, told) = scene.send(NEAR, 2);
    let difference = ContextUpdate {
        key: B,
        held: Some(A),
        body: ContextBody::Difference("a1 to a2".to_string()),
    };
    assert_eq!(told, Some(difference));
    // Its attempt ends without an answer: whether the worker holds A, or B, or neither, nobody knows.
    assert_eq!(scene.kind.held_context(NEAR), None);
    let (third, told) = scene.send(NEAR, 2);
    assert_eq!(told, whole(B));
    // An answer of the attempt before says nothing about this one.
    scene.answer(NEAR, second);
    assert_eq!(scene.kind.held_context(NEAR), None);
    scene.answer(NEAR, third);
    assert_eq!(scene.kind.held_context(NEAR), Some(B));
}

#[test]
fn a_late_answer_is_as_good() {
    let mut scene = Scene::new();
    let (id, _) = scene.send(FAR, 1);
    let held = Held::<Play<false>>::new((1, 3), None);
    scene.kind.late(id, &held, &[]);
    assert_eq!(scene.kind.held_context(FAR), Some(A));
    let (id, _) = scene.send(FAR, 2);
    scene.kind.fresh(FAR);
    scene.kind.late(id, &held, &[]);
    assert_eq!(
        scene.kind.held_context(FAR),
        None,
        "another process is there"
    );
}

#[test]
fn what_is_not_sent_changes_nothing() {
    let mut scene = Scene::new();
    let (id, _) = scene.send(NEAR, 1);
    scene.answer(NEAR, id);
    let mut out = b"before".to_vec();
    let mut skipped = Held::<Play<false>>::new((2, 0), None);
    let answer = scene.kind.request(id, NEAR, &mut skipped, &mut out, 100);
    assert_eq!(answer, RequestAnswer::Skip);
    let mut large = Held::<Play<false>>::new((2, 3), None);
    let answer = scene.kind.request(id, NEAR, &mut large, &mut out, 5);
    assert!(matches!(
        answer,
        RequestAnswer::NotMarshallable(MarshalError::TooLarge { .. })
    ));
    assert_eq!(out, b"before");
    assert_eq!(scene.kind.held_context(NEAR), Some(A));
}

#[track_caller]
fn fault<K: TaskKind>(kind: K, task: K::Task) -> KindFault {
    let mut kind = Typed::new(kind);
    let mut held = Held::<K>::new(task, None);
    let id = AttemptId {
        task: TaskId::new(0, 0),
        attempt: Attempt(1),
    };
    match kind.request(id, NEAR, &mut held, &mut vec![], 100) {
        RequestAnswer::Fault(fault) => fault,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_kind_that_contradicts_itself_is_told_how() {
    let independent = fault(Play::<true>, (1, 3));
    assert_eq!(independent.callback, "context_of_task");
    assert!(
        independent.message.contains("leave INDEPENDENT false"),
        "{independent}"
    );
    let baseless = fault(Play::<false>, (99, 3));
    assert_eq!(baseless.callback, "context");
    assert!(baseless.message.contains("holds no context"), "{baseless}");
}
