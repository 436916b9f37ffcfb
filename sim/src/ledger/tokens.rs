//! Tokens as they really are: who has them, and what the farm may do without them. Invariant I15.
//!
//! What the master does without a word is not known here, so there are two counts of workers at work: those that surely
//! are, and those that may be.

use super::{Ledger, Seen, SessionFacts, names};
use crate::message::TokenTold;
use crate::model::Model;
use farm_master::{TokenAction, Tokens};
use farm_protocol::{KindId, Session};

/// While a kind has lacked a token without a break, another kind may begin so often: once because it had lacked one for
/// longer, and with the room of a start that was over.
const MAY_BEGIN: u32 = 2;

/// Where the tokens are, and what was asked.
#[derive(Debug, Default)]
pub(super) struct Purse {
    all: u32,
    free: u32,
    /// Other clients have them.
    others: u32,
    /// Granted, and not told yet.
    coming: u32,
    /// The farm has them, as it was told and as it did.
    held: u32,
    /// Given back, and not there yet.
    returning: u32,
    /// The farm has asked for one more.
    asked: bool,
    /// It was told that none will come.
    lost: bool,
    /// It has said so.
    lost_said: bool,
    /// It has asked for a count, and waits for it.
    counting: bool,
    /// By kind: it lacks a token and nothing else, without a break; how often each other kind has begun since then.
    lacking: Vec<Option<Vec<u32>>>,
}

impl SessionFacts {
    /// It starts, or has something to do, for certain and for all that the master can know.
    fn surely_works(&self) -> bool {
        let over = self.gone || self.babbled || self.exit_told && self.eof_told;
        let untouched = self.signalled.is_none() && !self.eof_told && !self.exit_told;
        let starts = !self.greeted && untouched && self.may_stay() && !self.is_dismissed();
        let executes = self.greeted && (!self.held.is_empty() || self.decoding > 0);
        !over && (starts && !self.wear.perhaps_retired || executes)
    }

    fn perhaps_works(&self) -> bool {
        let has = !self.held.is_empty() || self.decoding > 0;
        !self.gone && (!self.greeted || has || self.babbled)
    }
}

/// What happens at the jobserver.
impl Ledger {
    /// There is a jobserver with so many.
    pub(crate) fn has_tokens(&mut self, tokens: u32) {
        (self.purse.all, self.purse.free) = (tokens, tokens);
    }

    pub(crate) fn others_take(&mut self, count: u32) {
        // Those of our own server are taken by what tasks run.
        let somebody = self.sessions.iter().any(|it| it.at_work);
        if self.config.tokens == Tokens::Own && !somebody {
            return;
        }
        let taken = count.min(self.purse.free);
        self.purse.free -= taken;
        self.purse.others += taken;
        if taken > 0 && self.purse.others == self.purse.all {
            self.sees(Seen::OthersHaveAll);
        }
    }

    pub(crate) fn others_return(&mut self, count: u32) {
        let returned = count.min(self.purse.others);
        self.purse.others -= returned;
        self.purse.free += returned;
    }

    /// The farm gets one, if there is one.
    pub(crate) fn token_is_granted(&mut self) -> bool {
        let there = self.purse.free > 0;
        self.purse.free -= u32::from(there);
        self.purse.coming += u32::from(there);
        there
    }

    pub(crate) fn token_is_back(&mut self) {
        match self.purse.returning.checked_sub(1) {
            Some(returning) => self.purse.returning = returning,
            // It was noted where it was given back.
            None => return,
        }
        self.purse.free += 1;
    }

    /// The farm's own server puts back what is missing: all that is not the farm's.
    pub(crate) fn tokens_are_counted(&mut self) {
        self.sees(Seen::TokensCounted);
        if self.purse.others > 0 {
            self.sees(Seen::TokensPutBack);
        }
        self.others_return(u32::MAX);
    }
}

/// What the farm is told and does.
impl Ledger {
    pub(super) fn is_limited(&self) -> bool {
        self.config.tokens != Tokens::Unlimited
    }

    /// The master is about to be told this.
    pub(crate) fn tokens_told(&mut self, told: TokenTold) {
        let purse = &mut self.purse;
        match told {
            TokenTold::Came => {
                purse.coming -= 1;
                purse.held += 1;
                let late = !std::mem::take(&mut purse.asked);
                self.sees(Seen::TokenComes);
                if late {
                    self.sees(Seen::TokenComesLate);
                }
            }
            TokenTold::Counted => purse.counting = false,
            TokenTold::Lost => {
                (purse.lost, purse.asked) = (true, false);
                let held = purse.held;
                self.sees(Seen::TokensLost);
                if held > 0 {
                    self.sees(Seen::LostWithTokens);
                }
            }
        }
    }

    /// The master does this.
    pub(super) fn token_acts(&mut self, action: &TokenAction) {
        let works = self.living().find(|it| it.surely_works());
        let works = works.map(|it| it.session);
        let own = self.config.tokens == Tokens::Own;
        let purse = &mut self.purse;
        let wrong = match action {
            TokenAction::Want if purse.asked => Some("a token is asked for twice"),
            TokenAction::Want if purse.lost => Some("a token is asked for, and none will come"),
            TokenAction::Want => {
                purse.asked = true;
                None
            }
            TokenAction::WantNone if !purse.asked => Some("none is wanted any more, and none was"),
            TokenAction::WantNone => {
                purse.asked = false;
                None
            }
            TokenAction::GiveBack => match purse.held.checked_sub(1) {
                Some(held) => {
                    (purse.held, purse.returning) = (held, purse.returning + 1);
                    self.sees(Seen::TokenGoesBack);
                    None
                }
                None => Some("a token is given back, and the farm has none"),
            },
            TokenAction::Count if !own || purse.counting || works.is_some() => {
                Some("the tokens are to be counted, and that is not the time")
            }
            TokenAction::Count => {
                purse.counting = true;
                None
            }
            TokenAction::Lost { .. } => {
                let again = std::mem::replace(&mut purse.lost_said, true);
                (again || !purse.lost).then_some("the tokens are called lost twice, or are not")
            }
        };
        if let Some(wrong) = wrong {
            let works = works.map_or_else(String::new, |it| format!("; {it} works"));
            self.breaks(names::I15, || format!("{wrong}{works}"));
        }
    }

    /// A worker has begun to start, or to execute (`again`: it has executed something before): there is a token for it,
    /// and nobody has waited for that for longer.
    pub(super) fn begins_to_work(&mut self, session: Session, again: bool) {
        if !self.is_limited() {
            return;
        }
        let working = self.living().filter(|it| it.surely_works()).count();
        let held = self.purse.held;
        if working > 1 + held as usize {
            self.breaks(names::I15, || {
                format!("with {session} {working} are at work, and {held} tokens are there")
            });
        }
        if self.purse.counting {
            self.breaks(names::I15, || {
                format!("{session} begins while the tokens are being counted")
            });
        }
        let kind = self.kind_at(session);
        if again {
            self.passes_those_that_lack(kind);
        }
        if let Some(lacks) = self.purse.lacking.get_mut(usize::from(kind.0)) {
            *lacks = None;
        }
    }

    /// A worker has said hello: the room of its start is for something else of its kind.
    pub(super) fn leaves_its_room(&mut self, session: Session) {
        let kind = usize::from(self.kind_at(session).0);
        for lacks in self.purse.lacking.iter_mut().flatten() {
            lacks[kind] = lacks[kind].saturating_sub(1);
        }
    }

    fn passes_those_that_lack(&mut self, kind: KindId) {
        let mut passed = None;
        for (other, lacks) in self.purse.lacking.iter_mut().enumerate() {
            if let Some(lacks) = lacks
                && other != usize::from(kind.0)
            {
                let begun = &mut lacks[usize::from(kind.0)];
                *begun += 1;
                if *begun > MAY_BEGIN {
                    passed = Some((other, *begun));
                }
            }
        }
        if let Some((other, begun)) = passed {
            self.breaks(names::I15, || {
                format!("{kind} has begun {begun} times, and all the time k{other} lacked a token and nothing else")
            });
        }
    }

    /// After a call: none is held, asked for or lacking in vain, and none is lost.
    pub(super) fn tokens_are_in_use(&mut self) {
        if !self.is_limited() {
            return;
        }
        let Purse {
            all,
            free,
            others,
            coming,
            held,
            returning,
            asked,
            lost,
            counting,
            ..
        } = self.purse;
        if free + others + coming + held + returning != all {
            self.breaks(names::I15, || {
                format!("of {all} tokens {free} are free, others have {others}, {coming} come, {held} are held, {returning} go back")
            });
        }
        let lacks: Vec<bool> = self.kinds().map(|kind| self.lacks_room(kind)).collect();
        self.note_lacks(&lacks);
        if counting {
            return;
        }
        let wants = self.kinds().any(|kind| self.perhaps_has_work(kind));
        let perhaps = self.living().filter(|it| it.perhaps_works()).count();
        let of_use = perhaps.saturating_sub(1) + usize::from(wants);
        let lacking = lacks.contains(&true);
        let wrong = [
            (held as usize > of_use, "tokens are held that nobody uses"),
            (
                asked && !wants,
                "a token is asked for that nobody would use",
            ),
            (
                lacking && perhaps <= held as usize,
                "something could begin, there is room, and it does not",
            ),
            (
                lacking && !asked && !lost,
                "a token is lacking, and none is asked for",
            ),
        ];
        if let Some((_, why)) = wrong.iter().find(|(wrong, _)| *wrong) {
            self.breaks(names::I15, || {
                format!("{why}: {held} are held, asked for one more: {asked}, at most {perhaps} work, lacking: {lacks:?}")
            });
        }
        if lacking {
            self.sees(Seen::WaitsForToken);
        }
    }

    fn note_lacks(&mut self, lacks: &[bool]) {
        let kinds = lacks.len();
        self.purse.lacking.resize_with(kinds, || None);
        for (lacking, lacks) in self.purse.lacking.iter_mut().zip(lacks) {
            match (lacks, &lacking) {
                (true, None) => *lacking = Some(vec![0; kinds]),
                (false, _) => *lacking = None,
                (true, Some(_)) => {}
            }
        }
    }

    /// A kind lacks a token for certain, and nothing else: somebody idles beside what is ready, or could be started.
    fn lacks_room(&self, kind: KindId) -> bool {
        if self.has_ended(kind) {
            return false;
        }
        let model = self.model(kind);
        let Some(model) = model.filter(|model| model.wants_to_start()) else {
            return false;
        };
        let idles = |it: &SessionFacts| it.is_idle() && it.surely_stays();
        let beside = self.living_of(kind).any(idles) && model.ready() > model.suspects();
        beside || self.surely_hungry(kind) && !self.is_full()
    }

    /// Something of this kind may be ready.
    pub(super) fn perhaps_has_work(&self, kind: KindId) -> bool {
        let wants = |model: &Model| model.wants_to_start() || model.some_come_back();
        !self.has_ended(kind) && self.model(kind).is_some_and(wants)
    }

    /// The farm has stopped: it has none.
    pub(super) fn all_tokens_are_back(&mut self) {
        let Purse {
            held,
            asked,
            counting,
            ..
        } = self.purse;
        if held > 0 || asked || counting {
            self.breaks(names::I15, || {
                format!("it stops with {held} tokens, asks for one more: {asked}, waits for a count: {counting}")
            });
        }
    }
}
