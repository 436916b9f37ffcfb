//! The members of objects: unknown and repeated keys.
//!
//! Owns what is said about a key. It does not know what the value under it means.

use std::collections::BTreeMap;

use jsonc_parser::ast::{Object, ObjectProp};

use super::{Reading, Trail};
use crate::taskfile::fields::COMMAND_FIELDS;
use crate::taskfile::findings::{Also, Finding};
use crate::taskfile::suggest::{Where, suggest};

/// Keys up to which repeats are looked for pair by pair; beyond, in a map.
const FEW_KEYS: usize = 16;

/// A member of an object that is known by its name.
pub(in crate::taskfile) struct Member<'v, 't> {
    pub(in crate::taskfile) key: &'static str,
    pub(in crate::taskfile) prop: &'v ObjectProp<'t>,
}

impl Reading<'_> {
    /// The members of `object` with a name in `known`, each once; unknown and repeated names are noted.
    pub(in crate::taskfile) fn members<'v, 't>(
        &mut self,
        object: &'v Object<'t>,
        trail: &Trail<'_>,
        known: &[&'static str],
        place: Where,
    ) -> Vec<Member<'v, 't>> {
        let mut members = Vec::with_capacity(object.properties.len().min(known.len()));
        for (index, prop) in self.distinct(object, trail) {
            let written = prop.name.as_str();
            match known.iter().find(|key| **key == written) {
                Some(key) => members.push(Member { key, prop }),
                None if written.starts_with("x-") => {}
                None => self.unknown(&object.properties[index], trail, known, place),
            }
        }
        members
    }

    fn unknown(
        &mut self,
        prop: &ObjectProp<'_>,
        trail: &Trail<'_>,
        known: &[&'static str],
        place: Where,
    ) {
        if self.findings.count_if_full() {
            return;
        }
        let written = prop.name.as_str();
        let key = Trail::Key(trail, written);
        // Where there are no commands nobody means their fields.
        let known: Vec<&'static str> = known
            .iter()
            .copied()
            .filter(|key| self.shapes.commands || !COMMAND_FIELDS.contains(key))
            .collect();
        let suggestion = suggest(written, place, &known);
        let mut message = format!("unknown field `{}`", written.escape_debug());
        if let Some(meant) = suggestion.meant {
            message.push_str(&format!(" — did you mean `{meant}`?"));
        }
        let finding = Finding::new(self.span(&prop.name), key.to_string(), message);
        self.findings
            .push(match (suggestion.help, suggestion.meant) {
                (Some(help), _) => finding.help(help),
                (None, Some(_)) => finding,
                (None, None) => finding.help("fields of your own start with `x-`"),
            });
    }

    /// The members of `object` without those that repeat a name, which are noted.
    pub(in crate::taskfile) fn distinct<'v, 't>(
        &mut self,
        object: &'v Object<'t>,
        trail: &Trail<'_>,
    ) -> Vec<(usize, &'v ObjectProp<'t>)> {
        let props = &object.properties;
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        let mut distinct = Vec::with_capacity(props.len());
        for (index, prop) in props.iter().enumerate() {
            let name = prop.name.as_str();
            let first = if props.len() <= FEW_KEYS {
                props[..index]
                    .iter()
                    .position(|other| other.name.as_str() == name)
            } else {
                let first = *seen.entry(name).or_insert(index);
                Some(first).filter(|first| *first != index)
            };
            match first {
                None => distinct.push((index, prop)),
                Some(first) => {
                    let message = format!("`{}` is given twice", name.escape_debug());
                    let also = Also::Offset(self.span(&props[first].name).start);
                    let path = Trail::Key(trail, name).to_string();
                    self.findings
                        .push(Finding::new(self.span(&prop.name), path, message).also(also));
                }
            }
        }
        distinct
    }
}
