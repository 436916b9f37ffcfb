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

    /// Makes the runs. The one that is reported is the first that fails by number, not by time, and what is counted is
    /// what came up to it.
    #[must_use]
    pub fn make(&self) -> Shown {
        let begun = Instant::now();
        let plan = self.plan();
        let jobs = self.jobs.max(1) as usize;
        let next = AtomicU64::new(0);
        let first_failed = AtomicU64::new(u64::MAX);
        // What each thread is at: below the least of them, every run is over.
        let at: Vec<AtomicU64> = (0..jobs).map(|_| AtomicU64::new(0)).collect();
        let work = |job: usize| {
            let mut tally = Tally::default();
            loop {
                let number = next.fetch_add(1, Ordering::SeqCst);
                at[job].store(number, Ordering::SeqCst);
                let late = self.limit.is_some_and(|limit| begun.elapsed() >= limit);
                let failed = first_failed.load(Ordering::SeqCst);
                if number >= self.schedules || late || number > failed {
                    at[job].store(u64::MAX, Ordering::SeqCst);
                    return tally;
                }
                let row = Row::of(number, self.run(&plan, number, false));
                if row.failure.is_some() {
                    first_failed.fetch_min(number, Ordering::SeqCst);
                }
                tally.rows.push(row);
                if tally.rows.len() >= ROWS {
                    let over = at.iter().map(|at| at.load(Ordering::SeqCst)).min();
                    let failed = first_failed.load(Ordering::SeqCst);
                    tally.sum_up(over.unwrap_or(0).min(failed));
                }
            }
        };
        let tallies: Vec<Tally> = std::thread::scope(|scope| {
            let threads: Vec<_> = (1..jobs)
                .map(|job| scope.spawn(move || work(job)))
                .collect();
            let mut all = vec![work(0)];
            let join = |thread: std::thread::ScopedJoinHandle<'_, Tally>| {
                thread.join().expect("panics of runs are caught in them")
            };
            all.extend(threads.into_iter().map(join));
            all
        });
        let mut shown = Shown::NOTHING;
        let last = first_failed.into_inner();
        for mut tally in tallies {
            tally.sum_up(last);
            shown.add(tally.sum);
            for row in tally.rows.into_iter().filter(|row| row.number == last) {
                shown.failed = row.failure.clone().map(|failure| (row.number, failure));
                shown.add(row.shown());
            }
        }
        shown.took = begun.elapsed();
        shown
    }
}

impl Shown {
    const NOTHING: Self = Self {
        schedules: 0,
        steps: 0,
        inconclusive: 0,
        reached: 0,
        faults: 0,
        failed: None,
        took: Duration::ZERO,
    };

    fn add(&mut self, other: Self) {
        self.schedules += other.schedules;
        self.steps += other.steps;
        self.inconclusive += other.inconclusive;
        self.reached |= other.reached;
        self.faults += other.faults;
    }
}

/// Rows are summed up when there are so many of them.
const ROWS: usize = 1 << 10;

/// What one thread has seen: rows that may still turn out to lie beyond the first failure, and the sum of those before.
struct Tally {
    rows: Vec<Row>,
    sum: Shown,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            sum: Shown::NOTHING,
        }
    }
}

impl Tally {
    /// Sums up the rows of numbers below `end`: they passed, and so did everything before them.
    fn sum_up(&mut self, end: u64) {
        let sum = &mut self.sum;
        self.rows.retain(|row| {
            let over = row.number < end;
            if over {
                sum.add(row.shown());
            }
            !over
        });
    }
}

/// One schedule.
#[derive(Debug)]
struct Row {
    number: u64,
    steps: u64,
    inconclusive: bool,
    reached: u64,
    faults: u32,
    failure: Option<Failure>,
}

impl Row {
    fn of(number: u64, report: RunReport) -> Self {
        Self {
            number,
            steps: report.steps,
            inconclusive: report.end == End::Inconclusive,
            reached: report.reached,
            faults: report.faults,
            failure: match report.end {
                End::Failed(failure) => Some(failure),
                End::Passed | End::Inconclusive => None,
            },
        }
    }

    fn shown(&self) -> Shown {
        Shown {
            schedules: 1,
            steps: self.steps,
            inconclusive: u64::from(self.inconclusive),
            reached: self.reached,
            faults: u64::from(self.faults),
            ..Shown::NOTHING
        }
    }
}
