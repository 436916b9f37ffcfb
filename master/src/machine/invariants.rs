//! What must hold between the parts after every step. For tests and simulations: it walks everything.

mod scopes;

use super::Master;
use super::ready::LineId;
use super::slot::{Phase, Process};
use super::task::{Place, State, Task, key};
use super::timers::Timer;
use crate::lane::{Entry, TaskState};
use crate::mutation::Mutation;
use crate::options::LimitId;
use farm_protocol::KindId;

impl Master {
    /// Who waits for room is counted and has none, and every task that came is here or has ended.
    fn check_sums(&self) {
        let mut offered = 0;
        for (kind, pool) in (0..).map(KindId).zip(&self.pools) {
            let full = pool.lane.room() == 0 && pool.lane.permits(Entry::Push);
            assert!(pool.offers.is_empty() || full, "who waits for room has it");
            offered += pool.offers.len();
            let sums = self.sums(kind);
            let here = sums.running + sums.queued;
            // What these lose is for whoever looks from outside to find.
            let loses = self.config.mutation.is(Mutation::LostWhileBooting)
                || self.config.mutation.is(Mutation::RevokedForgotten);
            assert!(
                loses || sums.came == here + sums.ends.total(),
                "they add up: {sums:?}"
            );
        }
        assert_eq!(self.offered, offered, "who waits for room is counted");
    }

    /// Asserts the invariants between tasks, lanes, slots and timers.
    ///
    /// # Panics
    /// When one is broken.
    pub fn check_invariants(&self) {
        for pool in &self.pools {
            pool.lane.check_invariants();
        }
        self.check_sums();
        let (mut ready, mut with_workers) = (0, 0);
        for task in self.tasks.iter() {
            let pool = &self.pools[task.kind.0 as usize];
            let lane = pool.lane.state(key(task.id));
            let agrees = match task.state() {
                State::Needing { .. } | State::Parked => {
                    matches!(lane, Some(TaskState::Queued { .. }))
                }
                State::Ready => {
                    ready += 1;
                    matches!(lane, Some(TaskState::Queued { seq }) if seq == task.seq)
                }
                State::Sent(_) => matches!(lane, Some(TaskState::InFlight { .. })),
                State::Stopping(..) => matches!(lane, Some(TaskState::Cancelled { .. })),
                State::Delayed { .. } => {
                    matches!(
                        lane,
                        Some(TaskState::Failed { .. } | TaskState::Cancelled { .. })
                    )
                }
            };
            assert!(
                agrees,
                "{} is {:?}, its lane says {lane:?}",
                task.id,
                task.state()
            );
            if let Some(place) = task.place() {
                with_workers += 1;
                let process = self.slots[place.slot.0 as usize].process.as_ref();
                let process = process.filter(|process| process.session == place.session);
                let process = process.expect("a task is with a process that lives");
                self.check_pin(task, place);
                assert!(
                    process.flight(task.id).is_some(),
                    "{} is not with its worker",
                    task.id
                );
            }
        }
        assert_eq!(
            ready,
            self.pools
                .iter()
                .map(|pool| pool.ready.len())
                .sum::<usize>()
        );
        let processes = self.slots.iter().filter_map(|slot| slot.process.as_ref());
        let flights: usize = processes.map(|process| process.in_flight.len()).sum();
        assert_eq!(
            flights, with_workers,
            "a worker holds what is no task of ours"
        );
        self.check_queues();
        self.check_timers();
        self.check_limits();
        self.check_starts();
        self.check_places();
        self.check_scopes();
        self.check_tokens();
    }

    /// What is for one process is with that one.
    fn check_pin(&self, task: &Task, place: Place) {
        let pinned = task.pin.map(|pin| (pin.slot, pin.session));
        let elsewhere = pinned.is_some_and(|pin| pin != (place.slot, place.session));
        let given_away = self.config.mutation.is(Mutation::PinnedGivenAway);
        assert!(
            given_away || !elsewhere,
            "{} is for {pinned:?} and with {}",
            task.id,
            place.session
        );
    }

    /// There are no more processes than there may be, and nobody wants a place that is free.
    fn check_places(&self) {
        let processes = self.slots.iter().filter(|slot| slot.process.is_some());
        let most = self
            .config
            .workers
            .map_or(usize::MAX, |most| most.get() as usize);
        assert!(processes.count() <= most, "more workers than {most}");
        let wanted = self.hungriest();
        let free = self.farm_room() > 0;
        assert!(
            wanted.is_none() || !free,
            "pool {wanted:?} wants a place that is free"
        );
        for (index, pool) in self.pools.iter().enumerate() {
            let staying = self.staying_for_long(index);
            assert!(
                staying <= pool.most as usize || self.all_are_somebody(index),
                "pool {index} has {staying} workers"
            );
            let kept = self.shut.is_some() || pool.pause_until.is_some() || pool.ended.is_some();
            // Under a limit of tokens they come one after the other.
            let kept = kept || self.is_limited();
            let missing = self.missing(index).min(self.own_room(index));
            assert!(
                kept || missing == 0 || pool.hunger.is_some(),
                "pool {index} has too few"
            );
        }
    }

    /// The limit on the start of a worker counts for ready tasks alone, and not beside a worker.
    fn check_starts(&self) {
        for (index, pool) in self.pools.iter().enumerate() {
            let worker = self.has_worker(index);
            for (id, counts) in pool.starts.iter() {
                let task = self.tasks.at(id);
                assert!(matches!(task.state(), State::Ready), "{id} is not ready");
                assert_eq!(
                    task.starting_until.is_some(),
                    counts,
                    "{id} is in the wrong row"
                );
                assert!(!counts || !worker, "{id} has somebody who could start it");
            }
        }
        let limited = |task: &&Task| {
            let defaults = &self.pools[task.kind.0 as usize].config.defaults;
            matches!(task.state(), State::Ready) && task.options(defaults).starting.is_some()
        };
        let rows = self.pools.iter().map(|pool| pool.starts.iter().count());
        assert_eq!(
            rows.sum::<usize>(),
            self.tasks.iter().filter(limited).count()
        );
    }

    /// Each waiting task stands in the queue of its state, and where it could start, it has.
    fn check_queues(&self) {
        for (index, pool) in self.pools.iter().enumerate() {
            let kind = KindId(u16::try_from(index).expect("a pool per kind"));
            let of_kind = |state: fn(&State) -> bool| {
                let tasks = self.tasks.iter().filter(move |task| task.kind == kind);
                tasks.filter(move |task| state(task.state()))
            };
            let ready = || of_kind(|state| matches!(state, State::Ready));
            for (line, _) in ready().filter_map(|task| task.stands) {
                if let LineId::Pinned(session) = line {
                    let slots = &mut self.slots[pool.slots.clone()].iter();
                    let there = slots
                        .filter_map(|slot| slot.process.as_ref())
                        .any(|process| process.session == session && process.ending.is_none());
                    assert!(there, "a task is pinned to {session}, which is gone");
                }
            }
            assert!(!pool.touched, "{kind} was touched and not looked at");
            let processes = || self.slots[pool.slots.clone()].iter();
            let empty = self.own_room(index) > 0 && pool.hunger.is_none();
            // A worker that could not start and is being killed has its exit before it, and so has one that is half gone.
            let comes = |process: &Process| {
                let leaves = process.ending.is_some() || process.eof || process.exit.is_some();
                leaves || matches!(process.phase, Phase::Launching(_))
            };
            let staffed = !empty
                || processes()
                    .filter_map(|slot| slot.process.as_ref())
                    .any(comes);
            let waits = pool.lane.gate().starts() && pool.pause_until.is_none();
            // One that has just refused all of it shows that no other would take it, and so until it is gone.
            let refused = |process: &Process| {
                let dies = process.exit.is_some() || process.eof;
                process.is_fresh() && (dies || process.is_idle())
            };
            let refused = processes()
                .filter_map(|slot| slot.process.as_ref())
                .any(refused);
            let for_fresh = ready().any(|task| match task.stands {
                Some((LineId::Pinned(_), _)) => false,
                Some((LineId::Shared, _)) => {
                    let line = pool.ready.line(LineId::Shared);
                    line.is_some_and(|line| line.newest() > pool.known_not_for_fresh())
                }
                Some((LineId::Solo | LineId::Prefers(_) | LineId::Requires(_), _)) => true,
                None => panic!("{} is ready and stands nowhere", task.id),
            });
            assert!(
                !waits || refused || !for_fresh || staffed || self.lacks_room(index),
                "a task of {kind} waits, a slot is empty, and nobody comes"
            );
            if let Some(error) = &pool.ended {
                assert!(ready().next().is_none(), "{kind} has ended: {error}");
            }
        }
        let solo = |process: &&Process| process.solo && process.in_flight.len() > 1;
        let processes = self.slots.iter().filter_map(|slot| slot.process.as_ref());
        assert_eq!(
            processes.filter(solo).count(),
            0,
            "a suspected task has company"
        );
    }

    /// What a task waits for will happen, and no timer outlives its task.
    fn check_timers(&self) {
        for task in self.tasks.iter() {
            let armed = |at: Option<_>, timer| at.is_none_or(|at| self.timers.has(at, timer));
            let delay = match task.state() {
                State::Delayed { until } => Some(*until),
                State::Needing { .. }
                | State::Ready
                | State::Parked
                | State::Sent(_)
                | State::Stopping(..) => None,
            };
            assert!(
                armed(delay, Timer::Delay(task.id)),
                "{} sleeps for ever",
                task.id
            );
            assert!(armed(task.running_until, Timer::Running(task.id)));
            assert!(armed(task.waiting_until, Timer::Waiting(task.id)));
            assert!(armed(task.stall_until, Timer::Stall(task.id)));
            assert!(armed(task.starting_until, Timer::Starting(task.id)));
            let runs = matches!(task.state(), State::Sent(_));
            let counts = task.running_until.is_some() || task.stall_until.is_some();
            assert!(
                runs || !counts && !task.watched,
                "{} counts at rest",
                task.id
            );
        }
        for (_, timer) in self.timers.iter() {
            match timer {
                Timer::Running(id)
                | Timer::Stall(id)
                | Timer::Starting(id)
                | Timer::Waiting(id)
                | Timer::Delay(id) => {
                    assert!(self.tasks.get(id).is_some(), "{timer:?} outlived its task");
                }
                Timer::Hello(slot, session)
                | Timer::CloseTerminate(slot, session)
                | Timer::CloseKill(slot, session)
                | Timer::Aged(slot, session)
                | Timer::Idle(slot, session) => {
                    let process = self.slots[slot.0 as usize].process.as_ref();
                    let there = process.is_some_and(|process| process.session == session);
                    assert!(there, "{timer:?} outlived its session");
                }
                Timer::Pause(_) | Timer::Rebalance(_) => {}
                Timer::Group(scope) => {
                    assert!(
                        self.scopes.get(scope).is_some(),
                        "{timer:?} outlived its scope"
                    );
                }
            }
        }
    }

    /// A limit counts what is in flight under it, and nobody is parked at one that has room unless
    /// another of its kind has been woken for that room.
    fn check_limits(&self) {
        let limit_of = |task: &Task| -> Option<LimitId> {
            let defaults = &self.pools[task.kind.0 as usize].config.defaults;
            task.options(defaults).limit
        };
        for (limit, room, parked) in self.limits.iter() {
            let under = || {
                self.tasks
                    .iter()
                    .filter(|task| limit_of(task) == Some(limit))
            };
            let with_workers = under().filter(|task| task.place().is_some()).count();
            let cap = self.config.limits[limit.0 as usize].get() as usize;
            assert_eq!(with_workers + room, cap, "{limit:?} is miscounted");
            let states = under()
                .filter(|task| matches!(task.state(), State::Parked))
                .count();
            assert_eq!(states, parked.len(), "a parked task is in no row");
            for (kind, id) in parked {
                let woken =
                    under().any(|task| task.kind == kind && matches!(task.state(), State::Ready));
                assert!(room == 0 || woken, "{id} is parked and {limit:?} has room");
            }
        }
    }
}
