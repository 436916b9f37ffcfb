//! Groups and scopes on real workers: a decided group returns at once and costs no worker that
//! heeds; what is dropped is cancelled; what comes late is recognised.

use super::Test;
use super::noop::{Behave, Noop, Said};
use farm::master::HowStopped;
use farm::protocol::{AttemptId, Instant as Moment, Never, Progress, Schema, Wire};
use farm::worker::{Context, Perform};
use farm::{
    CancelledBy, Decision, Farm, Observer, Outcome, Pool, Program, Rule, ScopeRefusal, Settled,
    Shut, TaskKind, TaskOptions, TaskQueue, Ties, Verdict, WorkerStatus,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

pub(crate) const TESTS: &[Test] = &[
    (
        "a_decided_group_whose_members_heed_returns_at_once_and_keeps_its_workers",
        heeding,
    ),
    (
        "a_decided_group_whose_members_are_deaf_returns_at_its_budget_and_starts_nobody",
        deaf,
    ),
    ("a_portfolio_of_two_kinds_has_one_winner", portfolio),
    ("a_group_has_its_own_time_limit", timed),
    ("dropping_a_scope_or_a_group_cancels_it", dropped),
    ("a_renewed_scope_recognises_what_comes_late", renewed),
    ("a_group_of_a_farm_that_is_over_is_refused", over),
    ("a_group_ends_with_its_farm", ends_with_its_farm),
];

const LONG: Duration = Duration::from_secs(60);
const BUDGET: Duration = Duration::from_millis(300);

/// What a group may take beyond what its members take to end.
const AT_ONCE: Duration = Duration::from_millis(100);

/// One of these must be at once: others may share this machine.
const ROUNDS: usize = 5;

#[derive(Clone, Copy, Debug, Serialize, Deserialize, Schema)]
pub(crate) enum Claim {
    Holds,
    Fails,
    /// Takes [`LONG`], unless it is cancelled.
    Long,
    /// Takes [`LONG`] and hears nothing.
    Deaf,
}

pub(crate) struct Claims;

impl Wire for Claims {
    const NAME: &'static str = "claims";
    const VERSION: u32 = 1;
    type Request = Claim;
    type Response = bool;
    type Feedback = Never;
    type Context = Never;
}

pub(crate) struct Prover;

impl Perform for Prover {
    type Wire = Claims;

    fn perform(&mut self, claim: Claim, context: &Context<'_, Claims>) -> bool {
        let end = Instant::now() + LONG;
        match claim {
            Claim::Holds => return true,
            Claim::Fails => return false,
            Claim::Long => {
                context.progress(0, None, "begun");
                let mut fds = [rustix::event::PollFd::from_borrowed_fd(
                    context.cancel_fd(),
                    rustix::event::PollFlags::IN,
                )];
                let long = rustix::event::Timespec::try_from(LONG).expect("a minute");
                while !context.cancelled() && Instant::now() < end {
                    rustix::event::poll(&mut fds, Some(&long)).expect("a poll");
                }
            }
            Claim::Deaf => {
                context.progress(0, None, "begun");
                while Instant::now() < end {
                    std::thread::park_timeout(LONG);
                }
            }
        }
        true
    }
}

struct Proof;

impl TaskKind for Proof {
    type Wire = Claims;
    type Task = Claim;
    type Competence = ();
    type Output = ();
    type Failure = ();

    fn request_of_task(&mut self, _: &WorkerStatus<()>, claim: &Claim) -> Option<Claim> {
        Some(*claim)
    }

    fn use_response(&mut self, _: &WorkerStatus<()>, _: &Claim, holds: bool) -> Verdict<Self> {
        if holds {
            Verdict::done((), ())
        } else {
            Verdict::failed((), ())
        }
    }
}

/// Tells of every long claim that is being executed.
struct Begun(Sender<()>);

impl Observer for Begun {
    fn progress(&mut self, _: Moment, _: AttemptId, _: &Progress) {
        let _nobody_listens = self.0.send(());
    }
}

/// A farm with warm workers of two kinds.
struct House {
    farm: Farm,
    proofs: TaskQueue<Proof>,
    noops: TaskQueue<Noop>,
    begun: Receiver<()>,
}

impl House {
    fn new(slots: u32) -> Self {
        let (tell, begun) = channel();
        let mut builder = Farm::builder();
        let mut pool = Pool::new(Program::this_executable(), slots);
        pool.defaults.grace = Some(BUDGET);
        let proof = builder.kind(Proof, pool);
        let noop = builder.kind(Noop, Pool::new(Program::this_executable(), 1));
        builder.observer(Box::new(Begun(tell)));
        let farm = builder.start().expect("a farm");
        let (proofs, noops) = (farm.queue(proof), farm.queue(noop));
        let house = Self {
            farm,
            proofs,
            noops,
            begun,
        };
        house.warm(slots as usize);
        let said = house.noops.submit(Behave::Echo(1)).wait();
        assert!(said.expect("admitted").outcome.is_done());
        house
    }

    /// Has as many workers busy at once, and idle again.
    fn warm(&self, slots: usize) {
        let scope = self.farm.scope();
        let long = || self.proofs.submit_in(&scope, Claim::Long, None);
        let tickets: Vec<_> = (0..slots).map(|_| long()).collect();
        self.await_begun(slots);
        scope.cancel("they are warm");
        for ticket in tickets {
            let settled = ticket.wait().expect("admitted");
            assert!(matches!(settled.outcome, Outcome::Cancelled { .. }));
        }
    }

    fn await_begun(&self, count: usize) {
        for _ in 0..count {
            self.begun.recv_timeout(LONG).expect("it executes");
        }
    }

    fn pids(&self) -> BTreeSet<u32> {
        let pids = self.farm.worker_pids().into_iter();
        pids.map(|(_, pid)| pid).collect()
    }

    /// A group of eight: seven execute when one comes and fails at once. How long it took from then until
    /// the group was over, with the seven stopped like this.
    fn one_of_eight_fails(&self, others: Claim, how_stopped: HowStopped) -> Duration {
        let group = self.farm.group(Rule::FirstError).open();
        let id = group.id();
        let others: Vec<_> = (0..7).map(|_| group.submit(&self.proofs, others)).collect();
        self.await_begun(others.len());
        let begin = Instant::now();
        let failing = group.submit(&self.proofs, Claim::Fails);
        let end = group.wait().expect("a group");
        let took = begin.elapsed();
        let failed = failing.wait().expect("admitted");
        let (index, task) = (7, failed.id);
        assert_eq!(end.decision, Decision::FirstError { index, task });
        for other in others {
            let settled = other.wait().expect("admitted");
            assert_eq!(settled.scope, Some(id));
            match settled.outcome {
                Outcome::Cancelled { by, how } => {
                    assert_eq!((by, how), (CancelledBy::Group(id), how_stopped));
                }
                other => panic!("{other:?}"),
            }
        }
        took
    }
}

fn heeding() {
    let house = House::new(8);
    let pids = house.pids();
    assert_eq!(pids.len(), 9);
    let mut best = LONG;
    for _ in 0..ROUNDS {
        let took = house.one_of_eight_fails(Claim::Long, HowStopped::Acked);
        assert_eq!(house.pids(), pids, "somebody was replaced");
        best = best.min(took);
    }
    println!("    a group that heeds returned within {best:?}");
    assert!(best < AT_ONCE, "{best:?}");
}

fn deaf() {
    let mut best = LONG;
    for _ in 0..ROUNDS {
        let house = House::new(8);
        let pids = house.pids();
        let took = house.one_of_eight_fails(Claim::Deaf, HowStopped::Killed);
        let after = house.pids();
        assert!(after.is_subset(&pids), "a process was started for it");
        assert_eq!(after.len(), 2, "the one that failed, and the one outside");
        assert!(took >= BUDGET);
        // The worker outside is as warm as it was.
        let said = house.noops.submit(Behave::Print(String::new())).wait();
        match said.expect("admitted").outcome {
            Outcome::Done(Said::Pid(pid)) => assert!(pids.contains(&pid)),
            other => panic!("{other:?}"),
        }
        best = best.min(took);
        if best < BUDGET + AT_ONCE {
            break;
        }
    }
    println!("    a deaf group with a budget of {BUDGET:?} returned within {best:?}");
    assert!(best < BUDGET + AT_ONCE, "{best:?}");
}

fn portfolio() {
    let house = House::new(1);
    let pids = house.pids();
    let group = house.farm.group(Rule::FirstSuccess).ties(Ties::Arrival);
    let group = group.open();
    let noop = group.submit(&house.noops, Behave::WaitForCancel);
    let proof = group.submit_options(&house.proofs, Claim::Holds, TaskOptions::default());
    let end = group.wait().expect("a group");
    let indexes = vec![1];
    assert_eq!(end.decision, Decision::Succeeded { indexes });
    assert!(proof.wait().expect("admitted").outcome.is_done());
    let lost = noop.wait().expect("admitted").outcome;
    assert!(
        matches!(
            lost,
            Outcome::Cancelled {
                by: CancelledBy::Group(_),
                ..
            }
        ),
        "{lost:?}"
    );
    assert_eq!(house.pids(), pids);
}

fn timed() {
    let house = House::new(1);
    let scope = house.farm.scope();
    let group = house.farm.group(Rule::All).within(&scope);
    let group = group.limit(Duration::from_millis(20));
    let (end, members) = group
        .submit_all(&house.proofs, [Claim::Long, Claim::Holds])
        .wait();
    assert_eq!(end.expect("a group").decision, Decision::TimedOut);
    for member in members {
        let outcome = member.expect("admitted").outcome;
        assert_eq!(outcome.status(), "timeout");
    }
}

fn by_scope(settled: &Settled<Proof>) -> bool {
    matches!(
        settled.outcome,
        Outcome::Cancelled {
            by: CancelledBy::Scope { .. },
            ..
        }
    )
}

fn dropped() {
    let house = House::new(2);
    let pids = house.pids();
    let scope = house.farm.scope();
    let inside = scope.child();
    let group = house.farm.group(Rule::All).within(&inside).open();
    let tickets = [
        house.proofs.submit_in(&scope, Claim::Long, None),
        house.proofs.submit_in(&inside, Claim::Long, None),
        group.submit(&house.proofs, Claim::Long),
    ];
    drop(scope);
    for ticket in tickets {
        assert!(by_scope(&ticket.wait().expect("admitted")));
    }
    let decision = group.wait().expect("a group").decision;
    assert!(matches!(decision, Decision::Cancelled { .. }));
    let refused = house.proofs.submit_in(&inside, Claim::Holds, None).wait();
    assert!(refused.is_err(), "its scope is cancelled");
    let group = house.farm.group(Rule::All).open();
    let ticket = group.submit(&house.proofs, Claim::Long);
    drop(group);
    assert!(by_scope(&ticket.wait().expect("admitted")));
    let scope = house.farm.scope();
    let detached = house.proofs.submit_in(&scope, Claim::Holds, None);
    scope.detach();
    assert!(detached.wait().expect("admitted").outcome.is_done());
    assert_eq!(house.pids(), pids);
}

fn renewed() {
    let house = House::new(2);
    let document = house.farm.scope();
    let sentence = document.child();
    let early = house.proofs.submit_in(&sentence, Claim::Holds, None);
    let early = early.wait().expect("admitted");
    assert!(sentence.is_current(&early) && !document.is_current(&early));
    let late = house.proofs.submit_in(&sentence, Claim::Long, None);
    let old = document.id();
    assert!(document.renew("edited") > old);
    let late = late.wait().expect("admitted");
    assert!(by_scope(&late));
    // Also what was done before the edit: it is about what is not there any more.
    assert!(!sentence.is_current(&late) && !sentence.is_current(&early));
    sentence.renew("edited");
    let new = house.proofs.submit_in(&sentence, Claim::Holds, None);
    let new = new.wait().expect("admitted");
    assert!(new.outcome.is_done() && sentence.is_current(&new));
    assert!(!sentence.is_current(&early));
}

fn over() {
    let house = House::new(1);
    house.farm.shut(Shut::Kill);
    house.farm.wait_stopped();
    let claims = [Claim::Holds, Claim::Holds];
    let group = house.proofs.submit_group(Rule::All, claims);
    let (end, members) = group.wait();
    assert_eq!(end, Err(ScopeRefusal::FarmOver));
    assert!(members.len() == 2 && members.iter().all(Result::is_err));
    let scope = house.farm.scope();
    assert!(scope.child().renew("nobody hears it") > scope.id());
    let group = house.farm.group(Rule::All).within(&scope).open();
    assert_eq!(group.wait(), Err(ScopeRefusal::FarmOver));
}

fn ends_with_its_farm() {
    let house = House::new(1);
    let group = house.farm.group(Rule::FirstSuccess).open();
    let ticket = group.submit(&house.proofs, Claim::Long);
    house.await_begun(1);
    let Err(group) = group.wait_timeout(Duration::ZERO) else {
        panic!("it takes long")
    };
    house.farm.shut(Shut::Stop);
    let (done, wanted) = (0, 1);
    let end = group.wait().expect("a group");
    assert_eq!(end.decision, Decision::TooFew { done, wanted });
    let outcome = ticket.wait().expect("admitted").outcome;
    assert_eq!(outcome.status(), "cancelled");
}
