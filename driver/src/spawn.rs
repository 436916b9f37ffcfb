//! Starting a worker process: its pipes, its page, its command.
//!
//! Called on the loop thread only: the kernel ties a child's parent-death signal to the *thread*
//! that spawned it, and the loop thread lives as long as the master.

use crate::body::Body;
use crate::depth::DEPTH_VARIABLE;
use crate::jobserver::Jobserver;
use crate::link::{Incoming, Outgoing};
use crate::process::Parts;
use crate::program::Program;
use crate::system::Page;
use command_fds::CommandFdExt;
use farm_protocol::{Launch, WorkerName};
use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::Pid;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Stdio;

/// Below this number are the standard streams.
const FIRST_PRIVATE: i32 = 3;

/// Why there is no process.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SpawnFault {
    /// What it needs could not be opened.
    #[error("cannot open the pipes of a worker: {source}; {}", advice(.source))]
    Pipes { source: io::Error },
    /// The working folder is no folder.
    #[error("cannot start worker program `{}` in folder `{}`: there is no such folder; create it or set another", .path.display(), .cwd.display())]
    Folder { path: PathBuf, cwd: PathBuf },
    /// The program could not be started.
    #[error("cannot start worker program `{}`: {source}; {}", .path.display(), advice(.source))]
    Program { path: PathBuf, source: io::Error },
    /// The thread of a worker inside this process could not be started.
    #[error(
        "cannot start the thread of a worker in this process: {source}; if the limit of threads is reached, raise it (`ulimit -u`)"
    )]
    Thread { source: io::Error },
    /// It was started and could not be watched; it has been killed.
    #[error("cannot watch a worker just started, so it was killed: {source}; {}", advice(.source))]
    Watch { source: io::Error },
}

/// What to do about an error of the system.
fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::NotFound => {
            "check the path (and, of a script, the interpreter that its first line names)"
        }
        ErrorKind::PermissionDenied => {
            "make the file executable, and look at the mount options of its file system"
        }
        ErrorKind::OutOfMemory => "use fewer workers or give the machine more memory",
        _ => match error.raw_os_error() {
            Some(libc::EAGAIN) => {
                "the limit of processes is reached: use fewer workers or raise it (`ulimit -u`)"
            }
            Some(libc::EMFILE | libc::ENFILE) => {
                "the limit of open files is reached: use fewer workers or raise it (`ulimit -n`)"
            }
            Some(libc::ENOEXEC) => "the file is no program of this machine: rebuild it",
            Some(libc::E2BIG) => "its arguments and environment are too large: make them smaller",
            _ => "nothing was started",
        },
    }
}

/// The worker's ends. They keep their numbers in the worker: fixed numbers could fall on the
/// descriptor through which the standard library reports a failed start.
struct Theirs {
    fds: Vec<OwnedFd>,
}

impl Theirs {
    fn add(&mut self, fd: OwnedFd) -> io::Result<i32> {
        // A program that was started with closed standard streams is given low numbers; in the
        // worker these are its standard streams.
        let fd = if fd.as_raw_fd() < FIRST_PRIVATE {
            fcntl_dupfd_cloexec(&fd, FIRST_PRIVATE)?
        } else {
            fd
        };
        let number = fd.as_raw_fd();
        self.fds.push(fd);
        Ok(number)
    }

    fn copy(&mut self, fd: impl AsFd) -> io::Result<i32> {
        let copy = fcntl_dupfd_cloexec(fd, FIRST_PRIVATE)?;
        self.add(copy)
    }
}

fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (reader, writer) = os_pipe::pipe()?;
    Ok((reader.into(), writer.into()))
}

/// Everything a worker is started with.
struct Prepared {
    theirs: Theirs,
    launch: Launch,
    stdout: OwnedFd,
    stderr: OwnedFd,
    page: Option<Page>,
    requests: Outgoing,
    control: Outgoing,
    answers: Incoming,
    our_stdout: Incoming,
    our_stderr: Incoming,
}

fn prepare(through: bool, name: WorkerName) -> io::Result<Prepared> {
    let mut theirs = Theirs { fds: Vec::new() };
    let (requests, our_requests) = pipe()?;
    let (control, our_control) = pipe()?;
    let (our_answers, answers) = pipe()?;
    let (our_stdout, stdout) = pipe()?;
    let (our_stderr, stderr) = pipe()?;
    let (page, page_number) = match Page::create()? {
        Some((page, fd)) => (Some(page), Some(theirs.add(fd)?)),
        None => (None, None),
    };
    let through = if through {
        Some([theirs.copy(io::stdout())?, theirs.copy(io::stderr())?])
    } else {
        None
    };
    let launch = Launch {
        requests: theirs.add(requests)?,
        control: theirs.add(control)?,
        answers: theirs.add(answers)?,
        page: page_number,
        through,
        master: std::process::id(),
        name,
    };
    Ok(Prepared {
        theirs,
        launch,
        stdout,
        stderr,
        page,
        requests: Outgoing::new(our_requests)?,
        control: Outgoing::new(our_control)?,
        answers: Incoming::new(our_answers)?,
        our_stdout: Incoming::new(our_stdout)?,
        our_stderr: Incoming::new(our_stderr)?,
    })
}

/// Starts `program` as the worker `name`, inside of `depth` farms. With `through` it may also write to the farm's own
/// streams.
pub(crate) fn spawn(
    program: &Program,
    through: bool,
    name: WorkerName,
    depth: u32,
    jobserver: Option<&Jobserver>,
) -> Result<Parts, SpawnFault> {
    let prepared = prepare(through, name).map_err(|source| SpawnFault::Pipes { source })?;
    let mut command = program.command(&prepared.launch.to_string());
    if !program.env.speaks_of(DEPTH_VARIABLE) {
        command.env(DEPTH_VARIABLE, depth.to_string());
    }
    command
        .stdin(Stdio::null())
        .stdout(prepared.stdout)
        .stderr(prepared.stderr)
        .process_group(0)
        .preserved_fds(prepared.theirs.fds);
    if let Some(jobserver) = jobserver {
        let lent = jobserver.lend(&mut command, &program.env);
        lent.map_err(|source| SpawnFault::Pipes { source })?;
    }
    let child = command.spawn().map_err(|source| fault(program, source))?;
    Ok(Parts {
        body: Body::child(Pid::from_child(&child)),
        page: prepared.page,
        requests: prepared.requests,
        control: prepared.control,
        answers: prepared.answers,
        stdout: prepared.our_stdout,
        stderr: prepared.our_stderr,
    })
}

fn fault(program: &Program, source: io::Error) -> SpawnFault {
    let path = program.path.clone();
    match &program.cwd {
        Some(cwd) if !cwd.is_dir() => SpawnFault::Folder {
            path,
            cwd: cwd.clone(),
        },
        Some(_) | None => SpawnFault::Program { path, source },
    }
}

#[cfg(test)]
mod tests {
    //! Each failure says what, on what, why, and what to do; a started program holds what it was given.
    use super::*;
    use crate::link::Reading;
    use farm_protocol::{Session, Termination};

    const NAME: WorkerName = WorkerName {
        farm: 1,
        session: Session(1),
    };

    fn failure(program: &Program) -> String {
        spawn(program, false, NAME, 1, None)
            .expect_err("this cannot start")
            .to_string()
    }

    #[test]
    fn failures_are_explained() {
        let missing = failure(&Program::path("/no/such/program"));
        assert!(missing.contains("`/no/such/program`"), "{missing}");
        assert!(missing.contains("check the path"), "{missing}");
        let forbidden = failure(&Program::path("/etc/passwd"));
        assert!(forbidden.contains("executable"), "{forbidden}");
        let mut astray = Program::path("/bin/true");
        astray.cwd = Some("/no/such/folder".into());
        let astray = failure(&astray);
        assert!(astray.contains("folder `/no/such/folder`"), "{astray}");
    }

    /// Runs a shell whose last argument is the launch; what it printed and how it ended.
    fn shell(script: &str, through: bool) -> (String, Termination) {
        let program = Program::path("/bin/sh").arg("-c").arg(script).arg("worker");
        let mut parts = spawn(&program, through, NAME, 3, None).expect("a shell");
        let reaped = parts.body.collect();
        let mut space = [0; 4096];
        parts.stdout.hang_up();
        let (count, reading) = parts.stdout.read(&mut space);
        assert_eq!(reading, Reading::Ended);
        (
            String::from_utf8_lossy(&space[..count]).into_owned(),
            reaped.termination,
        )
    }

    #[test]
    fn descriptors_are_as_launched_and_no_more() {
        let (text, end) = shell("echo $1; ls /proc/$$/fd", true);
        assert_eq!(end, Termination::Exited(0));
        let mut lines = text.lines();
        let launch: Launch = lines.next().expect("a line").parse().expect("a launch");
        assert_eq!((launch.master, launch.name), (std::process::id(), NAME));
        let mut expected: Vec<i32> = vec![0, 1, 2, launch.requests, launch.control, launch.answers];
        expected.extend(launch.page);
        expected.extend(launch.through.expect("asked for"));
        expected.sort_unstable();
        let mut held: Vec<i32> = lines.map(|line| line.parse().expect("a number")).collect();
        held.sort_unstable();
        // Other descriptors of the test program may be inherited from whoever started it.
        held.retain(|fd| expected.contains(fd) || *fd < 3);
        assert_eq!(held, expected);
    }

    #[test]
    fn it_leads_its_group_and_reads_nothing() {
        let (text, end) = shell(
            "read line; echo \"read $?\"; ps -o pgid= -p $$ 2>/dev/null; kill -0 -$$ && echo leads",
            false,
        );
        assert_eq!(end, Termination::Exited(0));
        assert!(text.starts_with("read 1"), "stdin is empty: {text}");
        assert!(text.ends_with("leads\n"), "{text}");
    }
}
