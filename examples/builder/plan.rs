//! What there is to do: the compilations that a `compile_commands.json` asks for, and the link after them.

use crate::{Options, Result, cache::hash};
use farm::prelude::Schema;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fs, path::Path, process::Command};

/// One command that makes one file of others: a task, and what a worker is sent.
#[derive(Clone, Debug, Serialize, Deserialize, Schema)]
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) directory: String,
    /// Without what says where outputs go.
    pub(crate) arguments: Vec<String>,
    /// What it reads; `None`: the compiler will say.
    pub(crate) inputs: Option<Vec<String>>,
    /// What it makes, and where its versions are.
    pub(crate) output: String,
    pub(crate) store: String,
    /// A hash of the command, of where it runs and of the compiler's version.
    pub(crate) key: String,
}

#[derive(Deserialize)]
struct Entry {
    directory: String,
    file: String,
    arguments: Option<Vec<String>>,
    command: Option<String>,
    output: Option<String>,
}

/// All steps, the last of which links the objects.
pub(crate) fn steps(from: &Path, out: &Path, options: &Options) -> Result<Vec<Step>> {
    let entries: Vec<Entry> = serde_json::from_slice(&fs::read(from)?)?;
    let folder = fs::canonicalize(from)?;
    let (mut steps, mut versions) = (Vec::<Step>::new(), BTreeMap::new());
    let mut step = |name: String, folder: &Path, output: String, arguments: Vec<String>| {
        let directory = folder.display().to_string();
        let mut ask = Command::new(&arguments[0]);
        ask.arg("--version").current_dir(folder);
        // A compiler that cannot say it cannot compile either, and is reported then.
        let version = || ask.output().map(|told| told.stdout).unwrap_or_default();
        let version = versions.entry(arguments[0].clone()).or_insert_with(version);
        let key = hash(format!("{directory} {arguments:?} {version:?}").as_bytes());
        let store = out.join("store").join(&output).display().to_string();
        Step {
            name,
            directory,
            arguments,
            inputs: None,
            output,
            store,
            key,
        }
    };
    for entry in entries {
        let words = || words(&entry.command.unwrap_or_default());
        let arguments = plain(entry.arguments.map_or_else(words, Ok)?);
        arguments.first().ok_or("an entry has no command")?;
        // Below the output folder, wherever it is said to go. A file may be compiled twice, in two ways.
        let output = entry.output.unwrap_or(format!("{}.o", entry.file));
        let mut output = format!("obj/{}", output.replace("../", ""));
        if steps.iter().any(|other| other.output == output) {
            output += &format!("-{}.o", steps.len());
        }
        let folder = folder.with_file_name(entry.directory);
        steps.push(step(entry.file, &folder, output, arguments));
    }
    let first = steps.first().ok_or("it has no entry")?;
    let mut compiler = first.arguments[0].clone();
    if compiler.contains('/') {
        compiler = format!("{}", Path::new(&first.directory).join(compiler).display());
    }
    let objects: Vec<String> = steps.iter().map(|step| step.output.clone()).collect();
    let words = [&[compiler], &objects[..], &options.link_arg].concat();
    let name = &options.program;
    let mut link = step(name.clone(), out, name.clone(), words);
    link.inputs = Some(objects);
    steps.push(link);
    Ok(steps)
}

/// The words of a shell command: nobody knows better than a shell.
fn words(command: &str) -> Result<Vec<String>> {
    let line = format!("printf '%s\\0' {command}");
    let said = String::from_utf8(Command::new("sh").args(["-c", &line]).output()?.stdout)?;
    Ok(said.split_terminator('\0').map(str::to_owned).collect())
}

/// A command without what says where its output and its dependencies go.
fn plain(mut arguments: Vec<String>) -> Vec<String> {
    let mut value = false;
    arguments.retain(|word| {
        let before = value;
        value = !before && ["-o", "-MF", "-MT", "-MQ"].contains(&&**word);
        !before && !value && !["-MD", "-MMD", "-MP"].contains(&&**word)
    });
    arguments
}
