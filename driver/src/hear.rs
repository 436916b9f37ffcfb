//! What the loop does with each message from outside.

use crate::message::{Decoded, Message, Opening};
use crate::process::Place;
use crate::pull::Feed;
use crate::turn::Loop;
use farm_master::Event;
use farm_protocol::AttemptId;
use rustix::process::Signal;
use std::collections::VecDeque;
use std::mem;

/// How many messages are heard in one turn, so that workers are answered between two bursts.
const MESSAGES: usize = 1024;

/// Room for more messages than this is given back after a burst.
const KEEP_MESSAGES: usize = 64 << 10;

impl Loop {
    /// Hears what has come, up to a limit.
    pub(crate) fn receive(&mut self) {
        if self.messages.is_empty() {
            let mut room = Vec::from(mem::take(&mut self.messages));
            if room.capacity() > KEEP_MESSAGES {
                room = Vec::new();
            }
            self.shared.post.take(&mut room);
            self.messages = VecDeque::from(room);
        }
        for _ in 0..MESSAGES {
            // What comes after the end is handed back by `run`.
            if self.stopped {
                return;
            }
            let Some(message) = self.messages.pop_front() else {
                return;
            };
            self.hear(message);
        }
    }

    fn open_scope(&mut self, opening: Opening) {
        let Opening {
            scope,
            parent,
            rule,
            limit,
            answer,
            members,
            closed,
        } = opening;
        if let Some(answer) = answer {
            self.groups.insert(scope, answer);
        }
        self.tell(Event::OpenScope {
            scope,
            parent,
            rule,
            limit,
        });
        for member in members {
            let _id = self.submit(member);
        }
        if closed {
            self.tell(Event::CloseScope { scope });
        }
    }

    fn tell_decoded(&mut self, place: Place, id: AttemptId, decoded: Decoded) {
        let handle = self.registry.keep_decoded(decoded);
        let Place { slot, session } = place;
        self.tell(Event::Decoded {
            slot,
            session,
            id,
            handle,
        });
    }

    fn hear(&mut self, message: Message) {
        match message {
            Message::Submit(submission) => {
                let _id = self.submit(submission);
            }
            Message::SubmitGraph(nodes) => self.submit_graph(nodes),
            Message::OpenScope(opening) => self.open_scope(*opening),
            Message::CloseScope(scope) => self.tell(Event::CloseScope { scope }),
            Message::CancelScope { scope, reason } => {
                self.tell(Event::CancelScope { scope, reason });
            }
            Message::CancelTicket { ticket, reason } => {
                // A ticket of a farm that is over never learns an id, and is resolved already.
                if let Some(task) = ticket.id() {
                    self.tell(Event::Cancel { task, reason });
                }
            }
            Message::Withdraw(ticket) => {
                // Its submission came before it, and had its id then.
                if let Some(task) = ticket.id() {
                    self.tell(Event::Withdraw { task });
                }
            }
            Message::Cancel { task, reason } => self.tell(Event::Cancel { task, reason }),
            Message::SetGate { kind, gate } => {
                self.clear_doubt(Some(kind));
                self.tell(Event::SetGate { kind, gate });
            }
            Message::Shut(how) => {
                self.clear_doubt(None);
                self.note_shut(how);
                self.tell(Event::Shut(how));
            }
            Message::Do(what) => what(self),
            Message::Suspend { done } => {
                // Who is killed is not stopped: nothing would fall due, and whoever hangs would hold the end up.
                if !self.clock.stands() && !self.linger.is_to_be_killed() {
                    self.clock.stop();
                    self.signal_all(Signal::STOP);
                }
                // Whoever asked may be gone.
                let _gone = done.send(());
            }
            Message::Resume { done } => {
                if self.clock.stands() {
                    self.signal_all(Signal::CONT);
                    self.clock.go();
                }
                let _gone = done.send(());
            }
            Message::WorkerPids { answer } => {
                let _gone = answer.send(self.workers.pids());
            }
            Message::Feed {
                kind,
                source,
                woken,
            } => self.feeds.push(Feed::new(kind, source, woken)),
            Message::SourceWoken => self.wake_feeds(),
            Message::Decoded { place, id, decoded } => self.tell_decoded(place, id, decoded),
            Message::Spawned { place, started } => self.has_started(place, started),
            Message::Exited(place) => {
                if self.workers.get(place).is_some() {
                    self.exited(place.slot);
                }
            }
        }
    }

    fn signal_all(&mut self, signal: Signal) {
        for process in self.workers.iter_mut() {
            process.signal(signal);
        }
    }
}
