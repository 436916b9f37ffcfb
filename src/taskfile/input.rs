//! Reads the `input` of a task into the task type of its kind, straight from parsed JSON, so that whatever the type
//! refuses is reported at its place in the file.
//!
//! It accepts and refuses what `serde_json` would, and besides refuses fields that the type does not know (a misspelt
//! field must not be silently ignored). Names come from the type itself, renamed as its author wishes. It does not
//! know kinds, nor anything of a task but its input.

mod access;
mod key;
mod repair;
mod wrong;

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use jsonc_parser::ast::{Object, Value};
use jsonc_parser::common::Range;
use serde::de::{DeserializeOwned, Deserializer, Error as _, Unexpected, Visitor};
use serde::forward_to_deserialize_any;

use super::values::{Trail, strict};
use access::{Elements, Members, Variant};
use key::Entry;
use repair::{Repairs, Shown, all_wrongs};
pub(super) use wrong::Wrong;

/// Everything that one input shows to be wrong.
#[derive(Debug, Default)]
pub(super) struct Wrongs(pub(super) Vec<Wrong>);

/// Checks that a `T` can be read from `value`.
pub(super) fn check<T: DeserializeOwned>(
    value: &Value<'_>,
    trail: &Trail<'_>,
) -> Result<(), Wrongs> {
    read::<T>(value, trail).map(drop)
}

/// The fields without which an object is no `T`, as far as the object alone decides; `None` when that cannot be found
/// out. The type's own derive knows it (defaults, renamed fields), its `Schema` does not.
pub(super) fn required<T: DeserializeOwned>() -> Option<Vec<&'static str>> {
    let empty = Value::Object(Object {
        range: Range { start: 0, end: 2 },
        properties: Vec::new(),
    });
    let read = |repairs: &Repairs| {
        let (task, unknown) = read_with::<T>(&empty, &Trail::Document, repairs);
        (task.err(), unknown)
    };
    let (wrongs, whole) = all_wrongs(read(&Repairs::default()), read);
    let fields = wrongs.iter().map(|wrong| wrong.missing);
    whole.then(|| fields.collect()).flatten()
}

/// Reads a `T` from compact JSON text that was checked before.
///
/// # Errors
/// In words, when the text is not JSON or no `T`.
pub(crate) fn from_text<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let value = strict(text).map_err(|error| error.kind().to_string())?;
    let value = value.ok_or("an empty text")?;
    read(&value, &Trail::Document).map_err(|wrongs| {
        let words: Vec<String> = wrongs.0.iter().map(ToString::to_string).collect();
        words.join("; ")
    })
}

fn read<T: DeserializeOwned>(value: &Value<'_>, trail: &Trail<'_>) -> Result<T, Wrongs> {
    let (task, unknown) = read_with::<T>(value, trail, &Repairs::default());
    let first: Shown = match task {
        Ok(task) if unknown.is_empty() => return Ok(task),
        Ok(_) => (None, unknown),
        Err(wrong) => (Some(wrong), unknown),
    };
    let again = |repairs: &Repairs| {
        let (task, unknown) = read_with::<T>(value, trail, repairs);
        (task.err(), unknown)
    };
    Err(Wrongs(all_wrongs(first, again).0))
}

fn read_with<T: DeserializeOwned>(
    value: &Value<'_>,
    trail: &Trail<'_>,
    repairs: &Repairs,
) -> (Result<T, Wrong>, Vec<Wrong>) {
    let unknown = RefCell::new(Vec::new());
    let input = Input {
        value: repairs.of(value),
        trail,
        entry: None,
        unknown: &unknown,
        repairs,
    };
    // The type's own code: a panic of it must not end the reading of everything else as if the file ended there.
    let read = catch_unwind(AssertUnwindSafe(|| T::deserialize(input)));
    let read = read.unwrap_or_else(|_| Err(Wrong::custom("the kind panicked while it read this")));
    let read = read.map_err(|wrong| wrong.at(value, trail));
    (read, unknown.into_inner())
}

/// A value on its way into a type.
#[derive(Clone, Copy)]
struct Input<'v, 't, 'p> {
    value: &'v Value<'t>,
    trail: &'p Trail<'p>,
    /// The member of an object that it is the value of.
    entry: Option<Entry<'v, 't>>,
    unknown: &'p RefCell<Vec<Wrong>>,
    repairs: &'v Repairs,
}

impl<'v, 't> Input<'v, 't, '_> {
    /// What `read` says is wrong is about this value, unless it is about one inside it.
    fn locating<T>(self, read: impl FnOnce(Self) -> Result<T, Wrong>) -> Result<T, Wrong> {
        read(self).map_err(|wrong| wrong.at(self.value, self.trail))
    }

    fn any<'de, V: Visitor<'de>>(
        self,
        visitor: V,
        fields: Option<&'static [&'static str]>,
    ) -> Result<V::Value, Wrong> {
        self.locating(|this| match this.value {
            Value::StringLit(literal) => visitor.visit_str(&literal.value),
            Value::NumberLit(literal) => number(literal.value, visitor),
            Value::BooleanLit(literal) => visitor.visit_bool(literal.value),
            Value::NullKeyword(_) => visitor.visit_unit(),
            Value::Array(array) => {
                let mut elements = Elements::new(this, &array.elements);
                let value = visitor.visit_seq(&mut elements)?;
                elements.end(value)
            }
            Value::Object(object) => visitor.visit_map(Members::new(this, object, fields)),
        })
    }
}

/// Hands over a number as the narrowest of the types that JSON libraries commonly tell apart.
fn number<'de, V: Visitor<'de>>(literal: &str, visitor: V) -> Result<V::Value, Wrong> {
    if let Ok(number) = literal.parse::<u64>() {
        return visitor.visit_u64(number);
    }
    if let Ok(number) = literal.parse::<i64>() {
        return visitor.visit_i64(number);
    }
    match literal.parse::<f64>() {
        Ok(number) if number.is_finite() => visitor.visit_f64(number),
        Ok(_) | Err(_) => Err(Wrong::custom(format!("the number {literal} is too large"))),
    }
}

impl<'de> Deserializer<'de> for Input<'_, '_, '_> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.any(visitor, None)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.any(visitor, Some(fields))
    }

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.value {
            Value::NumberLit(literal) => match literal.value.parse::<i128>() {
                Ok(number) => self.locating(|_| visitor.visit_i128(number)),
                Err(_) => self.any(visitor, None),
            },
            _ => self.any(visitor, None),
        }
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.value {
            Value::NumberLit(literal) => match literal.value.parse::<u128>() {
                Ok(number) => self.locating(|_| visitor.visit_u128(number)),
                Err(_) => self.any(visitor, None),
            },
            _ => self.any(visitor, None),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.locating(|this| match this.value {
            Value::NullKeyword(_) => visitor.visit_none(),
            _ => visitor.visit_some(this),
        })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.locating(|this| visitor.visit_newtype_struct(this))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.locating(|this| {
            let variant = Variant::of(this, name, variants)?;
            visitor.visit_enum(variant)
        })
    }

    /// What a type passes over. In an object whose fields it has named, that is a field it does not know.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        if let Some(unknown) = self.entry.and_then(|entry| entry.unknown(self.trail)) {
            self.unknown.borrow_mut().push(unknown);
        }
        visitor.visit_unit()
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.value {
            Value::StringLit(literal) => {
                self.locating(|_| visitor.visit_bytes(literal.value.as_bytes()))
            }
            _ => self.any(visitor, None),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_bytes(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string unit unit_struct seq tuple tuple_struct map identifier
    }
}

/// What a value is, in serde's words.
fn unexpected<'v>(value: &'v Value<'_>) -> Unexpected<'v> {
    match value {
        Value::StringLit(literal) => Unexpected::Str(&literal.value),
        Value::NumberLit(_) => Unexpected::Other("a number"),
        Value::BooleanLit(literal) => Unexpected::Bool(literal.value),
        Value::Object(_) => Unexpected::Map,
        Value::Array(_) => Unexpected::Seq,
        Value::NullKeyword(_) => Unexpected::Unit,
    }
}
