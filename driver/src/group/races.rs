//! A group, whoever is first: the one who waits, its end, the end of the farm, or a change of mind.

use super::*;
use crate::models::{farm, task_of};
use crate::sync::{check, thread};
use farm_master::{Decision, Shut};

#[test]
fn who_waits_for_a_group_hears_of_it_however_the_farm_ends() {
    check(|| {
        let (farm, _, queue) = farm();
        let ender = {
            let farm = farm.clone();
            thread::spawn(move || farm.shut(Shut::Kill))
        };
        let (end, members) = queue.submit_group(Rule::All, [1, 2]).wait();
        match end {
            Ok(end) => assert_eq!(end.decision, Decision::AllEnded { done: 0, of: 2 }),
            Err(refusal) => assert_eq!(refusal, ScopeRefusal::FarmOver),
        }
        let members: Vec<u32> = members.into_iter().map(task_of).collect();
        assert_eq!(members, [1, 2]);
        ender.join().expect("it ends well");
        farm.wait_stopped();
    });
}

#[test]
fn a_cancelled_group_is_over_and_so_are_its_members() {
    check(|| {
        let (farm, _, queue) = farm();
        let group = farm.group(Rule::FirstError).open();
        let ticket = group.submit(&queue, 1);
        let scope = group.id();
        let shared = Arc::clone(&group.shared);
        let canceller = thread::spawn(move || {
            let reason = "enough".to_owned();
            shared.post(Message::CancelScope { scope, reason });
        });
        let end = group.wait().expect("the farm is there");
        let reason = "enough".to_owned();
        assert_eq!(end.decision, Decision::Cancelled { reason });
        assert!(ticket.try_take().is_ok(), "its members were told first");
        canceller.join().expect("it ends well");
        farm.shut(Shut::Kill);
        farm.wait_stopped();
    });
}

#[test]
fn impatience_loses_nothing_and_a_dropped_group_is_nobody_s_loss() {
    check(|| {
        let (farm, _, queue) = farm();
        let group = farm.group(Rule::All).open();
        let ticket = group.submit(&queue, 1);
        let impatient = thread::spawn(move || drop(group.wait_timeout(Duration::ZERO)));
        assert_eq!(task_of(ticket.wait()), 1);
        impatient.join().expect("it ends well");
        farm.shut(Shut::Kill);
        farm.wait_stopped();
    });
}
