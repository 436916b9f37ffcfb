//! Named workers: callers launch them, bring requests, change their minds and shut them down, while workers die, hang and
//! refuse, hooks take their time, and the farm is ended at any moment.

use super::{Cast, NamedCast, Play, Scenario, config, draw};
use crate::caller::Act;
use crate::ledger::Seen;
use crate::message::{Message, Order};
use crate::named::{Doing, Hooks, Limits};
use crate::params::{Faults, Manners, Params};
use farm_lockstep::Choices;
use farm_master::named::{Merge, Rule};
use farm_master::{Config, Shut, Staffing, TaskOptions};
use std::num::{NonZeroU32, NonZeroUsize};

pub(super) const NAMED: Scenario = Scenario {
    name: "named",
    about: "24 things that callers do with up to 3 named workers: every mailbox, slow hooks, deaths; the farm ends meanwhile",
    defaults: Params {
        tasks: 24,
        workers: 3,
        faults: Faults::Stock,
        mutation: 0,
        max_steps: 30_000,
    },
    manners: Manners {
        budget: 5,
        kills: 2,
        late_kills: 800,
        dies: 25,
        spawn_fails: 20,
        bad_start: 10,
        pageless: 30,
        nonsense: 10,
        slow: 250,
        hung: 15,
        deaf: 60,
        fails: 120,
        ends_worker: 30,
        left_behind: 10,
        large: 30,
        split: 20,
        ..Manners::NONE
    },
    play,
    sees: &[
        Seen::LaunchFails,
        Seen::LaunchRefused,
        Seen::DiedInLaunch,
        Seen::NotSpawned,
        Seen::StrayLaunch,
        Seen::UpTooLate,
        Seen::LateHook,
        Seen::IdleHook,
        Seen::HookPanics,
        Seen::VerdictCrash,
        Seen::VerdictShutdown,
        Seen::SourceEnds,
        Seen::NameTaken,
        Seen::TableFull,
        Seen::NameUsedAgain,
        Seen::DrainsWork,
        Seen::Drained,
        Seen::IdleDeath,
        Seen::DiedInRequest,
        Seen::KilledRequest,
        Seen::FatalFault,
        Seen::RequestFault,
        Seen::Crashed,
        Seen::ClosedAsTold,
        Seen::MailboxFull,
        Seen::PushedInVain,
        Seen::PushWaits,
        Seen::PushedTooLate,
        Seen::Withdrawn,
        Seen::Combined,
        Seen::SharedAnswer,
        Seen::Answered,
        Seen::AnsweredNo,
        Seen::Displaced,
        Seen::BlockedClosed,
        Seen::CrashTold,
        Seen::CloseTold,
        Seen::CancelledInBox,
        Seen::CancelledInTreatment,
        Seen::FaultTold,
    ],
};

/// One of several, the first of them the dull one.
fn one_of<T: Copy>(choices: &mut Choices, of: &[T], tag: &'static str) -> T {
    of[choices.choose(of.len() as u32, tag) as usize]
}

fn one_in(choices: &mut Choices, n: u32, tag: &'static str) -> bool {
    choices.chance(1_000 / n, tag)
}

fn configured(choices: &mut Choices, play: Play) -> Config {
    let most = play.params.workers.max(1);
    let mut config = config(play.params, &TaskOptions::default());
    let mut ordinary = config.kinds[0].clone();
    let named = &mut config.kinds[0];
    named.staffing = Staffing {
        least: one_of(choices, &[0, 0, 1], "how many are kept").min(most),
        named: true,
        ..Staffing::default()
    };
    named.slots = most;
    // As the driver sets it: nothing is refused for want of room.
    named.boundary.max_queued = 2 * most as usize;
    named.boundary.max_in_flight = NonZeroUsize::new(most as usize).expect("at least one");
    if one_in(choices, 3, "another kind beside them") {
        ordinary.hello.name = "sim-1".to_owned();
        ordinary.slots = 1;
        config.kinds.push(ordinary);
        config.workers = NonZeroU32::new(one_of(choices, &[0, 2, 3], "how many workers in all"));
    }
    config.start_failures.limit = one_of(choices, &[3, 1, 2], "how many starts may fail");
    config
}

fn limits(choices: &mut Choices) -> Limits {
    Limits {
        launch: one_of(
            choices,
            &[30_000, 30_000, 300, 20],
            "how long a launch may take",
        ),
        running: one_of(
            choices,
            &[None, None, Some(300), Some(20)],
            "how long a request may take",
        ),
        grace: one_of(choices, &[None, None, Some(0), Some(100)], "which grace"),
    }
}

fn launch(choices: &mut Choices) -> Doing {
    let names = crate::named::NAMES.len() as u32;
    Doing::Launch {
        name: choices.choose(names, "which name") as usize,
        idle: one_of(choices, &[None, None, Some(50), Some(400)], "on_idle"),
        limits: limits(choices),
        waits: !one_in(choices, 3, "does not wait for the launch"),
    }
}

fn bring(choices: &mut Choices) -> Doing {
    let merges = [
        Merge::Newest,
        Merge::Combined,
        Merge::Combined,
        Merge::Oldest,
        Merge::Empty,
    ];
    Doing::Bring {
        waits: one_in(choices, 2, "waits for room"),
        timeout: one_of(choices, &[None, Some(1), Some(60)], "for how long"),
        claims: one_in(choices, 4, "waits for the answer"),
        merge: one_of(choices, &merges, "how it is merged"),
    }
}

fn doing(choices: &mut Choices) -> Doing {
    match choices.choose(16, "what a caller does") {
        0..=7 => bring(choices),
        8 | 9 => launch(choices),
        10 | 11 => Doing::Cancel,
        12 => Doing::ShutDown {
            drain: one_of(choices, &[None, Some(2_000), Some(40), Some(0)], "drain"),
            waits: one_in(choices, 2, "waits for the end"),
        },
        13 => Doing::Pause,
        _ => Doing::Sleep(one_of(choices, &[10, 1, 100, 600], "how long it is quiet")),
    }
}

fn script(choices: &mut Choices, count: u32) -> Vec<Doing> {
    let mut script = vec![launch(choices)];
    for _ in 0..count {
        if one_in(choices, 3, "others go on") {
            script.push(Doing::Pause);
        }
        script.push(doing(choices));
    }
    script
}

/// How the first caller ends it all.
fn end(choices: &mut Choices, script: &mut Vec<Doing>) {
    if one_in(choices, 3, "all are shut down first") {
        let drain = one_of(choices, &[None, Some(500)], "all drain");
        script.push(Doing::ShutAll { drain });
        script.push(Doing::Sleep(100));
    }
    if one_in(choices, 6, "nobody has the table") {
        script.push(Doing::Leave);
    }
    let how = [Shut::Drain, Shut::Finish, Shut::Stop, Shut::Kill];
    script.push(Doing::Shut(one_of(choices, &how, "how the farm is ended")));
    if one_in(choices, 3, "and then faster") {
        script.push(Doing::Sleep(30));
        let how = [Shut::Stop, Shut::Kill];
        script.push(Doing::Shut(one_of(choices, &how, "how it is ended then")));
    }
}

fn hooks(choices: &mut Choices) -> Hooks {
    let mut rate = |rates: &[u32], tag| one_of(choices, rates, tag);
    Hooks {
        late: rate(&[0, 100, 400], "late hooks"),
        shutdown: rate(&[0, 0, 60], "hooks that shut down"),
        crash: rate(&[0, 0, 60], "hooks that crash"),
        panic: rate(&[0, 0, 60], "hooks that panic"),
        busy: rate(&[0, 100, 300], "hooks that call"),
    }
}

fn play(choices: &mut Choices, play: Play) -> Cast {
    let things = draw::size(choices, play, play.params.tasks);
    let config = configured(choices, play);
    let bounds = [1, 2, 3].map(|size| NonZeroUsize::new(size).expect("not zero"));
    let rules = [
        Rule::Unbounded,
        Rule::Bounded(bounds[0]),
        Rule::Dropbox,
        Rule::Pull,
        Rule::Bounded(bounds[1]),
        Rule::Bounded(bounds[2]),
        Rule::Dropbox,
    ];
    let rule = one_of(choices, &rules, "which mailbox");
    let hooks = hooks(choices);
    let count = 2 + choices.choose(2, "one caller more");
    let mut scripts: Vec<Vec<Doing>> = (0..count)
        .map(|_| script(choices, (things / count).max(1)))
        .collect();
    end(choices, &mut scripts[0]);
    let mut callers = Vec::new();
    if config.kinds.len() > 1 {
        let order = || Order {
            kind: 1,
            ..Order::default()
        };
        let mut script = Vec::new();
        for _ in 0..1 + choices.choose(4, "tasks of the other kind") {
            script.push(Act::Tell(Message::Submit(vec![order(), order()])));
            script.push(Act::Sleep(30));
        }
        callers.push(script);
    }
    // One place fewer than names, so that the table can be full.
    let places = one_of(choices, &[3, 3, 2], "how many workers");
    Cast {
        config,
        callers,
        jobserver: None,
        named: Some(NamedCast {
            rule,
            most: NonZeroU32::new(places.min(play.params.workers).max(1)).expect("not zero"),
            hooks,
            source: 4 + choices.choose(8, "how much the sources have"),
            callers: scripts,
        }),
    }
}
