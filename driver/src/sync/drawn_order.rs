//! The primitives under `shuttle`, which draws the orders its threads run in, and how models are run.
//!
//! Its time stands still: a sleep with a time limit ends by a wake-up or not at all. Its atomics are
//! sequentially consistent, so a memory ordering that is too weak is not found here.

use super::{lock, wait};
use mio::{Events, Token};
use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler, UrwRandomScheduler};
pub(crate) use shuttle::sync::mpsc::{Receiver, Sender, channel as unbounded};
pub(crate) use shuttle::sync::{Condvar, Mutex, MutexGuard, atomic};
pub(crate) use shuttle::thread;
use shuttle::{Config, Runner};
use std::io;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

/// How many orders each strategy draws per model: fewer in a debug build, which is slower.
const ORDERS: usize = if cfg!(debug_assertions) {
    1_000
} else {
    10_000
};

/// The strategy PCT finds a fault for certain kinds of which this many events must be in order.
const PCT_DEPTH: usize = 3;

/// A failure comes again with the same source. `SHUTTLE_RANDOM_SEED` draws others.
const SEED: u64 = 20_240_229;

/// More than `shuttle` gives its threads: the whole machine runs on one.
const STACK_BYTES: usize = 512 << 10;

/// Far above what any order of a model takes: beyond it, threads keep each other from ending.
const STEPS: usize = 20_000;

/// Runs a model in the orders that each of the strategies draws.
pub(crate) fn check(model: fn()) {
    run(RandomScheduler::new_from_seed(SEED, ORDERS), model);
    run(PctScheduler::new_from_seed(SEED, PCT_DEPTH, ORDERS), model);
    run(UrwRandomScheduler::new_from_seed(SEED, ORDERS), model);
}

fn run(scheduler: impl Scheduler + 'static, model: fn()) {
    let mut config = Config::new();
    config.stack_size = STACK_BYTES;
    config.max_steps = shuttle::MaxSteps::FailAfter(STEPS);
    config.silence_warnings = true;
    let orders = Runner::new(scheduler, config).run(model);
    assert_eq!(orders, ORDERS, "a strategy gave up early");
}

/// A channel with room for one message. Whoever asks for one sends one, so it needs no limit.
pub(crate) fn bounded<T>(room: usize) -> (Sender<T>, Receiver<T>) {
    assert_eq!(room, 1, "a sender that waits for room is not modelled");
    unbounded()
}

/// Remembers that it was rung until somebody has heard it.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    rung: Mutex<bool>,
    rings: Condvar,
}

impl Bell {
    pub(crate) fn ring(&self) {
        *lock(&self.rung) = true;
        self.rings.notify_one();
    }

    pub(crate) fn hear(&self) {
        let mut rung = lock(&self.rung);
        while !*rung {
            rung = wait(&self.rings, rung);
        }
        *rung = false;
    }

    fn forget(&self) {
        *lock(&self.rung) = false;
    }
}

/// A poll on which nothing happens but wake-ups.
#[derive(Debug)]
pub(crate) struct Poll {
    registry: Registry,
}

/// What a waker is made of, and, for code that is built and not run here, a registry of the system.
#[derive(Debug)]
pub(crate) struct Registry {
    of_system: mio::Poll,
    bell: Arc<Bell>,
}

impl Poll {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            registry: Registry {
                of_system: mio::Poll::new()?,
                bell: Arc::default(),
            },
        })
    }

    pub(crate) const fn registry(&self) -> &Registry {
        &self.registry
    }

    #[expect(clippy::unnecessary_wraps, reason = "the same signature as at work")]
    pub(crate) fn poll(&self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        events.clear();
        if timeout == Some(Duration::ZERO) {
            self.registry.bell.forget();
        } else {
            self.registry.bell.hear();
        }
        Ok(())
    }
}

impl Deref for Registry {
    type Target = mio::Registry;

    fn deref(&self) -> &mio::Registry {
        self.of_system.registry()
    }
}

/// Ends the sleep of a [`Poll`].
#[derive(Debug)]
pub(crate) struct Waker {
    bell: Arc<Bell>,
}

impl Waker {
    #[expect(clippy::unnecessary_wraps, reason = "the same signature as at work")]
    pub(crate) fn new(registry: &Registry, _token: Token) -> io::Result<Self> {
        let bell = Arc::clone(&registry.bell);
        Ok(Self { bell })
    }

    #[expect(clippy::unnecessary_wraps, reason = "the same signature as at work")]
    pub(crate) fn wake(&self) -> io::Result<()> {
        self.bell.ring();
        Ok(())
    }
}
