//! `farm resume`: lets a paused run go on.

use super::exit::Exit;
use super::reach::{Target, tell};
use crate::control::Asked;

/// `farm resume`
#[derive(clap::Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    target: Target,
}

/// For the program called `name`.
pub(super) fn run(arguments: &Arguments, name: &str) -> Exit {
    tell(name, &arguments.target, Asked::Resume)
}
