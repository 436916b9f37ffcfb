//! What the simulator found to be overlooked when not every task is for every worker: one test for each.

use super::affinity::{A, B};
use super::stage::play::*;
use super::stage::*;
use crate::lane::Gate;
use crate::{Affinity, Event, LimitId, Need, Shut, When, Why};
use farm_protocol::{KindId, SlotId, TaskId};

/// The next task is one that none of so many workers takes, nor a fresh one.
fn will_be_hopeless(stage: &mut Stage, slots: u32) -> TaskId {
    let task = stage.coming();
    let refuses = (0..slots).map(|slot| (task, SlotId(slot)));
    stage.kinds.refuses.extend(refuses);
    stage.kinds.not_for_fresh.push(task);
    task
}

const fn gate(gate: Gate) -> Event<'static> {
    let kind = KindId(0);
    Event::SetGate { kind, gate }
}

#[test]
fn what_needs_a_fresh_worker_gets_one_behind_what_nobody_takes() {
    for affinity in [
        Affinity::Any,
        Affinity::Prefers(A),
        Affinity::Prefers(B),
        Affinity::Requires(A),
    ] {
        let mut stage = Stage::new(config(1, 0));
        stage.warmed(&[&[A]]);
        for _ in 0..20 {
            will_be_hopeless(&mut stage, 1);
            stage.task();
        }
        stage.skip();
        let picky = stage.coming();
        stage.kinds.refuses.push((picky, SlotId(0)));
        stage.task_for(affinity);
        stage.expect(&["stop w0"]);
    }
}

#[test]
fn no_worker_is_replaced_for_what_a_fresh_one_would_not_take() {
    let mut stage = Stage::new(config(1, 0));
    stage.warmed(&[&[A]]);
    will_be_hopeless(&mut stage, 1);
    stage.task_for(Affinity::Requires(B));
    stage.expect(&["unmatched t1"]);
}

#[test]
fn what_matched_nobody_is_listed_anew_when_somebody_has_learnt() {
    let mut stage = Stage::new(config(1, 0));
    stage.warmed(&[&[]]);
    let stuck = will_be_hopeless(&mut stage, 1);
    stage.task();
    stage.task();
    assert_eq!(stage.why(stuck), Some(Why::NoMatch));
    stage.kinds.refuses.clear();
    assert_eq!(stage.why(stuck), Some(Why::Holder(SlotId(0))));
}

#[test]
fn an_idle_holder_is_not_passed_over_for_what_it_does_not_take() {
    let mut stage = Stage::new(config(2, 0));
    stage.warmed(&[&[B], &[A]]);
    stage.tell(gate(Gate::Paused));
    let urgent = will_be_hopeless(&mut stage, 2);
    stage.kinds.affinities.insert(urgent, Affinity::Prefers(B));
    stage.submit(options(|options| options.priority = 1));
    stage.task_for(Affinity::Prefers(A));
    stage.tell(gate(Gate::Running));
    stage.expect(&["request w1 t3#1"]);
}

#[test]
fn nobody_idles_because_something_urgent_is_for_another() {
    let mut stage = Stage::new(config(2, 0));
    stage.warmed(&[&[], &[A]]);
    stage.tell(gate(Gate::Paused));
    let urgent = stage.coming();
    stage.kinds.affinities.insert(urgent, Affinity::Prefers(A));
    stage.submit(options(|options| options.priority = 1));
    stage.task();
    stage.tell(gate(Gate::Running));
    stage.expect(&["request w1 t2#1", "request w0 t3#1"]);
}

#[test]
fn a_holder_has_its_turn_once_what_is_more_urgent_has_gone() {
    let mut stage = Stage::new(config(4, 0));
    stage.warmed(&[&[], &[], &[A], &[B]]);
    let busy = stage.task_for(Affinity::Requires(B));
    assert_eq!(stage.slot_of(busy), 3);
    stage.tell(gate(Gate::Paused));
    stage.skip();
    let urgent = stage.coming();
    stage.kinds.affinities.insert(urgent, Affinity::Prefers(B));
    stage.submit(options(|options| options.priority = 1));
    stage.task_for(Affinity::Prefers(A));
    stage.tell(gate(Gate::Running));
    stage.expect(&["request w0 t5#1", "request w2 t6#1"]);
}

#[test]
fn who_is_taken_by_nobody_keeps_no_room_at_a_limit() {
    let mut stage = Stage::new(config(2, 0));
    stage.warmed(&[&[], &[]]);
    let limited = || options(|options| options.limit = Some(LimitId(0)));
    let running = stage.submit(limited());
    for _ in 0..3 {
        will_be_hopeless(&mut stage, 2);
        stage.submit(limited());
    }
    let parked = stage.submit(limited());
    assert_eq!(stage.why(parked), Some(Why::Limit(LimitId(0))));
    stage.skip();
    stage.reply(0, 1, id(running, 1), OK);
    stage.expect(&["settle t2 ok", "request w0 t6#1"]);
    stage.reply(0, 1, id(parked, 1), OK);
    let unmatched = ["unmatched t3", "unmatched t4", "unmatched t5"];
    stage.expect(&[&["settle t6 ok"], &unmatched[..]].concat());
}

#[test]
fn a_drain_ends_also_what_waited_for_what_nobody_takes() {
    let mut stage = Stage::new(config(1, 0));
    stage.warmed(&[&[]]);
    let stuck = will_be_hopeless(&mut stage, 1);
    stage.task();
    will_be_hopeless(&mut stage, 1);
    let need = Need {
        task: stuck,
        when: When::Always,
    };
    stage.submit(options(|options| options.needs = vec![need]));
    stage.skip();
    stage.shut(Shut::Drain);
    stage.expect(&[
        "settle t1 skipped",
        "unmatched t2",
        "settle t2 skipped",
        "stop w0",
    ]);
}

#[test]
fn what_is_pinned_and_not_sent_behind_another_is_not_overtaken() {
    let mut config = config(1, 2);
    config.kinds[0].defaults.running = Some(std::time::Duration::from_secs(1));
    let mut stage = Stage::new(config);
    stage.warmed(&[&[]]);
    let [parent, ahead, last, _] = [0; 4].map(|_| stage.task());
    stage.expect(&["request w0 t1#1", "request w0 t2#1", "request w0 t3#1"]);
    let pinned = stage.next_id();
    stage.kinds.injects = vec![crate::Injected::pinned(pinned, crate::WhenGone::Fail)];
    // A worker that is always sent something would never be empty.
    stage.reply(0, 1, id(parent, 1), OK);
    stage.reply(0, 1, id(ahead, 1), OK);
    stage.expect(&["settle t1 ok", "settle t2 ok"]);
    stage.reply(0, 1, id(last, 1), OK);
    stage.expect(&["settle t3 ok", "request w0 t5#1", "request w0 t4#1"]);
}

#[test]
fn a_suspected_task_gets_its_worker_behind_one_that_nobody_takes() {
    let mut stage = Stage::new(config(2, 0));
    stage.warmed(&[&[], &[]]);
    let fragile = || {
        options(|options| {
            options.crash_limit = crate::CrashLimit::Deaths(1);
            options.retries = crate::Retries {
                delay: std::time::Duration::from_millis(40),
                ..retries(1)
            };
        })
    };
    let hopeless = stage.submit(fragile());
    stage.kinds.not_for_fresh.push(hopeless);
    stage.kinds.refuses.push((hopeless, SlotId(1)));
    stage.die(0, 1, SEGV, Some(id(hopeless, 1)));
    stage.kinds.refuses.push((hopeless, SlotId(0)));
    stage.hello(0, 3);
    let suspected = stage.submit(fragile());
    stage.die(0, 3, SEGV, Some(id(suspected, 1)));
    let busy = stage.task();
    assert_eq!(stage.slot_of(busy), 1);
    stage.hello(0, 4);
    stage.reply(0, 4, id(suspected, 2), FAIL);
    stage.skip();
    stage.pass(40);
    stage.expect(&["stop w0"]);
}

#[test]
fn a_fresh_worker_that_refused_all_has_refused_it_also_while_it_dies() {
    let mut stage = Stage::new(config(2, 0));
    will_be_hopeless(&mut stage, 2);
    stage.task_for(Affinity::Requires(A));
    stage.hello(0, 1);
    stage.expect(&["spawn w0 s1", "ready w0", "unmatched t0"]);
    // Nobody comes for the empty slot: what the invariants look for after each step.
    stage.exit(0, 1, KILLED, None);
    stage.expect(&[]);
}
