//! How many farms are inside of each other: a task that starts a farm whose tasks start one again would never end.
//!
//! A farm tells the depth to its workers, by a variable to processes and by the thread to threads. It knows no farm.

use std::cell::Cell;

/// The variable by which processes inside a farm know how deep they are.
pub const DEPTH_VARIABLE: &str = "FARM_DEPTH";

/// How many farms may be inside of each other. Each takes processes and memory, and whoever means to have more can
/// say so by the variable.
pub const DEPTH_MAX: u32 = 8;

thread_local! {
    /// What a worker in this thread was told; 0 in every other.
    static OF_THREAD: Cell<u32> = const { Cell::new(0) };
}

/// How many farms the calling thread is inside of: 0 outside of any, 1 in a worker. A thread that is started by a
/// worker in a process of its own counts the same; one that is started by a worker in its master's process counts
/// as the master does.
#[must_use]
pub fn depth() -> u32 {
    let told = std::env::var(DEPTH_VARIABLE).ok();
    let of_process = told.and_then(|text| text.parse().ok()).unwrap_or(0);
    of_process.max(OF_THREAD.get())
}

/// The calling thread is a worker at this depth, for the rest of its life.
pub(crate) fn enter(depth: u32) {
    OF_THREAD.set(depth);
}
