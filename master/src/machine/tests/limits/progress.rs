//! What an attempt says of itself is passed on while it runs, and only then.

use crate::Outcome;
use crate::machine::tests::stage::{OK, Stage, id};
use farm_protocol::{Progress, ReplyFlags};

#[test]
fn progress_is_passed_on() {
    let mut stage = Stage::warm(1, 0);
    let task = stage.task();
    stage.skip();
    stage.progress(0, 1, id(task, 1), &Progress::new(1, Some(9), "begun"));
    stage.progress(0, 1, id(task, 1), &Progress::new(9, Some(9), ""));
    stage.expect(&["progress t1#1 1 begun", "progress t1#1 9 "]);
    stage.reply(0, 1, id(task, 1), OK);
    stage.skip();
    // It has answered: what comes now is nobody's.
    stage.progress(0, 1, id(task, 1), &Progress::new(9, Some(9), ""));
    stage.expect(&[]);
    assert_eq!(stage.master.counters().stale_answers, 1);
}

#[test]
fn nobody_hears_of_an_attempt_that_is_to_stop_or_has_answered() {
    let mut stage = Stage::warm(2, 0);
    let (stopped, large) = (stage.task(), stage.task());
    stage.cancel(stopped);
    stage.reply_with(1, 2, id(large, 1), &[b'x'; 1001], ReplyFlags::default());
    stage.skip();
    stage.progress(0, 1, id(stopped, 1), &Progress::new(1, None, ""));
    stage.progress(1, 2, id(large, 1), &Progress::new(1, None, ""));
    stage.expect(&[]);
}

#[test]
fn a_note_that_is_too_long_is_no_protocol() {
    let mut stage = Stage::warm(1, 0);
    let task = stage.task();
    stage.skip();
    let note = "n".repeat(Progress::NOTE_MAX + 1);
    let progress = Progress {
        done: 1,
        total: None,
        note,
    };
    stage.progress(0, 1, id(task, 1), &progress);
    assert!(matches!(stage.outcome(task), Outcome::ResponseGarbled(_)));
}
