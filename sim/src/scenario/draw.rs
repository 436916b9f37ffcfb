//! What a schedule draws for itself: sizes, manners, options. Zero is always the dull draw.

use super::Play;
use crate::message::Order;
use crate::params::{Manners, Params};
use farm_lockstep::Choices;
use farm_master::{Backoff, CrashLimit, LimitId, OnLost, Retries, TaskOptions, When};
use std::time::Duration;

/// A size: what was asked for, or in a swarm anything up to it.
pub(super) fn size(choices: &mut Choices, play: Play, wanted: u32) -> u32 {
    if play.swarm && wanted > 1 {
        wanted - choices.choose(wanted, "smaller size")
    } else {
        wanted
    }
}

/// What a rate is multiplied with, in quarters, when it is drawn: mostly nothing, sometimes much.
const RATES: [u32; 5] = [4, 0, 0, 12, 40];

/// Manners around the scenario's: each rate is left as it is, switched off, or raised.
pub(crate) fn manners(choices: &mut Choices, stock: &Manners) -> Manners {
    let mut rate = |stock: u32, tag| {
        let factor = RATES[choices.choose(RATES.len() as u32, tag) as usize];
        (stock * factor / 4).min(900)
    };
    Manners {
        budget: rate(stock.budget, "faults"),
        kills: rate(stock.kills, "kills"),
        late_kills: stock.late_kills,
        dies: rate(stock.dies, "deaths"),
        spawn_fails: rate(stock.spawn_fails, "failed starts"),
        bad_start: rate(stock.bad_start, "bad starts"),
        pageless: rate(stock.pageless, "no page"),
        nonsense: rate(stock.nonsense, "nonsense"),
        slow: rate(stock.slow, "slow attempts"),
        hung: rate(stock.hung, "hung attempts"),
        deaf: rate(stock.deaf, "deaf attempts"),
        floods: rate(stock.floods, "floods"),
        fails: rate(stock.fails, "failures"),
        ends_worker: rate(stock.ends_worker, "ended workers"),
        injects: rate(stock.injects, "injections"),
        left_behind: rate(stock.left_behind, "things left behind"),
        large: rate(stock.large, "large responses"),
        split: rate(stock.split, "cut deliveries"),
    }
}

/// From which step on each kill may come: some as soon as there is anything to kill, some at any time. Left to a
/// strategy alone, nearly all come in the beginning.
pub(crate) fn kills(choices: &mut Choices, manners: &Manners, params: Params) -> Vec<u64> {
    let steps = params.tasks.saturating_mul(STEPS_PER_TASK).max(1);
    let mut one = || {
        if choices.chance(manners.late_kills, "a late kill") {
            u64::from(choices.choose(steps, "from which step on"))
        } else {
            0
        }
    };
    (0..manners.kills).map(|_| one()).collect()
}

/// About so many steps a task takes in all.
const STEPS_PER_TASK: u32 = 4;

/// When the calm phase begins by itself. Where something may hang, sometimes early: what is held up must go on then.
pub(crate) fn rough_steps(choices: &mut Choices, manners: &Manners, params: Params) -> u64 {
    let half = u64::from(params.max_steps / 2);
    if manners.hung == 0 {
        return half;
    }
    [half, 150, 60][choices.choose(3, "when the calm begins") as usize]
}

fn one_in(choices: &mut Choices, n: u32, tag: &'static str) -> bool {
    choices.chance(1_000 / n, tag)
}

/// Retries without jitter, which the model does not know.
fn retries(choices: &mut Choices) -> Retries {
    let delays = [0, 40, 1_000];
    Retries {
        count: 1 + choices.choose(3, "retries"),
        backoff: if one_in(choices, 2, "growing delay") {
            Backoff::Exponential
        } else {
            Backoff::Fixed
        },
        delay: Duration::from_millis(delays[choices.choose(3, "delay") as usize]),
        max_delay: if one_in(choices, 4, "short cap of the delay") {
            Duration::from_millis(60)
        } else {
            Retries::DEFAULT_MAX_DELAY
        },
        ..Retries::immediate(0)
    }
}

/// Options that make stops: time limits, short graces, retries.
pub(super) fn hasty(choices: &mut Choices) -> TaskOptions {
    let mut options = TaskOptions::default();
    if one_in(choices, 3, "running limit") {
        options.running = Some(Duration::from_millis(
            [20, 300][choices.choose(2, "which limit") as usize],
        ));
        if one_in(choices, 2, "retried after time") {
            options.retries = retries(choices);
            options.retries.on = farm_master::RetryOn::ALL;
        }
    } else if one_in(choices, 4, "retried") {
        options.retries = retries(choices);
    }
    if one_in(choices, 4, "grace") {
        options.grace = Some(Duration::from_millis(
            [0, 100, 900][choices.choose(3, "which grace") as usize],
        ));
    }
    if one_in(choices, 8, "waiting limit") {
        options.waiting = Some(Duration::from_millis(
            [50, 700][choices.choose(2, "which wait") as usize],
        ));
    }
    options
}

/// Any options: those and priorities, limits, crash limits, at most once.
pub(super) fn wild(choices: &mut Choices) -> TaskOptions {
    let mut options = hasty(choices);
    if one_in(choices, 4, "priority") {
        options.priority = [1, -1][choices.choose(2, "which priority") as usize];
    }
    if one_in(choices, 4, "limit") {
        // The third does not exist.
        let which = if one_in(choices, 16, "unknown limit") {
            2
        } else {
            choices.choose(2, "which limit")
        };
        options.limit = Some(LimitId(u16::try_from(which).expect("few limits")));
    }
    if one_in(choices, 6, "crash limit") {
        let limits = [
            CrashLimit::Deaths(1),
            CrashLimit::Deaths(0),
            CrashLimit::Unlimited,
            CrashLimit::Deaths(3),
        ];
        options.crash_limit = limits[choices.choose(4, "which crash limit") as usize];
    }
    if one_in(choices, 6, "at most once") {
        options.on_lost = OnLost::Fail;
    }
    options
}

/// An order with needs among the `before` that came in earlier.
pub(super) fn order(choices: &mut Choices, options: TaskOptions, before: u32) -> Order {
    let mut needs = Vec::new();
    let stale = before > 0 && one_in(choices, 20, "needs what may have ended");
    if before > 0 && one_in(choices, 5, "needs") {
        for _ in 0..=choices.choose(3, "more needs") {
            let when = [When::Success, When::Always, When::Failure]
                [choices.choose(3, "how it must end") as usize];
            needs.push((choices.choose(before, "which need"), when));
        }
    }
    Order {
        options: Some(Box::new(options)),
        needs,
        stale,
        ..Order::default()
    }
}
