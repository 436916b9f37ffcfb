//! The kind that the test's workers perform: one request per behaviour that is tested.

use farm_protocol::{ContextBody, ContextUpdate, Schema, Wire};
use farm_worker::{Context, Perform};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use serde::ser::Error;
use serde::{Deserialize, Serialize, Serializer};
use std::process::{Command, Stdio};

#[derive(Serialize, Deserialize, Schema)]
pub(crate) enum Ask {
    /// Answer this.
    Echo(u64),
    /// Say 1 to n, then answer n.
    Say(u64),
    /// Say a thousand times how far it is, then that it is done, then answer.
    Progress,
    /// Panic with this.
    Panic(String),
    /// Answer what cannot be encoded.
    Unencodable,
    /// Say that it began, then wait.
    UntilCancelled,
    /// Wait without a word.
    SilentUntilCancelled,
    /// Say something large until cancelled; answer how often after the first.
    FloodUntilCancelled,
    /// Answer whether it is cancelled.
    Cancelled,
    /// Start a process that never ends by itself and holds our standard output.
    Background,
    /// Print this.
    Print(String),
    /// Answer the sum of the context, and how often one was taken.
    Held,
}

/// A number that has one value which cannot be written.
#[derive(Deserialize, Schema)]
pub(crate) struct Number(pub(crate) u64);

const UNENCODABLE: u64 = u64::MAX;

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 == UNENCODABLE {
            return Err(S::Error::custom("this number is secret"));
        }
        serializer.serialize_newtype_struct("Number", &self.0)
    }
}

pub(crate) struct AskWire;

impl Wire for AskWire {
    const NAME: &'static str = "ask";
    const VERSION: u32 = 1;
    type Request = Ask;
    type Response = Number;
    type Feedback = Vec<u64>;
    type Context = Vec<u64>;
}

#[derive(Default)]
pub(crate) struct Asks {
    sum: u64,
    taken: u64,
}

/// The answer to [`Ask::Held`].
pub(crate) const fn held(sum: u64, taken: u64) -> u64 {
    sum * 100 + taken
}

/// Numbers in one piece of a flood: more bytes than a pipe holds.
const FLOOD: usize = 200_000;

impl Perform for Asks {
    type Wire = AskWire;

    fn take_context(&mut self, update: ContextUpdate<Vec<u64>>, _: &Context<'_, AskWire>) {
        self.taken += 1;
        match update.body {
            ContextBody::Whole(all) => self.sum = all.iter().sum(),
            ContextBody::Difference(more) => {
                assert!(!more.is_empty(), "a difference that is none");
                self.sum += more.iter().sum::<u64>();
            }
        }
    }

    fn perform(&mut self, request: Ask, context: &Context<'_, AskWire>) -> Number {
        let say = |what: Vec<u64>| context.feedback(&what).expect("it can be encoded");
        let wait = || {
            let fd = context.cancel_fd();
            while !context.cancelled() {
                let mut fds = [PollFd::new(&fd, PollFlags::IN)];
                // Interrupted by the signal itself, on whose behalf the watcher raises the flag.
                let waited = poll(&mut fds, None);
                assert!(matches!(waited, Ok(_) | Err(Errno::INTR)));
            }
        };
        Number(match request {
            Ask::Echo(n) => n,
            Ask::Say(n) => {
                (1..=n).for_each(|i| say(vec![i]));
                n
            }
            Ask::Progress => {
                (1..=1000).for_each(|done| context.progress(done, Some(1000), "counting"));
                1000
            }
            Ask::Panic(what) => panic!("{what}"),
            Ask::Unencodable => UNENCODABLE,
            Ask::UntilCancelled => {
                say(vec![0]);
                wait();
                0
            }
            Ask::SilentUntilCancelled => {
                wait();
                0
            }
            Ask::FloodUntilCancelled => {
                say(vec![]);
                let mut count = 0;
                loop {
                    say(vec![1; FLOOD]);
                    count += 1;
                    if context.cancelled() {
                        break count;
                    }
                }
            }
            Ask::Cancelled => u64::from(context.cancelled()),
            Ask::Background => {
                let mut command = Command::new("sleep");
                command
                    .arg("1000")
                    .stdin(Stdio::null())
                    .stderr(Stdio::null());
                command.spawn().expect("sleep starts").id().into()
            }
            Ask::Held => held(self.sum, self.taken),
            Ask::Print(text) => {
                print_stray(&text);
                0
            }
        })
    }
}

#[expect(clippy::print_stdout, reason = "a stray print is what is tested")]
fn print_stray(text: &str) {
    print!("{text}");
}
