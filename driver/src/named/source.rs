//! Where a pulling mailbox has its requests from.

/// What a source says when it is asked for the next request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pulled<R> {
    /// This one is next.
    Request(R),
    /// There is none now; [`WorkerRef::wake`](super::WorkerRef::wake) when that has changed.
    Later,
    /// There will be none: the worker ends.
    End,
}

/// Asked on the table's own thread whenever its worker has nothing to do.
pub(super) type Source<R> = Box<dyn FnMut() -> Pulled<R> + Send>;
