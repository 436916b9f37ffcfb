//! What was made before and of what: for each output a record, and a store of the versions that it speaks of.
//!
//! No time stamp is trusted, and no file that cannot be verified: a record says what its output looks like, so a kill
//! at any moment costs at most work that is done again. Every file is written elsewhere and renamed into its place.

use crate::step::Step;
use farm::memo::{self, Moment, hash};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::{collections::BTreeMap, fs, fs::File, io, process};

/// How many versions of an output are kept.
const VERSIONS: usize = 8;

/// How a version was made: of which contents, by which command, and what the compiler said.
#[derive(Clone, Serialize, Deserialize)]
struct Made {
    key: String,
    inputs: Vec<(String, String)>,
    output: String,
    said: String,
}

/// The output folder, held by one build at a time.
pub(crate) struct Cache {
    pub(crate) out: PathBuf,
    /// Where compilers write: this build's alone, as those of a killed one may go on for a moment.
    pub(crate) work: PathBuf,
    /// Hashes of files at their first look, or as they were put in place; empty without a file.
    seen: BTreeMap<PathBuf, String>,
    /// Before all that is written from now on.
    begun: Moment,
    _lock: File,
}

impl Cache {
    /// Opens a folder, which is made if need be, and removes what a killed build has left.
    pub(crate) fn open(out: &Path) -> io::Result<Self> {
        fs::create_dir_all(out.join("work"))?;
        let (out, _lock) = (fs::canonicalize(out)?, memo::hold(&out.join("lock"))?);
        fs::remove_dir_all(out.join("work"))?;
        let work = out.join(format!("work/{}", process::id()));
        fs::create_dir_all(&work)?;
        let begun = Moment::now(&work.join("begun"))?;
        Ok(Self {
            out,
            work,
            seen: BTreeMap::new(),
            begun,
            _lock,
        })
    }

    /// Why something has to be done for a step, if it has. If it was done before, that version is put in its place, and
    /// what the compiler said of it is given as well.
    pub(crate) fn look(&mut self, step: &Step) -> io::Result<Option<(String, Option<String>)>> {
        let (records, place) = (records(step), self.out.join(&step.output));
        let why = match records.first() {
            None => "it was never made".into(),
            Some(last) => match self.change(step, last, &place) {
                None => return Ok(None),
                Some(change) => change,
            },
        };
        let version = |made: &Made| step.store.join(&made.output);
        let fits = |made: &&Made| self.change(step, made, &version(made)).is_none();
        let Some(made) = records.iter().find(fits) else {
            return Ok(Some((why, None)));
        };
        self.place(step, made)?;
        Ok(Some((why, Some(made.said.clone()))))
    }

    /// Takes what a step has made, of which files, into the store, and puts it in its place.
    pub(crate) fn keep(&mut self, step: &Step, said: &str) -> io::Result<()> {
        let mut inputs = Vec::new();
        for input in step.inputs()? {
            let path = step.directory.join(&input);
            // What was written since we began may have been read before that: no file has an empty hash.
            let same = !step.objects.is_empty() || self.begun.is_after(&path);
            let hash = if same { self.hash_of(&path) } else { "" };
            inputs.push((input, hash.to_owned()));
        }
        let made = Made {
            key: step.key.clone(),
            inputs,
            output: hash(&fs::read(&step.made)?),
            said: said.to_owned(),
        };
        fs::create_dir_all(&step.store)?;
        fs::rename(&step.made, step.store.join(&made.output))?;
        self.place(step, &made)
    }

    /// Puts a version in its place, and on top of the record.
    fn place(&mut self, step: &Step, made: &Made) -> io::Result<()> {
        let (store, place) = (&step.store, self.out.join(&step.output));
        let beside = self.work.join("place");
        fs::create_dir_all(place.parent().expect("it is in a folder"))?;
        fs::copy(store.join(&made.output), &beside)?; // With its mode.
        fs::rename(beside, &place)?;
        let mut records = records(step);
        records.retain(|old| (&old.key, &old.inputs) != (&made.key, &made.inputs));
        records.insert(0, made.clone());
        for old in records.split_off(records.len().min(VERSIONS)) {
            if records.iter().all(|made| made.output != old.output) {
                let _gone_already = fs::remove_file(store.join(old.output));
            }
        }
        memo::keep(&store.join("record.json"), &records)?;
        self.seen.insert(place, made.output.clone());
        Ok(())
    }

    /// What is not as it was when this version was made, which is at `place`.
    fn change(&mut self, step: &Step, made: &Made, place: &Path) -> Option<String> {
        if made.key != step.key {
            return Some("its command or the compiler changed".into());
        }
        for (input, then) in &made.inputs {
            if then.is_empty() || self.hash_of(&step.directory.join(input)) != then {
                return Some(format!("{input} changed"));
            }
        }
        let is_there = self.hash_of(place) == made.output;
        (!is_there).then(|| format!("{} is not there as it was made", step.output))
    }

    fn hash_of(&mut self, path: &Path) -> &str {
        let look = || fs::read(path).map(|bytes| hash(&bytes)).unwrap_or_default();
        self.seen.entry(path.to_owned()).or_insert_with(look)
    }
}

/// All versions that are known, the last one first.
fn records(step: &Step) -> Vec<Made> {
    memo::recall(&step.store.join("record.json"))
}
