//! The files together: opening them, writing them, and what one that fails costs the others.

use super::kit::{Broken, Remember, anchor, bare, ends, full, ms, reporter, said, troubles};
use crate::report::{
    Captured, FileIdentity, OpenTrouble, Relay, ReportOptions, Reporter, ResultsTarget, RunEnd,
    Sink, Status, TaskRecord, Watcher, WriteTarget, WriteTrouble,
};
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

const NOW: std::time::Duration = ms(0);

fn options(folder: &Path) -> ReportOptions {
    let mut options = ReportOptions::new(anchor());
    options.results = Some(ResultsTarget::File(folder.join("results")));
    options.joblog = Some(folder.join("joblog"));
    options.events = Some(folder.join("events"));
    options
}

fn open(options: &ReportOptions) -> Result<Reporter, OpenTrouble> {
    Reporter::with_ends(options, ends(Remember::default(), Remember::default()))
}

fn lines(path: &Path) -> usize {
    fs::read_to_string(path).unwrap().lines().count()
}

#[test]
fn a_run_fills_all_three_files_line_by_line() {
    let folder = tempfile::tempdir().unwrap();
    let mut reporter = open(&options(folder.path())).unwrap();
    reporter.run_started(NOW);
    reporter.task_finished(NOW, full());
    let files = ["results", "joblog", "events"].map(|name| folder.path().join(name));
    assert_eq!(
        files.each_ref().map(|path| lines(path)),
        [1, 2, 2],
        "at once, not at the end"
    );
    reporter.task_finished(NOW, bare(4, Status::NotRun));
    let counts = reporter.run_finished(NOW, &RunEnd::default());
    assert_eq!(files.each_ref().map(|path| lines(path)), [2, 2, 4]);
    assert_eq!(
        (counts.total(), counts.failures(), counts.of(Status::NotRun)),
        (2, 1, 1)
    );
    assert!(reporter.take_trouble().is_none());
}

#[test]
fn a_second_run_begins_anew_or_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(folder.path());
    for (append, expected) in [(false, [1, 2]), (false, [1, 2]), (true, [2, 3])] {
        options.append = append;
        open(&options).unwrap().task_finished(NOW, full());
        let files = ["results", "joblog"].map(|name| lines(&folder.path().join(name)));
        assert_eq!(files, expected);
    }
    fs::write(folder.path().join("results"), "half a li").unwrap();
    open(&options).unwrap().task_finished(NOW, full());
    let text = fs::read_to_string(folder.path().join("results")).unwrap();
    assert!(text.starts_with("half a li\n{\"v\":1,"), "{text}");
}

#[test]
fn one_file_under_two_names_is_refused_and_nothing_is_emptied() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("results");
    fs::write(&path, "precious").unwrap();
    std::os::unix::fs::symlink(&path, folder.path().join("other")).unwrap();
    let mut options = options(folder.path());
    options.events = Some(folder.path().join("other"));
    let trouble = open(&options).unwrap_err();
    let said = trouble.to_string();
    assert!(
        said.starts_with("--events and --results both lead to `"),
        "{said}"
    );
    assert!(matches!(
        trouble,
        OpenTrouble::Shared {
            option: "--events",
            ..
        }
    ));
    options.events = None;
    options.inputs = vec![path.clone()];
    let trouble = open(&options).unwrap_err();
    assert!(
        matches!(
            trouble,
            OpenTrouble::Input {
                option: "--results",
                ..
            }
        ),
        "{trouble}"
    );
    options.inputs.clear();
    let mut ends = ends(Remember::default(), Remember::default());
    ends.taken = [FileIdentity::of(File::open(&path).unwrap()), None];
    let trouble = Reporter::with_ends(&options, ends).unwrap_err().to_string();
    assert!(
        trouble.starts_with("--results and standard output both lead to"),
        "{trouble}"
    );
    options.events = Some(folder.path().join("missing/events"));
    let trouble = open(&options).unwrap_err().to_string();
    assert!(
        trouble.contains("missing/events` for --events"),
        "{trouble}"
    );
    assert!(trouble.ends_with("make its folder first"), "{trouble}");
    assert_eq!(fs::read_to_string(path).unwrap(), "precious");
}

#[test]
fn a_full_disk_is_named_once_and_costs_only_that_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(folder.path());
    options.results = Some(ResultsTarget::File("/dev/full".into()));
    let mut reporter = open(&options).unwrap();
    for seq in 1..=3 {
        reporter.task_finished(NOW, TaskRecord { seq, ..full() });
    }
    let troubles = troubles(&mut reporter);
    let [WriteTrouble::Failed { target, error }] = &troubles[..] else {
        panic!("one trouble, not {troubles:?}");
    };
    assert_eq!(*target, WriteTarget::Results("/dev/full".into()));
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert!(
        troubles[0]
            .to_string()
            .contains("the results file `/dev/full`")
    );
    assert_eq!(lines(&folder.path().join("joblog")), 4);
    assert_eq!(lines(&folder.path().join("events")), 3);
}

#[test]
fn a_closed_stdout_is_said_once_and_never_asked_again() {
    let asked = Arc::new(Mutex::new(0));
    let kind = io::ErrorKind::BrokenPipe;
    let broken = Broken {
        kind,
        asked: Arc::clone(&asked),
    };
    let folder = tempfile::tempdir().unwrap();
    let mut reporter =
        Reporter::with_ends(&options(folder.path()), ends(broken, Remember::default())).unwrap();
    for seq in 1..=3 {
        reporter.task_finished(NOW, said(seq, "x\n", ""));
    }
    assert!(matches!(
        troubles(&mut reporter)[..],
        [WriteTrouble::StdoutClosed]
    ));
    assert_eq!(*asked.lock().unwrap(), 1);
    assert_eq!(lines(&folder.path().join("results")), 3);
}

#[test]
fn a_real_pipe_without_a_reader_is_a_closed_stdout() {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let ends = ends(writer, Remember::default());
    let mut reporter = Reporter::with_ends(&ReportOptions::new(anchor()), ends).unwrap();
    reporter.task_finished(NOW, said(1, "x\n", ""));
    assert!(matches!(
        reporter.take_trouble(),
        Some(WriteTrouble::StdoutClosed)
    ));
}

#[test]
fn a_relays_trouble_is_found_without_a_further_write() {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let folder: Arc<Path> = std::env::temp_dir().into();
    let relay = Relay::to(writer, folder).unwrap().expect("a pipe");
    let mut ends = ends(io::sink(), io::sink());
    // As `2>&1`: neither stream's end is worth words.
    ends.stdout = Sink::Relayed(relay.clone());
    ends.stderr = Sink::Relayed(relay);
    let mut reporter = Reporter::with_ends(&ReportOptions::new(anchor()), ends).unwrap();
    let (rings, rung) = channel();
    let watcher: Watcher = Arc::new(move || rings.send(()).unwrap());
    reporter.watched_by(&watcher);
    reporter.task_finished(NOW, said(1, "x\n", ""));
    rung.recv().expect("told");
    for trouble in troubles(&mut reporter) {
        assert!(matches!(trouble, WriteTrouble::StdoutClosed), "{trouble}");
    }
    reporter.say("to nobody");
    assert!(reporter.take_trouble().is_none(), "both are closed");
    reporter.drain();
}

#[test]
fn spills_that_fail_a_thousand_times_stay_bounded() {
    let (mut reporter, _, _) = reporter(|_| {});
    for seq in 1..=1000 {
        let stdout = Captured {
            head: b"x".to_vec(),
            total: 2,
            rest: Some(format!("/nowhere/{seq}").into()),
        };
        let task = TaskRecord {
            stdout,
            ..bare(seq, Status::Ok)
        };
        reporter.task_finished(NOW, task);
    }
    assert_eq!(troubles(&mut reporter).len(), 16);
}

#[test]
fn one_write_per_line_in_each_file() {
    let (mut reporter, out, err) =
        reporter(|options| options.results = Some(ResultsTarget::Stdout));
    for seq in 1..=10 {
        reporter.task_finished(NOW, said(seq, "a\nb\n", "c"));
    }
    assert_eq!((out.count(), err.count()), (10, 0));
}
