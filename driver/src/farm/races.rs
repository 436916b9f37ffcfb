//! Handles of one farm on several threads, while it ends: everybody is answered, nobody waits for
//! ever, and every task comes back once.

use super::*;
use crate::models::{Numbered, Told, farm, task_of};
use crate::sync::{check, thread};
use farm_master::{Receive, Refusal, Settled};

#[test]
fn every_task_is_told_of_once_while_the_farm_ends() {
    check(|| {
        let (farm, _, queue) = farm();
        let told = Arc::new(Told::default());
        let submitters = [1, 2].map(|task| {
            let (queue, waiter) = (queue.clone(), Arc::clone(&told));
            thread::spawn(move || queue.submit_with(task, None, waiter))
        });
        farm.shut(Shut::Kill);
        farm.wait_stopped();
        for submitter in submitters {
            submitter.join().expect("it ends well");
        }
        assert_eq!(told.sorted(), [1, 2]);
    });
}

#[test]
fn who_submits_while_the_farm_ends_has_a_ticket_that_is_resolved() {
    check(|| {
        let (farm, _, queue) = farm();
        let submitters = [1, 2].map(|task| {
            let queue = queue.clone();
            thread::spawn(move || assert_eq!(task_of(queue.submit(task).wait()), task))
        });
        farm.shut(Shut::Stop);
        for submitter in submitters {
            submitter.join().expect("it ends well");
        }
    });
}

#[test]
fn who_submits_after_the_end_has_the_task_back_at_once() {
    check(|| {
        let (farm, _, queue) = farm();
        farm.shut(Shut::Drain);
        farm.wait_stopped();
        let submitters = [1, 2].map(|task| {
            let queue = queue.clone();
            thread::spawn(move || {
                let back = queue.submit(task).try_take();
                assert_eq!(task_of(back.expect("handed back already")), task);
            })
        });
        for submitter in submitters {
            submitter.join().expect("it ends well");
        }
    });
}

/// Submits the task again when it is handed back, once.
struct Stubborn {
    queue: TaskQueue<Numbered>,
    again: Arc<Told>,
    first: Told,
}

impl Stubborn {
    fn back(&self, task: u32) {
        let waiter = Arc::clone(&self.again);
        self.queue.submit_with(task + 10, None, waiter);
    }
}

impl Receive<Numbered> for Stubborn {
    fn settled(&self, settled: Settled<Numbered>) {
        self.back(settled.task);
        self.first.settled(settled);
    }

    fn refused(&self, task: u32, refusal: Refusal) {
        self.back(task);
        self.first.refused(task, refusal);
    }
}

#[test]
fn who_is_told_of_an_end_may_submit_again() {
    check(|| {
        let (farm, _, queue) = farm();
        let stubborn = Arc::new(Stubborn {
            queue: queue.clone(),
            again: Arc::default(),
            first: Told::default(),
        });
        let submitters = [1, 2].map(|task| {
            let (queue, waiter) = (queue.clone(), Arc::clone(&stubborn));
            thread::spawn(move || queue.submit_with(task, None, waiter))
        });
        farm.shut(Shut::Kill);
        for submitter in submitters {
            submitter.join().expect("it ends well");
        }
        farm.wait_stopped();
        assert_eq!(stubborn.first.sorted(), [1, 2]);
        assert_eq!(stubborn.again.sorted(), [11, 12]);
    });
}

#[test]
fn questions_are_answered_or_the_farm_is_over() {
    check(|| {
        let (farm, _, _) = farm();
        let [first, second] = [farm.clone(), farm.clone()];
        let asking = thread::spawn(move || assert_eq!(first.worker_pids(), []));
        let pausing = thread::spawn(move || {
            second.suspend();
            second.resume();
        });
        farm.shut(Shut::Kill);
        asking.join().expect("it ends well");
        pausing.join().expect("it ends well");
        farm.wait_stopped();
        assert_eq!(farm.worker_pids(), [], "asked after the end");
    });
}

#[test]
fn everybody_who_waits_hears_of_the_end() {
    check(|| {
        let (farm, _, _) = farm();
        let waiters = [farm.clone(), farm.clone()].map(|farm| {
            thread::spawn(move || {
                farm.wait_stopped();
                assert_eq!(farm.room.shared.over(), Over::Stopped);
            })
        });
        farm.shut(Shut::Kill);
        for waiter in waiters {
            waiter.join().expect("it ends well");
        }
    });
}

#[test]
fn the_last_handle_takes_the_farm_with_it() {
    check(|| {
        let (farm, _, queue) = farm();
        let handles = [farm.clone(), farm].map(|farm| thread::spawn(move || drop(farm)));
        let submitter = {
            let queue = queue.clone();
            thread::spawn(move || assert_eq!(task_of(queue.submit(1).wait()), 1))
        };
        for handle in handles {
            handle.join().expect("it ends well");
        }
        // Whoever dropped the last has waited for the loop.
        let back = queue.submit(2).try_take();
        assert_eq!(task_of(back.expect("handed back already")), 2);
        submitter.join().expect("it ends well");
    });
}

/// Drops a handle where it is told of an end: on the loop, or where the task was submitted.
struct Holder(Mutex<Option<Farm>>);

impl Receive<Numbered> for Holder {
    fn settled(&self, _: Settled<Numbered>) {
        drop(lock(&self.0).take());
    }

    fn refused(&self, _: u32, _: Refusal) {
        drop(lock(&self.0).take());
    }
}

#[test]
fn the_last_handle_may_be_dropped_by_who_is_told_of_an_end() {
    check(|| {
        let (farm, _, queue) = farm();
        let shared = Arc::clone(&farm.room.shared);
        let other = farm.clone();
        let holder = Arc::new(Holder(Mutex::new(Some(farm))));
        let submitter = thread::spawn(move || queue.submit_with(1, None, holder));
        other.shut(Shut::Finish);
        drop(other);
        submitter.join().expect("it ends well");
        assert_eq!(shared.wait_over(), Over::Stopped);
    });
}
