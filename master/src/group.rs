//! The rules of groups: from how members ended, who is given up and what the group comes to.
//!
//! Members are numbers, in the order of submission. Nothing here knows a task, a worker or a time;
//! whoever cancels a member says in its own words how it ended. An end is an [`MemberEnd::Error`] only
//! when the member failed by itself: what was cancelled by the group ends [`MemberEnd::Neutral`].
//!
//! One number holds what is given up: the **cut**, from which on every member is to be cancelled. It only
//! falls, so each member is looked at once, and a member that comes later knows at once whether it comes in vain.
//!
//! | rule | cut with [`Ties::Arrival`] | cut with [`Ties::Lowest`] |
//! | --- | --- | --- |
//! | `All` | never | never |
//! | `FirstError` | everybody, at the first error | behind the lowest error |
//! | `FirstSuccess`, `Quorum(n)` | everybody, at the n-th success | behind the n-th lowest success |
//! | both, when n can not be reached any more | everybody | everybody |

use farm_protocol::TaskId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::ops::Range;

/// When a group is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rule {
    /// When all members have ended.
    All,
    /// When one member has failed; the others are cancelled then.
    FirstError,
    /// When one member is done; the others are cancelled then.
    FirstSuccess,
    /// When so many members are done; the others are cancelled then. When so many cannot be reached
    /// any more, what is left is cancelled as well.
    Quorum(NonZeroU32),
}

impl Rule {
    /// How many successes decide; `None`: successes decide nothing.
    #[must_use]
    pub const fn wanted(self) -> Option<NonZeroU32> {
        match self {
            Self::All | Self::FirstError => None,
            Self::FirstSuccess => Some(NonZeroU32::MIN),
            Self::Quorum(wanted) => Some(wanted),
        }
    }
}

/// Which of several ends decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ties {
    /// The first that comes. Fastest; which one it is depends on timing. The error that is
    /// reported is the lowest among those that there are when all members are at rest.
    #[default]
    Arrival,
    /// The lowest index, whatever the timing: members below one that would decide are waited for.
    Lowest,
}

/// How one member ended, as its group sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum MemberEnd {
    /// `Done`.
    Done,
    /// A real error: it failed, crashed, ran out of its own time or was not admitted.
    Error,
    /// Neither: cancelled (by its group or by somebody else), skipped, closed, displaced.
    Neutral,
}

/// What a group comes to by its rule alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All have ended, and nothing else was asked for (or no member failed).
    AllEnded,
    /// This member failed.
    FirstError {
        /// Its index.
        index: u32,
        /// Its task.
        task: TaskId,
    },
    /// These members are done, in the order of their indexes; of those that were done as well after
    /// them there is no word.
    Succeeded {
        /// Their indexes, as many as the rule wants.
        indexes: Vec<u32>,
    },
    /// Fewer were done than the rule wants.
    TooFew {
        /// How many were.
        done: u32,
        /// How many the rule wants.
        wanted: u32,
    },
}

/// The state of one group.
#[derive(Clone, Debug)]
pub struct Group {
    rule: Rule,
    ties: Ties,
    /// One byte per member.
    ends: Vec<Option<MemberEnd>>,
    closed: bool,
    done: u32,
    /// Members that have not ended.
    open: u32,
    /// Those of them that are not given up.
    hoped: u32,
    /// Members from here on are given up.
    cut: Option<u32>,
    /// The successes that count, at most as many as are wanted.
    winners: BTreeSet<u32>,
    /// The lowest error.
    error: Option<(u32, TaskId)>,
}

impl Group {
    /// A group without members.
    #[must_use]
    pub const fn new(rule: Rule, ties: Ties) -> Self {
        Self {
            rule,
            ties,
            ends: Vec::new(),
            closed: false,
            done: 0,
            open: 0,
            hoped: 0,
            cut: None,
            winners: BTreeSet::new(),
            error: None,
        }
    }

    /// One more member; its index.
    ///
    /// # Panics
    /// When the group is closed, or with 2^32 members.
    pub fn join(&mut self) -> u32 {
        assert!(!self.closed, "a closed group has no further members");
        let index = u32::try_from(self.ends.len()).expect("members are limited");
        self.ends.push(None);
        self.open += 1;
        self.hoped += u32::from(self.cut.is_none());
        index
    }

    /// A member is at rest.
    ///
    /// # Panics
    /// When it never joined or has ended before.
    pub fn ended(&mut self, index: u32, task: TaskId, end: MemberEnd) {
        let hoped = !self.is_given_up(index);
        let place = &mut self.ends[index as usize];
        assert!(place.is_none(), "a member ends once");
        *place = Some(end);
        self.open -= 1;
        self.hoped -= u32::from(hoped);
        match end {
            MemberEnd::Done => {
                self.done += 1;
                // What was given up and done all the same comes too late.
                if let Some(wanted) = self.rule.wanted().filter(|_| hoped) {
                    self.success(index, wanted);
                }
            }
            MemberEnd::Error => {
                if self.error.is_none_or(|(lowest, _)| index < lowest) {
                    self.error = Some((index, task));
                }
            }
            MemberEnd::Neutral => {}
        }
    }

    fn success(&mut self, index: u32, wanted: NonZeroU32) {
        let full = self.winners.len() == wanted.get() as usize;
        match self.ties {
            Ties::Arrival if full => {}
            Ties::Arrival => {
                self.winners.insert(index);
            }
            Ties::Lowest => {
                self.winners.insert(index);
                if full {
                    self.winners.pop_last();
                }
            }
        }
    }

    /// No further members.
    pub fn close(&mut self) {
        self.closed = true;
    }

    /// Whether there will be no further members.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.closed
    }

    /// Whether a member that has not ended is to be cancelled.
    #[must_use]
    pub fn is_given_up(&self, index: u32) -> bool {
        self.cut.is_some_and(|cut| index >= cut)
    }

    /// Whether some members, of those that joined or of those to come, are given up.
    #[must_use]
    pub const fn has_given_up(&self) -> bool {
        self.cut.is_some()
    }

    /// Whether what a member has left behind counts: it is one of the successes that decide. Where too few are
    /// done, and more cannot be, none of them does.
    #[must_use]
    pub fn is_winner(&self, index: u32) -> bool {
        let wanted = self.rule.wanted().map_or(0, NonZeroU32::get);
        self.winners.len() == wanted as usize && self.winners.contains(&index)
    }

    /// Draws the conclusions of the ends so far: those in this range are given up from now on.
    pub fn give_up(&mut self) -> Option<Range<u32>> {
        let cut = self.wanted_cut()?;
        if self.cut.is_some_and(|old| old <= cut) {
            return None;
        }
        let end = u32::try_from(self.ends.len()).expect("members are limited");
        let range = cut..self.cut.unwrap_or(end).max(cut);
        let given_up = &self.ends[range.start as usize..range.end as usize];
        let open = given_up.iter().filter(|end| end.is_none()).count();
        self.hoped -= u32::try_from(open).expect("no more than members");
        self.cut = Some(cut);
        Some(range)
    }

    fn wanted_cut(&self) -> Option<u32> {
        let Some(wanted) = self.rule.wanted() else {
            let (index, _) = self.error.filter(|_| self.rule == Rule::FirstError)?;
            return Some(match self.ties {
                Ties::Arrival => 0,
                Ties::Lowest => index + 1,
            });
        };
        let (have, wanted) = (self.winners.len(), wanted.get() as usize);
        if have == wanted {
            let last = *self.winners.last().expect("at least one is wanted");
            return Some(match self.ties {
                Ties::Arrival => 0,
                Ties::Lowest => last + 1,
            });
        }
        // Before a cut all that are open are hoped for.
        let reachable = have + self.hoped as usize >= wanted;
        (self.closed && !reachable).then_some(0)
    }

    /// Whether nothing that may still happen changes the verdict, except which error is the lowest.
    #[must_use]
    pub const fn is_decided(&self) -> bool {
        self.hoped == 0 && (self.closed || self.cut.is_some())
    }

    /// The verdict, when the group is closed and all members are at rest.
    #[must_use]
    pub fn verdict(&self) -> Option<Verdict> {
        if !self.closed || self.open > 0 {
            return None;
        }
        let Some(wanted) = self.rule.wanted() else {
            let error = self.error.filter(|_| self.rule == Rule::FirstError);
            return Some(match error {
                Some((index, task)) => Verdict::FirstError { index, task },
                None => Verdict::AllEnded,
            });
        };
        let wanted = wanted.get();
        Some(if self.winners.len() == wanted as usize {
            let indexes = self.winners.iter().copied().collect();
            Verdict::Succeeded { indexes }
        } else {
            let done = self.done;
            Verdict::TooFew { done, wanted }
        })
    }

    /// How many members there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no member.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// How many members are done.
    #[must_use]
    pub const fn done(&self) -> u32 {
        self.done
    }

    /// How many members have not ended.
    #[must_use]
    pub const fn open(&self) -> u32 {
        self.open
    }

    /// How each member ended, by index.
    ///
    /// # Panics
    /// When one has not.
    #[must_use]
    pub fn into_ends(self) -> Vec<MemberEnd> {
        let ends = self.ends.into_iter();
        ends.map(|end| end.expect("all members are at rest"))
            .collect()
    }
}

#[cfg(test)]
mod tests;
