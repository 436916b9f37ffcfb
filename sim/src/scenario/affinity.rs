//! Tasks that are for some workers before others, for one, or for none; and callers that change their minds about them.

use super::{Cast, Play, Scenario, config, draw};
use crate::caller::Act;
use crate::ledger::Seen;
use crate::master::KIND;
use crate::message::{Message, Order, Wish};
use crate::nature::{Follow, KEYS, Keys, Leaves, Nature, Suits};
use crate::params::{Faults, Manners, Params};
use farm_lockstep::Choices;
use farm_master::lane::Gate;
use farm_master::{
    Affinity, CrashLimit, LimitId, OnLost, QueueOrder, Retries, Shut, TaskOptions, WhenGone,
};
use farm_protocol::AffinityKey;
use std::num::NonZeroU32;
use std::time::Duration;

pub(super) const AFFINITY: Scenario = Scenario {
    name: "affinity",
    about: "40 tasks with keys, pins and whims on 4 workers; orders, priorities and broadcasts that change; kills",
    defaults: Params {
        tasks: 40,
        workers: 4,
        faults: Faults::Stock,
        mutation: 0,
        max_steps: 30_000,
    },
    manners: Manners {
        budget: 6,
        kills: 2,
        late_kills: 700,
        dies: 30,
        spawn_fails: 10,
        pageless: 20,
        nonsense: 5,
        slow: 80,
        hung: 5,
        deaf: 30,
        fails: 100,
        ends_worker: 50,
        injects: 250,
        left_behind: 20,
        large: 30,
        split: 30,
        ..Manners::NONE
    },
    play,
    sees: &[
        Seen::Done,
        Seen::Retried,
        Seen::Charged,
        Seen::Injected,
        Seen::InjectionRefused,
        Seen::CancelledWaiting,
        Seen::AckedStop,
        Seen::PinnedStarts,
        Seen::Unpinned,
        Seen::Substituted,
        Seen::HolderGone,
        Seen::Preferred,
        Seen::Required,
        Seen::Unmatched,
        Seen::NoMatch,
        Seen::MadeRoom,
    ],
};

fn one_in(choices: &mut Choices, n: u32, tag: &'static str) -> bool {
    choices.chance(1_000 / n, tag)
}

fn play(choices: &mut Choices, play: Play) -> Cast {
    let tasks = draw::size(choices, play, play.params.tasks);
    // In some schedules keys matter, in others the kind's whims do, in most both.
    let whims = [6, 3, 12, 1_000][choices.choose(4, "how picky the tasks are") as usize];
    let mut script = Vec::new();
    let mut sent = 0;
    while sent < tasks {
        let part = (1 + choices.choose(8, "so many at once")).min(tasks - sent);
        let orders: Vec<Order> = (0..part)
            .map(|nth| order(choices, whims, sent + nth))
            .collect();
        script.push(Act::Tell(Message::Submit(orders)));
        script.push(Act::Pause);
        sent += part;
        change(choices, sent, &mut script);
    }
    for _ in 0..choices.choose(4, "changes of mind at the end") {
        script.push(Act::Ended(tasks / 2));
        change(choices, sent, &mut script);
    }
    script.push(Act::Pause);
    let end = [Shut::Drain, Shut::Drain, Shut::Drain, Shut::Stop];
    script.push(Act::Tell(Message::Shut(
        end[choices.choose(4, "how it is ended") as usize],
    )));
    // Follow-ups have the defaults; one with a running limit is not sent behind another.
    let running = one_in(choices, 4, "follow-ups have a running limit");
    let defaults = TaskOptions {
        retries: Retries::immediate(choices.choose(3, "retries")),
        running: running.then_some(Duration::from_millis(400)),
        ..TaskOptions::default()
    };
    let mut config = config(play.params, &defaults);
    config.limits = vec![NonZeroU32::MIN];
    if one_in(choices, 4, "a short queue") {
        config.kinds[0].boundary.max_queued = 6;
        config.kinds[0].injection_limit = choices.choose(3, "injection limit") as usize;
    }
    config.kinds[0].credit_cap = [0, 0, 0, 2][choices.choose(4, "credit") as usize];
    Cast {
        config,
        callers: vec![script],
        jobserver: None,
        named: None,
    }
}

/// Something that a caller changes its mind about.
fn change(choices: &mut Choices, sent: u32, script: &mut Vec<Act>) {
    let which = choices.choose(10, "what is changed");
    let wish = match which {
        0 | 1 => return,
        2 | 3 => Wish::Priority(
            choices.choose(sent, "which task's priority"),
            [1, -1, 0, 2][choices.choose(4, "the priority") as usize],
        ),
        4 => {
            let orders = [QueueOrder::Newest, QueueOrder::Ranked, QueueOrder::Arrival];
            Wish::Order(orders[choices.choose(3, "the order") as usize])
        }
        5 => Wish::Broadcast,
        6 => {
            let which = choices.choose(sent, "which task is cancelled");
            return script.push(Act::Tell(Message::Cancel(which)));
        }
        7 => return script.push(Act::CancelSome),
        8 => return script.push(Act::Sleep(60)),
        _ if one_in(choices, 4, "all are cancelled") => Wish::CancelAll,
        _ => {
            script.push(Act::Tell(Message::Gate(KIND, Gate::Paused)));
            script.push(Act::Sleep(30));
            return script.push(Act::Tell(Message::Gate(KIND, Gate::Running)));
        }
    };
    script.push(Act::Tell(Message::Wish(wish)));
}

fn order(choices: &mut Choices, whims: u32, before: u32) -> Order {
    let mut options = TaskOptions::default();
    if one_in(choices, 5, "priority") {
        options.priority = [1, -1][choices.choose(2, "which priority") as usize];
    }
    if one_in(choices, 6, "retried") {
        options.retries = Retries::immediate(2);
        options.retries.delay = [Duration::ZERO, Duration::from_millis(40)]
            [choices.choose(2, "after which delay") as usize];
    }
    if one_in(choices, 12, "limit") {
        options.limit = Some(LimitId(0));
    }
    if one_in(choices, 12, "running limit") {
        options.running = Some(Duration::from_millis(50));
    }
    if one_in(choices, 12, "crash limit") {
        options.crash_limit = CrashLimit::Deaths(1);
    }
    if one_in(choices, 20, "at most once") {
        options.on_lost = OnLost::Fail;
    }
    let mut nature = nature(choices, whims);
    for _ in 0..choices.choose(3, "what follows") {
        nature.follows.push(follow(choices, whims));
    }
    let nature = Some(Box::new(nature));
    let order = if one_in(choices, 8, "with needs") {
        draw::order(choices, options, before)
    } else {
        Order {
            options: Some(Box::new(options)),
            ..Order::default()
        }
    };
    Order { nature, ..order }
}

fn follow(choices: &mut Choices, whims: u32) -> Follow {
    let pins = [
        None,
        Some(WhenGone::AnyWorker),
        Some(WhenGone::Substitute),
        Some(WhenGone::Fail),
    ];
    Follow {
        nature: nature(choices, whims),
        pinned: pins[choices.choose(4, "pinned") as usize],
    }
}

fn nature(choices: &mut Choices, whims: u32) -> Nature {
    let affinity = affinity(choices);
    let leaves = match choices.choose(8, "what it leaves") {
        // Mostly the key that it has itself, as a warm worker does.
        0..=3 => match affinity {
            Affinity::Any | Affinity::Worker { .. } => Leaves::Nothing,
            Affinity::Prefers(key) | Affinity::Requires(key) => Leaves::Only(Keys::only(key)),
        },
        4 => Leaves::Also(Keys::of_bits(keys(choices))),
        5 => Leaves::Only(Keys::of_bits(keys(choices))),
        6 => Leaves::Lesson,
        _ => Leaves::Void,
    };
    let mut nature = Nature {
        affinity,
        suits: suits(choices, whims),
        rank: i64::from(choices.choose(4, "rank")),
        leaves,
        ..Nature::default()
    };
    if one_in(choices, 2, "another instead") {
        nature.instead = Some((self::affinity(choices), suits(choices, whims)));
    }
    nature
}

fn keys(choices: &mut Choices) -> u8 {
    u8::try_from(choices.choose(1 << KEYS, "which keys")).expect("few keys")
}

fn affinity(choices: &mut Choices) -> Affinity {
    let sort = choices.choose(3, "for whom");
    let key = AffinityKey(u64::from(choices.choose(KEYS, "which key")));
    match sort {
        0 => Affinity::Any,
        1 => Affinity::Prefers(key),
        _ => Affinity::Requires(key),
    }
}

fn suits(choices: &mut Choices, whims: u32) -> Suits {
    if !one_in(choices, whims, "picky") {
        return Suits::All;
    }
    let all = [
        Suits::Taught,
        Suits::Taught,
        Suits::Fresh,
        Suits::Old,
        Suits::Mood,
        Suits::Nobody,
    ];
    all[choices.choose(all.len() as u32, "whom it suits") as usize]
}
