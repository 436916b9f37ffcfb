//! Replaying the record of a real run (`farm run --record`): reads the file, prints the trace and
//! what came of it. The comparing is `farm_master::record`'s; the exit code is the caller's.

use farm_master::record::{Difference, Made, RecordError, Replayed, Replayer, Step};
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// How much of the file is read at a time, in bytes.
const PIECE: usize = 64 << 10;

/// How a replay ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplayVerdict {
    /// How many events the machine was told.
    pub replayed_events: u64,
    /// How many actions it said.
    pub actions: u64,
    /// It said something else than in the run; nothing after that event was replayed.
    pub diverged: bool,
    /// The record was cut off before the end of its run. False when it diverged: the rest was not read.
    pub truncated: bool,
}

impl ReplayVerdict {
    fn of(replayed: Replayed) -> Self {
        Self {
            replayed_events: replayed.events,
            actions: replayed.actions,
            diverged: replayed.diverged,
            truncated: !replayed.whole && !replayed.diverged,
        }
    }

    /// The line for programs.
    #[must_use]
    pub fn json(self) -> String {
        let Self {
            replayed_events,
            actions,
            diverged,
            truncated,
        } = self;
        format!(
            "{{\"replayed_events\":{replayed_events},\"actions\":{actions},\
             \"diverged\":{diverged},\"truncated\":{truncated}}}"
        )
    }
}

/// Why a record could not be replayed, or not further. What was printed before stands.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The file cannot be opened or read.
    #[error("cannot read the record `{}`: {error}", .path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The file is no record, or is damaged.
    #[error("cannot replay `{}`: {error} ({events} events before that replayed as recorded)", .path.display())]
    Record {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        error: RecordError,
        /// How many events were replayed before.
        events: u64,
    },
    /// The trace cannot be written.
    #[error("cannot write the trace: {0}")]
    Write(#[from] io::Error),
}

/// Tells a machine what the machine of a recorded run was told, and checks that it says the same.
///
/// Prints to `out`: with `trace` a line per event and action; what differs, if something does;
/// that the record was cut off, if it was; last [`ReplayVerdict::json`]. Memory stays flat over a
/// record of any length.
///
/// # Errors
/// [`ReplayError`]; then the last line is missing.
pub fn replay_run(
    path: &Path,
    trace: bool,
    out: &mut dyn Write,
) -> Result<ReplayVerdict, ReplayError> {
    let unreadable = |error| ReplayError::Read {
        path: path.to_owned(),
        error,
    };
    let mut file = File::open(path).map_err(unreadable)?;
    let mut out = BufWriter::new(out);
    let mut replayer = Replayer::new(trace);
    let mut piece = vec![0; PIECE];
    loop {
        let count = match file.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(unreadable(error)),
        };
        replayer.push(&piece[..count]);
        let replayed = replay_ready(&mut replayer, &mut out)?;
        if let Err(error) = replayed {
            out.flush()?;
            return Err(ReplayError::Record {
                path: path.to_owned(),
                error,
                events: replayer.so_far().events,
            });
        }
        if replayer.so_far().diverged {
            break;
        }
    }
    let verdict = ReplayVerdict::of(replayer.so_far());
    if verdict.truncated {
        writeln!(
            out,
            "the record was cut off after {} events (its farm was killed, or it could not be written); \
             up to there it replays as recorded",
            verdict.replayed_events
        )?;
    }
    writeln!(out, "{}", verdict.json())?;
    out.flush()?;
    Ok(verdict)
}

/// Replays the calls that have come whole.
fn replay_ready(
    replayer: &mut Replayer,
    out: &mut impl Write,
) -> io::Result<Result<(), RecordError>> {
    loop {
        let step = match replayer.next_step() {
            Ok(Some(step)) => step,
            Ok(None) => return Ok(Ok(())),
            Err(error) => return Ok(Err(error)),
        };
        for line in &step.lines {
            writeln!(out, "{line}")?;
        }
        if let Some(message) = &step.panicked {
            writeln!(out, "the machine panicked, as it did in the run: {message}")?;
        }
        if let Some(difference) = &step.difference {
            let build = replayer.build().unwrap_or_default();
            say_difference(&step, difference, build, out)?;
        }
    }
}

fn say_difference(
    step: &Step,
    difference: &Difference,
    build: &str,
    out: &mut impl Write,
) -> io::Result<()> {
    writeln!(
        out,
        "diverged at entry {} of the record, which was written by {build}",
        step.entry
    )?;
    writeln!(out, "  recorded: {}", made(difference.recorded))?;
    writeln!(out, "  replayed: {}", made(difference.replayed))?;
    if let Some(why) = &difference.why {
        writeln!(out, "  because:  {why}")?;
    }
    writeln!(out, "  what was told, and what the machine said now:")?;
    for line in &difference.lines {
        writeln!(out, "  {line}")?;
    }
    Ok(())
}

fn made(made: Option<Made>) -> String {
    made.map_or_else(
        || "a panic (in a run it may be one of a kind's own code)".to_owned(),
        |made| format!("{} actions, digest {:016x}", made.actions, made.digest),
    )
}
