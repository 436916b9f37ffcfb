//! A ticket, whoever is first: the one who waits, the answer, the end of the farm, or a change of
//! mind.

use super::*;
use crate::mailbox::Mailbox;
use crate::models::{Numbered, farm, task_of};
use crate::shared::Over;
use crate::sync::thread;
use crate::sync::{Poll, Waker, check};
use farm_master::lane::Gate;
use farm_master::{CancelledBy, Outcome, Registry, Shut};

#[test]
fn a_cancelled_task_is_known_by_then_and_its_ticket_is_resolved() {
    check(|| {
        let (farm, _, queue) = farm();
        let ticket = Arc::new(queue.submit(1));
        let canceller = {
            let ticket = Arc::clone(&ticket);
            thread::spawn(move || ticket.cancel("second thoughts"))
        };
        ticket.cancel("first thoughts");
        canceller.join().expect("it ends well");
        let ticket = Arc::into_inner(ticket).expect("the other one is gone");
        let cell = Arc::clone(&ticket.cell);
        let settled = ticket.wait().expect("the farm is there");
        assert_eq!(cell.id(), Some(settled.id), "learned before it ended");
        assert!(matches!(
            settled.outcome,
            Outcome::Cancelled {
                by: CancelledBy::Caller(_),
                ..
            }
        ));
        farm.shut(Shut::Kill);
        farm.wait_stopped();
    });
}

#[test]
fn a_ticket_goes_from_one_who_waits_to_another() {
    check(|| {
        let (farm, _, queue) = farm();
        let ticket = queue.submit(1);
        let (shared, id) = (Arc::clone(&ticket.shared), Arc::clone(&ticket.cell));
        let impatient = thread::spawn(move || match ticket.wait_timeout(Duration::ZERO) {
            Ok(resolved) => assert_eq!(task_of(resolved), 1),
            Err(ticket) => {
                let other = thread::spawn(|| assert_eq!(task_of(ticket.wait()), 1));
                other.join().expect("it ends well");
            }
        });
        // The end of the farm would wake whoever was forgotten: it comes after.
        shared.post(Message::CancelTicket {
            ticket: id,
            reason: "enough".to_owned(),
        });
        impatient.join().expect("it ends well");
        farm.shut(Shut::Kill);
        farm.wait_stopped();
    });
}

#[test]
fn dropped_tickets_are_nobody_s_loss() {
    check(|| {
        let (farm, _, queue) = farm();
        let kept = queue.submit(1);
        let dropped = queue.submit(2);
        let impatient = thread::spawn(move || drop(dropped.wait_timeout(Duration::ZERO)));
        farm.shut(Shut::Kill);
        assert_eq!(task_of(kept.wait()), 1);
        impatient.join().expect("it ends well");
        farm.wait_stopped();
    });
}

#[test]
fn nobody_waits_for_a_loop_that_has_panicked() {
    check(|| {
        let poll = Poll::new().expect("a poll");
        let waker = Waker::new(poll.registry(), mio::Token(0)).expect("a waker");
        let shared = Arc::new(Shared::new(Arc::new(Mailbox::new(waker)), 0));
        let ticket = |cell: &Arc<Cell<Numbered>>| Ticket {
            cell: Arc::clone(cell),
            shared: Arc::clone(&shared),
        };
        let (answered, forgotten) = (Cell::new(), Cell::new());
        let waiters = [(&answered, Some(1)), (&forgotten, None)].map(|(cell, answer)| {
            let ticket = ticket(cell);
            thread::spawn(move || {
                let resolved = ticket.sleep(None).unwrap_or_else(|()| unreachable!());
                assert_eq!(resolved.map(task_of), answer);
            })
        });
        // It plays the loop: it answers one, and is over before it comes to the other.
        answered.refused(1, Refusal::NotAdmitting(Gate::Paused));
        shared.post.close();
        shared.finish(Registry::new(), Over::Panicked);
        for waiter in waiters {
            waiter.join().expect("it ends well");
        }
    });
}
