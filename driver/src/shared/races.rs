//! The list of those to be woken at the end: everybody is on it while they sleep, and nobody after.

use super::*;
use crate::mailbox::Mailbox;
use crate::sync::{Poll, Waker, check};
use std::sync::Arc;

fn shared() -> Arc<Shared> {
    let poll = Poll::new().expect("a poll");
    let waker = Waker::new(poll.registry(), mio::Token(0)).expect("a waker");
    Arc::new(Shared::new(Arc::new(Mailbox::new(waker)), 0))
}

/// Whether the calling thread is on the list.
fn listed(shared: &Shared) -> bool {
    let own = thread::current().id();
    lock(&shared.end).sleepers.iter().any(|s| s.id() == own)
}

#[test]
fn who_sleeps_is_listed_and_who_has_slept_is_not() {
    check(|| {
        let shared = shared();
        let sleepers = [(), ()].map(|()| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                shared.sleeps();
                assert!(listed(&shared));
                shared.slept();
                assert!(!listed(&shared));
            })
        });
        for sleeper in sleepers {
            sleeper.join().expect("it ends well");
        }
        assert!(lock(&shared.end).sleepers.is_empty());
    });
}

#[test]
fn who_sleeps_is_woken_at_the_end() {
    check(|| {
        let shared = shared();
        let sleepers = [(), ()].map(|()| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                shared.sleeps();
                while shared.over() == Over::No {
                    thread::park();
                }
                shared.slept();
                assert_eq!(shared.wait_over(), Over::Stopped);
            })
        });
        shared.enter_loop();
        shared.post.close();
        shared.finish(Registry::new(), Over::Stopped);
        for sleeper in sleepers {
            sleeper.join().expect("it ends well");
        }
        assert!(lock(&shared.end).sleepers.is_empty());
    });
}
