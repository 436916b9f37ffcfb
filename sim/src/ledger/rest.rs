//! Invariant I11, after each call: nobody idles beside what he may take, what needs a fresh worker gets one, and what
//! nothing will start is reported. And what a listing says is so.

use super::whom::{May, Tie};
use super::{Ledger, SessionFacts, names};
use crate::model::{Model, Stand};
use farm_master::{Shut, Stands, TaskLine, WhenGone, Why};
use farm_protocol::{KindId, SlotId, TaskId};

impl Ledger {
    /// Whether no worker does anything, or is about to, as far as can be told.
    pub(super) fn all_may_rest(&self) -> bool {
        self.living().all(SessionFacts::is_idle)
    }

    /// Whether no worker does anything, or is about to, and none will be started.
    fn all_rest(&self) -> bool {
        self.all_may_rest() && !self.may_pause(KindId(0))
    }

    /// After a call.
    pub(crate) fn nothing_is_overlooked(&mut self) {
        self.gone_are_gone();
        if !self.keyed || self.broken.is_some() || self.has_ended(KindId(0)) {
            return;
        }
        if !self.model(KindId(0)).is_some_and(Model::wants_to_start) {
            return;
        }
        let stands = self.stands(KindId(0));
        let rest = self.all_rest();
        let found = stands
            .iter()
            .find_map(|stand| self.overlooked(stand, rest).map(|why| (stand.task, why)));
        if let Some((task, why)) = found {
            let what = self.whom(task);
            self.breaks(names::I11, || format!("{task} waits, {why}; {what}"));
        }
    }

    /// What is wrong about a task that is ready after a call.
    fn overlooked(&self, stand: &Stand, rest: bool) -> Option<String> {
        let wishes = self.wishes(stand.task)?;
        match self.tie_of(stand.task) {
            Tie::Gone(WhenGone::Fail) => {
                return Some("and the worker that it was pinned to is gone".into());
            }
            Tie::Gone(WhenGone::Substitute) if !wishes.substituted => {
                return Some("and its substitute should have taken its place".into());
            }
            Tie::None | Tie::Alive(_) | Tie::Limbo | Tie::Gone(_) => {}
        }
        // Who is set aside at a limit may be let in one by one, and only those that are can be where room was.
        let has_room = stand.has_room_for_all || rest && stand.has_room;
        if !has_room {
            return None;
        }
        let takes = |session: &&SessionFacts| self.may_take(stand, session) == May::Yes;
        if let Some(idle) = self.living().filter(|it| it.is_idle()).find(takes) {
            return Some(format!("and {} may take it and is idle", idle.session));
        }
        if self.is_stranded(stand) {
            return Some("a fresh worker would take it, and there is room for one".into());
        }
        if rest && self.shut == Some(Shut::Drain) && !self.some_come_back() {
            return Some("nothing goes on, and the farm drains".into());
        }
        (rest && !wishes.reported).then(|| "nothing goes on, and nobody says so".into())
    }

    /// Only a fresh worker would take it, none comes, and one could.
    fn is_stranded(&self, stand: &Stand) -> bool {
        // While others work, those behind what nobody takes have to wait.
        let first = stand.suspected || self.all_rest();
        let comes = !first || self.living().any(|session| !session.takes());
        let somebody = self.living().any(|it| self.may_take(stand, it) != May::No);
        if comes || somebody || self.may_pause(KindId(0)) || !self.fresh_may_take(stand) {
            return false;
        }
        let free = self.living().count() < self.pool(KindId(0)).staff.most as usize;
        let dispensable = |it: &SessionFacts| it.is_idle() && !self.is_pinned_to(it.session);
        free || self.living().any(dispensable)
    }

    pub(super) fn is_pinned_to(&self, session: farm_protocol::Session) -> bool {
        let open = self.tasks.iter().filter(|facts| facts.open);
        let mut pins = open.filter_map(|facts| facts.wishes.pin);
        pins.any(|(holder, _)| holder == session)
    }

    /// What a listing says of a task.
    pub(crate) fn line_is_true(&mut self, line: &TaskLine) {
        let (why, there) = match line.stands {
            Stands::Waits(why) => (Some(why), None),
            Stands::Runs { slot, session, .. }
            | Stands::Held { slot, session }
            | Stands::Stops { slot, session } => (None, Some((slot, session))),
        };
        let place = self.facts(line.task).map(|facts| facts.session);
        let there = there.is_none_or(|(slot, session)| {
            place == Some(session) && self.session_at_slot(slot) == place
        });
        let model = self.model(self.kind_of(line.task));
        let so = there && model.is_none_or(|model| model.waits_for(line.task, why));
        if !so || !why.is_none_or(|why| self.why_is_true(line.task, why)) {
            let what = self.whom(line.task);
            self.breaks(names::I11, || {
                format!("a listing says {line:?}, and that is not so; {what}")
            });
        }
    }

    fn session_at_slot(&self, slot: SlotId) -> Option<farm_protocol::Session> {
        let there = self.living().find(|session| session.slot == slot);
        there.map(|there| there.session)
    }

    /// Whether this is a true reason for a ready task, as far as that is certain.
    fn why_is_true(&mut self, id: TaskId, why: Why) -> bool {
        if !self.keyed {
            // Every worker takes every task, so only the model's reasons can be wrong.
            return match why {
                Why::NoMatch => false,
                Why::FarmFull => self.config.workers.is_some(),
                Why::NoToken => self.is_limited(),
                Why::Needs { .. }
                | Why::BackOff { .. }
                | Why::Limit(_)
                | Why::Paused
                | Why::Holder(_)
                | Why::Starting
                | Why::NoSlot => true,
            };
        }
        let stands = self.stands(KindId(0));
        let Some(stand) = stands.iter().find(|stand| stand.task == id).copied() else {
            return true;
        };
        if self.tie_of(id) == Tie::Limbo {
            return true;
        }
        let hopeless = self.is_hopeless(&stand);
        match why {
            Why::NoMatch => {
                let mut living = self.living();
                living.all(|it| self.may_take(&stand, it) != May::Yes)
                    && !self.fresh_may_take(&stand)
            }
            Why::Holder(slot) => {
                let mut there = self.living().filter(|session| session.slot == slot);
                there.any(|session| self.may_take(&stand, session) != May::No)
            }
            Why::Starting => !hopeless && self.living().any(|session| !session.greeted),
            Why::NoSlot => !hopeless,
            Why::Limit(_) => stand.limited,
            // What is keyed shares nothing.
            Why::Needs { .. } | Why::NoToken | Why::FarmFull => false,
            Why::BackOff { .. } => self.fresh_may_take(&stand),
            Why::Paused => true,
        }
    }
}
