//! Mailboxes of one place: a new request is merged with the one that waits.

use super::cell::Cell;
use super::core::{Answer, Desk};
use super::error::{CalledFromHook, Crash, MessageError};
use super::handle::WorkerRef;
use super::hooks::WorkerKind;
use super::queue::RequestTicket;
use super::table::Dropbox;
use farm_master::named::{Merge as Merged, PushRefused, RequestId};
use farm_protocol::{Instant, Named};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

type Of<K> = <K as WorkerKind>::Named;
type RequestOf<K> = <Of<K> as Named>::Request;

/// What stands in the box after a new request has met the one that waited there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge<R> {
    /// This, as the new one: whoever waits for the old one is told that it was displaced.
    Newest(R),
    /// This, as the old one: whoever brought the new one is told that it was displaced. With an empty box as `Newest`.
    Oldest(R),
    /// This, for both: both are told its answer. It counts as brought when the old one was.
    Combined(R),
    /// Nothing: both are told that they were displaced.
    Empty,
}

/// The form of the original: something stands as the newest, or nothing does.
impl<R> From<Option<R>> for Merge<R> {
    fn from(stands: Option<R>) -> Self {
        stands.map_or(Self::Empty, Self::Newest)
    }
}

/// Competence (none before the launch), new request, the one that waits.
pub(super) type MergeOf<N> = Box<
    dyn Fn(
            Option<&<N as Named>::Welcome>,
            <N as Named>::Request,
            Option<<N as Named>::Request>,
        ) -> Merge<<N as Named>::Request>
        + Send
        + Sync,
>;

/// What became of a request that was put.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a request that was displaced is not treated"]
pub enum Put {
    /// It is in the box, or in treatment.
    Stored,
    /// It is in the box, in the place of one that is displaced.
    Replaced,
    /// It is in the box, with the one that waited there.
    Merged,
    /// It is not: the one that waited there stands, or nothing does.
    Displaced,
    /// The merge panicked, and both are gone.
    Fault(String),
    /// The worker takes nothing more; if nobody had told it to end, this is why.
    Closed(Option<Crash>),
}

impl<N: Named> Desk<N> {
    /// Merges a request with the one that waits, and tells the machine what came of it. What the box holds is replaced
    /// before that: the machine has it sent at once.
    fn put(
        &mut self,
        now: Instant,
        worker: farm_master::named::WorkerId,
        merge: &MergeOf<N>,
        new: &N::Request,
        waiter: Option<Arc<Cell<Answer<N>>>>,
    ) -> Result<(RequestId, Put), PushRefused> {
        // Of one that is closed nobody would hear what its merge says.
        self.table.takes(worker)?;
        let old = self.table.waiting(worker);
        let waiting = old.map(|old| (*self.parcels[&old].request).clone());
        let state = self.people.get(&worker).and_then(|it| it.state.as_ref());
        let merged = catch_unwind(AssertUnwindSafe(|| merge(state, new.clone(), waiting)));
        let mut sharing = Vec::new();
        let (how, stands, put) = match merged {
            Ok(Merge::Newest(stands)) if old.is_none() => {
                (Merged::Newest, Some(stands), Put::Stored)
            }
            Ok(Merge::Newest(stands)) => (Merged::Newest, Some(stands), Put::Replaced),
            Ok(Merge::Oldest(stands)) if old.is_none() => {
                (Merged::Newest, Some(stands), Put::Stored)
            }
            Ok(Merge::Oldest(stands)) => (Merged::Oldest, Some(stands), Put::Displaced),
            Ok(Merge::Combined(stands)) if old.is_none() => {
                (Merged::Newest, Some(stands), Put::Stored)
            }
            Ok(Merge::Combined(stands)) => (Merged::Combined, Some(stands), Put::Merged),
            Ok(Merge::Empty) => (Merged::Empty, None, Put::Displaced),
            Err(panic) => {
                // What was merged into the old one before is told the same.
                sharing = old.map_or(Vec::new(), |old| self.table.merged(old).to_vec());
                let fault = format!("the merge of the mailbox panicked: {}", said(&*panic));
                log::error!("{fault}; the box is empty, and the table goes on");
                (Merged::Empty, None, Put::Fault(fault))
            }
        };
        let id = match (how, &waiter, old) {
            // Nobody waits for its end: what was brought is in the other one, and nothing is kept of it.
            (Merged::Combined, None, Some(old)) => old,
            (
                Merged::Newest | Merged::Oldest | Merged::Combined | Merged::Empty,
                None | Some(_),
                None | Some(_),
            ) => {
                let id = self.table.put(now, worker, how)?;
                self.enter((now, worker), id, new.clone(), waiter, None);
                id
            }
        };
        let holder = match how {
            Merged::Oldest | Merged::Combined => old,
            Merged::Newest | Merged::Empty => Some(id),
        };
        if let (Some(stands), Some(holder)) = (stands, holder) {
            let parcel = self.parcels.get_mut(&holder);
            parcel.expect("what is in the box has a parcel").request = Arc::new(stands);
        }
        if let Put::Fault(fault) = &put {
            for request in old.into_iter().chain([id]).chain(sharing) {
                if let Some(parcel) = self.parcels.get_mut(&request) {
                    parcel.fault = Some(fault.clone());
                }
            }
        }
        Ok((id, put))
    }
}

/// What a panic said.
pub(super) fn said(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
}

impl<K: WorkerKind> WorkerRef<K, Dropbox<Of<K>>> {
    fn drop_in(
        &self,
        request: &RequestOf<K>,
        waiter: Option<Arc<Cell<Answer<Of<K>>>>>,
    ) -> Result<(RequestId, Put), Option<Crash>> {
        let merge = self.core.merge.as_ref().expect("a dropbox has a merge");
        self.core.with(|desk, now| {
            let put = desk.put(now, self.id, merge, request, waiter);
            put.map_err(|refused| match refused {
                PushRefused::Closed(Some(crash)) => Some(desk.crash(self.id, &crash)),
                PushRefused::Closed(None) | PushRefused::Full(_) => {
                    desk.crash_told(self.id).or_else(|| self.crash_before())
                }
            })
        })
    }

    /// Puts a request into the box, merged with the one that waits there. It never waits; from hooks too.
    pub fn put(&self, request: RequestOf<K>) -> Put {
        match self.drop_in(&request, None) {
            Ok((_, put)) => put,
            Err(crash) => Put::Closed(crash),
        }
    }

    /// As [`WorkerRef::put`], with a claim to the answer: it goes through the merge like every other.
    ///
    /// # Errors
    /// The worker takes nothing more.
    pub fn put_request(
        &self,
        request: RequestOf<K>,
    ) -> Result<RequestTicket<K>, MessageError<<Of<K> as Named>::RequestError>> {
        let cell = Arc::new(Cell::new());
        let (request, _) = self
            .drop_in(&request, Some(Arc::clone(&cell)))
            .map_err(MessageError::Closed)?;
        Ok(RequestTicket {
            core: Arc::clone(&self.core),
            request,
            cell,
        })
    }

    /// Puts a request into the box and waits for the answer.
    ///
    /// # Errors
    /// Why there is none; [`MessageError::Displaced`] when the merge decided so.
    pub fn put_and_wait(&self, request: RequestOf<K>) -> Answer<Of<K>> {
        if self.core.must_not_wait() {
            return Err(MessageError::CalledFromHook(CalledFromHook));
        }
        self.put_request(request)?.wait()
    }
}
