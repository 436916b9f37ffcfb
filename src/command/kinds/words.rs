//! The shape of an input in words: JSON with a type in every place.

use postcard_schema::schema::{DataModelType, DataModelVariant, NamedType, NamedValue};

/// Types inside one another are written out down to here; a type that holds itself has no end.
const DEEPEST: usize = 8;

/// `required`: the fields that the outermost object must have, where that is known; the others are marked.
pub(super) fn of(shape: &NamedType, required: Option<Vec<&'static str>>) -> String {
    match (shape.ty, required) {
        (DataModelType::Struct(fields), Some(required)) => {
            object(fields, 0, |field| !required.contains(&field))
        }
        _ => words(shape, 0),
    }
}

fn words(shape: &NamedType, depth: usize) -> String {
    if depth > DEEPEST {
        return "…".to_owned();
    }
    let deeper = |inner: &NamedType| words(inner, depth + 1);
    match shape.ty {
        DataModelType::Bool => "true or false".to_owned(),
        DataModelType::I8 => "integer (i8)".to_owned(),
        DataModelType::U8 => "integer (u8)".to_owned(),
        DataModelType::I16 => "integer (i16)".to_owned(),
        DataModelType::I32 => "integer (i32)".to_owned(),
        DataModelType::I64 => "integer (i64)".to_owned(),
        DataModelType::I128 => "integer (i128)".to_owned(),
        DataModelType::U16 => "integer (u16)".to_owned(),
        DataModelType::U32 => "integer (u32)".to_owned(),
        DataModelType::U64 | DataModelType::Usize => "integer (u64)".to_owned(),
        DataModelType::U128 => "integer (u128)".to_owned(),
        DataModelType::Isize => "integer (i64)".to_owned(),
        DataModelType::F32 | DataModelType::F64 => "number".to_owned(),
        DataModelType::Char => "string of one character".to_owned(),
        DataModelType::String => "string".to_owned(),
        DataModelType::ByteArray => "[integer (u8), …]".to_owned(),
        DataModelType::Option(inner) => format!("{} or null", deeper(inner)),
        DataModelType::Unit | DataModelType::UnitStruct => "null".to_owned(),
        DataModelType::NewtypeStruct(inner) => deeper(inner),
        DataModelType::Seq(inner) => format!("[{}, …]", deeper(inner)),
        DataModelType::Tuple(inner) | DataModelType::TupleStruct(inner) => tuple(inner, depth),
        DataModelType::Map { key: _, val } => format!("{{\"…\": {}, …}}", deeper(val)),
        DataModelType::Struct(fields) => object(fields, depth, |_| false),
        DataModelType::Enum(variants) => {
            let variants: Vec<String> = variants
                .iter()
                .map(|variant| {
                    let name = variant.name;
                    let holds = match variant.ty {
                        DataModelVariant::UnitVariant => return format!("\"{name}\""),
                        DataModelVariant::NewtypeVariant(inner) => deeper(inner),
                        DataModelVariant::TupleVariant(inner) => tuple(inner, depth),
                        DataModelVariant::StructVariant(fields) => object(fields, depth, |_| false),
                    };
                    format!("{{\"{name}\": {holds}}}")
                })
                .collect();
            variants.join(" or ")
        }
        DataModelType::Schema => "a schema".to_owned(),
    }
}

fn tuple(inner: &[&NamedType], depth: usize) -> String {
    let inner: Vec<String> = inner.iter().map(|one| words(one, depth + 1)).collect();
    format!("[{}]", inner.join(", "))
}

fn object(fields: &[&NamedValue], depth: usize, may_lack: impl Fn(&str) -> bool) -> String {
    let fields: Vec<String> = fields
        .iter()
        .map(|field| {
            let mark = if may_lack(field.name) { "?" } else { "" };
            format!("\"{}\"{mark}: {}", field.name, words(field.ty, depth + 1))
        })
        .collect();
    format!("{{{}}}", fields.join(", "))
}
