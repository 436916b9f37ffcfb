//! `farm cancel`: asks a task of a run to end, or takes it out of the queue.

use super::exit::Exit;
use super::reach::{Target, tell};
use crate::control::Asked;

/// `farm cancel`
#[derive(clap::Args, Debug)]
pub(super) struct Arguments {
    /// The task: its id, or its position if it has none
    #[arg(value_name = "ID")]
    id: String,

    #[command(flatten)]
    target: Target,
}

/// For the program called `name`.
pub(super) fn run(arguments: &Arguments, name: &str) -> Exit {
    let id = arguments.id.clone();
    tell(name, &arguments.target, Asked::Cancel { id })
}
