//! Decisions drawn, noted and repeated.

use super::*;

fn random() -> Random {
    Random::derive(11, 0, 0)
}

/// A run of `steps` steps with decisions of every sort. What it answers is what happened in it.
fn run(choices: &mut Choices, steps: u32) -> Vec<u32> {
    let mut happened = Vec::new();
    for step in 0..steps {
        happened.push(choices.pick(step % 4 + 1, || step / 3 % (step % 4 + 1)));
        happened.push(choices.choose(step % 7 + 1, "seven"));
        happened.push(u32::from(choices.chance(step % 3 * 100, "rare")));
        choices.step(u64::from(happened.iter().sum::<u32>()) + 1);
    }
    happened
}

fn recorded(steps: u32) -> (Record, Vec<u32>) {
    let mut choices = Choices::recorded(random());
    let happened = run(&mut choices, steps);
    let finished = choices.finish();
    assert_eq!(finished.divergence, None);
    (finished.record.expect("a record was wanted"), happened)
}

/// Replays `steps` steps and says where it went another way.
fn departure(record: &Record, steps: u32) -> Option<Divergence> {
    let mut choices = Choices::replayed(record.clone());
    run(&mut choices, steps);
    choices.finish().divergence
}

#[test]
fn noting_changes_nothing() {
    let mut choices = Choices::drawn(random());
    let drawn = run(&mut choices, 600);
    let (record, noted) = recorded(600);
    assert_eq!(drawn, noted);
    assert_eq!(choices.finish(), Finished::default());
    assert_eq!((record.steps, record.digests.len()), (600, 2));
    assert_eq!(record.last_digest, u64::from(noted.iter().sum::<u32>()) + 1);
}

#[test]
fn a_replay_repeats() {
    let (record, noted) = recorded(600);
    let mut choices = Choices::replayed(record);
    assert_eq!(run(&mut choices, 600), noted);
    assert_eq!(choices.divergence(), None);
    assert_eq!(choices.finish(), Finished::default());
}

#[test]
fn what_is_no_decision_is_neither_drawn_nor_noted() {
    let mut choices = Choices::recorded(random());
    assert_eq!(choices.choose(1, "single"), 0);
    assert!(!choices.chance(0, "never"));
    let mut asked = false;
    let single = choices.pick(1, || {
        asked = true;
        0
    });
    assert_eq!(
        (single, asked),
        (0, true),
        "a strategy counts this step too"
    );
    assert_eq!(
        choices.choose(1_000_000, "first drawn"),
        random().below(1_000_000)
    );
    assert!(choices.chance(1_000, "always"));
    let record = choices.finish().record.expect("a record was wanted");
    assert_eq!(record.choices, [random().below(1_000_000), 1]);
}

#[test]
fn a_replay_does_not_ask_the_strategy() {
    let record = Record {
        choices: vec![2],
        ..Record::default()
    };
    let mut choices = Choices::replayed(record);
    assert_eq!(choices.pick(1, || unreachable!("asked")), 0);
    assert_eq!(choices.pick(3, || unreachable!("asked")), 2);
    assert_eq!(choices.finish().divergence, None);
}

#[test]
fn how_often_something_happens() {
    let mut choices = Choices::drawn(random());
    let times = (0..100_000)
        .filter(|_| choices.chance(250, "quarter"))
        .count();
    // Four standard deviations are 548.
    assert!(times.abs_diff(25_000) < 548, "{times}");
}

#[test]
fn a_decision_out_of_range_is_the_first_departure_and_all_is_dull_behind_it() {
    let record = Record {
        choices: vec![1, 5, 1],
        ..Record::default()
    };
    let mut choices = Choices::replayed(record);
    assert_eq!(choices.choose(2, "fits"), 1);
    assert_eq!(choices.choose(5, "does not"), 0);
    let expected = Divergence::OutOfRange {
        position: 1,
        tag: "does not",
        among: 5,
        recorded: 5,
    };
    assert_eq!(choices.divergence(), Some(&expected));
    assert_eq!(choices.choose(2, "would fit"), 0);
    assert!(!choices.chance(1_000, "always"));
    assert_eq!(choices.pick(2, || unreachable!("asked")), 0);
    choices.step(77);
    assert_eq!(choices.finish().divergence, Some(expected));
}

#[test]
fn noted_chances_are_0_or_1() {
    let record = Record {
        choices: vec![2],
        ..Record::default()
    };
    let mut choices = Choices::replayed(record);
    assert!(!choices.chance(500, "rare"));
    assert!(matches!(
        choices.divergence(),
        Some(Divergence::OutOfRange {
            tag: "rare",
            among: 2,
            recorded: 2,
            ..
        })
    ));
}

#[test]
fn too_few_and_too_many_decisions() {
    let (mut record, _) = recorded(300);
    let all = record.choices.len() as u64;
    record.choices.push(0);
    let left_over = Divergence::LeftOver {
        used: all,
        recorded: all + 1,
    };
    assert_eq!(departure(&record, 300), Some(left_over));
    record.choices.truncate(5);
    assert!(matches!(
        departure(&record, 300),
        Some(Divergence::Exhausted { position: 5, .. })
    ));
}

/// A story that decides nothing: only its steps and digests can differ.
fn dull(choices: &mut Choices, steps: u64, digest: impl Fn(u64) -> u64) {
    (1..=steps).for_each(|step| choices.step(digest(step)));
}

fn dull_departure(steps: u64, digest: impl Fn(u64) -> u64) -> Option<Divergence> {
    let mut choices = Choices::recorded(random());
    dull(&mut choices, 1_000, |step| step);
    let mut replay = Choices::replayed(choices.finish().record.expect("a record was wanted"));
    dull(&mut replay, steps, digest);
    replay.finish().divergence
}

#[test]
fn another_digest_is_noticed_at_the_next_noted_one() {
    assert_eq!(dull_departure(1_000, |step| step), None);
    let late = dull_departure(1_000, |step| step + u64::from(step >= 300));
    assert_eq!(late, Some(Divergence::Digest { step: 512 }));
    let last = dull_departure(1_000, |step| step + u64::from(step >= 800));
    assert_eq!(
        last,
        Some(Divergence::Digest { step: 1_000 }),
        "also behind the last of the regular ones"
    );
    let back = dull_departure(1_000, |step| step + u64::from(step == 256));
    assert_eq!(
        back,
        Some(Divergence::Digest { step: 256 }),
        "also if it agrees again afterwards"
    );
}

#[test]
fn another_length_is_noticed() {
    let longer = dull_departure(1_001, |step| step);
    assert_eq!(longer, Some(Divergence::Longer { recorded: 1_000 }));
    let shorter = Divergence::Shorter {
        taken: 999,
        recorded: 1_000,
    };
    assert_eq!(dull_departure(999, |step| step), Some(shorter));
}

#[test]
fn more_decisions_than_a_record_holds_leave_none() {
    let mut choices = Choices::recorded(random());
    let mut plain = Choices::drawn(random());
    for _ in 0..=Record::CHOICES_MAX {
        assert_eq!(choices.choose(2, "coin"), plain.choose(2, "coin"));
    }
    assert_eq!(choices.finish(), Finished::default());
}

#[test]
#[should_panic(expected = "one of those that are ready")]
fn a_strategy_that_picks_nobody_is_stopped() {
    Choices::drawn(random()).pick(3, || 3);
}
