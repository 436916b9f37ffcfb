//! Those who join, whoever is first: they, the last task's end, or the farm's.

use super::*;
use crate::mailbox::Mailbox;
use crate::models::{farm, task_of};
use crate::sync::{Poll, Waker, check, thread};
use farm_master::{Registry, Shut};

#[test]
fn who_joins_is_answered_while_tasks_end_and_the_farm_does() {
    check(|| {
        let (farm, _, queue) = farm();
        let ticket = queue.submit(1);
        let joiners = [
            {
                let farm = farm.clone();
                thread::spawn(move || farm.join())
            },
            thread::spawn(move || queue.join()),
        ];
        ticket.cancel("enough");
        assert_eq!(task_of(ticket.wait()), 1);
        farm.shut(Shut::Kill);
        for joiner in joiners {
            match joiner.join().expect("it ends well") {
                // No worker will ever come for it.
                Joined::Stuck(lines) => assert_eq!(lines.len(), 1),
                Joined::Empty => {}
                Joined::TimedOut { .. } => panic!("without a limit"),
            }
        }
        farm.wait_stopped();
        assert_eq!(farm.join(), Joined::Empty, "joined after the end");
    });
}

#[test]
fn nobody_joins_a_loop_that_has_panicked() {
    check(|| {
        let poll = Poll::new().expect("a poll");
        let waker = Waker::new(poll.registry(), mio::Token(0)).expect("a waker");
        let shared = Arc::new(Shared::new(Arc::new(Mailbox::new(waker)), 0));
        let joiners = [None, Some(KindId(0))].map(|kind| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                assert_eq!(shared.join_or_over(kind, None), Err(Over::Panicked));
            })
        });
        // It plays the loop, which is over before it has heard anybody.
        drop(shared.post.close());
        shared.finish(Registry::new(), Over::Panicked);
        for joiner in joiners {
            joiner.join().expect("it ends well");
        }
    });
}
