//! A library with a farm in it, for programs whose `main` is not ours: a test, a plug-in, a program in C.
//!
//! Such a program cannot be its own worker: started again it would do whatever it does. So the worker is a program of
//! its own, and who uses the library says where it is. See README.md beside this file.

pub mod foreign;
mod kind;

use farm::master::StartFailures;
use farm::{Farm, Outcome, Pool, Program, Shut, StartError, TaskQueue};
use kind::Words;
use std::path::PathBuf;
use std::time::Duration;

/// How many worker processes there are at most.
const WORKERS: u32 = 2;

/// Counts words on worker processes. When it is dropped none of them is left.
#[derive(Debug)]
pub struct Counter {
    farm: Farm,
    words: TaskQueue<Words>,
}

impl Counter {
    /// A counter whose workers run the program at `worker`. None is started before there is something to count, and so
    /// a wrong path is not noticed before.
    ///
    /// # Errors
    /// The farm's own thread cannot be started.
    pub fn start(worker: impl Into<PathBuf>) -> Result<Self, StartError> {
        let mut builder = Farm::builder();
        // A caller who waits wants to know soon that the worker program is no good.
        builder.start_failures(StartFailures {
            limit: 2,
            pause: Duration::from_millis(10),
            ..StartFailures::default()
        });
        let words = builder.kind(Words, Pool::new(Program::path(worker), WORKERS));
        let farm = builder.start()?;
        let words = farm.queue(words);
        Ok(Self { farm, words })
    }

    /// How many words each of the texts has.
    ///
    /// # Errors
    /// Why the first that could not be counted could not be, in words.
    pub fn count<'a>(&self, texts: impl IntoIterator<Item = &'a str>) -> Result<Vec<u64>, String> {
        let texts = texts.into_iter().map(str::to_owned);
        let counted = self.words.submit_all(texts).in_order();
        counted
            .map(|resolved| match resolved {
                Ok(settled) => match settled.outcome {
                    Outcome::Done(words) => Ok(words),
                    Outcome::SpawnFailed(why) => Err(why),
                    other => Err(format!("not counted: {}", other.status())),
                },
                Err(refused) => Err(format!("not counted: {refused}")),
            })
            .collect()
    }

    /// Waits until its workers have ended. A drop does not ask them, but ends them.
    pub fn finish(self) {
        self.farm.shut(Shut::Drain);
        self.farm.wait_stopped();
    }
}
