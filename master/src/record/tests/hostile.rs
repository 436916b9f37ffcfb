//! Bytes that are no record, or a spoiled one: a typed error, never a panic, and no memory that was only claimed.

use super::format::{bytes, read};
use super::*;
use proptest::prelude::*;

/// A good entry around this body.
fn entry(body: &[u8]) -> Vec<u8> {
    let mut out = u32::try_from(body.len())
        .expect("short")
        .to_le_bytes()
        .to_vec();
    out.extend_from_slice(&Fnv::folded(body).to_le_bytes());
    out.extend_from_slice(body);
    out
}

/// Replays; how far it went, and why not further.
fn replay(bytes: &[u8]) -> (Replayed, Option<RecordError>) {
    let mut replayer = Replayer::new(true);
    for piece in bytes.chunks(1000) {
        replayer.push(piece);
        loop {
            match replayer.next_step() {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(replayer.next_step(), Err(error.clone()), "for ever");
                    return (replayer.so_far(), Some(error));
                }
            }
        }
    }
    (replayer.so_far(), None)
}

#[test]
fn other_files_are_named_at_their_first_wrong_byte() {
    for text in [&b"x"[..], b"{\"id\": 1}", b"farmrex\x02"] {
        let error = read(text, 1, |_| {}).expect_err("no record");
        assert!(matches!(error, RecordError::NotARecord { .. }), "{error}");
    }
    let error = read(b"farmrec\x01", 8, |_| {}).expect_err("another format");
    assert_eq!(error, RecordError::WrongVersion { ours: 5, theirs: 1 });
    assert_eq!(read(b"farmrec", 1, |_| {}), Ok(7), "cut off");
}

#[test]
fn claims_cost_nothing() {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&[0xff; 8]);
    let error = read(&bytes, 8, |_| {}).expect_err("too long");
    assert!(matches!(error, RecordError::TooLong { entry: 0, .. }));
    let mut decoder = RunDecoder::new();
    decoder.push(&MAGIC);
    decoder.push(&ENTRY_LIMIT.to_le_bytes());
    decoder.push(&[0; 100]);
    assert!(decoder.next_entry().expect("it may still come").is_none());
    assert!(decoder.buffer_bytes() < 1 << 12, "{decoder:?}");
}

#[test]
fn every_cut_is_noticed_and_every_flip_found() {
    let bytes = bytes(1);
    for end in 0..bytes.len() {
        let mut ended = false;
        let left = read(&bytes[..end], usize::MAX, |entry| {
            ended |= matches!(entry, Recorded::End { .. });
        });
        assert!(left.is_ok() && !ended, "cut at {end}: {left:?}");
    }
    for at in 0..bytes.len() {
        let bit = at % 8;
        let mut spoiled = bytes.clone();
        spoiled[at] ^= 1 << bit;
        let mut ended = false;
        let read = read(&spoiled, usize::MAX, |entry| {
            ended |= matches!(entry, Recorded::End { .. });
        });
        // A length that grew swallows what follows, and then it is cut off.
        assert!(read.is_err() || !ended, "bit {bit} of byte {at}");
    }
}

#[test]
fn entries_in_a_wrong_place() {
    let head = {
        let mut encoder = RunEncoder::new();
        encoder.head("", &config()).expect("short");
        encoder.bytes().to_vec()
    };
    for (start, body, expected) in [
        (&MAGIC[..], &[CALL][..], "head is missing"),
        (&MAGIC[..], &[END, 0, 0], "head is missing"),
        (&MAGIC[..], &[HEAD], "cannot be decoded"),
        (&MAGIC[..], &[], "is empty"),
        (&head, &head[16..], "second head"),
        (&head, &[9], "unknown tag 9"),
        (&head, &[END, 1, 0], "says that 1 calls"),
        (&head, &[END, 0, 0, 0], "left over"),
        (&head, &[CALL], "cannot be decoded"),
        (&head, &[CALL, 0, 99], "cannot be decoded"),
    ] {
        let mut bytes = start.to_vec();
        bytes.extend(entry(body));
        let error = read(&bytes, 5, |_| {}).expect_err(expected);
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(replay(&bytes).1, Some(error));
    }
}

/// Whole entries that no run can have made.
#[test]
fn nonsense_does_not_reach_the_machine() {
    let record = |config: &Config, event: &Event<'_>, answer: Option<KindAnswer>| {
        let mut encoder = RunEncoder::new();
        encoder.head("", config).expect("short");
        encoder.begin(Instant::START, event);
        if let Some(answer) = answer {
            encoder.record(answer);
        }
        encoder.finish(&Actions::new()).expect("short");
        replay(encoder.bytes()).1.map(|error| error.to_string())
    };
    let submit = |place, kind| Event::Submit {
        task: TaskId::new(place, 0),
        kind: KindId(kind),
        entry: Entry::Push,
        options: None,
        scope: None,
    };
    let injected = KindAnswer::Response(ResponseAnswer::Taken {
        judged: crate::Judged::Done,
        next: crate::NextOfWorker::Stay,
        keys: Vec::new(),
        injected: vec![crate::Injected::shared(TaskId::new(u32::MAX, 0))],
    });
    let mut huge = config();
    huge.kinds[0].slots = u32::MAX;
    let good = config();
    let wake = || Event::Wake;
    let gate = Event::SetGate {
        kind: KindId(7),
        gate: crate::lane::Gate::Paused,
    };
    for (config, event, answer, expected) in [
        (&huge, wake(), None, "more than any farm has"),
        (&good, submit(u32::MAX, 0), None, "beyond every place"),
        (&good, submit(0, 1), None, "no kind 1"),
        (&good, gate, None, "no kind 7"),
        (&good, wake(), Some(injected), "beyond every place"),
    ] {
        let error = record(config, &event, answer).expect(expected);
        assert!(error.contains(expected), "{error}");
    }
    assert_eq!(record(&good, &wake(), None), None);
}

proptest! {
    #[test]
    fn noise_is_refused(noise in proptest::collection::vec(any::<u8>(), 0..300)) {
        // Raw, as entries, and as the body of a call.
        drop(replay(&noise));
        let mut bytes = MAGIC.to_vec();
        bytes.extend(entry(&noise));
        drop(replay(&bytes));
        let mut encoder = RunEncoder::new();
        encoder.head("", &config()).expect("short");
        let mut bytes = encoder.bytes().to_vec();
        let mut body = vec![CALL];
        body.extend_from_slice(&noise);
        bytes.extend(entry(&body));
        drop(replay(&bytes));
    }
}
