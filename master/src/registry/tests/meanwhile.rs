//! What comes of a task before its end: feedback, and what its worker writes.

use super::*;

#[test]
fn feedback_is_for_the_kind_and_then_for_who_waits() {
    let mut scene = Scene::new("");
    let task = scene.insert(5);
    let id = first(task);
    assert_eq!(scene.registry.feedback(id, &[7]), Ok(()));
    let said = scene
        .registry
        .feedback(id, &[UNHEARD])
        .expect_err("it panics");
    assert!(
        said.contains("waiter") && said.contains("not wanted"),
        "{said}"
    );
    assert!(scene.registry.feedback(id, &[]).is_err(), "no feedback");
    assert_eq!(scene.registry.feedback(id, &[8]), Ok(()));
    assert_eq!(*scene.ends.said.lock().expect("whole"), [(id, 7), (id, 8)]);
    assert_eq!(*scene.heard.lock().expect("whole"), ["feedback"; 3]);
}

#[test]
fn output_is_kept_per_stream_and_cut_at_the_limit() {
    let mut scene = Scene::new("");
    let [quiet, loud, other] = [1, 2, 3].map(|task| scene.insert(task));
    scene.registry.output(&[loud], Stream::Stderr, b"err");
    scene
        .registry
        .output(&[loud], Stream::Stdout, &vec![b'a'; OUTPUT_KEPT - 1]);
    scene.registry.output(&[loud], Stream::Stdout, b"bc");
    scene.registry.output(&[loud], Stream::Stdout, b"d");
    scene.registry.output(&[other, loud], Stream::Stderr, b"!");
    for task in [quiet, loud, other] {
        assert_eq!(scene.response(task, 1), STAYS);
    }
    let (settled, _) = scene.end(loud, Outcome::Done(()));
    assert_eq!(settled.output.stdout.len(), OUTPUT_KEPT);
    assert_eq!(settled.output.stdout.last(), Some(&b'b'));
    assert_eq!(settled.output.stderr, b"err!");
    assert!(settled.output.truncated && settled.output.shared);
    let (settled, _) = scene.end(other, Outcome::Done(()));
    assert!(!settled.output.truncated && settled.output.shared);
    let (settled, _) = scene.end(quiet, Outcome::Done(()));
    assert_eq!(settled.output, WorkerOutput::default());
}
