//! A small proof tool: z3 and cvc5 race for the goals of a folder. `README.md` beside this file says how to use it.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program talks")]

mod goals;
mod kind;
mod solver;

use farm::{CrashLimit, Farm, Group, Pool, Program, Retries, RetryOn, Rule};
use farm::{TaskOptions, TaskQueue};
use goals::{Goal, Row};
use kind::{Prove, Said};
use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::mpsc::channel;
use std::{env, fs, thread, time::Duration};

/// The longest time for a goal that says none.
const SECONDS: u64 = 60;

/// How often a goal is tried again whose solver died, and how many workers it may take with it.
const DEATHS: u32 = 9;

/// Which verdict counts when the solvers differ. It does not depend on who was faster.
const ORDER: &str = "proved refuted vacuous resource timeout crashed unknown";

fn main() -> ExitCode {
    let worker = farm::worker::Worker::new().with(Prove::<0>::default());
    farm::worker::run_if_asked(|| worker.with(Prove::<1>::default()));
    let arguments: Vec<_> = env::args_os().skip(1).map(PathBuf::from).collect();
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/prover/goals");
    let program = env::current_exe().unwrap_or_default();
    let beside = program.with_extension("cache");
    let folder = arguments.first().unwrap_or(&own);
    prove_all(folder, arguments.get(1).unwrap_or(&beside)).unwrap_or_else(|error| {
        eprintln!("prover: {error}");
        ExitCode::from(2)
    })
}

/// The way in for each solver.
type Queues = (TaskQueue<Prove<0>>, TaskQueue<Prove<1>>);

/// Has both solvers race for a goal.
fn race(goal: &Goal, mut options: TaskOptions, group: Group, (z3, cvc5): &Queues) -> Said {
    let number = |key| goal.said(key).parse().ok();
    options.memory = number("megabytes").map(|megabytes: u64| megabytes << 20);
    if let Some(seconds) = number("seconds") {
        options.running = Some(Duration::from_secs(seconds));
    }
    let (tell, said) = channel();
    let task = || (goal.clone(), false, tell.clone());
    let z3 = group.submit_options(z3, task(), options.clone());
    let cvc5 = group.submit_options(cvc5, task(), options);
    // Over when both are at rest, and the winner has been asked why.
    drop((group.wait(), z3, cvc5, tell));
    let order = |verdict: &str| ORDER.find(verdict).unwrap_or(ORDER.len());
    let rank = |(verdict, why): &Said| (order(verdict), why.is_empty(), why.clone());
    let (verdict, why) = said.iter().min_by_key(rank).unwrap_or_default();
    if verdict != "vacuous" {
        return (verdict, why);
    }
    let mut core: Vec<_> = why.split(['(', ' ', ')']).collect();
    core.sort_unstable(); // solvers give it in any order
    (verdict, core.join(" ").trim().to_owned())
}

/// A kill at any moment leaves the old file or the new one.
fn save(known: &BTreeMap<String, Row>, cache: &Path) -> Result<(), Box<dyn Error>> {
    let fresh = cache.with_extension("new");
    let saved = fs::write(&fresh, serde_json::to_vec(known)?);
    let saved = saved.and_then(|()| fs::rename(fresh, cache));
    saved.map_err(|e| format!("{}: {e}", cache.display()).into())
}

fn prove_all(folder: &Path, cache: &Path) -> Result<ExitCode, Box<dyn Error>> {
    let mut versions = String::new();
    for (name, _) in solver::SOLVERS {
        let said = Command::new(name).arg("--version").output();
        let said = said.map_err(|e| format!("cannot start {name}: {e}; install z3 and cvc5"))?;
        versions += &String::from_utf8_lossy(&said.stdout);
    }
    let usage = |e| format!("{}: {e}; usage: prover [FOLDER [CACHE]]", folder.display());
    let goals = goals::read(folder).map_err(usage)?;
    let known = fs::read(cache).unwrap_or_default();
    let mut known: BTreeMap<String, Row> = serde_json::from_slice(&known).unwrap_or_default();
    save(&known, cache)?; // Rather now than after the first proof is it known that it cannot be.
    let workers = thread::available_parallelism().map_or(2, |n| n.get().max(2) as u32);
    let mut pool = Pool::new(Program::this_executable(), workers);
    // Also for the questions why a goal does not hold.
    pool.defaults.running = Some(Duration::from_secs(SECONDS));
    pool.defaults.retries = Retries {
        on: RetryOn::CRASH,
        ..Retries::immediate(DEATHS)
    };
    pool.defaults.crash_limit = CrashLimit::Deaths(DEATHS);
    let options = pool.defaults.clone();
    let mut builder = Farm::builder();
    let z3 = builder.kind(Prove::new(&goals), pool.clone());
    let cvc5 = builder.kind(Prove::new(&goals), pool);
    let farm = builder.start()?;
    let queues = &(farm.queue(z3), farm.queue(cvc5));
    let mut open: Vec<&Goal> = goals.values().collect();
    open.retain(|goal| goal.name != "prelude");
    let mut table = BTreeMap::new();
    let (tell, ended) = channel();
    thread::scope(|scope| -> Result<(), Box<dyn Error>> {
        loop {
            let proved =
                |n| matches!(table.get(n), Some(Row { verdict, .. }) if verdict == "proved");
            for goal in open.extract_if(.., |goal| goal.needs().skip(1).all(proved)) {
                let row = known.get(&goal.name).cloned().unwrap_or_default();
                let (mut row, tell) = (row.renew(goal, &goals, &versions), tell.clone());
                let options = options.clone();
                let group = farm.group(Rule::FirstSuccess).open();
                scope.spawn(move || {
                    if row.why != "unchanged" {
                        (row.verdict, row.detail) = race(goal, options, group, queues);
                    }
                    tell.send((&*goal.name, row))
                });
            }
            if 1 + table.len() + open.len() == goals.len() {
                return Ok(()); // nothing is running
            }
            let (name, row) = ended.recv()?;
            known.insert(name.to_owned(), row.clone());
            table.insert(name, row);
            save(&known, cache)?;
        }
    })?;
    // They use what is not proved, or not there, or each other.
    table.extend(open.iter().map(|goal| (&*goal.name, Row::default())));
    let (mut counts, mut wrong) = (BTreeMap::new(), 0);
    for (name, row) in &table {
        let skipped = row.verdict.is_empty();
        let verdict = if skipped { "skipped" } else { &*row.verdict };
        let line = format!("{verdict:<9}{name:<50}{:<20}{}", row.why, row.detail);
        println!("{}", line.trim_end());
        if !row.is_expected(&goals[*name]) {
            println!("{:<9}but expected: {}", "", goals[*name].said("expect"));
            wrong += 1;
        }
        *counts.entry(verdict).or_insert(0) += 1;
    }
    println!("{} goals, {wrong} not as expected: {counts:?}", table.len());
    Ok(ExitCode::from(u8::from(wrong > 0)))
}
