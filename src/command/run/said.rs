//! What is left of an attempt that never answered in time: its late response, or what it said before it was killed.
//!
//! Knows no outcome and no report. It looks at the file system only for attempts that were killed.

use crate::exec::{CommandResponse, HEAD_BYTES};
use crate::report::Captured;
use farm_worker::Stream;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// What the master knows of an attempt without a response that counts.
#[derive(Debug, Default)]
pub(super) struct Said {
    stdout: Captured,
    stderr: Captured,
    late: Option<Box<CommandResponse>>,
}

/// The streams of an attempt, and the response that came too late to decide anything.
#[derive(Debug, Default)]
pub(super) struct Left {
    pub(super) stdout: Captured,
    pub(super) stderr: Captured,
    pub(super) late: Option<Box<CommandResponse>>,
}

impl Said {
    /// It said this. Kept as far as a response would carry it; the rest is counted.
    pub(super) fn hear(&mut self, stream: Stream, bytes: &[u8]) {
        let kept = match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        };
        let room = (HEAD_BYTES as usize).saturating_sub(kept.head.len());
        kept.head.extend_from_slice(&bytes[..bytes.len().min(room)]);
        kept.total += bytes.len() as u64;
    }

    /// It answered after all.
    pub(super) fn answered_late(&mut self, response: CommandResponse) {
        self.late = Some(Box::new(response));
    }

    /// All that is left. `spill`: where the worker put what goes beyond the head, but for the stream's name.
    pub(super) fn left(self, spill: &Path) -> Left {
        let Self {
            stdout,
            stderr,
            late,
        } = self;
        if late.is_some() {
            let nothing = Captured::default;
            return Left {
                stdout: nothing(),
                stderr: nothing(),
                late,
            };
        }
        Left {
            stdout: with_rest(stdout, spill, ".stdout"),
            stderr: with_rest(stderr, spill, ".stderr"),
            late,
        }
    }
}

/// A stream goes on in a file only behind a full head.
fn with_rest(mut captured: Captured, spill: &Path, name: &str) -> Captured {
    if captured.head.len() < HEAD_BYTES as usize {
        return captured;
    }
    let mut path = OsString::from(spill);
    path.push(name);
    if let Ok(found) = fs::metadata(&path) {
        captured.total = captured.head.len() as u64 + found.len();
        captured.rest = Some(PathBuf::from(path));
    }
    captured
}

#[cfg(test)]
mod tests {
    //! The head is bounded, and what was spilled is found again.
    use super::*;

    #[test]
    fn a_killed_attempt_keeps_its_head_and_finds_its_rest() {
        let folder = tempfile::tempdir().expect("a folder");
        let spill = folder.path().join("3-1");
        fs::write(folder.path().join("3-1.stdout"), b"more").expect("ours");
        let mut said = Said::default();
        said.hear(Stream::Stdout, &vec![b'x'; HEAD_BYTES as usize]);
        said.hear(Stream::Stderr, b"words");
        let left = said.left(&spill);
        assert_eq!(left.stdout.total, u64::from(HEAD_BYTES) + 4);
        assert_eq!(left.stdout.rest, Some(folder.path().join("3-1.stdout")));
        assert_eq!(left.stderr, Captured::whole(b"words".to_vec()));
        assert!(left.late.is_none());
    }

    #[test]
    fn what_is_relayed_without_end_is_counted() {
        let mut said = Said::default();
        for _ in 0..3 {
            said.hear(Stream::Stdout, &vec![b'x'; HEAD_BYTES as usize]);
        }
        let left = said.left(Path::new("/nowhere/1-1"));
        assert_eq!(left.stdout.head.len(), HEAD_BYTES as usize);
        assert_eq!(left.stdout.total, 3 * u64::from(HEAD_BYTES));
        assert_eq!(left.stdout.rest, None);
    }
}
