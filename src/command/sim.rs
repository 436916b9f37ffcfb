//! `farm sim`: sweeps scenarios, and makes single runs again. What is simulated is `farm-sim`'s; here is what is typed
//! and what is printed.
//!
//! Results go to stdout, the last line for programs; warnings go to stderr.

mod hush;
mod list;
mod options;
mod replay;
mod summary;
mod sweeps;

pub(super) use options::{AFTER_HELP, Arguments, EXAMPLES};

use super::exit::Exit;
use std::io::{self, BufWriter, ErrorKind, Write};

/// How many rows of a trace are printed unless all are wanted.
const ROWS: usize = 200;

/// Why nothing more is done.
#[derive(Debug)]
enum Trouble {
    /// Something to be said.
    Said(String),
    /// What is printed cannot be.
    Output(io::Error),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<String> for Trouble {
    fn from(message: String) -> Self {
        Self::Said(message)
    }
}

pub(super) fn run(arguments: &Arguments) -> Exit {
    let mut out = BufWriter::new(io::stdout().lock());
    let done = try_run(arguments, &mut out).and_then(|exit| {
        out.flush()?;
        Ok(exit)
    });
    match done {
        Ok(exit) => exit,
        Err(Trouble::Said(message)) => {
            // What was printed before stands.
            let _unprintable = out.flush();
            complain(&message);
            Exit::Trouble
        }
        Err(Trouble::Output(error)) => {
            // Whoever has closed our output wants no more of it.
            if error.kind() != ErrorKind::BrokenPipe {
                complain(&format!("error: cannot write to stdout: {error}"));
            }
            Exit::Trouble
        }
    }
}

fn try_run(arguments: &Arguments, out: &mut impl Write) -> Result<Exit, Trouble> {
    arguments.check()?;
    if arguments.list {
        list::list(out)?;
        return Ok(Exit::Success);
    }
    if let Some(token) = &arguments.replay {
        return replay::token(token, arguments.trace, out);
    }
    if let Some(path) = &arguments.replay_run {
        return replay::record(path, arguments.trace, out);
    }
    sweeps::sweep(arguments, out)
}

#[expect(
    clippy::print_stderr,
    reason = "the one place of this subcommand that talks to people beside its results"
)]
fn complain(message: &str) {
    eprintln!("{}", message.trim_end());
}
