//! From the queue to a worker and to an end: start, succeed, fail, and forgetting. One function changes a state.

use super::order::Order;
use super::state::{Ended, Row, State};
use super::{Key, Lane, LaneError, Seq};

/// What a start tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Started {
    /// The task's place in the order.
    pub seq: Seq,
    /// Which attempt this is, from 1. With the key it is the fence against late answers.
    pub attempt: u32,
}

/// How many ended tasks are kept, and which came first.
#[derive(Clone, Debug)]
pub(super) struct Retention {
    pub(super) limit: usize,
    /// The tasks that are over, in the order in which they became so.
    pub(super) ended: Order,
}

impl Lane {
    /// Hands a task to a worker. Every start goes through here, so the limit is checked in one place.
    ///
    /// # Errors
    /// [`LaneError::UnknownTask`]; [`LaneError::InvalidTransition`] when it does not wait; [`LaneError::NotStarting`]
    /// when the gate is paused or closed; [`LaneError::NoRoom`] when `max_in_flight` tasks occupy workers. The lane is
    /// unchanged.
    #[inline]
    pub fn start(&mut self, key: Key, now_ms: u64) -> Result<Started, LaneError> {
        let waiting = self.rows.get_mut(key.index());
        let Some(row) = waiting.filter(|row| matches!(row.state, State::Queued)) else {
            return Err(self.refuse(key, "start"));
        };
        if !self.gate.starts() {
            return Err(LaneError::NotStarting {
                key,
                gate: self.gate,
            });
        }
        let max_in_flight = self.boundary.max_in_flight.get();
        if self.tally.occupied() >= max_in_flight {
            return Err(LaneError::NoRoom { key, max_in_flight });
        }
        let attempt = row
            .attempts
            .checked_add(1)
            .expect("a caller's retry policy ends before 2^32 attempts");
        let seq = row.seq;
        row.attempts = attempt;
        self.tally
            .change(row, State::InFlight { started_ms: now_ms });
        self.leave_order(seq, key);
        Ok(Started { seq, attempt })
    }

    /// Starts the oldest waiting task, if gate and room allow.
    #[inline]
    pub fn start_next(&mut self, now_ms: u64) -> Option<(Key, Started)> {
        let (_, key) = self.order.first()?;
        let started = self.start(key, now_ms).ok()?;
        Some((key, started))
    }

    /// Starts as many as gate and room allow, oldest first.
    pub fn start_available(&mut self, now_ms: u64) -> Vec<Key> {
        core::iter::from_fn(|| self.start_next(now_ms))
            .map(|(key, _)| key)
            .collect()
    }

    /// The task ended well. Its place in flight is free.
    ///
    /// # Errors
    /// [`LaneError::UnknownTask`]; [`LaneError::InvalidTransition`] when it is not in flight: an answer after a cancel
    /// is refused here and the caller settles. The lane is unchanged.
    #[inline]
    pub fn succeed(&mut self, key: Key) -> Result<(), LaneError> {
        let busy = self.rows.get_mut(key.index());
        let Some(row) = busy.filter(|row| matches!(row.state, State::InFlight { .. })) else {
            return Err(self.refuse(key, "succeed"));
        };
        let seq = row.seq;
        self.tally.change(row, State::Succeeded);
        self.note_over(seq, key);
        Ok(())
    }

    /// The task ended badly. Its place in flight is free.
    ///
    /// # Errors
    /// As [`succeed`](Self::succeed).
    pub fn fail(&mut self, key: Key, reason: &str) -> Result<(), LaneError> {
        let Some(&Row {
            seq,
            state: State::InFlight { .. },
            ..
        }) = self.row(key)
        else {
            return Err(self.refuse(key, "fail"));
        };
        self.change(key, State::Failed(Ended::new(Box::from(reason))));
        self.note_over(seq, key);
        Ok(())
    }

    /// Gives up what is known of a task that is over; its key and name are free again. Returns false, and changes
    /// nothing, for a task that is unknown, waits, is in flight, or is cancelled and not settled.
    ///
    /// The next task of the key counts attempts from 1 again: a caller that gives keys out again tells their uses apart
    /// itself before it asks the lane about something late.
    #[inline]
    pub fn forget(&mut self, key: Key) -> bool {
        let over = self.rows.get_mut(key.index());
        let Some(row) = over.filter(|row| row.state.is_over()) else {
            return false;
        };
        let seq = row.seq;
        self.tally.change(row, State::Absent);
        self.unname(key);
        self.forget_over(seq, key);
        true
    }

    /// Keeps at most `limit` tasks that are over, forgetting those that ended first; `None`, the default, leaves all
    /// forgetting to the caller. Tasks that are over when a limit is first set count as having ended in the order of
    /// their places.
    pub fn set_retention(&mut self, limit: Option<usize>) {
        let Some(limit) = limit else {
            self.retention = None;
            return;
        };
        if let Some(retention) = &mut self.retention {
            retention.limit = limit;
        } else {
            let mut over: Vec<(Seq, Key)> = self
                .known()
                .filter(|(_, row)| row.state.is_over())
                .map(|(key, row)| (row.seq, key))
                .collect();
            over.sort_unstable();
            let mut ended = Order::new();
            for (seq, key) in over {
                ended.push(seq, key);
            }
            self.retention = Some(Retention { limit, ended });
        }
        self.trim();
    }

    /// Changes the state of a task and the sums with it.
    #[inline]
    pub(super) fn change(&mut self, key: Key, to: State) {
        self.tally.change(&mut self.rows[key.index()], to);
    }

    /// Takes a task that no longer waits out of the order.
    #[inline]
    pub(super) fn leave_order(&mut self, seq: Seq, key: Key) {
        let rows = &self.rows;
        self.order
            .take(seq, key, |seq, key| is_waiting(rows, seq, key));
    }

    /// Records that a task is over, and makes room for it among those kept.
    #[inline]
    pub(super) fn note_over(&mut self, seq: Seq, key: Key) {
        if self.retention.is_some() {
            self.retain_over(seq, key);
        }
    }

    fn retain_over(&mut self, seq: Seq, key: Key) {
        if let Some(retention) = &mut self.retention {
            retention.ended.push(seq, key);
        }
        self.trim();
    }

    /// Records that a task is no longer over, or no longer known.
    #[inline]
    pub(super) fn forget_over(&mut self, seq: Seq, key: Key) {
        if self.retention.is_some() {
            self.release_over(seq, key);
        }
    }

    fn release_over(&mut self, seq: Seq, key: Key) {
        let rows = &self.rows;
        if let Some(retention) = &mut self.retention {
            retention
                .ended
                .take(seq, key, |seq, key| is_over(rows, seq, key));
        }
    }

    fn trim(&mut self) {
        while let Some(retention) = &self.retention
            && retention.ended.len() > retention.limit
            && let Some((seq, key)) = retention.ended.first()
        {
            self.change(key, State::Absent);
            self.unname(key);
            self.forget_over(seq, key);
        }
    }

    #[inline]
    fn unname(&mut self, key: Key) {
        if !self.names.is_empty() {
            self.names.remove(&key);
        }
    }
}

/// Whether an item of the order stands for a waiting task, and not for an earlier place of its key.
#[inline]
pub(super) fn is_waiting(rows: &[Row], seq: Seq, key: Key) -> bool {
    let row = &rows[key.index()];
    row.seq == seq && matches!(row.state, State::Queued)
}

/// Whether an item of the ended stands for a task that is over, and not for an earlier place of its key.
pub(super) fn is_over(rows: &[Row], seq: Seq, key: Key) -> bool {
    let row = &rows[key.index()];
    row.seq == seq && row.state.is_over()
}
