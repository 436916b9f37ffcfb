//! The watch over a run: hears signals, troubles and the end of the input, and tells the farm how
//! to end. The policy of stopping stands here, in one place.

use super::desk::{SharedDesk, lock};
use super::door::Door;
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
                    self.farm.shut(Shut::Drain);
                }
                Letter::AllRead => {
                    ending.all_read = true;
                    self.farm.shut(Shut::Drain);
                }
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
        ending
    }

    fn say(&self, line: &str) {
        let line = format!("{}: {line}", self.name);
        lock(self.desk).reporter.say(&line);
    }

    /// A reader far behind holds new tasks back, never those that run.
    fn look(&self) {
        let mut desk = lock(self.desk);
        desk.take_troubles();
        let gate = if desk.reporter.is_behind() {
            Gate::Paused
        } else {
            Gate::Running
        };
        drop(desk);
        for door in self.doors {
            door.set_gate(self.farm, gate);
        }
    }

    /// Starts nothing more, lets what runs finish.
    fn halt(&self, ending: &mut Ending, why: &str) {
        ending.why.get_or_insert_with(|| why.to_string());
        self.farm.shut(Shut::Finish);
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
