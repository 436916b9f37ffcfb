//! The price of matching by key: what is looked at and what kinds are asked grows as n log n.

use super::stage::*;
use crate::Affinity;
use farm_protocol::{AffinityKey, TaskId};

/// Looks and questions per task when `tasks` tasks with one of `keys` keys each run on 50 workers that
/// come to hold the key of what they did.
fn price(tasks: u32, keys: u64, affinity: fn(AffinityKey) -> Affinity) -> f64 {
    const SLOTS: u32 = 50;
    let mut stage = Stage::new({
        let mut config = config(SLOTS, 0);
        config.kinds[0].boundary.max_queued = tasks as usize;
        config
    });
    stage.checks = false;
    let key = |task: TaskId| AffinityKey(task.index() as u64 * 2_654_435_761 % keys);
    for _ in 0..tasks {
        let task = stage.coming();
        stage.task_for(affinity(key(task)));
    }
    for slot in 0..SLOTS {
        stage.hello(slot, u64::from(slot) + 1);
    }
    let mut sessions: Vec<u64> = (1..=u64::from(SLOTS)).collect();
    let mut left = tasks;
    while left > 0 {
        for slot in 0..SLOTS {
            let session = sessions[slot as usize];
            if let Some(task) = stage.running_in(slot) {
                stage.kinds.keys = vec![key(task)];
                stage.reply(slot, session, id(task, 1), OK);
                left -= 1;
            }
            if let Some(next) = stage.replaced(slot, session) {
                sessions[slot as usize] = next;
            }
        }
    }
    let counters = stage.master.counters();
    (counters.looks + counters.matches) as f64 / f64::from(tasks)
}

#[test]
fn matching_by_key_is_a_look_up() {
    type OfKey = fn(AffinityKey) -> Affinity;
    let kinds: [(&str, OfKey); 2] = [
        ("prefers", Affinity::Prefers),
        ("requires", Affinity::Requires),
    ];
    for (name, affinity) in kinds {
        // As many keys as workers; and, where nobody has to be replaced for it, one key for each task.
        let many = if name == "prefers" { u64::MAX } else { 50 };
        for keys in [50, many] {
            let (small, large) = (price(1_000, keys, affinity), price(10_000, keys, affinity));
            // A look and a question for a task, and a few where a worker is free and others hold the key.
            assert!(large < 8.0, "{name}, {keys} keys: {large} per task");
            assert!(
                large < small * 1.5,
                "{name}, {keys} keys: {small}, then {large}"
            );
        }
    }
}
