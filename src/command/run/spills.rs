//! The folder for output that is too long for a response: beside the results, whose lines name its files, or a temporary
//! one that ends with the run.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use tempfile::{Builder, TempDir};

/// The folder. Dropped without [`SpillFolder::close`] it is removed with what it holds.
#[derive(Debug)]
pub(super) struct SpillFolder {
    pub(super) folder: PathBuf,
    /// What it holds outlives the run: something names it.
    pub(super) keep: bool,
    guard: TempDir,
}

impl SpillFolder {
    /// Makes one for a run with these results; `events`: whether there is an events file, which names long output too.
    ///
    /// # Errors
    /// Words for people when there is no place for it.
    pub(super) fn new(results: Option<&Path>, events: bool) -> Result<Self, String> {
        let guard = match results.filter(|path| is_plain(path)) {
            Some(results) => beside(results).or_else(|_| temporary()),
            None => temporary(),
        };
        let guard = guard.map_err(|error| {
            format!(
                "error: cannot make a folder for long outputs in {}: {error}; set TMPDIR to a folder that can be written",
                std::env::temp_dir().display()
            )
        })?;
        Ok(Self {
            folder: guard.path().to_path_buf(),
            keep: results.is_some() || events,
            guard,
        })
    }

    /// Removes it, unless something names files in it. What there is to say about that.
    pub(super) fn close(self) -> Option<String> {
        let holds_files =
            std::fs::read_dir(&self.folder).is_ok_and(|mut files| files.next().is_some());
        if self.keep && holds_files {
            let folder = self.guard.keep();
            return Some(format!(
                "outputs of more than 64 KiB go on in {}",
                folder.display()
            ));
        }
        match self.guard.close() {
            Ok(()) => None,
            // Somebody has removed it for us.
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => Some(format!("cannot remove {}: {error}", self.folder.display())),
        }
    }
}

/// Whether a file is or will be there, and no device, pipe or standard output.
fn is_plain(path: &Path) -> bool {
    path.as_os_str() != "-"
        && std::fs::metadata(path).map_or_else(
            |error| error.kind() == io::ErrorKind::NotFound,
            |found| found.is_file(),
        )
}

fn beside(results: &Path) -> io::Result<TempDir> {
    let mut prefix = OsString::from(results.file_name().unwrap_or_default());
    prefix.push(".rest-");
    let folder = results.parent().filter(|parent| *parent != Path::new(""));
    // Absolute: workers and whoever reads the results need not stand where we do.
    let folder = std::path::absolute(folder.unwrap_or(Path::new(".")))?;
    Builder::new().prefix(&prefix).tempdir_in(folder)
}

fn temporary() -> io::Result<TempDir> {
    Builder::new().prefix("farm-").tempdir()
}

#[cfg(test)]
mod tests {
    //! What is named stays, the rest goes.
    use super::*;
    use std::fs;

    #[test]
    fn it_lies_beside_the_results_and_stays_when_it_holds_something() {
        let place = tempfile::tempdir().expect("a folder");
        let results = place.path().join("r.jsonl");
        let empty = SpillFolder::new(Some(&results), false).expect("made");
        assert_eq!(empty.folder.parent(), Some(place.path()));
        assert_eq!(empty.close(), None);
        let full = SpillFolder::new(Some(&results), false).expect("made");
        fs::write(full.folder.join("1-1.stdout"), "x").expect("ours");
        let folder = full.folder.clone();
        let words = full.close().expect("something to say");
        assert!(words.contains(&*folder.to_string_lossy()), "{words}");
        assert!(folder.join("1-1.stdout").exists());
    }

    #[test]
    fn a_device_has_nothing_beside_it() {
        let spills = SpillFolder::new(Some(Path::new("/dev/full")), false).expect("made");
        assert_ne!(spills.folder.parent(), Some(Path::new("/dev")));
        fs::write(spills.folder.join("x"), "x").expect("ours");
        fs::remove_dir_all(
            spills
                .close()
                .expect("kept")
                .rsplit(' ')
                .next()
                .expect("a path"),
        )
        .expect("ours");
        let unnamed = SpillFolder::new(None, false).expect("made");
        fs::write(unnamed.folder.join("x"), "x").expect("ours");
        let folder = unnamed.folder.clone();
        assert_eq!(unnamed.close(), None);
        assert!(!folder.exists());
    }
}
