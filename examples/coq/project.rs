//! A development: which files, where which library is, and who needs whom. It is copied into a folder of ours, so that
//! nothing is written beside somebody's sources.

use farm::exec;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Files in an order in which each comes after what it needs.
#[derive(Default)]
pub(crate) struct Project {
    /// Where which library is; and what else `coqc` alone is told.
    pub(crate) libraries: Vec<String>,
    pub(crate) arguments: Vec<String>,
    /// Relative to the root, and to its copy.
    pub(crate) files: Vec<String>,
    /// For each file the places of those that it needs, all before its own.
    pub(crate) needs: Vec<Vec<usize>>,
}

/// What a command says on stdout; when it cannot be run or fails, why.
pub(crate) fn said(program: &str, arguments: &[&str], folder: &Path) -> Result<String, String> {
    let mut command = Command::new(program);
    let said = exec::said(command.args(arguments).current_dir(folder));
    said.map_err(|error| error.to_string())
}

impl Project {
    /// Reads `root` and copies its files into the empty folder `copy`.
    pub(crate) fn stage(root: &Path, copy: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(root.join("_CoqProject"));
        let mut project = Self::default();
        project.read(&text.unwrap_or_else(|_| "-R . Top".to_owned()));
        if project.files.is_empty() {
            project.read(&said("find", &[".", "-type", "f", "-name", "*.v"], root)?);
        }
        project.files.sort();
        let first = project.files.first();
        first.ok_or_else(|| format!("there is no `.v` file in {root:?}"))?;
        let target = copy.to_str().ok_or("TMPDIR has an odd name")?;
        let mut words = vec!["--parents"];
        words.extend(project.files.iter().map(String::as_str).chain([target]));
        said("cp", &words, root)?;
        project.find_needs(copy)?;
        Ok(project)
    }

    /// What a `_CoqProject` says, one option or file in a line.
    fn read(&mut self, text: &str) {
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let words = line
                .split([' ', '\t', '"', '\''])
                .filter(|word| !word.is_empty());
            let words = words.map(|word| word.trim_start_matches("./").to_owned());
            match line.split_whitespace().next() {
                Some("-arg") => self.arguments.extend(words.skip(1)),
                Some("-Q" | "-R") => self.libraries.extend(words),
                // With `..` the copy would be outside of our folder.
                _ => self
                    .files
                    .extend(words.filter(|w| w.ends_with(".v") && !w.contains(".."))),
            }
        }
    }

    /// What each file needs of these files. What `coqdep` does not find `coqc` will complain about, with the line.
    fn find_needs(&mut self, copy: &Path) -> Result<(), String> {
        let words = self.libraries.iter().chain(&self.files);
        let words: Vec<&str> = words.map(String::as_str).collect();
        let sorted = said("coqdep", &[&["-sort"], &words[..]].concat(), copy)?;
        let sorted: Vec<&str> = sorted.split_whitespace().collect();
        let place = |product: &str| {
            let file = product.trim_start_matches("./").strip_suffix('o')?;
            sorted.iter().position(|other| *other == file)
        };
        self.needs = vec![Vec::new(); sorted.len()];
        for line in said("coqdep", &words, copy)?.lines() {
            // `a.vo a.glob …: a.v b.vo c.vo`; lines for other sorts of products follow.
            let (products, needed) = line.split_once(": ").unwrap_or_default();
            if let Some(product) = products.split(' ').find_map(place) {
                let needs: Vec<usize> = needed.split(' ').filter_map(place).collect();
                if let Some(later) = needs.iter().find(|need| **need >= product) {
                    let (one, other) = (sorted[product], sorted[*later]);
                    return Err(format!("{one} needs {other}, which needs {one}: a circle"));
                }
                self.needs[product] = needs;
            }
        }
        self.files = sorted.into_iter().map(str::to_owned).collect();
        Ok(())
    }
}
