//! Whatever a machine can be told comes back from a record as it was, however the bytes are cut.

use super::*;
use crate::evidence::MemoryEvidence;
use crate::lane::Gate;
use crate::{
    Backoff, Cause, CrashLimit, Exit, Judged, LimitId, Need, NextOfWorker, OnLost, Retries,
    RetryOn, Rule, Sample, Shut, Ties, When,
};
use farm_protocol::page::Noted;
use farm_protocol::{FrameLimit, MarshalError, ScopeId, Termination};
use std::num::NonZeroU32;
use std::time::Duration;

pub(super) fn options() -> TaskOptions {
    let need = |place, when| Need {
        task: TaskId::new(place, 1),
        when,
    };
    TaskOptions {
        priority: -7,
        needs: vec![
            need(1, When::Success),
            need(2, When::Failure),
            need(u32::MAX, When::Always),
        ],
        limit: Some(LimitId(3)),
        waiting: Some(Duration::MAX),
        starting: Some(Duration::from_nanos(2)),
        running: Some(Duration::from_nanos(1)),
        stall: Some(Duration::from_nanos(3)),
        cpu: Some(Duration::MAX),
        memory: Some(u64::MAX),
        grace: Some(Duration::ZERO),
        retries: Retries {
            count: 4,
            backoff: Backoff::Exponential,
            delay: Duration::from_millis(1500),
            jitter: true,
            on: RetryOn::ALL,
            ..Retries::NONE
        },
        crash_limit: CrashLimit::Unlimited,
        on_lost: OnLost::Fail,
    }
}

/// One of every variant at least.
pub(super) fn events() -> Vec<Event<'static>> {
    let mut events = events_of_callers();
    events.extend(events_of_workers());
    events.push(usage());
    events.push(Event::Weighed {
        slot: SlotId(3),
        session: Session(4),
        memory: u64::MAX,
    });
    events.push(Event::Resize {
        kind: KindId(1),
        least: 2,
        most: u32::MAX,
    });
    events.push(Event::TokenCame);
    events.push(Event::TokensLost {
        error: "early EOF".to_owned(),
    });
    events.push(Event::TokensCounted);
    events.push(Event::Wake);
    events
}

fn usage() -> Event<'static> {
    Event::Usage {
        slot: SlotId(3),
        session: Session(4),
        id: AttemptId {
            task: TaskId::new(5, 2),
            attempt: Attempt(3),
        },
        sample: Sample {
            cpu: Duration::from_nanos(7),
            memory: u64::MAX,
            noted: Noted::default(),
        },
    }
}

fn events_of_callers() -> Vec<Event<'static>> {
    let (task, kind) = (TaskId::new(5, 2), KindId(1));
    let submit = |entry, options: Option<TaskOptions>| Event::Submit {
        task,
        kind,
        entry,
        options: options.map(Box::new),
        scope: None,
    };
    let gate = |gate| Event::SetGate { kind, gate };
    vec![
        submit(Entry::Push, None),
        submit(Entry::Pull, Some(TaskOptions::default())),
        submit(Entry::Inject, Some(options())),
        Event::Submit {
            task,
            kind,
            entry: Entry::Push,
            options: None,
            scope: Some(ScopeId(u64::MAX)),
        },
        Event::OpenScope {
            scope: ScopeId(1),
            parent: None,
            rule: None,
            limit: None,
        },
        Event::OpenScope {
            scope: ScopeId(2),
            parent: Some(ScopeId(1)),
            rule: Some((Rule::Quorum(NonZeroU32::MAX), Ties::Lowest)),
            limit: Some(Duration::from_millis(1500)),
        },
        Event::CloseScope { scope: ScopeId(1) },
        Event::CancelScope {
            scope: ScopeId(1),
            reason: "edited".to_owned(),
        },
        Event::Cancel {
            task,
            reason: "nobody wants it".to_owned(),
        },
        gate(Gate::Running),
        gate(Gate::Paused),
        gate(Gate::Draining),
        gate(Gate::Closed),
        Event::Shut(Shut::Drain),
        Event::Shut(Shut::Finish),
        Event::Shut(Shut::Stop),
        Event::Shut(Shut::Kill),
    ]
}

fn events_of_workers() -> Vec<Event<'static>> {
    let (slot, session) = (SlotId(u32::MAX), Session(u64::MAX));
    let id = AttemptId {
        task: TaskId::new(5, 2),
        attempt: Attempt(3),
    };
    let exited = |termination, noted, evidence| Event::Exited {
        slot,
        session,
        exit: Exit {
            termination,
            noted,
            evidence,
        },
    };
    let noted = Noted {
        executing: Some(id),
        started_nanos: 8,
        peak_bytes: 9,
    };
    let evidence = MemoryEvidence {
        group_kills: 1,
        peak_bytes: Some(2),
        allowed_bytes: Some(u64::MAX),
        last_words: b"out of \xff memory",
        our_kill: true,
    };
    let output = |stream, bytes| Event::Output {
        slot,
        session,
        stream,
        noted,
        bytes,
    };
    vec![
        Event::Spawned {
            slot,
            session,
            page: true,
        },
        Event::SpawnFailed {
            slot,
            session,
            error: String::new(),
        },
        Event::Bytes {
            slot,
            session,
            bytes: b"\0\xff",
        },
        output(Stream::Stdout, b""),
        output(Stream::Stderr, b"said"),
        Event::Eof { slot, session },
        exited(Termination::Exited(-1), None, MemoryEvidence::default()),
        exited(Termination::Lost, Some(noted), evidence),
        exited(
            Termination::Signaled {
                signal: 11,
                core_dumped: true,
            },
            Some(Noted::default()),
            evidence,
        ),
        Event::Decoded {
            slot,
            session,
            id,
            handle: 77,
        },
    ]
}

/// One of every variant at least.
pub(super) fn answers() -> Vec<KindAnswer> {
    let fault = KindFault {
        callback: "task_match".to_owned(),
        message: "boom".to_owned(),
    };
    let error = MarshalError::TooLarge {
        size: 10,
        at_least: false,
        limit: 9,
    };
    let taken = |judged, next| ResponseAnswer::Taken {
        judged,
        next,
        keys: vec![farm_protocol::AffinityKey(7)],
        injected: vec![
            crate::Injected::shared(TaskId::new(1, 0)),
            crate::Injected::pinned(TaskId::new(2, 9), crate::WhenGone::Substitute),
        ],
    };
    let failed = Judged::Failed {
        cause: Cause::Crash,
        fatal: true,
    };
    vec![
        KindAnswer::Matches(Ok(true)),
        KindAnswer::Matches(Err(fault.clone())),
        KindAnswer::Request(RequestAnswer::Ready, vec![0, 1, 255]),
        KindAnswer::Request(RequestAnswer::Skip, vec![]),
        KindAnswer::Request(RequestAnswer::NotMarshallable(error.clone()), vec![]),
        KindAnswer::Request(RequestAnswer::Fault(fault.clone()), vec![]),
        KindAnswer::Response(taken(Judged::Done, NextOfWorker::Stay)),
        KindAnswer::Response(taken(failed, NextOfWorker::End)),
        KindAnswer::Response(ResponseAnswer::Garbled(error)),
        KindAnswer::Response(ResponseAnswer::Fault(fault)),
        KindAnswer::Feedback(Ok(())),
        KindAnswer::Feedback(Err("bad".to_owned())),
        KindAnswer::Affinity(Ok(Affinity::Worker {
            slot: SlotId(3),
            session: Session(9),
        })),
    ]
}

pub(super) fn full_config() -> Config {
    let mut config = config();
    config.kinds[0].defaults = options();
    config.limits = vec![NonZeroU32::MIN, NonZeroU32::MAX];
    config.frame_limit = FrameLimit(12_345);
    config.hello_timeout = Duration::new(1, 999_999_999);
    config.close_budget = Duration::MAX;
    config.measures = false;
    config.kinds[0].hello_timeout = Some(Duration::MAX);
    config.kinds[0].staffing.named = true;
    config.start_failures.limit = 0;
    config.seed = u64::MAX;
    config
}

/// A record of these events, each with so many answers; not one a machine would make.
pub(super) fn bytes(answers: usize) -> Vec<u8> {
    let mut encoder = RunEncoder::new();
    encoder.head("a build", &full_config()).expect("short");
    let mut actions = Actions::new();
    for (at, event) in events().iter().enumerate() {
        encoder.begin(Instant::from_nanos(at as u64), event);
        for answer in self::answers().into_iter().take(answers) {
            encoder.record(answer);
        }
        actions.push(Action::Stopped);
        encoder.finish(&actions).expect("short");
    }
    encoder.end();
    encoder.bytes().to_vec()
}

/// Reads with pieces of so many bytes, and calls for every entry.
pub(super) fn read(
    bytes: &[u8],
    piece: usize,
    mut each: impl FnMut(Recorded<'_>),
) -> Result<usize, RecordError> {
    let mut decoder = RunDecoder::new();
    for piece in bytes.chunks(piece) {
        decoder.push(piece);
        while let Some(entry) = decoder.next_entry()? {
            each(entry);
        }
    }
    Ok(decoder.pending())
}

#[test]
fn what_was_written_is_read() {
    let bytes = bytes(usize::MAX);
    for piece in [1, 7, 4096, usize::MAX] {
        let (events, mut at) = (events(), 0);
        let mut ends = 0;
        let left = read(&bytes, piece, |entry| match entry {
            Recorded::Head(head) => {
                assert_eq!(head.build, "a build");
                assert_eq!(format!("{:?}", head.config), format!("{:?}", full_config()));
            }
            Recorded::Call(call) => {
                assert_eq!(call.event, events[at]);
                assert_eq!(call.now, Instant::from_nanos(at as u64));
                assert_eq!(call.answers, answers());
                at += 1;
                assert_eq!(call.made.expect("no panic").actions, at as u64);
            }
            Recorded::End { calls, .. } => {
                assert_eq!(calls, events.len() as u64);
                ends += 1;
            }
        });
        assert_eq!((left, at, ends), (Ok(0), events.len(), 1));
    }
}

/// Old records must be told apart from new ones: whoever changes these bytes raises the version.
#[test]
fn the_format_is_pinned() {
    let mut hash = Fnv::new();
    hash.add(&bytes(usize::MAX));
    assert_eq!(MAGIC[7], 5);
    assert_eq!(
        hash.value(),
        0x6c0f_cb88_bcf2_fe17,
        "{:#018x}",
        hash.value()
    );
}

#[test]
fn a_panic_is_an_entry_and_the_last() {
    let mut encoder = RunEncoder::new();
    encoder.head("", &config()).expect("short");
    encoder.begin(Instant::START, &Event::Wake);
    encoder.record(KindAnswer::Matches(Ok(true)));
    assert!(encoder.bytes().len() > 8, "the head is ready");
    let before = encoder.bytes().len();
    encoder.abandon().expect("short");
    assert!(encoder.bytes().len() > before);
    encoder.abandon().expect("nothing to note");
    let mut made = Vec::new();
    let end = read(encoder.bytes(), 3, |entry| {
        if let Recorded::Call(call) = entry {
            made.push((call.made, call.answers.len()));
        }
    });
    assert_eq!((end, made), (Ok(0), vec![(None, 1)]));
    encoder.end();
    let error = read(encoder.bytes(), 3, |_| {}).expect_err("nothing follows a panic");
    assert!(error.to_string().contains("after the end"), "{error}");
}

#[test]
fn a_cleared_encoder_goes_on() {
    let mut encoder = RunEncoder::new();
    let mut bytes = Vec::new();
    encoder.head("", &config()).expect("short");
    bytes.extend_from_slice(encoder.bytes());
    encoder.clear();
    encoder.begin(Instant::START, &Event::Wake);
    assert!(encoder.bytes().is_empty(), "the call is not ready");
    encoder.finish(&Actions::new()).expect("short");
    encoder.end();
    bytes.extend_from_slice(encoder.bytes());
    let mut entries = 0;
    assert_eq!(read(&bytes, 100, |_| entries += 1), Ok(0));
    assert_eq!(entries, 3);
}
