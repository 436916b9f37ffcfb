//! Writing to our own streams, which somebody else reads: as patiently as can be, and not for ever once the run is to end.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::AsFd;
use rustix::fs::{FileType, fstat};
use rustix::io::Errno;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// How much a pipe that is ready is sure to take at once without blocking, in bytes (`PIPE_BUF`).
const AT_ONCE: usize = 4096;

/// How long one look at a full stream takes, in nanoseconds.
const LOOK: i64 = 200_000_000;

/// How many looks in a row a reader that takes nothing is given, once patience is over.
const LAST_LOOKS: u32 = 5;

/// Whether the run is to end: whoever reads our streams is then no longer waited for without end.
static HURRIED: AtomicBool = AtomicBool::new(false);

/// From now on a reader that takes nothing for a second is taken to be gone.
///
/// An interrupt must end a run whose output goes to a pager that nobody scrolls. Cannot be taken back.
pub fn hurry() {
    HURRIED.store(true, Ordering::Release);
}

/// Writes to a descriptor without a buffer and waits where it is full, also where another process that shares our
/// terminal or pipe has made it non-blocking: half a line must not be the answer to that.
pub(crate) struct PatientWriter<F> {
    fd: F,
    /// It may block for as long as somebody likes: a pipe, a terminal, a socket.
    may_block: bool,
    hurried: &'static AtomicBool,
}

impl<F: AsFd> PatientWriter<F> {
    pub(crate) fn new(fd: F) -> Self {
        Self::hurried_by(fd, &HURRIED)
    }

    fn hurried_by(fd: F, hurried: &'static AtomicBool) -> Self {
        let kind = fstat(&fd).map(|stat| FileType::from_raw_mode(stat.st_mode));
        let may_block = !matches!(kind, Ok(FileType::RegularFile));
        Self {
            fd,
            may_block,
            hurried,
        }
    }

    /// Waits until something can be written.
    fn wait(&self) -> io::Result<()> {
        let look = Timespec {
            tv_sec: 0,
            tv_nsec: LOOK,
        };
        let mut looks = 0;
        loop {
            match poll(&mut [PollFd::new(&self.fd, PollFlags::OUT)], Some(&look)) {
                Ok(0) if self.hurried.load(Ordering::Acquire) => looks += 1,
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
            if looks == LAST_LOOKS {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
        }
    }
}

impl<F: AsFd> Write for PatientWriter<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let bytes = if self.may_block {
            &bytes[..bytes.len().min(AT_ONCE)]
        } else {
            bytes
        };
        loop {
            if self.may_block {
                self.wait()?;
            }
            match rustix::io::write(&self.fd, bytes) {
                Err(Errno::AGAIN) => self.wait()?,
                outcome => return Ok(outcome?),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    //! A reader that has stopped holds us only until the run is to end; a slow one loses nothing.
    use super::*;
    use std::io::Read as _;

    #[test]
    fn a_stuck_reader_is_given_up_in_a_hurry() {
        static HURRY: AtomicBool = AtomicBool::new(false);
        let (reader, writer) = io::pipe().expect("a pipe");
        let writing = std::thread::spawn(move || {
            let mut writer = PatientWriter::hurried_by(writer, &HURRY);
            writer.write_all(&vec![0; 1 << 20])
        });
        HURRY.store(true, Ordering::Release);
        let error = writing.join().expect("no panic").expect_err("nobody reads");
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        drop(reader);
    }

    #[test]
    fn a_reader_that_reads_gets_all_even_in_a_hurry() {
        static HURRY: AtomicBool = AtomicBool::new(true);
        let (mut reader, writer) = io::pipe().expect("a pipe");
        let writing = std::thread::spawn(move || {
            let mut writer = PatientWriter::hurried_by(writer, &HURRY);
            writer.write_all(&vec![7; 1 << 20])
        });
        let mut all = Vec::new();
        reader.read_to_end(&mut all).expect("ours");
        writing.join().expect("no panic").expect("somebody reads");
        assert!(all.len() == 1 << 20 && all.iter().all(|byte| *byte == 7));
    }
}
