//! What is asked for, and what is made of answers.
use super::*;
use farm_master::Next;

fn ended(ended: Ended) -> CommandResponse {
    CommandResponse {
        ended,
        pid: 7,
        stdout: super::super::Captured {
            head: b"said".to_vec(),
            ..Default::default()
        },
        stderr: super::super::Captured::default(),
        wall_nanos: 0,
        user_nanos: 0,
        system_nanos: 0,
        peak_bytes: 0,
        left_behind: false,
        out_of_memory: None,
        trouble: None,
    }
}

const KILLED: Ended = Ended::Signaled {
    signal: 9,
    core_dumped: false,
};

#[test]
fn a_task_is_the_command_that_is_made_of_it() {
    let mut runs = Runs::new(|name: &&str| CommandRequest {
        argv: vec!["touch".to_owned(), (*name).to_owned()],
        ..CommandRequest::default()
    });
    let request = runs.request_of_task(&WorkerStatus::Fresh, &"it");
    assert_eq!(request.expect("always").argv, ["touch", "it"]);
}

#[test]
fn failures_are_of_their_sorts_and_the_worker_stays() {
    let mut runs = Runs::new(|(): &()| CommandRequest::default());
    let message = || "why".to_owned();
    let starved = CommandResponse {
        out_of_memory: Some("it ran out".to_owned()),
        ..ended(KILLED)
    };
    let not_started = Ended::NotStarted {
        message: message(),
        errno: None,
    };
    let lost = Ended::Lost { message: message() };
    for (response, cause, words) in [
        (ended(Ended::Exited(0)), None, "exited with code 0"),
        (
            ended(Ended::Exited(3)),
            Some(Cause::Exit),
            "exited with code 3",
        ),
        (ended(KILLED), Some(Cause::Crash), "killed by SIGKILL"),
        (starved, Some(Cause::Resource), "killed by SIGKILL"),
        (ended(not_started), Some(Cause::Exit), "why"),
        (ended(lost), Some(Cause::Crash), "why"),
    ] {
        assert_eq!(response.ended.to_string(), words);
        let verdict = runs.use_response(&WorkerStatus::Fresh, &(), response);
        assert_eq!(verdict.result.is_ok(), cause.is_none(), "{words}");
        assert!(cause.is_none_or(|cause| cause == verdict.cause), "{words}");
        assert!(matches!(verdict.next, Next::Stay { .. }));
    }
}

#[test]
fn whoever_knows_the_command_better_judges_it() {
    let mut runs = Runs::new(|(): &()| CommandRequest::default()).judged(|(), said| {
        let crashed = said.text() == "said";
        crashed.then_some(Cause::Crash)
    });
    let verdict = runs.use_response(&WorkerStatus::Fresh, &(), ended(Ended::Exited(0)));
    assert!(verdict.result.is_err() && verdict.cause == Cause::Crash);
}
