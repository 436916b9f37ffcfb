//! A lane as one line of text: equal lines mean equal lanes. For snapshot tests, replays and people.

use super::state::{Row, State};
use super::{Key, Lane};
use core::fmt::{self, Write as _};

/// Names the form below. A change of the form changes this.
const FORM: &str = "farm.lane/1";

impl Lane {
    /// The whole lane as one line of ASCII, without clock, address or random order.
    ///
    /// ```text
    /// farm.lane/1 mode=push_pull gate=running mif=2 mq=4 il=4 cb=500 keep=all next=6 if=1 q=1 occ=2
    ///     0:in_flight#1*1@100 1:cancelled#2*1(user)~350,600 3=lint:failed#4*2(boom) 2:queued#5
    /// ```
    ///
    /// (here in two lines). First the settings: `il` is the injection limit, `cb` the cancellation budget, `next` the
    /// place given out next; then the sums; then the tasks by place. A task is its key, `=` and its name when it has
    /// one, its state, `#` its place, `*` its attempts when it was started, `+` when it was injected, and then
    /// `@` the time of its start, or its reason in brackets. A cancelled task that is not settled ends in `~t,k` (SIGTERM
    /// due at t, SIGKILL at k), `~k` (only SIGKILL is still due) or `~k!` (neither is). With a retention, `keep` is its
    /// limit and in brackets the tasks that are over, those that ended first in front. In names and reasons, what is
    /// not in `A-Za-z0-9._-` is percent-encoded.
    #[must_use]
    pub fn signature(&self) -> String {
        let mut line = String::new();
        self.write_signature(&mut line)
            .expect("a String takes all text");
        line
    }

    fn write_signature(&self, out: &mut String) -> fmt::Result {
        let boundary = &self.boundary;
        write!(
            out,
            "{FORM} mode={} gate={} mif={} mq={} il={} cb={} keep=",
            boundary.mode.label(),
            self.gate.label(),
            boundary.max_in_flight,
            boundary.max_queued,
            self.injection_limit,
            boundary.cancellation_budget_ms,
        )?;
        self.write_retention(out)?;
        let counts = self.counts();
        write!(
            out,
            " next={} if={} q={} occ={}",
            self.next_seq, counts.in_flight, counts.queued, counts.occupied
        )?;
        let mut tasks: Vec<(Key, &Row)> = self.known().collect();
        tasks.sort_unstable_by_key(|(_, row)| row.seq);
        for (key, row) in tasks {
            self.write_task(out, key, row)?;
        }
        Ok(())
    }

    fn write_retention(&self, out: &mut String) -> fmt::Result {
        let Some(retention) = &self.retention else {
            return out.write_str("all");
        };
        write!(out, "{}[", retention.limit)?;
        let ended = retention
            .ended
            .iter()
            .filter(|&(seq, key)| super::transit::is_over(&self.rows, seq, key));
        for (nth, (_, key)) in ended.enumerate() {
            let comma = if nth == 0 { "" } else { "," };
            write!(out, "{comma}{key}")?;
        }
        out.write_char(']')
    }

    fn write_task(&self, out: &mut String, key: Key, row: &Row) -> fmt::Result {
        let Some(view) = row.view() else {
            return Ok(());
        };
        write!(out, " {key}")?;
        if let Some(name) = self.name(key) {
            write!(out, "={}", Encoded(name))?;
        }
        write!(out, ":{}#{}", view.label(), row.seq)?;
        if row.attempts > 0 {
            write!(out, "*{}", row.attempts)?;
        }
        if row.injected {
            out.write_char('+')?;
        }
        match &row.state {
            State::Absent | State::Queued | State::Succeeded => Ok(()),
            State::InFlight { started_ms } => write!(out, "@{started_ms}"),
            State::Failed(ended) | State::Cancelled(ended) => {
                write!(out, "({})", Encoded(&ended.reason))
            }
            State::Stopping(stopping) => {
                write!(out, "({})~", Encoded(&stopping.reason))?;
                let ladder = stopping.ladder;
                if let Some(at) = ladder.terminate_at {
                    write!(out, "{at},")?;
                }
                let killed = if ladder.killed { "!" } else { "" };
                write!(out, "{}{killed}", ladder.kill_at)
            }
        }
    }
}

/// Text in which only `A-Za-z0-9._-` stand for themselves, so that none can be taken for the form around it.
struct Encoded<'a>(&'a str);

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-' => {
                    f.write_char(char::from(byte))?;
                }
                other => write!(f, "%{other:02X}")?,
            }
        }
        Ok(())
    }
}
