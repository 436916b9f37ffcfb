//! What the task file reader promises, by table. Each file below holds one promise.

mod detect;
mod duration;
mod errors;
mod fields;
mod files;
mod graph;
mod ids;
mod input;
mod lines;
mod robust;
mod scan;
mod size;

use super::{Diagnostic, Form, ReadOptions, TaskList, TaskSpec, read_eager};

/// Reads `text` as `t.json` in the folder `/base`, with the limit `net` declared.
fn read(text: &str, form: Option<Form>) -> Result<TaskList, String> {
    read_eager("t.json", text.as_bytes(), &options(), form).map_err(|errors| errors.to_string())
}

fn options() -> ReadOptions {
    ReadOptions {
        base_dir: "/base".into(),
        limits: [Box::from("net")].into(),
        ..ReadOptions::default()
    }
}

fn good(text: &str) -> TaskList {
    read(text, None).unwrap()
}

/// The only task of an array that holds `task`.
fn one(task: &str) -> TaskSpec {
    good(&format!("[\n{task}]")).tasks.remove(0)
}

fn bad(text: &str) -> String {
    read(text, None).unwrap_err()
}

/// The messages (first lines) of all errors.
fn messages(text: &str, form: Option<Form>) -> Vec<String> {
    let errors = read_eager("t.json", text.as_bytes(), &options(), form).unwrap_err();
    errors
        .shown
        .into_iter()
        .map(|error| error.message)
        .collect()
}

/// All errors, each in one line: place, path, underlined text, message, second place, help.
fn briefs(text: &str) -> Vec<String> {
    let Err(errors) = read_eager("t.json", text.as_bytes(), &options(), None) else {
        return Vec::new();
    };
    let brief = |error: &Diagnostic| {
        let (start, width) = error.caret;
        let marked: String = error.excerpt.chars().skip(start).take(width).collect();
        let (line, column, path, message) = (error.line, error.column, &error.path, &error.message);
        let also = error
            .also
            .map(|(line, column)| format!("; also {line}:{column}"))
            .unwrap_or_default();
        let help = error
            .help
            .as_ref()
            .map(|help| format!("; help: {help}"))
            .unwrap_or_default();
        format!("{line}:{column} {path} «{marked}» {message}{also}{help}")
    };
    errors.shown.iter().map(brief).collect()
}
