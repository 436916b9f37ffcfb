//! What is wrong with an input, in words and with its place.
//!
//! Owns the translation of serde's expectations, which speak of Rust, into words about JSON.

use std::fmt;
use std::ops::Range;

use jsonc_parser::common::Ranged;
use serde::de::{Error, Expected, Unexpected};

use crate::taskfile::suggest::closest;
use crate::taskfile::values::Trail;

/// Names beyond which a list of them is cut.
const NAMES_SHOWN: usize = 20;

/// Where in the parsed text something is wrong.
#[derive(Debug)]
pub(in crate::taskfile) struct Place {
    /// In bytes from the start of the text that was parsed.
    pub(in crate::taskfile) span: Range<usize>,
    pub(in crate::taskfile) path: String,
}

/// One thing that is wrong.
#[derive(Debug)]
pub(in crate::taskfile) struct Wrong {
    pub(in crate::taskfile) message: String,
    pub(in crate::taskfile) help: Option<String>,
    /// `None` until whoever knows the value has looked.
    pub(super) place: Option<Place>,
    /// The field that an object lacks: its opening brace is pointed at, not all of it.
    pub(super) missing: Option<&'static str>,
    /// The variants that could have stood there.
    pub(super) possible: &'static [&'static str],
}

impl Wrong {
    pub(super) fn new(message: String) -> Self {
        Self {
            message,
            help: None,
            place: None,
            missing: None,
            possible: &[],
        }
    }

    pub(super) fn help(mut self, help: String) -> Self {
        self.help = Some(help);
        self
    }

    /// Where it is.
    ///
    /// # Panics
    /// Before somebody who knows has said so: whoever reads a whole input does.
    pub(in crate::taskfile) fn place(&self) -> &Place {
        let place = self.place.as_ref();
        place.expect("the reader of the whole input places what nobody else did")
    }

    /// The same, about `of`, unless its place is known already.
    pub(super) fn at(mut self, of: &impl Ranged, trail: &Trail<'_>) -> Self {
        if self.place.is_none() {
            let (start, end) = (of.start(), of.end());
            let end = if self.missing.is_some() {
                start + 1
            } else {
                end
            };
            self.place = Some(Place {
                span: start..end,
                path: trail.to_string(),
            });
        }
        self
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = self.place.as_ref().filter(|place| !place.path.is_empty()) {
            write!(f, "{}: ", place.path)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Wrong {}

impl Error for Wrong {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = found(unexpected);
        Self::new(format!("expected {}, found {found}", wanted(expected)))
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = match unexpected {
            Unexpected::Str(text) => format!("`{}`", text.escape_debug()),
            other => found(other),
        };
        Self::new(format!("expected {}, found {found}", wanted(expected)))
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        Self::new(format!("expected {}, found {length}", wanted(expected)))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let wrong = Self::new(format!(
            "unknown variant `{}`{}",
            variant.escape_debug(),
            meant(variant, expected)
        ));
        Self {
            possible: expected,
            ..wrong.help(format!("there are {}", list(expected)))
        }
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let wrong = Self::new(format!(
            "unknown field `{}`{}",
            field.escape_debug(),
            meant(field, expected)
        ));
        match expected {
            [] => wrong.help("it has no fields".to_owned()),
            _ => wrong.help(format!("its fields are {}", list(expected))),
        }
    }

    fn missing_field(field: &'static str) -> Self {
        Self {
            missing: Some(field),
            ..Self::new(format!("missing field `{field}`"))
        }
    }
}

fn meant(written: &str, possible: &[&'static str]) -> String {
    closest(written, possible.iter().copied())
        .map(|meant| format!(" — did you mean `{meant}`?"))
        .unwrap_or_default()
}

/// Names in quotes, the first twenty of them.
pub(super) fn list(names: &[&str]) -> String {
    let shown: Vec<String> = names
        .iter()
        .take(NAMES_SHOWN)
        .map(|name| format!("`{name}`"))
        .collect();
    let more = names.len().saturating_sub(NAMES_SHOWN);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!("{}{more}", shown.join(", "))
}

/// What was there, as a reader of JSON calls it.
pub(super) fn found(unexpected: Unexpected<'_>) -> String {
    match unexpected {
        Unexpected::Bool(value) => value.to_string(),
        Unexpected::Unsigned(number) => number.to_string(),
        Unexpected::Signed(number) => number.to_string(),
        Unexpected::Float(number) => format!("{number:?}"),
        Unexpected::Char(_) | Unexpected::Str(_) | Unexpected::Bytes(_) => "a string".to_owned(),
        Unexpected::Unit | Unexpected::Option => "null".to_owned(),
        Unexpected::NewtypeStruct => "a value".to_owned(),
        Unexpected::Seq => "an array".to_owned(),
        Unexpected::Map => "an object".to_owned(),
        Unexpected::Enum
        | Unexpected::UnitVariant
        | Unexpected::NewtypeVariant
        | Unexpected::TupleVariant
        | Unexpected::StructVariant => "a variant".to_owned(),
        Unexpected::Other(what) => what.to_owned(),
    }
}

/// What was wanted. A type's own words are passed on.
fn wanted(expected: &dyn Expected) -> String {
    let words = expected.to_string();
    let integer = |low: i128, high: i128| format!("an integer from {low} to {high}");
    match words.as_str() {
        "u8" => integer(0, u8::MAX.into()),
        "u16" => integer(0, u16::MAX.into()),
        "u32" => integer(0, u32::MAX.into()),
        "u64" | "usize" => integer(0, u64::MAX.into()),
        "i8" => integer(i8::MIN.into(), i8::MAX.into()),
        "i16" => integer(i16::MIN.into(), i16::MAX.into()),
        "i32" => integer(i32::MIN.into(), i32::MAX.into()),
        "i64" | "isize" => integer(i64::MIN.into(), i64::MAX.into()),
        "i128" | "u128" => "an integer".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a character" => "a string of one character".to_owned(),
        "a sequence" => "an array".to_owned(),
        "a map" => "an object".to_owned(),
        "unit" => "null".to_owned(),
        other => in_rust(other).unwrap_or(words),
    }
}

/// What the derive says of composite types: `struct Goal`, `tuple struct Pair with 2 elements`, `a tuple of size 3`.
fn in_rust(words: &str) -> Option<String> {
    if let Some(size) = words.strip_prefix("a tuple of size ") {
        return Some(format!("an array of {size} elements"));
    }
    let sorts = [
        "unit struct ",
        "tuple struct ",
        "tuple variant ",
        "struct variant ",
        "struct ",
    ];
    let (sort, name) = sorts
        .iter()
        .find_map(|sort| Some((*sort, words.strip_prefix(sort)?)))?;
    if let Some((_, size)) = name.split_once(" with ") {
        return Some(format!("an array of {size}"));
    }
    Some(match sort {
        "unit struct " => "null".to_owned(),
        "tuple struct " | "tuple variant " => format!("an array ({name})"),
        _ => format!("an object ({name})"),
    })
}
