//! What the sources of all kinds draw from: the tasks of the input, in an order that is fit to go in.
//!
//! A list that is read whole is in memory. Lines are read by a thread of their own, which is never far ahead: what it
//! has read waits in a short bounded channel. A source that meets a task of another kind lays it aside for that kind.
//! It does not know the kinds.

use super::desk::{Desk, Fate, SharedDesk, lock};
use super::input::Tasks;
use super::watch::Letter;
use crate::taskfile::{Diagnostics, Run, TaskList, TaskSpec};
use farm_driver::{SourceState, SourceWaker};
use std::collections::VecDeque;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread;

/// How many tasks the reading thread may be ahead.
const AHEAD: usize = 1024;

/// How many tasks of an endless input may lie aside for a kind that has no room.
const ASIDE: usize = 1024;

/// The tasks that have not gone in.
pub(crate) struct Hopper {
    supply: Supply,
    /// Tasks that other kinds' sources have met, by the place of their own kind, each list in the order of the input.
    aside: Vec<VecDeque<TaskSpec>>,
    /// Which sources wait to be woken.
    waiting: Vec<bool>,
    wakers: Vec<SourceWaker>,
    /// Sources that have not ended.
    open: usize,
    pub(super) desk: SharedDesk,
    /// The names of the limits, in the order of their ids.
    pub(super) limits: Vec<Box<str>>,
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
    /// Nothing more comes.
    Exhausted,
}

/// What a source is given.
pub(super) enum Next {
    /// A task, to be judged so.
    Task(TaskSpec, Fate),
    /// Nothing for now.
    Waiting,
    /// Nothing any more.
    Ended,
}

/// Tasks line by line, read where the thread runs.
type Lines = Box<dyn Iterator<Item = Result<TaskSpec, Diagnostics>> + Send>;

/// One line as the reading thread hands it over: a task, or what is wrong with it, in words. A bad
/// line goes the same way as the good ones, so that everything before it goes in before it counts.
type Read = Result<TaskSpec, String>;

/// The reading thread, before it starts; `None` when there is nothing left to read.
pub(super) struct Reading(Option<(Lines, SyncSender<Read>)>);

impl Hopper {
    /// For a run of `kinds` kinds.
    pub(super) fn new(
        tasks: Tasks,
        kinds: usize,
        desk: SharedDesk,
        limits: Vec<Box<str>>,
    ) -> (Self, Reading) {
        let (supply, reading) = match tasks {
            Tasks::Whole(TaskList { tasks, order, .. }) => {
                let tasks = tasks.into_iter().map(Some).collect();
                let next = 0;
                (Supply::Whole { tasks, order, next }, Reading(None))
            }
            Tasks::Lines(lines) => {
                let (sender, receiver) = sync_channel(AHEAD);
                (Supply::Lines(receiver), Reading(Some((lines, sender))))
            }
        };
        let hopper = Self {
            supply,
            aside: (0..kinds).map(|_| VecDeque::new()).collect(),
            waiting: vec![false; kinds],
            wakers: Vec::new(),
            open: kinds,
            desk,
            limits,
        };
        (hopper, reading)
    }

    /// The sources can be woken by these from now on. All are, once: one may have been asked before.
    pub(super) fn woken_by(&mut self, wakers: &[SourceWaker]) {
        self.wakers = wakers.to_vec();
        wakers.iter().for_each(SourceWaker::wake);
    }

    /// The next task of the kind at `place`.
    pub(super) fn next(&mut self, place: usize) -> Next {
        while self.aside[place].is_empty() {
            match self.draw() {
                Ok(spec) => {
                    let whose = self.place_of(&spec);
                    self.aside[whose].push_back(spec);
                }
                Err(SourceState::Ended) => return Next::Ended,
                Err(SourceState::Waiting | SourceState::More) => return Next::Waiting,
            }
        }
        let spec = self.aside[place].front().expect("just looked");
        match lock(&self.desk).fate(spec) {
            Fate::Wait => {
                let several = self.aside.len() > 1;
                assert!(several, "a task needs one that goes in after it");
                Next::Waiting
            }
            fate => {
                let spec = self.aside[place].pop_front().expect("just looked");
                Next::Task(spec, fate)
            }
        }
    }

    /// The next task of the input, of whatever kind.
    fn draw(&mut self) -> Result<TaskSpec, SourceState> {
        match &mut self.supply {
            Supply::Whole { tasks, order, next } => {
                let Some(&index) = order.get(*next) else {
                    self.supply = Supply::Exhausted;
                    return Err(SourceState::Ended);
                };
                *next += 1;
                Ok(tasks[index as usize]
                    .take()
                    .expect("the order names each task once"))
            }
            // Another kind has no room: reading on would only fill memory.
            Supply::Lines(_) if self.aside.iter().any(|aside| aside.len() >= ASIDE) => {
                Err(SourceState::Waiting)
            }
            Supply::Lines(receiver) => match receiver.try_recv() {
                Ok(Ok(spec)) => Ok(spec),
                Ok(Err(words)) => {
                    lock(&self.desk).send(Letter::BadLine(words));
                    self.supply = Supply::Exhausted;
                    Err(SourceState::Ended)
                }
                Err(TryRecvError::Empty) => Err(SourceState::Waiting),
                Err(TryRecvError::Disconnected) => {
                    self.supply = Supply::Exhausted;
                    Err(SourceState::Ended)
                }
            },
            Supply::Exhausted => Err(SourceState::Ended),
        }
    }

    /// The position of the task with this id that has not gone in, as far as has been read.
    pub(super) fn find(&self, id: &str) -> Option<u64> {
        let whole = match &self.supply {
            Supply::Whole { tasks, .. } => &tasks[..],
            Supply::Lines(_) | Supply::Exhausted => &[],
        };
        let mut waiting = self.aside.iter().flatten().chain(whole.iter().flatten());
        waiting.find(|spec| *spec.id == *id).map(|spec| spec.seq)
    }

    /// Kinds stand in the order of the reader's list, and commands after them.
    fn place_of(&self, spec: &TaskSpec) -> usize {
        match &spec.run {
            Run::Kind(task) => task.place,
            Run::Argv(_) | Run::Shell(_) => self.aside.len() - 1,
        }
    }

    /// The source at `place` was asked; `moved`: tasks were taken out. What others wait for may be there now.
    pub(super) fn turned(&mut self, place: usize, state: SourceState, moved: bool) {
        match state {
            SourceState::More => {}
            SourceState::Waiting => self.waiting[place] = true,
            SourceState::Ended => {
                self.open -= 1;
                if self.open == 0 {
                    lock(&self.desk).all_read();
                }
            }
        }
        let exhausted = matches!(self.supply, Supply::Exhausted);
        for other in (0..self.waiting.len()).filter(|other| *other != place) {
            let wanted = moved || exhausted || !self.aside[other].is_empty();
            if wanted && self.waiting[other] {
                self.waiting[other] = false;
                self.wake(other);
            }
        }
    }

    /// Has the source at `place` asked again. Before there are wakers, they are still to wake everybody.
    pub(super) fn wake(&self, place: usize) {
        if let Some(waker) = self.wakers.get(place) {
            waker.wake();
        }
    }
}

/// The farm is over. Of a list that was read whole every task has an end, also one that never went in.
impl Drop for Hopper {
    fn drop(&mut self) {
        let mut desk = lock(&self.desk);
        for spec in self.aside.iter().flatten() {
            desk.left_out(spec);
        }
        if let Supply::Whole { tasks, order, next } = &self.supply {
            let rest = order.get(*next..).unwrap_or_default();
            for spec in rest
                .iter()
                .filter_map(|index| tasks[*index as usize].as_ref())
            {
                desk.left_out(spec);
            }
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
    /// Starts reading; `wakers` are told whenever something has been read.
    ///
    /// # Errors
    /// When the system refuses the thread.
    pub(super) fn start(self, wakers: Vec<SourceWaker>) -> io::Result<()> {
        let Some((lines, sender)) = self.0 else {
            return Ok(());
        };
        let wake = move || wakers.iter().for_each(SourceWaker::wake);
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
                    wake();
                }
                drop(sender);
                wake();
            });
        reader.map(drop)
    }
}
