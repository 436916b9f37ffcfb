//! Workers inside this process: the same ends as elsewhere, and what is different because nobody can kill a thread.

use super::Test;
use super::noop::{Behave, Noop, Performer, Said};
use super::strangers::Other;
use farm::master::{HowStopped, TimeLimit};
use farm::worker::{Context, Perform, Worker};
use farm::{
    CrashLimit, Decision, Farm, InProcess, OnLost, Outcome, Pool, Rule, TaskOptions, TaskQueue,
    in_process,
};
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

pub(crate) const TESTS: &[Test] = &[
    ("a_thread_gives_the_ends_that_a_process_gives", same_ends),
    ("a_panic_costs_a_thread_and_drops_its_performer", panics),
    ("other_types_are_refused_inside_as_well", other_types),
    ("a_cancelled_thread_that_heeds_stays", heeds),
    ("a_deaf_thread_is_waited_for_and_never_doubled", waited_for),
    (
        "a_farm_that_is_dropped_ends_without_a_deaf_thread",
        given_up,
    ),
    ("a_group_inside_stops_its_losers", groups),
    ("wards_die_where_a_group_would", wards),
    ("limits_inside_count_what_they_can", limits),
    ("an_exit_inside_ends_the_process", exits),
];

/// Nothing here takes this long on a machine that works.
const LONG: Duration = Duration::from_secs(20);

fn noops(in_process: InProcess, slots: u32) -> (Farm, TaskQueue<Noop>) {
    let mut builder = Farm::builder();
    let kind = builder.kind(Noop, Pool::new(in_process, slots));
    let farm = builder.start().expect("a farm");
    let queue = farm.queue(kind);
    (farm, queue)
}

fn farm(slots: u32) -> (Farm, TaskQueue<Noop>) {
    noops(in_process(|| Worker::new().with(Performer)), slots)
}

fn end(queue: &TaskQueue<Noop>, task: Behave, options: TaskOptions) -> Outcome<Said> {
    let ticket = queue.submit_options(task, options);
    let settled = ticket.wait_timeout(LONG).expect("an end in time");
    settled.expect("admitted").outcome
}

fn once() -> TaskOptions {
    TaskOptions {
        on_lost: OnLost::Fail,
        ..TaskOptions::default()
    }
}

fn same_ends() {
    let (farm, queue) = farm(1);
    for n in 0..100 {
        let done = end(&queue, Behave::Echo(n), once());
        assert!(matches!(done, Outcome::Done(Said::Number(m)) if m == n));
    }
    let printed = queue.submit(Behave::Print("(printed by a worker inside)\n".to_owned()));
    let printed = printed.wait().expect("admitted");
    let own = std::process::id();
    assert!(matches!(printed.outcome, Outcome::Done(Said::Pid(pid)) if pid == own));
    assert_eq!(printed.output.stdout, b"", "it went to our own stdout");
    assert_eq!(
        farm.worker_pids(),
        [],
        "nobody is to signal this process for a worker's sake"
    );
    match end(&queue, Behave::Unencodable, once()) {
        Outcome::ResponseNotMarshallable(why) => assert!(why.contains("cannot be encoded")),
        other => panic!("{other:?}"),
    }
    match end(&queue, Behave::Panic, once()) {
        Outcome::Panicked(death) => {
            assert_eq!(death.panic.as_deref(), Some("asked to"));
            assert_eq!(death.last_words, b"", "it went to our own stderr");
        }
        other => panic!("{other:?}"),
    }
    let twice = TaskOptions {
        crash_limit: CrashLimit::Deaths(1),
        ..TaskOptions::default()
    };
    match end(&queue, Behave::Panic, twice) {
        Outcome::Poisoned(deaths) => assert_eq!(deaths.len(), 2),
        other => panic!("{other:?}"),
    }
    assert!(end(&queue, Behave::Echo(7), once()).is_done());
    farm.shut(farm::Shut::Drain);
    farm.wait_stopped();
}

/// Counts those of its sort that live.
struct Counted(Arc<AtomicUsize>, Performer);

impl Counted {
    fn new(living: &Arc<AtomicUsize>) -> Self {
        living.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(living), Performer)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Perform for Counted {
    type Wire = <Performer as Perform>::Wire;

    fn perform(&mut self, request: Behave, context: &Context<'_, Self::Wire>) -> Said {
        self.1.perform(request, context)
    }
}

fn panics() {
    let living = Arc::new(AtomicUsize::new(0));
    let of_workers = Arc::clone(&living);
    let make = move || Worker::new().with(Counted::new(&of_workers));
    let (farm, queue) = noops(in_process(make), 1);
    assert!(end(&queue, Behave::Echo(1), once()).is_done());
    assert_eq!(living.load(Ordering::SeqCst), 1);
    let panicked = end(&queue, Behave::Panic, once());
    assert!(matches!(panicked, Outcome::Panicked(_)), "{panicked:?}");
    assert!(end(&queue, Behave::Echo(1), once()).is_done());
    assert_eq!(living.load(Ordering::SeqCst), 1, "the first is dropped");
    drop(farm);
    assert_eq!(living.load(Ordering::SeqCst), 0, "so is the second");
}

fn other_types() {
    let (_farm, queue) = noops(in_process(|| Worker::new().with(Other)), 1);
    match end(&queue, Behave::Echo(1), once()) {
        Outcome::SpawnFailed(why) => {
            assert!(why.contains("other request or response types"), "{why}");
        }
        other => panic!("{other:?}"),
    }
}

fn heeds() {
    let (_farm, queue) = farm(1);
    let ticket = queue.submit(Behave::Advance(1, Duration::ZERO));
    while ticket.progress().is_none() {
        std::thread::yield_now();
    }
    ticket.cancel("enough");
    let settled = ticket.wait().expect("admitted");
    let Outcome::Cancelled { how, .. } = settled.outcome else {
        panic!("{:?}", settled.outcome)
    };
    assert_eq!(how, HowStopped::Acked);
}

/// A gate that the performer waits at, deaf to everything else, and how many have come to it.
#[derive(Default)]
struct Gate {
    state: Mutex<(usize, bool)>,
    changed: Condvar,
}

impl Gate {
    fn pass(&self) {
        let mut state = self.state.lock().expect("whole");
        state.0 += 1;
        self.changed.notify_all();
        while !state.1 {
            state = self.changed.wait(state).expect("whole");
        }
    }

    fn await_one(&self) {
        let state = self.state.lock().expect("whole");
        let _one = self.changed.wait_while(state, |state| state.0 == 0);
    }

    fn open(&self) {
        self.state.lock().expect("whole").1 = true;
        self.changed.notify_all();
    }

    fn come(&self) -> usize {
        self.state.lock().expect("whole").0
    }
}

struct AtGate(Arc<Gate>);

impl Perform for AtGate {
    type Wire = <Performer as Perform>::Wire;

    fn perform(&mut self, request: Behave, _: &Context<'_, Self::Wire>) -> Said {
        match request {
            Behave::Echo(n) => Said::Number(n),
            _ => {
                self.0.pass();
                Said::Number(0)
            }
        }
    }
}

fn at_gate() -> (Arc<Gate>, Farm, TaskQueue<Noop>) {
    let gate = Arc::new(Gate::default());
    let of_workers = Arc::clone(&gate);
    let make = move || Worker::new().with(AtGate(Arc::clone(&of_workers)));
    let (farm, queue) = noops(in_process(make), 1);
    (gate, farm, queue)
}

fn waited_for() {
    let (gate, _farm, queue) = at_gate();
    let options = TaskOptions {
        running: Some(Duration::from_millis(20)),
        grace: Some(Duration::from_millis(40)),
        retries: farm::Retries::immediate(1),
        ..TaskOptions::default()
    };
    let deaf = queue.submit_options(Behave::IgnoreCancel, options);
    let behind = queue.submit(Behave::Echo(3));
    gate.await_one();
    // Five times its budget: it was asked, and told to go, and is there.
    let deaf = deaf.wait_timeout(Duration::from_millis(300));
    let deaf = deaf.expect_err("it ends when it returns and not before");
    assert_eq!(gate.come(), 1, "no second attempt beside the first");
    gate.open();
    let settled = deaf.wait_timeout(LONG).expect("in time").expect("admitted");
    let Outcome::TimedOut { how, .. } = settled.outcome else {
        panic!("{:?}", settled.outcome)
    };
    assert_eq!(
        how,
        HowStopped::Exited,
        "it was not killed, and says nothing any more"
    );
    let behind = behind.wait().expect("admitted").outcome;
    assert!(behind.is_done(), "{behind:?}");
}

fn given_up() {
    let (gate, farm, queue) = at_gate();
    let deaf = queue.submit(Behave::IgnoreCancel);
    gate.await_one();
    let begin = Instant::now();
    drop(farm);
    let took = begin.elapsed();
    assert!(took < LONG / 2, "{took:?}");
    let settled = deaf.wait().expect("admitted");
    assert!(
        matches!(settled.outcome, Outcome::Cancelled { .. }),
        "{:?}",
        settled.outcome
    );
    gate.open();
}

fn groups() {
    let (farm, queue) = farm(2);
    let group = farm.group(Rule::FirstSuccess).open();
    let loser = group.submit(&queue, Behave::WaitForCancel);
    let winner = group.submit(&queue, Behave::Echo(5));
    let end = group.wait().expect("a group");
    assert!(
        matches!(&end.decision, Decision::Succeeded { indexes } if *indexes == [1]),
        "{end:?}"
    );
    assert!(winner.wait().expect("admitted").outcome.is_done());
    let lost = loser.wait().expect("admitted").outcome;
    assert!(matches!(lost, Outcome::Cancelled { .. }), "{lost:?}");
}

/// Starts a process that does not heed SIGTERM, and waits for it.
struct Keeper;

struct Kept(Child);

impl Drop for Kept {
    fn drop(&mut self) {
        // It is dead when all is well.
        let _killed = self.0.kill();
        let _collected = self.0.wait();
    }
}

impl Perform for Keeper {
    type Wire = <Performer as Perform>::Wire;

    fn perform(&mut self, _: Behave, context: &Context<'_, Self::Wire>) -> Said {
        assert!(!context.owns_children(), "this process may have others");
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' TERM; echo deaf; while :; do sleep 1; done"]);
        command.stdout(Stdio::piped()).process_group(0);
        let mut kept = Kept(command.spawn().expect("a shell"));
        let ward = context.ward(kept.0.id());
        let mut deaf = [0; 5];
        let stdout = kept.0.stdout.as_mut().expect("piped");
        stdout.read_exact(&mut deaf).expect("it begins");
        context.progress(1, None, "deaf");
        let ended = rustix::process::waitid(
            rustix::process::WaitId::Pid(rustix::process::Pid::from_child(&kept.0)),
            rustix::process::WaitIdOptions::EXITED | rustix::process::WaitIdOptions::NOWAIT,
        );
        drop(ward);
        ended.expect("our child");
        Said::Number(0)
    }
}

fn wards() {
    let (_farm, queue) = noops(in_process(|| Worker::new().with(Keeper)), 1);
    let options = TaskOptions {
        grace: Some(Duration::from_millis(100)),
        ..TaskOptions::default()
    };
    let ticket = queue.submit_options(Behave::Echo(0), options);
    while ticket.progress().is_none() {
        std::thread::yield_now();
    }
    ticket.cancel("enough");
    match ticket.wait().expect("admitted").outcome {
        Outcome::Cancelled { how, .. } => assert_eq!(how, HowStopped::Killed),
        other => panic!("{other:?}"),
    }
}

/// Works without a pause until it is cancelled.
struct Spinner;

impl Perform for Spinner {
    type Wire = <Performer as Perform>::Wire;

    fn perform(&mut self, _: Behave, context: &Context<'_, Self::Wire>) -> Said {
        while !context.cancelled() {
            std::hint::spin_loop();
        }
        Said::Number(0)
    }
}

fn limits() {
    let (_farm, queue) = noops(in_process(|| Worker::new().with(Spinner)), 1);
    let options = TaskOptions {
        cpu: Some(Duration::from_millis(30)),
        ..TaskOptions::default()
    };
    match end(&queue, Behave::Echo(0), options) {
        Outcome::TimedOut { which, how } => {
            assert_eq!((which, how), (TimeLimit::Cpu, HowStopped::Acked));
        }
        other => panic!("{other:?}"),
    }
    let (_farm, queue) = farm(1);
    let options = TaskOptions {
        memory: Some(1 << 20),
        ..TaskOptions::default()
    };
    let ticket = queue.submit_options(Behave::Eat(16 << 20), options);
    // Four rounds of measuring: whose memory it is nobody can say.
    let ticket = ticket.wait_timeout(Duration::from_millis(200));
    let ticket = ticket.expect_err("it is not stopped for that");
    ticket.cancel("enough");
    let ended = ticket.wait().expect("admitted").outcome;
    assert!(matches!(ended, Outcome::Cancelled { .. }), "{ended:?}");
}

/// The argument with which this program is a farm whose only task ends the process.
pub(crate) const AS_ENDING: &str = "inside-exit";

/// How that ends.
const CODE: i32 = 77;

struct Ender;

impl Perform for Ender {
    type Wire = <Performer as Perform>::Wire;

    fn perform(&mut self, _: Behave, _: &Context<'_, Self::Wire>) -> Said {
        std::process::exit(CODE)
    }
}

pub(crate) fn end_by_a_task() -> ! {
    let (_farm, queue) = noops(in_process(|| Worker::new().with(Ender)), 1);
    let ended = queue.submit(Behave::Echo(0)).wait();
    unreachable!("{ended:?}")
}

fn exits() {
    let own = std::env::current_exe().expect("a path of this program");
    let status = Command::new(own).arg(AS_ENDING).status();
    assert_eq!(status.expect("this program starts").code(), Some(CODE));
}
