//! One command that makes one file of others: which there are, and what a farm does with one as a task.
//!
//! This is the kind's half in the master. Its other half is the library's, which runs any command.

use crate::{Options, Result, cache::Cache, cache::hash};
use farm::exec::{CommandRequest, CommandResponse, CommandWire, Ended, StderrPlan};
use farm::prelude::*;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::{fs, io, process::Command};

/// How much of what a compiler says is shown, in bytes.
const SAID_MAX: u32 = 256 << 10;

/// An entry of `compile_commands.json`, or the link.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Step {
    pub(crate) file: String,
    pub(crate) directory: PathBuf,
    /// Without what says where outputs go. An entry may have it as a `command` for a shell instead.
    arguments: Vec<String>,
    command: String,
    /// What it makes, below the output folder.
    pub(crate) output: String,
    /// What it links; a compiler says itself what it has read.
    pub(crate) objects: Vec<String>,
    /// Where the compiler writes, and where versions of the output are.
    pub(crate) made: PathBuf,
    pub(crate) store: PathBuf,
    /// A hash of the command, of where it runs and of the compiler's version.
    pub(crate) key: String,
}

/// All steps, the last of which links the objects.
pub(crate) fn steps(cache: &Cache, options: &Options) -> Result<Vec<Step>> {
    let mut steps: Vec<Step> = serde_json::from_slice(&fs::read(&options.database)?)?;
    let (folder, mut outputs) = (fs::canonicalize(&options.database)?, BTreeSet::new());
    for (number, step) in steps.iter_mut().enumerate() {
        step.directory = folder.with_file_name(&step.directory);
        if step.arguments.is_empty() {
            step.arguments = shlex::split(&step.command).unwrap_or_default();
        }
        drop_outputs(&mut step.arguments);
        let no_command = || format!("entry {} has no command", number + 1);
        step.arguments.first().ok_or_else(no_command)?;
        if step.output.is_empty() {
            step.output = format!("{}.o", step.file);
        }
        // Below the output folder, wherever it is said to go. A file may be compiled twice, in two ways.
        step.output = format!("obj/{}", step.output.replace("../", ""));
        if !outputs.insert(step.output.clone()) {
            step.output += &format!("-{number}.o");
        }
    }
    let first = steps.first().ok_or("it has no entry")?;
    let mut compiler = first.arguments[0].clone();
    if compiler.contains('/') {
        compiler = first.directory.join(compiler).display().to_string();
    }
    let objects: Vec<String> = steps.iter().map(|step| step.output.clone()).collect();
    steps.push(Step {
        file: options.program.clone(),
        directory: cache.out.clone(),
        arguments: [&[compiler], &objects[..], &options.link_arg].concat(),
        output: options.program.clone(),
        objects,
        ..Step::default()
    });
    let mut versions = BTreeMap::new();
    for step in &mut steps {
        let mut ask = Command::new(&step.arguments[0]);
        ask.arg("--version").current_dir(&step.directory);
        // A compiler that cannot say it cannot compile either, and is reported then.
        let told = || ask.output().map(|told| told.stdout).unwrap_or_default();
        let version = versions.entry(step.arguments[0].clone());
        let version = version.or_insert_with(told);
        step.key = hash(&(&step.directory, &step.arguments, version));
        step.store = cache.out.join("store").join(&step.output);
        step.made = cache.work.join(hash(&step.output));
    }
    Ok(steps)
}

/// Takes out of a command what says where its output and its dependencies go.
fn drop_outputs(arguments: &mut Vec<String>) {
    let mut value = false;
    arguments.retain(|word| {
        let before = value;
        value = !before && ["-o", "-MF", "-MT", "-MQ"].contains(&&**word);
        !before && !value && !["-MD", "-MMD", "-MP"].contains(&&**word)
    });
}

impl Step {
    /// What it has read: objects, or what the compiler has told in a rule for make, as in `it: a.c b.h`.
    pub(crate) fn inputs(&self) -> io::Result<Vec<String>> {
        if !self.objects.is_empty() {
            return Ok(self.objects.clone());
        }
        let rule = fs::read_to_string(self.made.with_extension("d"))?;
        let rule = rule.replace("\\\n", " ").replace("\\#", "#");
        let rule = rule.replace("$$", "$").replace("\\ ", "\0");
        let names = rule.split_whitespace().skip(1);
        Ok(names.map(|name| name.replace('\0', " ")).collect())
    }
}

type Status = WorkerStatus<()>;

/// Steps as tasks, which give what the compiler said.
pub(crate) struct Compile;

impl TaskKind for Compile {
    type Wire = CommandWire;
    type Task = Step;
    type Competence = ();
    type Output = String;
    type Failure = String;

    fn request_of_task(&mut self, _: &Status, step: &Step) -> Option<CommandRequest> {
        let path = |path: &Path| path.display().to_string();
        let mut argv = step.arguments.clone();
        argv.extend(["-o".into(), path(&step.made)]);
        if step.objects.is_empty() {
            argv.extend(["-MMD", "-MT", "it", "-MF"].map(String::from));
            argv.push(path(&step.made.with_extension("d")));
        }
        Some(CommandRequest {
            argv,
            env: vec![("TMPDIR".into(), path(&step.made.with_file_name("")))],
            cwd: Some(step.directory.as_os_str().as_bytes().to_vec()),
            stderr: StderrPlan::Stdout,
            head_limit: SAID_MAX,
            ..CommandRequest::default()
        })
    }

    fn use_response(&mut self, _: &Status, step: &Step, end: CommandResponse) -> Verdict<Self> {
        let said = String::from_utf8_lossy(&end.stdout.head).into_owned();
        let (how, again) = match end.ended {
            Ended::Exited(0) => return Verdict::done(said, ()),
            // Or a part of it was killed, for instance for want of memory.
            Ended::Exited(code) => (format!("exit code {code}"), said.contains("Killed signal")),
            Ended::Signaled { signal, .. } => (format!("killed by signal {signal}"), true),
            Ended::NotStarted { message, .. } | Ended::Lost { message } => (message, false),
        };
        let verdict = Verdict::failed(format!("{said}{}: {how}\n", step.file), ());
        if again { verdict } else { verdict.fatal() }
    }
}
