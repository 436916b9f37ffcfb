//! JSON Lines, read one at a time.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read};

use super::super::lines::{LineReader, MAX_LINE_BYTES};
use super::super::{Form, TaskSpec};
use super::{messages, options, read};

fn lines(text: &str) -> LineReader<&[u8]> {
    LineReader::new(text.as_bytes(), "stdin", options())
}

fn all(text: &str) -> Vec<TaskSpec> {
    lines(text).map(|task| task.unwrap()).collect()
}

/// The report that ends `text`, which has `good` tasks before.
fn end(text: &str, good: usize) -> String {
    let mut reader = lines(text);
    let tasks: Vec<TaskSpec> = reader
        .by_ref()
        .take(good)
        .map(|task| task.unwrap())
        .collect();
    assert_eq!(tasks.len(), good, "{text}");
    let report = reader.next().unwrap().unwrap_err().to_string();
    assert!(reader.next().is_none(), "reading ends with the first error");
    report
}

#[test]
fn blank_lines_and_marks_do_not_count() {
    let tasks =
        all("\u{feff}\n\n[\"a\"]\r\n  \t\n{\"id\":\"x\",\"shell\":\"b\",\"needs\":[1]}\n\"c\"");
    let ids: Vec<&str> = tasks.iter().map(|task| task.id.as_ref()).collect();
    assert_eq!(ids, ["1", "x", "3"]);
    assert_eq!(tasks[1].needs[0].seq, 1);
    assert_eq!(tasks[1].settings.cwd, None);
}

#[test]
fn duplicates_in_all_orders() {
    assert_eq!(
        end(
            "\"a\"\n\n{\"shell\":\"b\",\"id\":\"x\"}\n{\"id\":\"x\",\"shell\":\"c\"}\n\"d\"",
            2
        ),
        r#"error: duplicate id `x`
 --> stdin:4:7 (tasks[2].id)
  |
4 | {"id":"x","shell":"c"}
  |       ^^^
  = also: stdin:3:19"#
    );
    assert_eq!(
        end(
            "\"a\"\n{\"id\":4,\"shell\":\"b\"}\n\n\"c\"\n\"d\"\n\"e\"",
            3
        ),
        r#"error: duplicate id `4`: this task has no id of its own, so its position is its id
 --> stdin:5:1 (tasks[3])
  |
5 | "d"
  | ^^^
  = also: stdin:2:7"#
    );
    assert_eq!(
        end("\"a\"\n\n\"b\"\n\"c\"\n{\"id\":\"2\",\"shell\":\"b\"}", 3),
        r#"error: duplicate id `2`: task number 2 has no id of its own, so its position is its id
 --> stdin:5:7 (tasks[3].id)
  |
5 | {"id":"2","shell":"b"}
  |       ^^^
  = also: stdin:3:1"#
    );
    let shifted = "{\"id\":2,\"shell\":\"a\"}\n{\"id\":1,\"shell\":\"b\"}\n{\"id\":\"3\",\"shell\":\"c\"}\n\"d\"";
    assert_eq!(all(shifted).len(), 4);
}

#[test]
fn needs_name_earlier_tasks_only() {
    assert_eq!(
        end(
            "{\"id\":\"a\",\"shell\":\"a\",\"needs\":[{\"id\":\"b\"}]}\n{\"id\":\"b\",\"shell\":\"b\"}",
            0
        ),
        r#"error: no earlier task has the id `b`
 --> stdin:1:38 (tasks[0].needs)
  |
1 | {"id":"a","shell":"a","needs":[{"id":"b"}]}
  |                                      ^^^
  = help: in JSON Lines `needs` names tasks of earlier lines; an array of tasks may also name later ones"#
    );
    assert!(
        end("{\"shell\":\"a\",\"needs\":[1]}", 0).starts_with("error: the task `1` needs itself")
    );
    assert!(
        end("\"a\"\n{\"shell\":\"a\",\"needs\":[3]}\n\"c\"", 1)
            .starts_with("error: no earlier task has the id `3`")
    );
}

#[test]
fn what_is_not_one_task_on_a_line() {
    assert_eq!(
        end("\"a\"\n{\"shell\":\"b\"} {\"shell\":\"c\"}", 1),
        r#"error: expected the end of the line after a task, found `{`
 --> stdin:2:15 (tasks[1])
  |
2 | {"shell":"b"} {"shell":"c"}
  |               ^
  = help: in JSON Lines every line is one task: a string, an array or an object"#
    );
    assert!(
        end("\"a\"\n{\"shell\":\n\"b\"}", 1)
            .starts_with("error: `{` is never closed\n --> stdin:2:1 ")
    );
    assert!(
        end("make -C a", 0).starts_with(
            "error: `make` is not JSON: text stands in double quotes\n --> stdin:1:1 "
        )
    );
}

#[test]
fn all_errors_of_a_line_come_together() {
    let report = end("\"a\"\n{\"id\":1,\"comand\":[],\"timeout\":-1}", 1);
    assert_eq!(report.matches("error: ").count(), 3, "{report}");
    assert!(
        report.contains("did you mean `command`?") && report.contains("duplicate id `1`"),
        "{report}"
    );
}

#[test]
fn bytes_that_are_not_text() {
    let mut reader = LineReader::new(&b"\"a\"\n\"\xc3\xa9b\xff\xc3\"\n"[..], "stdin", options());
    reader.next().unwrap().unwrap();
    assert_eq!(
        reader.next().unwrap().unwrap_err().to_string(),
        "error: the byte 0xff is not UTF-8 here
 --> stdin:2:4
  |
2 | \"éb\u{fffd}\u{fffd}\"
  |    ^
  = help: a task file is UTF-8 text"
    );
}

/// Checking a file goes on after a bad line, and does not blame lines for what another one lost.
#[test]
fn checking_finds_the_errors_of_all_lines() {
    let text = "{\"shell\":1}\n{\"id\":\"x\" \"shell\":\"a\"}\n{\"shell\":\"b\",\"needs\":[\"x\"]}\n[]\n\"good\"";
    let expected = [
        "expected a string, found a number",
        "expected comma",
        "an empty command",
    ];
    assert_eq!(messages(text, Some(Form::Lines)), expected);
    let list = read("\"a\"\n\"b\"", Some(Form::Lines)).unwrap();
    assert_eq!((list.tasks.len(), list.order), (2, vec![0, 1]));
}

/// Gives `left` bytes of one line that never ends, then fails.
struct Endless(usize);

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::Error::other("the disk is on fire"));
        }
        let count = buffer.len().min(self.0);
        buffer[..count].fill(b'"');
        self.0 -= count;
        Ok(count)
    }
}

#[test]
fn a_line_has_a_cap() {
    let mut reader = LineReader::new(BufReader::new(Endless(usize::MAX)), "stdin", options());
    assert_eq!(
        reader.next().unwrap().unwrap_err().to_string(),
        "error: line 1 is longer than 16 MiB\n--> stdin\n = help: give a command large input through a file: \"stdin\": {\"file\": …}"
    );
    assert!(reader.next().is_none());
    let long = format!("\"{}\"\n", "a".repeat(MAX_LINE_BYTES - 3));
    assert_eq!(all(&long).len(), 1);
}

#[test]
fn an_input_that_fails_says_where() {
    let mut reader = LineReader::new(BufReader::new(Endless(3)), "stdin", options());
    let report = reader.next().unwrap().unwrap_err().to_string();
    assert_eq!(
        report,
        "error: cannot read line 1 of the task file: the disk is on fire\n--> stdin"
    );
}

/// Counts the lines handed out.
struct Counted<'c>(&'c [u8], &'c Cell<usize>);

impl Read for Counted<'_> {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        unreachable!("lines are read through the buffer")
    }
}

impl BufRead for Counted<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let end = self
            .0
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(self.0.len(), |end| end + 1);
        Ok(&self.0[..end])
    }

    fn consume(&mut self, count: usize) {
        self.1.set(self.1.get() + usize::from(count > 0));
        self.0 = &self.0[count..];
    }
}

#[test]
fn a_task_is_ready_before_the_next_line_is_there() {
    let read = Cell::new(0);
    let mut reader = LineReader::new(Counted(b"\"a\"\n\"b\"\n\"c\"\n", &read), "stdin", options());
    for line in 1..=3 {
        reader.next().unwrap().unwrap();
        assert_eq!(read.get(), line);
    }
}
