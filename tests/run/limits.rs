//! Limits on what a command may use, on real processes: processor time, memory, silence.

use crate::stage::{Ended, Stage};
use serde_json::Value;

/// Why a task did not end well.
fn why<'a>(ended: &'a Ended, id: &str) -> &'a str {
    ended.result(id)["error"]["message"]
        .as_str()
        .expect("a text")
}

/// Burns time in a grandchild that is collected by nobody but its parent, beside one that only sleeps.
#[test]
fn processor_time_of_grandchildren_counts_and_sleep_does_not() {
    let stage = Stage::new();
    let burn = "(while :; do :; done) & (sh -c 'while :; do :; done') & wait";
    let tasks = format!(
        r#"[{{"id": "burns", "shell": "{burn}", "cpu": "300ms", "timeout": "30s"}},
            {{"id": "sleeps", "shell": "sleep 1", "cpu": "300ms"}}]"#
    );
    let ended = stage.tasks(&tasks, &["-j2"]).exits(1);
    assert_eq!(ended.status_of("burns"), "timeout");
    let said = why(&ended, "burns");
    assert!(
        said.starts_with("its processor time of 300ms was used up"),
        "{said}"
    );
    assert_eq!(ended.status_of("sleeps"), "ok");
    stage.all_gone_within(std::time::Duration::from_secs(2));
}

/// Many children that live for a moment each: none of them is seen for long, their sum is.
#[test]
fn processor_time_of_those_that_have_ended_counts() {
    let stage = Stage::new();
    let short = "while :; do sh -c 'i=0; while [ $i -lt 3000 ]; do i=$((i+1)); done'; done";
    let tasks =
        format!(r#"[{{"id": "many", "shell": "{short}", "cpu": "300ms", "timeout": "30s"}}]"#);
    let ended = stage.tasks(&tasks, &[]).exits(1);
    assert!(why(&ended, "many").contains("processor time"), "{ended:#?}");
}

/// Something that takes 300 MB and keeps them is stopped, what it said is shown, and nobody beside it notices.
#[test]
fn memory_over_the_limit_is_stopped_and_the_neighbour_goes_on() {
    let stage = Stage::new();
    let eat = "echo begun; (head -c 300000000 /dev/zero; sleep 100) | tail";
    let tasks = format!(
        r#"[{{"id": "eats", "shell": "{eat}", "memory": "100MB", "timeout": "30s", "retries": 3}},
            {{"id": "beside", "shell": "sleep 1; echo fine", "memory": "100MB"}},
            {{"id": "after", "shell": "echo fine"}}]"#
    );
    let ended = stage.tasks(&tasks, &["-j2"]).exits(1);
    let eats = ended.result("eats");
    assert_eq!(eats["status"], "resource");
    assert_eq!(eats["error"]["class"], "resource");
    assert_eq!(eats["attempts"].as_array().map(Vec::len), Some(1));
    assert_eq!(eats["stdout"], "begun\n");
    let used = eats["max_rss"].as_u64().expect("a number");
    assert!((100_000_000..600_000_000).contains(&used), "{used}");
    let said = why(&ended, "eats");
    let figures = format!("held {used} bytes of memory, and its limit is 100000000");
    assert!(said.contains(&figures), "{said}");
    assert_eq!(ended.status_of("beside"), "ok");
    assert_eq!(ended.status_of("after"), "ok");
    stage.all_gone_within(std::time::Duration::from_secs(2));
}

/// What cannot be kept by anybody says so by its figures.
#[test]
fn a_limit_below_what_a_worker_needs_shows_both_figures() {
    let stage = Stage::new();
    let ended = stage
        .tasks(
            r#"[{"id": "tight", "shell": "sleep 100", "memory": 1024}]"#,
            &[],
        )
        .exits(1);
    assert_eq!(ended.status_of("tight"), "resource");
    assert!(
        why(&ended, "tight").contains("its limit is 1024;"),
        "{ended:#?}"
    );
}

/// A retry may be asked for, and meets the same end.
#[test]
fn a_retry_for_a_resource_must_be_asked_for() {
    let stage = Stage::new();
    let task = r#"[{"id": "again", "shell": "sleep 100", "memory": 1024, "retries": {"count": 1, "on": ["resource"]}}]"#;
    let ended = stage.tasks(task, &[]).exits(1);
    let attempts = ended.result("again")["attempts"]
        .as_array()
        .expect("a list");
    let statuses: Vec<&Value> = attempts.iter().map(|attempt| &attempt["status"]).collect();
    assert_eq!(statuses, ["resource", "resource"]);
}

/// Silence is a stall and words are not, whether they are shown as they come or kept.
#[test]
fn silence_is_a_stall_and_output_is_a_sign_of_life() {
    let stage = Stage::new();
    let talk = "for i in 1 2 3 4; do echo $i; sleep 0.7; done";
    let tasks = format!(
        r#"{{"defaults": {{"stall": "2s", "timeout": "30s"}},
            "tasks": [{{"id": "talks", "shell": "{talk}"}}, {{"id": "silent", "shell": "echo once; sleep 100"}}]}}"#
    );
    for output in ["grouped", "line"] {
        let ended = stage.tasks(&tasks, &["-j2", "--output", output]).exits(1);
        assert_eq!(ended.status_of("talks"), "ok", "{ended:#?}");
        assert_eq!(ended.status_of("silent"), "timeout");
        assert_eq!(ended.result("silent")["stdout"], "once\n");
        let said = why(&ended, "silent");
        assert!(
            said.starts_with("it wrote nothing for its stall limit of 2s"),
            "{said}"
        );
    }
}
