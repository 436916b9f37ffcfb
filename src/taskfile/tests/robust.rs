//! Whatever the bytes, the reader answers and does not panic; what it accepts is right.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::super::{Form, TaskSource, open, read_eager};
use super::options;

fn read_all_ways(bytes: &[u8]) {
    for form in [
        None,
        Some(Form::Array),
        Some(Form::Document),
        Some(Form::Lines),
    ] {
        if let Err(errors) = read_eager("t", bytes, &options(), form) {
            assert!(!errors.shown.is_empty());
            assert!(errors.to_string().starts_with("error: "));
        }
        if let Ok(TaskSource::Lines(reader)) = open(bytes, "t", options(), form) {
            let ends: Vec<bool> = reader.map(|task| task.is_ok()).collect();
            assert!(
                ends.iter().rev().skip(1).all(|good| *good),
                "reading ends with the first error"
            );
        }
    }
}

/// Pieces that get further into the reader than noise does.
const PIECES: [&str; 40] = [
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "\n",
    " ",
    "\"",
    "\\",
    "\"tasks\":",
    "\"command\":",
    "\"shell\":",
    "\"id\":",
    "\"needs\":",
    "\"env\":",
    "\"retries\":",
    "\"count\":",
    "\"timeout\":",
    "\"a\"",
    "\"b\"",
    "1",
    "-1",
    "0.5",
    "1e9",
    "null",
    "true",
    "\"1m\"",
    "\"stdin\":",
    "\"json\":",
    "\"defaults\":",
    "\"limits\":",
    "\"version\":",
    "{\"shell\":\"x\"}",
    "é",
    "\u{feff}",
    "\u{0}",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\u{2028}",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, rng_seed: RngSeed::Fixed(0x7a5c), ..ProptestConfig::default() })]

    #[test]
    fn bytes(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        read_all_ways(&bytes);
    }

    #[test]
    fn pieces(pieces in proptest::collection::vec(0..PIECES.len(), 0..30)) {
        let text: String = pieces.into_iter().map(|piece| PIECES[piece]).collect();
        read_all_ways(text.as_bytes());
    }

    /// A good file with one byte changed.
    #[test]
    fn nearly_good(at in 0..FILE.len(), byte in any::<u8>()) {
        let mut bytes = FILE.as_bytes().to_vec();
        bytes[at] = byte;
        read_all_ways(&bytes);
    }

    /// Needs only ever come out resolved and in order.
    #[test]
    fn orders_are_orders(needs in proptest::collection::vec(proptest::collection::vec(1..12_usize, 0..3), 1..12)) {
        let count = needs.len();
        let tasks: Vec<String> = needs.iter().map(|needs| {
            let needs: std::collections::BTreeSet<usize> = needs.iter().copied().filter(|need| *need <= count).collect();
            let needs: Vec<String> = needs.iter().map(ToString::to_string).collect();
            format!("{{\"shell\":\"x\",\"needs\":[{}]}}", needs.join(","))
        }).collect();
        let text = format!("[\n{}]", tasks.join(","));
        if let Ok(list) = read_eager("t", text.as_bytes(), &options(), None) {
            let mut done = vec![false; count];
            for index in list.order {
                let task = &list.tasks[index as usize];
                prop_assert!(task.needs.iter().all(|need| done[need.seq as usize - 1]));
                done[index as usize] = true;
            }
            prop_assert!(done.iter().all(|done| *done));
        }
    }
}

const FILE: &str = r#"{"version":1,"defaults":{"env":{"A":"b"},"retries":{"count":2,"on":["exit"]}},"limits":{"l":2},
"tasks":["ls",["a","b"],{"id":"x","command":["c"],"needs":[1,{"id":2,"when":"always"}],"limit":"l","stdin":{"json":[1]},
"meta":{"k":"\u00e9"},"timeout":"1m 30s","ok_exit":[0,1],"stdout":"null"}]}"#;

#[test]
fn the_good_file_is_good() {
    read_eager("t", FILE.as_bytes(), &options(), None).unwrap();
}
