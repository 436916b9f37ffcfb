//! What a master is told once, before the first event. Plain fields; nothing here is read from anywhere.

use crate::lane::Boundary;
use crate::mutation::Mutated;
use crate::options::TaskOptions;
use crate::staffing::Staffing;
use farm_protocol::{DEFAULT_FRAME_LIMIT, FrameLimit, KindHello};
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;
use std::time::Duration;

/// The configuration of a master.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Config {
    /// The kinds, in the order of their `KindId`s. At most `u16::MAX`.
    pub kinds: Vec<KindConfig>,
    /// How many worker processes there may be at once, over all kinds; `None`: as many as each kind may have.
    pub workers: Option<NonZeroU32>,
    /// The capacities of the named limits, in the order of their `LimitId`s.
    pub limits: Vec<NonZeroU32>,
    /// How long a worker may take from its spawn to its hello, unless its kind says otherwise.
    pub hello_timeout: Duration,
    /// What happens when workers cannot be started.
    pub start_failures: StartFailures,
    /// The largest frame sent or accepted.
    pub frame_limit: FrameLimit,
    /// How long an idle worker may take to end after it was asked, before it is killed.
    pub close_budget: Duration,
    /// Whether somebody measures what attempts use. Where nobody does, tasks with limits on it are refused.
    pub measures: bool,
    /// Whose tokens limit how many workers are at work at once.
    pub tokens: Tokens,
    /// Seed of the only randomness, the jitter of delays.
    pub seed: u64,
    /// The seeded bug to have, for tests of the tests. None, and without a size, unless built with the feature `mutation`.
    #[serde(skip)]
    pub mutation: Mutated,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            kinds: Vec::new(),
            workers: None,
            limits: Vec::new(),
            hello_timeout: Duration::from_secs(10),
            start_failures: StartFailures::default(),
            frame_limit: DEFAULT_FRAME_LIMIT,
            close_budget: Duration::from_secs(2),
            measures: true,
            tokens: Tokens::default(),
            seed: 0,
            mutation: Mutated::default(),
        }
    }
}

/// By what the workers at work are limited, over all kinds, besides the slots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tokens {
    /// By nothing: no token is asked for.
    #[default]
    Unlimited,
    /// By the tokens of somebody else's jobserver: one worker without a token, and one for each that is held.
    Shared,
    /// By the tokens of a jobserver of our own, which puts back those that were lost.
    Own,
}

/// What one kind is given.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KindConfig {
    /// Name, version and schema, for the check of the hello.
    pub hello: KindHello,
    /// How many worker processes it may have at once, until a [`crate::Event::Resize`] says otherwise; they are
    /// started when there is work for them.
    pub slots: u32,
    /// The boundary of its lane. `max_in_flight` is raised to what slots and credit allow if it says less.
    pub boundary: Boundary,
    /// How many requests a worker may hold beyond the one it executes; 0 unless the kind's
    /// requests do not depend on the worker's status.
    pub credit_cap: u32,
    /// How many injected tasks may wait beyond the lane's `max_queued`.
    pub injection_limit: usize,
    /// Responses above this many bytes are decoded off the loop.
    pub decode_above: usize,
    /// How long a worker of this kind may take to its hello; `None`: the farm's.
    pub hello_timeout: Option<Duration>,
    /// How many workers it keeps, and when they are replaced.
    pub staffing: Staffing,
    /// The options of tasks that come without any.
    pub defaults: TaskOptions,
}

impl KindConfig {
    /// How many slots it has, with and without a process: those that a resize may ever use.
    #[must_use]
    pub fn numbered(&self) -> u32 {
        self.slots.max(self.staffing.ceiling)
    }
}

/// Responses above this size are decoded off the loop by default: decoding one takes about as long as a thousand small ones.
pub const DECODE_ABOVE: usize = 256 << 10;

/// How start failures are met. A start failure is a session that ends, not by our own kill,
/// before it settled anything and without a death charged to a task.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct StartFailures {
    /// After this many in a row the kind's pool is ended with one error.
    pub limit: u32,
    /// The pause after the first; doubled after each further one.
    pub pause: Duration,
    /// The pause never grows beyond this.
    pub max_pause: Duration,
}

impl Default for StartFailures {
    fn default() -> Self {
        Self {
            limit: 3,
            pause: Duration::from_millis(100),
            max_pause: Duration::from_secs(5),
        }
    }
}
