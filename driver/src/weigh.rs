//! Weighing workers: what one holds with everything below it, once each time that the machine asks.
//!
//! The first time is at its hello, and done at once: a moment later its first task may have begun, whose memory is no
//! part of what it holds without. All others take turns, a little in each turn of the loop: a family may be large.

use crate::process::Place;
use crate::system::memory_and_children;
use crate::turn::Loop;
use farm_protocol::Instant;
use rustix::process::Pid;
use std::collections::VecDeque;
use std::mem;
use std::time::Duration;

/// So many processes of a worker are looked at for its first weight. One that has more below it before its first task
/// seems lighter then than it is.
const AT_HELLO: usize = 64;

/// So many of it are looked at later on: whoever has more is not worth the loop's time.
const FAMILY: usize = 4096;

/// The longest that is weighed before others have their turn. One process is looked at in any case, which takes some
/// hundredths of a millisecond.
const AT_ONCE: Duration = Duration::from_millis(1);

/// Weighing takes one part in this many of the loop's time at most.
const SHARE: u32 = 10;

/// What one look at a process finds: what it holds, in bytes, and its children.
type Look = (u64, Vec<Pid>);

/// A family that is being weighed.
///
/// Each process is looked at before its children. One that ends meanwhile is missed; its number is another's only after
/// the system has given out all others.
#[derive(Debug)]
struct Weighing {
    family: Vec<Pid>,
    next: usize,
    held: u64,
}

impl Weighing {
    const fn of(leaders: Vec<Pid>) -> Self {
        Self {
            family: leaders,
            next: 0,
            held: 0,
        }
    }

    /// Looks at the next process. Whether there was one, up to so many in all.
    fn step(&mut self, most: usize, look: &mut impl FnMut(Pid) -> Look) -> bool {
        let Some(member) = self.family.get(self.next).filter(|_| self.next < most) else {
            return false;
        };
        let (held, children) = look(*member);
        self.next += 1;
        self.held = self.held.saturating_add(held);
        let room = most.saturating_sub(self.family.len());
        self.family.extend(children.into_iter().take(room));
        true
    }
}

/// Whose weight is asked for. At most one question of each worker is open: the machine waits for the answer.
#[derive(Debug, Default)]
pub(crate) struct Scales {
    /// Their turn has not come.
    waiting: VecDeque<Place>,
    current: Option<(Place, Weighing)>,
    /// When it goes on.
    due: Instant,
    /// Who was weighed and not told, with what it holds in bytes.
    weighed: Vec<(Place, u64)>,
}

impl Scales {
    /// When something is to be done; `None`: nothing is.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        if !self.weighed.is_empty() {
            return Some(Instant::START);
        }
        let waits = self.current.is_some() || !self.waiting.is_empty();
        waits.then_some(self.due)
    }

    fn at_once(&mut self, place: Place, leaders: Vec<Pid>, mut look: impl FnMut(Pid) -> Look) {
        let mut weighing = Weighing::of(leaders);
        while weighing.step(AT_HELLO, &mut look) {}
        self.weighed.push((place, weighing.held));
    }

    /// Goes on for a while, if it is time. `leaders` says of which processes a family consists at first, and nothing of
    /// who is gone.
    fn go_on(
        &mut self,
        clock: impl Fn() -> Instant,
        mut leaders: impl FnMut(Place) -> Option<Vec<Pid>>,
        mut look: impl FnMut(Pid) -> Look,
    ) {
        let begin = clock();
        let waits = self.current.is_some() || !self.waiting.is_empty();
        if !waits || self.due > begin {
            return;
        }
        let current = self.current.take();
        self.current = current.filter(|(place, _)| leaders(*place).is_some());
        let mut now = begin;
        while now.since(begin) < AT_ONCE {
            let Some((place, weighing)) = &mut self.current else {
                let Some(place) = self.waiting.pop_front() else {
                    break;
                };
                self.current = leaders(place).map(|leaders| (place, Weighing::of(leaders)));
                continue;
            };
            if !weighing.step(FAMILY, &mut look) {
                self.weighed.push((*place, weighing.held));
                self.current = None;
            }
            now = clock();
        }
        self.due = now.after(now.since(begin) * SHARE);
    }
}

impl Loop {
    /// The machine wants to know what this worker holds. It is told later, and not at all of one that is gone.
    pub(crate) fn weigh(&mut self, place: Place) {
        let Some(process) = self.workers.get(place) else {
            return;
        };
        if mem::replace(&mut process.weighed, true) {
            self.scales.waiting.push_back(place);
        } else {
            let leaders = process.body.leaders();
            self.scales.at_once(place, leaders, memory_and_children);
        }
    }

    /// Weighs some, and gives those that are weighed.
    pub(crate) fn weigh_some(&mut self) -> Vec<(Place, u64)> {
        if !self.clock.stands() {
            let (clock, workers) = (&self.clock, &mut self.workers);
            self.scales.go_on(
                || clock.now(),
                |place| workers.get(place).map(|process| process.body.leaders()),
                memory_and_children,
            );
        }
        mem::take(&mut self.scales.weighed)
    }
}

#[cfg(test)]
mod tests {
    //! A large family takes many turns, others have theirs, and nobody is weighed who is gone.
    use super::*;
    use farm_protocol::{Session, SlotId};
    use std::cell::Cell;

    /// How long a look takes.
    const TOOK: Duration = Duration::from_micros(300);

    const fn place(number: u32) -> Place {
        Place {
            slot: SlotId(number),
            session: Session(1),
        }
    }

    fn pid(number: i32) -> Pid {
        Pid::from_raw(number).expect("a pid")
    }

    /// Processes that hold a byte each; the leader of a worker's has `children`. It counts the looks.
    struct World {
        now: Cell<Instant>,
        looks: Cell<usize>,
        children: i32,
    }

    impl World {
        fn new(children: i32) -> Self {
            Self {
                now: Cell::new(Instant::START),
                looks: Cell::new(0),
                children,
            }
        }

        fn look(&self, member: Pid) -> Look {
            self.now.set(self.now.get().after(TOOK));
            self.looks.set(self.looks.get() + 1);
            let leads = member.as_raw_nonzero().get() < 10;
            let children = if leads { self.children } else { 0 };
            (1, (0..children).map(|child| pid(10 + child)).collect())
        }

        /// One turn: what has been weighed, after how many looks.
        fn turn(&self, scales: &mut Scales, gone: Option<Place>) -> (Vec<(Place, u64)>, usize) {
            let before = self.looks.get();
            let leaders = |place: Place| {
                let number = i32::try_from(place.slot.0).expect("few");
                (gone != Some(place)).then(|| vec![pid(1 + number)])
            };
            scales.go_on(|| self.now.get(), leaders, |member| self.look(member));
            let looks = self.looks.get() - before;
            (mem::take(&mut scales.weighed), looks)
        }
    }

    #[test]
    fn a_large_family_takes_its_turns() {
        let (world, mut scales) = (World::new(99), Scales::default());
        scales.waiting.extend([place(0), place(1)]);
        let (mut weighed, mut turns) = (Vec::new(), 0);
        while let Some(due) = scales.deadline() {
            let began = world.now.get();
            let (some, looks) = world.turn(&mut scales, None);
            weighed.extend(some);
            assert!(looks <= 4, "{looks} looks before others have their turn");
            let spent = world.now.get().since(began);
            if spent > Duration::ZERO {
                turns += 1;
                let next = scales.due.since(world.now.get());
                assert_eq!(next, spent * SHARE, "it rests in between");
            } else {
                world.now.set(due.max(began.after(TOOK)));
            }
        }
        assert_eq!(weighed, [(place(0), 100), (place(1), 100)]);
        assert!(turns >= 50, "{turns}");
    }

    #[test]
    fn the_first_weight_is_there_at_once_and_bounded() {
        let (world, mut scales) = (World::new(1000), Scales::default());
        scales.at_once(place(0), vec![pid(1)], |member| world.look(member));
        assert_eq!(scales.weighed, [(place(0), AT_HELLO as u64)]);
        assert_eq!(scales.deadline(), Some(Instant::START));
    }

    #[test]
    fn who_is_gone_is_not_weighed() {
        let (world, mut scales) = (World::new(99), Scales::default());
        scales.waiting.extend([place(0), place(1)]);
        assert_eq!(world.turn(&mut scales, None), (vec![], 4));
        world.now.set(scales.due);
        world.turn(&mut scales, Some(place(0)));
        let current = scales.current.as_ref().map(|(place, _)| *place);
        assert_eq!(current, Some(place(1)));
    }
}
