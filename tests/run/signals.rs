//! Ctrl-C once and twice, SIGTERM, hangup, nohup, Ctrl-Z: what ends, what goes on, and that nobody is left.

use crate::stage::{Ended, LIMIT, Running, Stage, children};
use rustix::process::Signal;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(2);

/// Two tasks that run and one that waits for a worker, each with a grandchild; started and running.
fn three<'a>(stage: &'a Stage, shell: &str, more: &[&str]) -> Running<'a> {
    let fifo = stage.fifo("running");
    let task = format!(r#"{{"shell": "{shell}"}}"#);
    stage.write(
        "tasks.json",
        format!("[{task}, {task}, {{\"id\": \"queued\", \"shell\": \"touch queued\"}}]"),
    );
    let mut arguments = vec!["tasks.json", "-j2", "--results", "results"];
    arguments.extend(more);
    let running = stage.start(&arguments);
    fifo.lines(2);
    running
}

const HEEDS: &str = "sleep 100 & echo > running; wait";
const IGNORES: &str = "trap '' TERM HUP INT; echo > running; sleep 100; sleep 100";

fn queued_never_ran(stage: &Stage, ended: &Ended) {
    assert_eq!(ended.status_of("queued"), "not_run");
    assert_eq!(ended.results.len(), 3);
    assert!(!stage.path("queued").exists());
    stage.all_gone_within(SOON);
}

#[test]
fn an_interrupt_asks_and_the_farm_ends_by_it() {
    for signal in [Signal::INT, Signal::TERM] {
        let stage = Stage::new();
        let running = three(&stage, HEEDS, &[]);
        running.signal(signal);
        let ended = running.end().dies_of(signal);
        let ended = ended.says("asked 2 running tasks").says("second time");
        let ended =
            ended.says("interrupted: 2 tasks were cancelled while they ran, 1 had not begun\n");
        assert_eq!(ended.status_of("1"), "cancelled");
        assert_eq!(ended.result("1")["signal"], 15, "asked, not killed");
        queued_never_ran(&stage, &ended);
    }
}

#[test]
fn the_grace_is_waited_and_then_they_are_killed() {
    let stage = Stage::new();
    let running = three(&stage, IGNORES, &["--grace", "600ms"]);
    let begun = Instant::now();
    // As `timeout` does: to the process and again to its group.
    running.signal(Signal::INT);
    running.signal(Signal::INT);
    let ended = running.end().dies_of(Signal::INT);
    assert!(begun.elapsed() >= Duration::from_millis(600));
    assert!(!ended.stderr.contains("killing"), "{}", ended.stderr);
    assert_eq!(ended.result("1")["signal"], 9);
    queued_never_ran(&stage, &ended);
}

#[test]
fn a_second_interrupt_kills_at_once() {
    let stage = Stage::new();
    let running = three(&stage, IGNORES, &["--grace", "10m"]);
    running.signal(Signal::INT);
    // Close together they are one wish, so that `timeout`, which sends two, leaves us the grace.
    running.signal(Signal::INT);
    while !stage.read("stderr").contains("killing") {
        running.signal(Signal::INT);
        std::thread::park_timeout(Duration::from_millis(20));
    }
    let ended = running.end().dies_of(Signal::INT).says("killing");
    queued_never_ran(&stage, &ended);
}

/// Whether this process was started by `nohup`, as all that it starts is then.
fn hangups_are_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").expect("Linux tells");
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = u64::from_str_radix(ignored.expect("a line for it").trim(), 16);
    ignored.expect("hexadecimal") & 1 << (Signal::HUP.as_raw() - 1) != 0
}

#[test]
fn a_hangup_lets_what_runs_finish() {
    if hangups_are_ignored() {
        eprintln!("skipped: SIGHUP is ignored here, and so it is by what is started here");
        return;
    }
    let stage = Stage::new();
    let go = stage.fifo("go");
    let running = three(&stage, "echo > running; read x < go; echo done", &[]);
    running.signal(Signal::HUP);
    while !stage.read("stderr").contains("hangup") {
        std::thread::yield_now();
    }
    fs::write(stage.path("go"), "\n\n").expect("somebody reads");
    let ended = running.end().exits(3);
    assert_eq!((ended.status_of("1"), ended.status_of("2")), ("ok", "ok"));
    queued_never_ran(&stage, &ended);
    drop(go);
}

/// `nohup` sets SIGHUP to be ignored, and it stays so.
#[test]
fn nohup_is_respected() {
    let stage = Stage::new();
    let go = stage.fifo("go");
    let fifo = stage.fifo("running");
    stage.write(
        "tasks.json",
        r#"["echo > running; read x < go", "touch second"]"#,
    );
    let mut command = stage.marked("sh");
    let program = env!("CARGO_BIN_EXE_farm");
    command.args([
        "-c",
        &format!("trap '' HUP; exec '{program}' run tasks.json -j1"),
    ]);
    let running = stage.start_command(&mut command);
    fifo.lines(1);
    running.signal(Signal::HUP);
    fs::write(stage.path("go"), "\n").expect("somebody reads");
    running.end().exits(0);
    assert!(stage.path("second").exists());
    drop(go);
}

/// Who reads our output has stopped reading. An interrupt must end the run all the same, and leave nobody.
#[test]
fn an_interrupt_ends_a_farm_whose_reader_is_stuck() {
    let stage = Stage::new();
    let fifo = stage.fifo("running");
    stage.write(
        "tasks.json",
        r#"["head -c 1000000 /dev/zero; echo > running", "echo > running; exec sleep 100"]"#,
    );
    let mut command = stage.command(&["tasks.json", "-j2"]);
    command.stdout(std::process::Stdio::piped());
    let mut running = stage.start_command(&mut command);
    let reader = running.child().stdout.take().expect("piped");
    fifo.lines(2);
    running.signal(Signal::INT);
    running.end().dies_of(Signal::INT);
    stage.all_gone_within(SOON);
    drop(reader);
}

/// The same when every task has ended and only the output is left to be written.
#[test]
fn an_interrupt_ends_a_farm_that_only_waits_for_its_reader() {
    let stage = Stage::new();
    stage.write("tasks.json", r#"["head -c 1000000 /dev/zero"]"#);
    let mut command = stage.command(&["tasks.json", "--results", "results"]);
    command.stdout(std::process::Stdio::piped());
    let mut running = stage.start_command(&mut command);
    let reader = running.child().stdout.take().expect("piped");
    let deadline = Instant::now() + LIMIT;
    while stage.read("results").is_empty() || !running.workers().is_empty() {
        assert!(Instant::now() < deadline, "held up by its reader");
        std::thread::yield_now();
    }
    running.signal(Signal::INT);
    let ended = running.end().dies_of(Signal::INT);
    assert_eq!(ended.status_of("1"), "ok");
    stage.all_gone_within(SOON);
    drop(reader);
}

/// The letter that the kernel gives for the state of a process.
fn state(pid: i32) -> char {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after = stat.rsplit_once(") ").map_or("", |(_, after)| after);
    after.chars().next().unwrap_or('-')
}

fn family(pid: i32) -> Vec<i32> {
    let mut all = vec![pid];
    let mut next = 0;
    while let Some(pid) = all.get(next) {
        all.extend(children(*pid));
        next += 1;
    }
    all
}

fn until_all(family: &[i32], want: fn(char) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while let Some(pid) = family.iter().find(|pid| !want(state(**pid))) {
        assert!(Instant::now() < deadline, "{pid} is {}", state(*pid));
        std::thread::yield_now();
    }
}

/// Ctrl-Z: everybody stops, and the clock of the time limits with them.
#[test]
fn a_stop_stops_every_group_and_every_clock() {
    let stage = Stage::new();
    let fifo = stage.fifo("running");
    let go = stage.fifo("go");
    stage.write(
        "tasks.json",
        r#"[{"id": "a", "shell": "sleep 100 & echo > running; read x < go; kill $!", "timeout": "1500ms"}]"#,
    );
    let running = stage.start(&["tasks.json", "-j1", "--results", "results"]);
    fifo.lines(1);
    let master = running.pid().as_raw_nonzero().get();
    let family = family(master);
    assert!(
        family.len() >= 4,
        "master, worker, shell, sleep: {family:?}"
    );
    running.signal(Signal::TSTP);
    until_all(&family, |state| state == 'T');
    // Longer than the task may run: while it stands still that is no time.
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(1600) {
        assert_eq!(state(family[family.len() - 1]), 'T');
        std::thread::park_timeout(Duration::from_millis(100));
    }
    running.signal(Signal::CONT);
    until_all(&family, |state| state != 'T');
    fs::write(stage.path("go"), "\n").expect("somebody reads");
    let ended = running.end().exits(0);
    assert_eq!(ended.status_of("a"), "ok");
    stage.all_gone_within(SOON);
    drop(go);
}

/// A calling shell's Ctrl-C reaches the whole foreground group: the tasks have their own and are asked by us, once.
#[test]
fn tasks_are_not_in_the_group_of_the_terminal() {
    let stage = Stage::new();
    let fifo = stage.fifo("running");
    stage.write("tasks.json", r#"["trap 'echo int >&2; exit 1' INT; trap 'echo asked; exit 0' TERM; sleep 100 & echo > running; wait"]"#);
    let mut command = stage.command(&["tasks.json", "--results", "results"]);
    command.process_group(0);
    let running = stage.start_command(&mut command);
    fifo.lines(1);
    rustix::process::kill_process_group(running.pid(), Signal::INT).expect("its own group");
    let ended = running.end().dies_of(Signal::INT);
    assert_eq!(ended.result("1")["stdout"], "asked\n");
    assert_eq!(ended.result("1")["stderr"], "");
}

/// Nothing runs and the input has not ended: there is nothing to wait for.
#[test]
fn an_idle_farm_ends_at_once() {
    for (signal, code) in [(Signal::INT, None), (Signal::HUP, Some(3))] {
        let stage = Stage::new();
        let fifo = stage.fifo("ran");
        let mut command = stage.command(&["-", "-j1", "--grace", "10m", "--results", "results"]);
        command.stdin(std::process::Stdio::piped());
        let mut running = stage.start_command(&mut command);
        let mut lines = running.child().stdin.take().expect("piped");
        std::io::Write::write_all(&mut lines, b"\"echo > ran\"\n").expect("it reads");
        fifo.lines(1);
        running.signal(signal);
        let ended = running.end();
        match code {
            Some(code) => ended.exits(code).says("hangup"),
            None => ended.dies_of(signal).says("stopping"),
        };
        stage.all_gone_within(SOON);
        drop(lines);
    }
}
