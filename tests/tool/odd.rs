//! Two kinds that do what few do: `chain` adds tasks by itself and has its workers forked from a template, `muddle` gives
//! what JSON cannot hold.

use farm::protocol::{Never, Wire};
use farm::worker::{Context, Perform};
use farm::{TaskKind, Verdict, WorkerStatus};
use serde::Deserialize;
use std::collections::BTreeMap;

pub(crate) struct Chain;

/// How many tasks are to follow, each added by the one before. The last that follows fails.
#[derive(Deserialize, farm::protocol::Schema)]
#[serde(try_from = "u32")]
pub(crate) struct Links(u32);

impl TryFrom<u32> for Links {
    type Error = String;

    fn try_from(count: u32) -> Result<Self, String> {
        if count > 100 {
            return Err(format!("a chain of {count} is too long"));
        }
        Ok(Self(count))
    }
}

impl Wire for Chain {
    const NAME: &'static str = "chain";
    const VERSION: u32 = 1;
    type Request = u32;
    type Response = u32;
    type Feedback = Never;
    type Context = Never;
}

impl TaskKind for Chain {
    type Wire = Self;
    type Task = Links;
    type Competence = ();
    type Output = u32;
    type Failure = ();

    fn request_of_task(&mut self, _: &WorkerStatus<()>, task: &Links) -> Option<u32> {
        Some(task.0)
    }

    fn use_response(&mut self, _: &WorkerStatus<()>, _: &Links, left: u32) -> Verdict<Self> {
        match left.checked_sub(1) {
            Some(next) => Verdict::done(left, ()).inject(vec![Links(next)]),
            None => Verdict::failed((), ()),
        }
    }
}

impl Perform for Chain {
    type Wire = Self;
    const TEMPLATE: bool = true;

    fn perform(&mut self, left: u32, _: &Context<'_, Self>) -> u32 {
        let parent = rustix::process::getppid().map_or(0, |pid| pid.as_raw_nonzero().get());
        let started_with = std::fs::read(format!("/proc/{parent}/cmdline")).unwrap_or_default();
        if String::from_utf8_lossy(&started_with).contains("farm-template:") {
            println!("forked from a template");
        }
        left
    }
}

pub(crate) struct Muddle;

impl Wire for Muddle {
    const NAME: &'static str = "muddle";
    const VERSION: u32 = 1;
    type Request = ();
    type Response = ();
    type Feedback = Never;
    type Context = Never;
}

impl TaskKind for Muddle {
    type Wire = Self;
    type Task = ();
    type Competence = ();
    type Output = BTreeMap<Vec<u8>, ()>;
    type Failure = ();

    fn request_of_task(&mut self, _: &WorkerStatus<()>, (): &()) -> Option<()> {
        Some(())
    }

    fn use_response(&mut self, _: &WorkerStatus<()>, (): &(), (): ()) -> Verdict<Self> {
        Verdict::done(BTreeMap::from([(vec![1], ())]), ())
    }
}

impl Perform for Muddle {
    type Wire = Self;

    fn perform(&mut self, (): (), _: &Context<'_, Self>) {}
}
