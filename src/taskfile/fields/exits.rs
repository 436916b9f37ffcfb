//! Reads `ok_exit` and `fatal_exit`.
//!
//! Owns which codes there are and that the two lists do not contradict each other.

use jsonc_parser::ast::{Object, Value};
use jsonc_parser::common::Ranged;

use crate::taskfile::findings::Finding;
use crate::taskfile::spec::Settings;
use crate::taskfile::values::{Reading, Trail};

impl Reading<'_> {
    pub(super) fn exit_codes(&mut self, value: &Value<'_>, trail: &Trail<'_>) -> Vec<i32> {
        let Some(elements) = self.list(value, trail, "exit codes") else {
            return Vec::new();
        };
        if elements.is_empty() {
            self.wrong_but(
                value,
                trail,
                "an empty list of exit codes",
                "leave it out instead",
            );
        }
        let mut codes = Vec::with_capacity(elements.len().min(256));
        for (index, element) in elements.iter().enumerate() {
            let code = self.integer(element, &Trail::Index(trail, index), (0, 255));
            if let Some(code) = code.and_then(|code| i32::try_from(code).ok())
                && !codes.contains(&code)
            {
                codes.push(code);
            }
        }
        codes
    }

    /// No code may be both fine and fatal.
    pub(super) fn exit_codes_agree(
        &mut self,
        object: &Object<'_>,
        trail: &Trail<'_>,
        settings: &Settings,
    ) {
        let both = settings
            .fatal_exit
            .iter()
            .find(|code| settings.ok_exit.contains(code));
        if let Some(code) = both {
            let brace = self.base + object.start();
            let message = format!("exit code {code} is both in `ok_exit` and in `fatal_exit`");
            self.findings
                .push(Finding::new(brace..brace + 1, trail.to_string(), message));
        }
    }
}
