//! A room where connect four is played in a hurry: a named worker for each opponent. `README.md` says how it is used.
//!
//! Here the coordinator: it has the boards, moves for the opponents, and keeps a player for each game that goes on.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program talks")]

mod board;
mod player;

use board::{Board, four};
use clap::Parser;
use farm::{Closed, Crash, Dropbox, Farm, LaunchOptions, Pool, Program, Put, Shut};
use farm::{ShutdownMode, Timing, WorkerKind, WorkerRef, WorkerTable, WorkerVerdict};
use farm::{prelude::Host, worker::Worker, worker::run_if_asked};
use player::{Player, Position, Thinker};
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};
use std::{error::Error, fs::File, path::PathBuf, process::ExitCode};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Plays connect four against several opponents, who do not wait for it.
#[derive(Parser)]
struct Options {
    /// Lines `TURNS: NAME=DEPTH ... !NAME`
    #[arg(default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/game_room/rounds.txt"))]
    rounds: PathBuf,
    /// Milliseconds between two turns
    #[arg(long, default_value_t = 50)]
    tick: u64,
}

/// How many opponents there may be at once.
const SEATS: u32 = 16;

/// After so many deaths of players a game is given up.
const CRASHES: u32 = 3;

/// What the coordinator hears of a player: the column that it found, or why it died.
type News = (String, std::result::Result<u32, Crash>);

/// The master's half of a player. When the coordinator has ended nobody wants to know what it has to tell.
struct Room(Sender<News>);

impl WorkerKind for Room {
    type Named = Player;

    fn on_completion(
        &self,
        worker: &WorkerRef<Self>,
        _: &Position,
        column: &u32,
        _: &Timing,
    ) -> WorkerVerdict {
        let _over = self.0.send((worker.name().to_owned(), Ok(*column)));
        WorkerVerdict::Continue
    }

    fn on_close(&self, worker: &WorkerRef<Self>, closed: &Closed) {
        if let Some(crash) = closed.crash.clone() {
            let _over = self.0.send((worker.name().to_owned(), Err(crash)));
        }
    }
}

/// A game against one opponent; the board is as its player sees it.
#[derive(Default)]
struct Game {
    depth: i32,
    board: Board,
    turns: u32,
    /// Positions that its player was told, and thought about.
    told: u32,
    thought: u32,
    crashes: u32,
    end: Option<&'static str>,
}

impl Game {
    fn lay(&mut self, board: Board) {
        self.board = board;
        self.end = match board {
            Board(own, _) if four(own) => Some("won"),
            Board(_, other) if four(other) => Some("lost"),
            Board(..) => None,
        };
    }
}

struct Coordinator {
    table: WorkerTable<Room, Dropbox<Player>>,
    news: Receiver<News>,
    games: BTreeMap<String, Game>,
}

impl Coordinator {
    /// Plays a round: so many turns with these opponents, or until no game goes on.
    fn round(&mut self, line: &str, tick: Duration) -> Result<()> {
        let (turns, words) = line.split_once(':').ok_or("no `:`")?;
        let mut guests = BTreeMap::new();
        for word in words.split_whitespace() {
            if let Some((name, depth)) = word.split_once('=') {
                guests.insert(name, depth.parse()?);
            } else {
                let name = word.strip_prefix('!').ok_or("`NAME=DEPTH` or `!NAME`")?;
                self.kill(name).ok_or("who has no player is not killed")?;
            }
        }
        for (name, game) in &mut self.games {
            if !guests.contains_key(&**name) {
                game.end.get_or_insert("left");
            }
        }
        for (name, depth) in guests {
            self.games.entry(name.to_owned()).or_default().depth = depth;
        }
        for _ in 0..turns.trim().parse()? {
            self.turn()?;
            if self.games.values().all(|game| game.end.is_some()) {
                break;
            }
            let next = Instant::now() + tick;
            while let Ok(news) = self.news.recv_timeout(next - Instant::now()) {
                self.hear(news);
            }
        }
        Ok(())
    }

    /// As somebody might who has a terminal open.
    fn kill(&self, name: &str) -> Option<()> {
        let pid = self.table.find(name)?.with_state(|pid| *pid)?;
        kill_process(Pid::from_raw(pid as i32)?, Signal::KILL).ok()
    }

    fn hear(&mut self, (name, news): News) {
        let game = self.games.get_mut(&name);
        let game = game.expect("games are not forgotten");
        match news {
            Ok(column) => {
                game.thought += 1;
                // Whoever took long may find the column full, or the game over.
                let next = game.board.with(column);
                if let (None, Some(next)) = (game.end, next) {
                    game.lay(next);
                }
            }
            Err(crash) => {
                println!("{name}: the player crashed: {crash}");
                game.crashes += 1;
                if game.crashes == CRASHES {
                    game.end.get_or_insert("given up");
                }
            }
        }
    }

    /// Every opponent moves, and the players are told.
    fn turn(&mut self) -> Result<()> {
        for (name, game) in &mut self.games {
            if game.end.is_some() {
                continue;
            }
            game.turns += 1;
            let theirs = game.board.turned();
            let column = theirs.simple(name.len() * 5 + game.turns as usize * 3);
            match column.and_then(|column| theirs.with(column)) {
                Some(next) => game.lay(next.turned()),
                None => game.end = Some("draw"),
            }
        }
        self.reconcile()
    }

    /// Has a player for each game that goes on, and none besides, and puts the position before each.
    fn reconcile(&mut self) -> Result<()> {
        let open = self.games.iter().filter(|(_, game)| game.end.is_none());
        let open = open.map(|(name, game)| (name.clone(), game.depth));
        let options = LaunchOptions::default();
        let report = self.table.reconcile(open, &options, ShutdownMode::Drop)?;
        // Whoever is launched anew has crashed before: first things first.
        while let Ok(news) = self.news.try_recv() {
            self.hear(news);
        }
        for player in &report.launched {
            let pid = player.with_state(|pid| *pid).unwrap_or_default();
            println!("{}: a player sits down, process {pid}", player.name());
        }
        for name in report.stopped {
            let end = self.games[&name].end.unwrap_or_default();
            println!("{name}: the player gets up: {end}");
        }
        for (name, error) in report.failed {
            println!("{name}: no player: {error}");
            self.games.get_mut(&name).expect("asked for").end = Some("no player");
        }
        for player in report.kept.iter().chain(&report.launched) {
            let game = self.games.get_mut(player.name()).expect("asked for");
            let (turn, board) = (game.turns, game.board);
            game.told += 1;
            // One that has died since is heard of, and the next turn has another one.
            if let Put::Fault(fault) = player.put(Position { turn, board }) {
                return Err(fault.into());
            }
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    run_if_asked(|| Worker::new().with(Host::<Thinker>::new()));
    if let Err(error) = play(&Options::parse()) {
        eprintln!("game_room: {error}");
        return ExitCode::from(2);
    }
    ExitCode::SUCCESS
}

fn play(options: &Options) -> Result<()> {
    let rounds = File::open(&options.rounds);
    let rounds = rounds.map_err(|error| format!("{}: {error}", options.rounds.display()))?;
    let mut builder = Farm::builder();
    let players = builder.named::<Player>(Pool::new(Program::this_executable(), SEATS));
    let farm = builder.start()?;
    let (tell, news) = channel();
    // A position that waits is of no use any more when there is a newer one.
    let newest = Dropbox::newest();
    let mut room = Coordinator {
        table: farm.worker_table(players, Room(tell), newest),
        news,
        games: BTreeMap::new(),
    };
    for line in BufReader::new(rounds).lines() {
        let line = line?;
        let played = room.round(&line, Duration::from_millis(options.tick));
        played.map_err(|error| format!("`{line}`: {error}"))?;
    }
    room.table.shutdown_all(ShutdownMode::Drop)?;
    farm.shut(Shut::Drain);
    farm.wait_stopped();
    println!("opponent   depth  game        turns  thought about  skipped  crashes");
    for (name, game) in &room.games {
        let (end, skipped) = (game.end.unwrap_or("goes on"), game.told - game.thought);
        println!(
            "{name:<10} {:>5}  {end:<10} {:>6} {:>14} {skipped:>8} {:>8}",
            game.depth, game.turns, game.thought, game.crashes
        );
    }
    Ok(())
}
