//! What a caller may see of the whole farm at one moment, within a time.

use crate::farm::Farm;
use crate::message::Message;
use crate::shared::Shared;
use crate::turn::Loop;
use crate::watch::Watched;
use farm_master::{LaneLine, TaskLine, WorkerLine};
use farm_protocol::{Instant, KindId, SlotId};
// Not the one of `sync`, which the model checker replaces: it has no time limits there, and no model asks.
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

/// A farm at one moment.
#[derive(Clone, Debug)]
pub struct Overview {
    /// That moment, by the farm's clock.
    pub now: Instant,
    /// The lanes, in the order of the kinds.
    pub lanes: Vec<LaneLine>,
    /// The workers, in the order of their slots.
    pub workers: Vec<WorkerLine>,
    /// The pids of those workers that are processes.
    pub pids: Vec<(SlotId, u32)>,
    /// Tasks that wait, kind by kind, each kind's in the order in which they would start.
    pub waiting: Vec<TaskLine>,
}

/// The farm's loop has not answered in time: a callback holds it, or it stands still. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the farm's loop has not answered within {0:?}: a callback holds it, or it is suspended")]
pub struct Silent(pub Duration);

impl Farm {
    /// Lanes, workers, and of each kind the first `waiting` tasks that wait, seen at one moment; `None` when the farm is
    /// over. It waits for the loop no longer than `limit`.
    ///
    /// The farm's loop makes it and does nothing else meanwhile: ask for as many tasks as a person reads.
    ///
    /// # Errors
    /// [`Silent`]: the loop did not answer in time.
    ///
    /// # Panics
    /// On the farm's loop, where it would wait for itself.
    pub fn overview(&self, waiting: usize, limit: Duration) -> Result<Option<Overview>, Silent> {
        self.shared().overview(waiting, limit)
    }
}

impl Shared {
    fn overview(&self, waiting: usize, limit: Duration) -> Result<Option<Overview>, Silent> {
        assert!(
            !self.is_loop_thread(),
            "a callback on the farm's loop waits for that loop"
        );
        let (answer, wait) = sync_channel(1);
        self.post(Message::Do(Box::new(move |it: &mut Loop| {
            // Who asked may have given up.
            let _gone = answer.try_send(it.overview(waiting));
        })));
        match wait.recv_timeout(limit) {
            Ok(overview) => Ok(Some(overview)),
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => Err(Silent(limit)),
        }
    }
}

impl Loop {
    fn overview(&mut self, most: usize) -> Overview {
        let lanes = self.master.lanes();
        let mut waiting = Vec::new();
        let kinds = &mut Watched {
            kinds: &mut self.registry,
            watch: &mut self.watch,
        };
        for kind in lanes.iter().filter(|lane| lane.waiting > 0) {
            let kind: KindId = kind.kind;
            waiting.extend(self.master.list_waiting(kinds, kind, most));
        }
        Overview {
            now: self.clock.now(),
            workers: self.master.workers(),
            pids: self.workers.pids(),
            lanes,
            waiting,
        }
    }
}
