//! Groups in a caller's hands: tasks, of one kind or of several, with one rule and one end.

use crate::answer::Answer;
use crate::message::{Message, Opening, Submission};
use crate::queue::TaskQueue;
use crate::scope::Scope;
use crate::shared::Shared;
use crate::ticket::{Resolved, Ticket};
use farm_master::{Rule, ScopeEnd, ScopeRefusal, TaskKind, TaskOptions, Ties};
use farm_protocol::ScopeId;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a group comes to, or why there is none: then its members were refused and handed back.
pub type GroupEnd = Result<ScopeEnd, ScopeRefusal>;

/// What the threads that wait for a group share with the loop.
pub(crate) type GroupAnswer = Arc<Answer<GroupEnd>>;

/// The settings of a group that begins.
#[derive(Debug)]
#[must_use = "nothing begins before it is opened"]
pub struct GroupBuilder {
    shared: Arc<Shared>,
    rule: Rule,
    ties: Ties,
    limit: Option<Duration>,
    parent: Option<ScopeId>,
}

impl GroupBuilder {
    pub(crate) fn new(shared: Arc<Shared>, rule: Rule) -> Self {
        Self {
            shared,
            rule,
            ties: Ties::default(),
            limit: None,
            parent: None,
        }
    }

    /// Which of several ends decides. Without a word of this the first that comes does.
    pub fn ties(mut self, ties: Ties) -> Self {
        self.ties = ties;
        self
    }

    /// The longest time from its opening until all members are at rest: what is left then ends
    /// `TimedOut` by its group, within its budget.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Puts it into a scope, with which it is cancelled.
    ///
    /// # Panics
    /// When the scope belongs to another farm.
    pub fn within(mut self, scope: &Scope) -> Self {
        self.parent = Some(scope.id_in(&self.shared));
        self
    }

    /// Opens the group, to be submitted into.
    pub fn open(self) -> Group {
        self.begin(|_| (Vec::new(), false, ())).0
    }

    /// Opens the group with all its members at once: nobody's message comes between two of them.
    ///
    /// # Panics
    /// When the queue belongs to another farm.
    pub fn submit_all<K: TaskKind>(
        self,
        queue: &TaskQueue<K>,
        tasks: impl IntoIterator<Item = K::Task>,
    ) -> GroupTicket<K> {
        queue.check(&self.shared);
        let (group, tickets) = self.begin(|scope| {
            let members = tasks
                .into_iter()
                .map(|task| queue.member(task, None, scope));
            let (tickets, members): (_, Vec<Submission>) = members.unzip();
            (members, true, tickets)
        });
        GroupTicket { group, tickets }
    }

    fn begin<T>(self, members: impl FnOnce(ScopeId) -> (Vec<Submission>, bool, T)) -> (Group, T) {
        let scope = self.shared.new_scope();
        let answer = GroupAnswer::new(Answer::new());
        let (members, closed, more) = members(scope);
        self.shared.open_scope(Opening {
            scope,
            parent: self.parent,
            rule: Some((self.rule, self.ties)),
            limit: self.limit,
            answer: Some(Arc::clone(&answer)),
            members,
            closed,
        });
        let shared = self.shared;
        let group = Group {
            scope,
            answer,
            shared,
            waits: true,
        };
        (group, more)
    }
}

/// Tasks with one rule. Members are numbered from 0 in the order in which they are submitted.
///
/// When its rule has decided, the members that it needs no more are cancelled: what waits at once,
/// what runs by the ladder of its own budget. The group is over when all are at rest; no worker is
/// started for that, and none outside the group is touched. **Dropping it cancels** what is in it.
///
/// ```
/// use farm_driver::{Farm, TaskQueue};
/// use farm_master::{Decision, Rule, TaskKind};
/// use std::time::Duration;
///
/// /// Two provers of different kinds on one goal: which of them was first, and was it in time?
/// fn portfolio<A: TaskKind, B: TaskKind>(
///     farm: &Farm,
///     (first, goal): (&TaskQueue<A>, A::Task),
///     (second, same_goal): (&TaskQueue<B>, B::Task),
/// ) -> Option<u32> {
///     let group = farm.group(Rule::FirstSuccess).limit(Duration::from_secs(5)).open();
///     let _first = group.submit(first, goal);
///     let _second = group.submit(second, same_goal);
///     match group.wait().ok()?.decision {
///         Decision::Succeeded { indexes } => indexes.first().copied(),
///         _ => None,
///     }
/// }
/// ```
#[must_use = "dropping a group cancels its members"]
pub struct Group {
    scope: ScopeId,
    answer: GroupAnswer,
    shared: Arc<Shared>,
    /// Whether its end has not been taken.
    waits: bool,
}

impl Group {
    /// Its id, as it stands in the ends of its members.
    #[must_use]
    pub const fn id(&self) -> ScopeId {
        self.scope
    }

    /// Submits the next member, with its kind's default options. Queues of several kinds may be used.
    ///
    /// # Panics
    /// When the queue belongs to another farm.
    pub fn submit<K: TaskKind>(&self, queue: &TaskQueue<K>, task: K::Task) -> Ticket<K> {
        self.submit_member(queue, task, None)
    }

    /// Submits the next member, with options of its own.
    ///
    /// # Panics
    /// When the queue belongs to another farm.
    pub fn submit_options<K: TaskKind>(
        &self,
        queue: &TaskQueue<K>,
        task: K::Task,
        options: TaskOptions,
    ) -> Ticket<K> {
        self.submit_member(queue, task, Some(Box::new(options)))
    }

    fn submit_member<K: TaskKind>(
        &self,
        queue: &TaskQueue<K>,
        task: K::Task,
        options: Option<Box<TaskOptions>>,
    ) -> Ticket<K> {
        queue.check(&self.shared);
        let (ticket, member) = queue.member(task, options, self.scope);
        self.shared.submit(member);
        ticket
    }

    /// Says that there are no further members. Only then can it be known that all have ended, or
    /// that too few are left; waiting says so as well.
    pub fn close(&self) {
        self.shared.post(Message::CloseScope(self.scope));
    }

    /// Cancels all members, with a reason for people. What its rule has decided before stands.
    pub fn cancel(&self, reason: impl Into<String>) {
        self.shared.post(Message::CancelScope {
            scope: self.scope,
            reason: reason.into(),
        });
    }

    /// Closes it and waits until it is decided and all members are at rest: their tickets are resolved then.
    ///
    /// # Errors
    /// [`ScopeRefusal`]: the group never was in the farm.
    ///
    /// # Panics
    /// When the farm's loop has panicked, and on the farm's loop itself, where it would wait for ever.
    pub fn wait(self) -> GroupEnd {
        self.wait_until(None)
            .unwrap_or_else(|_| unreachable!("without a deadline it waits on"))
    }

    /// As [`Group::wait`], at most this long.
    ///
    /// # Errors
    /// The group, when the time is over; it is closed.
    ///
    /// # Panics
    /// As [`Group::wait`].
    pub fn wait_timeout(self, span: Duration) -> Result<GroupEnd, Self> {
        self.wait_until(Instant::now().checked_add(span))
    }

    fn wait_until(mut self, deadline: Option<Instant>) -> Result<GroupEnd, Self> {
        self.close();
        match self.answer.wait(&self.shared, deadline) {
            Ok(Some(end)) => {
                self.waits = false;
                Ok(end)
            }
            Ok(None) => panic!("the farm's loop has panicked: how this group ended is not known"),
            Err(()) => Err(self),
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if self.waits {
            self.cancel("its group was dropped");
        }
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group")
            .field("id", &self.scope)
            .finish_non_exhaustive()
    }
}

/// A group of one kind whose members are all in. Dropping it cancels them.
#[must_use = "dropping a group's ticket cancels its members"]
#[derive(Debug)]
pub struct GroupTicket<K: TaskKind> {
    group: Group,
    tickets: Vec<Ticket<K>>,
}

impl<K: TaskKind> GroupTicket<K> {
    /// The group's id.
    #[must_use]
    pub const fn id(&self) -> ScopeId {
        self.group.id()
    }

    /// Cancels all members, with a reason for people. What the rule has decided before stands.
    pub fn cancel(&self, reason: impl Into<String>) {
        self.group.cancel(reason);
    }

    /// Waits until the group is over: its end, and the members' in the order of their indexes.
    ///
    /// # Panics
    /// When the farm's loop has panicked, and on the farm's loop itself, where it would wait for ever.
    pub fn wait(self) -> (GroupEnd, Vec<Resolved<K>>) {
        let end = self.group.wait();
        (end, resolved(self.tickets))
    }

    /// As [`GroupTicket::wait`], at most this long.
    ///
    /// # Errors
    /// The ticket, when the time is over.
    ///
    /// # Panics
    /// As [`GroupTicket::wait`].
    pub fn wait_timeout(self, span: Duration) -> Result<(GroupEnd, Vec<Resolved<K>>), Self> {
        let Self { group, tickets } = self;
        match group.wait_timeout(span) {
            Ok(end) => Ok((end, resolved(tickets))),
            Err(group) => Err(Self { group, tickets }),
        }
    }
}

/// They are resolved before their group is, or are being handed back by a farm that is over.
fn resolved<K: TaskKind>(tickets: Vec<Ticket<K>>) -> Vec<Resolved<K>> {
    tickets.into_iter().map(Ticket::wait).collect()
}

#[cfg(all(test, feature = "check-shuttle"))]
mod races;
