//! Wishes and questions to the loop that are no event of their own: done between two events, by the loop's thread.

use crate::message::Message;
use crate::shared::Shared;
use crate::sync::{Sender, bounded};
use crate::turn::Loop;
use farm_master::{Event, Gone};
use farm_protocol::{Session, SlotId};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Who hears of workers that are gone; `false`: no further ones.
pub(crate) type WorkerEar = Box<dyn FnMut((SlotId, Session), &Gone) -> bool + Send>;

impl Shared {
    /// Has the machine told.
    pub(crate) fn tell(&self, event: Event<'static>) {
        self.have_done(move |it| it.tell(event));
    }

    /// Has the loop do something. What may panic in it, it contains itself.
    pub(crate) fn have_done(&self, what: impl FnOnce(&mut Loop) + Send + 'static) {
        self.post(Message::Do(Box::new(what)));
    }

    /// Has `ear` hear of every worker that is gone from now on, on the loop and quickly, until it answers `false`.
    pub(crate) fn hear_of_workers(&self, ear: WorkerEar) {
        self.have_done(move |it| it.ears.push(ear));
    }

    /// Asks the loop, and waits for its answer; `None`: the farm is over.
    ///
    /// # Panics
    /// On the loop thread itself, which would wait for ever.
    pub(crate) fn ask<T>(&self, question: impl FnOnce(Sender<T>) -> Message) -> Option<T> {
        assert!(
            !self.is_loop_thread(),
            "a callback on the farm's loop waits for that loop"
        );
        let (answer, wait) = bounded(1);
        self.post(question(answer));
        wait.recv().ok()
    }

    /// Looks at what the loop has, and waits for it; `None`: the farm is over.
    ///
    /// # Panics
    /// With the panic of `look`, which costs the loop nothing. And as [`Shared::ask`].
    pub(crate) fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&mut Loop) -> T + Send + 'static,
    ) -> Option<T> {
        let answer = self.ask(|answer| {
            Message::Do(Box::new(move |it: &mut Loop| {
                // Nothing of the loop's is changed by a look.
                let seen = catch_unwind(AssertUnwindSafe(|| look(it)));
                let _gone = answer.send(seen);
            }))
        });
        answer.map(|seen| seen.unwrap_or_else(|panic| resume_unwind(panic)))
    }
}
