//! Several kinds and few tokens: none waits for ever. And a jobserver of our own, whose tokens are counted.

use super::super::stage::play::*;
use super::super::stage::*;
use super::kinds;
use crate::{Config, Event, Shut, Tokens};
use farm_protocol::TaskId;

/// What each of two kinds was sent, in order, while they share one token-less place.
fn in_turn(credit: u32, each: usize) -> Vec<u16> {
    let mut stage = Stage::new(kinds(2, 1, credit));
    let mut kind_of = std::collections::BTreeMap::new();
    for kind in [0, 1] {
        for _ in 0..each {
            kind_of.insert(stage.submit_to(kind, options(|_| ())), kind);
        }
    }
    let mut order = vec![];
    let mut at_work: Vec<(u32, TaskId)> = vec![];
    for _ in 0..2 * each {
        for (slot, session) in stage.launching() {
            stage.hello(slot, session);
        }
        for (slot, _, flights) in stage.workers() {
            let new = flights.iter().map(|flight| (slot, flight.task));
            let new: Vec<_> = new.filter(|it| !at_work.contains(it)).collect();
            order.extend(new.iter().map(|(_, task)| kind_of[task]));
            at_work.extend(new);
        }
        let (slot, session, flights) = stage.workers()[..]
            .iter()
            .find(|(_, _, flights)| !flights.is_empty())
            .cloned()
            .expect("somebody works");
        stage.reply(slot, session, flights[0], OK);
    }
    assert!(stage.workers().iter().all(|(_, _, held)| held.is_empty()));
    order
}

#[test]
fn kinds_take_turns_where_there_is_room_for_one_worker() {
    assert_eq!(in_turn(0, 4), [0, 1, 0, 1, 0, 1, 0, 1]);
}

#[test]
fn a_kind_that_is_sent_much_ahead_leaves_room_to_the_others() {
    let order = in_turn(100, 20);
    let first = order.iter().position(|kind| *kind == 1).expect("sent");
    assert!(first <= 2, "kind 1 waits for all of kind 0: {order:?}");
}

#[test]
fn whoever_has_lacked_room_longest_gets_the_next_token() {
    let mut stage = Stage::new(kinds(3, 2, 0));
    let _long = stage.submit_to(0, options(|_| ()));
    stage.hello(0, 1);
    let _second = stage.submit_to(2, options(|_| ()));
    let _third = stage.submit_to(1, options(|_| ()));
    let _fourth = stage.submit_to(2, options(|_| ()));
    stage.expect(&["spawn w0 s1", "ready w0", "request w0 t0#1", "want"]);
    for expected in ["spawn w4 s2", "spawn w2 s3", "spawn w5 s4"] {
        stage.tell(Event::TokenCame);
        let lines = stage.lines();
        assert_eq!(lines[0], expected, "{lines:?}");
    }
}

fn own(slots: u32) -> Config {
    let mut config = config(slots, 0);
    config.tokens = Tokens::Own;
    config
}

#[test]
fn own_tokens_are_counted_when_nobody_works_and_before_anybody_begins() {
    let mut stage = Stage::new(own(2));
    let first = stage.task();
    stage.hello(0, 1);
    let (second, third) = (stage.task(), stage.task());
    stage.skip();
    stage.reply(0, 1, id(first, 1), OK);
    stage.expect(&["settle t0 ok", "count"]);
    // A token that comes meanwhile changes nothing.
    stage.tell(Event::TokenCame);
    stage.expect(&[]);
    stage.tell(Event::TokensCounted);
    stage.expect(&["request w0 t1#1", "spawn w1 s2"]);
    stage.hello(1, 2);
    stage.reply(1, 2, id(third, 1), OK);
    stage.skip();
    stage.reply(0, 1, id(second, 1), OK);
    stage.expect(&["settle t1 ok", "count"]);
    stage.tell(Event::TokensCounted);
    stage.expect(&[]);
    stage.pass(1);
    stage.expect(&[]);
}

#[test]
fn the_farm_ends_after_the_count() {
    let mut stage = Stage::new(own(1));
    let task = stage.task();
    stage.hello(0, 1);
    stage.shut(Shut::Drain);
    stage.reply(0, 1, id(task, 1), OK);
    stage.skip();
    stage.die(0, 1, farm_protocol::Termination::Exited(0), None);
    assert!(!stage.master.is_stopped());
    stage.tell(Event::TokensCounted);
    assert!(stage.master.is_stopped());
}
