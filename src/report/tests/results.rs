//! The results line, field by field.

use super::kit::{anchor, bare, full};
use crate::report::clock::RunClock;
use crate::report::results::write_line;
use crate::report::{Captured, Status, TaskError, TaskIdText, TaskRecord};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

fn line(task: &TaskRecord) -> String {
    line_with(task, true)
}

fn line_with(task: &TaskRecord, name_rest: bool) -> String {
    let mut out = Vec::new();
    write_line(&mut out, task, &RunClock::new(anchor()), None, name_rest);
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text.matches('\n').count(), 1, "one line: {text:?}");
    serde_json::from_str::<serde_json::Value>(&text).unwrap();
    text.trim_end().to_owned()
}

#[test]
fn every_field_stands_in_its_place() {
    let task = TaskRecord {
        name: Some("prove c".into()),
        error: Some(TaskError {
            class: "timeout",
            message: "ran 30 s, its limit".into(),
        }),
        left_behind: true,
        tags: vec!["slow".into(), "t\"2".into()],
        meta: Some("{\"a\":\n [1, 2.50]}".into()),
        skipped_by: Some(TaskIdText::new("7", true)),
        ..full()
    };
    let expected = concat!(
        r#"{"v":1,"type":"result","id":"c","seq":3,"kind":"exec","status":"timeout","exit":null,"signal":15,"#,
        r#""attempt":2,"attempts":[{"attempt":1,"worker":4,"pid":812,"status":"crashed","exit":null,"signal":11,"#,
        r#""wall_s":0.8}],"worker":5,"started":"2026-01-02T03:04:06.000Z","wall_s":30.01,"cpu_s":29.7,"#,
        r#""max_rss":73400320,"stdout":"out\n","stderr":"err\n","truncated":false,"output":null,"#,
        r#""error":{"class":"timeout","message":"ran 30 s, its limit"},"key":null,"meta":{"a":  [1, 2.50]},"#,
        r#""name":"prove c","tags":["slow","t\"2"],"left_behind":true,"skipped_by":7}"#,
    );
    assert_eq!(line(&task), expected);
}

#[test]
fn a_task_that_never_ran_has_nulls() {
    let expected = concat!(
        r#"{"v":1,"type":"result","id":9,"seq":9,"kind":"exec","status":"not_run","exit":null,"signal":null,"#,
        r#""attempt":0,"attempts":[],"worker":null,"started":null,"wall_s":0.0,"cpu_s":null,"max_rss":null,"#,
        r#""stdout":"","stderr":"","truncated":false,"output":null,"error":null,"key":null,"meta":null}"#,
    );
    assert_eq!(line(&bare(9, Status::NotRun)), expected);
}

fn stdout_of(captured: Captured) -> String {
    let text = line(&TaskRecord {
        stdout: captured,
        ..bare(1, Status::Ok)
    });
    let from = text.find("\"stdout").unwrap();
    let to = text.find(",\"stderr\"").unwrap();
    text[from..to].to_owned()
}

#[test]
fn odd_text_survives() {
    let odd = "tab\t nul\0 esc\u{1b}[31m \\ \" \u{2028} \u{fffd} 日本 🦀";
    let text = line(&TaskRecord {
        stdout: Captured::whole(odd.into()),
        ..bare(1, Status::Ok)
    });
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["stdout"], odd);
}

#[test]
fn bytes_that_are_no_text_become_base64() {
    assert_eq!(
        stdout_of(Captured::whole(b"\xff\x00a".to_vec())),
        r#""stdout_b64":"/wBh""#
    );
    assert_eq!(
        stdout_of(Captured::whole(b"\xc3".to_vec())),
        r#""stdout_b64":"ww==""#,
        "it ends like that"
    );
}

fn cut(head: &[u8]) -> Captured {
    Captured {
        head: head.to_vec(),
        total: head.len() as u64 + 1,
        rest: None,
    }
}

#[test]
fn a_character_cut_by_the_limit_leaves_text_and_loses_no_byte() {
    for (head, expected) in [
        (&b"a\xc3"[..], r#""stdout":"a","stdout_cut_b64":"ww==""#),
        (b"a\xf0\x9f\xa6", r#""stdout":"a","stdout_cut_b64":"8J+m""#),
        (b"a\xff", r#""stdout_b64":"Yf8=""#),
        (b"\xffa\xc3", r#""stdout_b64":"/2HD""#),
        (b"whole", r#""stdout":"whole""#),
    ] {
        assert_eq!(stdout_of(cut(head)), expected);
    }
}

#[test]
fn a_spilled_rest_is_named_only_while_it_is_kept() {
    let task = TaskRecord {
        stdout: Captured {
            rest: Some("/spill/1.out".into()),
            ..cut(b"x")
        },
        stderr: Captured {
            rest: Some(OsString::from_vec(b"/\xff".to_vec()).into()),
            ..cut(b"y")
        },
        ..bare(1, Status::Ok)
    };
    let kept = r#""truncated":true,"stdout_rest":"/spill/1.out","stderr_rest_b64":"L/8=","output""#;
    assert!(line(&task).contains(kept), "{}", line(&task));
    assert!(line_with(&task, false).contains(r#""truncated":true,"output""#));
}

#[test]
fn ids_are_numbers_only_when_they_are() {
    for (text, integer, expected) in [
        ("7", true, "7"),
        ("-7", true, "-7"),
        ("0", true, "0"),
        (
            "123456789012345678901234567890",
            true,
            "123456789012345678901234567890",
        ),
        ("7", false, "\"7\""),
        ("07", true, "\"07\""),
        ("-", true, "\"-\""),
        ("", true, "\"\""),
        ("1e3", true, "\"1e3\""),
    ] {
        let task = TaskRecord::bare(1, TaskIdText::new(text, integer), Status::Ok);
        assert!(
            line(&task).contains(&format!("\"id\":{expected},")),
            "{text}"
        );
    }
}

#[test]
fn meta_that_is_no_json_cannot_break_the_line() {
    let task = TaskRecord {
        meta: Some("{oops\n".into()),
        ..bare(1, Status::Ok)
    };
    assert!(line(&task).ends_with(r#""meta":"{oops\n"}"#));
}
