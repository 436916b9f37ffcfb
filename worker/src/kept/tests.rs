//! Real shells and pipes: what is heard, in which order, and what is left.
use super::*;
use crate::Detached;
use farm_protocol::{Attempt, AttemptId, Never, TaskId};
use rustix::process::{Pid, test_kill_process};
use std::fs;

#[derive(Clone, Copy, Debug)]
struct Talk;

impl Wire for Talk {
    const NAME: &'static str = "talk";
    const VERSION: u32 = 1;
    type Request = ();
    type Response = ();
    type Feedback = Never;
    type Context = Never;
}

/// Runs `test` in an attempt of a worker process, or of one in its master's.
fn in_attempt(owns_children: bool, test: impl FnOnce(&Detached<Talk>, &Context<'_, Talk>)) {
    let mut stand_in = Detached::new().unwrap();
    if owns_children {
        stand_in = stand_in.owning_children();
    }
    let (task, attempt) = (TaskId::new(0, 0), Attempt(1));
    test(
        &stand_in,
        &Context::detached(AttemptId { task, attempt }, &stand_in),
    );
}

fn shell(script: &str) -> Kept {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    Kept::new(command)
}

/// Answers each line with two and a last one, on both streams.
const POLITE: &str = "while read x; do echo \"$x?\"; echo \"$x!\" >&2; echo over; done";

fn is_over(line: &str) -> bool {
    line == "over"
}

#[test]
fn it_remembers_and_both_streams_are_heard_in_order() {
    for owns in [true, false] {
        in_attempt(owns, |_, context| {
            let mut kept = shell(POLITE);
            for word in ["one", "two"] {
                let answer = kept.ask(&format!("{word}\n"), is_over, context);
                assert_eq!(answer.unwrap(), format!("{word}?\n{word}!\n"));
            }
            // What comes behind the last line is not lost.
            let both = kept.ask("three\nfour\n", |line| line == "three!", context);
            assert_eq!(both.unwrap(), "three?\n");
            assert_eq!(kept.ask("", is_over, context).unwrap(), "");
            assert_eq!(kept.ask("", is_over, context).unwrap(), "four?\nfour!\n");
        });
    }
}

#[test]
fn a_question_that_fills_both_pipes_is_answered() {
    in_attempt(true, |_, context| {
        let mut kept = Kept::new(Command::new("cat"));
        let line = format!("{}\n", "a".repeat(99));
        let question = line.repeat(10_000);
        let answer = kept.ask(&format!("{question}over\n"), is_over, context);
        assert!(answer.unwrap() == question);
    });
}

#[test]
fn whoever_ends_is_told_of_with_the_last_words_and_started_anew() {
    in_attempt(true, |_, context| {
        let mut kept = shell("read x; echo farewell; echo half >&2; exit 3");
        for _ in 0..2 {
            assert!(!kept.runs());
            let error = kept.ask("x\n", is_over, context).unwrap_err();
            assert_eq!(error.to_string(), "exited with code 3: farewell\nhalf");
        }
        // An answer that was whole before the end is one.
        let mut kept = shell("read x; echo all; echo over; kill -9 $$");
        assert_eq!(kept.ask("x\n", is_over, context).unwrap(), "all\n");
        assert!(kept.runs());
        let error = kept.ask("", is_over, context).unwrap_err();
        assert_eq!(error.to_string(), "killed by SIGKILL");
        let mut kept = shell(POLITE);
        assert!(kept.ask("x\n", is_over, context).is_ok());
        kept.stop();
        assert!(!kept.runs());
    });
}

#[test]
fn a_child_of_its_own_that_holds_the_output_holds_up_nobody() {
    in_attempt(false, |_, context| {
        let mut kept = shell("sleep 1000 & echo $!; exit 1");
        let error = kept.ask("", is_over, context).unwrap_err();
        let Unanswered::Ended { how, said } = error else {
            panic!("{error}")
        };
        assert_eq!(how, Termination::Exited(1));
        // It was in the group that ended with its leader.
        let stat = format!("/proc/{}/stat", said.trim());
        while fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z")) {
            std::thread::yield_now();
        }
    });
}

#[test]
fn a_cancelled_attempt_waits_for_no_answer_and_leaves_nobody() {
    in_attempt(true, |stand_in, context| {
        let mut kept = shell("echo $$; echo over; read x; exec sleep 1000");
        let pid = kept.ask("", is_over, context).unwrap();
        let pid = pid.trim().parse().ok().and_then(Pid::from_raw).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| stand_in.cancel().raise());
            let error = kept.ask("x\n", is_over, context).unwrap_err();
            assert!(matches!(error, Unanswered::Cancelled), "{error}");
        });
        assert!(context.flags().heeded_cancel && !kept.runs());
        assert!(test_kill_process(pid).is_err());
    });
}

#[test]
fn whoever_says_too_much_is_stopped() {
    in_attempt(true, |_, context| {
        let mut kept = Kept::new(Command::new("yes")).answer_max(100_000);
        let error = kept.ask("", is_over, context).unwrap_err();
        let words = "it says more than 100000 bytes in one answer";
        assert_eq!(error.to_string(), words);
        assert!(!kept.runs());
    });
}

#[test]
fn what_cannot_be_started_is_an_error() {
    in_attempt(true, |_, context| {
        let mut kept = Kept::new(Command::new("/no/such/solver"));
        let error = kept.ask("", is_over, context).unwrap_err().to_string();
        assert!(
            error.starts_with("cannot start /no/such/solver: "),
            "{error}"
        );
    });
}
