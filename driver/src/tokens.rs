//! The loop's hand on the jobserver: takes a token as soon as one is to be had, while the machine wants one.
//!
//! It never waits. The pipe is in the poll only while a token is wanted and none is there.

use crate::jobserver::{Held, Jobserver};
use crate::turn::Loop;
use farm_master::{Event, TokenAction};
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use std::io;

/// The token of the poll for the jobserver's pipe; no slot has it.
pub(crate) const TOKENS: Token = Token(usize::MAX - 1);

/// The jobserver, and the tokens that are held. They go back when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Purse {
    /// What is held is dropped before whom it goes to.
    held: Vec<Held>,
    server: Option<Jobserver>,
    /// The machine wants one.
    wanted: bool,
    /// There may be one.
    look: bool,
    /// The poll reports when there may be one.
    watched: bool,
    /// The tokens were counted, which is to be told.
    pub(crate) counted: bool,
}

impl Purse {
    pub(crate) fn of(server: Option<Jobserver>) -> Self {
        Self {
            server,
            ..Self::default()
        }
    }

    pub(crate) const fn server(&self) -> Option<&Jobserver> {
        self.server.as_ref()
    }

    const fn want(&mut self, wanted: bool) {
        self.wanted = wanted;
        self.look = wanted;
    }

    fn give_back(&mut self) {
        if let (Some(token), Some(server)) = (self.held.pop(), &mut self.server) {
            server.give_back(token);
        }
    }

    fn count(&mut self) {
        if let Some(server) = &mut self.server {
            server.make_good(self.held.len());
        }
        self.counted = true;
    }

    /// The poll says that there may be one.
    pub(crate) fn reported(&mut self, registry: &Registry) {
        self.look = true;
        if !self.wanted {
            // Others go on with it, and each of their tokens would wake us.
            self.leave(registry);
        }
    }

    fn leave(&mut self, registry: &Registry) {
        let fd = self.server.as_ref().and_then(Jobserver::watched);
        if let Some(fd) = fd.filter(|_| self.watched) {
            // It fails only for what is not registered, and then there is nothing to do.
            let _gone = registry.deregister(&mut SourceFd(&fd));
        }
        self.watched = false;
    }

    /// Takes one, if one is wanted and there.
    fn take(&mut self, registry: &Registry) -> io::Result<bool> {
        let Some(server) = &mut self.server else {
            return Ok(false);
        };
        if !self.wanted || !self.look {
            return Ok(false);
        }
        if let Some(token) = server.take()? {
            self.held.push(token);
            self.wanted = false;
            return Ok(true);
        }
        self.look = false;
        if let Some(fd) = server.watched().filter(|_| !self.watched) {
            // What has come since is reported at once.
            registry.register(&mut SourceFd(&fd), TOKENS, Interest::READABLE)?;
            self.watched = true;
        }
        Ok(false)
    }
}

impl Loop {
    /// Takes tokens, one by one, as long as one is wanted and there.
    pub(crate) fn take_tokens(&mut self) {
        // While the farm is suspended its workers stand still, and others can have them.
        while !self.stopped && !self.clock.stands() {
            match self.purse.take(self.poll.registry()) {
                Ok(true) => self.tell(Event::TokenCame),
                Ok(false) => return,
                Err(error) => {
                    self.purse.want(false);
                    self.purse.leave(self.poll.registry());
                    let error = format!("cannot take a token from the jobserver: {error}");
                    self.tell(Event::TokensLost { error });
                }
            }
        }
    }

    pub(crate) fn token(&mut self, action: TokenAction) {
        match action {
            TokenAction::Want => self.purse.want(true),
            TokenAction::WantNone => self.purse.want(false),
            TokenAction::GiveBack => self.purse.give_back(),
            TokenAction::Count => self.purse.count(),
            TokenAction::Lost { error } => {
                log::warn!(
                    "{error}; the farm goes on with the tokens it has, then with one worker"
                );
                self.observe(|o, now| o.tokens_lost(now, &error));
            }
        }
    }
}
