//! Which jobserver of GNU make a run takes part in, as typed and as the environment has it.

use super::complain;
use clap::ValueEnum;
use clap::builder::PossibleValue;
use farm_driver::{Jobserver, JobserverStyle};
use std::num::NonZeroU32;

/// What `--jobserver` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// That of the environment, if it names one.
    Auto,
    /// None, and none for the tasks.
    Off,
    /// Its own, by descriptors.
    Own,
    /// Its own, by a path.
    OwnFifo,
}

impl ValueEnum for Mode {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Auto, Self::Off, Self::Own, Self::OwnFifo]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Auto => PossibleValue::new("auto")
                .help("that of the make or cargo that started this, if MAKEFLAGS names one"),
            Self::Off => PossibleValue::new("off").help("none, and the tasks are told of none"),
            Self::Own => PossibleValue::new("own")
                .help("one for this run: tasks that are make or cargo share its workers' number"),
            Self::OwnFifo => PossibleValue::new("own-fifo").help(
                "the same named by a path, for ninja and GNU make from 4.4 on; older makes fail",
            ),
        })
    }
}

/// Opens what `mode` says, for so many workers. To be called before anything else is opened.
///
/// # Errors
/// In words: one's own cannot be opened. One of the environment that cannot be used is said, and left.
pub(super) fn open(mode: Mode, name: &str, workers: u32) -> Result<Option<Jobserver>, String> {
    let own = |style| {
        let slots = NonZeroU32::new(workers).unwrap_or(NonZeroU32::MIN);
        let own = Jobserver::own(slots, style);
        own.map(Some).map_err(|error| format!("error: {error}"))
    };
    match mode {
        Mode::Auto => Ok(Jobserver::from_environment().unwrap_or_else(|error| {
            complain(&format!("{name}: {error}; running without it"));
            Some(Jobserver::hidden())
        })),
        Mode::Off => Ok(Some(Jobserver::hidden())),
        Mode::Own => own(JobserverStyle::Pipe),
        Mode::OwnFifo => own(JobserverStyle::Fifo),
    }
}
