//! Scenarios: what callers do, how the world around behaves, and what must hold.

mod affinity;
mod backpressure;
mod cancel;
mod chaos;
pub(crate) mod draw;
mod groups;
mod named;
mod pool;
mod recycle;
mod sharing;

use crate::caller::{Act, Caller};
use crate::faults::FaultMaker;
use crate::jobserver::{Jobserver, Server};
use crate::ledger::{Ledger, Seen, names};
use crate::master::MasterProcess;
use crate::message::Message;
use crate::named::{Attendant, Desk, Doing, Hooks, NamedCaller, Truth};
use crate::params::{Faults, HORIZON, Manners, Params};
use crate::world::{Farm, roles};
use farm_lockstep::{
    Choices, Config as Run, Controller, Pid, RunReport, SpawnOptions, Start, Strategy, Timers,
};
use farm_master::lane::{AdapterMode, Boundary};
use farm_master::named::Table;
use farm_master::{Config, KindConfig, Mutated, Staffing, StartFailures, TaskOptions};
use std::num::NonZeroU32;
use std::time::Duration;

/// A scenario that is shipped.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// What happens in it, in a line.
    pub about: &'static str,
    /// Its parameters unless others are given.
    pub defaults: Params,
    /// How the world behaves when the faults are its own.
    manners: Manners,
    /// What the farm is configured with, and what its callers do.
    play: fn(&mut Choices, Play) -> Cast,
    /// What at least one run of a sweep must have seen.
    sees: &'static [Seen],
}

/// What a scenario's script is made from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Play {
    pub(crate) params: Params,
    /// Sizes and orders are drawn too.
    pub(crate) swarm: bool,
}

/// A script: the farm's configuration, and each caller's acts.
pub(crate) struct Cast {
    pub(crate) config: Config,
    pub(crate) callers: Vec<Vec<Act>>,
    /// Whose tokens limit the farm.
    pub(crate) jobserver: Option<Server>,
    /// Named workers, where the first kind's are.
    pub(crate) named: Option<NamedCast>,
}

/// A table of named workers, and who uses it.
pub(crate) struct NamedCast {
    /// What its mailboxes do.
    pub(crate) rule: farm_master::named::Rule,
    /// How many may live.
    pub(crate) most: NonZeroU32,
    /// What its hooks do.
    pub(crate) hooks: Hooks,
    /// How much its sources have.
    pub(crate) source: u32,
    /// What each caller does.
    pub(crate) callers: Vec<Vec<Doing>>,
}

/// How long everything may take to end in the calm phase, in virtual time.
const CALM: Duration = Duration::from_secs(120);

/// The scenarios, in the order in which they are listed.
#[must_use]
pub fn scenarios() -> [Scenario; 10] {
    [
        pool::POOL,
        pool::MINI,
        cancel::CANCEL,
        backpressure::BACKPRESSURE,
        affinity::AFFINITY,
        chaos::CHAOS,
        groups::GROUPS,
        recycle::RECYCLE,
        sharing::SHARING,
        named::NAMED,
    ]
}

/// The scenario of this name.
#[must_use]
pub fn scenario(name: &str) -> Option<Scenario> {
    scenarios()
        .into_iter()
        .find(|scenario| scenario.name == name)
}

impl PartialEq for Scenario {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Scenario {
    /// The things that must happen in some run of a sweep, by bit of [`RunReport::reached`].
    #[must_use]
    pub fn sometimes(&self) -> Vec<&'static str> {
        self.sees.iter().map(|seen| seen.words()).collect()
    }

    /// One run.
    #[must_use]
    pub fn run(&self, params: Params, start: Start, trace: bool) -> RunReport {
        let swarm = start.swarm || params.faults == Faults::Swarm;
        let Start {
            strategy,
            mut choices,
            ..
        } = start;
        let manners = match (params.faults, swarm) {
            (Faults::None, _) => Manners::NONE,
            (Faults::Stock | Faults::Swarm, true) => draw::manners(&mut choices, &self.manners),
            (Faults::Stock | Faults::Swarm, false) => self.manners,
        };
        let Cast {
            mut config,
            callers,
            jobserver,
            named,
        } = (self.play)(&mut choices, Play { params, swarm });
        mutate(&mut config, params);
        let kills = draw::kills(&mut choices, &manners, params);
        let rough = draw::rough_steps(&mut choices, &manners, params);
        let mut ledger = Ledger::new(config.clone(), None);
        ledger.has_tokens(jobserver.as_ref().map_or(0, |server| server.tokens));
        let farm = Farm::new(ledger, manners);
        let stage = Stage {
            params,
            rough,
            kills,
            trace,
        };
        let cast = Cast {
            config,
            callers,
            jobserver,
            named,
        };
        let mut world = stage.set(cast, farm, strategy, choices);
        for seen in self.sees {
            world.sometimes(seen.words(), |view| view.shared.ledger.has_seen(*seen));
        }
        world.run().0
    }
}

/// What a world is set up with besides those who act in it.
pub(crate) struct Stage {
    pub(crate) params: Params,
    /// Steps after which the calm phase begins by itself.
    pub(crate) rough: u64,
    /// From which step on each kill may come.
    pub(crate) kills: Vec<u64>,
    pub(crate) trace: bool,
}

impl Stage {
    /// A world in which nothing has happened.
    pub(crate) fn set(
        self,
        cast: Cast,
        farm: Farm,
        strategy: Box<dyn Strategy>,
        choices: Choices,
    ) -> Controller<Farm, Message> {
        let run = Run {
            max_steps: u64::from(self.params.max_steps),
            rough_steps: self.rough,
            timers: Timers::Racing { horizon: HORIZON },
            faults: farm.manners.budget,
            split_per_mille: farm.manners.split,
            trace: self.trace,
        };
        let bug = cast.config.mutation;
        let mut world = Controller::new(run, farm, strategy, choices);
        let master = world.spawn(
            Box::new(MasterProcess::new(cast.config)),
            SpawnOptions::new("master", roles::MASTER),
        );
        if let Some(Server { moves, .. }) = cast.jobserver {
            let server = world.spawn(Jobserver::new(master, moves), Jobserver::options());
            world.shared().jobserver = Some(server);
        }
        for (number, script) in (1..).zip(cast.callers) {
            world.spawn(Caller::new(master, script), Caller::options(number));
        }
        if let Some(named) = cast.named {
            attended(&mut world, master, named, bug);
        }
        if !self.kills.is_empty() {
            world.spawn(FaultMaker::new(self.kills), FaultMaker::options());
        }
        world.invariant(names::I6, |view| view.shared.ledger.look(view.now));
        world.eventually(names::I7, CALM, |view| {
            let named = view.shared.named.as_ref();
            view.shared.ledger.stopped && named.is_none_or(|desk| desk.is_over())
        });
        world
    }
}

/// Who attends to the named workers of a farm, and their callers.
fn attended(world: &mut Controller<Farm, Message>, master: Pid, named: NamedCast, bug: Mutated) {
    let NamedCast {
        rule,
        most,
        hooks,
        source,
        callers,
    } = named;
    let table = Table::new(rule, most).with_bug(bug);
    let mut desk = Desk::new(table, hooks, source, Truth::new(rule, most));
    let attendant = world.spawn(Attendant::new(master), Attendant::options());
    desk.is_attended_by(attendant);
    world.shared().named = Some(Box::new(desk));
    for (number, script) in (1..).zip(callers) {
        let caller = NamedCaller::new(master, attendant, script);
        world.spawn(caller, NamedCaller::options(number));
    }
}

#[cfg(feature = "mutation")]
fn mutate(config: &mut Config, params: Params) {
    if let Some(mutation) = params.mutation() {
        config.mutation = Mutated::by(mutation);
    }
}

#[cfg(not(feature = "mutation"))]
const fn mutate(_: &mut Config, _: Params) {}

/// From a cancel to the kill, in milliseconds.
const CANCELLATION_BUDGET_MS: u64 = 500;

/// The farm of most scenarios: one kind, every limit short enough to be met.
pub(crate) fn config(params: Params, defaults: &TaskOptions) -> Config {
    let queued = params.tasks.max(1) as usize;
    let boundary = Boundary::new(AdapterMode::PushPull, 1, queued, CANCELLATION_BUDGET_MS)
        .expect("at least one in flight");
    Config {
        kinds: vec![KindConfig {
            hello: crate::worker::kind_hello(),
            slots: params.workers.max(1),
            boundary,
            credit_cap: 0,
            injection_limit: 4,
            decode_above: 256,
            hello_timeout: None,
            staffing: Staffing::default(),
            defaults: defaults.clone(),
        }],
        hello_timeout: Duration::from_secs(2),
        start_failures: StartFailures::default(),
        close_budget: Duration::from_millis(500),
        ..Config::default()
    }
}
