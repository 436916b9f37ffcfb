//! What a tool knows from its earlier runs: files that are whole at any moment, and hashes that say what has changed.
//!
//! For embedders that do again only what has changed. Knows no task; what is written down, and when it holds, is theirs.

use serde::{Serialize, de::DeserializeOwned};
use std::ffi::OsString;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher, Hash};
use std::path::Path;
use std::{fs, io};

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
    fn a_hash_tells_contents_apart() {
        assert_eq!(hash("one"), hash(&"one".to_owned()));
        assert_ne!(hash("one"), hash("two"));
        assert_ne!(hash(&("on", "e")), hash(&("o", "ne")));
        assert_eq!(hash("one").len(), 16);
    }
}
