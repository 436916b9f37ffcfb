//! The kind `compile`: runs one compiler or linker in a worker, and says what it made of which files.
//!
//! A worker adds what it made to the versions of its output, and touches nothing else: an orphan spoils no later build.

use crate::{cache::Made, cache::hash, plan::Step};
use farm::{prelude::*, worker::child::kill_children};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::os::unix::{fs::MetadataExt as _, process::ExitStatusExt as _};
use std::process::{Command, Stdio};
use std::{fs, fs::File, io, io::Read as _, path::Path};

/// How much of what a compiler says is shown, in bytes.
const SAID_MAX: u64 = 256 << 10;

/// What was made; or what the compiler said, and whether it may do better once more.
type Response = Result<Made, (String, bool)>;

/// Both halves.
pub(crate) struct Compile;

impl Wire for Compile {
    const NAME: &'static str = "compile";
    const VERSION: u32 = 1;
    type Request = Step;
    type Response = Response;
    type Feedback = Never;
    type Context = Never;
}

impl TaskKind for Compile {
    type Wire = Self;
    type Task = Step;
    type Competence = ();
    type Output = Made;
    type Failure = String;
    fn request_of_task(&mut self, _: &WorkerStatus<()>, step: &Step) -> Option<Step> {
        Some(step.clone())
    }
    fn use_response(&mut self, _: &WorkerStatus<()>, _: &Step, done: Response) -> Verdict<Self> {
        match done {
            Ok(made) => Verdict::done(made, ()),
            Err((said, true)) => Verdict::failed(said, ()),
            Err((said, false)) => Verdict::failed(said, ()).fatal(),
        }
    }
}

impl Perform for Compile {
    type Wire = Self;
    fn perform(&mut self, step: Step, context: &Context<'_, Self>) -> Response {
        let said = |error| format!("{} {}: {error}\n", step.arguments[0], step.output);
        compile(&step, context).unwrap_or_else(|error| Err((said(error), false)))
    }
}

fn compile(step: &Step, context: &Context<'_, Compile>) -> io::Result<Response> {
    let work = std::env::current_dir()?; // Where workers are started.
    let [file, rule, log] = [(); 3].map(|()| work.join(context.fresh_name()));
    let text = File::create(&log)?;
    let begun = changed(&log)?;
    let mut command = Command::new(&step.arguments[0]);
    command.args(&step.arguments[1..]).arg("-o").arg(&file);
    if step.inputs.is_none() {
        command.args(["-MMD", "-MT", "it", "-MF"]).arg(&rule);
    }
    command.current_dir(&step.directory).env("TMPDIR", work);
    command.stdin(Stdio::null()).stdout(text.try_clone()?);
    let mut child = command.stderr(text).spawn()?;
    let pidfd = pidfd_open(Pid::from_child(&child), PidfdFlags::empty())?;
    while !context.cancelled() && child.try_wait()?.is_none() {
        let cancel = PollFd::from_borrowed_fd(context.cancel_fd(), PollFlags::IN);
        let _interrupted = poll(&mut [PollFd::new(&pidfd, PollFlags::IN), cancel], None);
    }
    child.kill()?; // Without effect on one that has ended.
    let status = child.wait()?;
    let _all_gone = kill_children(); // What a killed `cc` leaves is ours.
    let mut said = Vec::new();
    File::open(&log)?.take(SAID_MAX).read_to_end(&mut said)?;
    let said = String::from_utf8_lossy(&said).into_owned();
    if !status.success() {
        // Or a part of it was killed, for instance for want of memory.
        let again = said.contains("Killed signal terminated program") || status.signal().is_some();
        return Ok(Err((format!("{said}{}: {status}\n", step.name), again)));
    }
    let mut inputs = Vec::new();
    let told = || fs::read_to_string(rule).map(|rule| dependencies(&rule));
    for input in step.inputs.clone().map_or_else(told, Ok)? {
        let path = Path::new(&step.directory).join(&input);
        inputs.push((input, hash(&fs::read(&path)?)));
        if changed(&path)? >= begun {
            let said = format!("{} changed meanwhile\n", path.display());
            return Ok(Err((said, true)));
        }
    }
    let (key, output) = (step.key.clone(), hash(&fs::read(&file)?));
    fs::rename(file, Path::new(&step.store).join(&output))?;
    Ok(Ok(Made {
        key,
        inputs,
        output,
        said,
    }))
}

/// When a file was last written or put in place: the kernel's own note, which nobody can set.
fn changed(path: &Path) -> io::Result<(i64, i64)> {
    fs::metadata(path).map(|found| (found.ctime(), found.ctime_nsec()))
}

/// What a rule for make depends on, as in `it: a.c b.h`.
fn dependencies(rule: &str) -> Vec<String> {
    let rule = rule.replace("\\\n", " ").replace("\\#", "#");
    let rule = rule.replace("$$", "$").replace("\\ ", "\0");
    let names = rule.split_whitespace().skip(1);
    names.map(|name| name.replace('\0', " ")).collect()
}
