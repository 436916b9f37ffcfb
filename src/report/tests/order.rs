//! `--keep-order`: input order out, bounded memory while waiting.

use super::kit::{Remember, bare, ms, reporter, said, spilled};
use crate::report::ordered::{Held, HeldStream, Ordered, Parcel};
use crate::report::{Reporter, RunEnd, Status, StdoutMode, Stream, TaskRecord};
use std::path::Path;

const NOW: std::time::Duration = ms(0);

fn ordered(stdout: StdoutMode) -> (Reporter, Remember, Remember) {
    reporter(|options| {
        options.stdout = stdout;
        options.keep_order = true;
    })
}

#[test]
fn output_waits_for_its_turn() {
    let (mut reporter, out, err) = ordered(StdoutMode::Grouped);
    reporter.task_finished(NOW, said(3, "3\n", "e3\n"));
    reporter.task_finished(NOW, said(2, "", ""));
    reporter.task_finished(NOW, said(5, "5\n", ""));
    assert_eq!(out.text(), "");
    reporter.task_finished(NOW, said(1, "1\n", "e1\n"));
    assert_eq!(out.text(), "1\n3\n");
    reporter.task_left_out(4);
    assert_eq!(out.text(), "1\n3\n5\n");
    assert_eq!(err.text(), "e1\ne3\n");
}

#[test]
fn the_end_of_the_run_shows_what_still_waits() {
    let folder = tempfile::tempdir().unwrap();
    let (mut reporter, out, _) = ordered(StdoutMode::Grouped);
    let task = TaskRecord {
        stdout: spilled(folder.path(), "4.out", b"4 head ", b"4 rest\n"),
        ..bare(4, Status::Ok)
    };
    reporter.task_finished(NOW, task);
    reporter.task_finished(NOW, said(2, "2\n", ""));
    assert!(
        folder.path().join("4.out").exists(),
        "it is needed until it is shown"
    );
    reporter.run_finished(NOW, &RunEnd::default());
    assert_eq!(out.text(), "2\n4 head 4 rest\n");
    assert!(!folder.path().join("4.out").exists());
}

#[test]
fn in_line_mode_the_first_speaks_and_the_next_catches_up() {
    let (mut reporter, out, _) = ordered(StdoutMode::Line);
    let mut say =
        |seq, text: &str| reporter.task_output(NOW, seq, 1, Stream::Stdout, text.as_bytes());
    say(2, "b1\nb");
    say(1, "a1\n");
    say(3, "c1");
    assert_eq!(out.text(), "a1\n");
    reporter.task_finished(NOW, said(3, "c1", ""));
    reporter.task_finished(NOW, said(1, "a1\n", ""));
    assert_eq!(out.text(), "a1\nb1\n");
    reporter.task_output(NOW, 2, 1, Stream::Stdout, b"2\n");
    assert_eq!(out.text(), "a1\nb1\nb2\n");
    reporter.task_finished(NOW, said(2, "b1\nb2\n", ""));
    assert_eq!(out.text(), "a1\nb1\nb2\nc1\n");
}

#[test]
fn a_long_waiting_stream_of_a_running_task_comes_back_whole() {
    let (mut reporter, out, _) = ordered(StdoutMode::Line);
    let text = "0123456789abcde\n".repeat(20_000);
    for chunk in text.as_bytes().chunks(5_000) {
        reporter.task_output(NOW, 2, 1, Stream::Stdout, chunk);
        reporter.task_output(NOW, 3, 1, Stream::Stdout, chunk);
    }
    reporter.task_finished(NOW, said(3, "(cut)", ""));
    assert_eq!(out.count(), 0);
    reporter.task_finished(NOW, said(1, "", ""));
    assert_eq!(out.text(), text, "task 2 catches up while it runs");
    reporter.task_finished(NOW, said(2, "(cut)", ""));
    assert_eq!(out.text(), [text.as_str(), text.as_str()].concat());
}

fn parcel(bytes: &[u8]) -> Parcel {
    Parcel {
        stdout: HeldStream::memory(bytes.to_vec(), None),
        stderr: HeldStream::memory(Vec::new(), None),
    }
}

#[test]
fn beyond_the_total_waiting_output_goes_to_disk() {
    let folder = tempfile::tempdir().unwrap();
    let mut order = Ordered::with_memory(1000, folder.path().into());
    for seq in 2..=101 {
        order.hold(seq, parcel(&[b'x'; 100])).unwrap();
        assert!(order.memory() <= 1000);
    }
    assert_eq!(order.waiting(), 100);
    order.pass();
    let mut out = Vec::new();
    while let Some(parcel) = order.next_finished() {
        order.show(parcel.unwrap().stdout.bytes, &mut out).unwrap();
    }
    assert_eq!((out.len(), order.memory(), order.waiting()), (10_000, 0, 0));
}

#[test]
fn output_that_cannot_wait_comes_back() {
    let mut order = Ordered::with_memory(3, Path::new("/nowhere/at/all").into());
    order.hold(2, parcel(b"abc")).unwrap();
    let (back, error) = order.hold(3, parcel(b"d")).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
    assert!(matches!(back.stdout.bytes, Held::Memory(bytes) if bytes == b"d"));
    order.pass();
    assert!(order.next_finished().unwrap().is_some());
    assert!(
        order.next_finished().unwrap().is_none(),
        "3 counts as shown"
    );
    assert_eq!(order.turn(), 4);
}

#[test]
fn nothing_is_kept_of_tasks_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut order = Ordered::with_memory(1000, folder.path().into());
    for seq in (1..10_000).step_by(2) {
        order.hold(seq + 1, parcel(b"")).unwrap();
        order.pass();
        assert!(order.next_finished().unwrap().is_none());
        assert!(order.next_finished().is_none());
    }
    assert_eq!(order.waiting(), 0);
}
