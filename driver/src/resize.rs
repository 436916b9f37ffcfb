//! A change of how many workers a kind has, while the farm runs.

use crate::builder::KindRef;
use crate::farm::Farm;
use farm_master::{Config, Event, KindConfig, TaskKind};
use farm_protocol::KindId;
use std::num::NonZeroU32;

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
    /// More workers are to be kept than the farm may have.
    #[error(
        "{least} workers would be kept over all kinds, and the farm may have {most} at once (`FarmBuilder::workers`): \
         keep fewer, of this kind or of another"
    )]
    TooManyKept {
        /// How many would be kept, over all kinds.
        least: u64,
        /// How many there may be.
        most: u32,
    },
}

/// How many workers each kind keeps, and how many there may be over all of them.
#[derive(Debug)]
pub(crate) struct Kept {
    least: Vec<u32>,
    most: Option<NonZeroU32>,
}

impl Kept {
    pub(crate) fn of(config: &Config) -> Self {
        let least = |kind: &KindConfig| kind.staffing.least.min(kind.slots);
        Self {
            least: config.kinds.iter().map(least).collect(),
            most: config.workers,
        }
    }

    /// If more are kept than there may be: both figures.
    pub(crate) fn too_many(&self) -> Option<(u64, u32)> {
        let least = self.least.iter().copied().map(u64::from).sum();
        let most = self.most?.get();
        (least > u64::from(most)).then_some((least, most))
    }

    /// A kind keeps so many from now on; nothing changes if that were too many.
    fn set(&mut self, kind: KindId, least: u32) -> Result<(), ResizeError> {
        let kind = kind.0 as usize;
        let before = std::mem::replace(&mut self.least[kind], least);
        if let Some((least, most)) = self.too_many() {
            self.least[kind] = before;
            return Err(ResizeError::TooManyKept { least, most });
        }
        Ok(())
    }
}

impl Farm {
    /// From now on a kind keeps `least` workers and has `most` at most. Those beyond it end: first who has not said
    /// hello, then who has idled longest, then the others after what they execute. No task is ended.
    ///
    /// With those that the other kinds keep, `least` may not be more than the farm may have at once
    /// ([`FarmBuilder::workers`](crate::FarmBuilder::workers)); `most` may, for it is never sure of its places.
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
        let mut kept = self.kept();
        kept.set(kind, least)?;
        self.shared().tell(Event::Resize { kind, least, most });
        Ok(())
    }
}
