//! The loop: waits on everything at once, tells the machine what happened, does what it says.
//!
//! One turn: wait; then workers' pipes and exits, then messages, then a wake-up if one is due, then
//! sources; at the end the pipes are flushed with one write each, so that many frames share a write.

use crate::admit::{Admissions, turn_away};
use crate::ask::WorkerEar;
use crate::clock::Clock;
use crate::decode::Decoders;
use crate::drain::Drainers;
use crate::entrance::Counted;
use crate::forking::Templates;
use crate::group::GroupAnswer;
use crate::jobserver::Jobserver;
use crate::join::Joiners;
use crate::linger::Linger;
use crate::link::Reading;
use crate::memory::Memory;
use crate::message::Message;
use crate::nonce;
use crate::observer::Observer;
use crate::pool::Origin;
use crate::process::{Place, Role};
use crate::pull::Feed;
use crate::reap::block_sigpipe;
use crate::record::RunRecord;
use crate::shared::{Over, Shared, contained, hand_back};
use crate::starter::Starter;
use crate::sync::Poll;
use crate::tokens::{Purse, TOKENS};
use crate::usage::Usage;
use crate::watch::Watch;
use crate::weigh::Scales;
use crate::workers::Workers;
use farm_master::{Actions, Config, Event, Master, Registry};
use farm_protocol::{Instant, ScopeId, SlotId};
use mio::{Events, Token};
use std::collections::{BTreeMap, VecDeque};
use std::io::ErrorKind;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::Duration;

/// The token of the mailbox's wake-up; no slot has it.
pub(crate) const WAKER: Token = Token(usize::MAX);

/// How many reports of the poll are taken in one turn; the rest comes in the next.
pub(crate) const EVENTS: usize = 256;

/// What a spawn led to; told after the actions that asked for it.
#[derive(Debug)]
pub(crate) enum Spawned {
    Yes { place: Place, page: bool },
    No { place: Place, error: String },
}

/// Everything the loop thread owns.
pub(crate) struct Loop {
    pub(crate) shared: Arc<Shared>,
    pub(crate) master: Master,
    pub(crate) registry: Registry,
    pub(crate) workers: Workers,
    pub(crate) poll: Poll,
    pub(crate) clock: Clock,
    pub(crate) now: Instant,
    /// The last time the machine was told.
    pub(crate) told: Instant,
    /// While pipes are read: a moment before the machine's next deadline. What has arrived is told
    /// as of then, so that no answer that is there is overtaken by its own timeout.
    pub(crate) not_beyond: Option<Instant>,
    /// How workers come to be, by kind.
    pub(crate) origins: Vec<Origin>,
    /// How many farms this one is inside of.
    pub(crate) depth: u32,
    pub(crate) templates: Templates,
    pub(crate) starter: Starter,
    /// How long a worker may take to its hello, where its kind does not say.
    pub(crate) hello_timeout: Duration,
    pub(crate) through: bool,
    /// By which workers of this farm are told from those of others.
    pub(crate) nonce: u64,
    pub(crate) observer: Option<Box<dyn Observer>>,
    /// Tables of named workers, which hear whose process is gone.
    pub(crate) ears: Vec<WorkerEar>,
    /// Until something of it cannot be written.
    pub(crate) record: Option<RunRecord>,
    pub(crate) feeds: Vec<Feed>,
    /// Where the ends of groups are told.
    pub(crate) groups: BTreeMap<ScopeId, GroupAnswer>,
    pub(crate) joiners: Joiners,
    pub(crate) drainers: Drainers,
    /// Who waits to hear whether a task is in.
    pub(crate) admissions: Admissions,
    /// What was let through and published, by kind.
    pub(crate) counted: Vec<Counted>,
    pub(crate) decoders: Decoders,
    pub(crate) memory: Memory,
    pub(crate) spawned: VecDeque<Spawned>,
    /// Slots with something to flush.
    pub(crate) unflushed: Vec<SlotId>,
    /// Slots with a pipe that was left with bytes in it.
    pub(crate) unread: Vec<SlotId>,
    /// Slots whose answers may have been read before they were reported.
    pub(crate) surplus: Vec<SlotId>,
    /// Where answers are read to.
    pub(crate) answers: Vec<u8>,
    /// Where output is read to, while answers are still in their place.
    pub(crate) output: Vec<u8>,
    pub(crate) stopped: bool,
    pub(crate) watch: Watch,
    pub(crate) usage: Usage,
    pub(crate) scales: Scales,
    pub(crate) purse: Purse,
    pub(crate) linger: Linger,
    pub(crate) actions: Actions,
    events: Events,
    /// Taken from the mailbox and not yet heard.
    pub(crate) messages: VecDeque<Message>,
}

impl Loop {
    pub(crate) fn new(shared: Arc<Shared>, poll: Poll, config: Config, registry: Registry) -> Self {
        let clock = Clock::default();
        Self {
            nonce: nonce::draw(shared.farm),
            shared,
            hello_timeout: config.hello_timeout,
            counted: config
                .kinds
                .iter()
                .map(|kind| Counted::new(&kind.boundary))
                .collect(),
            master: Master::new(config),
            registry,
            workers: Workers::default(),
            poll,
            now: clock.now(),
            told: Instant::START,
            not_beyond: None,
            clock,
            origins: Vec::new(),
            depth: 0,
            templates: Templates::default(),
            starter: Starter::default(),
            through: false,
            observer: None,
            ears: Vec::new(),
            record: None,
            feeds: Vec::new(),
            groups: BTreeMap::new(),
            joiners: Joiners::default(),
            drainers: Drainers::default(),
            admissions: Admissions::new(),
            decoders: Decoders::default(),
            memory: Memory::look(),
            spawned: VecDeque::new(),
            unflushed: Vec::new(),
            unread: Vec::new(),
            surplus: Vec::new(),
            answers: vec![0; crate::reading::ANSWERS_AT_ONCE],
            output: vec![0; crate::reading::OUTPUT_AT_ONCE],
            stopped: false,
            watch: Watch::default(),
            usage: Usage::default(),
            scales: Scales::default(),
            purse: Purse::default(),
            linger: Linger::default(),
            actions: Actions::new(),
            events: Events::with_capacity(EVENTS),
            messages: VecDeque::new(),
        }
    }

    pub(crate) fn with(
        mut self,
        origins: Vec<Origin>,
        depth: u32,
        through: bool,
        observer: Option<Box<dyn Observer>>,
    ) -> Self {
        self.origins = origins;
        self.depth = depth;
        self.through = through;
        self.observer = observer;
        self
    }

    /// The same, with so many workers at work as there are tokens.
    pub(crate) fn limited_by(mut self, jobserver: Option<Jobserver>) -> Self {
        self.purse = Purse::of(jobserver);
        self
    }

    /// The same, written down.
    pub(crate) fn recorded_by(mut self, record: Option<RunRecord>) -> Self {
        self.record = record;
        self
    }

    /// Runs until the machine says `Stopped`, and leaves nothing behind, even after a panic.
    pub(crate) fn run(mut self) {
        self.shared.enter_loop();
        block_sigpipe();
        let end = catch_unwind(AssertUnwindSafe(|| {
            let mut busy = false;
            while !self.stopped {
                busy = self.turn(busy);
            }
            self.end_drainers();
        }));
        let over = if end.is_ok() {
            Over::Stopped
        } else {
            Over::Panicked
        };
        let Self {
            shared,
            mut registry,
            workers,
            templates,
            starter,
            feeds,
            decoders,
            observer,
            record,
            messages,
            mut admissions,
            purse,
            ..
        } = self;
        // The mailbox is closed first: from here on submissions are handed back by their senders.
        let late = shared.post.close();
        for message in messages.into_iter().chain(late) {
            // A closure or a source of somebody may be in it.
            let left = contained("the drop of a message", || message.too_late());
            for submission in left.unwrap_or_default() {
                hand_back(&mut registry, submission);
            }
        }
        turn_away(&mut registry, &mut admissions);
        // Kills and collects whatever a panic left.
        drop(workers);
        drop(starter);
        templates.end();
        // Nobody works any more. Whoever waits for our end may end the program, and what we held with it.
        drop(purse);
        drop(decoders);
        contained("the drop of a source", || drop(feeds));
        contained("the drop of an observer", || drop(observer));
        if let Some(Err(error)) = record.map(|record| record.end(end.is_err())) {
            shared.note_record_trouble(error);
        }
        let held = registry.len();
        shared.finish(registry, over);
        // Told after everybody was: otherwise they would wait for ever.
        assert!(
            end.is_err() || held == 0,
            "{held} tasks are in a farm that has ended: nobody was told of them"
        );
        if let Err(panic) = end {
            resume_unwind(panic);
        }
    }

    /// One turn; `busy`: there is something left to do, so only look. Whether that is so afterwards.
    fn turn(&mut self, busy: bool) -> bool {
        self.wait(busy);
        self.watch.begin_turn(self.now);
        self.not_beyond = self.master.deadline().map(before);
        self.react();
        self.read_rest();
        self.not_beyond = None;
        self.receive();
        let due = self
            .master
            .deadline()
            .is_some_and(|deadline| deadline <= self.now);
        if due && !self.stopped {
            self.tell(Event::Wake);
        }
        if !self.stopped {
            self.look_at_lingering();
            self.measure_usage();
            self.mind_templates();
        }
        let more_to_pull = self.pull();
        self.take_tokens();
        self.flush();
        // After the flush: workers do not wait for whoever watches.
        self.observe(|observer, now| observer.turn(now));
        let busy = more_to_pull || !self.unread.is_empty() || !self.messages.is_empty();
        self.answer_joiners(more_to_pull, busy);
        self.answer_drainers(busy);
        if !busy {
            self.flush_record();
        }
        busy
    }

    pub(crate) fn flush(&mut self) {
        for slot in self.unflushed.drain(..) {
            if let Some(process) = self.workers.in_slot(slot) {
                process.unflushed = false;
                // Control first: what must be heard at once.
                process.control.flush();
                process.requests.flush();
            }
        }
    }

    /// Waits until something happens; with `busy` only looks whether something has.
    fn wait(&mut self, busy: bool) {
        let timeout = if busy {
            Some(Duration::ZERO)
        } else {
            self.timeout()
        };
        let sleeps = timeout != Some(Duration::ZERO) && self.shared.post.may_sleep();
        let timeout = if sleeps {
            timeout
        } else {
            Some(Duration::ZERO)
        };
        if let Err(error) = self.poll.poll(&mut self.events, timeout) {
            // A signal of the program: nothing happened here. Anything else is our own mistake.
            assert_eq!(
                error.kind(),
                ErrorKind::Interrupted,
                "the poll failed: {error}"
            );
            self.events.clear();
        }
        if sleeps {
            self.shared.post.awake();
        }
        self.now = self.clock.now().max(self.now);
    }

    /// How long nothing needs to be done; `None`: until something happens.
    fn timeout(&self) -> Option<Duration> {
        if self.clock.stands() {
            return None;
        }
        let observer = self
            .observer
            .as_ref()
            // One that panics here is dropped at the next turn's call, where it panics again or not.
            .and_then(|observer| contained("an observer", || observer.deadline()).flatten());
        let own = [
            self.master.deadline(),
            self.usage.deadline(),
            self.scales.deadline(),
            self.linger.deadline(),
            self.templates.deadline(),
        ];
        let first = own.into_iter().flatten().chain(observer).min()?;
        Some(first.since(self.now))
    }

    fn react(&mut self) {
        if self.events.is_empty() {
            return;
        }
        let events = mem::replace(&mut self.events, Events::with_capacity(0));
        self.forget_surplus(&events);
        for event in &events {
            if event.token() == TOKENS {
                self.purse.reported(self.poll.registry());
                continue;
            }
            let Some((slot, role)) = Role::of(event.token()) else {
                self.template_event(event.token());
                continue;
            };
            let Some(process) = self.workers.in_slot(slot) else {
                continue;
            };
            let hung_up = event.is_read_closed();
            match role {
                Role::Requests => process.requests.writable(),
                Role::Control => process.control.writable(),
                Role::Answers if hung_up => process.answers.hang_up(),
                Role::Stdout if hung_up => process.stdout.hang_up(),
                Role::Stderr if hung_up => process.stderr.hang_up(),
                Role::Answers | Role::Stdout | Role::Stderr | Role::Exit => {}
            }
            match role {
                Role::Requests | Role::Control => self.unflushed.push(slot),
                Role::Answers => self.read_reported(slot),
                Role::Stdout | Role::Stderr => {
                    if self.read_output(slot) == Reading::More {
                        self.leave_unread(slot);
                    }
                }
                Role::Exit => self.exited(slot),
            }
        }
        self.events = events;
    }
}

const fn before(deadline: Instant) -> Instant {
    Instant::from_nanos(deadline.as_nanos().saturating_sub(1))
}
