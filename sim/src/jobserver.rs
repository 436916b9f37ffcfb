//! A jobserver in the simulated world: it has so many tokens, and other clients take some and return them.
//!
//! It knows nothing of the farm's rules. A token that it has granted is on its way, also when the farm has said meanwhile
//! that it wants none; and it may die. Where it is the farm's own, its other clients are what tasks run: they take tokens
//! only while something executes, and what they had when they were killed is missing until it is counted.

use crate::message::{Message, TokenAsk, TokenTold};
use crate::world::{Farm, roles};
use farm_lockstep::{Cx, Event, Exit, Part, Pid, Process, SpawnOptions};
use std::collections::VecDeque;
use std::time::Duration;

/// What happens to a jobserver besides what the farm wants of it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Move {
    /// Nothing, for so many milliseconds.
    Sleep(u64),
    /// Others take so many tokens, if there are as many.
    Take(u32),
    /// Others return so many, if they have as many.
    Return(u32),
    /// It dies.
    Die,
}

/// A jobserver that is to be there: how many tokens it has, and what happens to it.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) tokens: u32,
    pub(crate) moves: Vec<Move>,
}

/// Its process.
pub(crate) struct Jobserver {
    master: Pid,
    moves: VecDeque<Move>,
    /// The farm has asked for a token that it was not granted.
    wanted: bool,
}

impl Jobserver {
    pub(crate) fn new(master: Pid, moves: Vec<Move>) -> Box<Self> {
        Box::new(Self {
            master,
            moves: moves.into(),
            wanted: false,
        })
    }

    pub(crate) const fn options() -> SpawnOptions {
        let mut options = SpawnOptions::new("tokens", roles::JOBSERVER);
        options.part = Part::Background;
        options
    }

    fn asked(&mut self, cx: &mut Cx<'_, Farm, Message>, ask: TokenAsk) {
        let master = self.master;
        let ledger = &mut cx.shared().ledger;
        match ask {
            TokenAsk::Want => self.wanted = true,
            TokenAsk::WantNone => self.wanted = false,
            TokenAsk::Back => ledger.token_is_back(),
            TokenAsk::Count => {
                ledger.tokens_are_counted();
                cx.send(master, Message::Tokens(TokenTold::Counted));
            }
        }
    }

    fn go_on(&mut self, cx: &mut Cx<'_, Farm, Message>) {
        while let Some(next) = self.moves.pop_front() {
            match next {
                Move::Sleep(millis) => {
                    let at = cx.now().after(Duration::from_millis(millis));
                    return cx.alarm(Some(at));
                }
                Move::Take(count) => cx.shared().ledger.others_take(count),
                Move::Return(count) => cx.shared().ledger.others_return(count),
                Move::Die => {
                    cx.trace(|| "is lost".to_owned());
                    cx.send(self.master, Message::Tokens(TokenTold::Lost));
                    return cx.exit(Exit::Signal(9));
                }
            }
        }
    }

    fn grant(&mut self, cx: &mut Cx<'_, Farm, Message>) {
        if self.wanted && cx.shared().ledger.token_is_granted() {
            self.wanted = false;
            cx.trace(|| "grants a token".to_owned());
            cx.send(self.master, Message::Tokens(TokenTold::Came));
        }
    }
}

impl Process<Farm, Message> for Jobserver {
    fn step(&mut self, cx: &mut Cx<'_, Farm, Message>, event: Event<'_, Message>) {
        match event {
            Event::Message {
                message: Message::Jobserver(ask),
                ..
            } => self.asked(cx, ask),
            // Whoever else has tokens comes to an end, and it lives on.
            Event::Calm => {
                self.moves.clear();
                cx.alarm(None);
                cx.shared().ledger.others_return(u32::MAX);
            }
            Event::Start | Event::Wake | Event::Turn => {
                cx.alarm(None);
                self.go_on(cx);
            }
            Event::Message { .. }
            | Event::Bytes { .. }
            | Event::Eof { .. }
            | Event::Writable { .. }
            | Event::Ended { .. } => {}
        }
        if cx.is_alive(cx.me()) {
            self.grant(cx);
        }
    }

    fn waits_for(&self) -> String {
        format!("{:?}", self.moves.front())
    }
}
