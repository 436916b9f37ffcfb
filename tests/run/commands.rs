//! What a task may say and what becomes of it: forms, exit codes, retries, needs, times, streams.

use crate::stage::{Ended, Stage, has};
use serde_json::json;
use std::time::Duration;

fn tasks(text: &str) -> Ended {
    Stage::new().tasks(text, &["-j2"])
}

#[test]
fn exit_codes() {
    let stage = Stage::new();
    let code = |text: &str, code: i32| stage.tasks(text, &["-j2"]).exits(code);
    code(r#"["true"]"#, 0);
    code(r#"["true", "false"]"#, 1);
    code(r#"[{"shell": "sleep 100", "timeout": "10ms"}]"#, 1);
    code(r#"[["/no/such/program"]]"#, 1);
    code("[]", 4);
    code(r#"["true", 3]"#, 2);
    stage.run(&["missing.json"]).exits(2).says("missing.json");
    stage.run(&["."]).exits(2).says("directory");
    stage
        .run(&["--workers", "some", "x"])
        .exits(2)
        .says("expected a number");
    stage.run(&["--no-such-option"]).exits(2);
    stage.run(&["--help"]).exits(0);
}

/// 2 before 1: what could not be written weighs more than what failed.
#[test]
fn trouble_weighs_more_than_failure() {
    let stage = Stage::new();
    stage.write("tasks", "false\n[\"false\"]\n");
    let ended = stage.tasks(r#"["false"]"#, &["--joblog", "/dev/full"]);
    ended.exits(2).says("/dev/full");
}

#[test]
fn a_missing_program_says_so() {
    let ended = tasks(
        r#"[{"id": 1, "command": ["no-such-program"]}, {"id": 2, "shell": "true", "cwd": "nowhere"}]"#,
    );
    let ended = ended.exits(1).says("not found in PATH").says("nowhere");
    assert_eq!(ended.result("1")["error"]["class"], "start");
    assert_eq!(ended.result("1")["signal"], json!(null));
}

#[test]
fn retries_and_exits() {
    let ended = tasks(
        r#"{"tasks": [
        {"id": "twice", "shell": "echo x >> tries; exit $(($(wc -l < tries) < 3))", "retries": 5},
        {"id": "never", "shell": "exit 3", "retries": 2},
        {"id": "fatal", "shell": "exit 4", "retries": 2, "fatal_exit": [4]},
        {"id": "nine", "shell": "exit 9", "ok_exit": [9]},
        {"id": "zero", "shell": "exit 0", "ok_exit": [9]},
        {"id": "signal", "shell": "kill -SEGV $$"},
        {"id": "on", "shell": "exit 1", "retries": {"count": 3, "on": ["timeout"]}}
    ]}"#,
    )
    .exits(1);
    let attempts = |id: &str| ended.result(id)["attempts"].as_array().expect("them").len();
    assert_eq!((ended.status_of("twice"), attempts("twice")), ("ok", 3));
    assert_eq!((ended.status_of("never"), attempts("never")), ("failed", 3));
    assert_eq!((ended.status_of("fatal"), attempts("fatal")), ("failed", 1));
    assert_eq!((ended.status_of("on"), attempts("on")), ("failed", 1));
    assert_eq!(ended.status_of("nine"), "ok");
    assert_eq!(ended.result("zero")["exit"], 0);
    assert_eq!(ended.status_of("zero"), "failed");
    assert_eq!(ended.result("signal")["signal"], 11);
    assert!(ended.stderr.contains("SIGSEGV"), "{}", ended.stderr);
}

#[test]
fn needs_skip_and_order() {
    let ended = tasks(
        r#"[
        {"id": "c", "needs": ["b"], "shell": "cat b"},
        {"id": "b", "needs": ["a"], "shell": "cat a > b"},
        {"id": "a", "shell": "echo from-a > a"},
        {"id": "bad", "shell": "exit 1"},
        {"id": "no", "needs": ["bad"], "shell": "true"},
        {"id": "nor", "needs": ["no"], "shell": "true"},
        {"id": "yes", "needs": [{"id": "bad", "when": "failure"}], "shell": "true"},
        {"id": "ever", "needs": [{"id": "bad", "when": "always"}, "a"], "shell": "true"}
    ]"#,
    )
    .exits(1);
    assert_eq!(ended.result("c")["stdout"], "from-a\n");
    assert_eq!(ended.status_of("no"), "skipped");
    assert_eq!(ended.result("no")["skipped_by"], "bad");
    assert_eq!(ended.result("nor")["skipped_by"], "no");
    assert_eq!(
        (ended.status_of("yes"), ended.status_of("ever")),
        ("ok", "ok")
    );
    assert_eq!(ended.result("no")["attempts"], json!([]));
}

/// What a task said before its time was over is kept, however it was ended.
#[test]
fn timeouts_and_what_was_said() {
    let stage = Stage::new();
    let ended = stage.tasks(
        r#"{"defaults": {"timeout": "400ms", "grace": "300ms"}, "tasks": [
        {"id": "heeds", "shell": "echo said; echo why >&2; exec sleep 100"},
        {"id": "cleans", "command": ["sh", "-c", "trap 'echo bye; exit 7' TERM; sleep 100 & wait"]},
        {"id": "stays", "shell": "trap '' TERM; echo stubborn; sleep 100; sleep 100"},
        {"id": "long", "shell": "trap '' TERM; head -c 200000 /dev/zero | tr '\\0' x; sleep 100; sleep 100"},
        {"id": "again", "shell": "echo x >> again; [ $(wc -l < again) = 2 ] || exec sleep 100",
         "retries": {"count": 2, "on": ["timeout"]}}
    ]}"#,
        &["-j5"],
    )
    .exits(1);
    let field = |id: &str, field: &str| ended.result(id)[field].clone();
    for id in ["heeds", "cleans", "stays", "long"] {
        assert_eq!(ended.status_of(id), "timeout", "{id}");
    }
    assert_eq!(
        (field("heeds", "stdout"), field("heeds", "signal")),
        (json!("said\n"), json!(15))
    );
    assert_eq!(field("heeds", "stderr"), "why\n");
    assert_eq!(
        (field("cleans", "stdout"), field("cleans", "exit")),
        (json!("bye\n"), json!(7))
    );
    assert_eq!(
        (field("stays", "stdout"), field("stays", "signal")),
        (json!("stubborn\n"), json!(9))
    );
    assert_eq!(field("long", "truncated"), json!(true));
    let rest = field("long", "stdout_rest");
    let rest = std::fs::read(rest.as_str().expect("a path")).expect("kept");
    assert_eq!(rest.len(), 200_000 - (64 << 10));
    assert_eq!(ended.status_of("again"), "ok");
    assert_eq!(field("again", "attempts")[0]["status"], "timeout");
    stage.all_gone_within(Duration::from_secs(2));
}

#[test]
fn limits_and_priorities() {
    let stage = Stage::new();
    // Who finds the lock held was started beside another of its limit.
    let one = r#"{"shell": "mkdir lock && rmdir lock", "limit": "one"}"#;
    let list = vec![one; 20].join(",");
    let text = format!(r#"{{"limits": {{"one": 1}}, "tasks": [{list}]}}"#);
    stage.tasks(&text, &["-j4"]).exits(0);
    let unknown = stage.tasks(&format!("[{one}]"), &[]);
    unknown.exits(2).says("one");
    stage
        .tasks(&format!("[{one}]"), &["--limit", "one=1"])
        .exits(0);
    let order = stage.tasks(
        r#"[{"id": "low", "shell": "echo low >> order", "priority": -1},
            {"id": "mid", "shell": "echo mid >> order"},
            {"id": "high", "shell": "echo high >> order", "priority": 7}]"#,
        &["-j1"],
    );
    order.exits(0);
    assert_eq!(stage.read("order"), "high\nmid\nlow\n");
}

#[test]
fn environment_folder_and_input() {
    let stage = Stage::new();
    stage.write("given", "from a file");
    std::fs::create_dir(stage.path("sub")).expect("ours");
    let ended = stage
        .tasks(
            r#"[
        {"id": "env", "shell": "echo $A-$HOME", "env": {"A": "b"}, "clear_env": true},
        {"id": "cwd", "command": ["pwd"], "cwd": "sub"},
        {"id": "text", "command": ["cat"], "stdin": "words"},
        {"id": "json", "command": ["cat"], "stdin": {"json": {"a": [1]}}},
        {"id": "file", "command": ["cat"], "stdin": {"file": "given"}},
        {"id": "none", "command": ["cat"]},
        {"id": "deaf", "command": ["true"], "stdin": "unread"},
        {"id": "--help", "command": ["printf", "%s|", "--", "-x", "a b", "'", "\"", "\n"]}
    ]"#,
            &["-j2"],
        )
        .exits(0);
    let said = |id: &str| {
        ended.result(id)["stdout"]
            .as_str()
            .expect("text")
            .to_owned()
    };
    assert_eq!(said("env"), "b-\n");
    assert!(said("cwd").ends_with("/sub\n"), "relative to the task file");
    assert_eq!(
        (said("text"), said("json")),
        ("words".into(), r#"{"a":[1]}"#.into())
    );
    assert_eq!(
        (said("file"), said("none")),
        ("from a file".into(), String::new())
    );
    assert_eq!(said("--help"), "--|-x|a b|'|\"|\n|");
}

#[test]
fn streams() {
    let stage = Stage::new();
    let both = "echo out; echo err >&2";
    let ended = stage.tasks(
        &format!(
            r#"[
        {{"id": "merged", "shell": "{both}; echo again", "stderr": "stdout"}},
        {{"id": "null", "shell": "{both}", "stdout": "null", "stderr": "null"}},
        {{"id": "through", "shell": "echo loud; echo louder >&2", "stdout": "inherit", "stderr": "inherit"}},
        {{"id": "file", "shell": "{both}", "stdout": "o", "stderr": "e"}},
        {{"id": "same", "shell": "{both}", "stdout": "s", "stderr": "s"}},
        {{"id": "bytes", "command": ["printf", "\\377\\376"]}},
        {{"id": "nowhere", "shell": "true", "stdout": "no/such/folder/x"}}
    ]"#
        ),
        &["-j2"],
    )
    .exits(1);
    assert_eq!(ended.result("merged")["stdout"], "out\nerr\nagain\n");
    assert_eq!(ended.result("null")["stdout"], "");
    assert_eq!(
        (stage.read("o"), stage.read("e")),
        ("out\n".into(), "err\n".into())
    );
    assert_eq!(stage.read("s"), "out\nerr\n");
    assert_eq!(ended.result("bytes")["stdout_b64"], "//4=");
    assert!(ended.text().contains("loud\n") && ended.stderr.contains("louder\n"));
    assert_eq!(ended.result("through")["stdout"], "");
    assert_eq!(ended.status_of("nowhere"), "failed");
    assert!(
        ended.stderr.contains("no/such/folder/x"),
        "{}",
        ended.stderr
    );
}

/// The shell's parent is the worker: it dies, its worker's group with it, and the causes are told as they were.
#[test]
fn a_task_that_kills_its_worker() {
    let stage = Stage::new();
    let ended = stage.tasks(
        r#"[
        {"id": "limit", "shell": "kill -9 $PPID; sleep 100", "crash_limit": 2},
        {"id": "once", "shell": "kill -9 $PPID; sleep 100", "on_lost": "fail"},
        {"id": "abort", "shell": "kill -ABRT $PPID; sleep 100", "on_lost": "fail"},
        {"id": "second", "shell": "echo x >> tries; [ $(wc -l < tries) = 2 ] || kill -9 $PPID; echo done"},
        {"id": "bystander", "shell": "echo fine"}
    ]"#,
        &["-j3"],
    )
    .exits(1)
    .says("SIGKILL");
    assert_eq!(ended.status_of("limit"), "quarantined");
    let attempts = ended.result("limit")["attempts"].as_array().expect("them");
    assert_eq!(attempts.len(), 3, "two free, the last alone");
    assert!(
        attempts
            .iter()
            .all(|one| one["status"] == "crashed" && one["signal"] == 9)
    );
    assert_eq!(
        (ended.status_of("once"), &ended.result("once")["signal"]),
        ("crashed", &json!(9))
    );
    assert_eq!(ended.result("abort")["signal"], 6);
    assert_eq!(
        (ended.status_of("second"), ended.status_of("bystander")),
        ("ok", "ok")
    );
    assert_eq!(
        ended.result("second")["attempts"].as_array().map(Vec::len),
        Some(2)
    );
    stage.all_gone_within(Duration::from_secs(2));
}

/// The task ends when its process does, whoever holds its pipes; who is left is reported and ended.
#[test]
fn what_is_left_behind() {
    if !has("setsid") {
        return;
    }
    let stage = Stage::new();
    let ended = stage
        .tasks(
            r#"[
        {"id": "background", "shell": "sleep 100 & echo begun"},
        {"id": "session", "command": ["setsid", "sh", "-c", "sleep 100 & echo away"]},
        {"id": "clean", "shell": "sleep 0 & wait; echo clean"}
    ]"#,
            &["-j2"],
        )
        .exits(0);
    for (id, left) in [
        ("background", json!(true)),
        ("session", json!(true)),
        ("clean", json!(null)),
    ] {
        assert_eq!(ended.result(id)["left_behind"], left, "{id}");
    }
    stage.all_gone_within(Duration::from_secs(2));
}

/// Who left the group is found as long as the worker lives: when its time is over, when the run is.
#[test]
fn a_stray_ends_with_its_task() {
    if !has("setsid") {
        return;
    }
    let stage = Stage::new();
    let stray = "setsid sleep 100 & trap '' TERM; sleep 100; sleep 100";
    let text =
        format!("[{{\"shell\": \"{stray}\", \"timeout\": \"300ms\", \"grace\": \"200ms\"}}]");
    stage.tasks(&text, &["-j1"]).exits(1).says("killed");
    stage.all_gone_within(Duration::from_secs(2));
}

/// A command holds its three streams and nothing of ours.
#[test]
fn a_command_has_no_private_descriptor() {
    let stage = Stage::new();
    let list = r#"["ls /proc/self/fd | wc -l"]"#;
    // What our own starter left open is handed on, as by any program: it counts for both.
    let mut bare = stage.marked("sh");
    bare.args(["-c", "ls /proc/self/fd | wc -l"]);
    let bare = stage.start_command(&mut bare).end().text();
    let ended = stage.tasks(list, &["-j2", "--joblog", "j", "--events", "e"]);
    assert_eq!(ended.exits(0).text(), bare);
}
