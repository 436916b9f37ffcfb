//! A source that waits, and those who wake it: it is asked again after every wake-up.

use super::*;
use crate::models::{Numbered, farm};
use crate::sync::{Bell, Mutex, check, lock, thread};
use farm_master::Shut;

/// Tasks that somebody else puts there.
#[derive(Clone, Default)]
struct Stock {
    there: Arc<Mutex<Vec<u32>>>,
    pulled: Arc<Mutex<Vec<u32>>>,
    /// Rung when three have been pulled.
    enough: Arc<Bell>,
}

impl Source<Numbered> for Stock {
    fn pull(&mut self, demand: usize, intake: &mut Intake<'_, Numbered>) -> SourceState {
        assert!(demand > 3, "the lane has room for all");
        for task in lock(&self.there).drain(..) {
            intake.submit(task, None, None);
            let mut pulled = lock(&self.pulled);
            pulled.push(task);
            if pulled.len() == 3 {
                self.enough.ring();
            }
        }
        SourceState::Waiting
    }
}

#[test]
fn what_is_there_before_a_wake_up_is_pulled_after_it() {
    check(|| {
        let (farm, kind, _) = farm();
        let stock = Stock::default();
        let waker = farm.feed(kind, stock.clone());
        let suppliers = [&[1, 2][..], &[3]].map(|tasks| {
            let (there, waker) = (Arc::clone(&stock.there), waker.clone());
            thread::spawn(move || {
                for task in tasks {
                    lock(&there).push(*task);
                    waker.wake();
                }
            })
        });
        // Were a wake-up lost, nobody would go on.
        stock.enough.hear();
        for supplier in suppliers {
            supplier.join().expect("it ends well");
        }
        lock(&stock.pulled).sort_unstable();
        assert_eq!(*lock(&stock.pulled), [1, 2, 3]);
        farm.shut(Shut::Kill);
        farm.wait_stopped();
        waker.wake();
    });
}

#[test]
fn wake_ups_of_one_source_are_none_of_another_s_business() {
    check(|| {
        let (farm, kind, _) = farm();
        let (one, other) = (Stock::default(), Stock::default());
        let wakers = [(&one, 0), (&other, 10)].map(|(stock, first)| {
            let waker = farm.feed(kind, stock.clone());
            let there = Arc::clone(&stock.there);
            thread::spawn(move || {
                lock(&there).push(first);
                waker.wake();
                lock(&there).extend([first + 1, first + 2]);
                waker.wake();
            })
        });
        one.enough.hear();
        other.enough.hear();
        for waker in wakers {
            waker.join().expect("it ends well");
        }
        farm.shut(Shut::Kill);
        farm.wait_stopped();
        assert_eq!(*lock(&one.pulled), [0, 1, 2]);
        assert_eq!(*lock(&other.pulled), [10, 11, 12]);
    });
}
