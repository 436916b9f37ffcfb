//! A scope in several hands: who renews and who submits meanwhile.

use super::*;
use crate::models::{farm, task_of};
use crate::sync::{check, thread};
use farm_master::Shut;

#[test]
fn of_two_who_renew_the_later_one_s_scope_lasts() {
    check(|| {
        let (farm, _, queue) = farm();
        let scope = Arc::new(farm.scope());
        let other = {
            let scope = Arc::clone(&scope);
            thread::spawn(move || {
                scope.renew("edited");
            })
        };
        scope.renew("edited as well");
        other.join().expect("it ends well");
        let ticket = queue.submit_in(&scope, 1, None);
        scope.cancel("enough");
        let settled = ticket.wait().expect("its scope is open");
        assert_eq!(settled.scope, Some(scope.id()));
        assert!(!scope.is_current(&settled), "it was cancelled");
        farm.shut(Shut::Kill);
        farm.wait_stopped();
    });
}

#[test]
fn what_is_submitted_while_a_scope_is_renewed_or_dropped_has_an_end() {
    check(|| {
        let (farm, _, queue) = farm();
        let parent = farm.scope();
        let scope = Arc::new(parent.child());
        let submitter = {
            let (scope, queue) = (Arc::clone(&scope), queue.clone());
            thread::spawn(move || [1, 2].map(|task| queue.submit_in(&scope, task, None)))
        };
        scope.renew("edited");
        drop(parent);
        for (ticket, task) in submitter.join().expect("it ends well").into_iter().zip(1..) {
            assert_eq!(task_of(ticket.wait()), task);
        }
        farm.shut(Shut::Kill);
        farm.wait_stopped();
    });
}
