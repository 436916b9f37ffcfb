//! The line of a lane, from what the model knows.

use super::{Model, State, Task, Why};
use std::fmt::{self, Write as _};

impl Model {
    /// The line that the lane should give.
    #[must_use]
    pub(crate) fn signature(&self) -> String {
        let mut line = String::with_capacity(160 + 24 * self.tasks.len());
        self.write(&mut line).expect("a String takes all text");
        line
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        let boundary = &self.config.boundary;
        write!(
            out,
            "farm.lane/1 mode={} gate={} mif={} mq={} il={} cb={} keep=all next={} if={} q={} occ={}",
            boundary.mode.label(),
            self.gate.label(),
            self.most_in_flight,
            boundary.max_queued,
            self.config.injection_limit,
            boundary.cancellation_budget_ms,
            self.next_seq,
            self.in_flight,
            self.queued,
            self.occupied(),
        )?;
        let mut tasks: Vec<&Task> = self.tasks.values().collect();
        tasks.sort_unstable_by_key(|task| task.seq);
        for task in tasks {
            let (label, tail) = task.state.words();
            write!(out, " {}:{label}#{}", task.id.index(), task.seq)?;
            if task.attempts > 0 {
                write!(out, "*{}", task.attempts)?;
            }
            let injected = if task.injected { "+" } else { "" };
            write!(out, "{injected}{tail}")?;
        }
        Ok(())
    }
}

impl State {
    /// The word of the signature, and what stands behind the numbers.
    fn words(self) -> (&'static str, String) {
        match self {
            Self::Queued => ("queued", String::new()),
            Self::InFlight { since_ms } => ("in_flight", format!("@{since_ms}")),
            Self::Over(why @ Why::Failed) => ("failed", format!("({})", why.word())),
            Self::Over(why) => ("cancelled", format!("({})", why.word())),
            Self::Stopping { why, ladder } => {
                let terminate = ladder
                    .terminate_at
                    .map(|at| format!("{at},"))
                    .unwrap_or_default();
                let killed = if ladder.killed { "!" } else { "" };
                (
                    "cancelled",
                    format!("({})~{terminate}{}{killed}", why.word(), ladder.kill_at),
                )
            }
        }
    }
}

impl Why {
    const fn word(self) -> &'static str {
        match self {
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timeout",
            Self::Failed => "failed",
        }
    }
}
