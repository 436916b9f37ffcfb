//! The fault maker: kills workers out of nowhere, whenever a schedule lets it.

use crate::message::Message;
use crate::world::Farm;
use farm_lockstep::{Cx, Event, Exit, Part, Process, SpawnOptions};

/// Ends any living worker with a signal that is not ours, as often as its budget allows.
pub(crate) struct FaultMaker {
    pub(crate) kills: u32,
}

/// How foreign deaths look: the signals of a segmentation fault, of the out-of-memory killer, of an abort.
const SIGNALS: [i32; 3] = [11, 9, 6];

impl FaultMaker {
    pub(crate) const fn options() -> SpawnOptions {
        let mut options = SpawnOptions::new("faults", crate::world::roles::FAULTS);
        options.part = Part::Fault;
        options
    }
}

impl Process<Farm, Message> for FaultMaker {
    fn step(&mut self, cx: &mut Cx<'_, Farm, Message>, event: Event<'_, Message>) {
        // Whoever starts a worker wakes it: turns without anything to hit would only be in everybody's way.
        if matches!(event, Event::Start) {
            let me = cx.me();
            cx.shared().fault_maker = Some(me);
        }
        let count = u32::try_from(cx.shared().workers.len()).unwrap_or(u32::MAX);
        if count > 0 && self.kills > 0 && cx.fault(1_000, "a worker is killed") {
            let which = cx.choose(count, "which worker");
            let (pid, session) = cx.shared().workers[which as usize];
            let exit =
                Exit::Signal(SIGNALS[cx.choose(SIGNALS.len() as u32, "by which signal") as usize]);
            cx.shared().ledger.died(session, exit);
            cx.trace(|| format!("kills {session}"));
            cx.kill(pid, exit);
            self.kills -= 1;
        }
        if self.kills > 0 && count > 0 {
            cx.again();
        }
    }
}
