//! What must hold between calls, counted from the rows themselves.

use super::Lane;
use super::state::{Row, State, Tally};
use super::transit::{is_over, is_waiting};
use std::collections::BTreeSet;

impl Lane {
    /// Asserts that sums, order, deadlines, names and retention say what the tasks' states say. Walks the whole lane:
    /// for tests and simulations.
    ///
    /// # Panics
    /// When one does not, which is a fault of this module.
    pub fn check_invariants(&self) {
        let mut tally = Tally::EMPTY;
        let mut deadlines = BTreeSet::new();
        let mut places = BTreeSet::new();
        for (key, row) in self.known() {
            tally.enter(row);
            assert!(places.insert(row.seq), "two tasks share place {}", row.seq);
            assert!(
                row.seq < self.next_seq,
                "place {} is yet to be given out",
                row.seq
            );
            self.check_attempts(row);
            if let Some((seq, ladder)) = self.ladder(key)
                && let Some((at, _)) = ladder.next()
            {
                deadlines.insert((at, seq, key));
            }
        }
        assert!(
            tally == self.tally,
            "sums {:?} are not the states' {tally:?}",
            self.tally
        );
        assert!(
            deadlines == self.deadlines,
            "deadlines are not those of the stopping"
        );

        self.order
            .check(|seq, key| is_waiting(&self.rows, seq, key));
        assert!(self.order.is_sorted(), "the queue is out of order");
        assert!(
            self.order.len() == self.tally.queued,
            "a waiting task is missing in the order"
        );

        if let Some(retention) = &self.retention {
            retention
                .ended
                .check(|seq, key| is_over(&self.rows, seq, key));
            assert!(
                retention.ended.len() == self.tally.over,
                "an ended task is missing in the ended"
            );
            assert!(
                retention.ended.len() <= retention.limit,
                "more ended tasks kept than allowed"
            );
        }
        for key in self.names.keys() {
            assert!(
                self.state(*key).is_some(),
                "a name is kept of unknown task {key}"
            );
        }
    }

    fn check_attempts(&self, row: &Row) {
        match row.state {
            State::InFlight { .. } | State::Stopping(_) | State::Succeeded | State::Failed(_) => {
                assert!(
                    row.attempts > 0,
                    "the task of place {} ended without a start",
                    row.seq
                );
            }
            State::Absent | State::Queued | State::Cancelled(_) => {}
        }
    }
}
