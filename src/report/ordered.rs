//! The order of `--keep-order`: whose turn it is, and the output of finished tasks whose turn has not come.
//!
//! Memory is bounded: beyond a total, waiting output goes to the store. What is kept per waiting task without output is
//! a few words, and nothing is kept for tasks that were shown.

use super::spool::{CopyError, Spool};
use super::store::{Extent, SpillStore};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The output of all waiting tasks together may take this many bytes of memory.
pub(crate) const WAITING_MEMORY: usize = 16 * 1024 * 1024;

/// The bytes of one stream that waits.
#[derive(Debug)]
pub(crate) enum Held {
    /// They are in memory and count against the total.
    Memory(Vec<u8>),
    /// They are in the store.
    Stored(Vec<Extent>),
}

/// One stream of a finished task.
#[derive(Debug)]
pub(crate) struct HeldStream {
    pub(crate) bytes: Held,
    /// The file with what follows the bytes.
    pub(crate) rest: Option<PathBuf>,
}

impl HeldStream {
    pub(crate) const fn memory(bytes: Vec<u8>, rest: Option<PathBuf>) -> Self {
        Self {
            bytes: Held::Memory(bytes),
            rest,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        let no_bytes = match &self.bytes {
            Held::Memory(bytes) => bytes.is_empty(),
            Held::Stored(extents) => extents.is_empty(),
        };
        no_bytes && self.rest.is_none()
    }

    const fn in_memory(&self) -> usize {
        match &self.bytes {
            Held::Memory(bytes) => bytes.len(),
            Held::Stored(_) => 0,
        }
    }
}

/// Both streams of a finished task.
#[derive(Debug)]
pub(crate) struct Parcel {
    pub(crate) stdout: HeldStream,
    pub(crate) stderr: HeldStream,
}

impl Parcel {
    fn is_empty(&self) -> bool {
        self.stdout.is_empty() && self.stderr.is_empty()
    }

    const fn in_memory(&self) -> usize {
        self.stdout.in_memory() + self.stderr.in_memory()
    }
}

/// Whose turn it is and who waits.
#[derive(Debug)]
pub(crate) struct Ordered {
    turn: u64,
    /// Finished tasks after `turn`; none for one that has nothing to show.
    waiting: BTreeMap<u64, Option<Box<Parcel>>>,
    memory: usize,
    memory_limit: usize,
    store: SpillStore,
}

impl Ordered {
    pub(crate) const fn new(folder: Arc<Path>) -> Self {
        Self::with_memory(WAITING_MEMORY, folder)
    }

    pub(crate) const fn with_memory(memory_limit: usize, folder: Arc<Path>) -> Self {
        Self {
            turn: 1,
            waiting: BTreeMap::new(),
            memory: 0,
            memory_limit,
            store: SpillStore::new(folder),
        }
    }

    /// The first task that is not finished: its output may be shown.
    pub(crate) const fn turn(&self) -> u64 {
        self.turn
    }

    #[cfg(test)]
    pub(crate) const fn memory(&self) -> usize {
        self.memory
    }

    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// The task whose turn it is has been shown to the end.
    pub(crate) const fn pass(&mut self) {
        self.turn += 1;
    }

    /// Keeps the output of `seq` until its turn. Each later task must be given once.
    ///
    /// # Errors
    /// When it had to go to disk and could not. The parcel comes back to be shown out of turn, which is better than
    /// never; `seq` counts as shown.
    pub(crate) fn hold(&mut self, seq: u64, mut parcel: Parcel) -> Result<(), (Parcel, io::Error)> {
        assert!(
            seq > self.turn,
            "only a task whose turn has not come can wait"
        );
        let mut refused = None;
        if self.memory + parcel.in_memory() > self.memory_limit {
            for stream in [&mut parcel.stdout, &mut parcel.stderr] {
                if let Err(error) = to_store(&mut self.store, stream) {
                    refused = Some(error);
                    break;
                }
            }
        }
        let keep = refused.is_none() && !parcel.is_empty();
        let entry = if keep {
            self.memory += parcel.in_memory();
            self.waiting.insert(seq, Some(Box::new(parcel)))
        } else {
            let entry = self.waiting.insert(seq, None);
            if let Some(error) = refused {
                return Err((parcel, error));
            }
            entry
        };
        assert!(entry.is_none(), "a task finishes once");
        Ok(())
    }

    /// The task whose turn it is, if it is finished; the turn passes to the next. The inner value is none when it has
    /// nothing to show.
    pub(crate) fn next_finished(&mut self) -> Option<Option<Parcel>> {
        let parcel = self.waiting.remove(&self.turn)?;
        self.turn += 1;
        Some(self.unbox(parcel))
    }

    /// The first of the waiting tasks, though others before it never finished: for the end of a run.
    pub(crate) fn first_waiting(&mut self) -> Option<Option<Parcel>> {
        let (seq, parcel) = self.waiting.pop_first()?;
        self.turn = seq + 1;
        Some(self.unbox(parcel))
    }

    fn unbox(&mut self, parcel: Option<Box<Parcel>>) -> Option<Parcel> {
        let parcel = *parcel?;
        self.memory -= parcel.in_memory();
        Some(parcel)
    }

    /// What a still running task has said so far, for `hold`. A spool that has gone to disk is copied into the store,
    /// because its own file would be one descriptor per waiting task.
    ///
    /// # Errors
    /// When the disk refused. Nothing has left the spool, which the caller must then show.
    pub(crate) fn settle(&mut self, spool: &mut Spool) -> io::Result<Held> {
        if let Some(memory) = spool.take_memory() {
            return Ok(Held::Memory(memory));
        }
        let mut extents = Vec::new();
        let mut writer = StoreWriter {
            store: &mut self.store,
            extents: &mut extents,
        };
        match spool.copy_to(&mut writer) {
            Ok(_) => {
                spool.clear();
                Ok(Held::Stored(extents))
            }
            Err(CopyError::Read(error) | CopyError::Write(error)) => {
                self.store.release(extents);
                Err(error)
            }
        }
    }

    /// Writes the bytes to `out` and gives their room in the store back, even after an error.
    pub(crate) fn show(&mut self, bytes: Held, out: &mut dyn Write) -> Result<(), CopyError> {
        match bytes {
            Held::Memory(bytes) if bytes.is_empty() => Ok(()),
            Held::Memory(bytes) => out.write_all(&bytes).map_err(CopyError::Write),
            Held::Stored(extents) => {
                let copied = extents
                    .iter()
                    .try_for_each(|extent| self.store.copy_to(extent, out));
                self.store.release(extents);
                copied
            }
        }
    }
}

fn to_store(store: &mut SpillStore, stream: &mut HeldStream) -> io::Result<()> {
    if let Held::Memory(bytes) = &stream.bytes {
        let mut extents = Vec::new();
        store.put(&mut extents, bytes)?;
        stream.bytes = Held::Stored(extents);
    }
    Ok(())
}

struct StoreWriter<'a> {
    store: &'a mut SpillStore,
    extents: &'a mut Vec<Extent>,
}

impl Write for StoreWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.store.put(self.extents, bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
