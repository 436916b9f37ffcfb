//! `mytool kinds`: what a program runs, and what its tasks' input looks like.

mod schema;
mod words;

use super::exit::Exit;
use crate::tool::Kinds;
use serde_json::{Value, json};
use std::io::{Write as _, stdout};

/// Prints the list, in words or as one JSON object per line.
pub(super) fn list(kinds: &Kinds, as_json: bool) -> Exit {
    let mut text = String::new();
    for card in kinds.cards() {
        let input = card.input.map(|(input, shape)| (shape, input.required()));
        if as_json {
            let input = input.map_or(Value::Null, |(shape, required)| schema::of(shape, required));
            let line = json!({"name": card.name, "version": card.version, "input": input});
            text.push_str(&line.to_string());
        } else {
            let input = match input {
                Some((shape, required)) => format!("input: {}", words::of(shape, required)),
                None => "`command` or `shell` instead of `kind` and `input`".to_owned(),
            };
            text.push_str(&format!(
                "{} (version {})\n  {input}",
                card.name, card.version
            ));
        }
        text.push('\n');
    }
    match stdout().write_all(text.as_bytes()) {
        Ok(()) => Exit::Success,
        Err(_) => Exit::Trouble,
    }
}
