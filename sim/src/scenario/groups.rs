//! Groups with every rule in a small tree of scopes: members end in every way and at every moment, scopes are
//! cancelled and run out of time, and tasks beside them must not notice.

use super::{Cast, Play, Scenario, config, draw};
use crate::caller::Act;
use crate::ledger::Seen;
use crate::message::{Message, Order};
use crate::params::{Faults, Manners, Params};
use farm_lockstep::Choices;
use farm_master::{Rule, Shut, TaskOptions, Ties};
use std::num::NonZeroU32;
use std::time::Duration;

pub(super) const GROUPS: Scenario = Scenario {
    name: "groups",
    about: "30 tasks in and beside groups of every rule, in a tree of scopes that are cancelled or run out of time",
    defaults: Params {
        tasks: 30,
        workers: 4,
        faults: Faults::Stock,
        mutation: 0,
        max_steps: 20_000,
    },
    manners: Manners {
        budget: 12,
        kills: 1,
        late_kills: 500,
        dies: 20,
        slow: 150,
        deaf: 100,
        hung: 20,
        fails: 200,
        injects: 100,
        large: 60,
        split: 50,
        ..Manners::NONE
    },
    play,
    sees: &[
        Seen::Done,
        Seen::Retried,
        Seen::Charged,
        Seen::KilledStop,
        Seen::LateAnswer,
        Seen::AllEnded,
        Seen::FirstError,
        Seen::LowestError,
        Seen::FirstSuccess,
        Seen::LowestSuccess,
        Seen::FirstQuorum,
        Seen::LowestQuorum,
        Seen::TooFew,
        Seen::ScopeCancelled,
        Seen::ParentCancelled,
        Seen::ScopeTimedOut,
        Seen::ChildGivenUp,
        Seen::InnerEnded,
        Seen::VerdictStood,
        Seen::LateError,
        Seen::MemberRefused,
        Seen::MemberStopped,
        Seen::MemberOverdue,
        Seen::DelayedGivenUp,
        Seen::ScopeOver,
        Seen::ScopeRefused,
        Seen::VainMember,
        Seen::VainFollowUp,
    ],
};

/// How a farm may be ended, dullest first.
const ENDS: [Shut; 4] = [Shut::Drain, Shut::Stop, Shut::Finish, Shut::Kill];

/// The most scopes that are opened.
const SCOPES: u32 = 8;

/// The most tasks of one portion.
const PORTION: u32 = 6;

fn play(choices: &mut Choices, play: Play) -> Cast {
    let tasks = draw::size(choices, play, play.params.tasks);
    let scopes = 2 + choices.choose(SCOPES - 1, "scopes");
    let mut script = Vec::new();
    let (mut sent, mut opened) = (0, 0);
    while sent < tasks {
        if opened < scopes {
            script.push(Act::Tell(open(choices, opened)));
            opened += 1;
        }
        let scope = scope(choices, opened);
        let portion = (1 + choices.choose(PORTION, "so many at once")).min(tasks - sent);
        let orders = (0..portion).map(|nth| order(choices, scope, sent + nth));
        script.push(Act::Tell(Message::Submit(orders.collect())));
        sent += portion;
        if choices.chance(500, "others go on") {
            script.push(Act::Pause);
        }
        if let Some(scope) = scope.filter(|_| choices.chance(500, "it is closed")) {
            script.push(Act::Tell(Message::CloseScope(scope)));
        }
        if choices.chance(100, "time passes") {
            script.push(Act::Sleep(100));
        }
    }
    script.push(Act::Pause);
    for scope in 1..=opened {
        if choices.chance(600, "it is closed in the end") {
            script.push(Act::Tell(Message::CloseScope(u64::from(scope))));
        }
    }
    if choices.chance(500, "some end first") {
        script.push(Act::Ended(choices.choose(tasks, "so many")));
    }
    script.push(Act::Tell(Message::Shut(
        ENDS[choices.choose(4, "how it is ended") as usize],
    )));
    let meddler = meddler(choices, opened, tasks);
    let mut config = config(play.params, &TaskOptions::default());
    config.kinds[0].credit_cap = [0, 3][choices.choose(2, "credit") as usize];
    if choices.chance(200, "a short queue") {
        config.kinds[0].boundary.max_queued = 5;
    }
    Cast {
        config,
        callers: vec![script, meddler],
        jobserver: None,
        named: None,
    }
}

/// Opens the next scope after so many, which are numbered from one.
fn open(choices: &mut Choices, before: u32) -> Message {
    let parent = choices.chance(400, "inside another");
    let parent =
        (parent && before > 0).then(|| 1 + u64::from(choices.choose(before, "inside which")));
    let two = NonZeroU32::MIN.saturating_add(1);
    let rules = [
        Some(Rule::FirstError),
        Some(Rule::FirstSuccess),
        Some(Rule::Quorum(two)),
        Some(Rule::All),
        None,
    ];
    let rule = rules[choices.choose(rules.len() as u32, "which rule") as usize];
    let ties = [Ties::Arrival, Ties::Lowest][choices.choose(2, "which tie") as usize];
    let limit = choices
        .chance(200, "a time limit of a scope")
        .then(|| [400, 60, 1_500][choices.choose(3, "which limit of a scope") as usize]);
    Message::Open {
        scope: u64::from(before) + 1,
        parent,
        rule: rule.map(|rule| (rule, ties)),
        limit: limit.map(Duration::from_millis),
    }
}

/// Mostly the youngest, sometimes an earlier one or none.
fn scope(choices: &mut Choices, opened: u32) -> Option<u64> {
    if choices.chance(200, "beside all scopes") {
        return None;
    }
    let back = if choices.chance(300, "an earlier scope") {
        choices.choose(opened, "which earlier scope")
    } else {
        0
    };
    Some(u64::from(opened - back))
}

fn order(choices: &mut Choices, scope: Option<u64>, before: u32) -> Order {
    let options = draw::hasty(choices);
    let order = draw::order(choices, options, before);
    Order { scope, ..order }
}

/// Another caller, who cancels scopes and tasks and comes into scopes that may be over or not there yet.
fn meddler(choices: &mut Choices, scopes: u32, tasks: u32) -> Vec<Act> {
    let mut script = Vec::new();
    for _ in 0..choices.choose(4, "so much meddling") {
        script.push(Act::Pause);
        if choices.chance(400, "time passes for the meddler") {
            script.push(Act::Sleep(60));
        }
        let which = 1 + u64::from(choices.choose(scopes, "which scope"));
        if choices.chance(600, "a scope is cancelled") {
            script.push(Act::Tell(Message::CancelScope(which)));
        } else {
            let task = choices.choose(tasks, "which task is cancelled");
            script.push(Act::Tell(Message::Cancel(task)));
        }
        if choices.chance(400, "one more comes in") {
            let order = order(choices, Some(which), 0);
            script.push(Act::Tell(Message::Submit(vec![order])));
        }
        if choices.chance(200, "one more is opened") {
            let order = Message::Open {
                scope: u64::from(SCOPES) + 1 + script.len() as u64,
                parent: Some(which),
                rule: None,
                limit: None,
            };
            script.push(Act::Tell(order));
        }
    }
    script
}
