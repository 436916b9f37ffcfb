//! Random runs in a small world: whatever workers say and whenever they die, the master never
//! panics, its books agree after every step, and every task ends exactly once.

use super::stage::play::options;
use super::stage::*;
use super::world::*;
use crate::lane::Gate;
use crate::{
    Backoff, Config, CrashLimit, Event, LimitId, Need, OnLost, Outcome, Retries, RetryOn, Shut,
    TaskOptions, When,
};
use farm_protocol::{FrameKind, KindId};
use std::time::Duration;

const STEPS: usize = 120;

pub(super) fn random_options(world: &mut World) -> TaskOptions {
    let dice = &mut world.rng;
    let millis = |dice: &mut Dice| Duration::from_millis(dice.below(30));
    let retries = Retries {
        count: dice.below(3) as u32,
        backoff: Backoff::Exponential,
        delay: millis(dice),
        jitter: dice.chance(500),
        on: RetryOn::ALL,
        ..Retries::NONE
    };
    let needs = world.open.iter().take(dice.below(3) as usize);
    let whens = [When::Success, When::Failure, When::Always];
    let needs = needs
        .map(|task| Need {
            task: *task,
            when: whens[dice.below(3) as usize],
        })
        .collect();
    options(|o| {
        o.priority = dice.below(3) as i32;
        o.limit = dice.chance(300).then(|| LimitId(dice.below(2) as u16));
        o.waiting = dice.chance(100).then(|| millis(dice));
        o.running = dice.chance(200).then(|| millis(dice));
        o.starting = dice.chance(100).then(|| millis(dice));
        o.stall = dice.chance(100).then(|| millis(dice));
        o.cpu = dice.chance(100).then(|| millis(dice));
        o.memory = dice.chance(100).then_some(100);
        o.grace = dice.chance(300).then(|| millis(dice));
        o.retries = retries;
        o.crash_limit = match dice.below(4) {
            3 => CrashLimit::Unlimited,
            limit => CrashLimit::Deaths(limit as u32),
        };
        o.needs = needs;
        if dice.chance(200) {
            o.on_lost = OnLost::Fail;
        }
    })
}

/// One thing that somebody does who is no worker.
fn somebody(world: &mut World) {
    match world.rng.below(20) {
        0..=9 => {
            let options = random_options(world);
            world.submit(options);
        }
        10..=12 => {
            let index = world.rng.below(world.open.len() as u64) as usize;
            if let Some(&task) = world.open.iter().nth(index) {
                world.tell(Event::Cancel {
                    task,
                    reason: String::new(),
                });
            }
        }
        13 => {
            let gates = [Gate::Paused, Gate::Running, Gate::Running];
            let gate = gates[world.rng.below(3) as usize];
            world.tell(Event::SetGate {
                kind: KindId(0),
                gate,
            });
        }
        14 => {
            let task = world.id();
            world.kinds.injects.push(crate::Injected::shared(task));
            world.open.insert(task);
            world.submitted += 1;
        }
        15..=16 => world.measure(),
        _ => {
            let span = Duration::from_micros(world.rng.below(20_000));
            world.pass(span);
        }
    }
}

/// Every worker suits every task here, so none idles while one may start.
fn nobody_idles(world: &World) {
    let pool = &world.master.pools[0];
    if !pool.lane.gate().starts() {
        return;
    }
    let processes = world
        .master
        .slots
        .iter()
        .filter_map(|slot| slot.process.as_ref());
    let idle = processes.filter(|process| process.is_idle()).count();
    assert!(
        idle == 0 || pool.ready.len() == pool.ready.count(crate::machine::ready::LineId::Solo),
        "a worker idles while a task is ready"
    );
}

/// How many there are is read from the table of tasks, so it cannot drift: what came in and has not been told of an
/// end, without the follow-ups that no answer has brought yet.
fn everybody_counts(world: &World) {
    let inside = world.open.len() - world.kinds.injects.len();
    assert_eq!(world.master.outstanding(None), inside);
    assert_eq!(world.master.outstanding(Some(KindId(0))), inside);
}

pub(super) fn configuration(seed: u64) -> Config {
    let mut configuration = config(1 + (seed % 3) as u32, (seed % 5) as u32 * 2);
    let one = std::num::NonZeroU32::MIN;
    configuration.limits = vec![one, one.saturating_add(1)];
    configuration.start_failures.limit = if seed.is_multiple_of(4) { 3 } else { 1000 };
    configuration.start_failures.pause = Duration::from_millis(1);
    configuration.kinds[0].boundary.max_queued = 12;
    configuration.kinds[0].boundary.cancellation_budget_ms = 20;
    configuration
}

fn run(seed: u64, manners: Manners) -> World {
    let mut world = World::new(seed, configuration(seed), manners);
    run_in(&mut world);
    world
}

/// A whole random run, to its end.
pub(super) fn run_in(world: &mut World) {
    for _ in 0..STEPS {
        step(world);
        world.master.check_invariants();
        nobody_idles(world);
        everybody_counts(world);
        let counts = world.master.lane(KindId(0)).counts();
        assert!(counts.occupied <= world.master.lane(KindId(0)).boundary().max_in_flight.get());
    }
    // What waits for an injection that never came was never submitted.
    for task in std::mem::take(&mut world.kinds.injects) {
        world.open.remove(&task.task);
        world.submitted -= 1;
    }
    if world.rng.chance(700) {
        let wishes = [Shut::Drain, Shut::Finish, Shut::Stop];
        let wish = wishes[world.rng.below(3) as usize];
        world.tell(Event::Shut(wish));
        for _ in 0..STEPS / 2 {
            if world.master.is_stopped() {
                return;
            }
            step(world);
            world.master.check_invariants();
        }
        for task in std::mem::take(&mut world.kinds.injects) {
            world.open.remove(&task.task);
            world.submitted -= 1;
        }
    }
    if !world.master.is_stopped() {
        world.close();
    }
}

pub(super) fn step(world: &mut World) {
    if world.rng.chance(300) {
        somebody(world);
    } else if world.rng.chance(100) && world.outside() {
    } else if !world.workers.is_empty() {
        let index = world.rng.below(world.workers.len() as u64) as usize;
        world.step_worker(index);
    }
}

#[test]
fn polite_workers_that_die_at_any_point() {
    for seed in 0..1_000 {
        let manners = Manners {
            dies: seed % 7 * 10,
            fails: seed % 3 * 150,
            deaf: seed % 2 * 500,
            pageless: 0,
            stillborn: seed % 5 * 20,
            nonsense: 0,
        };
        run(seed, manners).check_causes();
    }
}

#[test]
fn workers_that_say_anything() {
    for seed in 0..1_000 {
        let manners = Manners {
            dies: seed % 5 * 10,
            fails: 200,
            deaf: 300,
            pageless: seed % 4 * 200,
            stillborn: 20,
            nonsense: 10 + seed % 3 * 40,
        };
        run(seed, manners);
    }
}

/// The lane's signature after every step, and the ends.
fn signatures(seed: u64, manners: Manners) -> (Vec<String>, Vec<crate::Settlement>) {
    let mut world = World::new(seed, configuration(seed), manners);
    let all = (0..STEPS).map(|_| {
        step(&mut world);
        world.master.lane(KindId(0)).signature()
    });
    let all = all.collect();
    (all, world.settled)
}

#[test]
fn c13_the_same_seed_gives_the_same_signatures_and_ends() {
    let manners = Manners {
        dies: 20,
        fails: 200,
        deaf: 300,
        ..Manners::default()
    };
    let mut different = std::collections::BTreeSet::new();
    for seed in 0..20 {
        let (first, ends) = signatures(seed, manners);
        let again = signatures(seed, manners);
        assert!(again == (first.clone(), ends), "seed {seed}");
        different.insert(first);
        assert_eq!(run(seed, manners).settled, run(seed, manners).settled);
    }
    assert_eq!(different.len(), 20, "other seeds have other signatures");
}

/// 2,000 tasks and 300 kills: every task ends exactly once, and the causes are right.
#[test]
fn two_thousand_tasks_and_three_hundred_kills() {
    for credit in [0, 8] {
        let mut configuration = config(4, credit);
        configuration.kinds[0].boundary.max_queued = 2_000;
        let mut world = World::new(7, configuration, Manners::default());
        for index in 0..2_000 {
            world.submit(options(|o| {
                if index % 5 == 0 {
                    o.crash_limit = CrashLimit::Unlimited;
                }
                if index % 7 == 0 {
                    o.on_lost = OnLost::Fail;
                }
            }));
        }
        let mut kills = 0;
        for step in 0_u64.. {
            if world.open.is_empty() {
                break;
            }
            let count = world.workers.len() as u64;
            if count == 0 {
                world.await_deadline();
                continue;
            }
            let index = world.rng.below(count) as usize;
            // Most kills hit a worker that executes, as they would where tasks take longer than a step.
            let chance = if world.workers[index].executing.is_some() {
                120
            } else {
                20
            };
            if kills < 300 && world.workers[index].ended.is_none() && world.rng.chance(chance) {
                kills += 1;
                world.end(index, KILLED);
            } else {
                world.step_worker(index);
            }
            if step % 100 == 0 {
                world.master.check_invariants();
            }
            assert!(step < 200_000, "the farm makes no progress");
        }
        assert_eq!(kills, 300);
        assert_eq!(world.settled.len(), 2_000);
        world.check_causes();
        let ended = |wanted: fn(&Outcome) -> bool| {
            world.settled.iter().filter(|s| wanted(&s.outcome)).count()
        };
        let done = ended(|outcome| outcome.is_done());
        let lost = ended(|outcome| matches!(outcome, Outcome::WorkerLost(_)));
        let poisoned = ended(|outcome| matches!(outcome, Outcome::Poisoned(_)));
        assert_eq!(done + lost + poisoned, 2_000);
        assert!(
            lost > 0 && world.died.len() > 100,
            "{lost} {}",
            world.died.len()
        );
        world.close();
    }
}

#[test]
fn random_bytes_in_every_phase() {
    let mut dice = World::new(3, config(1, 0), Manners::default()).rng;
    for _ in 0..2_000 {
        let mut stage = Stage::new(config(1, 4));
        let task = stage.task();
        let phase = dice.below(3);
        stage.spawned(0, 1, true);
        if phase > 0 {
            stage.hello(0, 1);
        }
        if phase > 1 {
            stage.reply(0, 1, id(task, 1), OK);
            stage.task();
            stage.task();
        }
        for _ in 0..3 {
            // A plausible length now and then, so that the bytes get as far as the headers.
            let mut bytes: Vec<u8> = (0..dice.below(40)).map(|_| dice.below(256) as u8).collect();
            if bytes.len() > 6 && dice.chance(700) {
                let length = bytes.len() as u32 - 4;
                bytes[..4].copy_from_slice(&length.to_le_bytes());
                bytes[4] = FrameKind::Hello as u8 + dice.below(7) as u8;
            }
            stage.say(0, 1, &bytes);
        }
        stage.shut(Shut::Kill);
        stage.die(0, 1, KILLED, None);
        assert!(stage.master.is_stopped());
        assert_eq!(stage.master.tasks(), 0);
    }
}
