//! Longer moves on the stage, made of the small ones, and ways to look at it.

use super::*;
use farm_protocol::Progress;

/// The default options, changed.
pub(in super::super) fn options(change: impl FnOnce(&mut TaskOptions)) -> TaskOptions {
    let mut options = TaskOptions::default();
    change(&mut options);
    options
}

/// Retries without a delay.
pub(in super::super) fn retries(count: u32) -> crate::Retries {
    crate::Retries::immediate(count)
}

pub(in super::super) const TERMED: Termination = Termination::Signaled {
    signal: 15,
    core_dumped: false,
};

impl Stage {
    /// A stage whose `slots` workers have answered one task each and are idle; what follows is
    /// task `slots` and session `slots + 1`.
    pub(in super::super) fn warm(slots: u32, credit: u32) -> Self {
        Self::warm_with(config(slots, credit))
    }

    /// As `warm`, of a configuration whose first kind has all the slots that are warmed.
    pub(in super::super) fn warm_with(config: Config) -> Self {
        let slots = config.kinds[0].slots;
        let mut stage = Self::new(config);
        let mut tasks = vec![];
        for slot in 0..slots {
            tasks.push(stage.task());
            stage.hello(slot, u64::from(slot) + 1);
        }
        for (slot, task) in (0..).zip(tasks) {
            stage.reply(slot, u64::from(slot) + 1, id(task, 1), OK);
        }
        stage.skip();
        stage
    }

    pub(in super::super) fn submit_to(&mut self, kind: u16, options: TaskOptions) -> TaskId {
        let task = self.next_id();
        self.tell(Event::Submit {
            task,
            kind: KindId(kind),
            entry: Entry::Push,
            options: Some(Box::new(options)),
            scope: None,
        });
        task
    }

    /// An id for a task that comes in another way than by `submit`.
    pub(in super::super) fn next_id(&mut self) -> TaskId {
        let task = TaskId::new(self.next_task, 0);
        self.next_task += 1;
        task
    }

    pub(in super::super) fn cancel(&mut self, task: TaskId) {
        self.tell(Event::Cancel {
            task,
            reason: "enough".into(),
        });
    }

    pub(in super::super) fn eof(&mut self, slot: u32, session: u64) {
        self.tell(Event::Eof {
            slot: SlotId(slot),
            session: Session(session),
        });
    }

    /// The process is gone; it had no page.
    pub(in super::super) fn die_without_page(
        &mut self,
        slot: u32,
        session: u64,
        termination: Termination,
    ) {
        self.eof(slot, session);
        let exit = Exit {
            termination,
            noted: None,
            evidence: MemoryEvidence::default(),
        };
        self.tell(Event::Exited {
            slot: SlotId(slot),
            session: Session(session),
            exit,
        });
    }

    pub(in super::super) fn acked(&mut self, slot: u32, session: u64, id: AttemptId) {
        let flags = ReplyFlags {
            heeded_cancel: true,
            left_behind: false,
        };
        self.reply_with(slot, session, id, OK, flags);
    }

    pub(in super::super) fn revoked(&mut self, slot: u32, session: u64, id: AttemptId) {
        self.about(slot, session, FrameKind::Revoked, id, "");
    }

    /// What an attempt uses was measured; the page says that it executes.
    pub(in super::super) fn usage(
        &mut self,
        slot: u32,
        session: u64,
        id: AttemptId,
        cpu: Duration,
        memory: u64,
    ) {
        self.usage_while(slot, session, id, Some(id), cpu, memory);
    }

    pub(in super::super) fn usage_while(
        &mut self,
        slot: u32,
        session: u64,
        id: AttemptId,
        executing: Option<AttemptId>,
        cpu: Duration,
        memory: u64,
    ) {
        let noted = Noted {
            executing,
            ..Noted::default()
        };
        self.tell(Event::Usage {
            slot: SlotId(slot),
            session: Session(session),
            id,
            sample: Sample { cpu, memory, noted },
        });
    }

    /// The worker says how far an attempt is.
    pub(in super::super) fn progress(
        &mut self,
        slot: u32,
        session: u64,
        id: AttemptId,
        progress: &Progress,
    ) {
        let header = AttemptHeader {
            number: self.numbers[&id],
            id,
        };
        let mut out = Vec::new();
        let kind = FrameKind::Progress;
        attempt_frame_body::<FrameError>(&mut out, kind, &header, DEFAULT_FRAME_LIMIT, |out| {
            encode_into(progress, out, 1000).expect("encodes");
            Ok(())
        })
        .expect("short");
        self.say(slot, session, &out);
    }

    /// A large response was decoded to this letter.
    pub(in super::super) fn decoded(
        &mut self,
        slot: u32,
        session: u64,
        id: AttemptId,
        letter: &[u8],
    ) {
        self.tell(Event::Decoded {
            slot: SlotId(slot),
            session: Session(session),
            id,
            handle: u64::from(letter[0]),
        });
    }

    pub(in super::super) fn gate(&mut self, gate: crate::lane::Gate) {
        self.tell(Event::SetGate {
            kind: KindId(0),
            gate,
        });
    }

    /// Lets the time pass to the machine's next deadline and says how many milliseconds that was.
    #[track_caller]
    pub(in super::super) fn await_deadline(&mut self) -> u64 {
        let deadline = self.master.deadline().expect("a deadline is set");
        let span = deadline.since(self.now);
        self.now = deadline.max(self.now);
        self.tell(Event::Wake);
        u64::try_from(span.as_millis()).expect("short")
    }

    /// The lines since the last look, for scenarios that count them.
    pub(in super::super) fn lines(&mut self) -> Vec<String> {
        std::mem::take(&mut self.log)
    }

    pub(in super::super) fn is_settled(&self, task: TaskId) -> bool {
        self.settled.contains_key(&task)
    }

    /// Where a task was sent last.
    pub(in super::super) fn slot_of(&self, task: TaskId) -> u32 {
        self.sent_to[&task].0
    }

    /// The id that the next task gets.
    pub(in super::super) fn peek_id(&self) -> TaskId {
        TaskId::new(self.next_task, 0)
    }

    /// Forgets the oldest line.
    pub(in super::super) fn drop_line(&mut self) {
        self.log.remove(0);
    }

    /// The sessions that have said hello and are not gone: slot, session, and what is with each in order.
    pub(in super::super) fn workers(&self) -> Vec<(u32, u64, Vec<AttemptId>)> {
        let slots = self.master.slots.iter();
        slots
            .filter_map(|slot| Some((slot.id.0, slot.process.as_ref()?)))
            .filter(|(_, process)| process.said_hello())
            .map(|(slot, process)| {
                let ids = process.in_flight.iter().map(|flight| flight.id).collect();
                (slot, process.session.0, ids)
            })
            .collect()
    }

    /// The sessions that have not said hello.
    pub(in super::super) fn launching(&self) -> Vec<(u32, u64)> {
        let slots = self.master.slots.iter();
        slots
            .filter_map(|slot| Some((slot.id.0, slot.process.as_ref()?)))
            .filter(|(_, process)| !process.said_hello())
            .map(|(slot, process)| (slot, process.session.0))
            .collect()
    }
}
