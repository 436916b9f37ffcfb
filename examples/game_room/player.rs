//! Who plays against one opponent: the kind of named workers, and the worker's half of it, which looks ahead.

use crate::board::{Board, COLUMNS, four};
use farm::prelude::*;
use serde::{Deserialize, Serialize};

/// The kind: a worker for each opponent, and called as that.
pub(crate) struct Player;

/// A board to find a move for, after so many turns.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, Schema)]
pub(crate) struct Position {
    pub(crate) turn: u32,
    pub(crate) board: Board,
}

impl Named for Player {
    const NAME: &'static str = "player";
    const VERSION: u32 = 1;
    /// How many moves it looks ahead.
    type Params = i32;
    /// Its process.
    type Welcome = u32;
    type LaunchError = String;
    type Request = Position;
    /// The column.
    type Response = u32;
    /// It was asked to stop.
    type RequestError = ();

    fn view(position: &Position) -> String {
        format!("turn {}", position.turn)
    }
}

/// The worker's half, and how far it looks ahead.
pub(crate) struct Thinker(i32);

impl Resident for Thinker {
    type Named = Player;

    fn on_launch(_: &str, depth: i32, _: &NamedContext<'_, Player>) -> Result<(Self, u32), String> {
        if depth < 1 {
            return Err("who looks no move ahead cannot play".to_owned());
        }
        Ok((Self(depth), std::process::id()))
    }

    fn on_request(
        &mut self,
        position: Position,
        context: &NamedContext<'_, Player>,
    ) -> Result<u32, ()> {
        let (mut best, mut highest) = (0, i32::MIN);
        for column in COLUMNS {
            if let Some(next) = position.board.with(column) {
                let worth = -worth(next.turned(), self.0 - 1, context)?;
                if worth > highest {
                    (best, highest) = (column, worth);
                }
            }
        }
        Ok(best)
    }
}

/// What a board is worth to whoever is to move: above 0 that one wins, and the sooner the higher.
fn worth(board: Board, depth: i32, on: &Context<'_, impl Wire>) -> Result<i32, ()> {
    if on.cancelled() {
        return Err(());
    }
    if four(board.1) {
        return Ok(-1 - depth);
    }
    let mut best = None;
    if depth > 0 {
        for next in COLUMNS.into_iter().filter_map(|it| board.with(it)) {
            best = best.max(Some(-worth(next.turned(), depth - 1, on)?));
        }
    }
    Ok(best.unwrap_or(0))
}
