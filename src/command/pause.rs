//! `farm pause`: holds the tasks of a run back that have not begun.

use super::exit::Exit;
use super::reach::{Target, tell};
use crate::control::Asked;

/// `farm pause`
#[derive(clap::Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    target: Target,
}

/// For the program called `name`.
pub(super) fn run(arguments: &Arguments, name: &str) -> Exit {
    tell(name, &arguments.target, Asked::Pause)
}
