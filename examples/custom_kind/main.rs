//! The smallest whole tool, from the guide (`docs/kinds.md`): a kind of thirty lines and its command line.
//! (13 panics, so that there is something to see.)
use farm::prelude::*;

struct Square;

impl Wire for Square {
    const NAME: &'static str = "square";
    const VERSION: u32 = 1;
    type Request = u32;
    type Response = Option<u32>;
    type Feedback = Never;
    type Context = Never;
}

impl TaskKind for Square {
    type Wire = Self;
    type Task = u32;
    type Competence = ();
    type Output = u32;
    type Failure = &'static str;
    fn request_of_task(&mut self, _: &WorkerStatus<()>, n: &u32) -> Option<u32> {
        Some(*n)
    }
    fn use_response(&mut self, _: &WorkerStatus<()>, _: &u32, n: Option<u32>) -> Verdict<Self> {
        n.map_or(Verdict::failed("too large", ()), |n| Verdict::done(n, ()))
    }
}

impl Perform for Square {
    type Wire = Self;
    fn perform(&mut self, n: u32, _: &Context<'_, Self>) -> Option<u32> {
        assert_ne!(n, 13, "bad luck");
        n.checked_mul(n)
    }
}

farm::main!([Square]);
