//! What the driver holds of a process that a template has forked, and the socket to a template.

use crate::reap::signal_group_of;
use farm_protocol::{TEMPLATE_FDS_MAX, Termination};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags,
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg,
    sendmsg, socketpair,
};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process_group, pidfd_open, waitid,
};
use std::fs;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

/// Whether there are templates here.
pub(crate) const TEMPLATES: bool = true;

/// A process that is no child of ours, by a descriptor of it: its number could become another's when its template is
/// gone, the descriptor never.
#[derive(Debug)]
pub(crate) struct Handle(OwnedFd);

impl Handle {
    /// Of a child of ours that is not collected.
    pub(crate) fn open(pid: Pid) -> io::Result<Self> {
        Ok(Self(pidfd_open(pid, PidfdFlags::empty())?))
    }

    pub(crate) const fn new(pidfd: OwnedFd) -> Self {
        Self(pidfd)
    }

    /// Another descriptor of the same process, for the poll.
    pub(crate) fn copy(&self) -> io::Result<OwnedFd> {
        self.0.try_clone()
    }

    pub(crate) fn has_exited(&self) -> bool {
        self.ready(Some(&Timespec::default()))
    }

    /// Waits until it has exited.
    pub(crate) fn wait(&self) {
        while !self.ready(None) {}
    }

    /// Waits until it has exited, but not longer than this. Whether it has.
    pub(crate) fn wait_for(&self, span: Duration) -> bool {
        let deadline = Instant::now() + span;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let left = Timespec::try_from(left).unwrap_or_default();
            // A signal of the program may have ended the wait.
            if self.ready(Some(&left)) || Instant::now() >= deadline {
                return self.has_exited();
            }
        }
    }

    /// Collects it if it is a child of ours: its template is gone, and it was left to this process because that is the
    /// first of its system, or a worker of another farm. Nobody else would.
    pub(crate) fn collect_inherited(&self) -> Option<Termination> {
        let exited = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        // It fails for what is no child of ours.
        let status = waitid(WaitId::PidFd(self.0.as_fd()), exited).ok()??;
        if let Some(code) = status.exit_status() {
            return Some(Termination::Exited(code));
        }
        let signal = status.terminating_signal()?;
        Some(Termination::Signaled {
            signal,
            core_dumped: status.dumped(),
        })
    }

    fn ready(&self, timeout: Option<&Timespec>) -> bool {
        let mut fds = [PollFd::new(&self.0, PollFlags::IN)];
        // An interrupted look has seen nothing.
        poll(&mut fds, timeout).is_ok_and(|count| count > 0)
    }

    /// Signals its group, also when it has exited itself.
    pub(crate) fn signal_group(&self, pid: Pid, signal: Signal) -> Result<(), Errno> {
        match signal_group_of(self.0.as_fd(), signal) {
            // A kernel before 6.9. By the number then, as long as it is surely its own.
            Err(Errno::INVAL | Errno::NOSYS) if self.is_uncollected() => {
                kill_process_group(pid, signal)
            }
            Err(Errno::INVAL | Errno::NOSYS) => Err(Errno::SRCH),
            done => done,
        }
    }

    /// Whether its number is still its own: of a process that was collected the system says none.
    fn is_uncollected(&self) -> bool {
        self.numbers().first().is_some_and(|pid| *pid > 0)
    }

    /// Whether it may be of the process of this number: false where the system says another one. It says none of one that
    /// was collected.
    pub(crate) fn may_be_of(&self, pid: Pid) -> bool {
        let numbers = self.numbers();
        let says = numbers.first().is_some_and(|first| *first > 0);
        !says || numbers.contains(&pid.as_raw_nonzero().get())
    }

    /// The numbers of the process as the system says them: first that in the process table that is mounted here, then
    /// those in each space of numbers below, of which ours may be one.
    fn numbers(&self) -> Vec<i32> {
        let path = format!("/proc/self/fdinfo/{}", self.0.as_raw_fd());
        let text = fs::read_to_string(path).unwrap_or_default();
        let of = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_default().split_whitespace()
        };
        let all = of("Pid:").chain(of("NSpid:"));
        all.filter_map(|pid| pid.parse().ok()).collect()
    }
}

/// What a look at the socket found.
#[derive(Debug)]
pub(crate) enum Received {
    /// Nothing for now; the poll reports more.
    Nothing,
    /// The template is gone.
    Ended,
    /// A message of so many bytes, and the first descriptor that came with it.
    Message(usize, Option<OwnedFd>),
    /// The same, but a descriptor that was sent with it could not be taken: this process may have no more.
    Cut(usize),
}

/// The master's end of the socket to a template.
#[derive(Debug)]
pub(crate) struct TemplateLink(OwnedFd);

impl TemplateLink {
    /// Both ends: ours, and the template's.
    pub(crate) fn pair() -> io::Result<(Self, OwnedFd)> {
        // Messages keep their bounds: neither side ever has half of one, and descriptors come with theirs.
        let (ours, theirs) = socketpair(
            AddressFamily::UNIX,
            SocketType::SEQPACKET,
            SocketFlags::CLOEXEC,
            None,
        )?;
        Ok((Self(ours), theirs))
    }

    pub(crate) fn raw(&self) -> RawFd {
        self.0.as_raw_fd()
    }

    /// Sends a message with descriptors, or nothing of it.
    pub(crate) fn send(&self, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<()> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(TEMPLATE_FDS_MAX))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !fds.is_empty() {
            let pushed = control.push(SendAncillaryMessage::ScmRights(fds));
            assert!(pushed, "an order brings a worker's descriptors at most");
        }
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        loop {
            match sendmsg(&self.0, &[IoSlice::new(bytes)], &mut control, flags) {
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    pub(crate) fn receive(&self, bytes: &mut [u8]) -> Received {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
        loop {
            match recvmsg(&self.0, &mut [IoSliceMut::new(bytes)], &mut control, flags) {
                Ok(message) if message.bytes == 0 => return Received::Ended,
                Ok(message) => {
                    let fds = control.drain().find_map(|message| match message {
                        RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
                        _ => None,
                    });
                    // What did come of several is closed: nobody here is sent more than one.
                    if message.flags.contains(ReturnFlags::CTRUNC) {
                        return Received::Cut(message.bytes);
                    }
                    return Received::Message(message.bytes, fds);
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Received::Nothing,
                Err(_) => return Received::Ended,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    //! A process that somebody else collects is still known by its descriptor.
    use super::*;
    use rustix::process::{getpid, kill_process, set_child_subreaper};
    use std::io::{BufRead, BufReader};
    use std::os::unix::process::CommandExt;
    use std::process::{Command, Stdio};

    #[test]
    fn a_handle_outlives_its_process() {
        let mut child = Command::new("/bin/sleep")
            .arg("1000")
            .process_group(0)
            .spawn()
            .expect("sleep");
        let pid = Pid::from_child(&child);
        let handle = Handle::open(pid).expect("it lives");
        assert!(!handle.has_exited() && handle.is_uncollected());
        handle.signal_group(pid, Signal::KILL).expect("it lives");
        handle.wait();
        assert!(handle.has_exited() && handle.is_uncollected());
        child.wait().expect("ours");
        assert!(handle.has_exited() && !handle.is_uncollected());
        assert_eq!(handle.signal_group(pid, Signal::KILL), Err(Errno::SRCH));
    }

    #[test]
    fn what_was_left_to_this_process_is_collected_by_it() {
        set_child_subreaper(Some(getpid())).expect("of this program alone");
        let mut template = Command::new("/bin/sh")
            .args(["-c", "sleep 1000 & echo $!; read line"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let mut line = String::new();
        let stdout = template.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let pid = line.trim().parse().expect("a number");
        let worker = Pid::from_raw(pid).expect("a pid");
        let handle = Handle::open(worker).expect("it lives");
        assert_eq!(handle.collect_inherited(), None, "it is no child of ours");
        template.kill().expect("ours");
        template.wait().expect("ours");
        assert_eq!(handle.collect_inherited(), None, "it lives");
        kill_process(worker, Signal::KILL).expect("it lives");
        handle.wait();
        let killed = Termination::Signaled {
            signal: Signal::KILL.as_raw(),
            core_dumped: false,
        };
        assert_eq!(handle.collect_inherited(), Some(killed));
        assert_eq!(handle.collect_inherited(), None, "once");
    }

    #[test]
    fn a_message_brings_its_descriptor() {
        let (ours, theirs) = TemplateLink::pair().expect("a socket");
        let theirs = TemplateLink(theirs);
        let mut bytes = [0; 16];
        assert!(matches!(ours.receive(&mut bytes), Received::Nothing));
        theirs
            .send(b"one", &[io::stderr().as_fd()])
            .expect("there is room");
        theirs.send(b"two", &[]).expect("there is room");
        assert!(matches!(
            ours.receive(&mut bytes),
            Received::Message(3, Some(_))
        ));
        assert!(matches!(
            ours.receive(&mut bytes),
            Received::Message(3, None)
        ));
        drop(theirs);
        assert!(matches!(ours.receive(&mut bytes), Received::Ended));
        assert!(ours.send(b"three", &[]).is_err());
    }
}
