//! What the adapter shows besides answers: the kind itself, and panics that change nothing.

use super::*;

#[test]
fn a_panic_over_a_void_answer_is_told_once() {
    let bytes = encode(&1_i64, 100).expect("encodes");
    for panics in ["late", "nothing"] {
        let mut scene = Scene::new(panics);
        let task = scene.insert(1);
        scene.registry.late(first(task), &bytes);
        let fault = scene.registry.take_void_fault();
        assert_eq!(fault.is_some(), panics == "late");
        if let Some(fault) = fault {
            assert_fault(&fault, "on_late_response", "in late");
        }
        assert_eq!(scene.registry.take_void_fault(), None);
    }
}

#[test]
fn a_kind_is_shown_to_who_knows_its_type() {
    let scene = Scene::new("nothing");
    let shown = scene.registry.kind::<Square>(scene.kind);
    assert_eq!(shown.map(|square| square.panics), Some("nothing"));
    assert!(scene.registry.kind::<Square>(KindId(7)).is_none());
}
