//! A farm in programs whose `main` is not ours, such as this one: the example `embedded`, from Rust and from C.
//!
//! It has the usual harness on purpose: started again it would run its tests, so it cannot be its own worker.

#[expect(
    unreachable_pub,
    reason = "it is a library, which is looked at from within here"
)]
#[path = "../examples/embedded/lib.rs"]
mod embedded;

use embedded::Counter;
use farm::master::StartFailures;
use farm::protocol::{Never, Wire};
use farm::{Farm, Outcome, Pool, Program, TaskKind, Verdict, WorkerStatus};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What cargo has built of the examples, beside the folder of this program. In a package of your own the worker is a
/// `[[bin]]`, and this is `env!("CARGO_BIN_EXE_…")`.
fn built(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("Linux");
    let target = own.parent().and_then(Path::parent);
    let path = target
        .expect("target/debug/deps")
        .join("examples")
        .join(name);
    assert!(
        path.exists(),
        "build it first (`cargo test` alone does): cargo build --examples"
    );
    path
}

fn worker() -> PathBuf {
    built("embedded_worker")
}

#[test]
fn a_test_may_have_a_farm() {
    let counter = Counter::start(worker()).expect("a farm");
    let words = counter.count(["", "one", "one two  three\n"]);
    assert_eq!(words.as_deref(), Ok(&[0, 1, 3][..]));
    let again = counter.count(["four words and more"]);
    assert_eq!(again.as_deref(), Ok(&[4][..]));
    counter.finish();
}

#[test]
fn two_tests_may_have_one_each() {
    let counters = [(); 2].map(|()| Counter::start(worker()).expect("a farm"));
    for counter in &counters {
        assert_eq!(counter.count(["a b"]).as_deref(), Ok(&[2][..]));
    }
}

#[track_caller]
fn fails(worker: impl Into<PathBuf>, words: &[&str]) {
    let counter = Counter::start(worker).expect("a farm");
    let why = counter.count(["a"]).expect_err("there is no such worker");
    for words in words {
        assert!(why.contains(words), "`{words}` is not in: {why}");
    }
}

#[test]
fn a_wrong_worker_is_an_error_in_words() {
    fails("/no/such/worker", &["/no/such/worker", "No such file"]);
    fails("/bin/false", &["before its hello", "code 1"]);
}

/// The master's half of a version that the worker program has not seen.
struct Newer;

impl Wire for Newer {
    const NAME: &'static str = "words";
    const VERSION: u32 = 2;
    type Request = String;
    type Response = u64;
    type Feedback = Never;
    type Context = Never;
}

impl TaskKind for Newer {
    type Wire = Self;
    type Task = ();
    type Competence = ();
    type Output = u64;
    type Failure = ();
    fn request_of_task(&mut self, _: &WorkerStatus<()>, (): &()) -> Option<String> {
        Some(String::new())
    }
    fn use_response(&mut self, _: &WorkerStatus<()>, (): &(), words: u64) -> Verdict<Self> {
        Verdict::done(words, ())
    }
}

#[test]
fn a_worker_of_another_version_is_told_apart() {
    let mut builder = Farm::builder();
    builder.start_failures(StartFailures {
        limit: 1,
        ..StartFailures::default()
    });
    let kind = builder.kind(Newer, Pool::new(Program::path(worker()), 1));
    let farm = builder.start().expect("a farm");
    let settled = farm.queue(kind).submit(()).wait().expect("admitted");
    let Outcome::SpawnFailed(why) = settled.outcome else {
        panic!("it must not start");
    };
    for words in [
        "kind `words` is version 1 in the worker and 2 in the master",
        "rebuild",
    ] {
        assert!(why.contains(words), "`{words}` is not in: {why}");
    }
}

/// A host may have left SIGPIPE as it is by default: a worker that dies must not take it along.
#[test]
fn the_threads_of_a_farm_block_sigpipe_for_themselves() {
    let counter = Counter::start(worker()).expect("a farm");
    counter.count(["a"]).expect("counted");
    let threads = std::fs::read_dir("/proc/self/task").expect("Linux");
    let statuses = threads.flatten().map(|thread| {
        let status = std::fs::read_to_string(thread.path().join("status"));
        // It may have ended since.
        status.unwrap_or_default()
    });
    let of_farms: Vec<String> = statuses
        .filter(|status| status.starts_with("Name:\tfarm\n"))
        .collect();
    assert!(!of_farms.is_empty());
    for status in of_farms {
        let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:"));
        let mask = u64::from_str_radix(mask.expect("a line for it").trim(), 16);
        assert_eq!(mask.expect("hexadecimal") & 1 << 12, 1 << 12, "{status}");
    }
}

#[test]
fn a_program_in_c_may_have_a_farm() {
    let compiler = "cc";
    if !has(compiler) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("host");
    let library = built("libembedded.so");
    let library = library.parent().expect("a folder");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/embedded/main.c");
    let compiled = Command::new(compiler)
        .arg("-o")
        .arg(&program)
        .arg(source)
        .arg("-L")
        .arg(library)
        .arg("-lembedded")
        .status();
    assert!(compiled.expect("it starts").success());
    let run = |worker: &Path| {
        let mut host = Command::new(&program);
        host.arg(worker).arg("words of a program in C");
        let said = host.env("LD_LIBRARY_PATH", library).output();
        let said = said.expect("it starts");
        (
            said.status.code(),
            String::from_utf8_lossy(&said.stdout).into_owned(),
        )
    };
    assert_eq!(run(&worker()), (Some(0), "6\n".to_owned()));
    assert_eq!(
        run(Path::new("/no/such/worker")),
        (Some(1), "-1\n".to_owned())
    );
}

/// Whether a program is there. Without it a test has nothing to say, and says that, unless somebody insists.
#[expect(
    clippy::print_stderr,
    reason = "a test that proves nothing must say so"
)]
fn has(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let there = std::env::split_paths(&paths).any(|folder| folder.join(program).is_file());
    let insists = std::env::var_os("FARM_REQUIRE_PROGRAMS").is_some();
    assert!(there || !insists, "{program} is not installed");
    if !there {
        eprintln!("skipped: {program} is not installed");
    }
    there
}
