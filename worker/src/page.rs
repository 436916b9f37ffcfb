//! Writing the shared page: which attempt executes, since when, and how much memory the worker ever took.
//!
//! Knows the order of the stores, not where the words lie.

use crate::raw;
use farm_protocol::{AttemptId, page};
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};

/// How often the worker looks at its own memory, in nanoseconds. Asking costs a system call.
const LOOK_EVERY: u64 = 10_000_000;

/// The worker's side of the page. Without one (a worker behind another program) every note is dropped.
#[derive(Debug)]
pub(crate) struct PageNote {
    words: Option<&'static [AtomicU64; page::WORDS]>,
    looked: u64,
}

impl PageNote {
    /// Maps the page and notes that nothing executes.
    ///
    /// # Errors
    /// It cannot be mapped.
    pub(crate) fn new(fd: Option<&OwnedFd>) -> io::Result<Self> {
        let words = fd
            .map(|fd| raw::map_page::<{ page::WORDS }>(fd, page::BYTES))
            .transpose()?;
        let note = Self { words, looked: 0 };
        note.clear();
        Ok(note)
    }

    /// Notes that `id` executes since `now`, in nanoseconds of the monotonic clock.
    pub(crate) fn begin(&self, id: AttemptId, now: u64) {
        let Some(words) = self.words else { return };
        words[page::ATTEMPT].store(u64::from(id.attempt.0), Ordering::Relaxed);
        words[page::STARTED].store(now, Ordering::Relaxed);
        // Last: whoever sees this task sees its attempt and start.
        words[page::TASK].store(id.task.to_bits(), Ordering::Release);
    }

    /// Notes that nothing executes.
    pub(crate) fn clear(&self) {
        if let Some(words) = self.words {
            words[page::TASK].store(page::NOTHING, Ordering::Release);
        }
    }

    /// Notes the peak memory if the last look is long enough ago.
    pub(crate) fn look(&mut self, now: u64) {
        let Some(words) = self.words else { return };
        if now.saturating_sub(self.looked) >= LOOK_EVERY {
            self.looked = now;
            words[page::PEAK].store(raw::own_usage().peak_bytes, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    //! What a reader of the same file finds.
    use super::*;
    use farm_protocol::{Attempt, TaskId};
    use rustix::fs::{MemfdFlags, ftruncate, memfd_create};

    #[test]
    fn the_master_reads_what_was_noted() {
        let fd = memfd_create("page", MemfdFlags::CLOEXEC).unwrap();
        assert!(PageNote::new(Some(&fd)).is_err(), "too short");
        ftruncate(&fd, page::BYTES as u64).unwrap();
        let mut note = PageNote::new(Some(&fd)).unwrap();
        let master = raw::map_page::<{ page::WORDS }>(&fd, page::BYTES).unwrap();
        let read = || page::read(|word| master[word].load(Ordering::Acquire));
        assert_eq!(read(), page::Noted::default());
        let id = AttemptId {
            task: TaskId::new(7, 1),
            attempt: Attempt(3),
        };
        note.begin(id, 99);
        assert_eq!((read().executing, read().started_nanos), (Some(id), 99));
        note.look(LOOK_EVERY);
        let peak = read().peak_bytes;
        assert!(peak > 100_000, "{peak}");
        note.clear();
        assert_eq!((read().executing, read().peak_bytes), (None, peak));
    }

    #[test]
    fn without_a_page_notes_are_dropped() {
        let mut note = PageNote::new(None).unwrap();
        note.look(u64::MAX);
        note.clear();
    }
}
