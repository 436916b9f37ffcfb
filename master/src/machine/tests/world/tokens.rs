//! A jobserver in the small world: so many tokens, the farm, and others who take and give back as they like.

use super::{Dice, World};
use crate::{Event, TokenAction};
use farm_protocol::KindId;

#[derive(Default)]
pub(in super::super) struct Server {
    /// Whoever wants one can have them.
    pub(in super::super) free: usize,
    /// Other clients have them.
    others: usize,
    /// The farm has them.
    pub(in super::super) held: usize,
    /// The farm waits for one.
    pub(in super::super) wanted: bool,
    /// A count was asked for.
    pub(super) counts: bool,
    /// The farm was told that it is gone.
    pub(in super::super) lost: bool,
    /// The farm's tasks are of so many kinds in turn, beside the first.
    pub(in super::super) more_kinds: u16,
    /// So many have come in all.
    pub(in super::super) came: usize,
    all: usize,
}

impl Server {
    pub(in super::super) fn with(tokens: usize) -> Self {
        Self {
            free: tokens,
            all: tokens,
            ..Self::default()
        }
    }

    /// The kind of the nth task.
    pub(super) fn kind_of(&self, nth: usize) -> KindId {
        let kind = nth % (1 + usize::from(self.more_kinds));
        KindId(u16::try_from(kind).expect("few"))
    }

    pub(super) fn perform(&mut self, action: &TokenAction) {
        match action {
            TokenAction::Want => {
                assert!(!self.wanted && !self.lost, "asked twice, or in vain");
                self.wanted = true;
            }
            TokenAction::WantNone => assert!(std::mem::take(&mut self.wanted)),
            TokenAction::GiveBack => {
                self.held = self.held.checked_sub(1).expect("one that was given");
                self.free += 1;
            }
            TokenAction::Count => {
                assert!(!self.counts, "asked twice");
                self.counts = true;
            }
            TokenAction::Lost { .. } => {}
        }
        assert_eq!(self.free + self.others + self.held, self.all);
    }

    /// Other clients do something.
    fn go_on(&mut self, rng: &mut Dice) {
        if self.others > 0 && rng.chance(500) {
            self.others -= 1;
            self.free += 1;
        } else if self.free > 0 && rng.chance(500) {
            self.free -= 1;
            self.others += 1;
        }
    }

    pub(super) fn all_are_back(&self) {
        assert_eq!((self.held, self.wanted), (0, false), "kept for ever");
        assert_eq!(self.free + self.others, self.all);
    }
}

impl World {
    /// Something happens to the tokens. The farm may wait for ever for one and gets on all the same.
    pub(in super::super) fn tokens_move(&mut self) {
        self.tokens.go_on(&mut self.rng);
        let lost = self.rng.chance(3);
        if self.tokens.counts {
            self.outside();
        } else if lost && !self.tokens.lost {
            (self.tokens.lost, self.tokens.wanted) = (true, false);
            let error = "gone".to_owned();
            self.tell(Event::TokensLost { error });
        } else if self.tokens.wanted && self.tokens.free > 0 {
            self.tokens.wanted = false;
            self.tokens.free -= 1;
            self.tokens.held += 1;
            self.tokens.came += 1;
            self.tell(Event::TokenCame);
        }
    }
}
