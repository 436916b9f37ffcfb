//! GNU make's jobserver, both sides: how much runs at once is counted by those that run, and tokens in their pipe.

use crate::stage::{Fifo, Stage, has};
use farm::command::replay_run;
use rustix::io::ioctl_fionread;
use rustix::process::Signal;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::process::Command;

/// Notes its start and its end, and does not go on before so many have been at it.
fn work(at_least: usize) -> String {
    format!(
        "echo s >> log; until [ $(grep -c s log) -ge {at_least} ]; do sleep 0.01; done; sleep 0.03; echo e >> log"
    )
}

/// The most that were at it at once.
fn most(stage: &Stage) -> usize {
    let (mut now, mut most) = (0usize, 0);
    for line in stage.read("log").lines() {
        now = if line == "s" { now + 1 } else { now - 1 };
        most = most.max(now);
    }
    assert_eq!(now, 0, "all have ended");
    most
}

fn tasks(shell: &str, count: usize) -> String {
    format!("{{\"shell\": {shell:?}}}\n").repeat(count)
}

/// A jobserver that a test keeps, with tokens in a named pipe.
struct Server {
    fifo: File,
    flags: String,
    _kept: Fifo,
}

impl Server {
    fn new(stage: &Stage, tokens: usize) -> Self {
        let kept = stage.fifo("tokens");
        let path = stage.path("tokens");
        let mut options = OpenOptions::new();
        let mut fifo = options.read(true).write(true).open(&path).expect("made");
        fifo.write_all(&vec![b'+'; tokens]).expect("a pipe");
        let flags = format!("-j{} --jobserver-auth=fifo:{}", tokens + 1, path.display());
        Self {
            fifo,
            flags,
            _kept: kept,
        }
    }

    fn tokens(&self) -> u64 {
        ioctl_fionread(&self.fifo).expect("a pipe")
    }

    fn command(&self, stage: &Stage, arguments: &[&str]) -> Command {
        let mut command = stage.command(arguments);
        command.env("MAKEFLAGS", &self.flags);
        command
    }
}

#[test]
fn two_farms_under_one_make_share_its_jobs() {
    if !has("make") {
        return;
    }
    let stage = Stage::new();
    stage.write("tasks", tasks(&work(3), 6));
    let farm = env!("CARGO_BIN_EXE_farm");
    let rule = |file: &str| format!("\t+{farm} run tasks -j 8 --results {file}\n");
    stage.write(
        "Makefile",
        format!("all: a b\na:\n{}b:\n{}", rule("one"), rule("two")),
    );
    let mut make = stage.marked("make");
    let ended = stage.start_command(make.arg("-j3")).end().exits(0);
    assert!(!ended.stderr.contains("jobserver"), "{}", ended.stderr);
    assert_eq!(most(&stage), 3);
}

#[test]
fn a_line_of_a_makefile_without_plus_is_told_so_and_goes_on() {
    if !has("make") {
        return;
    }
    let stage = Stage::new();
    let shell = "echo said ${MAKEFLAGS-none}; make -s -f inner";
    stage.write("tasks", tasks(shell, 1));
    stage.write("inner", "all:\n\t@echo inner\n");
    let farm = env!("CARGO_BIN_EXE_farm");
    stage.write("Makefile", format!("all:\n\t{farm} run tasks -j 2\n"));
    let mut make = stage.marked("make");
    let ended = stage.start_command(make.arg("-j3")).end().exits(0);
    let ended = ended.says("begin with `+`; running without it");
    assert_eq!(
        ended.stderr.matches("jobserver").count(),
        2,
        "once: {}",
        ended.stderr
    );
    // The inner make is not told of what it cannot have.
    assert!(
        ended.text().ends_with("said none\ninner\n"),
        "{}",
        ended.text()
    );
}

#[test]
fn makes_below_a_farm_share_its_slots() {
    if !has("make") {
        return;
    }
    let stage = Stage::new();
    let rules: String = (1..=4)
        .map(|n| format!("{n}:\n\t@{}\n", make_text(3)))
        .collect();
    stage.write("inner", format!("all: 1 2 3 4\n{rules}"));
    stage.write("tasks", tasks("make -s -f inner", 3));
    let ended = stage
        .run(&["tasks", "-j3", "--jobserver", "own", "--record", "record"])
        .exits(0);
    assert!(!ended.stderr.contains("jobserver"), "{}", ended.stderr);
    assert_eq!(most(&stage), 3);
    let verdict = replay_run(&stage.path("record"), false, &mut Vec::new());
    assert!(!verdict.expect("a good record").diverged);
}

/// `work` as a line of a makefile.
fn make_text(at_least: usize) -> String {
    work(at_least).replace('$', "$$")
}

#[test]
fn a_farm_below_a_farm_shares_its_slots() {
    for style in ["own", "own-fifo"] {
        let stage = Stage::new();
        let farm = env!("CARGO_BIN_EXE_farm");
        stage.write("inner", tasks(&work(3), 4));
        stage.write("tasks", tasks(&format!("{farm} run inner -j 4"), 2));
        let arguments = ["tasks", "-j3", "--jobserver", style];
        stage.run(&arguments).exits(0);
        assert_eq!(most(&stage), 3, "{style}");
    }
}

#[test]
fn no_token_dies_with_a_worker() {
    const KILLS: usize = 200;
    let stage = Stage::new();
    let server = Server::new(&stage, 2);
    let once = "{\"shell\": \"kill -9 $PPID\", \"on_lost\": \"fail\"}\n";
    stage.write("tasks", once.repeat(KILLS));
    let arguments = ["tasks", "-j4", "--results", "results"];
    let mut command = server.command(&stage, &arguments);
    let ended = stage.start_command(&mut command).end().exits(1);
    let crashed = ended.results.iter();
    let crashed = crashed.filter(|result| result["status"] == "crashed");
    assert_eq!(crashed.count(), KILLS);
    assert_eq!(server.tokens(), 2);
}

/// What a task takes from the pipe and takes to its grave; the pipe's reading end is named first.
const THEFT: &str = "r=${MAKEFLAGS##*=}; r=/dev/fd/${r%%,*}";

#[test]
fn tokens_that_die_with_a_task_come_back_to_our_own_server() {
    const KILLS: usize = 200;
    let stage = Stage::new();
    let thief = format!("{THEFT}; dd if=$r bs=1 count=1 iflag=nonblock 2>&1; kill -9 $$");
    // At rest all are there, and what runs alone finds them.
    let count = format!("{THEFT}; dd if=$r bs=1 count=9 iflag=nonblock 2> /dev/null | wc -c");
    let needs = (1..=KILLS).map(|id| format!("{{\"id\": {id}, \"when\": \"always\"}}"));
    let needs: Vec<String> = needs.collect();
    let needs = needs.join(", ");
    let last = format!("{{\"id\": \"last\", \"needs\": [{needs}], \"shell\": {count:?}}}\n");
    let thieves: String = (1..=KILLS)
        .map(|id| format!("{{\"id\": {id}, \"shell\": {thief:?}}}\n"))
        .collect();
    stage.write("tasks", thieves + &last);
    let arguments = ["tasks", "-j3", "--jobserver", "own", "--results", "results"];
    let ended = stage.run(&arguments).exits(1);
    assert_eq!(ended.result("last")["stdout"], "2\n");
    let lines = |result: &&serde_json::Value| result["signal"] == 9;
    assert_eq!(ended.results.iter().filter(lines).count(), KILLS);
}

#[test]
fn tokens_of_killed_makes_come_back_to_our_own_server() {
    if !has("make") {
        return;
    }
    let stage = Stage::new();
    // Its second job is there, with one of two tokens, when its first one kills it. With a third lost, none would come.
    stage.write(
        "inner",
        "all: 1 2\n1:\n\t@read x < met; kill -9 $$PPID\n2:\n\t@echo > met\n",
    );
    drop(stage.fifo("met"));
    let task = "{\"command\": [\"make\", \"-f\", \"inner\"], \"limit\": \"one\"}\n";
    stage.write("tasks", task.repeat(10));
    let arguments = ["tasks", "-j3", "--jobserver", "own", "--limit", "one=1"];
    let ended = stage.run(&arguments).exits(1);
    assert_eq!(
        ended.stderr.matches("killed by SIGKILL").count(),
        10,
        "{}",
        ended.stderr
    );
}

#[test]
fn an_interrupted_farm_leaves_all_tokens_behind() {
    let stage = Stage::new();
    let server = Server::new(&stage, 2);
    let began = stage.fifo("began");
    stage.write("tasks", tasks("echo > began; sleep 100", 9));
    let mut command = server.command(&stage, &["tasks", "-j8"]);
    let running = stage.start_command(&mut command);
    began.lines(3);
    assert_eq!(server.tokens(), 0);
    running.signal(Signal::INT);
    running.end().dies_of(Signal::INT);
    assert_eq!(server.tokens(), 2);
}

#[test]
fn without_its_server_a_farm_goes_on_alone() {
    let stage = Stage::new();
    stage.write("tasks", tasks(&work(1), 5));
    let mut command = stage.command(&["tasks", "-j4"]);
    // From this pipe nothing ever comes but its end.
    command.env("MAKEFLAGS", "-j4 --jobserver-auth=fifo:/dev/null");
    let ended = stage.start_command(&mut command).end().exits(0);
    let lost = "farm: cannot take a token from the jobserver";
    assert_eq!(ended.stderr.matches(lost).count(), 1, "{}", ended.stderr);
    assert_eq!(most(&stage), 1);
}

#[test]
fn off_is_off_for_the_tasks_too() {
    let stage = Stage::new();
    let server = Server::new(&stage, 0);
    let shell = format!("echo ${{MAKEFLAGS-none}}; {}", work(2));
    stage.write("tasks", tasks(&shell, 2));
    let arguments = ["tasks", "-j2", "--jobserver", "off"];
    let mut command = server.command(&stage, &arguments);
    let ended = stage.start_command(&mut command).end().exits(0);
    assert_eq!(ended.text(), "none\nnone\n");
    assert_eq!(most(&stage), 2);
}
