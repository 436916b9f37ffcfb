//! How a named worker is launched and shut down: what callers may say about it. Values only.

use std::time::Duration;

/// How long a launch may take unless it says otherwise: a solver that loads its library has time, a caller is not held for ever.
const LAUNCH_TIMEOUT: Duration = Duration::from_secs(30);

/// What a launch says beside name and parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaunchOptions {
    /// How long it may take until a process is ready for it, and then until `on_launch` has answered.
    pub timeout: Duration,
    /// After each such span without a request `on_idle` runs; `None`: never.
    pub idle: Option<Duration>,
    /// The longest time a request may be treated; `None`: no limit.
    pub running: Option<Duration>,
    /// The most memory that its process and all below it may hold while a request is treated, in bytes; `None`: no limit.
    /// One that holds more is ended, as a crash. The options of tasks in the pool's `defaults` do not count here.
    pub memory: Option<u64>,
    /// From the ask to stop to SIGKILL, of each request; `None`: as the pool's boundary says.
    pub grace: Option<Duration>,
}

impl Default for LaunchOptions {
    fn default() -> Self {
        Self {
            timeout: LAUNCH_TIMEOUT,
            idle: None,
            running: None,
            memory: None,
            grace: None,
        }
    }
}

/// How a worker is shut down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShutdownMode {
    /// Now: whoever waits is told that it is closed, and what is treated is asked to stop.
    Drop,
    /// What waits is treated first, for so long at most; nothing more is taken meanwhile.
    Drain {
        /// Then the rest is dropped.
        deadline: Duration,
    },
}
