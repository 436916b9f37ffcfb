//! What both sides of a kind of named workers share: the types of its messages, and the wire made of them.
//!
//! It knows no mailbox and no worker: only what one message to a named worker is, and what it answers.

use crate::wire::{Never, Wire};
use alloc::string::String;
use core::fmt::{self, Debug, Write};
use core::marker::PhantomData;
use postcard_schema::Schema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The most bytes of a request that [`Named::view`] shows, unless the kind says otherwise.
pub const VIEW_MAX: usize = 200;

/// What a kind of named workers sends and receives. Master and worker link the same implementation.
///
/// ```
/// use farm_protocol::{Named, NamedWire, Schema, Wire};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Clone, Debug, Serialize, Deserialize, Schema)]
/// #[postcard(crate = farm_protocol::postcard_schema)]
/// pub enum Move { Left, Right }
///
/// /// A worker for each opponent.
/// pub struct Player;
/// impl Named for Player {
///     const NAME: &'static str = "player";
///     const VERSION: u32 = 1;
///     type Params = u32;               // the strength of the opponent
///     type Welcome = String;           // what the player calls itself
///     type LaunchError = String;
///     type Request = Move;
///     type Response = u64;             // the score
///     type RequestError = String;
/// }
/// assert_eq!(NamedWire::<Player>::NAME, "player");
/// assert_eq!(Player::view(&Move::Left), "Left");
/// ```
pub trait Named: 'static {
    /// The kind's name; unique in a farm, the same on both sides.
    const NAME: &'static str;
    /// Raise it when the meaning changes and the types do not.
    const VERSION: u32;
    /// What a worker is launched with, beside its name. It is kept until the launch is over: should a worker die before
    /// it has begun, it is sent to another.
    type Params: Clone + Serialize + DeserializeOwned + Schema + Send + 'static;
    /// What a worker that was launched tells the master: the first of what the master knows of it.
    type Welcome: Serialize + DeserializeOwned + Schema + Send + 'static;
    /// Why it refuses to be launched; people are shown its `Debug` text.
    type LaunchError: Debug + Serialize + DeserializeOwned + Schema + Send + 'static;
    /// What is put into its mailbox.
    type Request: Clone + Debug + Serialize + DeserializeOwned + Schema + Send + Sync + 'static;
    /// What it answers.
    type Response: Clone + Serialize + DeserializeOwned + Schema + Send + 'static;
    /// What it answers otherwise. The worker goes on.
    type RequestError: Clone + Serialize + DeserializeOwned + Schema + Send + 'static;

    /// What listings and records show of a request: its `Debug` text, at most [`VIEW_MAX`] bytes of it.
    #[must_use]
    fn view(request: &Self::Request) -> String {
        let mut view = Short::default();
        // It ends early when there is enough of it.
        let _enough = write!(view, "{request:?}");
        view.text
    }
}

/// A text of at most [`VIEW_MAX`] bytes, whose last character says when there would be more.
#[derive(Default)]
struct Short {
    text: String,
    cut: bool,
}

impl Write for Short {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        const CUT: char = '…';
        if self.cut {
            return Err(fmt::Error);
        }
        let room = VIEW_MAX - self.text.len();
        self.text.push_str(&more[..fitting(more, room)]);
        self.cut = more.len() > room;
        if self.cut {
            let end = fitting(&self.text, VIEW_MAX - CUT.len_utf8());
            self.text.truncate(end);
            self.text.push(CUT);
            return Err(fmt::Error);
        }
        Ok(())
    }
}

/// How many bytes of a text are whole characters and at most so many.
fn fitting(text: &str, most: usize) -> usize {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    end
}

/// One message to a named worker: to one that is nobody yet a launch, to one that is somebody the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Schema)]
pub enum ToNamed<P, R> {
    /// Be this.
    Launch {
        /// What it is called, as nobody else in its table.
        name: String,
        /// What it is launched with.
        params: P,
    },
    /// Do this.
    Request(R),
}

/// What a named worker answers to a [`ToNamed`], each with its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Schema)]
pub enum FromNamed<W, L, A, E> {
    /// It is this now, or refuses to be.
    Launched(Result<W, L>),
    /// It has done this, or has not.
    Answered(Result<A, E>),
}

/// The [`Wire`] of a kind of named workers.
pub struct NamedWire<N>(PhantomData<fn() -> N>);

impl<N> Debug for NamedWire<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NamedWire")
    }
}

impl<N: Named> Wire for NamedWire<N> {
    const NAME: &'static str = N::NAME;
    const VERSION: u32 = N::VERSION;
    type Request = ToNamed<N::Params, N::Request>;
    type Response = FromNamed<N::Welcome, N::LaunchError, N::Response, N::RequestError>;
    type Feedback = Never;
    type Context = Never;
}

#[cfg(test)]
mod tests;
