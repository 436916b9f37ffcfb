//! Ranks that a caller gives in the kind's stead, and looking at a task that is held.

use super::*;

#[test]
fn a_caller_s_rank_stands_in_for_the_kind_s() {
    let mut scene = Scene::new("");
    let task = scene.insert(7);
    assert_eq!(scene.registry.rank(task), Ok(0));
    let kind = scene.kind;
    let rank: RankBy<Square> = Box::new(|task| -task);
    scene.registry.rank_by::<Square>(kind, Some(rank));
    assert_eq!(scene.registry.rank(task), Ok(-7));
    let rank: RankBy<Square> = Box::new(|_| panic!("no idea"));
    scene.registry.rank_by::<Square>(kind, Some(rank));
    let fault = scene.registry.rank(task).expect_err("it panics");
    assert_eq!(
        (fault.callback.as_str(), fault.message.as_str()),
        ("rank", "no idea")
    );
    scene.registry.rank_by::<Square>(kind, None);
    assert_eq!(scene.registry.rank(task), Ok(0));
}

#[test]
fn a_task_is_seen_while_it_is_held() {
    let mut scene = Scene::new("");
    let task = scene.insert(7);
    assert_eq!(scene.registry.task::<Square>(task), Some(&7));
    scene
        .registry
        .refuse(task, Refusal::NotAdmitting(crate::lane::Gate::Closed));
    assert_eq!(scene.registry.task::<Square>(task), None);
    let next = scene.insert(8);
    assert_eq!(next.index(), task.index(), "the place is used again");
    assert_eq!(scene.registry.task::<Square>(task), None);
    assert_eq!(scene.registry.task::<Square>(next), Some(&8));
}
