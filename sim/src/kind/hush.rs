//! Keeps the panics of simulated schedules off stderr, and knows where the last one was: they are told as findings.
//!
//! The hook is put in front of the one that is there, once, and is deaf on every thread that simulates nothing: tests
//! of one process simulate on several threads at a time, and what panics beside them must be heard.

use std::cell::{Cell, RefCell};
use std::panic::{set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static HUSHED: Cell<bool> = const { Cell::new(false) };
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// While it lives, panics of this thread print nothing.
pub(super) struct Hush {
    before: bool,
}

impl Hush {
    pub(super) fn begin() -> Self {
        static INSTALLED: Once = Once::new();
        // A thread that panics may not change the hook.
        if !std::thread::panicking() {
            INSTALLED.call_once(install);
        }
        Self {
            before: HUSHED.replace(true),
        }
    }
}

impl Drop for Hush {
    fn drop(&mut self) {
        HUSHED.set(self.before);
    }
}

fn install() {
    let before = take_hook();
    set_hook(Box::new(move |panic| {
        // A thread on its way out has no such things any more.
        if HUSHED.try_with(Cell::get).unwrap_or(false) {
            let place = panic.location().map(ToString::to_string);
            PLACE.set(place);
        } else {
            before(panic);
        }
    }));
}

/// Where this thread's last panic in a schedule was, as a word for people; once.
pub(crate) fn place() -> String {
    PLACE
        .take()
        .map_or_else(String::new, |place| format!(" at {place}"))
}
