//! Reads what a task is and runs: its id, its command, its variables.
//!
//! Owns what the kernel and the table of ids can take. It does not know whether an id is free.

use std::collections::BTreeMap;

use jsonc_parser::ast::Value;

use crate::taskfile::ids::MAX_ID_BYTES;
use crate::taskfile::spec::{IdKind, Run};
use crate::taskfile::values::{Reading, Trail};

impl Reading<'_> {
    /// An id, as a task has it and as a need names it.
    pub(super) fn id_text(
        &mut self,
        value: &Value<'_>,
        trail: &Trail<'_>,
    ) -> Option<(Box<str>, IdKind)> {
        let (id, kind) = match value {
            Value::NumberLit(literal) => match literal.value.parse::<i64>() {
                Ok(number) => (number.to_string(), IdKind::Integer),
                Err(_) => {
                    let message = format!(
                        "an id is text or an integer of 64 bits, not {}",
                        literal.value
                    );
                    self.wrong_but(value, trail, message, "put it in double quotes");
                    return None;
                }
            },
            Value::StringLit(_) => (self.plain_text(value, trail)?.to_owned(), IdKind::Text),
            Value::BooleanLit(_) | Value::Object(_) | Value::Array(_) | Value::NullKeyword(_) => {
                self.unexpected(value, trail, "an id (a string or an integer)", None);
                return None;
            }
        };
        if id.is_empty() {
            self.wrong(value, trail, "an empty id");
            return None;
        }
        if id.len() > MAX_ID_BYTES {
            let message = format!(
                "an id of {} bytes; at most {MAX_ID_BYTES} are allowed",
                id.len()
            );
            self.wrong(value, trail, message);
            return None;
        }
        Some((id.into_boxed_str(), kind))
    }

    pub(super) fn shell(&mut self, value: &Value<'_>, trail: &Trail<'_>) -> Option<Run> {
        if matches!(value, Value::Array(_)) {
            let help = "a program with its arguments goes into `command`";
            self.unexpected(value, trail, "a line for the shell (a string)", Some(help));
            return None;
        }
        let line = self.plain_text(value, trail)?;
        if line.trim().is_empty() {
            self.wrong(value, trail, "an empty line for the shell");
            return None;
        }
        Some(Run::Shell(Box::from(line)))
    }

    pub(super) fn argv(&mut self, value: &Value<'_>, trail: &Trail<'_>) -> Option<Run> {
        let Value::Array(array) = value else {
            let help = "a line for the shell goes into `shell`; `command` is like [\"program\", \"argument\"]";
            self.unexpected(
                value,
                trail,
                "a program and its arguments (an array of strings)",
                Some(help),
            );
            return None;
        };
        let mut argv: Vec<Box<str>> = Vec::with_capacity(array.elements.len());
        for (index, element) in array.elements.iter().enumerate() {
            if let Some(text) = self.plain_text(element, &Trail::Index(trail, index)) {
                argv.push(Box::from(text));
            }
        }
        if array.elements.is_empty() {
            self.wrong(value, trail, "an empty command");
        } else if argv.first().is_some_and(|program| program.is_empty()) {
            self.wrong(
                &array.elements[0],
                &Trail::Index(trail, 0),
                "an empty program name",
            );
        }
        Some(Run::Argv(argv))
    }

    /// Adds to `env`, which holds the defaults' variables, or replaces them.
    pub(super) fn env(
        &mut self,
        value: &Value<'_>,
        trail: &Trail<'_>,
        env: &mut Vec<(String, String)>,
    ) {
        let Value::Object(object) = value else {
            self.unexpected(value, trail, "an object of strings", None);
            return;
        };
        let places: BTreeMap<String, usize> = env
            .iter()
            .enumerate()
            .map(|(place, (name, _))| (name.clone(), place))
            .collect();
        for (_, prop) in self.distinct(object, trail) {
            let name = prop.name.as_str();
            let trail = Trail::Key(trail, name);
            if name.is_empty() || name.contains(['=', '\0']) {
                let message = "the name of a variable is not empty and has no `=` and no NUL byte";
                self.wrong(&prop.name, &trail, message);
                continue;
            }
            let Some(text) = self.plain_text(&prop.value, &trail) else {
                continue;
            };
            match places.get(name) {
                Some(&place) => text.clone_into(&mut env[place].1),
                None => env.push((name.to_owned(), text.to_owned())),
            }
        }
    }
}
