//! What a second reading of the rules found: one scenario for each.

use super::affinity::{A, B};
use super::stage::play::*;
use super::stage::*;
use crate::{Affinity, Config, Event, LimitId, Outcome, QueueOrder, Rule, Ties, TimeLimit, Why};
use farm_protocol::{AffinityKey, KindId, SlotId, TaskId, Termination};
use std::time::Duration;

const MANY: u32 = 20_000;

/// Workers of a farm that takes many tasks, each with one task done.
fn large(keys: &[&[AffinityKey]]) -> Stage {
    let slots = u32::try_from(keys.len()).expect("few");
    let mut config: Config = config(slots, 0);
    config.kinds[0].boundary.max_queued = 1 << 20;
    let mut stage = Stage::new(config);
    stage.checks = false;
    stage.warmed(keys);
    stage
}

#[test]
fn what_the_kind_learnt_from_the_last_answer_of_a_worker_counts_for_the_others() {
    for letter in [END, FAULTY] {
        let mut stage = Stage::new(config(2, 0));
        stage.warmed(&[&[], &[]]);
        let busy = stage.task();
        let picky = stage.coming();
        stage.kinds.refuses.push((picky, SlotId(1)));
        stage.kinds.not_for_fresh.push(picky);
        stage.task();
        stage.kinds.refuses.clear();
        stage.reply(0, 1, id(busy, 1), letter);
        assert_eq!(stage.why(picky), None, "w1 takes it");
    }
}

#[test]
fn what_the_kind_learnt_from_a_late_answer_counts() {
    let mut stage = Stage::new(config(2, 0));
    stage.warmed(&[&[], &[]]);
    let busy = stage.task();
    let picky = stage.coming();
    stage.kinds.refuses = vec![(picky, SlotId(1)), (picky, SlotId(0))];
    stage.kinds.not_for_fresh.push(picky);
    stage.task();
    stage.cancel(busy);
    stage.kinds.refuses = vec![(picky, SlotId(0))];
    stage.reply(0, 1, id(busy, 1), OK);
    assert_eq!(stage.why(picky), None, "w1 takes it");
}

#[test]
fn many_that_wait_at_a_limit_end_without_a_worker_and_without_a_deep_stack() {
    let mut stage = large(&[&[], &[]]);
    let limited = || options(|options| options.limit = Some(LimitId(0)));
    let running = stage.submit(limited());
    let parked: Vec<TaskId> = (0..MANY).map(|_| stage.submit(limited())).collect();
    assert_eq!(stage.why(parked[9]), Some(Why::Limit(LimitId(0))));
    stage.kinds.unranked.extend(&parked);
    let (kind, order) = (KindId(0), QueueOrder::Ranked);
    stage.tell(Event::SetOrder { kind, order });
    assert!(!stage.is_settled(parked[0]), "it is not asked for its rank");
    stage.reply(0, 1, id(running, 1), OK);
    assert!(parked.iter().all(|task| stage.is_settled(*task)));
}

#[test]
fn another_place_in_the_queue_gives_no_new_time_to_wait_for_a_worker() {
    let kind = KindId(0);
    let (priority, order) = (3, QueueOrder::Newest);
    for change in 0..3 {
        let mut stage = Stage::new(config(1, 0));
        let starting = Some(Duration::from_millis(100));
        let task = stage.submit(options(|options| options.starting = starting));
        for _ in 0..9 {
            stage.pass(10);
            stage.tell(match change {
                0 => Event::SetPriority { task, priority },
                1 => Event::SetOrder { kind, order },
                _ => Event::Broadcast { kind },
            });
        }
        stage.pass(10);
        let Outcome::TimedOut { which, .. } = stage.outcome(task) else {
            panic!("it waits on")
        };
        assert_eq!(*which, TimeLimit::Starting);
    }
}

#[test]
fn while_others_work_what_has_a_key_gets_its_fresh_worker_as_well() {
    for affinity in [
        Affinity::Any,
        Affinity::Prefers(A),
        Affinity::Prefers(B),
        Affinity::Requires(A),
        Affinity::Requires(B),
    ] {
        let mut stage = Stage::new(config(2, 0));
        stage.warmed(&[&[], &[A]]);
        let busy = stage.task();
        assert_eq!(stage.slot_of(busy), 0);
        let picky = stage.coming();
        let refuses = [0, 1].map(|slot| (picky, SlotId(slot)));
        stage.kinds.refuses.extend(refuses);
        stage.skip();
        stage.task_for(affinity);
        assert_eq!(stage.lines(), ["stop w1"], "{affinity:?}");
    }
}

#[test]
fn a_holder_that_works_is_waited_for() {
    let mut stage = Stage::new(config(2, 0));
    stage.warmed(&[&[A], &[A]]);
    let busy = stage.task();
    assert_eq!(stage.slot_of(busy), 0);
    let picky = stage.coming();
    stage.kinds.refuses.push((picky, SlotId(1)));
    stage.skip();
    stage.task_for(Affinity::Requires(A));
    stage.expect(&[]);
    stage.kinds.keys = vec![A];
    stage.reply(0, 1, id(busy, 1), OK);
    assert_eq!(stage.slot_of(picky), 0);
}

/// Without a memory of what came last this takes minutes: each arrival would look through all before it.
#[test]
fn what_nobody_takes_does_not_make_the_next_one_dear() {
    let mut stage = large(&[&[]]);
    for _ in 0..MANY {
        let task = stage.coming();
        stage.kinds.refuses = vec![(task, SlotId(0))];
        stage.kinds.not_for_fresh = vec![task];
        stage.task();
    }
    assert!(stage.master.counters().matches < 4 * u64::from(MANY));
}

#[test]
fn what_was_refused_is_not_remembered_for_ever() {
    let mut stage = large(&[&[]]);
    for key in 0..5_000 {
        let task = stage.coming();
        stage.kinds.refuses = vec![(task, SlotId(0))];
        stage.kinds.not_for_fresh = vec![task];
        stage.task_for(Affinity::Prefers(AffinityKey(key)));
        stage.cancel(task);
    }
    let process = stage.master.slots[0].process.as_ref().expect("it idles");
    assert!(process.refused.len() <= 1_024);
}

#[test]
fn a_large_queue_is_ordered_and_cancelled_at_once() {
    let mut stage = large(&[&[], &[]]);
    stage.gate(crate::lane::Gate::Paused);
    let kind = KindId(0);
    for index in 0..MANY {
        let key = AffinityKey(u64::from(index) / 2);
        let affinities = [
            Affinity::Any,
            Affinity::Prefers(key),
            Affinity::Requires(key),
        ];
        stage.task_for(affinities[index as usize % 3]);
    }
    for order in [QueueOrder::Newest, QueueOrder::Ranked, QueueOrder::Arrival] {
        stage.tell(Event::SetOrder { kind, order });
    }
    stage.tell(Event::Broadcast { kind });
    for index in (0..MANY).rev() {
        let task = TaskId::new(index + 2, 0);
        stage.tell(Event::SetPriority { task, priority: 1 });
    }
    stage.master.check_invariants();
    let reason = "enough".to_owned();
    stage.tell(Event::CancelAll { kind: None, reason });
    assert_eq!(stage.master.tasks(), 0);
}

#[test]
fn scopes_deep_inside_each_other_end_with_the_group_that_they_are_in() {
    let mut stage = large(&[&[]]);
    let group = stage.group(Rule::FirstError, Ties::Arrival);
    let bad = stage.member(group);
    let mut deepest = group;
    for _ in 0..MANY / 4 {
        deepest = stage.open(Some(deepest), None, None);
        stage.member(deepest);
        let beside = stage.open(Some(group), None, None);
        stage.member(beside);
    }
    stage.close_scope(group);
    stage.reply(0, 1, id(bad, 1), FAIL);
    assert_eq!((stage.master.tasks(), stage.master.scopes()), (0, 0));
}

#[test]
fn who_is_to_go_holds_nothing_whatever_it_answers() {
    let mut stage = Stage::new(config(1, 8));
    stage.warmed(&[&[]]);
    let tasks = [stage.task(), stage.task()];
    let flags = farm_protocol::ReplyFlags {
        heeded_cancel: false,
        left_behind: true,
    };
    stage.reply_with(0, 1, id(tasks[0], 1), OK, flags);
    stage.kinds.keys = vec![A];
    stage.reply(0, 1, id(tasks[1], 1), OK);
    let process = stage.master.slots[0].process.as_ref();
    let process = process.expect("it is asked to end");
    assert!(process.asked_to_end && process.keys.is_empty());
}

#[test]
fn under_load_a_worker_makes_way_for_what_requires_a_key_that_nobody_holds() {
    let mut stage = Stage::new(config(1, 0));
    stage.warmed(&[&[A]]);
    let mut running = stage.task();
    let urgent = stage.coming();
    stage.kinds.affinities.insert(urgent, Affinity::Requires(B));
    stage.submit(options(|o| o.priority = 100));
    let mut tasks = 0;
    while !stage.lines().contains(&"stop w0".to_owned()) {
        let next = stage.task();
        stage.reply(0, 1, id(running, 1), OK);
        running = next;
        tasks += 1;
        assert!(tasks < 20, "{urgent} never starts");
    }
    // The worker was worth its start before it went.
    assert!(tasks >= 14, "{tasks}");
    stage.die(0, 1, Termination::Exited(0), None);
    stage.hello(0, 2);
    assert_eq!(stage.slot_of(urgent), 0);
}

#[test]
fn two_keys_that_take_turns_do_not_cost_a_start_each() {
    let mut stage = Stage::new(config(1, 0));
    stage.warmed(&[&[A]]);
    let busy = stage.task();
    for index in 0..40 {
        stage.task_for(Affinity::Requires([A, B][index % 2]));
    }
    stage.skip();
    let (mut running, mut session, mut starts) = (busy, 1, 0);
    loop {
        let key = stage.kinds.affinities.get(&running).copied();
        stage.kinds.keys = match key {
            Some(Affinity::Requires(key)) => vec![key],
            _ => vec![A],
        };
        stage.reply(0, session, id(running, 1), OK);
        if let Some(next) = stage.replaced(0, session) {
            (session, starts) = (next, starts + 1);
        }
        let Some(next) = stage.running_in(0) else {
            break;
        };
        running = next;
    }
    assert_eq!(stage.master.tasks(), 0);
    assert!(starts <= 5, "{starts}");
}
