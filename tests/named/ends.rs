//! Ends that nobody wishes for: farms that go, processes that hang, hooks that do everything.

use super::player::{Birth, CLOSE_BUDGET, Club, Coach, Do, Gate, Hook, plain, slots, until, word};
use super::runner::Test;
use farm::{
    Dropbox, Farm, LaunchError, LaunchOptions, MessageError, Pool, Program, Put, Shut,
    ShutdownMode, Unbounded, WorkerPhase, WorkerRef,
};
use rustix::process::{Pid, Signal, kill_process};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

pub(crate) const TESTS: &[Test] = &[
    ("a_farm_that_ends_closes_everybody", farm_ends),
    ("handles_outlive_tables_and_farms", handles_outlive),
    ("a_launch_that_hangs_frees_name_and_place", launch_hangs),
    ("a_program_that_is_missing_is_told_each_time", no_program),
    ("two_tables_share_the_places_of_a_pool", two_tables),
    ("any_name_is_a_name", any_name),
    ("hooks_may_ask_everything_and_wait_for_nothing", hooks_ask),
    (
        "a_hook_asks_about_one_that_has_just_left",
        hook_asks_of_left,
    ),
    ("a_stopped_process_is_ended_within_its_budget", stopped),
    (
        "one_killed_in_idleness_and_asked_at_once_says_why",
        idle_death,
    ),
    ("a_thread_that_falls_leaves_nobody_waiting", fallen),
    ("a_table_that_waits_does_not_spin", no_spin),
];

fn farm_ends() {
    for how in [Shut::Drain, Shut::Finish, Shut::Stop, Shut::Kill] {
        let club = Club::open(2, slots(1));
        let (ada, _bob) = (club.up("ada"), club.up("bob"));
        let held = ada.request(Do::Hold(String::new()), None).expect("room");
        let queued = ada.request(Do::Say(1), None).expect("room");
        thread::scope(|scope| {
            let blocked = scope.spawn(|| ada.push(Do::Say(2), None));
            until(|| ada.information().blocked == 1);
            club.farm.shut(how);
            if matches!(how, Shut::Drain | Shut::Finish) {
                // These wait for what is treated, however long.
                held.cancel("the farm ends");
            }
            let _told = (held.wait(), blocked.join().expect("no panic"));
        });
        let _told = queued.wait();
        club.farm.wait_stopped();
        ada.wait_closed().expect("no hook");
        until(|| club.table.list().is_empty());
        let late = club.table.launch("carl", Birth::Well, plain());
        assert!(matches!(late, Err(LaunchError::Closed)), "{late:?}");
        let late = ada.push_and_wait(Do::Say(3));
        assert!(matches!(late, Err(MessageError::Closed(_))), "{late:?}");
        assert!(club.farm.worker_pids().is_empty());
    }
    // Launches while it goes: each has an answer.
    let club = Club::open(4, Unbounded);
    thread::scope(|scope| {
        for name in ["ada", "bob", "carl", "dora"] {
            let club = &club;
            scope.spawn(move || {
                if let Ok(worker) = club.table.launch(name, Birth::Well, plain()) {
                    worker.wait_closed().expect("no hook");
                }
            });
        }
        club.farm.shut(Shut::Stop);
    });
}

fn handles_outlive() {
    let club = Club::open(1, Unbounded);
    let (ada, gate) = (club.up("ada"), Gate::new());
    let held = ada.request(gate.holds(), None).expect("room");
    let Club { table, farm, .. } = club;
    drop(table);
    assert_eq!(held.wait(), Err(MessageError::Closed(None)));
    let closed = ada.wait_closed().expect("no hook");
    assert_eq!(ada.phase(), WorkerPhase::Closed(closed));
    drop(farm);
    ada.trigger_shutdown(ShutdownMode::Drop);
    assert_eq!(
        (ada.with_state(|it| it.len()), ada.pending_len()),
        (None, 0)
    );
    let club = Club::open(1, Unbounded);
    let ada = club.up("ada");
    let held = ada.request(gate.holds(), None).expect("room");
    let Club { table, farm, .. } = club;
    drop(farm);
    assert!(held.wait().is_err());
    ada.wait_closed().expect("no hook");
    assert!(table.find("ada").is_none());
}

fn launch_hangs() {
    let club = Club::open(1, Unbounded);
    let gate = Gate::new();
    let (timeout, launch) = (Duration::from_millis(50), Birth::When(gate.path.clone()));
    let options = LaunchOptions { timeout, ..plain() };
    let late = club.table.launch("ada", launch.clone(), options);
    assert!(
        matches!(late, Err(LaunchError::TimedOut { .. })),
        "{late:?}"
    );
    let ada = club.up("ada");
    assert_eq!(word(ada.push_and_wait(Do::Say(1))), 1);
    // The one place is taken, by somebody of the same table.
    let full = club.table.launch("bob", Birth::Well, plain());
    assert!(
        matches!(full, Err(LaunchError::TableFull { .. })),
        "{full:?}"
    );
    ada.shutdown(ShutdownMode::Drop).expect("no hook");
    // Shut down while it launches.
    thread::scope(|scope| {
        let launching = scope.spawn(|| club.table.launch("ada", launch, plain()));
        until(|| club.table.find("ada").is_some());
        let ada = club.table.find("ada").expect("it launches");
        let waits = ada.request(Do::Say(2), None).expect("open");
        ada.shutdown(ShutdownMode::Drop).expect("no hook");
        let told = launching.join().expect("no panic");
        assert!(matches!(told, Err(LaunchError::Closed)), "{told:?}");
        assert_eq!(waits.wait(), Err(MessageError::Closed(None)));
    });
    assert_eq!(word(club.up("ada").push_and_wait(Do::Say(3))), 3);
}

fn no_program() {
    let mut builder = Farm::builder();
    let pool = Pool::new(Program::path("/nowhere/at/all"), 1);
    let named = builder.named::<super::player::Player>(pool);
    let farm = builder.start().expect("a farm");
    let table = farm.worker_table(named, Coach::default(), Unbounded);
    for _ in 0..3 {
        let none = table.launch("ada", Birth::Well, plain());
        assert!(matches!(none, Err(LaunchError::Spawn(_))), "{none:?}");
        assert!(table.find("ada").is_none());
    }
}

fn two_tables() {
    let club = Club::open(2, Unbounded);
    let other = club
        .farm
        .worker_table(club.named, Coach::default(), slots(1));
    let ada = club.up("ada");
    // A name is one in its table only.
    let their = other.launch("ada", Birth::Well, plain()).expect("up");
    assert_ne!(
        word(ada.push_and_wait(Do::Pid)),
        word(their.push_and_wait(Do::Pid))
    );
    let options = LaunchOptions {
        timeout: Duration::from_millis(50),
        ..plain()
    };
    let full = club.table.launch("bob", Birth::Well, options);
    assert!(
        matches!(full, Err(LaunchError::FarmFull { .. })),
        "{full:?}"
    );
    let died = their.push_and_wait(Do::Die);
    assert!(
        matches!(died, Err(MessageError::Closed(Some(_)))),
        "{died:?}"
    );
    assert_eq!(word(ada.push_and_wait(Do::Say(1))), 1);
    assert_eq!(word(club.up("bob").push_and_wait(Do::Say(2))), 2);
}

fn any_name() {
    let club = Club::open(1, Unbounded);
    for name in [
        String::new(),
        "\0 a\n\u{202e}b".to_owned(),
        "x".repeat(1 << 20),
    ] {
        let up = club.up(&name);
        let state = up.with_state(|it| it.clone());
        assert_eq!(state, Some(format!("{name} is here")));
        assert_eq!(club.table.list()[0].0, name);
        up.shutdown(ShutdownMode::Drop).expect("no hook");
    }
}

type Own = (
    farm::WorkerTable<Coach, Dropbox<super::player::Player>>,
    WorkerRef<Coach, Dropbox<super::player::Player>>,
);

/// Each hook asks all that can be asked: what would wait is refused, the rest is answered.
fn hooks_ask() {
    let own: Arc<Mutex<Option<Own>>> = Arc::default();
    let from = Arc::clone(&own);
    let asked = Arc::new(Mutex::new(Vec::new()));
    let asks = Arc::clone(&asked);
    let coach = Coach::who(move |worker, hook| {
        let own = from.lock().expect("whole").clone();
        let Some((table, ada)) = own else { return };
        let refused = [
            table.shutdown_all(ShutdownMode::Drop).is_err(),
            table.reconcile([], &plain(), ShutdownMode::Drop).is_err(),
            matches!(
                table.launch("bob", Birth::Well, plain()),
                Err(LaunchError::CalledFromHook(_))
            ),
            ada.put_and_wait(Do::Say(5)).is_err(),
            ada.wait_closed_timeout(Duration::from_secs(9)).is_err(),
        ];
        assert_eq!(refused, [true; 5]);
        let _answers = (table.list(), table.find("ada"), worker.information());
        let _answers = (ada.with_state(|it| it.len()), ada.pending_requests());
        let _answers = (ada.current_request(), ada.phase(), worker.canceler());
        if hook == Hook::Error {
            let stored = ada.put(Do::Say(6));
            assert_eq!(stored, Put::Stored);
            // The last handles of the table go here: its workers end.
            drop(from.lock().expect("whole").take());
        }
        asks.lock().expect("whole").push(hook);
        drop((table, ada));
    });
    let mailbox = Dropbox::new(|_, new: Do, _| Some(new));
    let Club { table, farm, .. } = Club::with(1, mailbox, coach);
    let idle = LaunchOptions {
        idle: Some(Duration::from_millis(1)),
        ..plain()
    };
    let ada = table.launch("ada", Birth::Well, idle).expect("up");
    *own.lock().expect("whole") = Some((table, ada.clone()));
    until(|| asked.lock().expect("whole").contains(&Hook::Idle));
    assert_eq!(word(ada.put_and_wait(Do::Say(1))), 1);
    assert_eq!(
        ada.put_and_wait(Do::Refuse(2)),
        Err(MessageError::Request(2))
    );
    ada.wait_closed().expect("no hook");
    let asked = asked.lock().expect("whole").clone();
    assert!(asked.contains(&Hook::Completion) && asked.contains(&Hook::Error));
    drop(farm);
}

/// Between the moment in which a name is free and the one in which that is told, a hook of another worker runs.
fn hook_asks_of_left() {
    let own: Arc<OnceLock<[WorkerRef<Coach, Unbounded>; 2]>> = Arc::default();
    let from = Arc::clone(&own);
    let coach = Coach::who(move |worker, hook| {
        if worker.name() == "ada" && hook == Hook::Close {
            // What is to be done for bob stands before what is told of ada.
            let [_, bob] = from.get().expect("both are up");
            bob.trigger_shutdown(ShutdownMode::Drop);
        }
    });
    let club = Club::with(2, Unbounded, coach);
    let [ada, bob] = own.get_or_init(|| [club.up("ada"), club.up("bob")]);
    let (seen, sees) = (Arc::new(Mutex::new(None)), ada.clone());
    let notes = Arc::clone(&seen);
    bob.canceler().on_cancel(move || {
        *notes.lock().expect("whole") = Some(sees.phase().label());
    });
    ada.shutdown(ShutdownMode::Drop).expect("no hook");
    bob.wait_closed().expect("no hook");
    assert_eq!(*seen.lock().expect("whole"), Some("closing"));
}

fn stopped() {
    let club = Club::open(1, Unbounded);
    let ada = club.up("ada");
    let pid = word(ada.push_and_wait(Do::Pid)).cast_signed();
    let pid = Pid::from_raw(pid).expect("a process");
    kill_process(pid, Signal::STOP).expect("it is ours");
    let began = Instant::now();
    assert_eq!(
        ada.shutdown(ShutdownMode::Drop).expect("no hook").crash,
        None
    );
    assert!(began.elapsed() < CLOSE_BUDGET + Duration::from_secs(10));
    // And one that is stopped with a request.
    let ada = club.up("ada");
    let pid = word(ada.push_and_wait(Do::Pid)).cast_signed();
    kill_process(Pid::from_raw(pid).expect("a process"), Signal::STOP).expect("it is ours");
    let waits = ada.request(Do::Say(1), None).expect("open");
    ada.shutdown(ShutdownMode::Drop).expect("no hook");
    assert_eq!(waits.wait(), Err(MessageError::Closed(None)));
    assert_eq!(word(club.up("ada").push_and_wait(Do::Say(1))), 1);
}

/// Whether the death is heard of before the request meets it, after it or in between.
fn idle_death() {
    let club = Club::open(1, Unbounded);
    for round in 0..40 {
        let ada = club.up("ada");
        let pid = word(ada.push_and_wait(Do::Pid)).cast_signed();
        kill_process(Pid::from_raw(pid).expect("a process"), Signal::KILL).expect("it is ours");
        for _ in 0..round * 50 {
            thread::yield_now();
        }
        let died = ada.push_and_wait(Do::Say(1));
        let Err(MessageError::Closed(Some(crash))) = died else {
            panic!("{died:?}")
        };
        assert!(crash.why.contains("SIGKILL"), "{crash}");
        let closed = ada.wait_closed().expect("no hook");
        assert_eq!(closed.crash, Some(crash));
    }
}

fn fallen() {
    let club = Club::open(2, slots(1));
    let (ada, bob, gate) = (club.up("ada"), club.up("bob"), Gate::new());
    let held = bob.request(gate.holds(), None).expect("room");
    let queued = bob.request(Do::Say(1), None).expect("room");
    thread::scope(|scope| {
        let blocked = scope.spawn(|| bob.push(Do::Say(2), None));
        until(|| bob.information().blocked == 1);
        let told = ada.push_and_wait(Do::Brittle);
        assert!(
            matches!(told, Err(MessageError::Closed(Some(_)))),
            "{told:?}"
        );
        assert!(blocked.join().expect("no panic").is_err());
    });
    for ticket in [held, queued] {
        let told = ticket.wait();
        assert!(
            matches!(told, Err(MessageError::Closed(Some(_)))),
            "{told:?}"
        );
    }
    assert!(bob.wait_closed().expect("no hook").crash.is_some());
    let late = club.table.launch("ada", Birth::Well, plain());
    assert!(matches!(late, Err(LaunchError::Closed)), "{late:?}");
    // Their processes are ended, and another table has their places.
    let other = club
        .farm
        .worker_table(club.named, Coach::default(), Unbounded);
    let ada = other.launch("ada", Birth::Well, plain()).expect("up");
    assert_eq!(word(ada.push_and_wait(Do::Say(1))), 1);
}

/// After its last handle is gone a table waits for its workers to end; how long that takes is not spent on looking.
fn no_spin() {
    let club = Club::open(1, Unbounded);
    let ada = club.up("ada");
    let pid = word(ada.push_and_wait(Do::Pid)).cast_signed();
    kill_process(Pid::from_raw(pid).expect("a process"), Signal::STOP).expect("it is ours");
    let spent = || rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let nanos =
        |at: rustix::time::Timespec| i128::from(at.tv_sec) * 1_000_000_000 + i128::from(at.tv_nsec);
    let Club { table, farm, .. } = club;
    let before = nanos(spent());
    drop(table);
    ada.wait_closed().expect("no hook");
    let spent = nanos(spent()) - before;
    assert!(
        spent < 100_000_000,
        "{spent} ns of processor time for a wait of 200 ms"
    );
    drop(farm);
}
