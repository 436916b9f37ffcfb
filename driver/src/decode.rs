//! Decodes large responses on a thread of their own, so that they never hold the loop.
//!
//! What waits here is bounded by the attempts in flight: each has at most one response.

use crate::message::{Message, Post};
use crate::process::Place;
use crate::sync::thread::{self, JoinHandle};
use crate::sync::{Receiver, Sender, unbounded};
use farm_master::Decoder;
use farm_protocol::{AttemptId, MarshalError};
use std::panic::catch_unwind;

/// A response to be decoded.
pub(crate) struct Work {
    pub(crate) place: Place,
    pub(crate) id: AttemptId,
    pub(crate) decoder: Decoder,
    pub(crate) bytes: Vec<u8>,
}

/// The thread, started with the first large response.
#[derive(Default)]
pub(crate) struct Decoders {
    running: Option<(Sender<Work>, JoinHandle<()>)>,
}

impl Decoders {
    /// Has a response decoded; the answer comes through the mailbox.
    pub(crate) fn decode(&mut self, work: Work, post: &Post) {
        if self.running.is_none() {
            let (sender, receiver) = unbounded();
            let answers = Post::clone(post);
            let thread = thread::Builder::new().name("farm-decode".to_owned());
            match thread.spawn(move || serve(&receiver, &answers)) {
                Ok(thread) => self.running = Some((sender, thread)),
                Err(error) => {
                    log::warn!("no thread for decoding ({error}): the farm's loop decodes itself");
                }
            }
        }
        let undone = match &self.running {
            Some((sender, _)) => sender.send(work).err().map(|error| error.0),
            None => Some(work),
        };
        if let Some(work) = undone {
            answer(work, post);
        }
    }
}

impl Drop for Decoders {
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.running.take() {
            drop(sender);
            // It catches the panics of decoders, so there is none to pass on.
            let _ended = thread.join();
        }
    }
}

fn serve(work: &Receiver<Work>, post: &Post) {
    for work in work {
        answer(work, post);
    }
}

fn answer(work: Work, post: &Post) {
    let Work {
        place,
        id,
        decoder,
        bytes,
    } = work;
    // The user's `Deserialize` may panic; that is a response that cannot be decoded.
    let decoded = catch_unwind(|| decoder(&bytes))
        .unwrap_or_else(|_| Err(MarshalError::Decode("its Deserialize panicked".to_owned())));
    // Without a listener nobody waits for it.
    let _over = post.push(Message::Decoded { place, id, decoded });
}

#[cfg(all(test, feature = "check-shuttle"))]
mod races;
