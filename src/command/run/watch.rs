//! The watch over a run: hears signals, troubles and the end of the input, and tells the farm how
//! to end. The policy of stopping and of pausing stands here, in one place.

use super::clerk::{Became, Wish, Wished};
use super::course::{SharedCourse, look};
use super::desk::{SharedDesk, lock};
use super::door::Door;
use crate::control::State;
use crate::report::WriteTrouble;
use farm_driver::Farm;
use farm_master::Shut;
use farm_master::lane::Gate;
use rustix::process::{Signal, getpid, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGTSTP};
use std::sync::mpsc::{Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

/// Something the watch must know of.
#[derive(Debug)]
pub(super) enum Letter {
    /// A signal came.
    Signal(i32),
    /// Something could not be written.
    Trouble(WriteTrouble),
    /// A reader of our output is gone, too far behind, or no longer so.
    Look,
    /// Output of a task was lost: which file, and why.
    Lost(String),
    /// A line of the input is wrong; nothing after it is read.
    BadLine(String),
    /// The last task of the input has gone in.
    AllRead,
    /// No task is in the farm any more, or none that could start.
    AllDone,
    /// Somebody at the control socket wants something.
    Asked(Wished),
    /// No token comes any more from the jobserver.
    NoTokens(String),
    /// No worker can be started.
    NoWorkers(String),
    /// The farm has stopped.
    Stopped,
}

/// How a run ended, apart from its tasks.
#[derive(Debug, Default)]
pub(super) struct Ending {
    /// The signal that ended it.
    pub(super) signal: Option<i32>,
    /// When that was.
    asked: Option<Instant>,
    /// Something could not be read or written.
    pub(super) trouble: bool,
    /// It was stopped before its end.
    pub(super) stopped: bool,
    /// The last task of the input has gone in.
    pub(super) all_read: bool,
    /// How long a person had it paused.
    pub(super) paused: Duration,
    why: Option<String>,
}

impl Ending {
    /// Notes an interrupt that came when nothing ran any more, while the last output was written.
    pub(super) fn note_late_signals(&mut self, letters: &Receiver<Letter>) {
        for letter in letters.try_iter() {
            if let Letter::Signal(signal @ (SIGINT | SIGTERM)) = letter {
                self.signal.get_or_insert(signal);
            }
        }
    }

    /// Why it stopped before its last task, if it did.
    pub(super) fn halted(&self) -> Option<String> {
        self.why.clone()
    }
}

/// Signals that follow each other this closely are one wish: `timeout` sends its own twice, to us and to our group, and a
/// terminal that closes sends several.
const ONE_WISH: Duration = Duration::from_millis(200);

pub(super) struct Watch<'a> {
    pub(super) farm: &'a Farm,
    pub(super) doors: &'a [Box<dyn Door>],
    pub(super) letters: &'a Receiver<Letter>,
    pub(super) post: Sender<Letter>,
    pub(super) desk: &'a SharedDesk,
    pub(super) course: &'a SharedCourse,
    pub(super) grace: Duration,
    /// Who speaks.
    pub(super) name: &'a str,
}

/// Whether a trouble is worth words and the exit code 2. A reader of our output who has seen
/// enough is neither.
pub(super) const fn is_loud(trouble: &WriteTrouble) -> bool {
    match trouble {
        WriteTrouble::StdoutClosed => false,
        WriteTrouble::Failed { .. } => true,
    }
}

impl Watch<'_> {
    /// Watches until the farm has stopped.
    pub(super) fn until_stopped(self) -> Ending {
        let farm = self.farm.clone();
        let post = self.post.clone();
        // `wait_stopped` cannot be waited for together with the letters, so a thread turns it into one.
        let waiter = thread::spawn(move || {
            farm.wait_stopped();
            let _watch_over = post.send(Letter::Stopped);
        });
        let mut ending = Ending::default();
        while let Ok(letter) = self.letters.recv() {
            match letter {
                Letter::Signal(signal) => self.signal(signal, &mut ending),
                Letter::Trouble(trouble) => self.trouble(&trouble, &mut ending),
                Letter::Look => self.look(),
                Letter::Lost(what) => {
                    self.say(&format!("output was lost: {what}"));
                    self.halt(&mut ending, "output was lost");
                    ending.trouble = true;
                }
                Letter::BadLine(diagnostics) => {
                    lock(self.desk).reporter.say(diagnostics.trim_end());
                    ending.trouble = true;
                    ending
                        .why
                        .get_or_insert_with(|| "stopped at a bad line of the input".into());
                }
                Letter::AllRead => {
                    ending.all_read = true;
                    look(self.course).all_read = true;
                    self.tell_when_done();
                }
                Letter::AllDone => {
                    look(self.course).all_done = true;
                    self.drain();
                }
                Letter::Asked(wished) => self.asked(&wished, &mut ending),
                Letter::NoTokens(error) => {
                    let goes_on =
                        "going on with the tokens there are, then with one task at a time";
                    self.say(&format!("{error}; {goes_on}"));
                }
                Letter::NoWorkers(error) => {
                    self.say(&error);
                    self.halt(&mut ending, "no worker could be started");
                    ending.stopped = true;
                }
                Letter::Stopped => break,
            }
            if waiter.is_finished() {
                break;
            }
        }
        if let Err(panic) = waiter.join() {
            std::panic::resume_unwind(panic);
        }
        // Also waits for whoever is looking into what the run now gives up.
        let mut course = look(self.course);
        course.go(State::Ending);
        ending.paused = course.paused_in_all();
        drop(course);
        ending
    }

    /// Has a letter written when there is nothing left to do. The farm is not told to drain before: a farm that drains
    /// cannot be paused.
    fn tell_when_done(&self) {
        let (farm, post) = (self.farm.clone(), self.post.clone());
        thread::spawn(move || {
            let _left = farm.join();
            let _watch_over = post.send(Letter::AllDone);
        });
    }

    /// Ends the farm when nothing is left to do. A pause is waited for: whoever paused may mean to look at something.
    fn drain(&self) {
        let course = look(self.course);
        let now = course.all_done && course.state() != State::Paused;
        drop(course);
        if now {
            self.farm.shut(Shut::Drain);
        }
    }

    /// Somebody wants something. What nobody waits for any more is not done.
    fn asked(&self, wished: &Wished, ending: &mut Ending) {
        if Instant::now() > wished.until {
            return;
        }
        let to = match wished.wish {
            Wish::Pause => State::Paused,
            Wish::Resume => State::Running,
            Wish::Finish => State::Finishing,
        };
        let mut course = look(self.course);
        let before = course.state();
        let went = course.go(to);
        let paused = course.paused_in_all();
        drop(course);
        let became = match before {
            _ if went => Became::Done,
            state if state == to => Became::AsItWas,
            _ => Became::Ending,
        };
        match wished.wish {
            Wish::Pause | Wish::Resume if went => {
                self.gates();
                self.drain();
            }
            // Said below: to open the lanes before would start something.
            Wish::Finish | Wish::Pause | Wish::Resume => {}
        }
        // First of all whoever asked: our own output may have nobody who reads it.
        let _gone = wished.answer.try_send(became);
        if went {
            self.wish_done(wished.wish, paused, ending);
        }
    }

    fn wish_done(&self, wish: Wish, paused: Duration, ending: &mut Ending) {
        let name = self.name;
        let is_paused = wish == Wish::Pause;
        lock(self.desk).reporter.set_paused(is_paused);
        match wish {
            Wish::Pause => self.say(&format!(
                "paused by `{name} pause`; what runs goes on, and `{name} resume` starts the rest"
            )),
            Wish::Resume => self.say(&format!("goes on; it was paused for {paused:.1?}")),
            Wish::Finish => {
                ending.stopped |= !ending.all_read;
                let why = format!("finished early, as `{name} finish` asked");
                self.halt(ending, &why);
                self.say("asked to finish; nothing more is started, what runs finishes");
            }
        }
    }

    /// Opens or closes the lanes, as the course wants it.
    fn gates(&self) {
        let gate = if look(self.course).holds() {
            Gate::Paused
        } else {
            Gate::Running
        };
        for door in self.doors {
            door.set_gate(self.farm, gate);
        }
    }

    fn say(&self, line: &str) {
        let line = format!("{}: {line}", self.name);
        lock(self.desk).reporter.say(&line);
    }

    /// A reader far behind holds new tasks back, never those that run.
    fn look(&self) {
        let mut desk = lock(self.desk);
        desk.take_troubles();
        let behind = desk.reporter.is_behind();
        drop(desk);
        look(self.course).held_back = behind;
        self.gates();
    }

    /// Starts nothing more, lets what runs finish.
    fn halt(&self, ending: &mut Ending, why: &str) {
        ending.why.get_or_insert_with(|| why.to_string());
        self.farm.shut(Shut::Finish);
        look(self.course).go(State::Finishing);
    }

    fn trouble(&self, trouble: &WriteTrouble, ending: &mut Ending) {
        if is_loud(trouble) {
            self.say(&format!(
                "{trouble}; nothing more is started, what runs finishes"
            ));
            ending.trouble = true;
        } else {
            // Whoever closed our output has seen enough, also of us.
            lock(self.desk).reporter.end_quietly();
            ending.stopped |= !ending.all_read;
        }
        self.halt(ending, "something could not be written");
    }

    fn signal(&self, signal: i32, ending: &mut Ending) {
        match signal {
            SIGINT | SIGTERM if ending.signal.is_none() => {
                ending.signal = Some(signal);
                ending.asked = Some(Instant::now());
                ending.why = Some("interrupted".into());
                let running = lock(self.desk).running();
                let tasks = if running == 1 { "task" } else { "tasks" };
                let asked = match running {
                    0 => String::new(),
                    _ => format!(
                        "; asked {running} running {tasks} to end, waiting up to {:?}; \
                         a second time kills them now",
                        self.grace
                    ),
                };
                self.say(&format!("stopping{asked}"));
                self.farm.shut(Shut::Stop);
                look(self.course).go(State::Stopping);
            }
            SIGINT | SIGTERM if ending.asked.is_some_and(|at| at.elapsed() < ONE_WISH) => {}
            SIGINT | SIGTERM => {
                self.say("killing everything");
                self.farm.shut(Shut::Kill);
            }
            SIGHUP => {
                ending.stopped = true;
                // Said when it is so: whoever reads it may let a task end, and the next one must not start for that.
                self.halt(ending, "hangup");
                self.say("hangup; nothing more is started, what runs finishes");
            }
            SIGTSTP => self.pause(),
            other => log::warn!("signal {other} was caught and is not handled"),
        }
    }

    /// Ctrl-Z: the workers' groups stop with us, and so does the clock of their time limits.
    fn pause(&self) {
        self.farm.suspend();
        lock(self.desk).reporter.suspend(|| {
            // Returns when somebody continues us. A process can always signal itself.
            let _stopped = kill_process(getpid(), Signal::STOP);
        });
        self.farm.resume();
    }
}
