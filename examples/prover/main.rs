//! A small proof tool: z3 and cvc5 race for the goals of a folder. `README.md` beside this file says how to use it.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program talks")]

mod goals;
mod kind;

use farm::{CrashLimit, Farm, Group, Pool, Program, Retries, RetryOn, Rule};
use farm::{TaskOptions, TaskQueue, exec, memo, worker::Worker, worker::run_if_asked};
use goals::{Goal, Row};
use kind::{Prove, Prover, SOLVERS, Said};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{collections::BTreeMap, error::Error, sync::mpsc::channel};
use std::{env, thread, time::Duration};

/// The longest time for a goal that says none.
const SECONDS: u64 = 60;

/// How often a goal is tried again whose solver died, and how many workers it may take with it.
const DEATHS: u32 = 9;

/// Which verdict counts when the solvers differ. It does not depend on who was faster.
const ORDER: &str = "proved refuted vacuous resource timeout crashed unknown";

fn main() -> ExitCode {
    let worker = Worker::new().with(Prover::<0>::new());
    run_if_asked(|| worker.with(Prover::<1>::new()));
    let mut arguments = env::args_os().skip(1).map(PathBuf::from);
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/prover/goals");
    let beside = env::current_exe().unwrap_or_default();
    let folder = arguments.next().unwrap_or(own);
    let cache = arguments.next().unwrap_or(beside.with_extension("cache"));
    prove_all(&folder, &cache).unwrap_or_else(|error| {
        eprintln!("prover: {error}");
        ExitCode::from(2)
    })
}

/// The way in for each solver.
type Queues = (TaskQueue<Prove<0>>, TaskQueue<Prove<1>>);

/// The limits of a goal: its own, else those of all.
fn limits(goal: &Goal) -> TaskOptions {
    let number = |key| goal.said(key).parse().ok();
    TaskOptions {
        running: Some(Duration::from_secs(number("seconds").unwrap_or(SECONDS))),
        memory: number("megabytes").map(|megabytes| megabytes << 20),
        retries: Retries::immediate(DEATHS).on(RetryOn::CRASH),
        crash_limit: CrashLimit::Deaths(DEATHS),
        ..TaskOptions::default()
    }
}

/// Has both solvers race for a goal.
fn race(goal: &Goal, group: Group, (z3, cvc5): &Queues) -> Said {
    let (tell, said) = channel();
    let task = || (goal.clone(), false, tell.clone());
    let z3 = group.submit_options(z3, task(), limits(goal));
    let cvc5 = group.submit_options(cvc5, task(), limits(goal));
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

fn prove_all(folder: &Path, cache: &Path) -> Result<ExitCode, Box<dyn Error>> {
    let mut versions = String::new();
    for (name, _) in SOLVERS {
        let said = exec::said(Command::new(name).arg("--version"));
        versions += &said.map_err(|e| format!("{e}; install z3 and cvc5"))?;
    }
    let usage = |e| format!("{}: {e}; usage: prover [FOLDER [CACHE]]", folder.display());
    let goals = goals::read(folder).map_err(usage)?;
    let mut known: BTreeMap<String, Row> = memo::recall(cache);
    memo::keep(cache, &known)?; // Rather now than after the first proof is it known that it cannot be.
    let workers = thread::available_parallelism().map_or(2, |n| n.get().max(2) as u32);
    let mut pool = Pool::new(Program::this_executable(), workers);
    pool.defaults = limits(&goals["prelude"]); // for the questions why a goal does not hold
    let mut builder = Farm::builder();
    let z3 = builder.kind(Prove::<0>(goals.clone()), pool.clone());
    let cvc5 = builder.kind(Prove::<1>(goals.clone()), pool);
    let farm = builder.start()?;
    let queues = &(farm.queue(z3), farm.queue(cvc5));
    let mut open: Vec<&Goal> = goals.values().collect();
    open.retain(|goal| goal.name != "prelude");
    let mut table = BTreeMap::new();
    let (tell, ended) = channel();
    thread::scope(|scope| -> Result<(), Box<dyn Error>> {
        loop {
            let is_proved = |row: &Row| row.verdict == "proved";
            let proved = |name| table.get(name).is_some_and(is_proved);
            for goal in open.extract_if(.., |goal| goal.needs().skip(1).all(proved)) {
                let row = known.get(&goal.name).cloned().unwrap_or_default();
                let (mut row, tell) = (row.renew(goal, &goals, &versions), tell.clone());
                let group = farm.group(Rule::FirstSuccess).open();
                scope.spawn(move || {
                    if row.why != "unchanged" {
                        (row.verdict, row.detail) = race(goal, group, queues);
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
            memo::keep(cache, &known)?;
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
