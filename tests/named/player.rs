//! Who lives in the workers of these tests, the master's half, and a farm with a table of them.

use farm::protocol::{Named, NamedWire, Schema};
use farm::worker::{Context, Resident};
use farm::{
    Closed, Farm, LaunchOptions, Mailbox, Pool, Program, Timing, WorkerKind, WorkerRef,
    WorkerTable, WorkerVerdict as Verdict,
};
use serde::{Deserialize, Serialize};
use std::io::Read;
use std::sync::{Arc, Mutex};

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
}

pub(crate) struct Player;

impl Named for Player {
    const NAME: &'static str = "player";
    const VERSION: u32 = 1;
    type Params = Birth;
    type Welcome = String;
    type LaunchError = String;
    type Request = Do;
    type Response = u32;
    type RequestError = u32;
}

fn opened(pipe: &str) {
    let mut opened = std::fs::File::open(pipe).expect("the test made it");
    let _ended = opened.read(&mut [0]);
}

impl Resident for Player {
    type Named = Player;

    fn on_launch(
        name: &str,
        birth: Birth,
        _: &Context<'_, NamedWire<Player>>,
    ) -> Result<(Self, String), String> {
        match birth {
            Birth::Well => {}
            Birth::Refuse => return Err(format!("{name} will not")),
            Birth::Die => std::process::abort(),
            Birth::When(pipe) => opened(&pipe),
        }
        Ok((Player, format!("{name} is here")))
    }

    fn on_request(
        &mut self,
        what: Do,
        context: &Context<'_, NamedWire<Player>>,
    ) -> Result<u32, u32> {
        match what {
            Do::Say(word) => Ok(word),
            Do::Refuse(word) => Err(word),
            Do::Hold(_) => {
                while !context.cancelled() {
                    std::thread::park_timeout(std::time::Duration::from_millis(1));
                }
                Err(0)
            }
            Do::HoldFast(pipe) => {
                opened(&pipe);
                Ok(0)
            }
            Do::Die => {
                let me = rustix::process::getpid();
                let _dead = rustix::process::kill_process(me, rustix::process::Signal::KILL);
                unreachable!("nobody survives it")
            }
            Do::Panic => panic!("it was asked to"),
            Do::Pid => Ok(std::process::id()),
        }
    }
}

/// The master's half: notes what its hooks were told.
#[derive(Clone, Default)]
pub(crate) struct Coach(pub Arc<Mutex<Vec<String>>>);

impl Coach {
    pub fn notes(&self) -> Vec<String> {
        self.0.lock().expect("whole").clone()
    }

    fn note(&self, what: String) {
        self.0.lock().expect("whole").push(what);
    }
}

impl WorkerKind for Coach {
    type Named = Player;

    fn on_completion(
        &self,
        worker: &WorkerRef<Self>,
        _: &Do,
        response: &u32,
        _: &Timing,
    ) -> Verdict {
        self.note(format!("{}: {response}", worker.name()));
        Verdict::Continue
    }

    fn on_error(&self, worker: &WorkerRef<Self>, _: &Do, error: &u32, _: &Timing) -> Verdict {
        self.note(format!("{}: no {error}", worker.name()));
        match error {
            900 => Verdict::Shutdown,
            901 => Verdict::Crash("enough".to_owned()),
            902 => panic!("a hook of the test"),
            _ => Verdict::Continue,
        }
    }

    fn on_close(&self, worker: &WorkerRef<Self>, closed: &Closed) {
        let how = if closed.crash.is_some() {
            "crashed"
        } else {
            "closed"
        };
        self.note(format!("{} {how}", worker.name()));
    }
}

/// A farm with a table of players.
pub(crate) struct Club<M> {
    pub table: WorkerTable<Coach, M>,
    pub coach: Coach,
    pub farm: Farm,
}

impl<M: Mailbox<Player>> Club<M> {
    pub fn open(most: u32, mailbox: M) -> Self {
        let mut builder = Farm::builder();
        let pool = Pool::new(Program::this_executable(), most);
        let named = builder.named::<Player>(pool);
        let farm = builder.start().expect("a farm");
        let coach = Coach::default();
        let table = farm.worker_table(named, coach.clone(), mailbox);
        Self { table, coach, farm }
    }
}

pub(crate) fn plain() -> LaunchOptions {
    LaunchOptions::default()
}
