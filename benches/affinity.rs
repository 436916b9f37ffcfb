//! What matching by key costs: 50 workers, one affinity key for each task, 10,000, 100,000 and 1,000,000 tasks.
//!
//! The machine and the adapter are the shipped ones; workers are played here. Counted are the tasks that the machine
//! looks at and the calls of the kind (every callback), held against n log2 n; the time of a task among the most
//! against one among the fewest tells of comparisons that nobody counts. `--smoke` leaves the million out. Exits with 1
//! when a limit is exceeded.

#![expect(clippy::print_stdout, reason = "a bench's table is its purpose")]

use farm_master::lane::{AdapterMode, Boundary, Entry};
use farm_master::{
    Action, Actions, Affinity, Config, DECODE_ABOVE, Event, Held, KindConfig, Link, Master,
    Registry, TaskKind, TaskOptions, Verdict, WorkerStatus,
};
use farm_protocol::{
    AffinityKey, DEFAULT_FRAME_LIMIT, FrameDecoder, FrameError, FrameKind, Hello, Instant, KindId,
    Never, PREAMBLE, ReplyFlags, ReplyHeader, RequestHeader, Session, SlotId, Termination, Wire,
    begin_frame, decode_prefix, encode_into, finish_frame, reply_frame,
};
use std::collections::VecDeque;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

/// Looks and calls may be so many times n log2 n.
const COUNT_LIMIT: f64 = 1.0;

/// A task among the most may take so many times as long as one among the fewest.
const GROWTH_LIMIT: f64 = 5.0;

const WORKERS: u32 = 50;

/// Callbacks of the kind since the count was last set to zero.
static CALLS: AtomicU64 = AtomicU64::new(0);

fn called() {
    CALLS.fetch_add(1, Ordering::Relaxed);
}

struct Keyed;

impl Wire for Keyed {
    const NAME: &'static str = "keyed";
    const VERSION: u32 = 1;
    type Request = u64;
    type Response = u64;
    type Feedback = Never;
    type Context = Never;
}

impl TaskKind for Keyed {
    type Wire = Self;
    type Task = Affinity;
    type Competence = u64;
    type Output = u64;
    type Failure = Never;

    fn affinity(&self, task: &Affinity) -> Affinity {
        called();
        *task
    }

    fn keys_of(&self, competence: &u64) -> Vec<AffinityKey> {
        called();
        vec![AffinityKey(*competence)]
    }

    fn task_match(&self, _: &WorkerStatus<u64>, _: &Affinity) -> bool {
        called();
        true
    }

    fn request_of_task(&mut self, _: &WorkerStatus<u64>, task: &Affinity) -> Option<u64> {
        called();
        match task {
            Affinity::Any | Affinity::Worker { .. } => Some(0),
            Affinity::Prefers(key) | Affinity::Requires(key) => Some(key.0),
        }
    }

    fn use_response(&mut self, _: &WorkerStatus<u64>, _: &Affinity, key: u64) -> Verdict<Self> {
        called();
        Verdict::done(key, key)
    }
}

/// A master with workers that answer at once, in turn.
struct Farm {
    master: Master,
    registry: Registry,
    actions: Actions,
    /// What each worker was sent and has not answered.
    requests: VecDeque<(SlotId, Session, RequestHeader, u64)>,
    started: Vec<(SlotId, Session)>,
    /// Workers that were asked to end.
    ending: Vec<(SlotId, Session)>,
    settled: u64,
}

impl Farm {
    fn new(tasks: u64) -> Self {
        let mut registry = Registry::new();
        registry.register(Keyed);
        let boundary = Boundary::new(AdapterMode::PushPull, 1, tasks as usize, 1_000);
        let kind = KindConfig {
            hello: Keyed::hello(),
            slots: WORKERS,
            boundary: boundary.expect("valid"),
            credit_cap: 0,
            injection_limit: 0,
            decode_above: DECODE_ABOVE,
            hello_timeout: None,
            staffing: farm_master::Staffing::default(),
            defaults: TaskOptions::default(),
        };
        let config = Config {
            kinds: vec![kind],
            ..Config::default()
        };
        Self {
            master: Master::new(config),
            registry,
            actions: Actions::new(),
            requests: VecDeque::new(),
            started: Vec::new(),
            ending: Vec::new(),
            settled: 0,
        }
    }

    fn tell(&mut self, event: Event<'_>) {
        let (registry, actions) = (&mut self.registry, &mut self.actions);
        self.master.handle(Instant::START, event, registry, actions);
        let list = self.actions.take_list();
        for action in &list {
            match action {
                Action::Spawn { slot, session, .. } => self.started.push((*slot, *session)),
                Action::Send {
                    slot,
                    session,
                    link: Link::Requests,
                    bytes,
                } => {
                    let mut decoder = FrameDecoder::new(DEFAULT_FRAME_LIMIT);
                    decoder.push(&self.actions.bytes[bytes.clone()]);
                    while let Some(frame) = decoder.next_frame().expect("protocol") {
                        if frame.kind == FrameKind::Stop {
                            self.ending.push((*slot, *session));
                            continue;
                        }
                        let (header, body) =
                            decode_prefix::<RequestHeader>(frame.body).expect("a header");
                        // One byte says that there is no context.
                        let (key, _) = decode_prefix::<u64>(&body[1..]).expect("a key");
                        self.requests.push_back((*slot, *session, header, key));
                    }
                }
                Action::Settle(settlement) => {
                    self.settled += 1;
                    assert!(settlement.outcome.is_done(), "{settlement:?}");
                    let fault = self.registry.settle(settlement.clone());
                    assert!(fault.is_none());
                }
                _ => {}
            }
        }
        self.actions.restore(list);
        self.actions.clear();
    }

    fn say(&mut self, (slot, session): (SlotId, Session), bytes: &[u8]) {
        self.tell(Event::Bytes {
            slot,
            session,
            bytes,
        });
    }

    /// Workers that were asked to end do, and new ones say hello.
    fn come_and_go(&mut self) {
        while let Some((slot, session)) = self.ending.pop() {
            self.tell(Event::Eof { slot, session });
            let exit = farm_master::Exit {
                termination: Termination::Exited(0),
                noted: None,
                evidence: farm_master::MemoryEvidence::default(),
            };
            self.tell(Event::Exited {
                slot,
                session,
                exit,
            });
        }
        while let Some((slot, session)) = self.started.pop() {
            self.tell(Event::Spawned {
                slot,
                session,
                page: true,
            });
            self.say((slot, session), &hello());
        }
    }

    fn answer(&mut self) {
        let Some((slot, session, header, key)) = self.requests.pop_front() else {
            return;
        };
        let header = ReplyHeader {
            id: header.id,
            flags: ReplyFlags::default(),
            ran_nanos: 1_000,
        };
        let mut bytes = Vec::new();
        reply_frame::<FrameError>(&mut bytes, &header, DEFAULT_FRAME_LIMIT, |out| {
            encode_into(&key, out, 16).expect("a number");
            Ok(())
        })
        .expect("short");
        self.say((slot, session), &bytes);
    }
}

fn hello() -> Vec<u8> {
    let mut out = PREAMBLE.to_vec();
    let start = begin_frame(&mut out, FrameKind::Hello);
    let hello = Hello {
        pid: 1,
        build: String::new(),
        kinds: vec![Keyed::hello()],
    };
    encode_into(&hello, &mut out, 1_000).expect("encodes");
    finish_frame(&mut out, start, DEFAULT_FRAME_LIMIT).expect("short");
    out
}

/// What one run came to, per task.
struct Price {
    /// Looks and calls, in parts of n log2 n.
    count: f64,
    nanos: f64,
}

/// Everything waits before the first worker is there: the longest queue that there can be.
fn run(tasks: u64, keys: u64, affinity: fn(AffinityKey) -> Affinity) -> Price {
    let mut farm = Farm::new(tasks);
    CALLS.store(0, Ordering::Relaxed);
    let began = std::time::Instant::now();
    for nth in 0..tasks {
        let key = AffinityKey(nth.wrapping_mul(0x9e37_79b9_7f4a_7c15) % keys);
        let held = Held::<Keyed>::new(affinity(key), None);
        let task = farm.registry.insert(KindId(0), Box::new(held));
        farm.tell(Event::Submit {
            task,
            kind: KindId(0),
            entry: Entry::Push,
            options: None,
            scope: None,
        });
    }
    while farm.settled < tasks {
        farm.come_and_go();
        farm.answer();
    }
    let nanos = began.elapsed().as_nanos() as f64 / tasks as f64;
    let count = CALLS.load(Ordering::Relaxed) + farm.master.counters().looks;
    let n = tasks as f64;
    Price {
        count: count as f64 / (n * n.log2()),
        nanos,
    }
}

fn main() -> ExitCode {
    let smoke = std::env::args().any(|argument| argument == "--smoke");
    let sizes: &[u64] = if smoke {
        &[10_000, 100_000]
    } else {
        &[10_000, 100_000, 1_000_000]
    };
    type OfKey = fn(AffinityKey) -> Affinity;
    let loads: [(&str, Option<u64>, OfKey); 4] = [
        ("50 keys, preferred", Some(50), Affinity::Prefers),
        ("50 keys, required", Some(50), Affinity::Requires),
        ("1,000 keys, preferred", Some(1_000), Affinity::Prefers),
        ("a key for each task, preferred", None, Affinity::Prefers),
    ];
    println!("looks and calls in parts of n log2 n (limit {COUNT_LIMIT}), time per task");
    let mut failed = false;
    for (name, keys, affinity) in loads {
        let mut first = None;
        for &tasks in sizes {
            let price = run(tasks, keys.unwrap_or(u64::MAX), affinity);
            let first = *first.get_or_insert(price.nanos);
            let growth = price.nanos / first;
            failed |= price.count > COUNT_LIMIT || growth > GROWTH_LIMIT;
            println!(
                "{name:32} {tasks:>9} tasks  {:.3}  {:>6.0} ns  {growth:.2} x (limit {GROWTH_LIMIT})",
                price.count, price.nanos
            );
        }
    }
    if failed {
        println!("FAILED: a limit is exceeded");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
