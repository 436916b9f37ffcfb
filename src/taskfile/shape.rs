//! What a task of a file may be: a command, or one of the kinds that a program lists.
//!
//! Owns the list of names and how the input of each is checked. It does not know how a kind works.

use std::sync::Arc;

use jsonc_parser::ast::Value;
use serde::de::DeserializeOwned;

use super::input::{Wrongs, check, required};
use super::suggest::closest;
use super::values::Trail;

/// How the input of one kind's tasks is checked. It does not keep what it reads: the kind reads it again when the
/// task goes in.
pub(super) type Check = fn(&Value<'_>, &Trail<'_>) -> Result<(), Wrongs>;

/// A kind as the task file sees it.
#[derive(Clone, Copy, Debug)]
pub struct InputShape {
    /// Its name, as a task's `kind` gives it.
    pub name: &'static str,
    pub(super) check: Check,
    required: fn() -> Option<Vec<&'static str>>,
}

impl InputShape {
    /// A kind called `name`, whose tasks are read from their input as serde reads a `T`.
    #[must_use]
    pub fn of<T: DeserializeOwned>(name: &'static str) -> Self {
        Self {
            name,
            check: |value, trail| check::<T>(value, trail),
            required: required::<T>,
        }
    }
}

impl InputShape {
    /// The fields that an input must have, where it is an object; `None` when that cannot be found out.
    #[must_use]
    pub fn required(&self) -> Option<Vec<&'static str>> {
        (self.required)()
    }
}

/// What the tasks of a file may be. The default is commands alone.
#[derive(Clone, Debug)]
pub struct Shapes {
    /// Whether a task may be a command.
    pub commands: bool,
    /// The kinds that a task may name.
    pub kinds: Arc<[InputShape]>,
}

impl Default for Shapes {
    fn default() -> Self {
        Self {
            commands: true,
            kinds: Arc::default(),
        }
    }
}

impl Shapes {
    /// The place of the kind called `name`.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.kinds.iter().position(|kind| kind.name == name)
    }

    /// The kind that is meant where none is named: the only one.
    pub(super) fn only(&self) -> Option<usize> {
        (self.kinds.len() == 1).then_some(0)
    }

    /// The kind whose name is most like `name`, if one is like enough.
    pub(super) fn closest(&self, name: &str) -> Option<&'static str> {
        closest(name, self.kinds.iter().map(|kind| kind.name))
    }

    /// The names of all kinds, for people.
    pub(super) fn names(&self) -> String {
        let names: Vec<String> = self
            .kinds
            .iter()
            .map(|kind| format!("`{}`", kind.name))
            .collect();
        names.join(", ")
    }
}
