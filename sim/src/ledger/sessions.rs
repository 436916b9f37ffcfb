//! Worker processes as they really are: what they execute, what they wrote, how they died.

use super::dues::Due;
use super::wear::Wear;
use super::{Ledger, Seen, names};
use crate::nature::Knows;
use farm_lockstep::{Exit, Pid, PipeId, VTime};
use farm_master::{OnLost, Shut, Signal, WhoseDoing};
use farm_protocol::page::Noted;
use farm_protocol::{AttemptId, KindId, Session, SlotId, Termination};
use std::collections::VecDeque;

/// An answer that stands complete in a pipe.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written {
    /// Its last byte, counted from the first that the worker wrote.
    pub(crate) end: u64,
    pub(crate) id: AttemptId,
    /// It ends the attempt (a reply or a fault), or hands the request back.
    pub(crate) how: Answered,
}

/// What an answer says of its attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answered {
    /// A response: whether a cancellation was heeded, and something was left behind.
    Replied { heeded: bool, left_behind: bool },
    /// It could not be decoded: the task ends.
    Refused,
    /// Its response could not be encoded.
    Unmarshallable,
    /// It has not begun and never will.
    Revoked,
}

impl Answered {
    pub(crate) const fn leaves_something(self) -> bool {
        matches!(
            self,
            Self::Replied {
                left_behind: true,
                ..
            }
        )
    }
}

/// What is known of a worker process.
#[derive(Debug)]
pub(crate) struct SessionFacts {
    pub(crate) session: Session,
    pub(crate) kind: KindId,
    pub(crate) slot: SlotId,
    pub(crate) pid: Option<Pid>,
    /// Requests, control, answers, output.
    pub(crate) pipes: Option<[PipeId; 4]>,
    pub(crate) page: bool,
    /// What the page says: what it executes, or has executed and not said so to the last byte.
    pub(crate) executing: Option<AttemptId>,
    /// It performs that now.
    pub(crate) at_work: bool,
    /// It has said something that no worker says: what it says from then on may be ignored.
    pub(crate) babbled: bool,
    pub(crate) said_hello: bool,
    /// It has closed its answers and lives on.
    pub(crate) closed: bool,
    /// The master had sent it a signal, or wanted it gone, before it was told of the end of the answers.
    unwanted_before_eof: bool,
    /// It said that `perform` panicked on this.
    pub(crate) panicked: Option<AttemptId>,
    written: VecDeque<Written>,
    bytes_heard: u64,
    pub(crate) bytes_written: u64,
    /// The strongest signal that the master sent.
    pub(crate) signalled: Option<Signal>,
    /// How it ended.
    pub(crate) ended: Option<Exit>,
    /// The master had sent a signal before it knew of the end: whose doing it was, nobody can tell.
    pub(crate) perhaps_ours: bool,
    /// The master's SIGKILL ended it.
    pub(crate) killed: bool,
    pub(crate) exit_told: bool,
    pub(crate) eof_told: bool,
    /// The master says that it is gone.
    pub(crate) gone: bool,
    /// Requests sent and not answered, as far as the master can know.
    pub(crate) held: Vec<AttemptId>,
    /// It has answered something, or handed something back.
    pub(crate) settled: bool,
    /// It was asked to end, as far as is visible.
    pub(crate) asked_to_end: bool,
    /// When.
    pub(super) asked_at: Option<VTime>,
    /// Answers of it that are being decoded off the loop.
    pub(crate) decoding: u32,
    /// The kind knows it as a fresh worker.
    pub(crate) greeted: bool,
    /// It is to be replaced: it gets nothing new.
    pub(super) dismissed: bool,
    /// What was called back from it.
    pub(super) recalled: Vec<AttemptId>,
    /// What it has learnt.
    pub(super) knows: Knows,
    /// How much it has been used.
    pub(crate) wear: Wear,
}

impl SessionFacts {
    /// It is to be replaced.
    pub(super) const fn is_dismissed(&self) -> bool {
        self.dismissed
    }
}

/// How a process ended, as the driver tells it.
pub(crate) const fn termination(exit: Exit) -> Termination {
    match exit {
        Exit::Code(code) => Termination::Exited(code),
        Exit::Signal(signal) => Termination::Signaled {
            signal,
            core_dumped: false,
        },
    }
}

impl Ledger {
    pub(crate) fn session(&mut self, session: Session) -> &mut SessionFacts {
        let index = usize::try_from(session.0 - 1).expect("few sessions");
        &mut self.sessions[index]
    }

    /// The master wants a process.
    pub(super) fn spawns(&mut self, slot: SlotId, session: Session, kind: KindId) {
        let busy = self
            .sessions
            .iter()
            .rev()
            .find(|other| other.slot == slot && !other.gone);
        if let Some(busy) = busy.map(|busy| busy.session) {
            self.breaks(names::I8, || {
                format!("{session} is started in {slot}, where {busy} is not collected")
            });
        }
        if !self.pool(kind).has_slot(slot) {
            self.breaks(names::I8, || {
                format!("{session} is started in {slot}, which {kind} does not have")
            });
        }
        if session.0 != self.sessions.len() as u64 + 1 {
            self.breaks(names::I8, || format!("{session} is not the next session"));
        }
        self.may_start(session, kind);
        self.gets_a_place(session, kind);
        if !self.pool(kind).staff.is_set && !self.has_named() {
            self.is_started_for_somebody();
        }
        let wear = self.hires(session, kind);
        self.sessions.push(SessionFacts {
            session,
            kind,
            slot,
            pid: None,
            pipes: None,
            page: true,
            executing: None,
            at_work: false,
            babbled: false,
            said_hello: false,
            closed: false,
            unwanted_before_eof: false,
            panicked: None,
            written: VecDeque::new(),
            bytes_heard: 0,
            bytes_written: 0,
            signalled: None,
            ended: None,
            perhaps_ours: false,
            killed: false,
            exit_told: false,
            eof_told: false,
            gone: false,
            held: Vec::new(),
            settled: false,
            asked_to_end: false,
            asked_at: None,
            decoding: 0,
            greeted: false,
            dismissed: false,
            recalled: Vec::new(),
            knows: Knows::default(),
            wear,
        });
        self.pool_mut(kind).living += 1;
        self.begins_to_work(session, true);
        self.expect(
            self.now.after(self.config.hello_timeout),
            Due::Hello(session),
        );
    }

    /// The process exists.
    pub(crate) fn spawned(&mut self, session: Session, pid: Pid, page: bool, pipes: [PipeId; 4]) {
        let facts = self.session(session);
        (facts.pid, facts.page, facts.pipes) = (Some(pid), page, Some(pipes));
    }

    /// The master is told the end of the answers.
    pub(crate) fn eof(&mut self, session: Session) {
        let facts = self.session(session);
        facts.eof_told = true;
        let unwanted = facts.dismissed || facts.asked_to_end || facts.wear.perhaps_retired;
        facts.unwanted_before_eof = facts.signalled.is_some() || unwanted;
        if !facts.exit_told {
            self.sees(Seen::EofBeforeExit);
        }
    }

    /// The master is told the exit.
    pub(crate) fn exited(&mut self, session: Session) {
        let facts = self.session(session);
        facts.exit_told = true;
        let died = !facts.asked_to_end;
        facts.perhaps_ours = facts.signalled.is_some();
        if !facts.eof_told {
            self.sees(Seen::ExitBeforeEof);
        }
        self.staff_loses(session, died);
        self.closing_is_over(session);
    }

    /// A worker has put a whole answer into its pipe.
    pub(crate) fn wrote(&mut self, session: Session, written: Written) {
        self.session(session).written.push_back(written);
    }

    /// The master is told so many bytes: the answers among them are heard.
    pub(crate) fn heard(&mut self, session: Session, bytes: usize) {
        let facts = self.session(session);
        facts.bytes_heard += bytes as u64;
        let heard = facts.bytes_heard;
        while let Some(first) = self.session(session).written.front().copied() {
            if first.end > heard {
                break;
            }
            let facts = self.session(session);
            facts.written.pop_front();
            facts.held.retain(|id| *id != first.id);
            match first.how {
                Answered::Replied { .. } | Answered::Unmarshallable => {
                    facts.settled = true;
                    self.wears(session);
                }
                Answered::Refused => {}
                Answered::Revoked => {
                    self.stop_is_over(first.id.task, Some(first.id.attempt));
                    self.sees(Seen::GaveBack);
                }
            }
            self.budget_of_start_reset(session, first.how);
            self.answer_is_heard(session, first.id, first.how);
        }
    }

    /// A worker begins an attempt: the only one of its task, and the latest.
    pub(crate) fn begins(&mut self, session: Session, id: AttemptId) {
        let latest = self.task(id.task).map(|facts| facts.attempt);
        let twice = self.sessions.iter().any(|other| {
            let at_it = other.executing.is_some_and(|at| at.task == id.task) && other.at_work;
            at_it && other.ended.is_none() && other.session != session
        });
        if twice || latest != Some(id.attempt.0) {
            self.breaks(names::FENCE, || {
                format!(
                    "{session} begins {id}, and the latest is {latest:?}, or another executes it"
                )
            });
        }
        let facts = self.session(session);
        (facts.executing, facts.at_work) = (Some(id), true);
        facts.wear.grows(id);
    }

    /// What the page of a dead worker says.
    pub(crate) fn noted(&mut self, session: Session) -> Option<Noted> {
        let facts = self.session(session);
        facts.page.then_some(Noted {
            executing: facts.executing,
            started_nanos: 1,
            peak_bytes: 0,
        })
    }

    /// A process ends now.
    pub(crate) fn died(&mut self, session: Session, exit: Exit) {
        let facts = self.session(session);
        if facts.ended.is_none() {
            facts.ended = Some(exit);
            facts.at_work = false;
        }
    }

    /// The master says that a worker is gone.
    pub(super) fn worker_gone(&mut self, slot: SlotId, session: Session, whose: WhoseDoing) {
        let charged = std::mem::take(&mut self.charged_now);
        let facts = self.session(session);
        let (ended, told) = (facts.ended, facts.exit_told && facts.eof_told);
        if facts.slot != slot || facts.gone {
            return self.breaks(names::I8, || {
                format!("{session} is gone twice, or from {slot}")
            });
        }
        facts.gone = true;
        let kind = facts.kind;
        self.pool_mut(kind).living -= 1;
        let facts = self.session(session);
        if ended.is_none() || !told {
            return self.breaks(names::I8, || {
                format!("{session} is called gone and was not collected to the end")
            });
        }
        if let Some(left) = facts.written.front().copied().filter(|_| !facts.babbled) {
            return self.breaks(names::I3, || {
                format!(
                    "the answer of {} stands complete in the pipe of {session} and is thrown away",
                    left.id
                )
            });
        }
        let held = std::mem::take(&mut facts.held);
        // Without a page the first that it held is taken to have begun.
        let executing = if facts.page {
            facts.executing.filter(|id| held.contains(id))
        } else {
            held.first().copied()
        };
        // A task that was asked to stop has stopped: that is an answer of a sort.
        let stopped =
            executing.is_some_and(|id| self.task(id.task).is_none_or(|facts| facts.asked));
        self.stops_of_are_over(session);
        self.charge_is_true(session, &charged, &held);
        self.whose_is_true(session, whose);
        self.judge_start(session, !charged.is_empty(), stopped);
    }

    /// A worker that nobody else touched died by itself, and one that we killed did not.
    fn whose_is_true(&mut self, session: Session, whose: WhoseDoing) {
        let facts = self.session(session);
        let obeyed = facts.asked_to_end && facts.signalled.is_none() && !facts.babbled;
        let wanted = matches!(whose, WhoseDoing::Finished | WhoseDoing::Replaced);
        if obeyed && facts.ended == Some(Exit::Code(0)) && !wanted {
            return self.breaks(names::I9, || {
                format!("{session} ended as it was told, and the master says {whose:?}")
            });
        }
        let facts = self.session(session);
        let untouched = facts.signalled.is_none() && !facts.asked_to_end && !facts.babbled;
        if untouched
            && whose != WhoseDoing::Died
            && facts.ended.is_some_and(|exit| exit != Exit::Code(0))
        {
            self.breaks(names::I9, || {
                format!("{session} died by itself, and the master says {whose:?}")
            });
        }
    }

    /// A death is charged to what was executing, to nothing else, and not when it was ours.
    fn charge_is_true(&mut self, session: Session, charged: &[AttemptId], held: &[AttemptId]) {
        let facts = self.session(session);
        let (page, executing, ours) = (facts.page, facts.executing, facts.perhaps_ours);
        let panicked = facts.panicked.filter(|id| held.contains(id));
        // An attempt whose answer the master has heard is over, whatever the page says.
        let executing = panicked.or(executing.filter(|id| held.contains(id)));
        let facts = self.session(session);
        // Nobody else sends SIGTERM here.
        let killed = !facts.closed
            && (facts.killed && facts.ended == Some(Exit::Signal(9))
                || facts.ended == Some(Exit::Signal(15)));
        // One that can answer no more is dead, and that we make sure of it is not our wish.
        let mute = facts.closed
            && !facts.unwanted_before_eof
            // What it had answered before may tell only later that it is to be replaced.
            && !facts.dismissed;
        let wanted = self.shut == Some(Shut::Kill)
            || held
                .iter()
                .any(|id| self.task(id.task).is_none_or(|facts| facts.asked));
        let ours = ours && (wanted || !mute);
        for id in charged {
            let at_most_once = self
                .task(id.task)
                .is_none_or(|facts| facts.options.on_lost == OnLost::Fail);
            if killed && panicked != Some(*id) && !at_most_once {
                return self.breaks(names::I9, || {
                    format!("{id} is charged with the death of {session}, which was our kill")
                });
            }
            if page && executing != Some(*id) {
                return self.breaks(names::I9, || {
                    format!("{id} is charged with the death of {session}, which was executing {executing:?}")
                });
            }
        }
        let Some(id) = executing.filter(|_| page && !ours) else {
            return;
        };
        let asked = self.task(id.task).is_some_and(|facts| facts.asked);
        let open = self.task(id.task).is_some();
        if open
            && !asked
            && !charged.contains(&id)
            && self
                .task(id.task)
                .is_some_and(|facts| facts.attempt == id.attempt.0)
        {
            self.breaks(names::I9, || {
                format!("{session} died executing {id}, and it is not charged")
            });
        }
    }
}
