//! The machine and the model side by side: a small random world, the signatures compared after every call.

mod world;

use farm_master::lane::{AdapterMode, Boundary};
use farm_master::{
    Backoff, Config, CrashLimit, KindConfig, LimitId, Need, OnLost, Retries, RetryOn, TaskOptions,
    When,
};
use std::num::NonZeroU32;
use std::time::Duration;
use world::{Dice, Manners, World, kind_hello};

/// A configuration drawn from the dice: small bounds, so that each is met.
fn config(dice: &mut Dice) -> Config {
    let slots = 1 + dice.below(4) as u32;
    let mode = [
        AdapterMode::PushPull,
        AdapterMode::PushPull,
        AdapterMode::PushOnly,
        AdapterMode::PullOnly,
    ];
    let boundary = Boundary {
        mode: mode[dice.below(4) as usize],
        max_in_flight: NonZeroU32::MIN.try_into().expect("fits"),
        max_queued: [0, 1, 3, 8, 40][dice.below(5) as usize],
        cancellation_budget_ms: [0, 1, 7, 1_000][dice.below(4) as usize],
    };
    let kind = KindConfig {
        hello: kind_hello(),
        slots,
        boundary,
        credit_cap: [0, 0, 2, 8][dice.below(4) as usize],
        injection_limit: dice.below(4) as usize,
        decode_above: 20,
        hello_timeout: None,
        staffing: farm_master::Staffing::default(),
        defaults: TaskOptions {
            retries: retries(dice),
            ..TaskOptions::default()
        },
    };
    Config {
        kinds: vec![kind],
        limits: vec![NonZeroU32::MIN, NonZeroU32::MIN.saturating_add(1)],
        ..Config::default()
    }
}

fn retries(dice: &mut Dice) -> Retries {
    Retries {
        count: dice.below(4) as u32,
        backoff: [Backoff::Fixed, Backoff::Exponential][dice.below(2) as usize],
        delay: Duration::from_micros([0, 0, 300, 5_000][dice.below(4) as usize]),
        max_delay: Duration::from_millis(8),
        jitter: false,
        on: [RetryOn::ALL, RetryOn::DEFAULT, RetryOn::TIMEOUT][dice.below(3) as usize],
    }
}

fn options(world: &mut World) -> TaskOptions {
    let mut options = TaskOptions {
        retries: retries(&mut world.dice),
        ..TaskOptions::default()
    };
    let dice = &mut world.dice;
    options.priority = [0, 0, 0, 1, -1][dice.below(5) as usize];
    if dice.chance(250) {
        options.limit = Some(LimitId(dice.below(2) as u16));
    } else if dice.chance(20) {
        options.limit = Some(LimitId(9));
    }
    if dice.chance(150) {
        options.running = Some(Duration::from_micros(dice.below(4) * 700));
    }
    if dice.chance(100) {
        options.waiting = Some(Duration::from_micros(dice.below(4) * 700));
    }
    if dice.chance(200) {
        options.grace = Some(Duration::from_millis(dice.below(4)));
    }
    if dice.chance(100) {
        options.on_lost = OnLost::Fail;
    }
    let limits = [
        CrashLimit::Deaths(0),
        CrashLimit::Deaths(1),
        CrashLimit::Deaths(2),
        CrashLimit::Unlimited,
    ];
    options.crash_limit = limits[dice.below(4) as usize];
    while world.dice.chance(200)
        && let Some(task) = world.any_task()
    {
        let when = [When::Success, When::Failure, When::Always][world.dice.below(3) as usize];
        options.needs.push(Need { task, when });
    }
    options
}

fn run(seed: u64, manners: Manners, steps: u32) -> World {
    let mut dice = Dice::new(seed);
    let mut world = World::new(seed, config(&mut dice), dice, manners);
    let shut_at = world.dice.below(u64::from(steps) * 2) as u32;
    for step in 0..steps {
        match world.dice.below(20) {
            0..=3 => {
                let options = options(&mut world);
                world.submit(options);
            }
            4 => world.cancel(),
            5 => world.pass(),
            6 if world.dice.chance(150) => world.gate(),
            _ => world.somebody_steps(),
        }
        if step >= shut_at && !world.stopped {
            world.shut();
        }
        if world.stopped {
            break;
        }
    }
    world.close();
    world
}

fn sweep(seeds: std::ops::Range<u64>, manners: Manners) -> [u64; 3] {
    let mut seen = [0; 3];
    for seed in seeds {
        let world = run(seed, manners, 400);
        for (seen, more) in seen.iter_mut().zip(world.seen) {
            *seen += more;
        }
    }
    seen
}

#[test]
fn good_workers() {
    let [calls, ..] = sweep(0..150, Manners::default());
    assert!(calls > 10_000, "{calls}");
}

#[test]
fn failing_and_deaf_workers() {
    let manners = Manners {
        fails: 300,
        deaf: 300,
        odd: 60,
        ..Manners::default()
    };
    let [_, retried, _] = sweep(1_000..1_150, manners);
    assert!(retried > 100, "{retried}");
}

#[test]
fn dying_workers() {
    let manners = Manners {
        dies: 30,
        pageless: 200,
        fails: 200,
        odd: 30,
        ..Manners::default()
    };
    let [_, retried, charged] = sweep(2_000..2_300, manners);
    assert!(retried > 50 && charged > 100, "{retried} {charged}");
}

#[test]
fn workers_that_do_everything_wrong() {
    let manners = Manners {
        dies: 10,
        fails: 300,
        deaf: 300,
        pageless: 200,
        nonsense: 25,
        stillborn: 150,
        odd: 60,
    };
    let [_, retried, charged] = sweep(3_000..3_200, manners);
    assert!(retried > 100 && charged > 20, "{retried} {charged}");
}
