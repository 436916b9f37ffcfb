//! Deaths that nobody asked for: of the master, of workers, of hundreds of them; and tasks that misbehave.

use crate::stage::{Running, Stage, children, has, jsonl};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::process::Stdio;
use std::time::Duration;

/// Steps of a fixed sequence that looks like chance.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        // Knuth's multiplier and increment.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

fn kill(pid: i32) -> bool {
    kill_process(Pid::from_raw(pid).expect("a pid"), Signal::KILL).is_ok()
}

/// The master is killed at different moments while shells with children and deaf grandchildren run.
#[test]
fn nobody_outlives_a_killed_master() {
    if !has("setsid") {
        return;
    }
    let shell =
        "(trap '' TERM HUP INT; sleep 100 & sleep 100) & setsid sleep 100 & echo > running; wait";
    for round in 0..30 {
        let stage = Stage::new();
        let fifo = stage.fifo("running");
        let task = format!("{shell:?}\n");
        stage.write("tasks", task.repeat(40));
        let running = stage.start(&["tasks", "-j6"]);
        // From the first start on: some shells have just begun, some workers have not.
        fifo.lines(1 + round % 6);
        assert!(kill(running.pid().as_raw_nonzero().get()));
        running.end().dies_of(Signal::KILL);
        stage.all_gone_within(Duration::from_secs(2));
    }
}

/// Many short tasks, many deaths of random workers: every task ends once, and what was killed says so.
#[test]
fn two_thousand_tasks_and_three_hundred_deaths() {
    const TASKS: usize = 2000;
    const DEATHS: usize = 300;
    let stage = Stage::new();
    let lines: String = (1..=TASKS)
        .map(|id| {
            format!("{{\"id\": {id}, \"shell\": \"echo {id}\", \"crash_limit\": \"unlimited\"}}\n")
        })
        .collect();
    stage.write("tasks", lines);
    let mut command =
        stage.command(&["tasks", "-j4", "--results", "results", "--events", "events"]);
    let running = stage.start_command(&mut command);
    let mut chance = Chance(42);
    let mut killed = 0;
    while killed < DEATHS {
        let workers = running.workers();
        // One that is being started is still this program and becomes a worker in no time.
        if !workers.is_empty() && kill(workers[chance.below(workers.len())]) {
            killed += 1;
        }
        // Spread over the run: a line of the results has more than 300 bytes.
        let written = || fs::metadata(stage.path("results")).map_or(0, |found| found.len());
        while written() < (TASKS * 300 / DEATHS * killed) as u64 && alive(&running) {
            std::thread::yield_now();
        }
        if !alive(&running) {
            break;
        }
    }
    let ended = running.end().exits(0);
    assert_eq!(killed, DEATHS, "the run outlasted the deaths");
    let mut seen = BTreeMap::new();
    let mut crashes = 0;
    for result in &ended.results {
        let id = result["id"].as_u64().expect("a number");
        assert!(seen.insert(id, ()).is_none(), "{id} ended twice");
        assert_eq!(result["status"], "ok", "{result}");
        assert_eq!(
            result["stdout"],
            format!("{id}\n"),
            "the last attempt's output alone"
        );
        crashes += crashed_before_it_was_done(result);
    }
    assert_eq!(seen.len(), TASKS);
    assert!((1..=DEATHS).contains(&crashes), "{crashes} charged deaths");
    let stops = jsonl(&stage.path("events"));
    let died = stops
        .iter()
        .filter(|event| event["type"] == "worker_stopped" && event["reason"] == "died")
        .count();
    assert!(died >= crashes);
    ended.says(&format!("{died} workers died and were replaced"));
    stage.all_gone_within(Duration::from_secs(2));
}

fn jsonl_lines(stage: &Stage) -> usize {
    let bytes = fs::read(stage.path("results")).unwrap_or_default();
    bytes.iter().filter(|byte| **byte == b'\n').count()
}

fn alive(running: &Running<'_>) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", running.pid().as_raw_nonzero()));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

/// All attempts but the last crashed by signal 9, the last is fine; how many crashed.
fn crashed_before_it_was_done(result: &Value) -> usize {
    let attempts = result["attempts"].as_array().expect("them");
    let (last, before) = attempts.split_last().expect("one at least");
    assert_eq!(last["status"], "ok", "{result}");
    for attempt in before {
        assert_eq!(
            (&attempt["status"], &attempt["signal"]),
            (&"crashed".into(), &9.into()),
            "{result}"
        );
    }
    before.len()
}

/// What a process holds: descriptors, threads, dead children not collected, resident KiB.
#[derive(Debug)]
struct Holds {
    descriptors: usize,
    threads: usize,
    zombies: usize,
    resident: u64,
}

fn holds(running: &Running<'_>) -> Holds {
    let pid = running.pid().as_raw_nonzero().get();
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let number = |name: &str| {
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap_or_default();
        line.split_whitespace()
            .next()
            .and_then(|word| word.parse().ok())
            .unwrap_or(0)
    };
    let zombies = children(pid).into_iter().filter(|child| {
        let stat = fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
        stat.contains(") Z ")
    });
    Holds {
        descriptors: fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count),
        threads: usize::try_from(number("Threads:")).expect("few"),
        zombies: zombies.count(),
        resident: number("VmRSS:"),
    }
}

/// Ten thousand tasks, of which a thousand kill their worker: afterwards the master holds what it held before.
#[test]
fn a_thousand_deaths_leave_nothing_in_the_master() {
    let stage = Stage::new();
    let fifo = stage.fifo("here");
    let go = stage.fifo("go");
    let gate = "\"echo > here; read x < go\"\n";
    let warm = "[\"true\"]\n".repeat(200);
    let work: String = (0..10_000)
        .map(|index| match index % 10 {
            0 => "{\"shell\": \"kill -9 $PPID; read x\", \"on_lost\": \"fail\"}\n",
            _ => "[\"true\"]\n",
        })
        .collect();
    stage.write("tasks", format!("{warm}{gate}{gate}{work}{gate}{gate}"));
    let mut command = stage.command(&["tasks", "-j2", "--progress", "none", "--joblog", "log"]);
    command.stdout(Stdio::null());
    let running = stage.start_command(&mut command);
    fifo.lines(2);
    let before = holds(&running);
    fs::write(stage.path("go"), "\n\n").expect("somebody reads");
    fifo.lines(2);
    let after = holds(&running);
    fs::write(stage.path("go"), "\n\n").expect("somebody reads");
    running.end().exits(1).says("1000 crashed");
    // Meanwhile the reader of the tasks has come to their end, and is gone with its file.
    assert!(
        after.descriptors <= before.descriptors,
        "{before:?} {after:?}"
    );
    assert!(
        after.threads <= before.threads && after.zombies == 0,
        "{before:?} {after:?}"
    );
    assert!(
        after.resident < before.resident + 16_000,
        "{before:?} {after:?}"
    );
    drop(go);
}

/// A worker that is stopped, not dead: the time limit of its task is what ends it.
#[test]
fn a_worker_that_stands_still() {
    let stage = Stage::new();
    let ended = stage.tasks(
        r#"[{"id": "still", "shell": "kill -STOP $PPID; echo on; sleep 100", "timeout": "300ms", "grace": "200ms"},
            {"id": "next", "shell": "echo fine"}]"#,
        &["-j1"],
    )
    .exits(1);
    assert_eq!(
        (ended.status_of("still"), ended.status_of("next")),
        ("timeout", "ok")
    );
    stage.all_gone_within(Duration::from_secs(2));
}

/// Noise on every descriptor it can find harms nobody.
#[test]
fn noise_on_every_descriptor() {
    let stage = Stage::new();
    let noise = "for fd in /proc/self/fd/*; do head -c 5000 /dev/urandom > $fd; done 2>/dev/null; head -c 70000 /dev/urandom; exit 0";
    let text = format!("[{noise:?}, {noise:?}, {{\"id\": \"next\", \"shell\": \"echo fine\"}}]");
    let ended = stage.tasks(&text, &["-j1"]).exits(0);
    assert_eq!(ended.result("next")["stdout"], "fine\n");
    assert!(ended.result("1")["stdout_b64"].is_string());
}

/// It closes what it was given and lives on for a while; the task is its process, not its pipes.
#[test]
fn closed_streams() {
    let stage = Stage::new();
    let fifo = stage.fifo("closed");
    let go = stage.fifo("go");
    stage.write(
        "tasks.json",
        r#"["echo said; exec >&- 2>&- <&-; echo > closed; read x < go; touch after"]"#,
    );
    let running = stage.start(&["tasks.json", "--results", "results"]);
    fifo.lines(1);
    assert_eq!(jsonl_lines(&stage), 0, "it runs");
    fs::write(stage.path("go"), "\n").expect("somebody reads");
    let ended = running.end().exits(0);
    assert_eq!(ended.result("1")["stdout"], "said\n");
    assert!(stage.path("after").exists());
    drop(go);
}

/// A descendant that goes on writing keeps the pipe open and full; the task ends with its process.
#[test]
fn a_writer_that_stays() {
    let stage = Stage::new();
    let ended = stage.tasks(
        r#"["yes & sleep 0; echo end >&2", {"id": "next", "shell": "echo fine"}]"#,
        &["-j1"],
    );
    let ended = ended.exits(0);
    assert_eq!(ended.result("1")["stderr"], "end\n");
    assert_eq!(ended.result("1")["left_behind"], true);
    assert_eq!(ended.result("next")["stdout"], "fine\n");
    stage.all_gone_within(Duration::from_secs(2));
}
