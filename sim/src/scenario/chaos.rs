//! Everything at once.

use super::{Cast, Play, Scenario, config, draw};
use crate::caller::Act;
use crate::ledger::Seen;
use crate::master::KIND;
use crate::message::{Message, Order};
use crate::params::{Faults, Manners, Params};
use farm_lockstep::Choices;
use farm_master::lane::Gate;
use farm_master::{Shut, TaskOptions};
use std::num::NonZeroU32;

pub(super) const CHAOS: Scenario = Scenario {
    name: "chaos",
    about: "all faults, all options: needs, limits, priorities, retries, credit, bad starts, nonsense, floods",
    defaults: Params {
        tasks: 24,
        workers: 3,
        faults: Faults::Stock,
        mutation: 0,
        max_steps: 30_000,
    },
    manners: Manners {
        budget: 10,
        kills: 2,
        late_kills: 500,
        dies: 60,
        spawn_fails: 60,
        bad_start: 80,
        pageless: 100,
        nonsense: 40,
        slow: 80,
        hung: 25,
        deaf: 60,
        floods: 20,
        fails: 100,
        ends_worker: 40,
        injects: 60,
        left_behind: 30,
        large: 60,
        split: 80,
    },
    play,
    sees: &[
        Seen::Done,
        Seen::Retried,
        Seen::Charged,
        Seen::Poisoned,
        Seen::LateAnswer,
        Seen::AckedStop,
        Seen::KilledStop,
        Seen::CancelledWaiting,
        Seen::StartFailed,
        Seen::PoolEnded,
        Seen::Babbled,
        Seen::Injected,
        Seen::TimedOut,
        Seen::Decoded,
        Seen::Flooded,
        Seen::GaveBack,
        Seen::ExitBeforeEof,
        Seen::EofBeforeExit,
    ],
};

/// How a farm may be ended, dullest first.
const ENDS: [Shut; 4] = [Shut::Drain, Shut::Stop, Shut::Finish, Shut::Kill];

fn play(choices: &mut Choices, play: Play) -> Cast {
    let tasks = draw::size(choices, play, play.params.tasks);
    let mut script = Vec::new();
    let mut sent = 0;
    while sent < tasks {
        let part = (1 + choices.choose(8, "so many at once")).min(tasks - sent);
        let orders: Vec<Order> = (0..part)
            .map(|nth| {
                let options = draw::wild(choices);
                draw::order(choices, options, sent + nth)
            })
            .collect();
        script.push(Act::Tell(Message::Submit(orders)));
        script.push(Act::Pause);
        sent += part;
        if choices.chance(300, "a cancel") {
            script.push(Act::Tell(Message::Cancel(
                choices.choose(sent, "which task is cancelled"),
            )));
        }
        if choices.chance(100, "a pause of the lane") {
            script.push(Act::Tell(Message::Gate(KIND, Gate::Paused)));
            script.push(Act::Sleep(30));
            script.push(Act::Tell(Message::Gate(KIND, Gate::Running)));
        }
        if choices.chance(100, "time passes") {
            script.push(Act::Sleep(300));
        }
    }
    script.push(Act::Pause);
    script.push(Act::Tell(Message::Shut(
        ENDS[choices.choose(4, "how it is ended") as usize],
    )));
    let mut config = config(play.params, &TaskOptions::default());
    config.limits = [1, 2]
        .map(|places| NonZeroU32::new(places).expect("not zero"))
        .to_vec();
    config.kinds[0].credit_cap = [0, 4][choices.choose(2, "credit") as usize];
    config.kinds[0].boundary.max_queued -= choices.choose(tasks.max(1), "shorter queue") as usize;
    Cast {
        config,
        callers: vec![script],
        jobserver: None,
        named: None,
    }
}
