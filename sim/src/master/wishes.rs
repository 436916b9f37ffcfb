//! What callers want of tasks while they wait, and what a listing says of them.

use super::{KIND, MasterProcess, World};
use crate::ledger::{Ledger, names};
use crate::message::Wish;
use crate::model::Model;
use farm_master::Event;
use farm_protocol::KindId;

impl MasterProcess {
    pub(super) fn wish(&mut self, cx: &mut World<'_>, wish: Wish) {
        let ledger = &mut cx.shared().ledger;
        let event = match wish {
            Wish::Priority(nth, priority) => {
                let Some(task) = ledger.callers.get(nth as usize).copied() else {
                    return;
                };
                ledger.unreported(Some(task));
                Event::SetPriority { task, priority }
            }
            Wish::Order(order) => {
                ledger.unreported(None);
                Event::SetOrder { kind: KIND, order }
            }
            Wish::Broadcast => {
                ledger.changes_mood();
                Event::Broadcast { kind: KIND }
            }
            Wish::CancelAll => {
                ledger.all_are_cancelled();
                let (kind, reason) = (Some(KIND), "enough".to_owned());
                Event::CancelAll { kind, reason }
            }
        };
        self.tell(cx, event);
    }

    /// A listing names every task, and gives true reasons. It changes nothing.
    pub(super) fn listing_is_true(&self, ledger: &mut Ledger, kind: KindId) {
        let lines = self.master.list(ledger, Some(kind), usize::MAX);
        let Some(count) = ledger.model(kind).map(Model::count) else {
            return;
        };
        if lines.len() != count {
            ledger.breaks(names::I11, || {
                format!("a listing has {} tasks, and there are {count}", lines.len())
            });
        }
        for line in &lines {
            ledger.line_is_true(line);
        }
    }
}
