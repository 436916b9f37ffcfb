//! Mailboxes that are queues: pushing, with and without waiting, and the claim to an answer.

use super::cell::Cell;
use super::core::{Admission, Answer, Core, Desk, Parcel};
use super::error::{CalledFromHook, MessageError, PushError, WaitError};
use super::handle::WorkerRef;
use super::hooks::WorkerKind;
use super::table::{Bounded, Queued, Unbounded};
use farm_master::named::{PushRefused, RequestId, WorkerId};
use farm_protocol::{Instant, Named};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

type Of<K> = <K as WorkerKind>::Named;
type RequestOf<K> = <Of<K> as Named>::Request;

/// The claim to the answer to a request. Dropping it changes nothing for the request.
#[must_use = "a dropped ticket's request is treated, and nobody hears its answer"]
pub struct RequestTicket<K: WorkerKind> {
    pub(super) core: Arc<Core<K>>,
    pub(super) request: RequestId,
    pub(super) cell: Arc<Cell<Answer<Of<K>>>>,
}

impl<K: WorkerKind> fmt::Debug for RequestTicket<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestTicket")
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}

impl<K: WorkerKind> RequestTicket<K> {
    /// Waits for the answer.
    ///
    /// # Errors
    /// Why there is none; also [`MessageError::CalledFromHook`].
    pub fn wait(self) -> Answer<Of<K>> {
        if self.core.must_not_wait() {
            return Err(MessageError::CalledFromHook(CalledFromHook));
        }
        self.cell
            .wait(None, Option::take)
            .flatten()
            .unwrap_or(Err(MessageError::Closed(None)))
    }

    /// Waits for the answer, at most so long.
    ///
    /// # Errors
    /// The ticket, and why it was not waited for or not in time.
    pub fn wait_timeout(self, span: Duration) -> Result<Answer<Of<K>>, (Self, WaitError)> {
        if self.core.must_not_wait() {
            return Err((self, CalledFromHook.into()));
        }
        let deadline = std::time::Instant::now().checked_add(span);
        match self.cell.wait(deadline, Option::take) {
            Some(answer) => Ok(answer.unwrap_or(Err(MessageError::Closed(None)))),
            None => Err((self, WaitError::TimedOut)),
        }
    }

    /// Has no use for the answer any more. A request that waits is taken out at once; one that is treated is asked to stop,
    /// by the ladder; one whose answer has come, and one that was merged with others, goes on. The ticket tells which.
    pub fn cancel(&self, reason: &str) {
        self.core
            .with(|desk, now| desk.table.cancel(now, self.request, reason));
    }
}

impl<N: Named> Desk<N> {
    pub(super) fn enter(
        &mut self,
        (now, worker): (Instant, WorkerId),
        id: RequestId,
        request: N::Request,
        waiter: Option<Arc<Cell<Answer<N>>>>,
        admission: Option<Arc<Cell<Admission<N>>>>,
    ) {
        let parcel = Parcel {
            worker,
            request: Arc::new(request),
            waiter,
            admission,
            fault: None,
            pushed: now,
            started: now,
        };
        self.parcels.insert(id, parcel);
    }
}

impl<K: WorkerKind, M> WorkerRef<K, M> {
    fn refused<R>(&self, desk: &mut Desk<Of<K>>, refused: PushRefused, request: R) -> PushError<R> {
        match refused {
            PushRefused::Full(full) => PushError::Full {
                request,
                queued: full.queued,
                most: full.most,
            },
            PushRefused::Closed(crash) => {
                let crash = crash.map(|crash| desk.crash(self.id, &crash));
                let crash = crash.or_else(|| desk.crash_told(self.id));
                let crash = crash.or_else(|| self.crash_before());
                PushError::Closed { request, crash }
            }
        }
    }

    /// Brings a request; with `waits` also when there is no room, until `deadline`.
    fn bring(
        &self,
        request: RequestOf<K>,
        waiter: Option<Arc<Cell<Answer<Of<K>>>>>,
        waits: Option<Option<Duration>>,
    ) -> Result<RequestId, PushError<RequestOf<K>>> {
        let may_wait = waits.is_some() && !self.core.must_not_wait();
        let mut request = Some(request);
        let pushed = self.core.with(|desk, now| {
            let mut given = || request.take().expect("it is used once");
            let (id, is_in) = match desk.table.push(now, self.id, may_wait) {
                Ok(pushed) => pushed,
                // A hook that wants to wait hears why it cannot.
                Err(PushRefused::Full(_)) if waits.is_some() => {
                    return Err(PushError::CalledFromHook { request: given() });
                }
                Err(refused) => {
                    let request = given();
                    return Err(self.refused(desk, refused, request));
                }
            };
            let admission = (!is_in).then(|| Arc::new(Cell::new()));
            desk.enter(
                (now, self.id),
                id,
                given(),
                waiter.clone(),
                admission.clone(),
            );
            Ok((id, admission))
        });
        let (id, admission) = pushed?;
        let Some(admission) = admission else {
            return Ok(id);
        };
        let span = waits.flatten();
        let deadline = span.and_then(|span| std::time::Instant::now().checked_add(span));
        if let Some(told) = admission.wait(deadline, Option::take) {
            return admitted(id, told);
        }
        let back = self.core.with(|desk, _| {
            let back = desk.table.withdraw(id);
            back.then(|| desk.parcels.remove(&id).expect("it was blocked"))
        });
        match back {
            Some(parcel) => Err(PushError::TimedOut {
                request: (*parcel.request).clone(),
                waited: span.unwrap_or_default(),
            }),
            // In this moment it was taken in, or never will be: the attendant says which.
            None => admitted(id, admission.wait(None, Option::take).flatten()),
        }
    }
}

fn admitted<N: Named>(
    id: RequestId,
    told: Option<Admission<N>>,
) -> Result<RequestId, PushError<N::Request>> {
    match told.expect("one thread waits for it") {
        Admission::In => Ok(id),
        Admission::Closed(request, crash) => Err(PushError::Closed {
            request: Arc::unwrap_or_clone(request),
            crash,
        }),
    }
}

impl<K: WorkerKind, M: Queued> WorkerRef<K, M> {
    /// Brings a request, and waits for room in the mailbox: `timeout` at most, if there is one.
    ///
    /// # Errors
    /// [`PushError`], with the request. It is nowhere then.
    pub fn push(
        &self,
        request: RequestOf<K>,
        timeout: Option<Duration>,
    ) -> Result<(), PushError<RequestOf<K>>> {
        self.bring(request, None, Some(timeout)).map(|_| ())
    }

    /// As [`WorkerRef::push`], with a claim to the answer.
    ///
    /// # Errors
    /// [`PushError`], with the request. It is nowhere then.
    pub fn request(
        &self,
        request: RequestOf<K>,
        timeout: Option<Duration>,
    ) -> Result<RequestTicket<K>, PushError<RequestOf<K>>> {
        let cell = Arc::new(Cell::new());
        let request = self.bring(request, Some(Arc::clone(&cell)), Some(timeout))?;
        Ok(RequestTicket {
            core: Arc::clone(&self.core),
            request,
            cell,
        })
    }

    /// Brings a request, waits for room, and for the answer.
    ///
    /// # Errors
    /// Why there is none. One that was not taken is [`MessageError::Closed`].
    pub fn push_and_wait(&self, request: RequestOf<K>) -> Answer<Of<K>> {
        if self.core.must_not_wait() {
            return Err(MessageError::CalledFromHook(CalledFromHook));
        }
        match self.request(request, None) {
            Ok(ticket) => ticket.wait(),
            Err(PushError::Closed { crash, .. }) => Err(MessageError::Closed(crash)),
            Err(PushError::CalledFromHook { .. }) => {
                Err(MessageError::CalledFromHook(CalledFromHook))
            }
            Err(PushError::Full { .. } | PushError::TimedOut { .. }) => {
                unreachable!("who waits without a limit waits until there is room")
            }
        }
    }
}

impl<K: WorkerKind> WorkerRef<K, Bounded> {
    /// Brings a request if there is room.
    ///
    /// # Errors
    /// [`PushError::Full`] or [`PushError::Closed`], with the request.
    pub fn try_push(&self, request: RequestOf<K>) -> Result<(), PushError<RequestOf<K>>> {
        self.bring(request, None, None).map(|_| ())
    }

    /// As [`WorkerRef::try_push`], with a claim to the answer.
    ///
    /// # Errors
    /// As there.
    pub fn try_request(
        &self,
        request: RequestOf<K>,
    ) -> Result<RequestTicket<K>, PushError<RequestOf<K>>> {
        let cell = Arc::new(Cell::new());
        let request = self.bring(request, Some(Arc::clone(&cell)), None)?;
        Ok(RequestTicket {
            core: Arc::clone(&self.core),
            request,
            cell,
        })
    }
}

impl<K: WorkerKind> WorkerRef<K, Unbounded> {
    /// Brings a request. It never waits; from hooks too.
    ///
    /// # Errors
    /// [`PushError::Closed`], with the request.
    pub fn push_now(&self, request: RequestOf<K>) -> Result<(), PushError<RequestOf<K>>> {
        self.bring(request, None, None).map(|_| ())
    }
}
