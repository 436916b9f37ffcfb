//! How many workers there shall be, and what each of them holds, in the words of the machine.

use super::{MasterProcess, World};
use crate::message::Message;
use farm_master::Event;
use farm_protocol::{KindId, Session, SlotId};

impl MasterProcess {
    pub(super) fn resize(&mut self, cx: &mut World<'_>, kind: KindId, least: u32, most: u32) {
        cx.shared().ledger.resizes(kind, least, most);
        self.tell(cx, Event::Resize { kind, least, most });
    }

    /// A worker is measured. What came of it is told later: measuring takes its time.
    pub(super) fn weigh(&mut self, cx: &mut World<'_>, slot: SlotId, session: Session) {
        let memory = cx.shared().ledger.session(session).wear.memory();
        let me = cx.me();
        let weighed = Message::Weighed {
            slot,
            session,
            memory,
        };
        cx.send(me, weighed);
    }

    /// What a measurement came to; also of a process that has ended meanwhile.
    pub(super) fn weighed(
        &mut self,
        cx: &mut World<'_>,
        slot: SlotId,
        session: Session,
        memory: u64,
    ) {
        let now = cx.now();
        let ledger = &mut cx.shared().ledger;
        ledger.now = now;
        ledger.weighs(session, memory);
        self.tell(
            cx,
            Event::Weighed {
                slot,
                session,
                memory,
            },
        );
    }
}
