//! Goes on behind an error, to find the next: serde stops at the first, and whoever wrote a file wants to see all.
//!
//! What was refused is replaced by something harmless that is not (null, 0, an empty string …), and the input is read
//! again. Only values that are refused are ever replaced, and what is read then is thrown away. An error that may
//! come of a replacement (it is about something that holds one) is not reported.

use std::borrow::Cow;
use std::cell::Cell;

use jsonc_parser::ast::{Array, BooleanLit, NullKeyword, NumberLit, Object, StringLit, Value};
use jsonc_parser::common::{Range, Ranged as _};

use super::wrong::{Place, Wrong};

/// Errors of one input that are looked for.
const MOST_WRONGS: usize = 20;

/// Names of variants that are tried where a variant is wanted.
const VARIANTS_TRIED: usize = 8;

/// What stands in for what, by the place of what was refused.
#[derive(Debug, Default)]
pub(super) struct Repairs {
    values: Vec<Value<'static>>,
    /// Fields that an object lacks: where it starts, which, and what is taken to be there.
    missing: Vec<(usize, &'static str, Value<'static>)>,
}

impl Repairs {
    /// The value, or what stands in for it.
    pub(super) fn of<'v, 't>(&'v self, value: &'v Value<'t>) -> &'v Value<'t> {
        // In an input that has shown no error yet, which is nearly every input, there is none.
        let stand_in = self.values.iter().find(|one| one.start() == value.start());
        stand_in.unwrap_or(value)
    }

    /// The `number`th field that stands in for a missing one of `object`.
    pub(super) fn missing<'v, 't>(
        &'v self,
        object: &Value<'t>,
        number: usize,
    ) -> Option<(&'static str, &'v Value<'t>)> {
        let here = |one: &&(usize, &'static str, Value<'static>)| one.0 == object.start();
        let found = self.missing.iter().filter(here).nth(number);
        found.map(|(_, field, value)| (*field, value))
    }

    /// Whether something inside a place has been replaced, or added right at it.
    fn touches(&self, place: &Place) -> bool {
        let values = self.values.iter().map(|value| value.start());
        let missing = self.missing.iter().map(|(start, ..)| *start);
        // A missing field is reported at the first character of its object, which other missing ones are not inside of.
        let whole = place.span.len() > 1;
        values
            .chain(missing.filter(|_| whole))
            .any(|start| place.span.contains(&start))
    }

    fn set(&mut self, wrong: &Wrong, value: Value<'static>) {
        match wrong.missing {
            Some(field) => self.missing.push((wrong.place().span.start, field, value)),
            None => self.values.push(value),
        }
    }

    fn unset(&mut self, wrong: &Wrong) {
        match wrong.missing {
            Some(_) => drop(self.missing.pop()),
            None => drop(self.values.pop()),
        }
    }
}

/// What one reading showed: the error that ended it, if one did, and the fields that nobody wanted.
pub(super) type Shown = (Option<Wrong>, Vec<Wrong>);

/// All that is wrong, after a first reading has shown something, and whether that is known to be all.
pub(super) fn all_wrongs(
    first: Shown,
    mut read: impl FnMut(&Repairs) -> Shown,
) -> (Vec<Wrong>, bool) {
    let mut repairs = Repairs::default();
    let mut wrongs = Vec::new();
    let mut whole = true;
    let (mut error, mut unknown) = first;
    while let Some(wrong) = error.take() {
        let next = behind(&wrong, &mut repairs, &mut read);
        wrongs.push(wrong);
        match next {
            Some(next) if wrongs.len() < MOST_WRONGS => (error, unknown) = next,
            Some(_) | None => {
                whole = false;
                break;
            }
        }
    }
    wrongs.extend(unknown);
    (wrongs, whole)
}

/// What a reading shows once something stands in for what was refused; `None` when nothing does.
fn behind(
    wrong: &Wrong,
    repairs: &mut Repairs,
    read: &mut impl FnMut(&Repairs) -> Shown,
) -> Option<Shown> {
    let place = wrong.place();
    let variants = Cell::new(wrong.possible);
    let mut try_one = |value| {
        repairs.set(wrong, value);
        let (error, unknown) = read(repairs);
        let other = error.as_ref();
        let fits = other.is_none_or(|other| {
            // What there may be shows when a text is refused.
            if !other.possible.is_empty() && is_same(wrong, other) {
                variants.set(other.possible);
            }
            !is_same(wrong, other) && !repairs.touches(other.place())
        });
        if !fits {
            repairs.unset(wrong);
        }
        fits.then_some((error, unknown))
    };
    let shown = plain(place).into_iter().find_map(&mut try_one);
    if shown.is_some() {
        return shown;
    }
    let names = variants.get().iter().take(VARIANTS_TRIED);
    names.map(|name| text(place, name)).find_map(try_one)
}

fn is_same(wrong: &Wrong, other: &Wrong) -> bool {
    // What stands in for a missing field has the place of its object.
    wrong.place().span.start == other.place().span.start
        && (other.missing.is_none() || other.missing == wrong.missing)
}

fn text(place: &Place, value: &'static str) -> Value<'static> {
    Value::StringLit(StringLit {
        range: range(place),
        value: Cow::Borrowed(value),
    })
}

fn range(place: &Place) -> Range {
    Range {
        start: place.span.start,
        end: place.span.end,
    }
}

/// One of each sort of value.
fn plain(place: &Place) -> [Value<'static>; 6] {
    let range = range(place);
    [
        Value::NullKeyword(NullKeyword { range }),
        Value::NumberLit(NumberLit { range, value: "0" }),
        text(place, ""),
        Value::BooleanLit(BooleanLit {
            range,
            value: false,
        }),
        Value::Array(Array {
            range,
            elements: Vec::new(),
        }),
        Value::Object(Object {
            range,
            properties: Vec::new(),
        }),
    ]
}
