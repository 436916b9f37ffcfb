//! The sources of the farm, one per kind: each hands over as many of its tasks as there is room for, and together in an
//! order in which every needed task goes in before those that need it.

use super::desk::{Fate, SharedDesk, lock};
use super::end::{Filed, Waiter};
use super::hopper::{Hopper, Next};
use crate::taskfile::{Settings, TaskSpec};
use farm_driver::{Intake, Source, SourceState};
use farm_master::{CrashLimit, LimitId, OnLost, Receive, Retries, TaskOptions};
use farm_protocol::TaskId;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// All sources draw from one hopper.
pub(crate) type SharedHopper = Arc<Mutex<Hopper>>;

/// A panic while it is locked ends its source; the others go on with what it holds.
pub(super) fn open(hopper: &SharedHopper) -> MutexGuard<'_, Hopper> {
    hopper.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The source of one kind.
pub(crate) struct Feed<K> {
    hopper: SharedHopper,
    /// The kind's place.
    place: usize,
    of: PhantomData<fn(K)>,
}

impl<K: Filed> Feed<K> {
    pub(super) const fn new(hopper: SharedHopper, place: usize) -> Self {
        Self {
            hopper,
            place,
            of: PhantomData,
        }
    }
}

impl<K: Filed> Source<K> for Feed<K> {
    fn pull(&mut self, demand: usize, intake: &mut Intake<'_, K>) -> SourceState {
        let mut hopper = open(&self.hopper);
        let desk = Arc::clone(&hopper.desk);
        let mut admit = |spec: &Arc<TaskSpec>, options| {
            let task = K::task(spec)?;
            let waiter = Waiter {
                desk: Arc::clone(&desk),
                spec: Arc::clone(spec),
            };
            let waiter: Arc<dyn Receive<K>> = Arc::new(waiter);
            Ok(intake.submit(task, options, Some(waiter)))
        };
        hopper.serve(self.place, demand, &mut admit)
    }
}

/// Submits a task to its lane, or says why there is none.
type Admit<'a> =
    &'a mut dyn FnMut(&Arc<TaskSpec>, Option<Box<TaskOptions>>) -> Result<TaskId, String>;

impl Hopper {
    /// Hands over up to `demand` tasks of the kind at `place`.
    fn serve(&mut self, place: usize, demand: usize, admit: Admit<'_>) -> SourceState {
        let desk = Arc::clone(&self.desk);
        let (mut moved, mut admitted) = (false, false);
        let mut state = SourceState::More;
        for _ in 0..demand {
            match self.next(place) {
                Next::Task(spec, fate) => {
                    moved = true;
                    admitted |= self.judge(&desk, spec, fate, admit);
                }
                Next::Waiting => {
                    state = SourceState::Waiting;
                    break;
                }
                Next::Ended => {
                    state = SourceState::Ended;
                    break;
                }
            }
        }
        if state == SourceState::More && !admitted {
            // Nothing of this is an event for the farm, so it would not ask again by itself.
            state = SourceState::Waiting;
            self.wake(place);
        }
        self.turned(place, state, moved);
        state
    }

    /// Whether the task went in.
    fn judge(&self, desk: &SharedDesk, spec: TaskSpec, fate: Fate, admit: Admit<'_>) -> bool {
        if lock(desk).was_unwanted(&spec) {
            return false;
        }
        let needs = match fate {
            Fate::Skip(by) => {
                lock(desk).skipped(&spec, &by);
                return false;
            }
            Fate::Admit(needs) => needs,
            Fate::Wait => unreachable!("the hopper keeps what waits for a need"),
        };
        let options = self.options(&spec.settings, needs);
        let spec = Arc::new(spec);
        match admit(&spec, options) {
            Ok(id) => {
                lock(desk).entered(spec, id);
                true
            }
            Err(words) => {
                lock(desk).unreadable(&spec, &words);
                false
            }
        }
    }

    fn options(
        &self,
        settings: &Settings,
        needs: Vec<farm_master::Need>,
    ) -> Option<Box<TaskOptions>> {
        let limit = settings.limit.as_ref().map(|name| {
            let position = self.limits.iter().position(|limit| limit == name);
            let position = position.expect("the reader knows the declared limits");
            LimitId(u16::try_from(position).expect("at most 65535 limits"))
        });
        let defaults = TaskOptions::default();
        let options = TaskOptions {
            needs,
            limit,
            ..options_of(settings)
        };
        // Most tasks say nothing: they cost nothing.
        (options != defaults).then(|| Box::new(options))
    }
}

/// What a task's settings are to the farm, without its needs and its limit.
pub(in crate::command) fn options_of(settings: &Settings) -> TaskOptions {
    TaskOptions {
        priority: settings.priority,
        needs: Vec::new(),
        limit: None,
        waiting: None,
        starting: None,
        running: settings.timeout,
        stall: settings.stall,
        cpu: settings.cpu,
        memory: settings.memory,
        grace: settings.grace,
        retries: settings.retries.unwrap_or(Retries::NONE),
        crash_limit: settings.crash_limit.unwrap_or(CrashLimit::Deaths(2)),
        on_lost: settings.on_lost.unwrap_or(OnLost::Retry),
    }
}
