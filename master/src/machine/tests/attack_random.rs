//! Random runs in which not every task is for every worker: nobody that could start is overlooked, whatever the
//! kind says nothing of ours panics, and a farm that drains comes to its end.

use super::groups_random::with_scopes;
use super::nonsense::configuration;
use super::stage::*;
use super::world::*;
use crate::machine::ready::LineId;
use crate::machine::slot::Process;
use crate::machine::task::{State, Task};
use crate::{Event, Injected, QueueOrder, Shut, WhenGone, Whom};
use farm_protocol::{KindId, TaskId};

const STEPS: u64 = 250;

fn any_task(world: &mut World) -> Option<TaskId> {
    let index = world.rng.below(world.open.len() as u64) as usize;
    world.open.iter().nth(index).copied()
}

/// One thing that concerns whom tasks are for.
pub(super) fn step(world: &mut World, last: &mut u64) {
    let kind = KindId(0);
    match world.rng.below(100) {
        0..=5 => {
            if world.kinds.injects.len() < 4 {
                let task = world.id();
                let ways = [WhenGone::AnyWorker, WhenGone::Substitute, WhenGone::Fail];
                let pinned = ways.get(world.rng.below(4) as usize).copied();
                world.kinds.injects.push(Injected { task, pinned });
                world.open.insert(task);
                world.submitted += 1;
            }
        }
        6..=9 => {
            if let Some(task) = any_task(world) {
                let priority = world.rng.below(4) as i32;
                world.tell(Event::SetPriority { task, priority });
            }
        }
        10..=11 => {
            let orders = [QueueOrder::Arrival, QueueOrder::Newest, QueueOrder::Ranked];
            let order = orders[world.rng.below(3) as usize];
            world.tell(Event::SetOrder { kind, order });
        }
        12..=13 => {
            world.kinds.chaos.as_mut().expect("set").changes_its_mind();
            world.tell(Event::Broadcast { kind });
        }
        14 if world.rng.chance(200) => {
            let kind = world.rng.chance(500).then_some(kind);
            let reason = String::new();
            world.tell(Event::CancelAll { kind, reason });
        }
        15..=17 => world.await_deadline(),
        _ => with_scopes(world, last),
    }
}

/// Nobody idles who would take what is ready, and nobody fresh is missing who would.
fn nobody_is_overlooked(world: &World) {
    let master = &world.master;
    let pool = &master.pools[0];
    if !pool.lane.gate().starts() {
        return;
    }
    let chaos = world.kinds.chaos.as_ref().expect("set");
    let defaults = &pool.config.defaults;
    let room = |task: &Task| {
        task.options(defaults).limit.is_none_or(|limit| {
            let mut limits = master.limits.iter();
            limits.any(|(id, room, _)| id == limit && room > 0)
        })
    };
    let ready = || {
        let tasks = master.tasks.iter();
        tasks.filter(|task| matches!(task.state(), State::Ready) && room(task))
    };
    let processes = || {
        let slots = master.slots.iter();
        slots.filter_map(|slot| Some((slot.id, slot.process.as_ref()?)))
    };
    let takes = |task: &Task, process: &Process| match task.stands.expect("ready").0 {
        LineId::Shared | LineId::Prefers(_) => true,
        LineId::Solo => process.is_fresh(),
        LineId::Pinned(session) => process.session == session,
        LineId::Requires(key) => process.is_fresh() || process.keys.contains(&key),
    };
    for (slot, process) in processes().filter(|(_, process)| process.is_idle()) {
        for task in ready().filter(|task| takes(task, process)) {
            let pinned = matches!(task.stands.expect("ready").0, LineId::Pinned(_));
            assert!(
                !pinned && !chaos.opinion(task.id, Whom::Worker(slot)),
                "{} is ready and {slot} idles",
                task.id
            );
        }
    }
    let pinned = |task: &Task| matches!(task.stands.expect("ready").0, LineId::Pinned(_));
    let comes = |process: &Process| !process.is_idle() || process.is_fresh();
    if pool.pause_until.is_none() && !processes().any(|(_, process)| comes(process)) {
        for task in ready().filter(|task| !pinned(task)) {
            assert!(
                !chaos.opinion(task.id, Whom::Fresh),
                "{} is for a fresh worker and none comes",
                task.id
            );
        }
    }
}

fn forget_injects(world: &mut World) {
    for inject in std::mem::take(&mut world.kinds.injects) {
        world.open.remove(&inject.task);
        world.submitted -= 1;
    }
}

/// Everybody behaves, and the farm drains: by itself, to its end.
pub(super) fn drain(world: &mut World) {
    forget_injects(world);
    world.manners = Manners::default();
    if !world.master.is_stopped() {
        world.tell(Event::Shut(Shut::Drain));
    }
    for round in 0..40_000 {
        if world.master.is_stopped() {
            return world.check_stopped();
        }
        if world.outside() {
        } else if !world.workers.is_empty() && round % 8 != 0 {
            let index = world.rng.below(world.workers.len() as u64) as usize;
            world.step_worker(index);
        } else {
            world.await_deadline();
        }
        world.master.check_invariants();
    }
    panic!("it drains without end: {:?}", world.open);
}

fn run(seed: u64, sane: bool) {
    let manners = Manners {
        dies: (seed % 5).saturating_sub(2) * 8,
        fails: seed % 4 * 200,
        deaf: 300,
        nonsense: if sane { 0 } else { seed % 2 * 10 },
        pageless: seed % 3 / 2 * 300,
        stillborn: seed % 4 / 3 * 20,
    };
    let mut configuration = configuration(seed);
    if !seed.is_multiple_of(3) {
        configuration = config(2 + (seed % 4) as u32, (seed % 5) as u32 * 2);
        configuration.limits.push(std::num::NonZeroU32::MIN);
    }
    let mut world = World::new(seed, configuration, manners);
    world.kinds.chaos = Some(Chaos::new(seed, sane));
    let mut last = 0;
    for _ in 0..STEPS {
        step(&mut world, &mut last);
        world.master.check_invariants();
        if sane {
            nobody_is_overlooked(&world);
        }
    }
    drain(&mut world);
}

#[test]
fn nobody_that_could_start_is_overlooked() {
    for seed in 0..300 {
        run(seed, true);
    }
}

#[test]
fn kinds_that_say_anything() {
    for seed in 0..300 {
        run(seed, false);
    }
}
