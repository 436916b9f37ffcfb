//! Something that is cancelled once, with hooks and children: what is tied to the life of a worker. Knows no worker.

use crate::shared::contained;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

type Hook = Box<dyn FnOnce() + Send>;

enum State {
    /// It has not been cancelled; these are to be told.
    Open {
        hooks: Vec<Hook>,
        children: Vec<Weak<Node>>,
    },
    Cancelled,
}

struct Node {
    state: Mutex<State>,
    /// Kept, so that it is still told when nobody else has it: its children are told by it.
    parent: Option<Arc<Self>>,
}

impl Drop for Node {
    fn drop(&mut self) {
        // The parent of a parent, and so on, is dropped here and not within the drop of another one.
        let mut next = self.parent.take();
        while let Some(mut parent) = next.and_then(Arc::into_inner) {
            next = parent.parent.take();
        }
    }
}

impl Node {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Hooks run outside of it, so a poisoned one still guards a whole value.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Fires when the worker that it belongs to begins to close, or dies: for work that has no sense without that worker.
/// Clones are the same token.
#[derive(Clone)]
pub struct CancelToken(Arc<Node>);

impl Default for CancelToken {
    fn default() -> Self {
        Self::new()
    }
}

impl CancelToken {
    /// A token of its own, which only [`CancelToken::cancel`] fires.
    #[must_use]
    pub fn new() -> Self {
        Self::of(None)
    }

    fn of(parent: Option<Arc<Node>>) -> Self {
        let open = State::Open {
            hooks: Vec::new(),
            children: Vec::new(),
        };
        Self(Arc::new(Node {
            state: Mutex::new(open),
            parent,
        }))
    }

    /// Whether it has fired.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(*self.0.lock(), State::Cancelled)
    }

    /// Runs `hook` when it fires, on the thread that fires it; at once, here, when it has. A hook that panics is reported,
    /// and the others run.
    pub fn on_cancel(&self, hook: impl FnOnce() + Send + 'static) {
        match &mut *self.0.lock() {
            State::Open { hooks, .. } => return hooks.push(Box::new(hook)),
            State::Cancelled => {}
        }
        contained("a hook of a canceler", hook);
    }

    /// A token that fires with this one, and may be fired before.
    #[must_use]
    pub fn child(&self) -> Self {
        let child = Self::of(Some(Arc::clone(&self.0)));
        let open = match &mut *self.0.lock() {
            State::Open { children, .. } => {
                // Those that nobody has any more are not collected for ever.
                if children.len() == children.capacity() {
                    children.retain(|child| child.strong_count() > 0);
                }
                children.push(Arc::downgrade(&child.0));
                true
            }
            State::Cancelled => false,
        };
        if !open {
            child.cancel();
        }
        child
    }

    /// Fires it, and its children: hooks in the order in which they were given, then the children. A second time nothing
    /// happens.
    pub fn cancel(&self) {
        // No recursion: a chain of children may be long.
        let mut nodes = vec![Arc::clone(&self.0)];
        while let Some(node) = nodes.pop() {
            let before = std::mem::replace(&mut *node.lock(), State::Cancelled);
            match before {
                State::Open { hooks, children } => {
                    for hook in hooks {
                        contained("a hook of a canceler", hook);
                    }
                    nodes.extend(children.iter().rev().filter_map(Weak::upgrade));
                }
                State::Cancelled => {}
            }
        }
    }
}

impl fmt::Debug for CancelToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelToken")
            .field("is_cancelled", &self.is_cancelled())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    //! Everybody is told once, children after their parents, latecomers at once.

    use super::*;

    #[test]
    fn hooks_and_children_are_told_once() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let note = |what: &'static str| {
            let told = Arc::clone(&told);
            move || told.lock().unwrap().push(what)
        };
        let token = CancelToken::new();
        let child = token.child();
        let grandchild = child.child();
        grandchild.on_cancel(note("grandchild"));
        token.on_cancel(note("first"));
        token.on_cancel(|| panic!("a hook of the test"));
        token.on_cancel(note("second"));
        drop(child);
        token.cancel();
        token.cancel();
        token.on_cancel(note("late"));
        assert!(token.child().is_cancelled());
        assert_eq!(
            *told.lock().unwrap(),
            ["first", "second", "grandchild", "late"]
        );
    }

    #[test]
    fn a_long_chain_of_children_is_fired_and_dropped() {
        let token = CancelToken::new();
        let mut last = token.child();
        for _ in 0..200_000 {
            last = last.child();
        }
        token.cancel();
        assert!(last.is_cancelled());
    }

    #[test]
    fn a_child_ends_alone() {
        let token = CancelToken::new();
        let child = token.child();
        child.cancel();
        assert!(child.is_cancelled() && !token.is_cancelled());
    }
}
