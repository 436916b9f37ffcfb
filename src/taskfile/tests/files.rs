//! What is wrong with a whole file: tasks, the top, the syntax; and how reports are printed.

use super::super::{Form, MAX_DIAGNOSTICS, MAX_ID_BYTES, read_eager};
use super::{bad, briefs, messages, options};

/// A file and all its errors.
type Case = (&'static str, &'static [&'static str]);

#[test]
fn every_error_of_a_file() {
    for (text, expected) in FILES {
        assert_eq!(briefs(text), *expected, "{text}");
    }
}

#[test]
fn a_report_shows_the_place() {
    let text = "{ \"version\": 1,\n  \"tasks\": [\n    \"ls\",\n\t{ \"shell\": \"é\", \"timeuot\": \"30s\" }\n  ] }";
    assert_eq!(
        bad(text),
        "error: unknown field `timeuot` — did you mean `timeout`?
 --> t.json:4:18 (tasks[1].timeuot)
  |
4 |  { \"shell\": \"é\", \"timeuot\": \"30s\" }
  |                  ^^^^^^^^^"
    );
}

#[test]
fn several_reports_come_in_the_order_of_the_file() {
    let text = "\n\n\n\n\n\n\n\n\n[{\"id\":\"a\",\"shell\":\"a\",\"needs\":[\"b\"]},{\"id\":\"b\",\"shell\":\"b\",\"needs\":[\"a\",\"c\"]},\n{\"id\":\"a\",\"shell\":1}]";
    assert_eq!(
        bad(text),
        r#"error: tasks need each other in a circle: a -> b -> a
  --> t.json:10:8 (tasks[0].id)
   |
10 | [{"id":"a","shell":"a","needs":["b"]},{"id":"b","shell":"b","needs"…
   |        ^^^
   = also: t.json:10:45
   = help: `a -> b` reads: a needs b

error: no task has the id `c`
  --> t.json:10:74 (tasks[1].needs)
   |
10 | …"needs":["b"]},{"id":"b","shell":"b","needs":["a","c"]},
   |                                                    ^^^

error: duplicate id `a`
  --> t.json:11:7 (tasks[2].id)
   |
11 | {"id":"a","shell":1}]
   |       ^^^
   = also: t.json:10:8

error: expected a string, found a number
  --> t.json:11:19 (tasks[2].shell)
   |
11 | {"id":"a","shell":1}]
   |                   ^
   = help: put it in double quotes"#
    );
}

#[test]
fn duplicates_of_positions() {
    let case = |text: &str, expected: &str| assert_eq!(briefs(text), [expected]);
    case(
        r#"["a", {"id": 1, "shell": "b"}]"#,
        "1:14 tasks[1].id «1» duplicate id `1`: task number 1 has no id of its own, so its position is its id; also 1:2",
    );
    case(
        r#"[{"id": "2", "shell": "b"}, "a"]"#,
        "1:29 tasks[1] «\"a\"» duplicate id `2`: this task has no id of its own, so its position is its id; also 1:9",
    );
}

#[test]
fn a_missing_id_may_be_a_slip() {
    let text = r#"[{"id":"build-a","shell":"a"},{"shell":"b","needs":["biuld-a"]}]"#;
    assert_eq!(
        messages(text, None),
        ["no task has the id `biuld-a` — did you mean `build-a`?"]
    );
}

/// A report never sends the terminal anything that it would obey, and never floods it.
#[test]
fn excerpts_are_short_and_printable() {
    let long = format!(
        "[[\"{}\", 1, \"\u{1b}{}\"]]",
        "é".repeat(1000),
        "x".repeat(1000)
    );
    let text = bad(&long.replace('\u{1b}', "\u{9b}"));
    assert!(text.contains(":1:1007 "), "{text}");
    assert!(
        text.lines().all(|line| line.chars().count() < 130),
        "{text}"
    );
    assert!(
        !text.contains('\u{9b}') && text.contains("…éé") && text.contains("x…"),
        "{text}"
    );
}

#[test]
fn long_circles_are_cut() {
    let tasks: Vec<String> = (1..=50)
        .map(|seq| format!("{{\"shell\":\"a\",\"needs\":[{}]}}", seq % 50 + 1))
        .collect();
    let message = &messages(&format!("[{}]", tasks.join(",")), None)[0];
    assert!(
        message.ends_with("10 -> 11 -> 12 -> … (38 more) -> 1"),
        "{message}"
    );
}

#[test]
fn only_so_many_errors_are_shown() {
    let text = format!("[{}1]", "[],".repeat(MAX_DIAGNOSTICS + 2));
    let errors = read_eager("t.json", text.as_bytes(), &options(), None).unwrap_err();
    assert_eq!((errors.shown.len(), errors.more), (MAX_DIAGNOSTICS, 3));
    assert!(errors.to_string().ends_with("\n\nerror: and 3 more errors"));
    let lines = "[]\n".repeat(MAX_DIAGNOSTICS + 1);
    let errors = read_eager("t.json", lines.as_bytes(), &options(), None).unwrap_err();
    assert!(errors.to_string().ends_with("\n\nerror: and 1 more error"));
}

/// A task that cannot be parsed does not hide errors of others, nor make up missing ids.
#[test]
fn syntax_errors_do_not_spread() {
    let text =
        r#"[{"id":"a" "shell":"a"},{"shell":"b","needs":["a"],"timeout":0},{"shell":"c""d"}]"#;
    assert_eq!(
        messages(text, None),
        ["expected comma", "a timeout of zero", "expected comma"]
    );
}

#[test]
fn long_ids() {
    let id = |length: usize| format!("[\n{{\"id\":\"{}\",\"shell\":\"a\"}}]", "i".repeat(length));
    assert_eq!(briefs(&id(MAX_ID_BYTES)), [""; 0]);
    assert_eq!(
        messages(&id(MAX_ID_BYTES + 1), None),
        ["an id of 1025 bytes; at most 1024 are allowed"]
    );
}

#[test]
fn bytes_that_are_not_text() {
    let errors =
        read_eager("t.json", b"[\n \"\xc3\xa9\", \"\xff\"]", &options(), None).unwrap_err();
    assert_eq!(
        errors.to_string(),
        "error: the byte 0xff is not UTF-8 here
 --> t.json:2:8
  |
2 |  \"é\", \"\u{fffd}\"]
  |        ^
  = help: a task file is UTF-8 text"
    );
}

#[test]
fn a_forced_form_is_kept() {
    assert_eq!(
        messages("{\"tasks\":[]}", Some(Form::Array)),
        ["expected `[`, found `{`"]
    );
    assert_eq!(
        messages("[]", Some(Form::Document)),
        ["expected `{`, found `[`"]
    );
    assert_eq!(
        messages("[\n]", Some(Form::Lines)),
        ["`[` is never closed", "expected a value, found `]`"]
    );
}

#[rustfmt::skip] // One case per line can be compared; wrapped ones cannot.
const FILES: &[Case] = &[
    (r#"[1]"#, &[r#"1:2 tasks[0] «1» expected a task, found a number; help: a task is a string (a line for the shell), an array (program and arguments) or an object"#]),
    (r#"[null]"#, &[r#"1:2 tasks[0] «null» expected a task, found null; help: a task is a string (a line for the shell), an array (program and arguments) or an object"#]),
    (r#"[[]]"#, &[r#"1:2 tasks[0] «[]» an empty command"#]),
    (r#"[[""]]"#, &[r#"1:3 tasks[0][0] «""» an empty program name"#]),
    (r#"[["sleep",1]]"#, &[r#"1:11 tasks[0][1] «1» expected a string, found a number; help: put it in double quotes"#]),
    (r#"[""]"#, &[r#"1:2 tasks[0] «""» an empty line for the shell"#]),
    (r#"["a\u0000"]"#, &[r#"1:2 tasks[0] «"a\u0000"» a NUL byte cannot be passed to a command"#]),
    (r#"[{}]"#, &[r#"1:2 tasks[0] «{» a task needs `command` (an array) or `shell` (a line for the shell)"#]),
    (r#"[{"cmd":"a"}]"#, &[r#"1:3 tasks[0].cmd «"cmd"» unknown field `cmd` — did you mean `command`?; help: `command` is an array: the program and its arguments; a line for the shell goes into `shell`"#]),
    (r#"[{"args":[]}]"#, &[r#"1:3 tasks[0].args «"args"» unknown field `args` — did you mean `command`?; help: `command` is an array that holds the program and its arguments together"#]),
    (r#"[{"command":"a"}]"#, &[r#"1:13 tasks[0].command «"a"» expected a program and its arguments (an array of strings), found a string; help: a line for the shell goes into `shell`; `command` is like ["program", "argument"]"#]),
    (r#"[{"shell":["a"]}]"#, &[r#"1:11 tasks[0].shell «["a"]» expected a line for the shell (a string), found an array; help: a program with its arguments goes into `command`"#]),
    (r#"[{"id":"","shell":"a"}]"#, &[r#"1:8 tasks[0].id «""» an empty id"#]),
    (r#"[{"id":true,"shell":"a"}]"#, &[r#"1:8 tasks[0].id «true» expected an id (a string or an integer), found true"#]),
    (r#"[{"id":1.5,"shell":"a"}]"#, &[r#"1:8 tasks[0].id «1.5» an id is text or an integer of 64 bits, not 1.5; help: put it in double quotes"#]),
    ("[{\"shell\":\"a\"\n \"id\":\"b\"}]", &[r#"1:14 tasks[0] «» expected comma"#]),
    (r#"["a",]"#, &[r#"1:6 after tasks[0] «]» a comma before `]`: JSON allows none after the last element"#]),
    (r#"["a" "b"]"#, &[r#"1:6 after tasks[0] «"» expected `,` or `]`, found `"`"#]),
    (r#"["a""#, &[r#"1:5 after tasks[0] «» expected `,` or `]`, found the end of the text"#]),
    ("[\"a\n\"]", &[r#"1:2  «"a» this string is not closed on its line"#]),
    ("[\"\ta\"]", &[r#"1:3  « » a raw control character in a string: write it as \u0009"#]),
    (r#"["a"}"#, &[r#"1:5 after tasks[0] «}» expected `,` or `]`, found `}`"#]),
    (r#"["a"] ["b"]"#, &[r#"1:7 after tasks[0] «[» expected the end of the file, found `[`"#]),
    ("[// x\n\"a\"]", &[r#"1:2  «/» expected a value; JSON has no comments"#]),
    ("[\n'a']", &[r#"2:1  «'» expected a value, found `'`"#]),
    (r#"["\x"]"#, &[r#"1:3 tasks[0] «\x» invalid escape"#]),
    (r#"[{"shell":"a",}]"#, &[r#"1:14 tasks[0] «,» trailing commas are not allowed"#]),
    (r#"[{shell:"a"}]"#, &[r#"1:3 tasks[0] «shell» expected string for object property"#]),
    ("[\n{\"timeout\":01}]", &[r#"2:13 tasks[0] «1» expected comma"#]),
    ("[\n\u{a0}1]", &["2:1  «\u{a0}» expected a value, found `\\u{a0}`"]),
    ("[\n{\"timeout\":\u{a0}1}]", &["2:12  «\u{a0}» `\\u{a0}` is not part of JSON outside a string"]),
    (r#"["\ud800"]"#, &[r#"1:3 tasks[0] «\ud800"» invalid unicode escape sequence. 'd800 (unpaired high surrogate)' is not a valid UTF8 character"#]),
    (r#"{"version":2,"tasks":[]}"#, &[r#"1:12 version «2» an unknown version of the task file; this farm reads version 1; help: a newer farm may read it"#]),
    (r#"{"version":1}"#, &[r#"1:1  «{» a document needs `tasks`, an array"#]),
    (r#"{"tasks":{}}"#, &[r#"1:10  «{» expected `[`, found `{`"#]),
    (r#"{"tasks":[],"tasks":[]}"#, &[r#"1:13 tasks «"tasks"» `tasks` is given twice; also 1:2"#]),
    (r#"{"tasks":[],"groups":{},"job":1}"#, &[r#"1:13 groups «"groups"» unknown field `groups` — did you mean `limits`?; help: `limits` maps names to how many may run at once"#, r#"1:25 job «"job"» unknown field `job`; help: a document has `version`, `defaults`, `limits` and `tasks`"#]),
    (r#"{"tasks":[],"limits":{"a":0,"":1,"b":1,"b":2}}"#, &[r#"1:27 limits.a «0» expected an integer from 1 to 4294967295, found 0"#, r#"1:29 limits[""] «""» a limit without a name"#, r#"1:40 limits.b «"b"» `b` is given twice; also 1:34"#]),
    (r#"{"tasks":[],"limits":[]}"#, &[r#"1:22 limits «[]» expected an object, found an array; help: like {"net": 2}: at most two tasks with "limit": "net" run at once"#]),
    (r#"{"tasks":[],"defaults":{"id":1,"command":[],"timeout":0,"fatal_exit":[0],"ok_exit":[0]}}"#, &[r#"1:24 defaults «{» exit code 0 is both in `ok_exit` and in `fatal_exit`"#, r#"1:25 defaults.id «"id"» `id` cannot have a default"#, r#"1:32 defaults.command «"command"» `command` cannot have a default"#, r#"1:55 defaults.timeout «0» a timeout of zero; help: leave it out for no timeout"#]),
    (r#"{"tasks":[],"defaults":1}"#, &[r#"1:24 defaults «1» expected an object, found a number"#]),
    ("{\n\"command\":[\"a\"]}", &[r#"1:1  «{» one task over several lines is not a task file; help: put it in brackets [ … ], or write it on one line (JSON Lines; `jq -c` does)"#]),
    ("{\n\"tasks\":[]", &[r#"2:11  «» expected `,` or `}`, found the end of the text"#]),
    (r#"{"tasks":[]} x"#, &[r#"1:14  «x» expected the end of the file, found `x`"#]),
    ("{\"tasks\":[],\n}", &[r#"2:1  «}» a comma before `}`: JSON allows none after the last member"#]),
    ("{\n1:2}", &[r#"2:1  «1» expected a key in double quotes, found `1`"#]),
    ("[{\"shell\":\"a\",\"id\":\"x\"},\n{\"shell\":\"b\",\"id\":\"x\"}]", &[r#"2:19 tasks[1].id «"x"» duplicate id `x`; also 1:20"#]),
    ("[{\"shell\":\"a\",\"id\":\"a\",\"needs\":[\"c\"]},\n{\"shell\":\"b\",\"id\":\"b\",\"needs\":[\"a\"]},{\"shell\":\"b\",\"id\":\"c\",\"needs\":[\"b\"]}]", &[r#"1:20 tasks[0].id «"a"» tasks need each other in a circle: a -> c -> b -> a; also 2:56; help: `a -> b` reads: a needs b"#]),
];
