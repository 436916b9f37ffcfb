//! Kinds of one's own in the simulated farm: good ones pass, and each wrong assumption is found in time.

#[path = "kinds/affinity.rs"]
mod affinity;
#[path = "kinds/contexts.rs"]
mod contexts;
#[path = "kinds/good.rs"]
mod good;
#[path = "kinds/panics.rs"]
mod panics;
#[path = "kinds/report.rs"]
mod report;
#[path = "kinds/wrong.rs"]
mod wrong;

use farm_protocol::{Never, Schema, Wire};
use serde::{Deserialize, Serialize};

/// What crosses the pipe of the kinds here.
#[derive(Clone, Debug, Serialize, Deserialize, Schema)]
pub struct Question {
    /// What is to be squared.
    pub number: u64,
    /// What the master believes that the worker has in hand.
    pub believed: u64,
}

/// The words of the kinds here.
#[derive(Clone, Copy, Debug)]
pub struct Squares;

impl Wire for Squares {
    const NAME: &'static str = "squares";
    const VERSION: u32 = 1;
    type Request = Question;
    type Response = u64;
    type Feedback = Never;
    type Context = Never;
}

/// The tasks of the tests.
fn twenty() -> Vec<u64> {
    (0..20).collect()
}
