//! Cancel scopes in a caller's hands: what is submitted into one ends with the object that the handle belongs to.

use crate::message::{Message, Opening};
use crate::shared::Shared;
use crate::sync::{Mutex, lock};
use farm_master::{Settled, TaskKind};
use farm_protocol::ScopeId;
use std::fmt;
use std::sync::Arc;

/// A cancel scope: tasks, follow-ups of theirs and scopes inside it that are given up together.
///
/// It is meant to be a part of the caller's object that the work is for, a document or a proof, and
/// its scopes inside ([`Scope::child`]) parts of that object's parts. **Dropping it cancels** what is in
/// it; [`Scope::detach`] lets go of it without. A cancelled scope takes nothing any more: what is submitted into it is
/// refused and handed back, whenever that comes. [`Scope::renew`] goes on as a new generation.
///
/// ```
/// use farm_driver::{Farm, TaskQueue, Scope};
/// use farm_master::TaskKind;
///
/// struct Document {
///     scope: Scope,
/// }
///
/// impl Document {
///     fn open(farm: &Farm) -> Self {
///         Self { scope: farm.scope() }
///     }
///
///     fn edited<K: TaskKind>(&self, queue: &TaskQueue<K>, check: K::Task) {
///         // What was checked before the edit is given up, and known by its scope if it is late.
///         self.scope.renew("the document was edited");
///         let _ticket = queue.submit_in(&self.scope, check, None);
///     }
/// }
/// ```
///
/// It is opened on the farm's loop without waiting. Should it be refused there (too many are open, its
/// parent is cancelled), it behaves as a cancelled one.
#[must_use = "dropping a scope cancels what is in it"]
pub struct Scope {
    node: Arc<Node>,
    shared: Arc<Shared>,
    /// Whether the drop cancels.
    held: bool,
}

/// What a scope and those inside it share.
struct Node {
    parent: Option<Arc<Self>>,
    /// Locked before the parent's, never after.
    now: Mutex<Now>,
}

/// The present generation.
struct Now {
    id: ScopeId,
    /// The parent's generation that it was opened in.
    parent: Option<ScopeId>,
    cancelled: bool,
}

impl Node {
    fn id(&self) -> ScopeId {
        lock(&self.now).id
    }

    /// Whether this is the present generation, of the parent's present one, and so on up.
    fn is_current(&self, id: ScopeId) -> bool {
        let now = lock(&self.now);
        let of_parent = || match (&self.parent, now.parent) {
            (Some(parent), Some(generation)) => parent.is_current(generation),
            (None, _) | (_, None) => true,
        };
        now.id == id && !now.cancelled && of_parent()
    }
}

impl Drop for Node {
    /// A list and no recursion: a caller may put scopes into each other without end.
    fn drop(&mut self) {
        let mut next = self.parent.take();
        while let Some(mut node) = next.and_then(Arc::into_inner) {
            next = node.parent.take();
        }
    }
}

impl Scope {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self::open(shared, None)
    }

    fn open(shared: Arc<Shared>, parent: Option<Arc<Node>>) -> Self {
        let of_parent = parent.as_deref().map(Node::id);
        let id = shared.new_scope();
        shared.open_scope(Opening::plain(id, of_parent));
        let now = Mutex::new(Now {
            id,
            parent: of_parent,
            cancelled: false,
        });
        Self {
            node: Arc::new(Node { parent, now }),
            shared,
            held: true,
        }
    }

    /// A scope inside this one: cancelled with it, and by itself.
    pub fn child(&self) -> Self {
        Self::open(Arc::clone(&self.shared), Some(Arc::clone(&self.node)))
    }

    /// The id of its present generation.
    #[must_use]
    pub fn id(&self) -> ScopeId {
        self.node.id()
    }

    /// Cancels everything in it, with a reason for people. How tasks end is told by their tickets, as ever.
    pub fn cancel(&self, reason: impl Into<String>) {
        let mut now = lock(&self.node.now);
        now.cancelled = true;
        self.post_cancel(now.id, reason.into());
    }

    /// Cancels everything in it and goes on empty, as a new generation whose id comes back. What of the old
    /// one still comes in is not [`Scope::is_current`] any more; the scopes inside are cancelled, and
    /// go on when they are renewed themselves.
    pub fn renew(&self, reason: impl Into<String>) -> ScopeId {
        let mut now = lock(&self.node.now);
        let of_parent = self.node.parent.as_deref().map(Node::id);
        self.post_cancel(now.id, reason.into());
        // The lock is held meanwhile: of two who renew, the later one's scope is the one that lasts.
        let id = self.shared.new_scope();
        self.shared.open_scope(Opening::plain(id, of_parent));
        *now = Now {
            id,
            parent: of_parent,
            cancelled: false,
        };
        id
    }

    /// Whether an end is of the present generation, and nobody has given that up: neither this scope was cancelled
    /// or renewed since the task was submitted, nor one that it is in. An end that is not is late and worth nothing to
    /// whoever holds the scope, although it is a true one.
    #[must_use]
    pub fn is_current<K: TaskKind>(&self, settled: &Settled<K>) -> bool {
        settled.scope.is_some_and(|id| self.node.is_current(id))
    }

    /// Lets go of it without cancelling: what is in it goes on, and is cancelled with the scope that this one is in, if
    /// any. Nothing more can be submitted into it; scopes inside it stay what they are, but cannot be renewed.
    pub fn detach(mut self) {
        self.held = false;
        self.shared.post(Message::CloseScope(self.id()));
    }

    fn post_cancel(&self, scope: ScopeId, reason: String) {
        self.shared.post(Message::CancelScope { scope, reason });
    }

    /// # Panics
    /// When it belongs to another farm.
    pub(crate) fn id_in(&self, shared: &Shared) -> ScopeId {
        assert_eq!(
            self.shared.farm, shared.farm,
            "the scope belongs to another farm"
        );
        self.id()
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        if self.held {
            self.cancel("its scope was dropped");
        }
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("id", &self.id())
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, feature = "check-shuttle"))]
mod races;

#[cfg(all(test, not(any(feature = "check-shuttle", feature = "check-loom"))))]
mod tests {
    //! What needs no farm.
    use super::*;

    #[test]
    fn scopes_far_inside_each_other_are_let_go() {
        let mut parent = None;
        for id in 0..200_000 {
            let now = Mutex::new(Now {
                id: ScopeId(id),
                parent: None,
                cancelled: false,
            });
            parent = Some(Arc::new(Node { parent, now }));
        }
        drop(parent);
    }
}
