//! One place on disk for the output of many waiting tasks. A file for each of them would run out of descriptors: with
//! `--keep-order` behind one slow task thousands may wait.
//!
//! Unnamed files take the bytes one after the other; a file goes when nothing in it is needed any more.

use super::spool::{CopyError, copy_range};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

/// When a file has grown to this many bytes the next one is begun, so that disk space comes back during a long run.
const SEGMENT_BYTES: u64 = 256 * 1024 * 1024;

/// Where some bytes lie. It must go back to its store by `release`, once.
#[derive(Debug)]
pub(crate) struct Extent {
    segment: u64,
    offset: u64,
    length: u64,
}

#[derive(Debug)]
struct Segment {
    file: File,
    length: u64,
    needed: u64,
}

/// The waiting bytes.
#[derive(Debug)]
pub(crate) struct SpillStore {
    folder: Arc<Path>,
    segment_bytes: u64,
    segments: BTreeMap<u64, Segment>,
    current: u64,
}

impl SpillStore {
    pub(crate) const fn new(folder: Arc<Path>) -> Self {
        Self::with_segments(folder, SEGMENT_BYTES)
    }

    pub(crate) const fn with_segments(folder: Arc<Path>, segment_bytes: u64) -> Self {
        Self {
            folder,
            segment_bytes,
            segments: BTreeMap::new(),
            current: 0,
        }
    }

    #[cfg(test)]
    pub(crate) fn open_files(&self) -> usize {
        self.segments.len()
    }

    /// Adds `bytes` behind `extents`, growing the last of them when they lie side by side. After an error the store and
    /// `extents` are as before.
    pub(crate) fn put(&mut self, extents: &mut Vec<Extent>, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let full = |segment: &Segment| segment.length >= self.segment_bytes;
        if self.segments.get(&self.current).is_none_or(full) {
            let file = tempfile::tempfile_in(&self.folder)?;
            self.current += 1;
            let fresh = Segment {
                file,
                length: 0,
                needed: 0,
            };
            self.segments.insert(self.current, fresh);
        }
        let segment = self
            .segments
            .get_mut(&self.current)
            .expect("made above when missing");
        segment.file.write_all_at(bytes, segment.length)?;
        let offset = segment.length;
        let length = bytes.len() as u64;
        segment.length += length;
        segment.needed += length;
        match extents.last_mut() {
            Some(last) if last.segment == self.current && last.offset + last.length == offset => {
                last.length += length;
            }
            _ => extents.push(Extent {
                segment: self.current,
                offset,
                length,
            }),
        }
        Ok(())
    }

    pub(crate) fn copy_to(&self, extent: &Extent, out: &mut dyn Write) -> Result<(), CopyError> {
        let segment = self
            .segments
            .get(&extent.segment)
            .expect("a segment stays while an extent needs it");
        copy_range(&segment.file, extent.offset, extent.length, out)
    }

    pub(crate) fn release(&mut self, extents: Vec<Extent>) {
        for extent in extents {
            let segment = self
                .segments
                .get_mut(&extent.segment)
                .expect("a segment stays while an extent needs it");
            assert!(
                segment.needed >= extent.length,
                "an extent was released twice"
            );
            segment.needed -= extent.length;
            if segment.needed == 0 {
                // The current one goes too: the next bytes begin a fresh file at offset 0.
                self.segments.remove(&extent.segment);
            }
        }
    }
}
