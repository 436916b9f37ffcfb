//! A recorded run, told to a machine of the same configuration, and compared call by call with
//! what the machine in the real run made of it.

use super::{Call, Head, KindAnswer, Made, RecordError, Recorded, Replaying, RunDecoder};
use crate::action::Actions;
use crate::affinity::Injected;
use crate::config::Config;
use crate::event::Event;
use crate::kinds::ResponseAnswer;
use crate::machine::Master;
use crate::words::{self, Side};
use farm_protocol::{Instant, KindId, TaskId};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A record with more slots than this is refused: no system has descriptors for them.
const MOST_SLOTS: u64 = 1 << 16;

/// How far a task's place may lie beyond the tasks met so far. Places are given out densely; the
/// slack is for tasks that were handed back before the machine heard of them.
const SLACK: u64 = 1 << 16;

/// One call, replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Which entry of the record; the first call is 1.
    pub entry: u64,
    /// The lines of the trace: the event, then each action. None unless they were asked for.
    pub lines: Vec<String>,
    /// How many actions the machine said.
    pub actions: u64,
    /// The message with which the machine panicked, here as in the record.
    pub panicked: Option<String>,
    /// What is not as recorded; nothing is replayed after it.
    pub difference: Option<Box<Difference>>,
}

/// The first call of which the machine made something else than the record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What the real run's machine made of it; `None`: it panicked.
    pub recorded: Option<Made>,
    /// What this machine made of it; `None`: it panicked.
    pub replayed: Option<Made>,
    /// How the calls of the kinds differ, or with which message this machine panicked.
    pub why: Option<String>,
    /// The event and what this machine said, as lines of the trace.
    pub lines: Vec<String>,
}

/// How far a replay is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Calls that were replayed.
    pub events: u64,
    /// Actions that the machine said.
    pub actions: u64,
    /// Something differed.
    pub diverged: bool,
    /// The record goes to the end of its run: it has its last entry, or the call over which the
    /// machine panicked. Otherwise it was cut off.
    pub whole: bool,
}

/// Feeds a record to a machine. It is given bytes by [`push`](Self::push) and gives a [`Step`] per call.
#[derive(Debug)]
pub struct Replayer {
    decoder: RunDecoder,
    room: Room,
    build: Option<String>,
    with_lines: bool,
    /// Met once, met for ever: the calls after a bad one would mean something else.
    failed: Option<RecordError>,
}

/// The machine and what is around it.
#[derive(Debug)]
struct Room {
    /// From the head on, until it panics.
    master: Option<Master>,
    kinds: usize,
    /// How many places tasks may have had so far.
    places: u64,
    start: Option<Instant>,
    actions: Actions,
    scratch: Vec<u8>,
    so_far: Replayed,
}

impl Replayer {
    /// Nothing has come yet; `with_lines`: every step shall have its lines.
    #[must_use]
    pub fn new(with_lines: bool) -> Self {
        Self {
            decoder: RunDecoder::new(),
            room: Room {
                master: None,
                kinds: 0,
                places: 0,
                start: None,
                actions: Actions::new(),
                scratch: Vec::new(),
                so_far: Replayed::default(),
            },
            build: None,
            with_lines,
            failed: None,
        }
    }

    /// Adds bytes of the record as they come.
    pub fn push(&mut self, bytes: &[u8]) {
        self.decoder.push(bytes);
    }

    /// Replays the next call; `None`: more bytes are needed, or nothing more is replayed because
    /// the record has ended or the last step differed.
    ///
    /// # Errors
    /// [`RecordError`]; nothing more can be replayed.
    pub fn next_step(&mut self) -> Result<Option<Step>, RecordError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let step = self.step();
        self.failed = step.as_ref().err().cloned();
        step
    }

    fn step(&mut self) -> Result<Option<Step>, RecordError> {
        loop {
            if self.room.so_far.diverged {
                return Ok(None);
            }
            let entry = self.decoder.entries();
            match self.decoder.next_entry()? {
                None => return Ok(None),
                Some(Recorded::Head(head)) => {
                    let Head { build, config } = *head;
                    self.build = Some(build);
                    self.room.enter(config)?;
                }
                Some(Recorded::Call(call)) => {
                    return self.room.replay(entry, call, self.with_lines).map(Some);
                }
                Some(Recorded::End { .. }) => self.room.so_far.whole = true,
            }
        }
    }

    /// Which program recorded, once that is known.
    #[must_use]
    pub fn build(&self) -> Option<&str> {
        self.build.as_deref()
    }

    /// How far it is.
    #[must_use]
    pub const fn so_far(&self) -> Replayed {
        self.room.so_far
    }
}

impl Room {
    fn enter(&mut self, config: Config) -> Result<(), RecordError> {
        let slots = config.kinds.iter().map(|kind| u64::from(kind.numbered()));
        let slots: u64 = slots.sum();
        let kinds = config.kinds.len();
        if slots > MOST_SLOTS || kinds > usize::from(u16::MAX) {
            let what = format!("{kinds} kinds with {slots} slots are more than any farm has");
            return Err(RecordError::Malformed { entry: 0, what });
        }
        self.kinds = kinds;
        self.master = Some(Master::new(config));
        Ok(())
    }

    /// What would cost memory or a panic although no real run has it: a kind or a place of a task
    /// that cannot have been.
    fn check(&mut self, call: &Call<'_>) -> Result<(), String> {
        let kind = match &call.event {
            Event::Submit { task, kind, .. } | Event::Offer { task, kind, .. } => {
                self.check_place(*task)?;
                Some(*kind)
            }
            Event::SetGate { kind, .. }
            | Event::SetOrder { kind, .. }
            | Event::Broadcast { kind }
            | Event::Finish { kind }
            | Event::Resize { kind, .. } => Some(*kind),
            Event::CancelAll { kind, .. } => *kind,
            Event::Cancel { .. }
            | Event::SetPriority { .. }
            | Event::EndWorker { .. }
            | Event::Withdraw { .. }
            | Event::OpenScope { .. }
            | Event::CloseScope { .. }
            | Event::CancelScope { .. }
            | Event::Shut(_)
            | Event::Spawned { .. }
            | Event::SpawnFailed { .. }
            | Event::Bytes { .. }
            | Event::Output { .. }
            | Event::Eof { .. }
            | Event::Exited { .. }
            | Event::Decoded { .. }
            | Event::Usage { .. }
            | Event::Weighed { .. }
            | Event::TokenCame
            | Event::TokensLost { .. }
            | Event::TokensCounted
            | Event::Wake => None,
        };
        if let Some(KindId(kind)) = kind.filter(|kind| usize::from(kind.0) >= self.kinds) {
            return Err(format!("there is no kind {kind}"));
        }
        for answer in &call.answers {
            if let KindAnswer::Response(ResponseAnswer::Taken { injected, .. }) = answer {
                for Injected { task, .. } in injected {
                    self.check_place(*task)?;
                }
            }
        }
        Ok(())
    }

    fn check_place(&mut self, task: TaskId) -> Result<(), String> {
        self.places += 1;
        if task.index() as u64 >= self.places + SLACK {
            return Err(format!("task {task} lies beyond every place given out"));
        }
        Ok(())
    }

    fn replay(
        &mut self,
        entry: u64,
        call: Call<'_>,
        with_lines: bool,
    ) -> Result<Step, RecordError> {
        self.check(&call)
            .map_err(|what| RecordError::Malformed { entry, what })?;
        let Call {
            now,
            event,
            answers,
            made: recorded,
        } = call;
        let start = *self.start.get_or_insert(now);
        // A difference is only known when the event is used up, so its words are kept for that.
        let told = words::line(start, now, Side::Event, &words::event(&event));
        let mut kinds = Replaying::new(answers);
        self.actions.clear();
        let master = self
            .master
            .as_mut()
            .expect("the decoder gives no call before the head, and none after a panic");
        let actions = &mut self.actions;
        // What a panic leaves half changed is dropped with the machine.
        let run = catch_unwind(AssertUnwindSafe(|| {
            master.handle(now, event, &mut kinds, actions);
        }));
        let (replayed, mut why) = match run {
            Ok(()) => (Some(Made::of(&self.actions, &mut self.scratch)), None),
            Err(panic) => {
                self.master = None;
                (None, Some(message(panic.as_ref())))
            }
        };
        let panicked = why.clone().filter(|_| recorded.is_none());
        let left = kinds.left();
        if let Some(other) = kinds.diverged() {
            why.get_or_insert_with(|| other.to_string());
        } else if replayed.is_some() && left > 0 {
            why.get_or_insert_with(|| {
                format!("{left} recorded answers of kinds were not asked for")
            });
        }
        let same = replayed == recorded && (why.is_none() || panicked.is_some());
        let count = self.actions.as_slice().len() as u64;
        self.so_far.events += 1;
        self.so_far.actions += count;
        self.so_far.diverged = !same;
        self.so_far.whole |= same && recorded.is_none();
        let lines = if with_lines || !same {
            self.lines(start, now, told)
        } else {
            Vec::new()
        };
        let difference = (!same).then(|| {
            Box::new(Difference {
                recorded,
                replayed,
                why,
                lines: lines.clone(),
            })
        });
        Ok(Step {
            entry,
            lines: if with_lines { lines } else { Vec::new() },
            actions: count,
            panicked,
            difference,
        })
    }

    fn lines(&self, start: Instant, now: Instant, told: String) -> Vec<String> {
        let mut lines = vec![told];
        lines.extend(self.actions.as_slice().iter().map(|action| {
            let words = words::action(action, &self.actions.bytes);
            words::line(start, now, Side::Action, &words)
        }));
        lines
    }
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_string())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_string())
}
