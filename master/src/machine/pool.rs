//! A kind's pool: its lane, who may start, its slots, and what was measured.

use super::offers::Offers;
use super::ready::{Ready, Stamp};
use super::starts::Starts;
use crate::affinity::QueueOrder;
use crate::config::KindConfig;
use crate::ends::Ends;
use crate::lane::Lane;
use crate::staffing::Recycle;
use crate::waits::Waits;
use farm_protocol::{Instant, Session};
use std::num::NonZeroUsize;
use std::ops::Range;
use std::time::Duration;

/// A worker is sent about this much work ahead: enough to hide the way of an answer and the next
/// request through the kernel, too little for anything to wait behind it.
const AHEAD: Duration = Duration::from_micros(300);

/// A measured task weighs one part in this many of the average.
const WEIGHT: u64 = 8;

#[derive(Debug)]
pub(super) struct Pool {
    pub(super) config: KindConfig,
    pub(super) lane: Lane,
    pub(super) ready: Ready,
    /// In which order tasks of equal priority start.
    pub(super) order: QueueOrder,
    /// How many tasks have come in.
    pub(super) arrivals: i64,
    /// How often the kind may have changed its mind about who may take what.
    pub(super) mind: u64,
    /// Of this mind the kind has said that a fresh worker would take none of the shared ones up to this stamp.
    pub(super) not_for_fresh: (u64, Stamp),
    /// Of this mind the kind has said that a fresh worker would take nothing that stands up to this stamp.
    pub(super) no_room_for: (u64, Stamp),
    /// What stands up to this stamp has been looked at for tasks that nothing lets start.
    pub(super) surveyed: Stamp,
    /// The ready tasks with a limit on the start of a worker.
    pub(super) starts: Starts,
    /// Its slots among all.
    pub(super) slots: Range<usize>,
    /// So many of them may have a process.
    pub(super) most: u32,
    /// It wants workers that the farm has no place for: who has wanted longer has the smaller number; and how many.
    pub(super) hunger: Option<(u64, usize)>,
    /// How long the last start took from spawn to hello.
    pub(super) start_took: Duration,
    /// Start failures in a row.
    pub(super) start_failures: u32,
    /// Sessions up to this one were begun before the last start failure.
    pub(super) failed_up_to: Session,
    /// No worker is started before this.
    pub(super) pause_until: Option<Instant>,
    /// Its workers cannot be started: the last failure.
    pub(super) ended: Option<String>,
    /// In a pool whose workers are somebody: none could be started, and none is started for later use, until something
    /// waits for a fresh one again.
    pub(super) gave_up: bool,
    /// A worker left what it would have taken, because something more urgent is there that others hold the key of.
    pub(super) own_behind: bool,
    /// Something could start and waits for room alone: so it was when last looked.
    pub(super) lacks: bool,
    /// Its place in the line of pools that lack room, since it has lacked it without a break.
    pub(super) lacks_since: Option<u64>,
    /// Who waits for room in the lane.
    pub(super) offers: Offers,
    /// Nothing starts any more and nothing is tried again.
    pub(super) finishing: bool,
    /// How many tasks ended without having been in the lane.
    pub(super) outside: u64,
    /// How its tasks have ended.
    pub(super) ends: Ends,
    /// How long they had waited.
    pub(super) waits: Waits,
    /// Something changed that may let a task start.
    pub(super) touched: bool,
    /// A look at unfairly held requests is due.
    pub(super) rebalancing: bool,
    /// Moving average of the time per task, in nanoseconds; 0 before the first.
    average_nanos: u64,
}

impl Pool {
    pub(super) fn new(mut config: KindConfig, slots: Range<usize>) -> Self {
        let most = slots
            .len()
            .saturating_mul(1 + config.credit_cap as usize)
            .max(1);
        let most = NonZeroUsize::new(most).expect("at least one");
        config.boundary.max_in_flight = config.boundary.max_in_flight.max(most);
        let least = &mut config.staffing.least;
        *least = (*least).min(config.slots);
        if config.staffing.named {
            // Who is somebody does not wear out.
            config.staffing.recycle = Recycle::default();
        }
        let mut lane = Lane::new(config.boundary);
        lane.set_injection_limit(config.injection_limit);
        Self {
            most: config.slots,
            hunger: None,
            start_took: Duration::ZERO,
            touched: config.staffing.least > 0,
            config,
            lane,
            ready: Ready::default(),
            order: QueueOrder::default(),
            arrivals: 0,
            mind: 0,
            not_for_fresh: (0, Stamp::default()),
            no_room_for: (0, Stamp::default()),
            surveyed: Stamp::default(),
            starts: Starts::default(),
            slots,
            start_failures: 0,
            failed_up_to: Session(0),
            pause_until: None,
            ended: None,
            gave_up: false,
            own_behind: false,
            lacks: false,
            lacks_since: None,
            offers: Offers::new(),
            finishing: false,
            outside: 0,
            ends: Ends::default(),
            waits: Waits::new(),
            rebalancing: false,
            average_nanos: 0,
        }
    }

    /// One task took this long.
    pub(super) fn measured(&mut self, ran: Duration) {
        let nanos = u64::try_from(ran.as_nanos()).unwrap_or(u64::MAX).max(1);
        self.average_nanos = match self.average_nanos {
            0 => nanos,
            average => (average - average / WEIGHT)
                .saturating_add(nanos / WEIGHT)
                .max(1),
        };
    }

    /// How many requests a worker may hold beyond the one it executes: hundreds when tasks take
    /// microseconds, none when they take long, so that nothing waits behind them.
    pub(super) fn credit(&self) -> usize {
        if self.config.credit_cap == 0 || self.average_nanos == 0 {
            return 0;
        }
        // A task costs the pipe about a microsecond, however short it is.
        let average = self.average_nanos.max(1_000);
        let ahead = u64::try_from(AHEAD.as_nanos()).unwrap_or(u64::MAX) / average;
        usize::try_from(ahead)
            .unwrap_or(usize::MAX)
            .min(self.config.credit_cap as usize)
    }

    /// Up to which stamp a fresh worker is known to take none of the shared ones.
    pub(super) fn known_not_for_fresh(&self) -> Stamp {
        let (mind, stamp) = self.not_for_fresh;
        if mind == self.mind {
            stamp
        } else {
            Stamp::default()
        }
    }
}
