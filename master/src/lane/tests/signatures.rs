//! A17: the signature's form, line by line, and that nothing of a lane is missing in it.

use super::{Stage, key, lane, lane_of, push};
use crate::lane::{AdapterMode, Entry, Gate, Lane, TaskState};
use core::num::NonZeroUsize;

/// A17
#[test]
fn a17_an_empty_lane_shows_its_settings() {
    assert_eq!(
        lane(2, 4).signature(),
        "farm.lane/1 mode=push_pull gate=running mif=2 mq=4 il=4 cb=500 keep=all next=1 if=0 q=0 occ=0"
    );
    let mut lane = lane_of(AdapterMode::PullOnly, 1, 0);
    lane.set_gate(Gate::Draining);
    lane.set_injection_limit(7);
    lane.set_retention(Some(3));
    assert_eq!(
        lane.signature(),
        "farm.lane/1 mode=pull_only gate=draining mif=1 mq=0 il=7 cb=500 keep=3[] next=1 if=0 q=0 occ=0"
    );
}

/// What the tests below show: a task in each state, an injected one, and a name.
fn varied() -> Lane {
    let mut lane = lane(3, 4);
    for index in 0..4 {
        push(&mut lane, index);
    }
    lane.start_available(100);
    lane.fail(key(2), "boom").unwrap();
    lane.start_available(110);
    let _stop = lane.cancel(key(1), "user", 150).unwrap();
    lane.succeed(key(3)).unwrap();
    lane.set_name(key(2), "lint").unwrap();
    push(&mut lane, 4);
    let _removed = lane.cancel(key(4), "", 160).unwrap();
    lane.enqueue(key(5), Entry::Inject).unwrap();
    lane
}

/// A17
#[test]
fn a17_tasks_are_shown_by_place_with_all_that_is_known_of_them() {
    let mut lane = varied();
    let head = "farm.lane/1 mode=push_pull gate=running mif=3 mq=4 il=4 cb=500 keep=all";
    let tail = "2=lint:failed#3*1(boom) 3:succeeded#4*1 4:cancelled#5() 5:queued#6+";
    assert_eq!(
        lane.signature(),
        format!(
            "{head} next=7 if=1 q=1 occ=2 0:in_flight#1*1@100 1:cancelled#2*1(user)~400,650 {tail}"
        )
    );
    lane.overdue(400);
    assert_eq!(
        lane.signature(),
        format!(
            "{head} next=7 if=1 q=1 occ=2 0:in_flight#1*1@100 1:cancelled#2*1(user)~650 {tail}"
        )
    );
    lane.overdue(650);
    assert_eq!(
        lane.signature(),
        format!(
            "{head} next=7 if=1 q=1 occ=2 0:in_flight#1*1@100 1:cancelled#2*1(user)~650! {tail}"
        )
    );
    lane.settle(key(1), 1).unwrap();
    lane.requeue(key(0)).unwrap();
    assert_eq!(
        lane.signature(),
        format!("{head} next=7 if=0 q=2 occ=0 0:queued#1*1 1:cancelled#2*1(user) {tail}")
    );
    lane.retry(key(2)).unwrap();
    assert!(
        lane.signature().ends_with(" 5:queued#6+ 2=lint:queued#7*1"),
        "{}",
        lane.signature()
    );
}

/// A17
#[test]
fn a17_retention_shows_who_ended_first() {
    let mut lane = lane(4, 4);
    lane.set_retention(Some(3));
    for index in 0..3 {
        push(&mut lane, index);
    }
    lane.start_available(0);
    lane.succeed(key(2)).unwrap();
    lane.succeed(key(0)).unwrap();
    assert!(
        lane.signature().contains(" keep=3[2,0] next=4 "),
        "{}",
        lane.signature()
    );
}

/// A17
#[test]
fn a17_odd_characters_cannot_be_taken_for_the_form() {
    let mut lane = Stage::Queued.lane();
    lane.set_name(key(0), "a:b c#1(2)%/é\n").unwrap();
    let _removed = lane.cancel(key(0), "it's ~9! A-Z_0.9", 0).unwrap();
    let line = lane.signature();
    assert!(
        line.ends_with(
            " 0=a%3Ab%20c%231%282%29%25%2F%C3%A9%0A:cancelled#1(it%27s%20%7E9%21%20A-Z_0.9)"
        ),
        "{line}"
    );
    assert!(line.is_ascii() && !line.contains('\n'));
}

/// A task as read back from a signature: key, name, label, place, reason.
type Read = (usize, Option<String>, String, u64, Option<String>);

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next().unwrap(), rest.next().unwrap()];
            bytes.push(u8::from_str_radix(core::str::from_utf8(&digits).unwrap(), 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}

fn read(task: &str) -> Read {
    let (who, what) = task.split_once(':').unwrap();
    let (number, name) = who
        .split_once('=')
        .map_or((who, None), |(number, name)| (number, Some(decode(name))));
    let (label, rest) = what.split_once('#').unwrap();
    let digits = rest
        .find(|sign: char| !sign.is_ascii_digit())
        .unwrap_or(rest.len());
    let reason = rest
        .split_once('(')
        .map(|(_, reason)| decode(reason.split_once(')').unwrap().0));
    (
        number.parse().unwrap(),
        name,
        label.to_owned(),
        rest[..digits].parse().unwrap(),
        reason,
    )
}

/// A17
#[test]
fn a17_what_is_written_can_be_read_back() {
    let mut lane = varied();
    lane.set_name(key(5), "x=1 (é) :#%41").unwrap();
    lane.start(key(5), 7).unwrap();
    lane.fail(key(5), ") 9:queued#9").unwrap();
    let line = lane.signature();
    let tasks: Vec<Read> = line
        .split(' ')
        .skip_while(|word| !word.starts_with("occ="))
        .skip(1)
        .map(read)
        .collect();
    assert_eq!(tasks.len(), 6);
    assert!(tasks.is_sorted_by_key(|task| task.3));
    for (index, name, label, place, reason) in tasks {
        let key = key(u32::try_from(index).unwrap());
        let state = lane.state(key).unwrap();
        assert_eq!(name.as_deref(), lane.name(key));
        assert_eq!((label.as_str(), place), (state.label(), state.seq().get()));
        let kept = match state {
            TaskState::Failed { reason, .. } | TaskState::Cancelled { reason, .. } => Some(reason),
            TaskState::Queued { .. } | TaskState::InFlight { .. } | TaskState::Succeeded { .. } => {
                None
            }
        };
        assert_eq!(reason.as_deref(), kept);
    }
}

type Change = fn(&mut Lane);

/// A17
#[test]
fn a17_equal_lanes_have_equal_lines_and_every_difference_shows() {
    assert_eq!(varied().signature(), varied().signature());
    let changes: [Change; 12] = [
        |lane| lane.set_gate(Gate::Paused),
        |lane| lane.set_max_in_flight(NonZeroUsize::new(9).unwrap()),
        |lane| lane.set_injection_limit(9),
        |lane| lane.set_retention(Some(9)),
        |lane| lane.set_name(key(0), "").unwrap(),
        |lane| lane.set_name(key(0), "0").unwrap(),
        |lane| lane.hasten(key(1), 499, 150).map(drop).unwrap(),
        |lane| drop(lane.overdue(400)),
        |lane| lane.start(key(5), 5).map(drop).unwrap(),
        |lane| lane.start(key(5), 6).map(drop).unwrap(),
        |lane| assert!(lane.forget(key(4))),
        |lane| lane.retry(key(4)).map(drop).unwrap(),
    ];
    let mut lines = vec![varied().signature()];
    for change in changes {
        let mut lane = varied();
        change(&mut lane);
        lines.push(lane.signature());
    }
    let all = lines.len();
    lines.sort();
    lines.dedup();
    assert_eq!(lines.len(), all, "two different lanes have one line");
}
