//! Straight-line processes. What a body finds wrong it says by a panic, which fails the run.

use crate::worlds::{DONE, Log, World, both_ways, millis, passed};
use farm_lockstep::{Body, Config, Exit, Handle, Pid, SpawnOptions};
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::rc::Rc;

fn body<F: Future<Output = Exit> + 'static>(
    world: &mut World,
    straight: impl FnOnce(Handle<u32>) -> F,
) -> Pid {
    world.spawn(Body::new(straight), SpawnOptions::new("body", 0))
}

#[test]
fn a_body_receives_what_was_sent_in_its_order() {
    passed(Config::default(), 50, |world| {
        body(world, |me| async move {
            for number in 0..4 {
                me.send(Pid(1), number).await;
            }
            DONE
        });
        body(world, |me| async move {
            for number in 0..4 {
                assert_eq!(me.receive().await, (Pid(0), number));
            }
            assert_eq!(me.me(), Pid(1));
            DONE
        });
    });
}

#[test]
fn a_matcher_leaves_the_others_where_they_are() {
    passed(Config::default(), 100, |world| {
        body(world, |me| async move {
            for number in [1, 2, 7, 3] {
                me.send(Pid(1), number).await;
                me.sync().await;
            }
            DONE
        });
        body(world, |me| async move {
            assert_eq!(
                me.receive_match(|number| *number == 7, None).await,
                Some((Pid(0), 7))
            );
            for number in [1, 2, 3] {
                assert_eq!(me.receive().await.1, number);
            }
            DONE
        });
    });
}

#[test]
fn waiting_has_a_limit() {
    passed(Config::default(), 100, |world| {
        body(world, |me| async move {
            assert_eq!(me.receive_match(|_| true, Some(millis(20))).await, None);
            assert!(me.now().since(farm_lockstep::VTime::START) >= millis(20));
            me.sleep(millis(30)).await;
            assert!(me.now().since(farm_lockstep::VTime::START) >= millis(50));
            DONE
        });
    });
}

/// A message and the end of the wait come together, and one of them is stale when the next wait begins.
#[test]
fn a_stale_wake_up_does_not_end_a_later_wait() {
    let logs = RefCell::new(Vec::new());
    passed(Config::default(), 500, |world| {
        let log = Rc::new(RefCell::new(Log::new()));
        logs.borrow_mut().push(Rc::clone(&log));
        body(world, |me| async move {
            for _ in 0..3 {
                me.sleep(millis(10)).await;
                me.send(Pid(1), 0).await;
            }
            DONE
        });
        body(world, move |me| async move {
            let came = me.receive_match(|_| true, Some(millis(10))).await;
            log.borrow_mut().push(format!("{}", came.is_some()));
            let before = me.now();
            me.sleep(millis(100)).await;
            assert!(me.now().since(before) >= millis(100));
            me.sync().await;
            let before = me.now();
            let none = me
                .receive_match(|number| *number == 9, Some(millis(7)))
                .await;
            assert_eq!(none, None);
            assert!(me.now().since(before) >= millis(7));
            DONE
        });
    });
    let logs: Vec<Log> = logs
        .into_inner()
        .iter()
        .map(|log| log.borrow().clone())
        .collect();
    both_ways(&logs, |log| log[0] == "true");
}

#[test]
fn a_body_gives_way_and_chooses() {
    let seen = Rc::new(RefCell::new(Vec::new()));
    passed(Config::default(), 100, |world| {
        let number = Rc::new(Cell::new(0));
        for _ in 0..2 {
            let (number, seen) = (Rc::clone(&number), Rc::clone(&seen));
            body(world, |me| async move {
                let read = number.get();
                me.sync().await;
                number.set(read + 1);
                let chosen = me.choose(3, "one of three").await;
                assert!(!me.chance(0, "never").await && me.chance(1_000, "always").await);
                seen.borrow_mut().push((number.get(), chosen));
                DONE
            });
        }
    });
    let seen = seen.borrow();
    for chosen in 0..3 {
        assert!(seen.iter().any(|(_, which)| *which == chosen));
    }
    // Without a step of its own for the second half nobody would ever see a lost update.
    let lost = seen.chunks(2).filter(|pair| pair[1].0 == 1).count();
    assert!(0 < lost && lost < seen.len() / 2, "{lost}");
}
