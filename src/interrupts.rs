//! Signals that ask a program with a farm in it to end: what the program then does with the farm.
//!
//! The library catches none by itself; this is for a `main` that wants it.

use farm_driver::Farm;
use farm_master::Shut;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Signals so close to the first are the same wish: some shells, and `timeout`, signal a process and its group.
const ONE_WISH: Duration = Duration::from_millis(200);

/// Heeds SIGINT (Ctrl-C) and SIGTERM until it is dropped: at the first the farm stops ([`Shut::Stop`]: what runs is
/// asked to end and given its grace, what waits ends [`Closed`](farm_master::Outcome::Closed) or cancelled), at a second
/// one its workers are killed ([`Shut::Kill`]). Whoever waits for tasks is told of their ends as always, and can write
/// down what is done. After the drop both signals do nothing, so keep it as long as the program has something to end.
///
/// ```no_run
/// # fn work(_: &farm::Farm) {}
/// fn run(farm: &farm::Farm) -> std::io::Result<i32> {
///     let interrupts = farm::Interrupts::heed(farm)?;
///     work(farm);
///     Ok(interrupts.signal().map_or(0, |signal| 128 + signal))
/// }
/// ```
#[derive(Debug)]
#[must_use = "signals are heeded until it is dropped"]
pub struct Interrupts {
    first: Arc<AtomicI32>,
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

impl Interrupts {
    /// Begins. The farm is held until this is dropped.
    ///
    /// # Errors
    /// The system refuses a thread or the signals.
    pub fn heed(farm: &Farm) -> io::Result<Self> {
        let mut signals = Signals::new([SIGINT, SIGTERM])?;
        let (handle, farm) = (signals.handle(), farm.clone());
        let first = Arc::new(AtomicI32::new(0));
        let came = Arc::clone(&first);
        let heed = move || {
            let mut begun: Option<Instant> = None;
            for signal in signals.forever() {
                match begun {
                    None => {
                        begun = Some(Instant::now());
                        came.store(signal, Ordering::Release);
                        farm.shut(Shut::Stop);
                    }
                    Some(at) if at.elapsed() < ONE_WISH => {}
                    Some(_) => farm.shut(Shut::Kill),
                }
            }
        };
        let thread = thread::Builder::new().name("farm-interrupts".into());
        Ok(Self {
            first,
            handle,
            thread: Some(thread.spawn(heed)?),
        })
    }

    /// The first signal that came, if one did. By custom a program ends with 128 more than its number then.
    #[must_use]
    pub fn signal(&self) -> Option<i32> {
        let first = self.first.load(Ordering::Acquire);
        (first != 0).then_some(first)
    }
}

impl Drop for Interrupts {
    fn drop(&mut self) {
        self.handle.close();
        if let Some(thread) = self.thread.take() {
            // It has no work that could panic.
            let _ended = thread.join();
        }
    }
}
