//! The trait that both sides of a kind share: what crosses the pipe.

use crate::hello::KindHello;
use alloc::string::ToString;
use postcard_schema::Schema;
use postcard_schema::key::Key;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// What a kind sends and receives. Master and worker link the same implementation, and the hello checks that they do.
///
/// The derive of `Schema` names the crate `postcard_schema`: have it among your dependencies, or add
/// `#[postcard(crate = farm_protocol::postcard_schema)]` to the type.
///
/// The types are marshalled with postcard, which is not self-describing: values like
/// `serde_json::Value`, `#[serde(untagged)]`, `#[serde(flatten)]` and fields left out with
/// `skip_serializing_if` cannot be carried.
///
/// ```
/// use farm_protocol::{Schema, Wire};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize, Schema)]
/// #[postcard(crate = farm_protocol::postcard_schema)]
/// pub struct Goal { text: String }
///
/// pub struct Prove;
/// impl Wire for Prove {
///     const NAME: &'static str = "prove";
///     const VERSION: u32 = 1;
///     type Request = Goal;
///     type Response = bool;
///     type Feedback = farm_protocol::Never;
///     type Context = farm_protocol::Never;
/// }
/// assert_ne!(Prove::schema_hash(), 0);
/// ```
pub trait Wire: 'static {
    /// The kind's name; unique in a farm, the same on both sides.
    const NAME: &'static str;
    /// Raise it when the meaning changes and the types do not.
    const VERSION: u32;
    /// From the master to the worker, once per attempt.
    type Request: Serialize + DeserializeOwned + Schema + Send + 'static;
    /// From the worker to the master, once per attempt.
    type Response: Serialize + DeserializeOwned + Schema + Send + 'static;
    /// From the worker to the master, any number of times while an attempt executes; [`Never`] for none.
    type Feedback: Serialize + DeserializeOwned + Schema + Send + 'static;
    /// From the master to the worker, once for many attempts, in front of the first of them: a prelude, a library;
    /// [`Never`] for none. A difference between two contexts is of this type too.
    type Context: Serialize + DeserializeOwned + Schema + Send + 'static;

    /// A hash of the shapes of the four types.
    #[must_use]
    fn schema_hash() -> u64 {
        let request = u64::from_le_bytes(Key::for_path::<Self::Request>("request").to_bytes());
        let response = u64::from_le_bytes(Key::for_path::<Self::Response>("response").to_bytes());
        let feedback = u64::from_le_bytes(Key::for_path::<Self::Feedback>("feedback").to_bytes());
        let context = u64::from_le_bytes(Key::for_path::<Self::Context>("context").to_bytes());
        // Rotations keep the four from cancelling each other when two are of the same shape.
        request ^ response.rotate_left(21) ^ feedback.rotate_left(42) ^ context.rotate_left(11)
    }

    /// The kind as the hello states it.
    #[must_use]
    fn hello() -> KindHello {
        KindHello {
            name: Self::NAME.to_string(),
            version: Self::VERSION,
            schema: Self::schema_hash(),
        }
    }
}

/// The type without values, for kinds that have no feedback or no context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Schema)]
pub enum Never {}
