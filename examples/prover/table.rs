//! What came of the goals: kept in a file for the next run, and printed.

use crate::goals::{Goal, Goals};
use crate::kind::hash;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

/// What came of a goal.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) verdict: String,
    pub(crate) detail: String,
    /// Hashes of all that the verdict depends on.
    pub(crate) stamps: BTreeMap<String, u64>,
    /// Why it was run; `None`: nothing that it depends on has changed.
    #[serde(skip)]
    pub(crate) why: Option<String>,
}

pub(crate) type Table = BTreeMap<String, Row>;

impl Row {
    pub(crate) fn begin(goal: &Goal, goals: &Goals, versions: &str, old: Option<&Self>) -> Self {
        let own = [("goal", &*goal.text), ("solvers", versions)];
        let all = own
            .into_iter()
            .chain(goal.needs().map(|name| (name, goals[name].definitions())));
        let stamps: BTreeMap<_, _> = all
            .map(|(what, text)| (what.to_owned(), hash(text)))
            .collect();
        let why = match old {
            None => "new".to_owned(),
            Some(old) => match stamps
                .iter()
                .find(|(what, stamp)| old.stamps.get(*what) != Some(stamp))
            {
                Some((what, _)) => format!("{what} changed"),
                None if old.is_expected(goal) => return old.clone(),
                None => format!("{} before", old.verdict),
            },
        };
        Self {
            stamps,
            why: Some(why),
            ..Self::default()
        }
    }

    /// Whether its author expects the verdict, with this explanation or with any.
    pub(crate) fn is_expected(&self, goal: &Goal) -> bool {
        let said = format!("{} {}", self.verdict, self.detail);
        [&*self.verdict, &*said].contains(&goal.said("expect"))
    }
}

/// What an earlier run left: nothing, if that cannot be read.
pub(crate) fn load(path: &Path) -> Table {
    let text = fs::read(path).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

/// Replaces the file at once, so that a run which is killed leaves a whole one.
pub(crate) fn save(path: &Path, table: &Table) -> io::Result<()> {
    let new = path.with_extension("new");
    fs::write(&new, serde_json::to_vec_pretty(table)?)?;
    fs::rename(new, path)
}
