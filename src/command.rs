//! The command `farm`: what was typed, and which subcommand does it. One file per subcommand.

mod cancel;
pub mod exit;
mod finish;
mod kinds;
mod pause;
mod reach;
mod replay_run;
mod resume;
mod run;
#[cfg(feature = "sim")]
mod sim;
mod status;
mod tool;

pub use replay_run::{ReplayError, ReplayVerdict, replay_run};
pub(crate) use run::{Card, Door, Filed, Lane, Listed, ListedCommands, Product, Stage};
pub(crate) use tool::tool_main;
#[cfg(feature = "sim")]
pub(crate) use tool::{Play, Played};

use crate::tool::Kinds;
use clap::{Parser, Subcommand};
use exit::Exit;
use std::ffi::OsString;

/// Runs lists of commands on persistent worker processes, with an end for every task that can be trusted.
#[derive(Debug, Parser)]
#[command(
    name = "farm",
    version,
    arg_required_else_help = true,
    max_term_width = 100
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the tasks of a file
    #[command(before_long_help = run::EXAMPLES, after_long_help = run::AFTER_HELP)]
    Run(run::Arguments),
    #[command(flatten)]
    Control(Control),
    /// Run the farm's own rules in a simulated world, many times, in orders that a seed chooses
    #[cfg(feature = "sim")]
    #[command(before_long_help = sim::EXAMPLES, after_long_help = sim::AFTER_HELP)]
    Sim(sim::Arguments),
}

/// What speaks to a run: the same for the command and for every program made with [`main!`](crate::main).
#[derive(Debug, Subcommand)]
enum Control {
    /// Show how a run stands: what runs, what waits and why; or which runs there are
    #[command(after_long_help = Exit::CONTROL_TABLE)]
    Status(status::Arguments),
    /// Start no further tasks of a run; what runs goes on
    #[command(after_long_help = Exit::CONTROL_TABLE)]
    Pause(pause::Arguments),
    /// Let a paused run go on
    #[command(after_long_help = Exit::CONTROL_TABLE)]
    Resume(resume::Arguments),
    /// Start no further tasks of a run, and end it when what runs has ended
    #[command(after_long_help = Exit::CONTROL_TABLE)]
    Finish(finish::Arguments),
    /// Ask a task of a run to end
    #[command(after_long_help = Exit::CONTROL_TABLE)]
    Cancel(cancel::Arguments),
}

impl Control {
    /// For the program called `name`.
    fn run(&self, name: &str) -> Exit {
        match self {
            Self::Status(arguments) => status::run(arguments, name),
            Self::Pause(arguments) => pause::run(arguments, name),
            Self::Resume(arguments) => resume::run(arguments, name),
            Self::Finish(arguments) => finish::run(arguments, name),
            Self::Cancel(arguments) => cancel::run(arguments, name),
        }
    }
}

/// Does what the arguments say (the program's name first), and answers how the process is to end.
pub fn main<I: IntoIterator<Item = OsString>>(arguments: I) -> Exit {
    start_log();
    let cli = match parse(|| Cli::try_parse_from(arguments)) {
        Ok(cli) => cli,
        Err(exit) => return exit,
    };
    match cli.command {
        Command::Run(arguments) => {
            let again = Box::new(Kinds::commands);
            run::run(&arguments, run::OWN_NAME, Kinds::commands(), again)
        }
        Command::Control(control) => control.run(run::OWN_NAME),
        #[cfg(feature = "sim")]
        Command::Sim(arguments) => sim::run(&arguments),
    }
}

/// Sends the log lines of the libraries where somebody asked for them: they are talk, and go to stderr.
fn start_log() {
    let _already_set = env_logger::Builder::from_env(
        env_logger::Env::new()
            .filter_or("FARM_LOG", "error")
            .write_style("FARM_LOG_STYLE"),
    )
    .try_init();
}

/// What was typed, or how the process is to end after the help or the complaint that was printed instead.
fn parse<T>(read: impl FnOnce() -> Result<T, clap::Error>) -> Result<T, Exit> {
    read().map_err(|error| {
        let wanted = !error.use_stderr();
        // Nobody is left to be told when this cannot be printed.
        let _unprintable = error.print();
        if wanted { Exit::Success } else { Exit::Trouble }
    })
}
