//! Seeded bugs are really there: the same events on a sound master and on a mutated one, and what each does.

mod groups;
mod sharing;
mod single;
mod whom;

use super::stage::play::*;
use super::stage::*;
use crate::{Config, Event, Mutated, Mutation};
use farm_protocol::{KindId, ReplyFlags, Session, SlotId, Termination};
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);

/// Plays a scene on a new farm: without a bug it must show `right`, with it `wrong`.
#[track_caller]
fn contrast(
    mutation: Mutation,
    config: &Config,
    play: impl Fn(Config) -> Vec<String>,
    right: &[&str],
    wrong: &[&str],
) {
    assert_eq!(play(config.clone()), right, "the sound master");
    let mutated = Config {
        mutation: Mutated::by(mutation),
        ..config.clone()
    };
    assert_eq!(play(mutated), wrong, "the master with {mutation}");
}

impl Stage {
    fn spawn_fails(&mut self, slot: u32, session: u64) {
        self.tell(Event::SpawnFailed {
            slot: SlotId(slot),
            session: Session(session),
            error: "no such program".into(),
        });
    }
}

fn in_farm(stage: &Stage) -> String {
    format!("{} in the farm", stage.master.tasks())
}

#[test]
fn b1_an_answer_after_the_ask_to_stop_counts() {
    let play = |config| {
        let mut stage = Stage::warm_with(config);
        let task = stage.task();
        stage.cancel(task);
        stage.skip();
        stage.reply(0, 1, id(task, 1), OK);
        stage.lines()
    };
    contrast(
        Mutation::AnswerAfterStopCounts,
        &config(1, 0),
        play,
        &["settle t1 cancelled"],
        &["settle t1 ok"],
    );
}

#[test]
fn b1_a_cancelled_task_is_retried_but_one_that_acknowledges_is_not() {
    let play = |config| {
        let mut stage = Stage::warm_with(config);
        let task = stage.submit(options(|o| o.retries = retries(3)));
        stage.cancel(task);
        stage.skip();
        stage.reply(0, 1, id(task, 1), FAIL);
        if !stage.is_settled(task) {
            stage.cancel(task);
            stage.acked(0, 1, id(task, 2));
        }
        stage.lines()
    };
    contrast(
        Mutation::AnswerAfterStopCounts,
        &config(1, 0),
        play,
        &["settle t1 cancelled"],
        &[
            "again t1 after Failed",
            "request w0 t1#2",
            "cancel w0 t1#2",
            "settle t1 cancelled",
        ],
    );
}

#[test]
fn b2_what_is_in_the_pipe_at_the_exit_runs_again() {
    let play = |config| {
        let mut stage = Stage::warm_with(config);
        let task = stage.task();
        stage.skip();
        stage.exit(0, 1, Termination::Exited(0), None);
        stage.reply(0, 1, id(task, 1), OK);
        stage.eof(0, 1);
        stage.hello(0, 2);
        stage.lines()
    };
    contrast(
        Mutation::ExitBeforeAnswers,
        &config(1, 0),
        play,
        &["settle t1 ok", "gone w0: exited with code 0"],
        &[
            "gone w0: exited with code 0",
            "spawn w0 s2",
            "ready w0",
            "request w0 t1#2",
        ],
    );
}

#[test]
fn b3_the_next_task_gets_the_answer_of_the_cancelled_one() {
    let play = |config| {
        let mut stage = Stage::warm_with(config);
        let (first, _next) = (stage.task(), stage.task());
        stage.cancel(first);
        stage.skip();
        stage.reply(0, 1, id(first, 1), OK);
        stage.lines()
    };
    contrast(
        Mutation::ReplyUnmatched,
        &config(1, 0),
        play,
        &["settle t1 cancelled", "request w0 t2#1"],
        &["settle t2 ok"],
    );
}

#[test]
fn b4_the_task_of_a_worker_that_dies_before_its_hello_is_lost() {
    let play = |config| {
        let mut stage = Stage::new(config);
        let _tasks = [stage.task(), stage.task()];
        stage.die_without_page(0, 1, SEGV);
        let mut lines = stage.lines();
        lines.push(in_farm(&stage));
        lines
    };
    contrast(
        Mutation::LostWhileBooting,
        &config(1, 0),
        play,
        &["spawn w0 s1", "gone w0: killed by SIGSEGV", "2 in the farm"],
        &[
            "spawn w0 s1",
            "request w0 t0#1",
            "gone w0: killed by SIGSEGV",
            "1 in the farm",
        ],
    );
}

#[test]
fn b4_so_it_is_when_the_worker_cannot_be_started_or_says_no_hello() {
    for garbage in [false, true] {
        let play = |config| {
            let mut stage = Stage::new(config);
            let _tasks = [stage.task(), stage.task()];
            if garbage {
                stage.say(0, 1, b"usage: worker [options], and so on");
                stage.die(0, 1, KILLED, None);
            } else {
                stage.spawn_fails(0, 1);
            }
            vec![in_farm(&stage)]
        };
        contrast(
            Mutation::LostWhileBooting,
            &config(1, 0),
            play,
            &["2 in the farm"],
            &["1 in the farm"],
        );
    }
}

#[test]
fn b4_a_worker_that_boots_well_answers_what_it_was_sent_early() {
    let mut stage = Stage::new(Config {
        mutation: Mutated::by(Mutation::LostWhileBooting),
        ..config(1, 0)
    });
    let (first, _second) = (stage.task(), stage.task());
    stage.hello(0, 1);
    stage.reply(0, 1, id(first, 1), OK);
    stage.expect(&[
        "spawn w0 s1",
        "request w0 t0#1",
        "ready w0",
        "settle t0 ok",
        "request w0 t1#1",
    ]);
}

#[test]
fn b8_what_comes_back_is_given_to_a_worker_that_has_its_share() {
    let play = |config| {
        let mut stage = Stage::warm_with(config);
        let lost = stage.task();
        let _others = [stage.task(), stage.task()];
        stage.die(0, 1, SEGV, Some(id(lost, 1)));
        stage.skip();
        stage.hello(0, 3);
        let mut lines = stage.lines();
        let occupied = stage.master.lane(KindId(0)).counts().occupied;
        lines.push(format!("{occupied} of 2 occupied"));
        for (slot, _, held) in stage.workers() {
            lines.push(format!("w{slot} has {}", held.len()));
        }
        lines
    };
    contrast(
        Mutation::RequeueBeyondBound,
        &config(2, 0),
        play,
        &[
            "ready w0",
            "request w0 t2#2",
            "2 of 2 occupied",
            "w0 has 1",
            "w1 has 1",
        ],
        &[
            "ready w0",
            "request w0 t4#1",
            "3 of 2 occupied",
            "w0 has 1",
            "w1 has 2",
        ],
    );
}

#[test]
fn b10_a_worker_that_ignores_sigterm_is_never_killed() {
    let play = |config| {
        let mut stage = Stage::warm_with(config);
        let task = stage.task();
        stage.cancel(task);
        stage.skip();
        for _ in 0..20 {
            stage.pass(500);
        }
        stage.lines()
    };
    contrast(
        Mutation::NoKillAfterTerminate,
        &config(1, 0),
        play,
        &["term w0 s1", "kill w0 s1"],
        &["term w0 s1"],
    );
}

#[test]
fn b11_half_an_answer_is_taken_for_one() {
    let play = |config| {
        let mut stage = Stage::warm_with(config);
        let task = stage.task();
        stage.skip();
        let answer = reply_bytes(id(task, 1), b"o and much more", ReplyFlags::default(), MS);
        stage.say(0, 1, &answer[..answer.len() - 7]);
        stage.die(0, 1, SEGV, Some(id(task, 1)));
        stage.lines()
    };
    contrast(
        Mutation::CutFrameAccepted,
        &config(1, 0),
        play,
        &[
            "again t1 after Died(Signaled { signal: 11, core_dumped: false })",
            "gone w0: killed by SIGSEGV",
            "spawn w0 s2",
        ],
        &["settle t1 ok", "gone w0: killed by SIGSEGV"],
    );
}

#[test]
fn b11_what_is_cut_in_its_head_is_called_garbled() {
    let play = |config| {
        let mut stage = Stage::warm_with(config);
        let task = stage.task();
        stage.skip();
        let answer = reply_bytes(id(task, 1), OK, ReplyFlags::default(), MS);
        stage.say(0, 1, &answer[..6]);
        stage.die(0, 1, SEGV, Some(id(task, 1)));
        vec![stage.is_settled(task).to_string()]
    };
    let mutation = Mutation::CutFrameAccepted;
    contrast(mutation, &config(1, 0), play, &["false"], &["true"]);
}

#[test]
fn b12_a_task_is_with_two_workers_at_a_time() {
    let play = |config| {
        let mut stage = Stage::warm_with(config);
        let task = stage.task();
        stage.skip();
        stage.eof(0, 1);
        stage.exit(0, 1, SEGV, Some(id(task, 1)));
        stage.lines()
    };
    contrast(
        Mutation::RequeuedTwice,
        &config(2, 0),
        play,
        &[
            "again t2 after Died(Signaled { signal: 11, core_dumped: false })",
            "gone w0: killed by SIGSEGV",
            "request w1 t2#2",
        ],
        &[
            "request w1 t2#2",
            "gone w0: killed by SIGSEGV",
            "request w1 t2#3",
        ],
    );
}
