//! Reads `retries`: a number, or an object that says more.
//!
//! Owns both forms and what must hold between their parts. It does not know when a retry happens.

use jsonc_parser::ast::{Object, Value};

use crate::taskfile::suggest::Where;
use crate::taskfile::values::{Reading, Trail};
use farm_master::{Backoff, Retries, RetryOn};

const FIELDS: [&str; 6] = ["count", "backoff", "delay", "max_delay", "jitter", "on"];

impl Reading<'_> {
    pub(super) fn retries(&mut self, value: &Value<'_>, trail: &Trail<'_>) -> Option<Retries> {
        match value {
            Value::NumberLit(_) => self.retry_count(value, trail).map(Retries::immediate),
            Value::Object(object) => self.retry_object(value, object, trail),
            Value::StringLit(_)
            | Value::BooleanLit(_)
            | Value::Array(_)
            | Value::NullKeyword(_) => {
                let help =
                    "like 2, or {\"count\": 2, \"backoff\": \"exponential\", \"delay\": \"1s\"}";
                self.unexpected(value, trail, "a number of retries or an object", Some(help));
                None
            }
        }
    }

    fn retry_object(
        &mut self,
        whole: &Value<'_>,
        object: &Object<'_>,
        trail: &Trail<'_>,
    ) -> Option<Retries> {
        let mut retries = Retries::NONE;
        let (mut counted, mut capped) = (false, None);
        for member in self.members(object, trail, &FIELDS, Where::Elsewhere) {
            let (value, trail) = (&member.prop.value, Trail::Key(trail, member.key));
            match member.key {
                "count" => {
                    counted = true;
                    retries.count = self.retry_count(value, &trail).unwrap_or_default();
                }
                "backoff" => {
                    let words = [
                        ("fixed", Backoff::Fixed),
                        ("exponential", Backoff::Exponential),
                    ];
                    retries.backoff = self.word(value, &trail, &words).unwrap_or_default();
                }
                "delay" => retries.delay = self.duration(value, &trail).unwrap_or_default(),
                "max_delay" => capped = self.duration(value, &trail).map(|delay| (delay, value)),
                "jitter" => retries.jitter = self.flag(value, &trail).unwrap_or_default(),
                "on" => retries.on = self.retry_on(value, &trail).unwrap_or(RetryOn::DEFAULT),
                other => unreachable!("`{other}` is not in FIELDS"),
            }
        }
        if !counted {
            self.wrong(whole, trail, "`retries` without `count`");
        }
        match capped {
            Some((max_delay, value)) if max_delay < retries.delay => {
                self.wrong(
                    value,
                    &Trail::Key(trail, "max_delay"),
                    "`max_delay` is shorter than `delay`",
                );
            }
            Some((max_delay, _)) => retries.max_delay = max_delay,
            None => retries.max_delay = Retries::DEFAULT_MAX_DELAY.max(retries.delay),
        }
        Some(retries)
    }

    fn retry_count(&mut self, value: &Value<'_>, trail: &Trail<'_>) -> Option<u32> {
        self.integer(value, trail, (0, u32::MAX.into()))
            .and_then(|count| u32::try_from(count).ok())
    }

    fn retry_on(&mut self, value: &Value<'_>, trail: &Trail<'_>) -> Option<RetryOn> {
        let words = [
            ("exit", RetryOn::EXIT),
            ("timeout", RetryOn::TIMEOUT),
            ("resource", RetryOn::RESOURCE),
            ("crash", RetryOn::CRASH),
        ];
        let elements = self.list(value, trail, "words")?;
        if elements.is_empty() {
            self.wrong_but(
                value,
                trail,
                "retries on nothing",
                "leave `on` out to retry after a failure",
            );
        }
        let mut on = RetryOn::NONE;
        for (index, element) in elements.iter().enumerate() {
            if let Some(word) = self.word(element, &Trail::Index(trail, index), &words) {
                on = on.union(word);
            }
        }
        Some(on)
    }
}
