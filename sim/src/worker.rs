//! A worker's process: the production session, and the loop around it in the simulated world. It speaks in the bytes
//! of the real protocol, keeps its page as the real one does, and misbehaves where its manners say so.

mod attempt;
mod misdeeds;
mod typed;

use crate::kind::Performer;
use crate::ledger::{Answered, Written};
use crate::message::Message;
use crate::world::Farm;
use attempt::Attempt;
use farm_lockstep::{Cx, Event as Told, Exit, PipeId, Process};
use farm_master::KindConfig;
use farm_protocol::{
    AttemptHeader, DEFAULT_FRAME_LIMIT, FrameDecoder, FrameKind, Hello, KindHello, PREAMBLE,
    RequestHeader, Session as SessionId, begin_frame, encode_into, finish_frame,
};
use farm_worker::session::frames::{self, Incoming, append_answer};
use farm_worker::session::{Action, Answer, Ending, Event, Fault, Session};
use std::collections::VecDeque;

pub(crate) type World<'a> = Cx<'a, Farm, Message>;

/// What the real worker says of its kinds.
pub(crate) fn kind_hello() -> KindHello {
    KindHello {
        name: "sim".into(),
        version: 1,
        schema: 1,
    }
}

/// Where the process stands.
#[derive(Debug)]
enum Phase {
    /// It has said nothing.
    Booting,
    /// It takes requests; none executes.
    Free,
    /// It executes one.
    Busy(Attempt),
    /// It takes nothing in any more: its hello was nonsense, or it never comes.
    Mute,
}

/// What a request asks for.
#[derive(Debug)]
enum Input {
    /// It is one of ours: its number.
    Number(u64),
    /// It is of a kind of somebody's own.
    Encoded(Vec<u8>),
}

/// The process.
pub(crate) struct WorkerProcess {
    id: SessionId,
    /// Who performs, where the kind is somebody's own.
    performer: Option<Box<dyn Performer>>,
    session: Session,
    phase: Phase,
    requests: FrameDecoder,
    control: FrameDecoder,
    actions: Vec<Action>,
    /// Answers that are not in the pipe yet, and the response of the last attempt.
    outbox: Vec<u8>,
    /// The answers in the outbox, with how many of its bytes come up to their end.
    unsent: VecDeque<(usize, Written)>,
    response: Vec<u8>,
    /// Bytes written to its own output that the pipe has not taken.
    flood: usize,
    /// It dies when the outbox is empty.
    dies_after_reply: bool,
    /// Nothing but SIGKILL ends it.
    stubborn: bool,
    /// Turns that its start has taken.
    booted: u32,
}

impl WorkerProcess {
    pub(crate) fn new(id: SessionId, performer: Option<Box<dyn Performer>>) -> Self {
        Self {
            id,
            performer,
            session: Session::new(1),
            phase: Phase::Booting,
            requests: FrameDecoder::new(DEFAULT_FRAME_LIMIT),
            control: FrameDecoder::new(DEFAULT_FRAME_LIMIT),
            actions: Vec::new(),
            outbox: Vec::new(),
            unsent: VecDeque::new(),
            response: Vec::new(),
            flood: 0,
            dies_after_reply: false,
            stubborn: false,
            booted: 0,
        }
    }

    fn pipe(&self, cx: &mut World<'_>, which: usize) -> PipeId {
        cx.shared()
            .ledger
            .session(self.id)
            .pipes
            .expect("set when it was started")[which]
    }

    /// What its kind is given.
    fn kind<'a>(&self, cx: &'a mut World<'_>) -> &'a KindConfig {
        let ledger = &cx.shared().ledger;
        ledger.kind_config(ledger.kind_at(self.id))
    }

    fn say_hello(&mut self, cx: &mut World<'_>) {
        self.outbox.extend_from_slice(&PREAMBLE);
        let start = begin_frame(&mut self.outbox, FrameKind::Hello);
        let hello = Hello {
            pid: cx.me().0,
            build: String::new(),
            kinds: vec![self.kind(cx).hello.clone()],
        };
        encode_into(&hello, &mut self.outbox, 1_000).expect("a hello encodes");
        finish_frame(&mut self.outbox, start, DEFAULT_FRAME_LIMIT).expect("a hello is short");
        cx.shared().ledger.session(self.id).said_hello = true;
        self.phase = Phase::Free;
        self.flush(cx);
        self.go_on(cx);
    }

    /// Writes what the pipe takes. What is whole in the pipe is written, whatever becomes of this process.
    fn flush(&mut self, cx: &mut World<'_>) {
        if !self.outbox.is_empty() {
            let answers = self.pipe(cx, 2);
            let taken = cx.write(answers, &self.outbox);
            self.outbox.drain(..taken);
            let ledger = &mut cx.shared().ledger;
            let before = ledger.session(self.id).bytes_written;
            ledger.session(self.id).bytes_written = before + taken as u64;
            while let Some((end, written)) = self
                .unsent
                .front()
                .copied()
                .filter(|(end, _)| *end <= taken)
            {
                self.unsent.pop_front();
                let end = before + end as u64;
                ledger.wrote(self.id, Written { end, ..written });
            }
            for (end, _) in &mut self.unsent {
                *end -= taken;
            }
        }
        if self.outbox.is_empty() && self.dies_after_reply {
            self.die(cx, Exit::Signal(11));
        }
    }

    /// The end of this process, of its own doing or somebody else's.
    fn die(&self, cx: &mut World<'_>, exit: Exit) {
        cx.shared().ledger.died(self.id, exit);
        cx.exit(exit);
    }

    /// Takes the next request if it is free and one is at hand.
    fn go_on(&mut self, cx: &mut World<'_>) {
        while matches!(self.phase, Phase::Free) && cx.is_alive(cx.me()) {
            let incoming = match self.requests.next_frame() {
                Ok(Some(frame)) => frames::incoming(frame),
                Ok(None) => break,
                Err(error) => Err(frames::garbled("requests", error)),
            };
            match incoming {
                Ok(Incoming::Request(header, payload)) => {
                    let input = if self.performer.is_some() {
                        Input::Encoded(payload.to_vec())
                    } else {
                        let input = crate::ledger::read_request(payload);
                        let (said, input) = input.expect("the master sends whole requests");
                        assert_eq!(said, header.id, "the request says whose it is");
                        Input::Number(input)
                    };
                    self.tell(cx, Event::Request(header), Some(input));
                }
                Ok(Incoming::Stop) => self.tell(cx, Event::Stop, None),
                Err(fault) => self.master_is_mad(cx, &fault),
            }
        }
        if matches!(self.phase, Phase::Free) && cx.is_alive(cx.me()) {
            // As the real one: nothing more is at hand, so the answers go out, and only then the page is cleared.
            self.flush(cx);
            cx.shared().ledger.session(self.id).executing = None;
        }
        let free = matches!(self.phase, Phase::Free);
        let requests = self.pipe(cx, 0);
        cx.listen(requests, free);
    }

    fn tell(&mut self, cx: &mut World<'_>, event: Event, mut input: Option<Input>) {
        let mut actions = std::mem::take(&mut self.actions);
        self.session.handle(event, &mut actions);
        for action in actions.drain(..) {
            self.perform(cx, action, &mut input);
        }
        self.actions = actions;
    }

    fn perform(&mut self, cx: &mut World<'_>, action: Action, input: &mut Option<Input>) {
        match action {
            Action::Begin(header) => {
                let input = input.take().expect("a request has an input");
                self.begin(cx, header, input);
            }
            Action::Skip(_) => {}
            Action::RaiseCancel => self.cancelled(cx),
            Action::Answer(answer) => self.answer(&answer),
            Action::End(ending) => self.end(cx, &ending),
        }
    }

    fn answer(&mut self, answer: &Answer) {
        append_answer(
            &mut self.outbox,
            answer,
            &self.response,
            DEFAULT_FRAME_LIMIT,
        )
        .expect("responses are short");
        let end = self.outbox.len();
        let (id, how) = match answer {
            Answer::Reply(header) => (
                header.id,
                Answered::Replied {
                    heeded: header.flags.heeded_cancel,
                    left_behind: header.flags.left_behind,
                },
            ),
            Answer::Revoked(AttemptHeader { id, .. }) => (*id, Answered::Revoked),
            Answer::Refused(AttemptHeader { id, .. }, _) => (*id, Answered::Refused),
            Answer::Unmarshallable(AttemptHeader { id, .. }, _) => (*id, Answered::Unmarshallable),
            // The attempt stays in flight until the process is gone.
            Answer::Panicked(..) => return,
        };
        self.unsent.push_back((end, Written { end: 0, id, how }));
    }

    fn end(&mut self, cx: &mut World<'_>, ending: &Ending) {
        if let Ending::Fault(fault) = ending {
            return self.master_is_mad(cx, fault);
        }
        self.flush(cx);
        let deaf = cx.shared().manners.deaf;
        if *ending == Ending::Stopped && cx.fault(deaf, "a worker does not end when it is told to")
        {
            self.phase = Phase::Mute;
            self.stubborn = true;
            return;
        }
        let code = match ending {
            Ending::Stopped => 0,
            Ending::Refused => farm_worker::exit::REFUSED,
            Ending::Panicked => farm_worker::exit::PANICKED,
            Ending::Fault(_) => farm_worker::exit::FAULT,
        };
        self.die(cx, Exit::Code(code));
    }

    fn master_is_mad(&mut self, cx: &mut World<'_>, fault: &Fault) {
        cx.violation("the master's protocol", || fault.to_string());
        self.die(cx, Exit::Code(farm_worker::exit::FAULT));
    }

    fn control(&mut self, cx: &mut World<'_>, bytes: &[u8]) {
        self.control.push(bytes);
        loop {
            let event = match self.control.next_frame() {
                Ok(Some(frame)) => frames::control(frame),
                Ok(None) => break,
                Err(error) => Err(frames::garbled("control", error)),
            };
            match event {
                Ok(event) => self.tell(cx, event, None),
                Err(fault) => return self.master_is_mad(cx, &fault),
            }
        }
        // What is handed back is said at once.
        if !self.outbox.is_empty() && !matches!(self.phase, Phase::Booting | Phase::Mute) {
            self.flush(cx);
        }
    }

    fn bytes(&mut self, cx: &mut World<'_>, pipe: PipeId, bytes: &[u8]) {
        if matches!(self.phase, Phase::Mute) {
            return;
        }
        if pipe == self.pipe(cx, 1) {
            return self.control(cx, bytes);
        }
        let dies = cx.shared().manners.dies;
        if cx.fault(dies, "a worker dies before it reads a request") {
            return self.die(cx, Exit::Signal(11));
        }
        self.requests.push(bytes);
        self.go_on(cx);
    }

    fn terminate(&mut self, cx: &mut World<'_>) {
        match self.phase {
            // Nothing catches the signal yet.
            Phase::Booting | Phase::Mute if !self.stubborn => {
                // Ours takes its group along, by SIGKILL; any other program just ends.
                let signal = [15, 9][cx.choose(2, "how it ends") as usize];
                self.die(cx, Exit::Signal(signal));
            }
            Phase::Booting | Phase::Mute => {}
            Phase::Free | Phase::Busy(_) => {
                let dies = cx.shared().manners.dies;
                if cx.fault(dies, "a worker dies of SIGTERM") {
                    self.die(cx, Exit::Signal(15));
                }
            }
        }
    }
}

impl Process<Farm, Message> for WorkerProcess {
    fn step(&mut self, cx: &mut World<'_>, event: Told<'_, Message>) {
        match event {
            Told::Start => self.boot(cx),
            Told::Turn | Told::Wake => match &self.phase {
                Phase::Booting => self.boot_on(cx),
                Phase::Busy(_) => self.work_on(cx),
                Phase::Free | Phase::Mute => {}
            },
            Told::Message { message, .. } => match message {
                Message::Terminate => self.terminate(cx),
                _ => panic!("a worker is sent signals only"),
            },
            Told::Bytes { pipe, bytes } => self.bytes(cx, pipe, bytes),
            // The master is gone: nothing this worker does may outlive it.
            Told::Eof { .. } => self.die(cx, Exit::Signal(9)),
            Told::Writable { pipe } => self.writable(cx, pipe),
            Told::Ended { .. } => panic!("a worker starts nobody"),
            Told::Calm => self.calm(cx),
        }
    }

    fn waits_for(&self) -> String {
        match &self.phase {
            Phase::Booting => "its start".into(),
            Phase::Free => "a request".into(),
            Phase::Busy(attempt) => format!("the end of {}", attempt.header.id),
            Phase::Mute => "its death".into(),
        }
    }
}

impl WorkerProcess {
    fn begin(&mut self, cx: &mut World<'_>, header: RequestHeader, input: Input) {
        cx.shared().ledger.begins(self.id, header.id);
        if let Some((name, detail)) = cx.shared().ledger.broken.take() {
            cx.violation(name, || detail);
        }
        self.response.clear();
        let mut attempt = Attempt::drawn(cx, header, input);
        cx.trace(|| attempt.begins());
        self.perform_early(cx, &mut attempt);
        if attempt.floods {
            self.flood(cx);
        }
        let wait = attempt.wait;
        self.phase = Phase::Busy(attempt);
        match wait {
            attempt::Wait::Turn => cx.again(),
            attempt::Wait::Time(span) => {
                let at = cx.now().after(span);
                cx.alarm(Some(at));
            }
            attempt::Wait::Forever => {}
        }
    }
}
