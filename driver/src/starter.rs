//! Starts worker programs on a thread of its own. Whoever starts a program waits until the system runs it, and on a busy
//! machine that takes tens of milliseconds for each, in which the loop would be late with every kill and time limit.
//!
//! The thread lives as long as the master: the kernel ties a child's parent-death signal to the *thread* that spawned
//! it. What is ordered here is bounded by the slots. It knows no kind.

use crate::message::{Message, Post};
use crate::process::{Place, Process};
use crate::reap::own_peak_bytes;
use crate::spawn::Prepared;
use crate::sync::thread::{self, JoinHandle};
use crate::sync::{Receiver, Sender, unbounded};

/// A worker to be started.
struct Order {
    place: Place,
    prepared: Prepared,
}

/// The thread, started with the first worker, and what is ordered of it.
#[derive(Default)]
pub(crate) struct Starter {
    running: Option<(Sender<Order>, JoinHandle<()>)>,
    expected: Vec<Expected>,
}

struct Expected {
    place: Place,
    /// The machine wants its end already.
    unwanted: bool,
}

impl Starter {
    /// Has a worker started; what came of it is told through the mailbox.
    pub(crate) fn order(&mut self, place: Place, prepared: Prepared, post: &Post) {
        let unwanted = false;
        self.expected.push(Expected { place, unwanted });
        if self.running.is_none() {
            let (sender, receiver) = unbounded();
            let answers = Post::clone(post);
            let thread = thread::Builder::new().name("farm-start".to_owned());
            match thread.spawn(move || serve(&receiver, &answers)) {
                Ok(thread) => self.running = Some((sender, thread)),
                Err(error) => {
                    log::warn!(
                        "no thread for starting workers ({error}): the farm's loop does it itself"
                    );
                }
            }
        }
        let order = Order { place, prepared };
        let undone = match &self.running {
            Some((sender, _)) => sender.send(order).err().map(|error| error.0),
            None => Some(order),
        };
        if let Some(order) = undone {
            start(order, post);
        }
    }

    /// The machine wants the end of a worker; whether that was ordered and has not come.
    pub(crate) fn withdraw(&mut self, place: Place) -> bool {
        let mut all = self.expected.iter_mut();
        let found = all.find(|expected| expected.place == place);
        found.map(|expected| expected.unwanted = true).is_some()
    }

    /// What was ordered has come, or could not be started. Whether its end is wanted.
    pub(crate) fn has_come(&mut self, place: Place) -> bool {
        let at = self
            .expected
            .iter()
            .position(|expected| expected.place == place)
            .expect("only what was ordered comes, and once");
        self.expected.swap_remove(at).unwanted
    }
}

impl Drop for Starter {
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.running.take() {
            drop(sender);
            // What it has started and nobody will hear of is killed and collected by its drop.
            let _ended = thread.join();
        }
    }
}

fn serve(orders: &Receiver<Order>, post: &Post) {
    for order in orders {
        start(order, post);
    }
}

fn start(order: Order, post: &Post) {
    let Order { place, prepared } = order;
    // The system hands it on to the child as the child's own.
    let peak = own_peak_bytes();
    let parts = prepared.start();
    let started = parts.map(|parts| Box::new(Process::new(place, parts, peak)));
    // Without a listener nobody wants it.
    let _over = post.push(Message::Spawned { place, started });
}
