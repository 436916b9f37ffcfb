//! Many callers at once, and whoever floods.

use super::player::{Birth, Club, Coach, Do, Gate, plain, slots, until, word};
use super::runner::Test;
use farm::{
    Bounded, Dropbox, MessageError, PushError, RequestTicket, ShutdownMode, Unbounded, WorkerRef,
};
use rustix::process::{Pid, test_kill_process};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

pub(crate) const TESTS: &[Test] = &[
    ("b20_who_floods_holds_up_nobody", b20),
    ("who_puts_without_end_holds_up_nobody", floods_a_box),
    (
        "b21_many_jobs_of_many_threads_and_names_again_and_again",
        b21,
    ),
    ("b24_reconcile_has_exactly_who_is_wanted", b24),
    ("everything_at_once_tells_everybody", everything_at_once),
];

/// What a call may take while others flood, on a machine that has much else to do.
const SOON: Duration = Duration::from_secs(20);

/// H11: two that are flooded, and all that is asked of them and of a third one is answered. The run is watched.
fn b20() {
    let club = Club::open(3, Unbounded);
    let flooded = [club.up("ada"), club.up("bob")];
    let (carl, gate) = (club.up("carl"), Gate::new());
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for worker in &flooded {
            for _ in 0..2 {
                scope.spawn(|| {
                    // Bounded only so that the test has memory for it.
                    while !over.load(Ordering::Relaxed) {
                        if worker.pending_len() < 10_000 && worker.push_now(Do::Say(1)).is_err() {
                            return;
                        }
                    }
                });
            }
        }
        until(|| flooded.iter().all(|it| it.pending_len() > 100));
        let began = Instant::now();
        assert_eq!(word(carl.push_and_wait(Do::Say(2))), 2);
        let held = carl.request(Do::Hold(String::new()), None).expect("open");
        held.cancel("enough");
        let told = held.wait();
        assert!(
            matches!(told, Err(MessageError::Cancelled { .. })),
            "{told:?}"
        );
        let mine = flooded[0].request(Do::Say(3), None).expect("open");
        assert_eq!(flooded[0].phase().label(), "running");
        mine.cancel("enough");
        let _either = mine.wait();
        // A deadline of the table is heeded too, though there is always news.
        let held = carl.request(gate.holds(), None).expect("open");
        let deadline = Duration::from_millis(10);
        carl.shutdown(ShutdownMode::Drain { deadline })
            .expect("no hook");
        assert_eq!(held.wait(), Err(MessageError::Closed(None)));
        for worker in &flooded {
            worker.shutdown(ShutdownMode::Drop).expect("no hook");
        }
        over.store(true, Ordering::Relaxed);
        assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    });
}

/// Each put has somebody displaced, and so something to be done: the answers are heard all the same.
fn floods_a_box() {
    let club = Club::open(2, Dropbox::new(|_, new: Do, _| Some(new)));
    let (ada, bob) = (club.up("ada"), club.up("bob"));
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    // One whose ticket somebody has is told, and not only forgotten.
                    drop(ada.put_request(Do::Say(1)));
                }
            });
        }
        let began = Instant::now();
        for number in 0..20 {
            assert_eq!(word(bob.put_and_wait(Do::Say(number))), number);
        }
        ada.shutdown(ShutdownMode::Drop).expect("no hook");
        over.store(true, Ordering::Relaxed);
        assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    });
}

fn b21() {
    let club = Club::open(2, slots(4));
    for _ in 0..5 {
        // Sixteen race for the name, and one has it.
        let launched = AtomicU32::new(0);
        let answered = AtomicU32::new(0);
        thread::scope(|scope| {
            for number in 0..16 {
                let (club, launched, answered) = (&club, &launched, &answered);
                scope.spawn(move || {
                    if club.table.launch("ada", Birth::Well, plain()).is_ok() {
                        launched.fetch_add(1, Ordering::Relaxed);
                    }
                    let ada = club.table.find("ada").expect("somebody launched it");
                    for job in 0..4 {
                        let said = number * 4 + job;
                        assert_eq!(word(ada.push_and_wait(Do::Say(said))), said);
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        assert_eq!(launched.into_inner(), 1);
        assert_eq!(answered.into_inner(), 64);
        club.table
            .shutdown_all(ShutdownMode::Drop)
            .expect("no hook");
        assert!(club.table.list().is_empty());
    }
}

fn b24() {
    let club = Club::open(4, Unbounded);
    let reconcile = |names: &[&str], birth: &Birth| {
        let desired = names.iter().map(|it| ((*it).to_owned(), birth.clone()));
        let how = ShutdownMode::Drop;
        let report = club.table.reconcile(desired, &plain(), how);
        let report = report.expect("no hook");
        let of = |all: &[WorkerRef<_, _>]| -> Vec<String> {
            all.iter().map(|it| it.name().to_owned()).collect()
        };
        let failed = report.failed.len();
        (
            of(&report.launched),
            of(&report.kept),
            report.stopped,
            failed,
        )
    };
    let words = |all: &[&str]| -> Vec<String> { all.iter().map(|it| (*it).to_owned()).collect() };
    let first = reconcile(&["bob", "ada"], &Birth::Well);
    assert_eq!(first, (words(&["ada", "bob"]), words(&[]), words(&[]), 0));
    let pid = |name| word(club.table.find(name).expect("there").push_and_wait(Do::Pid));
    let before = (pid("ada"), pid("bob"));
    let again = reconcile(&["ada", "bob"], &Birth::Well);
    assert_eq!(again, (words(&[]), words(&["ada", "bob"]), words(&[]), 0));
    assert_eq!((pid("ada"), pid("bob")), before);
    let other = reconcile(&["bob", "carl"], &Birth::Well);
    assert_eq!(
        other,
        (words(&["carl"]), words(&["bob"]), words(&["ada"]), 0)
    );
    assert_eq!(pid("bob"), before.1);
    // One that drains is on its way out, and is launched anew; one that cannot be is told.
    let gate = Gate::new();
    let bob = club.table.find("bob").expect("there");
    bob.push_now(gate.holds()).expect("open");
    until(|| bob.current_request().is_some());
    let deadline = Duration::from_secs(60);
    bob.trigger_shutdown(ShutdownMode::Drain { deadline });
    let anew = reconcile(&["bob", "carl"], &Birth::Well);
    assert_eq!(anew, (words(&["bob"]), words(&["carl"]), words(&[]), 0));
    let none = reconcile(&["dora"], &Birth::Refuse);
    assert_eq!(none, (words(&[]), words(&[]), words(&["bob", "carl"]), 1));
    assert!(club.table.list().is_empty());
}

struct Draw(u64);

impl Draw {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

/// What one of the threads does, and how many tickets it was given and heard of.
struct Caller<'a> {
    club: &'a Club<Bounded>,
    draw: Draw,
    pids: Vec<u32>,
    issued: u32,
    resolved: u32,
}

impl Caller<'_> {
    fn act(&mut self) {
        let name = ["ada", "bob", "carl"][usize::try_from(self.draw.next(3)).expect("few")];
        match self.club.table.find(name) {
            Some(worker) => self.ask(&worker),
            None => self.launch(name),
        }
    }

    fn launch(&mut self, name: &str) {
        if let Ok(worker) = self.club.table.launch(name, Birth::Well, plain())
            && let Ok(pid) = worker.push_and_wait(Do::Pid)
        {
            self.pids.push(pid.0);
        }
    }

    fn ask(&mut self, worker: &WorkerRef<Coach, Bounded>) {
        let deadline = Duration::from_micros(self.draw.next(2_000));
        let span = Some(deadline);
        match self.draw.next(100) {
            0 => worker.trigger_shutdown(ShutdownMode::Drop),
            1 => worker.trigger_shutdown(ShutdownMode::Drain { deadline }),
            2 => drop(worker.shutdown(ShutdownMode::Drop).expect("no hook")),
            3 => drop(worker.push(Do::Die, span)),
            4 => drop(worker.push(Do::Panic, span)),
            5 => drop(worker.push(Do::Die, None)),
            6..=40 => {
                let pushed = worker.push(Do::Say(1), span);
                let called = matches!(pushed, Err(PushError::CalledFromHook { .. }));
                assert!(!called, "{pushed:?}");
            }
            41..=60 => {
                let what = [Do::Say(2), Do::Hold(String::new())];
                let what = what[usize::from(self.draw.next(3) == 0)].clone();
                self.ticket(worker.request(what, span).ok(), true);
            }
            61..=70 => {
                let _seen = (worker.information(), worker.pending_requests());
                let _seen = (worker.current_request(), self.club.table.list());
            }
            _ => self.ticket(worker.request(Do::Say(3), span).ok(), false),
        }
    }

    fn ticket(&mut self, ticket: Option<RequestTicket<Coach>>, cancels: bool) {
        let Some(ticket) = ticket else { return };
        self.issued += 1;
        if cancels {
            ticket.cancel("enough");
        }
        let _told = ticket.wait();
        self.resolved += 1;
    }
}

/// Four threads push, wait, give up, cancel, kill, shut down and launch by turns. Every ticket is resolved, nobody hangs,
/// and no process is left.
fn everything_at_once() {
    const ROUNDS: u32 = 500;
    let club = Club::open(3, slots(2));
    let callers: Vec<Caller<'_>> = thread::scope(|scope| {
        let threads: Vec<_> = (1..=4)
            .map(|seed| {
                let mut caller = Caller {
                    club: &club,
                    draw: Draw(0x9E37_79B9_7F4A_7C15 ^ seed),
                    pids: Vec::new(),
                    issued: 0,
                    resolved: 0,
                };
                scope.spawn(move || {
                    (0..ROUNDS).for_each(|_| caller.act());
                    caller
                })
            })
            .collect();
        let ended = threads.into_iter().map(|it| it.join().expect("no panic"));
        ended.collect()
    });
    let down = club.table.shutdown_all(ShutdownMode::Drop);
    down.expect("no hook");
    let issued: u32 = callers.iter().map(|it| it.issued).sum();
    let resolved: u32 = callers.iter().map(|it| it.resolved).sum();
    assert!(issued > 100);
    assert_eq!(issued, resolved);
    let pids: Vec<u32> = callers.iter().flat_map(|it| it.pids.clone()).collect();
    let notes = club.coach.notes();
    let closes = notes.iter().filter(|it| !it.contains(':')).count();
    assert!(closes >= pids.len(), "{closes} closed of {}", pids.len());
    for pid in pids {
        let pid = Pid::from_raw(pid.cast_signed()).expect("a process");
        assert!(test_kill_process(pid).is_err(), "{pid:?} is collected");
    }
}
