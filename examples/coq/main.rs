//! Checks a Coq development with `coqc`, several files at once, in the order that their needs allow. See README.md.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it reports to people"
)]

mod kind;
mod project;

use clap::Parser;
use farm::worker::{Worker, run_if_asked};
use farm::{CancelledBy, Farm, Outcome, Pool, Program, Results, Retries, TaskOptions};
use kind::{Coq, Note};
use project::{Project, said};
use signal_hook::consts::TERM_SIGNALS;
use signal_hook::iterator::Signals;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

type Answer = Result<ExitCode, Box<dyn std::error::Error>>;

/// Check a Coq development with `coqc`.
#[derive(Parser)]
struct Options {
    /// How many files at once
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..),
        default_value_t = thread::available_parallelism().map_or(1, |n| n.get() as u32))]
    workers: u32,
    /// The folder of the development; its `_CoqProject` is heeded
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/coq"))]
    root: PathBuf,
    /// Stop at the first error
    #[arg(long)]
    first_error: bool,
    /// The longest time for one file, in seconds
    #[arg(long, default_value_t = 60)]
    time_limit: u64,
    /// The most memory for one file, in MiB
    #[arg(long, default_value_t = 2048)]
    memory_limit: u64,
}

pub(crate) fn main() -> ExitCode {
    run_if_asked(|| Worker::new().with(Coq));
    check(&Options::parse()).unwrap_or_else(|why| {
        eprintln!("coq: {why}");
        ExitCode::from(2)
    })
}

fn check(options: &Options) -> Answer {
    let version = said("coqc", &["--print-version"], Path::new("."));
    let version = version.map_err(|e| format!("{e}; `apt install coq` or `opam install coq`"))?;
    let copy = tempfile::tempdir()?;
    let project = Project::stage(&options.root, copy.path())?;
    let (count, workers) = (project.files.len(), options.workers);
    println!("{count} files, {workers} at once, coqc {}", version.trim());
    let mut program = Program::this_executable();
    program.cwd = Some(copy.path().to_owned());
    let mut builder = Farm::builder();
    let kind = builder.kind(Coq, Pool::new(program, workers));
    let farm = builder.start()?;
    let (mut signals, stop) = (Signals::new(TERM_SIGNALS)?, farm.clone());
    thread::spawn(move || {
        for _ in signals.forever() {
            stop.cancel_all("interrupted");
        }
    });
    // First what begins the longest chain of files, each of which needs the one before.
    let mut chains = vec![0; count];
    for (place, needs) in project.needs.iter().enumerate().rev() {
        for need in needs {
            chains[*need] = chains[*need].max(chains[place] + 1);
        }
    }
    let results = farm.queue(kind).submit_graph((0..count).map(|place| {
        let limits = TaskOptions {
            priority: chains[place],
            running: Some(Duration::from_secs(options.time_limit)),
            memory: Some(options.memory_limit << 20),
            retries: Retries::immediate(2),
            ..TaskOptions::default()
        };
        let words = project.libraries.iter().chain(&project.arguments);
        let words = words.chain([&project.files[place]]);
        let needs = project.needs[place].clone();
        (words.cloned().collect(), limits, needs)
    }));
    report(&project, results, options)
}

/// Says how each file ends, as it does.
fn report(project: &Project, mut ends: Results<Coq>, options: &Options) -> Answer {
    let (files, begun) = (&project.files, Instant::now());
    // For each file that is not right the one whose fault that is.
    let mut fault: Vec<Option<usize>> = vec![None; files.len()];
    let (mut right, mut skipped, mut code) = (0, 0, 1);
    while let Some((place, end)) = ends.next() {
        let file = &files[place];
        let end = end.map_err(|refused| refused.to_string())?;
        let notes = match end.outcome {
            Outcome::Done(notes) => {
                let took = end.finished.since(end.started.unwrap_or(end.finished));
                println!("{:8.2} s  {file}", took.as_secs_f64());
                right += 1;
                notes
            }
            Outcome::Failed(notes) => notes,
            Outcome::Skipped(_) => {
                let mut needs = project.needs[place].iter();
                if let Some(need) = needs.find(|need| fault[**need].is_some()) {
                    (fault[place], skipped) = (fault[*need], skipped + 1);
                    let (need, wrong) = (&files[*need], &files[fault[*need].unwrap_or(*need)]);
                    println!("   skipped  {file}: it needs {need}; the error is in {wrong}");
                }
                continue;
            }
            Outcome::Cancelled { by, .. } => {
                let signalled = by == CancelledBy::Caller("interrupted".to_owned());
                code = if signalled { 130 } else { code };
                continue;
            }
            Outcome::SpawnFailed(why) => return Err(why.into()),
            other => {
                let why = format!("{}; see --time-limit, --memory-limit", other.status());
                vec![Note::of_file(file, why)]
            }
        };
        if notes.iter().any(|note| note.error) {
            println!("     wrong  {file}");
            fault[place] = Some(place);
            if options.first_error {
                ends.cancel("there is an error");
            }
        }
        notes.iter().for_each(|note| eprintln!("{note}"));
    }
    let wrong = fault.iter().flatten().count() - skipped;
    let open = files.len() - right - wrong - skipped;
    print!("{right} right, {wrong} wrong, {skipped} skipped, {open} not checked; ");
    println!("{:.1} s", begun.elapsed().as_secs_f64());
    Ok(ExitCode::from(if right == files.len() { 0 } else { code }))
}
