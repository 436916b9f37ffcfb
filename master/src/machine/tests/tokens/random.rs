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
    configuration.tokens = if seed.is_multiple_of(7) {
        Tokens::Own
    } else {
        Tokens::Shared
    };
    let mut world = World::new(seed, configuration, manners);
    world.several = several;
    world.tokens = tokens::Server::with((seed % 6) as usize);
    world.kinds.chaos = Some(Chaos::new(seed, seed.is_multiple_of(2)));
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
