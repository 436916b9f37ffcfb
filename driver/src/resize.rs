//! A change of how many workers a kind has, while the farm runs.

use crate::builder::KindRef;
use crate::farm::Farm;
use farm_master::{Event, TaskKind};

/// Why a kind was not given another number of workers. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResizeError {
    /// None at all.
    #[error("a kind has one worker at least; to have nothing started, pause its lane (`set_gate`)")]
    NoWorker,
    /// More are to be kept than there may be.
    #[error("{least} workers are to be kept, of {most} at most")]
    LeastBeyondMost {
        /// How many are to be kept.
        least: u32,
        /// How many there may be.
        most: u32,
    },
    /// The pool has not so many slots.
    #[error(
        "{most} workers are more than the {ceiling} that its pool has slots for; say `Pool::ceiling({most})`"
    )]
    BeyondCeiling {
        /// How many there may be.
        most: u32,
        /// How many slots the pool has.
        ceiling: u32,
    },
}

impl Farm {
    /// From now on a kind keeps `least` workers and has `most` at most. Those beyond it end: first who has not said
    /// hello, then who has idled longest, then the others after what they execute. No task is ended. Of the `least` only as
    /// many are kept as the farm has places for ([`FarmBuilder::workers`](crate::FarmBuilder::workers)).
    ///
    /// # Errors
    /// [`ResizeError`]. Nothing has changed.
    ///
    /// # Panics
    /// When the kind belongs to another farm.
    pub fn resize<K: TaskKind>(
        &self,
        kind: KindRef<K>,
        least: u32,
        most: u32,
    ) -> Result<(), ResizeError> {
        self.check(kind);
        let ceiling = kind.ceiling;
        if most == 0 {
            return Err(ResizeError::NoWorker);
        }
        if least > most {
            return Err(ResizeError::LeastBeyondMost { least, most });
        }
        if most > ceiling {
            return Err(ResizeError::BeyondCeiling { most, ceiling });
        }
        let kind = kind.id;
        self.shared().tell(Event::Resize { kind, least, most });
        Ok(())
    }
}
