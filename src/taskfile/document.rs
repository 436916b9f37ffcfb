//! Reads the top of a file that is held whole: an array, or a document with its version, defaults and limits.
//!
//! Owns what stands around the array of tasks. It does not know the fields of a task, nor how tasks are checked
//! against each other.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::ops::Range;
use std::sync::Arc;

use jsonc_parser::ast::Value;

use super::diagnostic::Diagnostics;
use super::findings::{Also, Finding};
use super::scan::{CutMember, Flaw, Scan, members};
use super::suggest::{Where, suggest};
use super::values::{Reading, Trail};
use super::whole::Whole;
use super::{ReadOptions, TaskList};

const DOCUMENT_FIELDS: [&str; 4] = ["version", "defaults", "limits", "tasks"];
/// The version of the task file that this reader knows.
const VERSION: i64 = 1;

pub(super) fn read_array(
    name: &str,
    text: &str,
    options: &ReadOptions,
) -> Result<TaskList, Diagnostics> {
    let mut whole = Whole::new(
        text,
        Reading::new(&options.base_dir, &options.limits, &options.shapes),
    );
    let mut scan = Scan::new(text, 0);
    let read = if scan.peek().is_none() {
        Ok(())
    } else {
        whole
            .tasks(&mut scan, &Arc::default())
            .and_then(|()| end_of_text(&mut scan))
    };
    whole.finish(name, read, Vec::new())
}

pub(super) fn read_document(
    name: &str,
    text: &str,
    options: &ReadOptions,
) -> Result<TaskList, Diagnostics> {
    let mut scan = Scan::new(text, 0);
    let mut known = options.limits.clone();
    if scan.peek().is_none() {
        return Ok(TaskList::default());
    }
    let top = scan.at;
    let cut = members(&mut scan).and_then(|members| end_of_text(&mut scan).map(|()| members));
    let mut reading = Reading::new(&options.base_dir, &options.limits, &options.shapes);
    let members = match cut {
        Ok(members) => members,
        Err(flaw) => return Whole::new(text, reading).finish(name, Err(flaw), Vec::new()),
    };
    let parts = Parts::find(&mut reading, text, top, members);
    if let Some(value) = parts.value(&mut reading, text, "version") {
        version(&mut reading, &value);
    }
    let limits = match parts.value(&mut reading, text, "limits") {
        Some(value) => limits(&mut reading, &value),
        None => Vec::new(),
    };
    known.extend(limits.iter().map(|(name, _)| name.clone()));
    let mut reading = Reading {
        findings: reading.findings,
        ..Reading::new(&options.base_dir, &known, &options.shapes)
    };
    let defaults = match parts.value(&mut reading, text, "defaults") {
        Some(value) => reading.defaults(&value),
        None => Arc::default(),
    };
    let mut whole = Whole::new(text, reading);
    let read = match parts.span("tasks") {
        Some(span) => whole.tasks(&mut Scan::new(text, span.start), &defaults),
        None => Ok(()),
    };
    whole.finish(name, read, limits)
}

fn end_of_text(scan: &mut Scan<'_>) -> Result<(), Flaw> {
    if scan.peek().is_none() {
        Ok(())
    } else {
        Err(Flaw {
            incomplete: false,
            ..scan.expected("the end of the file")
        })
    }
}

/// The known members of the document: each one's name and the bytes of its value.
struct Parts(Vec<(&'static str, Range<usize>)>);

impl Parts {
    fn find(reading: &mut Reading<'_>, text: &str, top: usize, members: Vec<CutMember>) -> Self {
        let mut parts: Vec<(&'static str, Range<usize>)> = Vec::new();
        let mut places = BTreeMap::new();
        let mut is_task = false;
        let mut unknown = Vec::new();
        for (key_span, value_span) in members {
            let Some(Value::StringLit(key)) =
                reading.parse(text, key_span.clone(), &Trail::Document)
            else {
                continue;
            };
            let path = Trail::Key(&Trail::Document, &key.value).to_string();
            if let Some(&first) = places.get(key.value.as_ref()) {
                let message = format!("`{}` is given twice", key.value.escape_debug());
                reading
                    .findings
                    .push(Finding::new(key_span, path, message).also(Also::Offset(first)));
                continue;
            }
            places.insert(key.value.clone().into_owned(), key_span.start);
            is_task |= ["command", "shell", "kind", "input"].contains(&key.value.as_ref());
            match DOCUMENT_FIELDS.iter().find(|field| **field == key.value) {
                Some(field) => parts.push((field, value_span)),
                None if key.value.starts_with("x-") => {}
                None => unknown.push((key_span, path, key.value.into_owned())),
            }
        }
        let has_tasks = parts.iter().any(|(field, _)| *field == "tasks");
        if is_task && !has_tasks {
            // Complaints about each of its fields would hide the one thing to do.
            let message = "one task over several lines is not a task file";
            let help =
                "put it in brackets [ … ], or write it on one line (JSON Lines; `jq -c` does)";
            reading
                .findings
                .push(Finding::new(top..top + 1, String::new(), message).help(help));
            return Self(Vec::new());
        }
        if !has_tasks {
            let message = "a document needs `tasks`, an array";
            reading
                .findings
                .push(Finding::new(top..top + 1, String::new(), message));
        }
        for (span, path, written) in unknown {
            let suggestion = suggest(&written, Where::Document, &DOCUMENT_FIELDS);
            let mut message = format!("unknown field `{}`", written.escape_debug());
            if let Some(meant) = suggestion.meant {
                message.push_str(&format!(" — did you mean `{meant}`?"));
            }
            let help = suggestion
                .help
                .unwrap_or("a document has `version`, `defaults`, `limits` and `tasks`");
            reading
                .findings
                .push(Finding::new(span, path, message).help(help));
        }
        Self(parts)
    }

    fn span(&self, field: &str) -> Option<Range<usize>> {
        self.0
            .iter()
            .find(|(name, _)| *name == field)
            .map(|(_, span)| span.clone())
    }

    fn value<'t>(
        &self,
        reading: &mut Reading<'_>,
        text: &'t str,
        field: &'static str,
    ) -> Option<Value<'t>> {
        self.span(field)
            .and_then(|span| reading.parse(text, span, &Trail::Key(&Trail::Document, field)))
    }
}

fn version(reading: &mut Reading<'_>, value: &Value<'_>) {
    let trail = Trail::Key(&Trail::Document, "version");
    if !matches!(value, Value::NumberLit(literal) if literal.value.parse() == Ok(VERSION)) {
        let message =
            format!("an unknown version of the task file; this farm reads version {VERSION}");
        reading.wrong_but(value, &trail, message, "a newer farm may read it");
    }
}

fn limits(reading: &mut Reading<'_>, value: &Value<'_>) -> Vec<(Box<str>, NonZeroU32)> {
    let trail = Trail::Key(&Trail::Document, "limits");
    let Value::Object(object) = value else {
        let help = "like {\"net\": 2}: at most two tasks with \"limit\": \"net\" run at once";
        reading.unexpected(value, &trail, "an object", Some(help));
        return Vec::new();
    };
    let mut limits = Vec::new();
    for (_, prop) in reading.distinct(object, &trail) {
        let name = prop.name.as_str();
        let trail = Trail::Key(&trail, name);
        if name.is_empty() {
            reading.wrong(&prop.name, &trail, "a limit without a name");
            continue;
        }
        let count = reading.integer(&prop.value, &trail, (1, u32::MAX.into()));
        let count = count
            .and_then(|count| u32::try_from(count).ok())
            .and_then(NonZeroU32::new);
        // A bad count still declares the name: tasks that use it are not wrong.
        limits.push((Box::from(name), count.unwrap_or(NonZeroU32::MIN)));
    }
    limits
}
