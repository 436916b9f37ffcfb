//! One schedule of a kind of somebody's own: what callers do, how the world around behaves, and what is looked at then.

use super::hush::place;
use super::performer::words_of;
use super::side::Side;
use super::{Draw, SimRun, SimSettings};
use crate::caller::Act;
use crate::ledger::{Ledger, names};
use crate::message::{Message, Order};
use crate::params::{Faults, Manners, Params};
use crate::scenario::{Cast, Stage, config, draw};
use crate::world::Farm;
use farm_lockstep::{Choices, End, Failure, Found, RunReport, Start};
use farm_master::{Config, LimitId, Shut, TaskKind};
use farm_protocol::Wire;
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How the world behaves around somebody's own kind: what a real farm meets, and no nonsense, which its workers do not
/// speak. Of tasks we know nothing: whether they fail is theirs to say.
const MANNERS: Manners = Manners {
    budget: 6,
    kills: 2,
    late_kills: 500,
    dies: 40,
    spawn_fails: 30,
    bad_start: 30,
    pageless: 50,
    slow: 150,
    hung: 10,
    deaf: 100,
    left_behind: 20,
    split: 80,
    ..Manners::NONE
};

/// A schedule that has not ended after so many steps, and so many more for each time that a task may be tried, does not
/// end. An attempt takes about 15.
const STEPS: u32 = 3_000;
const STEPS_PER_TRY: u32 = 150;

/// A worker of an independent kind may be sent so many requests ahead, or none.
const CREDITS: [u32; 2] = [0, 4];

/// What a schedule was, besides its report.
pub(super) struct Played {
    pub(super) report: RunReport,
    pub(super) tasks: u32,
}

impl<K: TaskKind> SimRun<K> {
    /// One schedule, and all that is to be said against it.
    pub(super) fn play(&self, settings: &SimSettings, start: Start, trace: bool) -> Played {
        let swarm = start.swarm || settings.faults == Faults::Swarm;
        let Start {
            strategy,
            mut choices,
            ..
        } = start;
        let source = self.tasks.as_ref().expect("looked at before anything runs");
        let tasks = source(&mut Draw(&mut choices));
        let count = u32::try_from(tasks.len()).expect("fewer tasks than ids");
        // Besides retries, a task may be tried again after a death.
        let tries = count.saturating_mul(self.options.retries.count.saturating_add(2));
        let params = Params {
            tasks: count,
            workers: settings.workers,
            faults: settings.faults,
            mutation: 0,
            max_steps: STEPS.saturating_add(tries.saturating_mul(STEPS_PER_TRY)),
        };
        let manners = match (settings.faults, swarm) {
            (Faults::None, _) => Manners::NONE,
            (Faults::Stock | Faults::Swarm, true) => draw::manners(&mut choices, &MANNERS),
            (Faults::Stock | Faults::Swarm, false) => MANNERS,
        };
        let script = script(&mut choices, params);
        let config = self.configured(&mut choices, params, settings);
        let kills = draw::kills(&mut choices, &manners, params);
        let rough = draw::rough_steps(&mut choices, &manners, params);
        let side = Side::new((self.make)(), tasks, settings.panics_are_fine);
        let ledger = Ledger::new(config.clone(), Some(Box::new(side)));
        let mut farm = Farm::new(ledger, manners);
        farm.performers = Some(self.performers.clone());
        let stage = Stage {
            params,
            rough,
            kills,
            trace,
        };
        let cast = Cast {
            config,
            callers: vec![script],
            jobserver: None,
            named: None,
        };
        let (mut report, farm) = stage.set(cast, farm, strategy, choices).run();
        report.end = self.judged(report.end, &farm.ledger);
        Played {
            report,
            tasks: count,
        }
    }

    fn configured(&self, choices: &mut Choices, params: Params, settings: &SimSettings) -> Config {
        let mut config = config(params, &self.options);
        if let Some(LimitId(last)) = self.options.limit {
            config.limits = vec![NonZeroU32::MIN; usize::from(last) + 1];
        }
        let kind = &mut config.kinds[0];
        kind.hello = K::Wire::hello();
        kind.injection_limit = settings.injection_limit;
        if K::INDEPENDENT {
            kind.credit_cap = CREDITS[choices.choose(2, "credit") as usize];
        }
        config
    }

    /// A schedule that went well may still have led to a wrong end, and one without an end is wrong.
    fn judged(&self, end: End, ledger: &Ledger) -> End {
        let broken = |name, detail| {
            End::Failed(Failure {
                found: Found::Invariant,
                name,
                detail,
            })
        };
        match end {
            End::Passed => match self.verified(ledger) {
                None => End::Passed,
                Some(words) => broken(names::VERIFY, format!("it panicked{}: {words}", place())),
            },
            End::Inconclusive => broken(names::I7, endless(ledger, "the schedule goes on and on")),
            End::Failed(mut failure) => {
                if matches!(failure.found, Found::Eventually | Found::Deadlock) {
                    failure.detail = endless(ledger, &failure.detail);
                    failure.name = names::I7;
                }
                End::Failed(failure)
            }
        }
    }

    /// What the author's own look at the end says.
    fn verified(&self, ledger: &Ledger) -> Option<String> {
        let verify = self.verify.as_ref()?;
        let side = ledger.side.as_ref().expect("given above").as_any();
        let side: &Side<K> = side.downcast_ref().expect("given above");
        let looked = catch_unwind(AssertUnwindSafe(|| side.end(|end| verify(end))));
        looked.err().map(|panic| words_of(panic.as_ref()))
    }
}

/// Which tasks have no end.
fn endless(ledger: &Ledger, what: &str) -> String {
    let left = ledger.left().join("; ");
    format!(
        "{what}: {left}.\n  A task waits for ever when no worker may take it (`task_match`); a farm goes on for ever when responses inject without end, or when a task kills every worker and has no crash limit"
    )
}

/// What the callers do: submit everything, cancel something, end the farm.
fn script(choices: &mut Choices, params: Params) -> Vec<Act> {
    let rough = params.faults != Faults::None;
    let mut script = Vec::new();
    let at_once = choices.chance(300, "all at once");
    let mut sent = 0;
    while sent < params.tasks {
        let part = if at_once {
            params.tasks
        } else {
            (1 + choices.choose(8, "so many at once")).min(params.tasks - sent)
        };
        let orders = vec![Order::default(); part as usize];
        script.push(Act::Tell(Message::Submit(orders)));
        script.push(Act::Pause);
        sent += part;
        if rough && choices.chance(200, "a cancel") {
            script.push(if choices.chance(500, "of what runs") {
                Act::CancelSome
            } else {
                let which = choices.choose(sent, "which task is cancelled");
                Act::Tell(Message::Cancel(which))
            });
        }
        if rough && choices.chance(100, "time passes") {
            script.push(Act::Sleep(300));
        }
    }
    let late = if rough {
        choices.choose(4, "late cancels")
    } else {
        0
    };
    for _ in 0..late {
        let after = [0, 30, 300][choices.choose(3, "after how long") as usize];
        script.push(Act::Sleep(after));
        script.push(Act::CancelSome);
    }
    script.push(Act::Pause);
    let early = rough && choices.chance(100, "the farm is closed early");
    script.push(Act::Tell(Message::Shut(if early {
        Shut::Finish
    } else {
        Shut::Drain
    })));
    script
}
