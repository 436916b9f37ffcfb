//! `farm sim` as its users meet it: sweeps, tokens, replays, and how it ends.
#![cfg(all(feature = "command", feature = "sim"))]

#[expect(dead_code, reason = "what only the tests of `farm run` need")]
#[path = "run/stage.rs"]
mod stage;

use farm::lockstep::Spec;
use farm::master::record::RunEncoder;
use farm::master::{Actions, Config, Event, Shut};
use farm::protocol::Instant;
#[cfg(feature = "mutation")]
use farm::sim::TOKEN_MAX;
use farm::sim::{BUILD, Build, Token, scenario, scenarios};
use serde_json::Value;
use stage::{Ended, Stage};

fn sim_on(stage: &Stage, arguments: &[&str]) -> Ended {
    let mut command = stage.marked(env!("CARGO_BIN_EXE_farm"));
    command.arg("sim").args(arguments);
    stage.start_command(&mut command).end()
}

fn sim(arguments: &[&str]) -> Ended {
    sim_on(&Stage::new(), arguments)
}

/// The last line of what it printed.
fn last(ended: &Ended) -> Value {
    let text = ended.text();
    let line = text.lines().last().expect("a last line");
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))
}

fn clean_token() -> Token {
    let scenario = scenario("pool").expect("it is shipped");
    Token {
        scenario,
        params: scenario.defaults,
        spec: Spec::Portfolio,
        seed: 11,
        number: 4,
        build: BUILD,
    }
}

#[test]
fn a_clean_sweep_says_what_was_shown() {
    let ended = sim(&["pool", "--seed", "5", "--schedules", "40"]).exits(0);
    let shown = last(&ended);
    assert_eq!(shown["scenario"], "pool");
    assert_eq!(shown["seed"], 5);
    assert_eq!(shown["schedules"], 40);
    assert_eq!(shown["inconclusive"], 0);
    assert_eq!(shown["failed"], Value::Null);
    for key in ["steps", "steps_per_s", "faults", "reached"] {
        assert!(shown[key].as_u64() > Some(0), "{key}: {shown}");
    }
    assert!(shown["never"].is_array(), "{shown}");
}

#[test]
fn without_a_scenario_every_one_is_swept() {
    let ended = sim(&["--schedules", "3", "--seed", "1"]).exits(0);
    let text = ended.text();
    for scenario in scenarios() {
        let line = |line: &str| line.split_whitespace().next() == Some(scenario.name);
        assert!(text.lines().any(line), "{text}");
    }
    let shown = last(&ended);
    assert_eq!(shown["scenario"], "all");
    assert_eq!(shown["schedules"], 3 * scenarios().len());
    // Three schedules do not show everything; what they did not is told with the scenario's name.
    let never = shown["never"].as_array().expect("a list");
    let named = |what: &Value| what.as_str().is_some_and(|what| what.contains(": "));
    assert!(!never.is_empty() && never.iter().all(named), "{never:?}");
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let shown = ["1", "3"].map(|jobs| {
        let ended = sim(&[
            "chaos",
            "--seed",
            "9",
            "--schedules",
            "60",
            "--tasks",
            "8",
            "--jobs",
            jobs,
        ]);
        let mut shown = last(&ended.exits(0));
        shown["steps_per_s"].take();
        shown
    });
    assert_eq!(shown[0], shown[1]);
}

#[test]
fn a_fresh_seed_is_printed_and_another_each_time() {
    let seeds = [(), ()].map(|()| {
        let ended = sim(&["mini", "--schedules", "1"]).exits(0);
        let seed = last(&ended)["seed"].as_u64().expect("a number");
        let first = ended.text();
        assert!(first.starts_with(&format!("seed {seed}, strategy portfolio\n")));
        seed
    });
    assert_ne!(seeds[0], seeds[1]);
}

#[test]
fn a_single_schedule_can_be_read_though_it_passes() {
    let arguments = ["mini", "--schedules", "1", "--seed", "1", "--trace", "text"];
    let text = sim(&arguments).exits(0).text().to_owned();
    for wanted in ["token: lk1.mini.", "time ms", "> submit t0", "stopped"] {
        assert!(text.contains(wanted), "{wanted} in {text}");
    }
}

#[test]
fn every_strategy_and_every_sort_of_faults_is_taken() {
    for strategy in ["random", "pct:1", "pct:9", "urw", "portfolio", "swarm"] {
        for faults in ["none", "stock", "swarm"] {
            let arguments = ["mini", "--schedules", "2", "--seed", "3"];
            let arguments = [
                &arguments[..],
                &["--strategy", strategy, "--faults", faults],
            ]
            .concat();
            let shown = last(&sim(&arguments).exits(0));
            assert_eq!(shown["strategy"], strategy);
            assert!(faults != "none" || shown["faults"] == 0, "{shown}");
        }
    }
}

#[test]
fn what_meets_its_step_limit_is_no_pass() {
    let ended = sim(&["pool", "--schedules", "3", "--max-steps", "5"])
        .exits(4)
        .says("3 of 3 schedules met their step limit");
    assert_eq!(last(&ended)["inconclusive"], 3);
    let mut token = clean_token();
    token.params.max_steps = 5;
    let ended = sim(&["--replay", &token.to_string()]).exits(4);
    assert_eq!(last(&ended)["inconclusive"], 1);
}

#[test]
fn time_can_be_the_limit() {
    // In no time nothing is shown, and that is no pass.
    let ended = sim(&["pool", "--time-limit", "1ns"])
        .exits(4)
        .says("no schedule could be begun in the time");
    assert_eq!(last(&ended)["schedules"], 0);
    let ended = sim(&["pool", "--time-limit", "1h", "--schedules", "2"]).exits(0);
    assert_eq!(last(&ended)["schedules"], 2);
    // The number of schedules alone would take hours. How many there are is the machine's affair.
    let shown = last(&sim(&["pool", "--time-limit", "200ms"]));
    assert!(shown["schedules"].as_u64() < Some(1_000_000), "{shown}");
}

#[test]
fn a_list_of_what_there_is() {
    let ended = sim(&["--list"]).exits(0);
    let text = ended.text();
    for scenario in scenarios() {
        assert!(
            text.contains(scenario.name) && text.contains(scenario.about),
            "{text}"
        );
    }
    let listed = last(&ended);
    assert_eq!(listed["scenarios"][0], "pool");
    let mutations = listed["mutations"].as_array().expect("a list").len();
    assert_eq!(mutations > 0, cfg!(feature = "mutation"));
}

#[test]
fn a_run_is_made_again_byte_by_byte() {
    let token = clean_token().to_string();
    let quiet = sim(&["--replay", &token]).exits(0);
    assert!(!quiet.text().contains("time ms"), "{}", quiet.text());
    let traced = [(), ()].map(|()| {
        sim(&["--replay", &token, "--trace", "text"])
            .exits(0)
            .text()
    });
    assert_eq!(traced[0], traced[1]);
    assert!(
        traced[0].contains("time ms    step  master"),
        "{}",
        traced[0]
    );
    assert!(traced[0].contains("settle t49 "), "{}", traced[0]);
    let shown = last(&quiet);
    assert_eq!(
        (&shown["schedules"], &shown["failed"]),
        (&1.into(), &Value::Null)
    );
    assert_eq!(shown["digest"].as_str().map(str::len), Some(16));
}

#[test]
fn a_token_of_another_build_is_tried() {
    let mut token = clean_token();
    token.build = Build(!BUILD.0);
    let (theirs, ours) = (token.build.to_string(), BUILD.to_string());
    sim(&["--replay", &token.to_string()])
        .exits(3)
        .says(&format!(
            "warning: the token was written by build {theirs}, and this is build {ours}"
        ))
        .says(&format!("does not fail with build {ours}"))
        .says(&format!("replay it with build {theirs}"));
}

#[test]
fn usage_errors_say_what_to_do() {
    let token = clean_token().to_string();
    let cases: &[(&[&str], &str)] = &[
        (&["poool"], "a similar value exists: 'pool'"),
        (&["pool", "--schedules", "0"], "0 is not in 1..="),
        (
            &["pool", "--schedules", "1000000001"],
            "is not in 1..=1000000000",
        ),
        (&["pool", "--tasks", "0"], "0 is not in 1..=100000"),
        (&["pool", "--workers", "100001"], "is not in 1..=100000"),
        (&["pool", "--max-steps", "0"], "0 is not in 1..="),
        (
            &["pool", "--jobs", "0"],
            "expected a number from 1 to 1024, or `auto`",
        ),
        (
            &["pool", "--jobs", "1025"],
            "expected a number from 1 to 1024, or `auto`",
        ),
        (
            &["pool", "--strategy", "pct:10"],
            "is not a strategy: it is one of",
        ),
        (
            &["pool", "--faults", "some"],
            "possible values: none, stock, swarm",
        ),
        (
            &["pool", "--time-limit", "0s"],
            "no schedule could be begun",
        ),
        (
            &["pool", "--time-limit", "5 parsecs"],
            "unknown unit of time",
        ),
        (&["pool", "--mutation", "b99"], "there is no mutation `b99`"),
        (&["pool", "--trace", "svg"], "possible values: text, none"),
        (&["--seed", "-1"], "unexpected argument"),
        (
            &["--replay", "lk1.pool"],
            "it has 2 parts between its points",
        ),
        (&["--replay", "abc"], "a token begins with `lk1.`"),
        (
            &["--replay", "lk1.pool.urw.1.1.t0.a1b2c3d4"],
            "the parameter `t0` is not understood",
        ),
        (&["pool", "--replay", &token], "cannot be used with"),
        (&["--seed", "1", "--replay", &token], "cannot be used with"),
        (
            &["--replay-run", "record", "--replay", &token],
            "cannot be used with",
        ),
        (
            &["--replay-run", "record", "--tasks", "1"],
            "cannot be used with",
        ),
        (&["--list", "pool"], "cannot be used with"),
    ];
    for (arguments, words) in cases {
        let ended = sim(arguments).exits(2).says(words);
        assert!(ended.stdout.is_empty(), "{arguments:?}: {ended:#?}");
    }
}

#[cfg(not(feature = "mutation"))]
#[test]
fn a_build_without_seeded_bugs_says_how_to_make_one() {
    sim(&["pool", "--mutation", "b1"])
        .exits(2)
        .says("cargo build --release --features mutation");
    sim(&["--replay", "lk1.pool.urw.1.1.mb1.a1b2c3d4"])
        .exits(2)
        .says("build with `--features mutation`");
}

#[test]
fn a_real_run_is_replayed() {
    let stage = Stage::new();
    let tasks = r#"["echo said", {"shell": "exit 3", "retries": 1}, {"id": "t", "shell": "sleep 100", "timeout": "50ms"}]"#;
    stage.tasks(tasks, &["-j2", "--record", "record"]).exits(1);
    let replays = [(), ()].map(|()| sim_on(&stage, &["--replay-run", "record"]).exits(0));
    assert_eq!(replays[0].stdout, replays[1].stdout);
    let text = replays[0].text();
    assert_eq!(text.matches("   settle ").count(), 3, "{text}");
    let verdict = last(&replays[0]);
    assert_eq!(
        (&verdict["diverged"], &verdict["truncated"]),
        (&false.into(), &false.into())
    );
    assert!(verdict["replayed_events"].as_u64() > Some(3));
    let whole = sim_on(&stage, &["--replay-run", "record", "--trace", "text"]).exits(0);
    assert_eq!(whole.text(), text);
    let quiet = sim_on(&stage, &["--replay-run", "record", "--trace", "none"]).exits(0);
    assert_eq!(quiet.text().lines().count(), 1, "{}", quiet.text());
}

#[test]
fn a_record_that_was_cut_off_replays_as_far_as_it_goes() {
    let stage = Stage::new();
    stage.tasks(r#"["true"]"#, &["--record", "record"]).exits(0);
    let bytes = std::fs::read(stage.path("record")).expect("written");
    stage.write("record", &bytes[..bytes.len() - 3]);
    let ended = sim_on(&stage, &["--replay-run", "record"]).exits(0);
    let ended = ended.says("warning: the record `record` was cut off");
    assert_eq!(last(&ended)["truncated"], true);
}

#[test]
fn a_record_that_cannot_be_read_is_refused() {
    let stage = Stage::new();
    stage.tasks(r#"["true"]"#, &["--record", "record"]).exits(0);
    let mut bytes = std::fs::read(stage.path("record")).expect("written");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    stage.write("record", &bytes);
    let replay = || sim_on(&stage, &["--replay-run", "record"]).exits(2);
    replay()
        .says("error: cannot replay `record`")
        .says("is damaged");
    stage.write("record", "[]\n");
    replay().says("no record of a run");
    std::fs::remove_file(stage.path("record")).expect("just written");
    replay().says("error: cannot read the record `record`");
}

#[test]
fn a_machine_that_decides_otherwise_than_recorded_is_shown() {
    let mut encoder = RunEncoder::new();
    encoder
        .head("another farm", &Config::default())
        .expect("short");
    // The machine would say that it has stopped; the record says nothing.
    encoder.begin(Instant::from_millis(9), &Event::Shut(Shut::Drain));
    encoder.finish(&Actions::new()).expect("short");
    encoder.end();
    let stage = Stage::new();
    stage.write("record", encoder.bytes());
    let ended = sim_on(&stage, &["--replay-run", "record"])
        .exits(3)
        .says("says something else than was recorded in `record`");
    assert_eq!(last(&ended)["diverged"], true);
    assert!(ended.text().contains("written by another farm"));
}

/// A seeded bug is found, told with its token and trace, and the token leads to it again.
#[cfg(feature = "mutation")]
#[test]
fn a_failing_sweep_gives_a_token_that_replays() {
    let ended = sim(&[
        "mini",
        "--seed",
        "1",
        "--schedules",
        "500",
        "--mutation",
        "b1",
    ])
    .exits(1);
    let text = ended.text();
    let failed = last(&ended)["failed"].take();
    let token = failed["token"].as_str().expect("a token").to_owned();
    assert!(
        token.len() <= TOKEN_MAX && token.contains(".mb1."),
        "{token}"
    );
    assert!(text.contains(&format!("\ntoken: {token}\n")), "{text}");
    let marked: Vec<&str> = text.lines().filter(|line| line.starts_with('!')).collect();
    assert!(
        marked[0].contains(failed["detail"].as_str().expect("words")),
        "{text}"
    );
    let replays = [(), ()].map(|()| sim(&["--replay", &token, "--trace", "text"]).exits(1));
    assert_eq!(replays[0].stdout, replays[1].stdout);
    let again = last(&replays[0])["failed"].take();
    assert_eq!(again, failed);
    // Another build that fails all the same has shown what it was asked for.
    let mut token: Token = token.parse().expect("as printed");
    token.build = Build(!BUILD.0);
    sim(&["--replay", &token.to_string()])
        .exits(1)
        .says("warning");
}
