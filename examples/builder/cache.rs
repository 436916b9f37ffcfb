//! What was made before and of what: for each output a record, and a store of the versions that it speaks of.
//!
//! No time stamp is trusted, and no file that cannot be verified: a record says what its output looks like, so a kill
//! at any moment costs at most work that is done again. Every file is written elsewhere and renamed into its place.

use crate::plan::Step;
use farm::prelude::Schema;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::{collections::BTreeMap, fs, fs::File, io};

/// How many versions of an output are kept.
const VERSIONS: usize = 8;

/// How a version was made: of which contents, by which command, and what the compiler said.
#[derive(Clone, Debug, Serialize, Deserialize, Schema)]
pub(crate) struct Made {
    pub(crate) key: String,
    pub(crate) inputs: Vec<(String, String)>,
    pub(crate) output: String,
    pub(crate) said: String,
}

/// The output folder, held by one build at a time.
pub(crate) struct Cache {
    pub(crate) out: PathBuf,
    /// Hashes of files at their first look, or as they were put in place.
    seen: BTreeMap<PathBuf, Option<String>>,
    _lock: File,
}

impl Cache {
    /// Opens a folder, which is made if need be, and removes what a killed build has left.
    pub(crate) fn open(out: &Path) -> io::Result<Self> {
        fs::create_dir_all(out.join("work"))?;
        let (out, _lock) = (fs::canonicalize(out)?, File::create(out.join("lock"))?);
        let held = flock(&_lock, FlockOperation::NonBlockingLockExclusive);
        held.map_err(|_| io::Error::other("another build is at work there"))?;
        fs::remove_dir_all(out.join("work"))?;
        fs::create_dir(out.join("work"))?;
        let seen = BTreeMap::new();
        Ok(Self { out, seen, _lock })
    }

    /// What has to be done for a step and why, if anything has: a version that was made before is put in its place.
    pub(crate) fn look(&mut self, step: &Step) -> io::Result<Option<(String, Option<Made>)>> {
        fs::create_dir_all(&step.store)?;
        let (records, store) = (records(step), Path::new(&step.store));
        let place = self.out.join(&step.output);
        let change = records.first().map(|last| (last, self.change(step, last)));
        let why = match change {
            None => "it was never made".into(),
            Some((_, Some(change))) => change,
            Some((last, None)) if self.is(&place, &last.output) => return Ok(None),
            Some(_) => format!("{} is not there as it was made", step.output),
        };
        for made in records {
            let fits = self.change(step, &made).is_none();
            if fits && self.is(&store.join(&made.output), &made.output) {
                self.place(step, &made)?;
                return Ok(Some((why, Some(made))));
            }
        }
        Ok(Some((why, None)))
    }

    /// Puts a version in its place, and on top of the record.
    pub(crate) fn place(&mut self, step: &Step, made: &Made) -> io::Result<()> {
        let (store, place) = (Path::new(&step.store), self.out.join(&step.output));
        let beside = self.out.join("work/place");
        fs::create_dir_all(place.parent().expect("it is in a folder"))?;
        fs::copy(store.join(&made.output), &beside)?; // With its mode.
        fs::rename(&beside, &place)?;
        let mut records = records(step);
        records.retain(|old| (&old.key, &old.inputs) != (&made.key, &made.inputs));
        records.insert(0, made.clone());
        for old in records.split_off(records.len().min(VERSIONS)) {
            if records.iter().all(|made| made.output != old.output) {
                let _gone_already = fs::remove_file(store.join(old.output));
            }
        }
        fs::write(&beside, serde_json::to_vec(&records)?)?;
        fs::rename(beside, store.join("record.json"))?;
        self.seen.insert(place, Some(made.output.clone()));
        Ok(())
    }

    /// What is not as it was.
    fn change(&mut self, step: &Step, made: &Made) -> Option<String> {
        if made.key != step.key {
            return Some("its command or the compiler changed".into());
        }
        let directory = Path::new(&step.directory);
        let mut changed = made.inputs.iter();
        let changed = changed.find(|(input, then)| !self.is(&directory.join(input), then));
        changed.map(|(input, _)| format!("{input} changed"))
    }

    /// Whether a file has these contents.
    fn is(&mut self, path: &Path, then: &str) -> bool {
        let look = || fs::read(path).ok().map(|bytes| hash(&bytes));
        let now = self.seen.entry(path.to_owned()).or_insert_with(look);
        now.as_deref() == Some(then)
    }
}

/// All versions that are known, the last one first. A record that cannot be read is none.
fn records(step: &Step) -> Vec<Made> {
    let text = fs::read(Path::new(&step.store).join("record.json")).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

/// FNV-1a of 128 bits: against accidents, not against malice.
pub(crate) fn hash(bytes: &[u8]) -> String {
    let next = |sum: u128, byte: &u8| (sum ^ u128::from(*byte)).wrapping_mul((1 << 88) + 0x13b);
    let sum = bytes
        .iter()
        .fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, next);
    format!("{sum:032x}")
}
