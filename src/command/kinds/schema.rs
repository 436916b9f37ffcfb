//! The shape of an input as a JSON Schema, for editors and other programs.
//!
//! It says no more than the type's own `Schema` does. Whether a field has a default is not known there, so that of inner
//! objects no field is required.

use postcard_schema::schema::{DataModelType, DataModelVariant, NamedType, NamedValue};
use serde_json::{Map, Value, json};

/// Types inside one another are written out down to here; beyond, anything is allowed.
const DEEPEST: usize = 16;

/// `required`: the fields that the outermost object must have, where that is known.
pub(super) fn of(shape: &NamedType, required: Option<Vec<&'static str>>) -> Value {
    let mut schema = schema(shape, 0);
    if let (DataModelType::Struct(_), Some(required)) = (shape.ty, required) {
        schema["required"] = json!(required);
    }
    schema
}

fn schema(shape: &NamedType, depth: usize) -> Value {
    if depth > DEEPEST {
        return Value::Bool(true);
    }
    let deeper = |inner: &NamedType| schema(inner, depth + 1);
    match shape.ty {
        DataModelType::Bool => json!({"type": "boolean"}),
        DataModelType::I8 => integer(i8::MIN.into(), i8::MAX.unsigned_abs().into()),
        DataModelType::U8 => integer(0, u8::MAX.into()),
        DataModelType::I16 => integer(i16::MIN.into(), i16::MAX.unsigned_abs().into()),
        DataModelType::U16 => integer(0, u16::MAX.into()),
        DataModelType::I32 => integer(i32::MIN.into(), i32::MAX.unsigned_abs().into()),
        DataModelType::U32 => integer(0, u32::MAX.into()),
        DataModelType::I64 | DataModelType::Isize => integer(i64::MIN, i64::MAX as u64),
        DataModelType::U64 | DataModelType::Usize => integer(0, u64::MAX),
        DataModelType::I128 => json!({"type": "integer"}),
        DataModelType::U128 => json!({"type": "integer", "minimum": 0}),
        DataModelType::F32 | DataModelType::F64 => json!({"type": "number"}),
        DataModelType::Char => json!({"type": "string", "minLength": 1, "maxLength": 1}),
        DataModelType::String => json!({"type": "string"}),
        DataModelType::ByteArray => json!({"type": "array", "items": integer(0, 255)}),
        DataModelType::Option(inner) => json!({"anyOf": [deeper(inner), {"type": "null"}]}),
        DataModelType::Unit | DataModelType::UnitStruct => json!({"type": "null"}),
        DataModelType::NewtypeStruct(inner) => deeper(inner),
        DataModelType::Seq(inner) => json!({"type": "array", "items": deeper(inner)}),
        DataModelType::Tuple(inner) | DataModelType::TupleStruct(inner) => tuple(inner, depth),
        DataModelType::Map { key: _, val } => {
            json!({"type": "object", "additionalProperties": deeper(val)})
        }
        DataModelType::Struct(fields) => object(fields, depth),
        DataModelType::Enum(variants) => {
            let variants: Vec<Value> = variants
                .iter()
                .map(|variant| {
                    let holds = match variant.ty {
                        DataModelVariant::UnitVariant => return json!({"const": variant.name}),
                        DataModelVariant::NewtypeVariant(inner) => deeper(inner),
                        DataModelVariant::TupleVariant(inner) => tuple(inner, depth),
                        DataModelVariant::StructVariant(fields) => object(fields, depth),
                    };
                    let mut properties = Map::new();
                    properties.insert(variant.name.to_owned(), holds);
                    json!({
                        "type": "object",
                        "properties": properties,
                        "required": [variant.name],
                        "additionalProperties": false,
                    })
                })
                .collect();
            json!({"oneOf": variants})
        }
        DataModelType::Schema => Value::Bool(true),
    }
}

fn integer(low: i64, high: u64) -> Value {
    json!({"type": "integer", "minimum": low, "maximum": high})
}

fn tuple(inner: &[&NamedType], depth: usize) -> Value {
    let items: Vec<Value> = inner.iter().map(|one| schema(one, depth + 1)).collect();
    let count = items.len();
    json!({"type": "array", "prefixItems": items, "minItems": count, "maxItems": count})
}

fn object(fields: &[&NamedValue], depth: usize) -> Value {
    let properties: Map<String, Value> = fields
        .iter()
        .map(|field| (field.name.to_owned(), schema(field.ty, depth + 1)))
        .collect();
    json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}
