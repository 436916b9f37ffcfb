//! Callers: what they do to the farm, as a script that other processes' steps fall between.

use crate::message::Message;
use crate::world::{Farm, roles};
use farm_lockstep::{Cx, Event, Exit, Pid, Process, SpawnOptions};
use std::collections::VecDeque;

/// One thing a caller does.
#[derive(Debug)]
pub(crate) enum Act {
    /// Sends this to the master. Several in a row are sent in one step, as a caller does that does not wait.
    Tell(Message),
    /// Cancels one of the tasks that are with workers, as soon as there is one.
    CancelRunning,
    /// Cancels one of the tasks that are with workers, if there is one now.
    CancelSome,
    /// Lets others go on.
    Pause,
    /// Waits until this many tasks have ended in one way or another, or the calm phase begins.
    Ended(u32),
    /// Lets this much time pass, in milliseconds.
    Sleep(u64),
}

/// A caller with its script.
pub(crate) struct Caller {
    master: Pid,
    script: VecDeque<Act>,
    /// Looks again at what it waits for after so many milliseconds.
    asleep: bool,
}

/// How often a caller that waits looks whether it may go on, in milliseconds.
const LOOKS_EVERY: u64 = 50;

impl Caller {
    pub(crate) fn new(master: Pid, script: impl IntoIterator<Item = Act>) -> Box<Self> {
        Box::new(Self {
            master,
            script: script.into_iter().collect(),
            asleep: false,
        })
    }

    pub(crate) const fn options(number: u32) -> SpawnOptions {
        let mut options = SpawnOptions::new("caller", roles::CALLER);
        options.number = number;
        options
    }
}

impl Process<Farm, Message> for Caller {
    fn step(&mut self, cx: &mut Cx<'_, Farm, Message>, event: Event<'_, Message>) {
        if matches!(event, Event::Calm) && !self.asleep {
            return;
        }
        self.asleep = false;
        cx.alarm(None);
        while let Some(act) = self.script.pop_front() {
            match act {
                Act::Tell(message) => cx.send(self.master, message),
                Act::CancelRunning => {
                    let running = cx.shared().ledger.running();
                    if running.is_empty() && cx.shared().ledger.open > 0 {
                        self.script.push_front(Act::CancelRunning);
                        let me = cx.me();
                        return cx.shared().watchers.push(me);
                    }
                    self.cancel_one(cx, &running);
                }
                Act::CancelSome => {
                    let running = cx.shared().ledger.running();
                    self.cancel_one(cx, &running);
                }
                Act::Pause => return cx.again(),
                Act::Ended(count) => {
                    if cx.shared().ledger.ended < count && !cx.is_calm() {
                        self.script.push_front(Act::Ended(count));
                        return self.sleep(cx, LOOKS_EVERY);
                    }
                }
                Act::Sleep(millis) => {
                    if !cx.is_calm() {
                        return self.sleep(cx, millis);
                    }
                }
            }
        }
        cx.exit(Exit::Code(0));
    }

    fn waits_for(&self) -> String {
        format!("{:?}", self.script.front())
    }
}

impl Caller {
    fn cancel_one(&self, cx: &mut Cx<'_, Farm, Message>, running: &[u32]) {
        let count = u32::try_from(running.len()).unwrap_or(u32::MAX);
        if count > 0 {
            let which = cx.choose(count, "which running task is cancelled");
            cx.send(self.master, Message::Cancel(running[which as usize]));
        }
    }

    fn sleep(&mut self, cx: &mut Cx<'_, Farm, Message>, millis: u64) {
        self.asleep = true;
        let at = cx.now().after(std::time::Duration::from_millis(millis));
        cx.alarm(Some(at));
    }
}
