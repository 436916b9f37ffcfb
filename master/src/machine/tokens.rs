//! Tokens of a jobserver: how many workers may be at work, and whose turn it is when there is room for one more.
//!
//! A worker is at work from its start to its hello, and while it has something in flight. Of those there are never more
//! than one (the token that every process has by itself) and one per token held. More is sent to a worker at work
//! without a token. A token is asked for when something could start and lacks nothing else, one at a time, and goes
//! back in the call in which nobody is there to use it. Of several kinds, the one that has lacked room longest is next,
//! with one worker, and stands at the end again.
//!
//! Only how many are held is remembered. Nothing is lost with a worker, because no worker has a token.

use super::slot::{Phase, Process};
use super::{Master, Turn};
use crate::action::{Action, TokenAction};
use crate::config::Tokens;
use crate::mutation::Mutation;

/// What is known of the tokens.
#[derive(Debug, Default)]
pub(super) struct Purse {
    /// Held, beside the one that every process has.
    held: usize,
    /// One more was asked for.
    asked: bool,
    /// The server is gone: no further ones come.
    lost: bool,
    /// They are being counted, and nobody begins to work.
    counting: bool,
    /// Somebody has executed something since they were counted.
    worked: bool,
    /// The number of the last pool that began to lack room.
    last_in_line: u64,
}

impl Master {
    pub(super) fn is_limited(&self) -> bool {
        match self.config.tokens {
            Tokens::Unlimited => false,
            Tokens::Shared | Tokens::Own => true,
        }
    }

    /// How many workers are at work.
    fn working(&self) -> usize {
        let processes = self.slots.iter().filter_map(|slot| slot.process.as_ref());
        processes.filter(|process| works(process)).count()
    }

    /// Whether one more worker may begin, of whichever kind.
    fn is_room(&self) -> bool {
        let more = usize::from(self.config.mutation.is(Mutation::BeginsWithoutToken));
        !self.purse.counting && self.working() <= self.purse.held + more
    }

    /// Whether a worker of this pool may begin.
    pub(super) fn has_room(&self, pool: usize) -> bool {
        !self.is_limited() || self.is_room() && self.is_next(pool)
    }

    /// Whether no other pool has lacked room for longer.
    fn is_next(&self, pool: usize) -> bool {
        let since = self.pools[pool].lacks_since.unwrap_or(u64::MAX);
        let mut others = (0..self.pools.len()).filter(|other| *other != pool);
        !others.any(|other| {
            let before = self.pools[other].lacks_since.is_some_and(|at| at < since);
            before && self.lacks_room(other)
        })
    }

    /// Whether something in this pool waits for room and for nothing else: what is paused does not, although workers that
    /// are kept without work may.
    pub(super) fn lacks_room(&self, pool: usize) -> bool {
        let starts = self.may_start(pool);
        let pool = &self.pools[pool];
        starts && pool.lacks && !pool.ready.is_empty()
    }

    /// Whether nothing may be sent ahead: a kind whose workers always have something would keep the room for ever.
    pub(super) fn others_lack_room(&self, pool: usize) -> bool {
        let mut others = (0..self.pools.len()).filter(|other| *other != pool);
        self.is_limited() && others.any(|other| self.lacks_room(other))
    }

    /// Whether a token is what keeps a further worker from what others hold.
    pub(super) fn may_grow(&self, pool: usize) -> bool {
        self.is_limited() && self.own_room(pool) > 0 && self.farm_room() > 0
    }

    /// With a limit on workers, how many more could be asked to start at once; one beyond the room, to be asked for.
    pub(super) fn could_begin(&self) -> usize {
        if self.is_limited() {
            (self.purse.held + 2).saturating_sub(self.working())
        } else {
            usize::MAX
        }
    }

    /// A worker of this pool would begin if there was room.
    pub(super) fn note_lack(&mut self, pool: usize) {
        self.pools[pool].lacks = true;
        if self.pools[pool].lacks_since.is_none() {
            self.purse.last_in_line += 1;
            self.pools[pool].lacks_since = Some(self.purse.last_in_line);
        }
    }

    /// A worker of this pool has begun to start, or to execute: others are before it now.
    pub(super) fn took_room(&mut self, pool: usize, executes: bool) {
        if !self.config.mutation.is(Mutation::FirstInLineStays) {
            self.pools[pool].lacks_since = None;
        }
        self.purse.worked |= executes;
    }

    /// A worker of this pool has started: the room that it had is for its first task.
    pub(super) fn keeps_room(&mut self, pool: usize) {
        if self.is_limited() {
            self.pools[pool].lacks_since = Some(0);
        }
    }

    /// The next pool to look at: of those that lacked room, the one that has for longest.
    pub(super) fn next_touched(&mut self) -> Option<usize> {
        if self.is_limited() && self.is_room() {
            for pool in &mut self.pools {
                pool.touched |= pool.lacks;
            }
        }
        let pools = self.pools.iter().enumerate();
        let touched = pools.filter(|(_, pool)| pool.touched);
        let place = |pool: &super::Pool| pool.lacks_since.unwrap_or(u64::MAX);
        let next = touched.min_by_key(|(index, pool)| (place(pool), *index));
        next.map(|(index, _)| index)
    }

    /// A pool has been looked at.
    pub(super) fn note_looked(&mut self, turn: &Turn<'_>, pool: usize) {
        if !self.pools[pool].lacks {
            self.pools[pool].lacks_since = None;
        }
        if self.is_limited() {
            self.watch_starts(turn, pool);
        }
    }

    /// A token has come.
    pub(super) fn token_came(&mut self, turn: &mut Turn<'_>) {
        if self.is_limited() {
            self.purse.held += 1;
            self.purse.asked = false;
        } else {
            turn.actions.push(Action::Token(TokenAction::GiveBack));
        }
    }

    /// No further ones will come.
    pub(super) fn tokens_lost(&mut self, turn: &mut Turn<'_>, error: String) {
        if self.is_limited() && !self.purse.lost {
            self.purse.lost = true;
            self.purse.asked = false;
            turn.actions
                .push(Action::Token(TokenAction::Lost { error }));
        }
    }

    pub(super) const fn tokens_counted(&mut self) {
        self.purse.counting = false;
    }

    /// Whether an answer about tokens is still to come that the farm must not end before.
    pub(super) const fn is_counting(&self) -> bool {
        self.purse.counting
    }

    /// Where the server is ours and nobody works, all tokens are there but for those that died with a task: they are
    /// counted before anybody begins. In a farm that has lost all of them that is after each task.
    pub(super) fn count_tokens(&mut self, turn: &mut Turn<'_>) {
        let own = self.config.tokens == Tokens::Own;
        if own && self.purse.worked && !self.purse.counting && self.working() == 0 {
            self.purse.worked = false;
            self.purse.counting = true;
            turn.actions.push(Action::Token(TokenAction::Count));
        }
    }

    /// Gives back what nobody is there to use, and asks for one more when somebody is.
    pub(super) fn balance_tokens(&mut self, turn: &mut Turn<'_>) {
        if !self.is_limited() || self.purse.counting {
            return;
        }
        let lacks = (0..self.pools.len()).any(|pool| self.lacks_room(pool));
        let needed = self.working().saturating_sub(1);
        let wants = lacks && !self.purse.lost;
        let of_use = needed + usize::from(wants);
        for _ in of_use..self.purse.held {
            turn.actions.push(Action::Token(TokenAction::GiveBack));
        }
        self.give_one_back_twice(turn, of_use);
        self.purse.held = self.purse.held.min(of_use);
        let asks = wants && self.purse.held < of_use;
        if asks != self.purse.asked {
            self.purse.asked = asks;
            if !asks && self.config.mutation.is(Mutation::WantNoneForgotten) {
                return;
            }
            turn.actions.push(Action::Token(if asks {
                TokenAction::Want
            } else {
                TokenAction::WantNone
            }));
        }
    }

    /// `s3`: a worker is gone, and so is a token.
    pub(super) fn lose_token(&mut self, executed: bool) {
        if executed && self.config.mutation.is(Mutation::TokenDiesWithWorker) {
            self.purse.held = self.purse.held.saturating_sub(1);
        }
    }

    /// `s5`: one of those that go back goes twice.
    fn give_one_back_twice(&self, turn: &mut Turn<'_>, of_use: usize) {
        if self.purse.held > of_use && self.config.mutation.is(Mutation::GivenBackTwice) {
            turn.actions.push(Action::Token(TokenAction::GiveBack));
        }
    }

    /// What must hold of tokens after every step.
    pub(super) fn check_tokens(&self) {
        let Purse { held, asked, .. } = self.purse;
        let lacks = (0..self.pools.len()).any(|pool| self.lacks_room(pool));
        if !self.is_limited() {
            assert!(held == 0 && !asked && !lacks, "nobody has given us tokens");
            return;
        }
        let working = self.working();
        assert!(working <= 1 + held, "{working} work with {held} tokens");
        if self.purse.counting {
            return;
        }
        assert!(!lacks || !self.is_room(), "there is room, and a task waits");
        let hoarded = held.saturating_sub(working.saturating_sub(1));
        assert_eq!(hoarded, 0, "tokens are held that nobody uses");
        assert_eq!(asked, lacks && !self.purse.lost, "asked for what is needed");
        assert!(!self.stopped || held == 0 && !asked, "tokens kept for ever");
    }
}

/// Whether a process starts or has something to do.
fn works(process: &Process) -> bool {
    let starts = matches!(process.phase, Phase::Launching(_)) && process.ending.is_none();
    starts || !process.in_flight.is_empty()
}
