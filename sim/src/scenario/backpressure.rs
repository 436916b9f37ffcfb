//! A source that has more than there is room for, callers that push beside it, follow-ups, and gates.

use super::{Cast, Play, Scenario, config, draw};
use crate::caller::Act;
use crate::ledger::Seen;
use crate::master::KIND;
use crate::message::{Message, Order};
use crate::params::{Faults, Manners, Params};
use farm_lockstep::Choices;
use farm_master::lane::Gate;
use farm_master::{Retries, Shut, TaskOptions};

pub(super) const BACKPRESSURE: Scenario = Scenario {
    name: "backpressure",
    about: "a source of 60 tasks and callers that push before a queue of 6, with follow-ups, pauses and a drain",
    defaults: Params {
        tasks: 60,
        workers: 3,
        faults: Faults::Stock,
        mutation: 0,
        max_steps: 20_000,
    },
    manners: Manners {
        budget: 3,
        kills: 2,
        late_kills: 500,
        fails: 150,
        injects: 150,
        ends_worker: 30,
        ..Manners::NONE
    },
    play,
    sees: &[
        Seen::Done,
        Seen::Retried,
        Seen::Injected,
        Seen::InjectionRefused,
        Seen::QueueFull,
        Seen::Paused,
        Seen::Charged,
        Seen::GaveBack,
    ],
};

/// How many tasks may wait.
const QUEUED: usize = 6;

/// How many tasks are pushed in one go.
const PUSHED: u32 = 4;

fn play(choices: &mut Choices, play: Play) -> Cast {
    let tasks = draw::size(choices, play, play.params.tasks);
    let mut gates = Vec::new();
    for _ in 0..3 {
        gates.push(Act::Pause);
        gates.push(Act::Tell(Message::Gate(KIND, Gate::Paused)));
        gates.push(Act::Pause);
        gates.push(Act::Sleep(20));
        gates.push(Act::Tell(Message::Gate(KIND, Gate::Running)));
        gates.push(Act::Pause);
        gates.push(Act::Tell(Message::Submit(vec![
            Order::default();
            PUSHED as usize
        ])));
    }
    let defaults = TaskOptions {
        retries: Retries::immediate(choices.choose(3, "retries")),
        ..TaskOptions::default()
    };
    let mut config = config(play.params, &defaults);
    config.kinds[0].boundary.max_queued = QUEUED - choices.choose(3, "shorter queue") as usize;
    config.kinds[0].injection_limit = choices.choose(4, "injection limit") as usize;
    config.kinds[0].credit_cap = [0, 3][choices.choose(2, "credit") as usize];
    let drain = vec![
        Act::Tell(Message::Source(tasks)),
        Act::Ended(tasks * 4 / 5),
        Act::Tell(Message::Gate(KIND, Gate::Running)),
        Act::Tell(Message::Shut(Shut::Drain)),
    ];
    Cast {
        config,
        callers: vec![drain, gates],
        jobserver: None,
        named: None,
    }
}
