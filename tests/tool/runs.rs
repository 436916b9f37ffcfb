//! What `farm run` promises, kept for kinds: outputs, needs and limits across kinds, signals, deaths, lines, records.

use crate::stage::{Ended, Running, Stage};
use crate::{AS_TOOL, Test};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::process::{Command, Stdio};
use std::time::Duration;

pub(crate) const TESTS: &[Test] = &[
    ("outputs_stand_on_stdout_and_in_the_results", outputs),
    ("kinds_and_commands_need_each_other", needs),
    ("a_limit_is_shared_across_kinds", one_limit),
    ("an_interrupt_asks_and_a_second_kills", interrupts),
    ("a_killed_worker_costs_an_attempt", killed_worker),
    ("a_timeout_ends_an_attempt", timeout),
    ("silence_ends_an_attempt", stall),
    ("results_alone_on_stdout", results_on_stdout),
    ("lines_are_read_as_they_come", lines),
    ("a_stream_of_nothing_but_skips_ends", only_skips),
    ("a_long_mixed_stream_keeps_its_needs", long_stream),
    ("a_run_can_be_recorded_and_replayed", recorded),
    ("all_kinds_together_have_so_many_workers", one_worker),
    ("retries_and_skips", retries),
    ("follow_ups_are_counted", follow_ups),
    ("a_run_is_seen_and_finished_from_outside", from_outside),
    ("an_output_that_json_cannot_hold_is_trouble", muddle),
];

/// The tool, not started.
pub(crate) fn tool(stage: &Stage, arguments: &[&str]) -> Command {
    let own = std::env::current_exe().expect("Linux");
    let mut command = stage.marked(own.to_str().expect("UTF-8"));
    command.env(AS_TOOL, "1").args(arguments);
    command
}

fn start<'a>(stage: &'a Stage, tasks: &str, more: &[&str]) -> Running<'a> {
    stage.write("tasks.json", tasks);
    let mut arguments = vec!["run", "tasks.json", "--results", "results"];
    arguments.extend(more);
    stage.start_command(&mut tool(stage, &arguments))
}

fn run(stage: &Stage, tasks: &str, more: &[&str]) -> Ended {
    start(stage, tasks, more).end()
}

fn outputs() {
    let stage = Stage::new();
    let ended = run(
        &stage,
        r#"[
            {"id": "a", "kind": "measure", "input": {"sides": [1, 2], "unit": "inch", "scale": 2}, "tags": ["t"], "meta": {"m": 1}},
            {"id": "b", "kind": "measure", "input": {"sides": [255, 255], "unit": {"own": {"millimetres": 5}}, "for": {"7": true}}},
            {"id": "c", "kind": "measure", "input": {"sides": [], "unit": "metre"}, "name": "nothing", "retries": 3},
            {"id": "d", "kind": "gate", "input": {"begun": "/dev/null"}},
            {"id": "e", "shell": "echo $((6 * 7)); echo aside >&2"}
        ]"#,
        &["-k", "-j1"],
    )
    .exits(1);
    assert_eq!(
        ended.text(),
        "{\"sum\":3,\"unit\":\"inch\",\"scaled\":6.0,\"purposes\":0}\n\"passed in attempt 1\"\n42\n"
    );
    let lines: Vec<&str> = ended.stderr.lines().collect();
    assert_eq!(
        lines,
        [
            r#"{"TooLong":{"sum":510,"most":500}}"#,
            r#""Empty""#,
            "at the gate",
            "aside",
            lines[4],
            r#"  b: failed: {"TooLong":{"sum":510,"most":500}}"#,
            "  c (nothing): failed: Empty",
        ]
    );
    assert!(lines[4].starts_with("5 tasks: 3 ok, 2 failed in "));
    let a = ended.result("a");
    assert_eq!(a["kind"], "measure");
    assert_eq!(a["output"]["sum"], 3);
    assert_eq!((&a["error"], &a["exit"]), (&Value::Null, &Value::Null));
    assert_eq!((&a["tags"], &a["meta"]), (&json!(["t"]), &json!({"m": 1})));
    let b = ended.result("b");
    assert_eq!(b["output"], Value::Null);
    assert_eq!(b["error"]["class"], "failed");
    assert_eq!(
        b["error"]["failure"],
        json!({"TooLong": {"sum": 510, "most": 500}})
    );
    assert_eq!(ended.result("c")["attempt"], 1, "fatal is not retried");
    let d = ended.result("d");
    assert_eq!(
        (&d["kind"], &d["stdout"]),
        (&json!("gate"), &json!("at the gate\n"))
    );
    assert_eq!(d["output"], "passed in attempt 1");
    let e = ended.result("e");
    assert_eq!((&e["kind"], &e["stdout"]), (&json!("exec"), &json!("42\n")));
    assert_eq!(e["output"], Value::Null);
}

fn needs() {
    let stage = Stage::new();
    // Listed against the order in which they can run.
    let ended = run(
        &stage,
        r#"[
            {"id": 4, "shell": "cat made", "needs": [3]},
            {"id": 3, "kind": "measure", "input": {"sides": [1], "unit": "inch"}, "needs": [2]},
            {"id": 2, "kind": "gate", "input": {"begun": "made"}, "needs": [1]},
            {"id": 1, "shell": "sleep 0.05; touch made"},
            {"id": 5, "kind": "measure", "input": {"sides": [], "unit": "inch"}, "needs": [2]},
            {"id": 6, "kind": "gate", "input": {"begun": "made"}, "needs": [5]},
            {"id": 7, "shell": "echo sorry", "needs": [{"id": 5, "when": "failure"}]}
        ]"#,
        &["-k", "-j2"],
    )
    .exits(1);
    let gate = ended.result("2")["attempts"][0]["pid"].to_string();
    assert!(
        ended.text().starts_with(&format!("1 {gate}\n")),
        "{}",
        ended.text()
    );
    assert!(ended.text().ends_with("sorry\n"), "{}", ended.text());
    assert_eq!(ended.status_of("6"), "skipped");
    assert_eq!(ended.result("6")["skipped_by"], "5");
}

/// Of two kinds with a worker each, and a limit of one, only one task runs at a time.
fn one_limit() {
    let stage = Stage::new();
    let fifo = stage.fifo("begun");
    let running = start(
        &stage,
        r#"{"limits": {"one": 1}, "defaults": {"limit": "one", "kind": "gate"}, "tasks": [
            {"input": {"begun": "begun", "opens_at": 2, "heeds": true}, "timeout": "300ms"},
            {"shell": "echo 0 $$ > begun"},
            {"input": {"begun": "begun"}, "limit": "one"}
        ]}"#,
        &["-j3"],
    );
    let first = fifo.lines(1);
    assert_eq!(first.lines().count(), 1, "the others wait: {first}");
    let ended = running.end().exits(1);
    assert_eq!(ended.status_of("1"), "timeout");
    let mut times: Vec<(String, f64)> = ended
        .results
        .iter()
        .map(|result| {
            let started = result["started"].as_str().expect("it ran").to_owned();
            (started, result["wall_s"].as_f64().expect("a number"))
        })
        .collect();
    times.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(
        times[0].1 >= 0.3,
        "the first kept the others out: {times:?}"
    );
    assert_eq!(ended.status_of("2"), "ok");
    assert_eq!(ended.status_of("3"), "ok");
}

fn interrupts() {
    for (heeds, signal) in [(true, Signal::INT), (false, Signal::TERM)] {
        let stage = Stage::new();
        let fifo = stage.fifo("begun");
        let gate = format!(
            r#"{{"kind": "gate", "input": {{"begun": "begun", "opens_at": 9, "heeds": {heeds}}}}}"#
        );
        let tasks = format!("[{gate}, {gate}, {gate}]");
        let running = start(&stage, &tasks, &["-j2", "--grace", "10m"]);
        fifo.lines(2);
        running.signal(signal);
        if !heeds {
            while !stage.read("stderr").contains("killing") {
                running.signal(signal);
                std::thread::park_timeout(Duration::from_millis(20));
            }
        }
        let ended = running.end().dies_of(signal);
        let ended = ended.says("probe: stopping; asked 2 running tasks to end");
        assert_eq!(ended.status_of("1"), "cancelled");
        let signal = &ended.result("1")["signal"];
        // Whoever heeds answers; there is no process that would have a signal of its own.
        let expected = if heeds { Value::Null } else { json!(9) };
        assert_eq!(*signal, expected);
        assert_eq!(ended.status_of("3"), "not_run");
        stage.all_gone_within(Duration::from_secs(2));
    }
}

fn killed_worker() {
    let stage = Stage::new();
    let fifo = stage.fifo("begun");
    let running = start(
        &stage,
        r#"[{"kind": "gate", "input": {"begun": "begun", "opens_at": 2}},
            {"kind": "gate", "input": {"begun": "begun", "opens_at": 2}, "on_lost": "fail"}]"#,
        &["-j1"],
    );
    let kill = |line: &str| {
        let (attempt, pid) = line.split_once(' ').expect("two words");
        assert_eq!(attempt, "1");
        let pid = pid.parse().ok().and_then(Pid::from_raw).expect("a pid");
        kill_process(pid, Signal::KILL).expect("it waits");
    };
    kill(fifo.lines(1).trim());
    // The second attempt passes, and the other task is at the gate.
    let lines = fifo.lines(2);
    let (second, other) = lines.trim().split_once('\n').expect("two lines");
    assert!(second.starts_with("2 "), "{lines}");
    kill(other);
    let ended = running.end().exits(1);
    let first = ended.result("1");
    assert_eq!(
        (&first["status"], &first["attempt"]),
        (&json!("ok"), &json!(2))
    );
    assert_eq!(first["attempts"][0]["status"], "crashed");
    assert_eq!(first["attempts"][0]["signal"], 9);
    assert_eq!(first["stdout"], "at the gate\n", "of the last attempt");
    let second = ended.result("2");
    assert_eq!(second["status"], "crashed");
    assert_eq!(
        second["stdout"], "at the gate\n",
        "what it printed outlives it"
    );
    assert_eq!(ended.text(), "\"passed in attempt 2\"\n");
}

fn timeout() {
    let stage = Stage::new();
    let ended = run(
        &stage,
        r#"[{"kind": "gate", "input": {"begun": "/dev/null", "opens_at": 2}, "timeout": "50ms", "grace": "50ms",
             "retries": {"count": 1, "on": ["timeout"]}}]"#,
        &[],
    )
    .exits(0);
    assert_eq!(ended.result("1")["attempts"][0]["status"], "timeout");
    assert_eq!(ended.result("1")["output"], "passed in attempt 2");
}

fn stall() {
    let stage = Stage::new();
    let ended = run(
        &stage,
        r#"[{"kind": "gate", "input": {"begun": "/dev/null", "opens_at": 2, "heeds": true}, "stall": "50ms"}]"#,
        &[],
    )
    .exits(1);
    let error = &ended.result("1")["error"];
    let words = "it told of no progress for its stall limit of 50ms; it ended when it was asked to";
    assert_eq!(
        (&error["class"], &error["message"]),
        (&json!("timeout"), &json!(words))
    );
}

fn results_on_stdout() {
    let stage = Stage::new();
    stage.write(
        "tasks.json",
        r#"[{"kind": "measure", "input": {"sides": [3], "unit": "inch"}}]"#,
    );
    let ended = stage.start_command(&mut tool(&stage, &["run", "tasks.json", "--results", "-"]));
    let ended = ended.end().exits(0);
    let line: Value = serde_json::from_slice(&ended.stdout).expect("one line and nothing else");
    assert_eq!(line["output"]["sum"], 3);
}

fn lines() {
    let stage = Stage::new();
    let fifo = stage.fifo("begun");
    let mut command = tool(&stage, &["run", "-", "--results", "results", "-j1"]);
    let mut running = stage.start_command(command.stdin(Stdio::piped()));
    let mut stdin = running.child().stdin.take().expect("as asked");
    let mut say = |line: &str| {
        use std::io::Write as _;
        writeln!(stdin, "{line}").expect("it reads");
    };
    say(r#"{"id": "x", "kind": "gate", "input": {"begun": "begun"}}"#);
    // It runs while nobody knows what comes next, or whether anything does.
    fifo.lines(1);
    say(r#"{"kind": "measure", "input": {"sides": [4], "unit": "inch"}, "needs": ["x"]}"#);
    say(r#"{"kind": "measure", "input": {"sides": [4], "unit": "feet"}}"#);
    say(r#"{"kind": "gate", "input": {"begun": "begun"}}"#);
    drop(stdin);
    let ended = running.end().exits(2);
    let ended = ended
        .says("unknown variant `feet`")
        .says("<stdin>:3:53 (tasks[2].input.unit)");
    assert_eq!(ended.results.len(), 2, "nothing after a bad line is run");
    assert_eq!(ended.status_of("2"), "ok");
}

/// More tasks than are pulled at once, none of which goes in: nothing happens that would make the farm ask again.
fn only_skips() {
    use std::io::Write as _;
    const SKIPPED: usize = 2000;
    let stage = Stage::new();
    let fifo = stage.fifo("begun");
    let mut command = tool(&stage, &["run", "-", "--results", "results", "-j1"]);
    let mut running = stage.start_command(command.stdin(Stdio::piped()));
    let mut stdin = running.child().stdin.take().expect("as asked");
    let first = r#"{"id": "f", "shell": "false"}
{"shell": "echo > begun", "needs": [{"id": "f", "when": "failure"}]}
"#;
    stdin.write_all(first.as_bytes()).expect("it reads");
    fifo.lines(1);
    let more = "{\"kind\": \"muddle\", \"needs\": [\"f\"]}\n".repeat(SKIPPED);
    stdin.write_all(more.as_bytes()).expect("it reads");
    drop(stdin);
    let ended = running.end().exits(1);
    assert_eq!(ended.results.len(), SKIPPED + 2);
}

/// More tasks of one kind than may lie aside, each needed by one of the other.
fn long_stream() {
    const PAIRS: usize = 3000;
    let stage = Stage::new();
    let tasks: String = (1..=PAIRS)
        .map(|number| {
            let sides = number % 256;
            format!(
                "{{\"id\": \"m{number}\", \"kind\": \"measure\", \"input\": {{\"sides\": [{sides}], \"unit\": \"inch\"}}}}\n"
            )
        })
        .chain((1..=PAIRS).map(|number| {
            format!(
                "{{\"id\": \"g{number}\", \"kind\": \"gate\", \"input\": {{\"begun\": \"/dev/null\"}}, \"needs\": [\"m{number}\"]}}\n"
            )
        }))
        .collect();
    let ended = run(&stage, &tasks, &["-j2"]).exits(0);
    assert_eq!(ended.results.len(), 2 * PAIRS);
}

fn one_worker() {
    let stage = Stage::new();
    run(
        &stage,
        r#"[
            {"kind": "measure", "input": {"sides": [1], "unit": "inch"}}, {"shell": "true"},
            {"kind": "measure", "input": {"sides": [2], "unit": "inch"}}, {"shell": "true"}
        ]"#,
        &["-j1", "--events", "events"],
    )
    .exits(0);
    let events = stage.read("events");
    let mut living = 0;
    for line in events.lines() {
        living += i32::from(line.contains("\"type\":\"worker_started\""));
        living -= i32::from(line.contains("\"type\":\"worker_stopped\""));
        assert!(living <= 1, "{events}");
    }
    assert!(events.contains("\"worker_started\""), "{events}");
}

fn recorded() {
    let stage = Stage::new();
    run(
        &stage,
        r#"[{"kind": "measure", "input": {"sides": [3], "unit": "inch"}}, {"shell": "true"}]"#,
        &["--record", "record"],
    )
    .exits(0);
    let mut words = Vec::new();
    let verdict = farm::command::replay_run(&stage.path("record"), false, &mut words);
    assert!(verdict.is_ok(), "{verdict:?}");
}

fn retries() {
    let stage = Stage::new();
    let ended = run(
        &stage,
        r#"[{"id": 1, "kind": "measure", "input": {"sides": [255, 255], "unit": "inch"}, "retries": 2},
            {"id": 2, "kind": "gate", "input": {"begun": "/nowhere/to/be/found"}, "crash_limit": 0}]"#,
        &["--joblog", "log", "--events", "events"],
    )
    .exits(1);
    assert_eq!(ended.result("1")["attempt"], 3);
    let crashed = ended.result("2");
    assert_eq!(crashed["status"], "quarantined");
    let stderr = crashed["stderr"].as_str().expect("text");
    assert_eq!(
        stderr.matches("the test made it").count(),
        1,
        "said once: {stderr}"
    );
    let log = stage.read("log");
    let first = log.lines().nth(1).expect("a line a task").to_owned() + &log;
    assert!(
        first.contains("measure {\"sides\":[255,255],\"unit\":\"inch\"}"),
        "{log}"
    );
    assert!(stage.read("events").contains("\"type\":\"run_finished\""));
}

fn follow_ups() {
    let stage = Stage::new();
    let ended = run(&stage, r#"[{"kind": "chain", "input": 3}]"#, &[]).exits(1);
    assert_eq!(ended.text(), "3\n");
    assert_eq!(ended.results.len(), 1);
    assert_eq!(ended.result("1")["stdout"], "forked from a template\n");
    ended.says("3 follow-up tasks ended, one of them not ok but failed");
}

fn muddle() {
    let stage = Stage::new();
    let ended = run(&stage, r#"[{"kind": "muddle"}]"#, &[]).exits(2);
    assert_eq!(ended.status_of("1"), "ok");
    assert_eq!(ended.result("1")["output"], Value::Null);
    let ended =
        ended.says("probe: output was lost: the output of task 1: it cannot be written as JSON");
    ended.says("key must be a string");
}

/// The tool has the subcommands that speak to a run, under its own name.
fn from_outside() {
    let stage = Stage::new();
    let fifo = stage.fifo("begun");
    let running = start(
        &stage,
        r#"[{"kind": "gate", "input": {"begun": "begun", "opens_at": 9, "heeds": true}},
            {"kind": "gate", "input": {"begun": "begun"}}, "true"]"#,
        &["-j1"],
    );
    fifo.lines(1);
    let ask = |arguments: &[&str]| {
        let own = std::env::current_exe().expect("Linux");
        let mut command = stage.bare(own.to_str().expect("UTF-8"));
        let output = command.env(AS_TOOL, "1").args(arguments).output();
        let output = output.expect("ours");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("text")
    };
    let seen: Value = serde_json::from_str(&ask(&["status", "--json"])).expect("an object");
    let lanes = seen["lanes"].as_array().expect("a list").iter();
    let kinds: Vec<&Value> = lanes.map(|lane| &lane["kind"]).collect();
    assert_eq!(kinds[..2], [&json!("measure"), &json!("gate")]);
    assert_eq!(kinds.last(), Some(&&json!("command")));
    assert_eq!(seen["workers"][0]["kind"], "gate");
    assert_eq!(seen["workers"][0]["task"]["id"], "1");
    assert!(ask(&["finish"]).contains("after 1 running task"));
    assert_eq!(ask(&["cancel", "1"]), "task `1` was asked to end\n");
    let ended = running.end().exits(3);
    let statuses = ["1", "2", "3"].map(|id| ended.status_of(id).to_owned());
    assert_eq!(statuses, ["cancelled", "not_run", "not_run"]);
}
