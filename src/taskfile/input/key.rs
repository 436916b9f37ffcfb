//! The keys of objects, as serde reads them: text that may also stand for a number or a variant.

use jsonc_parser::ast::ObjectPropName;
use jsonc_parser::common::Ranged as _;
use serde::de::value::StrDeserializer;
use serde::de::{Deserializer, IntoDeserializer as _, Visitor};
use serde::forward_to_deserialize_any;

use super::wrong::{Place, Wrong, list};
use crate::taskfile::suggest::closest;
use crate::taskfile::values::Trail;

/// The member of an object that a value belongs to.
#[derive(Clone, Copy)]
pub(super) struct Entry<'v, 't> {
    pub(super) name: &'v ObjectPropName<'t>,
    /// The fields that the type has named.
    pub(super) fields: Option<&'static [&'static str]>,
}

impl Entry<'_, '_> {
    /// What to say when nobody wants the member: nothing where the type has named no fields, or has named this one.
    pub(super) fn unknown(self, trail: &Trail<'_>) -> Option<Wrong> {
        let (name, fields) = (self.name.as_str(), self.fields?);
        if fields.contains(&name) {
            return None;
        }
        let mut message = format!("unknown field `{}`", name.escape_debug());
        let meant = closest(name, fields.iter().copied());
        if let Some(meant) = meant {
            message.push_str(&format!(" — did you mean `{meant}`?"));
        }
        let wrong = Wrong::new(message).help(match fields {
            [] => "it has no fields".to_owned(),
            _ => format!("its fields are {}", list(fields)),
        });
        let range = self.name.range();
        Some(Wrong {
            place: Some(Place {
                span: range.start..range.end,
                path: trail.to_string(),
            }),
            ..wrong
        })
    }
}

/// A key on its way into a type.
pub(super) struct Key<'k>(pub(super) &'k str);

impl<'k> Key<'k> {
    fn plain(&self) -> StrDeserializer<'k, Wrong> {
        self.0.into_deserializer()
    }
}

/// Numbers and truth values as keys: JSON has only text there. What cannot be read as one is refused as the text it is.
macro_rules! parsed_key {
    ($($method:ident: $type:ty => $visit:ident,)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
            match self.0.parse::<$type>() {
                Ok(value) => visitor.$visit(value),
                Err(_) => visitor.visit_str(self.0),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Key<'_> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_str(self.0)
    }

    parsed_key! {
        deserialize_bool: bool => visit_bool,
        deserialize_i8: i64 => visit_i64,
        deserialize_i16: i64 => visit_i64,
        deserialize_i32: i64 => visit_i64,
        deserialize_i64: i64 => visit_i64,
        deserialize_i128: i128 => visit_i128,
        deserialize_u8: u64 => visit_u64,
        deserialize_u16: u64 => visit_u64,
        deserialize_u32: u64 => visit_u64,
        deserialize_u64: u64 => visit_u64,
        deserialize_u128: u128 => visit_u128,
        deserialize_f32: f64 => visit_f64,
        deserialize_f64: f64 => visit_f64,
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.plain().deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}
