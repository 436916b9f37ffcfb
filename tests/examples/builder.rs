//! `examples/builder` with a real compiler: its own project, and a small one whose compiler can be stopped midway.

use crate::stage::{Ended, Fifo, Running, Stage, has};
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Files of the small project, besides its `main.c`.
const FILES: usize = 7;

/// A compiler like any other, but for one file, at which it waits when it is told to.
const COMPILER: &str = r#"#!/bin/sh
case "$*" in
*src/f4.c*) if rm wait 2>/dev/null; then echo $$ $PPID >waiting; exec sleep 1000; fi ;;
esac
exec cc "$@"
"#;

fn example() -> String {
    // Examples are built beside the tests' folder.
    let own = std::env::current_exe().expect("Linux");
    let built = own.parent().and_then(Path::parent);
    let example = built.expect("target/debug/deps").join("examples/builder");
    assert!(
        example.exists(),
        "build it first: cargo build --example builder"
    );
    example.to_str().expect("UTF-8").to_owned()
}

fn builder<'a>(stage: &'a Stage, arguments: &[&str]) -> Running<'a> {
    let mut command = stage.marked(&example());
    stage.start_command(
        command
            .args(["compile_commands.json", "--out", "out"])
            .args(arguments),
    )
}

fn build(stage: &Stage, arguments: &[&str]) -> Ended {
    builder(stage, arguments).end()
}

/// The names after a word at the beginning of a line.
fn named(ended: &Ended, word: &str) -> BTreeSet<String> {
    let text = ended.text();
    let lines = text
        .lines()
        .filter_map(|line| line.strip_prefix(word)?.split_once(": "));
    lines.map(|(name, _)| name.trim().to_owned()).collect()
}

fn prints(stage: &Stage, program: &str) -> String {
    let said = Command::new(stage.path(program))
        .output()
        .expect("it was linked");
    assert!(said.status.success(), "{said:?}");
    String::from_utf8(said.stdout).expect("text")
}

#[track_caller]
fn ends_with(ended: Ended, code: i32, line: &str) -> Ended {
    let ended = ended.exits(code);
    assert_eq!(ended.text().lines().last(), Some(line), "{ended:#?}");
    ended
}

/// A copy of the example's project.
fn project() -> Stage {
    let stage = Stage::new();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/builder/project");
    for folder in ["", "src", "include"] {
        fs::create_dir_all(stage.path(folder)).expect("our own folder");
        for entry in fs::read_dir(from.join(folder))
            .expect("it is there")
            .flatten()
        {
            if entry.path().is_file() {
                let name = Path::new(folder).join(entry.file_name());
                fs::copy(entry.path(), stage.path(name.to_str().expect("UTF-8"))).expect("a copy");
            }
        }
    }
    stage
}

/// The sources that include a header, directly or not, as the compiler says.
fn users(stage: &Stage, header: &str) -> BTreeSet<String> {
    let line = "cc -MM -Iinclude src/*.c";
    let mut shell = Command::new("sh");
    let said = shell
        .args(["-c", line])
        .current_dir(stage.path(""))
        .output();
    let said = String::from_utf8(said.expect("a shell").stdout).expect("text");
    let rules = said.replace("\\\n", " ");
    // An object, its source, the headers.
    let rules = rules.lines().map(|rule| rule.split_whitespace().skip(1));
    let using = rules.filter(|rule| rule.clone().any(|word| word == header));
    using
        .filter_map(|mut rule| rule.next())
        .map(str::to_owned)
        .collect()
}

fn edit(path: PathBuf, from: &str, to: &str) {
    let text = fs::read_to_string(&path).expect("it is there");
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replacen(from, to, 1)).expect("our own folder");
}

fn a_header_changes_its_users(stage: &Stage, sources: usize) {
    let using = users(stage, "include/slice.h");
    assert!(using.len() > 10 && using.len() < sources, "{using:?}");
    edit(
        stage.path("include/slice.h"),
        "#endif",
        "/* More. */\n#endif",
    );
    let ended = build(stage, &[]).exits(0);
    assert_eq!(named(&ended, "made"), using);
    assert!(
        ended
            .text()
            .contains("made src/map.c: include/slice.h changed\n"),
        "{ended:#?}"
    );
    // And back: nobody compiles what was compiled before.
    edit(
        stage.path("include/slice.h"),
        "/* More. */\n#endif",
        "#endif",
    );
    let ended = build(stage, &[]).exits(0);
    assert_eq!(
        (named(&ended, "made"), named(&ended, "fetched")),
        (BTreeSet::new(), using)
    );
}

#[test]
fn the_project_is_built_and_what_changes_is_built_again() {
    if !has("cc") {
        return;
    }
    let stage = project();
    let sources = fs::read_dir(stage.path("src"))
        .expect("it is there")
        .count();
    assert!(sources > 50, "{sources}");
    let all = format!(
        "{} made, 0 fetched, 0 up to date, 0 failed, 0 not done",
        sources + 1
    );
    let first = ends_with(build(&stage, &[]), 0, &all);
    assert!(first.stderr.is_empty(), "{}", first.stderr);
    assert_eq!(prints(&stage, "out/desk"), stage.read("expected.txt"));
    assert!(!stage.path("arena.o").exists() && !stage.path("out/work").exists());

    let nothing = format!("nothing to do: {sources} objects and the program are up to date");
    ends_with(build(&stage, &[]), 0, &nothing);
    // Touched, and not changed.
    stage.write("include/sorts.h", stage.read("include/sorts.h"));
    ends_with(build(&stage, &[]), 0, &nothing);

    a_header_changes_its_users(&stage, sources);
    ends_with(build(&stage, &[]), 0, &nothing);
    // A flag of one file, and what hangs on it.
    let flag = "\"-O1\", \"-Wall\", \"-Wextra\", \"-Iinclude\", \"-c\", \"src/gcd.c\"";
    edit(
        stage.path("compile_commands.json"),
        flag,
        &flag.replace("-O1", "-O0"),
    );
    let ended = build(&stage, &[]).exits(0);
    assert_eq!(
        named(&ended, "made"),
        ["desk", "src/gcd.c"].map(str::to_owned).into()
    );
    assert!(
        ended.text().contains("made desk: obj/gcd.o changed\n"),
        "{ended:#?}"
    );
    assert!(
        ended
            .text()
            .contains("made src/gcd.c: its command or the compiler changed\n")
    );

    fs::remove_file(stage.path("out/obj/gcd.o")).expect("it is there");
    stage.write("out/desk", "spoilt");
    let ended = build(&stage, &[]).exits(0);
    assert_eq!(
        named(&ended, "fetched"),
        ["desk", "src/gcd.c"].map(str::to_owned).into()
    );
    assert_eq!(prints(&stage, "out/desk"), stage.read("expected.txt"));
}

/// A program of small files that prints a sum, in both forms of an entry.
fn small() -> (Stage, Fifo) {
    let stage = Stage::new();
    fs::create_dir(stage.path("src")).expect("our own folder");
    let mut main = "#include <stdio.h>\n".to_owned();
    let mut entries = Vec::new();
    for n in 1..=FILES {
        stage.write(
            &format!("src/f{n}.c"),
            format!("int f{n}(void) {{ return BY * {n}; }}\n"),
        );
        main += &format!("int f{n}(void);\n");
        entries.push(format!(
            r#"{{"directory": {:?}, "file": "src/f{n}.c", "output": "../f{n}.o", "command":
            "./compiler -D'BY=(5 * 2)' -MD -MT it -MF f{n}.d -c src/f{n}.c -o ../f{n}.o"}}"#,
            stage.path("")
        ));
    }
    let sum: Vec<_> = (1..=FILES).map(|n| format!("f{n}()")).collect();
    stage.write(
        "src/main.c",
        format!(
            "{main}int main(void) {{ printf(\"%d\\n\", {}); }}\n",
            sum.join(" + ")
        ),
    );
    entries.push(r#"{"directory": ".", "file": "src/main.c", "arguments": ["./compiler", "-c", "src/main.c"]}"#.into());
    stage.write(
        "compile_commands.json",
        format!("[{}]", entries.join(",\n")),
    );
    let compiler = stage.write("compiler", COMPILER);
    fs::set_permissions(compiler, fs::Permissions::from_mode(0o755)).expect("our own file");
    let waiting = stage.fifo("waiting");
    (stage, waiting)
}

/// Starts a build with one compiler at a time, and waits until that waits: its pid, and its worker's.
fn held_up<'a>(stage: &'a Stage, waiting: &Fifo) -> (Running<'a>, [i32; 2]) {
    stage.write("wait", "");
    let running = builder(stage, &["-j1"]);
    let line = waiting.lines(1);
    let mut pids = line
        .split_whitespace()
        .map(|pid| pid.parse().expect("a number"));
    let pids = [(); 2].map(|()| pids.next().expect("two numbers"));
    (running, pids)
}

#[track_caller]
fn is_whole(stage: &Stage) {
    let last = format!(
        "nothing to do: {} objects and the program are up to date",
        FILES + 1
    );
    ends_with(build(stage, &[]), 0, &last);
    assert_eq!(prints(stage, "out/desk"), "280\n");
    assert!(!stage.path("f1.d").exists(), "it wrote beside the sources");
}

#[test]
fn the_first_error_stops_the_rest_until_it_is_repaired() {
    if !has("cc") {
        return;
    }
    let (stage, _) = small();
    edit(stage.path("src/f4.c"), "return", "return return");
    let counts = "3 made, 0 fetched, 0 up to date, 1 failed, 4 not done";
    let ended = ends_with(build(&stage, &["-j1"]), 1, counts);
    ended.says("src/f4.c:1:").says("error: ");
    let counts = "4 made, 0 fetched, 3 up to date, 1 failed, 0 not done";
    ends_with(build(&stage, &["--keep-going"]), 1, counts).says("src/f4.c:1:");
    edit(stage.path("src/f4.c"), "return return", "return");
    let ended = build(&stage, &[]).exits(0);
    assert_eq!(
        named(&ended, "made"),
        ["desk", "src/f4.c"].map(str::to_owned).into()
    );
    is_whole(&stage);
    edit(stage.path("src/main.c"), "f7()", "f8()");
    edit(stage.path("src/main.c"), "f7(void)", "f8(void)");
    ends_with(
        build(&stage, &[]),
        1,
        "1 made, 0 fetched, 7 up to date, 1 failed, 0 not done",
    )
    .says("f8");
    stage.write("compile_commands.json", "[{}]");
    build(&stage, &[])
        .exits(2)
        .says("compile_commands.json: entry 1 has no command");
}

#[test]
fn a_killed_build_goes_on_where_it_was() {
    if !has("cc") {
        return;
    }
    let (stage, waiting) = small();
    let (running, _) = held_up(&stage, &waiting);
    while !stage.read("stdout").contains("made src/f2.c") {
        std::thread::yield_now();
    }
    running.signal(Signal::KILL);
    running.end().dies_of(Signal::KILL);
    stage.all_gone_within(Duration::from_secs(2));
    assert!(!stage.path("out/obj/f4.o").exists());
    // What a kill can leave at worst.
    stage.write("out/obj/f1.o", "half");
    stage.write("out/store/obj/f2.o/record.json", "[{\"key\": ");
    let ended = build(&stage, &[]).exits(0);
    assert!(ended.text().contains("fetched src/f1.c"), "{ended:#?}");
    assert!(
        ended.text().contains("made src/f2.c: it was never made"),
        "{ended:#?}"
    );
    is_whole(&stage);
}

#[test]
fn a_killed_compiler_is_started_again() {
    if !has("cc") {
        return;
    }
    // The compiler; its worker.
    for victim in [0, 1] {
        let (stage, waiting) = small();
        let (running, pids) = held_up(&stage, &waiting);
        let victim = Pid::from_raw(pids[victim]).expect("a pid");
        kill_process(victim, Signal::KILL).expect("it waits");
        let counts = format!(
            "{} made, 0 fetched, 0 up to date, 0 failed, 0 not done",
            FILES + 2
        );
        ends_with(running.end(), 0, &counts);
        is_whole(&stage);
    }
}

/// Compiles when another one has begun as well, and notes its beginning and its end.
const SLOW_COMPILER: &str = r#"#!/bin/sh
case "$*" in *--version*) exec cc --version ;; esac
log=${0%/*}/log
echo begin >>$log
until [ $(grep -c begin $log) -ge 2 ]; do sleep 0.01; done
cc "$@"
echo end >>$log
"#;

#[test]
fn below_a_make_it_has_as_many_compilers_as_that_has_tokens() {
    if !has("cc") || !has("make") {
        return;
    }
    let (stage, _) = small();
    stage.write("compiler", SLOW_COMPILER);
    let example = example();
    stage.write(
        "Makefile",
        format!("desk:\n\t+{example} compile_commands.json --out out --jobs 8\n"),
    );
    let mut make = stage.marked("make");
    let ended = stage.start_command(make.arg("-j2")).end().exits(0);
    assert!(ended.stderr.is_empty(), "{}", ended.stderr);
    let (mut now, mut most) = (0, 0);
    for line in stage.read("log").lines() {
        now += if line == "begin" { 1 } else { -1 };
        most = most.max(now);
    }
    assert_eq!((now, most), (0, 2));
    assert_eq!(prints(&stage, "out/desk"), "280\n");
}

#[test]
fn an_interrupted_build_leaves_nothing_half_done() {
    if !has("cc") {
        return;
    }
    let (stage, waiting) = small();
    let (running, _) = held_up(&stage, &waiting);
    // Into other files than those of the first.
    let mut second = Command::new(format!("/proc/{}/exe", running.pid().as_raw_nonzero()));
    let second = second
        .args(["compile_commands.json", "--out", "out"])
        .current_dir(stage.path(""));
    let second = second.output().expect("it runs");
    assert_eq!(second.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&second.stderr).contains("another one is at work here"));
    running.signal(Signal::INT);
    let counts = "3 made, 0 fetched, 0 up to date, 0 failed, 5 not done";
    ends_with(running.end(), 130, counts);
    stage.all_gone_within(Duration::from_secs(2));
    assert!(!stage.path("out/obj/f4.o").exists() && !stage.path("out/work").exists());
    build(&stage, &[]).exits(0);
    is_whole(&stage);
}

#[test]
fn what_is_written_while_it_is_compiled_is_compiled_again() {
    if !has("cc") {
        return;
    }
    let (stage, waiting) = small();
    let (running, pids) = held_up(&stage, &waiting);
    stage.write("src/f4.c", stage.read("src/f4.c"));
    kill_process(Pid::from_raw(pids[0]).expect("a pid"), Signal::KILL).expect("it waits");
    running.end().exits(0);
    let ended = build(&stage, &[]).exits(0);
    assert_eq!(
        named(&ended, "made"),
        ["src/f4.c"].map(str::to_owned).into()
    );
    is_whole(&stage);
    build(&stage, &["--jobs", "0"]).exits(2).says("--jobs");
}
