//! Who answers at the control socket: looks things up where they are, and hands wishes to the watch. Every wait of it has
//! an end, whatever the farm's loop and the watch are doing.

use super::complain;
use super::course::{SharedCourse, look};
use super::desk::{Meant, SharedDesk};
use super::hopper::Hopper;
use super::options::Arguments;
use super::watch::Letter;
use crate::control::{Answer, Asked, Code, Request, Server, Socket, State, Where};
use farm_driver::{Farm, Overview, Silent};
use std::fmt;
use std::path::Path;
use std::sync::mpsc::{Sender, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError, Weak};
use std::thread;
use std::time::{Duration, Instant};

/// How long the loop, the desk and the watch may each take.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// Between two looks at a lock that is taken: it mostly is for microseconds, and seconds only when a disk is asleep.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// The most tasks that a status lists.
const LISTED_MAX: usize = 1000;

/// What a person wants of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Pause,
    Resume,
    Finish,
}

/// A wish, and where to say what became of it.
#[derive(Debug)]
pub(super) struct Wished {
    pub(super) wish: Wish,
    /// Nobody waits for it any more after this.
    pub(super) until: Instant,
    pub(super) answer: SyncSender<Became>,
}

/// What became of a wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Became {
    /// It was done.
    Done,
    /// It was so already.
    AsItWas,
    /// The run is ending, so it cannot be done.
    Ending,
}

/// What does not change during a run.
#[derive(Debug)]
pub(super) struct Card {
    /// Who speaks.
    pub(super) name: &'static str,
    /// The task file, or `-`.
    pub(super) file: String,
    /// When it began, in words and by our clock.
    pub(super) started: (String, Instant),
    /// The names of the kinds, in their order.
    pub(super) kinds: Vec<&'static str>,
    /// The names of the limits, in their order.
    pub(super) limits: Vec<Box<str>>,
}

impl Card {
    /// Of a run that begins now, which is `began` in words. `names` are those of the kinds and of the limits.
    pub(super) fn new(
        name: &'static str,
        file: Option<&Path>,
        began: String,
        names: (Vec<&'static str>, Vec<Box<str>>),
    ) -> Self {
        let (kinds, limits) = names;
        Self {
            name,
            file: file.map_or_else(|| "-".to_owned(), |file| file.display().to_string()),
            started: (began, Instant::now()),
            kinds,
            limits,
        }
    }
}

/// Whoever answers.
pub(super) struct Clerk {
    pub(super) farm: Farm,
    pub(super) desk: SharedDesk,
    /// Not held: what is left in it is told when the last who has it is gone.
    pub(super) hopper: Weak<Mutex<Hopper>>,
    pub(super) course: SharedCourse,
    pub(super) post: Sender<Letter>,
    pub(super) card: Card,
}

/// The control socket, taking nobody yet. One that was not asked for by its path is done without if need be.
pub(super) fn socket(arguments: &Arguments, name: &str) -> Result<Option<Socket>, String> {
    match (Socket::open(&arguments.control), &arguments.control) {
        (Ok(socket), _) => Ok(socket),
        (Err(error), Where::Path(_)) => Err(format!("error: --control: {error}")),
        (Err(error), Where::Auto | Where::Off) => {
            unseen(name, &error);
            Ok(None)
        }
    }
}

/// Says once that there is no socket. The run is worth more than being seen.
fn unseen(name: &str, why: &dyn fmt::Display) {
    complain(&format!(
        "{name}: `{name} status` will not find this run: {why}"
    ));
}

impl Clerk {
    /// For this farm, and what has not gone into it.
    pub(super) fn new(
        farm: (&Farm, Weak<Mutex<Hopper>>),
        desk: &SharedDesk,
        course: &SharedCourse,
        post: Sender<Letter>,
        card: Card,
    ) -> Self {
        let (farm, hopper) = farm;
        Self {
            farm: farm.clone(),
            desk: Arc::clone(desk),
            hopper,
            course: Arc::clone(course),
            post,
            card,
        }
    }

    /// Answers at the socket, until what is returned is dropped.
    pub(super) fn sit_at(self, socket: Option<Socket>) -> Option<Server> {
        let name = self.card.name;
        let served = socket?.serve(Arc::new(move |request| self.answer(request)));
        served.inspect_err(|error| unseen(name, error)).ok()
    }

    /// Does what is asked.
    pub(super) fn answer(&self, request: Request) -> Answer {
        match request.asked {
            Asked::Status { waiting } => self.status(waiting.min(LISTED_MAX)),
            Asked::Pause => self.wish(Wish::Pause),
            Asked::Resume => self.wish(Wish::Resume),
            Asked::Finish => self.wish(Wish::Finish),
            Asked::Cancel { id } => self.cancel(&id),
        }
    }

    fn status(&self, waiting: usize) -> Answer {
        // Before the desk is locked: a cancel locks them the other way round.
        let course = look(&self.course).clone();
        let overview = match self.farm.overview(waiting, PATIENCE) {
            Ok(overview) => overview,
            Err(silent) => return too_late(silent),
        };
        match lock_within(&self.desk, PATIENCE) {
            Some(desk) => Answer::status(self.seen(&course, overview.as_ref(), &desk)),
            None => too_late(Silent(PATIENCE)),
        }
    }

    fn wish(&self, wish: Wish) -> Answer {
        let (answer, wait) = sync_channel(1);
        let until = Instant::now() + PATIENCE;
        let wished = Wished {
            wish,
            until,
            answer,
        };
        let became = match self.post.send(Letter::Asked(wished)) {
            Ok(()) => wait.recv_timeout(PATIENCE).ok(),
            Err(_) => Some(Became::Ending),
        };
        let over = look(&self.course).state() == State::Ending;
        match became {
            _ if over => ending(),
            None => too_late(Silent(PATIENCE)),
            Some(Became::Ending) => ending(),
            Some(became) => {
                let changed = became == Became::Done;
                Answer::done(changed, self.words(wish, changed))
            }
        }
    }

    fn words(&self, wish: Wish, changed: bool) -> String {
        let running = match self.farm.overview(0, PATIENCE) {
            Ok(overview) => running(overview.as_ref()),
            Err(_) => 0,
        };
        let tasks = if running == 1 { "task" } else { "tasks" };
        match (wish, changed, running) {
            (Wish::Pause, true, 0) => "paused; nothing is running".to_owned(),
            (Wish::Pause, true, 1) => "paused; 1 running task goes on".to_owned(),
            (Wish::Pause, true, _) => format!("paused; {running} running tasks go on"),
            (Wish::Pause, false, _) => "it is paused already".to_owned(),
            (Wish::Resume, true, _) => "it goes on".to_owned(),
            (Wish::Resume, false, _) => "it is not paused".to_owned(),
            (Wish::Finish, true, 0) => "nothing more is started; it ends".to_owned(),
            (Wish::Finish, true, _) => {
                format!("nothing more is started; it ends after {running} running {tasks}")
            }
            (Wish::Finish, false, _) => "it is finishing already".to_owned(),
        }
    }

    fn cancel(&self, id: &str) -> Answer {
        // Held, so that the run does not end meanwhile: else the hopper could be ours to empty, after the last report.
        let course = look(&self.course);
        if course.state() == State::Ending {
            return ending();
        }
        if self.keep_outside(id) {
            let words = format!("task `{id}` is cancelled; it had not begun");
            return Answer::done(true, words);
        }
        let Some(desk) = lock_within(&self.desk, PATIENCE) else {
            return too_late(Silent(PATIENCE));
        };
        let meant = desk.meant(id);
        drop(desk);
        match meant {
            Meant::Here(task, begun) => {
                self.farm.cancel(task, "by a person");
                let begun = if begun {
                    "was asked to end"
                } else {
                    "is cancelled; it had not begun"
                };
                Answer::done(true, format!("task `{id}` {begun}"))
            }
            Meant::Ended => {
                Answer::refused(Code::UnknownTask, format!("task `{id}` has ended already"))
            }
            Meant::Unknown(suggestion) => {
                let suggestion = suggestion
                    .map(|meant| format!("; did you mean `{meant}`?"))
                    .unwrap_or_default();
                let unread = if course.all_read {
                    ""
                } else {
                    " has not been read yet,"
                };
                let words = format!(
                    "no task `{id}` waits or runs: it has ended,{unread} or there is none{suggestion}"
                );
                Answer::refused(Code::UnknownTask, words)
            }
        }
    }

    /// Whether a task with this id had not gone into the farm: now it never will.
    fn keep_outside(&self, id: &str) -> bool {
        let Some(hopper) = self.hopper.upgrade() else {
            return false;
        };
        let hopper = super::feed::open(&hopper);
        let Some(seq) = hopper.find(id) else {
            return false;
        };
        super::desk::lock(&self.desk).unwanted(seq);
        true
    }
}

/// How many tasks are with workers.
pub(super) fn running(overview: Option<&Overview>) -> u64 {
    let lanes = overview.map_or(&[][..], |overview| &overview.lanes);
    let running = lanes.iter().map(|lane| lane.in_flight + lane.stopping);
    running.sum::<usize>() as u64
}

fn ending() -> Answer {
    Answer::refused(Code::Ending, "the run is ending already")
}

fn too_late(Silent(limit): Silent) -> Answer {
    let words = format!("the run has not answered within {limit:?}; it is busy, ask again");
    Answer::refused(Code::Silent, words)
}

fn lock_within<T>(mutex: &Mutex<T>, limit: Duration) -> Option<MutexGuard<'_, T>> {
    let until = Instant::now() + limit;
    loop {
        match mutex.try_lock() {
            Ok(guard) => return Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => {
                return Some(PoisonError::into_inner(poisoned));
            }
            Err(TryLockError::WouldBlock) if Instant::now() >= until => return None,
            Err(TryLockError::WouldBlock) => thread::sleep(LOOK_AGAIN),
        }
    }
}
