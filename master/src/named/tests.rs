//! The rules of the table, one by one, and in drawn orders. The ids B2 to B15 are those of `docs/backpressure.md`; what needs
//! processes of them is in `tests/named` of the root package.

mod random;

use super::*;
use crate::outcome::HowStopped;
use std::num::NonZeroUsize;

fn at(ms: u64) -> Instant {
    Instant::from_millis(ms)
}

fn table(rule: Rule) -> Table {
    Table::new(rule, NonZeroU32::new(4).expect("not zero"))
}

fn bounded(most: usize) -> Rule {
    Rule::Bounded(NonZeroUsize::new(most).expect("not zero"))
}

/// Everything that is to be done, with the books checked.
fn actions(table: &mut Table) -> Vec<Action> {
    table.check_invariants();
    std::iter::from_fn(|| table.take_action()).collect()
}

/// A worker that runs and has nothing to do.
fn running(table: &mut Table, name: &str) -> WorkerId {
    let worker = table.launch(at(1), name, None).expect("there is room");
    table.launched(at(2), worker);
    let done = actions(table);
    assert!(done.starts_with(&[Action::Launch { worker }, Action::Launched { worker }]));
    worker
}

fn push(table: &mut Table, worker: WorkerId) -> RequestId {
    table
        .push(at(3), worker, true)
        .expect("it takes requests")
        .0
}

fn sent(worker: WorkerId, request: RequestId) -> Action {
    Action::Send { worker, request }
}

fn resolved(request: RequestId, with: Resolution) -> Action {
    Action::Resolve { request, with }
}

/// The process has answered, and its hook says this.
fn answer(table: &mut Table, worker: WorkerId, request: RequestId, verdict: Verdict) {
    table.treated(at(5), worker, request, Treated::Answered { ok: true });
    let ok = true;
    let judge = Action::Judge {
        worker,
        request,
        ok,
    };
    assert_eq!(actions(table), [judge], "the hook is before the waiter");
    table.judged(at(6), worker, request, Ok(verdict));
}

/// The end of a worker whose process goes.
fn goes(table: &mut Table, worker: WorkerId) -> Vec<Action> {
    table.gone(at(9), worker, None);
    assert_eq!(actions(table), [Action::Close { worker }]);
    table.closed(worker);
    actions(table)
}

#[test]
fn b2_a_mailbox_holds_exactly_what_it_says_and_takes_in_by_turns() {
    for most in [1, 2] {
        let mut table = table(bounded(most));
        let worker = running(&mut table, "a");
        let first = push(&mut table, worker);
        assert_eq!(actions(&mut table), [sent(worker, first)]);
        let waiting: Vec<_> = (0..most).map(|_| push(&mut table, worker)).collect();
        assert_eq!(table.view(worker).expect("it is there").queued, most);
        let full = Full { queued: most, most };
        assert_eq!(
            table.push(at(4), worker, false),
            Err(PushRefused::Full(full))
        );
        let (second, third) = (push(&mut table, worker), push(&mut table, worker));
        assert_eq!(actions(&mut table), []);
        answer(&mut table, worker, first, Verdict::Continue);
        let wanted = [
            resolved(first, Resolution::Answer),
            sent(worker, waiting[0]),
            Action::Admitted { request: second },
        ];
        assert_eq!(actions(&mut table), wanted);
        // Who gives up waiting for room is nowhere any more; who is in the mailbox is.
        assert!(table.withdraw(third) && !table.withdraw(third) && !table.withdraw(second));
    }
}

#[test]
fn b6_a_name_is_taken_until_its_worker_is_closed_or_was_not_launched() {
    let mut table = table(Rule::Unbounded);
    let worker = running(&mut table, "a");
    let again = |table: &mut Table| table.launch(at(7), "a", None);
    assert_eq!(again(&mut table), Err(LaunchRefused::DuplicateName));
    table.shutdown(at(8), worker, Shutdown::Drop);
    let ended = [Action::Cancel { worker }, Action::End { worker }];
    assert_eq!(actions(&mut table), ended);
    assert_eq!(again(&mut table), Err(LaunchRefused::DuplicateName));
    assert_eq!(goes(&mut table, worker).len(), 1);
    let next = again(&mut table).expect("the name is free");
    assert_ne!(next, worker);
    table.launch_failed(at(10), next);
    assert!(actions(&mut table).contains(&Action::NotLaunched { worker: next }));
    again(&mut table).expect("a launch that failed frees the name");
}

#[test]
fn a_table_has_so_many_places() {
    let mut table = table(Rule::Unbounded);
    for name in ["a", "b", "c", "d"] {
        running(&mut table, name);
    }
    let most = NonZeroU32::new(4).expect("not zero");
    assert_eq!(
        table.launch(at(5), "e", None),
        Err(LaunchRefused::Full { most })
    );
}

#[test]
fn b9_everybody_who_waits_is_told_the_reason_the_one_in_treatment_first() {
    let mut table = table(bounded(1));
    let worker = running(&mut table, "a");
    let requests: Vec<_> = (0..3).map(|_| push(&mut table, worker)).collect();
    actions(&mut table);
    let crash = |why: &str, during| Crash {
        why: why.to_owned(),
        during,
    };
    let died = Treated::Died(crash("killed by SIGKILL", None));
    table.treated(at(5), worker, requests[0], died);
    let reason = Arc::new(crash("killed by SIGKILL", Some(requests[0])));
    let with = || Resolution::Closed(Some(Arc::clone(&reason)));
    let mut wanted: Vec<_> = requests.iter().map(|it| resolved(*it, with())).collect();
    wanted.extend([Action::Cancel { worker }, Action::End { worker }]);
    assert_eq!(actions(&mut table), wanted);
    let refused = table.push(at(6), worker, true);
    assert_eq!(refused, Err(PushRefused::Closed(Some(Arc::clone(&reason)))));
    // A second reason changes nothing.
    table.close(at(7), worker, Some(crash("another", None)));
    let closed = Action::Closed {
        worker,
        crash: Some(reason),
    };
    assert_eq!(goes(&mut table, worker), [closed]);
    assert_eq!(table.ledger(), (3, 3));
}

#[test]
fn b11_a_worker_that_dies_idle_is_closed_like_any_other() {
    let mut table = table(Rule::Unbounded);
    let worker = running(&mut table, "a");
    let crash = Crash {
        why: "exited with 3".to_owned(),
        during: None,
    };
    table.gone(at(5), worker, Some(crash.clone()));
    let told = [Action::Cancel { worker }, Action::Close { worker }];
    assert_eq!(actions(&mut table), told);
    table.closed(worker);
    let crash = Some(Arc::new(crash));
    assert_eq!(actions(&mut table), [Action::Closed { worker, crash }]);
}

#[test]
fn b10_a_drain_treats_what_waits_and_takes_nothing_until_its_time_is_over() {
    for in_time in [true, false] {
        let mut table = table(bounded(1));
        let worker = running(&mut table, "a");
        let requests: Vec<_> = (0..3).map(|_| push(&mut table, worker)).collect();
        actions(&mut table);
        table.shutdown(at(4), worker, Shutdown::Drain { until: at(50) });
        let blocked = resolved(requests[2], Resolution::Closed(None));
        assert_eq!(actions(&mut table), [blocked]);
        let refused = table.push(at(4), worker, true);
        assert_eq!(refused, Err(PushRefused::Closed(None)));
        answer(&mut table, worker, requests[0], Verdict::Continue);
        let done = resolved(requests[0], Resolution::Answer);
        assert_eq!(actions(&mut table), [done, sent(worker, requests[1])]);
        let end = [Action::Cancel { worker }, Action::End { worker }];
        if in_time {
            answer(&mut table, worker, requests[1], Verdict::Continue);
            let done = resolved(requests[1], Resolution::Answer);
            assert_eq!(actions(&mut table)[..1], [done]);
        } else {
            assert_eq!(table.deadline(), Some(at(50)));
            table.wake(at(50));
            let dropped = resolved(requests[1], Resolution::Closed(None));
            assert_eq!(
                actions(&mut table),
                [&[dropped][..], &end].concat(),
                "a drop"
            );
        }
        assert_eq!(goes(&mut table, worker).len(), 1);
    }
}

#[test]
fn b7_verdicts_end_a_worker_after_the_answer_is_told() {
    let rows = [
        (Verdict::Shutdown, None),
        (Verdict::Crash("no".to_owned()), Some("no")),
    ];
    for (verdict, why) in rows {
        let mut table = table(Rule::Unbounded);
        let worker = running(&mut table, "a");
        let (first, second) = (push(&mut table, worker), push(&mut table, worker));
        actions(&mut table);
        answer(&mut table, worker, first, verdict);
        let told = actions(&mut table);
        assert_eq!(told[0], resolved(first, Resolution::Answer));
        let Action::Resolve {
            request,
            with: Resolution::Closed(crash),
        } = &told[1]
        else {
            panic!("the next is told that it closes: {told:?}")
        };
        assert_eq!(*request, second);
        assert_eq!(crash.as_ref().map(|crash| &*crash.why), why);
    }
}

#[test]
fn b12_a_hook_that_panics_costs_its_worker_and_its_waiter_the_answer() {
    let mut table = table(Rule::Unbounded);
    let worker = running(&mut table, "a");
    let request = push(&mut table, worker);
    actions(&mut table);
    table.treated(at(5), worker, request, Treated::Answered { ok: false });
    actions(&mut table);
    table.judged(
        at(6),
        worker,
        request,
        Err("`on_error` panicked".to_owned()),
    );
    let told = actions(&mut table);
    let fault = Resolution::Fault("`on_error` panicked".to_owned());
    assert_eq!(told[0], resolved(request, fault));
    assert!(table.view(worker).expect("there").phase.crash().is_some());
}

#[test]
fn b5_a_dropbox_merges_and_tells_whoever_is_displaced() {
    let rows = [
        (Merge::Newest, [Some(Resolution::Displaced), None]),
        (Merge::Oldest, [None, Some(Resolution::Displaced)]),
        (Merge::Combined, [None, None]),
        (
            Merge::Empty,
            [Some(Resolution::Displaced), Some(Resolution::Displaced)],
        ),
    ];
    for (merge, told) in rows {
        let mut table = table(Rule::Dropbox);
        let worker = running(&mut table, "a");
        let put = |table: &mut Table, ms, merge| table.put(at(ms), worker, merge).expect("open");
        let busy = put(&mut table, 3, Merge::Newest);
        let old = put(&mut table, 4, Merge::Newest);
        actions(&mut table);
        assert_eq!(table.waiting(worker), Some(old));
        let new = put(&mut table, 5, merge);
        let both = [old, new].into_iter().zip(told);
        let wanted: Vec<_> = both
            .filter_map(|(request, with)| Some(resolved(request, with?)))
            .collect();
        assert_eq!(actions(&mut table), wanted, "{merge:?}");
        answer(&mut table, worker, busy, Verdict::Continue);
        let done = actions(&mut table);
        let next = match merge {
            Merge::Newest => Some(new),
            Merge::Oldest | Merge::Combined => Some(old),
            Merge::Empty => None,
        };
        assert_eq!(done.get(1), next.map(|next| sent(worker, next)).as_ref());
        let Some(next) = next else { continue };
        let (pending, _) = table.view(worker).expect("there").current.expect("busy");
        let pushed = if merge == Merge::Newest { 5 } else { 4 };
        assert_eq!((pending.request, pending.pushed), (next, at(pushed)));
        answer(&mut table, worker, next, Verdict::Continue);
        let both: Vec<_> = actions(&mut table);
        let sharing = usize::from(merge == Merge::Combined);
        assert_eq!(both.len(), 1 + sharing, "{merge:?}: {both:?}");
    }
}

#[test]
fn a_cancel_waits_for_the_treatment_and_for_nothing_else() {
    let mut table = table(bounded(1));
    let worker = running(&mut table, "a");
    let requests: Vec<_> = (0..3).map(|_| push(&mut table, worker)).collect();
    actions(&mut table);
    let how = HowStopped::BeforeStart;
    let reason = || "enough".to_owned();
    let cancelled = |how| Resolution::Cancelled {
        reason: reason(),
        how,
    };
    table.cancel(at(4), requests[2], "enough");
    assert_eq!(actions(&mut table), [resolved(requests[2], cancelled(how))]);
    table.cancel(at(4), requests[1], "enough");
    assert_eq!(actions(&mut table), [resolved(requests[1], cancelled(how))]);
    table.cancel(at(4), requests[0], "enough");
    let stop = Action::Stop {
        worker,
        request: requests[0],
        reason: reason(),
    };
    assert_eq!(actions(&mut table), [stop]);
    let next = push(&mut table, worker);
    let acked = Treated::Stopped(HowStopped::Acked);
    table.treated(at(6), worker, requests[0], acked);
    let wanted = [
        resolved(requests[0], cancelled(HowStopped::Acked)),
        sent(worker, next),
    ];
    assert_eq!(actions(&mut table), wanted);
}

#[test]
fn a_source_is_asked_when_there_is_nothing_to_do() {
    let mut table = table(Rule::Pull);
    let worker = table.launch(at(1), "a", None).expect("room");
    table.launched(at(2), worker);
    let pull = Action::Pull { worker };
    assert_eq!(actions(&mut table)[2..], std::slice::from_ref(&pull)[..]);
    let first = table.pulled(at(3), worker, true).expect("it takes one");
    assert_eq!(actions(&mut table), [sent(worker, first)]);
    answer(&mut table, worker, first, Verdict::Continue);
    let told = [resolved(first, Resolution::Answer), pull.clone()];
    assert_eq!(actions(&mut table), told);
    assert_eq!(table.pulled(at(4), worker, false), None);
    assert_eq!(actions(&mut table), []);
    table.pull(at(5), worker);
    assert_eq!(actions(&mut table), [pull]);
    table.shutdown(at(6), worker, Shutdown::Drop);
    assert_eq!(table.pulled(at(7), worker, true), None, "it is handed back");
}

/// What came while the source was saying that there is nothing may have come behind its back.
#[test]
fn a_source_that_is_woken_while_it_is_asked_is_asked_again() {
    let mut table = table(Rule::Pull);
    let worker = table.launch(at(1), "a", None).expect("room");
    table.launched(at(2), worker);
    actions(&mut table);
    table.pull(at(3), worker);
    assert_eq!(actions(&mut table), [], "it is being asked");
    assert_eq!(table.pulled(at(4), worker, false), None);
    assert_eq!(actions(&mut table), [Action::Pull { worker }]);
    assert_eq!(table.pulled(at(5), worker, false), None);
    assert_eq!(actions(&mut table), [], "once for each time it was woken");
}

#[test]
fn b15_idling_is_told_again_and_again_and_not_while_busy() {
    let mut table = table(Rule::Unbounded);
    let span = Duration::from_millis(10);
    let worker = table.launch(at(1), "a", Some(span)).expect("room");
    table.launched(at(2), worker);
    actions(&mut table);
    for ms in [12, 22] {
        assert_eq!(table.deadline(), Some(at(ms)));
        table.wake(at(ms));
        assert_eq!(actions(&mut table), [Action::Idle { worker }]);
    }
    let request = push(&mut table, worker);
    assert_eq!(table.deadline(), None);
    actions(&mut table);
    answer(&mut table, worker, request, Verdict::Continue);
    assert_eq!(table.deadline(), Some(at(16)));
}

#[test]
fn a_worker_that_is_shut_down_while_it_launches_is_never_launched_or_ended_at_once() {
    for comes_up in [true, false] {
        let mut table = table(Rule::Unbounded);
        let worker = table.launch(at(1), "a", None).expect("room");
        let request = push(&mut table, worker);
        table.shutdown(at(2), worker, Shutdown::Drop);
        let told = [
            Action::Launch { worker },
            resolved(request, Resolution::Closed(None)),
            Action::Cancel { worker },
            Action::End { worker },
        ];
        assert_eq!(actions(&mut table), told);
        if comes_up {
            table.launched(at(3), worker);
            assert_eq!(actions(&mut table), [Action::End { worker }]);
            table.gone(at(4), worker, None);
        } else {
            table.launch_failed(at(3), worker);
        }
        // Whoever launched it is told in both, and of one that never ran there is no `on_close`.
        let crash = None;
        let over = [
            Action::NotLaunched { worker },
            Action::Closed { worker, crash },
        ];
        assert_eq!(actions(&mut table), over);
        assert!(table.is_empty());
    }
}

#[test]
fn a_launch_that_is_handed_back_when_the_farm_is_over_changes_nothing() {
    let mut table = table(Rule::Unbounded);
    let worker = table.launch(at(1), "a", None).expect("room");
    table.abandon(at(2), worker);
    let before = actions(&mut table);
    table.launch_failed(at(3), worker);
    assert!(before.contains(&Action::NotLaunched { worker }));
    assert!(table.is_empty() && !table.has_actions());
}

/// However often something is merged, a put costs the same: the work is not squared.
#[test]
fn a_request_is_merged_ten_thousand_times() {
    let mut table = table(Rule::Dropbox);
    let worker = running(&mut table, "a");
    let put = |table: &mut Table| table.put(at(3), worker, Merge::Combined).expect("open");
    let busy = put(&mut table);
    actions(&mut table);
    let first = put(&mut table);
    for _ in 0..10_000 {
        put(&mut table);
    }
    answer(&mut table, worker, busy, Verdict::Continue);
    assert_eq!(actions(&mut table)[1], sent(worker, first));
    answer(&mut table, worker, first, Verdict::Continue);
    assert_eq!(actions(&mut table).len(), 10_001, "each is told once");
    assert_eq!(table.ledger(), (10_002, 10_002));
}
