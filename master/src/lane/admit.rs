//! The ways into a lane's queue: enqueue, retry and requeue, and how much room there is. Knows nothing of how tasks end.

use super::state::{Row, State};
use super::{AdapterMode, Entry, Gate, Key, Lane, LaneError, Seq};

/// The first key a lane refuses. It bounds the rows of a lane (32 bytes each) to 2 GiB, so that a caller whose keys are
/// not dense meets an error and not the end of memory.
pub const KEY_LIMIT: u32 = 1 << 26;

impl Lane {
    /// Takes a task into the queue, behind all others. It never starts at once: [`start`](Self::start) is the one gate.
    ///
    /// # Errors
    /// Checked in this order, the lane unchanged by each: [`LaneError::DuplicateTask`], [`LaneError::KeyTooLarge`],
    /// [`LaneError::NotAdmitting`], [`LaneError::ModeForbids`], then [`LaneError::QueueSaturated`] (or, for an injected
    /// task, [`LaneError::InjectionRefused`]).
    #[inline]
    pub fn enqueue(&mut self, key: Key, entry: Entry) -> Result<Seq, LaneError> {
        self.check_entry(key, entry)?;
        if key.index() >= self.rows.len() {
            self.rows.resize(key.index() + 1, Row::VACANT);
        }
        let row = &mut self.rows[key.index()];
        row.attempts = 0;
        row.injected = matches!(entry, Entry::Inject);
        Ok(self.stand_last(key))
    }

    #[inline]
    fn check_entry(&self, key: Key, entry: Entry) -> Result<(), LaneError> {
        if self
            .row(key)
            .is_some_and(|row| !matches!(row.state, State::Absent))
        {
            return Err(LaneError::DuplicateTask { key });
        }
        if key.index() >= KEY_LIMIT as usize {
            return Err(LaneError::KeyTooLarge {
                key,
                limit: KEY_LIMIT,
            });
        }
        if !self.gate.admits(entry) {
            return Err(LaneError::NotAdmitting {
                key,
                gate: self.gate,
            });
        }
        if !self.boundary.mode.permits(entry) {
            return Err(LaneError::ModeForbids {
                key,
                mode: self.boundary.mode,
                action: entry,
            });
        }
        if self.room() > 0 {
            return Ok(());
        }
        match entry {
            Entry::Push | Entry::Pull => Err(self.saturated(key)),
            Entry::Inject if self.injected_beyond() < self.injection_limit => Ok(()),
            Entry::Inject => Err(LaneError::InjectionRefused {
                key,
                limit: self.injection_limit,
            }),
        }
    }

    /// Brings a task back that failed, or that was cancelled and is settled: at the tail, with a new place. Attempts go
    /// on counting. Whether a task deserves another try is the caller's to know.
    ///
    /// # Errors
    /// [`LaneError::UnknownTask`]; [`LaneError::InvalidTransition`] in every other state; [`LaneError::NotAdmitting`]
    /// when the gate is closed; [`LaneError::QueueSaturated`]. The lane is unchanged: the task stays as it ended.
    pub fn retry(&mut self, key: Key) -> Result<Seq, LaneError> {
        self.may_retry(key)?;
        if self.room() == 0 {
            return Err(self.saturated(key));
        }
        self.readmit(key)
    }

    /// As [`retry`](Self::retry), also into a full queue: for a task whose further tries were promised when it was
    /// admitted. Tasks that wait for its end may be what fills the queue.
    ///
    /// # Errors
    /// As `retry`, without [`LaneError::QueueSaturated`].
    pub fn readmit(&mut self, key: Key) -> Result<Seq, LaneError> {
        let old = self.may_retry(key)?;
        self.rows[key.index()].injected = false;
        let seq = self.stand_last(key);
        self.forget_over(old, key);
        Ok(seq)
    }

    /// The place that a task had which may be tried again.
    fn may_retry(&self, key: Key) -> Result<Seq, LaneError> {
        let Some(&Row {
            seq: old,
            state: State::Failed(_) | State::Cancelled(_),
            ..
        }) = self.row(key)
        else {
            return Err(self.refuse(key, "retry"));
        };
        match self.gate {
            Gate::Running | Gate::Paused | Gate::Draining => Ok(old),
            Gate::Closed => Err(LaneError::NotAdmitting {
                key,
                gate: self.gate,
            }),
        }
    }

    /// Takes a task back from a worker that died with it or gave it back: it keeps its place, so it stands before all
    /// younger ones. It was admitted once, so neither saturation nor the gate can keep it out. Attempts keep their count.
    ///
    /// # Errors
    /// [`LaneError::UnknownTask`]; [`LaneError::InvalidTransition`] when it is not in flight. The lane is unchanged.
    pub fn requeue(&mut self, key: Key) -> Result<(), LaneError> {
        let Some(&Row {
            seq,
            state: State::InFlight { .. },
            ..
        }) = self.row(key)
        else {
            return Err(self.refuse(key, "requeue"));
        };
        self.change(key, State::Queued);
        self.order.put_back(seq, key);
        Ok(())
    }

    /// How many tasks may be pushed or retried before the queue is saturated, whatever mode and gate say. For a hand-off
    /// lane (`max_queued` 0): 1 when nothing waits and a place in flight is free, else 0.
    #[must_use]
    #[inline]
    pub fn room(&self) -> usize {
        match self.boundary.max_queued {
            0 => usize::from(self.tally.queued == 0 && self.has_place()),
            max => max.saturating_sub(self.tally.queued),
        }
    }

    /// Whether gate and mode let a task come in this way, if there is room.
    #[must_use]
    pub const fn permits(&self, entry: Entry) -> bool {
        self.gate.admits(entry) && self.boundary.mode.permits(entry)
    }

    /// How many tasks to pull now: 0 until half of the queue is free, then all of its room, so that a source is asked
    /// for many at once and not for each start. Always 0 in `PushOnly`, and unless the gate is `Running`.
    ///
    /// Ask once and pull that many: asked again after each single pull, it says 0 as soon as the queue is over half
    /// full.
    #[must_use]
    pub fn demand(&self) -> usize {
        match self.boundary.mode {
            AdapterMode::PushOnly => return 0,
            AdapterMode::PushPull | AdapterMode::PullOnly => {}
        }
        match self.gate {
            Gate::Running => {}
            Gate::Paused | Gate::Draining | Gate::Closed => return 0,
        }
        let room = self.room();
        if room >= self.boundary.max_queued.div_ceil(2) {
            room
        } else {
            0
        }
    }

    #[inline]
    fn stand_last(&mut self, key: Key) -> Seq {
        let seq = self.next_seq;
        self.next_seq = seq.following();
        let row = &mut self.rows[key.index()];
        row.seq = seq;
        self.tally.change(row, State::Queued);
        self.order.push(seq, key);
        seq
    }

    /// How many injected tasks stand beyond `max_queued`. Requeued tasks stand there too, but are not charged to the
    /// injection limit.
    fn injected_beyond(&self) -> usize {
        let beyond = self.tally.queued.saturating_sub(self.boundary.max_queued);
        beyond.min(self.tally.injected)
    }

    fn saturated(&self, key: Key) -> LaneError {
        LaneError::QueueSaturated {
            key,
            queued: self.tally.queued,
            max_queued: self.boundary.max_queued,
        }
    }
}
