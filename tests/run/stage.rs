//! A folder, a mark, and `farm run` in it: started, bounded in time, read afterwards.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use serde_json::Value;
use std::fs::{self, File};
use std::io::Read as _;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// No run of a test takes this long, on however slow a machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// The variable by which a test's processes are known.
const MARK: &str = "FARM_TEST_MARK";

/// A folder of its own and everything that runs there.
pub(crate) struct Stage {
    folder: tempfile::TempDir,
    mark: String,
}

impl Stage {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            mark: format!("{MARK}={}-{number}", std::process::id()),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).expect("our own folder");
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.path(name)).unwrap_or_default()).into_owned()
    }

    /// A named pipe that tasks write lines into.
    pub(crate) fn fifo(&self, name: &str) -> Fifo {
        let path = self.path(name);
        let mode = Mode::RUSR | Mode::WUSR;
        rustix::fs::mknodat(CWD, &path, FileType::Fifo, mode, 0).expect("our own folder");
        // Open both ways: it never ends, and nobody waits for us to open it.
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = rustix::fs::open(&path, flags, Mode::empty()).expect("just made");
        Fifo(fd)
    }

    /// `farm run` with these arguments, in the folder; not started.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.marked(env!("CARGO_BIN_EXE_farm"));
        command.arg("run").args(arguments);
        command
    }

    /// Any program that a test needs, with the mark.
    pub(crate) fn marked(&self, program: &str) -> Command {
        let mut command = self.bare(program);
        command
            .stdout(self.create("stdout"))
            .stderr(self.create("stderr"));
        command
    }

    /// The same with the streams of the test itself.
    pub(crate) fn bare(&self, program: &str) -> Command {
        let (name, value) = self.mark.split_once('=').expect("as made");
        let mut command = Command::new(program);
        command
            .current_dir(self.folder.path())
            .env(name, value)
            .env("TMPDIR", self.folder.path())
            .env_remove("FARM_LOG")
            // Whoever runs the tests may be a make.
            .env_remove("MAKEFLAGS")
            .env_remove("MFLAGS")
            .env_remove("CARGO_MAKEFLAGS")
            // Runs of one test are not to be seen by another.
            .env_remove("XDG_RUNTIME_DIR")
            .stdin(Stdio::null());
        command
    }

    fn create(&self, name: &str) -> File {
        File::create(self.path(name)).expect("our own folder")
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Running<'_> {
        self.start_command(&mut self.command(arguments))
    }

    pub(crate) fn start_command(&self, command: &mut Command) -> Running<'_> {
        let child = command.spawn().expect("the program was built");
        Running { stage: self, child }
    }

    /// Runs to the end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.start(arguments).end()
    }

    /// Runs the tasks of this text, and answers their results with it.
    pub(crate) fn tasks(&self, text: &str, arguments: &[&str]) -> Ended {
        self.write("tasks.json", text);
        let mut all = vec!["tasks.json", "--results", "results"];
        all.extend(arguments);
        self.run(&all)
    }

    /// Processes that carry the mark: pid and command line. The dead and uncollected have none.
    pub(crate) fn processes(&self) -> Vec<(i32, String)> {
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").expect("Linux").flatten() {
            let name = entry.file_name();
            let Some(pid) = name.to_str().and_then(|name| name.parse::<i32>().ok()) else {
                continue;
            };
            let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
            let ours = environment
                .split(|byte| *byte == 0)
                .any(|variable| variable == self.mark.as_bytes());
            if ours {
                let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
                let line = String::from_utf8_lossy(&line).replace('\0', " ");
                found.push((pid, line));
            }
        }
        found
    }

    /// Waits until no process of the stage is left.
    pub(crate) fn all_gone_within(&self, limit: Duration) {
        let left = || Some(self.processes()).filter(|left| !left.is_empty());
        let deadline = Instant::now() + limit;
        while let Some(left) = left() {
            assert!(Instant::now() < deadline, "still there: {left:?}");
            std::thread::yield_now();
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        for (pid, _) in self.processes() {
            // It may have ended since.
            let _ = kill_process(Pid::from_raw(pid).expect("a pid"), Signal::KILL);
        }
    }
}

/// Lines that tasks write.
pub(crate) struct Fifo(OwnedFd);

impl Fifo {
    /// Waits for `count` line ends, and answers everything that came.
    pub(crate) fn lines(&self, count: usize) -> String {
        let mut text = Vec::new();
        let deadline = Instant::now() + LIMIT;
        while text.iter().filter(|byte| **byte == b'\n').count() < count {
            let mut bytes = [0; 512];
            match rustix::io::read(&self.0, &mut bytes) {
                Ok(count) => text.extend_from_slice(&bytes[..count]),
                Err(_) => assert!(
                    readable(self.0.as_fd(), deadline),
                    "no {count} lines: {}",
                    String::from_utf8_lossy(&text)
                ),
            }
        }
        String::from_utf8(text).expect("text")
    }
}

impl Fifo {
    /// Writes so many empty lines, each of which one reader takes.
    pub(crate) fn say(&self, count: usize) {
        let written = rustix::io::write(&self.0, &vec![b'\n'; count]);
        assert_eq!(written, Ok(count));
    }
}

/// Waits until it is, or the deadline has passed.
fn readable(fd: impl AsFd, deadline: Instant) -> bool {
    let left = deadline.saturating_duration_since(Instant::now());
    let left = Timespec::try_from(left).expect("a minute");
    let fd = fd.as_fd();
    poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&left)).is_ok_and(|count| count > 0)
}

/// A `farm run` that was started.
pub(crate) struct Running<'a> {
    stage: &'a Stage,
    child: Child,
}

impl Running<'_> {
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("not collected");
    }

    /// Its workers' pids: the children of its threads.
    pub(crate) fn workers(&self) -> Vec<i32> {
        children(self.pid().as_raw_nonzero().get())
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Ended {
        let pidfd = pidfd_open(self.pid(), PidfdFlags::empty()).expect("not collected");
        if !readable(&pidfd, Instant::now() + LIMIT) {
            drop(self.child.kill());
            let said = self.stage.read("stderr");
            panic!("it does not end; it said: {said}");
        }
        let status = self.child.wait().expect("our child");
        Ended {
            status,
            stdout: fs::read(self.stage.path("stdout")).unwrap_or_default(),
            stderr: self.stage.read("stderr"),
            results: jsonl(&self.stage.path("results")),
        }
    }
}

/// The pids of the living children of a process.
pub(crate) fn children(pid: i32) -> Vec<i32> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task"));
    let lists = tasks.into_iter().flatten().flatten();
    let lists = lists.map(|task| fs::read_to_string(task.path().join("children")));
    lists
        .flatten()
        .flat_map(|list| {
            let pids = list.split_whitespace();
            pids.filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>()
        })
        .collect()
}

/// Every line of a file as JSON: each must be.
pub(crate) fn jsonl(path: &Path) -> Vec<Value> {
    let mut text = String::new();
    if let Ok(mut file) = File::open(path) {
        file.read_to_string(&mut text).expect("UTF-8");
    }
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect()
}

/// A `farm run` that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
    pub(crate) results: Vec<Value>,
}

impl Ended {
    /// Ended by itself with this code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.status.code(), Some(code), "{self:#?}");
        self
    }

    /// Ended by this signal.
    #[track_caller]
    pub(crate) fn dies_of(self, signal: Signal) -> Self {
        assert_eq!(self.status.signal(), Some(signal.as_raw()), "{self:#?}");
        self
    }

    /// The stderr says this.
    #[track_caller]
    pub(crate) fn says(self, words: &str) -> Self {
        assert!(self.stderr.contains(words), "{words} in: {}", self.stderr);
        self
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// The result of a task, of which there is exactly one.
    #[track_caller]
    pub(crate) fn result(&self, id: &str) -> &Value {
        let mut found = self.results.iter().filter(|result| match &result["id"] {
            Value::String(text) => text == id,
            // A number is not its text: `1` is found by "1".
            other => other
                .as_u64()
                .is_some_and(|number| id.parse() == Ok(number)),
        });
        let result = found.next();
        assert!(found.next().is_none(), "{id} has two results");
        result.unwrap_or_else(|| panic!("{id} has no result: {self:#?}"))
    }

    #[track_caller]
    pub(crate) fn status_of(&self, id: &str) -> &str {
        self.result(id)["status"].as_str().expect("a word")
    }
}

/// Whether a program is there. Without it a test has nothing to say, and says that, unless somebody insists.
#[expect(
    clippy::print_stderr,
    reason = "a test that proves nothing must say so"
)]
pub(crate) fn has(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let there = std::env::split_paths(&paths).any(|folder| folder.join(program).is_file());
    let insists = std::env::var_os("FARM_REQUIRE_PROGRAMS").is_some();
    assert!(there || !insists, "{program} is not installed");
    if !there {
        eprintln!("skipped: {program} is not installed");
    }
    there
}
