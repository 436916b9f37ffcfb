//! An incremental build of C programs over `compile_commands.json`: what changed is compiled, and nothing else.
//!
//! `README.md` beside this says what it does. Here: what is asked for, the order of things, what is said of them.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it reports")]

mod cache;
mod step;

use cache::Cache;
use clap::Parser;
use farm::{Farm, Jobserver, Outcome, Pool, Program, Retries, Rule, Settled, Shut, TaskQueue};
use farm::{exec::Commands, worker::Worker, worker::run_if_asked};
use signal_hook::{consts, iterator::Signals};
use std::sync::atomic::{AtomicBool, Ordering};
use std::{error::Error, path::PathBuf, process::ExitCode};
use std::{thread, time::Duration};
use step::Compile;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Somebody wants it to end.
static STOPPED: AtomicBool = AtomicBool::new(false);

/// Builds a C program: compiles what changed, links it, and says why.
#[derive(Parser)]
struct Options {
    /// What is to be compiled, and how
    #[arg(default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/builder/project/compile_commands.json"))]
    database: PathBuf,
    /// Where everything goes
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/target/builder"))]
    out: PathBuf,
    /// What the program is called
    #[arg(long, default_value = "desk")]
    program: String,
    /// An argument more for the linker, such as `-lm`
    #[arg(long, allow_hyphen_values = true)]
    link_arg: Vec<String>,
    /// How many compilers run at once
    #[arg(short, long, value_parser = clap::value_parser!(u32).range(1..))]
    #[arg(default_value_t = thread::available_parallelism().map_or(1, |n| n.get() as u32))]
    jobs: u32,
    /// Does not stop at the first error
    #[arg(short, long)]
    keep_going: bool,
    /// Seconds that one command may take
    #[arg(long, default_value_t = 300)]
    timeout: u64,
}

/// What steps come to.
const ENDS: [&str; 5] = ["made", "fetched", "up to date", "failed", "not done"];

fn main() -> ExitCode {
    run_if_asked(|| Worker::new().with(Commands::new()));
    let code = build(&Options::parse()).unwrap_or_else(|error| {
        eprintln!("builder: {error}");
        2
    });
    let is_stopped = STOPPED.load(Ordering::Relaxed);
    ExitCode::from(if is_stopped { 130 } else { code })
}

fn build(options: &Options) -> Result<u8> {
    let (farm, queue) = start(options)?;
    let (out, from) = (options.out.display(), options.database.display());
    let mut cache = Cache::open(&options.out).map_err(|error| format!("{out}: {error}"))?;
    let steps = step::steps(&cache, options).map_err(|error| format!("{from}: {error}"))?;
    let rule = [Rule::FirstError, Rule::All][usize::from(options.keep_going)];
    let mut ends = Vec::new();
    // The link needs all the rest.
    for steps in steps.chunks(steps.len() - 1) {
        let group = farm.group(rule).open();
        let mut tickets = Vec::new();
        for step in steps {
            let looked = cache.look(step);
            match looked.map_err(|error| format!("{}: {error}", step.output))? {
                None => ends.push("up to date"),
                Some((why, Some(said))) => {
                    println!("fetched {}: {why}", step.file);
                    eprint!("{said}");
                    ends.push("fetched");
                }
                Some((why, None)) => tickets.push((why, group.submit(&queue, step.clone()))),
            }
        }
        for (why, ticket) in tickets {
            let Settled { task, outcome, .. } = ticket.wait()?;
            let (end, said) = match outcome {
                Outcome::Done(said) => {
                    let kept = cache.keep(&task, &said);
                    kept.map_err(|error| format!("{}: {error}", task.output))?;
                    println!("made {}: {why}", task.file);
                    ("made", said)
                }
                Outcome::Failed(said) => ("failed", said),
                Outcome::Cancelled { .. } | Outcome::Closed => ("not done", String::new()),
                other => ("failed", format!("{}: {}\n", task.file, other.status())),
            };
            eprint!("{said}");
            ends.push(end);
        }
        if ends.contains(&"failed") || ends.contains(&"not done") {
            break;
        }
    }
    farm.shut(Shut::Drain);
    farm.wait_stopped();
    std::fs::remove_dir_all(cache.out.join("work"))?;
    let count = |wanted| ends.iter().filter(|end| **end == wanted).count();
    let counts = ENDS.map(|end| format!("{} {end}", count(end))).join(", ");
    let objects = steps.len() - 1;
    let nothing = format!("nothing to do: {objects} objects and the program are up to date");
    let is_all = count("up to date") == steps.len();
    println!("{}", if is_all { nothing } else { counts });
    Ok(u8::from(count("failed") + count("not done") > 0))
}

/// A farm with one kind, which ends when a signal asks for it.
fn start(options: &Options) -> Result<(Farm, TaskQueue<Compile>)> {
    let mut builder = Farm::builder();
    // Before all else: a file of ours could get the number of a descriptor that make did not hand down.
    let jobserver = Jobserver::from_environment().unwrap_or_else(|error| {
        eprintln!("builder: {error}; going on without it");
        Some(Jobserver::hidden())
    });
    jobserver.map(|jobserver| builder.jobserver(jobserver));
    let mut pool = Pool::new(Program::this_executable(), options.jobs);
    pool.defaults.running = Some(Duration::from_secs(options.timeout));
    pool.defaults.retries = Retries::immediate(2);
    let kind = builder.kind(Compile, pool);
    let farm = builder.start()?;
    let (queue, stopped) = (farm.queue(kind), farm.clone());
    let mut signals = Signals::new([consts::SIGINT, consts::SIGTERM])?;
    thread::spawn(move || {
        for (_, how) in signals.forever().zip([Shut::Stop, Shut::Kill]) {
            STOPPED.store(true, Ordering::Relaxed);
            stopped.shut(how);
        }
    });
    Ok((farm, queue))
}
