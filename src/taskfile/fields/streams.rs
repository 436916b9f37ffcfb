//! Reads `stdin`, `stdout` and `stderr`.
//!
//! Owns which words have a meaning and which strings are paths. It does not open anything.

use jsonc_parser::ast::Value;

use crate::taskfile::spec::{Stderr, Stdin, Stdout};
use crate::taskfile::suggest::Where;
use crate::taskfile::values::{Reading, Trail};

impl Reading<'_> {
    pub(super) fn stdin(&mut self, value: &Value<'_>, trail: &Trail<'_>) -> Stdin {
        let help = "like \"text\", {\"file\": \"path\"} or {\"json\": …}";
        let object = match value {
            // Bytes for a pipe, so a NUL is welcome here.
            Value::StringLit(literal) => return Stdin::Text(Box::from(literal.value.as_ref())),
            Value::Object(object) => object,
            Value::NumberLit(_)
            | Value::BooleanLit(_)
            | Value::Array(_)
            | Value::NullKeyword(_) => {
                self.unexpected(value, trail, "text or an object", Some(help));
                return Stdin::Closed;
            }
        };
        let before = self.findings.count();
        let members = self.members(object, trail, &["file", "json"], Where::Elsewhere);
        let [member] = members.as_slice() else {
            // A misspelt key was noted as such.
            if self.findings.count() == before {
                self.wrong_but(value, trail, "`stdin` has either `file` or `json`", help);
            }
            return Stdin::Closed;
        };
        let (value, trail) = (&member.prop.value, Trail::Key(trail, member.key));
        if member.key == "file" {
            self.path(value, &trail).map_or(Stdin::Closed, Stdin::File)
        } else {
            Stdin::Json(self.compact(value, &trail).into_boxed_str())
        }
    }

    pub(super) fn stdout(&mut self, value: &Value<'_>, trail: &Trail<'_>) -> Stdout {
        match value {
            Value::StringLit(literal) if literal.value == "capture" => Stdout::Capture,
            Value::StringLit(literal) if literal.value == "inherit" => Stdout::Inherit,
            Value::StringLit(literal) if literal.value == "null" => Stdout::Null,
            _ => self
                .path(value, trail)
                .map_or(Stdout::Capture, Stdout::File),
        }
    }

    pub(super) fn stderr(&mut self, value: &Value<'_>, trail: &Trail<'_>) -> Stderr {
        match value {
            Value::StringLit(literal) if literal.value == "capture" => Stderr::Capture,
            Value::StringLit(literal) if literal.value == "inherit" => Stderr::Inherit,
            Value::StringLit(literal) if literal.value == "null" => Stderr::Null,
            Value::StringLit(literal) if literal.value == "stdout" => Stderr::Stdout,
            _ => self
                .path(value, trail)
                .map_or(Stderr::Capture, Stderr::File),
        }
    }
}
