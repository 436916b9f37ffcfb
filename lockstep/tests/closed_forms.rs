//! Small programs whose odds are known in closed form, through everything a sweep goes through: plan, trial runs,
//! controller. Each frequency is of 200,000 schedules and must lie within four standard deviations.

use farm_lockstep::{
    Config, Controller, Cx, End, Event, Exit, Found, Pid, Plan, Process, RunReport, SpawnOptions,
    Spec, Start,
};

const RUNS: u32 = 200_000;

/// In how many of [`RUNS`] schedules `shows` is true.
fn times<S>(
    spec: Spec,
    run: fn(Start) -> (RunReport, S),
    shows: fn(&RunReport, &S) -> bool,
) -> u32 {
    let plan = Plan::new(spec, 7, |start| run(start).0);
    let one = |number| {
        let (report, shared) = run(plan.start(u64::from(number), false));
        u32::from(shows(&report, &shared))
    };
    (0..RUNS).map(one).sum()
}

#[track_caller]
fn assert_near(times: u32, numerator: u64, denominator: u64) {
    // Compared as whole numbers, multiplied by the denominator and squared.
    let runs = u64::from(RUNS);
    let away = (u64::from(times) * denominator).abs_diff(runs * numerator);
    let variance = runs * numerator * (denominator - numerator);
    assert!(
        away * away <= 16 * variance,
        "{times} of {RUNS} is not {numerator}/{denominator}"
    );
}

/// Reads a number in one step and writes it back, greater by one, in the next.
struct Increment(Option<u32>);

impl Process<u32, ()> for Increment {
    fn step(&mut self, cx: &mut Cx<'_, u32, ()>, _: Event<'_, ()>) {
        match self.0 {
            None => {
                self.0 = Some(*cx.shared());
                cx.again();
            }
            Some(seen) => {
                *cx.shared() = seen + 1;
                cx.exit(Exit::Code(0));
            }
        }
    }
}

fn lost_update_within(max_steps: u64, start: Start) -> (RunReport, u32) {
    let config = Config {
        max_steps,
        ..Config::default()
    };
    let mut world = Controller::new(config, 0, start.strategy, start.choices);
    for number in 0..2 {
        let options = SpawnOptions {
            number,
            ..SpawnOptions::new("increment", 0)
        };
        world.spawn(Box::new(Increment(None)), options);
    }
    world.run()
}

fn lost_update(start: Start) -> (RunReport, u32) {
    lost_update_within(1_000, start)
}

fn is_lost(report: &RunReport, number: &u32) -> bool {
    assert_eq!((report.steps, &report.end), (4, &End::Passed));
    *number == 1
}

#[test]
fn lost_update_under_random() {
    assert_near(times(Spec::Random, lost_update, is_lost), 1, 2);
}

#[test]
fn lost_update_under_urw() {
    assert_near(times(Spec::Urw, lost_update, is_lost), 2, 3);
}

/// Change points are drawn over the length that trial runs had. Drawn over the step limit they would hardly ever fall
/// within four steps, and the third figure would be about zero.
#[test]
fn lost_update_under_pct_whatever_the_step_limit() {
    let runs: [fn(Start) -> (RunReport, u32); 3] = [
        |start| lost_update_within(10, start),
        |start| lost_update_within(1_000, start),
        |start| lost_update_within(1_000_000, start),
    ];
    let all = runs.map(|run| times(Spec::Pct(3), run, is_lost));
    let expected = RUNS / 1_000 * 375;
    let near = all
        .iter()
        .all(|times| times.abs_diff(expected) < expected / 10);
    assert!(near, "{all:?} of {RUNS} are not .375");
    assert_eq!(all, [all[0]; 3], "the limit has no influence at all");
}

/// Takes so many steps; the last one of all leaves its name.
struct Walk {
    left: u32,
    name: &'static str,
}

impl Process<&'static str, ()> for Walk {
    fn step(&mut self, cx: &mut Cx<'_, &'static str, ()>, _: Event<'_, ()>) {
        *cx.shared() = self.name;
        self.left -= 1;
        if self.left > 0 {
            cx.again();
        } else {
            cx.exit(Exit::Code(0));
        }
    }
}

fn uneven(start: Start) -> (RunReport, &'static str) {
    let mut world = Controller::new(Config::default(), "", start.strategy, start.choices);
    for (role, left, name) in [(0, 10, "long"), (1, 1, "short")] {
        world.spawn(Box::new(Walk { left, name }), SpawnOptions::new(name, role));
    }
    world.run()
}

fn short_is_last(report: &RunReport, last: &&'static str) -> bool {
    assert_eq!((report.steps, &report.end), (11, &End::Passed));
    *last == "short"
}

#[test]
fn uneven_10_under_random() {
    assert_near(times(Spec::Random, uneven, short_is_last), 1, 1 << 10);
}

#[test]
fn uneven_10_under_urw() {
    assert_near(times(Spec::Urw, uneven, short_is_last), 1, 11);
}

/// Two forks: whether each is in a hand, and who waits for it.
#[derive(Default)]
struct Table {
    taken: [bool; 2],
    waits: [Option<Pid>; 2],
}

/// Takes left, takes right, puts right, puts left, a step each. Who waits for a fork is not ready until it is put.
struct Philosopher {
    left: usize,
    done: u32,
}

impl Philosopher {
    /// The fork it wants next, if its next step is to take one.
    const fn wants(&self) -> Option<usize> {
        match self.done {
            0 => Some(self.left),
            1 => Some(1 - self.left),
            _ => None,
        }
    }

    fn put(&mut self, cx: &mut Cx<'_, Table, ()>, fork: usize) {
        let table = cx.shared();
        table.taken[fork] = false;
        if let Some(who) = table.waits[fork].take() {
            cx.wake(who);
        }
    }
}

impl Process<Table, ()> for Philosopher {
    fn step(&mut self, cx: &mut Cx<'_, Table, ()>, event: Event<'_, ()>) {
        if !matches!(event, Event::Start | Event::Turn) {
            return;
        }
        let me = cx.me();
        match (self.done, self.wants()) {
            // Somebody else was quicker.
            (_, Some(fork)) if cx.shared().taken[fork] => {}
            (_, Some(fork)) => {
                cx.shared().taken[fork] = true;
                self.done += 1;
            }
            (2, None) => {
                self.put(cx, 1 - self.left);
                self.done += 1;
            }
            (_, None) => {
                self.put(cx, self.left);
                return cx.exit(Exit::Code(0));
            }
        }
        match self.wants() {
            Some(fork) if cx.shared().taken[fork] => cx.shared().waits[fork] = Some(me),
            Some(_) | None => cx.again(),
        }
    }

    fn waits_for(&self) -> String {
        self.wants()
            .map_or_else(|| "nothing".into(), |fork| format!("fork {fork}"))
    }
}

fn dining(start: Start) -> (RunReport, Table) {
    let table = Table::default();
    let mut world = Controller::new(Config::default(), table, start.strategy, start.choices);
    for left in 0..2 {
        let options = SpawnOptions {
            number: left as u32 + 1,
            ..SpawnOptions::new("philosopher", 0)
        };
        world.spawn(Box::new(Philosopher { left, done: 0 }), options);
    }
    world.run()
}

fn is_stuck(report: &RunReport, table: &Table) -> bool {
    match &report.end {
        End::Passed => {
            assert_eq!(table.taken, [false; 2]);
            false
        }
        End::Failed(failure) => {
            assert_eq!(failure.found, Found::Deadlock);
            let list = "philosopher1 waits for fork 1; philosopher2 waits for fork 0";
            assert!(failure.detail.ends_with(list), "{}", failure.detail);
            true
        }
        End::Inconclusive => panic!("two philosophers do not eat for ever"),
    }
}

#[test]
fn dining_2_under_random() {
    assert_near(times(Spec::Random, dining, is_stuck), 1, 2);
}
