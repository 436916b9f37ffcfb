//! How named workers are launched and end.

use super::player::{Birth, Club, Coach, Do, Gate, Hook, Word, plain, slots, until, word};
use super::runner::Test;
use farm::{
    CalledFromHook, LaunchError, LaunchOptions, MessageError, PushError, Shut, ShutdownMode,
    Unbounded, WorkerPhase,
};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

pub(crate) const TESTS: &[Test] = &[
    ("b6_names_are_free_after_a_close_and_a_failed_launch", b6),
    ("b7_verdicts_of_on_error", b7),
    ("b9_a_drop_tells_everybody_who_waits", b9),
    ("b10_a_drain_treats_what_waits_within_its_time", b10),
    ("b11_a_killed_process_is_a_crash_like_any_other", b11),
    ("b12_a_hook_that_panics_costs_its_worker_only", b12),
    ("b13_a_hook_may_end_its_worker_and_not_wait_for_that", b13),
    ("b14_a_resource_is_released_once", b14),
    ("who_ends_in_order_closes_in_its_process", tidy),
    ("b16_phases_and_times_are_in_order", b16),
    ("b17_who_is_in_the_table_is_found", b17),
    ("b19_a_canceler_fires_at_a_shutdown_and_a_death", b19),
    ("b23_a_state_is_seen_while_it_runs", b23),
];

/// H5, H6: a failed launch frees the name, and a taken one is a typed error.
fn b6() {
    let club = Club::open(2, Unbounded);
    let ada = club.table.launch("ada", Birth::Well, plain()).expect("up");
    assert_eq!(
        ada.with_state(|it| it.clone()).as_deref(),
        Some("ada is here")
    );
    let again = club.table.launch("ada", Birth::Well, plain());
    assert!(matches!(again, Err(LaunchError::DuplicateName)));
    assert_eq!(ada.push_and_wait(Do::Say(7)), Ok(Word(7)));
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
    assert_eq!(ada.push_and_wait(Do::Say(8)), Ok(Word(8)));
    assert_eq!(club.coach.notes(), ["ada: 7", "ada closed", "ada: 8"]);
}

/// H1: a death in mid-request takes the one way to the end.
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
    assert_eq!(bob.push_and_wait(Do::Say(2)), Ok(Word(2)));
    let ada = club.table.launch("ada", Birth::Well, plain()).expect("up");
    let died = ada.push_and_wait(Do::Panic);
    let Err(MessageError::Closed(Some(crash))) = died else {
        panic!("{died:?}")
    };
    assert!(crash.why.contains("it was asked to"), "{crash}");
    ada.wait_closed().expect("no hook");
    assert_eq!(club.coach.notes(), ["ada crashed", "bob: 2", "ada crashed"]);
}

/// H7: the reason is known to whoever is told of the end. Five that fail, then a good one: b8.
fn b7() {
    let club = Club::open(4, Unbounded);
    let launch = |name| club.table.launch(name, Birth::Well, plain()).expect("up");
    let ada = launch("ada");
    for word in 1..=5 {
        let no = ada.push_and_wait(Do::Refuse(word));
        assert_eq!(no, Err(MessageError::Request(word)));
    }
    assert_eq!(ada.push_and_wait(Do::Say(6)), Ok(Word(6)));
    let no = ada.push_and_wait(Do::Refuse(900));
    assert_eq!(no, Err(MessageError::Request(900)));
    assert_eq!(ada.wait_closed().expect("no hook").crash, None);
    let ada = launch("ada");
    let no = ada.push_and_wait(Do::Refuse(901));
    assert_eq!(no, Err(MessageError::Request(901)));
    let crash = ada.wait_closed().expect("no hook").crash.expect("crashed");
    assert_eq!(crash.why, "enough");
    assert_eq!(crash.during.as_deref(), Some("Refuse(901)"));
    let ada = launch("ada");
    let no = ada.push_and_wait(Do::Refuse(902));
    assert!(matches!(no, Err(MessageError::Any(_))), "{no:?}");
    let crash = ada.wait_closed().expect("no hook").crash.expect("crashed");
    assert!(crash.why.contains("a hook of the test"), "{crash}");
}

/// H2, H9: in treatment, waiting and blocked: all are told, in values.
fn b9() {
    let club = Club::open(1, slots(1));
    let ada = club.up("ada");
    let gate = Gate::new();
    let treated = ada.request(gate.holds(), None).expect("room");
    let queued = ada.request(Do::Say(1), None).expect("room");
    thread::scope(|scope| {
        let blocked = scope.spawn(|| ada.push(Do::Say(2), None));
        let asking = scope.spawn(|| ada.push_and_wait(Do::Say(3)));
        until(|| ada.information().blocked == 2);
        let closed = ada.shutdown(ShutdownMode::Drop).expect("no hook");
        assert_eq!(closed.crash, None);
        let back = blocked.join().expect("it does not panic");
        let (request, crash) = (Do::Say(2), None);
        assert_eq!(back, Err(PushError::Closed { request, crash }));
        let told = asking.join().expect("it does not panic");
        assert_eq!(told, Err(MessageError::Closed(None)));
    });
    for ticket in [treated, queued] {
        assert_eq!(ticket.wait(), Err(MessageError::Closed(None)));
    }
    assert_eq!(club.coach.notes(), ["ada closed"]);
}

fn b10() {
    let club = Club::open(1, Unbounded);
    let drain = |deadline| ShutdownMode::Drain { deadline };
    let ada = club.up("ada");
    let gate = Gate::new();
    let held = ada.request(gate.holds(), None).expect("room");
    let tickets: Vec<_> = (1..=3)
        .map(|word| ada.request(Do::Say(word), None).expect("room"))
        .collect();
    ada.trigger_shutdown(drain(Duration::from_secs(60)));
    let (request, crash) = (Do::Say(4), None);
    assert_eq!(
        ada.push_now(Do::Say(4)),
        Err(PushError::Closed { request, crash })
    );
    gate.open();
    assert_eq!(word(held.wait()), 0);
    let words: Vec<u32> = tickets.into_iter().map(|it| word(it.wait())).collect();
    assert_eq!(words, [1, 2, 3]);
    assert_eq!(ada.wait_closed().expect("no hook").crash, None);
    // Its time is over before what is treated is.
    let ada = club.up("ada");
    let held = ada.request(gate.holds(), None).expect("room");
    let queued = ada.request(Do::Say(1), None).expect("room");
    let closed = ada.shutdown(drain(Duration::from_millis(20)));
    assert_eq!(closed.expect("no hook").crash, None);
    for ticket in [held, queued] {
        assert_eq!(ticket.wait(), Err(MessageError::Closed(None)));
    }
}

fn b12() {
    let club = Club::with(
        4,
        Unbounded,
        Coach::who(|worker, hook| {
            let named = format!("{hook:?}").to_lowercase();
            assert_ne!(worker.name(), named, "a hook of the test");
        }),
    );
    let bob = club.up("bob");
    let ada = club.up("completion");
    let queued = ada.request(Do::Hold(String::new()), None).expect("room");
    let queued = (queued, ada.request(Do::Say(1), None).expect("room"));
    queued.0.cancel("it is not about this one");
    let MessageError::Cancelled { .. } = queued.0.wait().expect_err("cancelled") else {
        panic!("it was cancelled")
    };
    assert!(matches!(queued.1.wait(), Err(MessageError::Any(_))));
    let closed = ada.wait_closed().expect("no hook");
    assert!(closed.crash.expect("crashed").why.contains("on_completion"));
    let late = ada.push_and_wait(Do::Say(2));
    assert!(
        matches!(late, Err(MessageError::Closed(Some(_)))),
        "{late:?}"
    );
    let idle = LaunchOptions {
        idle: Some(Duration::from_millis(1)),
        ..plain()
    };
    let ada = club.table.launch("idle", Birth::Well, idle).expect("up");
    let closed = ada.wait_closed().expect("no hook");
    assert!(closed.crash.expect("crashed").why.contains("on_idle"));
    // Who is closed cannot crash.
    let ada = club.up("close");
    assert_eq!(
        ada.shutdown(ShutdownMode::Drop).expect("no hook").crash,
        None
    );
    assert_eq!(word(bob.push_and_wait(Do::Say(3))), 3);
}

fn b13() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hears = Arc::clone(&heard);
    let club = Club::with(
        1,
        Unbounded,
        Coach::who(move |worker, hook| {
            let mut heard = hears.lock().expect("whole");
            heard.push(worker.shutdown(ShutdownMode::Drop).err());
            heard.push(worker.wait_closed().err());
            drop(heard);
            if hook == Hook::Completion {
                worker.trigger_shutdown(ShutdownMode::Drop);
            }
        }),
    );
    let ada = club.up("ada");
    assert_eq!(word(ada.push_and_wait(Do::Say(1))), 1);
    assert_eq!(ada.wait_closed().expect("no hook").crash, None);
    assert_eq!(*heard.lock().expect("whole"), [Some(CalledFromHook); 4]);
    assert_eq!(club.coach.notes(), ["ada: 1", "ada closed"]);
}

/// What `on_error` and `on_close` both release is released once, on either way out.
fn b14() {
    let released = Arc::new(AtomicUsize::new(0));
    let counts = Arc::clone(&released);
    let held = Arc::new(Mutex::new(None::<()>));
    let holds = Arc::clone(&held);
    let club = Club::with(
        1,
        Unbounded,
        Coach::who(move |_, hook| match hook {
            Hook::Error | Hook::Close => {
                let mut held = holds.lock().expect("whole");
                counts.fetch_add(usize::from(held.take().is_some()), Ordering::SeqCst);
            }
            Hook::Completion | Hook::Idle => {}
        }),
    );
    let closes = |club: &Club<Unbounded>| {
        let notes = club.coach.notes();
        let closes = notes.iter().filter(|it| !it.contains(':'));
        closes.count()
    };
    for (round, last) in [Do::Refuse(900), Do::Refuse(901), Do::Die, Do::Say(1)]
        .into_iter()
        .enumerate()
    {
        *held.lock().expect("whole") = Some(());
        let ada = club.up("ada");
        let _answer = ada.push_and_wait(last);
        ada.shutdown(ShutdownMode::Drop).expect("no hook");
        ada.shutdown(ShutdownMode::Drop).expect("no hook");
        assert_eq!(released.load(Ordering::SeqCst), round + 1);
        assert_eq!(closes(&club), round + 1, "on_close runs once");
    }
}

fn b16() {
    let club = Club::open(1, Unbounded);
    let (birth, gate) = (Gate::new(), Gate::new());
    let launched = thread::scope(|scope| {
        let launch = Birth::When(birth.path.clone());
        let launching = scope.spawn(|| club.table.launch("ada", launch, plain()));
        until(|| club.table.find("ada").is_some());
        let ada = club.table.find("ada").expect("it launches");
        assert!(matches!(ada.phase(), WorkerPhase::Launching { .. }));
        // Requests are taken already, and none is treated.
        ada.push_now(gate.holds()).expect("room");
        ada.push_now(Do::Say(1)).expect("room");
        ada.push_now(Do::Say(2)).expect("room");
        assert_eq!((ada.pending_len(), ada.current_request()), (3, None));
        birth.open();
        launching.join().expect("no panic")
    });
    let ada = launched.expect("up");
    let WorkerPhase::Running { since: birth } = ada.phase() else {
        panic!("it runs: {:?}", ada.phase())
    };
    let current = ada.current_request().expect("it is held");
    assert_eq!(current.view, format!("HoldFast({:?})", gate.path));
    assert!(current.pushed <= birth && birth <= current.started);
    let pending = ada.pending_requests();
    let views: Vec<&str> = pending.iter().map(|it| &*it.view).collect();
    assert_eq!(views, ["Say(1)", "Say(2)"]);
    assert!(current.pushed <= pending[0].pushed && pending[0].pushed <= pending[1].pushed);
    gate.open();
    assert_eq!(word(ada.push_and_wait(Do::Say(3))), 3);
    assert_eq!((ada.pending_len(), ada.current_request()), (0, None));
    let closed = ada.shutdown(ShutdownMode::Drop).expect("no hook");
    assert_eq!(closed.birth, birth);
    assert!(closed.birth <= closed.since);
    assert_eq!(ada.phase(), WorkerPhase::Closed(closed));
    assert_eq!(ada.phase().label(), "closed");
}

/// H12: the registry is one with the workers, and is seen to be.
fn b17() {
    let club: Arc<OnceLock<Club<Unbounded>>> = Arc::default();
    let (seen, sees) = (Arc::new(Mutex::new(Vec::new())), Arc::clone(&club));
    let notes = Arc::clone(&seen);
    let coach = Coach::who(move |worker, hook| {
        let table = &sees.get().expect("the club is open").table;
        let phase = table.find(worker.name()).map(|it| it.phase().label());
        notes.lock().expect("whole").push((hook, phase));
    });
    let club = club.get_or_init(|| Club::with(3, Unbounded, coach));
    let gate = Gate::new();
    thread::scope(|scope| {
        let launch = Birth::When(gate.path.clone());
        scope.spawn(move || club.table.launch("carl", launch, plain()).expect("up"));
        until(|| club.table.find("carl").is_some());
        assert_eq!(club.table.list()[0].1.phase().label(), "launching");
        let again = club.table.launch("carl", Birth::Well, plain());
        assert!(matches!(again, Err(LaunchError::DuplicateName)));
        gate.open();
    });
    let (bob, ada) = (club.up("bob"), club.up("ada"));
    let names = || -> Vec<String> { club.table.list().into_iter().map(|it| it.0).collect() };
    assert_eq!(names(), ["ada", "bob", "carl"]);
    assert_eq!(bob.information().table, 3);
    assert_eq!(word(bob.push_and_wait(Do::Say(1))), 1);
    bob.shutdown(ShutdownMode::Drop).expect("no hook");
    assert_eq!(names(), ["ada", "carl"]);
    assert_eq!(ada.information().table, 2);
    let seen = seen.lock().expect("whole").clone();
    let wanted = [
        (Hook::Completion, Some("running")),
        (Hook::Close, Some("closing")),
    ];
    assert_eq!(seen, wanted);
    // The hook has the club, which has the hook: nobody drops the farm.
    club.farm.shut(Shut::Kill);
    club.farm.wait_stopped();
}

fn b19() {
    let club = Club::open(1, Unbounded);
    for dies in [false, true] {
        let ada = club.up("ada");
        let token = ada.canceler();
        let (child, fired) = (token.child(), Arc::new(AtomicUsize::new(0)));
        for token in [&token, &child] {
            let fires = Arc::clone(&fired);
            token.on_cancel(move || {
                fires.fetch_add(1, Ordering::SeqCst);
            });
        }
        // A hook of it may ask the table, and not wait for it.
        let (answer, asks) = (Arc::new(Mutex::new(None)), ada.clone());
        let says = Arc::clone(&answer);
        token.on_cancel(move || {
            let pushed = asks.push_now(Do::Say(1)).is_err();
            let waits = asks.wait_closed();
            *says.lock().expect("whole") = Some((pushed, asks.phase().label(), waits));
        });
        if dies {
            let _crash = ada.push_and_wait(Do::Die);
        } else {
            ada.trigger_shutdown(ShutdownMode::Drop);
        }
        ada.wait_closed().expect("no hook");
        assert!(token.is_cancelled() && child.is_cancelled());
        assert_eq!(fired.load(Ordering::SeqCst), 2);
        let answer = answer.lock().expect("whole").take();
        assert_eq!(answer, Some((true, "closing", Err(CalledFromHook))));
    }
}

/// A look at a state.
type Look = Box<dyn FnOnce(&mut String)>;

fn b23() {
    let club = Club::open(1, Unbounded);
    let gate = Gate::new();
    let ada = thread::scope(|scope| {
        let launch = Birth::When(gate.path.clone());
        let launching = scope.spawn(|| club.table.launch("ada", launch, plain()));
        until(|| club.table.find("ada").is_some());
        let ada = club.table.find("ada").expect("it launches");
        assert_eq!(ada.with_state(|it| it.clone()), None);
        gate.open();
        launching.join().expect("no panic").expect("up")
    });
    let grown = ada.with_state(|it| {
        it.push('!');
        it.clone()
    });
    assert_eq!(grown.as_deref(), Some("ada is here!"));
    // A look that panics, or asks the table, costs nobody else anything.
    let (within, asks) = (ada.clone(), ada.clone());
    let looks: [Look; 2] = [
        Box::new(|_| panic!("a look of the test")),
        Box::new(move |_| drop(asks.phase())),
    ];
    for look in looks {
        let looked = std::panic::AssertUnwindSafe(|| within.with_state(look));
        assert!(std::panic::catch_unwind(looked).is_err());
    }
    assert_eq!(ada.with_state(|it| it.len()), Some("ada is here!".len()));
    assert_eq!(word(ada.push_and_wait(Do::Say(1))), 1);
    ada.shutdown(ShutdownMode::Drop).expect("no hook");
    assert_eq!(ada.with_state(|it| it.clone()), None);
}

/// The worker's half closes what it has when its process ends in order, and only then.
fn tidy() {
    let club = Club::open(1, Unbounded);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("closed");
    let birth = Birth::Tidy(file.to_str().expect("a plain path").to_owned());
    let up = || {
        club.table
            .launch("ada", birth.clone(), plain())
            .expect("up")
    };
    let drain = ShutdownMode::Drain {
        deadline: Duration::from_secs(60),
    };
    for how in [ShutdownMode::Drop, drain] {
        let ada = up();
        assert_eq!(word(ada.push_and_wait(Do::Say(1))), 1);
        assert!(!file.exists());
        ada.shutdown(how).expect("no hook");
        // Before whoever waits for the end wakes, and so before the name is another's.
        assert!(file.exists());
        std::fs::remove_file(&file).expect("it was written");
    }
    for last in [Do::Die, Do::Panic] {
        let ada = up();
        assert!(ada.push_and_wait(last).is_err());
        ada.wait_closed().expect("no hook");
        assert!(!file.exists());
    }
    let (ada, gate) = (up(), Gate::new());
    ada.push_now(gate.holds()).expect("open");
    let _held = gate.held();
    ada.shutdown(ShutdownMode::Drop).expect("no hook");
    assert!(!file.exists(), "one that had to be killed");
}
