//! The goals: files of SMT-LIB, and what the comments at their head say. Knows no solver and no farm.

use farm::prelude::Schema;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fs, io, path::Path};

#[derive(Clone, Serialize, Deserialize, Schema)]
pub(crate) struct Goal {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// The files of a folder by name; the prelude is one of them.
pub(crate) type Goals = BTreeMap<String, Goal>;

impl Goal {
    /// What stands after `; key: `; nothing if nothing does.
    pub(crate) fn said(&self, key: &str) -> &str {
        let mut comments = self.text.lines().filter_map(|line| line.strip_prefix("; "));
        comments
            .find_map(|line| line.strip_prefix(key)?.strip_prefix(": "))
            .unwrap_or_default()
    }

    /// The lemmas that must be proved before, because this goal assumes them.
    pub(crate) fn uses(&self) -> impl Iterator<Item = &str> {
        self.said("uses").split_whitespace()
    }

    /// What a solver must have been told: definitions, of the prelude and of the lemmas.
    pub(crate) fn needs(&self) -> impl Iterator<Item = &str> {
        ["prelude"].into_iter().chain(self.uses())
    }

    /// Its own part of that: all before its first assertion.
    pub(crate) fn definitions(&self) -> &str {
        self.text.split("\n(assert").next().unwrap_or_default()
    }
}

pub(crate) fn read(folder: &Path) -> io::Result<Goals> {
    let mut goals = Goals::new();
    for entry in folder.read_dir()? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "smt2")
        {
            let name = path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let text = fs::read_to_string(path)?;
            goals.insert(name.clone(), Goal { name, text });
        }
    }
    Ok(goals)
}
