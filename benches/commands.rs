//! How much the farm costs over the mere start of processes: 4,000 × `/bin/true` on two workers, with results and
//! joblog written, against three yardsticks in the same run.
//!
//! Each ratio is the median over pairs taken one right after the other, in alternating order, so that a slow
//! minute of the machine hits both halves of a pair. Knows only the command line of the farm.
#![expect(clippy::print_stdout, reason = "a bench prints its table")]

use std::error::Error;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{WaitOptions, wait};

type Answer<T> = Result<T, Box<dyn Error>>;

/// The hidden mode in which this program is its own yardstick.
const BARE_LOOP: &str = "--bare-loop";
const IN_FLIGHT: usize = 2;

/// How large a run is and how strictly it is judged.
#[derive(Clone, Copy)]
struct Scale {
    tasks: usize,
    rounds: usize,
    /// Widens every limit: a short run on a shared machine is a check that nothing is broken, not a figure.
    tolerance: f64,
}

const FULL: Scale = Scale {
    tasks: 4_000,
    rounds: 7,
    tolerance: 1.0,
};
const SMOKE: Scale = Scale {
    tasks: 400,
    rounds: 2,
    tolerance: 1.5,
};

/// What the farm is measured against, and how many times its time the farm may take.
struct Yardstick {
    name: &'static str,
    /// `None` for the one that is built into this program.
    program: Option<&'static str>,
    limit: f64,
    start: fn(&Place, Scale) -> Answer<Command>,
}

const YARDSTICKS: [Yardstick; 3] = [
    Yardstick {
        name: "bare spawn loop",
        program: None,
        limit: 1.30,
        start: bare_loop,
    },
    Yardstick {
        name: "make -j2",
        program: Some("make"),
        limit: 1.10,
        start: make,
    },
    Yardstick {
        name: "xargs -P2 -n1",
        program: Some("xargs"),
        limit: 1.00,
        start: xargs,
    },
];

fn main() -> Answer<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [mode, count] = arguments.as_slice()
        && mode == BARE_LOOP
    {
        spawn_and_wait(count.parse()?)?;
        return Ok(ExitCode::SUCCESS);
    }
    // Cargo adds `--bench`; it says nothing that this program does not know.
    if let Some(unknown) = arguments
        .iter()
        .find(|a| !matches!(a.as_str(), "--bench" | "--smoke"))
    {
        return Err(format!("unknown argument `{unknown}`: use --smoke, or nothing").into());
    }
    let scale = if arguments.iter().any(|a| a == "--smoke") {
        SMOKE
    } else {
        FULL
    };
    let place = Place::new()?;
    prepare(&place, scale)?;
    let kept = compare(&place, scale)?;
    Ok(if kept {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Measures against every yardstick that is there; whether all limits were kept.
fn compare(place: &Place, scale: Scale) -> Answer<bool> {
    let Scale {
        tasks,
        rounds,
        tolerance,
    } = scale;
    println!(
        "{tasks} x /bin/true, 2 workers, results and joblog written; median of {rounds} pairs"
    );
    println!(
        "{:<16} {:>10} {:>12} {:>7} {:>7}",
        "yardstick", "farm", "yardstick", "ratio", "limit"
    );
    let mut kept = true;
    for yardstick in &YARDSTICKS {
        let name = yardstick.name;
        if let Some(program) = yardstick.program.filter(|program| !is_installed(program)) {
            if std::env::var_os("FARM_REQUIRE_PROGRAMS").is_some() {
                return Err(
                    format!("`{program}` is missing and FARM_REQUIRE_PROGRAMS is set").into(),
                );
            }
            println!("{name:<16} skipped: `{program}` is not installed");
            continue;
        }
        let pairs = pairs(place, scale, yardstick)?;
        let ratio = median(pairs.iter().map(|(farm, other)| farm / other).collect());
        let farm = median(pairs.iter().map(|pair| pair.0).collect());
        let other = median(pairs.iter().map(|pair| pair.1).collect());
        let limit = yardstick.limit * tolerance;
        let within = ratio <= limit;
        let mark = if within { "" } else { "  BEYOND THE LIMIT" };
        println!("{name:<16} {farm:>8.3} s {other:>10.3} s {ratio:>7.3} {limit:>7.2}{mark}");
        kept &= within;
    }
    Ok(kept)
}

/// Seconds of the farm and of the yardstick, pair by pair.
fn pairs(place: &Place, scale: Scale, yardstick: &Yardstick) -> Answer<Vec<(f64, f64)>> {
    let mut pairs = Vec::with_capacity(scale.rounds);
    for round in 0..scale.rounds {
        let other =
            || (yardstick.start)(place, scale).and_then(|command| timed(yardstick.name, command));
        pairs.push(if round % 2 == 0 {
            let first = farm(place, scale)?;
            (first, other()?)
        } else {
            let first = other()?;
            (farm(place, scale)?, first)
        });
    }
    Ok(pairs)
}

/// One run of the farm. A run that lost a result is no measurement.
fn farm(place: &Place, scale: Scale) -> Answer<f64> {
    let (results, joblog) = (place.file("results.jsonl"), place.file("joblog"));
    for old in [&results, &joblog] {
        let _absent_is_fine = fs::remove_file(old);
    }
    let mut command = quiet(env!("CARGO_BIN_EXE_farm"));
    command
        .args(["run", "--workers", "2", "--results"])
        .arg(&results);
    command
        .arg("--joblog")
        .arg(&joblog)
        .arg(place.file("tasks.jsonl"));
    let seconds = timed("farm", command)?;
    for (file, lines) in [(&results, scale.tasks), (&joblog, scale.tasks + 1)] {
        let found = fs::read_to_string(file)?.lines().count();
        if found != lines {
            return Err(format!("{} has {found} lines instead of {lines}", file.display()).into());
        }
    }
    Ok(seconds)
}

fn bare_loop(_: &Place, scale: Scale) -> Answer<Command> {
    let mut command = quiet(std::env::current_exe()?);
    command.arg(BARE_LOOP).arg(scale.tasks.to_string());
    Ok(command)
}

fn make(place: &Place, _: Scale) -> Answer<Command> {
    let mut command = quiet("make");
    command
        .args(["-s", "-j2", "-f"])
        .arg(place.file("makefile"));
    // A jobserver above us would lend or withhold tokens.
    for name in ["MAKEFLAGS", "MFLAGS", "MAKELEVEL", "CARGO_MAKEFLAGS"] {
        command.env_remove(name);
    }
    Ok(command)
}

fn xargs(place: &Place, _: Scale) -> Answer<Command> {
    let mut command = quiet("xargs");
    command
        .args(["-P2", "-n1", "/bin/true"])
        .stdin(fs::File::open(place.file("lines"))?);
    Ok(command)
}

/// Keeps two children in flight with nothing around them. The standard library starts a plain command by
/// `posix_spawn`, so this is the price of the processes alone. `wait` collects any child.
fn spawn_and_wait(tasks: usize) -> Answer<()> {
    let mut running = 0;
    for _ in 0..tasks {
        if running == IN_FLIGHT {
            wait(WaitOptions::empty())?;
            running -= 1;
        }
        Command::new("/bin/true").spawn()?;
        running += 1;
    }
    for _ in 0..running {
        wait(WaitOptions::empty())?;
    }
    Ok(())
}

/// Writes the same list of tasks in the words of each program.
fn prepare(place: &Place, scale: Scale) -> Answer<()> {
    let tasks = 0..scale.tasks;
    fs::write(
        place.file("tasks.jsonl"),
        "[\"/bin/true\"]\n".repeat(scale.tasks),
    )?;
    fs::write(
        place.file("lines"),
        tasks.clone().map(|n| format!("{n}\n")).collect::<String>(),
    )?;
    let names: String = tasks.clone().map(|n| format!(" t{n}")).collect();
    let rules: String = tasks.map(|n| format!("t{n}:\n\t@/bin/true\n")).collect();
    fs::write(
        place.file("makefile"),
        format!("all:{names}\n.PHONY: all{names}\n{rules}"),
    )?;
    Ok(())
}

fn quiet(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

/// Wall time of one run in seconds; an error with its last words when it fails.
fn timed(name: &str, mut command: Command) -> Answer<f64> {
    let start = Instant::now();
    let output = command
        .output()
        .map_err(|error| format!("cannot run {name}: {error}"))?;
    let elapsed: Duration = start.elapsed();
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{name} ended with {}: {words}", output.status).into());
    }
    Ok(elapsed.as_secs_f64())
}

fn is_installed(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|folder| folder.join(program).is_file())
}

/// The middle value; of an even number the mean of the two in the middle.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let upper = values.len() / 2;
    let lower = (values.len() - 1) / 2;
    f64::midpoint(values[lower], values[upper])
}

/// A folder of its own under the build folder, gone at the end.
struct Place(PathBuf);

impl Place {
    fn new() -> Answer<Self> {
        let name = format!("commands-{}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What stays behind is only disk space in the build folder, and the next `cargo clean` takes it.
        let _left = fs::remove_dir_all(&self.0);
    }
}
