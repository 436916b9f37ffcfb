//! Straight-line processes: an `async` block polled by hand. Everything it awaits is an event of the process it is.
//!
//! It has no waker and needs none: it is polled when an event says that what it waits for may have come.

use crate::cx::Cx;
use crate::process::{Event, Exit, Pid, Process};
use crate::time::VTime;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// What a body and the process around it pass each other.
struct Desk<M> {
    me: Pid,
    now: VTime,
    mailbox: VecDeque<(Pid, M)>,
    /// What it wants done now; answered before the step is over.
    ask: Option<Ask<M>>,
    answer: u32,
    waits: Waits<M>,
}

impl<M> Desk<M> {
    /// Whether what it waits for is there.
    fn has_come(&self) -> bool {
        match &self.waits {
            Waits::No | Waits::Turn => true,
            Waits::Until(moment) => *moment <= self.now,
            Waits::Message { takes, until } => {
                let late = until.is_some_and(|until| until <= self.now);
                late || self.mailbox.iter().any(|(_, message)| takes(message))
            }
        }
    }
}

enum Ask<M> {
    Send(Pid, M),
    Choose(u32, &'static str),
    Chance(u32, &'static str),
    Calm,
    Trace(String),
}

/// What a body waits for.
enum Waits<M> {
    /// Nothing: it is to be polled on.
    No,
    /// A message that this takes.
    Message {
        takes: Box<dyn Fn(&M) -> bool>,
        until: Option<VTime>,
    },
    /// This moment.
    Until(VTime),
    /// Its next turn, in competition with everybody else's.
    Turn,
}

/// A body's hands in the simulated world. All waiting is by `await`.
pub struct Handle<M> {
    desk: Rc<RefCell<Desk<M>>>,
}

impl<M> fmt::Debug for Handle<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").finish_non_exhaustive()
    }
}

impl<M> Handle<M> {
    /// The process itself.
    #[must_use]
    pub fn me(&self) -> Pid {
        self.desk.borrow().me
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> VTime {
        self.desk.borrow().now
    }

    async fn ask(&self, ask: Ask<M>) -> u32 {
        self.desk.borrow_mut().ask = Some(ask);
        let asked = |_: &mut Context<'_>| match self.desk.borrow().ask {
            Some(_) => Poll::Pending,
            None => Poll::Ready(()),
        };
        poll_fn(asked).await;
        self.desk.borrow().answer
    }

    async fn wait(&self, waits: Waits<M>) {
        self.desk.borrow_mut().waits = waits;
        let over = |_: &mut Context<'_>| match self.desk.borrow().waits {
            Waits::No => Poll::Ready(()),
            Waits::Message { .. } | Waits::Until(_) | Waits::Turn => Poll::Pending,
        };
        poll_fn(over).await;
    }

    /// As [`Cx::send`].
    pub async fn send(&self, to: Pid, message: M) {
        self.ask(Ask::Send(to, message)).await;
    }

    /// As [`Cx::choose`].
    pub async fn choose(&self, n: u32, tag: &'static str) -> u32 {
        self.ask(Ask::Choose(n, tag)).await
    }

    /// As [`Cx::chance`].
    pub async fn chance(&self, per_mille: u32, tag: &'static str) -> bool {
        self.ask(Ask::Chance(per_mille, tag)).await != 0
    }

    /// As [`Cx::calm`].
    pub async fn calm(&self) {
        self.ask(Ask::Calm).await;
    }

    /// As [`Cx::trace`].
    pub async fn trace(&self, text: impl Into<String>) {
        self.ask(Ask::Trace(text.into())).await;
    }

    /// Gives way: what follows is a step of its own.
    pub async fn sync(&self) {
        self.wait(Waits::Turn).await;
    }

    /// Waits for a moment at least this far away.
    pub async fn sleep(&self, span: Duration) {
        let until = self.now().after(span);
        self.wait(Waits::Until(until)).await;
    }

    /// The oldest message, when there is one.
    pub async fn receive(&self) -> (Pid, M) {
        self.receive_match(|_| true, None)
            .await
            .expect("without a limit it waits for ever")
    }

    /// The oldest message that `takes` accepts; others stay, in their order. `None`: there was none within `limit`.
    pub async fn receive_match(
        &self,
        takes: impl Fn(&M) -> bool + Clone + 'static,
        limit: Option<Duration>,
    ) -> Option<(Pid, M)> {
        let take = || {
            let mailbox = &mut self.desk.borrow_mut().mailbox;
            let place = mailbox.iter().position(|(_, message)| takes(message))?;
            mailbox.remove(place)
        };
        if let Some(message) = take() {
            return Some(message);
        }
        let until = limit.map(|limit| self.now().after(limit));
        let takes = Box::new(takes.clone());
        self.wait(Waits::Message { takes, until }).await;
        take()
    }
}

/// A process made of an `async` block.
pub struct Body<M> {
    desk: Rc<RefCell<Desk<M>>>,
    future: Pin<Box<dyn Future<Output = Exit>>>,
}

impl<M> fmt::Debug for Body<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").finish_non_exhaustive()
    }
}

impl<M> Body<M> {
    /// The process that does what `body` says, and ends with what it returns.
    pub fn new<F: Future<Output = Exit> + 'static>(body: impl FnOnce(Handle<M>) -> F) -> Box<Self> {
        let desk = Rc::new(RefCell::new(Desk {
            me: Pid(0),
            now: VTime::START,
            mailbox: VecDeque::new(),
            ask: None,
            answer: 0,
            waits: Waits::No,
        }));
        let handle = Handle {
            desk: Rc::clone(&desk),
        };
        Box::new(Self {
            desk,
            future: Box::pin(body(handle)),
        })
    }

    fn poll<S>(&mut self, cx: &mut Cx<'_, S, M>) {
        loop {
            if let Poll::Ready(exit) = self
                .future
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
            {
                return cx.exit(exit);
            }
            let ask = self.desk.borrow_mut().ask.take();
            let answer = match ask {
                None => return self.wait(cx),
                Some(Ask::Send(to, message)) => {
                    cx.send(to, message);
                    0
                }
                Some(Ask::Choose(n, tag)) => cx.choose(n, tag),
                Some(Ask::Chance(per_mille, tag)) => u32::from(cx.chance(per_mille, tag)),
                Some(Ask::Calm) => {
                    cx.calm();
                    0
                }
                Some(Ask::Trace(text)) => {
                    cx.trace(|| text);
                    0
                }
            };
            self.desk.borrow_mut().answer = answer;
        }
    }

    fn wait<S>(&self, cx: &mut Cx<'_, S, M>) {
        match &self.desk.borrow().waits {
            Waits::Message { until, .. } => cx.alarm(*until),
            Waits::Until(moment) => cx.alarm(Some(*moment)),
            Waits::Turn => cx.again(),
            Waits::No => panic!("a body awaits only what its handle gives it"),
        }
    }
}

impl<S, M> Process<S, M> for Body<M> {
    fn step(&mut self, cx: &mut Cx<'_, S, M>, event: Event<'_, M>) {
        {
            let desk = &mut *self.desk.borrow_mut();
            (desk.me, desk.now) = (cx.me(), cx.now());
            match event {
                Event::Start => {}
                Event::Message { from, message } => {
                    // Only the new one is looked at: those before it were refused, and a matcher is pure.
                    let wanted =
                        matches!(&desk.waits, Waits::Message { takes, .. } if takes(&message));
                    desk.mailbox.push_back((from, message));
                    if wanted {
                        cx.again();
                    }
                    return;
                }
                Event::Wake | Event::Turn if desk.has_come() => desk.waits = Waits::No,
                // The other of two reasons to go on came first, and this one is stale.
                Event::Wake | Event::Turn => return,
                Event::Calm
                | Event::Bytes { .. }
                | Event::Eof { .. }
                | Event::Writable { .. }
                | Event::Ended { .. } => return,
            }
        }
        cx.alarm(None);
        self.poll(cx);
    }

    fn waits_for(&self) -> String {
        match &self.desk.borrow().waits {
            Waits::No => "its first step".into(),
            Waits::Message { until: None, .. } => "a message".into(),
            Waits::Message {
                until: Some(until), ..
            } => format!("a message until {until} ms"),
            Waits::Until(moment) => format!("{moment} ms"),
            Waits::Turn => "its turn".into(),
        }
    }
}
