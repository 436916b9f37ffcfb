//! What a kind author implements for the worker's side, and the worker built from it.
//!
//! One adapter turns typed `perform` calls into bytes and catches panics. It knows no session and no pipe.

use crate::context::Context;
use crate::serve::Port;
use crate::session::Finish;
use farm_protocol::{
    AffinityKey, AttemptId, ContextBody, ContextUpdate, KindHello, ReplyFlags, Wire, decode,
    encode_into, split_request,
};
use std::any::Any;
use std::fmt;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The worker's half of a kind: performs one request at a time.
///
/// ```
/// use farm_protocol::{Never, Wire};
/// use farm_worker::{Context, Perform};
///
/// struct Square;
/// impl Wire for Square {
///     const NAME: &'static str = "square";
///     const VERSION: u32 = 1;
///     type Request = u64;
///     type Response = Option<u64>;
///     type Feedback = Never;
///     type Context = Never;
/// }
///
/// struct Squares;
/// impl Perform for Squares {
///     type Wire = Square;
///     fn perform(&mut self, request: u64, _context: &Context<'_, Square>) -> Option<u64> {
///         request.checked_mul(request)
///     }
/// }
/// ```
pub trait Perform: 'static {
    /// What it shares with the master's half.
    type Wire: Wire;

    /// Whether a tool made with `farm::main!` has the workers of this kind forked from a template, on systems that have
    /// them. A program with a farm of its own says so with its pool.
    const TEMPLATE: bool = false;

    /// Makes ready what every request needs and what is dear to make: called once, before the worker says hello and
    /// before any other call. Where the pool asks for a template, it is called in the template alone, and each worker
    /// begins with a copy of what it has made, which costs a fork.
    ///
    /// A panic is a failed start and no task's. How long it may take is the pool's `hello_timeout`. Of a performer that
    /// was added by [`Worker::with_lazy`] it is called when that is made: with the first request for it, or in a template.
    ///
    /// In a template it must leave no thread and no process running; that is refused. What it opens (a file, a
    /// connection) all workers share, and each drops its copy of `self` at its end: a temporary folder is gone with the
    /// first of them. Random numbers that it draws are the same in all.
    fn warm(&mut self) {}

    /// Performs `request`. `self` lives as long as the worker and may keep what later requests profit from.
    ///
    /// A panic costs the worker: the master is told, counts it against the task's crash limit and starts another.
    fn perform(
        &mut self,
        request: <Self::Wire as Wire>::Request,
        context: &Context<'_, Self::Wire>,
    ) -> <Self::Wire as Wire>::Response;

    /// Takes a context in the place of the one held before: a prelude, a library. Called on behalf of the attempt in
    /// whose request it came, before [`Perform::perform`]; every further request that comes with none, or before the
    /// next context, was built for a worker that holds this one.
    ///
    /// The farm guarantees that a context is not taken twice in a row, and that a difference is to the context that was
    /// taken last. A panic counts as one in `perform`, for that attempt.
    fn take_context(
        &mut self,
        update: ContextUpdate<<Self::Wire as Wire>::Context>,
        context: &Context<'_, Self::Wire>,
    ) {
        let _ = context;
        panic!(
            "the worker's half of kind `{}` is sent the context {} and takes none: implement `Perform::take_context`",
            Self::Wire::NAME,
            update.key
        )
    }
}

/// The kinds a worker process can perform, in the order of registration.
#[derive(Default)]
pub struct Worker {
    seats: Vec<Box<dyn Seat>>,
}

impl Worker {
    /// A worker that can perform nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a kind.
    ///
    /// # Panics
    /// When a kind of this name is there already, or there are 65,535 kinds.
    #[must_use]
    pub fn with<P: Perform>(self, performer: P) -> Self {
        self.seat(move || performer, false)
    }

    /// Adds a kind whose performer is made when the first request for it comes: a worker that never meets the kind
    /// does not pay for it.
    ///
    /// # Panics
    /// As [`Worker::with`].
    #[must_use]
    pub fn with_lazy<P: Perform>(self, make: impl FnOnce() -> P + 'static) -> Self {
        self.seat(make, true)
    }

    fn seat<P: Perform>(mut self, make: impl FnOnce() -> P + 'static, lazy: bool) -> Self {
        let name = P::Wire::NAME;
        let there = self.seats.iter().any(|seat| seat.hello().name == name);
        assert!(
            !there,
            "kind `{name}` is registered twice: the master finds kinds by name"
        );
        assert!(
            self.seats.len() < usize::from(u16::MAX),
            "a worker performs at most 65,535 kinds"
        );
        self.seats.push(Box::new(WarmSeat {
            seat: LazySeat::Waiting(make),
            lazy,
            held: None,
        }));
        self
    }

    /// Warms the performer of this kind. One that is lazy is left as it is, unless it is `wanted` all the same. Answers
    /// whether there is one.
    pub(crate) fn warm(&mut self, kind: &str, wanted: bool) -> bool {
        let seat = self.seats.iter_mut().find(|seat| seat.hello().name == kind);
        let Some(seat) = seat else { return false };
        if wanted || !seat.is_lazy() {
            seat.warm();
        }
        true
    }

    pub(crate) fn hellos(&self) -> Vec<KindHello> {
        self.seats.iter().map(|seat| seat.hello()).collect()
    }

    pub(crate) fn into_seats(self) -> Vec<Box<dyn Seat>> {
        self.seats
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.seats.iter().map(|seat| seat.hello().name))
            .finish()
    }
}

/// One attempt's payload and surroundings, untyped.
pub(crate) struct Received<'a> {
    pub(crate) id: AttemptId,
    pub(crate) number: u64,
    pub(crate) payload: &'a [u8],
    pub(crate) port: &'a Port,
    /// The longest encoded response, in bytes.
    pub(crate) response_max: usize,
}

/// A kind with its types erased.
pub(crate) trait Seat {
    fn hello(&self) -> KindHello;

    /// Whether the performer is made when it is needed and not before.
    fn is_lazy(&self) -> bool;

    /// Has the performer made and warm, if it is not. Unwinds as its kind does.
    fn warm(&mut self);

    /// Decodes, performs and encodes into `response`, which is empty. Never unwinds.
    fn execute(&mut self, received: &Received<'_>, response: &mut Vec<u8>) -> (Finish, ReplyFlags);
}

enum LazySeat<P, F> {
    /// Nobody needed it yet.
    Waiting(F),
    /// Made, and not warm.
    Cold(P),
    /// Ready to perform.
    Seated(P),
    /// Making or warming the performer panicked. The worker is about to end.
    Failed,
}

impl<P: Perform, F: FnOnce() -> P> LazySeat<P, F> {
    fn performer(&mut self) -> &mut P {
        if !matches!(self, Self::Seated(_)) {
            let mut performer = match std::mem::replace(self, Self::Failed) {
                Self::Waiting(make) => make(),
                Self::Cold(performer) | Self::Seated(performer) => performer,
                Self::Failed => panic!("the performer could not be made earlier"),
            };
            performer.warm();
            *self = Self::Seated(performer);
        }
        match self {
            Self::Seated(performer) => performer,
            Self::Waiting(_) | Self::Cold(_) | Self::Failed => unreachable!("seated just above"),
        }
    }
}

/// A performer and the context it has taken.
struct WarmSeat<P, F> {
    seat: LazySeat<P, F>,
    lazy: bool,
    held: Option<AffinityKey>,
}

impl<P: Perform, F: FnOnce() -> P> WarmSeat<P, F> {
    /// Decodes, performs and encodes into `response`, which is empty. Never unwinds.
    fn attempt(
        &mut self,
        payload: &[u8],
        context: &Context<'_, P::Wire>,
        response: &mut Vec<u8>,
        response_max: usize,
    ) -> Finish {
        // The kind is not used again after a panic: the worker ends.
        let caught = catch_unwind(AssertUnwindSafe(|| {
            let said = match self.answer(payload, context) {
                Ok(said) => said,
                Err(finish) => return finish,
            };
            match encode_into(&said, response, response_max) {
                Ok(()) => Finish::Replied,
                Err(error) => Finish::Unmarshallable(error.to_string()),
            }
        }));
        caught.unwrap_or_else(|payload| Finish::Panicked(panic_message(payload)))
    }

    /// The answer to `payload`, or how it ended without one.
    fn answer(
        &mut self,
        payload: &[u8],
        context: &Context<'_, P::Wire>,
    ) -> Result<<P::Wire as Wire>::Response, Finish> {
        let (update, request) = split_request(payload)
            .map_err(|error| Finish::Refused(format!("the context before the request: {error}")))?;
        let request = decode(request).map_err(|error| Finish::Refused(error.to_string()))?;
        if let Some(update) = update {
            self.take_context(update, context)?;
        }
        Ok(self.seat.performer().perform(request, context))
    }

    /// Takes a context, unless it is held already: then only the master did not know.
    fn take_context(
        &mut self,
        update: ContextUpdate<<P::Wire as Wire>::Context>,
        context: &Context<'_, P::Wire>,
    ) -> Result<(), Finish> {
        let key = update.key;
        if self.held == Some(key) {
            return Ok(());
        }
        let to_another = match update.body {
            ContextBody::Whole(_) => false,
            ContextBody::Difference(_) => self.held.is_none() || update.held != self.held,
        };
        if to_another {
            let name =
                |held: Option<AffinityKey>| held.map_or("nothing".into(), |key| key.to_string());
            let (base, held) = (name(update.held), name(self.held));
            return Err(Finish::Refused(format!(
                "the context {key} came as a difference to {base}, and this worker holds {held}"
            )));
        }
        // A half of two is held by nobody. After a panic the worker ends, but that is somebody else's rule.
        self.held = None;
        self.seat.performer().take_context(update, context);
        self.held = Some(key);
        Ok(())
    }
}

impl<P: Perform, F: FnOnce() -> P> Seat for WarmSeat<P, F> {
    fn hello(&self) -> KindHello {
        P::Wire::hello()
    }

    fn is_lazy(&self) -> bool {
        self.lazy
    }

    fn warm(&mut self) {
        let _performer = self.seat.performer();
    }

    fn execute(&mut self, received: &Received<'_>, response: &mut Vec<u8>) -> (Finish, ReplyFlags) {
        let context = Context::<P::Wire>::of_master(received.id, received.number, received.port);
        let max = received.response_max;
        let finish = self.attempt(received.payload, &context, response, max);
        // A `print!` without a newline belongs to this attempt: it must be in the pipe before the answer is.
        // A stdout that cannot be written is the kind's business, not the farm's.
        drop(std::io::stdout().flush());
        (finish, context.flags())
    }
}

/// A performer with the context it has taken, as a worker process holds it: for whoever performs without one, such as a
/// simulation. It takes requests as the master writes them.
pub struct Seated<P: Perform>(WarmSeat<P, fn() -> P>);

impl<P: Perform> Seated<P> {
    /// A performer that has taken no context. It is warmed before it performs for the first time.
    #[must_use]
    pub const fn new(performer: P) -> Self {
        Self(WarmSeat {
            seat: LazySeat::Cold(performer),
            lazy: true,
            held: None,
        })
    }

    /// Decodes the payload of a request, performs, and encodes into `response`, which is empty, at most `response_max`
    /// bytes. A panic is caught and told as one; as in a worker nothing should be performed after it.
    pub fn perform(
        &mut self,
        payload: &[u8],
        context: &Context<'_, P::Wire>,
        response: &mut Vec<u8>,
        response_max: usize,
    ) -> Finish {
        self.0.attempt(payload, context, response, response_max)
    }
}

impl<P: Perform> fmt::Debug for Seated<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seated")
            .field("held", &self.0.held)
            .finish_non_exhaustive()
    }
}

pub(crate) fn panic_message(payload: Box<dyn Any + Send>) -> String {
    let message = if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic whose payload is no text".to_owned()
    };
    // Dropping a payload runs the kind's code, which may panic again.
    std::mem::forget(payload);
    message
}
