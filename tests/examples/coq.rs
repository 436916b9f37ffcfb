//! The example `coq` with real `coqc`: a development that is right, broken ones, signals and deaths.

use crate::stage::{Ended, LIMIT, Running, Stage, has};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// Works for some half a second, and for ever.
const SLOW: &str = "Fixpoint f (n : nat) : nat := match n with 0 => 0 | S m => f m + f m end.\n\
                    Definition slow : f 24 = 0. Proof. vm_compute. reflexivity. Qed.\n";
const ENDLESS: &str = "Fixpoint f (n : nat) : nat := match n with 0 => 0 | S m => f m + f m end.\n\
                       Definition endless : f 90 = 0. Proof. vm_compute. reflexivity. Qed.\n";

fn start<'a>(stage: &'a Stage, arguments: &[&str]) -> Running<'a> {
    // Examples are built beside the tests' folder.
    let own = std::env::current_exe().expect("Linux");
    let built = own.parent().and_then(Path::parent);
    let example = built.expect("target/debug/deps").join("examples/coq");
    assert!(
        example.exists(),
        "build it first: cargo build --example coq"
    );
    let mut command = stage.marked(example.to_str().expect("UTF-8"));
    stage.start_command(command.args(arguments))
}

/// A development of these files in the stage's folder `it`.
fn develop(stage: &Stage, files: &[(&str, &str)]) {
    fs::create_dir(stage.path("it")).expect("our own folder");
    for (name, text) in files {
        stage.write(&format!("it/{name}"), text);
    }
}

/// Checked to the end; afterwards no process is left, and nothing in the temporary folder.
fn check(stage: &Stage, arguments: &[&str]) -> Ended {
    settled(stage, start(stage, arguments))
}

fn settled(stage: &Stage, running: Running<'_>) -> Ended {
    let ended = running.end();
    stage.all_gone_within(LIMIT);
    let left = fs::read_dir(stage.path("."))
        .expect("our own folder")
        .flatten();
    let left: Vec<_> = left.map(|entry| entry.file_name()).collect();
    let known =
        |name: &std::ffi::OsString| ["it", "stdout", "stderr"].iter().any(|known| name == known);
    assert!(left.iter().all(known), "{left:?}");
    ended
}

/// Waits for a `coqc` of the stage other than this one: its pid.
fn coqc(stage: &Stage, other_than: i32) -> i32 {
    let deadline = Instant::now() + LIMIT;
    loop {
        let all = stage.processes();
        // One that checks a file: not the one that is asked for its version.
        let mut running = all.iter().filter(|(_, line)| line.starts_with("coqc -R "));
        if let Some((pid, _)) = running.find(|(pid, _)| *pid != other_than) {
            return *pid;
        }
        assert!(Instant::now() < deadline, "no coqc begins: {all:?}");
        std::thread::yield_now();
    }
}

fn kill(pid: i32) {
    kill_process(Pid::from_raw(pid).expect("a pid"), Signal::KILL).expect("it runs");
}

#[test]
fn all_of_the_development_is_right() {
    if !has("coqc") {
        return;
    }
    let stage = Stage::new();
    let ended = check(&stage, &["--workers", "2"]).exits(0);
    let said = ended.text();
    let theories = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/coq/theories");
    let names = fs::read_dir(theories).expect("it is there").flatten();
    let names: Vec<String> = names
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    assert!(names.len() >= 30, "{names:?}");
    for name in &names {
        assert!(
            name.ends_with(".v"),
            "{name}: something is written beside the sources"
        );
        assert_eq!(
            said.matches(&format!(" theories/{name}\n")).count(),
            1,
            "{said}"
        );
    }
    assert!(
        said.contains(&format!(
            "\n{} right, 0 wrong, 0 skipped, 0 not checked; ",
            names.len()
        )),
        "{said}"
    );
    assert_eq!(ended.stderr, "");
}

#[test]
fn what_needs_a_wrong_file_is_skipped_and_the_rest_goes_on() {
    if !has("coqc") {
        return;
    }
    let stage = Stage::new();
    develop(
        &stage,
        &[
            (
                "_CoqProject",
                "# two libraries\n-Q . Small\n-arg \"-w +all\"\na.v b.v\nc.v d.v e.v f.v\n",
            ),
            ("a.v", "Definition one := 1.\n"),
            (
                "b.v",
                "From Small Require Import a.\n\nLemma wrong : one = 2.\nProof. reflexivity. Qed.\n",
            ),
            ("c.v", "From Small Require Import b.\n"),
            ("d.v", "From Small Require Import a c.\n"),
            (
                "e.v",
                "From Small Require Import a.\nLemma right : one = 1.\nProof. reflexivity. Qed.\nPrint one.\n",
            ),
            (
                "f.v",
                "From Small Require Import a.\nFrom Small Require Import missing.\n",
            ),
            ("not_listed.v", "Fail.\n"),
        ],
    );
    let ended = check(&stage, &["--root", "it"]).exits(1);
    let said = ended.text();
    for words in [
        " wrong  b.v\n",
        " wrong  f.v\n",
        " skipped  c.v: it needs b.v; the error is in b.v\n",
        " skipped  d.v: it needs c.v; the error is in b.v\n",
        " s  a.v\n",
        " s  e.v\n",
        "\n2 right, 2 wrong, 2 skipped, 0 not checked; ",
    ] {
        assert_eq!(said.matches(words).count(), 1, "{words} in: {said}");
    }
    assert_eq!(
        ended.stderr.matches("error: ").count(),
        2,
        "{}",
        ended.stderr
    );
    let ended = ended.says("b.v:4:8: error: Unable to unify");
    ended.says("f.v:2:1: error: Cannot find a physical path bound to logical path");
}

#[test]
fn the_first_error_stops_what_runs() {
    if !has("coqc") {
        return;
    }
    let stage = Stage::new();
    let wrong = "Definition two : nat := true.\n";
    develop(
        &stage,
        &[
            ("endless.v", ENDLESS),
            ("after.v", "Require Import endless.\n"),
            ("wrong.v", wrong),
        ],
    );
    let arguments = ["--root", "it", "--first-error", "--workers", "2"];
    let ended = check(&stage, &arguments).exits(1);
    let said = ended.text();
    assert!(
        said.contains("\n0 right, 1 wrong, 0 skipped, 2 not checked; "),
        "{said}"
    );
    ended.says("wrong.v:1:25: error: The term \"true\" has type \"bool\"");
}

#[test]
fn a_file_has_so_much_time() {
    if !has("coqc") {
        return;
    }
    let stage = Stage::new();
    develop(
        &stage,
        &[
            ("endless.v", ENDLESS),
            ("after.v", "Require Import endless.\n"),
        ],
    );
    let arguments = ["--root", "it", "--time-limit", "1"];
    let ended = check(&stage, &arguments)
        .exits(1)
        .says("endless.v: error: timeout");
    assert!(
        ended.text().contains("after.v: it needs endless.v"),
        "{}",
        ended.text()
    );
}

#[test]
fn what_cannot_be_checked_is_said_before_anything_runs() {
    let stage = Stage::new();
    let mut command = std::env::current_exe().expect("Linux");
    command.pop();
    command.pop();
    let mut command = stage.marked(command.join("examples/coq").to_str().expect("UTF-8"));
    let ended = stage.start_command(command.env("PATH", "/nowhere")).end();
    ended
        .exits(2)
        .says("cannot run `coqc`")
        .says("apt install coq");
    if has("coqc") {
        let files = [
            ("a.v", "Require Import c.\n"),
            ("b.v", "Require Import a.\n"),
            ("c.v", "Require Import b.\n"),
        ];
        develop(&stage, &files);
        let ended = check(&stage, &["--root", "it"]).exits(2).says(": a circle");
        assert_eq!(ended.text(), "");
        let nowhere = check(&stage, &["--root", "it/nowhere"]);
        nowhere.exits(2).says("it/nowhere");
    }
}

#[test]
fn an_interrupt_leaves_no_coqc() {
    if !has("coqc") {
        return;
    }
    // Half of a cancel's budget, at which the ladder would help. Others may share this machine: once must do.
    let mut rounds = (0..3).map(|_| interrupted());
    assert!(rounds.any(|took| took < Duration::from_millis(1500)));
}

/// How long it took to end after the signal.
fn interrupted() -> Duration {
    let stage = Stage::new();
    develop(
        &stage,
        &[
            ("endless.v", ENDLESS),
            ("after.v", "Require Import endless.\n"),
        ],
    );
    let running = start(&stage, &["--root", "it"]);
    coqc(&stage, 0);
    running.signal(Signal::INT);
    let asked = Instant::now();
    let said = settled(&stage, running).exits(130).text();
    let took = asked.elapsed();
    assert!(
        said.contains("\n0 right, 0 wrong, 0 skipped, 2 not checked; "),
        "{said}"
    );
    took
}

#[test]
fn a_killed_coqc_and_a_killed_worker_change_no_result() {
    if !has("coqc") {
        return;
    }
    let stage = Stage::new();
    develop(
        &stage,
        &[
            ("slow.v", SLOW),
            ("after.v", "Require Import slow.\nCheck slow.\n"),
        ],
    );
    let running = start(&stage, &["--root", "it", "--workers", "1"]);
    let first = coqc(&stage, 0);
    kill(first);
    coqc(&stage, first);
    let [worker] = running.workers()[..] else {
        panic!("one worker: {:?}", running.workers())
    };
    kill(worker);
    let ended = settled(&stage, running).exits(0);
    assert!(
        ended.text().contains("\n2 right, 0 wrong, "),
        "{}",
        ended.text()
    );
    assert_eq!(ended.stderr, "");
}
