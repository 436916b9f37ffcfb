//! Inputs are taken and refused as `serde_json` takes and refuses them, but for fields that nobody knows.

use super::super::{InputShape, ReadOptions, Shapes, from_text, read_eager};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Debug;

#[derive(Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Plain {
    the_name: String,
    #[serde(default)]
    depth: u8,
    #[serde(alias = "len")]
    length: Option<i64>,
    letter: char,
}

#[derive(Debug, PartialEq, Deserialize, Serialize)]
enum Choice {
    None,
    One(u8),
    Two(u8, String),
    Named { left: f64, right: Option<bool> },
}

#[derive(Debug, PartialEq, Deserialize, Serialize)]
#[serde(tag = "type")]
enum Tagged {
    A { n: u64 },
    B,
}

#[derive(Debug, PartialEq, Deserialize, Serialize)]
#[serde(untagged)]
enum Either {
    Number(i32),
    Text(String),
    Both { n: i32, t: String },
}

#[derive(Debug, PartialEq, Deserialize, Serialize)]
struct Flat {
    own: bool,
    #[serde(flatten)]
    rest: BTreeMap<String, u32>,
}

fn same<T: DeserializeOwned + PartialEq + Debug>(texts: &[&str]) {
    for text in texts {
        let ours = from_text::<T>(text);
        let theirs = serde_json::from_str::<T>(text);
        match (ours, theirs) {
            (Ok(ours), Ok(theirs)) => assert_eq!(ours, theirs, "{text}"),
            (Err(_), Err(_)) => {}
            (ours, theirs) => panic!("{text}: {ours:?} here, {theirs:?} there"),
        }
    }
}

#[test]
fn what_serde_json_takes_is_taken() {
    same::<Plain>(&[
        r#"{"theName":"a","depth":255,"len":-3,"letter":"é"}"#,
        r#"{"theName":"","length":null,"letter":"ab"}"#,
        r#"{"theName":"","length":null,"letter":"a"}"#,
        r#"{"the_name":"","letter":"a"}"#,
        r#"{"theName":"a","depth":256,"letter":"a"}"#,
        r#"["a",1,2,"b"]"#,
        r#"["a",1,2,"b",5]"#,
        r#"{"theName":"a","len":1,"length":2,"letter":"a"}"#,
    ]);
    same::<Choice>(&[
        r#""None""#,
        r#"{"None":null}"#,
        r#"{"None":1}"#,
        r#"{"One":7}"#,
        r#"{"One":[7]}"#,
        r#""One""#,
        r#"{"Two":[1,"b"]}"#,
        r#"{"Two":[1]}"#,
        r#"{"Two":[1,"b",2]}"#,
        r#"{"Named":{"left":1,"right":true}}"#,
        r#"{"Named":{"left":1e3}}"#,
        r#"{"Named":{}}"#,
        r#"{"Three":1}"#,
        r#"{"One":1,"Two":2}"#,
        "{}",
        "3",
    ]);
    same::<Tagged>(&[
        r#"{"type":"A","n":1}"#,
        r#"{"type":"B"}"#,
        r#"{"n":1}"#,
        r#"{"type":"C"}"#,
    ]);
    same::<Either>(&["-3", r#""x""#, r#"{"n":1,"t":"u"}"#, "null", "1.5"]);
    same::<Flat>(&[r#"{"own":true,"a":1,"b":2}"#, r#"{"own":true,"a":"x"}"#]);
    same::<BTreeMap<u8, bool>>(&[
        r#"{"1":true}"#,
        r#"{"-1":true}"#,
        r#"{"x":true}"#,
        r#"{"256":true}"#,
    ]);
    same::<BTreeMap<bool, Only>>(&[r#"{"true":"A"}"#, r#"{"yes":"A"}"#]);
    same::<(u64, i64, f32)>(&[
        "[18446744073709551615,-9223372036854775808,1]",
        "[18446744073709551616,0,0]",
        "[1,2]",
    ]);
    same::<(i128, u128)>(&[
        "[-170141183460469231731687303715884105728,340282366920938463463374607431768211455]",
    ]);
    same::<Option<Option<()>>>(&["null", "[]"]);
    same::<serde_json::Value>(&[r#"{"a":[1,2.5,null,true,"x",{"b":-1}]}"#]);
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
enum Only {
    A,
}

#[test]
fn unknown_fields_are_refused_where_fields_are_named() {
    assert!(from_text::<Plain>(r#"{"theName":"","letter":"a","deph":1}"#).is_err());
    assert!(from_text::<Choice>(r#"{"Named":{"left":1,"rihgt":true}}"#).is_err());
}

#[test]
fn a_panic_while_reading_is_an_error_at_the_task() {
    #[derive(Deserialize)]
    #[serde(from = "u8")]
    struct Bomb;
    impl From<u8> for Bomb {
        fn from(_: u8) -> Self {
            panic!("on purpose")
        }
    }
    let options = ReadOptions {
        shapes: Shapes {
            commands: false,
            kinds: [InputShape::of::<Bomb>("bomb")].into(),
        },
        ..ReadOptions::default()
    };
    let errors = read_eager("t", b"[{\"input\": 1}]", &options, None).unwrap_err();
    assert_eq!(
        errors.shown[0].message,
        "the kind panicked while it read this"
    );
    assert_eq!(errors.shown[0].path, "tasks[0].input");
}
