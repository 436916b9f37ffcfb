//! What mailboxes do with requests.

use super::player::{Birth, Club, Coach, Do, Gate, Hook, Player, Word, plain, slots, until, word};
use super::runner::Test;
use farm::{
    Dropbox, Inbox, LaunchOptions, Mailbox, Merge, MessageError, Pull, Pulled, PushError, Put,
    ShutdownMode, Unbounded, WaitError, WorkerRef,
};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

pub(crate) const TESTS: &[Test] = &[
    ("b1_a_history_is_what_was_brought", b1),
    ("b2_a_bounded_mailbox_holds_exactly_so_many", b2),
    ("b3_ten_puts_to_a_busy_worker_are_one_request", b3),
    ("b4_every_put_goes_through_the_merge", b4),
    ("b5_who_is_displaced_and_who_shares_is_told", b5),
    ("b8_five_that_fail_and_a_good_one", b8),
    ("b15_idling_is_told_again_and_again", b15),
    ("b18_a_waiter_sees_what_the_hook_did", b18),
    ("b22_a_push_of_its_own_never_blocks_a_worker", b22),
    ("b25_a_merge_that_panics_or_calls_is_told", b25),
    ("a_source_gives_the_next_request_until_its_end", pulls),
    ("a_wait_for_room_ends_in_time_and_leaves_nothing", times_out),
];

fn history<M: Mailbox<Player> + Inbox>(
    mailbox: M,
    bring: impl Fn(&WorkerRef<Coach, M>, Do),
    drain: impl Fn(&WorkerRef<Coach, M>),
) {
    let club = Club::open(1, mailbox);
    let ada = club.up("ada");
    let (mut drawn, mut wanted) = (7_u32, Vec::new());
    for _ in 0..200 {
        drawn = drawn.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let number = (drawn >> 16) % 800;
        if drawn.is_multiple_of(3) {
            bring(&ada, Do::Refuse(number));
            wanted.push(format!("ada: no {number}"));
        } else {
            bring(&ada, Do::Say(number));
            wanted.push(format!("ada: {number}"));
        }
    }
    drain(&ada);
    wanted.push("ada closed".to_owned());
    assert_eq!(club.coach.notes(), wanted);
}

fn b1() {
    let deadline = Duration::from_secs(60);
    let drain = || ShutdownMode::Drain { deadline };
    history(
        Unbounded,
        |ada, what| ada.push(what, None).expect("open"),
        |ada| drop(ada.shutdown(drain()).expect("no hook")),
    );
    history(
        slots(2),
        |ada, what| ada.push(what, None).expect("open"),
        |ada| drop(ada.shutdown(drain()).expect("no hook")),
    );
}

/// H8: so many wait, not one less, and not counting the one in treatment.
fn b2() {
    for most in [1, 2] {
        let club = Club::open(1, slots(most));
        let (ada, gate) = (club.up("ada"), Gate::new());
        ada.push(gate.holds(), None).expect("room");
        for number in 0..most {
            let number = u32::try_from(number).expect("few");
            ada.try_push(Do::Say(number)).expect("room");
        }
        let (request, queued) = (Do::Say(99), most);
        let full = PushError::Full {
            request,
            queued,
            most,
        };
        assert_eq!(ada.try_push(Do::Say(99)), Err(full));
        thread::scope(|scope| {
            let ada = &ada;
            for (turn, number) in [10, 11, 12].into_iter().enumerate() {
                scope.spawn(move || ada.push(Do::Say(number), None).expect("it waits"));
                until(|| ada.information().blocked == turn + 1);
            }
            gate.open();
        });
        assert_eq!(word(ada.push_and_wait(Do::Say(13))), 13);
        let mut wanted: Vec<String> = (0..most).map(|it| format!("ada: {it}")).collect();
        wanted.insert(0, "ada: 0".to_owned());
        wanted.extend((10..=13).map(|it| format!("ada: {it}")));
        assert_eq!(club.coach.notes(), wanted);
    }
}

fn sum() -> Dropbox<Player> {
    Dropbox::new(|_, new, old| match (new, old) {
        (Do::Say(new), Some(Do::Say(old))) => Merge::Combined(Do::Say(new + old)),
        (new, _) => Merge::Newest(new),
    })
}

fn b3() {
    let club = Club::open(1, sum());
    let (ada, gate) = (club.up("ada"), Gate::new());
    assert_eq!(ada.put(gate.holds()), Put::Stored);
    until(|| ada.current_request().is_some());
    assert_eq!(ada.put(Do::Say(1)), Put::Stored);
    for _ in 0..8 {
        assert_eq!(ada.put(Do::Say(1)), Put::Merged);
    }
    let last = ada.put_request(Do::Say(1)).expect("open");
    assert_eq!(ada.pending_len(), 1);
    gate.open();
    assert_eq!(word(last.wait()), 10);
    assert_eq!(club.coach.notes(), ["ada: 0", "ada: 10"]);
}

/// H4: a put that waits for its answer is merged like every other, and an empty box asks the merge too.
fn b4() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sees = Arc::clone(&seen);
    let merge = move |state: Option<&String>, new: Do, old: Option<Do>| {
        let known = state.is_some();
        sees.lock().expect("whole").push((known, new.clone(), old));
        // The form of the original.
        (new != Do::Say(0)).then_some(new)
    };
    let club = Club::open(1, Dropbox::new(merge));
    let (ada, gate) = (club.up("ada"), Gate::new());
    assert_eq!(ada.put(Do::Say(0)), Put::Displaced);
    assert_eq!(ada.put_and_wait(Do::Say(0)), Err(MessageError::Displaced));
    assert_eq!(ada.put(gate.holds()), Put::Stored);
    until(|| ada.current_request().is_some());
    let waits = ada.put_request(Do::Say(1)).expect("open");
    assert_eq!(ada.put(Do::Say(0)), Put::Displaced);
    assert_eq!(waits.wait(), Err(MessageError::Displaced));
    assert_eq!(ada.pending_len(), 0);
    let late = ada.put_request(Do::Say(2)).expect("open");
    gate.open();
    assert_eq!(word(late.wait()), 2);
    let seen = seen.lock().expect("whole");
    let olds: Vec<Option<Do>> = seen.iter().map(|(_, _, old)| old.clone()).collect();
    let wanted = [None, None, None, None, Some(Do::Say(1)), None];
    assert_eq!(olds, wanted);
    assert!(seen.iter().all(|(known, _, _)| *known));
}

/// H3: nobody is displaced without being told.
fn b5() {
    let merge = |_: Option<&String>, new: Do, old: Option<Do>| match (&new, old) {
        (Do::Say(1), Some(old)) => Merge::Oldest(old),
        (Do::Say(2), Some(old)) => Merge::Combined(old),
        (_, _) => Merge::Newest(new),
    };
    let club = Club::open(1, Dropbox::new(merge));
    let (ada, gate) = (club.up("ada"), Gate::new());
    let put = |what| ada.put_request(what).expect("open");
    let held = put(gate.holds());
    until(|| ada.current_request().is_some());
    let displaced = put(Do::Say(7));
    let first = put(Do::Say(8));
    let oldest = put(Do::Say(1));
    let shares = [put(Do::Say(2)), put(Do::Say(2))];
    assert_eq!(ada.put(Do::Say(2)), Put::Merged);
    assert_eq!(displaced.wait(), Err(MessageError::Displaced));
    assert_eq!(oldest.wait(), Err(MessageError::Displaced));
    gate.open();
    assert_eq!(word(held.wait()), 0);
    assert_eq!(word(first.wait()), 8);
    for ticket in shares {
        assert_eq!(word(ticket.wait()), 8);
    }
    // A chain of many costs one request, and those who share it are told when it dies too.
    let held = put(gate.holds());
    until(|| ada.current_request().is_some());
    let first = put(Do::Die);
    let shares: Vec<_> = (0..10_000).map(|_| put(Do::Say(2))).collect();
    gate.open();
    assert_eq!(word(held.wait()), 0);
    for ticket in shares.into_iter().chain([first]) {
        let told = ticket.wait();
        assert!(
            matches!(told, Err(MessageError::Closed(Some(_)))),
            "{told:?}"
        );
    }
}

fn b8() {
    let club = Club::open(1, Unbounded);
    let ada = club.up("ada");
    let tickets: Vec<_> = (1..=5)
        .map(|number| ada.request(Do::Refuse(number), None).expect("open"))
        .collect();
    let good = ada.request(Do::Say(6), None).expect("open");
    for (number, ticket) in (1..).zip(tickets) {
        assert_eq!(ticket.wait(), Err(MessageError::Request(number)));
    }
    assert_eq!(good.wait(), Ok(Word(6)));
}

fn b15() {
    let club = Club::open(1, Unbounded);
    let idle = LaunchOptions {
        idle: Some(Duration::from_millis(5)),
        ..plain()
    };
    let ada = club.table.launch("ada", Birth::Well, idle).expect("up");
    let idles = || {
        club.coach
            .notes()
            .iter()
            .filter(|it| it.contains("idles"))
            .count()
    };
    until(|| idles() >= 2);
    let gate = Gate::new();
    let held = ada.request(gate.holds(), None).expect("open");
    until(|| ada.current_request().is_some());
    // One that was due when it came may still be told.
    let before = idles();
    thread::sleep(Duration::from_millis(30));
    assert!(idles() <= before + 1, "not while it is busy");
    gate.open();
    assert_eq!(word(held.wait()), 0);
    let before = idles();
    until(|| idles() >= before + 2);
}

/// H10: the hook is through before the waiter wakes.
fn b18() {
    let club = Club::open(1, Unbounded);
    let ada = club.up("ada");
    for number in 1..50 {
        assert_eq!(word(ada.push_and_wait(Do::Say(number))), number);
        let notes = club.coach.notes();
        assert_eq!(notes.last(), Some(&format!("ada: {number}")));
    }
}

/// Into its own mailbox, full: while it launches, and from a hook. Both are answered, and nobody hangs.
fn b22() {
    let own: Arc<OnceLock<WorkerRef<Coach, farm::Bounded>>> = Arc::default();
    let (from, told) = (Arc::clone(&own), Arc::new(Mutex::new(Vec::new())));
    let tells = Arc::clone(&told);
    let coach = Coach::who(move |_, hook| {
        let own = from.get().expect("it was found");
        if hook == Hook::Completion && own.pending_len() == 1 {
            let mut told = tells.lock().expect("whole");
            told.push(own.push(Do::Say(5), None));
            told.push(own.try_push(Do::Say(6)));
            drop(own.push_and_wait(Do::Say(7)).expect_err("it would wait"));
            let ticket = own.request(Do::Say(7), Some(Duration::from_secs(9)));
            told.push(ticket.map(|_| ()));
        }
    });
    let club = Club::with(1, slots(1), coach);
    let gate = Gate::new();
    thread::scope(|scope| {
        let launch = Birth::When(gate.path.clone());
        let launching = scope.spawn(|| club.table.launch("ada", launch, plain()));
        until(|| club.table.find("ada").is_some());
        let ada = own.get_or_init(|| club.table.find("ada").expect("it launches"));
        ada.push(Do::Say(1), None).expect("room");
        let full = ada.try_push(Do::Say(2)).expect_err("full");
        assert_eq!(full.into_request(), Do::Say(2));
        let soon = Some(Duration::from_millis(5));
        let late = ada.push(Do::Say(2), soon).expect_err("no room");
        assert!(matches!(late, PushError::TimedOut { .. }), "{late:?}");
        let waits = scope.spawn(|| ada.push(Do::Say(3), None));
        until(|| ada.information().blocked == 1);
        gate.open();
        launching.join().expect("no panic").expect("up");
        waits.join().expect("no panic").expect("it is taken in");
        assert_eq!(word(ada.push_and_wait(Do::Say(4))), 4);
    });
    let told = told.lock().expect("whole");
    for answer in &*told {
        let refused = answer.as_ref().expect_err("full");
        let full = matches!(
            refused,
            PushError::CalledFromHook { .. } | PushError::Full { .. }
        );
        assert!(full, "{refused:?}");
    }
}

fn b25() {
    let own: Arc<OnceLock<WorkerRef<Coach, Dropbox<Player>>>> = Arc::default();
    let calls = Arc::clone(&own);
    let merge = move |_: Option<&String>, new: Do, _: Option<Do>| match new {
        Do::Say(1) => panic!("a merge of the test"),
        Do::Say(2) => {
            let _never = calls.get().expect("it is up").put(Do::Say(3));
            Merge::Newest(new)
        }
        Do::Say(3) => {
            let _never = calls.get().expect("it is up").phase();
            Merge::Newest(new)
        }
        other => Merge::Newest(other),
    };
    let club = Club::open(1, Dropbox::new(merge));
    let ada = own.get_or_init(|| club.up("ada"));
    let gate = Gate::new();
    assert_eq!(ada.put(gate.holds()), Put::Stored);
    until(|| ada.current_request().is_some());
    for number in 1..=3 {
        let waits = ada.put_request(Do::Say(7)).expect("open");
        let put = ada.put(Do::Say(number));
        assert!(matches!(put, Put::Fault(_)), "{put:?}");
        let told = waits.wait();
        assert!(matches!(told, Err(MessageError::Any(_))), "{told:?}");
        let told = ada.put_and_wait(Do::Say(number));
        assert!(matches!(told, Err(MessageError::Any(_))), "{told:?}");
    }
    gate.open();
    assert_eq!(word(ada.put_and_wait(Do::Say(8))), 8);
}

fn pulls() {
    let club = Club::open(2, Pull);
    let shared = Arc::new(Mutex::new((1..=10).collect::<Vec<u32>>().into_iter()));
    for name in ["ada", "bob"] {
        let shared = Arc::clone(&shared);
        let source = move || {
            let next = shared.lock().expect("whole").next();
            next.map_or(Pulled::End, |number| Pulled::Request(Do::Say(number)))
        };
        let up = club.table.launch(name, Birth::Well, plain(), source);
        drop(up.expect("up"));
    }
    until(|| club.table.list().is_empty());
    let notes = club.coach.notes();
    let mut numbers: Vec<u32> = notes
        .iter()
        .filter_map(|note| note.split_once(": ")?.1.parse().ok())
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=10).collect::<Vec<u32>>());
    // One that panics costs its worker, one that has nothing waits to be asked again.
    let fails = || -> Pulled<Do> { panic!("a source of the test") };
    let ada = club.table.launch("ada", Birth::Well, plain(), fails);
    let closed = ada.expect("up").wait_closed().expect("no hook");
    assert!(
        closed
            .crash
            .expect("crashed")
            .why
            .contains("a source of the test")
    );
    let box_of = Arc::new(Mutex::new(None));
    let from = Arc::clone(&box_of);
    let source = move || {
        from.lock()
            .expect("whole")
            .take()
            .map_or(Pulled::Later, Pulled::Request)
    };
    let ada = club
        .table
        .launch("ada", Birth::Well, plain(), source)
        .expect("up");
    *box_of.lock().expect("whole") = Some(Do::Say(77));
    ada.wake();
    until(|| club.coach.notes().contains(&"ada: 77".to_owned()));
    ada.shutdown(ShutdownMode::Drop).expect("no hook");
}

fn times_out() {
    let club = Club::open(1, slots(1));
    let (ada, gate) = (club.up("ada"), Gate::new());
    let held = ada.request(gate.holds(), None).expect("room");
    ada.push(Do::Say(1), None).expect("room");
    let span = Duration::from_millis(5);
    let late = ada.push(Do::Say(2), Some(span)).expect_err("no room");
    let (request, waited) = (Do::Say(2), span);
    assert_eq!(late, PushError::TimedOut { request, waited });
    assert_eq!(ada.information().blocked, 0);
    let (held, why) = held.wait_timeout(span).expect_err("it is held");
    assert!(matches!(why, WaitError::TimedOut));
    gate.open();
    assert_eq!(word(held.wait()), 0);
    assert_eq!(word(ada.push_and_wait(Do::Say(3))), 3);
    assert_eq!(club.coach.notes(), ["ada: 0", "ada: 1", "ada: 3"]);
}
