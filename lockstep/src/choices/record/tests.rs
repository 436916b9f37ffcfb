//! Records as bytes, and bytes that are no record.

use super::*;
use crate::random::Random;

fn sample() -> Record {
    Record {
        choices: vec![0, 0, 0, 7, 0, 1, u32::MAX, 64, 65, 0, 0],
        digests: vec![1, u64::MAX],
        steps: 700,
        last_digest: 0x0123_4567_89ab_cdef,
    }
}

/// A header in front of `rest`: no steps, no last digest.
fn bytes(rest: &[u8]) -> Vec<u8> {
    let mut bytes = vec![FORMAT, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    bytes.extend_from_slice(rest);
    bytes
}

const TOO_LARGE: RecordError = RecordError::TooLarge { part: CHOICES };

#[test]
fn what_is_written_is_read_back() {
    assert_eq!(Record::from_bytes(&sample().to_bytes()), Ok(sample()));
    let empty = Record::default();
    assert_eq!(Record::from_bytes(&empty.to_bytes()), Ok(empty));
}

#[test]
fn random_records_are_read_back() {
    let mut random = Random::derive(21, 0, 0);
    for _ in 0..500 {
        let steps = random.below_wide(2_000);
        let mut choices = Vec::new();
        for _ in 0..random.below(300) {
            // Half of them zeros, the others of all sizes.
            let value = (random.next() >> 32) as u32 >> random.below(32);
            choices.push(value * random.below(2));
        }
        let record = Record {
            choices,
            digests: (0..steps / Record::DIGEST_EVERY)
                .map(|_| random.next())
                .collect(),
            steps,
            last_digest: random.next(),
        };
        assert_eq!(Record::from_bytes(&record.to_bytes()), Ok(record));
    }
}

/// Files of old runs must stay readable.
#[test]
fn the_bytes_stay_what_they_are() {
    let record = Record {
        choices: vec![0, 0, 0, 7, 65, 0],
        digests: vec![2],
        steps: 300,
        last_digest: 3,
    };
    let mut expected = vec![1, 0xac, 0x02];
    expected.extend([3, 0, 0, 0, 0, 0, 0, 0]);
    expected.extend([6, 0x05, 0x0c, 0x80, 0x01, 0x01]);
    expected.extend([1, 2, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(record.to_bytes(), expected);
}

#[test]
fn a_dull_run_takes_next_to_no_room() {
    let record = Record {
        choices: vec![0; Record::CHOICES_MAX],
        ..Record::default()
    };
    let bytes = record.to_bytes();
    assert_eq!(bytes.len(), 19);
    assert_eq!(Record::from_bytes(&bytes), Ok(record));
}

#[test]
fn every_cut_is_noticed() {
    let whole = sample().to_bytes();
    for length in 0..whole.len() {
        let error = Record::from_bytes(&whole[..length]).unwrap_err();
        assert!(
            matches!(error, RecordError::Short { .. }),
            "{length}: {error}"
        );
    }
}

#[test]
fn hostile_bytes_are_refused_before_they_cost_memory() {
    let refused = |rest: &[u8]| Record::from_bytes(&bytes(rest)).unwrap_err();
    let huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    assert_eq!(
        refused(&huge),
        TOO_LARGE,
        "more decisions than there may be"
    );
    assert_eq!(
        refused(&[0x81, 0x80, 0x80, 0x02, 1]),
        TOO_LARGE,
        "one more than there may be"
    );
    assert_eq!(
        refused(&[&[5], &huge[..]].concat()),
        TOO_LARGE,
        "a run of zeros longer than the rest"
    );
    assert_eq!(
        refused(&[5, 0x0b, 0]),
        TOO_LARGE,
        "a run of six zeros for five decisions"
    );
    assert_eq!(
        refused(&[1, 0x80, 0x80, 0x80, 0x80, 0x20]),
        TOO_LARGE,
        "a decision that is no u32"
    );
    assert_eq!(
        refused(&[0xff; 10]),
        TOO_LARGE,
        "a varint of more than 64 bits"
    );
    assert_eq!(refused(&[0x80; 11]), TOO_LARGE, "a varint without an end");
    assert_eq!(refused(&[0, 0, 9]), RecordError::Trailing { bytes: 1 });
    assert_eq!(
        refused(&[0, 1]),
        RecordError::Digests {
            steps: 0,
            digests: 1
        }
    );
    assert_eq!(
        Record::from_bytes(&[9, 0]),
        Err(RecordError::Format { found: 9 })
    );
}

#[test]
fn steps_that_promise_more_digests_than_there_are_reserve_nothing() {
    let mut bytes = vec![FORMAT];
    put_varint(&mut bytes, u64::MAX);
    bytes.extend([0; 8]);
    bytes.push(0);
    put_varint(&mut bytes, u64::MAX / Record::DIGEST_EVERY);
    bytes.extend([0; 64]);
    assert_eq!(
        Record::from_bytes(&bytes),
        Err(RecordError::Short { part: DIGESTS })
    );
}

/// No bytes may panic, and what is taken for a record can be written again.
#[test]
fn damaged_bytes_never_panic() {
    let mut random = Random::derive(22, 0, 0);
    let whole = sample().to_bytes();
    let mut read = 0;
    for _ in 0..20_000 {
        let mut bytes = whole.clone();
        for _ in 0..=random.below(3) {
            let at = random.below(bytes.len() as u32) as usize;
            bytes[at] = random.below(256) as u8;
        }
        if let Ok(record) = Record::from_bytes(&bytes) {
            assert_eq!(Record::from_bytes(&record.to_bytes()), Ok(record));
            read += 1;
        }
    }
    assert!(
        read > 0,
        "no damage went unnoticed: the test shows nothing about records"
    );
}
