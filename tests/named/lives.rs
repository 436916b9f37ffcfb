//! How named workers are launched and end.

use super::player::{Birth, Club, Do, plain};
use super::runner::Test;
use farm::{LaunchError, MessageError, ShutdownMode, Unbounded, WorkerPhase};

pub(crate) const TESTS: &[Test] = &[
    ("b6_names_are_free_after_a_close_and_a_failed_launch", b6),
    ("b11_a_killed_process_is_a_crash_like_any_other", b11),
    ("b7_verdicts_of_on_error", b7),
];

fn b6() {
    let club = Club::open(2, Unbounded);
    let ada = club.table.launch("ada", Birth::Well, plain()).expect("up");
    assert_eq!(
        ada.with_state(|it| it.clone()).as_deref(),
        Some("ada is here")
    );
    let again = club.table.launch("ada", Birth::Well, plain());
    assert!(matches!(again, Err(LaunchError::DuplicateName)));
    assert_eq!(ada.push_and_wait(Do::Say(7)), Ok(7));
    let closed = ada.shutdown(ShutdownMode::Drop).expect("no hook");
    assert_eq!(closed.crash, None);
    assert!(club.table.find("ada").is_none());
    for _ in 0..3 {
        let no = club.table.launch("ada", Birth::Refuse, plain());
        assert!(matches!(no, Err(LaunchError::Refused(why)) if why == "ada will not"));
        let dead = club.table.launch("ada", Birth::Die, plain());
        assert!(matches!(dead, Err(LaunchError::Lost(_))), "{dead:?}");
    }
    let ada = club.table.launch("ada", Birth::Well, plain()).expect("up");
    assert_eq!(ada.push_and_wait(Do::Say(8)), Ok(8));
    assert_eq!(club.coach.notes(), ["ada: 7", "ada closed", "ada: 8"]);
}

fn b11() {
    let club = Club::open(2, Unbounded);
    let ada = club.table.launch("ada", Birth::Well, plain()).expect("up");
    let bob = club.table.launch("bob", Birth::Well, plain()).expect("up");
    let died = ada.push_and_wait(Do::Die);
    let Err(MessageError::Closed(Some(crash))) = died else {
        panic!("{died:?}")
    };
    assert!(crash.why.contains("SIGKILL"), "{crash}");
    assert_eq!(crash.during.as_deref(), Some("Die"));
    let closed = ada.wait_closed().expect("no hook");
    assert_eq!(closed.crash, Some(crash.clone()));
    assert!(matches!(ada.phase(), WorkerPhase::Closed(_)));
    let late = ada.push_and_wait(Do::Say(1));
    assert_eq!(late, Err(MessageError::Closed(Some(crash))));
    assert_eq!(bob.push_and_wait(Do::Say(2)), Ok(2));
    let ada = club.table.launch("ada", Birth::Well, plain()).expect("up");
    let died = ada.push_and_wait(Do::Panic);
    let Err(MessageError::Closed(Some(crash))) = died else {
        panic!("{died:?}")
    };
    assert!(crash.why.contains("it was asked to"), "{crash}");
    ada.wait_closed().expect("no hook");
    assert_eq!(club.coach.notes(), ["ada crashed", "bob: 2", "ada crashed"]);
}

fn b7() {
    let club = Club::open(4, Unbounded);
    let launch = |name| club.table.launch(name, Birth::Well, plain()).expect("up");
    let ada = launch("ada");
    for word in 1..=5 {
        let no = ada.push_and_wait(Do::Refuse(word));
        assert_eq!(no, Err(MessageError::Request(word)));
    }
    assert_eq!(ada.push_and_wait(Do::Say(6)), Ok(6));
    let no = ada.push_and_wait(Do::Refuse(900));
    assert_eq!(no, Err(MessageError::Request(900)));
    assert_eq!(ada.wait_closed().expect("no hook").crash, None);
    let ada = launch("ada");
    let no = ada.push_and_wait(Do::Refuse(901));
    assert_eq!(no, Err(MessageError::Request(901)));
    let crash = ada.wait_closed().expect("no hook").crash.expect("crashed");
    assert_eq!(crash.why, "enough");
    let ada = launch("ada");
    let no = ada.push_and_wait(Do::Refuse(902));
    assert!(matches!(no, Err(MessageError::Any(_))), "{no:?}");
    let crash = ada.wait_closed().expect("no hook").crash.expect("crashed");
    assert!(crash.why.contains("a hook of the test"), "{crash}");
}
