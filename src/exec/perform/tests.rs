//! Real commands through the public traits, without a master. Every wait is for a process or a descriptor.

use super::*;
use crate::exec::wire::{CommandFeedback, StderrPlan, StdinPlan, StdoutPlan};
use farm_protocol::{Attempt, AttemptId, DEFAULT_FRAME_LIMIT, TaskId, encode};
use farm_worker::Detached;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Arc, Mutex};

const HEAD: u32 = 64 << 10;

fn shell(script: &str) -> CommandRequest {
    CommandRequest {
        argv: ["sh", "-c", script].map(str::to_owned).to_vec(),
        head_limit: HEAD,
        ..CommandRequest::default()
    }
}

fn program(argv: &[&str]) -> CommandRequest {
    CommandRequest {
        argv: argv.iter().map(|&word| word.to_owned()).collect(),
        ..shell("")
    }
}

fn bytes(path: &Path) -> Vec<u8> {
    path.as_os_str().as_bytes().to_vec()
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn perform_beside(
    stand_in: &Detached<CommandWire>,
    request: CommandRequest,
) -> (CommandResponse, bool) {
    let id = AttemptId {
        task: TaskId::new(1, 0),
        attempt: Attempt(1),
    };
    let context = Context::detached(id, stand_in);
    let response = Commands::new().perform(request, &context);
    assert_eq!(response.left_behind, context.flags().left_behind);
    (response, context.flags().heeded_cancel)
}

fn perform(request: CommandRequest) -> CommandResponse {
    let stand_in = Detached::new().expect("descriptors");
    perform_beside(&stand_in, request).0
}

fn exited(response: &CommandResponse) -> i32 {
    match &response.ended {
        Ended::Exited(code) => *code,
        other => panic!("not exited: {other:?}"),
    }
}

fn refused(request: CommandRequest) -> (String, Option<i32>) {
    match perform(request).ended {
        Ended::NotStarted { message, errno } => (message, errno),
        other => panic!("started: {other:?}"),
    }
}

#[test]
fn exit_codes_and_signals() {
    let response = perform(program(&["true"]));
    assert_eq!(exited(&response), 0);
    assert!(response.pid > 0 && response.wall_nanos > 0 && response.peak_bytes > 0);
    assert_eq!(response.stdout, Captured::default());
    assert_eq!(exited(&perform(shell("exit 42"))), 42);
    let killed = perform(shell("kill -9 $$"));
    assert!(matches!(killed.ended, Ended::Signaled { signal: 9, .. }));
}

#[test]
fn streams_are_told_apart_and_need_not_be_text() {
    let response = perform(shell(r"printf 'a\377b'; printf err >&2"));
    assert_eq!(response.stdout.head, b"a\xffb");
    assert_eq!(response.stdout.total, 3);
    assert_eq!(response.stderr.head, b"err");
    assert_eq!(response.trouble, None);
    let frame = encode(&response, DEFAULT_FRAME_LIMIT.0 as usize).expect("it can be encoded");
    assert_eq!(farm_protocol::decode(&frame), Ok(response));
}

#[test]
fn environment_and_folder() {
    let folder = folder();
    let real = folder.path().canonicalize().expect("it exists");
    let request = CommandRequest {
        env: vec![("FARM_A".into(), "x y".into())],
        clear_env: true,
        cwd: Some(bytes(&real)),
        ..program(&["/bin/sh", "-c", "pwd; echo $FARM_A $HOME"])
    };
    let out = perform(request).stdout.head;
    let expected = [real.as_os_str().as_bytes(), b"\nx y\n"].concat();
    assert_eq!(out, expected);
}

#[test]
fn the_rest_begins_exactly_behind_the_head() {
    let folder = folder();
    for (written, rest) in [
        (99, None),
        (100, None),
        (101, Some("1")),
        (350, Some("123")),
    ] {
        let prefix = folder.path().join(format!("of-{written}"));
        let script = format!("yes 0123456789 | tr -d '\\n' | head -c {written}; echo e >&2");
        let request = CommandRequest {
            head_limit: 100,
            spill: Some(bytes(&prefix)),
            ..shell(&script)
        };
        let response = perform(request);
        assert_eq!(response.stdout.total, written);
        assert_eq!(response.stdout.head.len() as u64, written.min(100));
        assert_eq!(response.stderr.rest, None, "two bytes are all head");
        let path = folder.path().join(format!("of-{written}.stdout"));
        match rest {
            None => {
                assert_eq!(response.stdout.rest, None);
                assert!(!path.exists());
            }
            Some(_) => {
                assert_eq!(response.stdout.rest, Some(bytes(&path)));
                let spilled = fs::read(&path).expect("spilled");
                let whole = "0123456789".repeat(40).into_bytes();
                assert_eq!(
                    spilled,
                    whole[100..usize::try_from(written).expect("small")]
                );
            }
        }
        assert_eq!(response.trouble, None);
    }
}

#[test]
fn fifty_megabytes_cost_a_head_and_a_buffer() {
    let before = peak_kib();
    let response = perform(shell("head -c 50000000 /dev/zero"));
    assert_eq!(response.stdout.total, 50_000_000);
    assert_eq!(response.stdout.head.len(), HEAD as usize);
    assert_eq!(response.stdout.rest, None);
    // Other tests run beside this one; what is excluded is keeping it all.
    assert!(peak_kib() - before < 30_000);
}

fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("a Linux");
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number
        .and_then(|number| number.parse().ok())
        .expect("a peak")
}

#[test]
fn a_full_disk_is_told_and_blocks_nobody() {
    let folder = folder();
    std::os::unix::fs::symlink("/dev/full", folder.path().join("full.stdout")).expect("a link");
    for prefix in ["full", "no/such/folder"] {
        let prefix = folder.path().join(prefix);
        let request = CommandRequest {
            head_limit: 10,
            spill: Some(bytes(&prefix)),
            ..shell("head -c 1000000 /dev/zero")
        };
        let response = perform(request);
        assert_eq!(exited(&response), 0);
        assert_eq!(response.stdout.total, 1_000_000);
        let trouble = response.trouble.expect("lost output is told");
        assert!(trouble.contains(".stdout"), "{trouble}");
    }
}

#[test]
fn merged_errors_keep_their_place() {
    let folder = folder();
    let script = "for i in 1 2 3; do echo out$i; echo err$i >&2; done";
    let merged = CommandRequest {
        stderr: StderrPlan::Stdout,
        ..shell(script)
    };
    let response = perform(merged);
    let expected = b"out1\nerr1\nout2\nerr2\nout3\nerr3\n";
    assert_eq!(response.stdout.head, expected);
    assert_eq!(response.stderr, Captured::default());
    let same_file = CommandRequest {
        cwd: Some(bytes(folder.path())),
        stdout: StdoutPlan::File(b"both".to_vec()),
        stderr: StderrPlan::File(b"both".to_vec()),
        ..shell(script)
    };
    assert_eq!(exited(&perform(same_file)), 0);
    assert_eq!(
        fs::read(folder.path().join("both")).expect("written"),
        expected
    );
}

#[test]
fn input_from_nothing_bytes_and_a_file() {
    assert_eq!(perform(shell("cat")).stdout.total, 0);
    let large: Vec<u8> = (0..300_000_u32).map(|n| (n % 251) as u8).collect();
    let request = CommandRequest {
        stdin: StdinPlan::Bytes(large.clone()),
        head_limit: 1 << 20,
        ..program(&["cat"])
    };
    assert_eq!(perform(request).stdout.head, large);
    let unread = CommandRequest {
        stdin: StdinPlan::Bytes(large),
        ..program(&["true"])
    };
    assert_eq!(exited(&perform(unread)), 0);
    let folder = folder();
    fs::write(folder.path().join("in"), "from a file").expect("written");
    let request = CommandRequest {
        cwd: Some(bytes(folder.path())),
        stdin: StdinPlan::File(b"in".to_vec()),
        ..program(&["cat"])
    };
    assert_eq!(perform(request).stdout.head, b"from a file");
}

#[test]
fn what_cannot_start_says_why() {
    const NOENT: Option<i32> = Some(2);
    let folder = folder();
    let (message, errno) = refused(program(&["no-such-program-at-all"]));
    assert_eq!(
        message,
        r#"cannot start "no-such-program-at-all": not found in PATH"#
    );
    assert_eq!(errno, NOENT);
    let (message, _) = refused(program(&["./no/such"]));
    assert_eq!(
        message,
        r#"cannot start "./no/such": No such file or directory"#
    );
    let gone = CommandRequest {
        cwd: Some(b"/no/such/folder".to_vec()),
        ..program(&["true"])
    };
    let (message, errno) = refused(gone);
    assert_eq!(
        message,
        r#"working directory "/no/such/folder": No such file or directory"#
    );
    assert_eq!(errno, NOENT);
    let no_input = CommandRequest {
        stdin: StdinPlan::File(b"/no/input".to_vec()),
        ..program(&["true"])
    };
    let (message, _) = refused(no_input);
    assert!(
        message.starts_with(r#"cannot read standard input from "/no/input": No such"#),
        "{message}"
    );
    let script = folder.path().join("script");
    fs::write(&script, "#!/no/such/interpreter\n").expect("written");
    let path = script.to_str().expect("text");
    assert!(refused(program(&[path])).0.contains("permission denied"));
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&script, executable).expect("ours");
    assert!(refused(program(&[path])).0.contains("interpreter"));
    assert!(refused(program(&[])).0.contains("empty"));
    assert!(refused(program(&["true", "a\0b"])).0.contains("nul"));
}

#[test]
fn a_cancelled_command_is_told_at_once() {
    let stand_in = Detached::new().expect("descriptors");
    stand_in.cancel().raise();
    let (response, heeded) = perform_beside(&stand_in, program(&["sleep", "1000"]));
    assert!(matches!(response.ended, Ended::Signaled { signal: 15, .. }));
    assert!(heeded);
}

#[test]
fn a_command_that_ignores_the_signal_is_waited_for() {
    let said = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&said);
    let stand_in = Detached::new().expect("descriptors").on_feedback(
        move |CommandFeedback::Output { bytes, .. }: &CommandFeedback| {
            sink.lock().expect("no panic").extend_from_slice(bytes);
        },
    );
    let request = CommandRequest {
        live: true,
        ..shell("trap '' TERM; echo on; read line < fifo; echo off")
    };
    let folder = folder();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        folder.path().join("fifo"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .expect("a fifo");
    let request = CommandRequest {
        cwd: Some(bytes(folder.path())),
        ..request
    };
    std::thread::scope(|scope| {
        let performing = scope.spawn(|| perform_beside(&stand_in, request));
        // Opening waits for the command to open its end, so its trap is set.
        let line = fs::OpenOptions::new()
            .write(true)
            .open(folder.path().join("fifo"))
            .expect("a fifo");
        stand_in.cancel().raise();
        std::io::Write::write_all(&mut &line, b"go\n").expect("it reads");
        let (response, _) = performing.join().expect("no panic");
        assert_eq!(exited(&response), 0);
        assert_eq!(response.stdout.head, b"on\noff\n");
    });
    assert_eq!(
        *said.lock().expect("no panic"),
        b"on\noff\n",
        "relayed as it came"
    );
}

/// A worker that is killed answers nothing: what its command has said by then must have been told before.
#[test]
fn the_head_is_told_once_the_command_is_asked_to_end() {
    let said = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&said);
    let stand_in = Detached::new().expect("descriptors").on_feedback(
        move |CommandFeedback::Output { bytes, .. }: &CommandFeedback| {
            sink.lock().expect("no panic").extend_from_slice(bytes);
        },
    );
    let request = CommandRequest {
        head_limit: 12,
        ..shell("trap 'echo while ending; exit' TERM; echo before; kill -TERM $$; echo never")
    };
    let (_, _) = perform_beside(&stand_in, request.clone());
    assert!(said.lock().expect("no panic").is_empty(), "nobody asked");
    stand_in.cancel().raise();
    let (response, _) = perform_beside(&stand_in, request);
    let said = said.lock().expect("no panic");
    assert_eq!(
        *said, response.stdout.head,
        "told as far as a response carries it"
    );
}

/// Set in the child process of the next test.
const ALONE: &str = "FARM_TEST_ALONE";

/// Needs a process in which nothing else starts processes, and which adopts orphans, as a worker does.
#[test]
fn what_a_command_leaves_behind_is_seen_and_not_waited_for() {
    if std::env::var_os(ALONE).is_none() {
        let own = std::env::current_exe().expect("a path of this program");
        let name = std::thread::current().name().map(str::to_owned);
        let alone = Command::new(own)
            .args([
                "--exact",
                &name.expect("tests are named"),
                "--test-threads=1",
            ])
            .env(ALONE, "1")
            .output()
            .expect("this program starts");
        let said = String::from_utf8_lossy(&alone.stdout);
        assert!(
            alone.status.success() && said.contains("1 passed"),
            "{said}"
        );
        return;
    }
    rustix::process::set_child_subreaper(Some(rustix::process::getpid())).expect("allowed");
    let stand_in = Detached::new().expect("descriptors").owning_children();
    let (clean, _) = perform_beside(&stand_in, shell("sleep 0 & wait; true"));
    assert!(!clean.left_behind);
    // It writes without end into the pipe it inherited: that must not keep us either.
    let (response, _) = perform_beside(&stand_in, shell("yes & echo $! >&2"));
    assert_eq!(exited(&response), 0);
    assert!(response.left_behind);
    let said = String::from_utf8(response.stderr.head).expect("a number");
    let pid: i32 = said.trim().parse().expect("a number");
    let pid = Pid::from_raw(pid).expect("a pid");
    // In a session of its own, where no signal to the worker's group reaches it.
    let (away, _) = perform_beside(&stand_in, shell("setsid sleep 1000 &"));
    assert!(away.left_behind);
    assert_eq!(
        has_other_children().ok(),
        Some(false),
        "killed and collected"
    );
    assert!(kill_process(pid, Signal::KILL).is_err(), "it is gone");
}

#[test]
fn want_of_memory_is_named_when_it_says_so() {
    let said = perform(shell("echo 'MemoryError' >&2; exit 1"));
    assert_eq!(
        said.out_of_memory.as_deref(),
        Some("out of memory (its last words say so)")
    );
    for innocent in ["exit 1", "kill -9 $$", "echo MemoryError >&2"] {
        assert_eq!(perform(shell(innocent)).out_of_memory, None, "{innocent}");
    }
}
