//! Starting a worker process, or a template of workers: its pipes, its page, its command.
//!
//! Called only on threads that live as long as the master, the loop's and the starter's: the kernel ties a child's
//! parent-death signal to the *thread* that spawned it.

use crate::body::Body;
use crate::depth::DEPTH_VARIABLE;
use crate::jobserver::Jobserver;
use crate::link::{Incoming, Outgoing};
use crate::process::Parts;
use crate::program::Program;
use crate::system::{Handle, Page, TemplateLink};
use command_fds::CommandFdExt;
use farm_protocol::{Launch, TemplateLaunch, WorkerName};
use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::Pid;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

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
    /// Its template could not fork it, or is no more.
    #[error("cannot fork a worker from the template of kind `{kind}`: {why}")]
    Template { kind: String, why: String },
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

/// The worker's ends.
#[derive(Debug)]
pub(crate) struct TheirEnds {
    requests: OwnedFd,
    control: OwnedFd,
    answers: OwnedFd,
    stdout: OwnedFd,
    stderr: OwnedFd,
    page: Option<OwnedFd>,
    through: Option<[OwnedFd; 2]>,
}

impl TheirEnds {
    /// In the order in which a template takes them.
    pub(crate) fn in_order(&self) -> Vec<BorrowedFd<'_>> {
        let own = [
            &self.requests,
            &self.control,
            &self.answers,
            &self.stdout,
            &self.stderr,
        ];
        let more = self.page.iter().chain(self.through.iter().flatten());
        own.into_iter().chain(more).map(AsFd::as_fd).collect()
    }

    pub(crate) const fn has_page(&self) -> bool {
        self.page.is_some()
    }

    pub(crate) const fn has_through(&self) -> bool {
        self.through.is_some()
    }
}

/// Our ends of the same.
#[derive(Debug)]
pub(crate) struct OurEnds {
    page: Option<Page>,
    requests: Outgoing,
    control: Outgoing,
    answers: Incoming,
    stdout: Incoming,
    stderr: Incoming,
}

impl OurEnds {
    /// Those of this process.
    pub(crate) fn of(self, body: Body) -> Parts {
        Parts {
            body,
            page: self.page,
            requests: self.requests,
            control: self.control,
            answers: self.answers,
            stdout: self.stdout,
            stderr: self.stderr,
        }
    }
}

/// What a new process inherits. They keep their numbers in it: fixed numbers could fall on the
/// descriptor through which the standard library reports a failed start.
#[derive(Default)]
struct Inheritance {
    fds: Vec<OwnedFd>,
}

impl Inheritance {
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
}

fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (reader, writer) = os_pipe::pipe()?;
    Ok((reader.into(), writer.into()))
}

/// Opens everything a worker is started with. With `through` it may also write to the farm's own streams.
pub(crate) fn open_ends(through: bool) -> Result<(TheirEnds, OurEnds), SpawnFault> {
    try_open(through).map_err(|source| SpawnFault::Pipes { source })
}

fn try_open(through: bool) -> io::Result<(TheirEnds, OurEnds)> {
    let (requests, our_requests) = pipe()?;
    let (control, our_control) = pipe()?;
    let (our_answers, answers) = pipe()?;
    let (our_stdout, stdout) = pipe()?;
    let (our_stderr, stderr) = pipe()?;
    let (our_page, page) = Page::create()?.unzip();
    let copy = |fd: BorrowedFd<'_>| fcntl_dupfd_cloexec(fd, FIRST_PRIVATE);
    let through = if through {
        Some([copy(io::stdout().as_fd())?, copy(io::stderr().as_fd())?])
    } else {
        None
    };
    let theirs = TheirEnds {
        requests,
        control,
        answers,
        stdout,
        stderr,
        page,
        through,
    };
    let ours = OurEnds {
        page: our_page,
        requests: Outgoing::new(our_requests)?,
        control: Outgoing::new(our_control)?,
        answers: Incoming::new(our_answers)?,
        stdout: Incoming::new(our_stdout)?,
        stderr: Incoming::new(our_stderr)?,
    };
    Ok((theirs, ours))
}

/// A worker program with all that it is started with.
pub(crate) struct Prepared {
    program: Program,
    command: Command,
    ours: OurEnds,
}

impl Prepared {
    /// Starts it, and waits until the system has begun it.
    pub(crate) fn start(self) -> Result<Parts, SpawnFault> {
        let Self {
            program,
            mut command,
            ours,
        } = self;
        let child = command.spawn().map_err(|source| fault(&program, source))?;
        Ok(ours.of(Body::child(Pid::from_child(&child))))
    }
}

/// Prepares `program` as the worker `name` for `kind`, inside of `depth` farms. With `through` it may also write to the
/// farm's own streams.
pub(crate) fn prepare(
    program: &Program,
    kind: &str,
    through: bool,
    name: WorkerName,
    depth: u32,
    jobserver: Option<&Jobserver>,
) -> Result<Prepared, SpawnFault> {
    let (theirs, ours) = open_ends(through)?;
    let mut inheritance = Inheritance::default();
    let mut add = |fd| inheritance.add(fd);
    let launch = || -> io::Result<Launch> {
        let through = match theirs.through {
            Some([out, err]) => Some([add(out)?, add(err)?]),
            None => None,
        };
        Ok(Launch {
            requests: add(theirs.requests)?,
            control: add(theirs.control)?,
            answers: add(theirs.answers)?,
            page: theirs.page.map(&mut add).transpose()?,
            through,
            master: std::process::id(),
            name,
            kind: kind.to_owned(),
        })
    };
    let launch = launch().map_err(|source| SpawnFault::Pipes { source })?;
    let mut command = program.command(&launch.to_string());
    command
        .stdin(Stdio::null())
        .stdout(theirs.stdout)
        .stderr(theirs.stderr)
        .process_group(0)
        .preserved_fds(inheritance.fds);
    lend(program, depth, jobserver, &mut command)?;
    Ok(Prepared {
        program: program.clone(),
        command,
        ours,
    })
}

/// A template that has just been started.
#[derive(Debug)]
pub(crate) struct TemplateParts {
    pub(crate) pid: Pid,
    pub(crate) handle: Handle,
    pub(crate) link: TemplateLink,
    /// What it prints, on either stream.
    pub(crate) output: Incoming,
}

/// Starts `program` as the template of the workers of `kind`.
pub(crate) fn spawn_template(
    program: &Program,
    kind: &str,
    depth: u32,
    jobserver: Option<&Jobserver>,
) -> Result<TemplateParts, SpawnFault> {
    let open = || {
        let (link, socket) = TemplateLink::pair()?;
        let (our_output, output) = pipe()?;
        let mut inheritance = Inheritance::default();
        let socket = inheritance.add(socket)?;
        let streams = [output.try_clone()?, output];
        let our_output = Incoming::new(our_output)?;
        Ok((link, our_output, socket, inheritance, streams))
    };
    let opened = open().map_err(|source| SpawnFault::Pipes { source });
    let (link, our_output, socket, inheritance, [stdout, stderr]) = opened?;
    let launch = TemplateLaunch {
        socket,
        master: std::process::id(),
        kind: kind.to_owned(),
    };
    let mut command = program.command(&launch.to_string());
    command
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(stderr)
        .process_group(0)
        .preserved_fds(inheritance.fds);
    lend(program, depth, jobserver, &mut command)?;
    let mut child = command.spawn().map_err(|source| fault(program, source))?;
    let pid = Pid::from_child(&child);
    let handle = Handle::open(pid).map_err(|source| {
        // Ours and not collected. It may have ended by itself, and then it is collected all the same.
        let _gone = child.kill();
        let _how = child.wait();
        SpawnFault::Watch { source }
    })?;
    Ok(TemplateParts {
        pid,
        handle,
        link,
        output: our_output,
    })
}

/// What a program is told of those above it, unless its own environment says something else.
fn lend(
    program: &Program,
    depth: u32,
    jobserver: Option<&Jobserver>,
    command: &mut Command,
) -> Result<(), SpawnFault> {
    if !program.env.speaks_of(DEPTH_VARIABLE) {
        command.env(DEPTH_VARIABLE, depth.to_string());
    }
    if let Some(jobserver) = jobserver {
        let lent = jobserver.lend(command, &program.env);
        lent.map_err(|source| SpawnFault::Pipes { source })?;
    }
    Ok(())
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

    const KIND: &str = "shell";

    fn failure(program: &Program) -> String {
        prepare(program, KIND, false, NAME, 1, None)
            .and_then(Prepared::start)
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
        let prepared = prepare(&program, KIND, through, NAME, 3, None).expect("pipes");
        let mut parts = prepared.start().expect("a shell");
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
        assert_eq!(launch.kind, KIND);
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
