//! An incremental build of C programs over `compile_commands.json`: what changed is compiled, and nothing else.
//!
//! `README.md` beside this says what it does. Here: what is asked for, the order of things, what is said of them.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it reports")]

mod cache;
mod step;

use cache::Cache;
use clap::Parser;
use farm::exec::{Commands, Runs};
use farm::{Farm, Interrupts, Outcome, Pool, Program, Retries, RetryOn, Rule, Settled};
use farm::{TaskQueue, worker::Worker, worker::run_if_asked};
use std::{error::Error, path::PathBuf, process::ExitCode};
use std::{thread, time::Duration};
use step::Step;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

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

fn main() -> ExitCode {
    run_if_asked(|| Worker::new().with(Commands::new()));
    let options = Options::parse();
    let code = start(&options).and_then(|(farm, queue)| {
        let interrupts = Interrupts::heed(&farm)?;
        let built = build(&options, &farm, &queue);
        interrupts.signal().map_or(built, |_| Ok(130))
    });
    let code = code.unwrap_or_else(|error| {
        eprintln!("builder: {error}");
        2
    });
    ExitCode::from(code)
}

fn build(options: &Options, farm: &Farm, queue: &TaskQueue<Runs<Step>>) -> Result<u8> {
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
                Some((why, None)) => tickets.push((why, group.submit(queue, step.clone()))),
            }
        }
        for (why, ticket) in tickets {
            let Settled { task, outcome, .. } = ticket.wait()?;
            let file = &task.file;
            let (end, said) = match outcome {
                Outcome::Done(end) => {
                    let kept = cache.keep(&task, &end.text());
                    kept.map_err(|error| format!("{}: {error}", task.output))?;
                    println!("made {file}: {why}");
                    ("made", end.text())
                }
                Outcome::Failed(end) => {
                    ("failed", format!("{}{file}: {}\n", end.text(), end.ended))
                }
                Outcome::Cancelled { .. } | Outcome::Closed => ("not done", String::new()),
                other => ("failed", format!("{file}: {}\n", other.status())),
            };
            eprint!("{said}");
            ends.push(end);
        }
        if ends.contains(&"failed") || ends.contains(&"not done") {
            break;
        }
    }
    std::fs::remove_dir_all(cache.out.join("work"))?;
    let count = |wanted| ends.iter().filter(|end| **end == wanted).count();
    let counts = ["made", "fetched", "up to date", "failed", "not done"];
    let counts = counts.map(|end| format!("{} {end}", count(end))).join(", ");
    let objects = steps.len() - 1;
    let nothing = format!("nothing to do: {objects} objects and the program are up to date");
    let is_all = count("up to date") == steps.len();
    println!("{}", if is_all { nothing } else { counts });
    Ok(u8::from(count("failed") + count("not done") > 0))
}

/// A farm whose tasks are steps.
fn start(options: &Options) -> Result<(Farm, TaskQueue<Runs<Step>>)> {
    let mut builder = Farm::builder();
    // Before all else: a file of ours could get the number of a descriptor that make did not hand down.
    if let Some(error) = builder.jobserver_of_environment() {
        eprintln!("builder: {error}; going on without it");
    }
    let mut pool = Pool::new(Program::this_executable(), options.jobs);
    pool.defaults.running = Some(Duration::from_secs(options.timeout));
    pool.defaults.retries = Retries::immediate(2).on(RetryOn::CRASH.union(RetryOn::RESOURCE));
    let kind = builder.kind(Runs::new(Step::request).judged(Step::judge), pool);
    let farm = builder.start()?;
    let queue = farm.queue(kind);
    Ok((farm, queue))
}
