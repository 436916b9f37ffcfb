//! `farm status`, `pause`, `resume`, `finish` and `cancel` as their users meet them.

use crate::stage::{Ended, Fifo, LIMIT, Running, Stage};
use rustix::process::{Signal, geteuid};
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Instant;

/// Says that it runs, and ends when it is told to.
pub(crate) const BLOCKS: &str = "echo > running; read line < go";

/// `farm` with these arguments, to its end.
pub(crate) fn farm(stage: &Stage, arguments: &[&str]) -> Output {
    let mut command = stage.bare(env!("CARGO_BIN_EXE_farm"));
    command.args(arguments);
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.output().expect("the program was built")
}

/// What it prints, if it ends with this code.
#[track_caller]
pub(crate) fn says(stage: &Stage, arguments: &[&str], code: i32) -> String {
    let output = farm(stage, arguments);
    assert_eq!(
        output.status.code(),
        Some(code),
        "{arguments:?}: {output:?}"
    );
    let said = if code == 0 {
        output.stdout
    } else {
        output.stderr
    };
    String::from_utf8(said).expect("text")
}

#[track_caller]
pub(crate) fn status(stage: &Stage) -> Value {
    let text = says(stage, &["status", "--json"], 0);
    serde_json::from_str(&text).expect("an object")
}

/// Asks until it is as wanted.
#[track_caller]
pub(crate) fn until(stage: &Stage, wanted: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + LIMIT;
    loop {
        let status = status(stage);
        if wanted(&status) {
            return status;
        }
        assert!(Instant::now() < deadline, "it never is: {status}");
    }
}

/// Where the sockets of a stage's runs are.
pub(crate) fn folder(stage: &Stage) -> PathBuf {
    stage.path(&format!("farm-{}", geteuid().as_raw()))
}

pub(crate) fn socket(stage: &Stage, running: &Running<'_>) -> PathBuf {
    let pid = running.pid().as_raw_nonzero();
    folder(stage).join(format!("{pid}.sock"))
}

/// One task that blocks and more behind it, on one worker; the first runs.
pub(crate) fn blocked<'a>(stage: &'a Stage, more: &str, arguments: &[&str]) -> (Running<'a>, Fifo) {
    let (running, go) = (stage.fifo("running"), stage.fifo("go"));
    let tasks = format!(r#"[{{"id": "first", "shell": "{BLOCKS}"}}, {more}]"#);
    stage.write("tasks.json", tasks);
    let mut all = vec!["tasks.json", "-j1", "--results", "results"];
    all.extend(arguments);
    let run = stage.start(&all);
    running.lines(1);
    (run, go)
}

pub(crate) fn ends(run: Running<'_>, go: &Fifo) -> Ended {
    go.say(1);
    run.end()
}

#[test]
fn c14_status_shows_depth_running_waits_and_phases_while_busy() {
    let stage = Stage::new();
    let (running, go) = (stage.fifo("running"), stage.fifo("go"));
    let blocks = format!(r#"{{"shell": "{BLOCKS}", "limit": "two", "name": "block"}}"#);
    let more = r#"{"id": "free", "shell": "echo $((6 * 7))"}, {"id": "needy", "shell": "true", "needs": [1]}"#;
    let tasks =
        format!(r#"{{"limits": {{"two": 2}}, "tasks": [{blocks}, {blocks}, {blocks}, {more}]}}"#);
    stage.write("tasks.json", tasks);
    let run = stage.start(&["tasks.json", "-j3"]);
    running.lines(2);
    let seen = until(&stage, |seen| seen["tasks"]["ended"] == 1);
    assert_eq!(seen["v"], 1);
    assert_eq!(seen["pid"], run.pid().as_raw_nonzero().get());
    assert_eq!(
        (&seen["state"], &seen["file"]),
        (&"running".into(), &"tasks.json".into())
    );
    let tasks = &seen["tasks"];
    assert_eq!(
        (&tasks["total"], &tasks["running"]),
        (&5.into(), &2.into()),
        "{seen}"
    );
    assert_eq!(
        (&tasks["waiting"], &tasks["outside"]),
        (&2.into(), &0.into()),
        "{seen}"
    );
    assert_eq!(tasks["statuses"]["ok"], 1);
    let lane = &seen["lanes"][0];
    assert!(
        lane["waits"]["p50_s"].is_number() && lane["waits"]["p99_s"].is_number(),
        "{lane}"
    );
    assert_eq!(
        (&lane["kind"], &lane["gate"]),
        (&"command".into(), &"running".into())
    );
    assert_eq!(
        (&lane["waiting"], &lane["in_flight"]),
        (&2.into(), &2.into())
    );
    assert_eq!(lane["limit"], 3);
    let workers = seen["workers"].as_array().expect("a list");
    let busy = workers.iter().filter(|worker| !worker["task"].is_null());
    let busy: Vec<&Value> = busy.collect();
    assert_eq!(busy.len(), 2, "{seen}");
    let pids = run.workers();
    for worker in busy {
        assert_eq!(worker["phase"], "running");
        assert!(
            pids.iter().any(|pid| worker["pid"] == *pid),
            "{pids:?}: {seen}"
        );
        assert_eq!(worker["task"]["label"], "block");
    }
    let whys = seen["waiting"].as_array().expect("a list").iter();
    let whys: Vec<(&Value, &Value)> = whys.map(|task| (&task["id"], &task["why"])).collect();
    assert_eq!(
        whys,
        [
            (&"3".into(), &"limit `two`".into()),
            (&"needy".into(), &"needs 1 others".into())
        ]
    );
    the_words_say_it(&stage);
    go.say(3);
    run.end().exits(0);
}

/// What people see of the same.
fn the_words_say_it(stage: &Stage) {
    let words = says(stage, &["status", "--waiting", "1"], 0);
    for part in [
        "farm run tasks.json: pid",
        "5 tasks: 1 ended (1 ok), 2 running, 2 waiting",
        "lane command: running, 2 of 3 in flight, 2 of ",
        "running        0  1 (block), for ",
        "limit `two`: 3 (block)",
        "and 1 more",
    ] {
        assert!(words.contains(part), "{part} in:\n{words}");
    }
}

#[test]
fn c14_a_pause_starts_nothing_and_outlasts_the_input() {
    let stage = Stage::new();
    let (run, go) = blocked(&stage, r#"{"id": "next", "shell": "touch next"}"#, &[]);
    let words = says(&stage, &["pause"], 0);
    assert_eq!(words, "paused; 1 running task goes on\n");
    assert_eq!(says(&stage, &["pause"], 0), "it is paused already\n");
    go.say(1);
    let seen = until(&stage, |seen| seen["tasks"]["ended"] == 1);
    assert_eq!(
        (&seen["state"], &seen["lanes"][0]["gate"]),
        (&"paused".into(), &"paused".into())
    );
    assert_eq!(seen["waiting"][0]["why"], "paused");
    assert!(
        seen["paused_s"].is_number() && seen["all_read"] == true,
        "{seen}"
    );
    assert!(!stage.path("next").exists());
    assert_eq!(says(&stage, &["resume"], 0), "it goes on\n");
    let ended = run
        .end()
        .exits(0)
        .says("paused by `farm pause`")
        .says("  paused for ");
    assert!(stage.path("next").exists());
    assert_eq!(ended.status_of("next"), "ok");
}

#[test]
fn c14_a_paused_run_without_tasks_waits_and_can_be_interrupted() {
    let stage = Stage::new();
    let (run, go) = blocked(&stage, r#""true""#, &[]);
    says(&stage, &["pause"], 0);
    go.say(1);
    until(&stage, |seen| seen["tasks"]["ended"] == 1);
    run.signal(Signal::INT);
    let ended = run.end().dies_of(Signal::INT);
    assert_eq!(ended.status_of("2"), "not_run");
    // And one whose last task ends while it is paused.
    let stage = Stage::new();
    let (running, go) = (stage.fifo("running"), stage.fifo("go"));
    stage.write("tasks.json", format!(r#"["{BLOCKS}"]"#));
    let run = stage.start(&["tasks.json"]);
    running.lines(1);
    says(&stage, &["pause"], 0);
    go.say(1);
    let seen = until(&stage, |seen| seen["tasks"]["ended"] == 1);
    assert_eq!(seen["state"], "paused");
    assert_eq!(says(&stage, &["resume"], 0), "it goes on\n");
    run.end().exits(0);
}

#[test]
fn c14_finish_ends_what_runs_and_starts_nothing() {
    let stage = Stage::new();
    let (run, go) = blocked(&stage, r#"{"id": "next", "shell": "touch next"}"#, &[]);
    // A pause before makes no difference.
    says(&stage, &["pause"], 0);
    let words = says(&stage, &["finish"], 0);
    assert_eq!(
        words,
        "nothing more is started; it ends after 1 running task\n"
    );
    assert_eq!(says(&stage, &["finish"], 0), "it is finishing already\n");
    assert_eq!(status(&stage)["state"], "finishing");
    assert!(says(&stage, &["pause"], 1).contains("ending already"));
    let ended = ends(run, &go)
        .exits(3)
        .says("finished early, as `farm finish` asked");
    assert_eq!(
        (ended.status_of("first"), ended.status_of("next")),
        ("ok", "not_run")
    );
    assert!(!stage.path("next").exists());
    assert!(
        !folder(&stage).exists(),
        "nothing is left where sockets are"
    );
}

#[test]
fn c14_a_task_is_cancelled_wherever_it_is() {
    let stage = Stage::new();
    let filler = r#""true","#.repeat(1100);
    let more = format!(
        r#"{{"id": "second", "shell": "touch second"}}, {filler} {{"id": "last", "shell": "true"}}"#
    );
    let (run, _go) = blocked(&stage, &more, &[]);
    until(&stage, |seen| {
        seen["lanes"][0]["waiting"].as_u64() > Some(500)
    });
    assert_eq!(
        says(&stage, &["cancel", "second"], 0),
        "task `second` is cancelled; it had not begun\n"
    );
    assert_eq!(
        says(&stage, &["cancel", "last"], 0),
        "task `last` is cancelled; it had not begun\n"
    );
    let words = says(&stage, &["cancel", "sekond"], 1);
    assert!(words.contains("no task `sekond`"), "{words}");
    let words = says(&stage, &["cancel", "firts"], 1);
    assert!(words.contains("did you mean `first`?"), "{words}");
    says(&stage, &["finish"], 0);
    assert_eq!(
        says(&stage, &["cancel", "first"], 0),
        "task `first` was asked to end\n"
    );
    let ended = run.end().exits(3);
    for id in ["first", "second", "last"] {
        assert_eq!(ended.status_of(id), "cancelled", "{id}");
    }
    assert_eq!(ended.result("first")["signal"], 15);
    let message = ended.result("first")["error"]["message"]
        .as_str()
        .expect("words");
    assert!(message.contains("by a person"), "{message}");
}
