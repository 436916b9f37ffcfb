//! The named concurrency caps: how many are in flight under each, and who is parked at a full one.

use crate::lane::Seq;
use crate::options::LimitId;
use farm_protocol::{KindId, TaskId};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

#[derive(Debug)]
struct Limit {
    cap: usize,
    in_flight: usize,
    /// By kind: a kind whose workers are all busy must not keep the room from another.
    parked: BTreeMap<KindId, BTreeSet<(Reverse<i32>, Seq, TaskId)>>,
}

#[derive(Debug)]
pub(super) struct Limits {
    limits: Vec<Limit>,
}

impl Limits {
    pub(super) fn new(caps: &[NonZeroU32]) -> Self {
        let limit = |cap: &NonZeroU32| Limit {
            cap: cap.get() as usize,
            in_flight: 0,
            parked: BTreeMap::new(),
        };
        Self {
            limits: caps.iter().map(limit).collect(),
        }
    }

    fn at(&mut self, id: LimitId) -> &mut Limit {
        self.limits
            .get_mut(id.0 as usize)
            .expect("limits are checked at admission")
    }

    pub(super) fn knows(&self, id: LimitId) -> bool {
        (id.0 as usize) < self.limits.len()
    }

    pub(super) fn has_room(&mut self, id: LimitId) -> bool {
        let limit = self.at(id);
        limit.in_flight < limit.cap
    }

    /// An attempt under this limit goes out.
    pub(super) fn enter(&mut self, id: LimitId) {
        self.at(id).in_flight += 1;
    }

    /// An attempt under this limit is over.
    pub(super) fn leave(&mut self, id: LimitId) {
        let limit = self.at(id);
        limit.in_flight = limit
            .in_flight
            .checked_sub(1)
            .expect("what leaves has entered");
    }

    pub(super) fn park(
        &mut self,
        id: LimitId,
        kind: KindId,
        priority: i32,
        seq: Seq,
        task: TaskId,
    ) {
        let parked = self.at(id).parked.entry(kind).or_default();
        parked.insert((Reverse(priority), seq, task));
    }

    pub(super) fn unpark(
        &mut self,
        id: LimitId,
        kind: KindId,
        priority: i32,
        seq: Seq,
        task: TaskId,
    ) {
        if let Some(parked) = self.at(id).parked.get_mut(&kind) {
            parked.remove(&(Reverse(priority), seq, task));
        }
    }

    /// For each limit: its room, and who is parked at it.
    pub(super) fn iter(&self) -> impl Iterator<Item = (LimitId, usize, Vec<(KindId, TaskId)>)> {
        self.limits.iter().zip(0..).map(|(limit, index)| {
            let room = limit.cap.saturating_sub(limit.in_flight);
            let parked = limit.parked.iter();
            let parked = parked.flat_map(|(kind, set)| set.iter().map(|(_, _, id)| (*kind, *id)));
            (LimitId(index), room, parked.collect())
        })
    }

    /// All tasks of a kind that are parked at limits that have room.
    pub(super) fn wake_all(&mut self, kind: KindId) -> Vec<TaskId> {
        let with_room = self.limits.iter_mut().filter(|it| it.in_flight < it.cap);
        let parked = with_room.filter_map(|limit| limit.parked.remove(&kind));
        parked.flatten().map(|(_, _, task)| task).collect()
    }

    /// The parked tasks that may try again: of each kind as many as there is room. They may find it
    /// taken and park again. None is forgotten, because every task that could have taken the room
    /// comes here when it leaves: by the end of an attempt, or by its own end.
    pub(super) fn wake(&mut self, id: LimitId) -> Vec<TaskId> {
        let limit = self.at(id);
        let room = limit.cap.saturating_sub(limit.in_flight);
        let mut awake = Vec::new();
        for parked in limit.parked.values_mut() {
            for _ in 0..room {
                let Some((_, _, task)) = parked.pop_first() else {
                    break;
                };
                awake.push(task);
            }
        }
        awake
    }
}
