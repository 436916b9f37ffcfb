//! The files of the repository as the rules see them: every file that git would keep, with its text.
//!
//! Knows which folders are not ours to judge. Knows no rule.

use std::fs;
use std::path::{Path, PathBuf};

/// More files than this means that the walk left the repository or a build folder was not skipped.
const FILES_MAX: usize = 20_000;

/// One file of the repository.
pub(crate) struct File {
    /// Relative to the root, with `/` between the parts.
    pub(crate) path: String,
    /// Empty for a file that is not text.
    pub(crate) text: String,
}

impl File {
    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// The file holds tests only: what a room forbids itself at work may be needed to watch it.
    pub(crate) fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs")
            || self.path.starts_with("tests/")
            || self.path.contains("/tests/")
    }

    /// The room (top folder) of the file; empty for a file at the root.
    pub(crate) fn room(&self) -> &str {
        self.path.split_once('/').map_or("", |(room, _)| room)
    }
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file that is tracked or could be, sorted by path so that findings come in a fixed order.
pub(crate) fn files() -> Vec<File> {
    let ignored = ignored_names();
    let mut found = Vec::new();
    let mut folders = vec![root().to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the repository can be listed") {
            let path = entry.expect("a folder entry can be read").path();
            if is_ignored(&path, &ignored) || path.is_symlink() {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(read(&path));
            }
            assert!(
                found.len() <= FILES_MAX,
                "the walk of {} has no end",
                root().display()
            );
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// The text of one file at the root or below; `None` when it is not there.
pub(crate) fn text(path: &str) -> Option<String> {
    fs::read_to_string(root().join(path)).ok()
}

fn read(path: &Path) -> File {
    let bytes = fs::read(path).expect("a file of the repository can be read");
    File {
        path: relative(path),
        text: String::from_utf8(bytes).unwrap_or_default(),
    }
}

fn relative(path: &Path) -> String {
    let relative = path
        .strip_prefix(root())
        .expect("the walk starts at the root");
    relative
        .to_str()
        .expect("names in this repository are UTF-8")
        .to_owned()
}

/// The plain names of `.gitignore`; patterns are not understood, and none is in use.
fn ignored_names() -> Vec<String> {
    let list = text(".gitignore").unwrap_or_default();
    let lines = list
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| line.trim_end_matches('/').to_owned())
        .collect()
}

fn is_ignored(path: &Path, ignored: &[String]) -> bool {
    let name = path.file_name().unwrap_or_default();
    let anchored = PathBuf::from("/").join(path.strip_prefix(root()).unwrap_or(path));
    name == ".git"
        || name == "target"
        || ignored
            .iter()
            .any(|rule| name == rule.as_str() || anchored == Path::new(rule))
}
