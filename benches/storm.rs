//! What a storm of cancels does: 10,000 commands that ignore SIGTERM, cancelled at random moments over 8 workers with a
//! budget of 200 ms, hundreds of them while they run.
//!
//! How it is made and looked at stands in `tests/kinds/cancels.rs`, whose test makes a small one. Shown is how long the
//! last process of each took to be gone, from the call, beside how late the machine wakes anybody. `--smoke` makes 500, and
//! allows for that lateness and for 200 ms. Exits with 1 when something is not as it must be.

#![expect(clippy::print_stdout, reason = "a bench's table is its purpose")]

#[path = "../tests/kinds/cancels.rs"]
mod cancels;

use cancels::{BEYOND, BUDGET, Size, WORKERS, storm};
use farm::worker::{Worker, run_if_asked};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Drawn once; what it decides is who is cancelled when, and not how the machine behaves.
const SEED: u64 = 0x5709;

const WHOLE: Size = Size {
    tasks: 10_000,
    gap: Duration::from_micros(1_200),
    one_of: 20,
    killed: 200,
};

const SMOKE: Size = Size {
    tasks: 500,
    gap: Duration::from_millis(3),
    one_of: 6,
    killed: 20,
};

fn main() -> ExitCode {
    run_if_asked(|| Worker::new().with(cancels::notes::Noting::default()));
    let smoke = std::env::args().any(|argument| argument == "--smoke");
    let size = if smoke { SMOKE } else { WHOLE };
    let begun = Instant::now();
    let mut weather = storm(size, SEED);
    let took = begun.elapsed();
    let tasks = size.tasks;
    println!("{tasks} cancels over {WORKERS} workers in {took:.1?}, seed {SEED}");
    for (how, count) in &weather.hows {
        println!("{how:<24}{count:>9}");
    }
    let [begins, ends, noted] = weather.noted;
    println!("notes: {begins} begins, {ends} ends, at most {noted} at a time");
    let (seen, there) = (weather.seen.most, weather.seen.most_there);
    let looks = weather.seen.looks;
    println!(
        "looks: {looks}, at most {seen} at a time, {there} with what was killed and not yet gone"
    );
    println!("milliseconds           median      p90      p99    worst");
    show("gone after the call", &mut weather.gone);
    show("the machine is late", &mut weather.seen.late);
    let slack = if smoke {
        weather.machine() + 2 * BEYOND
    } else {
        Duration::ZERO
    };
    let (worst, limit) = (weather.worst(), BUDGET + BEYOND + slack);
    if worst > limit {
        let line = format!("one was gone after {worst:.1?}, the limit is {limit:.1?}");
        weather.wrong.push(line);
    }
    for line in weather.wrong.iter().take(20) {
        println!("WRONG: {line}");
    }
    ExitCode::from(u8::from(!weather.wrong.is_empty()))
}

fn show(what: &str, spans: &mut [Duration]) {
    spans.sort_unstable();
    let at = |part: usize| {
        let place = (spans.len() * part / 100).min(spans.len().saturating_sub(1));
        let span = spans.get(place).copied().unwrap_or_default();
        format!("{:>9.1}", span.as_secs_f64() * 1e3)
    };
    println!("{what:<20}{}{}{}{}", at(50), at(90), at(99), at(100));
}
