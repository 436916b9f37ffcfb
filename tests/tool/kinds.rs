//! Two kinds with everything a task file can ask of one: `measure`, whose input has every shape, and `gate`, which says
//! when it is executing and then waits.

use crate::odd::{Chain, Muddle};
use farm::exec::Commands;
use farm::protocol::{Never, Wire};
use farm::tool::{Kinds, Program};
use farm::worker::{Context, Perform};
use farm::{TaskKind, Verdict, WorkerStatus};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::process::ExitCode;

/// As `main!` would have it, with a name of our own.
pub(crate) fn tool() -> ExitCode {
    let program = Program {
        name: "probe",
        version: "1.2.3",
    };
    farm::tool::main(program, || {
        Kinds::new()
            .with(Measure)
            .with(Gate)
            .with(Commands::new())
            .with(Chain)
            .with(Muddle)
    })
}

pub(crate) struct Measure;

#[derive(Deserialize, farm::protocol::Schema)]
pub(crate) struct Measurement {
    sides: Vec<u8>,
    unit: Unit,
    #[serde(default)]
    scale: Option<f64>,
    #[serde(default, rename = "for")]
    purposes: BTreeMap<u32, bool>,
}

#[derive(Clone, Copy, Deserialize, Serialize, farm::protocol::Schema)]
pub(crate) enum Unit {
    #[serde(rename = "metre")]
    Metre,
    #[serde(rename = "inch")]
    Inch,
    #[serde(rename = "own")]
    Own { millimetres: u32 },
}

#[derive(Serialize)]
pub(crate) struct Measured {
    sum: u64,
    unit: Unit,
    scaled: f64,
    purposes: usize,
}

#[derive(Serialize)]
pub(crate) enum Refusal {
    Empty,
    TooLong { sum: u64, most: u64 },
}

impl Wire for Measure {
    const NAME: &'static str = "measure";
    const VERSION: u32 = 7;
    type Request = Vec<u8>;
    type Response = u64;
    type Feedback = Never;
    type Context = Never;
}

impl TaskKind for Measure {
    type Wire = Self;
    type Task = Measurement;
    type Competence = ();
    type Output = Measured;
    type Failure = Refusal;

    const INDEPENDENT: bool = true;

    fn request_of_task(&mut self, _: &WorkerStatus<()>, task: &Measurement) -> Option<Vec<u8>> {
        Some(task.sides.clone())
    }

    fn use_response(
        &mut self,
        _: &WorkerStatus<()>,
        task: &Measurement,
        sum: u64,
    ) -> Verdict<Self> {
        const MOST: u64 = 500;
        if task.sides.is_empty() {
            return Verdict::failed(Refusal::Empty, ()).fatal();
        }
        if sum > MOST {
            return Verdict::failed(Refusal::TooLong { sum, most: MOST }, ());
        }
        let measured = Measured {
            sum,
            unit: task.unit,
            scaled: task.scale.unwrap_or(1.0) * f64::from(u32::try_from(sum).unwrap_or(0)),
            purposes: task.purposes.len(),
        };
        Verdict::done(measured, ())
    }
}

impl Perform for Measure {
    type Wire = Self;

    fn perform(&mut self, sides: Vec<u8>, _: &Context<'_, Self>) -> u64 {
        sides.into_iter().map(u64::from).sum()
    }
}

pub(crate) struct Gate;

#[derive(Clone, Deserialize, Serialize, farm::protocol::Schema)]
pub(crate) struct Passing {
    /// The pipe into which it says `<attempt> <pid>` when it executes.
    begun: String,
    /// It waits for ever in attempts before this one.
    #[serde(default)]
    opens_at: u32,
    /// Whether it stops waiting when it is asked to.
    #[serde(default)]
    heeds: bool,
}

impl Wire for Gate {
    const NAME: &'static str = "gate";
    const VERSION: u32 = 1;
    type Request = Passing;
    type Response = u32;
    type Feedback = Never;
    type Context = Never;
}

impl TaskKind for Gate {
    type Wire = Self;
    type Task = Passing;
    type Competence = ();
    type Output = String;
    type Failure = ();

    fn request_of_task(&mut self, _: &WorkerStatus<()>, task: &Passing) -> Option<Passing> {
        Some(task.clone())
    }

    fn use_response(&mut self, _: &WorkerStatus<()>, _: &Passing, attempt: u32) -> Verdict<Self> {
        Verdict::done(format!("passed in attempt {attempt}"), ())
    }
}

impl Perform for Gate {
    type Wire = Self;

    fn perform(&mut self, gate: Passing, context: &Context<'_, Self>) -> u32 {
        let attempt = context.id().attempt.0;
        println!("at the gate");
        let begun = OpenOptions::new().append(true).open(&gate.begun);
        writeln!(
            begun.expect("the test made it"),
            "{attempt} {}",
            std::process::id()
        )
        .expect("the test reads it");
        while attempt < gate.opens_at && !(gate.heeds && context.cancelled()) {
            std::thread::park_timeout(std::time::Duration::from_millis(5));
        }
        attempt
    }
}
