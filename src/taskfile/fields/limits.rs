//! Reads what limits an attempt: times of several sorts, and memory.
//!
//! Owns that a limit of nothing is a mistake. It does not know how a limit is enforced.

use std::time::Duration;

use jsonc_parser::ast::{Object, Value};
use jsonc_parser::common::Ranged;

use crate::taskfile::findings::Finding;
use crate::taskfile::size::{bytes_of_number, parse_bytes};
use crate::taskfile::spec::{Settings, Stderr, Stdout};
use crate::taskfile::values::{Reading, Trail};

const MEMORY_HELP: &str = "write a number of bytes, or text such as \"512MiB\", \"2GB\"";

impl Reading<'_> {
    /// A time limit, which is not zero.
    pub(super) fn time_limit(
        &mut self,
        value: &Value<'_>,
        trail: &Trail<'_>,
        what: &str,
    ) -> Option<Duration> {
        let limit = self.duration(value, trail)?;
        if limit.is_zero() {
            let help = format!("leave it out for no {what}");
            self.wrong_but(value, trail, format!("a {what} of zero"), &help);
            return None;
        }
        Some(limit)
    }

    /// A stall is silence, so somebody must be listening.
    pub(super) fn signs_are_seen(
        &mut self,
        object: &Object<'_>,
        trail: &Trail<'_>,
        settings: &Settings,
    ) {
        let captured = settings.stdout == Stdout::Capture || settings.stderr == Stderr::Capture;
        if settings.stall.is_some() && !captured {
            let brace = self.base + object.start();
            let message = "`stall` without output that is captured: nobody sees a sign of life";
            let finding = Finding::new(brace..brace + 1, trail.to_string(), message);
            let help = "leave `stdout` or `stderr` at \"capture\", or use `timeout`";
            self.findings.push(finding.help(help));
        }
    }

    /// An amount of memory in bytes, which is not zero.
    pub(super) fn memory(&mut self, value: &Value<'_>, trail: &Trail<'_>) -> Option<u64> {
        let parsed = match value {
            Value::NumberLit(literal) => bytes_of_number(literal.value),
            Value::StringLit(literal) => parse_bytes(&literal.value),
            Value::BooleanLit(_) | Value::Object(_) | Value::Array(_) | Value::NullKeyword(_) => {
                self.unexpected(value, trail, "an amount of memory", Some(MEMORY_HELP));
                return None;
            }
        };
        match parsed {
            Ok(0) => {
                let help = "leave it out for no limit of memory";
                self.wrong_but(value, trail, "a limit of no memory at all", help);
                None
            }
            Ok(bytes) => Some(bytes),
            Err(error) => {
                self.wrong_but(value, trail, error.to_string(), MEMORY_HELP);
                None
            }
        }
    }
}
