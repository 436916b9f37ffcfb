//! Counter and bar, and how one of them is chosen.

use super::kit::{Remember, anchor, bare, ends, ms, reporter, said};
use crate::report::{
    BarPlace, ProgressMode, ReportOptions, Reporter, RunEnd, Status, TaskIdText, TaskRef, Terminal,
};
use indicatif::{ProgressDrawTarget, TermLike};
use std::io;
use std::sync::{Arc, Mutex};

fn start(reporter: &mut Reporter, at: u64, seq: u64, name: &str) {
    let id = TaskIdText::position(seq);
    let task = TaskRef {
        seq,
        id: &id,
        name: Some(name),
        command: None,
        attempt: 1,
        worker: None,
    };
    reporter.task_started(ms(at), task);
}

#[test]
fn the_counter_speaks_every_ten_seconds_and_never_in_a_short_run() {
    let (mut reporter, out, err) = reporter(|options| options.total = Some(4000));
    for seq in 1..=10 {
        start(&mut reporter, 0, seq, "t");
    }
    reporter.task_finished(ms(1), bare(1, Status::Ok));
    reporter.task_finished(ms(2), bare(2, Status::Failed));
    reporter.tick(ms(9_999));
    assert_eq!(err.text(), "");
    assert_eq!(reporter.deadline(), Some(ms(10_000)));
    reporter.tick(ms(10_010));
    reporter.tick(ms(20_009));
    assert_eq!(
        err.text(),
        "farm: 2/4000 done, 1 failed, 8 running, 00:00:10\n"
    );
    reporter.set_total(None);
    reporter.tick(ms(70_000));
    assert!(
        err.text()
            .ends_with("\nfarm: 2 done, 1 failed, 8 running, 00:01:10\n")
    );
    reporter.set_paused(true);
    reporter.tick(ms(80_000));
    reporter.set_paused(false);
    reporter.tick(ms(90_000));
    assert!(err.text().ends_with(
        "\nfarm: 2 done, 1 failed, 8 running, paused, 00:01:20\nfarm: 2 done, 1 failed, 8 running, 00:01:30\n"
    ));
    assert_eq!(out.count(), 0);
}

#[test]
fn none_is_none() {
    let (mut reporter, _, err) = reporter(|options| options.progress = ProgressMode::None);
    start(&mut reporter, 0, 1, "t");
    reporter.tick(ms(100_000));
    assert_eq!((err.count(), reporter.deadline()), (0, None));
}

#[test]
fn a_bar_needs_a_capable_terminal() {
    use ProgressMode::{Auto, Bar, Counter, None};
    let plain = Terminal::default();
    let tty = Terminal {
        stderr: true,
        ..plain
    };
    let dumb = Terminal { dumb: true, ..tty };
    let ci = Terminal { ci: true, ..tty };
    for (mode, terminal, expected) in [
        (Auto, plain, Counter),
        (Auto, tty, Bar),
        (Auto, dumb, Counter),
        (Auto, ci, Counter),
        (Bar, plain, Counter),
        (Bar, tty, Bar),
        (Bar, dumb, Counter),
        (Bar, ci, Bar),
        (Counter, tty, Counter),
        (None, tty, None),
    ] {
        assert_eq!(mode.decide(terminal), expected, "{mode:?} on {terminal:?}");
    }
    assert_eq!("bar".parse(), Ok(Bar));
    assert!(
        "bars"
            .parse::<ProgressMode>()
            .unwrap_err()
            .contains("`bars`")
    );
}

/// A terminal of a few lines that can be looked at.
#[derive(Debug)]
struct Screen {
    width: u16,
    cells: Mutex<Cells>,
}

#[derive(Debug, Default)]
struct Cells {
    lines: Vec<String>,
    row: usize,
}

impl Cells {
    /// As terminals do: the character after the last column goes to the next row.
    fn put(&mut self, text: &str, width: u16) {
        for character in text.chars() {
            self.lines
                .resize(self.lines.len().max(self.row + 2), String::new());
            if character == '\n' {
                self.row += 1;
                continue;
            }
            if self.lines[self.row].chars().count() == usize::from(width) {
                self.row += 1;
            }
            self.lines[self.row].push(character);
        }
    }
}

#[derive(Clone, Debug)]
struct Handle(Arc<Screen>);

impl Handle {
    fn new(width: u16) -> Self {
        Self(Arc::new(Screen {
            width,
            cells: Mutex::default(),
        }))
    }

    /// What stands on the screen, without blanks that cannot be seen.
    fn seen(&self) -> Vec<String> {
        let cells = self.0.cells.lock().unwrap();
        let mut lines: Vec<String> = cells
            .lines
            .iter()
            .map(|line| line.trim_end().to_owned())
            .collect();
        while lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        lines
    }
}

impl TermLike for Handle {
    fn width(&self) -> u16 {
        self.0.width
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        let mut cells = self.0.cells.lock().unwrap();
        cells.row -= n;
        Ok(())
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        let mut cells = self.0.cells.lock().unwrap();
        cells.row += n;
        Ok(())
    }

    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        let mut cells = self.0.cells.lock().unwrap();
        cells.put(text, self.0.width);
        cells.put("\n", self.0.width);
        Ok(())
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.cells.lock().unwrap().put(text, self.0.width);
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        let mut cells = self.0.cells.lock().unwrap();
        let row = cells.row;
        if let Some(line) = cells.lines.get_mut(row) {
            line.clear();
        }
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

fn on_screen(width: u16, total: Option<u64>) -> (Reporter, Handle, Remember) {
    let (screen, err) = (Handle::new(width), Remember::default());
    let mut options = ReportOptions::new(anchor());
    options.total = total;
    options.summary = false;
    let mut ends = ends(Remember::default(), err.clone());
    ends.terminal.stderr = true;
    let target = ProgressDrawTarget::term_like_with_hz(Box::new(screen.clone()), 255);
    ends.bar = BarPlace::new(target, Box::new(move || Some(width)));
    (Reporter::with_ends(&options, ends).unwrap(), screen, err)
}

#[test]
fn the_bar_shows_counts_and_the_oldest_tasks() {
    let (mut reporter, screen, _) = on_screen(80, Some(10));
    for (seq, name) in (1..).zip(["a", "b\u{1b}[2J", "c", "d", "e", "f"]) {
        start(&mut reporter, seq * 1000, seq, name);
    }
    reporter.task_finished(ms(7_000), bare(1, Status::Ok));
    let failed = crate::report::TaskRecord {
        started: Some(ms(0)),
        wall: ms(4_000),
        ..bare(6, Status::Failed)
    };
    reporter.task_finished(ms(7_000), failed);
    reporter.tick(ms(8_000));
    assert_eq!(
        screen.seen(),
        [
            "[====>                   ] 2/10  1 failed  4 running  00:00:04 left",
            "  00:00:06  b\\u{1b}[2J",
            "  00:00:05  c",
            "  00:00:04  d",
            "  00:00:03  e",
        ]
    );
    reporter.task_finished(ms(9_000), bare(2, Status::Ok));
    reporter.tick(ms(8_049));
    assert_eq!(screen.seen().len(), 5, "not due yet");
    reporter.tick(ms(9_000));
    assert_eq!(screen.seen().len(), 4);
}

#[test]
fn a_paused_bar_says_so_and_promises_nothing() {
    let (mut reporter, screen, _) = on_screen(79, Some(20));
    start(&mut reporter, 0, 1, "first");
    let done = crate::report::TaskRecord {
        started: Some(ms(0)),
        wall: ms(1_000),
        ..bare(1, Status::Ok)
    };
    reporter.task_finished(ms(1_000), done);
    start(&mut reporter, 1_000, 2, "second");
    reporter.set_paused(true);
    reporter.tick(ms(2_000));
    let seen = screen.seen();
    assert!(seen[0].ends_with("1/20  1 running  paused"), "{seen:?}");
}

#[test]
fn output_takes_the_bar_away_until_it_is_due_again() {
    let (mut reporter, screen, err) = on_screen(80, Some(10));
    start(&mut reporter, 0, 1, "a");
    start(&mut reporter, 0, 2, "b");
    reporter.tick(ms(299));
    assert_eq!(screen.seen().len(), 0, "too early");
    reporter.tick(ms(300));
    assert_eq!(screen.seen().len(), 3);
    reporter.task_finished(ms(310), said(1, "on a pipe\n", ""));
    assert_eq!(
        screen.seen().len(),
        3,
        "what goes elsewhere leaves the bar alone"
    );
    reporter.task_finished(ms(320), said(2, "", "half a line"));
    assert_eq!(screen.seen(), [""; 0]);
    reporter.tick(ms(400));
    assert_eq!(
        err.text(),
        "half a line\n",
        "the bar begins on a line of its own"
    );
    assert_eq!(
        screen.seen(),
        ["[====>                   ] 2/10  0 running"]
    );
    reporter.run_finished(ms(500), &RunEnd::default());
    assert_eq!(screen.seen(), [""; 0]);
}

#[test]
fn a_narrow_terminal_and_an_unknown_total_have_no_bar() {
    let (mut reporter, screen, _) = on_screen(20, Some(10));
    start(&mut reporter, 0, 1, "a long name that does not fit");
    reporter.tick(ms(1_000));
    assert_eq!(screen.seen(), ["0/10  1 running", "  00:00:01  a long…"]);
    let (mut reporter, screen, _) = on_screen(80, None);
    start(&mut reporter, 0, 1, "a");
    reporter.tick(ms(1_000));
    assert_eq!(screen.seen(), ["0 done  1 running", "  00:00:01  a"]);
}
