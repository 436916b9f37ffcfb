//! The mailbox of one worker: a lane with one in flight, and those that wait for room in it. It knows which request has
//! which key of the lane, and nothing of the worker.

use super::RequestId;
use super::action::Full;
use crate::lane::{AdapterMode, Boundary, Counts, Entry, Gate, KEY_LIMIT, Key, Lane};
use std::collections::VecDeque;
use std::num::NonZeroUsize;

/// What a mailbox does with requests that come while the worker is busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// All wait.
    Unbounded,
    /// So many wait, not counting the one in treatment; who brings more waits himself, or is refused.
    Bounded(NonZeroUsize),
    /// One waits; what becomes of a second one is said with it.
    Dropbox,
    /// None waits: the next one is asked for when the worker has nothing to do.
    Pull,
}

impl Rule {
    const fn boundary(self) -> Boundary {
        let (mode, max_queued) = match self {
            Self::Unbounded => (AdapterMode::PushOnly, KEY_LIMIT as usize),
            Self::Bounded(most) => (AdapterMode::PushOnly, most.get()),
            Self::Dropbox => (AdapterMode::PushOnly, 1),
            Self::Pull => (AdapterMode::PullOnly, 1),
        };
        Boundary {
            mode,
            max_in_flight: NonZeroUsize::MIN,
            max_queued,
            // The ladder is climbed in the lane of the pool below.
            cancellation_budget_ms: 0,
        }
    }
}

#[derive(Debug)]
pub(super) struct Mailbox {
    pub(super) rule: Rule,
    lane: Lane,
    /// By key.
    requests: Vec<Option<RequestId>>,
    /// Keys to be given out again.
    free: Vec<Key>,
    /// Those that wait for room, oldest first. Each is somebody's who waits.
    blocked: VecDeque<RequestId>,
}

impl Mailbox {
    pub(super) fn new(rule: Rule) -> Self {
        Self {
            rule,
            lane: Lane::new(rule.boundary()),
            requests: Vec::new(),
            free: Vec::new(),
            blocked: VecDeque::new(),
        }
    }

    pub(super) const fn counts(&self) -> Counts {
        self.lane.counts()
    }

    pub(super) fn blocked(&self) -> usize {
        self.blocked.len()
    }

    pub(super) const fn gate(&self) -> Gate {
        self.lane.gate()
    }

    pub(super) const fn set_gate(&mut self, gate: Gate) {
        self.lane.set_gate(gate);
    }

    /// The waiting requests, oldest first.
    pub(super) fn queued(&self) -> impl Iterator<Item = RequestId> + '_ {
        let keys = self.lane.queued();
        keys.map(|key| self.requests[key.index()].expect("what waits has a request"))
    }

    /// Puts a request behind the others, if there is room and nobody has waited for it longer.
    pub(super) fn push(&mut self, request: RequestId, entry: Entry) -> Result<Key, Full> {
        if !self.blocked.is_empty() {
            return Err(self.full());
        }
        self.enqueue(request, entry)
    }

    fn full(&self) -> Full {
        Full {
            queued: self.lane.counts().queued,
            most: self.lane.boundary().max_queued,
        }
    }

    fn enqueue(&mut self, request: RequestId, entry: Entry) -> Result<Key, Full> {
        let fresh = u32::try_from(self.requests.len()).expect("a lane has fewer keys");
        let key = self.free.pop().unwrap_or(Key::new(fresh));
        if self.lane.enqueue(key, entry).is_err() {
            if key.index() < self.requests.len() {
                self.free.push(key);
            }
            return Err(self.full());
        }
        match self.requests.get_mut(key.index()) {
            Some(place) => *place = Some(request),
            None => self.requests.push(Some(request)),
        }
        Ok(key)
    }

    /// Lets a request wait for room.
    pub(super) fn block(&mut self, request: RequestId) {
        self.blocked.push_back(request);
    }

    /// Takes in the one that has waited longest for room, if there is some.
    pub(super) fn admit(&mut self) -> Option<(RequestId, Key)> {
        let request = *self.blocked.front()?;
        let key = self.enqueue(request, Entry::Push).ok()?;
        self.blocked.pop_front();
        Some((request, key))
    }

    /// It waits for room no more. Whether it did.
    pub(super) fn unblock(&mut self, request: RequestId) -> bool {
        let before = self.blocked.len();
        self.blocked.retain(|other| *other != request);
        self.blocked.len() < before
    }

    pub(super) fn take_blocked(&mut self) -> VecDeque<RequestId> {
        std::mem::take(&mut self.blocked)
    }

    /// Begins to treat the oldest, if none is in treatment.
    pub(super) fn start(&mut self, now_ms: u64) -> Option<(RequestId, Key)> {
        let (key, _) = self.lane.start_next(now_ms)?;
        let request = self.requests[key.index()];
        Some((request.expect("what waits has a request"), key))
    }

    /// Another request stands in this place from now on.
    pub(super) fn rename(&mut self, key: Key, request: RequestId) {
        self.requests[key.index()] = Some(request);
    }

    /// A waiting request goes.
    pub(super) fn drop_queued(&mut self, key: Key) {
        let effect = self.lane.cancel(key, "", 0);
        assert_eq!(
            effect,
            Ok(crate::lane::CancelEffect::RemovedFromQueue),
            "only what waits is dropped"
        );
        self.release(key);
    }

    /// The request in treatment is to stop: its place is free when it has.
    pub(super) fn stop(&mut self, key: Key, now_ms: u64) {
        let effect = self.lane.cancel(key, "", now_ms);
        assert!(
            matches!(effect, Ok(crate::lane::CancelEffect::StopWorker { .. })),
            "only what is in treatment is stopped"
        );
    }

    /// The treatment is over, and its place free.
    pub(super) fn end(&mut self, key: Key, was_stopped: bool) {
        let attempt = self.lane.attempt(key).expect("it is in treatment");
        let ended = if was_stopped {
            self.lane.settle(key, attempt)
        } else {
            self.lane.succeed(key)
        };
        ended.expect("what is in treatment ends once");
        self.release(key);
    }

    fn release(&mut self, key: Key) {
        assert!(self.lane.forget(key), "what is over is forgotten");
        self.requests[key.index()] = None;
        self.free.push(key);
    }

    pub(super) fn request(&self, key: Key) -> Option<RequestId> {
        self.requests.get(key.index()).copied().flatten()
    }

    pub(super) fn is_blocked(&self, request: RequestId) -> bool {
        self.blocked.contains(&request)
    }

    pub(super) fn check(&self) {
        self.lane.check_invariants();
        let known = self.requests.iter().flatten().count();
        let counts = self.lane.counts();
        assert_eq!(
            known,
            counts.queued + counts.occupied,
            "a key for each request"
        );
        let closed = self.lane.gate() == Gate::Closed;
        assert!(
            self.blocked.is_empty() || self.lane.room() == 0 && !closed,
            "nobody waits for room that there is"
        );
    }
}
