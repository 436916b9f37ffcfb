//! A ticket as a future, whoever is first: who polls, the answer, the end of the farm, or a change of mind.

use super::*;
use crate::mailbox::Mailbox;
use crate::models::{Numbered, farm, task_of};
use crate::sync::atomic::{AtomicU32, Ordering};
use crate::sync::thread::{self, Thread};
use crate::sync::{Poll as SystemPoll, Waker as SystemWaker, check};
use farm_master::lane::Gate;
use farm_master::{Receive, Refusal, Registry, Shut};
use std::pin::pin;
use std::task::Wake;

/// Unparks the thread that polls, and counts.
struct Unpark {
    thread: Thread,
    wakes: AtomicU32,
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.wakes.fetch_add(1, Ordering::Relaxed);
        self.thread.unpark();
    }
}

fn unpark() -> Arc<Unpark> {
    Arc::new(Unpark {
        thread: thread::current(),
        wakes: AtomicU32::new(0),
    })
}

/// Polls until it is ready; nothing but its waker lets it go on.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let unpark = unpark();
    let waker = Waker::from(Arc::clone(&unpark));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => {
                let wakes = || unpark.wakes.swap(0, Ordering::Relaxed);
                while wakes() == 0 {
                    thread::park();
                }
            }
        }
    }
}

#[test]
fn who_awaits_a_ticket_is_woken_by_its_answer() {
    check(|| {
        let (farm, _, queue) = farm();
        let (awaited, kept) = (queue.submit(1), queue.submit(2));
        let awaiting = thread::spawn(move || {
            let future = awaited.into_future();
            future.ticket().cancel("enough");
            assert_eq!(task_of(block_on(future)), 1);
        });
        // The end of the farm would wake whoever was forgotten: it comes after.
        awaiting.join().expect("it ends well");
        farm.shut(Shut::Kill);
        assert_eq!(task_of(block_on(kept.into_future())), 2);
        farm.wait_stopped();
    });
}

#[test]
fn a_future_that_is_dropped_wakes_nobody_and_leaves_nothing() {
    check(|| {
        let (farm, _, queue) = farm();
        let ticket = queue.submit(1);
        let shared = Arc::clone(&ticket.shared);
        let unpark = unpark();
        let waker = Waker::from(Arc::clone(&unpark));
        let mut future = ticket.into_future();
        let polled = Pin::new(&mut future).poll(&mut Context::from_waker(&waker));
        assert!(polled.is_pending());
        drop(waker);
        let ender = {
            let farm = farm.clone();
            thread::spawn(move || farm.shut(Shut::Kill))
        };
        drop(future);
        ender.join().expect("it ends well");
        farm.wait_stopped();
        let (_, listed) = shared.futures(|futures| futures.wakers.len());
        assert_eq!(listed, 0);
        assert_eq!(Arc::strong_count(&unpark), 1, "no waker is left");
    });
}

#[test]
fn nobody_awaits_a_loop_that_has_panicked() {
    check(|| {
        let poll = SystemPoll::new().expect("a poll");
        let waker = SystemWaker::new(poll.registry(), mio::Token(0)).expect("a waker");
        let shared = Arc::new(Shared::new(Arc::new(Mailbox::new(waker)), 0));
        let (answered, forgotten) = (Cell::<Numbered>::new(), Cell::<Numbered>::new());
        let future = |cell: &Arc<Cell<Numbered>>| {
            let ticket = Ticket {
                cell: Arc::clone(cell),
                shared: Arc::clone(&shared),
            };
            ticket.into_future()
        };
        let (first, second) = (future(&answered), future(&forgotten));
        let awaiting = [
            thread::spawn(move || assert_eq!(task_of(block_on(first)), 1)),
            thread::spawn(move || {
                let awaited = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                    block_on(second).map(|_| ())
                }));
                let panic = awaited.expect_err("it is never answered");
                let said = panic.downcast_ref::<&str>().expect("in words");
                assert!(said.contains("the farm's loop has panicked"), "{said}");
            }),
        ];
        // It plays the loop: it answers one, and is over before it comes to the other.
        answered.refused(1, Refusal::NotAdmitting(Gate::Paused));
        drop(shared.post.close());
        shared.finish(Registry::new(), Over::Panicked);
        for awaiting in awaiting {
            awaiting.join().expect("it ends well");
        }
    });
}

#[test]
fn c3_a_drop_against_the_admission_leaves_the_task_in_one_place() {
    check(|| {
        let (farm, _, queue) = crate::models::narrow(1);
        let first = queue.submit(1);
        let fickle = {
            let queue = queue.clone();
            thread::spawn(move || {
                let mut entering = Box::pin(queue.enter(2, None));
                let waker = Waker::from(unpark());
                match entering.as_mut().poll(&mut Context::from_waker(&waker)) {
                    Poll::Ready(ticket) => Some(ticket),
                    Poll::Pending => None,
                }
            })
        };
        first.cancel("enough");
        let ticket = fickle.join().expect("it ends well");
        // Should it have been admitted and then dropped, it is in the farm: its place is made free for the next.
        queue.cancel_all("enough");
        let awaited = block_on(queue.enter(3, None));
        awaited.cancel("enough");
        farm.shut(Shut::Kill);
        assert_eq!(task_of(awaited.wait()), 3);
        if let Some(ticket) = ticket {
            assert_eq!(task_of(ticket.wait()), 2);
        }
        farm.wait_stopped();
    });
}
