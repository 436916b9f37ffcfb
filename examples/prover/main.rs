//! A small proof tool: z3 and cvc5 race for each goal of a folder. How to use it says `README.md` beside this file.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program talks")]

mod goals;
mod kind;
mod solver;
mod table;

use farm::worker::{Worker, run_if_asked};
use farm::{CrashLimit, Farm, Outcome, Pool, Program, Retries, RetryOn, Rule};
use farm::{TaskKind, TaskOptions, TaskQueue, Ticket};
use goals::{Goal, Goals};
use kind::{Prove, Said, Task};
use solver::SOLVERS;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;
use table::{Row, Table};

/// The longest time for a goal that says none.
const SECONDS: u64 = 20;

/// How often a goal is tried again whose solver died, and how many workers it may take with it.
const DEATHS: u32 = 5;

/// Which of two verdicts counts. Neither depends on who was faster.
const ORDER: [&str; 7] =
    ["proved", "refuted", "vacuous", "memory", "timeout", "crashed", "unknown"];

fn main() -> ExitCode {
    run_if_asked(|| {
        Worker::new()
            .with(Prove::<0>::default())
            .with(Prove::<1>::default())
    });
    match prove_all() {
        Ok(all_as_expected) => ExitCode::from(u8::from(!all_as_expected)),
        Err(error) => {
            eprintln!("prover: {error}");
            ExitCode::from(2)
        }
    }
}

struct Race {
    farm: Farm,
    z3: TaskQueue<Prove<0>>,
    cvc5: TaskQueue<Prove<1>>,
}

impl Race {
    fn new(goals: &Goals) -> Result<Self, farm::StartError> {
        let workers = thread::available_parallelism().map_or(2, |n| n.get().max(2) as u32);
        let pool = Pool::new(Program::this_executable(), workers);
        let mut builder = Farm::builder();
        let z3 = builder.kind(
            Prove::new(goals),
            pool.clone(),
        );
        let cvc5 = builder.kind(
            Prove::new(goals),
            pool,
        );
        let farm = builder.start()?;
        Ok(Self {
            z3: farm.queue(z3),
            cvc5: farm.queue(cvc5),
            farm,
        })
    }

    fn run(&self, goal: &Goal) -> Said {
        let number = |key| goal.said(key).parse::<u64>().ok();
        let options = TaskOptions {
            running: Some(Duration::from_secs(number("seconds").unwrap_or(SECONDS))),
            memory: number("megabytes").map(|megabytes| megabytes << 20),
            retries: Retries {
                on: RetryOn::CRASH,
                ..Retries::immediate(DEATHS)
            },
            crash_limit: CrashLimit::Deaths(DEATHS),
            ..TaskOptions::default()
        };
        let (tell, why) = channel();
        let task = || Task {
            goal: goal.clone(),
            explain: false,
            tell: tell.clone(),
        };
        let group = self.farm.group(Rule::FirstSuccess).open();
        let z3 = group.submit_options(&self.z3, task(), options.clone());
        let cvc5 = group.submit_options(&self.cvc5, task(), options);
        // It is over when both are at rest, and the winner has been asked why.
        let _either_ticket_says_it = group.wait();
        let mut ends = [end(z3), end(cvc5)];
        ends.sort_by_key(|(verdict, _)| ORDER.iter().position(|word| word == verdict).unwrap_or(ORDER.len()));
        let [(verdict, detail), _] = ends;
        let detail = why.try_recv().map_or(detail, |(_, why)| why);
        if verdict != "vacuous" {
            return (verdict, detail);
        }
        // A core has no order of its own.
        let mut core: Vec<&str> = detail.trim_matches(['(', ' ', ')']).split(' ').collect();
        core.sort_unstable();
        (verdict, core.join(" "))
    }
}

fn end<K: TaskKind<Output = Said, Failure = Said>>(ticket: Ticket<K>) -> Said {
    match ticket.wait().map(|settled| settled.outcome) {
        Ok(Outcome::Done(said) | Outcome::Failed(said)) => said,
        Ok(Outcome::LimitExceeded { .. }) => ("memory".to_owned(), String::new()),
        Ok(other) => (other.status().to_owned(), String::new()),
        Err(refused) => ("unknown".to_owned(), refused.to_string()),
    }
}

/// Whether all came out as expected.
fn prove_all() -> Result<bool, String> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/prover/goals");
    let folder = arguments.next().unwrap_or_else(|| own.into());
    let beside = std::env::current_exe()
        .map_err(|e| e.to_string())?
        .with_extension("cache");
    let cache = arguments.next().unwrap_or(beside);
    let mut versions = String::new();
    for (name, _) in SOLVERS {
        let said = Command::new(name).arg("--version").output();
        let said = said.map_err(|e| {
            format!("cannot start {name}: {e}; install z3 and cvc5 (Debian: apt install z3 cvc5)")
        })?;
        versions += &String::from_utf8_lossy(&said.stdout);
    }
    let goals =
        goals::read(&folder).map_err(|e| format!("cannot read {}: {e}", folder.display()))?;
    let race = Race::new(&goals).map_err(|e| e.to_string())?;
    let (old, mut table) = (table::load(&cache), Table::new());
    let mut open: Vec<&Goal> = goals
        .values()
        .filter(|goal| goal.name != "prelude")
        .collect();
    thread::scope(|scope| {
        let (tell, ended) = channel::<(String, Row)>();
        let (mut running, race) = (0, &race);
        loop {
            let proved = |name: &str| table.get(name).is_some_and(|row| row.verdict == "proved");
            let (ready, waiting): (Vec<_>, Vec<_>) =
                open.iter().partition(|goal| goal.uses().all(proved));
            open = waiting;
            for goal in ready {
                running += 1;
                let (tell, mut row) = (
                    tell.clone(),
                    Row::begin(goal, &goals, &versions, old.get(&goal.name)),
                );
                scope.spawn(move || {
                    if row.why.is_some() {
                        (row.verdict, row.detail) = race.run(goal);
                    }
                    tell.send((goal.name.clone(), row))
                });
            }
            if running == 0 {
                break Ok::<_, String>(());
            }
            running -= 1;
            table.extend(ended.recv());
            table::save(&cache, &table)
                .map_err(|e| format!("cannot write {}: {e}", cache.display()))?;
        }
    })?;
    for goal in open {
        let detail = "a lemma is not proved".to_owned();
        table.insert(
            goal.name.clone(),
            Row {
                verdict: "skipped".to_owned(),
                detail,
                ..Row::default()
            },
        );
    }
    Ok(print(&table, &goals))
}

fn print(table: &Table, goals: &Goals) -> bool {
    let (mut counts, mut wrong) = (BTreeMap::new(), 0);
    for (name, row) in table {
        let goal = &goals[name];
        let why = row.why.as_deref().unwrap_or("unchanged");
        let line = format!("{:<9}{name:<50}{why:<20}{}", row.verdict, row.detail);
        println!("{}", line.trim_end());
        if !row.is_expected(goal) {
            println!("         but expected: {}", goal.said("expect"));
            wrong += 1;
        }
        *counts.entry(&*row.verdict).or_insert(0) += 1;
    }
    let counts: Vec<_> = counts
        .iter()
        .map(|(verdict, count)| format!("{count} {verdict}"))
        .collect();
    println!(
        "{} goals: {}; {wrong} not as expected",
        table.len(),
        counts.join(", ")
    );
    wrong == 0
}
