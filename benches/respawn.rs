//! What a respawn storm costs: 2,000 tasks that kill every worker they are given to, 200 among them that harm nobody,
//! on two workers.
//!
//! How each must end, and what the farm may hold afterwards, stands in `tests/kinds/storm.rs`, whose test makes a small
//! one; this is the whole, which may take a minute on two cores. The time of a death is shown beside that of starting
//! and collecting this same program with nothing to do. `--smoke` changes nothing: it takes a few seconds. Exits with 1
//! when something is not as it must be.

#![expect(clippy::print_stdout, reason = "a bench's table is its purpose")]

#[path = "../tests/kinds/storm.rs"]
mod storm;

use farm::worker::{Worker, run_if_asked};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};
use storm::{DEATHS, LIMIT, Victim, storm};

const TASKS: u64 = 2_000;

/// Enough for a mean.
const BARE_STARTS: u32 = 1_000;

/// The argument that makes this program one that ends at once.
const NOTHING: &str = "bench-nothing";

fn main() -> ExitCode {
    run_if_asked(|| Worker::new().with(Victim));
    if std::env::args().nth(1).as_deref() == Some(NOTHING) {
        return ExitCode::SUCCESS;
    }
    let mut weather = storm(TASKS);
    let took = weather.took;
    let deaths = u32::try_from(TASKS).expect("few") * u32::try_from(DEATHS).expect("few");
    println!("{TASKS} tasks that kill: {deaths} deaths in {took:.1?} (limit {LIMIT:?})");
    println!("a death        {:>9.1?}", took / deaths);
    println!("a bare process {:>9.1?}", bare() / BARE_STARTS);
    println!("held before    {:?}", weather.before);
    println!("held after     {:?}", weather.after);
    if took > LIMIT || weather.after.is_beyond(weather.before) {
        weather
            .wrong
            .push("it took longer, or held more, than it may".to_owned());
    }
    for line in weather.wrong.iter().take(20) {
        println!("WRONG: {line}");
    }
    ExitCode::from(u8::from(!weather.wrong.is_empty()))
}

/// This program started and collected, two at a time.
fn bare() -> Duration {
    let start = || -> Child {
        let mut command = Command::new("/proc/self/exe");
        command.arg(NOTHING).stdin(Stdio::null());
        command.spawn().expect("this program starts")
    };
    let begin = Instant::now();
    let mut other = start();
    for _ in 1..BARE_STARTS {
        let next = start();
        other.wait().expect("a child");
        other = next;
    }
    other.wait().expect("a child");
    begin.elapsed()
}
