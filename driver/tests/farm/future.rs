//! Tickets as futures under an executor of a few lines: a waker that unparks.

use crate::Test;
use crate::stage::{Held, farm, narrow, order, pool, run, soon, stand_still};
use farm_driver::Joined;
use std::future::{Future, IntoFuture};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

pub(crate) const TESTS: &[Test] = &[
    ("a_ticket_is_awaited", a_ticket_is_awaited),
    (
        "a_future_is_woken_once_and_when_it_is_time",
        a_future_is_woken_once_and_when_it_is_time,
    ),
    ("the_first_of_two_wins", the_first_of_two_wins),
    ("many_are_awaited_at_once", many_are_awaited_at_once),
    (
        "a_future_is_woken_when_the_farm_ends",
        a_future_is_woken_when_the_farm_ends,
    ),
    (
        "c3_who_awaits_room_is_pending_and_leaves_no_ghost",
        c3_who_awaits_room,
    ),
    (
        "a_future_gives_its_ticket_back",
        a_future_gives_its_ticket_back,
    ),
];

/// Unparks the thread that polls, and counts.
struct Unpark {
    thread: Thread,
    wakes: AtomicU32,
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.wakes.fetch_add(1, Ordering::Release);
        self.thread.unpark();
    }
}

fn unpark() -> Arc<Unpark> {
    Arc::new(Unpark {
        thread: thread::current(),
        wakes: AtomicU32::new(0),
    })
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let unpark = unpark();
    let waker = Waker::from(Arc::clone(&unpark));
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        // A park that ends by itself is none of the waker's.
        while unpark.wakes.swap(0, Ordering::Acquire) == 0 {
            thread::park();
        }
    }
}

/// Whichever is ready first; the other one is dropped.
struct Race<A, B>(A, B);

impl<A: Future + Unpin, B: Future + Unpin> Future for Race<A, B> {
    type Output = Result<A::Output, B::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Poll::Ready(output) = Pin::new(&mut self.0).poll(cx) {
            return Poll::Ready(Ok(output));
        }
        Pin::new(&mut self.1).poll(cx).map(Err)
    }
}

fn a_ticket_is_awaited() {
    let (_farm, _, queue) = farm(pool("", 1));
    let sum = block_on(async {
        let mut sum = 0;
        for number in 0..20 {
            let settled = queue
                .submit(order("double", number))
                .await
                .expect("admitted");
            assert!(settled.outcome.is_done());
            sum += settled.task.1;
        }
        sum
    });
    assert_eq!(sum, 190);
}

fn a_future_is_woken_once_and_when_it_is_time() {
    let (farm, _, queue) = farm(pool("", 1));
    assert!(run(&queue, "double", 1).outcome.is_done());
    stand_still(&farm);
    let unpark = unpark();
    let waker = Waker::from(Arc::clone(&unpark));
    let mut cx = Context::from_waker(&waker);
    let mut future = queue.submit(order("double", 1)).into_future();
    for _ in 0..3 {
        assert!(Pin::new(&mut future).poll(&mut cx).is_pending());
    }
    assert_eq!(farm.outstanding(), 1);
    assert_eq!(
        unpark.wakes.load(Ordering::Acquire),
        0,
        "nothing has happened"
    );
    farm.resume();
    assert_eq!(farm.join(), Joined::Empty);
    assert_eq!(unpark.wakes.load(Ordering::Acquire), 1);
    let Poll::Ready(resolved) = Pin::new(&mut future).poll(&mut cx) else {
        panic!("it was woken");
    };
    assert!(resolved.expect("admitted").outcome.is_done());
    drop((future, farm));
    assert_eq!(
        unpark.wakes.load(Ordering::Acquire),
        1,
        "the end wakes only who waits"
    );
    drop(waker);
    assert_eq!(Arc::strong_count(&unpark), 1, "no waker is left");
}

fn the_first_of_two_wins() {
    let (farm, _, queue) = farm(pool("", 2));
    let slow = queue.submit(order("hang", 0));
    let fast = queue.submit(order("double", 1));
    let race = Race(slow.into_future(), fast.into_future());
    let won = block_on(race).expect_err("the first one hangs");
    assert_eq!(won.expect("admitted").task.1, 1);
    // To drop a future is to drop its ticket: the task is there.
    assert_eq!(farm.outstanding(), 1);
}

fn many_are_awaited_at_once() {
    let (_farm, _, queue) = farm(pool("", 2));
    let done = thread::scope(|scope| {
        let awaiting = (0..4).map(|thread| {
            let queue = &queue;
            scope.spawn(move || {
                let tickets: Vec<_> = (0..50)
                    .map(|n| queue.submit(order("double", 50 * thread + n)).into_future())
                    .collect();
                block_on(async {
                    let mut done = 0;
                    for ticket in tickets {
                        done += u32::from(ticket.await.expect("admitted").outcome.is_done());
                    }
                    done
                })
            })
        });
        let awaiting: Vec<_> = awaiting.collect();
        awaiting
            .into_iter()
            .map(|it| it.join().expect("no panic"))
            .sum::<u32>()
    });
    assert_eq!(done, 200);
}

fn a_future_is_woken_when_the_farm_ends() {
    let (farm, _, queue) = farm(pool("", 1));
    let hanging = queue.submit(order("hang", 0));
    let awaiting = thread::spawn(move || block_on(hanging.into_future()));
    soon("it runs", || {
        queue.is_empty() && !farm.worker_pids().is_empty()
    });
    drop(farm);
    let resolved = awaiting.join().expect("no panic");
    assert!(resolved.is_ok(), "it was in the farm");
    // After the end it is ready at once.
    let back = block_on(queue.submit(order("double", 1)).into_future());
    assert!(back.is_err(), "handed back");
}

fn a_future_gives_its_ticket_back() {
    let (_farm, _, queue) = farm(pool("", 1));
    let unpark = unpark();
    let waker = Waker::from(Arc::clone(&unpark));
    let mut future = queue.submit(order("hang", 1)).into_future();
    let polled = Pin::new(&mut future).poll(&mut Context::from_waker(&waker));
    assert!(polled.is_pending());
    future.ticket().cancel("enough");
    let settled = future.into_ticket().wait().expect("admitted");
    assert_eq!(settled.outcome.status(), "cancelled");
    assert_eq!(
        unpark.wakes.load(Ordering::Acquire),
        0,
        "the ticket was waited for"
    );
}

fn c3_who_awaits_room() {
    let (farm, _, queue) = farm(narrow(1, 1));
    let held = Held::new("future");
    let runs = queue.submit(held.order());
    let running = held.runs();
    let waits = block_on(queue.enter(order("double", 1), None));
    let mut pending = pin!(queue.enter(order("double", 2), None));
    let unpark = unpark();
    let waker = Waker::from(Arc::clone(&unpark));
    let mut cx = Context::from_waker(&waker);
    assert!(pending.as_mut().poll(&mut cx).is_pending());
    {
        let mut dropped = Box::pin(queue.enter(order("double", 3), None));
        assert!(dropped.as_mut().poll(&mut cx).is_pending());
        assert_eq!(queue.sums().offered, 2);
    }
    assert_eq!(queue.sums().offered, 1, "it took its task with it");
    drop(running);
    let ticket = block_on(pending);
    for ticket in [runs, waits, ticket] {
        assert!(
            block_on(ticket.into_future())
                .expect("admitted")
                .outcome
                .is_done()
        );
    }
    // Whoever waits hears of the end.
    let (held, other) = (Held::new("future-end"), queue.clone());
    let _runs = queue.submit(held.order());
    let _running = held.runs();
    let _waits = queue.submit(order("double", 4));
    let blocked = thread::spawn(move || {
        let ticket = block_on(other.enter(order("double", 5), None));
        ticket
            .try_take()
            .expect("told already")
            .expect_err("refused")
            .task
    });
    soon("it waits", || queue.sums().offered == 1);
    drop(farm);
    assert_eq!(blocked.join().expect("it ends well"), order("double", 5));
}
