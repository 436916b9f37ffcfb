//! Several kinds in one farm that has fewer places than they want, or too few tokens, or both; and others want tokens too.

use super::{Cast, Play, Scenario, config, draw};
use crate::caller::Act;
use crate::jobserver::{Move, Server};
use crate::ledger::Seen;
use crate::message::{Message, Order};
use crate::params::{Faults, Manners, Params};
use farm_lockstep::Choices;
use farm_master::lane::Gate;
use farm_master::{Config, KindConfig, Recycle, Retries, Shut, Staffing, TaskOptions, Tokens};
use farm_protocol::KindId;
use std::num::NonZeroU32;
use std::time::Duration;

pub(super) const SHARING: Scenario = Scenario {
    name: "sharing",
    about: "60 tasks of two or three kinds that share up to 4 workers, or the tokens of a jobserver, with others",
    defaults: Params {
        tasks: 60,
        workers: 4,
        faults: Faults::Stock,
        mutation: 0,
        max_steps: 30_000,
    },
    manners: Manners {
        budget: 6,
        kills: 2,
        late_kills: 800,
        dies: 15,
        spawn_fails: 10,
        bad_start: 10,
        pageless: 30,
        nonsense: 5,
        slow: 120,
        deaf: 20,
        fails: 60,
        ends_worker: 10,
        injects: 30,
        left_behind: 10,
        large: 30,
        split: 30,
        ..Manners::NONE
    },
    play,
    sees: &[
        Seen::Done,
        Seen::Charged,
        Seen::PoolEnded,
        Seen::ThreeKindsEnd,
        Seen::IdleGoesForOthers,
        Seen::BusyGoesForOthers,
        Seen::KeptGoesForOthers,
        Seen::WaitsForPlace,
        Seen::WaitsForToken,
        Seen::TokenComes,
        Seen::TokenGoesBack,
        Seen::TokenComesLate,
        Seen::TokensLost,
        Seen::LostWithTokens,
        Seen::TokensCounted,
        Seen::TokensPutBack,
        Seen::OthersHaveAll,
    ],
};

/// One of several numbers, the first of them the dull one.
fn one_of<T: Copy>(choices: &mut Choices, of: &[T], tag: &'static str) -> T {
    of[choices.choose(of.len() as u32, tag) as usize]
}

fn staffing(choices: &mut Choices, slots: u32) -> Staffing {
    let idle = one_of(
        choices,
        &[None, None, Some(400), Some(100)],
        "how long they idle",
    );
    Staffing {
        least: one_of(choices, &[0, 0, 0, 1, 2], "how many are kept").min(slots),
        ceiling: slots + choices.choose(2, "how many more there may be"),
        idle: idle.map(Duration::from_millis),
        recycle: Recycle {
            tasks: NonZeroU32::new(one_of(choices, &[0, 0, 0, 1, 4], "after how many tasks")),
            ..Recycle::default()
        },
        ..Staffing::default()
    }
}

/// A kind like the first one, with places and workers of its own.
fn kind(choices: &mut Choices, model: &KindConfig, number: u32, most: u32) -> KindConfig {
    let slots = most - choices.choose(most, "fewer slots");
    let mut kind = model.clone();
    if number > 0 {
        kind.hello.name = format!("sim-{number}");
    }
    kind.slots = slots;
    kind.staffing = staffing(choices, slots);
    kind.credit_cap = one_of(choices, &[0, 0, 0, 2], "credit");
    kind
}

fn moves(choices: &mut Choices, tokens: Tokens, all: u32) -> Vec<Move> {
    let mut moves = Vec::new();
    for _ in 0..choices.choose(12, "what happens to the tokens") {
        let some = 1 + choices.choose(all.max(1), "how many tokens");
        moves.push(match choices.choose(8, "what happens to them") {
            0..=2 => Move::Sleep(one_of(choices, &[5, 1, 30, 200], "for how long")),
            3..=5 => Move::Take(some),
            6 => Move::Return(some),
            // Our own server lives as long as we do.
            _ if tokens == Tokens::Own => Move::Take(all),
            _ => Move::Sleep(1),
        });
    }
    if tokens == Tokens::Shared && choices.chance(250, "the server dies") {
        let at = choices.choose(moves.len() as u32 + 1, "when it dies") as usize;
        moves.insert(at, Move::Die);
    }
    moves
}

fn configured(choices: &mut Choices, play: Play) -> (Config, Option<Server>) {
    let most = play.params.workers.max(1);
    let defaults = TaskOptions {
        retries: Retries::immediate(choices.choose(3, "retries")),
        ..TaskOptions::default()
    };
    let mut config = config(play.params, &defaults);
    let first = config.kinds[0].clone();
    let kinds = 2 + choices.choose(2, "one kind more");
    config.kinds = (0..kinds)
        .map(|number| kind(choices, &first, number, most))
        .collect();
    let caps = [2, 1, 3, 0, most];
    config.workers = NonZeroU32::new(one_of(choices, &caps, "how many workers in all"));
    let tokens = [
        Tokens::Unlimited,
        Tokens::Shared,
        Tokens::Unlimited,
        Tokens::Own,
        Tokens::Shared,
    ];
    config.tokens = one_of(choices, &tokens, "whose tokens");
    if config.tokens == Tokens::Unlimited {
        return (config, None);
    }
    let tokens = choices.choose(4, "how many tokens");
    let moves = moves(choices, config.tokens, tokens);
    (config, Some(Server { tokens, moves }))
}

fn play(choices: &mut Choices, play: Play) -> Cast {
    let tasks = draw::size(choices, play, play.params.tasks);
    let (config, jobserver) = configured(choices, play);
    let kinds = u32::try_from(config.kinds.len()).expect("few kinds");
    let mut script = Vec::new();
    let mut sent = 0;
    while sent < tasks {
        let least = if choices.chance(300, "much at once") {
            20
        } else {
            1
        };
        let part = least + choices.choose(6 + least, "so many at once");
        let part = part.min(tasks - sent);
        let of = choices.choose(kinds, "of which kind");
        let orders = (0..part).map(|_| order(of)).collect();
        script.push(Act::Tell(Message::Submit(orders)));
        if choices.chance(600, "and then something else") {
            script.push(Act::Pause);
            meanwhile(choices, (sent + part, kinds), &mut script);
        }
        sent += part;
    }
    for _ in 0..choices.choose(3, "quiet spans at the end") {
        quiet(choices, &mut script);
    }
    let end = [
        Shut::Drain,
        Shut::Drain,
        Shut::Stop,
        Shut::Finish,
        Shut::Drain,
        Shut::Kill,
    ];
    script.push(Act::Tell(Message::Shut(one_of(
        choices,
        &end,
        "how it is ended",
    ))));
    Cast {
        config,
        callers: vec![script],
        jobserver,
        named: None,
    }
}

fn order(kind: u32) -> Order {
    Order {
        kind: u16::try_from(kind).expect("few kinds"),
        ..Order::default()
    }
}

fn quiet(choices: &mut Choices, script: &mut Vec<Act>) {
    let spans = [100, 30, 400, 1_500];
    script.push(Act::Sleep(one_of(choices, &spans, "how long it is quiet")));
}

/// What a caller does between two bursts.
fn meanwhile(choices: &mut Choices, (sent, kinds): (u32, u32), script: &mut Vec<Act>) {
    let kind = KindId(u16::try_from(choices.choose(kinds, "which kind")).expect("few kinds"));
    match choices.choose(8, "what is done meanwhile") {
        0 => {}
        1..=3 => quiet(choices, script),
        4 => {
            let least = choices.choose(3, "the least");
            let most = choices.choose(5, "the most");
            script.push(Act::Tell(Message::Resize { kind, least, most }));
        }
        5 => {
            let which = choices.choose(sent, "which task is cancelled");
            script.push(Act::Tell(Message::Cancel(which)));
        }
        6 => script.push(Act::CancelSome),
        _ => {
            script.push(Act::Tell(Message::Gate(kind, Gate::Paused)));
            quiet(choices, script);
            script.push(Act::Tell(Message::Gate(kind, Gate::Running)));
        }
    }
}
