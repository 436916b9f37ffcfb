//! What a tool knows from its earlier runs: files that are whole at any moment and held by one, and what has changed.
//!
//! For embedders that do again only what has changed. Knows no task; what is written down, and when it holds, is theirs.

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use serde::{Serialize, de::DeserializeOwned};
use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File};
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher, Hash};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// What [`keep`] wrote to `path`. Nothing (the default) when there is no such file, or none of this form, for instance
/// from another version of the tool: then all is done again, which is right and only slow.
#[must_use]
pub fn recall<T: DeserializeOwned + Default>(path: &Path) -> T {
    let text = fs::read(path).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

/// Writes `what` to `path` as JSON. Whoever reads it finds the old or the new, also after a kill at any moment (but not
/// after a loss of power: nothing waits for the disk). For one writer at a time.
///
/// # Errors
/// With the path in words: it cannot be written, or `what` cannot be said in JSON. What was there before still is.
pub fn keep<T: Serialize + ?Sized>(path: &Path, what: &T) -> io::Result<()> {
    let mut beside = OsString::from(path);
    beside.push(".new");
    let written = serde_json::to_vec(what).map_err(io::Error::from);
    let written = written.and_then(|text| fs::write(&beside, text));
    let kept = written.and_then(|()| fs::rename(&beside, path));
    kept.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

/// A hash of anything, in 16 characters that a file name may have. It finds changes and not malice: 64 bits of SipHash
/// without a key. A program that another Rust has compiled may hash otherwise, and finds everything changed then.
#[must_use]
pub fn hash(what: &(impl Hash + ?Sized)) -> String {
    let hasher = BuildHasherDefault::<DefaultHasher>::default();
    format!("{:016x}", hasher.hash_one(what))
}

/// Makes `path` this process's alone, until what is given is dropped or the process ends in any way.
///
/// # Errors
/// In words: another process has it, or it cannot be created. Nobody is waited for.
pub fn hold(path: &Path) -> io::Result<File> {
    let failed = |why: &dyn fmt::Display| format!("{}: {why}", path.display());
    let file = File::create(path).map_err(|error| io::Error::new(error.kind(), failed(&error)))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(Errno::WOULDBLOCK) => Err(io::Error::other(failed(&"another one is at work here"))),
        Err(error) => Err(io::Error::other(failed(&error))),
    }
}

/// A moment, by the clock of a folder's file system: was this file written since?
///
/// For whoever writes down what was read, as its hash: a file that was written meanwhile may have been read before. It
/// looks at what the kernel notes of each change, which no program can set, and only for files of that file system.
#[derive(Clone, Copy, Debug)]
pub struct Moment((i64, i64));

impl Moment {
    /// This moment: what was written before this call has not been written since it. Writes the file `mark` for it, and
    /// takes a tick of the system's clock, some milliseconds.
    ///
    /// # Errors
    /// `mark` cannot be written.
    pub fn now(mark: &Path) -> io::Result<Self> {
        fs::write(mark, "")?;
        let first = change_of(mark)?;
        loop {
            // Within a tick all that is written looks as if it was written at once.
            fs::write(mark, "")?;
            let now = change_of(mark)?;
            if now > first {
                return Ok(Self(now));
            }
        }
    }

    /// Whether a file has not been written, renamed or put in place since. Not so for one that is not there.
    #[must_use]
    pub fn is_after(self, path: &Path) -> bool {
        change_of(path).is_ok_and(|at| at < self.0)
    }
}

fn change_of(path: &Path) -> io::Result<(i64, i64)> {
    fs::metadata(path).map(|found| (found.ctime(), found.ctime_nsec()))
}

#[cfg(test)]
mod tests {
    //! What is kept comes back; what cannot be kept changes nothing.
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn what_is_kept_is_recalled_and_nonsense_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("known.json");
        let mut known: BTreeMap<String, u32> = recall(&path);
        assert!(known.is_empty());
        for number in [7, 8] {
            known.insert("it".to_owned(), number);
            keep(&path, &known).unwrap();
            assert_eq!(recall::<BTreeMap<String, u32>>(&path), known);
        }
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
        fs::write(&path, "{\"it\": ").unwrap();
        assert!(recall::<BTreeMap<String, u32>>(&path).is_empty());
    }

    #[test]
    fn what_cannot_be_kept_is_an_error_with_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("known.json");
        keep(&path, "before").unwrap();
        // A key of a map must be text.
        let nonsense = BTreeMap::from([((1, 2), 3)]);
        let error = keep(&path, &nonsense).unwrap_err().to_string();
        assert!(error.contains("known.json: "), "{error}");
        assert_eq!(recall::<String>(&path), "before");
        let nowhere = folder.path().join("nowhere/known.json");
        let error = keep(&nowhere, "it").unwrap_err().to_string();
        assert!(error.contains("nowhere/known.json: "), "{error}");
    }

    #[test]
    fn what_is_held_is_held_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = hold(&path).unwrap();
        let error = hold(&path).unwrap_err().to_string();
        assert!(error.contains("lock: another one is at work"), "{error}");
        drop(held);
        assert!(hold(&path).is_ok() && hold(folder.path()).is_err());
    }

    #[test]
    fn a_moment_is_after_what_was_written_before_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let (before, since) = (folder.path().join("before"), folder.path().join("since"));
        fs::write(&before, "").unwrap();
        let moment = Moment::now(&folder.path().join("mark")).unwrap();
        fs::write(&since, "").unwrap();
        assert!(moment.is_after(&before) && !moment.is_after(&since));
        assert!(!moment.is_after(&folder.path().join("nowhere")));
        // Also when it is only put there again.
        fs::rename(&before, &since).unwrap();
        assert!(!moment.is_after(&since) && Moment::now(&before).is_ok());
    }

    #[test]
    fn a_hash_tells_contents_apart() {
        assert_eq!(hash("one"), hash(&"one".to_owned()));
        assert_ne!(hash("one"), hash("two"));
        assert_ne!(hash(&("on", "e")), hash(&("o", "ne")));
        assert_eq!(hash("one").len(), 16);
    }
}
