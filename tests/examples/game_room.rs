//! The example `game_room`: its own rounds, a player that is killed, rounds that are none, an interrupt.

use crate::stage::{Ended, LIMIT, Running, Stage};
use rustix::process::{Pid, Signal, kill_process};
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

/// An example, built beside the tests' folder.
pub(crate) fn example(name: &str) -> String {
    let own = std::env::current_exe().expect("Linux");
    let built = own.parent().and_then(Path::parent);
    let example = built
        .expect("target/debug/deps")
        .join("examples")
        .join(name);
    let built = example.exists();
    assert!(built, "build it first: cargo build --example {name}");
    example.to_str().expect("UTF-8").to_owned()
}

/// Waits until a line of stdout begins so, and answers the rest of it.
pub(crate) fn told(stage: &Stage, beginning: &str) -> String {
    let deadline = Instant::now() + LIMIT;
    loop {
        let text = stage.read("stdout");
        let mut whole = text
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'));
        if let Some(rest) = whole.find_map(|line| line.strip_prefix(beginning)) {
            return rest.trim_end().to_owned();
        }
        assert!(Instant::now() < deadline, "no `{beginning}`: {text}");
        std::thread::yield_now();
    }
}

fn start<'a>(stage: &'a Stage, arguments: &[&str]) -> Running<'a> {
    let mut command = stage.marked(&example("game_room"));
    stage.start_command(command.args(arguments).stdin(Stdio::piped()))
}

/// The line of the last table about this opponent.
fn row<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let table = text
        .lines()
        .skip_while(|line| !line.starts_with("opponent"));
    let mut rows = table.map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.find(|row| row.first() == Some(&name))
        .expect("its row")
}

fn ended(running: Running<'_>, stage: &Stage) -> Ended {
    let ended = running.end();
    stage.all_gone_within(LIMIT);
    ended
}

#[test]
fn the_rounds_of_its_own_end_and_a_killed_player_has_a_successor() {
    let stage = Stage::new();
    let ended = ended(start(&stage, &[]), &stage).exits(0);
    let text = ended.text();
    let count = |words: &str| text.lines().filter(|line| line.starts_with(words)).count();
    assert_eq!(count("bob: the player crashed: "), 1, "{text}");
    assert_eq!(count("bob: a player sits down, process "), 2, "{text}");
    for name in ["ada", "eve", "kim"] {
        let once = format!("{name}: a player sits down, process ");
        assert_eq!(count(&once), 1, "{text}");
        assert_eq!(row(&text, name).last(), Some(&"0"), "{text}");
    }
    assert_eq!(row(&text, "ada")[2], "left");
    // It has thought about the first position all the time, and every other one was overtaken.
    let eve = row(&text, "eve");
    assert_eq!((eve[2], eve[4]), ("lost", "0"), "{text}");
    assert!(eve[5].parse::<u32>().expect("a number") > 1, "{text}");
}

#[test]
fn a_player_killed_in_mid_game_is_a_crash_with_its_cause_and_the_others_play_on() {
    let stage = Stage::new();
    let mut running = start(&stage, &["/dev/stdin", "--tick", "20"]);
    let mut rounds = running.child().stdin.take().expect("a pipe");
    writeln!(rounds, "1: ada=2 eve=40").expect("it reads");
    let pid = told(&stage, "eve: a player sits down, process ");
    let pid = Pid::from_raw(pid.parse().expect("a number"));
    kill_process(pid.expect("a pid"), Signal::KILL).expect("it thinks for years");
    writeln!(rounds, "60: ada=2 eve=40").expect("it reads");
    let why = told(&stage, "eve: the player crashed: ");
    assert!(why.contains("killed by SIGKILL"), "{why}");
    drop(rounds);
    let text = ended(running, &stage).exits(0).text();
    let again = text.matches("eve: a player sits down").count();
    assert_eq!((again, text.matches("crashed").count()), (2, 1), "{text}");
    let (ada, eve) = (row(&text, "ada"), row(&text, "eve"));
    assert_eq!((eve[2], eve.last()), ("lost", Some(&"1")), "{text}");
    assert!(ada[2] != "goes" && ada.last() == Some(&"0"), "{text}");
}

#[test]
fn what_is_no_round_is_an_error_and_who_cannot_play_is_refused() {
    let stage = Stage::new();
    let run = |rounds: &str| {
        stage.write("rounds", rounds);
        ended(start(&stage, &["rounds", "--tick", "5"]), &stage)
    };
    run("1: ada=2\n3 ada=2\n")
        .exits(2)
        .says("game_room: `3 ada=2`: no `:`");
    run("3: ada\n").exits(2).says("`NAME=DEPTH` or `!NAME`");
    run("3: ada=2 !bob\n")
        .exits(2)
        .says("who has no player is not killed");
    let text = run("9: ada=0 bob=1\n").exits(0).text();
    assert!(text.contains("ada: no player: "), "{text}");
    assert!(
        text.contains("who looks no move ahead cannot play"),
        "{text}"
    );
    assert_eq!(row(&text, "ada")[2..4], ["no", "player"]);
    let absent = ended(start(&stage, &["nowhere"]), &stage);
    absent.exits(2).says("game_room: nowhere: No such file");
}

#[test]
fn an_interrupt_leaves_no_player() {
    let stage = Stage::new();
    let mut running = start(&stage, &["/dev/stdin"]);
    let mut rounds = running.child().stdin.take().expect("a pipe");
    writeln!(rounds, "2: ada=2 eve=40").expect("it reads");
    told(&stage, "eve: a player sits down");
    running.signal(Signal::INT);
    ended(running, &stage).dies_of(Signal::INT);
}
