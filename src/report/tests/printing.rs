//! Grouped, line by line, quiet: what reaches our two streams.

use super::kit::{Remember, bare, ms, reporter, said, spilled, troubles};
use crate::report::{
    AttemptRecord, Captured, Reporter, ResultsTarget, Status, StdoutMode, Stream, TaskRecord,
};

const NOW: std::time::Duration = ms(0);

fn line_mode(keep_order: bool) -> (Reporter, Remember, Remember) {
    reporter(|options| {
        options.stdout = StdoutMode::Line;
        options.keep_order = keep_order;
    })
}

fn say(reporter: &mut Reporter, seq: u64, text: &str) {
    reporter.task_output(NOW, seq, 1, Stream::Stdout, text.as_bytes());
}

#[test]
fn grouped_shows_each_task_whole_and_exact() {
    let (mut reporter, out, err) = reporter(|_| {});
    reporter.task_finished(NOW, said(2, "two\n", "warn 2\n"));
    reporter.task_finished(NOW, said(1, "one", ""));
    reporter.task_finished(NOW, said(3, "", "warn 3"));
    assert_eq!(out.text(), "two\none");
    assert_eq!(err.text(), "warn 2\nwarn 3");
}

#[test]
fn grouped_streams_the_rest_and_then_deletes_it_unless_it_is_kept() {
    for keep in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let (mut reporter, out, _) = reporter(|options| options.keep_spills = keep);
        let rest = vec![b'r'; 300_000];
        let task = TaskRecord {
            stdout: spilled(folder.path(), "1.out", b"head ", &rest),
            ..bare(1, Status::Ok)
        };
        reporter.task_finished(NOW, task);
        assert_eq!(out.text().len(), 300_005);
        assert!(
            out.longest() <= 64 * 1024,
            "a piece of {} bytes",
            out.longest()
        );
        assert_eq!(folder.path().join("1.out").exists(), keep);
    }
}

#[test]
fn quiet_shows_nothing_and_still_deletes() {
    let folder = tempfile::tempdir().unwrap();
    let (mut reporter, out, err) = reporter(|options| options.stdout = StdoutMode::Quiet);
    let task = TaskRecord {
        stderr: spilled(folder.path(), "1.err", b"head", b"rest"),
        ..said(1, "text\n", "")
    };
    reporter.task_finished(NOW, task);
    assert_eq!((out.count(), err.count()), (0, 0));
    assert!(!folder.path().join("1.err").exists());
}

#[test]
fn results_on_stdout_silence_the_tasks() {
    let (mut reporter, out, err) = reporter(|options| {
        options.results = Some(ResultsTarget::named("-".into()));
        options.stdout = StdoutMode::Line;
    });
    say(&mut reporter, 1, "text\n");
    reporter.task_finished(NOW, said(1, "text\n", "more\n"));
    assert!(
        out.text().starts_with(r#"{"v":1,"type":"result","id":1,"#),
        "{}",
        out.text()
    );
    assert_eq!((out.text().lines().count(), err.count()), (1, 0));
}

#[test]
fn a_missing_rest_is_a_named_trouble_and_costs_only_itself() {
    let (mut reporter, out, _) = reporter(|_| {});
    let task = TaskRecord {
        stdout: Captured {
            head: b"head\n".to_vec(),
            total: 10,
            rest: Some("/nowhere/1.out".into()),
        },
        ..bare(1, Status::Ok)
    };
    reporter.task_finished(NOW, task);
    reporter.task_finished(NOW, said(2, "two\n", ""));
    assert_eq!(out.text(), "head\ntwo\n");
    let troubles = troubles(&mut reporter);
    assert_eq!(troubles.len(), 1);
    assert!(
        troubles[0].to_string().contains("`/nowhere/1.out`"),
        "{}",
        troubles[0]
    );
}

#[test]
fn lines_appear_at_once_and_the_record_does_not_repeat_them() {
    let (mut reporter, out, err) = line_mode(false);
    say(&mut reporter, 1, "a1\na");
    say(&mut reporter, 2, "b1\n");
    assert_eq!(out.text(), "a1\nb1\n");
    say(&mut reporter, 1, "2\n");
    reporter.task_finished(NOW, said(1, "a1\na2\n", "never heard"));
    reporter.task_finished(NOW, said(2, "b1\n", ""));
    assert_eq!(out.text(), "a1\nb1\na2\n");
    assert_eq!(
        err.text(),
        "never heard\n",
        "a stream that only the record has is shown"
    );
}

#[test]
fn an_attempt_ends_its_last_line() {
    let (mut reporter, out, _) = line_mode(false);
    say(&mut reporter, 1, "first try");
    let attempt = AttemptRecord {
        attempt: 1,
        worker: None,
        pid: None,
        status: Status::Failed,
        exit: Some(1),
        signal: None,
        wall: ms(1),
    };
    reporter.attempt_finished(NOW, 1, &attempt);
    say(&mut reporter, 1, "second try");
    reporter.task_finished(NOW, said(1, "second try", ""));
    assert_eq!(out.text(), "first try\nsecond try\n");
}

/// A small generator: the same numbers in every run of the test.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

#[test]
fn no_line_is_ever_mixed_and_none_is_lost() {
    for (seed, keep_order) in (1..200_u64).flat_map(|seed| [(seed, false), (seed, true)]) {
        let mut dice = Dice(seed * 0x9e37_79b9);
        let (mut reporter, out, _) = line_mode(keep_order);
        let texts: Vec<String> = (1..=6_u64)
            .map(|seq| {
                let lines = (0..dice.below(5))
                    .map(|n| format!("{seq}:{n}:{}\n", "x".repeat(dice.below(30) as usize)));
                lines.collect()
            })
            .collect();
        let mut left: Vec<(u64, &str)> = (1..).zip(texts.iter().map(String::as_str)).collect();
        while !left.is_empty() {
            let which = dice.below(left.len() as u64) as usize;
            let (seq, rest) = left[which];
            if rest.is_empty() {
                reporter.task_finished(NOW, said(seq, &texts[seq as usize - 1], ""));
                left.swap_remove(which);
            } else {
                let (now, later) =
                    rest.split_at(1 + dice.below(rest.len().min(40) as u64) as usize);
                say(&mut reporter, seq, now);
                left[which].1 = later;
            }
        }
        let shown = out.text();
        if keep_order {
            assert_eq!(shown, texts.concat(), "seed {seed}");
        }
        for (seq, text) in (1..).zip(&texts) {
            let prefix = format!("{seq}:");
            let of_task: String = shown
                .lines()
                .filter(|line| line.starts_with(&prefix))
                .fold(String::new(), |all, line| all + line + "\n");
            assert_eq!(&of_task, text, "seed {seed}, task {seq}");
        }
        assert_eq!(shown.len(), texts.concat().len(), "seed {seed}");
    }
}
