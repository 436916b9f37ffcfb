//! The tokens of one's own jobserver: bytes in a pipe that everybody below may read and write.

use super::{JobserverStyle, open};
use command_fds::{CommandFdExt, FdMapping};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::{fcntl_dupfd_cloexec, ioctl_fionread};
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::process::Command;

/// The most slots: as many bytes fit into a pipe of the smallest size.
pub(super) const SLOTS_MOST: u32 = 4096;

/// What a token looks like. Whoever takes one puts the same one back.
const TOKEN: u8 = b'+';

/// Below this number are the standard streams.
const FIRST_PRIVATE: i32 = 3;

#[derive(Debug)]
pub(super) struct OwnTokens {
    /// How many there are in all.
    all: usize,
    read: File,
    write: File,
    /// What processes below are given: two descriptors by the numbers that they have here.
    theirs: [OwnedFd; 2],
}

impl OwnTokens {
    pub(super) fn new(all: usize) -> io::Result<Self> {
        let (read, write) = os_pipe::pipe()?;
        let theirs = [above(read)?, above(write)?];
        // As make does it: between seeing a token and reading it, another may have taken it, and who then waits for the
        // next one does not see its children end.
        let flags = fcntl_getfl(&theirs[0])?;
        fcntl_setfl(&theirs[0], flags | OFlags::NONBLOCK)?;
        let again = |fd: &OwnedFd, write| open(&format!("/dev/fd/{}", fd.as_raw_fd()), write);
        let mut own = Self {
            all,
            read: again(&theirs[0], false)?,
            write: again(&theirs[1], true)?,
            theirs,
        };
        own.write.write_all(&vec![TOKEN; all])?;
        Ok(own)
    }

    /// Takes one, if there is one.
    pub(super) fn take(&mut self) -> io::Result<bool> {
        loop {
            match self.read.read(&mut [0]) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(_) => return Ok(true),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub(super) fn give(&mut self, count: usize) {
        if let Err(error) = self.write.write_all(&vec![TOKEN; count]) {
            log::warn!("cannot put {count} tokens back into the farm's own jobserver: {error}");
        }
    }

    /// Nobody else has any: what is missing is put back, and what is too much taken out.
    pub(super) fn make_good(&mut self, held: usize) {
        let there = match ioctl_fionread(&self.read) {
            Ok(there) => usize::try_from(there).unwrap_or(usize::MAX),
            Err(error) => return log::warn!("cannot count the tokens of the jobserver: {error}"),
        };
        let due = self.all.saturating_sub(held);
        if there < due {
            let lost = due - there;
            log::debug!("{lost} tokens were lost with processes that died; they are put back");
            self.give(lost);
        }
        for _ in due..there {
            if !self.take().unwrap_or(false) {
                break;
            }
        }
    }

    pub(super) fn watched(&self) -> RawFd {
        self.read.as_raw_fd()
    }

    /// How it is named in `--jobserver-auth=`.
    pub(super) fn named(&self, style: JobserverStyle) -> String {
        let [read, write] = [self.theirs[0].as_raw_fd(), self.theirs[1].as_raw_fd()];
        match style {
            JobserverStyle::Pipe => format!("{read},{write}"),
            JobserverStyle::Fifo => format!("fifo:/proc/{}/fd/{read}", std::process::id()),
        }
    }

    /// Hands the two descriptors down under their numbers, which nothing else of this process can have.
    pub(super) fn lend(&self, command: &mut Command) -> io::Result<()> {
        let mut mappings = Vec::with_capacity(2);
        for fd in &self.theirs {
            mappings.push(FdMapping {
                parent_fd: fcntl_dupfd_cloexec(fd, FIRST_PRIVATE)?,
                child_fd: fd.as_raw_fd(),
            });
        }
        command.fd_mappings(mappings).map_err(io::Error::other)?;
        Ok(())
    }
}

fn above(fd: impl AsFd) -> io::Result<OwnedFd> {
    Ok(fcntl_dupfd_cloexec(fd, FIRST_PRIVATE)?)
}

#[cfg(test)]
mod tests {
    //! Counting after others took and added.
    use super::*;

    fn there(tokens: &OwnTokens) -> u64 {
        ioctl_fionread(&tokens.read).expect("a pipe")
    }

    #[test]
    fn what_is_lost_comes_back_and_what_is_added_goes() {
        let mut tokens = OwnTokens::new(3).expect("a pipe");
        assert_eq!(there(&tokens), 3);
        for _ in 0..3 {
            assert!(tokens.take().expect("a pipe"));
        }
        assert!(!tokens.take().expect("a pipe"));
        tokens.make_good(1);
        assert_eq!(there(&tokens), 2);
        tokens.give(5);
        tokens.make_good(0);
        assert_eq!(there(&tokens), 3);
    }
}
