//! Many schedules: shared among threads, with the same answer whatever their number.

use crate::params::Params;
use crate::scenario::Scenario;
use farm_lockstep::{End, Failure, Plan, RunReport, Spec};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Which runs are to be made.
#[derive(Clone, Copy, Debug)]
pub struct Sweep {
    /// Of what.
    pub scenario: Scenario,
    /// With what.
    pub params: Params,
    /// Who chooses.
    pub spec: Spec,
    /// The seed of all of them.
    pub seed: u64,
    /// How many at most.
    pub schedules: u64,
    /// On how many threads. The result does not depend on it, except for how far it gets in `limit`.
    pub jobs: u32,
    /// No schedule is begun after this much time of the real clock.
    pub limit: Option<Duration>,
}

/// What a sweep has shown.
#[derive(Clone, Debug)]
pub struct Shown {
    /// How many schedules ended, up to and with a failing one.
    pub schedules: u64,
    /// Their steps together.
    pub steps: u64,
    /// How many met the step limit.
    pub inconclusive: u64,
    /// Which of the things that should happen in some run did.
    pub reached: u64,
    /// How many faults were made.
    pub faults: u64,
    /// The first that failed: its number, and how.
    pub failed: Option<(u64, Failure)>,
    /// The time that the sweep took.
    pub took: Duration,
}

impl Sweep {
    /// The plan: the same for every run of the sweep. Makes the trial runs.
    #[must_use]
    pub fn plan(&self) -> Plan {
        Plan::new(self.spec, self.seed, |start| {
            self.scenario.run(self.params, start, false)
        })
    }

    /// One run of the sweep.
    #[must_use]
    pub fn run(&self, plan: &Plan, number: u64, trace: bool) -> RunReport {
        self.scenario
            .run(self.params, plan.start(number, trace), trace)
    }

    /// Makes the runs. The one that is reported is the first that fails by number, not by time.
    #[must_use]
    pub fn make(&self) -> Shown {
        let begun = Instant::now();
        let plan = self.plan();
        let next = AtomicU64::new(0);
        let first_failed = AtomicU64::new(u64::MAX);
        let parts: Vec<Vec<Part>> = std::thread::scope(|scope| {
            let work = || {
                let mut parts = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let late = self.limit.is_some_and(|limit| begun.elapsed() >= limit);
                    if number >= self.schedules
                        || late
                        || number > first_failed.load(Ordering::Relaxed)
                    {
                        return parts;
                    }
                    let part = Part::of(number, self.run(&plan, number, false));
                    if part.failure.is_some() {
                        first_failed.fetch_min(number, Ordering::Relaxed);
                    }
                    Part::keep(&mut parts, part);
                }
            };
            let threads: Vec<_> = (1..self.jobs.max(1)).map(|_| scope.spawn(work)).collect();
            let mut all = vec![work()];
            all.extend(
                threads
                    .into_iter()
                    .map(|thread| thread.join().expect("panics of runs are caught in them")),
            );
            all
        });
        let mut shown = sum(
            parts.into_iter().flatten().collect(),
            first_failed.into_inner(),
        );
        shown.took = begun.elapsed();
        shown
    }
}

/// One schedule, or several that passed.
#[derive(Debug)]
struct Part {
    /// Of the last one.
    number: u64,
    count: u64,
    steps: u64,
    inconclusive: u64,
    reached: u64,
    faults: u64,
    failure: Option<Failure>,
}

/// So many schedules are summed up at a time: beyond a failing one none may be counted.
const SUMMED: u64 = 1 << 10;

impl Part {
    fn of(number: u64, report: RunReport) -> Self {
        Self {
            number,
            count: 1,
            steps: report.steps,
            inconclusive: u64::from(report.end == End::Inconclusive),
            reached: report.reached,
            faults: u64::from(report.faults),
            failure: match report.end {
                End::Failed(failure) => Some(failure),
                End::Passed | End::Inconclusive => None,
            },
        }
    }

    /// Sums up what belongs to the same stretch of numbers.
    fn keep(parts: &mut Vec<Self>, part: Self) {
        match parts.last_mut() {
            Some(last)
                if last.number / SUMMED == part.number / SUMMED && part.failure.is_none() =>
            {
                last.number = part.number;
                last.count += 1;
                last.steps += part.steps;
                last.inconclusive += part.inconclusive;
                last.reached |= part.reached;
                last.faults += part.faults;
            }
            _ => parts.push(part),
        }
    }
}

fn sum(parts: Vec<Part>, first_failed: u64) -> Shown {
    let mut shown = Shown {
        schedules: 0,
        steps: 0,
        inconclusive: 0,
        reached: 0,
        faults: 0,
        failed: None,
        took: Duration::ZERO,
    };
    for part in parts {
        if part.number > first_failed {
            continue;
        }
        shown.schedules += part.count;
        shown.steps += part.steps;
        shown.inconclusive += part.inconclusive;
        shown.reached |= part.reached;
        shown.faults += part.faults;
        if let Some(failure) = part.failure {
            shown.failed = Some((part.number, failure));
        }
    }
    shown
}
