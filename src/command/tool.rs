//! The command line of a program made with [`main!`](crate::main): `run` as in `farm`, and what such a program has besides.

#[cfg(feature = "sim")]
mod sim;

#[cfg(feature = "sim")]
pub(crate) use sim::{Play, Played};

use super::exit::Exit;
use super::{Control, kinds, parse, run, start_log};
use crate::tool::{Kinds, Program};
use clap::{Arg, ArgAction, Args as _, Command, FromArgMatches as _, Subcommand as _};
use std::ffi::OsString;

/// Does what the arguments say (the program's name first), and answers how the process is to end.
pub(crate) fn tool_main<I: IntoIterator<Item = OsString>>(
    program: Program,
    make: impl Fn() -> Kinds + Send + Sync + 'static,
    arguments: I,
) -> Exit {
    start_log();
    let kinds = make();
    let matches = match parse(|| command(program, &kinds).try_get_matches_from(arguments)) {
        Ok(matches) => matches,
        Err(exit) => return exit,
    };
    match matches.subcommand() {
        Some(("run", matches)) => {
            let arguments = parse(|| run::Arguments::from_arg_matches(matches));
            match arguments {
                Ok(arguments) => run::run(&arguments, program.name, kinds, Box::new(make)),
                Err(exit) => exit,
            }
        }
        #[cfg(feature = "sim")]
        Some(("sim", matches)) => match parse(|| sim::Arguments::from_arg_matches(matches)) {
            Ok(arguments) => sim::run(&arguments, program.name, &kinds, std::rc::Rc::new(make)),
            Err(exit) => exit,
        },
        Some(("kinds", matches)) => kinds::list(&kinds, matches.get_flag("json")),
        Some(("worker", _)) => {
            run::complain(&format!(
                "{0}: `{0} worker` is what `{0} run` starts its workers with; it does nothing by itself",
                program.name
            ));
            Exit::Trouble
        }
        Some(_) => match parse(|| Control::from_arg_matches(&matches)) {
            Ok(control) => control.run(program.name),
            Err(exit) => exit,
        },
        None => unreachable!("clap asks for a subcommand"),
    }
}

fn command(program: Program, kinds: &Kinds) -> Command {
    let name = program.name;
    let mut run = run::Arguments::augment_args(Command::new("run"));
    if kinds.cards().len() > 1 {
        let each = "How many workers each kind has at once: a number, `auto` for one per processor, or 0: one task of each kind at a time, inside this process";
        run = run.mut_arg("workers", |workers| workers.help(each));
    }
    let run = run
        .about("Run the tasks of a file")
        .long_about(None)
        .before_long_help(examples(name, kinds))
        .after_long_help(run::AFTER_HELP);
    let list = Command::new("kinds")
        .about("List the kinds of tasks that this program runs, and what their input looks like")
        .arg(
            Arg::new("json")
                .long("json")
                .action(ArgAction::SetTrue)
                .help("As JSON, one object per line; the input as a JSON Schema"),
        );
    let worker = Command::new("worker").about("What `run` starts its workers with");
    let program = Command::new(name)
        .version(program.version)
        .about("Runs lists of tasks on persistent worker processes, with an end for every task that can be trusted")
        .arg_required_else_help(true)
        .subcommand_required(true)
        .max_term_width(100)
        .subcommand(run);
    let program = Control::augment_subcommands(program)
        .subcommand(list)
        .subcommand(worker);
    #[cfg(feature = "sim")]
    let program = program.subcommand(sim::command(name));
    program
}

fn examples(name: &str, kinds: &Kinds) -> String {
    let cards = kinds.cards();
    let kind = cards.first().map_or("…", |card| card.name);
    format!(
        r#"A task is like {{"kind": "{kind}", "input": …}}; see `{name} kinds`.

Examples:
  {name} run --workers 8 tasks.json
  … | {name} run - --results results.jsonl"#
    )
}
