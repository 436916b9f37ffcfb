//! Writes a parsed value back as compact JSON text.
//!
//! Owns nothing but the writing: numbers stay as they were written, keys keep their order.

use jsonc_parser::ast::Value;

use super::{Reading, Trail};

impl Reading<'_> {
    /// Any value as compact JSON text, keys in their order; repeated keys are noted.
    pub(in crate::taskfile) fn compact(&mut self, value: &Value<'_>, trail: &Trail<'_>) -> String {
        let mut text = String::new();
        self.compact_into(value, trail, &mut text);
        text
    }

    /// Recurses no deeper than [`MAX_DEPTH`](super::scan::MAX_DEPTH): the text was scanned before it was parsed.
    fn compact_into(&mut self, value: &Value<'_>, trail: &Trail<'_>, text: &mut String) {
        match value {
            Value::StringLit(literal) => text.push_str(&quoted(&literal.value)),
            Value::NumberLit(literal) => text.push_str(literal.value),
            Value::BooleanLit(literal) => {
                text.push_str(if literal.value { "true" } else { "false" });
            }
            Value::NullKeyword(_) => text.push_str("null"),
            Value::Array(array) => {
                text.push('[');
                for (index, element) in array.elements.iter().enumerate() {
                    if index > 0 {
                        text.push(',');
                    }
                    self.compact_into(element, &Trail::Index(trail, index), text);
                }
                text.push(']');
            }
            Value::Object(object) => {
                text.push('{');
                for (position, (_, prop)) in self.distinct(object, trail).into_iter().enumerate() {
                    if position > 0 {
                        text.push(',');
                    }
                    let name = prop.name.as_str();
                    text.push_str(&quoted(name));
                    text.push(':');
                    self.compact_into(&prop.value, &Trail::Key(trail, name), text);
                }
                text.push('}');
            }
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
