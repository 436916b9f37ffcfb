//! Who else connects to a control socket, and what is where sockets are.

use crate::control::{BLOCKS, blocked, ends, farm, folder, says, socket, status, until};
use crate::stage::{LIMIT, Stage, children};
use rustix::process::Signal;
use serde_json::Value;
use std::fs::{self, Permissions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

/// Says these bytes to a run, and what it answers.
fn to(path: &PathBuf, bytes: &[u8]) -> Value {
    let mut stream = UnixStream::connect(path).expect("it listens");
    stream.set_read_timeout(Some(LIMIT)).expect("a time");
    // It may have heard enough before the end.
    let _enough = stream.write_all(bytes);
    let mut text = String::new();
    // An end by what it did not read comes after the answer.
    let _end = stream.read_to_string(&mut text);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn c14_nonsense_is_refused_and_sleepers_hold_nobody_up() {
    let stage = Stage::new();
    let (run, go) = blocked(&stage, r#""true""#, &[]);
    let path = socket(&stage, &run);
    let flood = vec![b'['; 100_000];
    for (bytes, code) in [
        (&b"hello\n"[..], "bad_request"),
        (b"{\"v\":1}\n", "bad_request"),
        (b"{\"v\":1,\"ask\":\"dance\"}\n", "bad_request"),
        (b"{\"v\":1,\"ask\":\"cancel\"}\n", "bad_request"),
        (b"\xff\xfe\x00\n", "bad_request"),
        (&flood, "bad_request"),
        (b"{\"v\":2,\"ask\":\"status\"}\n", "version"),
    ] {
        let answer = to(&path, bytes);
        assert_eq!(
            (&answer["ok"], &answer["code"]),
            (&false.into(), &code.into()),
            "{answer}"
        );
    }
    // More than are served at once, and none of them ever says what it wants.
    let sleepers: Vec<UnixStream> = (0..12)
        .map(|_| {
            let mut stream = UnixStream::connect(&path).expect("it listens");
            stream.write_all(b"{\"v\":1,").expect("room");
            stream
        })
        .collect();
    let begun = Instant::now();
    assert_eq!(status(&stage)["state"], "running");
    assert!(
        begun.elapsed() < Duration::from_secs(8),
        "{:?}",
        begun.elapsed()
    );
    for mut sleeper in sleepers {
        sleeper.set_read_timeout(Some(LIMIT)).expect("a time");
        let mut text = String::new();
        sleeper.read_to_string(&mut text).expect("an answer");
        assert!(text.contains("no whole request"), "{text}");
    }
    // One that is asleep at the end does not keep the run.
    let sleeper = UnixStream::connect(&path).expect("it listens");
    ends(run, &go).exits(0);
    drop(sleeper);
}

#[test]
fn c14_a_hundred_clients_at_once_are_all_answered() {
    let stage = Stage::new();
    let (run, go) = blocked(&stage, r#""true""#, &[]);
    let path = socket(&stage, &run);
    thread::scope(|scope| {
        let ask = || to(&path, b"{\"v\":1,\"ask\":\"status\",\"waiting\":5}\n");
        let clients: Vec<_> = (0..100).map(|_| scope.spawn(ask)).collect();
        for client in clients {
            let answer = client.join().expect("an answer");
            assert_eq!(
                (&answer["ok"], &answer["status"]["tasks"]["running"]),
                (&true.into(), &1.into())
            );
        }
    });
    ends(run, &go).exits(0);
}

#[test]
fn c14_a_folder_that_others_may_write_to_is_refused_and_the_run_goes_on() {
    let warns = |stage: &Stage, why: &str| {
        stage.write("tasks.json", r#"["echo ran"]"#);
        let ended = stage
            .run(&["tasks.json"])
            .exits(0)
            .says("`farm status` will not find this run");
        assert_eq!(ended.stderr.matches(why).count(), 1, "{}", ended.stderr);
        assert_eq!(ended.text(), "ran\n");
        let words = says(stage, &["status"], 1);
        assert!(
            words.contains(why) && words.contains("no run of yours"),
            "{words}"
        );
    };
    let stage = Stage::new();
    let folder = folder(&stage);
    fs::create_dir(&folder).expect("ours");
    fs::set_permissions(&folder, Permissions::from_mode(0o777)).expect("ours");
    warns(&stage, "has mode 777, not 700");
    fs::remove_dir(&folder).expect("nothing is in it");
    fs::create_dir(stage.path("elsewhere")).expect("ours");
    symlink(stage.path("elsewhere"), &folder).expect("ours");
    warns(&stage, "is no folder");
    fs::remove_file(&folder).expect("a link");
    fs::write(&folder, "a file").expect("ours");
    warns(&stage, "is no folder");
}

#[test]
fn c14_several_runs_are_told_apart() {
    let (stage, other) = (Stage::new(), Stage::new());
    // Both where one looks.
    let shared = stage.path("shared");
    fs::create_dir(&shared).expect("ours");
    fs::set_permissions(&shared, Permissions::from_mode(0o700)).expect("ours");
    let mut runs = Vec::new();
    for stage in [&stage, &other] {
        let (running, go) = (stage.fifo("running"), stage.fifo("go"));
        stage.write("tasks.json", format!(r#"["{BLOCKS}", "true"]"#));
        let mut command = stage.command(&["tasks.json", "-j1"]);
        let run = stage.start_command(command.env("XDG_RUNTIME_DIR", &shared));
        running.lines(1);
        runs.push((run, go));
    }
    let ask = |arguments: &[&str]| {
        let mut command = stage.bare(env!("CARGO_BIN_EXE_farm"));
        command.args(arguments).env("XDG_RUNTIME_DIR", &shared);
        let output = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .output();
        let output = output.expect("the program was built");
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).expect("text"))
    };
    let pids: Vec<String> = runs
        .iter()
        .map(|(run, _)| run.pid().as_raw_nonzero().to_string())
        .collect();
    let (code, list) = ask(&["status"]);
    assert_eq!((code, list.lines().count()), (Some(0), 2), "{list}");
    assert!(pids.iter().all(|pid| list.contains(&**pid)), "{list}");
    let (_, list) = ask(&["status", "--json"]);
    let list: Value = serde_json::from_str(&list).expect("an object");
    assert_eq!(list["runs"].as_array().map(Vec::len), Some(2));
    let (code, words) = ask(&["pause"]);
    assert!(
        code == Some(2) && words.contains("say which one"),
        "{words}"
    );
    assert_eq!(ask(&["pause", &pids[1]]).0, Some(0));
    for (pid, state) in pids.iter().zip(["running", "paused"]) {
        let (_, seen) = ask(&["status", pid, "--json"]);
        let seen: Value = serde_json::from_str(&seen).expect("an object");
        assert_eq!(seen["state"], state);
    }
    let (code, words) = ask(&["status", "1"]);
    assert!(
        code == Some(1) && words.contains("no run has the pid 1; yours are"),
        "{words}"
    );
    assert_eq!(ask(&["resume", &pids[1]]).0, Some(0));
    for (run, go) in runs {
        go.say(1);
        run.end().exits(0);
    }
    assert!(!shared.join("farm").exists());
}

#[test]
fn c14_what_a_killed_run_leaves_is_removed_by_the_next_and_no_other() {
    let (stage, other) = (Stage::new(), Stage::new());
    let (run, go) = blocked(&stage, r#""true""#, &[]);
    let (alive, dead) = (socket(&stage, &run), folder(&stage).join("999999999.sock"));
    let begun = other.fifo("running");
    other.write("tasks.json", r#"["echo > running; sleep 100"]"#);
    let mut killed = other.command(&["tasks.json"]);
    let killed = other.start_command(killed.env("TMPDIR", stage.path("")));
    let left = socket(&stage, &killed);
    begun.lines(1);
    killed.signal(Signal::KILL);
    killed.end();
    assert!(left.exists() && alive.exists());
    fs::rename(&left, &dead).expect("ours");
    // Neither is a socket: not ours to remove.
    let strange = folder(&stage).join("7.sock");
    fs::write(&strange, "").expect("ours");
    fs::write(folder(&stage).join("readme"), "").expect("ours");
    let words = says(&stage, &["status", "999999999"], 1);
    assert!(words.contains("no run has the pid"), "{words}");
    assert!(!dead.exists() && alive.exists() && strange.exists());
    fs::remove_file(strange).expect("still there");
    assert_eq!(status(&stage)["state"], "running");
    ends(run, &go).exits(0);
    assert!(!alive.exists() && folder(&stage).join("readme").exists());
}

#[test]
fn c14_a_path_of_ones_own() {
    let stage = Stage::new();
    let (run, go) = blocked(&stage, r#""true""#, &["--control", "own.sock"]);
    assert!(says(&stage, &["status"], 1).contains("no run of yours"));
    assert!(says(&stage, &["status", "own.sock"], 0).contains("1 running"));
    // Somebody is there.
    let mut second = stage.bare(env!("CARGO_BIN_EXE_farm"));
    second.args(["run", "tasks.json", "--control", "own.sock"]);
    let second = second.output().expect("the program was built");
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(
        second.status.code() == Some(2) && said.contains("another run has it"),
        "{said}"
    );
    ends(run, &go).exits(0);
    assert!(!stage.path("own.sock").exists());
    stage.write("file", "precious");
    stage.write("tasks.json", r#"["touch ran"]"#);
    let long = "l".repeat(120);
    for (path, why) in [
        ("file", "is there already, and is no socket"),
        ("no/where", "cannot open no/where"),
        (&long, "a socket's path has at most 107"),
    ] {
        stage
            .run(&["tasks.json", "--control", path])
            .exits(2)
            .says(why);
    }
    assert_eq!(stage.read("file"), "precious");
    assert!(!stage.path("ran").exists());
    assert!(says(&stage, &["pause", "own.sock"], 1).contains("it has ended"));
}

#[test]
fn c14_without_a_socket_a_run_is_a_run() {
    let stage = Stage::new();
    stage.write("tasks.json", r#"["true"]"#);
    let quiet = stage.run(&["tasks.json", "--control", "off"]).exits(0);
    assert!(!quiet.stderr.contains("status"), "{}", quiet.stderr);
    // A folder for temporary files with a long name.
    let long = stage.path(&"l".repeat(120));
    fs::create_dir(&long).expect("ours");
    let mut command = stage.command(&["tasks.json"]);
    let ended = stage
        .start_command(command.env("TMPDIR", &long))
        .end()
        .exits(0);
    assert_eq!(
        ended.stderr.matches("at most 107").count(),
        1,
        "{}",
        ended.stderr
    );
}

#[test]
fn c14_nobody_inherits_the_socket() {
    let stage = Stage::new();
    let (run, go) = blocked(&stage, r#""true""#, &[]);
    let links = |pid: i32| {
        let fds = fs::read_dir(format!("/proc/{pid}/fd")).expect("it lives");
        let links = fds.flatten().flat_map(|fd| fs::read_link(fd.path()));
        let sockets = links.filter(|link| link.to_string_lossy().starts_with("socket:"));
        sockets.collect::<Vec<_>>()
    };
    let own = links(run.pid().as_raw_nonzero().get());
    assert!(!own.is_empty());
    let worker = run.workers()[0];
    for pid in children(worker).into_iter().chain([worker]) {
        let shared: Vec<_> = links(pid)
            .into_iter()
            .filter(|link| own.contains(link))
            .collect();
        assert!(shared.is_empty(), "{pid} has {shared:?}");
    }
    ends(run, &go).exits(0);
}

#[test]
fn c14_a_stopped_run_is_said_to_be_stopped() {
    let stage = Stage::new();
    let (run, go) = blocked(&stage, r#""true""#, &[]);
    run.signal(Signal::TSTP);
    let deadline = Instant::now() + LIMIT;
    let stopped = loop {
        let output = farm(&stage, &["status"]);
        if !output.status.success() {
            break output;
        }
        assert!(Instant::now() < deadline, "it never stops");
    };
    let words = String::from_utf8_lossy(&stopped.stderr);
    assert!(
        stopped.status.code() == Some(2) && words.contains("is stopped (Ctrl-Z)"),
        "{words}"
    );
    run.signal(Signal::CONT);
    until(&stage, |seen| seen["tasks"]["running"] == 1);
    ends(run, &go).exits(0);
}
