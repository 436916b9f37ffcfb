//! Sweeps scenarios, and tells of the first run that fails.

use super::hush::Hush;
use super::options::{Arguments, TraceForm};
use super::replay::{Repeated, repeat};
use super::summary::{Failed, Summary, never, rate};
use super::{ROWS, Trouble, complain};
use crate::command::exit::Exit;
use farm_lockstep::{End, Failure};
use farm_sim::{Scenario, Shown, Sweep, Token, columns};
use std::io::Write;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// In fewer schedules than this it is no wonder that something never happened.
const MANY: u64 = 1_000;

/// One inconclusive schedule of so many is no reason to worry.
const INCONCLUSIVE_OF: u64 = 1_000;

/// Seeds from the clock are below this, so that they are short.
const FRESH_SEEDS: u128 = 1_000_000_000_000;

pub(super) fn sweep(arguments: &Arguments, out: &mut impl Write) -> Result<Exit, Trouble> {
    let begun = Instant::now();
    let scenarios = arguments.scenarios();
    let seed = arguments.seed.unwrap_or_else(fresh_seed);
    let name = match &scenarios[..] {
        [only] => only.name,
        _ => "all",
    };
    let mut summary = Summary::new(name, arguments.strategy.to_string(), seed);
    let mut exit = Exit::Success;
    let mut took = Duration::ZERO;
    writeln!(out, "seed {seed}, strategy {}", arguments.strategy)?;
    for (nth, scenario) in scenarios.iter().enumerate() {
        let left = u32::try_from(scenarios.len() - nth).unwrap_or(1);
        let share = |limit: Duration| limit.saturating_sub(begun.elapsed()) / left;
        let sweep = Sweep {
            scenario: *scenario,
            params: arguments.params(scenario.defaults),
            spec: arguments.strategy,
            seed,
            schedules: arguments.schedules(),
            jobs: arguments.jobs.count(),
            limit: arguments.time_limit.map(share),
        };
        let shown = {
            let _quiet = Hush::begin();
            sweep.make()
        };
        took += shown.took;
        summary.add(scenario, &shown);
        writeln!(out, "{}", line(scenario, &shown))?;
        out.flush()?;
        if let Some((number, failure)) = &shown.failed {
            let token = Token::of(&sweep, *number);
            exit = fail(&token, failure, arguments.trace, out)?;
            summary.failed = Some(Failed::new(&token, failure));
            break;
        }
        if shown.schedules == 1 && arguments.trace == Some(TraceForm::Text) {
            // Whoever makes a single run and asks for a trace wants to read this run.
            let token = Token::of(&sweep, 0);
            let Repeated { report, .. } = repeat(&token);
            write!(out, "token: {token}\n\n{}", columns(&report, usize::MAX))?;
        }
        if shown.inconclusive == shown.schedules {
            exit = Exit::Inconclusive;
        }
        warn(scenario, &shown);
    }
    summary.steps_per_s = Some(rate(summary.steps, took));
    writeln!(out, "{}", summary.line())?;
    Ok(exit)
}

fn fresh_seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.unwrap_or_default().as_nanos() % FRESH_SEEDS;
    u64::try_from(now).expect("below a limit that fits")
}

fn line(scenario: &Scenario, shown: &Shown) -> String {
    format!(
        "{:<12} {:>9} schedules {:>12} steps {:>9} faults {:>6} inconclusive {:>8.2} s {:>9} steps/s",
        scenario.name,
        shown.schedules,
        shown.steps,
        shown.faults,
        shown.inconclusive,
        shown.took.as_secs_f64(),
        rate(shown.steps, shown.took)
    )
}

fn warn(scenario: &Scenario, shown: &Shown) {
    let name = scenario.name;
    let Shown {
        schedules,
        inconclusive,
        ..
    } = *shown;
    if schedules == 0 {
        complain(&format!(
            "warning: {name}: no schedule could be begun in the time; give it more with --time-limit"
        ));
    } else if inconclusive > schedules / INCONCLUSIVE_OF {
        complain(&format!(
            "warning: {name}: {inconclusive} of {schedules} schedules met their step limit, so that nothing is \
             known of them; give them more with --max-steps, or fewer --tasks"
        ));
    }
    if schedules >= MANY {
        for what in never(scenario, shown.reached) {
            complain(&format!(
                "warning: {name}: in {schedules} schedules it never happened that {what}"
            ));
        }
    }
}

/// Tells of a run that failed in a sweep, and makes sure that it always does.
fn fail(
    token: &Token,
    failure: &Failure,
    form: Option<TraceForm>,
    out: &mut impl Write,
) -> Result<Exit, Trouble> {
    writeln!(
        out,
        "\nschedule {} of {} fails: {failure}\ntoken: {token}",
        token.number, token.scenario.name
    )?;
    let Repeated { report, same } = repeat(token);
    let same = same.and_then(|()| match &report.end {
        End::Failed(again) if again == failure => Ok(()),
        other => Err(format!("the first time {failure}, then {other:?}")),
    });
    let rows = match form {
        None => ROWS,
        Some(TraceForm::Text) => usize::MAX,
        Some(TraceForm::None) => 0,
    };
    if rows > 0 {
        write!(out, "\n{}", columns(&report, rows))?;
    }
    match same {
        Ok(()) => Ok(Exit::Violation),
        Err(difference) => {
            out.flush()?;
            complain(&format!(
                "error: the run of {token} did not go the same way twice: {difference}; \
                 this is a defect of the simulator, please report it"
            ));
            Ok(Exit::Diverged)
        }
    }
}
