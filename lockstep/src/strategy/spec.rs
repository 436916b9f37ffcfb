//! Which strategy a sweep runs under, as it is written on a command line and in a token, and which one that means for
//! each iteration.

use super::Strategy;
use super::pct::{DEPTH_MAX, Pct};
use super::uniform::Uniform;
use super::urw::Urw;
use std::fmt;
use std::str::FromStr;

/// A strategy by name. What it writes with `Display` it reads with `FromStr`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Spec {
    /// `random`: uniform over the ready candidates.
    Random,
    /// `pct:D`: priorities with D − 1 change points; D is in 1..=[`Spec::DEPTH_MAX`].
    Pct(u32),
    /// `urw`: weights by the steps that trial runs lead one to expect.
    Urw,
    /// `portfolio`: by turns urw, pct:3, random, and random with swarm faults.
    #[default]
    Portfolio,
    /// `swarm`: uniform, with faults drawn anew for each run.
    Swarm,
}

/// What runs one iteration.
pub struct Arm {
    /// Who goes next.
    pub strategy: Box<dyn Strategy>,
    /// Whether this run first draws which sorts of fault it has at all.
    pub swarm: bool,
}

impl fmt::Debug for Arm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arm")
            .field("swarm", &self.swarm)
            .finish_non_exhaustive()
    }
}

/// The depth of PCT within the portfolio.
const PORTFOLIO_DEPTH: u32 = 3;

impl Spec {
    /// The largest depth of PCT. Deeper bugs are found no better than by drawing uniformly.
    pub const DEPTH_MAX: u32 = DEPTH_MAX;

    /// What runs iteration `iteration`: a function of the two alone.
    ///
    /// # Panics
    /// If a `Pct` was made with a depth that [`FromStr`] refuses.
    #[must_use]
    pub fn arm(self, iteration: u64) -> Arm {
        let (strategy, swarm): (Box<dyn Strategy>, bool) = match self {
            Self::Random => (Box::new(Uniform::new()), false),
            Self::Pct(depth) => (Box::new(Pct::new(depth)), false),
            Self::Urw => (Box::new(Urw::new()), false),
            Self::Swarm => (Box::new(Uniform::new()), true),
            Self::Portfolio => {
                let arms = [
                    Self::Urw,
                    Self::Pct(PORTFOLIO_DEPTH),
                    Self::Random,
                    Self::Swarm,
                ];
                return arms[(iteration % arms.len() as u64) as usize].arm(iteration);
            }
        };
        Arm { strategy, swarm }
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Random => f.pad("random"),
            Self::Pct(depth) => f.pad(&format!("pct:{depth}")),
            Self::Urw => f.pad("urw"),
            Self::Portfolio => f.pad("portfolio"),
            Self::Swarm => f.pad("swarm"),
        }
    }
}

/// A text that names no strategy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a strategy: it is one of portfolio, random, swarm, urw, and pct:1 to pct:{DEPTH_MAX}"
)]
pub struct SpecError {
    /// What was given.
    pub text: String,
}

impl FromStr for Spec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        match text {
            "random" => Ok(Self::Random),
            "urw" => Ok(Self::Urw),
            "portfolio" => Ok(Self::Portfolio),
            "swarm" => Ok(Self::Swarm),
            // Compared with what would be written, so that `pct:03` and `pct:+3` do not become second spellings.
            _ => (1..=DEPTH_MAX)
                .map(Self::Pct)
                .find(|spec| spec.to_string() == text)
                .ok_or_else(|| SpecError { text: text.into() }),
        }
    }
}

#[cfg(test)]
mod tests;
