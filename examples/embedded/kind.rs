//! Counting the words of a text: what the library and its worker program have in common.

use farm::prelude::*;

/// Both halves of the kind. It keeps nothing.
pub(crate) struct Words;

impl Wire for Words {
    const NAME: &'static str = "words";
    const VERSION: u32 = 1;
    type Request = String;
    type Response = u64;
    type Feedback = Never;
    type Context = Never;
}

impl TaskKind for Words {
    type Wire = Self;
    type Task = String;
    type Competence = ();
    type Output = u64;
    type Failure = ();
    fn request_of_task(&mut self, _: &WorkerStatus<()>, text: &String) -> Option<String> {
        Some(text.clone())
    }
    fn use_response(&mut self, _: &WorkerStatus<()>, _: &String, words: u64) -> Verdict<Self> {
        Verdict::done(words, ())
    }
}

impl Perform for Words {
    type Wire = Self;
    fn perform(&mut self, text: String, _: &Context<'_, Self>) -> u64 {
        text.split_whitespace().count() as u64
    }
}
