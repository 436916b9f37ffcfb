//! Random runs with scopes and groups in a tree: the books agree after every step, every scope ends
//! exactly once and after what is in it, and a recorded run replays.

use super::nonsense::{configuration, random_options, step};
use super::world::*;
use crate::record::{Replayer, RunEncoder};
use crate::{Event, Rule, Shut, Ties};
use farm_protocol::ScopeId;
use std::num::NonZeroU32;
use std::time::Duration;

const STEPS: u64 = 150;

fn any_scope(world: &mut World) -> Option<ScopeId> {
    let nth = world.rng.below(world.scopes.len() as u64 + 1) as usize;
    world.scopes.iter().nth(nth).copied()
}

fn open(world: &mut World, last: &mut u64) {
    *last += 1;
    let scope = ScopeId(*last);
    let parent = any_scope(world);
    let wanted = NonZeroU32::MIN.saturating_add(world.rng.below(3) as u32);
    let rules = [
        Rule::All,
        Rule::FirstError,
        Rule::FirstSuccess,
        Rule::Quorum(wanted),
    ];
    let rule = rules.get(world.rng.below(5) as usize).copied();
    let ties = [Ties::Arrival, Ties::Lowest][world.rng.below(2) as usize];
    let limit = world.rng.chance(200);
    let limit = limit.then(|| Duration::from_millis(world.rng.below(60)));
    world.scopes.insert(scope);
    world.tell(Event::OpenScope {
        scope,
        parent,
        rule: rule.map(|rule| (rule, ties)),
        limit,
    });
}

pub(super) fn with_scopes(world: &mut World, last: &mut u64) {
    match world.rng.below(100) {
        0..=7 => open(world, last),
        8..=27 => {
            let scope = any_scope(world);
            let options = random_options(world);
            world.submit_in(scope, options);
        }
        28..=30 => {
            // Also one that is over, or never was.
            let scope = ScopeId(world.rng.below(*last + 2));
            let reason = "edited".to_owned();
            world.tell(Event::CancelScope { scope, reason });
        }
        31..=34 => {
            let scope = ScopeId(world.rng.below(*last + 2));
            world.tell(Event::CloseScope { scope });
        }
        _ => step(world),
    }
}

fn run(seed: u64, record: bool) -> World {
    let manners = Manners {
        dies: seed % 5 * 10,
        fails: 250,
        deaf: 300,
        nonsense: seed % 2 * 10,
        pageless: seed % 3 * 200,
        stillborn: 20,
    };
    let mut world = World::new(seed, configuration(seed), manners);
    if record {
        let mut encoder = RunEncoder::new();
        encoder
            .head("the test", &configuration(seed))
            .expect("short");
        world.record = Some(encoder);
    }
    let mut last = 0;
    for round in 0..STEPS {
        if round == STEPS * 2 / 3 && seed.is_multiple_of(3) {
            let wishes = [Shut::Drain, Shut::Finish, Shut::Stop];
            world.tell(Event::Shut(wishes[(seed / 3 % 3) as usize]));
        }
        if world.master.is_stopped() {
            break;
        }
        with_scopes(&mut world, &mut last);
        world.master.check_invariants();
    }
    for task in std::mem::take(&mut world.kinds.injects) {
        world.open.remove(&task.task);
        world.submitted -= 1;
    }
    if !world.master.is_stopped() {
        world.close();
    }
    assert_eq!(world.master.scopes(), 0);
    world
}

#[test]
fn scopes_in_a_tree_whatever_happens() {
    let mut settled = 0;
    for seed in 0..1_000 {
        let world = run(seed, false);
        settled += world.settled.iter().filter(|s| s.scope.is_some()).count();
    }
    assert!(settled > 5_000, "{settled} members prove little");
}

#[test]
fn a_recorded_run_with_scopes_replays() {
    for seed in 0..100 {
        let mut record = run(seed, true).record.take().expect("put there");
        record.end();
        let mut replayer = Replayer::new(false);
        replayer.push(record.bytes());
        while let Some(step) = replayer.next_step().expect("a good record") {
            assert_eq!(step.difference, None, "seed {seed}");
        }
        assert!(replayer.so_far().whole);
    }
}
