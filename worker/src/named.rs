//! The worker's half of a kind of named workers: one process that becomes somebody, treats what is put into its
//! mailbox, and is asked to close.
//!
//! It turns messages into calls of a [`Resident`] and holds the master to their order. It knows no mailbox.

use crate::context::Context;
use crate::perform::Perform;
use farm_protocol::{FromNamed, Named, NamedWire, ToNamed};
use std::fmt;

/// What comes of a launch: who lives there now and what the master is told of it, or why it refuses.
pub type Launched<R> = Result<
    (R, <<R as Resident>::Named as Named>::Welcome),
    <<R as Resident>::Named as Named>::LaunchError,
>;

/// What a [`Resident`] is told of the attempt that it is called for.
pub type NamedContext<'a, N> = Context<'a, NamedWire<N>>;

/// Who lives in a worker process that is somebody. One request is treated at a time; what it keeps in `self` it keeps
/// until it is closed, or its process dies.
///
/// ```
/// use farm_protocol::Named;
/// use farm_worker::{Host, NamedContext, Resident, Worker};
///
/// struct Account;
/// impl Named for Account {
///     const NAME: &'static str = "account";
///     const VERSION: u32 = 1;
///     type Params = u64;
///     type Welcome = ();
///     type LaunchError = String;
///     type Request = i64;
///     type Response = u64;
///     type RequestError = String;
/// }
///
/// struct Balance(u64);
/// impl Resident for Balance {
///     type Named = Account;
///
///     fn on_launch(
///         _name: &str,
///         params: u64,
///         _context: &NamedContext<'_, Account>,
///     ) -> Result<(Self, ()), String> {
///         Ok((Self(params), ()))
///     }
///
///     fn on_request(
///         &mut self,
///         request: i64,
///         _context: &NamedContext<'_, Account>,
///     ) -> Result<u64, String> {
///         let after = self.0.checked_add_signed(request);
///         self.0 = after.ok_or("there is not so much")?;
///         Ok(self.0)
///     }
/// }
///
/// let _worker = Worker::new().with(Host::<Balance>::new());
/// ```
pub trait Resident: Sized + 'static {
    /// What it shares with the master's half.
    type Named: Named;

    /// As [`Perform::TEMPLATE`].
    const TEMPLATE: bool = false;

    /// Makes ready what everybody of this kind needs and what is dear to make; as [`Perform::warm`], before anybody is
    /// somebody: in a spare, in a template.
    fn warm() {}

    /// Becomes somebody. `name` is nobody else's in the table. A request that the attempt be cancelled is the wish that
    /// it be not launched; what it answers then counts for nothing, and its process is ended.
    ///
    /// # Errors
    /// Why it refuses. The worker ends; the name is free again. A panic is the death of the worker, which the master
    /// tells apart.
    fn on_launch(
        name: &str,
        params: <Self::Named as Named>::Params,
        context: &NamedContext<'_, Self::Named>,
    ) -> Launched<Self>;

    /// Treats a request.
    ///
    /// # Errors
    /// The kind's own; the worker goes on, unless the master's half says otherwise. A panic is the death of the worker.
    fn on_request(
        &mut self,
        request: <Self::Named as Named>::Request,
        context: &NamedContext<'_, Self::Named>,
    ) -> Result<<Self::Named as Named>::Response, <Self::Named as Named>::RequestError>;

    /// Its process ends in order, and this is the last that it does: it has as long as the farm gives a worker to close,
    /// and is then killed. Not called when the process is ended otherwise: killed, by a panic, or with its master.
    fn on_close(self) {}
}

/// The performer of a kind of named workers: houses one [`Resident`].
///
/// # Panics
/// It panics, which costs the worker, when the master breaks its promises: a request before a launch, a second launch,
/// anything after a launch that was refused.
///
/// Dropped, which is how a worker that ends in order ends its performers, it closes whom it houses.
pub struct Host<R: Resident> {
    house: House<R>,
}

/// Who is at home.
enum House<R> {
    /// Nobody was launched here.
    Empty,
    /// Somebody lives here.
    Home(R),
    /// Nobody will any more, and why.
    Left(&'static str),
}

impl<R: Resident> Host<R> {
    /// An empty one.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            house: House::Empty,
        }
    }

    fn launch(
        &mut self,
        name: &str,
        params: <R::Named as Named>::Params,
        context: &NamedContext<'_, R::Named>,
    ) -> Result<<R::Named as Named>::Welcome, <R::Named as Named>::LaunchError> {
        // Should the launch panic, nobody lives here.
        let before = std::mem::replace(&mut self.house, House::Left("could not be launched"));
        match before {
            House::Empty => {}
            House::Home(_) => broken::<R>(&format!(
                "`{name}` is to be launched in it, and somebody was before"
            )),
            House::Left(why) => broken::<R>(&format!(
                "`{name}` is to be launched in it, and who was before {why}"
            )),
        }
        let (resident, welcome) = R::on_launch(name, params, context)?;
        self.house = House::Home(resident);
        Ok(welcome)
    }

    fn request(
        &mut self,
        request: <R::Named as Named>::Request,
        context: &NamedContext<'_, R::Named>,
    ) -> Result<<R::Named as Named>::Response, <R::Named as Named>::RequestError> {
        // Should the request panic, nobody lives here: what is left of him is not closed in order.
        let left = House::Left("fell when it treated a request");
        match std::mem::replace(&mut self.house, left) {
            House::Home(mut resident) => {
                let answer = resident.on_request(request, context);
                self.house = House::Home(resident);
                answer
            }
            House::Empty => broken::<R>("a request came before a launch"),
            House::Left(why) => broken::<R>(&format!("a request came, and who was here {why}")),
        }
    }
}

impl<R: Resident> Drop for Host<R> {
    fn drop(&mut self) {
        match std::mem::replace(&mut self.house, House::Left("was closed")) {
            House::Home(resident) => resident.on_close(),
            House::Empty | House::Left(_) => {}
        }
    }
}

/// Neither answer nor refusal would be true, and a worker that goes on would be somebody else than the master believes.
fn broken<R: Resident>(what: &str) -> ! {
    panic!(
        "the master broke its promise to a worker of kind `{}`: {what}",
        R::Named::NAME
    )
}

impl<R: Resident> Default for Host<R> {
    fn default() -> Self {
        Self::new()
    }
}

impl<R: Resident> fmt::Debug for Host<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let house = match &self.house {
            House::Empty => "empty",
            House::Home(_) => "somebody is at home",
            House::Left(why) => why,
        };
        f.debug_struct("Host").field("house", &house).finish()
    }
}

impl<R: Resident> Perform for Host<R> {
    type Wire = NamedWire<R::Named>;

    const TEMPLATE: bool = R::TEMPLATE;

    fn warm(&mut self) {
        R::warm();
    }

    fn perform(
        &mut self,
        request: <Self::Wire as farm_protocol::Wire>::Request,
        context: &Context<'_, Self::Wire>,
    ) -> <Self::Wire as farm_protocol::Wire>::Response {
        match request {
            ToNamed::Launch { name, params } => {
                FromNamed::Launched(self.launch(&name, params, context))
            }
            ToNamed::Request(request) => FromNamed::Answered(self.request(request, context)),
        }
    }
}

#[cfg(test)]
mod tests;
