//! The fault maker: kills workers out of nowhere, whenever a schedule lets it.

use crate::message::Message;
use crate::world::Farm;
use farm_lockstep::{Cx, Event, Exit, Part, Process, SpawnOptions};

/// Ends any living worker with a signal that is not ours, as often as its budget allows.
pub(crate) struct FaultMaker {
    /// The steps from which on each kill may come, the latest first.
    kills: Vec<u64>,
}

/// How foreign deaths look: the signals of a segmentation fault, of the out-of-memory killer, of an abort.
const SIGNALS: [i32; 3] = [11, 9, 6];

impl FaultMaker {
    pub(crate) fn new(mut kills: Vec<u64>) -> Box<Self> {
        kills.sort_unstable_by(|one, other| other.cmp(one));
        Box::new(Self { kills })
    }

    pub(crate) const fn options() -> SpawnOptions {
        let mut options = SpawnOptions::new("faults", crate::world::roles::FAULTS);
        options.part = Part::Fault;
        options
    }

    fn kill_one(&mut self, cx: &mut Cx<'_, Farm, Message>) -> bool {
        let mut living = cx.shared().workers.clone();
        living.retain(|(pid, _)| cx.is_alive(*pid));
        let count = u32::try_from(living.len()).unwrap_or(u32::MAX);
        if count == 0 || !cx.fault(1_000, "a worker is killed") {
            return false;
        }
        let (pid, session) = living[cx.choose(count, "which worker") as usize];
        let exit =
            Exit::Signal(SIGNALS[cx.choose(SIGNALS.len() as u32, "by which signal") as usize]);
        cx.shared().ledger.died(session, exit);
        cx.trace(|| format!("kills {session}"));
        cx.kill(pid, exit);
        true
    }
}

impl Process<Farm, Message> for FaultMaker {
    fn step(&mut self, cx: &mut Cx<'_, Farm, Message>, _: Event<'_, Message>) {
        let due = |kills: &[u64], step| kills.last().is_some_and(|at| *at <= step);
        let step = cx.step();
        if due(&self.kills, step) && self.kill_one(cx) {
            self.kills.pop();
            if due(&self.kills, step) {
                cx.again();
            }
        }
        // The master wakes it then: turns without anything to do would only be in everybody's way.
        let me = cx.me();
        cx.shared().next_kill = self.kills.last().map(|at| (*at, me));
    }
}
