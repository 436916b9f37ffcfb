//! Random runs with tokens, several kinds and others who take tokens too: never more at work than tokens allow, none
//! held in vain, none lost with a worker, and a farm that drains comes to its end.

use super::super::attack_random::{drain, step};
use super::super::nonsense::configuration;
use super::super::stage::*;
use super::super::world::*;
use crate::Tokens;

const STEPS: u64 = 250;

fn run(seed: u64) -> World {
    let manners = Manners {
        dies: seed % 5 * 8,
        fails: seed % 4 * 200,
        deaf: 300,
        nonsense: seed % 2 * 10,
        pageless: seed % 3 / 2 * 300,
        stillborn: seed % 4 / 3 * 20,
    };
    let mut configuration = configuration(seed);
    if seed.is_multiple_of(2) {
        configuration = config(2 + (seed % 4) as u32, (seed % 5) as u32 * 2);
        configuration.limits.push(std::num::NonZeroU32::MIN);
    }
    let several = 1 + (seed % 3) as u16;
    configuration.kinds = vec![configuration.kinds[0].clone(); several.into()];
    // Fewer places than slots, and workers that are kept without work.
    let most = std::num::NonZeroU32::new(seed as u32 % 5 / 2 * 2);
    configuration.workers = most.filter(|_| seed % 11 < 5);
    if seed % 13 < 4 {
        let staffing = &mut configuration.kinds[0].staffing;
        (staffing.least, staffing.spares) = (1, 1);
    }
    configuration.tokens = if seed.is_multiple_of(7) {
        Tokens::Own
    } else {
        Tokens::Shared
    };
    let mut world = World::new(seed, configuration, manners);
    world.tokens = tokens::Server::with((seed % 6) as usize);
    world.tokens.more_kinds = several - 1;
    world.kinds.chaos = Some(Chaos::new(seed, seed.is_multiple_of(2)));
    // Those that are kept without work are started at the first event.
    world.pass(std::time::Duration::ZERO);
    let mut last = 0;
    for _ in 0..STEPS {
        if world.rng.chance(200) || world.tokens.wanted && world.rng.chance(300) {
            world.tokens_move();
        }
        step(&mut world, &mut last);
        world.master.check_invariants();
    }
    drain(&mut world);
    world
}

#[test]
fn no_token_is_lost_hoarded_or_used_twice() {
    let mut came = 0;
    for seed in 0..120 {
        came += run(seed).tokens.came;
    }
    assert!(came > 200, "only {came} tokens came");
}
