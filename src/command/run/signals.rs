//! Signals, as letters: only the command catches any, never the library.

use super::watch::Letter;
use crate::report::hurry;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGTSTP};
use signal_hook::iterator::{Handle, Signals};
use std::io;
use std::sync::mpsc::Sender;
use std::thread::{self, JoinHandle};

/// Catches signals until it is dropped.
#[derive(Debug)]
pub(super) struct Caught {
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

/// Begins to catch. A SIGHUP that was ignored when we were started (`nohup`) stays ignored.
///
/// # Errors
/// When the system refuses.
pub(super) fn catch(post: Sender<Letter>) -> io::Result<Caught> {
    let mut wanted = vec![SIGINT, SIGTERM, SIGTSTP];
    if !is_ignored(SIGHUP) {
        wanted.push(SIGHUP);
    }
    let mut signals = Signals::new(wanted)?;
    let handle = signals.handle();
    let thread = thread::Builder::new()
        .name("farm-signals".into())
        .spawn(move || {
            for signal in signals.forever() {
                if matches!(signal, SIGINT | SIGTERM) {
                    // Here, because the watch may be waiting for somebody who waits for a reader that has stopped.
                    hurry();
                }
                if post.send(Letter::Signal(signal)).is_err() {
                    return;
                }
            }
        })?;
    Ok(Caught {
        handle,
        thread: Some(thread),
    })
}

impl Drop for Caught {
    fn drop(&mut self) {
        self.handle.close();
        if let Some(thread) = self.thread.take() {
            // It has no work that could panic.
            let _ended = thread.join();
        }
    }
}

/// Whether this process ignores a signal, as the kernel says; unknown counts as no.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (signal - 1)) != 0)
}
