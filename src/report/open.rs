//! Opening the files of the reports before anything runs: all of them or none, none twice, none that the run reads.

use super::ends::FileIdentity;
use super::options::{ReportOptions, ResultsTarget, StdoutMode};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// Why the reports cannot be written as asked. No file has been changed, though one that did not exist may exist now.
#[derive(Debug, thiserror::Error)]
pub enum OpenTrouble {
    /// The system refused.
    #[error("cannot open `{}` for {option}: {error}; {}", .path.display(), advice(.error))]
    Refused {
        /// The option that named the file.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Two outputs would overwrite each other.
    #[error("{option} and {other} both lead to `{}`; give each a file of its own", .path.display())]
    Shared {
        /// The option that named the file.
        option: &'static str,
        /// What else leads there.
        other: &'static str,
        /// The file, as `option` named it.
        path: PathBuf,
    },
    /// The run reads this file, and opening it for writing would empty it.
    #[error("{option} leads to `{}`, which this run reads; name another file", .path.display())]
    Input {
        /// The option that named the file.
        option: &'static str,
        /// The file.
        path: PathBuf,
    },
}

fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "make its folder first",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "name a file that you may write"
        }
        io::ErrorKind::IsADirectory => "that is a folder; name a file in it",
        _ => "name another file",
    }
}

/// A file that was opened, ready for whole lines.
#[derive(Debug)]
pub(crate) struct OpenedFile {
    pub(crate) file: File,
    pub(crate) path: PathBuf,
    /// Nothing is in it yet, so a header belongs there.
    pub(crate) fresh: bool,
}

/// The files of one run.
#[derive(Debug, Default)]
pub(crate) struct OpenedFiles {
    pub(crate) results: Option<OpenedFile>,
    pub(crate) joblog: Option<OpenedFile>,
    pub(crate) events: Option<OpenedFile>,
    pub(crate) record: Option<OpenedFile>,
}

/// Opens what `options` names. `taken` are the files behind our stdout and stderr.
pub(crate) fn open_files(
    options: &ReportOptions,
    taken: [Option<FileIdentity>; 2],
) -> Result<OpenedFiles, OpenTrouble> {
    let results = match &options.results {
        Some(ResultsTarget::File(path)) => Some(path),
        Some(ResultsTarget::Stdout) | None => None,
    };
    let stdout_is_used =
        options.stdout != StdoutMode::Quiet || options.results == Some(ResultsTarget::Stdout);
    let mut known = Vec::new();
    for (identity, name, used) in [
        (taken[0], "standard output", stdout_is_used),
        (taken[1], "standard error", true),
    ] {
        known.extend(identity.filter(|_| used).map(|identity| (identity, name)));
    }
    let inputs = options
        .inputs
        .iter()
        .filter_map(|path| identity_of(path))
        .collect();
    let mut opening = Opening { known, inputs };
    let mut open =
        |option, path: Option<&PathBuf>| path.map(|path| opening.open(option, path)).transpose();
    let mut files = OpenedFiles {
        results: open("--results", results)?,
        joblog: open("--joblog", options.joblog.as_ref())?,
        events: open("--events", options.events.as_ref())?,
        record: open("--record", options.record.as_ref())?,
    };
    // Only now, when none of them can be refused any more, may one be emptied.
    let append = options.append;
    for (option, file, append) in [
        ("--results", &mut files.results, append),
        ("--joblog", &mut files.joblog, append),
        ("--events", &mut files.events, append),
        ("--record", &mut files.record, false),
    ] {
        if let Some(opened) = file {
            begin(opened, append).map_err(|error| OpenTrouble::Refused {
                option,
                path: opened.path.clone(),
                error,
            })?;
        }
    }
    Ok(files)
}

struct Opening {
    known: Vec<(FileIdentity, &'static str)>,
    inputs: Vec<FileIdentity>,
}

impl Opening {
    fn open(&mut self, option: &'static str, path: &Path) -> Result<OpenedFile, OpenTrouble> {
        let path = path.to_owned();
        let file = match OpenOptions::new().append(true).create(true).open(&path) {
            Ok(file) => file,
            Err(error) => {
                return Err(OpenTrouble::Refused {
                    option,
                    path,
                    error,
                });
            }
        };
        if let Some(identity) = FileIdentity::of(&file) {
            if self.inputs.contains(&identity) {
                return Err(OpenTrouble::Input { option, path });
            }
            if let Some((_, other)) = self.known.iter().find(|(known, _)| *known == identity) {
                return Err(OpenTrouble::Shared {
                    option,
                    other,
                    path,
                });
            }
            self.known.push((identity, option));
        }
        Ok(OpenedFile {
            file,
            path,
            fresh: true,
        })
    }
}

fn identity_of(path: &Path) -> Option<FileIdentity> {
    // Asked before opening: opening a pipe that the run reads would take its bytes or wait for a writer.
    fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    File::open(path).ok().and_then(FileIdentity::of)
}

/// Empties the file, or makes it ready to be added to.
fn begin(opened: &mut OpenedFile, append: bool) -> io::Result<()> {
    let metadata = opened.file.metadata()?;
    if !metadata.is_file() || metadata.len() == 0 {
        return Ok(());
    }
    if !append {
        return opened.file.set_len(0);
    }
    opened.fresh = false;
    let mut last = [b'\n'];
    // A run that was killed may have left half a line, which must not swallow our first one. A file that cannot be
    // read is taken as whole.
    if let Ok(readable) = File::open(&opened.path) {
        readable.read_exact_at(&mut last, metadata.len() - 1)?;
    }
    if last != *b"\n" {
        opened.file.write_all(b"\n")?;
    }
    Ok(())
}
