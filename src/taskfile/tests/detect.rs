//! The spelling is told from the content.

use super::super::detect::detect;
use super::super::{Form, TaskSource, open};
use super::{good, options};

#[test]
fn content_tells_the_form() {
    let cases = [
        ("", Form::Lines),
        (" \n\t\r\n", Form::Lines),
        ("[]", Form::Array),
        ("\u{feff}[]", Form::Array),
        ("\n\n  [\"a\",\"b\"]  \n\n", Form::Array),
        ("[\"/bin/true\"]\n[\"/bin/true\"]\n", Form::Lines),
        ("[\"/bin/true\"]\n\n\n[\"/bin/true\"]", Form::Lines),
        ("[\"/bin/true\"]\r\n\r\n\"ls\"\r\n", Form::Lines),
        ("[\n\"a\"]", Form::Array),
        ("[\"a\",\n\"b\"]", Form::Array),
        ("[\"a\"] x", Form::Array),
        ("[\"a]\",\n\"b\"]", Form::Array),
        ("\"make -C a\"", Form::Lines),
        ("\"make -C a\"\n[\"x\"]", Form::Lines),
        ("{\"command\":[\"a\"]}", Form::Lines),
        ("{\"shell\":\"tasks\"}", Form::Lines),
        ("{\"tasks\":[]}", Form::Document),
        (
            "{\"version\":1,\"x-a\":{\"tasks\":1},\"tasks\":[]}",
            Form::Document,
        ),
        ("{\"meta\":{\"tasks\":[]},\"shell\":\"a\"}", Form::Lines),
        ("{\n\"tasks\":[]}", Form::Document),
        ("{\"version\":1,\n\"tasks\":[]}", Form::Document),
        ("{\"tasks\":[]}\n{\"tasks\":[]}", Form::Document),
        ("{\"version\":1}", Form::Document),
        ("{\"shell\":\"a\",\"limits\":1}", Form::Lines),
        ("nonsense", Form::Lines),
        ("\u{feff}\n[1]\n[2]", Form::Lines),
    ];
    for (text, expected) in cases {
        assert_eq!(
            detect(&mut text.as_bytes()).unwrap().0,
            expected,
            "{text:?}"
        );
    }
}

#[test]
fn only_a_whole_array_waits_for_a_second_line() {
    for (text, seen) in [
        ("\"a\"\n\"b\"\n", 4),
        ("{\"shell\":\"a\"}\n\"b\"\n", 14),
        ("[\"a\"]\n\"b\"\n\"c\"", 10),
    ] {
        assert_eq!(
            detect(&mut text.as_bytes()).unwrap().1.len(),
            seen,
            "{text:?}"
        );
    }
}

#[test]
fn a_single_line_array_is_a_list_unless_lines_are_forced() {
    let text = "[\"a\", \"b\"]\n";
    assert_eq!(good(text).tasks.len(), 2);
    assert_eq!(super::read(text, Some(Form::Lines)).unwrap().tasks.len(), 1);
}

#[test]
fn open_gives_the_whole_or_the_lines() {
    let source = open(&b"[\"a\"]"[..], "t", options(), None).unwrap();
    assert!(matches!(source, TaskSource::Whole(list) if list.tasks.len() == 1));
    let source = open(
        &b"\xef\xbb\xbf\n[\"a\"]\n[\"b\"]\n"[..],
        "t",
        options(),
        None,
    )
    .unwrap();
    let TaskSource::Lines(reader) = source else {
        panic!("expected lines")
    };
    assert_eq!(
        reader.map(|task| task.unwrap().seq).collect::<Vec<_>>(),
        [1, 2]
    );
    let source = open(&b"[\"a\"]"[..], "t", options(), Some(Form::Lines)).unwrap();
    assert!(matches!(source, TaskSource::Lines(_)));
    assert!(open(&b"[1]"[..], "t", options(), None).is_err());
}

#[test]
fn words_name_the_forms() {
    for (word, form) in Form::WORDS {
        assert_eq!(word.parse(), Ok(form));
    }
    assert_eq!(
        "jsonl".parse::<Form>().unwrap_err().to_string(),
        "`jsonl` is not a form of task file: expected array, document or lines"
    );
}
