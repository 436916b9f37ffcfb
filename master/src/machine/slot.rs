//! Slots and the sessions in them: what is known of one worker process.

use super::ready::{LineId, Stamp};
use super::timers::Timer;
use super::worn::{Wear, Worn};
use crate::evidence::MemoryVerdict;
use farm_protocol::{
    AffinityKey, AttemptId, FrameDecoder, FrameLimit, Greeting, Instant, KindId, Session, SlotId,
    TaskId, Termination,
};
use std::collections::{BTreeMap, VecDeque};

/// Of so many lines is remembered what a worker was refused: each line of a key may be another one.
const REFUSED_LINES: usize = 1 << 10;

/// A place for one worker process of one kind.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) id: SlotId,
    pub(super) kind: KindId,
    /// The process in it. `None`: closed, and free for the next.
    pub(super) process: Option<Process>,
}

/// One process in a slot.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) session: Session,
    pub(super) phase: Phase,
    /// Position of our kind in the worker's hello.
    pub(super) kind_there: KindId,
    /// Requests sent and not answered, in the order of sending.
    pub(super) in_flight: VecDeque<Flight>,
    /// How many requests were sent.
    pub(super) sent: u64,
    /// How many of them it answered: with none it is fresh.
    pub(super) settled: u64,
    /// It has done a task: in a pool whose workers are somebody, it is one.
    pub(super) somebody: bool,
    /// Whether it has a page. Without one it holds one request at a time.
    pub(super) page: bool,
    /// It executes a suspected task and gets nothing else.
    pub(super) solo: bool,
    /// It was asked to end.
    pub(super) asked_to_end: bool,
    /// When it last answered; before that, when it said hello; before that, when it was spawned.
    pub(super) last_answer: Instant,
    /// The strongest signal that we sent.
    pub(super) signalled: Option<crate::action::Signal>,
    /// SIGTERM was sent to it at some time: it may take effect at any later one.
    pub(super) termed: bool,
    /// Why we end it, if we do: such an end is our own and costs nobody anything.
    pub(super) ending: Option<Ending>,
    pub(super) eof: bool,
    pub(super) exit: Option<ExitFacts>,
    /// What falls due for its session, and when: cleared with it. What has fallen may still stand here.
    pub(super) armed: Vec<(Instant, Timer)>,
    /// The keys of what it knows already, ascending, each once.
    pub(super) keys: Vec<AffinityKey>,
    /// How much it has been used.
    pub(super) wear: Wear,
    /// What its kind has refused it.
    pub(super) refused: Refused,
}

/// Up to which stamp of each line the kind has said no to a worker, while it was of one mind.
#[derive(Debug, Default)]
pub(super) struct Refused {
    mind: u64,
    up_to: BTreeMap<LineId, Stamp>,
}

impl Refused {
    /// Up to which stamp the kind, which is of this mind now, has refused what stands in a line.
    pub(super) fn up_to(&self, line: LineId, mind: u64) -> Stamp {
        let known = self.up_to.get(&line).filter(|_| mind == self.mind);
        known.copied().unwrap_or_default()
    }

    pub(super) fn note(&mut self, line: LineId, mind: u64, stamp: Stamp) {
        // What is forgotten is asked again.
        if self.mind != mind || self.up_to.len() >= REFUSED_LINES {
            self.up_to.clear();
            self.mind = mind;
        }
        self.up_to.insert(line, stamp);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.up_to.len()
    }
}

/// The life of a worker process.
#[derive(Debug)]
pub(super) enum Phase {
    /// It has not said hello.
    Launching(Greeting),
    /// It takes requests.
    Running(FrameDecoder),
    /// It gets nothing new; what it holds may still be answered. It is asked to end when it holds nothing.
    Closing(FrameDecoder),
    /// It said something that is no protocol, or never said hello: its bytes are not read any more.
    Deaf,
}

/// Why we end a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The kind wants a new one, or one has to make room.
    Replaced,
    /// It is worn.
    Recycled(Worn),
    /// There is nothing for it to do, or others need its place.
    Unneeded,
    /// The farm is closing.
    Closing,
    /// It could not be started as it should; the message says why.
    StartFailed(String),
    /// An attempt on it had to be killed.
    Ladder,
    /// It closed its answers and lived on: it can never answer again. That is its death, not our wish.
    Mute,
    /// It said nonsense; its task is settled already.
    Babbled(String),
}

/// One request on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Flight {
    pub(super) id: AttemptId,
    pub(super) number: u64,
    /// It was asked back in case it has not begun.
    pub(super) recalled: bool,
    /// Its answer is here and is being decoded off the loop.
    pub(super) decoding: Option<Decoding>,
    /// `perform` panicked with this message; the worker is about to end.
    pub(super) panicked: Option<String>,
}

/// What the header of an answer said that is being decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decoding {
    pub(super) left_behind: bool,
}

/// What is kept of an exit until the answers have been read to their end.
#[derive(Debug)]
pub(super) struct ExitFacts {
    pub(super) termination: Termination,
    pub(super) noted: Option<farm_protocol::page::Noted>,
    pub(super) last_words: Vec<u8>,
    pub(super) peak_bytes: Option<u64>,
    pub(super) memory: MemoryVerdict,
}

impl Process {
    pub(super) fn launching(session: Session, limit: FrameLimit, wear: Wear, now: Instant) -> Self {
        Self {
            session,
            phase: Phase::Launching(Greeting::new(limit)),
            kind_there: KindId(0),
            in_flight: VecDeque::new(),
            sent: 0,
            settled: 0,
            somebody: false,
            page: false,
            solo: false,
            asked_to_end: false,
            last_answer: now,
            signalled: None,
            termed: false,
            ending: None,
            eof: false,
            exit: None,
            armed: Vec::new(),
            keys: Vec::new(),
            wear,
            refused: Refused::default(),
        }
    }

    /// Whether nothing was ever sent to it.
    pub(super) const fn is_fresh(&self) -> bool {
        self.sent == 0
    }

    /// Whether it takes another request when it may hold `credit` beyond the one it executes.
    pub(super) fn takes(&self, credit: usize) -> bool {
        // One that is to go soon is sent nothing that would have to come back.
        let ahead = self.page && !self.solo && !self.wear.is_worn();
        let credit = if ahead { credit } else { 0 };
        self.serves() && self.in_flight.len() <= credit
    }

    /// Whether it has said hello, lives and is not to go, whatever it has to do.
    pub(super) fn serves(&self) -> bool {
        let running = matches!(self.phase, Phase::Running(_)) && self.ending.is_none();
        running && self.exit.is_none() && !self.eof
    }

    /// Whether it takes requests and has none.
    pub(super) fn is_idle(&self) -> bool {
        self.takes(0) && self.in_flight.is_empty()
    }

    /// Whether it has said hello, well or badly.
    #[cfg(test)]
    pub(super) const fn said_hello(&self) -> bool {
        !matches!(self.phase, Phase::Launching(_))
    }

    pub(super) fn flight(&self, task: TaskId) -> Option<usize> {
        self.in_flight
            .iter()
            .position(|flight| flight.id.task == task)
    }
}

impl Slot {
    /// The process, if it is this session. Anything else is stale.
    pub(super) fn of(&mut self, session: Session) -> Option<&mut Process> {
        self.process
            .as_mut()
            .filter(|process| process.session == session)
    }
}
