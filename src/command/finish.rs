//! `farm finish`: has a run start nothing more and end.

use super::exit::Exit;
use super::reach::{Target, tell};
use crate::control::Asked;

/// `farm finish`
#[derive(clap::Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    target: Target,
}

/// For the program called `name`.
pub(super) fn run(arguments: &Arguments, name: &str) -> Exit {
    tell(name, &arguments.target, Asked::Finish)
}
