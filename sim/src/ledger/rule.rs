//! What the rule of a group means, worked out anew from the list of its ends whenever somebody asks: slow, and
//! without a state that could be wrong. It shares nothing with the machine's rules but their names.

use farm_master::{Decision, MemberEnd, Rule, Ties};
use farm_protocol::TaskId;

/// The members of a group, and how they ended.
#[derive(Clone, Debug)]
pub(super) struct Members {
    pub(super) rule: Rule,
    pub(super) ties: Ties,
    /// How many there are.
    pub(super) count: u32,
    /// In the order in which they ended.
    pub(super) ends: Vec<(u32, TaskId, MemberEnd)>,
}

/// Who is given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum GivenUp {
    /// Nobody.
    Nobody,
    /// All but these.
    AllBut(Vec<u32>),
    /// Everybody behind this one.
    Behind(u32),
}

impl GivenUp {
    pub(super) fn is(&self, index: u32) -> bool {
        match self {
            Self::Nobody => false,
            Self::AllBut(spared) => !spared.contains(&index),
            Self::Behind(last) => index > *last,
        }
    }
}

impl Members {
    pub(super) const fn new(rule: Rule, ties: Ties) -> Self {
        Self {
            rule,
            ties,
            count: 0,
            ends: Vec::new(),
        }
    }

    /// How many successes are wanted, if they count.
    const fn wanted(&self) -> Option<u32> {
        match self.rule {
            Rule::All | Rule::FirstError => None,
            Rule::FirstSuccess => Some(1),
            Rule::Quorum(wanted) => Some(wanted.get()),
        }
    }

    /// Those that ended so, as they ended.
    fn that(&self, end: MemberEnd) -> Vec<u32> {
        let found = self.ends.iter().filter(|(.., how)| *how == end);
        found.map(|(index, ..)| *index).collect()
    }

    /// The successes that decide, in the order of their indexes; `None`: there are too few.
    fn winners(&self, wanted: u32) -> Option<Vec<u32>> {
        let mut done = self.that(MemberEnd::Done);
        match self.ties {
            Ties::Arrival => {}
            Ties::Lowest => done.sort_unstable(),
        }
        let mut winners = done.get(..wanted as usize)?.to_vec();
        winners.sort_unstable();
        Some(winners)
    }

    /// Who is given up by these ends.
    pub(super) fn given_up(&self, closed: bool) -> GivenUp {
        let Some(wanted) = self.wanted() else {
            let lowest = self.that(MemberEnd::Error).into_iter().min();
            return match (self.rule, lowest, self.ties) {
                (Rule::FirstError, Some(_), Ties::Arrival) => GivenUp::AllBut(Vec::new()),
                (Rule::FirstError, Some(lowest), Ties::Lowest) => GivenUp::Behind(lowest),
                _ => GivenUp::Nobody,
            };
        };
        match (self.winners(wanted), self.ties) {
            (Some(winners), Ties::Arrival) => GivenUp::AllBut(winners),
            (Some(winners), Ties::Lowest) => {
                GivenUp::Behind(winners.last().copied().expect("at least one is wanted"))
            }
            (None, _) => {
                let open = self.count as usize - self.ends.len();
                let at_best = self.that(MemberEnd::Done).len() + open;
                if closed && at_best < wanted as usize {
                    GivenUp::AllBut(Vec::new())
                } else {
                    GivenUp::Nobody
                }
            }
        }
    }

    /// Nothing that may still happen changes what it comes to: who is not given up has ended. `undone`: of these it
    /// counts as if they had not ended.
    pub(super) fn is_decided(&self, closed: bool, undone: &[u32]) -> bool {
        let mut known = self.clone();
        known.ends.retain(|(index, ..)| !undone.contains(index));
        let given_up = known.given_up(closed);
        let ended = |index: u32| known.ends.iter().any(|(other, ..)| *other == index);
        let settled = (0..self.count).all(|index| ended(index) || given_up.is(index));
        settled && (closed || given_up != GivenUp::Nobody)
    }

    /// What it comes to when all have ended.
    pub(super) fn verdict(&self) -> Decision {
        let done = self.that(MemberEnd::Done).len();
        if let Some(wanted) = self.wanted() {
            let done = u32::try_from(done).expect("few members");
            return match self.winners(wanted) {
                Some(indexes) => Decision::Succeeded { indexes },
                None => Decision::TooFew { done, wanted },
            };
        }
        let errors = self
            .ends
            .iter()
            .filter(|(.., how)| *how == MemberEnd::Error);
        match errors.min_by_key(|(index, ..)| *index) {
            Some(&(index, task, _)) if self.rule == Rule::FirstError => {
                Decision::FirstError { index, task }
            }
            _ => Decision::AllEnded {
                done: done as u64,
                of: u64::from(self.count),
            },
        }
    }

    /// How each ended, by index; an index that has not ended is left out.
    pub(super) fn by_index(&self) -> Vec<MemberEnd> {
        let mut ends = self.ends.clone();
        ends.sort_unstable_by_key(|(index, ..)| *index);
        ends.into_iter().map(|(.., end)| end).collect()
    }
}
