//! Who lives in the workers of these tests, the master's half, and a farm with a table of them.

use farm::protocol::{Named, Schema};
use farm::worker::{NamedContext, Resident};
use farm::{
    Closed, Farm, Inbox, LaunchOptions, Mailbox, MessageError, NamedRef, Pool, Program, Timing,
    WorkerKind, WorkerRef, WorkerTable, WorkerVerdict as Verdict,
};
use rustix::fs::{CWD, FileType, Mode};
use serde::{Deserialize, Serialize};
use std::io::{ErrorKind, Read};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What a player is launched with.
#[derive(Clone, Debug, Serialize, Deserialize, Schema)]
pub(crate) enum Birth {
    /// It comes up.
    Well,
    /// It says no.
    Refuse,
    /// It dies of it.
    Die,
    /// It comes up when this pipe is opened for writing.
    When(String),
    /// It comes up, and when it closes in order it makes this file.
    Tidy(String),
}

/// What a player is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Schema)]
pub(crate) enum Do {
    /// Answer this.
    Say(u32),
    /// Say no with this.
    Refuse(u32),
    /// Answer when this pipe is opened for writing, or when the attempt is cancelled.
    Hold(String),
    /// The same, and heed no cancel.
    HoldFast(String),
    /// Die of SIGKILL.
    Die,
    /// Panic.
    Panic,
    /// Tell the process.
    Pid,
    /// Answer with something whose clone panics in the master.
    Brittle,
}

pub(crate) struct Player {
    closing: Option<String>,
}

impl Named for Player {
    const NAME: &'static str = "player";
    const VERSION: u32 = 1;
    type Params = Birth;
    type Welcome = String;
    type LaunchError = String;
    type Request = Do;
    type Response = Word;
    type RequestError = u32;
}

/// A number; the clone of [`Word::BRITTLE`] panics in the process of the tests.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize, Schema)]
pub(crate) struct Word(pub(crate) u32);

impl Word {
    const BRITTLE: Self = Self(u32::MAX);
}

impl Clone for Word {
    fn clone(&self) -> Self {
        assert_ne!(*self, Self::BRITTLE, "a clone of the test");
        Self(self.0)
    }
}

fn opened(pipe: &str) {
    let mut opened = std::fs::File::open(pipe).expect("the test made it");
    // A signal, which asks it to stop, is not heeded.
    while opened
        .read(&mut [0])
        .is_err_and(|why| why.kind() == ErrorKind::Interrupted)
    {}
}

impl Resident for Player {
    type Named = Self;

    fn on_launch(
        name: &str,
        birth: Birth,
        _: &NamedContext<'_, Self>,
    ) -> Result<(Self, String), String> {
        let mut closing = None;
        match birth {
            Birth::Well => {}
            Birth::Refuse => return Err(format!("{name} will not")),
            Birth::Die => std::process::abort(),
            Birth::When(pipe) => opened(&pipe),
            Birth::Tidy(file) => closing = Some(file),
        }
        Ok((Self { closing }, format!("{name} is here")))
    }

    fn on_request(&mut self, what: Do, context: &NamedContext<'_, Self>) -> Result<Word, u32> {
        match what {
            Do::Say(word) => Ok(Word(word)),
            Do::Refuse(word) => Err(word),
            Do::Hold(_) => {
                while !context.cancelled() {
                    std::thread::park_timeout(Duration::from_millis(1));
                }
                Err(0)
            }
            Do::HoldFast(pipe) => {
                opened(&pipe);
                Ok(Word(0))
            }
            Do::Die => {
                let me = rustix::process::getpid();
                let _dead = rustix::process::kill_process(me, rustix::process::Signal::KILL);
                unreachable!("nobody survives it")
            }
            Do::Panic => panic!("it was asked to"),
            Do::Pid => Ok(Word(std::process::id())),
            Do::Brittle => Ok(Word::BRITTLE),
        }
    }

    fn on_close(self) {
        if let Some(file) = self.closing {
            std::fs::write(file, "closed").expect("the test's own folder");
        }
    }
}

/// Which hook of the master's half runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hook {
    Completion,
    Error,
    Idle,
    Close,
}

type Errand = dyn Fn(&WorkerRef<Coach>, Hook) + Send + Sync;

/// The master's half: notes what its hooks were told, and does in them what a test wants.
#[derive(Clone, Default)]
pub(crate) struct Coach {
    notes: Arc<Mutex<Vec<String>>>,
    errand: Option<Arc<Errand>>,
}

impl Coach {
    /// One whose hooks do this, after they have noted.
    pub(crate) fn who(errand: impl Fn(&WorkerRef<Self>, Hook) + Send + Sync + 'static) -> Self {
        Self {
            notes: Arc::default(),
            errand: Some(Arc::new(errand)),
        }
    }

    pub(crate) fn notes(&self) -> Vec<String> {
        self.notes.lock().expect("whole").clone()
    }

    fn note(&self, worker: &WorkerRef<Self>, hook: Hook, what: &str) {
        let note = format!("{}{what}", worker.name());
        self.notes.lock().expect("whole").push(note);
        if let Some(errand) = &self.errand {
            errand(worker, hook);
        }
    }
}

impl WorkerKind for Coach {
    type Named = Player;

    fn on_completion(
        &self,
        worker: &WorkerRef<Self>,
        _: &Do,
        response: &Word,
        timing: &Timing,
    ) -> Verdict {
        assert!(timing.pushed <= timing.started && timing.started <= timing.finished);
        self.note(worker, Hook::Completion, &format!(": {}", response.0));
        Verdict::Continue
    }

    fn on_error(&self, worker: &WorkerRef<Self>, _: &Do, error: &u32, _: &Timing) -> Verdict {
        self.note(worker, Hook::Error, &format!(": no {error}"));
        match error {
            900 => Verdict::Shutdown,
            901 => Verdict::Crash("enough".to_owned()),
            902 => panic!("a hook of the test"),
            _ => Verdict::Continue,
        }
    }

    fn on_idle(&self, worker: &WorkerRef<Self>) {
        self.note(worker, Hook::Idle, " idles");
    }

    fn on_close(&self, worker: &WorkerRef<Self>, closed: &Closed) {
        let how = if closed.crash.is_some() {
            " crashed"
        } else {
            " closed"
        };
        self.note(worker, Hook::Close, how);
    }
}

/// A farm with a table of players.
pub(crate) struct Club<M> {
    pub(crate) table: WorkerTable<Coach, M>,
    pub(crate) coach: Coach,
    pub(crate) farm: Farm,
    pub(crate) named: NamedRef<Player>,
}

impl<M: Mailbox<Player>> Club<M> {
    pub(crate) fn open(most: u32, mailbox: M) -> Self {
        Self::with(most, mailbox, Coach::default())
    }

    pub(crate) fn with(most: u32, mailbox: M, coach: Coach) -> Self {
        let mut builder = Farm::builder();
        builder.close_budget(CLOSE_BUDGET);
        let pool = Pool::new(Program::this_executable(), most);
        let named = builder.named::<Player>(pool);
        let farm = builder.start().expect("a farm");
        let table = farm.worker_table(named, coach.clone(), mailbox);
        Self {
            table,
            coach,
            farm,
            named,
        }
    }
}

impl<M: Inbox> Club<M> {
    /// Somebody who came up.
    pub(crate) fn up(&self, name: &str) -> WorkerRef<Coach, M> {
        self.table.launch(name, Birth::Well, plain()).expect("up")
    }
}

/// How long an ended worker may take.
pub(crate) const CLOSE_BUDGET: Duration = Duration::from_millis(200);

/// How long a request that is to stop may take.
const GRACE: Duration = Duration::from_millis(100);

pub(crate) fn plain() -> LaunchOptions {
    LaunchOptions {
        grace: Some(GRACE),
        ..LaunchOptions::default()
    }
}

pub(crate) fn slots(most: usize) -> farm::Bounded {
    farm::Bounded(NonZeroUsize::new(most).expect("not zero"))
}

/// A named pipe: whoever reads it is held until it is opened here.
pub(crate) struct Gate {
    _folder: tempfile::TempDir,
    pub(crate) path: String,
}

impl Gate {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("gate");
        let mode = Mode::RUSR | Mode::WUSR;
        rustix::fs::mknodat(CWD, &path, FileType::Fifo, mode, 0).expect("our own folder");
        let path = path.to_str().expect("a plain path").to_owned();
        Self {
            _folder: folder,
            path,
        }
    }

    /// A request that is held by it.
    pub(crate) fn holds(&self) -> Do {
        Do::HoldFast(self.path.clone())
    }

    /// Waits until somebody is held by it; he is for as long as this is kept.
    pub(crate) fn held(&self) -> std::fs::File {
        let opened = std::fs::OpenOptions::new().write(true).open(&self.path);
        opened.expect("our own folder")
    }

    /// Waits until somebody is held by it, and lets go.
    pub(crate) fn open(&self) {
        drop(self.held());
    }
}

/// Until it is so. The run is watched: what never comes ends it.
pub(crate) fn until(mut so: impl FnMut() -> bool) {
    while !so() {
        std::thread::park_timeout(Duration::from_millis(1));
    }
}

/// An answer that is a number.
pub(crate) fn word(answer: Result<Word, MessageError<u32>>) -> u32 {
    answer.expect("it answers").0
}
