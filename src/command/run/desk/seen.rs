//! The desk as those see it who ask about the run: what tasks are called, and which one an id means.

use super::{Desk, Standing};
use crate::command::run::record;
use crate::report::{Status, shortened};
use crate::taskfile::{TaskSpec, closest};
use farm_protocol::TaskId;

/// Characters of a task's label.
const LABEL_COLUMNS: usize = 120;

/// Ids that are compared with one that nobody has.
const COMPARED: usize = 10_000;

/// What an id means.
pub(in crate::command::run) enum Meant {
    /// A task that is in the farm, and whether an attempt of it was made.
    Here(TaskId, bool),
    /// One that has ended.
    Ended,
    /// None that is known; perhaps this one was meant.
    Unknown(Option<Box<str>>),
}

impl Desk {
    /// What people call a task: its id, and its name or what it does.
    pub(in crate::command::run) fn called(&self, task: TaskId) -> (String, String) {
        let seq = self.positions.get(task.index());
        let live = seq.and_then(|seq| self.live.get(seq));
        match live.filter(|live| live.id == task) {
            Some(live) => {
                let command = || record::command_text(&live.spec.run);
                let label = live
                    .spec
                    .name
                    .as_deref()
                    .map_or_else(command, str::to_owned);
                let label = shortened(&label, LABEL_COLUMNS).into_owned();
                (live.spec.id.to_string(), label)
            }
            // A kind has added it by itself.
            None => (task.to_string(), "a follow-up".to_owned()),
        }
    }

    /// Which task an id means.
    pub(in crate::command::run) fn meant(&self, id: &str) -> Meant {
        let mut all = self.live.values();
        if let Some(live) = all.find(|live| *live.spec.id == *id) {
            return Meant::Here(live.id, !live.attempts.is_empty());
        }
        // Names of ended tasks are not kept. Whoever is called by a number is mostly at that position.
        let ended = id.parse().ok().filter(|seq| *seq > 0);
        if ended.is_some_and(|seq| self.standing(seq) != Standing::Open) {
            return Meant::Ended;
        }
        let known = self.live.values().map(|live| &*live.spec.id);
        Meant::Unknown(closest(id, known.take(COMPARED)).map(Into::into))
    }

    /// How many tasks of the input are in the farm.
    pub(in crate::command::run) fn inside(&self) -> u64 {
        self.live.len() as u64
    }

    /// The task at this position is not to go in.
    pub(in crate::command::run) fn unwanted(&mut self, seq: u64) {
        self.unwanted.insert(seq);
    }

    /// Whether it was said so of this one, which ends here then.
    pub(in crate::command::run) fn was_unwanted(&mut self, spec: &TaskSpec) -> bool {
        if !self.unwanted.remove(&spec.seq) {
            return false;
        }
        let mut record = record::bare(spec, Status::Cancelled);
        let words = "cancelled by a person; it had not begun".to_owned();
        record.error = Some(super::why::error("cancelled", words));
        let at = self.at_end();
        (record.submitted, record.finished) = (at, at);
        self.close(at, record);
        true
    }
}
