//! Every field of a task, in every form it has.

use std::sync::Arc;
use std::time::Duration;

use super::super::{IdKind, Need, Run, Settings, Stderr, Stdin, Stdout};
use super::{good, one};
use farm_master::{Backoff, CrashLimit, OnLost, Retries, RetryOn, When};

fn argv(words: &[&str]) -> Run {
    Run::Argv(words.iter().map(|word| Box::from(*word)).collect())
}

/// The settings of a task with these further fields.
fn settings(fields: &str) -> Settings {
    (*one(&format!("{{\"shell\":\"a\",{fields}}}")).settings).clone()
}

#[test]
fn the_three_kinds_of_elements() {
    let list = good(
        "[\"make -C a\", [\"z3\", \"\", \"b c\"], {\"command\": [\"p\"], \"id\": \"c\", \"name\": \"n\"}]",
    );
    let [line, array, object] = list.tasks.as_slice() else {
        panic!("three tasks")
    };
    assert_eq!(
        (line.seq, line.id.as_ref(), line.explicit_id),
        (1, "1", None)
    );
    assert_eq!(line.run, Run::Shell("make -C a".into()));
    assert_eq!(array.run, argv(&["z3", "", "b c"]));
    assert_eq!(
        (object.id.as_ref(), object.explicit_id),
        ("c", Some(IdKind::Text))
    );
    assert_eq!(
        (object.run.clone(), object.name.as_deref()),
        (argv(&["p"]), Some("n"))
    );
    assert_eq!(*object.settings, Settings::default());
    assert_eq!(list.order, [0, 1, 2]);
}

#[test]
#[rustfmt::skip] // One field per line can be compared.
fn settings_in_all_their_forms() {
    let check = |fields: &str, expected: Settings| assert_eq!(settings(fields), expected, "{fields}");
    let base = Settings::default;
    let seconds = |count| Some(Duration::from_secs(count));
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    check(r#""env":{"B":"1","A":"x=y"}"#, Settings { env: vec![pair("B", "1"), pair("A", "x=y")], ..base() });
    check(r#""clear_env":true"#, Settings { clear_env: true, ..base() });
    check(r#""cwd":"d""#, Settings { cwd: Some("/base/d".into()), ..base() });
    check(r#""cwd":"/d""#, Settings { cwd: Some("/d".into()), ..base() });
    check(r#""stdin":"a\u0000b""#, Settings { stdin: Stdin::Text("a\0b".into()), ..base() });
    check(r#""stdin":{"file":"f"}"#, Settings { stdin: Stdin::File("/base/f".into()), ..base() });
    let json = r#"{"b":[1,2.50,null,true],"a":"é\n"}"#;
    check(r#""stdin":{"json": {"b": [1, 2.50, null, true], "a": "\u00e9\n"}}"#, Settings { stdin: Stdin::Json(json.into()), ..base() });
    check(r#""timeout":"1m 30s""#, Settings { timeout: seconds(90), ..base() });
    check(r#""memory":"512MiB""#, Settings { memory: Some(512 << 20), ..base() });
    check(r#""memory":2e9"#, Settings { memory: Some(2_000_000_000), ..base() });
    check(r#""cpu":"10m""#, Settings { cpu: seconds(600), ..base() });
    check(r#""stall":30,"stdout":"out""#, Settings { stall: seconds(30), stdout: Stdout::File("/base/out".into()), ..base() });
    check(r#""timeout":30"#, Settings { timeout: seconds(30), ..base() });
    check(r#""timeout":0.25"#, Settings { timeout: Some(Duration::from_millis(250)), ..base() });
    check(r#""grace":0"#, Settings { grace: Some(Duration::ZERO), ..base() });
    check(r#""retries":2"#, Settings { retries: Some(Retries::immediate(2)), ..base() });
    check(r#""crash_limit":0"#, Settings { crash_limit: Some(CrashLimit::Deaths(0)), ..base() });
    check(r#""crash_limit":"unlimited""#, Settings { crash_limit: Some(CrashLimit::Unlimited), ..base() });
    check(r#""on_lost":"fail""#, Settings { on_lost: Some(OnLost::Fail), ..base() });
    check(r#""on_lost":"retry""#, Settings { on_lost: Some(OnLost::Retry), ..base() });
    check(r#""ok_exit":[0,1,1],"fatal_exit":[255]"#, Settings { ok_exit: vec![0, 1], fatal_exit: vec![255], ..base() });
    check(r#""priority":-2147483648"#, Settings { priority: i32::MIN, ..base() });
    check(r#""limit":"net""#, Settings { limit: Some("net".into()), ..base() });
    check(r#""stdout":"capture","stderr":"capture""#, base());
    check(r#""stdout":"inherit","stderr":"inherit""#, Settings { stdout: Stdout::Inherit, stderr: Stderr::Inherit, ..base() });
    check(r#""stdout":"null","stderr":"null""#, Settings { stdout: Stdout::Null, stderr: Stderr::Null, ..base() });
    check(r#""stdout":"stdout","stderr":"stdout""#, Settings { stdout: Stdout::File("/base/stdout".into()), stderr: Stderr::Stdout, ..base() });
    check(r#""stdout":"./null","stderr":"/e""#, Settings { stdout: Stdout::File("/base/./null".into()), stderr: Stderr::File("/e".into()), ..base() });
    check(r#""tags":["a","b"]"#, Settings { tags: vec!["a".to_owned(), "b".to_owned()], ..base() });
    check(r#""meta": [ 1 , {"k" : "v"} ]"#, Settings { meta: Some("[1,{\"k\":\"v\"}]".into()), ..base() });
    check(r#""meta":null"#, Settings { meta: Some("null".into()), ..base() });
    check(r#""x-mine":{"a":1},"x-":[]"#, base());
}

#[test]
fn retries_as_an_object() {
    let retries = |text: &str| settings(&format!("\"retries\":{text}")).retries.unwrap();
    let whole = r#"{"count":3,"backoff":"exponential","delay":"1s","max_delay":"1m","jitter":true,"on":["exit","timeout","resource","crash"]}"#;
    let all = RetryOn::EXIT
        .union(RetryOn::TIMEOUT)
        .union(RetryOn::RESOURCE)
        .union(RetryOn::CRASH);
    let expected = Retries {
        count: 3,
        backoff: Backoff::Exponential,
        delay: Duration::from_secs(1),
        max_delay: Duration::from_secs(60),
        jitter: true,
        on: all,
    };
    assert_eq!(retries(whole), expected);
    assert_eq!(retries(r#"{"count":1}"#), Retries::immediate(1));
    let slow = retries(r#"{"count":1,"delay":"1h","on":["timeout"]}"#);
    assert_eq!(
        (slow.max_delay, slow.on),
        (Duration::from_secs(3600), RetryOn::TIMEOUT)
    );
    assert!(!slow.on.contains(RetryOn::EXIT) && !slow.on.is_empty() && RetryOn::NONE.is_empty());
}

#[test]
fn needs_in_both_forms_and_forward() {
    let list = good(
        r#"[{"shell":"a","needs":["c",2,{"id":"3x","when":"failure"}]}, "b", {"id":"3x","shell":"c"},
            {"id":"c","shell":"d","needs":[{"id":2,"when":"always"},{"id":"3x"}]}]"#,
    );
    let need = |id: &str, seq, when| Need {
        id: id.into(),
        seq,
        when,
    };
    let first = [
        need("c", 4, When::Success),
        need("2", 2, When::Success),
        need("3x", 3, When::Failure),
    ];
    assert_eq!(list.tasks[0].needs, first);
    assert_eq!(
        list.tasks[3].needs,
        [need("2", 2, When::Always), need("3x", 3, When::Success)]
    );
    assert_eq!(list.order, [1, 2, 3, 0]);
}

#[test]
fn ids_are_one_name_space() {
    let list = good(
        r#"[{"id":-7,"shell":"a"},{"id":"x","shell":"b","needs":["-7"]},{"shell":"c","needs":[-7,"2x"]},{"id":"2x","shell":"d"}]"#,
    );
    assert_eq!(
        (list.tasks[0].id.as_ref(), list.tasks[0].explicit_id),
        ("-7", Some(IdKind::Integer))
    );
    assert_eq!(list.tasks[2].needs[0].seq, 1);
    // A position that another task's id spells is fine as long as the task at that position has an id of its own.
    assert_eq!(
        good(r#"[{"id":"2","shell":"a"},{"id":"1","shell":"b"}]"#)
            .tasks
            .len(),
        2
    );
    assert_eq!(
        good(r#"[{"id":"01","shell":"a"},{"id":"+2","shell":"b"}]"#)
            .tasks
            .len(),
        2
    );
}

#[test]
fn a_document_with_defaults_and_limits() {
    let list = good(
        r#"{"tasks": ["a", {"shell":"b","timeout":5,"env":{"B":"2","C":"3"},"limit":"gpu"}, {"shell":"c","limit":"net"}],
            "x-note": 1, "version": 1, "limits": {"gpu": 1, "x-odd": 3},
            "defaults": {"timeout": "2m", "retries": 1, "env": {"A":"0","B":"1"}, "x-y": 0}}"#,
    );
    let names: Vec<(&str, u32)> = list
        .limits
        .iter()
        .map(|(name, count)| (name.as_ref(), count.get()))
        .collect();
    assert_eq!(names, [("gpu", 1), ("x-odd", 3)]);
    let [plain, own, _] = list.tasks.as_slice() else {
        panic!("three tasks")
    };
    assert_eq!(plain.settings.timeout, Some(Duration::from_secs(120)));
    assert_eq!(own.settings.timeout, Some(Duration::from_secs(5)));
    assert_eq!(own.settings.retries, Some(Retries::immediate(1)));
    let env: Vec<(&str, &str)> = own
        .settings
        .env
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(env, [("A", "0"), ("B", "2"), ("C", "3")]);
    assert_eq!(plain.settings.env.len(), 2);
}

#[test]
fn tasks_that_add_nothing_share_the_defaults() {
    let list = good(
        r#"{"defaults":{"priority":1},"tasks":["a",{"id":"b","shell":"b","needs":[1]},{"shell":"c","priority":2}]}"#,
    );
    let [first, second, third] = list.tasks.as_slice() else {
        panic!("three tasks")
    };
    assert!(Arc::ptr_eq(&first.settings, &second.settings));
    assert!(!Arc::ptr_eq(&first.settings, &third.settings));
}

#[test]
fn a_file_of_blanks_is_an_empty_list() {
    for form in [
        None,
        Some(super::Form::Array),
        Some(super::Form::Document),
        Some(super::Form::Lines),
    ] {
        for text in ["", "\u{feff}", " \n\t\r\n"] {
            assert_eq!(
                super::read(text, form).unwrap().tasks,
                [],
                "{form:?} {text:?}"
            );
        }
    }
}

/// A million of them may be in memory at once.
#[test]
fn a_task_is_small() {
    assert!(size_of::<super::TaskSpec>() <= 104);
}
