//! An incremental build of C programs over `compile_commands.json`: what changed is compiled, and nothing else.
//!
//! `README.md` beside this says what it does. Here: what is asked for, the order of things, what is said of them.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command prints"
)]

mod cache;
mod compile;
mod plan;

use cache::Cache;
use clap::Parser;
use compile::Compile;
use farm::worker::{Worker, run_if_asked};
use farm::{
    Farm, FarmBuilder, Jobserver, Outcome, Pool, Program, Retries, Rule, Settled, Shut, TaskQueue,
};
use signal_hook::{consts, iterator::Signals};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::{error::Error, process::ExitCode, thread, time::Duration};

/// What is built when nothing else is named.
const OURS: &str = "examples/builder/project/compile_commands.json";

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Somebody wants it to end.
static STOPPED: AtomicBool = AtomicBool::new(false);

/// Builds a C program: compiles what changed, links it, and says why.
#[derive(Parser)]
struct Options {
    /// A `compile_commands.json`; without one that of the project of this example
    database: Option<PathBuf>,
    /// Where everything goes; without it to `builder` in the target folder
    #[arg(long)]
    out: Option<PathBuf>,
    /// What the program is called
    #[arg(long, default_value = "desk")]
    program: String,
    /// An argument more for the linker, such as `-lm`
    #[arg(long, allow_hyphen_values = true)]
    link_arg: Vec<String>,
    /// How many compilers run at once; without it as many as there are processors
    #[arg(short, long)]
    jobs: Option<NonZeroU32>,
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
    run_if_asked(|| Worker::new().with(Compile));
    let code = build(&Options::parse()).unwrap_or_else(|error| {
        eprintln!("builder: {error}");
        2
    });
    let is_stopped = STOPPED.load(Ordering::Relaxed);
    ExitCode::from(if is_stopped { 130 } else { code })
}

fn build(options: &Options) -> Result<u8> {
    // Before all else: a file of ours could get the number of a descriptor that make did not hand down.
    let mut builder = Farm::builder();
    match Jobserver::from_environment() {
        Ok(None) => {}
        Ok(Some(jobserver)) => {
            builder.jobserver(jobserver);
        }
        Err(error) => eprintln!("builder: {error}; going on without it"),
    }
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join(OURS);
    let from = options.database.as_ref().unwrap_or(&ours);
    let own = std::env::current_exe()?; // It is in the target folder, in `release/examples`.
    let target = own.ancestors().nth(3).unwrap_or(Path::new("."));
    let out = options.out.clone().unwrap_or(target.join("builder"));
    let cache = Cache::open(&out).map_err(|error| format!("{}: {error}", out.display()));
    let mut cache = cache?;
    let steps = plan::steps(from, &cache.out, options);
    let steps = steps.map_err(|error| format!("{}: {error}", from.display()))?;
    let (farm, queue) = start(builder, options, &cache)?;
    let rule = [Rule::FirstError, Rule::All][usize::from(options.keep_going)];
    let mut ends = Vec::new();
    // The link needs all the rest.
    for steps in steps.chunks(steps.len() - 1) {
        let group = farm.group(rule).open();
        let mut tickets = Vec::new();
        for step in steps {
            match cache.look(step)? {
                None => ends.push("up to date"),
                Some((why, Some(made))) => {
                    println!("fetched {}: {why}", step.name);
                    eprint!("{}", made.said);
                    ends.push("fetched");
                }
                Some((why, None)) => tickets.push((why, group.submit(&queue, step.clone()))),
            }
        }
        for (why, ticket) in tickets {
            let Settled { task, outcome, .. } = ticket.wait()?;
            let (end, said) = match outcome {
                Outcome::Done(made) => {
                    cache.place(&task, &made)?;
                    println!("made {}: {why}", task.name);
                    ("made", made.said)
                }
                Outcome::Failed(said) => ("failed", said),
                Outcome::Cancelled { .. } | Outcome::Closed => ("not done", String::new()),
                other => ("failed", format!("{}: {}\n", task.name, other.status())),
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
    if count("up to date") == steps.len() {
        let objects = ends.len() - 1;
        println!("nothing to do: {objects} objects and the program are up to date");
    } else {
        let counts = ENDS.map(|end| format!("{} {end}", count(end)));
        println!("{}", counts.join(", "));
    }
    Ok(u8::from(count("failed") + count("not done") > 0))
}

/// A farm with one kind, which ends when a signal asks for it.
fn start(
    mut builder: FarmBuilder,
    options: &Options,
    cache: &Cache,
) -> Result<(Farm, TaskQueue<Compile>)> {
    let all = || thread::available_parallelism().map_or(1, usize::from) as u32;
    let jobs = options.jobs.map_or_else(all, NonZeroU32::get);
    let mut program = Program::this_executable();
    program.cwd = Some(cache.out.join("work"));
    let mut pool = Pool::new(program, jobs);
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
