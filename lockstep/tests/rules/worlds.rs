//! Worlds made of closures that write a log, and the ways to run one: a sweep, one number of it, or all choices 0.

use farm_lockstep::{
    Choices, Config, Controller, Cx, End, Event, Exit, Failure, Found, Hint, Pid, Plan, Process,
    Random, Record, RunReport, SpawnOptions, Spec, Start, Timers,
};
use std::time::Duration;

/// What happened, as the processes tell it.
pub(crate) type Log = Vec<String>;
pub(crate) type World = Controller<Log, u32>;
pub(crate) type Hands<'a> = Cx<'a, Log, u32>;
pub(crate) type Told<'a> = Event<'a, u32>;

pub(crate) const DONE: Exit = Exit::Code(0);

struct Acts<F>(F);

impl<F: FnMut(&mut Hands<'_>, Told<'_>)> Process<Log, u32> for Acts<F> {
    fn step(&mut self, cx: &mut Hands<'_>, event: Told<'_>) {
        (self.0)(cx, event);
    }
}

/// A process that is a closure.
pub(crate) fn acts(
    step: impl FnMut(&mut Hands<'_>, Told<'_>) + 'static,
) -> Box<dyn Process<Log, u32>> {
    Box::new(Acts(step))
}

pub(crate) fn spawn(
    world: &mut World,
    step: impl FnMut(&mut Hands<'_>, Told<'_>) + 'static,
) -> Pid {
    world.spawn(acts(step), SpawnOptions::new("p", 0))
}

pub(crate) fn say(cx: &mut Hands<'_>, line: impl Into<String>) {
    cx.shared().push(line.into());
}

pub(crate) const fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

pub(crate) fn quiescent() -> Config {
    Config {
        timers: Timers::Quiescent,
        ..Config::default()
    }
}

pub(crate) fn racing(horizon: Duration) -> Config {
    Config {
        timers: Timers::Racing { horizon },
        ..Config::default()
    }
}

/// One run.
pub(crate) fn one(
    config: Config,
    start: Start,
    build: impl FnOnce(&mut World),
) -> (RunReport, Log) {
    let mut world = Controller::new(config, Log::new(), start.strategy, start.choices);
    build(&mut world);
    world.run()
}

/// So many runs under this strategy.
pub(crate) fn sweep_under(
    spec: Spec,
    config: Config,
    runs: u64,
    build: impl Fn(&mut World),
) -> Vec<(RunReport, Log)> {
    let plan = Plan::new(spec, 3, |start| one(config, start, &build).0);
    (0..runs)
        .map(|number| one(config, plan.start(number, false), &build))
        .collect()
}

/// So many runs in random order.
pub(crate) fn sweep(
    config: Config,
    runs: u64,
    build: impl Fn(&mut World),
) -> Vec<(RunReport, Log)> {
    sweep_under(Spec::Random, config, runs, build)
}

/// As [`sweep`], when all must pass; only the logs.
#[track_caller]
pub(crate) fn passed(config: Config, runs: u64, build: impl Fn(&mut World)) -> Vec<Log> {
    let checked = |(report, log): (RunReport, Log)| {
        assert_eq!(report.end, End::Passed, "{log:?}");
        log
    };
    sweep(config, runs, build)
        .into_iter()
        .map(checked)
        .collect()
}

/// The run in which every choice is 0.
pub(crate) fn dull(config: Config, build: impl FnOnce(&mut World)) -> (RunReport, Log) {
    let mut strategy = Spec::Random.arm(0).strategy;
    strategy.begin(Random::derive(0, 0, 0), &Hint::default());
    let start = Start {
        strategy,
        // Where a record ends, a replay goes on with 0.
        choices: Choices::replayed(Record::default()),
        swarm: false,
    };
    one(config, start, build)
}

/// Where a line stands in a log.
pub(crate) fn place(log: &Log, line: &str) -> Option<usize> {
    log.iter().position(|said| said == line)
}

/// Whether one line comes before another; both must be there.
#[track_caller]
pub(crate) fn before(log: &Log, one: &str, other: &str) -> bool {
    let [Some(one), Some(other)] = [one, other].map(|line| place(log, line)) else {
        panic!("`{one}` or `{other}` is missing in {log:?}");
    };
    one < other
}

/// That some logs have it and some have it not.
#[track_caller]
pub(crate) fn both_ways(logs: &[Log], has: impl Fn(&Log) -> bool) {
    let count = logs.iter().filter(|log| has(log)).count();
    assert!(0 < count && count < logs.len(), "{count} of {}", logs.len());
}

#[track_caller]
pub(crate) fn failure(report: &RunReport, found: Found) -> &Failure {
    match &report.end {
        End::Failed(failure) if failure.found == found => failure,
        other => panic!("not found as {found:?}: {other:?}"),
    }
}
