//! Makes a run again: one that a token names, or one that was recorded.

use super::hush::Hush;
use super::options::TraceForm;
use super::summary::{Failed, Summary};
use super::{ROWS, Trouble, complain};
use crate::command::exit::Exit;
use crate::command::{ReplayError, replay_run};
use farm_lockstep::{End, RunReport};
use farm_sim::{BUILD, Token, columns};
use std::io::Write;
use std::path::Path;

/// A run that was made twice.
pub(super) struct Repeated {
    /// The second time, with its trace.
    pub(super) report: RunReport,
    /// Or what was different.
    pub(super) same: Result<(), String>,
}

/// Makes a run twice, traced the second time.
pub(super) fn repeat(token: &Token) -> Repeated {
    let _quiet = Hush::begin();
    let sweep = token.sweep();
    let plan = sweep.plan();
    let first = sweep.run(&plan, token.number, false);
    let report = sweep.run(&plan, token.number, true);
    let same =
        if (first.digest, first.steps, &first.end) == (report.digest, report.steps, &report.end) {
            Ok(())
        } else {
            let told = |run: &RunReport| {
                let RunReport {
                    end, steps, digest, ..
                } = run;
                format!("{end:?} after {steps} steps, digest {digest:016x}")
            };
            Err(format!("first {}, then {}", told(&first), told(&report)))
        };
    Repeated { report, same }
}

/// Makes the run of a token again.
pub(super) fn token(
    token: &Token,
    form: Option<TraceForm>,
    out: &mut impl Write,
) -> Result<Exit, Trouble> {
    let build = token.build;
    let foreign = build != BUILD;
    if foreign {
        complain(&format!(
            "warning: the token was written by build {build}, and this is build {BUILD}: \
             its run may go another way here"
        ));
    }
    let Repeated { report, same } = repeat(token);
    let mut summary = Summary::new(token.scenario.name, token.spec.to_string(), token.seed);
    summary.schedules = 1;
    summary.steps = report.steps;
    summary.faults = u64::from(report.faults);
    summary.digest = Some(format!("{:016x}", report.digest));
    summary.reach(&token.scenario, report.reached);
    let (exit, words) = match &report.end {
        End::Passed => (Exit::Success, "passes".to_owned()),
        End::Failed(failure) => {
            summary.failed = Some(Failed::new(token, failure));
            (Exit::Violation, format!("fails: {failure}"))
        }
        End::Inconclusive => {
            summary.inconclusive = 1;
            (Exit::Inconclusive, "meets its step limit".to_owned())
        }
    };
    let name = token.scenario.name;
    writeln!(
        out,
        "schedule {} of {name} {words}\ntoken: {token}",
        token.number
    )?;
    let rows = match (form, exit) {
        (Some(TraceForm::Text), _) => usize::MAX,
        (None, Exit::Violation) => ROWS,
        (None | Some(TraceForm::None), _) => 0,
    };
    if rows > 0 {
        write!(out, "\n{}", columns(&report, rows))?;
    }
    writeln!(out, "{}", summary.line())?;
    out.flush()?;
    if let Err(difference) = same {
        complain(&format!(
            "error: the run of {token} did not go the same way twice: {difference}; \
             this is a defect of the simulator, please report it"
        ));
        return Ok(Exit::Diverged);
    }
    if foreign && exit != Exit::Violation {
        complain(&format!(
            "error: what build {build} printed this token for does not fail with build {BUILD}: \
             either it is mended, or the run goes another way now; replay it with build {build} to see it"
        ));
        return Ok(Exit::Diverged);
    }
    Ok(exit)
}

/// Replays the record of a real run.
pub(super) fn record(
    path: &Path,
    form: Option<TraceForm>,
    out: &mut impl Write,
) -> Result<Exit, Trouble> {
    let traced = form != Some(TraceForm::None);
    let verdict = match replay_run(path, traced, out) {
        Ok(verdict) => verdict,
        Err(ReplayError::Write(error)) => return Err(Trouble::Output(error)),
        Err(error @ (ReplayError::Read { .. } | ReplayError::Record { .. })) => {
            return Err(Trouble::Said(format!("error: {error}")));
        }
    };
    let path = path.display();
    if verdict.diverged {
        complain(&format!(
            "error: the machine of this build says something else than was recorded in `{path}`; \
             replay it with the farm that wrote it"
        ));
        return Ok(Exit::Diverged);
    }
    if verdict.truncated {
        complain(&format!(
            "warning: the record `{path}` was cut off before the end of its run; what it holds replays as recorded"
        ));
    }
    Ok(Exit::Success)
}
