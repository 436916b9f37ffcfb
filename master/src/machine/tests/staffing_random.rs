//! Random runs of kinds that share their workers, are resized and recycled: there are never more workers than there
//! may be, nobody wants a place that is free (with tokens and without), and a farm that drains comes to its end.

use super::attack_random::drain;
use super::nonsense::random_options;
use super::stage::*;
use super::world::*;
use crate::{Config, Event, Recycle, Staffing, Tokens};
use farm_protocol::KindId;
use std::num::NonZeroU32;
use std::time::Duration;

const STEPS: u64 = 200;
const SEEDS: u64 = 120;

fn maybe<T>(dice: &mut Dice, value: impl FnOnce(&mut Dice) -> T) -> Option<T> {
    dice.chance(400).then(|| value(dice))
}

fn millis(dice: &mut Dice) -> Duration {
    Duration::from_millis(dice.below(400))
}

fn draw(dice: &mut Dice) -> Config {
    let kinds = 1 + dice.below(4) as usize;
    let credit = [0, 0, 3][dice.below(3) as usize];
    let mut config = config(1 + dice.below(3) as u32, credit);
    config.limits = vec![NonZeroU32::MIN; 2];
    config.kinds = vec![config.kinds[0].clone(); kinds];
    config.workers = dice.chance(700).then(|| {
        let workers = 1 + dice.below(5) as u32;
        NonZeroU32::new(workers).expect("at least one")
    });
    // What all keep together is within what the farm may have, and may be all of it.
    let mut left = config.workers.map_or(9, NonZeroU32::get);
    for kind in &mut config.kinds {
        let least = (dice.below(3) as u32).min(left);
        left -= least;
        kind.staffing = Staffing {
            least,
            ceiling: dice.below(6) as u32,
            idle: maybe(dice, millis),
            spares: dice.below(2) as u32,
            recycle: Recycle {
                tasks: maybe(dice, |dice| 1 + dice.below(6) as u32).and_then(NonZeroU32::new),
                jitter: dice.below(4) as u32,
                age: maybe(dice, millis),
                idle: maybe(dice, millis),
                memory: dice.chance(100).then_some(100),
                growth: dice.chance(300).then(|| dice.below(80)),
            },
            named: dice.chance(250),
        };
    }
    config
}

fn step(world: &mut World, kinds: u64) {
    let kind = KindId(world.rng.below(kinds) as u16);
    match world.rng.below(20) {
        0..=6 => {
            let options = random_options(world);
            world.submit_to(kind, None, options);
        }
        7 => {
            let (least, most) = (world.rng.below(3) as u32, world.rng.below(6) as u32);
            world.tell(Event::Resize { kind, least, most });
        }
        8..=10 => {
            let span = Duration::from_millis(world.rng.below(60));
            world.pass(span);
        }
        11 => world.await_deadline(),
        12 => world.tokens_move(),
        _ => {
            if !world.outside() && !world.workers.is_empty() {
                let index = world.rng.below(world.workers.len() as u64) as usize;
                world.step_worker(index);
            }
        }
    }
    world.master.check_invariants();
}

#[test]
fn kinds_that_share_workers_whatever_happens() {
    let mut recycled = 0;
    for seed in 0..SEEDS {
        let mut dice = Dice::new(seed);
        let mut config = draw(&mut dice);
        if seed.is_multiple_of(3) {
            config.tokens = Tokens::Shared;
        }
        let kinds = config.kinds.len() as u64;
        let manners = Manners {
            dies: dice.below(3) * 20,
            fails: dice.below(3) * 100,
            deaf: dice.below(3) * 200,
            nonsense: dice.below(2) * 10,
            pageless: dice.below(2) * 300,
            stillborn: dice.below(2) * 30,
        };
        let mut world = World::new(seed, config, manners);
        world.tokens = tokens::Server::with((seed % 5) as usize);
        world.pass(Duration::ZERO);
        for _ in 0..STEPS {
            step(&mut world, kinds);
        }
        drain(&mut world);
        recycled += world.replaced;
    }
    assert!(
        recycled > SEEDS as usize / 4,
        "only {recycled} were recycled"
    );
}
