//! A stream of partial results, whoever is first: who waits, what is said, or the end.

use super::*;
use crate::mailbox::Mailbox;
use crate::models::{Numbered, farm, task_of};
use crate::sync::{Poll, Waker, check};
use farm_master::lane::Gate;
use farm_master::{Registry, Shut};
use farm_protocol::TaskId;

#[test]
fn a_stream_ends_with_its_task() {
    check(|| {
        let (farm, _, queue) = farm();
        let (ticket, mut partials) = queue.submit_watched(1, None);
        let listener = thread::spawn(move || assert!(partials.recv().is_none()));
        ticket.cancel("enough");
        assert_eq!(task_of(ticket.wait()), 1);
        // The end of the farm would wake whoever was forgotten: it comes after.
        listener.join().expect("it ends well");
        farm.shut(Shut::Kill);
        farm.wait_stopped();
    });
}

#[test]
fn all_that_was_said_is_heard_and_nobody_waits_for_a_loop_that_is_gone() {
    check(|| {
        let poll = Poll::new().expect("a poll");
        let waker = Waker::new(poll.registry(), mio::Token(0)).expect("a waker");
        let shared = Arc::new(Shared::new(Arc::new(Mailbox::new(waker)), 0));
        let id = AttemptId {
            task: TaskId::new(0, 0),
            attempt: Attempt(1),
        };
        let streams = [true, false]
            .map(|_| Partials::<Numbered>::new(Cell::new(), Arc::clone(&shared), PARTIALS_KEPT));
        let [(heard, ended), (forgotten, never)] = streams;
        let listeners = [heard, forgotten].map(|partials| {
            thread::spawn(move || {
                let said: Vec<_> = partials.map(|partial| partial.feedback).collect();
                assert_eq!(said, [1, 2]);
            })
        });
        // It plays the loop: it ends one task, and is over before it comes to the other.
        for watched in [&ended, &never] {
            watched.feedback(id, 1);
            watched.feedback(id, 2);
        }
        ended.refused(1, Refusal::NotAdmitting(Gate::Paused));
        shared.post.close();
        shared.finish(Registry::new(), Over::Panicked);
        for listener in listeners {
            listener.join().expect("it ends well");
        }
    });
}
