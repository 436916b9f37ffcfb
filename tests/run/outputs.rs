//! What comes out: whole and unmixed, in bounded memory, and an end with a reason where it cannot be written.

use crate::stage::{LIMIT, Stage, jsonl};
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// The tasks `id: shell` as an array.
fn array(shells: impl IntoIterator<Item = String>) -> String {
    let tasks: Vec<String> = shells.into_iter().collect();
    format!("[{}]", tasks.join(","))
}

/// The highest resident memory of a process so far, in KiB; 0 when it is gone.
fn peak_kib(pid: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
    number.unwrap_or(0)
}

/// MIX: tasks that write at the same time, each a long run of one letter, stay whole.
#[test]
fn long_runs_of_one_letter_never_mix() {
    const LENGTH: usize = 3_000_000;
    let letter = |index: u8| char::from(b"abcdefghijklmnopqrstuvwxyz0123"[usize::from(index)]);
    let shell = |index: u8| {
        format!(
            "\"head -c {LENGTH} /dev/zero | tr '\\\\0' {}; echo\"",
            letter(index)
        )
    };
    let stage = Stage::new();
    let ended = stage.tasks(&array((0..30).map(shell)), &["-j4"]).exits(0);
    let mut seen = std::collections::BTreeSet::new();
    for line in ended
        .stdout
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
    {
        assert_eq!(line.len(), LENGTH);
        assert!(line.iter().all(|byte| *byte == line[0]), "mixed");
        assert!(seen.insert(line[0]), "twice");
    }
    assert_eq!(seen.len(), 30, "every letter once");
}

#[test]
fn keep_order_is_the_order_of_the_input() {
    let stage = Stage::new();
    // Each waits for the one behind it, so that they end in the opposite order.
    for index in 1..=4 {
        drop(stage.fifo(&format!("f{index}")));
    }
    let shell = |index: u32| match index {
        4 => "\"echo 4; : > f3\"".to_owned(),
        1 => "\"read x < f1; echo 1\"".to_owned(),
        _ => format!("\"read x < f{index}; echo {index}; : > f{}\"", index - 1),
    };
    let text = array((1..=4).map(shell));
    for mode in ["grouped", "line"] {
        let ended = stage
            .tasks(&text, &["-j4", "-k", "--output", mode])
            .exits(0);
        assert_eq!(ended.text(), "1\n2\n3\n4\n", "{mode}");
        assert_ne!(ended.results[0]["seq"], 1, "results come as they end");
    }
}

#[test]
fn line_mode_shows_a_line_while_its_task_runs() {
    let stage = Stage::new();
    let fifo = stage.fifo("go");
    let mut command = stage.command(&["-j1", "--output", "line", "-"]);
    command.stdin(
        fs::File::open(stage.write("t", r#"["echo first; read x < go; printf last"]"#))
            .expect("ours"),
    );
    command.stdout(Stdio::piped());
    let mut running = stage.start_command(&mut command);
    let mut out = BufReader::new(running.child().stdout.take().expect("piped"));
    let mut line = String::new();
    out.read_line(&mut line).expect("a line");
    assert_eq!(line, "first\n");
    fs::write(stage.path("go"), "\n").expect("somebody reads");
    running.end().exits(0);
    line.clear();
    out.read_to_string(&mut line).expect("the rest");
    assert_eq!(line, "last\n", "a last line without an end gets one");
    drop(fifo);
}

/// RAM: neither the master nor a worker holds what a command writes.
#[test]
fn long_outputs_take_no_memory() {
    let (tasks, megabytes) = (6, 50);
    let stage = Stage::new();
    let fifo = stage.fifo("done");
    let go = stage.fifo("go");
    let shell = |_| format!("\"head -c {megabytes}000000 /dev/zero; echo >> done; read x < go\"");
    stage.write("tasks.json", array((0..tasks).map(shell)));
    let mut command = stage.command(&["tasks.json", "-j2"]);
    command.stdout(Stdio::null());
    let running = stage.start_command(&mut command);
    let mut peaks = Vec::new();
    for _ in 0..tasks {
        fifo.lines(1);
        peaks.extend(running.workers().into_iter().map(peak_kib));
        peaks.push(peak_kib(running.pid().as_raw_nonzero().get()));
        fs::write(stage.path("go"), "\n").expect("somebody reads");
    }
    running.end().exits(0);
    let peak = peaks.into_iter().max().expect("some");
    assert!((1000..60_000).contains(&peak), "{peak} KiB");
    drop(go);
}

/// One line of 100 MB, in both modes.
#[test]
fn one_long_line() {
    const LENGTH: usize = 100_000_000;
    for mode in ["grouped", "line"] {
        let stage = Stage::new();
        let text = format!("[\"head -c {LENGTH} /dev/zero\"]");
        let ended = stage.tasks(&text, &["-j1", "--output", mode]).exits(0);
        let expected = LENGTH + usize::from(mode == "line");
        assert_eq!(ended.stdout.len(), expected, "{mode}");
        let result = ended.result("1");
        assert_eq!(result["truncated"], true);
        let rest = fs::metadata(result["stdout_rest"].as_str().expect("a path")).expect("kept");
        assert_eq!(rest.len(), (LENGTH - (64 << 10)) as u64, "{mode}");
    }
}

/// DISKFULL: whatever cannot be written is named, nothing more starts, what runs finishes.
#[test]
fn a_full_disk() {
    let endless = "while echo '\"echo x\"'; do :; done";
    for option in ["--results", "--joblog", "--events"] {
        let stage = Stage::new();
        let mut source = stage.marked("sh");
        source
            .args(["-c", endless])
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut source = stage.start_command(&mut source);
        let mut command = stage.command(&["-j2", "-", option, "/dev/full"]);
        command.stdin(source.child().stdout.take().expect("piped"));
        let ended = stage.start_command(&mut command).end().exits(2);
        ended.says("/dev/full").says("space");
        // It holds the reading end of the source's pipe.
        drop(command);
        drop(source.end());
    }
    let stage = Stage::new();
    stage.write("tasks", "\"echo x\"\n".repeat(10_000));
    let mut command = stage.command(&["-j2", "tasks", "--joblog", "log"]);
    command.stdout(
        fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .expect("Linux"),
    );
    let ended = stage.start_command(&mut command).end().exits(2);
    ended.says("standard output").says("space");
    assert!(stage.read("log").lines().count() < 5000, "it stopped");
}

/// Output that fits nowhere: the folder for long outputs is gone.
#[test]
fn a_spill_that_cannot_be_written() {
    let stage = Stage::new();
    let fifo = stage.fifo("here");
    let go = stage.fifo("go");
    stage.write(
        "tasks.json",
        format!(
            "[\"echo > here; read x < go; head -c 1000000 /dev/zero\"{}]",
            ", [\"true\"]".repeat(4000)
        ),
    );
    let running = stage.start(&["tasks.json", "-j1", "--results", "results"]);
    fifo.lines(1);
    for entry in fs::read_dir(stage.path(".")).expect("ours").flatten() {
        if entry.file_name().to_string_lossy().contains(".rest-") {
            fs::remove_dir_all(entry.path()).expect("ours");
        }
    }
    fs::write(stage.path("go"), "\n").expect("somebody reads");
    let ended = running.end().exits(2).says(".rest-");
    assert_eq!(ended.status_of("1"), "ok", "what ran finished");
    assert_eq!(ended.results.len(), 4001, "every task has its end");
    let ran = ended.results.iter().filter(|one| one["status"] == "ok");
    assert!(ran.count() < 2000, "nothing more was started");
    drop(go);
}

/// A reader that has seen enough: the farm ends soon, and says nothing about it.
#[test]
fn a_closed_stdout() {
    let stage = Stage::new();
    stage.write("tasks", "\"echo x\"\n".repeat(100_000));
    let mut command = stage.command(&["-j2", "tasks"]);
    command.stdout(Stdio::piped());
    let mut running = stage.start_command(&mut command);
    let out = running.child().stdout.take().expect("piped");
    let mut line = String::new();
    BufReader::with_capacity(2, out)
        .read_line(&mut line)
        .expect("a line");
    assert_eq!(line, "x\n");
    let ended = running.end().exits(3);
    assert_eq!(ended.stderr, "", "quietly");
    stage.all_gone_within(Duration::from_secs(2));
}

/// The same when nothing would be written for a long time: nobody has to try again to notice.
#[test]
fn a_closed_stdout_is_noticed_without_another_write() {
    let stage = Stage::new();
    let mut command = stage.command(&["-j1", "-", "--progress", "none", "--joblog", "log"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut running = stage.start_command(&mut command);
    let mut tasks = running.child().stdin.take().expect("piped");
    let reader = running.child().stdout.take().expect("piped");
    tasks
        .write_all(b"\"head -c 1000000 /dev/zero\"\n\"true\"\n")
        .expect("it reads");
    let deadline = Instant::now() + LIMIT;
    // The last thing that happens for a long time is the end of the silent task.
    while stage.read("log").lines().count() < 3 {
        assert!(Instant::now() < deadline, "held up by its reader");
        std::thread::yield_now();
    }
    drop(reader);
    // The input goes on, and nothing comes.
    let ended = running.end().exits(3);
    assert_eq!(ended.stderr, "", "quietly");
    drop(tasks);
}

/// A reader that does not read holds no clock up, and misses nothing when it reads in the end.
#[test]
fn a_slow_reader_delays_no_timeout() {
    const LENGTH: usize = 3_000_000;
    let stage = Stage::new();
    stage.write(
        "tasks.json",
        format!(
            r#"[{{"id": "long", "shell": "head -c {LENGTH} /dev/zero"}},
                {{"id": "slow", "shell": "echo last; exec sleep 100", "timeout": "300ms", "needs": ["long"]}}]"#
        ),
    );
    for both in [false, true] {
        let mut command = stage.command(&["tasks.json", "-j2", "--results", "results"]);
        let (mut reader, writer) = std::io::pipe().expect("a pipe");
        if both {
            command.stderr(writer.try_clone().expect("a pipe"));
        }
        command.stdout(writer);
        let running = stage.start_command(&mut command);
        // It holds the writing end.
        drop(command);
        let deadline = Instant::now() + LIMIT;
        while stage.read("results").lines().count() < 2 {
            assert!(Instant::now() < deadline, "held up by its reader");
            std::thread::yield_now();
        }
        let mut all = Vec::new();
        reader.read_to_end(&mut all).expect("ours");
        let ended = running.end().exits(1);
        let slow = ended.result("slow");
        assert_eq!(slow["status"], "timeout");
        let wall = slow["wall_s"].as_f64().expect("seconds");
        assert!(wall < 2.0, "{wall} s of 0.3");
        let expected = [vec![0; LENGTH], b"last\n".to_vec()].concat();
        assert!(all.starts_with(&expected), "{} bytes", all.len());
        let summary = String::from_utf8_lossy(&all[expected.len()..]);
        assert_eq!(summary.contains("timeout"), both, "{summary}");
    }
}

#[test]
fn results_on_stdout_are_alone_there() {
    let stage = Stage::new();
    stage.write("tasks.json", r#"["echo no", {"id": 7, "shell": "echo; exit 1", "meta": {"a": [1, null]}, "tags": ["t"]}]"#);
    let ended = stage.run(&["tasks.json", "--results", "-", "-j1"]).exits(1);
    fs::write(stage.path("copy"), &ended.stdout).expect("ours");
    let results = jsonl(&stage.path("copy"));
    assert_eq!(results.len(), 2);
    let failed = &results[1];
    assert_eq!(failed["meta"].to_string(), r#"{"a":[1,null]}"#);
    assert_eq!(
        (&failed["id"], &failed["tags"][0]),
        (&7.into(), &"t".into())
    );
}

#[test]
fn the_joblog_is_gnu_parallels() {
    let stage = Stage::new();
    let text = r#"["echo four", ["sh", "-c", "exit 3"], {"shell": "sleep 100", "timeout": "50ms"},
        "kill -9 $$", {"id": "x", "shell": "true", "needs": ["2"]}]"#;
    let text = text
        .replace(r#"["sh""#, r#"{"id": "2", "command": ["sh""#)
        .replace("exit 3\"]", "exit 3\"]}");
    stage.tasks(&text, &["-j1", "--joblog", "log"]).exits(1);
    let log = stage.read("log");
    let mut lines = log.lines();
    assert_eq!(
        lines.next(),
        Some("Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand")
    );
    let mut found = String::new();
    for line in lines {
        let fields: Vec<&str> = line.split('\t').collect();
        assert_eq!(
            (fields.len(), fields[1], fields[3].len()),
            (9, ":", 10),
            "{line}"
        );
        let [seq, receive, exit, signal, command] = [0, 5, 6, 7, 8].map(|index| fields[index]);
        writeln!(found, "{seq} {receive} {exit} {signal} {command}").expect("memory");
    }
    let expected = "1 5 0 0 echo four\n2 0 3 0 sh -c 'exit 3'\n3 0 -1 15 sleep 100\n4 0 0 9 kill -9 $$\n5 0 -2 0 true\n";
    let sorted = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&found), sorted(expected));
}

/// Every event is JSON; what starts ends; the last one counts.
#[test]
fn events_are_complete() {
    let stage = Stage::new();
    let text =
        r#"["true", "false", {"shell": "exit 1", "retries": 1}, "kill -9 $PPID; sleep 100"]"#;
    stage.tasks(text, &["-j2", "--events", "events"]).exits(1);
    let events = jsonl(&stage.path("events"));
    let of = |kind: &str| events.iter().filter(|event| event["type"] == kind).count();
    assert_eq!(
        (of("run_started"), of("run_finished"), of("result")),
        (1, 1, 4)
    );
    assert_eq!(of("task_started"), of("attempt_finished"), "{events:#?}");
    assert_eq!(of("worker_started"), of("worker_stopped"), "{events:#?}");
    assert_eq!(events[0]["type"], "run_started");
    assert_eq!(events.last().expect("some")["type"], "run_finished");
    assert!(
        events
            .iter()
            .all(|event| event["v"] == 1 && event["time"].is_string())
    );
    let times: Vec<_> = events.iter().map(|event| event["time"].as_str()).collect();
    assert!(times.is_sorted(), "{times:?}");
}
