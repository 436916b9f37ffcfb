//! The insides of arrays, objects and variants, as serde walks them.
//!
//! Owns the step from a value to what it holds, with the path that leads there.

use jsonc_parser::ast::{Object, ObjectProp, Value};
use serde::de::{
    DeserializeSeed, Deserializer as _, EnumAccess, Error as _, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use std::slice;

use super::key::{Entry, Key};
use super::wrong::{Wrong, list};
use super::{Input, Trail, unexpected};

/// An array, element by element.
pub(super) struct Elements<'v, 't, 'p> {
    array: Input<'v, 't, 'p>,
    elements: &'v [Value<'t>],
    next: usize,
}

impl<'v, 't, 'p> Elements<'v, 't, 'p> {
    pub(super) fn new(array: Input<'v, 't, 'p>, elements: &'v [Value<'t>]) -> Self {
        Self {
            array,
            elements,
            next: 0,
        }
    }

    /// Refuses elements that nobody took.
    pub(super) fn end<T>(self, value: T) -> Result<T, Wrong> {
        let (taken, there) = (self.next, self.elements.len());
        if taken == there {
            return Ok(value);
        }
        let noun = if taken == 1 { "element" } else { "elements" };
        Err(Wrong::custom(format!(
            "expected an array of {taken} {noun}, found {there}"
        )))
    }
}

impl<'de> SeqAccess<'de> for &mut Elements<'_, '_, '_> {
    type Error = Wrong;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Wrong> {
        let Some(value) = self.elements.get(self.next) else {
            return Ok(None);
        };
        let trail = Trail::Index(self.array.trail, self.next);
        self.next += 1;
        let input = Input {
            value: self.array.repairs.of(value),
            trail: &trail,
            entry: None,
            ..self.array
        };
        seed.deserialize(input).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.elements.len() - self.next)
    }
}

/// An object, member by member.
pub(super) struct Members<'v, 't, 'p> {
    object: Input<'v, 't, 'p>,
    /// The fields that the type has named.
    fields: Option<&'static [&'static str]>,
    props: slice::Iter<'v, ObjectProp<'t>>,
    current: Option<&'v ObjectProp<'t>>,
    /// How many missing fields were stood in for.
    added: usize,
}

impl<'v, 't, 'p> Members<'v, 't, 'p> {
    pub(super) fn new(
        of: Input<'v, 't, 'p>,
        object: &'v Object<'t>,
        fields: Option<&'static [&'static str]>,
    ) -> Self {
        Self {
            object: of,
            fields,
            props: object.properties.iter(),
            current: None,
            added: 0,
        }
    }
}

impl<'de> MapAccess<'de> for Members<'_, '_, '_> {
    type Error = Wrong;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Wrong> {
        self.current = self.props.next();
        let Some(prop) = self.current else {
            let added = self.object.repairs.missing(self.object.value, self.added);
            return match added {
                Some((field, _)) => seed.deserialize(Key(field)).map(Some),
                None => Ok(None),
            };
        };
        let trail = Trail::Key(self.object.trail, prop.name.as_str());
        let key = Key(prop.name.as_str());
        let read = seed
            .deserialize(key)
            .map_err(|wrong| wrong.at(&prop.name, &trail));
        read.map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Wrong> {
        let Some(prop) = self.current else {
            let added = self.object.repairs.missing(self.object.value, self.added);
            self.added += 1;
            let (_, value) = added.expect("serde asks for a key first");
            let input = Input {
                value,
                ..self.object
            };
            return seed.deserialize(input);
        };
        let trail = Trail::Key(self.object.trail, prop.name.as_str());
        let entry = Entry {
            name: &prop.name,
            fields: self.fields,
        };
        let input = Input {
            value: self.object.repairs.of(&prop.value),
            trail: &trail,
            entry: Some(entry),
            ..self.object
        };
        seed.deserialize(input)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.props.len())
    }
}

/// A variant of an enum: `"name"`, or `{"name": what it holds}`.
pub(super) struct Variant<'v, 't, 'p> {
    of: Input<'v, 't, 'p>,
    prop: Option<&'v ObjectProp<'t>>,
}

impl<'v, 't, 'p> Variant<'v, 't, 'p> {
    pub(super) fn of(of: Input<'v, 't, 'p>, name: &str, variants: &[&str]) -> Result<Self, Wrong> {
        let prop = match of.value {
            Value::StringLit(_) => None,
            Value::Object(object) if object.properties.len() == 1 => object.properties.first(),
            other => {
                let found = match other {
                    Value::Object(object) => {
                        format!("an object of {} members", object.properties.len())
                    }
                    other => super::wrong::found(unexpected(other)),
                };
                let help = format!(
                    "a variant that holds something is like {{\"name\": …}}; there are {}",
                    list(variants)
                );
                let wrong = Wrong::custom(format!("expected a variant of {name}, found {found}"));
                return Err(wrong.help(help));
            }
        };
        Ok(Self { of, prop })
    }

    fn name(&self) -> &'v str {
        match (self.of.value, self.prop) {
            (_, Some(prop)) => prop.name.as_str(),
            (Value::StringLit(literal), None) => &literal.value,
            (other, None) => unreachable!("`of` takes no variant from {other:?}"),
        }
    }

    /// Reads what the variant holds.
    fn held<T>(self, read: impl FnOnce(Input<'_, '_, '_>) -> Result<T, Wrong>) -> Result<T, Wrong> {
        let name = self.name();
        let Some(prop) = self.prop else {
            let message = format!("the variant `{name}` holds something");
            return Err(Wrong::custom(message).help(format!("write {{\"{name}\": …}}")));
        };
        let trail = Trail::Key(self.of.trail, name);
        let input = Input {
            value: self.of.repairs.of(&prop.value),
            trail: &trail,
            entry: None,
            ..self.of
        };
        input.locating(read)
    }
}

impl<'de> EnumAccess<'de> for Variant<'_, '_, '_> {
    type Error = Wrong;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Wrong> {
        let read = seed.deserialize(Key(self.name()));
        let variant = read.map_err(|wrong| match self.prop {
            Some(prop) => wrong.at(&prop.name, self.of.trail),
            None => wrong.at(self.of.value, self.of.trail),
        })?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, '_, '_> {
    type Error = Wrong;

    fn unit_variant(self) -> Result<(), Wrong> {
        if self.prop.is_none() {
            return Ok(());
        }
        let name = self.name();
        self.held(|input| match input.value {
            Value::NullKeyword(_) => Ok(()),
            other => {
                let found = super::wrong::found(unexpected(other));
                let wrong = format!("the variant `{name}` holds nothing, found {found}");
                Err(Wrong::custom(wrong).help(format!("write \"{name}\"")))
            }
        })
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Wrong> {
        self.held(|input| seed.deserialize(input))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Wrong> {
        self.held(|input| match input.value {
            Value::Array(_) => input.deserialize_tuple(len, visitor),
            Value::StringLit(_)
            | Value::NumberLit(_)
            | Value::BooleanLit(_)
            | Value::Object(_)
            | Value::NullKeyword(_) => Err(Wrong::invalid_type(unexpected(input.value), &visitor)),
        })
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.held(|input| match input.value {
            Value::Object(_) | Value::Array(_) => input.deserialize_struct("", fields, visitor),
            Value::StringLit(_)
            | Value::NumberLit(_)
            | Value::BooleanLit(_)
            | Value::NullKeyword(_) => Err(Wrong::invalid_type(unexpected(input.value), &visitor)),
        })
    }
}
