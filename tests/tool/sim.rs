//! `sim` in a program made with `main!`: what is found, what is printed, how it ends.
//!
//! The program has kinds that are right, wrong and not deterministic. None of their tasks can be cloned.

use crate::Test;
use crate::stage::{Ended, Stage};
use farm::exec::Commands;
use farm::protocol::{Never, Schema, Wire};
use farm::tool::{Kinds, Program};
use farm::worker::{Context, Perform};
use farm::{TaskKind, Verdict, WorkerStatus};
use serde::Deserialize;
use serde_json::Value;
use std::marker::PhantomData;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};

pub(crate) const TESTS: &[Test] = &[
    ("sim_finds_nothing_in_a_kind_that_is_right", clean),
    ("sim_finds_a_wrong_order_and_makes_it_again", wrong),
    ("sim_tells_of_a_kind_that_is_not_deterministic", drifting),
    ("sim_reads_files_as_run_does", files),
    ("sim_takes_options_and_no_commands", options),
];

/// With this variable this program is the tool of these tests.
pub(crate) const AS_DRILL: &str = "FARM_TEST_DRILL";

pub(crate) fn drill() -> ExitCode {
    let program = Program {
        name: "drill",
        version: "1.0.0",
    };
    farm::tool::main(program, || {
        Kinds::new()
            .with(Step::<Right>::new())
            .with(Step::<Wrong>::new())
            .with(Step::<Drifting>::new())
            .with(Commands::new())
    })
}

/// What makes the kinds of these tests different.
trait Sort: 'static + Send {
    const NAME: &'static str;

    /// The responses so far are `before`, and this one comes.
    fn heed(before: &mut u32, number: u32);
}

struct Step<S> {
    last: u32,
    sort: PhantomData<S>,
}

impl<S> Step<S> {
    fn new() -> Self {
        Self {
            last: 0,
            sort: PhantomData,
        }
    }
}

#[derive(Deserialize, Schema)]
struct Numbered {
    number: u32,
}

struct Right;
struct Wrong;
struct Drifting;

impl Sort for Right {
    const NAME: &'static str = "right";
    fn heed(_: &mut u32, _: u32) {}
}

impl Sort for Wrong {
    const NAME: &'static str = "wrong";
    fn heed(before: &mut u32, number: u32) {
        assert!(*before < number, "{number} after {before}");
        *before = number;
    }
}

impl Sort for Drifting {
    const NAME: &'static str = "drifting";
    fn heed(_: &mut u32, _: u32) {
        static CALLS: AtomicU32 = AtomicU32::new(0);
        let calls = CALLS.fetch_add(1, Ordering::Relaxed);
        assert!(calls % 997 != 996, "now and then in a process");
    }
}

impl<S: Sort> Wire for Step<S> {
    const NAME: &'static str = S::NAME;
    const VERSION: u32 = 1;
    type Request = u32;
    type Response = u32;
    type Feedback = Never;
    type Context = Never;
}

impl<S: Sort> TaskKind for Step<S> {
    type Wire = Self;
    type Task = Numbered;
    type Competence = ();
    type Output = u32;
    type Failure = ();

    fn request_of_task(&mut self, _: &WorkerStatus<()>, task: &Numbered) -> Option<u32> {
        Some(task.number)
    }

    fn use_response(&mut self, _: &WorkerStatus<()>, _: &Numbered, number: u32) -> Verdict<Self> {
        S::heed(&mut self.last, number);
        Verdict::done(number, ())
    }
}

impl<S: Sort> Perform for Step<S> {
    type Wire = Self;

    fn perform(&mut self, number: u32, _: &Context<'_, Self>) -> u32 {
        number
    }
}

fn play(stage: &Stage, arguments: &[&str]) -> Ended {
    let own = std::env::current_exe().expect("Linux");
    let mut command = stage.marked(own.to_str().expect("UTF-8"));
    command.env(AS_DRILL, "1").arg("sim").args(arguments);
    stage.start_command(&mut command).end()
}

/// Ten tasks of a kind.
fn ten(kind: &str) -> String {
    let tasks =
        (1..=10).map(|number| format!(r#"{{"kind": "{kind}", "input": {{"number": {number}}}}}"#));
    format!("[{}]", tasks.collect::<Vec<_>>().join(",\n"))
}

fn last_line(ended: &Ended) -> Value {
    let text = ended.text();
    let last = text.lines().last().expect("a summary");
    serde_json::from_str(last).expect("JSON")
}

fn clean() {
    let stage = Stage::new();
    stage.write("t.json", ten("right"));
    let ended = play(&stage, &["t.json", "--schedules", "50", "--seed", "3"]).exits(0);
    assert!(ended.stderr.is_empty(), "{}", ended.stderr);
    let text = ended.text();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("seed 3, strategy portfolio"));
    let line = lines.next().expect("a kind");
    assert!(line.starts_with("`right`: 50 schedules, "), "{line}");
    assert!(line.ends_with(", nothing found"), "{line}");
    let line = last_line(&ended);
    assert_eq!(line["kinds"], serde_json::json!(["right"]));
    assert_eq!((&line["schedules"], &line["seed"]), (&50.into(), &3.into()));
    assert!(line["failed"].is_null() && line["faults"].as_u64() > Some(0));
    let again = play(&stage, &["t.json", "--schedules", "50", "--seed", "3"]);
    assert_eq!(again.text(), text, "the same seed gives the same");
}

fn wrong() {
    let stage = Stage::new();
    stage.write("t.json", ten("wrong"));
    let ended = play(&stage, &["t.json"]).exits(1);
    let line = last_line(&ended);
    let failed = &line["failed"];
    assert_eq!(
        (&failed["kind"], &line["deterministic"]),
        (&"wrong".into(), &true.into())
    );
    assert!(
        failed["detail"]
            .as_str()
            .expect("words")
            .contains(" after ")
    );
    let token = failed["token"].as_str().expect("a token");
    let text = ended.text();
    assert!(
        text.contains(&format!("again: drill sim --replay {token} t.json")),
        "{text}"
    );
    let again = play(&stage, &["--replay", token, "t.json"]).exits(1);
    let body = |text: &str| {
        let from = text.find("the kind `wrong`").expect("a report");
        let end = text.find("\nagain: ").expect("how to see it again");
        text[from..end].to_owned()
    };
    assert_eq!(body(&again.text()), body(&text), "the same report");
    let fine = ["t.json", "--panics-are-fine", "--schedules", "20"];
    play(&stage, &fine).exits(0);
    // Alone, nobody overtakes it.
    let alone = r#"[{"kind": "wrong", "input": {"number": 1}, "crash_limit": "unlimited"}]"#;
    stage.write("one.json", alone);
    let ended = play(&stage, &["one.json", "--schedules", "20"]);
    let _ended = ended.exits(0);
}

fn drifting() {
    let stage = Stage::new();
    stage.write("t.json", ten("drifting"));
    let ended = play(&stage, &["t.json"]).exits(3);
    assert!(ended.text().contains("the kind is not deterministic"));
    assert_eq!(last_line(&ended)["deterministic"], false);
}

fn files() {
    let stage = Stage::new();
    stage.write("t.json", r#"[{"kind": "right", "input": {"number": -1}}]"#);
    let ended = play(&stage, &["t.json"]).exits(2);
    assert!(ended.stdout.is_empty());
    ended.says(" --> t.json:1:40 (tasks[0].input.number)");
    let missing = play(&stage, &["none.json"]).exits(2);
    missing.says("cannot read the task file none.json");
    stage.write("t.json", ten("right"));
    let ended = play(&stage, &["t.json", "--kind", "left"]).exits(2);
    ended.says("--kind: there is no kind `left`; there are: right, wrong, drifting, ");
    let ended = play(&stage, &["t.json", "--replay", "sk1.left"]).exits(2);
    ended.says("it is not of the form");
    let ended = play(&stage, &["t.json", "--kind", "wrong"]).exits(4);
    ended.says("drill: there is no task to simulate");
    stage.write(
        "lines",
        r#"{"kind": "right", "input": {"number": 1}, "limit": "net"}"#,
    );
    let few = ["lines", "--schedules", "5"];
    play(&stage, &few).exits(2).says("`net`");
    let limited = ["lines", "--schedules", "5", "--limit", "net=2"];
    play(&stage, &limited).exits(0);
}

fn options() {
    let stage = Stage::new();
    stage.write(
        "t.json",
        r#"["true", {"kind": "right", "input": {"number": 1}, "memory": "1MB", "needs": [1]},
            {"kind": "right", "input": {"number": 2}, "retries": 2}]"#,
    );
    let ended = play(&stage, &["t.json", "--schedules", "5"]).exits(0);
    let ended = ended.says("the tasks of `right` differ in their options");
    ended.says("commands are not simulated");
    stage.write("t.json", r#"["true"]"#);
    play(&stage, &["t.json"]).exits(4);
}
