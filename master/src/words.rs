//! What the machine is told and what it says, in words: one line each, the same in the trace of a
//! simulation and of a replayed run. For people; nothing is decided by it, and no line is parsed.

mod ends;
mod frames;
mod scopes;

use crate::action::{Action, Link, Signal, TokenAction};
use crate::affinity::QueueOrder;
use crate::event::{Event, Exit, Sample, Shut, Stream};
use farm_protocol::page::Noted;
use farm_protocol::{AttemptId, Instant, KindId, Session, SlotId, TaskId};
use std::fmt::{self, Write};
use std::time::Duration;

/// So many characters of a text from outside are shown.
const SHOWN: usize = 100;

/// A line in two columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// What it is.
    pub word: &'static str,
    /// Of what, where, and how: ids first.
    pub about: String,
}

impl Words {
    fn new(word: &'static str, about: impl fmt::Display) -> Self {
        let about = about.to_string();
        Self { word, about }
    }

    /// About a process.
    fn at(word: &'static str, slot: SlotId, session: Session, rest: impl fmt::Display) -> Self {
        let mut about = format!("slot {} session {} {rest}", slot.0, session.0);
        about.truncate(about.trim_end().len());
        Self { word, about }
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.about.is_empty() {
            f.write_str(self.word)
        } else {
            write!(f, "{} {}", self.word, self.about)
        }
    }
}

/// Which side of the machine a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// It was told this.
    Event,
    /// It said this.
    Action,
}

/// A line of a trace: the time since `start` in milliseconds, whether it went in or came out, the
/// word, and what it is about.
#[must_use]
pub fn line(start: Instant, now: Instant, side: Side, words: &Words) -> String {
    let micros = now.since(start).as_micros();
    let side = match side {
        Side::Event => '>',
        Side::Action => ' ',
    };
    let line = format!(
        "{:>7}.{:03} {side} {:<13} {}",
        micros / 1000,
        micros % 1000,
        words.word,
        words.about
    );
    line.trim_end().to_string()
}

/// What the machine is told.
#[must_use]
pub fn event(event: &Event<'_>) -> Words {
    wish(event).unwrap_or_else(|| fact(event))
}

const fn order_word(order: QueueOrder) -> &'static str {
    match order {
        QueueOrder::Arrival => "as they came",
        QueueOrder::Newest => "newest first",
        QueueOrder::Ranked => "by rank",
    }
}

fn offered(task: TaskId, kind: KindId, with_options: bool) -> String {
    let more = if with_options { " with options" } else { "" };
    format!("{task} kind {}{more}", kind.0)
}

/// What a caller wants; none of it happened to a worker.
fn wish(event: &Event<'_>) -> Option<Words> {
    Some(match *event {
        Event::Submit {
            task,
            kind,
            entry,
            ref options,
            scope,
        } => {
            let more = options.as_ref().map_or("", |_| " with options");
            let (entry, into) = (entry.label(), scopes::into(scope));
            let about = format_args!("{task} kind {} {entry}{more}{into}", kind.0);
            Words::new("submit", about)
        }
        Event::OpenScope {
            scope,
            parent,
            rule,
            limit,
        } => Words::new("open-scope", scopes::opened(scope, parent, rule, limit)),
        Event::CloseScope { scope } => Words::new("close-scope", scope),
        Event::CancelScope { scope, ref reason } => {
            Words::new("cancel-scope", format_args!("{scope} {}", quoted(reason)))
        }
        Event::Cancel { task, ref reason } => {
            Words::new("cancel", format_args!("{task} {}", quoted(reason)))
        }
        Event::CancelAll { kind, ref reason } => {
            let whose = kind.map_or("all kinds".to_string(), |kind| format!("kind {}", kind.0));
            Words::new("cancel-all", format_args!("{whose} {}", quoted(reason)))
        }
        Event::SetPriority { task, priority } => {
            Words::new("set-priority", format_args!("{task} {priority}"))
        }
        Event::SetOrder { kind, order } => {
            let order = order_word(order);
            Words::new("set-order", format_args!("kind {} {order}", kind.0))
        }
        Event::Offer {
            task,
            kind,
            ref options,
        } => Words::new("offer", offered(task, kind, options.is_some())),
        Event::Withdraw { task } => Words::new("withdraw", task),
        Event::Finish { kind } => Words::new("finish", format_args!("kind {}", kind.0)),
        Event::Broadcast { kind } => Words::new("broadcast", format_args!("kind {}", kind.0)),
        Event::Resize { kind, least, most } => {
            Words::new("resize", format_args!("kind {} {least} to {most}", kind.0))
        }
        Event::EndWorker { slot, session } => Words::at("end-worker", slot, session, ""),
        Event::SetGate { kind, gate } => {
            Words::new("gate", format_args!("kind {} {}", kind.0, gate.label()))
        }
        Event::Shut(how) => Words::new("shut", shut(how)),
        Event::Spawned { .. }
        | Event::SpawnFailed { .. }
        | Event::Bytes { .. }
        | Event::Output { .. }
        | Event::Eof { .. }
        | Event::Exited { .. }
        | Event::Decoded { .. }
        | Event::Usage { .. }
        | Event::Weighed { .. }
        | Event::TokenCame
        | Event::TokensLost { .. }
        | Event::TokensCounted
        | Event::Wake => return None,
    })
}

/// What happened to workers.
fn fact(event: &Event<'_>) -> Words {
    match *event {
        Event::Spawned {
            slot,
            session,
            page,
        } => Words::at(
            "spawned",
            slot,
            session,
            if page { "" } else { "without a page" },
        ),
        Event::SpawnFailed {
            slot,
            session,
            ref error,
        } => Words::at("spawn-failed", slot, session, quoted(error)),
        Event::Bytes {
            slot,
            session,
            bytes,
        } => Words::at("bytes", slot, session, frames::words(bytes)),
        Event::Output {
            slot,
            session,
            stream,
            noted,
            bytes,
        } => Words::at("output", slot, session, output(stream, noted, bytes)),
        Event::Eof { slot, session } => Words::at("eof", slot, session, ""),
        Event::Exited {
            slot,
            session,
            ref exit,
        } => Words::at("exited", slot, session, exited(exit)),
        Event::Decoded {
            slot, session, id, ..
        } => Words::at("decoded", slot, session, id),
        Event::Usage {
            slot,
            session,
            id,
            ref sample,
        } => Words::at("usage", slot, session, used(id, sample)),
        Event::Weighed {
            slot,
            session,
            memory,
        } => Words::at("weighed", slot, session, format_args!("{memory} bytes")),
        Event::TokenCame => Words::new("token-came", ""),
        Event::TokensLost { ref error } => Words::new("tokens-lost", quoted(error)),
        Event::TokensCounted => Words::new("tokens-counted", ""),
        Event::Wake => Words::new("wake", ""),
        Event::Submit { .. }
        | Event::Offer { .. }
        | Event::Withdraw { .. }
        | Event::Finish { .. }
        | Event::Cancel { .. }
        | Event::CancelAll { .. }
        | Event::SetPriority { .. }
        | Event::SetOrder { .. }
        | Event::Broadcast { .. }
        | Event::Resize { .. }
        | Event::EndWorker { .. }
        | Event::OpenScope { .. }
        | Event::CloseScope { .. }
        | Event::CancelScope { .. }
        | Event::SetGate { .. }
        | Event::Shut(_) => unreachable!("this is a wish"),
    }
}

/// What the machine says. `bytes` are those of the [`Actions`](crate::Actions) that it lies in.
#[must_use]
#[expect(clippy::too_many_lines, reason = "an arm per action, and nothing else")]
pub fn action(action: &Action, bytes: &[u8]) -> Words {
    match *action {
        Action::Spawn {
            slot,
            session,
            kind,
        } => Words::at("spawn", slot, session, format_args!("kind {}", kind.0)),
        Action::Send {
            slot,
            session,
            link,
            bytes: ref range,
        } => {
            // Whoever holds other bytes than these actions' gets a line all the same.
            let sent = frames::words(bytes.get(range.clone()).unwrap_or_default());
            Words::at("send", slot, session, sent + pipe(link))
        }
        Action::Signal {
            slot,
            session,
            signal,
        } => Words::at("signal", slot, session, self::signal(signal)),
        Action::Decode {
            slot,
            session,
            id,
            ref bytes,
            ..
        } => {
            let length = bytes.len();
            Words::at("decode", slot, session, format_args!("{id} {length} bytes"))
        }
        Action::Started { id, slot, session } => Words::at("started", slot, session, id),
        Action::Watch {
            slot,
            session,
            id,
            cpu,
            memory,
        } => Words::at("watch", slot, session, beyond(id, cpu, memory)),
        Action::Weigh { slot, session } => Words::at("weigh", slot, session, ""),
        Action::Unwatch { slot, session, id } => Words::at("unwatch", slot, session, id),
        Action::Progress { id, ref progress } => {
            let said = frames::progress(progress);
            Words::new("progress", format_args!("{id}{said}"))
        }
        Action::AttemptEnded { task, ref report } => {
            let (attempt, end) = (report.attempt, ends::attempt(&report.end));
            Words::new("attempt-ended", format_args!("{task}{attempt} {end}"))
        }
        Action::Settle(ref settlement) => Words::new("settle", ends::settlement(settlement)),
        Action::Refuse { task, ref refusal } => refused("refuse", task, refusal),
        Action::Unmatched { task } => Words::new("unmatched", task),
        Action::Admitted { task } => Words::new("admitted", task),
        Action::ScopeEnded { scope, ref end } => {
            let end = scopes::ended(end);
            Words::new("scope-ended", format_args!("{scope} {end}"))
        }
        Action::RefuseScope { scope, ref refusal } => refused("refuse-scope", scope, refusal),
        Action::Token(ref action) => token(action),
        Action::PoolEnded { kind, ref error } => {
            let why = quoted(error);
            Words::new("pool-ended", format_args!("kind {} {why}", kind.0))
        }
        Action::WorkerReady { slot, session, pid } => {
            Words::at("worker-ready", slot, session, format_args!("pid {pid}"))
        }
        Action::WorkerGone {
            slot,
            session,
            ref gone,
        } => Words::at("worker-gone", slot, session, ends::gone(gone)),
        Action::Stopped => Words::new("stopped", ""),
    }
}

/// What it says of a jobserver's tokens.
fn token(action: &TokenAction) -> Words {
    match action {
        TokenAction::Want => Words::new("want-token", ""),
        TokenAction::WantNone => Words::new("want-no-token", ""),
        TokenAction::GiveBack => Words::new("give-token", ""),
        TokenAction::Count => Words::new("count-tokens", ""),
        TokenAction::Lost { error } => Words::new("tokens-lost", quoted(error)),
    }
}

fn refused(word: &'static str, what: impl fmt::Display, refusal: &impl fmt::Display) -> Words {
    let why = quoted(&refusal.to_string());
    Words::new(word, format_args!("{what} {why}"))
}

const fn pipe(link: Link) -> &'static str {
    match link {
        Link::Requests => "",
        Link::Control => " by control",
    }
}

const fn signal(signal: Signal) -> &'static str {
    match signal {
        Signal::Terminate => "SIGTERM",
        Signal::Kill => "SIGKILL",
    }
}

const fn shut(how: Shut) -> &'static str {
    match how {
        Shut::Drain => "drain",
        Shut::Finish => "finish",
        Shut::Stop => "stop",
        Shut::Kill => "kill",
    }
}

const fn stream(stream: Stream) -> &'static str {
    match stream {
        Stream::Stdout => "stdout",
        Stream::Stderr => "stderr",
    }
}

fn output(stream: Stream, noted: Noted, bytes: &[u8]) -> String {
    let said = quoted(&String::from_utf8_lossy(bytes));
    format!("{} {said}{}", self::stream(stream), self::noted(noted))
}

fn exited(exit: &Exit<'_>) -> String {
    let noted = exit.noted.map(noted).unwrap_or_default();
    format!("{}{noted}", exit.termination)
}

/// What an attempt uses, and who executes if it does not.
fn used(id: AttemptId, sample: &Sample) -> String {
    let Sample { cpu, memory, noted } = *sample;
    let executes = noted.executing.is_none_or(|executing| executing == id);
    let noted = if executes {
        String::new()
    } else {
        self::noted(noted)
    };
    format!("{id} {cpu:?} {memory} bytes{noted}")
}

fn beyond(id: AttemptId, cpu: Option<Duration>, memory: Option<u64>) -> String {
    let cpu = cpu.map(|cpu| format!(" {cpu:?}")).unwrap_or_default();
    let memory = memory.map(|memory| format!(" {memory} bytes"));
    format!("{id}{cpu}{}", memory.unwrap_or_default())
}

fn noted(noted: Noted) -> String {
    noted
        .executing
        .map(|id| format!(" while {id} executes"))
        .unwrap_or_default()
}

/// A text from outside on one line, and not too much of it.
fn quoted(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text.chars();
    out.push('"');
    for character in rest.by_ref().take(SHOWN) {
        write!(out, "{}", character.escape_debug()).expect("a string takes everything");
    }
    out.push('"');
    if rest.next().is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests;
