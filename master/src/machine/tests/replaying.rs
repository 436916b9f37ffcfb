//! Random runs are recorded and replay to the same actions; a record that was changed does not.

use super::nonsense::{configuration, run_in};
use super::stage::Ids;
use super::world::*;
use crate::lane::Entry;
use crate::record::{Difference, Made, Recorded, Replayed, Replayer, RunDecoder, RunEncoder, Step};
use crate::{Actions, Event, KindAnswer, Master, Recorder, Recording};
use farm_protocol::{Instant, KindId, TaskId};

const ALL: Manners = Manners {
    dies: 30,
    fails: 200,
    deaf: 300,
    nonsense: 15,
    pageless: 200,
    stillborn: 60,
};

/// A random run and its record.
fn recorded(seed: u64) -> (World, Vec<u8>) {
    let config = configuration(seed);
    let mut record = RunEncoder::new();
    record.head("the test", &config).expect("short");
    let mut world = World::new(seed, config, ALL);
    world.record = Some(record);
    run_in(&mut world);
    let mut record = world.record.take().expect("put there");
    record.end();
    (world, record.bytes().to_vec())
}

fn replay(bytes: &[u8], lines: bool) -> (Vec<Step>, Replayed) {
    let mut replayer = Replayer::new(lines);
    let mut steps = Vec::new();
    for piece in bytes.chunks(333) {
        replayer.push(piece);
        while let Some(step) = replayer.next_step().expect("a good record") {
            steps.push(step);
        }
    }
    assert_eq!(replayer.build(), Some("the test"));
    (steps, replayer.so_far())
}

#[test]
fn a_recorded_run_replays() {
    let mut settled = 0;
    for seed in 0..300 {
        let (world, bytes) = recorded(seed);
        settled += world.settled.len();
        let (steps, end) = replay(&bytes, false);
        let difference = steps.iter().find_map(|step| step.difference.as_ref());
        assert_eq!(difference, None, "seed {seed}");
        assert!(end.whole && !end.diverged, "seed {seed}: {end:?}");
        assert_eq!(end.events, steps.len() as u64);
    }
    assert!(settled > 1000, "{settled} tasks prove little");
}

#[test]
fn the_trace_is_the_same_twice_and_has_a_line_for_everything() {
    let (_, bytes) = recorded(5);
    let (steps, end) = replay(&bytes, true);
    assert_eq!(steps, replay(&bytes, true).0);
    let lines: usize = steps.iter().map(|step| step.lines.len()).sum();
    assert_eq!(lines as u64, end.events + end.actions);
    let text = steps.iter().flat_map(|step| &step.lines);
    let text: Vec<&str> = text.map(String::as_str).collect();
    assert!(text.iter().all(|line| !line.contains('\n')));
    for wanted in [
        " > submit        t0 kind 0 push",
        "   spawn         slot 0 session 1 kind 0",
        "   settle        t",
    ] {
        assert!(text.iter().any(|line| line.contains(wanted)), "{wanted}");
    }
}

#[test]
fn a_record_that_was_cut_off_replays_up_to_there() {
    let (_, bytes) = recorded(6);
    let (steps, _) = replay(&bytes, false);
    let (fewer, end) = replay(&bytes[..bytes.len() / 2], false);
    assert!(!end.whole && !end.diverged && end.events > 10, "{end:?}");
    assert_eq!(fewer, steps[..fewer.len()]);
}

/// The record with other events where `change` says so.
fn changed(
    bytes: &[u8],
    mut change: impl FnMut(&Event<'_>, Made) -> Option<Event<'static>>,
) -> Vec<u8> {
    let (mut decoder, mut encoder) = (RunDecoder::new(), RunEncoder::new());
    decoder.push(bytes);
    // The first bytes, then entry by entry.
    let mut kept = bytes[..8].to_vec();
    let mut at = 8;
    while let Some(entry) = decoder.next_entry().expect("a good record") {
        let new = match &entry {
            Recorded::Call(call) => {
                let made = call.made.expect("no panic");
                change(&call.event, made).map(|event| (call.now, event, made))
            }
            Recorded::Head(_) | Recorded::End { .. } => None,
        };
        let end = bytes.len() - decoder.pending();
        if let Some((now, event, made)) = new {
            encoder.begin(now, &event);
            encoder.close_as(made);
            kept.extend_from_slice(encoder.bytes());
            encoder.clear();
        } else {
            kept.extend_from_slice(&bytes[at..end]);
        }
        at = end;
    }
    kept
}

fn first_difference(bytes: &[u8]) -> (u64, Difference) {
    let (steps, end) = replay(bytes, false);
    assert!(end.diverged && !end.whole, "{end:?}");
    let last = steps.last().expect("some");
    let before = &steps[..steps.len() - 1];
    assert!(before.iter().all(|step| step.difference.is_none()));
    let difference = last.difference.as_deref().expect("the last one differs");
    (last.entry, difference.clone())
}

#[test]
fn a_changed_event_is_found_where_it_is() {
    let (_, bytes) = recorded(7);
    // The first answer of a worker never came.
    let mut place = None;
    let mut calls = 0;
    let spoiled = changed(&bytes, |event, made| {
        calls += 1;
        let is_it = place.is_none() && matches!(event, Event::Bytes { .. }) && made.actions > 0;
        is_it.then(|| {
            place = Some((calls, made));
            Event::Wake
        })
    });
    let (entry, difference) = first_difference(&spoiled);
    let (expected, made) = place.expect("some worker says hello");
    assert_eq!((entry, difference.recorded), (expected, Some(made)));
    assert_ne!(difference.replayed, Some(made));
    assert!(difference.lines[0].ends_with("> wake"), "{difference:?}");
    // Unchanged, it is the same record.
    assert_eq!(changed(&bytes, |_, _| None), bytes);
}

/// A task enters twice, the second time as of another kind, against the contract of the event: the machine asserts.
fn twice(finish: impl FnOnce(&mut RunEncoder)) -> Vec<u8> {
    let mut config = configuration(1);
    config.kinds.push(config.kinds[0].clone());
    let mut encoder = RunEncoder::new();
    encoder.head("the test", &config).expect("short");
    let submit = |kind| Event::Submit {
        task: TaskId::new(0, 0),
        kind: KindId(kind),
        entry: Entry::Push,
        options: None,
        scope: None,
    };
    let mut master = Master::new(config);
    let (mut kinds, mut actions) = (Ids::default(), Actions::new());
    encoder.begin(Instant::START, &submit(0));
    let recording = &mut Recording::new(&mut kinds, &mut encoder);
    master.handle(Instant::START, submit(0), recording, &mut actions);
    encoder.finish(&actions).expect("short");
    encoder.begin(Instant::START, &submit(1));
    finish(&mut encoder);
    encoder.bytes().to_vec()
}

#[test]
fn a_panic_replays_as_a_panic() {
    let bytes = twice(|encoder| encoder.abandon().expect("short"));
    let (steps, end) = replay(&bytes, false);
    assert!(end.whole && !end.diverged && end.events == 2, "{end:?}");
    let said = steps[1].panicked.as_deref().expect("the assertion");
    assert!(said.contains("its place was taken"), "{said}");

    let bytes = twice(|encoder| encoder.finish(&Actions::new()).expect("short"));
    let (entry, difference) = first_difference(&bytes);
    assert_eq!((entry, difference.replayed), (2, None));
    assert_eq!(difference.why.as_deref(), Some(said));
}

#[test]
fn answers_that_nobody_asks_for_differ() {
    let mut encoder = RunEncoder::new();
    encoder.head("the test", &configuration(1)).expect("short");
    encoder.begin(Instant::START, &Event::Wake);
    encoder.record(KindAnswer::Matches(Ok(true)));
    encoder.finish(&Actions::new()).expect("short");
    let (entry, difference) = first_difference(encoder.bytes());
    assert_eq!((entry, difference.recorded), (1, difference.replayed));
    let why = difference.why.expect("words");
    assert!(why.starts_with("1 recorded answers"), "{why}");
}
