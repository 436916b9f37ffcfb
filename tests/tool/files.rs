//! What is said of bad task files, word for word, and what `kinds` says of good ones.

use crate::Test;
use crate::runs::tool;
use crate::stage::{Ended, Stage};
use serde_json::{Value, json};

pub(crate) const TESTS: &[Test] = &[
    ("an_error_shows_its_place", whole_text),
    ("inputs_are_checked_against_their_type", inputs),
    ("tasks_are_checked_for_their_kind", tasks),
    ("the_same_errors_in_lines_and_defaults", other_forms),
    ("kinds_are_listed", kinds),
];

fn ask(stage: &Stage, arguments: &[&str]) -> Ended {
    stage.start_command(&mut tool(stage, arguments)).end()
}

fn refused(tasks: &str) -> String {
    let stage = Stage::new();
    stage.write("t.json", tasks);
    let ended = ask(&stage, &["run", "t.json", "--results", "results"]);
    assert!(
        !stage.path("results").exists(),
        "nothing of a bad file is run"
    );
    ended.exits(2).stderr
}

/// All errors of an array of these tasks, one per line: path, message, help.
fn briefs(tasks: &[&str]) -> Vec<String> {
    let text = refused(&format!("[\n{}\n]", tasks.join(",\n")));
    let errors = text.split("\n\n").map(|error| {
        let message = error.lines().next().unwrap_or_default();
        let message = message.strip_prefix("error: ").unwrap_or(message);
        let path = error.lines().nth(1).and_then(|line| line.split_once(" ("));
        let path = path.map_or("", |(_, path)| path.trim_end_matches(')'));
        let help = error
            .lines()
            .last()
            .and_then(|line| line.split_once("= help: "));
        let help = help
            .map(|(_, help)| format!("; {help}"))
            .unwrap_or_default();
        format!("{path} {message}{help}")
    });
    errors.collect()
}

fn whole_text() {
    let text = refused(
        r#"[
  {"id": "a", "kind": "measure", "input": {"sides": [1, 300], "unit": "metre"}, "timeout": "soon"},
  {"id": "b", "kind": "measure", "input": {"sides": [], "units": "inch"}}
]
"#,
    );
    let expected = r#"error: expected an integer from 0 to 255, found 300
 --> t.json:2:57 (tasks[0].input.sides[1])
  |
2 | …": "a", "kind": "measure", "input": {"sides": [1, 300], "unit": "metre"}, "timeout": "soon"},
  |                                                    ^^^

error: `soon` is not a duration
 --> t.json:2:92 (tasks[0].timeout)
  |
2 | … {"sides": [1, 300], "unit": "metre"}, "timeout": "soon"},
  |                                                    ^^^^^^
  = help: write a number of seconds, or text such as "250ms", "1m 30s", "2h"

error: missing field `unit`
 --> t.json:3:43 (tasks[1].input)
  |
3 |   {"id": "b", "kind": "measure", "input": {"sides": [], "units": "inch"}}
  |                                           ^

error: unknown field `units` — did you mean `unit`?
 --> t.json:3:57 (tasks[1].input.units)
  |
3 | …": "b", "kind": "measure", "input": {"sides": [], "units": "inch"}}
  |                                                    ^^^^^^^
  = help: its fields are `sides`, `unit`, `scale`, `for`
"#;
    assert_eq!(text, expected);
}

fn inputs() {
    let tasks = [
        r#"{"kind": "measure", "input": {"sides": [256, -2, "x", 3.5, true], "unit": "metres", "skale": 2, "for": {"1": true, "x": false}}}"#,
        r#"{"kind": "measure", "input": {"scale": "big"}}"#,
        r#"{"kind": "measure", "input": {"sides": 3, "unit": {"own": {"milimetres": 5, "millimetres": null}}}}"#,
        r#"{"kind": "measure", "input": {"sides": [], "unit": {"own": 5}}}"#,
        r#"{"kind": "measure", "input": {"sides": [], "unit": "own"}}"#,
        r#"{"kind": "measure", "input": {"sides": [], "unit": {"inch": 1}}}"#,
        r#"{"kind": "measure", "input": {"sides": [], "unit": 3}}"#,
        r#"{"kind": "measure", "input": null}"#,
        r#"{"kind": "measure", "input": {"sides": [], "unit": "inch", "unit": "own"}}"#,
        r#"{"kind": "chain", "input": 101}"#,
    ];
    let expected = [
        "tasks[0].input.sides[0] expected an integer from 0 to 255, found 256",
        "tasks[0].input.sides[1] expected an integer from 0 to 255, found -2",
        "tasks[0].input.sides[2] expected an integer from 0 to 255, found a string",
        "tasks[0].input.sides[3] expected an integer from 0 to 255, found 3.5",
        "tasks[0].input.sides[4] expected an integer from 0 to 255, found true",
        "tasks[0].input.unit unknown variant `metres` — did you mean `metre`?; there are `metre`, `inch`, `own`",
        "tasks[0].input.skale unknown field `skale` — did you mean `scale`?; its fields are `sides`, `unit`, `scale`, `for`",
        "tasks[0].input.for.x expected an integer from 0 to 4294967295, found a string",
        "tasks[1].input missing field `sides`",
        "tasks[1].input missing field `unit`",
        "tasks[1].input.scale expected a number, found a string",
        "tasks[2].input.sides expected an array, found 3",
        "tasks[2].input.unit.own.milimetres unknown field `milimetres` — did you mean `millimetres`?; its fields are `millimetres`",
        "tasks[2].input.unit.own.millimetres expected an integer from 0 to 4294967295, found null",
        "tasks[3].input.unit.own expected an object (Unit::Own), found a number",
        "tasks[4].input.unit the variant `own` holds something; write {\"own\": …}",
        "tasks[5].input.unit.inch the variant `inch` holds nothing, found a number; write \"inch\"",
        "tasks[6].input.unit expected a variant of Unit, found a number; a variant that holds something is like {\"name\": …}; there are `metre`, `inch`, `own`",
        "tasks[7].input expected an object (Measurement), found null",
        "tasks[8].input.unit `unit` is given twice",
        "tasks[9].input a chain of 101 is too long",
    ];
    assert_eq!(briefs(&tasks), expected);
}

fn tasks() {
    let tasks = [
        r#"{"kind": "mesure", "input": {}}"#,
        r#"{"kind": 3, "input": {}}"#,
        r#"{"input": {}}"#,
        r#"{"kind": "gate"}"#,
        r#"{"kind": "gate", "input": {"begun": "x"}, "command": ["true"]}"#,
        r#"{"kind": "chain", "input": 1, "env": {}, "ok_exit": [1], "prioritty": 3}"#,
        r#"{"name": "nothing"}"#,
        r#"{"kind": "chain", "input": 1, "needs": ["nobody"], "limit": "nowhere"}"#,
    ];
    let expected = [
        "tasks[0].kind no kind is called `mesure` — did you mean `measure`?; there are `measure`, `gate`, `chain`, `muddle`",
        "tasks[1].kind expected a string, found a number; put it in double quotes",
        "tasks[2] a task needs `kind`; there are `measure`, `gate`, `chain`, `muddle`; `defaults` may name one for all tasks",
        "tasks[3] a task of the kind `gate` needs `input`",
        "tasks[4].kind a task has either `command` or `kind` and `input`, not both",
        "tasks[4].input a task has either `command` or `kind` and `input`, not both",
        "tasks[5].env `env` is for commands; a task of the kind `chain` is told everything by its `input`",
        "tasks[5].ok_exit `ok_exit` is for commands; a task of the kind `chain` is told everything by its `input`",
        "tasks[5].prioritty unknown field `prioritty` — did you mean `priority`?",
        "tasks[6] a task needs `kind` and `input`, or `command` (an array), or `shell` (a line for the shell)",
        "tasks[7].needs no task has the id `nobody`",
        "tasks[7].limit no limit is called `nowhere`; declare it in the document's `limits`, or by `--limit NAME=COUNT` on the command line",
    ];
    assert_eq!(briefs(&tasks), expected);
}

fn other_forms() {
    let stage = Stage::new();
    let good = r#"{"kind": "gate", "input": {"begun": "/dev/null"}}"#;
    stage.write(
        "t.json",
        format!("{good}\n{{\"kind\": \"chain\", \"input\": -1}}\n{good}\n"),
    );
    let ended = ask(&stage, &["run", "t.json", "--results", "results"]).exits(2);
    assert_eq!(ended.results.len(), 1, "what stands before it is run");
    ended.says("--> t.json:2:28 (tasks[1].input)");
    let text = refused(r#"{"defaults": {"kind": "chian", "input": 3}, "tasks": [{"input": 1}]}"#);
    assert!(
        text.contains("no kind is called `chian` — did you mean `chain`?"),
        "{text}"
    );
    assert!(text.contains("`input` cannot have a default"), "{text}");
}

fn kinds() {
    let stage = Stage::new();
    let text = ask(&stage, &["kinds"]).exits(0).text();
    let expected = r#"measure (version 7)
  input: {"sides": [integer (u8), …], "unit": "metre" or "inch" or {"own": {"millimetres": integer (u32)}}, "scale"?: number or null, "for"?: {"…": true or false, …}}
gate (version 1)
  input: {"begun": string, "opens_at"?: integer (u32), "heeds"?: true or false}
chain (version 1)
  input: integer (u32)
muddle (version 1)
  input: null
command (version 1)
  `command` or `shell` instead of `kind` and `input`
"#;
    assert_eq!(text, expected);
    let text = ask(&stage, &["kinds", "--json"]).exits(0).text();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(lines.len(), 5);
    let gate = json!({
        "type": "object",
        "properties": {
            "begun": {"type": "string"},
            "opens_at": {"type": "integer", "minimum": 0, "maximum": u32::MAX},
            "heeds": {"type": "boolean"},
        },
        "required": ["begun"],
        "additionalProperties": false,
    });
    assert_eq!(
        lines[1],
        json!({"name": "gate", "version": 1, "input": gate})
    );
}
