//! The mailbox in every order that its threads can take: no message left behind, none lost, none
//! twice, and one wake-up for each sleep that a message ends.

use super::*;
use crate::sync::{Condvar, MutexGuard, wait};
use loom::thread;
use std::sync::Arc;

/// A sleep that remembers a wake-up, as the poll's does, and counts.
#[derive(Clone)]
struct Bell {
    state: Arc<(Mutex<Rung>, Condvar)>,
}

#[derive(Clone, Copy, Default)]
struct Rung {
    rung: bool,
    times: u32,
}

impl Bell {
    fn new() -> Self {
        let state = Arc::new((Mutex::new(Rung::default()), Condvar::new()));
        Self { state }
    }

    fn state(&self) -> MutexGuard<'_, Rung> {
        lock(&self.state.0)
    }

    fn hear(&self) {
        let mut state = self.state();
        while !state.rung {
            state = wait(&self.state.1, state);
        }
        state.rung = false;
    }

    fn times(&self) -> u32 {
        self.state().times
    }
}

impl Wake for Bell {
    fn wake(&self) {
        let mut state = self.state();
        state.rung = true;
        state.times += 1;
        drop(state);
        self.state.1.notify_one();
    }
}

type Letters = Arc<Mailbox<u32, Bell>>;

fn mailbox() -> (Letters, Bell) {
    let bell = Bell::new();
    (Arc::new(Mailbox::new(bell.clone())), bell)
}

/// A thread that sends these, in this order; it gives those that came back.
fn sender(mailbox: &Letters, letters: &'static [u32]) -> thread::JoinHandle<Vec<u32>> {
    let mailbox = Arc::clone(mailbox);
    thread::spawn(move || {
        let sent = letters.iter().map(|letter| mailbox.push(*letter));
        sent.filter_map(Result::err).collect()
    })
}

/// Listens as the loop does until it has so many; how often it slept.
fn listen(mailbox: &Letters, bell: &Bell, seen: &mut Vec<u32>, count: usize) -> u32 {
    let (mut sleeps, mut batch) = (0, Vec::new());
    loop {
        mailbox.take(&mut batch);
        seen.append(&mut batch);
        if seen.len() >= count {
            return sleeps;
        }
        if mailbox.may_sleep() {
            sleeps += 1;
            bell.hear();
            mailbox.awake();
        }
    }
}

fn joined(sender: thread::JoinHandle<Vec<u32>>) -> Vec<u32> {
    sender.join().expect("it ends well")
}

#[test]
fn no_message_is_left_behind_a_sleeper() {
    loom::model(|| {
        let (mailbox, bell) = mailbox();
        let sender = sender(&mailbox, &[1, 2]);
        let mut seen = Vec::new();
        // Were one left behind, nobody could go on.
        let sleeps = listen(&mailbox, &bell, &mut seen, 2);
        assert_eq!(joined(sender), [], "the listener is there");
        assert_eq!(seen, [1, 2], "in order, each once");
        assert_eq!(bell.times(), sleeps, "one wake-up ends one sleep");
    });
}

#[test]
fn two_senders_at_once_lose_nothing() {
    loom::model(|| {
        let (mailbox, bell) = mailbox();
        let senders = [sender(&mailbox, &[1]), sender(&mailbox, &[2])];
        let mut seen = Vec::new();
        let sleeps = listen(&mailbox, &bell, &mut seen, 2);
        for sender in senders {
            assert_eq!(joined(sender), []);
        }
        seen.sort_unstable();
        assert_eq!(seen, [1, 2]);
        assert_eq!(bell.times(), sleeps, "one wake-up ends one sleep");
    });
}

#[test]
fn a_message_comes_out_of_the_end_or_back() {
    loom::model(|| {
        let (mailbox, bell) = mailbox();
        let senders = [sender(&mailbox, &[1, 2]), sender(&mailbox, &[3])];
        let (mut seen, mut batch) = (Vec::new(), Vec::new());
        mailbox.take(&mut batch);
        seen.append(&mut batch);
        // It leaves as one that meant to sleep: what comes from now on needs no wake-up.
        let sleeps = u32::from(mailbox.may_sleep());
        seen.extend(mailbox.close());
        let back: Vec<u32> = senders.into_iter().flat_map(joined).collect();
        assert!(
            !(back.contains(&1) && seen.contains(&2)),
            "after the end everything comes back"
        );
        assert!(bell.times() <= sleeps, "nobody rings for one who is gone");
        assert_eq!(mailbox.close(), [], "nothing came in behind the end");
        seen.extend(back);
        seen.sort_unstable();
        assert_eq!(seen, [1, 2, 3], "each here or there, once");
    });
}

#[test]
fn a_sleep_that_ends_by_itself_loses_no_message() {
    loom::model(|| {
        let (mailbox, bell) = mailbox();
        let sender = sender(&mailbox, &[1, 2]);
        // A deadline came, or a pipe had something: nobody had to ring.
        let sleeps = u32::from(mailbox.may_sleep());
        mailbox.awake();
        let mut seen = Vec::new();
        let more = listen(&mailbox, &bell, &mut seen, 2);
        assert_eq!(joined(sender), []);
        assert_eq!(seen, [1, 2]);
        assert!(bell.times() <= sleeps + more, "a sleep is ended once");
    });
}
