//! The command `farm`. The same program is its own worker.

use farm::command;
use farm::exec::Commands;
use farm::worker::{Worker, run_if_asked};
use std::process::ExitCode;

fn main() -> ExitCode {
    run_if_asked(|| Worker::new().with(Commands::new()));
    command::main(std::env::args_os()).end()
}
