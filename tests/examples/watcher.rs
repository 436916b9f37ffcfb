//! The example `watcher`: real files, and a compiler that waits, dies or kills when a test says so.

use super::game_room::{example, told};
use crate::stage::{Fifo, LIMIT, Running, Stage, has};
use rustix::process::Signal;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

/// A compiler that says what it is asked; at `held.c` it waits, if it is told to, and files may kill whoever asks.
const COMPILER: &str = r#"#!/bin/sh
echo "$2" >>../checks
if test "$2" = ./held.c && rm ../hold 2>/dev/null; then read go <../go; fi
if grep -q murder "$2"; then kill -9 $PPID; fi
"#;

/// How often a file changes while its checker is busy.
const EDITS: u32 = 8;

/// A folder `files`, and a compiler that is not the real one.
fn stage() -> (Stage, [Fifo; 2]) {
    let stage = Stage::new();
    for folder in ["files", "bin"] {
        fs::create_dir(stage.path(folder)).expect("our own folder");
    }
    let compiler = stage.write("bin/cc", COMPILER);
    fs::set_permissions(compiler, fs::Permissions::from_mode(0o755)).expect("our own file");
    let fifos = ["checks", "go"].map(|name| stage.fifo(name));
    (stage, fifos)
}

fn watch<'a>(stage: &'a Stage, arguments: &[&str]) -> Running<'a> {
    let path = std::env::var("PATH").expect("a path");
    let path = format!("{}:{path}", stage.path("bin").display());
    let mut command = stage.marked(&example("watcher"));
    stage.start_command(command.args(arguments).env("PATH", path))
}

/// As editors do it: nobody sees half of it.
fn save(stage: &Stage, name: &str, text: &str) {
    let half = stage.write("half", text);
    fs::rename(half, stage.path("files").join(name)).expect("our own folder");
}

#[test]
fn while_a_check_runs_all_versions_but_the_newest_are_overtaken() {
    let (stage, [checks, _go]) = stage();
    stage.write("hold", "");
    save(&stage, "held.c", "1");
    save(&stage, "probe.c", "1");
    let running = watch(&stage, &["files", "--once", "--interval", "5"]);
    let mut first: Vec<_> = checks.lines(2).lines().map(str::to_owned).collect();
    first.sort();
    assert_eq!(first, ["./held.c", "./probe.c"]);
    for edit in 2..=EDITS {
        save(&stage, "held.c", &edit.to_string());
        // When that is checked, the version before it has been seen.
        save(&stage, "probe.c", &edit.to_string());
        assert_eq!(checks.lines(1), "./probe.c\n");
    }
    stage.write("go", "\n");
    assert_eq!(checks.lines(1), "./held.c\n");
    let text = running.end().exits(0).text();
    stage.all_gone_within(LIMIT);
    let held: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with("held.c"))
        .collect();
    let newest = format!(
        "held.c: version {EDITS} ({} before it overtaken): fine",
        EDITS - 2
    );
    assert_eq!(held, ["held.c: version 1: fine", &*newest]);
    let (seen, checked) = (2 * EDITS, EDITS + 2);
    let last = format!("2 files, 0 not fine; {seen} versions seen, {checked} checked");
    assert_eq!(text.lines().last(), Some(&*last));
}

#[test]
fn files_come_and_go_and_a_checker_that_dies_leaves_the_others_alone() {
    let (stage, [_checks, _go]) = stage();
    save(&stage, "list.json", "[1, 2]");
    save(&stage, "greet.sh", "if true; then echo hello\n");
    save(&stage, "worse.c", "murder");
    save(&stage, "notes.txt", "nobody checks it");
    let running = watch(&stage, &["files"]);
    assert_eq!(told(&stage, "list.json: version 1: "), "fine");
    assert!(told(&stage, "greet.sh: version 1: ").contains("yntax"));
    let why = told(&stage, "worse.c: its checker crashed: ");
    assert!(why.contains("killed by SIGKILL"), "{why}");
    assert_eq!(told(&stage, "worse.c: version 1: "), "given up");
    // Each of the three is watched all the same.
    save(&stage, "list.json", "[1,, 2]");
    let wrong = told(&stage, "list.json: version 2: ");
    assert!(wrong.ends_with("at line 1 column 4"), "{wrong}");
    save(&stage, "worse.c", "better");
    assert_eq!(told(&stage, "worse.c: version 2: "), "fine");
    fs::remove_file(stage.path("files/greet.sh")).expect("it is there");
    told(&stage, "greet.sh: gone");
    save(&stage, "new.json", "{}");
    assert_eq!(told(&stage, "new.json: version 1: "), "fine");
    running.signal(Signal::INT);
    let text = running.end().dies_of(Signal::INT).text();
    assert_eq!(text.matches("crashed").count(), 2, "{text}");
    assert!(!text.contains("notes"), "{text}");
    stage.all_gone_within(LIMIT);
}

#[test]
fn a_file_for_which_there_is_no_room_is_checked_when_there_is() {
    let (stage, _fifos) = stage();
    save(&stage, "first.json", "[1]");
    let running = watch(&stage, &["files", "--files", "1"]);
    assert_eq!(told(&stage, "first.json: version 1: "), "fine");
    save(&stage, "second.json", "[");
    let why = told(&stage, "second.json: nobody checks it: ");
    assert!(why.starts_with("the table is full: 1 may live"), "{why}");
    fs::remove_file(stage.path("files/first.json")).expect("it is there");
    let wrong = told(&stage, "second.json: version 1: ");
    assert!(wrong.starts_with("EOF"), "{wrong}");
    running.signal(Signal::INT);
    let text = running.end().dies_of(Signal::INT).text();
    assert_eq!(text.matches("nobody").count(), 1, "{text}");
    stage.all_gone_within(LIMIT);
}

#[test]
fn a_check_ends_with_its_file_and_with_an_interrupt() {
    let (stage, [checks, _go]) = stage();
    for end in ["gone", "interrupt"] {
        stage.write("hold", "");
        save(&stage, "held.c", end);
        let running = watch(&stage, &["files"]);
        assert_eq!(checks.lines(1), "./held.c\n");
        if end == "gone" {
            fs::remove_file(stage.path("files/held.c")).expect("it is there");
            told(&stage, "held.c: gone");
            let compiles = |(_, line): &(i32, String)| line.contains("bin/cc");
            assert!(!stage.processes().iter().any(compiles));
        }
        running.signal(Signal::INT);
        running.end().dies_of(Signal::INT);
        stage.all_gone_within(LIMIT);
    }
}

#[test]
fn once_says_whether_all_is_fine_and_what_is_no_folder_is_an_error() {
    let (stage, _fifos) = stage();
    save(&stage, "list.json", "[1");
    let once = |folder: &str| watch(&stage, &[folder, "--once"]).end();
    let text = once("files").exits(1).text();
    let last = "1 files, 1 not fine; 1 versions seen, 1 checked";
    assert_eq!(text.lines().last(), Some(last));
    save(&stage, "list.json", "[1]");
    once("files").exits(0);
    once("nowhere")
        .exits(2)
        .says("watcher: nowhere: No such file");
    stage.all_gone_within(LIMIT);
}

#[test]
fn somebody_at_work_in_its_own_folder() {
    if !has("cc") {
        return;
    }
    let stage = Stage::new();
    let text = stage
        .start_command(&mut stage.marked(&example("watcher")))
        .end();
    let text = text.exits(0).text();
    stage.all_gone_within(LIMIT);
    let last = text.lines().last().expect("a summary");
    assert!(last.starts_with("3 files, 0 not fine; "), "{text}");
    assert!(text.contains("before it overtaken"), "{text}");
    assert!(text.contains("menu.json: gone\n"), "{text}");
}
