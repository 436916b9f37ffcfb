//! Cancels and time limits at every moment of a task's life, over workers that do not listen.

use super::{Cast, Play, Scenario, config, draw};
use crate::caller::Act;
use crate::ledger::Seen;
use crate::message::{Message, Order};
use crate::params::{Faults, Manners, Params};
use farm_lockstep::Choices;
use farm_master::{Shut, TaskOptions};

pub(super) const CANCEL: Scenario = Scenario {
    name: "cancel",
    about: "every other task is cancelled or runs out of time, on workers that are slow, deaf or hang",
    defaults: Params {
        tasks: 24,
        workers: 3,
        faults: Faults::Stock,
        mutation: 0,
        max_steps: 20_000,
    },
    manners: Manners {
        budget: 6,
        kills: 1,
        late_kills: 500,
        slow: 200,
        deaf: 150,
        hung: 60,
        fails: 100,
        large: 60,
        split: 50,
        ..Manners::NONE
    },
    play,
    sees: &[
        Seen::Done,
        Seen::Retried,
        Seen::LateAnswer,
        Seen::AckedStop,
        Seen::KilledStop,
        Seen::CancelledWaiting,
        Seen::TimedOut,
        Seen::Decoded,
        Seen::GaveBack,
    ],
};

/// How a farm may be ended, dullest first.
const ENDS: [Shut; 4] = [Shut::Drain, Shut::Stop, Shut::Finish, Shut::Kill];

fn play(choices: &mut Choices, play: Play) -> Cast {
    let tasks = draw::size(choices, play, play.params.tasks);
    let orders: Vec<Order> = (0..tasks)
        .map(|_| Order {
            options: Some(Box::new(draw::hasty(choices))),
            ..Order::default()
        })
        .collect();
    let mut script = vec![Act::Tell(Message::Submit(orders))];
    for _ in 0..tasks / 2 {
        script.push(Act::Pause);
        if choices.chance(200, "time between two cancels") {
            script.push(Act::Sleep(50));
        }
        script.push(Act::Tell(Message::Cancel(
            choices.choose(tasks, "which task is cancelled"),
        )));
    }
    script.push(Act::Pause);
    script.push(Act::Tell(Message::Shut(
        ENDS[choices.choose(4, "how it is ended") as usize],
    )));
    // Whoever was asked to drain may still change his mind.
    if choices.chance(300, "and then") {
        script.push(Act::Sleep(100));
        script.push(Act::Tell(Message::Shut(
            ENDS[choices.choose(4, "how it is ended then") as usize],
        )));
    }
    let mut config = config(play.params, &TaskOptions::default());
    config.kinds[0].credit_cap = [0, 3][choices.choose(2, "credit") as usize];
    Cast {
        config,
        callers: vec![script],
        jobserver: None,
        named: None,
    }
}
