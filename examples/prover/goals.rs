//! The goals, files of SMT-LIB with comments that say what is expected, and what is known of them. Knows no solver.

use farm::{memo::hash, prelude::Schema};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fs, io, path::Path};

#[derive(Clone, Serialize, Deserialize, Schema)]
pub(crate) struct Goal {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// The goals of a folder by name, and the prelude with them.
pub(crate) type Goals = BTreeMap<String, Goal>;

pub(crate) fn read(folder: &Path) -> io::Result<Goals> {
    let mut goals = Goals::new();
    for entry in folder.read_dir()? {
        let file = entry?;
        if let Some(name) = file.file_name().display().to_string().strip_suffix(".smt2") {
            let (name, text) = (name.to_owned(), fs::read_to_string(file.path())?);
            goals.insert(name.clone(), Goal { name, text });
        }
    }
    let prelude = goals.get("prelude");
    prelude.ok_or_else(|| io::Error::other("it has no prelude.smt2"))?;
    Ok(goals)
}

impl Goal {
    /// What stands after `; key: `; nothing if nothing does.
    pub(crate) fn said(&self, key: &str) -> &str {
        let mut comments = self.text.lines().filter_map(|line| line.strip_prefix("; "));
        let found = comments.find_map(|line| line.strip_prefix(key)?.strip_prefix(": "));
        found.unwrap_or_default()
    }

    /// What a solver must have been told before: the prelude, and the lemmas that it assumes.
    pub(crate) fn needs(&self) -> impl Iterator<Item = &str> {
        let lemmas = self.said("uses").split_whitespace();
        ["prelude"].into_iter().chain(lemmas)
    }

    /// Its part of that: the definitions before its first assertion.
    pub(crate) fn definitions(&self) -> &str {
        self.text.split("\n(assert").next().unwrap_or_default()
    }
}

/// What came of a goal.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) verdict: String,
    pub(crate) detail: String,
    /// Why it is run, or `unchanged`.
    #[serde(skip)]
    pub(crate) why: String,
    /// Hashes of what the verdict depends on.
    pub(crate) stamps: BTreeMap<String, String>,
}

impl Row {
    /// The row of an earlier run, looked at with what is there now.
    pub(crate) fn renew(mut self, goal: &Goal, goals: &Goals, versions: &str) -> Self {
        let mut stamps = BTreeMap::from([("goal".to_owned(), hash(&goal.text))]);
        stamps.insert("solvers".to_owned(), hash(versions));
        let needs = goal.needs().filter_map(|name| goals.get(name));
        stamps.extend(needs.map(|lemma| (lemma.name.clone(), hash(lemma.definitions()))));
        let old = &self.stamps;
        let changed = stamps.iter().find(|(key, now)| old.get(*key) != Some(now));
        self.why = match changed {
            _ if self.verdict.is_empty() => "new".to_owned(),
            Some((what, _)) => format!("{what} changed"),
            None if self.is_expected(goal) => "unchanged".to_owned(),
            None => format!("{} before", self.verdict),
        };
        Self { stamps, ..self }
    }

    /// Whether the goal's author expects the verdict, with this explanation or with any.
    pub(crate) fn is_expected(&self, goal: &Goal) -> bool {
        let said = format!("{} {}", self.verdict, self.detail);
        [&*self.verdict, &*said].contains(&goal.said("expect"))
    }
}
