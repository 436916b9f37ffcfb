//! The source of the farm: hands over as many tasks as there is room for, in an order in which
//! every needed task goes in before those that need it.
//!
//! A list that is read whole is in memory. Lines are read by a thread of their own, which is never
//! far ahead: what it has read waits in a short bounded channel.

use super::desk::{Counter, Desk, Fate, SharedDesk, lock};
use super::input::Tasks;
use super::watch::Letter;
use crate::exec::CommandKind;
use crate::taskfile::{Diagnostics, TaskList, TaskSpec};
use farm_driver::{Intake, Source, SourceState, SourceWaker};
use farm_master::{CrashLimit, LimitId, OnLost, Receive, Retries, TaskOptions};
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread;

/// How many tasks the reading thread may be ahead.
const AHEAD: usize = 1024;

pub(super) struct Feed {
    supply: Supply,
    desk: SharedDesk,
    waiter: Arc<dyn Receive<CommandKind>>,
    /// The names of the limits, in the order of their ids.
    limits: Vec<Box<str>>,
}

enum Supply {
    /// All tasks, and the order in which they go in; the next one to go.
    Whole {
        tasks: Vec<Option<TaskSpec>>,
        order: Vec<u32>,
        next: usize,
    },
    /// What the reading thread has read.
    Lines(Receiver<Read>),
}

/// Tasks line by line, read where the thread runs.
type Lines = Box<dyn Iterator<Item = Result<TaskSpec, Diagnostics>> + Send>;

/// One line as the reading thread hands it over: a task, or what is wrong with it, in words. A bad
/// line goes the same way as the good ones, so that everything before it goes in before it counts.
type Read = Result<TaskSpec, String>;

/// The reading thread, before it starts; `None` when there is nothing left to read.
pub(super) struct Reading(Option<(Lines, SyncSender<Read>)>);

impl Feed {
    pub(super) fn new(tasks: Tasks, desk: SharedDesk, limits: Vec<Box<str>>) -> (Self, Reading) {
        let (supply, reading) = match tasks {
            Tasks::Whole(TaskList { tasks, order, .. }) => {
                let tasks = tasks.into_iter().map(Some).collect();
                (
                    Supply::Whole {
                        tasks,
                        order,
                        next: 0,
                    },
                    Reading(None),
                )
            }
            Tasks::Lines(lines) => {
                let (sender, receiver) = sync_channel(AHEAD);
                (Supply::Lines(receiver), Reading(Some((lines, sender))))
            }
        };
        let waiter = Arc::new(Counter(Arc::clone(&desk)));
        (
            Self {
                supply,
                desk,
                waiter,
                limits,
            },
            reading,
        )
    }

    fn next(&mut self) -> Result<TaskSpec, SourceState> {
        match &mut self.supply {
            Supply::Whole { tasks, order, next } => {
                let Some(&index) = order.get(*next) else {
                    return Err(SourceState::Ended);
                };
                *next += 1;
                Ok(tasks[index as usize]
                    .take()
                    .expect("the order names each task once"))
            }
            Supply::Lines(receiver) => match receiver.try_recv() {
                Ok(Ok(spec)) => Ok(spec),
                Ok(Err(words)) => {
                    lock(&self.desk).send(Letter::BadLine(words));
                    Err(SourceState::Ended)
                }
                Err(TryRecvError::Empty) => Err(SourceState::Waiting),
                Err(TryRecvError::Disconnected) => Err(SourceState::Ended),
            },
        }
    }

    fn options(&self, spec: &TaskSpec, needs: Vec<farm_master::Need>) -> Option<Box<TaskOptions>> {
        let settings = &spec.settings;
        let limit = settings.limit.as_ref().map(|name| {
            let position = self.limits.iter().position(|limit| limit == name);
            let position = position.expect("the reader knows the declared limits");
            LimitId(u16::try_from(position).expect("at most 65535 limits"))
        });
        let defaults = TaskOptions::default();
        let options = TaskOptions {
            priority: settings.priority,
            needs,
            limit,
            waiting: None,
            starting: None,
            running: settings.timeout,
            stall: settings.stall,
            cpu: settings.cpu,
            memory: settings.memory,
            grace: settings.grace,
            retries: settings.retries.unwrap_or(Retries::NONE),
            crash_limit: settings.crash_limit.unwrap_or(CrashLimit::Deaths(2)),
            on_lost: settings.on_lost.unwrap_or(OnLost::Retry),
        };
        // Most tasks say nothing: they cost nothing.
        (options != defaults).then(|| Box::new(options))
    }
}

impl Source<CommandKind> for Feed {
    fn pull(&mut self, demand: usize, intake: &mut Intake<'_, CommandKind>) -> SourceState {
        for _ in 0..demand {
            let spec = match self.next() {
                Ok(spec) => spec,
                Err(SourceState::Ended) => {
                    lock(&self.desk).all_read();
                    return SourceState::Ended;
                }
                Err(state) => return state,
            };
            let fate = lock(&self.desk).fate(&spec);
            match fate {
                Fate::Skip(by) => lock(&self.desk).skipped(&spec, &by),
                Fate::Admit(needs) => {
                    let options = self.options(&spec, needs);
                    let spec = Arc::new(spec);
                    let waiter = Some(Arc::clone(&self.waiter));
                    let id = intake.submit(Arc::clone(&spec), options, waiter);
                    lock(&self.desk).entered(spec, id);
                }
            }
        }
        SourceState::More
    }
}

/// The farm is over. Of a list that was read whole every task has an end, also one that never went in.
impl Drop for Feed {
    fn drop(&mut self) {
        let Supply::Whole { tasks, order, next } = &mut self.supply else {
            return;
        };
        let rest = order.get(*next..).unwrap_or_default();
        for spec in rest
            .iter()
            .filter_map(|index| tasks[*index as usize].take())
        {
            lock(&self.desk).left_out(&spec);
        }
    }
}

impl Desk {
    /// The last task of the input has gone in.
    fn all_read(&self) {
        self.send(Letter::AllRead);
    }
}

impl Reading {
    /// Starts reading; `waker` is told whenever something has been read.
    ///
    /// # Errors
    /// When the system refuses the thread.
    pub(super) fn start(self, waker: SourceWaker) -> io::Result<()> {
        let Some((lines, sender)) = self.0 else {
            return Ok(());
        };
        // The thread is not joined: it may be blocked in a read of standard input for ever, and
        // ends with the process.
        let reader = thread::Builder::new()
            .name("farm-reader".into())
            .spawn(move || {
                for line in lines {
                    let read = line.map_err(|diagnostics| diagnostics.to_string());
                    if sender.send(read).is_err() {
                        break;
                    }
                    waker.wake();
                }
                drop(sender);
                waker.wake();
            });
        reader.map(drop)
    }
}
