//! One command that makes one file of others: which there are, what is run for one, and when that has failed.

use crate::{Options, Result, cache::Cache};
use farm::exec::{self, CommandRequest, CommandResponse, HEAD_BYTES, StderrPlan};
use farm::{Cause, memo::hash};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::{fs, io, process::Command};

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
        let version = versions.entry(step.arguments[0].clone());
        let version = version.or_insert_with(|| exec::said(&mut ask).unwrap_or_default());
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
    /// What it has read: objects, or what the compiler has told in a rule for make, as in `a: a.c b.h`.
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

    /// What is run for it. Output and dependencies go where this build is alone.
    pub(crate) fn request(&self) -> CommandRequest {
        let path = |path: &Path| path.display().to_string();
        // The dependencies go beside the output, into a file that ends with `.d`.
        let more = ["-MMD".into(), "-o".into(), path(&self.made)];
        CommandRequest {
            argv: [&self.arguments[..], &more].concat(),
            env: vec![("TMPDIR".into(), path(&self.made.with_file_name("")))],
            cwd: Some(self.directory.as_os_str().as_bytes().to_vec()),
            stderr: StderrPlan::Stdout,
            head_limit: HEAD_BYTES,
            ..CommandRequest::default()
        }
    }

    /// Whether it failed, and how: a compiler is several processes, and says it when one of them was killed.
    pub(crate) fn judge(&self, end: &CommandResponse) -> Option<Cause> {
        let cause = end.failure()?;
        let killed = end.text().contains("Killed signal");
        Some(if killed { Cause::Crash } else { cause })
    }
}
