//! What a scenario is made of: sizes and faults. Everything that is not a default stands in the token of a run.

use std::time::Duration;

/// The parameters of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Params {
    /// How many tasks come from outside.
    pub tasks: u32,
    /// How many slots the pool has.
    pub workers: u32,
    /// Which faults are made.
    pub faults: Faults,
    /// The seeded bug in the machine; 0: none, else its place in the list of mutations, from 1.
    pub mutation: u8,
    /// Steps after which a schedule is inconclusive.
    pub max_steps: u32,
}

/// Which faults are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Faults {
    /// None.
    None,
    /// What belongs to the scenario.
    Stock,
    /// What each schedule draws for itself, whatever its strategy.
    Swarm,
}

/// Time may overtake what is ready by this much.
pub(crate) const HORIZON: Duration = Duration::from_millis(200);

/// The most that a scenario may be told to have of tasks or workers.
pub const SIZE_MAX: u32 = 100_000;

/// How the simulated workers and the world around them behave in one schedule: chances of a thousand, and counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Manners {
    /// The budget of faults of all sorts.
    pub(crate) budget: u32,
    /// How many of them may be kills out of nowhere.
    pub(crate) kills: u32,
    /// Of a thousand kills, how many may come at any time; the others as soon as there is anything to kill.
    pub(crate) late_kills: u32,
    /// Dies at some point of an attempt: before reading, in compute, before writing, in mid-frame, after the reply.
    pub(crate) dies: u32,
    /// Does not start at all.
    pub(crate) spawn_fails: u32,
    /// Starts badly: says garbage, nothing, or its hello very late.
    pub(crate) bad_start: u32,
    /// Starts without a page.
    pub(crate) pageless: u32,
    /// Answers nonsense: truncated, oversized, under a wrong id, out of the protocol.
    pub(crate) nonsense: u32,
    /// Takes virtual time for an attempt.
    pub(crate) slow: u32,
    /// Never ends an attempt, and heeds nothing.
    pub(crate) hung: u32,
    /// Does not heed a cancellation, and answers late.
    pub(crate) deaf: u32,
    /// Floods its own output.
    pub(crate) floods: u32,
    /// Of a thousand attempts, how many fail, so that they are retried.
    pub(crate) fails: u32,
    /// Of a thousand attempts, how many end their worker on request of the kind.
    pub(crate) ends_worker: u32,
    /// Of a thousand attempts, how many inject a follow-up task.
    pub(crate) injects: u32,
    /// Of a thousand attempts, how many leave something behind, so that their worker is replaced.
    pub(crate) left_behind: u32,
    /// Of a thousand responses, how many are large and decoded off the loop.
    pub(crate) large: u32,
    /// Of a thousand deliveries of bytes, how many are cut short.
    pub(crate) split: u32,
}

impl Manners {
    /// Everybody is well-behaved.
    pub(crate) const NONE: Self = Self {
        budget: 0,
        kills: 0,
        late_kills: 0,
        dies: 0,
        spawn_fails: 0,
        bad_start: 0,
        pageless: 0,
        nonsense: 0,
        slow: 0,
        hung: 0,
        deaf: 0,
        floods: 0,
        fails: 0,
        ends_worker: 0,
        injects: 0,
        left_behind: 0,
        large: 0,
        split: 0,
    };
}

impl Params {
    /// The seeded bug to have.
    #[cfg(feature = "mutation")]
    pub(crate) fn mutation(&self) -> Option<farm_master::Mutation> {
        let place = usize::from(self.mutation).checked_sub(1)?;
        farm_master::Mutation::ALL.get(place).copied()
    }
}
