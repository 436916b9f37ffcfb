//! `farm status`: how a run stands, or which runs there are.

mod words;

use super::exit::Exit;
use super::reach::{Target, Unreached, all, in_a_line, print, socket, status};
use super::run::complain;
use crate::control::{Run, Status, VERSION};
use serde::Serialize;

/// `farm status`
#[derive(clap::Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    target: Target,

    /// As JSON, in one line; docs/control.md has the fields
    #[arg(long)]
    json: bool,

    /// How many of the tasks that wait are listed, of each kind; at most 1000
    #[arg(long, value_name = "N", default_value_t = 10)]
    waiting: usize,
}

/// For the program called `name`.
pub(super) fn run(arguments: &Arguments, name: &str) -> Exit {
    if arguments.target.run.is_none() {
        let found = all(name);
        if found.len() != 1 {
            return several(&found, arguments, name);
        }
    }
    let reached = socket(name, &arguments.target).and_then(|path| {
        let run = Run { pid: 0, path };
        status(&run, arguments.waiting)
    });
    match reached {
        Ok(status) if arguments.json => json(&status),
        Ok(status) => print(&words::of(&status)),
        Err(Unreached(exit, why)) => {
            complain(&format!("{name}: {why}"));
            exit
        }
    }
}

/// What a program gets that names no run where there is not exactly one.
#[derive(Serialize)]
struct Runs {
    v: u32,
    runs: Vec<Status>,
}

fn several(found: &[Run], arguments: &Arguments, name: &str) -> Exit {
    let waiting = if arguments.json { arguments.waiting } else { 0 };
    let mut runs = Vec::new();
    let mut exit = Exit::NotThere;
    for run in found {
        match status(run, waiting) {
            Ok(status) => runs.push(status),
            // It has ended meanwhile.
            Err(Unreached(Exit::NotThere, _)) => {}
            Err(Unreached(other, why)) => {
                complain(&format!("{name}: {}: {why}", run.pid));
                exit = other;
            }
        }
    }
    if !runs.is_empty() {
        exit = Exit::Success;
    } else if exit == Exit::NotThere {
        complain(&format!("{name}: no run of yours is there"));
    }
    let printed = if arguments.json {
        json(&Runs { v: VERSION, runs })
    } else {
        let lines = runs.iter().map(|status| in_a_line(status) + "\n");
        print(&lines.collect::<String>())
    };
    if printed == Exit::Success {
        exit
    } else {
        printed
    }
}

fn json(value: &impl Serialize) -> Exit {
    let text = serde_json::to_string(value).expect("texts as keys");
    print(&(text + "\n"))
}
