//! Tasks that are for some workers before others, or for them alone; and tasks that are for none.

use super::stage::*;
use crate::{Affinity, Outcome, Shut, SkippedBy, Stands, Why};
use farm_protocol::{AffinityKey, SlotId, TaskId, Termination};

pub(super) const A: AffinityKey = AffinityKey(0xa);
pub(super) const B: AffinityKey = AffinityKey(0xb);

impl Stage {
    /// A task with this affinity.
    pub(super) fn task_for(&mut self, affinity: Affinity) -> TaskId {
        let id = self.coming();
        self.kinds.affinities.insert(id, affinity);
        let task = self.task();
        assert_eq!(task, id);
        task
    }

    /// Workers in slots 0.. that have done a task each, and hold these keys.
    pub(super) fn warmed(&mut self, keys: &[&[AffinityKey]]) {
        let tasks: Vec<TaskId> = keys.iter().map(|_| self.task()).collect();
        for (slot, task) in (0..).zip(&tasks) {
            self.hello(slot, u64::from(slot) + 1);
            assert_eq!(self.slot_of(*task), slot);
        }
        for ((slot, task), keys) in (0..).zip(&tasks).zip(keys) {
            self.kinds.keys = keys.to_vec();
            self.reply(slot, u64::from(slot) + 1, id(*task, 1), OK);
        }
        self.kinds.keys.clear();
        self.kinds.asked.clear();
        self.skip();
    }

    pub(super) fn why(&mut self, task: TaskId) -> Option<Why> {
        self.master.why_waiting(&mut self.kinds, task)
    }
}

#[test]
fn a_holder_is_preferred_to_a_worker_that_is_just_as_free() {
    let mut stage = Stage::new(config(3, 0));
    stage.warmed(&[&[B], &[], &[A]]);
    let first = stage.task_for(Affinity::Prefers(A));
    let second = stage.task_for(Affinity::Prefers(B));
    stage.expect(&["request w2 t3#1", "request w0 t4#1"]);
    // The holders are busy, and a worker is free: nobody waits for a preference.
    let third = stage.task_for(Affinity::Prefers(A));
    stage.expect(&["request w1 t5#1"]);
    assert_eq!(
        [first, second, third].map(|task| stage.why(task)),
        [None; 3]
    );
}

#[test]
fn a_holder_takes_its_own_first_and_then_what_others_hold() {
    let mut stage = Stage::new(config(2, 0));
    stage.warmed(&[&[A], &[B]]);
    let (x, y) = (stage.task(), stage.task());
    stage.skip();
    let tasks = [A, B, A, B, A].map(|key| stage.task_for(Affinity::Prefers(key)));
    let shared = stage.task();
    assert_eq!(stage.why(shared), Some(Why::NoSlot));
    stage.kinds.keys = vec![A];
    stage.reply(0, 1, id(x, 1), OK);
    stage.expect(&["settle t2 ok", "request w0 t4#1"]);
    stage.reply(0, 1, id(tasks[0], 1), OK);
    stage.expect(&["settle t4 ok", "request w0 t6#1"]);
    stage.kinds.keys = vec![B];
    stage.reply(1, 2, id(y, 1), OK);
    stage.expect(&["settle t3 ok", "request w1 t5#1"]);
    stage.reply(1, 2, id(tasks[1], 1), OK);
    stage.reply(1, 2, id(tasks[3], 1), OK);
    // What nobody else waits for comes before what another holds, though it is younger.
    stage.expect(&[
        "settle t5 ok",
        "request w1 t7#1",
        "settle t7 ok",
        "request w1 t9#1",
    ]);
    stage.reply(1, 2, id(shared, 1), OK);
    stage.expect(&["settle t9 ok", "request w1 t8#1"]);
}

#[test]
fn what_nobody_holds_has_its_ordinary_turn() {
    let mut stage = Stage::new(config(1, 0));
    stage.warmed(&[&[A]]);
    let x = stage.task();
    let tasks = [B, A].map(|key| stage.task_for(Affinity::Prefers(key)));
    stage.skip();
    stage.kinds.keys = vec![A];
    stage.reply(0, 1, id(x, 1), OK);
    // B is older, and no holder will ever come for it: an endless stream of A must not starve it.
    stage.expect(&["settle t1 ok", "request w0 t2#1"]);
    assert_eq!(stage.why(tasks[1]), Some(Why::NoSlot));
}

#[test]
fn priority_comes_before_affinity() {
    let mut stage = Stage::new(config(2, 0));
    stage.warmed(&[&[A], &[B]]);
    let (x, _y) = (stage.task(), stage.task());
    let own = stage.task_for(Affinity::Prefers(A));
    let urgent = stage.task_for(Affinity::Prefers(B));
    stage.tell(crate::Event::SetPriority {
        task: urgent,
        priority: 1,
    });
    stage.skip();
    stage.kinds.keys = vec![A];
    stage.reply(0, 1, id(x, 1), OK);
    assert_eq!(stage.slot_of(urgent), 0);
    assert!(stage.why(own).is_some());
}

#[test]
fn a_required_key_waits_for_its_busy_holder_beside_an_idle_worker() {
    let mut stage = Stage::new(config(2, 0));
    stage.warmed(&[&[A], &[B]]);
    let running = stage.task_for(Affinity::Requires(A));
    stage.expect(&["request w0 t2#1"]);
    let waiting = stage.task_for(Affinity::Requires(A));
    stage.expect(&[]);
    assert_eq!(stage.why(waiting), Some(Why::Holder(SlotId(0))));
    stage.kinds.keys = vec![A];
    stage.reply(0, 1, id(running, 1), OK);
    stage.expect(&["settle t2 ok", "request w0 t3#1"]);
}

#[test]
fn a_required_key_that_nobody_holds_gets_a_fresh_worker_for_the_one_idle_longest() {
    let mut stage = Stage::new(config(2, 0));
    stage.warmed(&[&[A], &[A]]);
    let x = stage.task_for(Affinity::Requires(A));
    stage.pass(10);
    stage.kinds.keys = vec![A];
    stage.reply(0, 1, id(x, 1), OK);
    stage.skip();
    stage.task_for(Affinity::Requires(B));
    stage.expect(&["stop w1"]);
    stage.die(1, 2, Termination::Exited(0), None);
    stage.expect(&["gone w1: exited with code 0", "spawn w1 s3"]);
    stage.hello(1, 3);
    stage.expect(&["ready w1", "request w1 t3#1"]);
}

#[test]
fn a_required_key_is_shared_by_as_many_fresh_workers_as_there_is_room_for() {
    let mut stage = Stage::new(config(3, 0));
    let tasks = [A, A, A].map(|key| stage.task_for(Affinity::Requires(key)));
    stage.expect(&["spawn w0 s1", "spawn w1 s2", "spawn w2 s3"]);
    assert_eq!(stage.why(tasks[0]), Some(Why::Starting));
    stage.hello(0, 1);
    stage.hello(1, 2);
    assert_eq!([0, 1].map(|n| stage.slot_of(tasks[n])), [0, 1]);
}

#[test]
fn a_dead_holder_is_no_holder() {
    let mut stage = Stage::new(config(2, 0));
    stage.warmed(&[&[A], &[B]]);
    stage.die(0, 1, KILLED, None);
    stage.skip();
    stage.task_for(Affinity::Requires(A));
    stage.expect(&["spawn w0 s3"]);
}

#[test]
fn an_answer_says_anew_what_a_worker_holds() {
    let mut stage = Stage::new(config(1, 0));
    stage.warmed(&[&[A, A, B]]);
    let x = stage.task();
    stage.kinds.keys = vec![B];
    stage.reply(0, 1, id(x, 1), OK);
    stage.skip();
    stage.task_for(Affinity::Requires(B));
    stage.expect(&["request w0 t2#1"]);
    stage.task_for(Affinity::Requires(A));
    stage.kinds.keys = vec![];
    stage.reply(0, 1, id(TaskId::new(2, 0), 1), OK);
    stage.expect(&["settle t2 ok", "stop w0"]);
}

#[test]
fn a_task_for_nobody_is_reported_once_and_ended_by_a_drain() {
    let mut stage = Stage::new(config(2, 0));
    stage.warmed(&[&[]]);
    let stuck = stage.coming();
    stage.kinds.refuses = vec![(stuck, SlotId(0)), (stuck, SlotId(1))];
    stage.kinds.not_for_fresh = vec![stuck];
    stage.task();
    // No worker is started for what it would refuse.
    stage.expect(&["unmatched t1"]);
    assert_eq!(stage.why(stuck), Some(Why::NoMatch));
    assert!(stage.master.is_stuck(None));
    let needs = crate::TaskOptions {
        needs: vec![crate::Need {
            task: stuck,
            when: crate::When::Always,
        }],
        ..crate::TaskOptions::default()
    };
    let dependent = stage.submit(needs);
    assert_eq!(stage.why(dependent), Some(Why::Needs { unmet: 1 }));
    let other = stage.task();
    stage.expect(&["request w0 t3#1"]);
    assert!(!stage.master.is_stuck(None));
    stage.reply(0, 1, id(other, 1), OK);
    stage.expect(&["settle t3 ok"]);
    stage.shut(Shut::Drain);
    // Its dependent is willing to run without it, and does.
    stage.expect(&["settle t1 skipped", "request w0 t2#1"]);
    let by = SkippedBy::NoMatch;
    assert_eq!(*stage.outcome(stuck), Outcome::Skipped(by));
    stage.reply(0, 1, id(dependent, 1), OK);
    stage.expect(&["settle t2 ok", "stop w0"]);
}

#[test]
fn while_something_runs_a_draining_farm_ends_nothing() {
    let mut stage = Stage::new(config(1, 0));
    stage.warmed(&[&[]]);
    let running = stage.task();
    let picky = stage.coming();
    stage.kinds.refuses = vec![(picky, SlotId(0))];
    stage.kinds.not_for_fresh = vec![picky];
    stage.task();
    stage.shut(Shut::Drain);
    stage.expect(&["request w0 t1#1"]);
    // What runs teaches the worker what it needs.
    stage.kinds.refuses.clear();
    stage.reply(0, 1, id(running, 1), OK);
    stage.expect(&["settle t1 ok", "request w0 t2#1"]);
}

#[test]
fn a_cancel_of_what_nothing_lets_start_is_prompt() {
    let mut stage = Stage::new(config(1, 0));
    stage.warmed(&[&[]]);
    let stuck = stage.coming();
    stage.kinds.refuses = vec![(stuck, SlotId(0))];
    stage.kinds.not_for_fresh = vec![stuck];
    stage.task();
    stage.tell(crate::Event::Cancel {
        task: stuck,
        reason: "enough".into(),
    });
    stage.expect(&["unmatched t1", "settle t1 cancelled"]);
    assert_eq!(stage.master.outstanding(None), 0);
}

#[test]
fn what_a_worker_refused_is_not_asked_again_until_it_has_changed() {
    let mut stage = Stage::new(config(1, 0));
    stage.warmed(&[&[]]);
    let x = stage.task();
    for _ in 0..100 {
        let task = stage.coming();
        stage.kinds.refuses.push((task, SlotId(0)));
        stage.kinds.not_for_fresh.push(task);
        stage.task();
    }
    stage.kinds.asked.clear();
    stage.reply(0, 1, id(x, 1), OK);
    // Every one by the worker, and once by a fresh one that is not started.
    assert!(
        stage.kinds.asked.len() <= 202,
        "{}",
        stage.kinds.asked.len()
    );
    stage.kinds.asked.clear();
    let more = stage.task();
    // The new one alone.
    assert!(stage.kinds.asked.len() <= 2, "{:?}", stage.kinds.asked);
    stage.kinds.asked.clear();
    // Another response may have changed the kind's mind.
    stage.reply(0, 1, id(more, 1), FAIL);
    assert!(
        stage.kinds.asked.len() <= 202,
        "{}",
        stage.kinds.asked.len()
    );
    stage.kinds.asked.clear();
    stage.pass(1);
    assert_eq!(stage.kinds.asked, []);
}

#[test]
fn a_listing_says_where_each_task_stands() {
    let mut stage = Stage::new(config(1, 0));
    let (running, waiting) = (stage.task(), stage.task());
    stage.hello(0, 1);
    let lines = stage.master.list(&mut stage.kinds, None, 10);
    assert_eq!((lines[0].task, lines[1].task), (running, waiting));
    assert!(matches!(lines[0].stands, Stands::Runs { slot, .. } if slot == SlotId(0)));
    assert_eq!(lines[1].stands, Stands::Waits(Why::NoSlot));
    assert_eq!(stage.master.list(&mut stage.kinds, None, 1).len(), 1);
    stage.tell(crate::Event::Cancel {
        task: running,
        reason: "enough".into(),
    });
    let lines = stage.master.list(&mut stage.kinds, None, 10);
    assert!(matches!(lines[0].stands, Stands::Stops { .. }));
}

#[test]
fn a_kind_that_has_taken_a_response_is_asked_again_about_every_worker() {
    let mut stage = Stage::new(config(2, 0));
    stage.warmed(&[&[], &[]]);
    let x = stage.task();
    let picky = stage.coming();
    stage.kinds.refuses = vec![(picky, SlotId(0)), (picky, SlotId(1))];
    stage.kinds.not_for_fresh = vec![picky];
    stage.task();
    stage.expect(&["request w0 t2#1"]);
    // The response of one worker tells the kind something about the other.
    stage.kinds.refuses.pop();
    stage.reply(0, 1, id(x, 1), OK);
    stage.expect(&["settle t2 ok", "request w1 t3#1"]);
}
