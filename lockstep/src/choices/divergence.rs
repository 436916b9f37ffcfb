//! How a replay can depart from its record.

/// Where a replay first departed from its record. The program is not the one that made the record, the record was
/// edited, or something in the run depends on more than its decisions.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Divergence {
    /// The decision noted does not exist now.
    #[error(
        "decision {position} (`{tag}`) is noted as {recorded}, but now it is among {among} alternatives"
    )]
    OutOfRange {
        /// Which noted decision, from 0.
        position: u64,
        /// What is being decided now.
        tag: &'static str,
        /// How many alternatives there are now.
        among: u32,
        /// What was noted.
        recorded: u32,
    },
    /// There is something to decide, and no decision left.
    #[error("all {position} noted decisions are used up, and now `{tag}` is to be decided")]
    Exhausted {
        /// How many were noted.
        position: u64,
        /// What is being decided now.
        tag: &'static str,
    },
    /// The run ended without using every noted decision.
    #[error("the run ended after {used} of {recorded} noted decisions")]
    LeftOver {
        /// How many were used.
        used: u64,
        /// How many were noted.
        recorded: u64,
    },
    /// The decisions fitted so far, and yet something else happened.
    #[error(
        "the digest after step {step} is not the noted one: something before it happened differently"
    )]
    Digest {
        /// After which step, the first being 1. What differs lies after the noted digest before.
        step: u64,
    },
    /// The run goes on where the recorded one ended.
    #[error("the recorded run ended after {recorded} steps, and this one goes on")]
    Longer {
        /// Steps of the recorded run.
        recorded: u64,
    },
    /// The run ended before the recorded one did, with every decision used.
    #[error("the run ended after {taken} steps, the recorded one after {recorded}")]
    Shorter {
        /// Steps of this run.
        taken: u64,
        /// Steps of the recorded run.
        recorded: u64,
    },
}
