//! The decoder's thread and the loop: each response comes back once, in its order, also from a
//! thread that is told to end meanwhile.

use super::*;
use crate::mailbox::Mailbox;
use crate::models::Numbered;
use crate::sync::{Poll, Waker, check};
use farm_master::Registry;
use farm_protocol::{Attempt, Session, SlotId, TaskId, encode_into};
use mio::Events;
use std::sync::Arc;

fn listener() -> (Post, Poll) {
    let poll = Poll::new().expect("a poll");
    let waker = Waker::new(poll.registry(), mio::Token(0)).expect("a waker");
    (Arc::new(Mailbox::new(waker)), poll)
}

fn work(number: u32) -> Work {
    let mut registry = Registry::new();
    let kind = registry.register(Numbered);
    let mut bytes = Vec::new();
    encode_into(&number, &mut bytes, 16).expect("a number is short");
    let id = AttemptId {
        task: TaskId::new(number, 0),
        attempt: Attempt(1),
    };
    let place = Place {
        slot: SlotId(0),
        session: Session(1),
    };
    let decoder = registry.decoder(kind);
    Work {
        place,
        id,
        decoder,
        bytes,
    }
}

/// Which response a message brings.
fn number(message: Message) -> u32 {
    let Message::Decoded { id, decoded, .. } = message else {
        unreachable!("only decoders send here: {message:?}");
    };
    let decoded = decoded.expect("a number").downcast::<u32>();
    let number = *decoded.expect("the kind's own response");
    assert_eq!(id.task, TaskId::new(number, 0), "each with its own attempt");
    number
}

#[test]
fn every_response_comes_back_in_its_order() {
    check(|| {
        let (post, poll) = listener();
        let mut events = Events::with_capacity(1);
        let mut decoders = Decoders::default();
        let (mut seen, mut batch) = (Vec::new(), Vec::new());
        decoders.decode(work(1), &post);
        decoders.decode(work(2), &post);
        loop {
            post.take(&mut batch);
            let first = seen.is_empty() && !batch.is_empty();
            seen.extend(batch.drain(..).map(number));
            if first {
                decoders.decode(work(3), &post);
            }
            if seen.len() == 3 {
                break;
            }
            if post.may_sleep() {
                poll.poll(&mut events, None).expect("it sleeps");
                post.awake();
            }
        }
        assert_eq!(seen, [1, 2, 3]);
    });
}

#[test]
fn a_busy_decoder_ends_with_its_work_done_and_bothers_nobody_after_the_end() {
    check(|| {
        let (post, _poll) = listener();
        let mut decoders = Decoders::default();
        for task in 1..=3 {
            decoders.decode(work(task), &post);
        }
        let mut seen = Vec::new();
        post.take(&mut seen);
        // As the loop does at its end.
        seen.extend(post.close());
        drop(decoders);
        assert_eq!(Arc::strong_count(&post), 1, "its thread is gone");
        let seen: Vec<u32> = seen.into_iter().map(number).collect();
        assert_eq!(seen, (1..).take(seen.len()).collect::<Vec<_>>());
    });
}

#[test]
fn a_decoder_that_is_dropped_has_done_its_work() {
    check(|| {
        let (post, _poll) = listener();
        let mut decoders = Decoders::default();
        for task in 1..=3 {
            decoders.decode(work(task), &post);
        }
        drop(decoders);
        let seen: Vec<u32> = post.close().into_iter().map(number).collect();
        assert_eq!(seen, [1, 2, 3]);
    });
}
