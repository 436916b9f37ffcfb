//! One JSON object, written field by field into a buffer that is used again for every line.
//!
//! It knows how values look, never which fields a line has. Nothing is allocated beyond the buffer.

use super::clock::RunClock;
use super::record::TaskIdText;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::IgnoredAny;
use std::fmt::Display;
use std::io::Write as _;
use std::time::Duration;

/// An object that has been opened and not yet closed.
pub(crate) struct ObjectWriter<'a> {
    out: &'a mut Vec<u8>,
    empty: bool,
}

impl<'a> ObjectWriter<'a> {
    pub(crate) fn open(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, empty: true }
    }

    pub(crate) fn close(self) {
        self.out.push(b'}');
    }

    /// Writes the key and hands out the buffer for its value, which must be one JSON value.
    pub(crate) fn value(&mut self, key: &'static str) -> &mut Vec<u8> {
        if !self.empty {
            self.out.push(b',');
        }
        self.empty = false;
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    pub(crate) fn null(&mut self, key: &'static str) {
        self.value(key).extend_from_slice(b"null");
    }

    pub(crate) fn flag(&mut self, key: &'static str, value: bool) {
        let word: &[u8] = if value { b"true" } else { b"false" };
        self.value(key).extend_from_slice(word);
    }

    pub(crate) fn integer(&mut self, key: &'static str, value: impl Display) {
        write!(self.value(key), "{value}").expect("a Vec takes every byte");
    }

    pub(crate) fn integer_or_null(&mut self, key: &'static str, value: Option<impl Display>) {
        match value {
            Some(value) => self.integer(key, value),
            None => self.null(key),
        }
    }

    pub(crate) fn text(&mut self, key: &'static str, value: &str) {
        string(self.value(key), value);
    }

    pub(crate) fn id(&mut self, key: &'static str, id: &TaskIdText) {
        if id.is_integer() {
            self.value(key).extend_from_slice(id.text().as_bytes());
        } else {
            self.text(key, id.text());
        }
    }

    /// The bytes as text under `key`, or as base64 under `key_b64` when they are not UTF-8.
    pub(crate) fn bytes(&mut self, key: &'static str, key_b64: &'static str, value: &[u8]) {
        match std::str::from_utf8(value) {
            Ok(text) => self.text(key, text),
            Err(_) => self.base64(key_b64, value),
        }
    }

    pub(crate) fn base64(&mut self, key: &'static str, value: &[u8]) {
        let out = self.value(key);
        out.push(b'"');
        let start = out.len();
        let room = base64::encoded_len(value.len(), true)
            .expect("a captured stream is far smaller than memory");
        out.resize(start + room, 0);
        let written = STANDARD
            .encode_slice(value, &mut out[start..])
            .expect("the room was computed from the length");
        out.truncate(start + written);
        out.push(b'"');
    }

    /// Seconds, exact to the microsecond, with at least one decimal.
    pub(crate) fn seconds(&mut self, key: &'static str, value: Duration) {
        let out = self.value(key);
        write!(out, "{}.{:06}", value.as_secs(), value.subsec_micros())
            .expect("a Vec takes every byte");
        // The last of the six decimals stands behind a point, so at most five may go.
        for _ in 0..5 {
            if out.last() != Some(&b'0') {
                break;
            }
            out.pop();
        }
    }

    pub(crate) fn time(&mut self, key: &'static str, clock: &RunClock, at: Duration) {
        let out = self.value(key);
        out.push(b'"');
        clock.rfc3339(at, out);
        out.push(b'"');
    }

    /// JSON that came from outside. Line ends between its values become spaces, because a line of the file is one
    /// object; what is not JSON at all is kept as a string rather than breaking the line.
    pub(crate) fn foreign(&mut self, key: &'static str, json: &str) {
        if serde_json::from_str::<IgnoredAny>(json).is_err() {
            self.text(key, json);
            return;
        }
        let out = self.value(key);
        out.extend(json.bytes().map(|byte| match byte {
            b'\n' | b'\r' => b' ',
            other => other,
        }));
    }
}

/// Appends a JSON string.
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a Vec takes every byte");
}
