//! A pool that is kept, grown, shrunk and replaced while it works: bursts of tasks with quiet spans between them.

use super::{Cast, Play, Scenario, config, draw};
use crate::caller::Act;
use crate::ledger::Seen;
use crate::master::KIND;
use crate::message::{Message, Order};
use crate::nature::{Follow, Nature};
use crate::params::{Faults, Manners, Params};
use farm_lockstep::Choices;
use farm_master::lane::Gate;
use farm_master::{Recycle, Retries, Shut, Staffing, TaskOptions, WhenGone};
use std::num::NonZeroU32;
use std::time::Duration;

pub(super) const RECYCLE: Scenario = Scenario {
    name: "recycle",
    about: "30 tasks in bursts on up to 4 workers that are kept, spared, resized, and replaced by tasks, age, idling, memory",
    defaults: Params {
        tasks: 30,
        workers: 4,
        faults: Faults::Stock,
        mutation: 0,
        max_steps: 30_000,
    },
    manners: Manners {
        budget: 6,
        kills: 2,
        late_kills: 800,
        dies: 20,
        spawn_fails: 10,
        bad_start: 10,
        pageless: 30,
        nonsense: 5,
        slow: 200,
        deaf: 20,
        fails: 60,
        ends_worker: 20,
        injects: 250,
        left_behind: 10,
        large: 30,
        split: 30,
        ..Manners::NONE
    },
    play,
    sees: &[
        Seen::Done,
        Seen::Charged,
        Seen::Injected,
        Seen::RecycledByTasks,
        Seen::RecycledByAge,
        Seen::RecycledByIdling,
        Seen::RecycledByMemory,
        Seen::PinnedToWorn,
        Seen::Reaped,
        Seen::BusyShrunk,
        Seen::SpareUsed,
        Seen::LeastRefilled,
        Seen::PoolEnded,
    ],
};

fn one_in(choices: &mut Choices, n: u32, tag: &'static str) -> bool {
    choices.chance(1_000 / n, tag)
}

/// One of these spans in milliseconds, or none.
fn span(choices: &mut Choices, spans: [u64; 3], tag: &'static str) -> Option<Duration> {
    let which = choices.choose(2 * spans.len() as u32, tag) as usize;
    which
        .checked_sub(spans.len())
        .map(|which| Duration::from_millis(spans[which]))
}

fn staffing(choices: &mut Choices, workers: u32) -> Staffing {
    let tasks = [0, 0, 1, 2, 5][choices.choose(5, "after how many tasks") as usize];
    // A worker holds 40 to 50 MB before its first task: the first of these is refused.
    let memory =
        [None, None, None, None, Some(45), Some(90)][choices.choose(6, "limit of memory") as usize];
    let growth = [None, None, Some(20), Some(50)][choices.choose(4, "limit of growth") as usize];
    Staffing {
        least: choices.choose(workers + 1, "how many are kept"),
        ceiling: workers + choices.choose(3, "how many more there may be"),
        idle: span(choices, [100, 300, 1_000], "how long they idle"),
        spares: [0, 0, 1, 2][choices.choose(4, "spares") as usize],
        recycle: Recycle {
            tasks: NonZeroU32::new(tasks),
            jitter: [0, 0, 1, 3][choices.choose(4, "jitter") as usize],
            age: span(choices, [150, 500, 2_000], "how old they become"),
            idle: span(
                choices,
                [150, 400, 1_500],
                "after what idling they are replaced",
            ),
            memory: memory.map(|megabytes: u64| megabytes * 1_000_000),
            growth: growth.map(|megabytes: u64| megabytes * 1_000_000),
        },
        named: false,
    }
}

fn play(choices: &mut Choices, play: Play) -> Cast {
    let tasks = draw::size(choices, play, play.params.tasks);
    let workers = play.params.workers.max(1);
    let staffing = staffing(choices, workers);
    let pins = one_in(choices, 2, "some are pinned");
    let mut script = Vec::new();
    let mut sent = 0;
    while sent < tasks {
        let part = (1 + choices.choose(8, "so many at once")).min(tasks - sent);
        let orders = (0..part).map(|_| order(choices, pins)).collect();
        script.push(Act::Tell(Message::Submit(orders)));
        script.push(Act::Pause);
        sent += part;
        meanwhile(choices, sent, &mut script);
    }
    for _ in 0..choices.choose(3, "quiet spans at the end") {
        quiet(choices, &mut script);
        meanwhile(choices, sent, &mut script);
    }
    let end = [Shut::Drain, Shut::Drain, Shut::Stop, Shut::Finish];
    script.push(Act::Tell(Message::Shut(
        end[choices.choose(4, "how it is ended") as usize],
    )));
    let mut retries = Retries::immediate(choices.choose(3, "retries"));
    retries.delay = [Duration::ZERO, Duration::from_millis(40)]
        [choices.choose(2, "after which delay") as usize];
    let defaults = TaskOptions {
        retries,
        ..TaskOptions::default()
    };
    let mut config = config(play.params, &defaults);
    config.kinds[0].staffing = staffing;
    config.kinds[0].credit_cap = [0, 0, 0, 2][choices.choose(4, "credit") as usize];
    Cast {
        config,
        callers: vec![script],
        jobserver: None,
        named: None,
    }
}

fn quiet(choices: &mut Choices, script: &mut Vec<Act>) {
    let spans = [100, 30, 400, 1_500];
    script.push(Act::Sleep(
        spans[choices.choose(4, "how long it is quiet") as usize],
    ));
}

/// What a caller does between two bursts.
fn meanwhile(choices: &mut Choices, sent: u32, script: &mut Vec<Act>) {
    match choices.choose(8, "what is done meanwhile") {
        0 => {}
        1..=3 => quiet(choices, script),
        4 | 5 => {
            let (least, most) = (
                choices.choose(5, "the least"),
                choices.choose(7, "the most"),
            );
            script.push(Act::Tell(Message::Resize {
                kind: KIND,
                least,
                most,
            }));
        }
        6 => {
            let which = choices.choose(sent, "which task is cancelled");
            script.push(Act::Tell(Message::Cancel(which)));
        }
        _ => {
            script.push(Act::Tell(Message::Gate(KIND, Gate::Paused)));
            quiet(choices, script);
            script.push(Act::Tell(Message::Gate(KIND, Gate::Running)));
        }
    }
}

fn order(choices: &mut Choices, pins: bool) -> Order {
    let mut nature = pins.then(Nature::default);
    if let Some(nature) = &mut nature {
        for _ in 0..choices.choose(3, "what follows") {
            let mut follow = follow(choices);
            if one_in(choices, 3, "something follows that too") {
                follow.nature.follows.push(self::follow(choices));
            }
            nature.follows.push(follow);
        }
    }
    Order {
        nature: nature.map(Box::new),
        ..Order::default()
    }
}

fn follow(choices: &mut Choices) -> Follow {
    let pins = [
        Some(WhenGone::AnyWorker),
        Some(WhenGone::Substitute),
        Some(WhenGone::Fail),
        None,
    ];
    Follow {
        nature: Nature::default(),
        pinned: pins[choices.choose(4, "pinned") as usize],
    }
}
