//! A solver that goes on running, asked over pipes. Knows no goal.

use farm::{prelude::Wire, worker::Context};
use rustix::event::{PollFd, PollFlags, poll};
use std::io::{self, PipeReader, Read, Write, pipe};
use std::process::{Child, ChildStdin, Command, Stdio};

/// Name and arguments of each.
pub(crate) const SOLVERS: [(&str, &str); 2] = [
    ("z3", "-in smt.core.minimize=true"),
    ("cvc5", "--incremental --lang smt2 -q --minimal-unsat-cores"),
];

/// What ends an answer: no solver says it by itself.
const OVER: &str = "that-was-all";

/// The process, what it reads, and what it says.
pub(crate) struct Solver(Child, ChildStdin, PipeReader);

impl Solver {
    pub(crate) fn start((name, arguments): (&str, &str)) -> io::Result<Self> {
        // One pipe for both streams: what it says last stands last.
        let (output, theirs) = pipe()?;
        let mut command = Command::new(name);
        command.args(arguments.split(' ')).stdin(Stdio::piped());
        let mut child = command.stdout(theirs.try_clone()?).stderr(theirs).spawn()?;
        let input = child.stdin.take().expect("asked for above");
        Ok(Self(child, input, output))
    }

    /// What it says, in one line. An error is its last words, or why it has none; it is of no use then.
    pub(crate) fn ask(
        &mut self,
        text: &str,
        on: &Context<'_, impl Wire>,
    ) -> Result<String, String> {
        // A dead one takes nothing, but its last words are still to be read.
        let _dead = writeln!(self.1, "{text}\n(echo \"{OVER}\")");
        let (mut heard, mut block) = (Vec::new(), [0; 4096]);
        loop {
            let cancelled = PollFd::from_borrowed_fd(on.cancel_fd(), PollFlags::IN);
            let mut either = [cancelled, PollFd::new(&self.2, PollFlags::IN)];
            let polled = poll(&mut either, None);
            if on.cancelled() {
                return Err("stopped".to_owned());
            }
            let count = polled.map_or(0, |_| self.2.read(&mut block).unwrap_or(0));
            heard.extend(&block[..count]);
            let text = String::from_utf8_lossy(&heard).replace('"', " ");
            let said = text.split_whitespace().collect::<Vec<_>>().join(" ");
            match said.strip_suffix(OVER) {
                Some(said) if said.contains("(error") => return Err(said.to_owned()),
                Some(said) => return Ok(said.trim_end().to_owned()),
                None if count > 0 => {}
                None => {
                    let how = self.0.wait();
                    let how = how.map_or("lost".to_owned(), |how| how.to_string());
                    return Err(format!("{how} {said}").trim_end().to_owned());
                }
            }
        }
    }
}

impl Drop for Solver {
    /// Also one that was asked to stop dies at once: the next goal shall not wait for it.
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _collected = self.0.wait();
    }
}
