//! What checks one file, for as long as there is that file: its kind of named workers. Knows no
//! other file.

use farm::prelude::*;
use rustix::event::{PollFd, PollFlags, poll};
use serde::de::IgnoredAny;
use std::io::{Read, pipe};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, io};

/// The kind: a worker for each file, and called as that.
pub(crate) struct Checker;

impl Named for Checker {
    const NAME: &'static str = "checker";
    const VERSION: u32 = 1;
    /// The folder.
    type Params = String;
    type Welcome = ();
    type LaunchError = String;
    /// The version: how often it has changed since it is watched.
    type Request = u32;
    /// What is wrong with it, or why it could not be checked.
    type Response = Option<String>;
    /// It was asked to stop.
    type RequestError = ();
}

/// The worker's half.
pub(crate) struct File {
    folder: PathBuf,
    name: PathBuf,
    program: &'static [&'static str],
}

impl Resident for File {
    type Named = Checker;

    fn on_launch(
        name: &str,
        folder: String,
        _: &NamedContext<'_, Checker>,
    ) -> Result<(Self, ()), String> {
        let program = program(name).ok_or("nobody knows how to check it")?;
        let file = Self {
            folder: folder.into(),
            // Never taken for an option.
            name: Path::new(".").join(name),
            program,
        };
        Ok((file, ()))
    }

    fn on_request(
        &mut self,
        _: u32,
        context: &NamedContext<'_, Checker>,
    ) -> Result<Option<String>, ()> {
        let failed = |error: io::Error| Some(format!("it could not be checked: {error}"));
        let Some((program, arguments)) = self.program.split_first() else {
            let text = fs::read(self.folder.join(&self.name));
            let parsed = text.map(|text| serde_json::from_slice::<IgnoredAny>(&text));
            return Ok(parsed.map_or_else(failed, |it| it.err().map(|e| e.to_string())));
        };
        let mut command = Command::new(program);
        command.args(arguments).arg(&self.name);
        command.current_dir(&self.folder);
        let said = run(command, context);
        if context.cancelled() {
            return Err(());
        }
        Ok(said.unwrap_or_else(failed))
    }
}

/// The program for a file of this name, if it is one that is checked; `.json` needs none.
pub(crate) fn program(name: &str) -> Option<&'static [&'static str]> {
    match Path::new(name).extension()?.to_str()? {
        "json" => Some(&[]),
        "c" => Some(&["cc", "-fsyntax-only"]),
        "sh" => Some(&["sh", "-n"]),
        _ => None,
    }
}

/// What it says, if it fails. It dies when the check is asked to stop.
fn run(mut command: Command, context: &Context<'_, impl Wire>) -> io::Result<Option<String>> {
    let (mut output, theirs) = pipe()?;
    command.stdin(Stdio::null()).stdout(theirs.try_clone()?);
    let mut child = command.stderr(theirs).spawn()?;
    // Its ends of the pipe, or it would never end.
    drop(command);
    let (mut said, mut block) = (Vec::new(), [0; 4096]);
    loop {
        let cancelled = PollFd::from_borrowed_fd(context.cancel_fd(), PollFlags::IN);
        let mut either = [cancelled, PollFd::new(&output, PollFlags::IN)];
        let polled = poll(&mut either, None);
        if context.cancelled() {
            child.kill()?;
            child.wait()?;
            return Err(io::ErrorKind::Interrupted.into());
        }
        let count = polled.map_or(Ok(0), |_| output.read(&mut block))?;
        if count == 0 {
            break;
        }
        said.extend(&block[..count]);
    }
    let status = child.wait()?;
    let said = String::from_utf8_lossy(&said);
    match status.code() {
        Some(0) => Ok(None),
        Some(_) => Ok(Some(said.trim().to_owned())),
        None => Err(io::Error::other(format!("{status} {said}"))),
    }
}
