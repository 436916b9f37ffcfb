//! One pool, many tasks, two cancels, two kills: the stock scenario.

use super::{Cast, Play, Scenario, config};
use crate::caller::Act;
use crate::ledger::Seen;
use crate::message::{Message, Order};
use crate::params::{Faults, Manners, Params};
use farm_lockstep::Choices;
use farm_master::{Shut, TaskOptions};

const MANNERS: Manners = Manners {
    budget: 2,
    kills: 2,
    late_kills: 500,
    ..Manners::NONE
};

const SEES: &[Seen] = &[
    Seen::Done,
    Seen::Charged,
    Seen::LateAnswer,
    Seen::AckedStop,
    Seen::CancelledWaiting,
    Seen::ExitBeforeEof,
    Seen::EofBeforeExit,
];

pub(super) const POOL: Scenario = Scenario {
    name: "pool",
    about: "50 tasks on 4 workers, two cancels and two workers killed",
    defaults: Params {
        tasks: 50,
        workers: 4,
        faults: Faults::Stock,
        mutation: 0,
        max_steps: 20_000,
    },
    manners: MANNERS,
    play,
    sees: SEES,
};

/// The size that the figures of seeded bugs in the literature of this house are measured with.
pub(super) const MINI: Scenario = Scenario {
    name: "mini",
    about: "as `pool`, with 20 tasks: the size for comparing strategies on seeded bugs",
    defaults: Params {
        tasks: 20,
        ..POOL.defaults
    },
    // As in the model that the figures come from.
    manners: Manners {
        late_kills: 0,
        ..MANNERS
    },
    ..POOL
};

/// How many tasks are cancelled.
const CANCELS: u32 = 2;

fn play(choices: &mut Choices, play: Play) -> Cast {
    let tasks = super::draw::size(choices, play, play.params.tasks);
    let mut script = vec![Act::Tell(Message::Submit(vec![
        Order::default();
        tasks as usize
    ]))];
    for _ in 0..CANCELS {
        script.push(Act::Pause);
        script.push(Act::CancelRunning);
    }
    script.push(Act::Pause);
    script.push(Act::Tell(Message::Shut(Shut::Drain)));
    Cast {
        config: config(play.params, &TaskOptions::default()),
        callers: vec![script],
        jobserver: None,
        named: None,
    }
}
