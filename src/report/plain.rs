//! Text and times made fit for a person's terminal.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::Duration;

/// `text` without anything that a terminal obeys: a task's name or output must not move the cursor, set the title or
/// turn the reading direction. A tab stays.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    if !text.contains(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_harmful(character) {
            write!(out, "{}", character.escape_default()).expect("a String takes every byte");
        } else {
            out.push(character);
        }
    }
    Cow::Owned(out)
}

fn is_harmful(character: char) -> bool {
    let turns_direction = matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    (character.is_control() && character != '\t') || turns_direction
}

/// The first `limit` characters, with a mark when there are more.
pub(crate) fn shortened(text: &str, limit: usize) -> Cow<'_, str> {
    // Bytes are at least as many as characters, so most texts need no counting.
    if text.len() <= limit {
        return Cow::Borrowed(text);
    }
    match text.char_indices().nth(limit) {
        None => Cow::Borrowed(text),
        Some(_) => {
            let kept = limit.saturating_sub(1);
            let end = text
                .char_indices()
                .nth(kept)
                .map_or(text.len(), |(at, _)| at);
            Cow::Owned(format!("{}…", &text[..end]))
        }
    }
}

/// Hours, minutes and seconds.
pub(crate) fn clock_face(time: Duration) -> String {
    let seconds = time.as_secs();
    format!(
        "{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// Seconds with two decimals, and a clock face from a minute on.
pub(crate) fn span(time: Duration) -> String {
    if time < Duration::from_secs(60) {
        format!("{:.2} s", time.as_secs_f64())
    } else {
        clock_face(time)
    }
}
