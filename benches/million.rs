//! Whether the memory of the master stays flat: a long list of `["/bin/true"]`, once without and once with ids, read
//! lazily by two workers, results to a file.
//!
//! Watches the resident memory of the master through `/proc` and counts results as they are written. Speed is
//! reported, not judged; `commands.rs` judges it.
#![expect(clippy::print_stdout, reason = "a bench prints its table")]

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

type Answer<T> = Result<T, Box<dyn Error>>;

const TASKS_FULL: u64 = 1_000_000;
const TASKS_SMOKE: u64 = 20_000;
/// Fewer tasks say nothing about growth.
const TASKS_MIN: u64 = 10_000;

/// The master's peak of resident memory.
const PEAK_BYTES_MAX: u64 = 100_000_000;
/// Growth per task between a quarter and the whole of the run: a name of up to 16 bytes must be kept, because a later
/// task may need it, with its place in a map.
const GROWTH_BYTES_PER_TASK_WITH_IDS: u64 = 64;
/// Without names a settled task may leave a few bits behind.
const GROWTH_BYTES_PER_TASK: u64 = 8;
/// What an allocator takes and gives back in pieces, whatever the number of tasks.
const GROWTH_SLACK_BYTES: u64 = 1 << 20;

const SAMPLE_EVERY: Duration = Duration::from_millis(50);

/// One list to run.
struct List {
    name: &'static str,
    growth_bytes_per_task: u64,
    line: fn(u64) -> String,
}

const LISTS: [List; 2] = [
    List {
        name: "without ids",
        growth_bytes_per_task: GROWTH_BYTES_PER_TASK,
        line: |_| "[\"/bin/true\"]\n".to_owned(),
    },
    List {
        name: "ids of 16 bytes",
        growth_bytes_per_task: GROWTH_BYTES_PER_TASK_WITH_IDS,
        line: |n| format!("{{\"id\":\"t-{n:014}\",\"command\":[\"/bin/true\"]}}\n"),
    },
];

/// What the master was seen to use when so many results were written.
#[derive(Clone, Copy)]
struct Sample {
    results: u64,
    resident_bytes: u64,
}

/// What one run showed.
struct Seen {
    seconds: f64,
    peak_bytes: u64,
    /// At the first sample with a quarter of the results.
    quarter: Sample,
    last: Sample,
}

fn main() -> Answer<ExitCode> {
    let tasks = tasks_wanted()?;
    println!("{tasks} x /bin/true, 2 workers, results written; memory of the master");
    println!(
        "{:<16} {:>9} {:>10} {:>10} {:>10} {:>9} {:>9}",
        "list", "time", "per task", "quarter", "peak", "growth", "allowed"
    );
    let mut kept = true;
    for list in &LISTS {
        let seen = run(list, tasks)?;
        kept &= judge(list, tasks, &seen);
    }
    Ok(if kept {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn tasks_wanted() -> Answer<u64> {
    let mut tasks = TASKS_FULL;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--bench" => {} // added by cargo
            "--smoke" => tasks = TASKS_SMOKE,
            "--tasks" => tasks = arguments.next().ok_or("--tasks wants a number")?.parse()?,
            _ => {
                return Err(
                    format!("unknown argument `{argument}`: use --smoke or --tasks N").into(),
                );
            }
        }
    }
    if tasks < TASKS_MIN {
        return Err(format!("--tasks {tasks}: at least {TASKS_MIN}").into());
    }
    Ok(tasks)
}

/// Prints the row of one list; whether its limits were kept.
fn judge(list: &List, tasks: u64, seen: &Seen) -> bool {
    let settled = seen.last.results - seen.quarter.results;
    let growth = seen
        .last
        .resident_bytes
        .saturating_sub(seen.quarter.resident_bytes);
    let allowed = settled * list.growth_bytes_per_task + GROWTH_SLACK_BYTES;
    let per_task = Duration::from_secs_f64(seen.seconds) / u32::try_from(tasks).unwrap_or(u32::MAX);
    println!(
        "{:<16} {:>7.1} s {:>7} µs {:>10} {:>10} {:>9} {:>9}",
        list.name,
        seen.seconds,
        per_task.as_micros(),
        megabytes(seen.quarter.resident_bytes),
        megabytes(seen.peak_bytes),
        megabytes(growth),
        megabytes(allowed),
    );
    let flat = growth <= allowed;
    let small = seen.peak_bytes < PEAK_BYTES_MAX;
    if !flat {
        println!(
            "  BEYOND THE LIMIT: grew more than {} bytes per task",
            list.growth_bytes_per_task
        );
    }
    if !small {
        println!(
            "  BEYOND THE LIMIT: peak of {} or more",
            megabytes(PEAK_BYTES_MAX)
        );
    }
    flat && small
}

fn megabytes(bytes: u64) -> String {
    format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10)
}

fn run(list: &List, tasks: u64) -> Answer<Seen> {
    let place = Place::new()?;
    let (input, results) = (place.0.join("tasks.jsonl"), place.0.join("results.jsonl"));
    let mut lines = BufWriter::new(File::create(&input)?);
    for n in 0..tasks {
        lines.write_all((list.line)(n).as_bytes())?;
    }
    lines.into_inner()?.sync_all()?;
    let mut counter = Counter {
        path: results.clone(),
        file: None,
        lines: 0,
    };

    let start = Instant::now();
    let mut command = Command::new(env!("CARGO_BIN_EXE_farm"));
    command
        .args(["run", "--workers", "2", "--output", "quiet", "--results"])
        .arg(&results)
        .arg(&input);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command.stderr(File::create(place.0.join("stderr"))?);
    let mut master = Running(command.spawn()?);
    let (samples, peak_bytes) = watch(&mut master.0, &mut counter)?;
    let seconds = start.elapsed().as_secs_f64();

    let status = master.0.wait()?;
    counter.catch_up()?;
    if !status.success() || counter.lines != tasks {
        let words = fs::read_to_string(place.0.join("stderr"))?;
        let found = counter.lines;
        return Err(
            format!("farm ended with {status} and {found} of {tasks} results: {words}").into(),
        );
    }
    let quarter = samples
        .iter()
        .find(|sample| sample.results * 4 >= tasks)
        .copied();
    let (Some(quarter), Some(last)) = (quarter, samples.last().copied()) else {
        return Err(
            format!("{tasks} tasks ended before the memory could be read: take more").into(),
        );
    };
    Ok(Seen {
        seconds,
        peak_bytes,
        quarter,
        last,
    })
}

/// Samples the master until it ends; the samples and the peak in bytes.
fn watch(master: &mut Child, counter: &mut Counter) -> Answer<(Vec<Sample>, u64)> {
    let status = PathBuf::from(format!("/proc/{}/status", master.id()));
    let (mut samples, mut peak_bytes) = (Vec::new(), 0);
    while master.try_wait()?.is_none() {
        counter.catch_up()?;
        // A process that has just ended has no memory to report: the next `try_wait` sees it.
        let text = fs::read_to_string(&status).unwrap_or_default();
        if let (Some(resident_bytes), Some(peak)) = (field(&text, "VmRSS:"), field(&text, "VmHWM:"))
        {
            samples.push(Sample {
                results: counter.lines,
                resident_bytes,
            });
            peak_bytes = peak_bytes.max(peak);
        }
        thread::sleep(SAMPLE_EVERY);
    }
    Ok((samples, peak_bytes))
}

/// A field of `/proc/<pid>/status` in bytes.
fn field(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find(|line| line.starts_with(name))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// Counts the lines of a file that grows, and that may not be there yet.
struct Counter {
    path: PathBuf,
    file: Option<File>,
    lines: u64,
}

impl Counter {
    fn catch_up(&mut self) -> Answer<()> {
        if self.file.is_none() {
            self.file = File::open(&self.path).ok();
        }
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        let mut buffer = vec![0; 1 << 16];
        loop {
            let read = file.read(&mut buffer)?;
            if read == 0 {
                return Ok(());
            }
            self.lines += buffer[..read]
                .iter()
                .map(|byte| u64::from(*byte == b'\n'))
                .sum::<u64>();
        }
    }
}

/// A farm that is not left behind when this program gives up.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only when it has been collected already.
        let _ended = self.0.kill();
        let _collected = self.0.wait();
    }
}

/// A folder of its own under the build folder, gone at the end.
struct Place(PathBuf);

impl Place {
    fn new() -> Answer<Self> {
        let folder =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("million-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What stays behind is only disk space in the build folder, and the next `cargo clean` takes it.
        let _left = fs::remove_dir_all(&self.0);
    }
}
