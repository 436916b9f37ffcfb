//! Waiting for room, whoever is first: the room, the end of the patience, another submitter, or the end of the farm. A
//! task is in the farm or back with who brought it, never both and never neither.

use super::*;
use crate::Farm;
use crate::models::{Numbered, narrow, task_of};
use crate::sync::{check, thread};
use farm_master::{Refusal, Shut};

/// What is in the farm beside those whose end has been taken.
fn left(farm: &Farm) -> usize {
    farm.outstanding()
}

fn end(farm: &Farm, tickets: impl IntoIterator<Item = (u32, Ticket<Numbered>)>) {
    farm.shut(Shut::Kill);
    for (task, ticket) in tickets {
        assert_eq!(task_of(ticket.wait()), task);
    }
    farm.wait_stopped();
}

#[test]
fn c3_a_timeout_against_the_admission_leaves_the_task_in_one_place() {
    check(|| {
        let (farm, _, queue) = narrow(1);
        let first = queue.submit(1);
        let impatient = {
            let queue = queue.clone();
            thread::spawn(move || queue.submit_timeout(2, Duration::ZERO))
        };
        // Makes room, before, while or after the other gives up.
        first.cancel("enough");
        assert_eq!(task_of(first.wait()), 1);
        let second = match impatient.join().expect("it ends well") {
            Ok(ticket) => {
                assert_eq!(left(&farm), 1, "it is in the farm");
                Some((2, ticket))
            }
            Err(back) => {
                assert_eq!(back.task, 2);
                assert!(matches!(back.refusal, Refusal::TimedOut { .. }));
                assert_eq!(left(&farm), 0, "no ghost");
                None
            }
        };
        end(&farm, second);
    });
}

#[test]
fn c3_two_for_one_place_and_one_of_them_impatient() {
    check(|| {
        let (farm, _, queue) = narrow(1);
        let first = queue.submit(1);
        let [impatient, patient] = [(2, Some(Duration::ZERO)), (3, None)].map(|(task, span)| {
            let queue = queue.clone();
            thread::spawn(move || match span {
                Some(span) => queue.submit_timeout(task, span),
                None => Ok(queue.submit(task)),
            })
        });
        first.cancel("enough");
        let mut tickets = vec![(1, first)];
        // Whether or not the first of them gave up, the other has the place once it is free.
        if let Ok(ticket) = impatient.join().expect("it ends well") {
            ticket.cancel("enough");
            tickets.push((2, ticket));
        }
        let patient = patient.join().expect("it ends well");
        tickets.push((3, patient.expect("it waited")));
        end(&farm, tickets);
    });
}

#[test]
fn c10_whoever_waits_for_room_returns_when_the_farm_ends() {
    check(|| {
        let (farm, _, queue) = narrow(1);
        let first = queue.submit(1);
        let blocked = [2, 3].map(|task| {
            let queue = queue.clone();
            thread::spawn(move || match task {
                2 => assert_eq!(task_of(queue.submit(task).wait()), task),
                _ => match queue.submit_timeout(task, Duration::from_secs(1)) {
                    // Before its turn came, the first one had ended with the farm.
                    Ok(ticket) => assert_eq!(task_of(ticket.wait()), task),
                    Err(back) => assert_eq!(back.task, task),
                },
            })
        });
        farm.shut(Shut::Finish);
        for submitter in blocked {
            submitter.join().expect("it ends well");
        }
        end(&farm, [(1, first)]);
    });
}

#[test]
fn c3_who_does_not_wait_is_in_or_has_the_task_back() {
    check(|| {
        let (farm, _, queue) = narrow(1);
        let tries = [1, 2].map(|task| {
            let queue = queue.clone();
            thread::spawn(move || (task, queue.try_submit(task)))
        });
        let tries = tries.map(|it| it.join().expect("it ends well"));
        let mut tickets = Vec::new();
        for (task, tried) in tries {
            match tried {
                Ok(ticket) => tickets.push((task, ticket)),
                Err(back) => {
                    let full = Refusal::Saturated {
                        queued: 1,
                        max_queued: 1,
                    };
                    assert_eq!((back.task, back.refusal), (task, full));
                }
            }
        }
        assert_eq!(tickets.len(), 1, "there was room for one");
        assert_eq!(left(&farm), 1);
        end(&farm, tickets);
    });
}

#[test]
fn c3_who_does_not_wait_is_answered_while_the_farm_ends() {
    check(|| {
        let (farm, _, queue) = narrow(1);
        let trying = thread::spawn(move || {
            for task in [1, 2] {
                match queue.try_submit(task) {
                    Ok(ticket) => assert_eq!(task_of(ticket.wait()), task),
                    Err(back) => assert_eq!(back.task, task),
                }
            }
        });
        farm.shut(Shut::Finish);
        farm.shut(Shut::Kill);
        trying.join().expect("it ends well");
        farm.wait_stopped();
    });
}

#[test]
fn c11_a_drain_counts_who_is_inside_before_and_behind_the_door() {
    check(|| {
        let (farm, _, queue) = narrow(1);
        let first = queue.submit(1);
        let blocked = {
            let queue = queue.clone();
            thread::spawn(move || assert_eq!(task_of(queue.submit(2).wait()), 2))
        };
        let report = queue.finish(None);
        assert!(report.adds_up(), "{report:?}");
        assert_eq!((report.queued, report.ends.not_run), (1, 1));
        blocked.join().expect("it ends well");
        end(&farm, [(1, first)]);
    });
}
