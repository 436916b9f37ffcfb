//! Traces made by hand, and the very text they give.

use super::*;
use farm_lockstep::Pid;

fn line(step: u64, who: Option<u32>, text: &str) -> Line {
    Line {
        step,
        at: VTime(step * 1_500_000),
        who: who.map(Pid),
        text: text.into(),
    }
}

fn trace(names: &[&str], lines: Vec<Line>) -> Trace {
    Trace {
        lines,
        names: names.iter().copied().map(String::from).collect(),
    }
}

/// With the left edge marked, so that an editor that cuts blanks does no harm.
fn sheet(trace: &Trace, most: usize, end: Option<&str>) -> String {
    let mut sheet = Sheet::new(trace, most);
    sheet.rows();
    if let Some(end) = end {
        sheet.end(VTime(20_000_000), 9, end);
    }
    sheet.out.lines().map(|line| format!(".{line}\n")).collect()
}

fn small() -> Trace {
    trace(
        &["master", "caller1", "silent", "w1", "w2"],
        vec![
            line(1, Some(0), "spawn slot 0"),
            line(1, Some(0), "spawn slot 1"),
            line(2, Some(4), "begins t0#1"),
            line(3, Some(1), "ends: exit code 0"),
            line(4, None, "calm"),
            line(5, Some(4), "ends: signal 9"),
            line(6, Some(3), "begins t0#2"),
            line(8, Some(0), "settle t0 ok"),
        ],
    )
}

#[test]
fn each_is_in_the_column_of_who_did_it() {
    let expected = "\
.    time ms    step  master  caller1 w1      w2
.      1.500       1  spawn slot 0
.                     spawn slot 1
.      3.000       2  |                       begins t0#1
.      4.500       3  |       ends: exit code 0
.      6.000       4  -- calm
.      7.500       5  |                       ends: signal 9
.      9.000       6  |               begins t0#2
.     12.000       8  settle t0 ok
.!    20.000       9  I2 no effect after the end: t0#1
.!                    and more
";
    let end = "I2 no effect after the end: t0#1\nand more";
    assert_eq!(sheet(&small(), 100, Some(end)), expected);
}

#[test]
fn the_last_rows_can_be_had_alone() {
    let expected = "\
.(6 earlier rows are left out)
.    time ms    step  master  w1
.      9.000       6          begins t0#2
.     12.000       8  settle t0 ok
";
    assert_eq!(sheet(&small(), 2, None), expected);
    assert_eq!(sheet(&trace(&[], Vec::new()), 2, None), "");
}

#[test]
fn long_texts_go_on_below() {
    let word = "y".repeat(EDGE);
    let text = format!("a long text: {word} {}", "and so on ".repeat(20));
    let text = sheet(&trace(&["a"], vec![line(1, Some(0), &text)]), 9, None);
    assert!(text.lines().all(|line| line.len() <= EDGE + 1), "{text}");
    assert_eq!(text.matches('y').count(), EDGE);
    assert_eq!(text.matches("and").count(), 20);
}

/// Twenty that live one after the other take over columns; the new owners are named.
#[test]
fn columns_of_the_ended_are_taken_over() {
    let names: Vec<String> = (0..20).map(|nth| format!("w{nth}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let lines = (0..20).map(|nth| line(u64::from(nth) + 1, Some(nth), "begins"));
    let text = sheet(&trace(&names, lines.collect()), 99, None);
    assert!(!text.contains(OTHERS), "{text}");
    let heads: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("time ms"))
        .collect();
    assert_eq!(heads.len(), 10, "{text}");
    assert!(heads[0].ends_with("w9      w10"), "{text}");
    assert!(heads[1].contains("  w11     w1      w2"), "{text}");
}

/// Twenty at a time do not fit: the later ones share the last column and say who they are.
#[test]
fn too_many_at_a_time_share_a_column() {
    let names: Vec<String> = (0..20).map(|nth| format!("w{nth}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let lines = (0..40).map(|nth| line(u64::from(nth) + 1, Some(nth % 20), "works"));
    let text = sheet(&trace(&names, lines.collect()), 99, None);
    assert!(
        text.lines()
            .next()
            .expect("a head")
            .ends_with("w10     others"),
        "{text}"
    );
    assert_eq!(text.matches("time ms").count(), 1);
    assert!(text.contains("|       w19: works"), "{text}");
}
