//! Keeps panics of simulated runs off stderr: the controller catches them, and they are told as failures.

use super::complain;
use std::panic::{PanicHookInfo, set_hook, take_hook};
use std::sync::{Arc, Mutex, PoisonError};

/// What is called for each panic.
type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Send + Sync>;

/// While it lives, panics print nothing.
pub(super) struct Hush {
    before: Option<Hook>,
    last: Arc<Mutex<String>>,
}

impl Hush {
    pub(super) fn begin() -> Self {
        let before = take_hook();
        let last = Arc::new(Mutex::new(String::new()));
        let kept = Arc::clone(&last);
        set_hook(Box::new(move |panic| {
            *kept.lock().unwrap_or_else(PoisonError::into_inner) = panic.to_string();
        }));
        Self {
            before: Some(before),
            last,
        }
    }
}

impl Drop for Hush {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // A panic of our own, which nobody else tells now. The hook cannot be changed any more.
            complain(&self.last.lock().unwrap_or_else(PoisonError::into_inner));
        } else if let Some(before) = self.before.take() {
            set_hook(before);
        }
    }
}
