//! Reads `kind` and `input`: which kind a task is of, and what it is to do.
//!
//! Owns which kind is meant where none is named, and which fields are for commands alone. It does not know what a kind
//! makes of an input.

use jsonc_parser::ast::{Object, Value};
use jsonc_parser::common::Ranged;

use super::{COMMAND_FIELDS, Draft};
use crate::taskfile::findings::{Also, Finding};
use crate::taskfile::spec::{KindTask, Run, Settings};
use crate::taskfile::values::{Member, Reading, Trail};

/// How a task of a kind looks.
pub(super) const LOOKS: &str = "a task is like {\"kind\": \"…\", \"input\": …}";

impl Reading<'_> {
    /// The place of the kind that a name means.
    pub(super) fn kind(&mut self, value: &Value<'_>, trail: &Trail<'_>) -> Option<usize> {
        let name = self.text(value, trail)?;
        let shapes = self.shapes;
        if let Some(place) = shapes.find(name) {
            return Some(place);
        }
        let mut message = format!("no kind is called `{}`", name.escape_debug());
        if let Some(meant) = shapes.closest(name) {
            message.push_str(&format!(" — did you mean `{meant}`?"));
        }
        let names = shapes.names();
        let help = if shapes.kinds.len() == 1 {
            format!("there is {names}")
        } else {
            format!("there are {names}")
        };
        self.wrong_but(value, trail, message, &help);
        None
    }

    /// Fills in the run of a task that is no command.
    pub(super) fn task_of_kind(
        &mut self,
        object: &Object<'_>,
        members: &[Member<'_, '_>],
        trail: &Trail<'_>,
        draft: &mut Draft,
    ) {
        let member = |key: &str| members.iter().find(|member| member.key == key);
        let named = match member("kind") {
            Some(named) => self.kind(&named.prop.value, &Trail::Key(trail, "kind")),
            None => {
                let kind = draft.spec.settings.kind.or_else(|| self.shapes.only());
                if kind.is_none() {
                    let names = self.shapes.names();
                    let help = format!("there are {names}; `defaults` may name one for all tasks");
                    self.at_brace(object, trail, "a task needs `kind`", Some(&help));
                }
                kind
            }
        };
        let Some(place) = named else {
            return;
        };
        let shape = self.shapes.kinds[place];
        for member in members {
            if COMMAND_FIELDS.contains(&member.key) {
                let field = Trail::Key(trail, member.key);
                let message = format!(
                    "`{}` is for commands; a task of the kind `{}` is told everything by its `input`",
                    member.key, shape.name
                );
                self.wrong(&member.prop.name, &field, message);
            }
        }
        let Some(input) = member("input") else {
            let null = Value::NullKeyword(jsonc_parser::ast::NullKeyword {
                range: object.range,
            });
            // Where nothing is to be said, nothing need be written.
            match (shape.check)(&null, trail) {
                Ok(()) => draft.spec.run = run(shape.name, place, "null".into()),
                Err(_) => {
                    let message = format!("a task of the kind `{}` needs `input`", shape.name);
                    self.at_brace(object, trail, &message, None);
                }
            }
            return;
        };
        let before = self.findings.count();
        let field = Trail::Key(trail, "input");
        let text = self.compact(&input.prop.value, &field);
        // A repeated key leaves open which of its values is meant.
        if self.findings.count() > before {
            return;
        }
        match (shape.check)(&input.prop.value, &field) {
            Ok(()) => draft.spec.run = run(shape.name, place, text.into_boxed_str()),
            Err(wrongs) => {
                for wrong in wrongs.0 {
                    let place = wrong.place();
                    let span = self.base + place.span.start..self.base + place.span.end;
                    let finding = Finding::new(span, place.path.clone(), wrong.message.as_str());
                    self.findings.push(match wrong.help {
                        Some(help) => finding.help(help),
                        None => finding,
                    });
                }
            }
        }
    }

    /// Notes `kind` and `input` of a task that is a command.
    pub(super) fn not_of_a_kind(
        &mut self,
        command: &Member<'_, '_>,
        members: &[Member<'_, '_>],
        trail: &Trail<'_>,
    ) {
        let also = Also::Offset(self.span(&command.prop.name).start);
        for member in members {
            if ["kind", "input"].contains(&member.key) {
                let message = format!(
                    "a task has either `{}` or `kind` and `input`, not both",
                    command.key
                );
                let span = self.span(&member.prop.name);
                let path = Trail::Key(trail, member.key).to_string();
                self.findings
                    .push(Finding::new(span, path, message).also(also));
            }
        }
    }

    /// Notes the fields of commands where there are none: in a task that has one, or in `defaults`.
    pub(super) fn no_commands(&mut self, members: &[Member<'_, '_>], trail: &Trail<'_>) {
        for member in members {
            if COMMAND_FIELDS.contains(&member.key) {
                let message = format!(
                    "`{}` is for commands, which this program does not run",
                    member.key
                );
                let field = Trail::Key(trail, member.key);
                self.wrong_but(&member.prop.name, &field, message, LOOKS);
            }
        }
    }

    /// The kind that tasks without one are of.
    pub(super) fn default_kind(
        &mut self,
        value: &Value<'_>,
        trail: &Trail<'_>,
        settings: &mut Settings,
    ) {
        settings.kind = self.kind(value, trail);
    }

    /// Notes what an object lacks.
    pub(super) fn at_brace(
        &mut self,
        object: &Object<'_>,
        trail: &Trail<'_>,
        message: &str,
        help: Option<&str>,
    ) {
        let brace = self.base + object.start();
        let finding = Finding::new(brace..brace + 1, trail.to_string(), message);
        self.findings.push(match help {
            Some(help) => finding.help(help),
            None => finding,
        });
    }
}

fn run(name: &'static str, place: usize, input: Box<str>) -> Run {
    Run::Kind(Box::new(KindTask { name, place, input }))
}
