//! Scopes agree with the tasks that stand in them, with each other, and with their rules.

use super::super::Master;
use super::super::scopes::Scope;
use super::super::task::{State, Task};
use super::super::timers::Timer;
use farm_protocol::ScopeId;

impl Master {
    pub(super) fn check_scopes(&self) {
        assert!(
            self.scopes.is_settled(),
            "conclusions of a scope were not drawn"
        );
        let mut seated = 0;
        for (id, scope) in self.scopes.iter() {
            seated += scope.live.len();
            self.check_scope(id, scope);
        }
        let tasks = self.tasks.iter().filter(|task| task.seat.is_some());
        assert_eq!(
            seated,
            tasks.count(),
            "a task stands in a scope that is over"
        );
    }

    fn check_scope(&self, id: ScopeId, scope: &Scope) {
        let over = scope.live.is_empty() && scope.children.is_empty();
        let takes = !scope.closed && scope.fate.is_none();
        assert!(takes || !over, "{id} is over and was not told");
        let timer = Timer::Group(id);
        assert!(scope.until.is_none_or(|at| self.timers.has(at, timer)));
        if let Some(parent) = scope.parent {
            let parent = self
                .scopes
                .get(parent)
                .expect("a scope outlives its inside");
            assert!(parent.children.contains(&id));
            let falls = parent.fate.is_none() || scope.fate.is_some();
            assert!(falls, "{id} outlives the fate of its parent");
        }
        for child in &scope.children {
            let child = self.scopes.get(*child).expect("a child is not over");
            assert_eq!(child.parent, Some(id));
        }
        for (key, task) in &scope.live {
            let task = self.tasks.get(*task).expect("who stands is in the farm");
            let seat = task.seat.expect("it says where");
            assert_eq!((seat.scope, seat.key()), (id, *key));
            let ends = self.scopes.why_ended(seat).is_some();
            assert!(!ends || ending(task), "{} is given up and runs on", task.id);
        }
        if let Some(group) = &scope.group {
            let members = scope.live.keys().filter(|(_, serial)| *serial == 0);
            assert_eq!(group.open() as usize, members.count(), "{id} is miscounted");
            assert_eq!(group.is_closed(), scope.closed);
        }
    }
}

/// Whether a task ends without a further attempt: it was asked to, or has answered before it was.
fn ending(task: &Task) -> bool {
    match task.state() {
        State::Stopping(..) => true,
        State::Sent(_) => task.given_up,
        State::Needing { .. } | State::Ready | State::Parked | State::Delayed { .. } => false,
    }
}
