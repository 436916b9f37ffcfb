//! What callers want of the farm, in the words of the machine.

use super::{MasterProcess, World};
use crate::ledger::Ledger;
use crate::message::Order;
use crate::nature::Nature;
use farm_master::lane::Entry;
use farm_master::{Event, Need, Rule, TaskOptions, Ties};
use farm_protocol::{KindId, ScopeId, TaskId};
use std::time::Duration;

impl MasterProcess {
    pub(super) fn order(&mut self, cx: &mut World<'_>, mut order: Order) {
        let of = (order.nature.take(), order.scope.map(ScopeId));
        let kind = KindId(order.kind);
        let options = with_needs(&mut cx.shared().ledger, order);
        self.submit(cx, (kind, Entry::Push), options, of);
    }

    /// `of`: what it is to its kind, and where it stands.
    pub(super) fn submit(
        &mut self,
        cx: &mut World<'_>,
        (kind, entry): (KindId, Entry),
        options: Option<Box<TaskOptions>>,
        (nature, scope): (Option<Box<Nature>>, Option<ScopeId>),
    ) {
        let now = cx.now();
        let ledger = &mut cx.shared().ledger;
        ledger.now = now;
        let task = ledger.enter(kind, entry, options.as_deref());
        ledger.is_of(task, nature);
        ledger.callers.push(task);
        let door = ledger.joins(task, scope);
        if let Some(model) = ledger.model_mut(kind) {
            model.at_the_door(door);
        }
        self.tell(
            cx,
            Event::Submit {
                task,
                kind,
                entry,
                options,
                scope,
            },
        );
    }

    pub(super) fn cancel(&mut self, cx: &mut World<'_>, task: TaskId) {
        if let Some(facts) = cx.shared().ledger.task(task) {
            facts.cancelled = true;
        }
        let reason = "enough".to_owned();
        self.tell(cx, Event::Cancel { task, reason });
    }

    pub(super) fn open(
        &mut self,
        cx: &mut World<'_>,
        scope: u64,
        parent: Option<u64>,
        rule: Option<(Rule, Ties)>,
        limit: Option<Duration>,
    ) {
        let (scope, parent) = (ScopeId(scope), parent.map(ScopeId));
        let now = cx.now();
        let ledger = &mut cx.shared().ledger;
        ledger.now = now;
        ledger.opens(scope, parent, rule, limit);
        self.tell(
            cx,
            Event::OpenScope {
                scope,
                parent,
                rule,
                limit,
            },
        );
    }

    pub(super) fn close_scope(&mut self, cx: &mut World<'_>, scope: u64) {
        let scope = ScopeId(scope);
        cx.shared().ledger.closes(scope);
        self.tell(cx, Event::CloseScope { scope });
    }

    pub(super) fn cancel_scope(&mut self, cx: &mut World<'_>, scope: u64) {
        let scope = ScopeId(scope);
        let reason = format!("enough of {scope}");
        cx.shared().ledger.cancels(scope, &reason);
        self.tell(cx, Event::CancelScope { scope, reason });
    }
}

/// The options of an order, with the ids of what it needs.
fn with_needs(ledger: &mut Ledger, order: Order) -> Option<Box<TaskOptions>> {
    let kind = KindId(order.kind);
    let mut options = order.options;
    for (nth, when) in order.needs {
        let needed = ledger.callers.get(nth as usize).copied();
        if let Some(task) = needed.filter(|task| order.stale || ledger.task(*task).is_some()) {
            let options =
                options.get_or_insert_with(|| Box::new(ledger.kind_config(kind).defaults.clone()));
            options.needs.push(Need { task, when });
        }
    }
    options
}
